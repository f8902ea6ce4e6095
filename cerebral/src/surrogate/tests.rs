use ndarray::Array2;
use num_complex::Complex64;

use super::make::{Material, Workspace};
use super::*;
use crate::number::float;
use crate::phase::analytic_signal;

fn made_up(n_samples: usize) -> Array2<f64> {
    Array2::from_shape_fn((3, n_samples), |(i, t)| {
        (float(t * t) * 0.37 + float(i)).sin() * 20.0 + (float(t) * 0.2).cos()
    })
}

fn key(surrogate: u32) -> Key {
    Key {
        seed: 7,
        surrogate,
        ..Key::default()
    }
}

const KINDS: [Kind; 5] = [
    Kind::Independent,
    Kind::Common,
    Kind::Aaft,
    Kind::Iaaft,
    Kind::CircularShift,
];

fn spectrum(x: &[f64]) -> Vec<f64> {
    Workspace::new(x.len())
        .spectrum(x)
        .iter()
        .map(|bin| bin.norm())
        .collect()
}

fn sorted(x: &[f64]) -> Vec<f64> {
    let mut sorted = x.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted
}

fn off(one: &[f64], other: &[f64]) -> f64 {
    let square = |values: &mut dyn Iterator<Item = f64>| values.map(|v| v * v).sum::<f64>();
    let difference = square(&mut one.iter().zip(other).map(|(a, b)| a - b));
    (difference / square(&mut one.iter().copied())).sqrt()
}

#[test]
fn each_kind_keeps_what_it_says() {
    for n_samples in [499, 500] {
        let x = made_up(n_samples);
        for kind in KINDS {
            let y = surrogate(x.view(), kind, key(1));
            for (x, y) in x.rows().into_iter().zip(y.rows()) {
                let (x, y) = (x.to_vec(), y.to_vec());
                assert!(off(&x, &y) > 0.3, "{kind} changes the series");
                let spectra = off(&spectrum(&x), &spectrum(&y));
                let values = off(&sorted(&x), &sorted(&y));
                let (spectrum_kept, values_kept) = match kind {
                    Kind::Independent | Kind::Common => (1e-12, f64::INFINITY),
                    Kind::Aaft => (0.5, 0.0),
                    Kind::Iaaft => (0.1, 0.0),
                    Kind::CircularShift => (1e-12, 0.0),
                };
                assert!(spectra <= spectrum_kept, "{kind} {spectra}");
                assert!(values <= values_kept, "{kind} {values}");
            }
        }
    }
}

#[test]
fn iterating_brings_the_spectrum_nearer() {
    let x = made_up(1000);
    let distance = |kind| {
        let y = surrogate(x.view(), kind, key(3));
        off(&spectrum(&x.row(0).to_vec()), &spectrum(&y.row(0).to_vec()))
    };
    assert!(distance(Kind::Iaaft) < 0.5 * distance(Kind::Aaft));
}

#[test]
fn common_phases_keep_cross_spectra_and_independent_ones_do_not() {
    let x = made_up(512);
    let cross = |x: &Array2<f64>| -> Vec<Complex64> {
        let mut work = Workspace::new(512);
        let one = work.spectrum(&x.row(0).to_vec()).to_vec();
        let other = work.spectrum(&x.row(1).to_vec()).to_vec();
        one.iter().zip(&other).map(|(a, b)| a * b.conj()).collect()
    };
    let expected = cross(&x);
    let scale: f64 = expected.iter().map(|value| value.norm()).sum();
    for (kind, kept) in [(Kind::Common, true), (Kind::Independent, false)] {
        let found = cross(&surrogate(x.view(), kind, key(5)));
        let off: f64 = found
            .iter()
            .zip(&expected)
            .map(|(a, b)| (a - b).norm())
            .sum();
        assert_eq!(off < 1e-10 * scale, kept, "{kind}");
    }
}

#[test]
fn a_shift_turns_the_series_round() {
    let x = made_up(100);
    let y = surrogate(x.view(), Kind::CircularShift, key(2));
    for (x, y) in x.rows().into_iter().zip(y.rows()) {
        let start = x
            .iter()
            .position(|value| value.total_cmp(&y[0]).is_eq())
            .unwrap();
        for (t, value) in y.iter().enumerate() {
            assert!(value.total_cmp(&x[(start + t) % 100]).is_eq());
        }
    }
}

#[test]
fn one_inverse_transform_gives_the_analytic_signal_of_the_surrogate() {
    for n_samples in [15, 16, 250, 251] {
        let x = made_up(n_samples);
        for kind in KINDS {
            let series = surrogate(x.view(), kind, key(9));
            let expected = analytic_signal(series.view());
            let mut work = Workspace::new(n_samples);
            for channel in 0..3 {
                let material = Material::new(x.row(channel).to_vec(), kind, &mut work);
                let mut z = vec![Complex64::default(); n_samples];
                work.analytic_surrogate(&material, kind, (key(9), channel), &mut z);
                for (found, expected) in z.iter().zip(expected.row(channel)) {
                    assert!((found - expected).norm() < 1e-11, "{kind} {n_samples}");
                }
            }
        }
    }
}

#[test]
fn a_key_that_differs_anywhere_gives_another_surrogate_and_the_same_the_same() {
    let x = made_up(64);
    let base = key(1);
    let keys = [
        base,
        Key { seed: 8, ..base },
        Key { session: 1, ..base },
        Key { window: 1, ..base },
        Key {
            surrogate: 2,
            ..base
        },
    ];
    let all: Vec<_> = keys
        .iter()
        .map(|key| surrogate(x.view(), Kind::Independent, *key))
        .collect();
    for (i, one) in all.iter().enumerate() {
        assert_eq!(one, surrogate(x.view(), Kind::Independent, keys[i]));
        for other in &all[..i] {
            assert_ne!(one, other);
        }
    }
}

#[test]
fn nothing_is_made_of_nothing() {
    for n_samples in [0, 1, 2, 3] {
        let x = Array2::from_elem((2, n_samples), 3.0);
        for kind in KINDS {
            let y = surrogate(x.view(), kind, key(0));
            assert_eq!(y.dim(), x.dim());
            assert!(y.iter().all(|value| (value - 3.0).abs() < 1e-12), "{kind}");
        }
    }
}
