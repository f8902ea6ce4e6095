//! Connectivity against golden matrices, against closed cases, and against MNE's numbers.

use std::f64::consts::PI;

use cerebral::Band;
use cerebral::connectivity::{
    Measure, Network, Windows, mne_epochs_fourier, mne_time_morlet, over_epochs, over_samples,
    over_windows,
};
use cerebral::phase::{analytic_signal, trimmed};
use cerebral::preprocess::{Reference, cut};
use ndarray::{Array2, ArrayView2};
use num_complex::Complex64;

use crate::golden::{Golden, distance, figures, numbers};
use crate::signals::{alpha, pipeline, rate};

/// Sums of some ten thousand products in another order.
const FROM_FILTERED: f64 = 1e-10;
/// The same behind a filter.
const FROM_RAW: f64 = 1e-8;
/// MNE's own arithmetic.
const MNE: f64 = 1e-9;

/// Those with a golden matrix.
fn with_golden() -> Vec<Measure> {
    Measure::ALL
        .into_iter()
        .filter(|&measure| measure != Measure::Aec)
        .collect()
}

fn network(z: ArrayView2<'_, Complex64>, measures: &[Measure]) -> Network {
    let convention = pipeline().convention(&Reference::Recorded, z.ncols());
    over_samples(z, measures, convention).unwrap()
}

fn holds(network: &Network, golden: &mut Golden, prefix: &str, tolerance: f64) {
    for measure in network.measures() {
        let expected = golden.matrix(&format!("{prefix}{measure}"));
        let found = network.matrix(measure).unwrap().to_owned();
        let distance = distance(&found, &expected);
        assert!(
            distance < tolerance,
            "{prefix}{measure}: off by {distance:e}"
        );
    }
}

#[test]
fn matrices_of_a_recording_are_the_golden_ones_from_the_filtered_signal_and_from_raw() {
    for name in ["gui_v6_alpha", "gui_v6_odd"] {
        let Some(mut golden) = Golden::recording(&format!("{name}.npz")) else {
            return;
        };
        let z = analytic_signal(golden.matrix("filtered_uv").view());
        for measures in [
            &with_golden()[..],
            &[Measure::Pli, Measure::Wpli, Measure::ImCoh],
        ] {
            holds(
                &network(z.view(), measures),
                &mut golden,
                "full_",
                FROM_FILTERED,
            );
            let trim = network(trimmed(z.view(), 250), measures);
            holds(&trim, &mut golden, "trim_", FROM_FILTERED);
        }
        let z = pipeline().analytic(golden.matrix("raw_uv").view()).unwrap();
        holds(
            &network(z.view(), &with_golden()),
            &mut golden,
            "trim_",
            FROM_RAW,
        );
    }
}

#[test]
fn means_windows_and_the_average_reference_of_a_recording_are_the_golden_ones() {
    let Some(figures) = figures() else { return };
    let mut golden = Golden::recording("gui_v6_alpha.npz").unwrap();
    let figures = &figures["gui_v6_alpha"];
    let mut raw = golden.matrix("raw_uv");
    let z = pipeline().analytic(raw.view()).unwrap();
    let whole = network(z.view(), &with_golden());
    for measure in with_golden() {
        let expected = figures["mean_offdiag_trim"][measure.name()]
            .as_f64()
            .unwrap();
        assert!((whole.mean(measure).unwrap() - expected).abs() < FROM_RAW);
    }

    let measures = [Measure::Pli, Measure::Wpli, Measure::Plv];
    let windows = Windows::new(2.0, 1.0, 1.0, rate()).unwrap();
    let found = over_windows(z.view(), windows, &measures, whole.convention()).unwrap();
    let expected = figures["windows_2s_step1s_pli_wpli_plv"]
        .as_array()
        .unwrap();
    assert_eq!(found.len(), expected.len());
    for (found, expected) in found.iter().zip(expected) {
        for (measure, expected) in measures.iter().zip(numbers(expected)) {
            let value = found.network.mean(*measure).unwrap();
            assert!((value - expected).abs() < FROM_RAW, "{measure}");
        }
    }

    let epochs = over_epochs(
        pipeline().with_trim(0).analytic(raw.view()).unwrap().view(),
        500,
        &[Measure::Pli, Measure::Wpli, Measure::WpliDebiased],
        whole.convention().clone(),
    )
    .unwrap();
    for measure in epochs.measures() {
        let expected = figures["hilbert_epochmean_csd"][measure.name()]
            .as_f64()
            .unwrap();
        let found = epochs.mean(measure).unwrap();
        assert!(
            (found - expected).abs() < FROM_RAW,
            "{measure} {found} {expected}"
        );
    }

    Reference::Average.apply(raw.view_mut(), &[]).unwrap();
    let z = pipeline().analytic(raw.view()).unwrap();
    let average = network(z.view(), &with_golden());
    for (name, expected) in figures["mean_offdiag_trim_car"].as_object().unwrap() {
        let found = average.mean(name.parse().unwrap()).unwrap();
        assert!(
            (found - expected.as_f64().unwrap()).abs() < FROM_RAW,
            "{name}"
        );
    }
}

#[test]
fn the_two_conventions_of_mne_give_its_numbers() {
    let Some(mut golden) = Golden::recording("gui_v6_alpha.npz") else {
        return;
    };
    let raw = golden.matrix("raw_uv");
    let recorded = Reference::Recorded;
    let names = [
        "pli",
        "wpli",
        "wpli2_debiased",
        "plv",
        "dpli",
        "imcoh",
        "coh",
        "ciplv",
        "pli2_unbiased",
        "ppc",
    ];
    let measures: Vec<Measure> = names.iter().map(|name| name.parse().unwrap()).collect();
    let fourier =
        mne_epochs_fourier(raw.view(), 500, alpha(), &measures, rate(), &recorded).unwrap();
    lower_triangle_holds(&fourier, "gui_v6_alpha_mne_epochs_fourier.npz");
    assert_eq!(fourier.convention().n_observations, 20);

    let measures: Vec<Measure> = ["pli", "wpli", "plv", "ciplv", "imcoh", "coh"]
        .iter()
        .map(|name| name.parse().unwrap())
        .collect();
    let morlet = mne_time_morlet(raw.view(), alpha(), 1.0, &measures, rate(), &recorded).unwrap();
    lower_triangle_holds(&morlet, "gui_v6_alpha_mne_time.npz");
}

/// MNE fills the lower triangle alone.
fn lower_triangle_holds(network: &Network, file: &str) {
    let mut golden = Golden::recording(file).unwrap();
    for measure in network.measures() {
        let (found, expected) = (
            network.matrix(measure).unwrap(),
            golden.matrix(measure.name()),
        );
        for ((i, j), expected) in expected.indexed_iter().filter(|((i, j), _)| i > j) {
            let distance = (found[[i, j]] - expected).abs();
            assert!(
                distance < MNE,
                "{file} {measure} {i} {j}: off by {distance:e}"
            );
        }
    }
}

#[test]
fn independent_noise_has_its_golden_matrices() {
    let mut golden = Golden::fixture("syn_noise.npz");
    let z = analytic_signal(golden.matrix("filtered").view());
    let found = network(trimmed(z.view(), 250), &with_golden());
    holds(&found, &mut golden, "", FROM_FILTERED);
    let guess = (2.0 / (PI * found.convention().n_eff)).sqrt();
    let pli = found.mean(Measure::Pli).unwrap();
    assert!((0.8..1.25).contains(&(pli / guess)), "{pli} {guess}");
}

#[test]
fn delayed_cosines_are_in_full_lock() {
    let x = Golden::fixture("syn_lag.npz").matrix("x");
    let found = network(analytic_signal(x.view()).view(), &with_golden());
    for i in 0..8_u8 {
        for j in i + 1..8 {
            let at = [usize::from(i), usize::from(j)];
            let lag = f64::from(j - i) * PI / 10.0;
            for (measure, expected) in [
                (Measure::Pli, 1.0),
                (Measure::Wpli, 1.0),
                (Measure::Plv, 1.0),
                (Measure::Dpli, 1.0),
                (Measure::SignedPli, 1.0),
                (Measure::Coh, 1.0),
                (Measure::ImCoh, lag.sin()),
            ] {
                let value = found.matrix(measure).unwrap()[at];
                assert!((value - expected).abs() < 1e-9, "{measure} {at:?} {value}");
            }
            assert!(found.matrix(Measure::Dpli).unwrap()[[at[1], at[0]]] < 1e-9);
        }
    }
}

/// Gains that are no powers of two, so that mixtures round.
fn mixtures() -> Array2<f64> {
    let mut golden = Golden::fixture("syn_zero_lag.npz");
    let source = golden.list("source");
    let gains = golden.list("gain_decimal");
    Array2::from_shape_fn((gains.len(), source.len()), |(i, t)| gains[i] * source[t])
}

/// What asks for a lag, with its value where there is none.
const LAGGED: [(Measure, f64); 8] = [
    (Measure::Pli, 0.0),
    (Measure::SignedPli, 0.0),
    (Measure::Dpli, 0.5),
    (Measure::Wpli, 0.0),
    (Measure::WpliDebiased, 0.0),
    (Measure::WpliPhaseOnly, 0.0),
    (Measure::ImCoh, 0.0),
    (Measure::CiPlv, 0.0),
];

fn has_no_lag(network: &Network, what: &str) {
    for (measure, expected) in LAGGED {
        let matrix = network.matrix(measure).unwrap();
        let exact = matrix
            .iter()
            .all(|value| value.total_cmp(&expected).is_eq());
        assert!(exact, "{what}: {measure}: {matrix}");
    }
}

#[test]
fn zero_lag_mixtures_score_exactly_nothing_also_behind_a_filter_and_on_an_offset_of_65_mv() {
    let x = mixtures();
    let measures = LAGGED.map(|(measure, _)| measure);
    let convention = pipeline().convention(&Reference::Recorded, x.ncols());
    let z = analytic_signal(x.view());
    has_no_lag(
        &over_samples(z.view(), &measures, convention.clone()).unwrap(),
        "unfiltered",
    );
    for offset_uv in [0.0, 65_000.0, -187_500.0] {
        for gain in [1.0, 1e-3, 1e3] {
            let raw = x.mapv(|value| gain * value) + offset_uv;
            let z = pipeline().analytic(raw.view()).unwrap();
            let found = over_samples(z.view(), &measures, convention.clone()).unwrap();
            // A millionth of the offset's last digit is no mixture any more.
            if gain > 0.5 || offset_uv.abs() < 1.0 {
                has_no_lag(&found, &format!("offset {offset_uv} uV, gain {gain}"));
            }
            let aec = over_samples(z.view(), &[Measure::Aec], convention.clone()).unwrap();
            assert!(
                aec.matrix(Measure::Aec)
                    .unwrap()
                    .iter()
                    .all(|value| value.is_finite())
            );
        }
    }
}

#[test]
fn dead_channels_are_nan_and_named_and_change_no_other_pair() {
    let mut golden = Golden::fixture("syn_noise.npz");
    let mut x = cut(golden.matrix("filtered").view(), 0..2000).to_owned();
    let measures = Measure::ALL;
    let clean = network(pipeline().analytic(x.view()).unwrap().view(), &measures);
    x.row_mut(2).fill(187_500.022_351_7);
    x[[5, 1000]] = f64::NAN;
    let found = network(pipeline().analytic(x.view()).unwrap().view(), &measures);
    for channel in 0..8 {
        assert_eq!(found.dead()[channel], channel == 2 || channel == 5);
    }
    for measure in measures {
        let (found, clean) = (
            found.matrix(measure).unwrap(),
            clean.matrix(measure).unwrap(),
        );
        for ((i, j), value) in found.indexed_iter() {
            if [i, j].iter().any(|channel| [2, 5].contains(channel)) {
                assert!(value.is_nan(), "{measure} {i} {j}");
            } else {
                assert!(value.total_cmp(&clean[[i, j]]).is_eq(), "{measure} {i} {j}");
            }
        }
        let mean = found.iter().filter(|value| !value.is_nan()).count();
        assert_eq!(mean, 36);
    }
    assert!(found.mean(Measure::Pli).unwrap().is_finite());
    assert_eq!(found.warnings().len(), 2, "{:?}", found.warnings());
}

#[test]
fn a_buffered_window_is_a_pure_function_of_its_buffer_and_near_the_whole_segment_way() {
    let Some(mut golden) = Golden::recording("gui_v6_alpha.npz") else {
        return;
    };
    let raw = golden.matrix("raw_uv");
    let windows = Windows::new(2.0, 1.0, 1.0, rate()).unwrap();
    let measures = [Measure::Pli, Measure::Wpli];
    assert_eq!(windows.buffer(0), None);
    let whole = pipeline().with_trim(0).analytic(raw.view()).unwrap();
    let (mut mean, mut mean_whole, mut count) = (0.0, 0.0, 0.0);
    for k in 1.. {
        let buffer = windows.buffer(k).unwrap();
        if buffer.end > raw.ncols() {
            break;
        }
        let compute = |raw: &Array2<f64>, range: std::ops::Range<usize>| {
            windows
                .network(
                    cut(raw.view(), range),
                    &pipeline(),
                    &Reference::Recorded,
                    &measures,
                )
                .unwrap()
        };
        let here = compute(&raw, buffer.clone());
        // Whatever stands outside the buffer, and wherever it lies in memory.
        let alone = cut(raw.view(), buffer.clone()).to_owned();
        assert_eq!(here, compute(&alone, 0..alone.ncols()));
        mean += here.mean(Measure::Wpli).unwrap();
        mean_whole += network(cut(whole.view(), windows.window(k)), &measures)
            .mean(Measure::Wpli)
            .unwrap();
        count += 1.0;
    }
    assert!(
        (mean - mean_whole).abs() / count < 0.002,
        "{}",
        (mean - mean_whole) / count
    );
    assert!(
        windows
            .buffered(cut(raw.view(), 0..999), &pipeline())
            .is_err()
    );
}

#[test]
fn envelopes_that_rise_together_correlate_and_a_shared_source_does_not() {
    // Two carriers of different frequency under one slow envelope, and a third under another.
    let envelope = |t: f64, k: f64| 1.0 + 0.8 * (t * k).sin();
    let z = Array2::from_shape_fn((3, 20_000), |(i, t)| {
        let t = f64::from(u32::try_from(t).unwrap());
        let (k, omega) = [(0.0013, 0.251), (0.0013, 0.263), (0.0029, 0.247)][i];
        Complex64::from_polar(envelope(t, k), omega * t)
    });
    let found = network(z.view(), &[Measure::Aec]);
    let aec = found.matrix(Measure::Aec).unwrap();
    // The orthogonal part carries |sin| of the turning difference, which dilutes what is a correlation of 1.
    assert!(aec[[0, 1]] > 0.5, "{aec}");
    assert!(aec[[0, 2]].abs() < 0.1, "{aec}");
    assert!(aec[[0, 1]].total_cmp(&aec[[1, 0]]).is_eq());

    let mut shared = z.clone();
    let copy = z.row(0).mapv(|value| 0.1 * value);
    shared.row_mut(1).assign(&copy);
    let aec = network(shared.view(), &[Measure::Aec]);
    assert!(aec.matrix(Measure::Aec).unwrap()[[0, 1]].abs() <= 0.0);
}

#[test]
fn several_bands_carry_each_their_own_convention() {
    let mut golden = Golden::fixture("syn_noise.npz");
    let x = golden.matrix("filtered");
    let mut lines = Vec::new();
    for band in ["4-8", "8-13", "13-30"] {
        let band: Band = band.parse().unwrap();
        let pipeline = cerebral::connectivity::Pipeline::new(band, rate(), 1.0).unwrap();
        let z = pipeline.analytic(x.view()).unwrap();
        let convention = pipeline.convention(&Reference::Recorded, z.ncols());
        let network = over_samples(z.view(), &[Measure::Pli], convention).unwrap();
        lines.push(network.convention().to_string());
    }
    assert_eq!(
        lines[1],
        "hilbert-samples, 8-13 Hz, 58 s, filter butterworth order 4 8-13 Hz, forward and backward, reference recorded, trim 1 s, n_eff 392 of 14500"
    );
}

#[test]
fn too_little_is_refused_by_name() {
    let z = Array2::from_elem((1, 10), Complex64::new(1.0, 0.0));
    let convention = pipeline().convention(&Reference::Recorded, 10);
    assert!(over_samples(z.view(), &[Measure::Pli], convention.clone()).is_err());
    let z = Array2::from_elem((4, 1), Complex64::new(1.0, 0.0));
    assert!(over_samples(z.view(), &[Measure::Pli], convention.clone()).is_err());
    let z = Array2::from_elem((4, 10), Complex64::new(1.0, 0.0));
    for (n_epoch, measure) in [(1, Measure::Pli), (6, Measure::Pli), (5, Measure::Aec)] {
        assert!(over_epochs(z.view(), n_epoch, &[measure], convention.clone()).is_err());
    }
    let raw = Array2::zeros((4, 100));
    assert!(pipeline().analytic(raw.view()).is_err());
    let recorded = Reference::Recorded;
    let pli = [Measure::Pli];
    assert!(mne_time_morlet(raw.view(), alpha(), 0.0, &pli, rate(), &recorded).is_err());
    assert!(mne_epochs_fourier(raw.view(), 5, alpha(), &pli, rate(), &recorded).is_err());
    for (width, hop, guard) in [
        (0.0, 1.0, 1.0),
        (2.0, 0.0, 1.0),
        (2.0, 1.0, -1.0),
        (f64::NAN, 1.0, 1.0),
    ] {
        assert!(Windows::new(width, hop, guard, rate()).is_err());
    }
}
