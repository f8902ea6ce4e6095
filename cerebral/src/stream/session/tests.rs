//! Blocks of any size give the same windows, and gaps are gaps.

use contract::eeg::{Figure, Samples};
use ndarray::{Array2, Axis};
use windowing::windows::Windows;

use super::*;
use crate::stream::stretch::{Closed, StretchLogic};
use crate::stream::window::{Rolling, Window};
use crate::units::Band;

const RATE_HZ: f64 = 250.0;

fn settings() -> WindowSettings {
    WindowSettings {
        surrogates: 3,
        ..WindowSettings::new(Band::new(8.0, 13.0).unwrap())
    }
}

/// Four channels, 10 Hz with lags and some noise.
fn signal(n: usize) -> Array2<f64> {
    let mut x = 88_172_645_463_325_252_u64;
    let mut noise = || {
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        f64::from(u32::try_from(x >> 40).unwrap()) / f64::from(1 << 24) - 0.5
    };
    Array2::from_shape_fn((4, n), |(channel, t)| {
        let lag = f64::from(u8::try_from(channel).unwrap()) * 0.6;
        let t_s = f64::from(u32::try_from(t).unwrap()) / RATE_HZ;
        20.0 * (std::f64::consts::TAU * 10.0 * t_s - lag).sin() + 15.0 * noise() + 1_000.0
    })
}

fn block(uv: &Array2<f64>, from: usize, to: usize, at: u64, follows: bool) -> Samples<'static> {
    let rows = uv.rows().into_iter();
    Samples {
        v: contract::eeg::tags::V1,
        kind: contract::eeg::tags::SamplesKind,
        session: "made-up".into(),
        sample_rate_hz: RATE_HZ,
        channels: ["a", "b", "c", "d"].map(Into::into).to_vec(),
        rails_uv: vec![vec![187_500.0, -187_500.0]; 4],
        at,
        follows,
        ids: None,
        stamps_ns: None,
        received_ns: 1_723_161_255_000_000_000,
        uv: rows
            .map(|row| {
                row.iter()
                    .skip(from)
                    .take(to - from)
                    .copied()
                    .map(Figure)
                    .collect()
            })
            .collect(),
    }
}

/// Runs the machines without timely.
#[derive(Default)]
struct Run {
    machines: HashMap<Stretch, Windows<StretchLogic>>,
    closed: Vec<(u64, Closed)>,
}

impl Run {
    fn feed(&mut self, sessions: &Sessions, fed: Vec<ForStretch>) {
        for (stretch, fed) in fed {
            let (_, analyst) = sessions.session(&stretch.session).unwrap();
            let machine = self
                .machines
                .entry(stretch.clone())
                .or_insert_with(|| StretchLogic::machine(analyst, stretch.at));
            let mut out = Vec::new();
            match fed {
                operator::Fed::Record(fed) => {
                    machine.push(fed, &mut out, &mut Vec::new()).unwrap();
                }
                operator::Fed::Look => {}
                operator::Fed::End => machine.finish(&mut out),
            }
            self.closed
                .extend(out.into_iter().map(|closed| (stretch.number, closed)));
        }
    }
}

/// Windows of a signal in chunks, with a gap of so many samples in the middle.
fn windows(uv: &Array2<f64>, chunk: usize, gap: Option<(usize, u64)>) -> Vec<(u64, Closed)> {
    let mut sessions = Sessions::new(settings());
    let mut run = Run::default();
    let mut from = 0;
    while from < uv.ncols() {
        let mut to = (from + chunk).min(uv.ncols());
        let mut at = u64::try_from(from).unwrap();
        let mut follows = from > 0;
        if let Some((place, missing)) = gap {
            if from < place {
                to = to.min(place);
            } else {
                at += missing;
                follows &= from != place;
            }
        }
        let mut fed = Vec::new();
        let block = block(uv, from, to, at, follows);
        sessions.take(&block, &mut fed).unwrap();
        run.feed(&sessions, fed);
        from = to;
    }
    let ends: Vec<ForStretch> = run
        .machines
        .keys()
        .max_by_key(|stretch| stretch.number)
        .map(|stretch| (stretch.clone(), operator::Fed::End))
        .into_iter()
        .collect();
    run.feed(&sessions, ends);
    run.closed
}

#[test]
fn chunks_of_any_size_give_the_same_windows_as_their_buffers_alone() {
    let uv = signal(2_400);
    let analyst = WindowAnalyst::new(
        WindowSettings {
            session: session_key("made-up"),
            ..settings()
        },
        vec![
            Rails {
                values_uv: vec![187_500.0, -187_500.0],
                tolerance_uv: AT_RAIL_UV,
            };
            4
        ],
        SampleRate::new(RATE_HZ).unwrap(),
    )
    .unwrap();
    let mut rolling = Rolling::default();
    let alone: Vec<Window> = (1..=6)
        .map(|k: usize| {
            let buffer = uv.slice_axis(Axis(1), (k * 250 - 250..k * 250 + 750).into());
            let k = u64::try_from(k).unwrap();
            analyst.window(buffer, 0, k, &mut rolling).unwrap()
        })
        .collect();
    for chunk in [1, 7, 250, 2_400] {
        let closed = windows(&uv, chunk, None);
        // Windows 0..=7 lie within 2,400 samples; the buffers of the first and the last do not.
        let ks: Vec<u64> = closed.iter().map(|(_, closed)| closed.k).collect();
        assert_eq!(ks, (0..=7).collect::<Vec<u64>>(), "chunks of {chunk}");
        for (_, closed) in [&closed[0], &closed[7]] {
            assert!(closed.window.as_ref().unwrap_err().contains("beyond a gap"));
        }
        for (expected, (_, closed)) in alone.iter().zip(&closed[1..7]) {
            // As text, where NaN is NaN and every bit of a figure shows.
            let (expected_text, text) = (format!("{expected:?}"), format!("{:?}", closed.window));
            assert_eq!(format!("Ok({expected_text})"), text, "chunks of {chunk}");
            assert!(expected.figures.is_ok(), "{:?}", expected.figures);
        }
    }
}

#[test]
fn a_gap_ends_a_stretch_and_windows_begin_anew_behind_it() {
    let uv = signal(3_000);
    let closed = windows(&uv, 100, Some((1_430, 17)));
    let first = closed.iter().filter(|(number, _)| *number == 0).count();
    // 1,430 samples hold windows 0..=3, 1,570 hold 0..=4.
    assert_eq!((first, closed.len() - first), (4, 5));
    for (number, closed) in &closed {
        let is_whole = closed.window.is_ok();
        let last = if *number == 0 { 3 } else { 4 };
        assert_eq!(
            is_whole,
            (1..last).contains(&closed.k),
            "{number} {}",
            closed.k
        );
        let begin = if *number == 0 { 0 } else { 1_447 };
        assert_eq!(closed.at, begin + closed.k * 250);
    }
}

#[test]
fn a_block_that_came_before_is_passed_over() {
    let uv = signal(500);
    let mut sessions = Sessions::new(settings());
    let mut fed = Vec::new();
    for (from, to) in [(0, 100), (100, 200), (100, 200), (0, 100), (200, 300)] {
        let at = u64::try_from(from).unwrap();
        let follows = from > 0 || sessions.session("made-up").is_some();
        sessions
            .take(&block(&uv, from, to, at, follows), &mut fed)
            .unwrap();
    }
    assert_eq!(sessions.seen_again(), 2);
    let samples = fed
        .iter()
        .filter(|(_, fed)| matches!(fed, operator::Fed::Record(Fed::Sample(..))));
    assert_eq!(samples.count(), 300);
    assert!(!fed.iter().any(|(_, fed)| matches!(fed, operator::Fed::End)));
}

#[test]
fn a_railed_channel_is_left_out_of_its_windows_alone() {
    let mut uv = signal(3_000);
    for t in 1_000..1_010 {
        uv[[2, t]] = 187_500.0;
    }
    let closed = windows(&uv, 250, None);
    for (_, closed) in &closed {
        let Ok(window) = &closed.window else { continue };
        let buffer = closed.k * 250 - 250..closed.k * 250 + 750;
        let touched = buffer.start < 1_010 && 1_000 < buffer.end;
        let bad: Vec<usize> = window.bad.iter().map(|bad| bad.index).collect();
        assert_eq!(bad, if touched { vec![2] } else { vec![] }, "{}", closed.k);
        if let Ok(figures) = &window.figures {
            assert_eq!(figures.pli[[2, 0]].is_nan(), touched);
            assert!(figures.pli[[1, 0]].is_finite());
        }
    }
}

#[test]
fn blocks_without_sense_are_refused_with_the_reason() {
    let uv = signal(100);
    let mut sessions = Sessions::new(settings());
    let mut refused = |change: fn(&mut Samples<'static>)| {
        let mut samples = block(&uv, 0, 100, 0, true);
        change(&mut samples);
        let error = sessions.take(&samples, &mut Vec::new()).unwrap_err();
        error.to_string()
    };
    let short = refused(|samples| samples.uv[1].truncate(7));
    assert!(short.contains("channel 1 has 7 samples"), "{short}");
    let missing = refused(|samples| samples.uv[1][3] = Figure(f64::NAN));
    assert!(missing.contains("a sample is missing inside"), "{missing}");
    let ids = refused(|samples| samples.ids = Some(vec![1]));
    assert!(ids.contains("ids or stamps are not 100"), "{ids}");
    let rate = refused(|samples| samples.sample_rate_hz = 0.0);
    assert!(rate.contains("session `made-up`"), "{rate}");
    let slow = refused(|samples| samples.sample_rate_hz = 20.0);
    assert!(slow.contains("session `made-up`"), "{slow}");
}

/// Who makes windows of the made-up signal with these settings.
fn analyst_of(settings: WindowSettings) -> Result<Arc<WindowAnalyst>, AnalysisError> {
    let rails = vec![
        Rails {
            values_uv: Vec::new(),
            tolerance_uv: AT_RAIL_UV,
        };
        4
    ];
    let rate = SampleRate::new(RATE_HZ).unwrap();
    WindowAnalyst::new(settings, rails, rate).map(Arc::new)
}

#[test]
fn a_hop_as_long_as_window_and_guards_gives_each_window_its_own_samples() {
    let uv = signal(9_000);
    let hop = |hop_s| WindowSettings {
        hop_s,
        ..settings()
    };
    for (hop_s, hop_samples) in [(2.6, 650), (4.0, 1_000)] {
        let analyst = analyst_of(hop(hop_s)).unwrap();
        let closed = StretchLogic::windows_of(&analyst, 0, uv.clone());
        let mut rolling = Rolling::default();
        let mut compared = 0;
        for closed in closed {
            assert_eq!(closed.at, closed.k * hop_samples);
            let at = usize::try_from(closed.at).unwrap();
            let Some(from) = at
                .checked_sub(250)
                .filter(|from| from + 1_000 <= uv.ncols())
            else {
                assert!(closed.window.is_err(), "{hop_s} s, {}", closed.k);
                continue;
            };
            let buffer = uv.slice_axis(Axis(1), (from..from + 1_000).into());
            let alone = analyst.window(buffer, 0, closed.k, &mut rolling).unwrap();
            let (alone, found) = (format!("Ok({alone:?})"), format!("{:?}", closed.window));
            assert_eq!(found, alone, "{hop_s} s, {}", closed.k);
            compared += 1;
        }
        assert!(compared >= 7, "{hop_s} s: {compared}");
    }
}

#[test]
fn settings_that_no_window_can_have_are_refused_by_their_names() {
    type Change = fn(&mut WindowSettings);
    let of = |change: Change| {
        let mut settings = settings();
        change(&mut settings);
        let told = settings.check().map_err(|error| error.to_string());
        let analyst = analyst_of(settings).map_err(|error| error.to_string());
        assert!(told.is_ok() || told.as_ref().err() == analyst.as_ref().err());
        told
    };
    let cases: [(&str, Change); 10] = [
        ("`hop_s` is 5", |of| of.hop_s = 5.0),
        ("above 0 to 4 s", |of| of.hop_s = 4.001),
        ("`hop_s` is 0", |of| of.hop_s = 0.0),
        ("`window_s` is 0", |of| of.window_s = 0.0),
        ("`guard_s` is -1", |of| of.guard_s = -1.0),
        ("`notch frequency` is 0", |of| of.notch_hz = Some(0.0)),
        ("`alpha` is 2", |of| of.alpha = 2.0),
        ("`alpha` is NaN", |of| of.alpha = f64::NAN),
        ("`rolling windows` is 0", |of| of.rolling = 0),
        ("`surrogates` is 0", |of| of.surrogates = 0),
    ];
    for (told, change) in cases {
        let found = of(change).unwrap_err();
        assert!(found.contains(told), "{told}: {found}");
    }
    assert_eq!(of(|_| ()), Ok(()));
    // A sum that floats round down.
    let exact = |of: &mut WindowSettings| (of.window_s, of.guard_s, of.hop_s) = (0.7, 0.1, 0.9);
    assert_eq!(of(exact), Ok(()));
}
