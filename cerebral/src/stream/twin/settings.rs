//! How the twin of a stretch is calibrated and run.

use crate::calibration::CalibrationSettings;
use crate::error::AnalysisError;
use crate::units::Band;

/// Settings of a twin. Seconds are rounded to whole hops of the windows.
#[derive(Debug, Clone, PartialEq)]
pub struct TwinSettings {
    /// It is calibrated on so many seconds, the last ones; before a stretch has them there is no twin.
    pub calibrate_over_s: f64,
    /// It is calibrated anew so often, seconds.
    pub calibrate_every_s: f64,
    /// A calibration is used so many seconds of the recording after the samples that it is made from, however soon it is done:
    /// what a window says never depends on how fast the machine is. Where it is not done by then, the window waits for it.
    pub use_after_s: f64,
    /// The coupling now is that of so many seconds, the last ones, and of a hop where that is longer; of fewer until a calibration
    /// has been used for so long.
    pub coupling_s: f64,
    /// Runs behind a prediction, and behind what a stimulation does.
    pub seeds: usize,
    /// Step of the runs, seconds; made a little shorter where it does not divide the hop.
    pub step_s: f64,
    /// How a calibration is made.
    pub calibration: CalibrationSettings,
    /// Simulations without coupling whose largest couplings make the noise floor: those of this calibration and, rolling, of
    /// the ones before. The first calibration makes all of them, each later one [`CalibrationSettings::floor_runs`].
    pub floor_runs: usize,
}

impl TwinSettings {
    /// A minute of samples, every half minute, used 20 s later; 20 runs of 10 ms steps: phase
    /// differences turn slowly, and Heun's error over a hop is thousandths of a radian beside a noise of about one.
    ///
    /// A calibration is cheaper than that of a file: phases are tracked up to 40 Hz and not 120, EM ends after 12 rounds, and the
    /// floor is the largest of 19 simulations, which uncoupled channels exceed in one of twenty calibrations, as they do the
    /// quantile of more.
    #[must_use]
    pub fn new(band: Band) -> Self {
        let calibration = CalibrationSettings::new(band);
        Self {
            calibrate_over_s: 60.0,
            calibrate_every_s: 30.0,
            use_after_s: 20.0,
            coupling_s: 10.0,
            seeds: 20,
            step_s: 1e-2,
            calibration: CalibrationSettings {
                // Bands above 8-13 Hz keep as much above them.
                track_hz: [calibration.track_hz[0], band.high_hz() + 27.0],
                max_iterations: 12,
                shuffles: 5,
                floor_runs: 2,
                ..calibration
            },
            floor_runs: 19,
        }
    }

    /// Whether they go with windows of this hop.
    ///
    /// # Errors
    /// [`AnalysisError::Setting`] with what they may be.
    pub fn check(&self, hop_s: f64) -> Result<(), AnalysisError> {
        self.in_hops(hop_s).map(|_| ())
    }

    /// The settings in hops of so many seconds.
    pub(super) fn in_hops(&self, hop_s: f64) -> Result<Hops, AnalysisError> {
        let whole = |what: &'static str, seconds: f64, least: f64, most: f64| {
            if !(least..=most).contains(&seconds) {
                let range = format!("{least} to {most} s");
                return Err(AnalysisError::setting(what, seconds, range));
            }
            Ok(crate::number::samples(seconds, 1.0 / hop_s).max(1))
        };
        if self.seeds < 2 || self.floor_runs < 1 {
            return Err(AnalysisError::setting(
                "seeds, or simulations for the noise floor",
                self.seeds.min(self.floor_runs),
                "2 or more, 1 or more",
            ));
        }
        if !(self.step_s > 0.0 && self.step_s <= 0.02) {
            let range = "above 0 to 0.02 s";
            return Err(AnalysisError::setting("step_s", self.step_s, range));
        }
        let over_s = self.calibrate_over_s;
        whole("calibrate_over_s", over_s, 20.0, 600.0)?;
        if !(hop_s > 0.0 && hop_s <= over_s / 2.0) {
            let range = format!(
                "above 0 to {} s, half of what the twin is calibrated on",
                over_s / 2.0
            );
            return Err(AnalysisError::setting("hop_s", hop_s, range));
        }
        // A hop at least: nothing shorter is looked at.
        let is_short = self.coupling_s > 0.0 && self.coupling_s < hop_s;
        let coupling_s = if is_short { hop_s } else { self.coupling_s };
        let every = whole("calibrate_every_s", self.calibrate_every_s, hop_s, 3600.0)?;
        Ok(Hops {
            every: u64::try_from(every).unwrap_or(u64::MAX),
            use_after: u64::try_from(whole(
                "use_after_s",
                self.use_after_s,
                hop_s,
                self.calibrate_every_s,
            )?)
            .unwrap_or(u64::MAX),
            coupling: whole("coupling_s", coupling_s, hop_s, over_s / 2.0)?,
        })
    }
}

/// Settings in hops.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Hops {
    pub(super) every: u64,
    pub(super) use_after: u64,
    pub(super) coupling: usize,
}
