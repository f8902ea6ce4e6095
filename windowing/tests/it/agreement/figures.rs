//! Gross and net of a route and their rounding (section 6), each case worked out by hand.

use super::{Case, check, field};
use crate::line::{btc, mark, usdt};

/// A field of the route that buys at `a` and sells at `b` in the first record.
fn of_a_to_b(lines: &[String], case: &Case, name: &str) -> String {
    let output = check(lines, case);
    assert_eq!(field(&output.spreads[0], "/routes/0/buy"), "\"a\"");
    field(&output.spreads[0], &format!("/routes/0/{name}"))
}

/// The end figures where `a` asks `ask` and `b` bids `bid`.
fn end(bid: &str, ask: &str, case: &Case) -> String {
    let lines = [
        btc("a", 100).quote("0.000000000000000000001", ask),
        btc("b", 100).quote(bid, "99999999999999999999999"),
    ];
    of_a_to_b(&lines, case, "end")
}

#[test]
fn a_dollar_is_no_tether() {
    let quotes = [
        btc("binance", 100)
            .in_currency("USDT")
            .quote("65127.01", "65127.01"),
        btc("coinbase", 100).quote("65086.18", "65086.18"),
    ];
    let mut rated = vec![usdt(100, "0.99932", "0.99932")];
    rated.extend(quotes.clone());
    let output = check(&rated, &Case::default());
    // 65086.18 / (65127.01 * 0.99932) = 1.0000531072857...: 3.46 USD, not 40.83.
    assert_eq!(
        field(&output.spreads[0], "/routes/0/end"),
        r#"{"gross_bps":0.531073,"net_bps":0.531073}"#
    );
    assert_eq!(
        field(&output.spreads[0], "/routes/1/end"),
        r#"{"gross_bps":-0.531045,"net_bps":-0.531045}"#
    );
    let output = check(&quotes, &Case::default());
    assert_eq!(field(&output.spreads[0], "/quality"), "\"no_rate\"");
    assert_eq!(
        field(&output.spreads[0], "/routes/0"),
        r#"{"best":null,"buy":"binance","end":null,"positive_ns":0,"quality":"no_rate","sell":"coinbase"}"#
    );
}

#[test]
fn the_buyer_pays_the_rates_ask_and_the_seller_gets_its_bid() {
    let lines = [
        usdt(100, "0.999", "1.002"),
        btc("a", 100).in_currency("USDT").quote("99", "100"),
        btc("b", 100).quote("101", "102"),
    ];
    let output = check(&lines, &Case::default());
    // 101 / (100 * 1.002) - 1 and 99 * 0.999 / 102 - 1.
    assert_eq!(
        field(&output.spreads[0], "/routes/0/end/gross_bps"),
        "79.840319"
    );
    assert_eq!(
        field(&output.spreads[0], "/routes/1/end/gross_bps"),
        "-303.823529"
    );
}

#[test]
fn both_takers_pay_their_fee() {
    let lines = [
        btc("a", 100).quote("99", "100"),
        btc("b", 100).quote("101", "102"),
    ];
    let case = Case::default().fee("a", "10").fee("b", "5.5");
    let output = check(&lines, &case);
    // 101 * 0.99945 / (100 * 1.001) - 1 and 99 * 0.999 / (102 * 1.00055) - 1.
    assert_eq!(
        field(&output.spreads[0], "/routes/0/end"),
        r#"{"gross_bps":100.0,"net_bps":84.360639}"#
    );
    assert_eq!(
        field(&output.spreads[0], "/routes/1/end"),
        r#"{"gross_bps":-294.117647,"net_bps":-309.153495}"#
    );
    // A rebate adds: 101 * 1.00005 / 100 - 1.
    let rebate = Case::default().fee("b", "-0.5");
    assert_eq!(
        end("101", "100", &rebate),
        r#"{"gross_bps":100.0,"net_bps":100.505}"#
    );
}

#[test]
fn figures_are_rounded_half_to_even_and_never_minus_zero() {
    // bid / 100 - 1, times 10^4, is a hundred times what the bid is above 100.
    for (bid, figure) in [
        ("100.000000005", "0.0"),
        ("100.000000015", "2e-6"),
        ("100.000000025", "2e-6"),
        ("100.0000000250000000001", "3e-6"),
        ("99.999999995", "0.0"),
        ("99.999999985", "-2e-6"),
        ("99.999999996", "0.0"),
        ("100", "0.0"),
        ("100.00", "0.0"),
        ("101.23456789", "123.456789"),
    ] {
        assert!(
            end(bid, "100", &Case::default()).starts_with(&format!(r#"{{"gross_bps":{figure},"#)),
            "{bid}: {}",
            end(bid, "100", &Case::default())
        );
    }
}

#[test]
fn the_text_of_a_figure_is_that_of_the_nearest_double() {
    // As they stand in the record, not as a JSON reader would print them again.
    let lines = |bid: &str| {
        [
            btc("a", 100).quote("1", "100"),
            btc("b", 100).quote(bid, "99999999999999999999999"),
        ]
    };
    for (bid, text) in [
        ("100.00000001", r#""end":{"gross_bps":1e-6,"net_bps":1e-6}"#),
        (
            "100.0000001",
            r#""end":{"gross_bps":0.00001,"net_bps":0.00001}"#,
        ),
        (
            "10000000000000100",
            r#""end":{"gross_bps":1e+18,"net_bps":1e+18}"#,
        ),
    ] {
        let output = check(&lines(bid), &Case::default());
        assert!(output.spreads[0].contains(text), "{}", output.spreads[0]);
    }
}

#[test]
fn above_zero_and_highest_are_judged_on_rounded_figures() {
    // Net 4e-7 bps rounds to nothing: never positive, and no better than an earlier exact nothing.
    let lines = [
        btc("a", 100).quote("1", "100"),
        btc("b", 100).quote("100", "200"),
        btc("b", 500).quote("100.000000004", "200"),
        mark("a", 1_000),
    ];
    let case = Case::default();
    assert_eq!(of_a_to_b(&lines, &case, "positive_ns"), "0");
    assert_eq!(of_a_to_b(&lines, &case, "best/at_ns"), "100000000");
    // 6e-7 rounds to 1e-6.
    let more = [
        lines[0].clone(),
        lines[1].clone(),
        btc("b", 500).quote("100.000000006", "200"),
    ];
    assert_eq!(of_a_to_b(&more, &case, "positive_ns"), "500000000");
    assert_eq!(of_a_to_b(&more, &case, "best/at_ns"), "500000000");
    // 1.4e-6 and 0.6e-6 are both 1e-6: the earlier one is the best.
    let tied = [
        lines[0].clone(),
        btc("b", 100).quote("100.000000006", "200"),
        btc("b", 500).quote("100.000000014", "200"),
    ];
    assert_eq!(of_a_to_b(&tied, &case, "best/at_ns"), "100000000");
}
