use std::f64::consts::{PI, TAU};

use ndarray::{Array2, array};
use num_complex::Complex64;

use super::*;
use crate::number::float;
use crate::{Band, SampleRate};

fn rate() -> SampleRate {
    SampleRate::new(250.0).unwrap()
}

/// The definition, term by term.
fn slow_analytic(x: &[f64]) -> Vec<Complex64> {
    let n = x.len();
    let turn = |k: usize, t: usize| Complex64::from_polar(1.0, TAU * float(k * t % n) / float(n));
    let bins: Vec<Complex64> = (0..n)
        .map(|k| (0..n).map(|t| turn(k, t).conj() * x[t]).sum())
        .collect();
    (0..n)
        .map(|t| {
            (0..=n / 2)
                .map(|k| bins[k] * turn(k, t) * if k == 0 || 2 * k == n { 1.0 } else { 2.0 })
                .sum::<Complex64>()
                / float(n)
        })
        .collect()
}

#[test]
fn any_length_gives_what_the_definition_gives() {
    for n in [1, 2, 3, 15, 16, 97, 101, 128] {
        let x = Array2::from_shape_fn((1, n), |(_, t)| (float(t * t) * 0.713).sin() + 0.2);
        let fast = analytic_signal(x.view());
        for (fast, slow) in fast.iter().zip(slow_analytic(&x.row(0).to_vec())) {
            assert!((fast - slow).norm() < 1e-12, "{n}");
        }
    }
    assert_eq!(analytic_signal(Array2::zeros((3, 0)).view()).dim(), (3, 0));
}

#[test]
fn a_cosine_turns_at_its_frequency_by_every_estimator() {
    let x = Array2::from_shape_fn((1, 1000), |(_, t)| {
        20.0 * (TAU * 10.0 * float(t) / 250.0).cos()
    });
    let z = analytic_signal(x.view());
    let found = frequencies(z.view(), rate());
    for estimate in [
        found.mean[0],
        found.median[0],
        found.power_weighted[0],
        found.slope[0],
    ] {
        assert!((estimate - 10.0).abs() < 1e-10);
    }
    assert!(found.negative_fraction[0] <= 0.0);
    let spectrum = welch(x.view(), 500, rate()).unwrap();
    assert_eq!(spectrum.peak_hz(Band::new(8.0, 13.0).unwrap()), [10.0]);
    // Parseval: power 20^2/2, all of it within a hertz of 10.
    let power = spectrum.density.sum() * 0.5;
    assert!((power - 200.0).abs() < 1e-9, "{power}");
    let band = |low, high| Band::new(low, high).unwrap();
    assert!(spectrum.share(band(9.0, 11.0), band(2.0, 40.0))[0] > 0.999);
    assert!(spectrum.share(band(12.0, 14.0), band(2.0, 40.0))[0] < 1e-3);
}

#[test]
fn phases_lie_above_minus_pi_and_up_to_pi() {
    let z = array![[
        Complex64::new(-1.0, -0.0),
        Complex64::new(-1.0, 0.0),
        Complex64::new(0.0, -1.0),
    ]];
    assert_eq!(phase(z.view()), array![[PI, PI, -PI / 2.0]]);
}

#[test]
fn a_dead_channel_has_no_frequency_and_spoils_no_other() {
    let mut x = Array2::from_shape_fn((3, 200), |(_, t)| (float(t) * 0.25).sin());
    x.row_mut(0).fill(0.0);
    x[[1, 50]] = f64::NAN;
    let found = frequencies(analytic_signal(x.view()).view(), rate());
    assert!(found.mean[0].is_nan() && found.median[1].is_nan());
    assert!(found.slope[2].is_finite());
}

#[test]
fn trims_cut_both_ends_and_never_more_than_there_is() {
    let x = array![[1, 2, 3, 4, 5]];
    assert_eq!(trimmed(x.view(), 1), array![[2, 3, 4]]);
    assert_eq!(trimmed(x.view(), 3).ncols(), 0);
    assert_eq!(trimmed(x.view(), 9).ncols(), 0);
}
