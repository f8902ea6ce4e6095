//! Coefficients: a Butterworth band-pass from its poles and zeros, a notch in closed form.
//!
//! ```text
//! low-pass prototype -> band-pass (2n poles, n zeros at 0) -> bilinear transform -> poles paired with the nearest zeros
//! ```

use std::f64::consts::PI;

use num_complex::Complex64;

use super::Section;
use crate::number::float;
use crate::units::{Band, SampleRate};

/// Highest order offered; beyond, double precision loses narrow bands.
pub(super) const MAX_ORDER: usize = 12;

/// The bilinear transform's rate; the edges are pre-warped for it, so its value cancels.
const RATE: f64 = 2.0;

/// Imaginary parts below this share of the magnitude are rounding.
const REAL: f64 = 100.0 * f64::EPSILON;

pub(super) fn butterworth_band_pass(order: usize, band: Band, rate: SampleRate) -> Vec<Section> {
    let warped = |hz: f64| 2.0 * RATE * (PI * hz / rate.hz()).tan();
    let (low, high) = (warped(band.low_hz()), warped(band.high_hz()));
    let (width, centre) = (high - low, (low * high).sqrt());

    let mut poles = Vec::with_capacity(2 * order);
    let (mut below, mut above) = (Vec::new(), Vec::new());
    for index in 0..order {
        // Prototype poles on the left half of the unit circle, from the lower to the upper.
        let angle = PI * (2.0 * float(index) + 1.0 - float(order)) / (2.0 * float(order));
        let scaled = -Complex64::from_polar(1.0, angle) * (width / 2.0);
        let root = (scaled * scaled - centre * centre).sqrt();
        above.push(scaled + root);
        below.push(scaled - root);
    }
    poles.append(&mut above);
    poles.append(&mut below);

    let double = Complex64::from(2.0 * RATE);
    // n zeros at 0 and n at infinity become n at 1 and n at -1; the prototype's gain is 1.
    let numerator = (2.0 * RATE * width).powi(i32::try_from(order).expect("order is at most 12"));
    let denominator: Complex64 = poles.iter().map(|pole| double - pole).product();
    let gain = numerator / denominator.re;
    let poles = poles
        .iter()
        .map(|pole| (double + pole) / (double - pole))
        .collect();
    let zeros = [vec![-1.0; order], vec![1.0; order]].concat();
    pair(poles, zeros, gain)
}

/// Sections whose poles lie ever nearer to the unit circle, each pair of poles with the zeros nearest to it.
///
/// `poles` come in conjugate pairs or are real; `zeros` are real, as many. The gain goes to the first section.
fn pair(poles: Vec<Complex64>, mut zeros: Vec<f64>, gain: f64) -> Vec<Section> {
    let (mut complex, mut real) = (Vec::new(), Vec::new());
    for pole in poles {
        if pole.im.abs() <= REAL * pole.norm() {
            real.push(pole.re);
        } else if pole.im > 0.0 {
            complex.push(pole);
        }
    }
    let mut sections = Vec::new();
    while !(complex.is_empty() && real.is_empty()) {
        let worst_complex = nearest(&complex, |pole| (1.0 - pole.norm()).abs());
        let worst_real = nearest(&real, |pole| (1.0 - pole.abs()).abs());
        let (pole, sum, product) = match (worst_complex, worst_real) {
            (Some((at, distance)), other) if other.is_none_or(|(_, real)| distance <= real) => {
                let pole = complex.remove(at);
                (pole, 2.0 * pole.re, pole.norm_sqr())
            }
            (_, Some((at, _))) => {
                let first = real.remove(at);
                // Real poles come in twos: complex ones take two each, and their number is even.
                let second = nearest(&real, |pole| (1.0 - pole.abs()).abs())
                    .map_or(0.0, |(at, _)| real.remove(at));
                (Complex64::from(first), first + second, first * second)
            }
            _ => break,
        };
        let mut zero =
            || nearest(&zeros, |zero| (pole - zero).norm()).map_or(0.0, |(at, _)| zeros.remove(at));
        let (first, second) = (zero(), zero());
        sections.push(Section {
            b: [1.0, -(first + second), first * second],
            a: [1.0, -sum, product],
        });
    }
    sections.reverse();
    if let Some(first) = sections.first_mut() {
        first.b = first.b.map(|coefficient| coefficient * gain);
    }
    sections
}

/// The first of the least, and how much it measures.
fn nearest<T: Copy>(values: &[T], measure: impl Fn(T) -> f64) -> Option<(usize, f64)> {
    values
        .iter()
        .map(|&value| measure(value))
        .enumerate()
        .min_by(|one, other| one.1.total_cmp(&other.1))
}

pub(super) fn notch(frequency_hz: f64, quality: f64, rate: SampleRate) -> Section {
    let omega = 2.0 * PI * frequency_hz / rate.hz();
    // Half the width, pre-warped; the gain at the ends of the band is 1/sqrt(2).
    let beta = (omega / quality / 2.0).tan();
    let gain = 1.0 / (1.0 + beta);
    let middle = -2.0 * gain * omega.cos();
    Section {
        b: [gain, middle, gain],
        a: [1.0, middle, 2.0 * gain - 1.0],
    }
}
