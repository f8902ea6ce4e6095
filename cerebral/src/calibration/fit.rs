//! From a recording to its most likely network: start values, EM, shrinkage.

use std::f64::consts::TAU;

use ndarray::{Array1, Array2, ArrayView2};
use num_complex::Complex64;

use crate::calibration::baseband::{Baseband, baseband};
use crate::calibration::expect::{Expectation, expect, steps};
use crate::calibration::filter::Filtered;
use crate::calibration::model::Parameters;
use crate::calibration::settings::CalibrationSettings;
use crate::calibration::shrink::{Parabola, parabolas, shrink};
use crate::calibration::spectrum::{NoiseSpectrum, TAPER_WIDTH_HZ, noise_beside};
use crate::number::float;
use crate::twin::error::TwinError;
use crate::units::SampleRate;

/// A piece of a recording, ready to be fitted.
pub(crate) struct Prepared {
    pub(crate) base: Baseband,
    pub(crate) noise: Vec<NoiseSpectrum>,
    pub(crate) start: Parameters,
}

/// Whitens and cuts out the band of `x`, `(n_channels, n_samples)`, and finds start values without any coupling.
pub(crate) fn prepare(
    x: ArrayView2<'_, f64>,
    rate: SampleRate,
    settings: &CalibrationSettings,
) -> Result<Prepared, TwinError> {
    let noise = noise_beside(
        x,
        rate,
        settings.band,
        settings.noise_fit_hz,
        settings.keep_clear_hz,
    )?;
    let base = baseband(
        x,
        rate.hz(),
        settings.tracked(rate),
        &noise,
        settings.trim_s,
    )?;
    let band_hz = [settings.band.low_hz(), settings.band.high_hz()];
    let narrow = baseband(x, rate.hz(), band_hz, &noise, settings.trim_s)?;
    let (n_steps, n) = base.z.dim();
    let mut start = Parameters {
        omega: observed_rad_s(&narrow, band_hz),
        coupling: Array2::zeros((n, n)),
        diffusion: Array1::ones(n),
        amplitude: Array1::zeros(n),
        noise: Array1::zeros(n),
    };
    for (c, (noise, z)) in noise.iter().zip(base.z.columns()).enumerate() {
        let power = z.iter().map(Complex64::norm_sqr).sum::<f64>() / float(n_steps);
        if power <= 0.0 || !power.is_finite() {
            return Err(TwinError::DeadChannel {
                channel: c,
                reason: "its samples do not vary",
            });
        }
        // A one-sided density S gives each component of the noise the variance S / step.
        start.noise[c] = noise.level / base.step_s;
        start.amplitude[c] = (2.0 * noise.oscillation).sqrt();
        // A line widened by diffusion d alone has the width d / 2; the taper adds its own.
        start.diffusion[c] = (2.0 * (noise.width_hz - TAPER_WIDTH_HZ)).clamp(1.0, 50.0);
    }
    Ok(Prepared { base, noise, start })
}

/// Mean phase advance per second, weighted by power; `narrow` holds the band alone.
fn observed_rad_s(narrow: &Baseband, band_hz: [f64; 2]) -> Array1<f64> {
    let middle = TAU * (band_hz[0] + band_hz[1]) / 2.0;
    let back = Complex64::cis(-middle * narrow.step_s);
    let advance = |z: ndarray::ArrayView1<'_, Complex64>| {
        let pairs = z.iter().zip(z.iter().skip(1));
        pairs
            .map(|(now, later)| later * now.conj() * back)
            .sum::<Complex64>()
            .arg()
    };
    narrow
        .z
        .columns()
        .into_iter()
        .map(|z| middle + advance(z) / narrow.step_s)
        .collect()
}

/// Whether couplings are looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Find {
    /// Everything.
    Coupling,
    /// Everything, but without shrinkage.
    Unshrunk,
    /// Everything else, for the couplings given.
    TheRest,
}

/// Frequencies, amplitudes and noise need no more iterations than this for couplings that are given.
const REST_ITERATIONS: usize = 6;

/// Least share of the spectrum's amplitude that an amplitude is taken for.
const LEAST_AMPLITUDE: f64 = 0.7;

/// Phases that wander less than this, rad^2/s, are perfect clocks; their noise cannot be told from none.
const LEAST_DIFFUSION: f64 = 1e-6;

/// A fitted model.
pub(crate) struct Fit {
    pub(crate) p: Parameters,
    /// The couplings before shrinkage.
    pub(crate) unshrunk: Array2<f64>,
    /// Amplitude at every step of the baseband.
    pub(crate) amplitude: Array2<f64>,
    /// The last pass over the recording and what it says about the couplings.
    pub(crate) expectation: Expectation,
    pub(crate) parabolas: Vec<Parabola>,
    /// EM iterations taken, shrinkage not counted.
    pub(crate) iterations: usize,
}

/// Fits what was `prepared`, starting from `start`.
pub(crate) fn fit(
    prepared: &Prepared,
    start: Parameters,
    settings: &CalibrationSettings,
    find: Find,
) -> Fit {
    let base = &prepared.base;
    let window = steps(settings.amplitude_window_s, base.step_s);
    let mut p = start;
    let mut amplitude = Array2::from_shape_fn(base.z.dim(), |(_, c)| p.amplitude[c]);
    let mut before = f64::NEG_INFINITY;
    let mut filtered = Filtered::default();
    let mut iterations = 0;
    let most = if find != Find::TheRest {
        settings.max_iterations
    } else {
        settings.max_iterations.min(REST_ITERATIONS)
    };
    while iterations < most {
        let expectation = expect(&p, base, &amplitude, &mut filtered);
        let sums = expectation.total();
        match find {
            Find::Coupling | Find::Unshrunk => p = sums.solve(&p, base.step_s, settings.ridge),
            Find::TheRest => sums.solve_given_coupling(&mut p, base.step_s),
        }
        observe(&mut p, &mut amplitude, &expectation, prepared, window);
        iterations += 1;
        if (expectation.log_likelihood - before).abs() < settings.tolerance {
            break;
        }
        before = expectation.log_likelihood;
    }
    let unshrunk = p.coupling.clone();
    let rounds = if find == Find::Coupling {
        settings.shrink_rounds
    } else {
        0
    };
    for round in 0..rounds {
        let expectation = expect(&p, base, &amplitude, &mut filtered);
        let shrunk = shrink(&parabolas(&p, &expectation, base.step_s), &p.coupling);
        // Half steps after the first: the parabola is not exact, and full steps may swing about the solution.
        p.coupling = if round == 0 {
            shrunk
        } else {
            (&p.coupling + &shrunk) / 2.0
        };
        expectation
            .total()
            .solve_given_coupling(&mut p, base.step_s);
        observe(&mut p, &mut amplitude, &expectation, prepared, window);
    }
    let expectation = expect(&p, base, &amplitude, &mut filtered);
    let parabolas = parabolas(&p, &expectation, base.step_s);
    Fit {
        p,
        unshrunk,
        amplitude,
        expectation,
        parabolas,
        iterations,
    }
}

/// Amplitude and noise of the observations.
///
/// A phase that is hardly seen makes its own amplitude look small, which hides the phase further: amplitudes are held above
/// a share of what the spectrum says. A recording without any noise or phases without any ends at a limit instead of at a
/// division by 0.
fn observe(
    p: &mut Parameters,
    amplitude: &mut Array2<f64>,
    expectation: &Expectation,
    prepared: &Prepared,
    window: usize,
) {
    let base = &prepared.base;
    (p.amplitude, *amplitude) = expectation.amplitude(window);
    for (c, noise) in prepared.noise.iter().enumerate() {
        let least = LEAST_AMPLITUDE * (2.0 * noise.oscillation).sqrt();
        if p.amplitude[c] < least {
            let shift = least - p.amplitude[c];
            amplitude.column_mut(c).mapv_inplace(|a| a + shift);
            p.amplitude[c] = least;
        }
        p.diffusion[c] = p.diffusion[c].max(LEAST_DIFFUSION);
    }
    p.noise = expectation.noise(&base.z, amplitude);
    for (c, z) in base.z.columns().into_iter().enumerate() {
        let power = z.iter().map(Complex64::norm_sqr).sum::<f64>() / float(z.len());
        p.noise[c] = p.noise[c].max(1e-9 * power);
    }
}
