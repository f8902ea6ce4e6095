//! How fast phases turn: sample by sample, and one figure per channel.

use std::f64::consts::TAU;

use ndarray::{Array2, ArrayView1, ArrayView2};
use num_complex::Complex64;
use serde::Serialize;

use crate::number::float;
use crate::units::SampleRate;

/// Frequency between each sample and the next: `arg(z[t+1] conj z[t]) * rate / 2 pi`.
///
/// `z`: `(n_channels, n_samples)`, analytic. Returns `(n_channels, n_samples - 1)`, hertz, within half the rate of 0. Negative
/// values happen where the amplitude passes near 0.
///
/// Source: key `boashash-1992` in `docs/references.bib`.
pub fn instantaneous_frequency_hz(z: ArrayView2<'_, Complex64>, rate: SampleRate) -> Array2<f64> {
    let steps = z.ncols().saturating_sub(1);
    let scale = rate.hz() / TAU;
    Array2::from_shape_fn((z.nrows(), steps), |(channel, t)| {
        (z[[channel, t + 1]] * z[[channel, t]].conj()).arg() * scale
    })
}

/// Observed frequency of each channel by four estimators, hertz; each `n_channels` long.
///
/// They differ on the same data by tenths of a hertz. What is observed is not what a node would do alone: coupling pulls
/// frequencies together.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct Frequencies {
    /// Mean of the instantaneous frequency: whole phase travelled over time.
    pub mean: Vec<f64>,
    /// Median of the instantaneous frequency.
    pub median: Vec<f64>,
    /// Its mean weighted by `(|z[t]|^2 + |z[t+1]|^2) / 2`: what the strong stretches say.
    pub power_weighted: Vec<f64>,
    /// Slope of the least-squares line through the unwrapped phase.
    pub slope: Vec<f64>,
    /// Share of negative instantaneous frequencies, `0..=1`: how often the amplitude was lost.
    pub negative_fraction: Vec<f64>,
}

/// The observed frequencies of `z`, `(n_channels, n_samples)`, analytic and trimmed.
///
/// A channel that is dead (0 throughout, or with a missing sample), or of fewer than two samples, is NaN in each.
pub fn frequencies(z: ArrayView2<'_, Complex64>, rate: SampleRate) -> Frequencies {
    let instantaneous = instantaneous_frequency_hz(z, rate);
    let mut all = Frequencies::default();
    for (z, f) in z.rows().into_iter().zip(instantaneous.rows()) {
        let alive = z.iter().all(|value| value.is_finite()) && z.iter().any(|v| v.norm_sqr() > 0.0);
        let [mean, median, weighted, slope, negative] = if alive && !f.is_empty() {
            one(z, f, rate)
        } else {
            [f64::NAN; 5]
        };
        all.mean.push(mean);
        all.median.push(median);
        all.power_weighted.push(weighted);
        all.slope.push(slope);
        all.negative_fraction.push(negative);
    }
    all
}

fn one(z: ArrayView1<'_, Complex64>, f: ArrayView1<'_, f64>, rate: SampleRate) -> [f64; 5] {
    let n_steps = float(f.len());
    let mean = f.sum() / n_steps;

    let mut sorted = f.to_vec();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    let median = if sorted.len() % 2 == 1 {
        sorted[middle]
    } else {
        f64::midpoint(sorted[middle - 1], sorted[middle])
    };

    let (mut moment, mut total) = (0.0, 0.0);
    for (t, value) in f.iter().enumerate() {
        let weight = f64::midpoint(z[t].norm_sqr(), z[t + 1].norm_sqr());
        moment += weight * value;
        total += weight;
    }

    // The unwrapped phase in cycles from the first sample; its slope against time in samples, times the rate, is hertz.
    let centre = n_steps / 2.0;
    let (mut cycles, mut product, mut square) = (0.0, 0.0, centre * centre);
    for (t, value) in f.iter().enumerate() {
        cycles += value / rate.hz();
        let time = float(t + 1) - centre;
        product += time * cycles;
        square += time * time;
    }
    let negative = f.iter().filter(|value| **value < 0.0).count();
    [
        mean,
        median,
        moment / total,
        product / square * rate.hz(),
        float(negative) / n_steps,
    ]
}
