//! What becomes a tick, what a rate, and what neither.

use contract::time::NS_PER_MS;
use ingest::core::Outcome;
use ingest::settings::IngestSettings;
use ingest::venue::{Dialect, Kind};

use crate::core_driver::*;

const ADVANCED: Dialect = Dialect::CoinbaseAdvanced;
const EXCHANGE: Dialect = Dialect::CoinbaseExchange;

#[test]
fn a_book_ticker_becomes_a_quote_with_an_estimated_time() {
    let mut driver = Driver::default();
    // The recorder's clock is 1,270 ms behind: sent at 1,271 by the venue's clock, received at 1 by ours.
    driver.binance(1, &trade(7, 1_270));
    driver.binance(3, &book_ticker(50_311_273));
    assert_eq!(
        driver.ticks()[1],
        r#"{"v":1,"kind":"quote","venue":"binance","symbol":"BTCUSDT","currency":"USDT","pair":"BTC-USD","event_ns":1723161255273000000,"event_from":"estimated","exchange_ns":null,"received_ns":1723161254003000000,"seq":50311273,"bid":"61700.01","bid_size":"1.5","ask":"61700.02","ask_size":"0.7"}"#
    );
}

#[test]
fn a_trade_keeps_its_own_time_and_the_taker_s_side() {
    let mut driver = Driver::default();
    driver.frame(
        ADVANCED,
        60,
        &advanced_trades("update", 0, &[(1_068_572_091, 5)]),
    );
    assert_eq!(
        driver.ticks(),
        [
            r#"{"v":1,"kind":"trade","venue":"coinbase","symbol":"BTC-USD","currency":"USD","pair":"BTC-USD","event_ns":1723161254005000000,"event_from":"venue","exchange_ns":1723161254005000000,"received_ns":1723161254060000000,"trade_id":"1068572091","price":"61702.5","size":"0.01","taker_side":"buy"}"#
        ]
    );
}

#[test]
fn a_ticker_of_coinbase_advanced_is_stamped_by_its_envelope() {
    let mut driver = Driver::default();
    driver.frame(ADVANCED, 60, &advanced_ticker("update", 12, 40, "ETH-USD"));
    assert_eq!(
        driver.ticks(),
        [
            r#"{"v":1,"kind":"quote","venue":"coinbase","symbol":"ETH-USD","currency":"USD","pair":"ETH-USD","event_ns":1723161254040000000,"event_from":"venue","exchange_ns":1723161254040000000,"received_ns":1723161254060000000,"seq":12,"bid":"61702.40","bid_size":"1","ask":"61702.6","ask_size":"2"}"#
        ]
    );
}

#[test]
fn what_was_before_the_subscription_is_counted_and_never_a_tick() {
    let mut driver = Driver::default();
    driver.frame(
        ADVANCED,
        0,
        &advanced_trades("snapshot", 0, &[(3, -50), (2, -70_000)]),
    );
    driver.frame(ADVANCED, 1, &advanced_ticker("snapshot", 1, 0, "BTC-USD"));
    driver.frame(EXCHANGE, 2, &exchange_ticker(50, -107_000));
    driver.frame(EXCHANGE, 3, &exchange_match("last_match", 50, -107_000));
    assert!(driver.ticks().is_empty(), "{:?}", driver.ticks());
    assert_eq!(driver.core.report().history, 5);
    assert!(
        driver.out.dead_letters.is_empty(),
        "an old stamp of history is no fault"
    );

    driver.frame(EXCHANGE, 4, &exchange_ticker(51, 3));
    driver.frame(EXCHANGE, 5, &exchange_match("match", 51, 3));
    assert_eq!(driver.ticks().len(), 2);
}

#[test]
fn the_first_ticker_of_every_connection_of_coinbase_exchange_is_history() {
    let mut driver = Driver::default();
    driver.frame(EXCHANGE, 0, &exchange_ticker(50, -9_000));
    driver.frame(EXCHANGE, 1, &exchange_ticker(52, 0));
    assert_eq!(driver.ticks().len(), 1);
    driver.disconnected(EXCHANGE, 2, "");
    driver.connected(EXCHANGE, 3);
    driver.frame(EXCHANGE, 4, &exchange_ticker(60, -8_000));
    assert_eq!(
        driver.ticks().len(),
        1,
        "the last trade's quote, told again"
    );
    driver.frame(EXCHANGE, 5, &exchange_ticker(61, 4));
    assert_eq!(driver.ticks().len(), 2);
}

#[test]
fn a_rate_goes_everywhere_and_is_a_quote_only_where_a_pair_names_it() {
    let mut driver = Driver::default();
    driver.frame(ADVANCED, 60, &advanced_ticker("update", 0, 40, "USDT-USD"));
    assert_eq!(driver.ticks(), [""; 0]);
    assert_eq!(
        driver.out.lines.last().unwrap(),
        r#"{"v":1,"kind":"rate","venue":"coinbase","symbol":"USDT-USD","from":"USDT","to":"USD","event_ns":1723161254040000000,"bid":"61702.40","ask":"61702.6"}"#
    );
    assert!(driver.core.report().unnamed.is_empty());

    let mut driver = Driver::new(IngestSettings {
        all_pairs: true,
        ..settings()
    });
    driver.frame(ADVANCED, 60, &advanced_ticker("update", 0, 40, "USDT-USD"));
    assert_eq!(
        driver.story(),
        [
            "up coinbase 40",
            "mark coinbase -360",
            "rate coinbase 40",
            "quote coinbase 40"
        ]
    );
}

#[test]
fn a_symbol_that_nobody_names_is_counted_and_listed() {
    let mut driver = Driver::default();
    driver.frame(ADVANCED, 60, &advanced_ticker("update", 0, 40, "DOGE-USD"));
    driver.frame(ADVANCED, 61, &advanced_ticker("update", 1, 41, "DOGE-USD"));
    driver.frame(
        EXCHANGE,
        62,
        &exchange_match("match", 1, 60).replace("BTC-USD", "SOL-EUR"),
    );
    let report = driver.core.report();
    let unnamed: Vec<_> = report
        .unnamed
        .iter()
        .map(|row| (row.venue, &*row.symbol, row.ticks))
        .collect();
    assert_eq!(
        unnamed,
        [("coinbase", "DOGE-USD", 2), ("coinbase", "SOL-EUR", 1)]
    );
    assert_eq!((report.quotes, report.trades), (0, 0));

    let mut driver = Driver::new(IngestSettings {
        all_pairs: true,
        ..settings()
    });
    driver.frame(ADVANCED, 60, &advanced_ticker("update", 0, 40, "DOGE-EUR"));
    assert!(driver.ticks()[0].contains(r#""currency":"EUR","pair":"DOGE-EUR""#));
}

#[test]
fn trades_that_come_one_by_one_and_in_aggregates_are_counted_once() {
    // Whichever stream is first, ids 1 to 9 go out once each.
    let mut driver = Driver::default();
    driver.binance(0, &agg_trade(70, 1..=3, -5));
    driver.binance(1, &trade(3, -5));
    driver.binance(2, &trade(4, -4));
    driver.binance(3, &agg_trade(71, 4..=6, -4));
    driver.binance(4, &trade(5, -4));
    assert_eq!(
        driver.news(),
        [
            "up binance -5",
            "mark binance -405",
            "trade 70 binance -5",
            "trade 4 binance -4",
            "trade 5 binance -4"
        ]
    );
    let report = driver.core.report();
    assert_eq!(
        (
            report.trades,
            report.duplicates,
            report.aggregated,
            report.gaps_total
        ),
        (3, 1, 1, 0)
    );
}

#[test]
fn aggregates_alone_are_trades() {
    let mut driver = Driver::default();
    driver.binance(0, &agg_trade(70, 1..=3, -5));
    driver.binance(3, &agg_trade(71, 4..=6, -4));
    assert_eq!(driver.ticks().len(), 2);
    assert!(
        driver.ticks()[0].contains(r#""trade_id":"70""#)
            && driver.ticks()[0].contains(r#""taker_side":"buy""#)
    );
}

#[test]
fn one_bad_stamp_is_a_fault_and_the_connection_lives_on() {
    for (stamp, reason) in [
        ("0001-01-01T00:00:00.000000Z", "unreadable stamp"),
        ("1970-01-01T00:00:00Z", "stamp before 2009"),
        ("2024-08-08T23:53:13.999Z", "stamp too far from receipt"),
    ] {
        let mut driver = Driver::default();
        driver.frame(EXCHANGE, 0, &exchange_match("match", 1, 0));
        let frame = exchange_match("match", 2, 0).replace(&rfc3339(0), stamp);
        assert_eq!(driver.frame(EXCHANGE, 0, &frame), Outcome::Fault);
        assert_eq!(
            driver.frame(EXCHANGE, 1, &exchange_match("match", 3, 1)),
            Outcome::Data
        );
        let report = driver.core.report();
        assert_eq!(report.trades, 2);
        assert_eq!(report.gaps_total, 0, "the frame came, and counts");
        assert_eq!(report.faults.iter().collect::<Vec<_>>(), [(&reason, &1)]);
        let [letter] = &driver.out.dead_letters[..] else {
            panic!()
        };
        assert_eq!(letter.bytes, frame.as_bytes());
        assert_eq!(
            (
                &*letter.topic,
                letter.partition,
                letter.offset,
                letter.stage
            ),
            ("frames/coinbase-exchange", 0, 1, "ingest")
        );
    }
}

#[test]
fn a_recorder_further_off_than_the_bound_makes_every_stamp_a_fault() {
    let mut driver = Driver::default();
    driver.binance(0, &trade(1, 60_000));
    assert_eq!(driver.core.report().faults["stamp too far from receipt"], 1);
    driver.binance(0, &trade(2, 59_999));
    assert_eq!(driver.core.report().trades, 1);
}

#[test]
fn of_several_trades_in_a_frame_the_good_ones_go_out() {
    let mut driver = Driver::default();
    let frame = advanced_trades("update", 0, &[(3, 3), (2, -90_000), (1, 1)]).replace(
        r#""trade_id":"1","price":"61702.5""#,
        r#""trade_id":"1","price":"0""#,
    );
    assert_eq!(driver.frame(ADVANCED, 60, &frame), Outcome::Fault);
    assert_eq!(driver.ticks().len(), 1);
    assert_eq!(driver.out.dead_letters.len(), 1, "one frame, one letter");
}

#[test]
fn what_cannot_be_read_is_counted_kept_and_forgotten() {
    let mut driver = Driver::default();
    driver.binance(0, &book_ticker(1));
    for frame in [
        "",
        "\u{0}",
        r#"{"e":"novelty"}"#,
        &trade(1, 0)[..20],
        r#"{"e":"trade"}"#,
    ] {
        assert_eq!(driver.binance(1, frame), Outcome::Fault);
    }
    driver.binance(2, &book_ticker(2));
    let report = driver.core.report();
    assert_eq!((report.frames, report.quotes), (7, 2));
    assert_eq!(report.kinds[&(Dialect::Binance, Kind::Unknown)], 1);
    assert_eq!(report.kinds[&(Dialect::Binance, Kind::Broken)], 4);
    assert_eq!(report.kinds.values().sum::<u64>(), report.frames);
    assert_eq!(driver.out.dead_letters.len(), 5);
    assert_eq!(report.venues[0].faults, 5);
}

#[test]
fn a_refusal_and_a_shutdown_are_told_to_whoever_keeps_the_connection() {
    let mut driver = Driver::default();
    assert_eq!(
        driver.binance(0, r#"{"code":2,"msg":"no","id":1}"#),
        Outcome::Refused
    );
    let ms = at(0) / NS_PER_MS;
    assert_eq!(
        driver.binance(0, &format!(r#"{{"e":"serverShutdown","E":{ms}}}"#)),
        Outcome::Shutdown
    );
    assert_eq!(
        driver.binance(0, r#"{"result":null,"id":1}"#),
        Outcome::Control
    );
    assert!(driver.out.lines.is_empty(), "none of it is data");
}

#[test]
fn what_a_hostile_venue_sends_is_kept_short() {
    let long = "X".repeat(2_000_000);
    let mut driver = Driver::new(IngestSettings {
        all_pairs: true,
        ..settings()
    });
    driver.binance(0, &trade(1, 0).replace("BTCUSDT", &long));
    let report = driver.core.report();
    assert_eq!((report.trades, report.unnamed_beyond), (0, 1));
    driver.binance(0, &format!(r#"{{"e":"trade","E":"{long}"}}"#));
    driver.binance(0, &format!(r#"{{"e":"{long}"}}"#));
    driver.disconnected(Dialect::Binance, 1, &long);
    assert_eq!(driver.out.dead_letters.len(), 2);
    for letter in &driver.out.dead_letters {
        assert!(letter.error.len() <= 500, "{}", letter.error.len());
        assert!(letter.bytes.len() > 2_000_000);
    }
    assert!(driver.out.lines.iter().all(|line| line.len() < 1_000));
}

#[test]
fn a_receipt_of_1970_makes_no_event_of_1970() {
    let mut driver = Driver::default();
    let out = &mut driver.out;
    let outcome = driver.core.frame(Dialect::Binance, 5, &book_ticker(1), out);
    assert_eq!(outcome, Outcome::Fault);
    assert_eq!(driver.core.report().faults["stamp before 2009"], 1);
    assert!(driver.ticks().is_empty());
}
