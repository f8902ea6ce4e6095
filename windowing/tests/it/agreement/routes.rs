//! Routes over the instants of a window (section 6): quality, best, size, and for how long they paid. Worked out by hand.

use super::{Case, a_to_b, ages, check, field};
use crate::line::{Tick, btc, mark, ms, status};

#[test]
fn two_venues_give_a_whole_record() {
    let lines = [
        btc("b", 200).quote_with_sizes("101", Some("0.7"), "102", None),
        btc("a", 100).quote_with_sizes("99", None, "100", Some("1.5")),
        btc("b", 300).trade("101.5", "2"),
        mark("a", 1_000),
        mark("b", 1_000),
    ];
    assert_eq!(
        check(&lines, &Case::default()).spreads,
        [concat!(
            r#"{"v":1,"pair":"BTC-USD","start_ms":0,"end_ms":1000,"quality":"ok","late":0,"legs":["#,
            r#"{"venue":"a","symbol":"BTCUSD","currency":"USD","state":"ok","bid":"99","bid_size":null,"ask":"100","ask_size":"1.5","age_ms":900,"quotes":1,"trades":0,"vwap":null,"rate_bid":null,"rate_ask":null,"rate_age_ms":null},"#,
            r#"{"venue":"b","symbol":"BTCUSD","currency":"USD","state":"ok","bid":"101","bid_size":"0.7","ask":"102","ask_size":null,"age_ms":800,"quotes":1,"trades":1,"vwap":"101.50000000","rate_bid":null,"rate_ask":null,"rate_age_ms":null}],"#,
            r#""routes":[{"buy":"a","sell":"b","quality":"ok","end":{"gross_bps":100.0,"net_bps":100.0},"best":{"gross_bps":100.0,"net_bps":100.0,"size":"0.7","at_ns":200000000},"positive_ns":800000000},"#,
            r#"{"buy":"b","sell":"a","quality":"ok","end":{"gross_bps":-294.117647,"net_bps":-294.117647},"best":{"gross_bps":-294.117647,"net_bps":-294.117647,"size":null,"at_ns":200000000},"positive_ns":0}]}"#
        )]
    );
}

#[test]
fn three_venues_give_every_ordered_pair_by_buyer_then_seller() {
    let lines = ["c", "a", "b"].map(|venue| btc(venue, 100).quote("10", "11"));
    let output = check(&lines, &Case::default());
    let routes: Vec<(String, String)> = (0..6)
        .map(|n| {
            let of = |side| field(&output.spreads[0], &format!("/routes/{n}/{side}"));
            (of("buy").replace('"', ""), of("sell").replace('"', ""))
        })
        .collect();
    let expected = [
        ("a", "b"),
        ("a", "c"),
        ("b", "a"),
        ("b", "c"),
        ("c", "a"),
        ("c", "b"),
    ];
    let expected: Vec<(String, String)> = expected
        .map(|(buy, sell)| (buy.to_owned(), sell.to_owned()))
        .into();
    assert_eq!(routes, expected);
}

#[test]
fn a_routes_quality_is_the_worse_leg_and_the_windows_the_best_route() {
    let lines = [
        btc("a", 100).quote("10", "11"),
        btc("b", 900).quote("12", "11"),
        btc("c", 900).quote("10", "11"),
    ];
    let output = check(&lines, &ages(500));
    let quality = |at: &str| field(&output.spreads[0], at);
    // a is stale, b crossed, c ok.
    assert_eq!(quality("/routes/0/quality"), "\"crossed\""); // a, b
    assert_eq!(quality("/routes/1/quality"), "\"stale\""); // a, c
    assert_eq!(quality("/routes/3/quality"), "\"crossed\""); // b, c
    assert_eq!(quality("/quality"), "\"stale\"");
}

#[test]
fn the_best_instant_has_the_highest_net_and_of_equals_it_is_the_earliest() {
    let lines = [
        btc("a", 100).quote("99", "100"),
        btc("b", 200).quote("100.5", "102"),
        btc("b", 300).quote("101", "102"),
        btc("b", 400).quote("100", "102"),
        btc("b", 500).quote("101.0", "102"),
        mark("a", 1_000),
    ];
    assert_eq!(
        a_to_b(&lines, &Case::default(), 0, "best/at_ns"),
        "300000000"
    );
    assert_eq!(
        a_to_b(&lines, &Case::default(), 0, "best/gross_bps"),
        "100.0"
    );
    assert_eq!(
        a_to_b(&lines, &Case::default(), 0, "end/gross_bps"),
        "100.0"
    );
    // Positive 200..400 and 500..1000.
    assert_eq!(
        a_to_b(&lines, &Case::default(), 0, "positive_ns"),
        "700000000"
    );
}

#[test]
fn the_start_is_an_instant_with_the_state_carried_over() {
    let lines = [
        btc("a", 100).quote("99", "100"),
        btc("b", 200).quote("101", "102"),
        btc("b", 1_300).quote("100", "102"),
    ];
    assert_eq!(
        a_to_b(&lines, &Case::default(), 1_000, "best/at_ns"),
        "1000000000"
    );
    assert_eq!(
        a_to_b(&lines, &Case::default(), 1_000, "positive_ns"),
        "300000000"
    );
}

#[test]
fn a_record_on_the_start_is_part_of_the_first_instant() {
    let lines = [
        btc("a", 100).quote("99", "100"),
        btc("b", 200).quote("105", "106"),
        btc("b", 1_000).quote("101", "102"),
    ];
    assert_eq!(
        a_to_b(&lines, &Case::default(), 1_000, "best/gross_bps"),
        "100.0"
    );
    assert_eq!(
        a_to_b(&lines, &Case::default(), 0, "best/gross_bps"),
        "500.0"
    );
}

#[test]
fn records_of_one_stamp_are_never_looked_at_in_between() {
    let lines = [
        btc("a", 100).quote("99", "100"),
        btc("b", 200).quote("110", "111"),
        btc("a", 200).quote("109", "110"),
        btc("b", 200).quote("108", "111"),
        Tick::at_ns("c", "ETH-USD", ms(200)).quote("1", "2"),
    ];
    assert_eq!(
        a_to_b(&lines, &Case::default(), 0, "best/at_ns"),
        "200000000"
    );
    // 108 / 110 - 1.
    assert_eq!(
        a_to_b(&lines, &Case::default(), 0, "best/gross_bps"),
        "-181.818182"
    );
    assert_eq!(a_to_b(&lines, &Case::default(), 0, "positive_ns"), "0");
}

#[test]
fn window_maximum_never_meets_window_minimum() {
    // a is cheap until 400, b is dear from 400 on; they are never so at once.
    let lines = [
        btc("a", 100).quote("99", "100"),
        btc("b", 100).quote("99", "100"),
        btc("a", 400).quote("109", "110"),
        btc("b", 400).quote("109", "110"),
    ];
    assert_eq!(a_to_b(&lines, &Case::default(), 0, "positive_ns"), "0");
    // 109 / 110 - 1 beats 99 / 100 - 1.
    assert_eq!(
        a_to_b(&lines, &Case::default(), 0, "best/gross_bps"),
        "-90.909091"
    );
}

#[test]
fn a_route_dead_at_the_end_still_had_a_best_instant() {
    let lines = [
        btc("a", 100).quote("99", "100"),
        btc("b", 200).quote("101", "102"),
        status("b", "down", 700),
    ];
    assert_eq!(a_to_b(&lines, &Case::default(), 0, "end"), "null");
    assert_eq!(
        a_to_b(&lines, &Case::default(), 0, "quality"),
        "\"venue_down\""
    );
    assert_eq!(
        a_to_b(&lines, &Case::default(), 0, "best/at_ns"),
        "200000000"
    );
    assert_eq!(
        a_to_b(&lines, &Case::default(), 0, "positive_ns"),
        "500000000"
    );
}

#[test]
fn the_size_is_the_smaller_in_value_and_of_equals_the_buyers_writing() {
    let size = |asked: Option<&str>, bid: Option<&str>| {
        let lines = [
            btc("a", 100).quote_with_sizes("99", Some("9"), "100", asked),
            btc("b", 200).quote_with_sizes("101", bid, "102", Some("9")),
        ];
        a_to_b(&lines, &Case::default(), 0, "best/size")
    };
    assert_eq!(size(Some("2"), Some("10")), "\"2\"");
    assert_eq!(size(Some("2.1"), Some("2.09")), "\"2.09\"");
    assert_eq!(size(Some("2.10"), Some("2.1")), "\"2.10\"");
    assert_eq!(size(Some("2.1"), Some("002.10")), "\"2.1\"");
    assert_eq!(size(Some("0"), Some("1")), "\"0\"");
    assert_eq!(size(None, Some("1")), "null");
    assert_eq!(size(Some("1"), None), "null");
    assert_eq!(
        size(
            Some("10000000000000000000000001"),
            Some("10000000000000000000000000")
        ),
        "\"10000000000000000000000000\""
    );
}

#[test]
fn the_order_of_arrival_does_not_matter_where_the_marks_allow_it() {
    let ticks = [
        btc("a", 100).quote("99", "100"),
        btc("b", 150).quote("101", "102"),
        btc("a", 700).quote("100", "101"),
        btc("b", 900).quote("103", "104"),
        btc("a", 1_200).quote("98", "99"),
    ];
    let closing = [mark("a", 2_000), mark("b", 2_000)];
    // Held back by a venue that has not spoken yet, so that none is late.
    let run = |order: &[usize]| {
        let mut lines = vec![status("b", "up", 0), status("a", "up", 0)];
        lines.extend([mark("a", 0), mark("b", 0)]);
        lines.extend(order.iter().map(|&n| ticks[n].clone()));
        lines.extend(closing.clone());
        check(&lines, &Case::default()).spreads
    };
    let in_order = run(&[0, 1, 2, 3, 4]);
    assert_eq!(in_order.len(), 2);
    for order in [[4, 3, 2, 1, 0], [2, 0, 4, 1, 3], [1, 0, 3, 2, 4]] {
        assert_eq!(run(&order), in_order);
    }
}
