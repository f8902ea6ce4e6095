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
        ids: Vec::new(),
        stamps_ns: Vec::new(),
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
    let verdict = analysis.band.verdict.as_ref().unwrap();
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

/// What `--json` promises: a place (`[]`: every element of a list that has some) and what stands there. `C` is the number of
/// channels; `?` allows null.
const PROMISED: &str = "
v number
manifest.command text | manifest.version text | manifest.seed number | manifest.file_sha256 text | manifest.started text
manifest.options object
steps[].id text | steps[].title text | steps[].status text | steps[].label text?
verdict.significant bool | verdict.measure text | verdict.p number | verdict.alpha number | verdict.disagreements list
recording.file text | recording.sha256 text | recording.dialect text | recording.sample_rate_hz number
recording.channels C | recording.n_samples number
recording.quality.gaps[].row number | recording.quality.gaps[].missing number | recording.quality.restarts list
recording.quality.inserted list | recording.quality.bad_rows[].row number | recording.quality.bad_rows[].reason text
recording.quality.zero_rows number | recording.quality.repeated_rows number | recording.quality.mains_ratio C
recording.quality.railed C | recording.quality.flat C | recording.quality.jitter_ms number?
analysis.band_hz list | analysis.segment list | analysis.trim_s number | analysis.reference text | analysis.convention text
analysis.n_eff number | analysis.window_s number | analysis.hop_s number | analysis.guard_s number? | analysis.filter text
analysis.bad_channels list | analysis.artefacts[].start_s number | analysis.artefacts[].end_s number
analysis.artefacts[].kind text
frequency_hz.mean C | frequency_hz.median C | frequency_hz.power_weighted C | frequency_hz.slope C
frequency_hz.negative_fraction C
measures.pli CxC | measures.wpli CxC | measures.wpli2_debiased CxC | measures.dpli CxC | measures.plv CxC
measures.ciplv CxC | measures.imcoh CxC | measures.ppc CxC | measures.coh CxC | measures.aec CxC
surrogates.kind text | surrogates.from text | surrogates.n number | surrogates.seed number | surrogates.alpha number
surrogates.formula text | surrogates.band_sd_ratio C | surrogates.warning text?
surrogates.pli.observed_mean number | surrogates.pli.null_mean number | surrogates.pli.null_sd number
surrogates.pli.z number | surrogates.pli.b number | surrogates.pli.p number
surrogates.pli.pairs_p CxC | surrogates.pli.pairs_q_bh CxC | surrogates.pli.pairs_p_max CxC
surrogates.wpli.observed_mean number | surrogates.wpli.null_mean number | surrogates.wpli.null_sd number
surrogates.wpli.z number | surrogates.wpli.b number | surrogates.wpli.p number
surrogates.wpli.pairs_p CxC | surrogates.wpli.pairs_q_bh CxC | surrogates.wpli.pairs_p_max CxC
windows[].start_s number | windows[].pli_mean number? | windows[].wpli_mean number? | windows[].r number?
windows[].coupling_rad_s CxC?
twin.omega_hz C | twin.coupling_rad_s CxC | twin.coupling_sd_rad_s CxC? | twin.noise_floor_rad_s number
twin.condition_number number | twin.score number | twin.score_name text
twin.baselines.uncoupled number | twin.baselines.shuffled_mean number | twin.baselines.shuffled_sd number
twin.order_parameter.t_s list | twin.order_parameter.measured list | twin.order_parameter.simulated list
twin.metastability.measured number | twin.metastability.simulated number | twin.criticality object
what_if[].node number | what_if[].kind text | what_if[].amplitude_rad_s number | what_if[].frequency_hz number?
what_if[].seeds number | what_if[].delta_r.mean number | what_if[].delta_r.sd number
what_if[].delta_pli CxC | what_if[].delta_omega_hz C | what_if[].verdict text
closed_loop.objective text | closed_loop.start number | closed_loop.end number | closed_loop.baseline number
closed_loop.evaluations number | closed_loop.node number | closed_loop.amplitude_rad_s number
closed_loop.delta_rad number | closed_loop.verdict text
";

/// Everything at a place, with the name of the place.
fn at<'a>(json: &'a Value, place: &str) -> Vec<&'a Value> {
    let mut found = vec![json];
    for part in place.split('.') {
        let (name, each) = part
            .strip_suffix("[]")
            .map_or((part, false), |name| (name, true));
        found = found
            .into_iter()
            .map(|value| {
                value
                    .get(name)
                    .unwrap_or_else(|| panic!("`{name}` of `{place}` is not there"))
            })
            .flat_map(|value| match value {
                Value::Array(all) if each => all.iter().collect(),
                one => vec![one],
            })
            .collect();
    }
    found
}

fn every_field_of_the_json_is_there(json: &Value) {
    let n = json["recording"]["channels"].as_array().unwrap().len();
    let is_row = |value: &Value| value.as_array().is_some_and(|row| row.len() == n);
    let promised = PROMISED.lines().flat_map(|line| line.split(" | "));
    for (place, kind) in promised.filter_map(|promise| promise.split_once(' ')) {
        for value in at(json, place) {
            let holds = match kind.trim_end_matches('?') {
                _ if kind.ends_with('?') && value.is_null() => true,
                "number" => value.is_number(),
                "text" => value.is_string(),
                "bool" => value.is_boolean(),
                "list" => value.is_array(),
                "object" => value.is_object(),
                "C" => is_row(value),
                "CxC" => is_row(value) && value.as_array().unwrap().iter().all(is_row),
                other => panic!("{other} is no kind"),
            };
            assert!(holds, "{place} is no {kind}: {value}");
        }
    }
}

#[test]
fn what_did_not_run_is_null_and_what_has_no_figure_too() {
    let mut x = noise(4, 3_000, 5);
    x.row_mut(1).fill(1_000.0);
    let json = json(&run(&recording(x), &quick(StepId::Surrogates)));
    for absent in ["windows", "twin", "what_if", "closed_loop"] {
        assert!(json.as_object().unwrap()[absent].is_null(), "{absent}");
    }
    assert_eq!(json["steps"].as_array().unwrap().len(), StepId::ALL.len());
    assert!(json["steps"][0]["label"].is_null());
    assert!(json["surrogates"]["wpli"]["pairs_p"][0][0].is_null());
    assert!(json["frequency_hz"]["median"][1].is_null());
    assert!(json["analysis"]["guard_s"].is_null() && json["surrogates"]["warning"].is_null());
}

#[test]
fn a_refused_test_names_the_channels_it_was_refused_for() {
    let mut x = noise(4, 3_000, 5);
    x.row_mut(0).fill(1_000.0);
    // A burst at the end of the third channel: trimmed away from the data, spread over its surrogates.
    for at in 2_950..3_000 {
        x[[2, at]] += 4_000.0 * (TAU * 10.0 / RATE_HZ * float(at)).sin();
    }
    let options = Options {
        find_bad_channels: false,
        bad_channels: vec!["c1".to_owned()],
        ..quick(StepId::Wpli)
    };
    let analysis = run(&recording(x), &options);
    assert!(analysis.band.verdict.as_ref().unwrap().refused);
    let surrogates = analysis.band.surrogates.as_ref().unwrap();
    let warning = surrogates.warning.as_ref().unwrap();
    assert!(
        warning.contains("which is so in c3 (") && !warning.contains("c2 ("),
        "{warning}"
    );
    assert!(surrogates.wpli.edges.is_empty() && surrogates.pli.edges.is_empty());
}

#[test]
fn a_lagged_pair_is_found_and_no_other() {
    let analysis = run(&recording(coupled(4, 4_000, 3)), &quick(StepId::Windows));
    assert!(analysis.band.verdict.as_ref().unwrap().significant);
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
        analysis.band.verdict.is_none()
            && analysis.band.measures.is_empty()
            && analysis.twin.is_none()
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
