//! Places by ids and by the clock.

use super::*;

const SAMPLE_NS: i64 = 4_000_000;

/// Places of samples with these ids, at these times in samples, one at a time.
fn places(told: &[(u64, i64)]) -> Vec<Option<u64>> {
    let mut placing = Placing::new(250.0, Some(256));
    told.iter()
        .map(|&(id, at)| {
            let now_ns = at * SAMPLE_NS;
            let missing = placing.missing(&[id], now_ns);
            let missing = missing.before[0] + missing.besides;
            let place = placing.place(Some(id), now_ns, missing, 1);
            place.map(|place| {
                assert!(!place.anew);
                place.at
            })
        })
        .collect()
}

#[test]
fn ids_that_follow_lose_nothing_over_the_wrap() {
    assert_eq!(
        places(&[(254, 0), (255, 1), (0, 2), (1, 3)]),
        [Some(0), Some(1), Some(2), Some(3)]
    );
}

#[test]
fn a_jump_is_a_loss_of_that_many() {
    assert_eq!(
        places(&[(10, 0), (14, 4), (2, 248)]),
        [Some(0), Some(4), Some(248)]
    );
}

#[test]
fn whole_periods_that_were_lost_are_told_by_time() {
    // 600 lost: 600 = 2 * 256 + 88; the clock misses a few too few, or many too many.
    for off in [-30, 0, 200] {
        assert_eq!(places(&[(0, 0), (89, 601 + off)]), [Some(0), Some(601)]);
    }
    // Exactly a period lost.
    assert_eq!(places(&[(0, 0), (1, 257)]), [Some(0), Some(257)]);
    // There was no time for that.
    assert_eq!(places(&[(0, 0), (1, 200)]), [Some(0), Some(1)]);
}

#[test]
fn what_is_missing_by_the_clock_was_lost_or_came_together() {
    let mut placing = Placing::new(250.0, Some(256));
    placing.place(Some(0), 0, 0, 1);
    let missing = |placing: &Placing, ids: &[u64]| {
        let missing = placing.missing(ids, 300 * SAMPLE_NS);
        (missing.before, missing.besides)
    };
    assert_eq!(missing(&placing, &[1, 2]), (vec![0, 0], 298));
    assert_eq!(missing(&placing, &[1, 12, 13]), (vec![0, 10, 0], 287));
    // There was time for one loss of 255, not for another.
    assert_eq!(missing(&placing, &[0, 0, 1]), (vec![255, 0, 0], 42));
    placing.begin_anew();
    assert_eq!(missing(&placing, &[7, 9]), (vec![0, 1], 0));
}

#[test]
fn a_sample_that_lies_back_is_left_out_once() {
    assert_eq!(
        places(&[(10, 0), (10, 1), (11, 1)]),
        [Some(0), None, Some(1)]
    );
    assert_eq!(
        places(&[(10, 0), (5, 1), (6, 2)]),
        [Some(0), None, Some(252)]
    );
}

#[test]
fn after_a_restart_the_clock_tells() {
    let mut placing = Placing::new(250.0, Some(256));
    placing.begin_anew();
    let first = placing.place(Some(7), 0, 0, 1);
    assert_eq!(first, Some(Place { at: 0, anew: false }));
    placing.begin_anew();
    let second = placing.place(Some(0), 1_000 * SAMPLE_NS, 0, 1);
    assert_eq!(
        second,
        Some(Place {
            at: 1_000,
            anew: true
        })
    );
    placing.begin_anew();
    // A clock that was set back says nothing.
    let third = placing.place(Some(0), 0, 0, 1);
    assert_eq!(
        third,
        Some(Place {
            at: 1_001,
            anew: true
        })
    );
}

#[test]
fn without_ids_samples_follow_until_a_pause_is_told_of() {
    let mut placing = Placing::new(250.0, None);
    placing.resume(500, 0);
    let place =
        |placing: &mut Placing, at: i64, n| placing.place(None, at * SAMPLE_NS, 0, n).unwrap().at;
    // Five come at once, 100 samples later: 95 are missing.
    assert_eq!(place(&mut placing, 100, 5), 595);
    assert_eq!(place(&mut placing, 100, 1), 596);
    placing.begin_anew();
    assert_eq!(place(&mut placing, 350, 10), 597 + 240);
}
