//! Surrogates that keep the values of a channel, not only its spectrum.

use std::f64::consts::PI;

use num_complex::Complex64;
use rand_chacha::rand_core::Rng;

use super::draw::turn;
use super::make::Workspace;
use super::random::below;

/// Rounds of IAAFT at most; the order settles long before for most series.
const ROUNDS: usize = 100;

/// Amplitude-adjusted Fourier surrogate: remapped to Gaussian values, phases randomised, remapped back.
pub(crate) fn aaft(
    x: &[f64],
    sorted: &[f64],
    work: &mut Workspace,
    out: &mut [f64],
    rng: &mut impl Rng,
) {
    let mut gaussian: Vec<f64> = (0..x.len()).map(|_| normal(rng)).collect();
    gaussian.sort_by(f64::total_cmp);
    let mut y = vec![0.0; x.len()];
    for (rank, at) in order(x).into_iter().enumerate() {
        y[at] = gaussian[rank];
    }
    let mut spectrum = work.spectrum(&y).to_vec();
    turn(&mut spectrum, x.len(), rng);
    work.series(&mut spectrum, &mut y);
    for (rank, at) in order(&y).into_iter().enumerate() {
        out[at] = sorted[rank];
    }
}

/// Iterated amplitude-adjusted surrogate: the spectrum imposed, then the values, until the order of values stays.
pub(crate) fn iaaft(
    amplitudes: &[f64],
    sorted: &[f64],
    work: &mut Workspace,
    out: &mut [f64],
    rng: &mut impl Rng,
) {
    // Fisher-Yates.
    out.copy_from_slice(sorted);
    for end in (1..out.len()).rev() {
        out.swap(end, below(end + 1, rng));
    }
    let mut ranked = order(out);
    for _ in 0..ROUNDS {
        let mut spectrum = work.spectrum(out).to_vec();
        for (value, amplitude) in spectrum.iter_mut().zip(amplitudes) {
            let size = value.norm();
            *value = if size > 0.0 {
                *value * (amplitude / size)
            } else {
                Complex64::from(*amplitude)
            };
        }
        work.series(&mut spectrum, out);
        let next = order(out);
        for (rank, at) in next.iter().enumerate() {
            out[*at] = sorted[rank];
        }
        if next == ranked {
            break;
        }
        ranked = next;
    }
}

/// Places from the least value to the greatest; equal values in the order of time.
fn order(values: &[f64]) -> Vec<usize> {
    let mut places: Vec<usize> = (0..values.len()).collect();
    places.sort_by(|one, other| values[*one].total_cmp(&values[*other]));
    places
}

/// A standard normal number by Box and Muller's formula, from 53 bits each.
fn normal(rng: &mut impl Rng) -> f64 {
    let mut uniform = || {
        let bits = rng.next_u64();
        let high = u32::try_from(bits >> 32).unwrap_or_default();
        let low = u32::try_from(bits & 0xffff_f800).unwrap_or_default();
        // In (0, 1].
        (f64::from(high) + (f64::from(low) + 2_048.0) / 4_294_967_296.0) / 4_294_967_296.0
    };
    let radius = (-2.0 * uniform().ln()).sqrt();
    radius * (2.0 * PI * uniform()).cos()
}
