//! Which windows are closed and which pairs get a record (section 5), each case worked out by hand.

use super::{Case, check, field, record, windows_of};
use crate::line::{Tick, btc, mark, mark_ns, ms, status};

fn starts(output: &crate::reference::ReferenceOutput) -> Vec<i64> {
    windows_of(output)
        .into_iter()
        .map(|(start, _)| start)
        .collect()
}

#[test]
fn one_quote_gives_one_record_when_the_input_ends() {
    let output = check(&[btc("a", 100).quote("10", "11")], &Case::default());
    assert_eq!(
        output.spreads,
        [
            r#"{"v":1,"pair":"BTC-USD","start_ms":0,"end_ms":1000,"quality":"one_sided","late":0,"legs":[{"venue":"a","symbol":"BTCUSD","currency":"USD","state":"ok","bid":"10","bid_size":"1","ask":"11","ask_size":"2","age_ms":900,"quotes":1,"trades":0,"vwap":null,"rate_bid":null,"rate_ask":null,"rate_age_ms":null}],"routes":[]}"#
        ]
    );
    assert!(output.late.is_empty() && output.dead.is_empty());
}

#[test]
fn no_lines_give_nothing_and_neither_do_marks_alone() {
    assert!(check(&[], &Case::default()).spreads.is_empty());
    let output = check(&[mark("a", 9_000), mark("a", 90_000)], &Case::default());
    assert!(output.spreads.is_empty());
}

#[test]
fn a_stamp_on_the_end_belongs_to_the_next_window() {
    let lines = [
        Tick::at_ns("a", "BTC-USD", ms(1_000) - 1).quote("10", "11"),
        Tick::at_ns("a", "BTC-USD", ms(1_000)).quote("12", "13"),
    ];
    let output = check(&lines, &Case::default());
    assert_eq!(starts(&output), [0, 1_000]);
    assert_eq!(field(&output.spreads[0], "/legs/0/bid"), "\"10\"");
    assert_eq!(field(&output.spreads[0], "/legs/0/age_ms"), "0");
    assert_eq!(field(&output.spreads[1], "/legs/0/bid"), "\"12\"");
    assert_eq!(field(&output.spreads[1], "/legs/0/age_ms"), "1000");
}

#[test]
fn windows_before_1970_are_aligned_to_the_epoch_too() {
    let lines = [
        Tick::at_ns("a", "BTC-USD", -ms(1_000) - 1).quote("12", "13"),
        Tick::at_ns("a", "BTC-USD", -1).quote("10", "11"),
    ];
    let output = check(&lines, &Case::default());
    assert_eq!(starts(&output), [-2_000, -1_000]);
    assert_eq!(field(&output.spreads[0], "/end_ms"), "-1000");
    assert_eq!(field(&output.spreads[0], "/legs/0/bid"), "\"12\"");
}

#[test]
fn the_first_window_is_the_first_that_holds_a_tick_and_silence_gets_records() {
    let lines = [
        mark("a", 500),
        btc("a", 5_300).quote("10", "11"),
        mark("a", 8_999),
        mark("a", 9_000),
    ];
    let output = check(&lines, &Case::default());
    assert_eq!(starts(&output), [5_000, 6_000, 7_000, 8_000]);
    assert_eq!(field(&output.spreads[1], "/legs/0/quotes"), "0");
    assert_eq!(field(&output.spreads[1], "/legs/0/age_ms"), "1700");
    assert_eq!(field(&output.spreads[1], "/legs/0/state"), "\"ok\"");
    assert_eq!(field(&output.spreads[2], "/legs/0/state"), "\"stale\"");
    assert_eq!(field(&output.spreads[2], "/legs/0/bid"), "\"10\"");
}

#[test]
fn the_end_of_input_closes_up_to_the_last_tick_and_not_the_last_mark_or_status() {
    let lines = [
        btc("a", 100).quote("10", "11"),
        status("b", "up", 200),
        status("b", "up", 7_200),
        btc("a", 2_100).trade("10", "1"),
        mark("a", 9_000),
    ];
    assert_eq!(starts(&check(&lines, &Case::default())), [0, 1_000, 2_000]);
}

#[test]
fn a_pair_starts_with_the_window_of_its_first_tick_and_pairs_come_in_order_within_a_window() {
    let lines = [
        Tick::at_ns("a", "ETH-USD", ms(10)).quote("5", "6"),
        Tick::at_ns("a", "BTC-USD", ms(1_010)).quote("5", "6"),
        Tick::at_ns("a", "ETH-USD", ms(2_010)).quote("5", "6"),
    ];
    let expected = [
        (0, "ETH-USD"),
        (1_000, "BTC-USD"),
        (1_000, "ETH-USD"),
        (2_000, "BTC-USD"),
        (2_000, "ETH-USD"),
    ];
    let expected: Vec<(i64, String)> = expected.map(|(s, p)| (s, p.to_owned())).into();
    assert_eq!(windows_of(&check(&lines, &Case::default())), expected);
}

#[test]
fn a_tick_on_the_end_gives_its_pair_no_record_of_the_window_before() {
    let lines = [
        Tick::at_ns("a", "ETH-USD", ms(10)).quote("5", "6"),
        btc("a", 1_000).quote("5", "6"),
    ];
    let expected = [(0, "ETH-USD"), (1_000, "BTC-USD"), (1_000, "ETH-USD")];
    let expected: Vec<(i64, String)> = expected.map(|(s, p)| (s, p.to_owned())).into();
    assert_eq!(windows_of(&check(&lines, &Case::default())), expected);
}

fn gap_of_three_seconds() -> Case {
    Case {
        max_gap_ms: 3_000,
        ..Case::default()
    }
}

#[test]
fn a_gap_of_just_the_limit_is_filled_and_one_window_more_is_not() {
    let tick = btc("a", 100).quote("10", "11");
    let filled = check(&[tick.clone(), mark("a", 3_999)], &gap_of_three_seconds());
    assert_eq!(starts(&filled), [0, 1_000, 2_000]);
    let skipped = check(&[tick, mark("a", 4_000)], &gap_of_three_seconds());
    assert_eq!(starts(&skipped), [0]);
}

#[test]
fn a_gap_is_counted_from_what_was_closed_before() {
    let lines = [
        btc("a", 100).quote("10", "11"),
        mark("a", 2_000),
        mark("a", 5_000),
        mark("a", 9_000),
        mark("a", 10_000),
    ];
    // 0..2000 and 2000..5000 are within the limit, 5000..9000 is not, 9000..10000 is again.
    assert_eq!(
        starts(&check(&lines, &gap_of_three_seconds())),
        [0, 1_000, 2_000, 3_000, 4_000, 9_000]
    );
}

#[test]
fn in_a_gap_a_pair_gets_only_the_windows_that_hold_its_ticks() {
    let lines = [
        btc("b", 100).quote("10", "11"),
        mark("b", 100),
        Tick::at_ns("a", "ETH-USD", ms(200)).quote("5", "6"),
        Tick::at_ns("a", "ETH-USD", ms(5_200)).trade("5", "6"),
        mark("a", 9_000),
        mark("b", 9_000),
    ];
    let expected = [(0, "BTC-USD"), (0, "ETH-USD"), (5_000, "ETH-USD")];
    let expected: Vec<(i64, String)> = expected.map(|(s, p)| (s, p.to_owned())).into();
    assert_eq!(
        windows_of(&check(&lines, &gap_of_three_seconds())),
        expected
    );
}

#[test]
fn the_end_of_input_obeys_the_gap_rule() {
    let held = |last_ms| {
        [
            status("b", "up", 0),
            btc("a", 100).quote("10", "11"),
            btc("a", last_ms).quote("10", "11"),
        ]
    };
    let within = check(&held(2_999), &gap_of_three_seconds());
    assert_eq!(starts(&within), [0, 1_000, 2_000]);
    let beyond = check(&held(3_000), &gap_of_three_seconds());
    assert_eq!(starts(&beyond), [0, 3_000]);
}

#[test]
fn a_gap_before_the_first_tick_is_none() {
    let lines = [
        mark("a", 1_000),
        btc("a", 90_100).quote("10", "11"),
        mark("a", 92_000),
    ];
    assert_eq!(
        starts(&check(&lines, &gap_of_three_seconds())),
        [90_000, 91_000]
    );
}

#[test]
fn ages_are_rounded_down_to_milliseconds() {
    let lines = [
        Tick::at_ns("a", "BTC-USD", 1).quote("10", "11"),
        mark_ns("a", ms(1_000)),
    ];
    let output = check(&lines, &Case::default());
    assert_eq!(
        field(record(&output, 0, "BTC-USD"), "/legs/0/age_ms"),
        "999"
    );
}
