//! What the fit is worth on the part of the recording that it has not seen.

use ndarray::{Array2, ArrayView2};
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

use crate::calibration::baseband::{Baseband, baseband};
use crate::calibration::expect::{SETTLE_S, steps};
use crate::calibration::filter::{Amplitude, Filtered, Keep, filter};
use crate::calibration::fit::{Find, fit, prepare};
use crate::calibration::model::{Parameters, per_sample};
use crate::calibration::settings::CalibrationSettings;
use crate::twin::error::TwinError;
use crate::twin::order::{mean, metastability};
use crate::units::SampleRate;

/// What every figure of [`HeldOut`] is.
pub const SCORE_NAME: &str = "one-step predictive log density, nats per sample and channel";

/// One-step predictive log densities on the held-out rest, nats per baseband sample and channel: higher is better.
///
/// All contenders are trained on the same first part and differ in their couplings; frequencies, diffusions, amplitudes
/// and noise are fitted again for each.
#[derive(Debug, Clone, PartialEq)]
pub struct HeldOut {
    /// Of the fitted couplings.
    pub score: f64,
    /// Of no coupling.
    pub uncoupled: f64,
    /// Mean over couplings shuffled among the pairs.
    pub shuffled_mean: f64,
    /// Standard deviation over the shuffles (divisor n).
    pub shuffled_sd: f64,
    /// Seconds of the recording on which the contenders were trained.
    pub trained_s: f64,
    /// Seconds on which they were judged.
    pub judged_s: f64,
}

/// Trains on the first `settings.train_share` of `x` and judges on the rest.
pub(crate) fn judge(
    x: ArrayView2<'_, f64>,
    rate: SampleRate,
    settings: &CalibrationSettings,
) -> Result<HeldOut, TwinError> {
    let cut = rate.samples(settings.train_share * rate.seconds(x.ncols()));
    let (train, rest) = x.split_at(ndarray::Axis(1), cut);
    let prepared = prepare(train, rate, settings)?;
    let test = baseband(
        rest,
        rate.hz(),
        settings.tracked(rate),
        &prepared.noise,
        settings.trim_s,
    )?;
    let fitted = fit(&prepared, prepared.start.clone(), settings, Find::Coupling).p;
    let refitted = |coupling: Array2<f64>| {
        let start = fitted.with_coupling(coupling);
        score(
            &fit(&prepared, start, settings, Find::TheRest).p,
            &test,
            settings,
        )
    };
    let shuffled: Vec<f64> = (0..settings.shuffles)
        .into_par_iter()
        .map(|run| refitted(shuffle(&fitted.coupling, settings.seed, run)))
        .collect();
    Ok(HeldOut {
        score: refitted(fitted.coupling.clone()),
        uncoupled: refitted(Array2::zeros(fitted.coupling.dim())),
        shuffled_mean: mean(&shuffled),
        shuffled_sd: metastability(&shuffled),
        trained_s: rate.seconds(cut),
        judged_s: rate.seconds(rest.ncols()),
    })
}

/// Mean log density of a held-out sample given those before it; the amplitude is followed from the past alone.
fn score(p: &Parameters, test: &Baseband, settings: &CalibrationSettings) -> f64 {
    let (n_steps, n) = test.z.dim();
    let skip = steps(SETTLE_S, test.step_s).min(n_steps / 2);
    let followed = Amplitude::Followed {
        share: (test.step_s / settings.amplitude_window_s).min(1.0),
    };
    let mut filtered = Filtered::default();
    filter(n, p, test, followed, skip, Keep::Likelihood, &mut filtered);
    per_sample(filtered.log_likelihood, n_steps - skip, n)
}

/// The off-diagonal entries in another order.
fn shuffle(coupling: &Array2<f64>, seed: u64, run: usize) -> Array2<f64> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    // Streams of the noise floor count up from 1, those of shuffles down from the end.
    rng.set_stream(u64::MAX - u64::try_from(run).expect("runs are counted in 64 bits"));
    let mut entries: Vec<f64> = coupling
        .indexed_iter()
        .filter(|((i, j), _)| i != j)
        .map(|(_, k)| *k)
        .collect();
    entries.shuffle(&mut rng);
    let mut entries = entries.into_iter();
    let mut next = || entries.next().expect("as many as there are places");
    Array2::from_shape_fn(coupling.dim(), |(i, j)| if i == j { 0.0 } else { next() })
}
