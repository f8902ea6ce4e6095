//! Samples that wait, and such that do not.

use super::*;

const SAMPLE_NS: i64 = 4_000_000;

/// Samples of 250 a second, of which number 0 came at 0.
fn arrivals() -> Arrivals<()> {
    let mut arrivals = Arrivals::new(Placing::new(250.0, Some(256)));
    assert_eq!(come(&mut arrivals, 0, 0..1), [0]);
    arrivals
}

/// These numbers come; gives the places that are sure.
fn come(arrivals: &mut Arrivals<()>, at: i64, numbers: std::ops::Range<i64>) -> Vec<u64> {
    for number in numbers {
        arrivals.push(Arrived {
            id: u8::try_from(number % 256).unwrap(),
            received_ns: at * SAMPLE_NS,
            sample: (),
        });
    }
    places(arrivals.settle(at * SAMPLE_NS))
}

fn places(placed: Vec<(Place, Arrived<()>)>) -> Vec<u64> {
    placed.into_iter().map(|(place, _)| place.at).collect()
}

#[test]
fn a_loss_that_the_ids_tell_in_full_waits_for_nothing() {
    let mut arrivals = arrivals();
    arrivals.quiet(180 * SAMPLE_NS);
    assert_eq!(come(&mut arrivals, 200, 199..201), [199, 200]);
}

#[test]
fn a_loss_of_more_than_a_period_waits_for_what_may_have_been_kept() {
    let mut arrivals = arrivals();
    arrivals.quiet(280 * SAMPLE_NS);
    assert!(come(&mut arrivals, 300, 299..301).is_empty());
    assert!(come(&mut arrivals, 400, 301..401).is_empty());
    let placed = come(&mut arrivals, 425, 401..426);
    assert_eq!(placed, (299..426).collect::<Vec<_>>());
}

#[test]
fn what_was_kept_ends_the_wait_once_little_is_missing() {
    let mut arrivals = arrivals();
    arrivals.quiet(280 * SAMPLE_NS);
    assert!(come(&mut arrivals, 300, 1..50).is_empty());
    let placed = come(&mut arrivals, 301, 50..100);
    assert_eq!(placed, (1..100).collect::<Vec<_>>());
}

#[test]
fn a_period_is_missing_where_most_is_missing_by_the_ids() {
    let mut arrivals = arrivals();
    arrivals.quiet(380 * SAMPLE_NS);
    // Five, and 300, of which the ids tell 44.
    arrivals.push(Arrived {
        id: 1,
        received_ns: 400 * SAMPLE_NS,
        sample: (),
    });
    assert!(come(&mut arrivals, 400, 7..9).is_empty());
    assert!(come(&mut arrivals, 400, 309..312).is_empty());
    assert_eq!(places(arrivals.finish()), [1, 7, 8, 309, 310, 311]);
}

#[test]
fn where_ids_follow_a_pause_counts_that_was_seen() {
    let mut unseen = arrivals();
    assert_eq!(come(&mut unseen, 400, 1..3), [1, 2]);
    let mut seen = arrivals();
    seen.quiet(250 * SAMPLE_NS);
    assert!(come(&mut seen, 300, 1..3).is_empty());
    // Nothing more comes: time alone ends the wait.
    assert!(places(seen.settle(400 * SAMPLE_NS)).is_empty());
    assert_eq!(places(seen.settle(425 * SAMPLE_NS)), [257, 258]);
}

#[test]
fn a_clock_that_is_set_back_ends_the_wait_all_the_same() {
    let mut arrivals = arrivals();
    arrivals.quiet(280 * SAMPLE_NS);
    assert!(come(&mut arrivals, 300, 299..301).is_empty());
    assert_eq!(come(&mut arrivals, -10_000, 301..302), [43, 44, 45]);
}

#[test]
fn no_more_wait_than_there_is_room_for() {
    let mut arrivals = arrivals();
    arrivals.quiet(280 * SAMPLE_NS);
    assert!(come(&mut arrivals, 100_000, 2..900).is_empty());
    assert_eq!(come(&mut arrivals, 100_000, 900..1_100).len(), 1_098);
}
