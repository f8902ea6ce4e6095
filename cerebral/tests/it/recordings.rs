//! The recordings of the test data, each with the faults that its README lists.

#![expect(
    clippy::float_cmp,
    clippy::single_range_in_vec_init,
    reason = "rates and shares are the very numbers of the file, and stretches are lists of ranges"
)]

use std::path::PathBuf;

use cerebral::analyze::{Manifest, Options, StepId, analyze};
use cerebral::phase::welch;
use cerebral::preprocess::{ArtefactKind, cut, find_artefacts};
use cerebral::source::{Dialect, LoadOptions, Recording, load};
use cerebral::{Band, SampleRate};

/// Loads a recording; `None`, told loudly, where the test data is absent.
pub(crate) fn recording(name: &str) -> Option<Recording> {
    let bytes = crate::fixture::test_data(&PathBuf::from("data/eeg").join(name))?;
    Some(load(&bytes, &LoadOptions::default()).unwrap())
}

#[test]
fn the_two_dialects_of_one_signal_load_to_the_identical_array() {
    let (Some(new), Some(old)) = (
        recording("openbci-gui-v6-alpha.txt.gz"),
        recording("openbci-gui-v2-alpha.txt.gz"),
    ) else {
        return;
    };
    assert_eq!(
        (new.dialect, old.dialect),
        (Dialect::OpenbciGui, Dialect::OpenbciV4)
    );
    assert_eq!(new.samples_uv, old.samples_uv);
    for one in [&new, &old] {
        assert_eq!((one.n_channels(), one.n_samples()), (8, 22_490));
        assert_eq!(one.sample_rate_hz, 250.0);
        assert_eq!(one.stretches(), [0..22_490]);
        assert!(one.numbering.gaps.is_empty() && one.numbering.restarts.is_empty());
        assert!(one.numbering.inserted.is_empty() && one.quality.bad_rows.is_empty());
        assert!(one.quality.railed.iter().all(|share| *share == 0.0));
        assert_eq!(one.quality.mains_hz, Some(60.0));
        assert!(
            one.quality
                .mains_ratio
                .iter()
                .all(|ratio| ratio.unwrap() > 20.0),
            "{:?}",
            one.quality
        );
        // Stamps that repeat in a third of the rows scatter.
        assert!(one.quality.jitter_ms.unwrap() > 1.0);
    }
    let highest = new
        .samples_uv
        .iter()
        .fold(0.0_f64, |highest, value| highest.max(value.abs()));
    assert!((65_600.0..65_700.0).contains(&highest), "{highest}");
}

#[test]
fn the_recording_of_2016_restarts_six_times_and_rails() {
    let Some(recording) = recording("openbci-2016-focus-railed.txt.gz") else {
        return;
    };
    assert_eq!(recording.dialect, Dialect::OpenbciV3);
    assert_eq!(
        recording.numbering.restarts,
        [2046, 3054, 3228, 3433, 3583, 3730]
    );
    assert!(recording.numbering.gaps.is_empty() && recording.numbering.inserted.is_empty());
    assert_eq!(recording.stretches().len(), 7);
    assert_eq!(recording.n_samples(), 30_646);
    let bad = &recording.quality.bad_rows;
    assert_eq!(bad.len(), 1);
    assert_eq!(
        (bad[0].row, bad[0].reason.as_str()),
        (30_652, "10 fields of 12")
    );
    assert_eq!(recording.quality.repeated_rows, 1_851);
    assert_eq!(recording.quality.jitter_ms, None);
    for channel in 2..8 {
        let (railed, flat) = (
            recording.quality.railed[channel],
            recording.quality.flat[channel],
        );
        assert!(
            railed + flat > 0.5,
            "channel {channel}: {railed} railed, {flat} flat"
        );
    }
}

#[test]
fn the_recording_of_version_5_begins_with_a_row_of_zeros_and_rails() {
    let Some(recording) = recording("openbci-gui-v5-railed.txt.gz") else {
        return;
    };
    assert_eq!(recording.dialect, Dialect::OpenbciGui);
    assert_eq!(recording.quality.zero_rows, 1);
    assert_eq!(recording.n_samples(), 2_840);
    let railed = &recording.quality.railed;
    assert!(railed[6] > 0.985 && railed[7] > 0.985, "{railed:?}");
    assert!(
        (0.26..0.31).contains(&railed[3]) && (0.26..0.31).contains(&railed[4]),
        "{railed:?}"
    );
    let rate_hz = recording.quality.stamp_rate_hz.unwrap();
    assert!((230.0..270.0).contains(&rate_hz), "{rate_hz}");
}

#[test]
fn the_rise_of_alpha_is_found_in_the_last_two_channels() {
    let Some(recording) = recording("openbci-gui-v6-alpha.txt.gz") else {
        return;
    };
    let rate = SampleRate::new(250.0).unwrap();
    let band = |low, high| Band::new(low, high).unwrap();
    let shares = |seconds: [usize; 2], n_piece: usize| {
        let samples = seconds[0] * 250..seconds[1] * 250;
        let spectrum = welch(cut(recording.samples_uv.view(), samples), n_piece, rate).unwrap();
        spectrum.share(band(8.0, 13.0), band(2.0, 40.0))
    };
    for n_piece in [500, 1_000] {
        let (busy, rest) = (shares([0, 10], n_piece), shares([30, 70], n_piece));
        for channel in [6, 7] {
            assert!((0.125..0.165).contains(&busy[channel]), "{busy:?}");
            assert!((0.425..0.465).contains(&rest[channel]), "{rest:?}");
        }
    }
    // The same from window to window of an analysis.
    let options = Options {
        keep_artefacts: true,
        surrogates: 19,
        until: StepId::Windows,
        ..Options::default()
    };
    let analysis = analyze(&recording, "alpha", Manifest::default(), &options, &()).unwrap();
    let windows = analysis.band.windows.unwrap();
    let mean = |from_s: f64, to_s: f64| {
        let inside = windows
            .iter()
            .filter(|window| window.start_s >= from_s && window.start_s + 2.0 <= to_s);
        let shares: Vec<f64> = inside.map(|window| window.relative_power[6]).collect();
        shares.iter().sum::<f64>() / f64::from(u32::try_from(shares.len()).unwrap())
    };
    assert!(
        mean(30.0, 70.0) > 2.0 * mean(0.0, 10.0),
        "{} {}",
        mean(30.0, 70.0),
        mean(0.0, 10.0)
    );
}

#[test]
fn blinks_and_jaw_are_found_where_they_were_made_and_little_in_between() {
    let Some(recording) = recording("openbci-gui-v6-alpha.txt.gz") else {
        return;
    };
    let good: Vec<usize> = (0..8).collect();
    let found = find_artefacts(
        recording.samples_uv.view(),
        &recording.stretches(),
        &good,
        &[],
        SampleRate::new(250.0).unwrap(),
    )
    .unwrap();
    let marked = |kind: ArtefactKind, from: usize, to: usize| -> usize {
        let inside = |sample: &usize| (from * 250..to * 250).contains(sample);
        let of_kind = found.iter().filter(|artefact| artefact.kind == kind);
        of_kind
            .map(|artefact| {
                artefact
                    .samples
                    .clone()
                    .filter(|sample| inside(sample))
                    .count()
            })
            .sum()
    };
    assert!(marked(ArtefactKind::Blink, 0, 10) > 400, "{found:?}");
    assert!(marked(ArtefactKind::Muscle, 8, 20) > 1_000, "{found:?}");
    for artefact in &found {
        let samples = &artefact.samples;
        assert!(
            samples.end <= 26 * 250 || samples.start >= 75 * 250,
            "at rest: {artefact:?}"
        );
    }
}
