use ndarray::{Array2, Axis, Slice};

use super::*;
use crate::preprocess::cut;

/// `scipy.signal.butter(4, [8, 13], "bandpass", fs=250, output="sos")`, SciPy 1.17.
const ALPHA: [[f64; 6]; 4] = [
    [
        1.3293728898752895e-05,
        2.658745779750579e-05,
        1.3293728898752895e-05,
        1.0,
        -1.8060422601506538,
        0.8805093633316909,
    ],
    [1.0, 2.0, 1.0, 1.0, -1.8486839744364183, 0.8999875581498267],
    [1.0, -2.0, 1.0, 1.0, -1.8438823009872507, 0.9432574579945188],
    [1.0, -2.0, 1.0, 1.0, -1.9221810984302843, 0.9631139465155167],
];

/// Rounding in the roots, of which each coefficient takes a few.
const COEFFICIENT: f64 = 1e-12;

fn rate() -> SampleRate {
    SampleRate::new(250.0).unwrap()
}

fn alpha() -> Sos {
    Sos::butterworth_band_pass(4, Band::new(8.0, 13.0).unwrap(), rate()).unwrap()
}

fn wave(hz: f64, n_samples: usize) -> Array2<f64> {
    Array2::from_shape_fn((1, n_samples), |(_, t)| {
        (TAU * hz * crate::number::float(t) / 250.0).cos()
    })
}

#[test]
fn the_golden_alpha_band_has_its_coefficients_in_their_order() {
    let filter = alpha();
    assert_eq!(filter.sections().len(), 4);
    assert_eq!(filter.padding(), 27);
    for (section, expected) in filter.sections().iter().zip(ALPHA) {
        let found: Vec<f64> = section.b.iter().chain(&section.a).copied().collect();
        for (value, expected) in found.iter().zip(expected) {
            assert!((value - expected).abs() <= COEFFICIENT, "{found:?}");
        }
    }
}

#[test]
fn edges_have_half_the_power_at_every_order_and_band() {
    for order in 1..=8 {
        for (low, high) in [
            (1.0, 4.0),
            (8.0, 13.0),
            (0.5, 100.0),
            (30.0, 80.0),
            (60.0, 124.0),
        ] {
            let filter =
                Sos::butterworth_band_pass(order, Band::new(low, high).unwrap(), rate()).unwrap();
            for hz in [low, high] {
                let power = filter.response(hz).norm_sqr();
                assert!((power - 0.5).abs() < 1e-6, "{order} {low}-{high} {power}");
            }
            let stable = |section: &Section| {
                section.a[2].abs() < 1.0 && section.a[1].abs() < 1.0 + section.a[2]
            };
            assert!(filter.sections().iter().all(stable), "{order} {low}-{high}");
        }
    }
}

#[test]
fn a_notch_is_zero_at_its_frequency_and_has_the_width_it_says() {
    let filter = Sos::notch(50.0, 25.0, rate()).unwrap();
    assert!(filter.response(50.0).norm() < 1e-12);
    assert!((filter.response(0.0).norm() - 1.0).abs() < 1e-12);
    assert!((filter.response(125.0).norm() - 1.0).abs() < 1e-12);
    // The bilinear transform bends the two ends together by less than a part in a thousand.
    for hz in [49.0, 51.0] {
        assert!((filter.response(hz).norm_sqr() - 0.5).abs() < 0.02);
    }
    let mains = Sos::mains_notch(50.0, 25.0, rate()).unwrap();
    assert_eq!(mains.sections().len(), 2);
    assert!(mains.response(100.0).norm() < 1e-12);
}

#[test]
fn the_zero_phase_form_leaves_the_phase_and_squares_the_gain() {
    let filter = alpha();
    let x = wave(8.0, 4000);
    let y = filter.zero_phase(x.view()).unwrap();
    let (inner_x, inner_y) = (cut(x.view(), 1000..3000), cut(y.view(), 1000..3000));
    for (value, filtered) in inner_x.iter().zip(&inner_y) {
        assert!((0.5 * value - filtered).abs() < 1e-6);
    }
}

#[test]
fn channels_side_by_side_are_filtered_as_if_alone() {
    let filter = alpha()
        .then(&Sos::notch(50.0, 30.0, rate()).unwrap())
        .unwrap();
    let mut x = Array2::from_shape_fn((11, 200), |(i, t)| {
        (crate::number::float(i * 37 + t * t) * 0.37).sin()
    });
    x[[3, 100]] = f64::NAN;
    let together = filter.zero_phase(x.view()).unwrap();
    for channel in (0..11).filter(|&channel| channel != 3) {
        let alone = filter
            .zero_phase(x.slice_axis(Axis(0), Slice::from(channel..=channel)))
            .unwrap();
        assert_eq!(alone.row(0), together.row(channel));
    }
    assert!(together.row(3).iter().all(|value| value.is_nan()));
}

#[test]
fn a_causal_filter_does_not_notice_how_its_stream_is_cut() {
    let x = Array2::from_shape_fn((3, 500), |(i, t)| {
        (crate::number::float(t * (i + 1)) * 0.21).sin() + 65e3
    });
    let mut whole = x.clone();
    alpha().causal(3).process(whole.view_mut()).unwrap();
    for step in [1, 7, 250] {
        let mut filter = alpha().causal(3);
        let mut pieces = x.clone();
        for start in (0..500).step_by(step) {
            filter
                .process(
                    pieces.slice_axis_mut(Axis(1), Slice::from(start..(start + step).min(500))),
                )
                .unwrap();
        }
        assert_eq!(pieces, whole, "blocks of {step}");
    }
    // An offset alone starts nothing.
    assert!(whole.iter().all(|value| value.abs() < 2.0));
}

#[test]
fn an_envelope_comes_as_late_as_the_group_delay_says() {
    // A slow beat on 10 Hz; its crest at the output is late by the delay.
    let beat = |t: f64| (1.0 + (TAU * 0.1 * (t - 5.0)).cos()) * (TAU * 10.2 * t).cos();
    let mut x = Array2::from_shape_fn((1, 2500), |(_, t)| beat(crate::number::float(t) / 250.0));
    let mut filter = alpha().causal(1);
    let delay = filter.delay_samples(10.2);
    filter.process(x.view_mut()).unwrap();
    let weighted = |power: &dyn Fn(f64) -> f64| -> f64 {
        let (mut moment, mut total) = (0.0, 0.0);
        for (t, value) in x.row(0).iter().enumerate() {
            let time = crate::number::float(t);
            moment += power(value * value) * time;
            total += power(value * value);
        }
        moment / total
    };
    let crest = weighted(&|power| power.powi(4));
    assert!((crest - 1250.0 - delay).abs() < 4.0, "{crest} {delay}");
    assert!((20.0..100.0).contains(&delay), "{delay}");
}

#[test]
fn what_cannot_be_a_filter_is_refused_by_name() {
    let band = |low, high| Band::new(low, high).unwrap();
    for (order, band) in [
        (0, band(8.0, 13.0)),
        (13, band(8.0, 13.0)),
        (4, band(8.0, 125.0)),
    ] {
        let refused = Sos::butterworth_band_pass(order, band, rate());
        assert!(matches!(refused, Err(AnalysisError::Setting { .. })));
    }
    assert!(Sos::notch(125.0, 30.0, rate()).is_err());
    assert!(Sos::notch(f64::NAN, 30.0, rate()).is_err());
    assert!(Sos::notch(50.0, 0.0, rate()).is_err());
    let other = Sos::notch(50.0, 30.0, SampleRate::new(500.0).unwrap()).unwrap();
    assert!(alpha().then(&other).is_err());
    assert!(matches!(
        alpha().zero_phase(wave(10.0, 27).view()),
        Err(AnalysisError::TooShort {
            least: 28,
            found: 27,
            ..
        })
    ));
    assert!(alpha().zero_phase(wave(10.0, 28).view()).is_ok());
}
