use super::*;
use crate::testing::eeg::{Made, MadeTwin, Says, end, order, samples, state};
use contract::eeg::Order;

const S: i64 = NS_PER_S;

fn with(windows: std::ops::Range<u64>) -> Sessions {
    let mut sessions = Sessions::default();
    for k in windows {
        sessions.window(&state(&Made::default(), k), 0).unwrap();
    }
    sessions
}

fn first(sessions: &Sessions) -> &Session {
    sessions.iter().next().unwrap()
}

#[test]
fn what_the_twin_said_is_held_against_the_window_that_came() {
    let sessions = with(100..103);
    let past = &first(&sessions).past;
    assert!(past[0].r_said.is_nan(), "nothing was said before the first");
    let before = state(&Made::default(), 101).twin.unwrap();
    assert!(past[2].r_said.total_cmp(&before.r_next.0).is_eq());
    let now = state(&Made::default(), 102);
    let errors = now.phase_rad.iter().zip(&before.phase_next_rad);
    let errors: Vec<f64> = errors
        .map(|(now, said)| (Figure(now.0 - said.0).0.sin().atan2((now.0 - said.0).cos())).abs())
        .collect();
    let expected = errors.iter().sum::<f64>() / 8.0;
    assert!((past[2].phase_error_rad - expected).abs() < 1e-9);
    assert!(past[2].phase_error_alone_rad.is_finite());
}

#[test]
fn nothing_is_held_against_a_window_of_another_stretch_or_behind_a_gap() {
    for (k, stretch_at) in [(103, 0), (102, 9_999)] {
        let mut sessions = with(100..102);
        let mut other = state(&Made::default(), k);
        other.stretch_at = stretch_at;
        sessions.window(&other, 0).unwrap();
        let newest = first(&sessions).past.back().unwrap();
        assert!(newest.r_said.is_nan() && newest.phase_error_rad.is_nan());
    }
}

#[test]
fn the_past_is_bounded_and_a_rewind_begins_it_anew() {
    let mut sessions = with(0..700);
    assert_eq!(first(&sessions).past.len(), MAX_PAST);
    assert_eq!(sessions.window(&state(&Made::default(), 3), 0), Ok(true));
    assert_eq!(first(&sessions).past.len(), 1);
}

#[test]
fn sessions_are_bounded() {
    let mut sessions = Sessions::default();
    for at in 0..MAX_SESSIONS {
        let mut state = state(&Made::default(), 0);
        state.session = Cow::Owned(format!("s{at}"));
        sessions.window(&state, 0).unwrap();
    }
    assert_eq!(
        sessions.samples(&samples(&Made::default(), 0), 0),
        Err(Refused::BeyondBounds)
    );
    let later = 90 * S;
    assert_eq!(
        sessions.samples(&samples(&Made::default(), 0), later),
        Ok(false),
        "those of which nothing came for long make room"
    );
    let mut wide = state(&Made::default(), 1);
    wide.session = Cow::Borrowed("s9");
    wide.channels = vec![Cow::Borrowed("x"); MAX_CHANNELS + 1];
    assert_eq!(sessions.window(&wide, 0), Err(Refused::BeyondBounds));
    assert_eq!(sessions.len(), MAX_SESSIONS);
}

#[test]
fn quiet_is_told_from_ended() {
    let mut sessions = with(0..2);
    let made = Made::default();
    sessions.samples(&samples(&made, 50), 0).unwrap();
    assert_eq!(first(&sessions).quiet_ns(3 * S), None);
    assert_eq!(first(&sessions).quiet_ns(12 * S), Some(12 * S));
    sessions.end(&end(&made, 60), 5 * S).unwrap();
    sessions.window(&state(&made, 2), 6 * S).unwrap();
    assert_eq!(
        first(&sessions).quiet_ns(60 * S),
        None,
        "the last windows come after the end"
    );
    sessions.samples(&samples(&made, 61), 61 * S).unwrap();
    assert_eq!(
        first(&sessions).quiet_ns(70 * S),
        Some(64 * S),
        "it goes on after all"
    );
}

#[test]
fn names_are_shown_clean_and_orders_go_to_the_name_as_it_is() {
    let mut sessions = Sessions::default();
    let mut named = state(&Made::default(), 0);
    named.session = Cow::Borrowed("a\u{1b}[31m");
    named.channels[0] = Cow::Borrowed("\n");
    sessions.window(&named, 0).unwrap();
    let session = first(&sessions);
    assert_eq!(
        (&*session.name, &*session.key),
        ("a\u{fffd}[31m", "a\u{1b}[31m")
    );
    assert_eq!(session.channel(0), "\u{fffd}");
    let start = order(&Made::default(), "one", Order::Start);
    sessions.order(&start).unwrap();
    let other = sessions.iter().nth(1).unwrap();
    assert_eq!(
        other.order.as_ref().map(|order| order.id.as_ref()),
        Some("one")
    );
}

#[test]
fn verdicts_are_those_of_the_records() {
    for (says, verdict) in [
        (Says::Significant, Verdict::Significant),
        (Says::NotSignificant, Verdict::NotSignificant),
        (Says::Refused, Verdict::Refused),
        (Says::Untested, Verdict::Untested),
        (Says::NoFigures, Verdict::NoFigures),
    ] {
        let made = Made {
            says,
            twin: MadeTwin::None,
            ..Made::default()
        };
        assert_eq!(Verdict::of(&state(&made, 3)), verdict);
    }
}

#[test]
fn surrogates_that_were_refused_give_no_null_to_hold_figures_against() {
    let mut sessions = Sessions::default();
    for (k, says) in [(0, Says::NotSignificant), (1, Says::Refused)] {
        let made = Made {
            says,
            ..Made::default()
        };
        sessions.window(&state(&made, k), 0).unwrap();
    }
    let known: Vec<(bool, bool)> = first(&sessions)
        .past
        .iter()
        .map(|point| (point.wpli_95.is_finite(), point.r_5_95[0].is_finite()))
        .collect();
    assert_eq!(known, [(true, true), (false, false)]);
}

#[test]
fn long_names_are_told_apart_by_what_they_do_not_share() {
    let mut sessions = Sessions::default();
    let mut named = state(&Made::default(), 0);
    for (at, name) in named.channels.iter_mut().enumerate() {
        *name = Cow::Owned(format!("EXG Kanal-日本 {at}"));
    }
    sessions.window(&named, 0).unwrap();
    let session = first(&sessions);
    assert_eq!(
        (&*session.short(3, 4), &*session.short(3, 40)),
        ("3", "EXG Kanal-日本 3")
    );
    named.at += 1;
    named.channels.fill(Cow::Borrowed("all the same"));
    sessions.window(&named, 0).unwrap();
    assert_eq!(first(&sessions).short(3, 5), "all …");
}
