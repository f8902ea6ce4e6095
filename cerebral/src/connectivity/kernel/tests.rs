use ndarray::Array2;
use num_complex::Complex64;

use super::lags::Lags;
use super::signs::Signs;
use super::*;
use crate::number::float;

/// Two channels in a fixed relation now and then, the rest at odds; lengths that do not fill tiles or lanes.
fn made_up(n_channels: usize, n_samples: usize) -> Array2<Complex64> {
    Array2::from_shape_fn((n_channels, n_samples), |(i, t)| {
        let time = float(t);
        let channel = float(i + 1);
        let angle = 0.25 * time + 0.6 * channel + (0.011 * channel * time).sin() * 2.0;
        let amplitude = 20.0 * (1.1 + (0.017 * time * channel.sqrt()).cos());
        Complex64::from_polar(amplitude, angle)
    })
}

fn slow(z: &Array2<Complex64>, i: usize, j: usize) -> PairSums {
    let n = z.ncols();
    let rms = |channel: usize| {
        (z.row(channel).iter().map(|z| z.norm_sqr()).sum::<f64>() / float(n)).sqrt()
    };
    let mut sums = PairSums::default();
    for t in 0..n {
        let (one, other) = (z[[i, t]], z[[j, t]]);
        let mut cross = one * other.conj();
        let bound = 1e-9 * (one.norm() * other.norm()).max(0.1 * rms(i) * rms(j));
        if cross.im.abs() <= bound {
            cross.im = 0.0;
        }
        sums.observe(cross, [one.norm_sqr(), other.norm_sqr()]);
        // The guard takes the imaginary part and leaves the length that the real part is measured by.
        if cross.norm() > 0.0 {
            sums.unit += cross / (one.norm() * other.norm()) - cross / cross.norm();
        }
    }
    sums
}

fn close(one: f64, other: f64, scale: f64) -> bool {
    (one - other).abs() <= 1e-12 * scale
}

#[test]
fn fast_sums_are_the_slow_ones_for_every_length() {
    for n_samples in [2, 7, 8, 9, 511, 512, 513, 1023, 1100] {
        let mut z = made_up(5, n_samples);
        // A copy with a gain, an amplitude that passes exactly through 0, and one that nearly does.
        let copy = z.row(0).mapv(|value| value * -0.37);
        z.row_mut(3).assign(&copy);
        z[[1, 0]] = Complex64::default();
        z[[2, n_samples / 2]] *= 1e-14;
        let planes = Planes::of(z.view(), Parts::ExactAndShort);
        let (all, lags, signs) = (pair_sums(&planes), lags(&planes), signs(&planes));
        for (pair, (i, j)) in pairs(5).enumerate() {
            let slow = slow(&z, i, j);
            let (all, lags, signs) = (all[pair], lags[pair], signs[pair]);
            let scale = (slow.power_i * slow.power_j).sqrt();
            for (positive, negative) in [
                (all.positive, all.negative),
                (f64::from(signs.positive), f64::from(signs.negative)),
                (f64::from(lags.positive), f64::from(lags.negative)),
            ] {
                assert!(close(positive, slow.positive, 0.0), "{n_samples} {i} {j}");
                assert!(close(negative, slow.negative, 0.0), "{n_samples} {i} {j}");
            }
            for (found, expected) in [
                (all.cross.re, slow.cross.re),
                (all.cross.im, slow.cross.im),
                (lags.im, slow.cross.im),
                (all.im_abs, slow.im_abs),
                (lags.im_abs, slow.im_abs),
                (all.power_i, slow.power_i),
                (all.power_j, slow.power_j),
            ] {
                assert!(close(found, expected, scale), "{n_samples} {i} {j}");
            }
            assert!(close(all.im_square, slow.im_square, scale * scale));
            assert!((all.unit - slow.unit).norm() <= 1e-12 * slow.n);
            assert!(close(all.unit_im_abs, slow.unit_im_abs, slow.n));
            assert_eq!(all.reversed().reversed(), all);
        }
    }
}

#[test]
fn a_copy_has_no_lag_at_all() {
    let mut z = made_up(2, 1000);
    let copy = z.row(0).mapv(|value| value * 0.1);
    z.row_mut(1).assign(&copy);
    let planes = Planes::of(z.view(), Parts::ExactAndShort);
    assert_eq!(lags(&planes), [Lags::default()]);
    assert_eq!(signs(&planes), [Signs::default()]);
}

#[test]
fn dead_channels_are_told_and_left_out() {
    let mut z = made_up(4, 300);
    z.row_mut(1).fill(Complex64::default());
    z[[2, 299]] = Complex64::new(f64::NAN, 0.0);
    let planes = Planes::of(z.view(), Parts::ExactAndShort);
    assert_eq!(planes.alive(), [true, false, false, true]);
    let found = signs(&planes);
    for (pair, (i, j)) in pairs(4).enumerate() {
        let empty = found[pair] == Signs::default();
        assert_eq!(empty, (i, j) != (0, 3));
    }
}

#[test]
fn scales_near_the_ends_of_24_bits_change_no_sign() {
    for scale in [1e-30, 1e30] {
        let z = made_up(3, 700);
        let scaled = z.mapv(|value| value * scale);
        assert_eq!(
            signs(&Planes::of(z.view(), Parts::ExactAndShort)),
            signs(&Planes::of(scaled.view(), Parts::ExactAndShort))
        );
    }
}
