//! One missing number is one gap, whatever the numbering; repeats are none.

use super::*;
use proptest::prelude::*;

fn gap(expected: u64, missing: u64) -> Step {
    Step::Gap { expected, missing }
}

#[test]
fn a_hole_is_told_once_with_its_size() {
    let mut numbers = Numbers::default();
    assert_eq!(numbers.step(10, 10, 0), Step::Next);
    assert_eq!(numbers.step(11, 11, 0), Step::Next);
    assert_eq!(numbers.step(15, 15, 0), gap(12, 3));
    assert_eq!(numbers.step(16, 16, 0), Step::Next);
}

#[test]
fn depth_updates_join_where_the_next_first_is_the_last_plus_one() {
    let mut numbers = Numbers::default();
    assert_eq!(numbers.step(157, 160, 0), Step::Next);
    assert_eq!(numbers.step(161, 170, 0), Step::Next);
    assert_eq!(numbers.step(168, 172, 0), Step::Next, "overlap is no hole");
    assert_eq!(numbers.step(180, 181, 0), gap(173, 7));
}

#[test]
fn a_repeat_is_old_however_late_it_comes() {
    let mut numbers = Numbers::default();
    numbers.step(10, 10, 0);
    assert_eq!(numbers.step(10, 10, 0), Step::Old);
    assert_eq!(numbers.step(9, 9, NS_PER_S), Step::Old);
    assert_eq!(numbers.step(9, 9, 60 * NS_PER_S), Step::Old);
    assert_eq!(numbers.step(11, 11, 61 * NS_PER_S), Step::Next);
}

#[test]
fn a_venue_that_begins_its_numbers_anew_is_heard_again_after_two_seconds() {
    let mut numbers = Numbers::default();
    numbers.step(1_000, 1_000, 0);
    numbers.reconnected();
    assert_eq!(numbers.step(1, 1, 0), Step::Old);
    assert_eq!(numbers.step(2, 2, NS_PER_S), Step::Old);
    assert_eq!(numbers.step(3, 3, RESTART_AFTER_NS), Step::Restart);
    assert_eq!(numbers.step(4, 4, RESTART_AFTER_NS), Step::Next);
}

#[test]
fn what_passed_between_two_connections_is_missed_but_no_gap() {
    let mut numbers = Numbers::default();
    numbers.step(10, 10, 0);
    numbers.reconnected();
    assert_eq!(numbers.step(14, 14, 0), Step::Missed(3));
    assert_eq!(numbers.step(16, 16, 0), gap(15, 1));
}

#[test]
fn a_connection_counts_every_frame_and_a_lower_number_is_another_connection() {
    let mut numbers = ConnectionNumbers::default();
    assert_eq!(numbers.step(7), Step::Next);
    assert_eq!(numbers.step(8), Step::Next);
    assert_eq!(numbers.step(8), Step::Old);
    assert_eq!(numbers.step(10), gap(9, 1));
    assert_eq!(numbers.step(0), Step::Restart);
    assert_eq!(numbers.step(1), Step::Next);
    numbers.reconnected();
    assert_eq!(numbers.step(40), Step::Next);
}

#[test]
fn a_match_on_its_way_is_not_missing_at_the_first_heartbeat() {
    let mut ids = MatchNumbers::default();
    ids.opened(100);
    assert_eq!(ids.heartbeat(101), Step::Next);
    assert_eq!(ids.matched(101, 0), Step::Next);
    assert_eq!(ids.heartbeat(101), Step::Next);
    assert_eq!(ids.matched(102, 0), Step::Next);
}

#[test]
fn a_match_still_missing_at_the_next_heartbeat_is_one_gap_and_not_another_at_the_next_match() {
    let mut ids = MatchNumbers::default();
    ids.opened(100);
    assert_eq!(ids.heartbeat(102), Step::Next);
    assert_eq!(ids.heartbeat(102), gap(101, 2));
    assert_eq!(ids.heartbeat(102), Step::Next);
    assert_eq!(ids.matched(103, 0), Step::Next);
    assert_eq!(ids.matched(105, 0), gap(104, 1));
    assert_eq!(ids.heartbeat(105), Step::Next);
}

#[test]
fn a_match_that_shows_the_hole_first_leaves_nothing_to_the_heartbeat() {
    let mut ids = MatchNumbers::default();
    ids.opened(100);
    assert_eq!(ids.heartbeat(101), Step::Next);
    assert_eq!(ids.matched(102, 0), gap(101, 1));
    assert_eq!(ids.heartbeat(102), Step::Next);
    assert_eq!(ids.heartbeat(102), Step::Next);
}

#[test]
fn matches_after_a_reported_hole_fill_it_and_are_not_repeats() {
    let mut ids = MatchNumbers::default();
    ids.opened(100);
    ids.heartbeat(103);
    assert_eq!(ids.heartbeat(103), gap(101, 3));
    assert_eq!(ids.matched(102, 0), Step::Next);
    assert_eq!(ids.matched(102, 0), Step::Old);
    assert_eq!(ids.matched(106, 0), gap(104, 2));
}

#[test]
fn a_heartbeat_that_knows_no_trade_says_nothing() {
    let mut ids = MatchNumbers::default();
    assert_eq!(
        ids.heartbeat(50),
        Step::Next,
        "no match yet: nothing to compare"
    );
    ids.opened(100);
    for _ in 0..5 {
        assert_eq!(ids.heartbeat(0), Step::Next);
    }
}

#[test]
fn a_last_match_after_a_reconnect_tells_what_was_missed() {
    let mut ids = MatchNumbers::default();
    ids.opened(100);
    ids.reconnected();
    assert_eq!(ids.heartbeat(150), Step::Next);
    assert_eq!(ids.opened(120), Step::Missed(20));
    assert_eq!(ids.matched(121, 0), Step::Next);
    assert_eq!(ids.matched(120, 0), Step::Old);
}

proptest! {
    /// Any one number taken out of an unbroken row, first and last aside, is one gap of one; heartbeats strewn in change nothing.
    #[test]
    fn one_number_less_is_one_gap(
        start in 1_u64..u64::MAX / 2,
        row in prop::collection::vec(prop::bool::weighted(0.3), 3..60),
        left_out in any::<prop::sample::Index>(),
    ) {
        let left_out = 1 + left_out.index(row.len() - 2);
        let mut plain = Numbers::default();
        let mut ids = MatchNumbers::default();
        let (mut plain_gaps, mut match_gaps) = (Vec::new(), Vec::new());
        for (at, &beats) in row.iter().enumerate() {
            let id = start + u64::try_from(at).unwrap();
            if at != left_out {
                plain_gaps.extend(missing(plain.step(id, id, 0)));
                match_gaps.extend(missing(ids.matched(id, 0)));
            }
            if beats {
                match_gaps.extend(missing(ids.heartbeat(id)));
            }
        }
        prop_assert_eq!(plain_gaps, vec![1]);
        prop_assert_eq!(match_gaps, vec![1]);
    }

    #[test]
    fn no_numbers_whatever_make_it_panic(numbers in prop::collection::vec((0_u8..5, prop_oneof![0_u64..20, any::<u64>()], any::<i64>()), 0..100)) {
        let (mut ids, mut connection, mut plain) = (MatchNumbers::default(), ConnectionNumbers::default(), Numbers::default());
        for (what, number, at) in numbers {
            match what {
                0 => { ids.matched(number, at); plain.step(number, number, at); }
                1 => { ids.heartbeat(number); connection.step(number); }
                2 => { ids.opened(number); }
                3 => { ids.reconnected(); plain.reconnected(); }
                _ => { plain.step(number / 2, number, at); }
            }
        }
    }
}

fn missing(step: Step) -> Option<u64> {
    match step {
        Step::Gap { missing, .. } => Some(missing),
        _ => None,
    }
}
