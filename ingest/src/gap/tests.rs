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

mod overlap {
    use super::*;

    const OLDER: bool = false;
    const NEWER: bool = true;

    fn after(last: u64) -> Numbers {
        let mut numbers = Numbers::default();
        numbers.step(last, last, 0);
        numbers.overlap();
        numbers
    }

    #[test]
    fn of_two_connections_whichever_brings_a_number_first_is_taken_and_nothing_is_missing() {
        let mut numbers = after(10);
        assert_eq!(numbers.beside(12, 12, NEWER), Step::Next);
        assert_eq!(
            numbers.beside(11, 11, OLDER),
            Step::Next,
            "late, and never seen"
        );
        assert_eq!(numbers.beside(12, 12, OLDER), Step::Old);
        assert_eq!(numbers.beside(11, 11, OLDER), Step::Old);
        assert_eq!(numbers.beside(13, 13, OLDER), Step::Next);
        assert_eq!(numbers.beside(13, 13, NEWER), Step::Old);
        assert_eq!(numbers.settle(true), []);
        assert_eq!(numbers.step(14, 14, 0), Step::Next);
        assert_eq!(numbers.step(16, 16, 0), gap(15, 1));
    }

    #[test]
    fn what_neither_brought_is_a_gap_and_what_the_older_took_with_it_was_missed() {
        let mut numbers = after(10);
        assert_eq!(numbers.beside(14, 14, NEWER), Step::Next);
        assert_eq!(numbers.beside(12, 12, OLDER), Step::Next);
        assert_eq!(numbers.beside(17, 17, NEWER), Step::Next);
        assert_eq!(
            numbers.settle(true),
            [Step::Missed(1), Step::Missed(1), gap(15, 2)]
        );
        assert_eq!(numbers.settle(true), [], "told once");
    }

    #[test]
    fn a_hole_across_the_newer_one_s_first_number_is_told_in_two_parts() {
        let mut numbers = after(10);
        numbers.beside(20, 20, OLDER);
        numbers.beside(15, 15, NEWER);
        assert_eq!(
            numbers.settle(true),
            [Step::Missed(4), gap(16, 4)],
            "11 to 14, and 16 to 19"
        );
    }

    #[test]
    fn where_the_second_brought_nothing_a_hole_is_a_gap() {
        let mut numbers = after(10);
        numbers.beside(12, 12, OLDER);
        assert_eq!(numbers.settle(false), [gap(11, 1)]);
        assert_eq!(numbers.step(14, 14, 0), gap(13, 1));
        numbers.overlap();
        assert_eq!(numbers.settle(true), []);
        assert_eq!(numbers.step(17, 17, 0), Step::Missed(2));
    }

    #[test]
    fn holes_beyond_those_that_are_kept_are_gaps_at_once() {
        let mut numbers = after(0);
        let steps: Vec<Step> = (1..=65)
            .map(|at| numbers.beside(at * 2, at * 2, OLDER))
            .collect();
        assert!(steps[..64].iter().all(|step| *step == Step::Next));
        assert_eq!(steps[64], gap(129, 1));
        assert_eq!(numbers.settle(true).len(), 64);
    }

    #[test]
    fn messages_of_several_numbers_fill_the_middle_of_a_hole() {
        let mut numbers = after(10);
        numbers.beside(31, 40, NEWER);
        assert_eq!(numbers.beside(15, 20, OLDER), Step::Next);
        assert_eq!(numbers.beside(15, 20, OLDER), Step::Old);
        assert_eq!(numbers.settle(true), [Step::Missed(4), Step::Missed(10)]);
    }

    #[test]
    fn heartbeats_and_last_matches_of_two_connections_prove_nothing() {
        let mut ids = MatchNumbers::default();
        ids.opened(100);
        ids.overlap();
        assert_eq!(ids.opened(105), Step::Next);
        assert_eq!(ids.heartbeat(105), Step::Next);
        assert_eq!(ids.heartbeat(104), Step::Next);
        for id in 101..=105 {
            assert_eq!(ids.beside(id, OLDER), Step::Next);
        }
        assert_eq!(ids.settle(true), []);
        assert_eq!(ids.heartbeat(106), Step::Next);
        assert_eq!(ids.heartbeat(106), gap(106, 1));
    }

    #[test]
    fn matches_that_a_lost_connection_took_with_it_were_missed() {
        let mut ids = MatchNumbers::default();
        ids.opened(100);
        ids.overlap();
        ids.opened(105);
        ids.beside(102, OLDER);
        assert_eq!(ids.settle(true), [Step::Missed(1), Step::Missed(3)]);
        assert_eq!(ids.matched(106, 0), Step::Next);
    }

    #[test]
    fn a_hole_that_a_heartbeat_told_of_is_not_told_again() {
        let mut ids = MatchNumbers::default();
        ids.opened(100);
        ids.heartbeat(102);
        assert_eq!(ids.heartbeat(102), gap(101, 2));
        ids.overlap();
        ids.beside(105, OLDER);
        assert_eq!(ids.settle(false), [gap(103, 2)]);
    }

    proptest! {
        /// Two connections, each in its own order, interleaved in any way, each with its own losses.
        #[test]
        fn every_number_is_taken_once_or_told_missing(
            starts in 1_u64..20, steps in prop::collection::vec((any::<bool>(), 0..10_u8), 1..200),
        ) {
            let mut numbers = after(0);
            let mut taken = std::collections::BTreeSet::new();
            let (mut older, mut newer) = (1, starts);
            for (is_newer, luck) in steps {
                let next = if is_newer { &mut newer } else { &mut older };
                if luck > 0 && numbers.beside(*next, *next, is_newer) != Step::Old {
                    prop_assert!(taken.insert(*next), "{next} twice");
                }
                *next += 1;
            }
            let missing: u64 = numbers.settle(true).into_iter().map(|step| match step {
                Step::Missed(missing) | Step::Gap { missing, .. } => missing,
                _ => 0,
            }).sum();
            let highest = taken.last().copied().unwrap_or(0);
            prop_assert_eq!(u64::try_from(taken.len()).unwrap() + missing, highest);
        }
    }
}
