//! For how long a route paid, and what ends that (section 6), each case worked out by hand.

use super::{Case, a_to_b, ages};
use crate::line::{btc, status, usdt};

#[test]
fn a_gross_gain_that_the_fees_eat_is_no_paying_time() {
    let lines = [
        btc("a", 100).quote("99", "100"),
        btc("b", 200).quote("101", "102"),
    ];
    let case = Case::default().fee("a", "100").fee("b", "100");
    // 101 * 0.99 / (100 * 1.01) - 1 = -0.01 exactly.
    assert_eq!(a_to_b(&lines, &case, 0, "best/net_bps"), "-100.0");
    assert_eq!(a_to_b(&lines, &case, 0, "best/gross_bps"), "100.0");
    assert_eq!(a_to_b(&lines, &case, 0, "positive_ns"), "0");
}

#[test]
fn no_route_is_live_after_up_until_both_quote_again() {
    let lines = [
        btc("a", 100).quote("99", "100"),
        btc("b", 200).quote("101", "102"),
        status("b", "up", 300),
        btc("b", 600).quote("102", "103"),
        status("b", "silent", 900),
    ];
    assert_eq!(
        a_to_b(&lines, &Case::default(), 0, "best/gross_bps"),
        "200.0"
    );
    // 200..300 and 600..900.
    assert_eq!(
        a_to_b(&lines, &Case::default(), 0, "positive_ns"),
        "400000000"
    );
}

#[test]
fn a_quotes_expiry_within_the_window_ends_the_paying_time() {
    let lines = [
        btc("a", 100).quote("99", "100"),
        btc("b", 200).quote("101", "102"),
        btc("c", 550).trade("1", "1"),
    ];
    // a's quote lives until 400.
    assert_eq!(a_to_b(&lines, &ages(300), 0, "positive_ns"), "200000000");
    assert_eq!(a_to_b(&lines, &ages(300), 0, "quality"), "\"stale\"");
    // Renewed before it is over, it goes on; b's then ends at 500.
    let mut renewed = lines.to_vec();
    renewed.push(btc("a", 390).quote("99", "100"));
    assert_eq!(a_to_b(&renewed, &ages(300), 0, "positive_ns"), "300000000");
}

#[test]
fn at_exactly_the_limit_a_quote_still_counts_for_an_instant() {
    let lines = [
        btc("a", 100).quote("99", "100"),
        btc("b", 400).quote("101", "102"),
    ];
    assert_eq!(a_to_b(&lines, &ages(300), 0, "best/at_ns"), "400000000");
    assert_eq!(a_to_b(&lines, &ages(300), 0, "positive_ns"), "0");
    assert_eq!(a_to_b(&lines, &ages(299), 0, "best"), "null");
}

#[test]
fn a_venues_own_limit_ends_its_quotes_alone() {
    let mut case = Case::default();
    case.venues
        .insert("b".to_owned(), ("0".to_owned(), Some(50)));
    let lines = [
        btc("a", 100).quote("99", "100"),
        btc("b", 200).quote("101", "102"),
    ];
    assert_eq!(a_to_b(&lines, &case, 0, "positive_ns"), "50000000");
}

#[test]
fn a_rates_expiry_within_the_window_ends_the_paying_time_of_those_who_need_it() {
    let case = Case {
        rate_max_age_ms: 250,
        ..Case::default()
    };
    let lines = [
        usdt(100, "1", "1"),
        btc("a", 200).in_currency("USDT").quote("99", "100"),
        btc("b", 200).quote("101", "102"),
        usdt(600, "0.9", "0.9"),
    ];
    // 200..350, and with a cheaper tether 600..850.
    assert_eq!(a_to_b(&lines, &case, 0, "positive_ns"), "400000000");
    assert_eq!(a_to_b(&lines, &case, 0, "best/at_ns"), "600000000");
    assert_eq!(a_to_b(&lines, &case, 0, "quality"), "\"no_rate\"");
    let own = [
        usdt(100, "1", "1"),
        btc("a", 200).quote("99", "100"),
        lines[2].clone(),
    ];
    assert_eq!(a_to_b(&own, &case, 0, "positive_ns"), "800000000");
}
