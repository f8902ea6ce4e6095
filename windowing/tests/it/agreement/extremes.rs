//! Stamps near the ends of what a record can hold, numbers far from any market, settings without a bound. Absent: what
//! lies beyond them, where no document says what a record should show.

use super::{Case, a_to_b, check, field, windows_of};
use crate::line::{Tick, btc, mark_ns, ms, usdt};

fn tick(event_ns: i64) -> String {
    Tick::at_ns("a", "BTC-USD", event_ns).quote("10", "11")
}

#[test]
fn the_first_and_nearly_the_last_stamp_that_a_record_can_hold_have_their_windows() {
    // -2^63 ns lies 854 ms and some before the end of its window.
    let output = check(&[tick(i64::MIN)], &Case::default());
    assert_eq!(windows_of(&output)[0].0, -9_223_372_037_000);
    assert_eq!(field(&output.spreads[0], "/legs/0/age_ms"), "854");
    // The last window whose end is a stamp, too.
    let output = check(&[tick(ms(9_223_372_036_000) - 1)], &Case::default());
    assert_eq!(windows_of(&output)[0].0, 9_223_372_035_000);
    assert_eq!(field(&output.spreads[0], "/legs/0/age_ms"), "0");
}

#[test]
fn a_mark_from_the_end_of_time_closes_what_there_is_and_a_gap_stays_a_gap() {
    let lines = [tick(5), mark_ns("a", i64::MAX), tick(7)];
    let output = check(&lines, &Case::default());
    assert_eq!(windows_of(&output).len(), 1);
    assert_eq!(output.late.len(), 1);
    let late = field(&output.late[0], "/late_ns");
    assert_eq!(late, "9223372035999999993");
    assert!(
        check(&[mark_ns("a", i64::MIN), tick(5)], &Case::default())
            .late
            .is_empty()
    );
}

#[test]
fn ages_and_gaps_may_be_without_a_bound() {
    let case = Case {
        quote_max_age_ms: i64::MAX,
        rate_max_age_ms: i64::MAX,
        max_gap_ms: i64::MAX,
        ..Case::default()
    };
    let lines = [
        usdt(50, "1", "1"),
        btc("a", 100).quote("99", "100"),
        btc("b", 200).in_currency("USDT").quote("101", "102"),
        mark_ns("a", ms(99_000)),
        mark_ns("b", ms(99_000)),
    ];
    assert_eq!(windows_of(&check(&lines, &case)).len(), 99);
    assert_eq!(a_to_b(&lines, &case, 98_000, "positive_ns"), "1000000000");
}

#[test]
fn the_best_of_huge_figures_is_judged_by_their_digits_and_not_by_their_doubles() {
    // Both grosses are the same double; the second is a thousand basis points higher.
    let huge = |last| format!("900719925474099300000.{last}");
    let case = Case::default();
    let lines = |first, second| {
        [
            btc("a", 100).quote("0.00000000000000000001", "1"),
            btc("b", 100).quote(&huge(first), "999999999999999999999999"),
            btc("b", 200).quote(&huge(second), "999999999999999999999999"),
        ]
    };
    assert_eq!(a_to_b(&lines(1, 2), &case, 0, "best/at_ns"), "200000000");
    assert_eq!(a_to_b(&lines(2, 1), &case, 0, "best/at_ns"), "100000000");
}

#[test]
fn figures_beyond_128_bits_are_exact() {
    let lines = [
        btc("a", 10).quote("1", "1"),
        btc("b", 20).quote(
            &format!("1{}", "0".repeat(30)),
            &format!("2{}", "0".repeat(30)),
        ),
        btc("b", 30).quote(
            &format!("3{}", "0".repeat(30)),
            &format!("4{}", "0".repeat(30)),
        ),
        btc("b", 40).quote(
            &format!("2{}", "0".repeat(30)),
            &format!("4{}", "0".repeat(30)),
        ),
    ];
    let output = check(&lines, &Case::default());
    assert!(
        output.spreads[0].contains(r#""end":{"gross_bps":2e+34,"net_bps":2e+34}"#),
        "{}",
        output.spreads[0]
    );
    assert!(
        output.spreads[0].contains(r#""best":{"gross_bps":3e+34"#),
        "{}",
        output.spreads[0]
    );
}

#[test]
fn ages_are_right_where_the_window_ends_beyond_64_bits() {
    let lines = [Tick::at_ns("a", "BTC-USD", i64::MAX).quote("1", "2")];
    let output = check(&lines, &Case::default());
    assert!(
        output.spreads[0].contains(r#""age_ms":145"#),
        "{}",
        output.spreads[0]
    );
}
