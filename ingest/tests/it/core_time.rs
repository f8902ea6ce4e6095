//! Marks, statuses, health and estimated times, on a clock that the test turns.

use contract::tick::{Record, VenueStatus, decode};
use contract::time::NS_PER_MS;
use ingest::venue::Dialect;
use proptest::prelude::*;

use crate::core_driver::*;

const ADVANCED: Dialect = Dialect::CoinbaseAdvanced;
const EXCHANGE: Dialect = Dialect::CoinbaseExchange;

#[test]
fn the_first_data_brings_the_venue_up_with_a_mark_before_its_tick() {
    let mut driver = Driver::default();
    driver.connected(Dialect::Binance, 0);
    driver.binance(5, r#"{"result":null,"id":1}"#);
    assert!(driver.news().is_empty(), "an answer is no data");
    driver.binance(10, &trade(1, 7));
    assert_eq!(
        driver.news(),
        ["up binance 7", "mark binance -392", "trade 1 binance 7"]
    );
}

#[test]
fn up_and_its_mark_are_no_later_than_the_tick_that_follows() {
    let mut driver = Driver::default();
    // Sent at 550 by the venue's clock; the older of its trades is older than the lag of marks.
    let frame = advanced_trades("update", 0, &[(2, 500), (1, 0)]);
    driver.frame(ADVANCED, 600, &frame);
    assert_eq!(
        driver.news(),
        [
            "up coinbase 0",
            "mark coinbase 0",
            "trade 1 coinbase 0",
            "trade 2 coinbase 500"
        ]
    );
}

#[test]
fn marks_stand_on_the_grid_of_the_receive_clock_and_carry_the_venue_s_time_less_the_lag() {
    let mut driver = Driver::default();
    driver.binance(130, &trade(1, 1_129));
    driver.advance(199);
    driver.news();
    driver.advance(1_000);
    // Skew 1,000: the venue's clock at 200 is 1,200, less 400.
    assert_eq!(
        driver.news(),
        [
            "mark binance 800",
            "mark binance 1000",
            "mark binance 1200",
            "mark binance 1400",
            "mark binance 1600"
        ]
    );
}

#[test]
fn without_data_a_venue_is_silent_and_has_no_marks_until_data_comes_again() {
    let mut driver = Driver::default();
    driver.binance(100, &trade(1, 99));
    driver.advance(1_999);
    driver.news();
    driver.binance(2_050, r#"{"result":null,"id":1}"#);
    driver.advance(9_000);
    assert_eq!(driver.news(), ["mark binance 1600", "silent binance 2100"]);
    driver.binance(9_010, &trade(2, 9_009));
    assert_eq!(
        driver.news(),
        [
            "up binance 9009",
            "mark binance 8610",
            "trade 2 binance 9009"
        ]
    );
    driver.advance(9_200);
    assert_eq!(driver.news(), ["mark binance 8800"]);
}

#[test]
fn data_at_the_very_deadline_still_comes_in_time() {
    let mut driver = Driver::default();
    driver.binance(0, &trade(1, -1));
    driver.binance(2_000, &trade(2, 1_999));
    assert!(
        driver
            .story()
            .iter()
            .all(|line| !line.starts_with("silent"))
    );
    driver.advance(4_001);
    assert_eq!(driver.story().last().unwrap(), "silent binance 4000");
}

#[test]
fn level_2_and_depth_are_data_and_heartbeats_are_not() {
    let mut driver = Driver::default();
    driver.frame(ADVANCED, 0, &advanced("heartbeats", 0, 0, "{}"));
    driver.frame(ADVANCED, 1, &advanced("candles", 1, 0, "{}"));
    assert!(driver.news().is_empty());
    driver.frame(ADVANCED, 2, &advanced("l2_data", 2, 1, "{}"));
    assert_eq!(driver.news(), ["up coinbase 1", "mark coinbase -399"]);
    driver.binance(3, r#"{"lastUpdateId":4,"bids":[],"asks":[]}"#);
    assert_eq!(driver.news(), ["up binance 3", "mark binance -397"]);
}

#[test]
fn a_connection_without_any_data_is_silent_in_the_end() {
    let mut driver = Driver::default();
    driver.connected(ADVANCED, 0);
    driver.frame(ADVANCED, 1_500, &advanced("heartbeats", 0, 1_500, "{}"));
    driver.advance(5_000);
    assert_eq!(driver.news(), ["silent coinbase 2000"]);
}

#[test]
fn a_live_stage_says_down_before_anything_else_for_a_predecessor_that_was_killed() {
    let mut driver = Driver::default();
    driver.core.begin(Dialect::Binance, at(0), &mut driver.out);
    assert_eq!(driver.news(), ["down binance 0"]);
    // Why it cannot connect is news all the same.
    driver.disconnected(Dialect::Binance, 50, "refused");
    assert_eq!(driver.news(), ["down binance 50"]);
    driver.connected(Dialect::Binance, 5_000);
    driver.binance(5_001, &trade(1, 5_000));
    assert_eq!(
        driver.news(),
        [
            "up binance 5000",
            "mark binance 4601",
            "trade 1 binance 5000"
        ]
    );
}

#[test]
fn a_lost_connection_is_down_at_once_and_comes_back_with_data() {
    let mut driver = Driver::default();
    driver.binance(100, &trade(1, 99));
    driver.news();
    driver.disconnected(Dialect::Binance, 150, "reset by peer");
    assert!(
        driver.out.lines[0]
            .contains(r#""status":"down","event_ns":1723161254150000000,"detail":"reset by peer""#)
    );
    driver.news();
    driver.disconnected(Dialect::Binance, 200, "refused");
    driver.advance(5_000);
    assert!(
        driver.news().is_empty(),
        "said once, and no marks meanwhile"
    );
    driver.connected(Dialect::Binance, 5_000);
    assert!(driver.news().is_empty(), "a connection alone is not up");
    driver.binance(5_001, &trade(2, 5_000));
    assert_eq!(
        driver.news(),
        [
            "up binance 5000",
            "mark binance 4601",
            "trade 2 binance 5000"
        ]
    );
}

#[test]
fn a_connection_that_takes_over_from_a_living_one_leaves_the_venue_up() {
    let mut driver = Driver::default();
    driver.binance(100, &trade(1, 99));
    driver.news();
    driver.connected(Dialect::Binance, 150);
    driver.binance(160, &trade(2, 159));
    assert_eq!(driver.news(), ["trade 2 binance 159"]);
}

#[test]
fn a_venue_with_two_dialects_is_down_only_without_either() {
    let mut driver = Driver::default();
    driver.frame(ADVANCED, 0, &advanced_ticker("update", 0, 0, "BTC-USD"));
    driver.frame(EXCHANGE, 1, &exchange_match("match", 1, 0));
    driver.news();
    driver.disconnected(ADVANCED, 10, "");
    assert!(driver.news().is_empty());
    driver.disconnected(EXCHANGE, 11, "");
    assert_eq!(driver.news(), ["down coinbase 11"]);
}

#[test]
fn estimated_times_do_not_run_backwards_when_the_skew_falls() {
    let mut driver = Driver::default();
    driver.binance(0, &trade(1, 49));
    driver.binance(1, &book_ticker(1));
    for id in 2..6 {
        driver.binance(2, &trade(id, 1));
    }
    driver.binance(3, &book_ticker(2));
    driver.binance(60, &book_ticker(3));
    let quotes: Vec<_> = driver
        .story()
        .into_iter()
        .filter(|line| line.starts_with("quote"))
        .collect();
    assert_eq!(
        quotes,
        ["quote binance 51", "quote binance 51", "quote binance 60"]
    );
}

#[test]
fn a_tick_stamped_before_the_last_mark_is_emitted_and_counted() {
    let mut driver = Driver::default();
    driver.binance(0, &trade(1, -1));
    driver.advance(1_000);
    driver.binance(1_001, &trade(2, 599));
    driver.binance(1_001, &trade(3, 600));
    assert_eq!(driver.ticks().len(), 3);
    assert_eq!(driver.core.report().behind_mark, 1);
}

#[test]
fn the_end_of_a_capture_is_a_mark_of_each_venue_at_the_end_of_the_window_of_the_last_tick() {
    let mut driver = Driver::default();
    driver.core.finish(1_000, &mut driver.out);
    assert!(driver.story().is_empty(), "nothing to close");
    driver.binance(0, &trade(1, -1));
    driver.frame(ADVANCED, 400, &advanced_ticker("update", 0, 350, "BTC-USD"));
    driver.disconnected(Dialect::Binance, 500, "");
    driver.connected(EXCHANGE, 500);
    driver.news();
    driver.core.finish(1_000, &mut driver.out);
    assert_eq!(driver.news(), ["mark coinbase 1000", "mark binance 1000"]);

    let mut driver = Driver::default();
    driver.binance(1_001, &trade(1, 1_000));
    driver.news();
    driver.core.finish(1_000, &mut driver.out);
    assert_eq!(
        driver.news(),
        ["mark binance 2000"],
        "a tick on a boundary is in the window that begins there"
    );
}

#[test]
fn health_is_told_once_an_interval_on_the_recording_s_clock() {
    let mut driver = Driver::default();
    driver.binance(0, &trade(1, -1));
    for at_ms in 1..=152 {
        driver.binance(at_ms, &book_ticker(u64::try_from(at_ms).unwrap()));
    }
    driver.binance(900, "{");
    driver.binance(990, &trade(3, 989));
    driver.advance(3_500);
    assert_eq!(driver.out.health.len(), 3);
    assert_eq!(
        driver.out.health[0],
        r#"{"v":1,"venue":"binance","status":"up","at_ns":1723161255000000000,"frames_per_s":155.0,"data_age_ms":10,"skew_ms":0.0,"gaps":1,"reconnects":0,"parse_errors":1,"queue":0}"#
    );
    assert!(
        driver.out.health[2].contains(r#""status":"silent""#)
            && driver.out.health[2].contains(r#""frames_per_s":0.0,"data_age_ms":2010"#)
    );
}

#[test]
fn a_leap_of_years_costs_little_and_loses_nothing_that_was_up() {
    let mut driver = Driver::default();
    driver.binance(0, &trade(1, -1));
    driver.core.advance(i64::MAX, &mut driver.out);
    let marks = driver
        .story()
        .iter()
        .filter(|line| line.starts_with("mark"))
        .count();
    assert_eq!(marks, 1 + 10, "two seconds of marks until the silence");
    assert!(driver.out.health.len() < 200);
    driver
        .core
        .frame(Dialect::Binance, i64::MIN, "{}", &mut driver.out);
    driver.core.frame(ADVANCED, i64::MIN, "{}", &mut driver.out);
}

#[test]
fn time_that_goes_backwards_changes_nothing() {
    let mut driver = Driver::default();
    driver.binance(1_000, &trade(1, 999));
    driver.news();
    driver.advance(0);
    assert!(driver.news().is_empty());
    driver.binance(900, &book_ticker(1));
    driver.advance(1_200);
    assert_eq!(driver.news(), ["quote binance 900", "mark binance 800"]);
}

/// What may happen to a core.
#[derive(Debug, Clone)]
enum Happening {
    Frame(usize, i64),
    Connected(usize),
    Disconnected(usize),
    Advance,
}

fn happenings() -> impl Strategy<Value = Vec<(i64, Happening)>> {
    let what = prop_oneof![
        12 => (0..11_usize, -80_i64..80).prop_map(|(which, jitter)| Happening::Frame(which, jitter)),
        1 => (0..4_usize).prop_map(Happening::Connected),
        1 => (0..4_usize).prop_map(Happening::Disconnected),
        2 => Just(Happening::Advance),
    ];
    let pause = prop_oneof![20 => -3_i64..60, 2 => 100_i64..900, 1 => 2_000_i64..9_000];
    prop::collection::vec((pause, what), 1..150)
}

fn play(happenings: &[(i64, Happening)], skew_ms: i64, extra_ms: Option<i64>) -> Driver {
    let mut driver = Driver::default();
    let mut now_ms = 0;
    let mut next = 1;
    for (pause_ms, what) in happenings {
        if let Some(step_ms) = extra_ms {
            // The same, with the clock told in small steps on the way.
            let mut on_the_way = now_ms;
            while on_the_way < now_ms + pause_ms {
                driver.advance(on_the_way);
                on_the_way += step_ms;
            }
        }
        now_ms += pause_ms;
        next += 1;
        match what {
            Happening::Frame(which, jitter_ms) => {
                let stamp_ms = now_ms + skew_ms + jitter_ms;
                let (dialect, frame) = match which {
                    0 => (Dialect::Binance, trade(next, stamp_ms)),
                    1 | 2 => (Dialect::Binance, book_ticker(next)),
                    3 => (Dialect::BinanceUs, agg_trade(next, next..=next, stamp_ms)),
                    4 => (Dialect::BinanceUs, book_ticker(next)),
                    5 => (
                        ADVANCED,
                        advanced_ticker("update", next, stamp_ms, "BTC-USD"),
                    ),
                    6 => (
                        ADVANCED,
                        advanced_trades("update", next, &[(next, stamp_ms)]),
                    ),
                    7 => (EXCHANGE, exchange_match("match", next, stamp_ms)),
                    8 => (EXCHANGE, exchange_ticker(next, stamp_ms)),
                    9 => (EXCHANGE, exchange_heartbeat(next, stamp_ms)),
                    _ => (ADVANCED, "{".to_owned()),
                };
                driver.frame(dialect, now_ms, &frame);
            }
            Happening::Connected(which) => driver.connected(Dialect::ALL[*which], now_ms),
            Happening::Disconnected(which) => {
                driver.disconnected(Dialect::ALL[*which], now_ms, "x")
            }
            Happening::Advance => driver.advance(now_ms),
        }
    }
    driver
}

proptest! {
    #[test]
    fn the_records_follow_from_the_frames_and_not_from_how_often_the_clock_is_told(
        happenings in happenings(), skew_ms in -2_000_i64..2_000, step_ms in 1_i64..300,
    ) {
        let plain = play(&happenings, skew_ms, None);
        let often = play(&happenings, skew_ms, Some(step_ms));
        prop_assert_eq!(plain.out.lines, often.out.lines);
        prop_assert_eq!(plain.out.health, often.out.health);
    }

    #[test]
    fn whatever_happens_the_promises_of_the_log_hold(happenings in happenings(), skew_ms in -2_000_i64..2_000) {
        let driver = play(&happenings, skew_ms, None);
        for venue in ["binance", "binance_us", "coinbase"] {
            let (mut mark, mut status, mut estimate) = (i64::MIN, i64::MIN, i64::MIN);
            let mut is_up = false;
            let mut after_up = false;
            let mut behind = 0;
            for line in &driver.out.lines {
                let record = decode(line.as_bytes()).unwrap();
                if record.venue() != venue {
                    continue;
                }
                match &record {
                    Record::Mark(next) => {
                        prop_assert!(is_up, "a mark only while up");
                        prop_assert!(next.event_ns >= mark, "marks do not run backwards");
                        mark = next.event_ns;
                    }
                    Record::Status(next) => {
                        prop_assert!(next.event_ns >= status && next.event_ns >= mark);
                        prop_assert!((next.status == VenueStatus::Up) != is_up || !is_up, "up is told once");
                        status = next.event_ns;
                        is_up = next.status == VenueStatus::Up;
                    }
                    Record::Quote(quote) => {
                        prop_assert!(is_up, "a tick only while up");
                        if quote.exchange_ns.is_none() {
                            prop_assert!(quote.event_ns >= estimate && quote.event_ns >= mark);
                            estimate = quote.event_ns;
                        }
                        behind += u64::from(quote.event_ns < mark);
                    }
                    Record::Trade(trade) => {
                        prop_assert!(is_up, "a tick only while up");
                        behind += u64::from(trade.event_ns < mark);
                    }
                    Record::Rate(_) => {}
                }
                prop_assert!(!after_up || matches!(record, Record::Mark(_)), "up is followed by a mark at once");
                after_up = matches!(&record, Record::Status(next) if next.status == VenueStatus::Up);
            }
            prop_assert!(behind <= driver.core.report().behind_mark);
        }
        let report = driver.core.report();
        prop_assert_eq!(report.kinds.values().sum::<u64>(), report.frames);
        let ticks = u64::try_from(driver.ticks().len()).unwrap();
        prop_assert_eq!(report.quotes + report.trades, ticks);
        let faults: u64 = report.faults.values().sum();
        prop_assert_eq!(faults, u64::try_from(driver.out.dead_letters.len()).unwrap());
    }
}

#[test]
fn the_interval_of_marks_divides_the_receive_clock_and_not_the_time_since_the_start() {
    let mut driver = Driver::default();
    driver.binance(0, &trade(1, -1));
    driver.advance(1_000);
    for line in &driver.out.lines[2..] {
        let record = decode(line.as_bytes()).unwrap();
        if let Record::Mark(mark) = record {
            assert_eq!(mark.event_ns.rem_euclid(200 * NS_PER_MS), 0);
        }
    }
}
