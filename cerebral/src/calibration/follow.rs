//! The coupling while samples come: how far the last seconds depart from the calibrated stretch.
//!
//! In: raw samples of short pieces, one per hop. Out: the piece's scores, and from a few pieces' together the network now. One
//! pass with the calibrated parameters each; nothing is fitted again. Absent: which samples a piece has (`stream`).

use ndarray::{Array1, Array2, ArrayView2};
use serde::{Deserialize, Serialize};

use crate::calibration::baseband::baseband;
use crate::calibration::expect::{BLOCK_S, Expectation, expect, steps};
use crate::calibration::filter::Filtered;
use crate::calibration::fit::{Fit, Prepared};
use crate::calibration::model::Parameters;
use crate::calibration::settings::CalibrationSettings;
use crate::calibration::spectrum::NoiseSpectrum;
use crate::calibration::windows::depart;
use crate::twin::error::TwinError;
use crate::units::SampleRate;

pub(crate) use crate::calibration::windows::Scores;

/// A calibrated model that goes along.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Follower {
    p: Parameters,
    noise: Vec<NoiseSpectrum>,
    /// Per node the curvature of the whole stretch's log likelihood, `n x n`.
    #[serde(with = "crate::bits::rows")]
    curvatures: Vec<Vec<f64>>,
    /// Steps that it was calibrated on, and how long one is.
    n_steps: f64,
    step_s: f64,
    /// How much couplings change over time, rad/s.
    width_rad_s: f64,
    /// The largest coupling of each simulation behind its noise floor, the oldest simulation first.
    #[serde(with = "crate::bits::list")]
    pub(crate) largest_rad_s: Vec<f64>,
    track_hz: [f64; 2],
    trim_s: f64,
    amplitude_window_s: f64,
}

/// Frequencies and couplings at a time, rad/s.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Now {
    pub(crate) omega_rad_s: Array1<f64>,
    pub(crate) coupling_rad_s: Array2<f64>,
}

impl Follower {
    pub(crate) fn new(
        fit: &Fit,
        prepared: &Prepared,
        largest_rad_s: Vec<f64>,
        width_rad_s: f64,
        settings: &CalibrationSettings,
    ) -> Self {
        let steps = fit.expectation.blocks.iter().map(|block| block.n_steps);
        let curvatures = fit.parabolas.iter().map(|parabola| parabola.whole.clone());
        Self {
            p: fit.p.clone(),
            noise: prepared.noise.clone(),
            curvatures: curvatures.collect(),
            n_steps: steps.sum(),
            step_s: prepared.base.step_s,
            width_rad_s,
            largest_rad_s,
            track_hz: settings.track_hz,
            trim_s: settings.trim_s,
            amplitude_window_s: settings.amplitude_window_s,
        }
    }

    /// Noise of the phases, rad/sqrt(s).
    pub(crate) fn noise_rad_sqrt_s(&self) -> Array1<f64> {
        self.p.diffusion.mapv(f64::sqrt)
    }

    /// Whether all parts are of `n` nodes, which what was stored may not be.
    pub(crate) fn is_of(&self, n: usize) -> bool {
        let lists = [&self.p.omega, &self.p.diffusion, &self.p.amplitude];
        lists.iter().all(|list| list.len() == n)
            && self.p.noise.len() == n
            && self.p.coupling.dim() == (n, n)
            && self.noise.len() == n
            && self.noise.iter().all(NoiseSpectrum::is_whole)
            && self.curvatures.len() == n
            && self.curvatures.iter().all(|of| of.len() == n * n)
    }

    /// Seconds that a piece has beside those that it is about: the ends are bent, and the filter has to find the phases first.
    pub(crate) fn beside_s(settings: &CalibrationSettings) -> f64 {
        2.0 * settings.trim_s + BLOCK_S
    }

    /// The scores of a piece: of all but [`Follower::beside_s`] of it. `x`: `(n, n_samples)`, channels as calibrated.
    ///
    /// # Errors
    /// [`TwinError::TooShort`].
    pub(crate) fn scores(
        &self,
        x: ArrayView2<'_, f64>,
        rate: SampleRate,
    ) -> Result<Scores, TwinError> {
        let track_hz = [self.track_hz[0], self.track_hz[1].min(0.48 * rate.hz())];
        let base = baseband(x, rate.hz(), track_hz, &self.noise, self.trim_s)?;
        let mut p = self.p.clone();
        // A step's noise is that of its bandwidth.
        p.noise *= self.step_s / base.step_s;
        let mut amplitude = Array2::from_shape_fn(base.z.dim(), |(_, c)| p.amplitude[c]);
        let mut filtered = Filtered::default();
        // The first pass finds the amplitude now, the second is weighed by it.
        let first = expect(&p, &base, &amplitude, &mut filtered);
        let window = steps(self.amplitude_window_s, base.step_s);
        amplitude.assign(&first.amplitude(window).1);
        let found: Expectation = expect(&p, &base, &amplitude, &mut filtered);
        let mut blocks = found.blocks.into_iter().skip(1);
        let mut sums = blocks.next().ok_or(TwinError::TooShort {
            n_samples: x.ncols(),
            needed: rate.samples(2.0 * self.trim_s + 2.0 * BLOCK_S),
        })?;
        blocks.for_each(|block| sums.merge(&block));
        Ok(Scores::of(&sums, &p, base.step_s))
    }

    /// The network now, by the scores of the last pieces.
    pub(crate) fn now<'a>(&self, pieces: impl Iterator<Item = &'a Scores>) -> Now {
        let n = self.p.n();
        let mut total = Scores {
            n_steps: 0.0,
            of: Array2::zeros((n, n)),
        };
        for piece in pieces {
            total.n_steps += piece.n_steps;
            total.of += &piece.of;
        }
        let curvatures: Vec<&[f64]> = self.curvatures.iter().map(Vec::as_slice).collect();
        let mut by = depart(&curvatures, &total, self.n_steps, self.width_rad_s).by;
        let omega_rad_s = &self.p.omega + &by.diag();
        by.diag_mut().fill(0.0);
        Now {
            omega_rad_s,
            coupling_rad_s: &self.p.coupling + &by,
        }
    }
}
