//! Blocks, threads and restarts change no bit; orders do what they say.

use std::f64::consts::{PI, TAU};

use contract::eeg::tags;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};

use super::*;
use crate::source::Rails;
use crate::stream::stretch::{Block, StretchLogic};
use crate::stream::window::WindowSettings;
use crate::twin::{Coupling, Method, Network, Run, signals, simulate};
use crate::units::{Band, SampleRate};

const RATE_HZ: f64 = 250.0;

fn alpha() -> Band {
    Band::new(8.0, 13.0).unwrap()
}

/// As little work as shows everything: half a minute of calibration would test no more.
fn quick() -> TwinSettings {
    let settings = TwinSettings::new(alpha());
    TwinSettings {
        calibrate_over_s: 20.0,
        calibrate_every_s: 8.0,
        use_after_s: 3.0,
        coupling_s: 5.0,
        seeds: 8,
        floor_runs: 3,
        calibration: CalibrationSettings {
            track_hz: [1.0, 30.0],
            max_iterations: 4,
            shrink_rounds: 2,
            shuffles: 2,
            floor_runs: 1,
            ..settings.calibration.clone()
        },
        ..settings
    }
}

fn analyst(n: usize) -> Arc<WindowAnalyst> {
    analyst_with(n, Pass::ZeroPhase)
}

fn analyst_with(n: usize, pass: Pass) -> Arc<WindowAnalyst> {
    let settings = WindowSettings {
        surrogates: 2,
        pass,
        ..WindowSettings::new(alpha())
    };
    let rails = vec![
        Rails {
            values_uv: vec![187_500.0, -187_500.02],
            tolerance_uv: 0.05,
        };
        n
    ];
    let rate = SampleRate::new(RATE_HZ).unwrap();
    Arc::new(WindowAnalyst::new(settings, rails, rate).unwrap())
}

fn float(count: usize) -> f64 {
    crate::number::float(count)
}

/// Alpha oscillators under noise; `coupling_rad_s` from each to the next and back.
fn recording(n: usize, seconds: f64, coupling_rad_s: f64, seed: u64) -> Array2<f64> {
    let next = |i: usize, j: usize| i.abs_diff(j) == 1;
    let coupling = Array2::from_shape_fn(
        (n, n),
        |(i, j)| if next(i, j) { coupling_rad_s } else { 0.0 },
    );
    let omega = (0..n).map(|i| TAU * (10.0 + 0.3 * (float(i) - float(n - 1) / 2.0)));
    let network = Network::new(omega.collect(), Coupling::Constant(coupling)).unwrap();
    let network = network.with_noise(ndarray::Array1::ones(n)).unwrap();
    let run = Run {
        method: Method::Heun,
        duration_s: seconds,
        step_s: 2e-3,
        record_every: 2,
        seed,
    };
    let start: Vec<f64> = (0..n).map(float).collect();
    let path = simulate(&network, &start, &run).unwrap();
    let mut rng = ChaCha8Rng::seed_from_u64(seed + 1000);
    let noise = Array2::from_shape_simple_fn(path.theta.dim(), || {
        let normal: f64 = StandardNormal.sample(&mut rng);
        6.0 * normal + 500.0
    });
    signals(path.theta.view(), &vec![20.0; n], Some(noise.view())).unwrap()
}

fn start(id: &str, node: u64, drive: DriveKind, amplitude_rad_s: f64) -> Stimulation<'_> {
    Stimulation {
        v: tags::V1,
        kind: tags::StimulationKind,
        session: "made-up".into(),
        id: id.into(),
        order: Order::Start,
        node,
        drive,
        amplitude_rad_s,
        frequency_hz: None,
        delta_rad: 0.0,
        target: None,
        at_ns: 0,
    }
}

/// By debug text: NaN equals NaN, and floats are written to their last bit.
fn text(found: &[(Closed, Option<eeg::Twin>)]) -> Vec<String> {
    found.iter().map(|found| format!("{found:?}")).collect()
}

fn inline() -> Arc<dyn Calibrate> {
    Arc::new(Inline)
}

#[test]
fn blocks_of_any_size_and_threads_of_any_number_give_the_same_bits() {
    let uv = recording(4, 44.0, 3.0, 1);
    let orders = [
        (6_001, start("torque", 1, DriveKind::Torque, 6.0)),
        (7_777, start("locked", 2, DriveKind::Locked, 6.0)),
    ];
    let with = |block: usize, calibrator: &Arc<dyn Calibrate>| {
        let analyst = analyst(4);
        over_stretch(&quick(), &analyst, calibrator, uv.view(), block, &orders).unwrap()
    };
    let whole = with(usize::MAX, &inline());
    let twins = whole.iter().filter(|(_, twin)| twin.is_some()).count();
    assert!(twins > 15, "{twins}");
    let driven = |(_, twin): &(Closed, Option<eeg::Twin>)| {
        let twin = twin.as_ref()?;
        Some(twin.stimulation.as_ref()?.id.clone())
    };
    let ids: Vec<String> = whole.iter().filter_map(driven).collect();
    assert!(ids.contains(&"torque".to_owned()) && ids.contains(&"locked".to_owned()));
    let whole = text(&whole);
    for block in [7, 250] {
        assert_eq!(text(&with(block, &inline())), whole, "blocks of {block}");
    }
    for threads in [1, 3] {
        let pool: Arc<dyn Calibrate> = Arc::new(Pool::new(threads).unwrap());
        assert_eq!(text(&with(1, &pool)), whole, "{threads} threads");
    }
}

/// Runs a stretch with the twin put away and brought back after each window that `when` says.
fn interrupted(
    uv: &Array2<f64>,
    orders: &[(usize, Stimulation<'_>)],
    when: impl Fn(u64) -> bool,
) -> (Vec<String>, usize) {
    let (analyst, calibrator) = (analyst(uv.nrows()), inline());
    let mut twin = SessionTwin::new(quick(), &analyst, 0, &calibrator).unwrap();
    let mut machine = StretchLogic::machine(&analyst, 0);
    let (mut found, mut largest) = (Vec::new(), 0);
    let mut orders = orders.iter().peekable();
    for (at, column) in uv.columns().into_iter().enumerate() {
        while let Some((_, order)) = orders.next_if(|(before, _)| *before <= at) {
            twin.order(order).unwrap();
        }
        let index = u64::try_from(at).unwrap();
        let column = column.insert_axis(Axis(1));
        twin.samples(index, column);
        let mut closed = Vec::new();
        for fed in Block::new(index, column.to_owned(), 0).feed() {
            machine.push(fed, &mut closed, &mut Vec::new()).unwrap();
        }
        for closed in closed {
            let k = closed.k;
            found.push((twin.window(&closed), k));
            if when(k) {
                let stored = serde_json::to_string(&twin.state()).unwrap();
                largest = largest.max(stored.len());
                let state = serde_json::from_str(&stored).unwrap();
                twin = SessionTwin::restore(quick(), &analyst, 0, &calibrator, state).unwrap();
            }
        }
    }
    let text = found.iter().map(|found| format!("{found:?}"));
    (text.collect(), largest)
}

#[test]
fn a_twin_put_away_after_any_window_goes_on_with_the_same_bits() {
    let uv = recording(3, 40.0, 3.0, 2);
    let orders = [
        (6_200, start("tone", 0, DriveKind::Tone, 5.0)),
        (8_000, start("locked", 1, DriveKind::Locked, 5.0)),
    ];
    let (straight, _) = interrupted(&uv, &orders, |_| false);
    let with = |what: &str| straight.iter().filter(|said| said.contains(what)).count();
    assert!(with("Some(Twin") > 10 && with("Some(Stimulated") > 8);
    for phase in 0..3 {
        let (again, bytes) = interrupted(&uv, &orders, |k| k % 3 == phase);
        assert_eq!(again, straight, "put away at windows {phase} of 3");
        println!("3 channels, 20 s: a state of {bytes} bytes at most");
    }
}

/// The twin's words while one stimulation runs from the first calibration on.
fn stimulated(uv: &Array2<f64>, order: Stimulation<'_>) -> Vec<eeg::Stimulated> {
    let settings = TwinSettings {
        seeds: 20,
        ..quick()
    };
    let orders = [(0, order)];
    let found = over_stretch(
        &settings,
        &analyst(uv.nrows()),
        &inline(),
        uv.view(),
        250,
        &orders,
    );
    let said = found
        .unwrap()
        .into_iter()
        .filter_map(|(_, twin)| twin?.stimulation);
    said.collect()
}

#[test]
fn a_drive_locked_to_another_channel_raises_the_order_and_the_opposite_lowers_it() {
    // Two channels that nothing else holds together: where others are coupled to the node, they come along.
    let uv = recording(2, 60.0, 0.0, 3);
    let at = |delta_rad: f64| {
        let order = Stimulation {
            delta_rad,
            target: Some(0),
            ..start("lock", 1, DriveKind::Locked, 30.0)
        };
        let said = stimulated(&uv, order);
        assert!(said[0].running_s.abs() < 1e-12 && said[0].r.0.is_nan());
        assert_eq!(said[0].effect, "unclear");
        assert!((0.05..0.1).contains(&said[1].delay_s.0), "{:?}", said[1]);
        let change = said[1..].iter().map(|said| said.r.0 - said.r_without.0);
        let how = |effect: &str| said.iter().filter(|said| said.effect == effect).count();
        let mean = change.sum::<f64>() / float(said.len() - 1);
        println!(
            "locked with offset {delta_rad:.2}: r changes by {mean:.3}; {} windows raised, {} lowered, of {}",
            how("raises"),
            how("lowers"),
            said.len()
        );
        (mean, how("raises"), how("lowers"))
    };
    let (towards, away) = (at(0.0), at(PI));
    assert!(towards.0 > 0.02 && away.0 < -0.02);
    assert!(towards.1 > 3 * towards.2 && away.2 > 3 * away.1);
}

#[test]
fn a_strong_drive_locked_to_a_channel_takes_its_node_to_that_channels_frequency() {
    let uv = recording(3, 40.0, 0.0, 9);
    let order = Stimulation {
        target: Some(0),
        ..start("lock", 2, DriveKind::Locked, 40.0)
    };
    let said = stimulated(&uv, order);
    let changes = said[2..].iter().map(|said| said.frequency_change_hz[2].0);
    let mean_hz = changes.sum::<f64>() / float(said.len() - 2);
    println!("locked to a channel 0.6 Hz slower: {mean_hz:.3} Hz");
    assert!((-0.9..-0.3).contains(&mean_hz), "{mean_hz}");
}

#[test]
fn a_torque_turns_its_node_faster_by_what_it_is() {
    let uv = recording(4, 34.0, 0.0, 4);
    let said = stimulated(&uv, start("push", 2, DriveKind::Torque, TAU));
    assert!(said.len() > 5);
    for said in &said[1..] {
        let change: Vec<f64> = said.frequency_change_hz.iter().map(|hz| hz.0).collect();
        // Hardly coupled: what is left of couplings that are none slows it and takes the others along.
        assert!((0.7..1.1).contains(&change[2]), "{change:?}");
        assert!(change[0].abs() < 0.35, "{change:?}");
        assert!(said.delay_s.0.is_nan() && said.frequency_hz.0.is_nan());
        assert!(said.objective.contains("same noise"));
    }
}

#[test]
fn a_tone_of_its_own_frequency_and_no_strength_changes_nothing() {
    let uv = recording(3, 34.0, 2.0, 5);
    let said = stimulated(&uv, start("nothing", 2, DriveKind::Tone, 0.0));
    for said in &said[1..] {
        assert!((said.r.0 - said.r_without.0).abs() < 1e-12 && said.r_change_sd.0 < 1e-12);
        assert_eq!(said.effect, "unclear");
        assert!((9.0..11.0).contains(&said.frequency_hz.0));
        assert!(
            said.pli_change
                .iter()
                .flatten()
                .all(|change| change.0.abs() < 1e-12)
        );
    }
}

#[test]
fn orders_count_once_and_those_that_make_no_sense_are_refused() {
    let mut twin = SessionTwin::new(quick(), &analyst(3), 0, &inline()).unwrap();
    let running = |twin: &SessionTwin| twin.stimulation.as_ref().map(|running| running.id.clone());
    twin.order(&start("a", 0, DriveKind::Tone, 1.0)).unwrap();
    twin.order(&start("b", 1, DriveKind::Tone, 1.0)).unwrap();
    twin.order(&start("a", 0, DriveKind::Tone, 1.0)).unwrap();
    assert_eq!(running(&twin).unwrap(), "b");
    let stop = |id: &'static str| Stimulation {
        order: Order::Stop,
        ..start(id, 0, DriveKind::Tone, 1.0)
    };
    twin.order(&stop("a")).unwrap();
    assert_eq!(running(&twin).unwrap(), "b");
    twin.order(&stop("b")).unwrap();
    assert_eq!(running(&twin), None);
    twin.order(&stop("c")).unwrap();
    twin.order(&start("c", 0, DriveKind::Tone, 1.0)).unwrap();
    assert_eq!(running(&twin), None);
    let refused = [
        start("d", 3, DriveKind::Tone, 1.0),
        start("d", 0, DriveKind::Tone, -1.0),
        start("d", 0, DriveKind::Tone, f64::NAN),
        start("d", 0, DriveKind::Torque, 100.1),
        Stimulation {
            target: Some(u64::MAX),
            ..start("d", 0, DriveKind::Locked, 1.0)
        },
        Stimulation {
            frequency_hz: Some(f64::INFINITY),
            ..start("d", 0, DriveKind::Tone, 1.0)
        },
        Stimulation {
            delta_rad: f64::NAN,
            ..start("d", 0, DriveKind::Locked, 1.0)
        },
    ];
    for order in refused {
        assert!(twin.order(&order).is_err(), "{order:?}");
    }
    assert_eq!(running(&twin), None);
    twin.order(&start("d", 0, DriveKind::Tone, 1.0)).unwrap();
    assert_eq!(running(&twin).unwrap(), "d");
}

#[test]
fn a_locked_drive_is_refused_where_phases_are_late_by_the_filter() {
    let causal = analyst_with(3, Pass::Causal);
    let mut twin = SessionTwin::new(quick(), &causal, 0, &inline()).unwrap();
    let locked = start("a", 0, DriveKind::Locked, 1.0);
    let error = twin.order(&locked).unwrap_err();
    assert!(error.to_string().contains("--filter zero-phase"), "{error}");
    assert_eq!(twin.stimulation, None);
    let stop = Stimulation {
        order: Order::Stop,
        ..start("b", 0, DriveKind::Locked, 1.0)
    };
    twin.order(&stop).unwrap();
    twin.order(&start("a", 0, DriveKind::Tone, 1.0)).unwrap();
    assert!(twin.stimulation.is_some());
}

#[test]
fn what_the_twin_says_of_the_next_window_comes_nearer_than_chance() {
    let uv = recording(4, 70.0, 4.0, 6);
    let found = over_stretch(&quick(), &analyst(4), &inline(), uv.view(), 250, &[]).unwrap();
    let (mut field, mut n, mut r_off) = (0.0, 0.0, 0.0);
    for pair in found.windows(2) {
        let (Some(twin), Ok(next)) = (&pair[0].1, &pair[1].0.window) else {
            continue;
        };
        let Ok(figures) = &next.figures else { continue };
        // The phases' common turn and their differences together.
        for (said, measured) in twin.phase_next_rad.iter().zip(&figures.phase_rad) {
            field += (said.0 - measured).cos();
            n += 1.0;
        }
        r_off += (twin.r_next.0 - figures.r).abs();
    }
    println!(
        "{n} phases one hop ahead: mean cosine of the error {:.3}; r off by {:.3}",
        field / n,
        r_off / n * 4.0
    );
    assert!(n > 100.0 && field / n > 0.2, "{n} {field}");
    assert!(r_off / n * 4.0 < 0.3, "{r_off}");
}

#[test]
fn a_channel_at_its_rail_is_no_node_and_too_few_channels_have_no_twin() {
    let mut uv = recording(4, 34.0, 3.0, 7);
    uv.row_mut(2).fill(187_500.0);
    let found = over_stretch(&quick(), &analyst(4), &inline(), uv.view(), 250, &[]).unwrap();
    let twins: Vec<&eeg::Twin> = found.iter().filter_map(|(_, twin)| twin.as_ref()).collect();
    assert!(!twins.is_empty());
    for twin in twins {
        assert!(twin.omega_hz[2].0.is_nan() && twin.phase_next_rad[2].0.is_nan());
        assert!(twin.coupling_rad_s[2].iter().all(|k| k.0.is_nan()));
        assert!(twin.omega_hz[3].0.is_finite() && twin.coupling_rad_s[3][0].0.is_finite());
        assert!(twin.pli_next[3][0].0.is_finite());
        assert!(twin.score.0.is_finite() && twin.noise_floor_rad_s > 0.0);
    }
    for channel in 0..3 {
        uv.row_mut(channel).fill(0.0);
    }
    let found = over_stretch(&quick(), &analyst(4), &inline(), uv.view(), 250, &[]).unwrap();
    assert!(found.iter().all(|(_, twin)| twin.is_none()));
}

#[test]
fn another_rate_hop_and_reference_have_figures_too() {
    let rate = SampleRate::new(125.0).unwrap();
    let settings = WindowSettings {
        surrogates: 2,
        hop_s: 0.5,
        reference: crate::preprocess::Reference::Average,
        ..WindowSettings::new(alpha())
    };
    let analyst = WindowAnalyst::new(settings, vec![Rails::default(); 5], rate).unwrap();
    // Every second sample of twice the rate.
    let fast = recording(5, 30.0, 3.0, 10);
    let uv = Array2::from_shape_fn((5, fast.ncols() / 2), |(i, t)| fast[[i, 2 * t]]);
    let orders = [(0, start("lock", 1, DriveKind::Locked, 6.0))];
    let found = over_stretch(
        &quick(),
        &Arc::new(analyst),
        &inline(),
        uv.view(),
        33,
        &orders,
    );
    let found = found.unwrap();
    let said: Vec<&eeg::Twin> = found.iter().filter_map(|(_, twin)| twin.as_ref()).collect();
    assert!(said.len() > 8, "{}", said.len());
    for twin in &said[1..] {
        let driven = twin.stimulation.as_ref().unwrap();
        assert!((0.0..=1.0).contains(&twin.r_next.0) && (0.0..=1.0).contains(&driven.r.0));
        assert!(twin.phase_next_rad.iter().all(|phase| phase.0.is_finite()));
        assert!(driven.frequency_change_hz[1].0.abs() > 1e-6);
    }
    let steps: Vec<f64> = said
        .iter()
        .map(|twin| twin.stimulation.as_ref().unwrap().running_s)
        .collect();
    // Half a second is 62.5 samples of this rate, taken as 63.
    assert!((steps[1] - steps[0] - 0.504).abs() < 1e-12, "{steps:?}");
}

#[test]
fn a_state_of_another_session_or_no_state_at_all_is_refused() {
    let (analyst_3, calibrator) = (analyst(3), inline());
    let mut twin = SessionTwin::new(quick(), &analyst_3, 0, &calibrator).unwrap();
    twin.samples(0, recording(3, 4.0, 0.0, 8).view());
    twin.order(&start("a", 2, DriveKind::Tone, 1.0)).unwrap();
    let restore = |analyst: &Arc<WindowAnalyst>, state: TwinState| {
        SessionTwin::restore(quick(), analyst, 0, &calibrator, state)
    };
    assert!(restore(&analyst_3, twin.state()).is_ok());
    let error = restore(&analyst(2), twin.state()).unwrap_err();
    assert!(error.to_string().contains("its samples"), "{error}");
    let stored = serde_json::to_string(&twin.state()).unwrap();
    for (from, to) in [
        ("\"text\":\"", "\"text\":\"AAAA"),
        ("\"node\":2", "\"node\":9"),
        ("\"pending\":null", "\"pending\":40"),
    ] {
        let broken = stored.replace(from, to);
        assert_ne!(broken, stored);
        let refused = match serde_json::from_str::<TwinState>(&broken) {
            Ok(state) => restore(&analyst_3, state).is_err(),
            Err(_) => true,
        };
        assert!(refused, "{to}");
    }
}

#[test]
fn settings_that_make_no_sense_are_refused() {
    let refused = |change: fn(&mut TwinSettings)| {
        let mut settings = quick();
        change(&mut settings);
        SessionTwin::new(settings, &analyst(3), 0, &inline()).is_err()
    };
    assert!(refused(|settings| settings.calibrate_over_s = 5.0));
    assert!(refused(|settings| settings.calibrate_every_s = f64::NAN));
    assert!(refused(|settings| settings.use_after_s = 9.0));
    assert!(refused(|settings| settings.coupling_s = 15.0));
    assert!(refused(|settings| settings.seeds = 1));
    assert!(refused(|settings| settings.step_s = 0.0));
    assert!(!refused(|_| ()));
}

#[test]
fn a_long_hop_is_what_the_coupling_is_looked_at_over_and_too_long_a_one_is_named() {
    let settings = TwinSettings::new(alpha());
    assert_eq!(settings.in_hops(1.0).unwrap().coupling, 10);
    assert_eq!(settings.in_hops(15.0).unwrap().coupling, 1);
    let error = settings.check(31.0).unwrap_err().to_string();
    assert!(
        error.contains("`hop_s` is 31") && error.contains("30 s"),
        "{error}"
    );
}

/// The twins of two stretches of one session, the second `missing` samples behind the first.
fn over_a_gap(uv: &Array2<f64>, gap_at: usize, missing: usize) -> [Vec<Option<eeg::Twin>>; 2] {
    let analyst = analyst(4);
    let (mut before, mut found) = (None, Vec::new());
    for part in [0..gap_at, gap_at + missing..uv.ncols()] {
        let at = u64::try_from(part.start).unwrap();
        let mut twin = SessionTwin::new(quick(), &analyst, at, &inline()).unwrap();
        if let Some(before) = before.take() {
            twin.go_on_from(before);
        }
        let part = crate::preprocess::cut(uv.view(), part);
        twin.samples(0, part);
        let closed = StretchLogic::windows_of(&analyst, at, part.to_owned());
        found.push(closed.iter().map(|closed| twin.window(closed)).collect());
        before = Some(twin);
    }
    found.try_into().unwrap()
}

#[test]
fn a_calibration_under_way_at_a_gap_is_the_one_it_would_have_been() {
    let uv = recording(4, 40.0, 3.0, 1);
    let whole = over_stretch(&quick(), &analyst(4), &inline(), uv.view(), 250, &[]).unwrap();
    let undisturbed = whole.into_iter().find_map(|(_, twin)| twin).unwrap();
    // Begun at 20 s, due at 23 s.
    let [before, behind] = over_a_gap(&uv, 5_300, 250);
    assert!(before.iter().all(Option::is_none));
    let told: Vec<&eeg::Twin> = behind.iter().flatten().collect();
    assert!(told.len() > 8, "{}", told.len());
    let calibrated = |twin: &eeg::Twin| {
        (
            (twin.calibrated_until, twin.edges.clone()),
            [twin.noise_floor_rad_s, twin.score.0].map(f64::to_bits),
        )
    };
    assert_eq!(calibrated(told[0]), calibrated(&undisturbed));
}

#[test]
fn a_network_is_gone_on_with_behind_a_short_gap_and_not_behind_a_long_one() {
    let uv = recording(4, 60.0, 3.0, 1);
    let [before, behind] = over_a_gap(&uv, 6_500, 250);
    let last = before.iter().flatten().next_back().unwrap();
    let next = behind.iter().flatten().next().unwrap();
    assert_eq!(next.calibrated_until, last.calibrated_until);
    // Longer than the 20 s that it is calibrated on.
    let [_, behind] = over_a_gap(&uv, 6_500, 5_250);
    assert!(behind.iter().all(Option::is_none));
}

#[test]
fn an_order_stands_behind_a_gap_begins_anew_and_can_be_stopped() {
    let analyst = analyst(4);
    let uv = recording(4, 60.0, 3.0, 1);
    let torque = start("one", 1, DriveKind::Torque, 3.0);
    let stop = Stimulation {
        order: Order::Stop,
        ..torque.clone()
    };
    let told = |twin: &mut SessionTwin, at: u64, part: std::ops::Range<usize>| {
        let part = crate::preprocess::cut(uv.view(), part);
        twin.samples(0, part);
        let closed = StretchLogic::windows_of(&analyst, at, part.to_owned());
        let said = closed.iter().filter_map(|closed| twin.window(closed));
        said.map(|twin| twin.stimulation.map(|of| of.running_s))
            .collect::<Vec<_>>()
    };
    let twin_at = |at: u64| SessionTwin::new(quick(), &analyst, at, &inline()).unwrap();
    let mut before = twin_at(0);
    before.order(&torque).unwrap();
    let ran = told(&mut before, 0, 0..7_500);
    assert!(ran.last().unwrap().unwrap() >= 3.0, "{ran:?}");
    let mut behind = twin_at(7_600);
    behind.go_on_from(before);
    behind.order(&torque).unwrap();
    let ran = told(&mut behind, 7_600, 7_600..10_000);
    let seconds: Vec<f64> = ran.iter().copied().flatten().collect();
    assert!(seconds.len() == ran.len() && seconds.len() > 4, "{ran:?}");
    assert!(seconds[0] <= 0.0 && seconds.is_sorted(), "{seconds:?}");
    let mut later = twin_at(10_001);
    later.go_on_from(behind);
    later.order(&stop).unwrap();
    let ran = told(&mut later, 10_001, 10_001..12_000);
    assert!(
        !ran.is_empty() && ran.iter().all(Option::is_none),
        "{ran:?}"
    );
}
