//! A core with its sink, and constructed frames: what the tests of the core share.

use std::collections::BTreeMap;

use contract::tick::{Record, decode};
use contract::time::{NS_PER_MS, NS_PER_S};
use ingest::core::{Collect, Core, Outcome};
use ingest::settings::{IngestSettings, VenueSettings};
use ingest::venue::Dialect;

/// 2024-08-08T23:54:14Z: a whole second, and a multiple of every interval used here.
pub(crate) const START_NS: i64 = 1_723_161_254 * NS_PER_S;

/// `ms` milliseconds after the start.
pub(crate) fn at(ms: i64) -> i64 {
    START_NS + ms * NS_PER_MS
}

pub(crate) fn table(rows: &[(&str, &str, &str)]) -> BTreeMap<String, BTreeMap<String, String>> {
    let mut table: BTreeMap<String, BTreeMap<String, String>> = BTreeMap::new();
    for (name, venue, symbol) in rows {
        let symbols = table.entry((*name).to_owned()).or_default();
        symbols.insert((*venue).to_owned(), (*symbol).to_owned());
    }
    table
}

pub(crate) fn settings() -> IngestSettings {
    IngestSettings {
        mark_interval_ms: 200,
        max_stamp_distance_ms: 60_000,
        health_interval_ms: 1_000,
        default_venue: VenueSettings {
            mark_lag_ms: 400,
            silent_after_ms: 2_000,
        },
        pairs: table(&[
            ("BTC-USD", "binance", "BTCUSDT"),
            ("BTC-USD", "binance_us", "BTCUSDT"),
            ("BTC-USD", "coinbase", "BTC-USD"),
            ("ETH-USD", "coinbase", "ETH-USD"),
        ]),
        rates: table(&[("USDT-USD", "coinbase", "USDT-USD")]),
        ..IngestSettings::default()
    }
}

/// A core and everything it emitted.
pub(crate) struct Driver {
    pub(crate) core: Core,
    pub(crate) out: Collect,
}

impl Default for Driver {
    fn default() -> Self {
        Self::new(settings())
    }
}

impl Driver {
    pub(crate) fn new(settings: IngestSettings) -> Self {
        Self {
            core: Core::new(settings),
            out: Collect::default(),
        }
    }

    pub(crate) fn frame(&mut self, dialect: Dialect, ms: i64, frame: &str) -> Outcome {
        self.core.frame(dialect, at(ms), frame, &mut self.out)
    }

    pub(crate) fn binance(&mut self, ms: i64, frame: &str) -> Outcome {
        self.frame(Dialect::Binance, ms, frame)
    }

    pub(crate) fn advance(&mut self, ms: i64) {
        self.core.advance(at(ms), &mut self.out);
    }

    pub(crate) fn connected(&mut self, dialect: Dialect, ms: i64) {
        self.core.connected(dialect, at(ms), &mut self.out);
    }

    pub(crate) fn disconnected(&mut self, dialect: Dialect, ms: i64, reason: &str) {
        let out = &mut self.out;
        self.core.disconnected(dialect, at(ms), reason, out);
    }

    /// The records so far, in short: `up coinbase 0`, `mark binance -400`, `quote binance 12`; milliseconds after the start.
    pub(crate) fn story(&self) -> Vec<String> {
        self.out.lines.iter().map(|line| short(line)).collect()
    }

    /// The story since the last call.
    pub(crate) fn news(&mut self) -> Vec<String> {
        let story = self.story();
        self.out.lines.clear();
        story
    }

    /// The ticks alone, as they stand on the topic.
    pub(crate) fn ticks(&self) -> Vec<&str> {
        let is_tick = |line: &&str| decode(line.as_bytes()).unwrap().pair().is_some();
        self.out
            .lines
            .iter()
            .map(String::as_str)
            .filter(is_tick)
            .collect()
    }
}

fn short(line: &str) -> String {
    let record = decode(line.as_bytes()).unwrap();
    let what = match &record {
        Record::Quote(_) => "quote".to_owned(),
        Record::Trade(trade) => format!("trade {}", trade.trade_id),
        Record::Rate(_) => "rate".to_owned(),
        Record::Mark(_) => "mark".to_owned(),
        Record::Status(status) => format!("{:?}", status.status).to_lowercase(),
    };
    let since_ns = record.event_ns() - START_NS;
    let ms = since_ns.div_euclid(NS_PER_MS);
    format!("{what} {} {ms}", record.venue())
}

pub(crate) fn book_ticker(u: u64) -> String {
    format!(r#"{{"u":{u},"s":"BTCUSDT","b":"61700.01","B":"1.5","a":"61700.02","A":"0.7"}}"#)
}

/// A Binance trade that happened at `ms` and was sent a millisecond later.
pub(crate) fn trade(id: u64, ms: i64) -> String {
    let happened = at(ms) / NS_PER_MS;
    let sent = happened + 1;
    format!(
        r#"{{"e":"trade","E":{sent},"s":"BTCUSDT","t":{id},"p":"61700.01","q":"0.5","T":{happened},"m":true,"M":true}}"#
    )
}

pub(crate) fn agg_trade(id: u64, trades: std::ops::RangeInclusive<u64>, ms: i64) -> String {
    let happened = at(ms) / NS_PER_MS;
    let (first, last) = trades.into_inner();
    format!(
        r#"{{"e":"aggTrade","E":{happened},"s":"BTCUSDT","a":{id},"p":"61700.01","q":"0.5","f":{first},"l":{last},"T":{happened},"m":false,"M":true}}"#
    )
}

/// A time of RFC 3339, `ms` after the start.
pub(crate) fn rfc3339(ms: i64) -> String {
    contract::time::show_ns(at(ms))
}

/// A frame of Coinbase Advanced, sent at `ms`.
pub(crate) fn advanced(channel: &str, number: u64, ms: i64, events: &str) -> String {
    let sent = rfc3339(ms);
    format!(
        r#"{{"channel":"{channel}","timestamp":"{sent}","sequence_num":{number},"events":[{events}]}}"#
    )
}

pub(crate) fn advanced_ticker(kind: &str, number: u64, ms: i64, product: &str) -> String {
    let event = format!(
        r#"{{"type":"{kind}","tickers":[{{"type":"ticker","product_id":"{product}","price":"61702.5","best_bid":"61702.40","best_ask":"61702.6","best_bid_quantity":"1","best_ask_quantity":"2"}}]}}"#
    );
    advanced("ticker", number, ms, &event)
}

/// Trades of Coinbase Advanced as `(id, ms)`, sent 50 ms after the first.
pub(crate) fn advanced_trades(kind: &str, number: u64, trades: &[(u64, i64)]) -> String {
    let entries: Vec<String> = trades
        .iter()
        .map(|(id, ms)| {
            let time = rfc3339(*ms);
            format!(
                r#"{{"product_id":"BTC-USD","trade_id":"{id}","price":"61702.5","size":"0.01","time":"{time}","side":"SELL"}}"#
            )
        })
        .collect();
    let event = format!(r#"{{"type":"{kind}","trades":[{}]}}"#, entries.join(","));
    advanced("market_trades", number, trades[0].1 + 50, &event)
}

pub(crate) fn exchange_ticker(sequence: u64, ms: i64) -> String {
    let time = rfc3339(ms);
    format!(
        r#"{{"type":"ticker","sequence":{sequence},"product_id":"BTC-USD","price":"61702.5","best_bid":"61702.4","best_ask":"61702.6","side":"buy","time":"{time}","trade_id":{sequence},"last_size":"1"}}"#
    )
}

pub(crate) fn exchange_match(kind: &str, id: u64, ms: i64) -> String {
    let time = rfc3339(ms);
    format!(
        r#"{{"type":"{kind}","trade_id":{id},"sequence":{id},"maker_order_id":"a","taker_order_id":"b","side":"sell","size":"0.1","price":"61702.5","product_id":"BTC-USD","time":"{time}"}}"#
    )
}

pub(crate) fn exchange_heartbeat(last_trade_id: u64, ms: i64) -> String {
    let time = rfc3339(ms);
    format!(
        r#"{{"type":"heartbeat","sequence":1,"last_trade_id":{last_trade_id},"product_id":"BTC-USD","time":"{time}"}}"#
    )
}
