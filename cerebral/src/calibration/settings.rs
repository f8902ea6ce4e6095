//! What a calibration may be told. The defaults are the same for every recording; none of them was chosen by looking at a
//! recording's true network.

use crate::twin::error::{TwinError, in_range};
use crate::units::{Band, SampleRate};

/// Settings of a calibration.
#[derive(Debug, Clone, PartialEq)]
pub struct CalibrationSettings {
    /// Where the oscillation lies.
    pub band: Band,
    /// Frequencies from which the phases are tracked, hertz; the upper end is cut to 0.48 of the sampling rate. Wider is
    /// less biased (phases wander within a sample of the baseband) and costs in proportion.
    pub track_hz: [f64; 2],
    /// Frequencies to which the noise's power law is fitted, hertz; the band and `keep_clear_hz` beside it are left out.
    pub noise_fit_hz: [f64; 2],
    /// Distance from the band at which a spectrum counts as noise, hertz.
    pub keep_clear_hz: f64,
    /// Seconds over which the amplitude may be taken as constant.
    pub amplitude_window_s: f64,
    /// Seconds left out at both ends of every piece, where the Fourier transform's periodicity shows.
    pub trim_s: f64,
    /// Precision of the prior while EM runs, (rad/s)^-2: keeps locked pairs finite; the estimate is shrunk by what the
    /// recording says afterwards.
    pub ridge: f64,
    /// EM stops when the log likelihood gains less than this, nats per sample and channel.
    pub tolerance: f64,
    /// EM stops after so many iterations at the latest.
    pub max_iterations: usize,
    /// Rounds of shrinkage after EM.
    pub shrink_rounds: usize,
    /// Share of the recording on which the model under judgement is trained.
    pub train_share: f64,
    /// Shuffled couplings that the trained one must beat.
    pub shuffles: usize,
    /// Simulations without coupling from which the noise floor is taken.
    pub floor_runs: usize,
    /// Quantile of the largest entry over all pairs that is the noise floor.
    pub floor_quantile: f64,
    /// Length of the windows of the coupling over time, seconds.
    pub window_s: f64,
    /// Seconds from window to window.
    pub hop_s: f64,
    /// Seed of all random numbers.
    pub seed: u64,
}

impl CalibrationSettings {
    /// The defaults for an oscillation in `band`.
    pub fn new(band: Band) -> Self {
        Self {
            band,
            track_hz: [1.0, 120.0],
            noise_fit_hz: [2.0, 40.0],
            keep_clear_hz: 3.0,
            amplitude_window_s: 2.0,
            trim_s: 0.5,
            ridge: 0.1,
            tolerance: 5e-6,
            max_iterations: 30,
            shrink_rounds: 5,
            train_share: 0.8,
            shuffles: 20,
            floor_runs: 60,
            floor_quantile: 0.95,
            window_s: 10.0,
            hop_s: 5.0,
            seed: 1,
        }
    }

    /// `track_hz` as far as the sampling rate allows.
    pub(crate) fn tracked(&self, rate: SampleRate) -> [f64; 2] {
        [self.track_hz[0], self.track_hz[1].min(0.48 * rate.hz())]
    }

    pub(crate) fn validate(&self, rate: SampleRate) -> Result<(), TwinError> {
        let [low, high] = self.tracked(rate);
        let tracked = "0 to 0.48 of the sampling rate, around the band";
        in_range("tracked frequency (Hz)", tracked, [&low], |low| {
            low >= 0.0 && low <= self.band.low_hz()
        })?;
        in_range("tracked frequency (Hz)", tracked, [&high], |high| {
            high >= self.band.high_hz()
        })?;
        in_range(
            "amplitude window (s)",
            "above 0",
            [&self.amplitude_window_s],
            |s| s > 0.0,
        )?;
        in_range("trim (s)", "0 and above", [&self.trim_s], |s| s >= 0.0)?;
        in_range(
            "ridge ((rad/s)^-2)",
            "0 and above",
            [&self.ridge],
            |ridge| ridge >= 0.0,
        )?;
        in_range(
            "tolerance (nats)",
            "0 and above",
            [&self.tolerance],
            |tolerance| tolerance >= 0.0,
        )?;
        in_range(
            "training share",
            "0.1 to 0.95",
            [&self.train_share],
            |share| (0.1..=0.95).contains(&share),
        )?;
        in_range(
            "quantile of the noise floor",
            "0 to 1",
            [&self.floor_quantile],
            |q| (0.0..=1.0).contains(&q),
        )?;
        in_range(
            "coupling window or hop (s)",
            "1 and above",
            [&self.window_s, &self.hop_s],
            |s| s >= 1.0,
        )?;
        for (what, count, least) in [
            ("iterations", self.max_iterations, 1),
            ("shuffled couplings", self.shuffles, 2),
            ("simulations for the noise floor", self.floor_runs, 1),
        ] {
            if count < least {
                return Err(TwinError::Shape {
                    what,
                    expected: least,
                    found: count,
                });
            }
        }
        Ok(())
    }
}
