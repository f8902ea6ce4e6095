//! Which currency rate a leg stands on (section 6), each case worked out by hand.

use super::{Case, check, field, first_leg};
use crate::line::{Tick, btc, ms, rate_ns, status, usdt};

#[test]
fn a_rate_too_old_is_shown_and_not_used() {
    let case = Case {
        rate_max_age_ms: 400,
        ..Case::default()
    };
    let at = |rate_ns_at| {
        first_leg(
            &[
                rate_ns("r", "USDT", "USD", rate_ns_at, "0.9990", "1.001"),
                btc("a", 900).in_currency("USDT").quote("10", "11"),
            ],
            &case,
        )
    };
    let good = at(ms(600));
    assert_eq!(
        (&good["state"], &good["rate_age_ms"]),
        (&"ok".into(), &400.into())
    );
    let old = at(ms(600) - 1);
    assert_eq!(old["state"], "no_rate");
    assert_eq!(
        (&old["rate_bid"], &old["rate_ask"]),
        (&"0.9990".into(), &"1.001".into())
    );
    assert_eq!(old["rate_age_ms"], 400);
}

#[test]
fn rates_are_neither_inverted_nor_chained_and_not_shown_where_not_needed() {
    let foreign = btc("a", 900).in_currency("USDT").quote("10", "11");
    for rates in [
        vec![],
        vec![rate_ns("r", "USD", "USDT", 0, "1", "1")],
        vec![
            rate_ns("r", "USDT", "EUR", 0, "1", "1"),
            rate_ns("r", "EUR", "USD", 0, "1", "1"),
        ],
    ] {
        let mut lines = rates;
        lines.push(foreign.clone());
        let leg = first_leg(&lines, &Case::default());
        assert_eq!(leg["state"], "no_rate");
        assert!(leg["rate_bid"].is_null() && leg["rate_age_ms"].is_null());
    }
    let own = [
        rate_ns("r", "USD", "USD", 0, "2", "2"),
        usdt(0, "2", "2"),
        btc("a", 900).quote("10", "11"),
    ];
    let leg = first_leg(&own, &Case::default());
    assert_eq!(leg["state"], "ok");
    assert!(leg["rate_bid"].is_null());
}

#[test]
fn the_last_rate_by_stamp_counts_of_whatever_venue_up_or_not() {
    let foreign = btc("a", 900).in_currency("USDT").quote("10", "11");
    let lines = [
        foreign,
        rate_ns("r", "USDT", "USD", ms(300), "3", "3"),
        rate_ns("s", "USDT", "USD", ms(200), "2", "2"),
        rate_ns("s", "USDT", "USD", ms(300), "4", "5"),
        status("s", "down", 400),
        status("r", "down", 400),
        rate_ns("r", "USDT", "USD", ms(1_000), "6", "6"),
    ];
    let leg = first_leg(&lines, &Case::default());
    assert_eq!(
        (&leg["rate_bid"], &leg["rate_ask"]),
        (&"4".into(), &"5".into())
    );
    assert_eq!(leg["state"], "ok");
}

#[test]
fn the_accounting_currency_stands_after_the_last_dash() {
    let lines = [
        Tick {
            currency: "USDT".to_owned(),
            ..Tick::at_ns("a", "BTC-PERP-EUR", ms(100))
        }
        .quote("10", "11"),
        rate_ns("r", "USDT", "EUR", ms(100), "0.9", "0.91"),
    ];
    let output = check(&lines, &Case::default());
    assert_eq!(field(&output.spreads[0], "/legs/0/state"), "\"ok\"");
    assert_eq!(field(&output.spreads[0], "/legs/0/rate_ask"), "\"0.91\"");
}
