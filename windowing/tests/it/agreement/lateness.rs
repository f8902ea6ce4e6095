//! What comes after its window closed (section 5), each case worked out by hand.

use super::{Case, check, field, record, windows_of};
use crate::line::{Tick, btc, mark, ms, status, usdt};

#[test]
fn a_late_tick_is_passed_on_with_how_late_and_as_it_was() {
    let tick = r#"{"v":1,"kind":"trade","venue":"a","symbol":"S","currency":"USD","pair":"BTC-USD","event_ns":4937000000,"event_from":"venue","exchange_ns":null,"received_ns":0,"trade_id":"7", "extra":{"z":[1.50]},"price":"1.10","size":"2","taker_side":"sell"}"#;
    let output = check(&[mark("a", 5_400), tick.to_owned()], &Case::default());
    assert_eq!(
        output.late,
        [format!(
            r#"{{"v":1,"kind":"late","boundary_ns":5000000000,"late_ns":63000000,"tick":{tick}}}"#
        )]
    );
    assert!(output.spreads.is_empty(), "a late tick creates no pair");
}

#[test]
fn white_space_around_a_late_tick_is_no_part_of_it_and_white_space_inside_is() {
    let tick = btc("a", 100).quote("10", "11").replace(':', " :\t");
    let output = check(
        &[mark("a", 5_400), format!(" \t{tick} \r")],
        &Case::default(),
    );
    assert_eq!(
        output.late,
        [format!(
            r#"{{"v":1,"kind":"late","boundary_ns":5000000000,"late_ns":4900000000,"tick":{tick}}}"#
        )]
    );
}

#[test]
fn a_tick_on_the_boundary_is_not_late_and_one_nanosecond_before_it_is() {
    let lines = [
        mark("a", 5_900),
        Tick::at_ns("a", "BTC-USD", ms(5_000)).quote("1", "2"),
        Tick::at_ns("a", "BTC-USD", ms(5_000) - 1).quote("1", "2"),
    ];
    let output = check(&lines, &Case::default());
    assert_eq!(output.late.len(), 1);
    assert_eq!(field(&output.late[0], "/late_ns"), "1");
    let record = record(&output, 5_000, "BTC-USD");
    assert_eq!(field(record, "/late"), "1");
    assert_eq!(field(record, "/legs/0/quotes"), "1");
}

#[test]
fn a_late_tick_changes_no_window_and_makes_no_leg() {
    let lines = [
        btc("a", 100).quote("10", "11"),
        mark("a", 1_000),
        btc("b", 500).quote("12", "13"),
        mark("b", 2_000),
        mark("a", 2_000),
    ];
    let output = check(&lines, &Case::default());
    assert_eq!(field(&output.spreads[0], "/late"), "0");
    assert_eq!(field(&output.spreads[1], "/late"), "1");
    assert_eq!(field(&output.spreads[1], "/legs/0/venue"), "\"a\"");
    assert_eq!(field(&output.spreads[1], "/quality"), "\"one_sided\"");
}

#[test]
fn late_ticks_before_the_pair_exists_are_told_in_its_first_record() {
    let lines = [
        mark("a", 1_000),
        btc("a", 10).quote("10", "11"),
        btc("a", 20).trade("10", "11"),
        btc("a", 3_500).quote("10", "11"),
        Tick::at_ns("a", "ETH-USD", ms(2_000)).quote("5", "6"),
    ];
    let output = check(&lines, &Case::default());
    assert_eq!(field(record(&output, 2_000, "ETH-USD"), "/late"), "0");
    assert_eq!(field(record(&output, 3_000, "ETH-USD"), "/late"), "0");
    assert_eq!(field(record(&output, 3_000, "BTC-USD"), "/late"), "2");
}

#[test]
fn of_several_windows_closed_at_once_the_first_tells_all_late_ticks() {
    let lines = [
        btc("a", 100).quote("10", "11"),
        mark("a", 1_000),
        btc("a", 200).quote("10", "11"),
        btc("a", 300).quote("10", "11"),
        mark("a", 4_000),
        btc("a", 400).quote("10", "11"),
        btc("a", 4_400).quote("10", "11"),
    ];
    let output = check(&lines, &Case::default());
    let late: Vec<String> = output.spreads.iter().map(|s| field(s, "/late")).collect();
    assert_eq!(late, ["0", "2", "0", "0", "1"]);
}

#[test]
fn in_a_gap_late_ticks_wait_for_the_next_record_that_is_written() {
    let case = Case {
        max_gap_ms: 3_000,
        ..Case::default()
    };
    let lines = [
        btc("a", 100).quote("10", "11"),
        mark("a", 1_000),
        btc("a", 200).quote("10", "11"),
        mark("a", 9_000),
        mark("a", 10_000),
    ];
    let output = check(&lines, &case);
    assert_eq!(windows_of(&output).len(), 2);
    assert_eq!(field(record(&output, 9_000, "BTC-USD"), "/late"), "1");
}

#[test]
fn a_rate_before_the_boundary_is_ignored_and_one_on_it_counts() {
    let lines = |rate_ms| {
        [
            mark("a", 1_000),
            usdt(rate_ms, "0.5", "0.6"),
            btc("a", 1_100).in_currency("USDT").quote("10", "11"),
        ]
    };
    let ignored = check(&lines(999), &Case::default());
    assert_eq!(ignored.ignored_rates, 1);
    assert_eq!(field(&ignored.spreads[0], "/legs/0/state"), "\"no_rate\"");
    assert_eq!(field(&ignored.spreads[0], "/legs/0/rate_bid"), "null");
    let counted = check(&lines(1_000), &Case::default());
    assert_eq!(counted.ignored_rates, 0);
    assert_eq!(field(&counted.spreads[0], "/legs/0/rate_bid"), "\"0.5\"");
    assert_eq!(field(&counted.spreads[0], "/legs/0/rate_age_ms"), "1000");
}

#[test]
fn a_status_before_the_boundary_counts_as_stamped_on_it() {
    let two = |after: [String; 2]| {
        let mut lines = vec![
            btc("a", 900).quote("10", "11"),
            btc("b", 900).quote("12", "13"),
            mark("a", 1_000),
            mark("b", 1_000),
        ];
        lines.extend(after);
        let output = check(&lines, &Case::default());
        record(&output, 1_000, "BTC-USD").to_owned()
    };
    // In the log after the quote of the boundary's stamp: cleared.
    let quote = btc("b", 1_000).quote("14", "15");
    let status = status("b", "up", 0);
    let cleared = two([quote.clone(), status.clone()]);
    assert_eq!(field(&cleared, "/legs/1/state"), "\"venue_down\"");
    assert_eq!(field(&cleared, "/routes/0/best"), "null");
    // Before it: kept, and the old quote is gone from the start on.
    let kept = two([status, quote]);
    assert_eq!(field(&kept, "/legs/1/bid"), "\"14\"");
    assert_eq!(field(&kept, "/routes/0/best/at_ns"), ms(1_000).to_string());
    assert_eq!(
        field(&kept, "/routes/0/best/gross_bps"),
        // (14 / 11 - 1) * 10^4 = 2727.2727...
        "2727.272727"
    );
}

#[test]
fn a_late_status_is_seen_by_the_boundary_it_met_and_not_by_the_one_it_makes() {
    // The boundary is 1000 when `down` of b is read and 5000 right after it.
    let lines = [
        btc("a", 100).quote("10", "11"),
        mark("b", 1_000),
        mark("a", 5_000),
        status("b", "up", 200),
        btc("b", 1_500).quote("12", "13"),
        status("b", "down", 300),
    ];
    let output = check(&lines, &Case::default());
    // Moved to 1000 it precedes the quote at 1500, which is counted and not kept; moved to 5000 it would follow it.
    let second = record(&output, 1_000, "BTC-USD");
    assert_eq!(field(second, "/legs/1/quotes"), "1");
    assert_eq!(field(second, "/legs/1/bid"), "null");
    assert_eq!(field(second, "/routes/0/best"), "null");
}

#[test]
fn a_late_tick_settles_the_symbol_of_its_venue_and_pair() {
    let lines = [
        mark("a", 1_000),
        btc("a", 10).with_symbol("first").quote("10", "11"),
        btc("a", 1_010).quote("10", "11"),
        btc("a", 1_020).with_symbol("first").quote("12", "13"),
    ];
    let output = check(&lines, &Case::default());
    assert_eq!(output.dead_offsets, [2]);
    assert_eq!(field(&output.spreads[0], "/legs/0/symbol"), "\"first\"");
    assert_eq!(field(&output.spreads[0], "/legs/0/quotes"), "1");
}
