//! What a record says of a leg (section 6), each case worked out by hand.

use super::{Case, check, field, first_leg, record};
use crate::line::{Tick, btc, mark, ms, status};

#[test]
fn a_leg_with_trades_alone_is_down_until_it_quotes() {
    let leg = first_leg(&[btc("a", 100).trade("10", "2")], &Case::default());
    assert_eq!(leg["state"], "venue_down");
    assert_eq!((&leg["quotes"], &leg["trades"]), (&0.into(), &1.into()));
    assert_eq!(leg["vwap"], "10.00000000");
    assert!(leg["bid"].is_null() && leg["age_ms"].is_null());
}

#[test]
fn every_status_clears_the_quotes_of_its_venue_and_a_quote_while_not_up_is_counted_and_not_kept() {
    for (said, kept) in [("up", true), ("down", false), ("silent", false)] {
        let cleared = first_leg(
            &[btc("a", 100).quote("10", "11"), status("a", said, 200)],
            &Case::default(),
        );
        assert_eq!(cleared["state"], "venue_down", "{said}");
        assert!(cleared["bid"].is_null() && cleared["ask_size"].is_null());
        let after = first_leg(
            &[
                btc("a", 100).quote("10", "11"),
                status("a", said, 200),
                btc("a", 300).quote("12", "13"),
            ],
            &Case::default(),
        );
        assert_eq!(after["quotes"], 2);
        assert_eq!(after["bid"] == "12", kept, "{said}");
        assert_eq!(after["state"] == "ok", kept, "{said}");
    }
}

#[test]
fn a_status_clears_all_pairs_of_its_venue_and_no_other_venue() {
    let lines = [
        btc("a", 100).quote("10", "11"),
        btc("b", 100).quote("10", "11"),
        Tick::at_ns("a", "ETH-USD", ms(100)).quote("5", "6"),
        status("a", "up", 200),
    ];
    let output = check(&lines, &Case::default());
    let state = |pair, at| field(record(&output, 0, pair), at);
    assert_eq!(state("BTC-USD", "/legs/0/state"), "\"venue_down\"");
    assert_eq!(state("BTC-USD", "/legs/1/state"), "\"ok\"");
    assert_eq!(state("ETH-USD", "/legs/0/state"), "\"venue_down\"");
}

#[test]
fn statuses_and_quotes_are_applied_by_stamp_whatever_order_they_came_in() {
    let leg = first_leg(
        &[
            btc("a", 500).quote("12", "13"),
            btc("a", 300).quote("10", "11"),
            status("a", "up", 400),
            status("a", "down", 200),
        ],
        &Case::default(),
    );
    assert_eq!((&leg["bid"], &leg["state"]), (&"12".into(), &"ok".into()));
    assert_eq!(leg["age_ms"], 500);
}

#[test]
fn records_of_one_stamp_are_applied_in_the_order_of_the_log() {
    let quote = btc("a", 100).quote("10", "11");
    let up = status("a", "up", 100);
    let cleared = first_leg(&[quote.clone(), up.clone()], &Case::default());
    assert_eq!(cleared["state"], "venue_down");
    let kept = first_leg(&[up, quote.clone()], &Case::default());
    assert_eq!(kept["state"], "ok");
    let last = first_leg(&[quote, btc("a", 100).quote("12", "13")], &Case::default());
    assert_eq!(last["bid"], "12");
}

#[test]
fn what_is_stamped_on_the_end_is_not_in_the_state_at_the_end() {
    let lines = [
        btc("a", 100).quote("10", "11"),
        btc("a", 1_000).quote("12", "13"),
        status("a", "down", 1_000),
    ];
    let leg = first_leg(&lines, &Case::default());
    assert_eq!((&leg["bid"], &leg["state"]), (&"10".into(), &"ok".into()));
}

#[test]
fn a_quote_as_old_as_the_limit_is_live_and_one_nanosecond_older_is_stale() {
    let case = Case {
        quote_max_age_ms: 400,
        ..Case::default()
    };
    let at = |ns| first_leg(&[Tick::at_ns("a", "BTC-USD", ns).quote("10", "11")], &case);
    assert_eq!(at(ms(600))["state"], "ok");
    assert_eq!(at(ms(600) - 1)["state"], "stale");
    assert_eq!(at(ms(600) - 1)["age_ms"], 400);
    assert_eq!(at(ms(600) - 1)["bid"], "10");
}

#[test]
fn a_venue_may_have_its_own_limit() {
    let mut case = Case {
        quote_max_age_ms: 100,
        ..Case::default()
    };
    let quotes = [
        btc("a", 100).quote("10", "11"),
        btc("b", 100).quote("10", "11"),
    ];
    assert_eq!(first_leg(&quotes, &case)["state"], "stale");
    case.venues
        .insert("a".to_owned(), ("0".to_owned(), Some(900)));
    let output = check(&quotes, &case);
    assert_eq!(field(&output.spreads[0], "/legs/0/state"), "\"ok\"");
    assert_eq!(field(&output.spreads[0], "/legs/1/state"), "\"stale\"");
}

#[test]
fn crossed_is_a_bid_above_the_ask_as_numbers_and_an_equal_one_is_not() {
    let state = |bid, ask| {
        first_leg(&[btc("a", 100).quote(bid, ask)], &Case::default())["state"]
            .as_str()
            .map(str::to_owned)
    };
    assert_eq!(state("11", "10").as_deref(), Some("crossed"));
    assert_eq!(state("10.10", "10.1").as_deref(), Some("ok"));
    assert_eq!(state("9", "10").as_deref(), Some("ok"));
    assert_eq!(
        state("10.0000000000000000000000001", "10").as_deref(),
        Some("crossed")
    );
}

#[test]
fn the_worst_state_is_the_one_named() {
    let case = Case {
        quote_max_age_ms: 100,
        ..Case::default()
    };
    let crossed_and_old = btc("a", 100).quote("11", "10");
    assert_eq!(first_leg(&[crossed_and_old], &case)["state"], "crossed");
    let and_without_rate = btc("a", 100).in_currency("USDT").quote("11", "10");
    assert_eq!(
        first_leg(std::slice::from_ref(&and_without_rate), &case)["state"],
        "no_rate"
    );
    let and_down = [and_without_rate, status("a", "silent", 200)];
    assert_eq!(first_leg(&and_down, &case)["state"], "venue_down");
}

#[test]
fn decimals_keep_the_writing_they_came_in() {
    let quote = btc("a", 100).quote_with_sizes(
        "0010.500",
        Some("0.00"),
        "12345678901234567890123.40",
        None,
    );
    let leg = first_leg(&[quote], &Case::default());
    assert_eq!(
        (&leg["bid"], &leg["bid_size"]),
        (&"0010.500".into(), &"0.00".into())
    );
    assert_eq!(leg["ask"], "12345678901234567890123.40");
    assert!(leg["ask_size"].is_null());
}

#[test]
fn the_mean_price_is_weighted_and_rounded_half_to_even_to_eight_decimals() {
    let vwap = |trades: &[(&str, &str)]| {
        let lines: Vec<String> = trades
            .iter()
            .map(|(price, size)| btc("a", 100).trade(price, size))
            .collect();
        first_leg(&lines, &Case::default())["vwap"].clone()
    };
    assert_eq!(vwap(&[("10", "1"), ("13", "0.5")]), "11.00000000");
    assert_eq!(vwap(&[("1", "1"), ("2", "2")]), "1.66666667");
    assert_eq!(
        vwap(&[("0.00000001", "1"), ("0.00000002", "1")]),
        "0.00000002"
    );
    assert_eq!(
        vwap(&[("0.00000002", "3"), ("0.00000003", "3")]),
        "0.00000002"
    );
    assert_eq!(vwap(&[("0.000000005", "1")]), "0.00000000");
    assert_eq!(
        vwap(&[("0.0000000050000000000000000001", "1")]),
        "0.00000001"
    );
    assert_eq!(vwap(&[("7", "0"), ("9", "0.0")]), serde_json::Value::Null);
    assert_eq!(vwap(&[("7", "0"), ("9", "3")]), "9.00000000");
    assert_eq!(
        vwap(&[("9999999999999999999999999", "2"), ("1", "2")]),
        "5000000000000000000000000.00000000"
    );
}

#[test]
fn quotes_and_trades_are_counted_in_the_window_that_holds_them() {
    let lines = [
        btc("a", 100).quote("10", "11"),
        btc("a", 999).trade("10", "1"),
        btc("a", 1_000).trade("20", "1"),
        btc("a", 1_001).trade("30", "1"),
        mark("a", 3_000),
    ];
    let output = check(&lines, &Case::default());
    let of = |start, name: &str| {
        field(
            record(&output, start, "BTC-USD"),
            &format!("/legs/0/{name}"),
        )
    };
    assert_eq!((of(0, "quotes"), of(0, "trades")), ("1".into(), "1".into()));
    assert_eq!(
        (of(1_000, "quotes"), of(1_000, "trades")),
        ("0".into(), "2".into())
    );
    assert_eq!(of(1_000, "vwap"), "\"25.00000000\"");
    assert_eq!(
        (of(2_000, "trades"), of(2_000, "vwap")),
        ("0".into(), "null".into())
    );
}
