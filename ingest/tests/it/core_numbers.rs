//! Gaps and repeats as the core tells them, through whole frames.

use ingest::venue::Dialect;

use crate::core_driver::*;

const ADVANCED: Dialect = Dialect::CoinbaseAdvanced;
const EXCHANGE: Dialect = Dialect::CoinbaseExchange;

/// Venue, feed, symbol, expected, got, missing.
type Row<'a> = (&'a str, &'a str, Option<&'a str>, u64, u64, u64);

fn gaps(driver: &Driver) -> Vec<Row<'_>> {
    let gaps = driver.out.gaps.iter();
    gaps.map(|gap| {
        let symbol = gap.symbol.as_deref();
        (
            gap.venue,
            gap.feed,
            symbol,
            gap.expected,
            gap.got,
            gap.missing,
        )
    })
    .collect()
}

#[test]
fn a_missing_frame_of_coinbase_advanced_is_told_by_the_connection_s_number_and_only_once() {
    let mut driver = Driver::default();
    driver.frame(ADVANCED, 0, &advanced_trades("update", 7, &[(1, 0)]));
    driver.frame(
        ADVANCED,
        1,
        &advanced(
            "heartbeats",
            8,
            1,
            r#"{"current_time":"x","heartbeat_counter":1}"#,
        ),
    );
    // Frame 9 held trade 2.
    driver.frame(ADVANCED, 2, &advanced_trades("update", 10, &[(3, 2)]));
    assert_eq!(
        gaps(&driver),
        [("coinbase", "sequence_num", None, 9, 10, 1)]
    );
    assert_eq!(driver.core.report().gaps_total, 1);
}

#[test]
fn a_connection_begun_anew_inside_a_capture_is_no_gap() {
    let mut driver = Driver::default();
    driver.frame(ADVANCED, 0, &advanced_ticker("update", 1_000, 0, "BTC-USD"));
    driver.frame(ADVANCED, 1, &advanced_ticker("snapshot", 0, 1, "BTC-USD"));
    driver.frame(ADVANCED, 2, &advanced_ticker("update", 1, 2, "BTC-USD"));
    assert!(driver.out.gaps.is_empty());
    assert_eq!(driver.core.report().restarts, 1);
    assert_eq!(driver.ticks().len(), 2);
}

#[test]
fn a_frame_of_coinbase_advanced_told_twice_gives_its_ticks_once() {
    let mut driver = Driver::default();
    let frame = advanced_trades("update", 7, &[(1, 0)]);
    driver.frame(ADVANCED, 0, &frame);
    driver.frame(ADVANCED, 0, &frame);
    assert_eq!(driver.ticks().len(), 1);
    assert_eq!(driver.core.report().duplicates, 1);
}

#[test]
fn a_missing_match_is_told_by_the_next_match_or_by_two_heartbeats_but_once() {
    let mut driver = Driver::default();
    driver.frame(EXCHANGE, 0, &exchange_match("last_match", 10, -5_000));
    driver.frame(EXCHANGE, 1, &exchange_match("match", 12, 1));
    assert_eq!(
        gaps(&driver),
        [("coinbase", "matches", Some("BTC-USD"), 11, 12, 1)]
    );
    driver.out.gaps.clear();

    driver.frame(EXCHANGE, 1_000, &exchange_heartbeat(14, 1_000));
    assert!(driver.out.gaps.is_empty(), "it may be on its way");
    driver.frame(EXCHANGE, 1_001, &exchange_match("match", 13, 1_000));
    driver.frame(EXCHANGE, 2_000, &exchange_heartbeat(14, 2_000));
    assert_eq!(
        gaps(&driver),
        [("coinbase", "matches", Some("BTC-USD"), 14, 14, 1)]
    );
    driver.out.gaps.clear();

    driver.frame(EXCHANGE, 2_500, &exchange_match("match", 15, 2_500));
    driver.frame(EXCHANGE, 3_000, &exchange_heartbeat(0, 3_000));
    driver.frame(EXCHANGE, 4_000, &exchange_heartbeat(15, 4_000));
    assert!(driver.out.gaps.is_empty());
}

#[test]
fn missing_frames_of_binance_are_told_feed_by_feed() {
    let depth = |first: u64, last: u64| {
        format!(
            r#"{{"stream":"btcusdt@depth@100ms","data":{{"e":"depthUpdate","E":{},"s":"BTCUSDT","U":{first},"u":{last},"b":[],"a":[]}}}}"#,
            at(0) / 1_000_000
        )
    };
    let mut driver = Driver::default();
    for frame in [
        depth(1, 5),
        depth(6, 9),
        trade(70, 0),
        agg_trade(5, 70..=70, 0),
        book_ticker(3),
    ] {
        driver.binance(0, &frame);
    }
    driver.binance(0, r#"{"lastUpdateId":4,"bids":[],"asks":[]}"#);
    assert!(driver.out.gaps.is_empty());
    for frame in [
        depth(13, 14),
        trade(72, 0),
        agg_trade(8, 72..=72, 0),
        book_ticker(900),
    ] {
        driver.binance(0, &frame);
    }
    assert_eq!(
        gaps(&driver),
        [
            ("binance", "depth@100ms", Some("BTCUSDT"), 10, 13, 3),
            ("binance", "trade", Some("BTCUSDT"), 71, 72, 1),
            ("binance", "aggTrade", Some("BTCUSDT"), 6, 8, 2),
        ]
    );
    assert_eq!(driver.core.report().venues[0].gaps, 3);
}

#[test]
fn the_same_feed_of_two_symbols_and_of_two_venues_is_numbered_apart() {
    let mut driver = Driver::default();
    driver.binance(0, &trade(10, 0));
    driver.binance(0, &trade(900, 0).replace("BTCUSDT", "ETHUSDT"));
    driver.frame(Dialect::BinanceUs, 0, &trade(55, 0));
    driver.binance(0, &trade(11, 0));
    driver.frame(Dialect::BinanceUs, 0, &trade(56, 0));
    assert!(driver.out.gaps.is_empty());
}

#[test]
fn after_a_reconnect_repeats_are_passed_over_and_what_was_missed_is_no_gap() {
    let mut driver = Driver::default();
    driver.binance(0, &trade(10, 0));
    driver.binance(1, &book_ticker(500));
    driver.disconnected(Dialect::Binance, 100, "closed");
    driver.connected(Dialect::Binance, 200);
    driver.news();
    for frame in [
        trade(9, 150),
        trade(10, 150),
        book_ticker(499),
        book_ticker(500),
    ] {
        driver.binance(201, &frame);
    }
    assert!(driver.ticks().is_empty());
    for frame in [trade(14, 200), book_ticker(501)] {
        driver.binance(202, &frame);
    }
    assert_eq!(driver.ticks().len(), 2);
    let report = driver.core.report();
    assert_eq!((report.duplicates, report.old_quotes), (2, 2));
    assert_eq!(
        (report.gaps_total, report.missed_between_connections),
        (0, 3)
    );
    assert_eq!(report.venues[0].connections, 2);
}

#[test]
fn a_venue_that_restarts_its_numbers_is_heard_again() {
    let mut driver = Driver::default();
    driver.binance(0, &trade(1_000_000, 0));
    driver.binance(1, &book_ticker(1_000_000));
    driver.disconnected(Dialect::Binance, 100, "restarted");
    driver.connected(Dialect::Binance, 200);
    let mut first_ms = None;
    for at_ms in (201..3_000).step_by(50) {
        let number = u64::try_from(at_ms).unwrap() - 200;
        driver.news();
        driver.binance(at_ms, &book_ticker(number));
        if !driver.ticks().is_empty() {
            first_ms = first_ms.or(Some(at_ms));
        }
    }
    assert_eq!(first_ms, Some(2_201), "two seconds, and no longer");
    assert_eq!(driver.core.report().restarts, 1);
}

#[test]
fn a_trade_that_cannot_be_used_is_a_fault_and_not_a_gap() {
    let mut driver = Driver::default();
    driver.binance(0, &trade(1, 0));
    driver.binance(0, &trade(2, 0).replace("61700.01", "0"));
    driver.binance(0, &trade(3, 0));
    let report = driver.core.report();
    assert_eq!((report.trades, report.gaps_total), (2, 0));
    assert_eq!(report.faults["unusable number"], 1);
}

#[test]
fn the_list_of_gaps_is_bounded_and_their_number_is_not() {
    let mut driver = Driver::default();
    for id in 0..3_000 {
        driver.binance(0, &trade(id * 2, 0));
    }
    let report = driver.core.report();
    assert_eq!(report.gaps_total, 2_999);
    assert_eq!(report.gaps.len(), ingest::core::MAX_GAPS_LISTED);
}
