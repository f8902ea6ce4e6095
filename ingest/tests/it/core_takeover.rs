//! One connection takes over from another: nothing twice, nothing lost, gaps told honestly.

use ingest::core::Connection;
use ingest::venue::Dialect;
use proptest::prelude::*;

use crate::core_driver::*;

const ADVANCED: Dialect = Dialect::CoinbaseAdvanced;
const EXCHANGE: Dialect = Dialect::CoinbaseExchange;
const BINANCE: Dialect = Dialect::Binance;

/// A core, and the connections of one dialect by number.
struct Links {
    driver: Driver,
    dialect: Dialect,
}

impl Links {
    /// With connection 1 made and up.
    fn up(dialect: Dialect, first: &str) -> Self {
        let mut links = Self {
            driver: Driver::default(),
            dialect,
        };
        links.connected(1, 0);
        links.frame(1, 1, first);
        links.driver.news();
        links
    }

    fn of(&self, number: u64) -> Connection {
        Connection {
            dialect: self.dialect,
            number,
        }
    }

    fn connected(&mut self, number: u64, ms: i64) {
        let connection = self.of(number);
        let Driver { core, out } = &mut self.driver;
        core.connected(connection, at(ms), out);
    }

    fn gone(&mut self, number: u64, ms: i64) {
        let connection = self.of(number);
        let Driver { core, out } = &mut self.driver;
        core.disconnected(connection, at(ms), "gone", out);
    }

    fn frame(&mut self, number: u64, ms: i64, frame: &str) {
        let connection = self.of(number);
        let Driver { core, out } = &mut self.driver;
        core.frame(connection, at(ms), frame, out);
    }

    /// What came since the last call, without marks.
    fn news(&mut self) -> Vec<String> {
        let mut news = self.driver.news();
        news.retain(|line| !line.starts_with("mark"));
        news
    }
}

#[test]
fn trades_and_quotes_of_binance_come_once_whichever_connection_is_faster() {
    let mut links = Links::up(BINANCE, &trade(10, 0));
    links.connected(2, 2);
    links.frame(2, 3, &trade(12, 3));
    links.frame(1, 4, &trade(11, 2));
    links.frame(1, 5, &trade(12, 3));
    links.frame(2, 6, &book_ticker(101));
    links.frame(1, 7, &book_ticker(100));
    links.frame(1, 8, &book_ticker(101));
    links.frame(1, 9, &book_ticker(102));
    links.gone(1, 10);
    links.frame(2, 11, &book_ticker(102));
    links.frame(2, 12, &trade(13, 12));
    assert_eq!(
        links.news(),
        [
            "trade 12 binance 3",
            "trade 11 binance 2",
            "quote binance 6",
            "quote binance 9",
            "trade 13 binance 12"
        ],
        "and no status: the venue stays up"
    );
    let report = links.driver.core.report();
    assert_eq!(
        (report.gaps_total, report.missed_between_connections),
        (0, 0)
    );
    assert_eq!((report.duplicates, report.old_quotes), (1, 3));
    assert_eq!(report.venues[0].connections, 2);
}

#[test]
fn what_neither_connection_brought_is_one_gap_when_one_is_left() {
    let mut links = Links::up(BINANCE, &trade(10, 0));
    links.connected(2, 2);
    links.frame(2, 3, &trade(11, 2));
    links.frame(2, 4, &trade(14, 4));
    links.frame(1, 5, &trade(11, 2));
    links.frame(1, 6, &trade(14, 4));
    assert_eq!(links.driver.out.gaps.len(), 0, "either may still bring it");
    links.gone(1, 7);
    let [gap] = &links.driver.out.gaps[..] else {
        panic!("{:?}", links.driver.out.gaps)
    };
    assert_eq!(
        (gap.feed, gap.expected, gap.got, gap.missing),
        ("trade", 12, 14, 2)
    );
    links.frame(2, 8, &trade(15, 8));
    assert_eq!(links.driver.core.report().gaps_total, 1);
}

#[test]
fn each_connection_of_coinbase_advanced_is_held_to_its_own_numbers() {
    let mut links = Links::up(ADVANCED, &advanced_ticker("snapshot", 1_000, 0, "BTC-USD"));
    links.connected(2, 2);
    links.frame(2, 3, &advanced_trades("snapshot", 0, &[(50, 0), (49, 0)]));
    links.frame(1, 4, &advanced_trades("update", 1_001, &[(50, 0)]));
    links.frame(2, 5, &advanced_trades("update", 1, &[(51, 5)]));
    links.frame(1, 6, &advanced_trades("update", 1_002, &[(51, 5)]));
    links.frame(2, 7, &advanced_trades("update", 2, &[(52, 6)]));
    links.gone(1, 8);
    links.frame(2, 9, &advanced_trades("update", 4, &[(53, 9)]));
    assert_eq!(
        links.news(),
        [
            "trade 50 coinbase 0",
            "trade 51 coinbase 5",
            "trade 52 coinbase 6",
            "trade 53 coinbase 9"
        ],
        "50 stood in the second's history and was still the first's to bring"
    );
    let gaps = &links.driver.out.gaps;
    assert_eq!(gaps.len(), 1, "{gaps:?}");
    assert_eq!(
        (gaps[0].feed, gaps[0].expected, gaps[0].got),
        ("sequence_num", 3, 4)
    );
    assert_eq!(links.driver.core.report().restarts, 0);
}

#[test]
fn quotes_without_numbers_are_told_apart_by_stamp_and_content() {
    let quote = |number, ms, bid: &str| {
        advanced_ticker("update", number, ms, "BTC-USD").replace("61702.40", bid)
    };
    let mut links = Links::up(ADVANCED, &quote(7, 0, "1"));
    links.connected(2, 2);
    links.frame(1, 10, &quote(8, 10, "2"));
    links.frame(2, 11, &quote(0, 11, "2"));
    links.frame(2, 12, &quote(1, 20, "3"));
    links.frame(1, 13, &quote(9, 19, "2.5"));
    links.frame(1, 14, &quote(10, 21, "3"));
    links.frame(1, 15, &quote(11, 22, "2"));
    links.gone(1, 16);
    links.frame(2, 17, &quote(2, 23, "2"));
    assert_eq!(
        links.news(),
        [
            "quote coinbase 10",
            "quote coinbase 20",
            "quote coinbase 22",
            "quote coinbase 23"
        ]
    );
}

#[test]
fn the_opening_of_a_second_connection_of_coinbase_exchange_takes_nothing_from_the_first() {
    let mut links = Links::up(EXCHANGE, &exchange_match("last_match", 99, 0));
    links.frame(1, 1, &exchange_ticker(99, 0));
    links.frame(1, 1, &exchange_match("match", 100, 1));
    links.frame(1, 1, &exchange_ticker(100, 1));
    links.connected(2, 2);
    links.frame(2, 3, &exchange_match("last_match", 102, 2));
    links.frame(2, 3, &exchange_ticker(102, 2));
    links.frame(2, 3, &exchange_heartbeat(102, 3));
    links.frame(1, 4, &exchange_heartbeat(102, 3));
    for id in [101, 102] {
        links.frame(1, 5, &exchange_match("match", id, 2));
        links.frame(1, 5, &exchange_ticker(id, 2));
    }
    links.frame(2, 6, &exchange_match("match", 103, 6));
    links.frame(2, 6, &exchange_ticker(103, 6));
    links.gone(1, 7);
    links.frame(2, 8, &exchange_heartbeat(103, 8));
    links.frame(2, 9, &exchange_heartbeat(103, 9));
    assert_eq!(
        links.news(),
        [
            "trade 100 coinbase 1",
            "quote coinbase 1",
            "trade 101 coinbase 2",
            "quote coinbase 2",
            "trade 102 coinbase 2",
            "quote coinbase 2",
            "trade 103 coinbase 6",
            "quote coinbase 6"
        ]
    );
    assert!(links.driver.out.gaps.is_empty());
    assert_eq!(links.driver.core.report().missed_between_connections, 0);
}

#[test]
fn a_second_connection_that_fails_changes_nothing() {
    let mut links = Links::up(BINANCE, &trade(10, 0));
    links.gone(2, 1);
    links.connected(3, 2);
    links.gone(3, 3);
    links.connected(4, 4);
    links.frame(4, 5, &trade(11, 4));
    links.gone(4, 6);
    links.frame(1, 7, &trade(11, 4));
    links.frame(1, 8, &trade(12, 7));
    assert_eq!(links.news(), ["trade 11 binance 4", "trade 12 binance 7"]);
    assert_eq!(links.driver.core.report().gaps_total, 0);
}

#[test]
fn a_first_connection_lost_before_the_second_brought_anything_is_an_outage() {
    let mut links = Links::up(BINANCE, &trade(10, 0));
    links.connected(2, 2);
    links.gone(1, 5);
    links.frame(2, 9, &trade(14, 8));
    assert_eq!(
        links.news(),
        ["down binance 5", "up binance 8", "trade 14 binance 8"]
    );
    let report = links.driver.core.report();
    assert_eq!(
        (report.gaps_total, report.missed_between_connections),
        (0, 3)
    );
}

#[test]
fn an_outage_is_told_once_whether_silence_or_the_end_of_the_connection_comes_first() {
    let mut links = Links::up(BINANCE, &trade(10, 0));
    links.driver.advance(2_500);
    links.gone(1, 2_600);
    links.gone(2, 2_700);
    links.connected(3, 2_800);
    links.driver.advance(9_000);
    links.gone(3, 9_100);
    links.connected(4, 9_200);
    links.frame(4, 9_300, &trade(11, 9_299));
    assert_eq!(
        links.news(),
        [
            "silent binance 2001",
            "up binance 9299",
            "trade 11 binance 9299"
        ]
    );
}

proptest! {
    /// A feed of trades and quotes, delivered by two connections with any delays, the second from anywhere on.
    #[test]
    fn a_takeover_loses_and_repeats_nothing(
        delays in prop::collection::vec((0_i64..40, 0_i64..40), 60),
        second_from in 5_usize..30, ends in 40_usize..55,
    ) {
        let mut links = Links::up(BINANCE, &trade(0, 0));
        let mut arrivals = Vec::new();
        let (mut first_ms, mut second_ms) = (0, 0);
        for (at, (first, second)) in delays.iter().enumerate() {
            let id = u64::try_from(at).unwrap() + 1;
            let sent_ms = i64::try_from(id).unwrap() * 10;
            // TCP keeps the order of a connection.
            first_ms = first_ms.max(sent_ms + first);
            second_ms = second_ms.max(sent_ms + second);
            // The first is closed only when it has brought what was before the second's beginning.
            if at < ends {
                arrivals.push((first_ms, 1, id));
            }
            if at >= second_from {
                arrivals.push((second_ms, 2, id));
            }
        }
        arrivals.sort_unstable();
        links.connected(2, 2);
        let first_ends = arrivals.iter().rposition(|(_, link, _)| *link == 1).unwrap();
        for (at, (ms, link, id)) in arrivals.iter().enumerate() {
            links.frame(*link, *ms, &trade(*id, *ms - 1));
            links.frame(*link, *ms, &book_ticker(*id));
            if at == first_ends {
                links.gone(1, *ms);
            }
        }
        let mut trades: Vec<u64> = links.driver.story().iter()
            .filter_map(|line| line.strip_prefix("trade ")?.split(' ').next()?.parse().ok())
            .collect();
        trades.sort_unstable();
        prop_assert_eq!(trades, (1..=60).collect::<Vec<u64>>());
        let report = links.driver.core.report();
        prop_assert_eq!((report.gaps_total, report.missed_between_connections), (0, 0));
        let statuses = links.driver.story().iter().filter(|line| line.contains("down") || line.contains("up ")).count();
        prop_assert_eq!(statuses, 0);
    }
}
