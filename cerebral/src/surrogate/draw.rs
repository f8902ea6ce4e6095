//! Uniform random phases as unit phasors, many at a time.

use num_complex::Complex64;
use rand_chacha::rand_core::Rng;

/// Phasors drawn together; a few kilobytes, so that they stay in the first cache.
const BATCH: usize = 256;

/// Multiplies every frequency but those without a phase, 0 and half the rate, by a random unit phasor: `2^32` directions, each as
/// likely. `bins`: the `n_samples / 2 + 1` of a real series.
pub(crate) fn turn(bins: &mut [Complex64], n_samples: usize, rng: &mut impl Rng) {
    let kept = [0, bins.len() - 1].map(|bin| (bin, bins[bin]));
    let mut draws = [0_u32; BATCH];
    let (mut cos, mut sin) = ([0.0; BATCH], [0.0; BATCH]);
    for bins in bins.chunks_mut(BATCH) {
        for draw in &mut draws {
            *draw = rng.next_u32();
        }
        pulp::Arch::new().dispatch(Units {
            draws: &draws,
            cos: &mut cos,
            sin: &mut sin,
        });
        for (bin, (cos, sin)) in bins.iter_mut().zip(cos.iter().zip(&sin)) {
            *bin *= Complex64::new(*cos, *sin);
        }
    }
    for (bin, value) in kept {
        if has_no_phase(bin, n_samples) {
            bins[bin] = value;
        }
    }
}

/// Whether a frequency has no phase to give: 0 and half the rate.
pub(crate) fn has_no_phase(bin: usize, n_samples: usize) -> bool {
    bin == 0 || 2 * bin == n_samples
}

/// Phasors of a batch of draws.
struct Units<'a> {
    draws: &'a [u32; BATCH],
    cos: &'a mut [f64; BATCH],
    sin: &'a mut [f64; BATCH],
}

impl pulp::NullaryFnOnce for Units<'_> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        for ((cos, sin), draw) in self.cos.iter_mut().zip(self.sin).zip(self.draws) {
            [*cos, *sin] = unit(*draw);
        }
    }
}

/// Cosine and sine of `2 pi draw / 2^32`, right to about the last bit.
///
/// The nearest quarter turn is taken off, so that the rest is within `pi/4`, where the power series end early. Library functions
/// do not go side by side, and differ between systems in the last bit; this does and does not.
#[inline(always)]
fn unit(draw: u32) -> [f64; 2] {
    let rest = (draw << 2).cast_signed();
    let quarters = draw.wrapping_add(1 << 29) >> 30;
    let x = f64::from(rest) * (std::f64::consts::TAU / 17_179_869_184.0);
    let y = x * x;
    let sin = x * series(
        y,
        [
            1.0,
            -1.0 / 6.0,
            1.0 / 120.0,
            -1.0 / 5_040.0,
            1.0 / 362_880.0,
            -1.0 / 39_916_800.0,
            1.0 / 6_227_020_800.0,
            -1.0 / 1_307_674_368_000.0,
        ],
    );
    let cos = series(
        y,
        [
            1.0,
            -1.0 / 2.0,
            1.0 / 24.0,
            -1.0 / 720.0,
            1.0 / 40_320.0,
            -1.0 / 3_628_800.0,
            1.0 / 479_001_600.0,
            -1.0 / 87_178_291_200.0,
            1.0 / 20_922_789_888_000.0,
        ],
    );
    // Without branches: on random bits every second one would be guessed wrong.
    let odd = 0_u64.wrapping_sub(u64::from(quarters & 1));
    let (c, s) = (cos.to_bits(), sin.to_bits());
    let cos = (c & !odd) | (s & odd);
    let sin = (s & !odd) | (c & odd);
    let minus = |quarters: u32| u64::from(quarters & 2) << 62;
    [
        f64::from_bits(cos ^ minus(quarters + 1)),
        f64::from_bits(sin ^ minus(quarters)),
    ]
}

#[inline(always)]
fn series<const N: usize>(x: f64, coefficients: [f64; N]) -> f64 {
    let mut value = coefficients[N - 1];
    for coefficient in coefficients.iter().rev().skip(1) {
        value = value * x + coefficient;
    }
    value
}

#[cfg(test)]
mod tests {
    use std::f64::consts::TAU;

    use super::*;

    #[test]
    fn a_draw_is_the_direction_that_it_says() {
        let step = 0x0012_3457;
        let edges = [
            0,
            1 << 29,
            (1 << 29) - 1,
            1 << 30,
            3 << 29,
            1 << 31,
            u32::MAX,
        ];
        for draw in (0..u32::MAX).step_by(step).chain(edges) {
            // The angle itself is rounded to 4e-16.
            let angle = TAU * (f64::from(draw) / 4_294_967_296.0);
            let [cos, sin] = unit(draw);
            assert!((cos - angle.cos()).abs() < 1e-15, "{draw} {cos}");
            assert!((sin - angle.sin()).abs() < 1e-15, "{draw} {sin}");
        }
    }
}
