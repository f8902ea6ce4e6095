use std::collections::VecDeque;
use std::sync::mpsc;

use contract::eeg::tags::{EndKind, SamplesKind, V1};
use contract::eeg::{End, Figure, State};
use contract::topic;
use ndarray::Array2;
use windowing::dataflow::{self, BoxError, Outlet, Polled, Results, Source, Task};
use windowing::work::Work;

use super::*;
use crate::connectivity::Pass;
use crate::stream::twin::{Inline, TwinSettings};
use crate::stream::window::WindowSettings;
use crate::units::Band;

const RATE_HZ: f64 = 250.0;

fn settings() -> Arc<StreamSettings> {
    let window = WindowSettings {
        surrogates: 4,
        rolling: 3,
        ..WindowSettings::new(Band::new(8.0, 13.0).unwrap())
    };
    Arc::new(StreamSettings::new(window))
}

/// Noise of four channels, with a common rhythm in two of them.
fn signal(seed: u64, n: usize) -> Array2<f64> {
    let mut x = seed | 1;
    let mut noise = move || {
        x = x
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        let high = u32::try_from(x >> 33).unwrap();
        f64::from(high) / f64::from(1_u32 << 31) - 0.5
    };
    Array2::from_shape_fn((4, n), |(channel, t)| {
        let lag = if channel == 1 { 0.8 } else { 0.0 };
        let rhythm = if channel < 2 { 15.0 } else { 0.0 };
        let t = f64::from(u32::try_from(t).unwrap());
        20.0 * noise() + rhythm * (std::f64::consts::TAU * 10.0 * t / RATE_HZ - lag).sin()
    })
}

/// The records of a session in blocks of `chunk`, a gap of ten samples before sample `gap_at`, and its end.
fn records(session: &str, uv: &Array2<f64>, chunk: usize, gap_at: usize) -> Vec<Vec<u8>> {
    let mut lines = Vec::new();
    let mut from = 0;
    while from < uv.ncols() {
        let mut to = (from + chunk).min(uv.ncols());
        if from < gap_at {
            to = to.min(gap_at);
        }
        let missing = if from >= gap_at { 10 } else { 0 };
        let rows = uv.rows().into_iter();
        let samples = Samples {
            v: V1,
            kind: SamplesKind,
            session: session.into(),
            sample_rate_hz: RATE_HZ,
            channels: ["a", "b", "c", "d"].map(Into::into).to_vec(),
            rails_uv: vec![Vec::new(); 4],
            at: u64::try_from(from + missing).unwrap(),
            follows: from > 0 && from != gap_at,
            ids: None,
            stamps_ns: None,
            received_ns: 1,
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
        };
        lines.push(serde_json::to_vec(&samples).unwrap());
        from = to;
    }
    let end = End {
        v: V1,
        kind: EndKind,
        session: session.into(),
        at: u64::try_from(uv.ncols() + 10).unwrap(),
        at_ns: 2,
    };
    lines.push(serde_json::to_vec(&end).unwrap());
    lines
}

/// Lines of states, and reasons of dead letters.
type Given = (Vec<String>, Vec<String>);

fn push(machine: &mut SessionWindows, lines: &[Vec<u8>], given: &mut Given) {
    for (offset, bytes) in (0_i64..).zip(lines) {
        let (mut out, mut side) = (Vec::new(), Vec::new());
        let bytes = bytes.clone();
        let Ok(()) = machine.push(Input { offset, bytes }, &mut out, &mut side);
        let lines = out
            .into_iter()
            .map(|of| String::from_utf8(of.line).unwrap());
        given.0.extend(lines);
        given.1.extend(side.into_iter().map(|letter| letter.error));
    }
}

fn run(lines: &[Vec<u8>]) -> Given {
    let mut given = Given::default();
    push(&mut SessionWindows::new(&settings(), 0), lines, &mut given);
    given
}

#[test]
fn blocks_of_any_size_give_the_same_records() {
    let uv = signal(7, 2_600);
    let (expected, dead) = run(&records("s", &uv, 2_600, 1_300));
    // 1,300 samples hold windows 0..=3, and so do those behind the gap.
    assert_eq!((expected.len(), dead.len()), (8, 0));
    let states: Vec<State<'_>> = expected
        .iter()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let figured = states.iter().filter(|state| state.reason.is_none());
    let figured: Vec<u64> = figured.map(|state| state.at).collect();
    assert_eq!(figured, [250, 500, 1_560, 1_810]);
    assert!(states[1].wpli[0][1].0 > states[1].wpli[2][3].0);
    assert_eq!(states[1].quality.len(), 4);
    for chunk in [1, 7, 250] {
        assert_eq!(run(&records("s", &uv, chunk, 1_300)).0, expected, "{chunk}");
    }
}

#[test]
fn a_partition_brought_back_at_any_record_goes_on_with_the_same_bits() {
    let lines = records("s", &signal(3, 2_000), 125, 1_300);
    let mut others = records("t", &signal(4, 1_900), 100, 5_000).into_iter();
    let mut mixed = Vec::new();
    for line in lines {
        mixed.push(line);
        mixed.extend(others.next());
    }
    let (expected, _) = run(&mixed);
    assert!(expected.len() > 9, "{}", expected.len());
    for at in 1..mixed.len() {
        let mut machine = SessionWindows::new(&settings(), 0);
        let mut given = Given::default();
        push(&mut machine, &mixed[..at], &mut given);
        let text = StreamSettings::text(&StreamSettings::state(&machine));
        let mut machine = settings().restore(0, &text).unwrap();
        let again = StreamSettings::text(&StreamSettings::state(&machine));
        assert_eq!(text, again, "what is brought back at {at} is what was kept");
        push(&mut machine, &mixed[at..], &mut given);
        assert_eq!(given.0, expected, "brought back at {at}");
    }
}

/// Settings with a twin that is calibrated on 20 s and used 2 s later.
fn with_twin() -> Arc<StreamSettings> {
    let mut with_twin = (*settings()).clone();
    let twin = TwinSettings {
        calibrate_over_s: 20.0,
        calibrate_every_s: 30.0,
        use_after_s: 2.0,
        coupling_s: 5.0,
        seeds: 3,
        ..TwinSettings::new(with_twin.window.band)
    };
    with_twin.window.surrogates = 1;
    Arc::new(with_twin.with_twin(twin, Arc::new(Inline)))
}

/// What a partition gives that is put away and brought back before record `at`.
fn brought_back(settings: &Arc<StreamSettings>, lines: &[Vec<u8>], at: usize) -> Given {
    let mut machine = SessionWindows::new(settings, 0);
    let mut given = Given::default();
    push(&mut machine, &lines[..at], &mut given);
    let text = StreamSettings::text(&StreamSettings::state(&machine));
    let mut machine = settings.restore(0, &text).unwrap();
    push(&mut machine, &lines[at..], &mut given);
    given
}

#[test]
fn a_twin_goes_along_takes_orders_and_is_brought_back_with_its_partition() {
    let with_twin = with_twin();
    let order = |node: u64| {
        format!(
            r#"{{"v":1,"kind":"stimulation","session":"s","id":"one","order":"start","node":{node},"drive":"tone","amplitude_rad_s":9.0,"frequency_hz":10.0,"delta_rad":0.0,"target":null,"at_ns":1}}"#
        )
    };
    let mut lines = records("s", &signal(3, 7_500), 125, 50_000);
    lines.insert(46, order(0).into_bytes());
    lines.insert(48, order(9).into_bytes());
    let (expected, dead) = brought_back(&with_twin, &lines, 1);
    assert_eq!(dead.len(), 1, "{dead:?}");
    let states: Vec<State<'_>> = expected
        .iter()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let twins: Vec<_> = states
        .iter()
        .filter_map(|state| state.twin.as_ref())
        .collect();
    assert!(twins.len() >= 5, "{}", twins.len());
    let stimulated = twins.iter().filter_map(|twin| twin.stimulation.as_ref());
    let stimulated: Vec<_> = stimulated.collect();
    assert!(stimulated.last().unwrap().running_s > 0.0);
    assert!(stimulated.iter().all(|of| of.id == "one" && of.node == 0));
    // While samples gather, while it is calibrated, before and behind the orders.
    for at in [20, 42, 45, 47, 49, 55] {
        assert_eq!(
            brought_back(&with_twin, &lines, at).0,
            expected,
            "brought back at {at}"
        );
    }
}

#[test]
fn behind_a_gap_the_twin_goes_on_with_what_it_had_and_is_brought_back_there_too() {
    let with_twin = with_twin();
    // The calibration is begun at sample 5,000 and due at 5,500. Before, between, behind.
    for (gap_at, has_twin) in [(4_900, false), (5_200, true), (6_200, true)] {
        let uv = signal(3, gap_at + 1_500);
        let lines = records("s", &uv, 125, gap_at);
        let (expected, _) = brought_back(&with_twin, &lines, 1);
        let states: Vec<State<'_>> = expected
            .iter()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        let behind = states
            .iter()
            .filter(|state| state.at > u64::try_from(gap_at).unwrap() && state.reason.is_none());
        let twins: Vec<_> = behind.map(|state| state.twin.as_ref()).collect();
        assert!(twins.len() >= 3, "{}", twins.len());
        for twin in twins {
            assert_eq!(twin.is_some(), has_twin, "gap at {gap_at}");
            if let Some(twin) = twin {
                assert_eq!(twin.calibrated_until, 5_000, "gap at {gap_at}");
                assert!(twin.r_next.0.is_finite());
            }
        }
        let first_behind = gap_at.div_ceil(125);
        for at in [
            first_behind - 1,
            first_behind,
            first_behind + 1,
            first_behind + 5,
        ] {
            let given = brought_back(&with_twin, &lines, at);
            assert_eq!(given.0, expected, "gap at {gap_at}, brought back at {at}");
        }
    }
}

#[test]
fn a_bad_channel_that_a_session_does_not_have_says_nothing_and_the_partition_is_brought_back() {
    let mut settings = (*with_twin()).clone();
    settings.window.bad_channels = vec![1, 8];
    let settings = Arc::new(settings);
    // Behind the calibration, which is used from sample 5,500 on.
    let lines = records("s", &signal(3, 6_500), 125, 50_000);
    let (expected, dead) = brought_back(&settings, &lines, 1);
    assert_eq!(dead, Vec::<String>::new());
    let states: Vec<State<'_>> = expected
        .iter()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert!(states.iter().any(|state| state.twin.is_some()));
    for state in states.iter().filter(|state| state.reason.is_none()) {
        let bad: Vec<u64> = state.bad_channels.iter().map(|bad| bad.index).collect();
        assert_eq!(bad, [1]);
    }
    let given = brought_back(&settings, &lines, 49);
    assert_eq!(given.0, expected);
}

#[test]
fn a_session_that_is_of_no_use_is_told_once_and_its_blocks_are_dead_letters() {
    let mut settings = (*settings()).clone();
    settings.window.band = Band::new(8.0, 200.0).unwrap();
    let mut machine = SessionWindows::new(&Arc::new(settings), 0);
    let mut given = Given::default();
    for session in ["s", "t"] {
        let lines = records(session, &signal(3, 500), 125, 5_000);
        push(&mut machine, &lines[..4], &mut given);
    }
    assert_eq!((given.0.len(), given.1.len()), (0, 8));
    assert!(given.1[0].contains("session `s`") && given.1[0].contains("`band`"));
    let told: Vec<&str> = machine.unusable.iter().map(String::as_str).collect();
    assert_eq!(told, ["s", "t"]);
}

#[test]
fn no_more_sessions_than_allowed_have_a_twin() {
    let mut few = (*settings()).clone();
    few.max_twins = 1;
    let twin = TwinSettings::new(few.window.band);
    let few = Arc::new(few.with_twin(twin, Arc::new(Inline)));
    let mut machine = SessionWindows::new(&few, 0);
    for session in ["a", "b"] {
        let first = &records(session, &signal(1, 500), 250, 5_000)[..1];
        push(&mut machine, first, &mut Given::default());
    }
    let have = |machine: &SessionWindows| {
        let live = machine.live.values();
        live.map(|live| live.twin.is_some()).collect::<Vec<_>>()
    };
    assert_eq!(have(&machine), [true, false]);
    let text = StreamSettings::text(&StreamSettings::state(&machine));
    assert_eq!(have(&few.restore(0, &text).unwrap()), [true, false]);
}

#[test]
fn orders_for_nobody_are_dead_letters() {
    let order = br#"{"v":1,"kind":"stimulation","session":"s","id":"one","order":"stop","node":0,"drive":"tone","amplitude_rad_s":9.0,"frequency_hz":10.0,"delta_rad":0.0,"target":null,"at_ns":1}"#;
    let mut lines = records("s", &signal(3, 500), 250, 5_000);
    lines.insert(0, order.to_vec());
    lines.insert(2, order.to_vec());
    let (_, dead) = run(&lines);
    assert!(dead[0].contains("no samples of session `s`"), "{dead:?}");
    assert!(dead[1].contains("session `s` has no twin"), "{dead:?}");
}

#[test]
fn a_state_of_other_settings_or_of_rubbish_is_refused_with_the_reason() {
    let lines = records("s", &signal(3, 1_500), 125, 5_000);
    let mut machine = SessionWindows::new(&settings(), 0);
    push(&mut machine, &lines[..9], &mut Given::default());
    let text = StreamSettings::text(&StreamSettings::state(&machine));
    let refused = |settings: &Arc<StreamSettings>, text: &str| {
        let refused = settings
            .restore(0, text)
            .err()
            .expect("it must not be taken");
        refused.to_string()
    };
    let mut other = (*settings()).clone();
    other.window.hop_s = 0.5;
    let told = refused(&Arc::new(other), &text);
    assert!(told.contains("other settings"), "{told}");
    assert!(refused(&settings(), "{}").contains("documented shape"));
    let short = text.replacen("\"uv\":\"", "\"uv\":\"AAAA", 1);
    assert!(refused(&settings(), &short).contains("readings cannot be read back"));
    let torn = text.replacen("\"null_shape\":[", "\"null_shape\":[9", 1);
    assert!(refused(&settings(), &torn).contains("null cannot be read back"));
}

#[test]
fn neighbours_change_nothing_of_a_session() {
    let own = records("s", &signal(3, 1_500), 125, 5_000);
    let (alone, _) = run(&own);
    let mut others = records("t", &signal(9, 2_000), 50, 600).into_iter();
    let mut mixed = Vec::new();
    for line in own {
        mixed.extend(others.next());
        mixed.extend(others.next());
        mixed.push(line);
    }
    let (all, _) = run(&mixed);
    let of_session: Vec<&String> = all
        .iter()
        .filter(|line| line.contains(r#""session":"s""#))
        .collect();
    assert_eq!(of_session, alone.iter().collect::<Vec<_>>());
    assert!(all.len() > alone.len());
}

#[test]
fn what_cannot_be_used_leaves_as_a_dead_letter_and_the_session_goes_on() {
    let good = records("s", &signal(3, 1_500), 125, 5_000);
    let (alone, _) = run(&good);
    let mut broken = Vec::new();
    for line in &good {
        broken.push(line.clone());
        broken.push(line[..line.len() / 2].to_vec());
        broken.push(br#"{"v":1,"kind":"impedance"}"#.to_vec());
        broken.push(br#"{"v":3,"kind":"samples"}"#.to_vec());
        let torn = String::from_utf8(line.clone()).unwrap();
        broken.push(
            torn.replacen("\"rails_uv\":[[],", "\"rails_uv\":[", 1)
                .into_bytes(),
        );
    }
    let (lines, dead) = run(&broken);
    assert_eq!(lines, alone);
    // Of the record that ends the session the changed copy is as good as the first.
    assert_eq!(dead.len(), 4 * good.len() - 1);
    for reason in [
        "documented shape",
        "unknown kind `impedance`",
        "version 3",
        "3 of rails",
    ] {
        assert!(
            dead.iter().any(|told| told.contains(reason)),
            "{reason}: {dead:?}"
        );
    }
}

#[test]
fn of_too_many_sessions_the_one_unheard_for_longest_ends() {
    let mut few = (*settings()).clone();
    few.max_sessions = 2;
    let mut machine = SessionWindows::new(&Arc::new(few), 0);
    let mut given = Given::default();
    for session in ["a", "b", "a", "c", "d"] {
        let first = &records(session, &signal(1, 1_000), 600, 5_000)[..1];
        push(&mut machine, first, &mut given);
    }
    assert_eq!((machine.seen().sessions, machine.seen().forgotten), (2, 2));
    assert_eq!(machine.new_sessions(), ["a", "b", "c", "d"]);
    // Its open window is told of: nothing ends without a word.
    assert!(given.0.iter().any(|line| line.contains(r#""session":"b""#)));
}

#[test]
fn of_the_most_channels_a_state_still_is_a_record_and_of_more_there_is_none() {
    let many = |n: usize| {
        let four = signal(5, 1_500);
        let uv = Array2::from_shape_fn((n, 1_500), |(channel, t)| {
            four[[channel % 4, (t + 7 * channel) % 1_500]]
        });
        let rows = uv.rows().into_iter();
        let samples = Samples {
            v: V1,
            kind: SamplesKind,
            session: "many".into(),
            sample_rate_hz: RATE_HZ,
            channels: (0..n)
                .map(|channel| format!("channel {channel}").into())
                .collect(),
            rails_uv: vec![Vec::new(); n],
            at: 0,
            follows: false,
            ids: None,
            stamps_ns: None,
            received_ns: 1,
            uv: rows
                .map(|row| row.iter().copied().map(Figure).collect())
                .collect(),
        };
        run(&[serde_json::to_vec(&samples).unwrap()])
    };
    let (lines, dead) = many(crate::stream::session::MAX_CHANNELS);
    assert!(dead.is_empty() && lines.len() > 2, "{dead:?}");
    let figured = lines
        .iter()
        .map(|line| serde_json::from_str::<State<'_>>(line).unwrap());
    assert!(figured.filter(|state| state.reason.is_none()).count() > 1);
    let most = lines.iter().map(String::len).max().unwrap();
    assert!(most < MAX_RECORD, "{most} bytes");
    let (lines, dead) = many(crate::stream::session::MAX_CHANNELS + 1);
    assert!(lines.is_empty());
    assert!(dead[0].contains("129 channels"), "{dead:?}");
}

struct Memory(VecDeque<Vec<(i32, Input)>>);

impl Source<StreamSettings> for Memory {
    fn poll(&mut self, batch: &mut Vec<(i32, Input)>) -> Result<Polled, BoxError> {
        match self.0.pop_front() {
            Some(records) => {
                batch.extend(records);
                Ok(Polled::More)
            }
            None => Ok(Polled::End),
        }
    }
}

struct Keep(mpsc::Sender<(i32, String)>);

impl Outlet<StreamSettings> for Keep {
    fn accept(&mut self, results: &mut Results<StreamSettings>) -> Result<(), BoxError> {
        for (partition, emitted) in results.closed.drain(..) {
            self.0.send((partition, String::from_utf8(emitted.line)?))?;
        }
        Ok(())
    }

    fn finish(&mut self) -> Result<(), BoxError> {
        Ok(())
    }
}

#[test]
fn any_number_of_workers_gives_the_same_records() {
    let sessions: Vec<(i32, Vec<Vec<u8>>)> = (0..8)
        .map(|number| {
            let name = format!("session-{number}");
            let partition = topic::EEG_SAMPLES.partition_of(name.as_bytes());
            let chunk = [1, 7, 250, 1_700][number % 4];
            let uv = signal(u64::try_from(number).unwrap(), 1_700);
            (partition, records(&name, &uv, chunk, 5_000))
        })
        .collect();
    let on_workers = |n_workers: i32| {
        let (send, receive) = mpsc::channel();
        let tasks = (0..n_workers).map(|worker| {
            let own = |partition: i32| partition % n_workers == worker;
            let batches = sessions
                .iter()
                .filter(|(partition, _)| own(*partition))
                .map(|(partition, lines)| {
                    let inputs = (0_i64..).zip(lines).map(|(offset, bytes)| Input {
                        offset,
                        bytes: bytes.clone(),
                    });
                    inputs.map(|input| (*partition, input)).collect()
                });
            Task {
                partitions: (0..topic::EEG_SAMPLES.partitions)
                    .filter(|of| own(*of))
                    .collect(),
                source: Box::new(Memory(batches.collect())),
                outlet: Box::new(Keep(send.clone())),
            }
        });
        let tasks = tasks.collect();
        drop(send);
        let seen = dataflow::run(&settings(), tasks).unwrap();
        let mut lines: Vec<(i32, String)> = receive.iter().collect();
        lines.sort();
        (seen, lines)
    };
    let (seen, expected) = on_workers(1);
    assert_eq!((seen.windows, seen.ends), (5 * 8, 8));
    for n_workers in [2, 4] {
        assert_eq!(
            on_workers(n_workers),
            (seen, expected.clone()),
            "{n_workers} workers"
        );
    }
}

#[test]
fn a_causal_filter_is_the_other_choice_and_says_how_late_it_is() {
    let lines = records("s", &signal(5, 2_600), 125, 50_000);
    let states = |pass: Pass| {
        let mut own = (*settings()).clone();
        own.window.pass = pass;
        let mut given = Given::default();
        push(
            &mut SessionWindows::new(&Arc::new(own), 0),
            &lines,
            &mut given,
        );
        given.0
    };
    let [zero_phase, causal] = [Pass::ZeroPhase, Pass::Causal].map(states);
    let read = |lines: &[String]| -> Vec<(f64, f64, f64)> {
        let states = lines
            .iter()
            .map(|line| serde_json::from_str::<State<'_>>(line).unwrap());
        let figured = states.filter(|state| state.reason.is_none());
        figured
            .map(|state| {
                (
                    state.filter_delay_s,
                    state.phase_rad[0].0,
                    state.wpli[0][1].0,
                )
            })
            .collect()
    };
    let (zero_phase, causal) = (read(&zero_phase), read(&causal));
    assert!(zero_phase.len() == causal.len() && causal.len() > 4);
    for ((none, phase, wpli), (late, late_phase, late_wpli)) in zero_phase.iter().zip(&causal) {
        assert!(*none <= 0.0 && (0.1..0.3).contains(late), "{none} {late}");
        // A rhythm of 10 Hz: the filter turns all channels alike, so networks stay and phases do not.
        assert!((wpli - late_wpli).abs() < 0.3, "{wpli} {late_wpli}");
        assert!((phase - late_phase).abs() > 1e-3);
    }
}
