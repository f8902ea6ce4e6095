//! Recordings that a fitted model would give: what the noise floor is made of.

use ndarray::{Array2, ArrayView1};
use num_complex::Complex64;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};

use crate::calibration::baseband::Baseband;
use crate::calibration::fit::{Fit, Prepared};
use crate::calibration::model::{Parameters, Transition};
use crate::calibration::spectrum::NoiseSpectrum;
use crate::number::float;
use crate::phase;
use crate::twin::number::whole;
use crate::units::SampleRate;

/// A recording of `n_samples` per channel by the model of `fit`: its phases, its amplitudes over time, its noise.
/// `stream` tells apart recordings of one seed.
pub(crate) fn recording(
    fit: &Fit,
    prepared: &Prepared,
    rate: SampleRate,
    n_samples: usize,
    seed: u64,
    stream: u64,
) -> Array2<f64> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    rng.set_stream(stream);
    let p = &fit.p;
    let base = &prepared.base;
    let theta = phases(p, rate, n_samples, &mut rng);
    let mut x = Array2::zeros((p.n(), n_samples));
    for (c, mut row) in x.outer_iter_mut().enumerate() {
        // R may differ from what the power law alone would say; the recording is made with R.
        let scale = (p.noise[c] * base.step_s / prepared.noise[c].level).sqrt();
        let noise = noise(&prepared.noise[c], rate, n_samples, &mut rng);
        let amplitude = fit.amplitude.column(c);
        for (t, (out, noise)) in row.iter_mut().zip(&noise).enumerate() {
            *out = amplitude_at(&amplitude, base, rate.seconds(t)) * theta[[c, t]].cos()
                + scale * noise;
        }
    }
    x
}

fn amplitude_at(amplitude: &ArrayView1<'_, f64>, base: &Baseband, at_s: f64) -> f64 {
    let step = whole(((at_s - base.from_s) / base.step_s).max(0.0)).unwrap_or(0);
    amplitude[step.min(amplitude.len() - 1)]
}

/// Phases at the sampling rate: midpoint rule for the drift, noise added per sample; exact in law without coupling.
fn phases(p: &Parameters, rate: SampleRate, n_samples: usize, rng: &mut ChaCha8Rng) -> Array2<f64> {
    let n = p.n();
    let step_s = 1.0 / rate.hz();
    let mut transition = Transition::new(n);
    let certain = vec![0.0; n * n];
    let mut uniform = || {
        let [re, im]: [f64; 2] = [StandardNormal.sample(rng), StandardNormal.sample(rng)];
        f64::atan2(im, re)
    };
    let mut theta: Vec<f64> = (0..n).map(|_| uniform()).collect();
    let mut out = Array2::zeros((n, n_samples));
    for mut column in out.columns_mut() {
        column
            .iter_mut()
            .zip(&theta)
            .for_each(|(out, theta)| *out = *theta);
        transition.step(n, p, step_s, &theta, &certain);
        for (i, theta) in theta.iter_mut().enumerate() {
            let normal: f64 = StandardNormal.sample(rng);
            *theta = transition.next[i] + (p.diffusion[i] * step_s).sqrt() * normal;
        }
    }
    out
}

/// Gaussian noise of the given spectrum.
fn noise(
    spectrum: &NoiseSpectrum,
    rate: SampleRate,
    n_samples: usize,
    rng: &mut ChaCha8Rng,
) -> Vec<f64> {
    let seconds = rate.seconds(n_samples);
    // The real part of an inverse transform of one-sided complex lines: a line of density S over 1/T hertz has power
    // S / T, half of it in each quadrature.
    let mut lines: Vec<Complex64> = (0..n_samples)
        .map(|k| {
            if k == 0 || k > n_samples / 2 {
                return Complex64::default();
            }
            let hz = float(k) / seconds;
            let sd = (spectrum.level / seconds).sqrt() * spectrum.relative_gain(hz);
            Complex64::new(StandardNormal.sample(rng), StandardNormal.sample(rng)) * sd
        })
        .collect();
    // Not divided by n: the lines are amplitudes already.
    phase::inverse(n_samples).process(&mut lines);
    lines.iter().map(|value| value.re).collect()
}
