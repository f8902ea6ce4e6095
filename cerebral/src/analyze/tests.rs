//! Whole analyses of made-up recordings, and what is written of them.

use std::f64::consts::TAU;

use ndarray::Array2;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};
use serde_json::Value;

use super::*;
use crate::connectivity::{Measure, Method};
use crate::number::float;
use crate::preprocess::{ArtefactKind, EpochChoice, Montage};
use crate::report;
use crate::source::{Dialect, Marker, Numbering, Quality, Rails};
use crate::units::Band;

const RATE_HZ: f64 = 100.0;

fn recording(samples_uv: Array2<f64>) -> Recording {
    let n = samples_uv.nrows();
    Recording {
        dialect: Dialect::Csv,
        sample_rate_hz: RATE_HZ,
        channels: (1..=n).map(|channel| format!("c{channel}")).collect(),
        rails: vec![
            Rails {
                values_uv: vec![1_000.0],
                tolerance_uv: 0.05
            };
            n
        ],
        markers: Vec::new(),
        numbering: Numbering::default(),
        quality: Quality {
            railed: vec![0.0; n],
            flat: vec![0.0; n],
            mains_ratio: vec![None; n],
            ..Quality::default()
        },
        samples_uv,
    }
}

fn noise(n_channels: usize, n_samples: usize, seed: u64) -> Array2<f64> {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    Array2::from_shape_simple_fn((n_channels, n_samples), || {
        let value: f64 = StandardNormal.sample(&mut random);
        10.0 * value
    })
}

/// Noise, and in the channels 0 and 1 one wandering 10 Hz rhythm, in channel 1 a quarter of a cycle later.
fn coupled(n_channels: usize, n_samples: usize, seed: u64) -> Array2<f64> {
    let mut x = noise(n_channels, n_samples, seed);
    let mut random = ChaCha8Rng::seed_from_u64(seed + 1_000);
    let mut phase = 0.0;
    for at in 0..n_samples {
        let kick: f64 = StandardNormal.sample(&mut random);
        phase += TAU * 10.0 / RATE_HZ + 0.1 * kick;
        x[[0, at]] += 20.0 * phase.cos();
        x[[1, at]] += 20.0 * (phase - TAU / 4.0).cos();
    }
    x
}

fn quick(until: StepId) -> Options {
    Options {
        surrogates: 99,
        until,
        ..Options::default()
    }
}

fn run(recording: &Recording, options: &Options) -> Analysis {
    analyze(recording, "made up", Manifest::default(), options, &()).unwrap()
}

fn json(analysis: &Analysis) -> Value {
    serde_json::to_value(analysis).unwrap()
}

#[test]
fn noise_is_not_significant_from_step_1_5_to_the_last() {
    let mut options = quick(StepId::Export);
    options.trials.seeds = 2;
    options.trials.measure_s = 2.0;
    let analysis = run(&recording(noise(3, 3_000, 11)), &options);
    let verdict = analysis.verdict.as_ref().unwrap();
    assert!(!verdict.significant && verdict.p > 0.05, "{verdict:?}");
    for step in &analysis.steps {
        let expected = (step.step >= StepId::Surrogates).then_some(Label::NotSignificant);
        assert_eq!(step.label, expected, "{step:?}");
        assert_eq!(step.status, Status::Done, "{step:?}");
    }
    let told: Vec<Option<Label>> = analysis
        .what_if
        .iter()
        .flatten()
        .map(|one| one.verdict)
        .collect();
    assert_eq!(told, [Some(Label::NotSignificant); 3]);
    assert_eq!(
        analysis.closed_loop.as_ref().unwrap().verdict,
        Some(Label::NotSignificant)
    );
    assert_eq!(
        analysis.twin.as_ref().unwrap().edges,
        Vec::<[usize; 2]>::new()
    );
    let page = report::page(&analysis);
    assert!(
        page.contains("Not significant: mean wPLI"),
        "the page says so at its head"
    );
    assert_eq!(
        page.matches("NOT SIGNIFICANT").count(),
        7,
        "and beside each later figure"
    );
    for step in StepId::ALL
        .into_iter()
        .filter(|step| (StepId::Surrogates..StepId::Export).contains(step))
    {
        let lines = report::step_lines(step, &analysis, &options.measures);
        assert!(
            lines.lines().next().unwrap().ends_with("[NOT SIGNIFICANT]"),
            "{lines}"
        );
    }
    every_field_of_the_json_is_there(&json(&analysis));
}

/// What `--json` promises.
fn every_field_of_the_json_is_there(json: &Value) {
    let fields: &[(&str, &[&str])] = &[
        (
            "",
            &[
                "v",
                "manifest",
                "steps",
                "verdict",
                "recording",
                "analysis",
                "frequency_hz",
                "measures",
                "surrogates",
                "windows",
                "twin",
                "what_if",
                "closed_loop",
            ],
        ),
        (
            "/manifest",
            &[
                "command",
                "version",
                "seed",
                "file_sha256",
                "started",
                "options",
            ],
        ),
        ("/steps/0", &["id", "title", "status", "label"]),
        (
            "/verdict",
            &["significant", "measure", "p", "alpha", "disagreements"],
        ),
        (
            "/recording",
            &[
                "file",
                "sha256",
                "dialect",
                "sample_rate_hz",
                "channels",
                "n_samples",
                "quality",
            ],
        ),
        (
            "/recording/quality",
            &[
                "gaps",
                "restarts",
                "inserted",
                "bad_rows",
                "zero_rows",
                "repeated_rows",
                "mains_ratio",
                "railed",
                "flat",
                "jitter_ms",
            ],
        ),
        (
            "/analysis",
            &[
                "band_hz",
                "segment",
                "trim_s",
                "reference",
                "convention",
                "n_eff",
                "window_s",
                "hop_s",
                "guard_s",
                "filter",
                "bad_channels",
                "artefacts",
            ],
        ),
        (
            "/frequency_hz",
            &[
                "mean",
                "median",
                "power_weighted",
                "slope",
                "negative_fraction",
            ],
        ),
        (
            "/measures",
            &[
                "pli",
                "wpli",
                "wpli2_debiased",
                "dpli",
                "plv",
                "ciplv",
                "imcoh",
                "ppc",
                "coh",
                "aec",
            ],
        ),
        (
            "/surrogates",
            &[
                "kind",
                "from",
                "n",
                "seed",
                "alpha",
                "formula",
                "band_sd_ratio",
                "warning",
                "pli",
                "wpli",
            ],
        ),
        (
            "/surrogates/pli",
            &[
                "observed_mean",
                "null_mean",
                "null_sd",
                "z",
                "b",
                "p",
                "pairs_p",
                "pairs_q_bh",
                "pairs_p_max",
            ],
        ),
        (
            "/windows/0",
            &["start_s", "pli_mean", "wpli_mean", "r", "coupling_rad_s"],
        ),
        (
            "/twin",
            &[
                "omega_hz",
                "coupling_rad_s",
                "coupling_sd_rad_s",
                "noise_floor_rad_s",
                "condition_number",
                "score",
                "baselines",
                "score_name",
                "order_parameter",
                "metastability",
                "criticality",
            ],
        ),
        (
            "/twin/baselines",
            &["uncoupled", "shuffled_mean", "shuffled_sd"],
        ),
        ("/twin/order_parameter", &["t_s", "measured", "simulated"]),
        ("/twin/metastability", &["measured", "simulated"]),
        (
            "/what_if/0",
            &[
                "node",
                "kind",
                "amplitude_rad_s",
                "frequency_hz",
                "seeds",
                "delta_r",
                "delta_pli",
                "delta_omega_hz",
                "verdict",
            ],
        ),
        ("/what_if/0/delta_r", &["mean", "sd"]),
        (
            "/closed_loop",
            &[
                "objective",
                "start",
                "end",
                "baseline",
                "evaluations",
                "node",
                "amplitude_rad_s",
                "delta_rad",
                "verdict",
            ],
        ),
    ];
    for (place, names) in fields {
        let object = json.pointer(place).and_then(Value::as_object);
        let object = object.unwrap_or_else(|| panic!("`{place}` is no object"));
        for name in *names {
            assert!(object.contains_key(*name), "{place}/{name}");
        }
    }
}

#[test]
fn a_lagged_pair_is_found_and_no_other() {
    let analysis = run(&recording(coupled(4, 4_000, 3)), &quick(StepId::Windows));
    assert!(analysis.verdict.as_ref().unwrap().significant);
    let test = analysis.band.surrogates.as_ref().unwrap();
    assert_eq!(test.wpli.edges, [[0, 1]]);
    assert!(analysis.band.measures[&Measure::Wpli].0[[0, 1]] > 0.9);
    assert!(
        analysis.band.measures[&Measure::Dpli].0[[0, 1]] > 0.9,
        "channel 1 leads"
    );
    let lines = report::step_lines(StepId::Wpli, &analysis, &[Measure::Wpli]);
    assert!(lines.contains("c1 -> c2"), "{lines}");
    let frequency = analysis.band.frequency_hz.as_ref().unwrap();
    assert!((frequency.median[0] - 10.0).abs() < 0.1);
}

#[test]
fn a_bad_channel_is_null_in_every_figure_and_never_0_or_1() {
    let mut x = noise(4, 3_000, 5);
    x.row_mut(2).fill(1_000.0);
    let analysis = run(&recording(x), &quick(StepId::Windows));
    assert_eq!(analysis.band.analysis.bad_channels, [2]);
    let json = json(&analysis);
    for (name, matrix) in json["measures"].as_object().unwrap() {
        for at in 0..4 {
            assert!(matrix[2][at].is_null() && matrix[at][2].is_null(), "{name}");
        }
        assert!(
            matrix[0][1].is_number() && matrix[0][0].is_number(),
            "{name}"
        );
    }
    assert!(
        json["frequency_hz"]["mean"][2].is_null()
            && json["surrogates"]["wpli"]["pairs_p"][2][1].is_null()
    );
    let kept = Options {
        find_bad_channels: false,
        ..quick(StepId::Pli)
    };
    let mut noisy = noise(4, 3_000, 5);
    noisy.row_mut(2).mapv_inplace(|value| value * 100.0);
    assert_eq!(
        run(&recording(noisy.clone()), &quick(StepId::Pli))
            .band
            .analysis
            .bad_channels,
        [2]
    );
    assert_eq!(
        run(&recording(noisy), &kept).band.analysis.bad_channels,
        Vec::<usize>::new()
    );
}

#[test]
fn where_channels_rail_now_and_then_the_longest_useful_piece_is_taken() {
    let mut x = noise(3, 3_000, 5);
    x.row_mut(2).fill(1_000.0);
    x.row_mut(0).as_slice_mut().unwrap()[700..800].fill(1_000.0);
    x.row_mut(1).as_slice_mut().unwrap()[2_800..2_900].fill(7.0);
    let analysis = run(&recording(x), &quick(StepId::Pli));
    let about = &analysis.band.analysis;
    assert_eq!(
        (about.segment, about.bad_channels.as_slice()),
        ([1_000, 2_600], &[2][..])
    );
    assert!(about.segment_choice.contains("two channels carry a signal"));
}

#[test]
fn two_good_channels_are_needed() {
    let mut x = noise(3, 3_000, 5);
    x.row_mut(0).fill(1_000.0);
    x.row_mut(2).fill(7.0);
    let error = analyze(
        &recording(x),
        "made up",
        Manifest::default(),
        &quick(StepId::Pli),
        &(),
    )
    .unwrap_err();
    assert!(!error.is_wrong_use());
    let told = error.to_string();
    assert!(
        told.contains("1 of 3 channels")
            && told.contains("c1: at full scale in 100.0 %")
            && told.contains("c3: flat"),
        "{told}"
    );
}

#[test]
fn a_segment_with_a_gap_has_no_figures_as_a_whole_but_windows_of_its_pieces() {
    let mut x = noise(3, 4_000, 8);
    for mut row in x.rows_mut() {
        row.as_slice_mut().unwrap()[1_500..1_520].fill(f64::NAN);
    }
    let recording = recording(x);
    let mut options = Options {
        segment: SegmentChoice::Samples(0..4_000),
        ..quick(StepId::Export)
    };
    let analysis = run(&recording, &options);
    assert!(
        analysis
            .band
            .analysis
            .segment_fault
            .as_ref()
            .unwrap()
            .contains("20 missing samples")
    );
    assert!(
        analysis
            .steps
            .iter()
            .all(|step| step.step == StepId::Export || step.status == Status::Skipped)
    );
    assert!(
        analysis.verdict.is_none() && analysis.band.measures.is_empty() && analysis.twin.is_none()
    );
    options.windows = WindowsChoice::Buffered;
    let analysis = run(&recording, &options);
    let windows = analysis.band.windows.unwrap();
    let figured = windows.iter().filter(|window| window.reason.is_none());
    for window in figured.clone() {
        let touches = window.start_s + 3.0 > 15.0 && window.start_s - 1.0 < 15.2;
        assert!(!touches && !window.wpli_mean.is_nan(), "{window:?}");
    }
    assert!(figured.count() > 20);
    assert!(windows.iter().any(|window| {
        window
            .reason
            .as_ref()
            .is_some_and(|reason| reason.contains("gap"))
    }));
    let longest = run(&recording, &quick(StepId::Inversion));
    assert_eq!(longest.band.analysis.segment, [1_520, 4_000]);
}

#[test]
fn windows_and_epochs_that_touch_an_artefact_are_left_out_unless_kept() {
    let mut x = noise(6, 4_000, 21);
    for channel in 0..2 {
        for at in 0..40 {
            x[[channel, 2_000 + at]] += 400.0 * (TAU / 80.0 * float(at)).sin();
        }
    }
    let mut recording = recording(x);
    recording.markers = [500, 1_000, 1_990, 3_000]
        .map(|at| Marker {
            at_s: float(at) / RATE_HZ,
            duration_s: 0.0,
            text: "go".to_owned(),
        })
        .to_vec();
    let choice: EpochChoice = "go:-0.5:1.5".parse().unwrap();
    let mut options = Options {
        epochs: Some(choice),
        ..quick(StepId::Windows)
    };
    let analysis = run(&recording, &options);
    let about = &analysis.band.analysis;
    assert_eq!(
        (about.artefacts.len(), about.artefacts[0].kind),
        (1, ArtefactKind::Blink)
    );
    let left_out = |analysis: &Analysis| {
        let windows = analysis.band.windows.as_ref().unwrap();
        windows
            .iter()
            .filter(|window| window.reason.is_some())
            .count()
    };
    assert!(
        (2..=4).contains(&left_out(&analysis)),
        "{}",
        left_out(&analysis)
    );
    let epochs = about.epochs.as_ref().unwrap();
    assert_eq!(
        (epochs.start_s.as_slice(), epochs.left_out.len()),
        (&[4.5, 9.5, 29.5][..], 1)
    );
    assert_eq!(about.convention, "hilbert-epochs");
    assert!((about.n_eff - 3.0).abs() < 1e-12);
    options.keep_artefacts = true;
    let kept = run(&recording, &options);
    assert_eq!(left_out(&kept), 0);
    assert_eq!(kept.band.analysis.epochs.as_ref().unwrap().start_s.len(), 4);
    recording.markers.truncate(1);
    assert!(
        analyze(&recording, "made up", Manifest::default(), &options, &()).is_err(),
        "one epoch is none"
    );
}

#[test]
fn the_result_is_the_same_on_any_number_of_threads() {
    let recording = recording(coupled(3, 3_000, 4));
    let of = |threads| {
        let options = Options {
            threads: Some(threads),
            ..quick(StepId::Windows)
        };
        json(&run(&recording, &options)).to_string()
    };
    assert_eq!(of(1), of(3));
}

#[test]
fn several_bands_and_named_conventions_each_say_what_they_are() {
    let recording = recording(coupled(3, 4_000, 6));
    let bands = vec![
        Band::new(8.0, 13.0).unwrap(),
        Band::new(15.0, 25.0).unwrap(),
    ];
    let mut options = Options {
        bands,
        ..quick(StepId::Windows)
    };
    let analysis = run(&recording, &options);
    assert_eq!(analysis.further_bands.len(), 1);
    assert_eq!(analysis.further_bands[0].analysis.band_hz, [15.0, 25.0]);
    let wpli = |band: &BandResult| band.measures[&Measure::Wpli].0[[0, 1]];
    assert!(wpli(&analysis.band) > 0.8 && wpli(&analysis.further_bands[0]) < 0.6);
    options.bands.truncate(1);
    for method in [
        Method::HilbertEpochs,
        Method::MneEpochsFourier,
        Method::MneTimeMorlet,
    ] {
        options.method = method;
        let analysis = run(&recording, &options);
        assert_eq!(analysis.band.analysis.convention, method.name());
        assert!(wpli(&analysis.band) > 0.8, "{method}");
    }
}

#[test]
fn reference_notch_montage_and_interpolation_are_taken() {
    let x = coupled(6, 3_000, 9);
    let mut recording = recording(x);
    let names = "Fp1 Fp2 C3 C4 O1 O2"
        .split(' ')
        .map(str::to_owned)
        .collect::<Vec<_>>();
    recording.channels.clone_from(&names);
    let options = Options {
        reference: ReferenceChoice::Channel("C3".to_owned()),
        notch_hz: Some(30.0),
        ..quick(StepId::Pli)
    };
    let analysis = run(&recording, &options);
    assert_eq!(analysis.band.analysis.reference, "channel:C3");
    assert!(
        analysis.band.analysis.filter.contains("notch 30 Hz"),
        "{}",
        analysis.band.analysis.filter
    );
    assert_eq!(analysis.band.analysis.montage.as_deref(), Some(&names[..]));
    assert!(
        analysis.band.measures[&Measure::Pli].0[[2, 0]].is_nan(),
        "the reference has no pairs"
    );
    let options = Options {
        bad_channels: vec!["c3".to_owned()],
        interpolate: true,
        reference: ReferenceChoice::Average,
        montage: Some(Montage::named(&names, 6).unwrap()),
        ..quick(StepId::Pli)
    };
    let analysis = run(&recording, &options);
    assert_eq!(
        (
            analysis.band.analysis.interpolated.as_slice(),
            analysis.band.analysis.bad_channels.len()
        ),
        (&[2][..], 0)
    );
    assert!(analysis.notes.iter().any(|note| note.contains("mixtures")));
    let wrong = Options {
        node: Some("Q".to_owned()),
        channels: vec!["Q".to_owned()],
        ..quick(StepId::Pli)
    };
    let error = analyze(&recording, "made up", Manifest::default(), &wrong, &()).unwrap_err();
    assert!(
        error.is_wrong_use() && error.to_string().contains("`Q`"),
        "{error}"
    );
}

#[test]
fn a_page_needs_nothing_from_outside_and_names_cannot_break_it() {
    let mut recording = recording(coupled(4, 3_000, 2));
    recording.channels[1] = "<script>alert(1)</script>&\"".to_owned();
    let analysis = analyze(
        &recording,
        "<b>.txt",
        Manifest::default(),
        &quick(StepId::Windows),
        &(),
    )
    .unwrap();
    let page = report::page(&analysis);
    for outside in [
        "<script", "http:", "https:", "src=", "url(", "@import", "<link",
    ] {
        assert!(!page.contains(outside), "{outside}");
    }
    assert!(page.contains("&lt;script&gt;") && page.contains("&lt;b&gt;.txt"));
    assert!(
        !page.contains("NaN") && !page.contains("inf"),
        "no figure is drawn where there is none"
    );
}

#[test]
fn tables_and_arrays_hold_the_same_figures() {
    let mut x = coupled(3, 3_000, 12);
    x.row_mut(2).fill(1_000.0);
    let analysis = run(&recording(x), &quick(StepId::Windows));
    let wpli = &analysis.band.measures[&Measure::Wpli].0;
    let tables = report::tables(&analysis);
    let (_, text) = tables.iter().find(|(name, _)| name == "wpli.csv").unwrap();
    let rows: Vec<Vec<&str>> = text.lines().map(|line| line.split(',').collect()).collect();
    assert_eq!(rows[0], ["channel", "c1", "c2", "c3"]);
    assert_eq!(rows[1][2].parse(), Ok(wpli[[0, 1]]));
    assert_eq!(rows[3], ["c3", "", "", ""]);
    let bytes = report::npz(&analysis).unwrap();
    let mut file = ndarray_npy::NpzReader::new(std::io::Cursor::new(bytes)).unwrap();
    let read: Array2<f64> = file.by_name("wpli").unwrap();
    assert!(read[[0, 1]].to_bits() == wpli[[0, 1]].to_bits() && read[[2, 0]].is_nan());
}
