//! What a connection delivers, as a whole and stream by stream: heartbeats, pongs and answers are no proof of that, data
//! is. Pure.
//!
//! A **stream** is the quotes, or the trades, of one symbol that was asked for. Comes in: frames with the time. Goes out:
//! silence, the age of each stream, and whether one connection is as good as another. Each frame is read here as well as in
//! the core: well under a microsecond, on the threads of the sockets, and the only way to know its symbol.

use std::fmt;
use std::time::Duration;

use tokio::time::Instant;

use super::ConnectionSettings;
use crate::venue::{Content, Dialect, Item, Kind, Parsed};

/// Quotes or trades.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum What {
    Quotes,
    Trades,
}

/// One stream that was asked for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Stream {
    symbol: String,
    what: What,
}

impl fmt::Display for Stream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self.what {
            What::Quotes => "quotes",
            What::Trades => "trades",
        };
        write!(f, "{what} of {}", self.symbol)
    }
}

/// The streams that a connection asks for, and after what time without any each is missed.
pub(super) fn wanted(connection: &ConnectionSettings) -> Vec<(Stream, Duration)> {
    let of = |symbols: &[String], what| {
        let streams = symbols.iter().map(move |symbol| {
            let limit = connection.symbol_limits.get(&symbol.to_uppercase());
            let limit = limit.copied().unwrap_or(connection.symbol_silent_after);
            let symbol = as_delivered(connection.dialect, symbol);
            (Stream { symbol, what }, limit)
        });
        streams.collect::<Vec<_>>()
    };
    let mut wanted = of(&connection.symbols, What::Quotes);
    wanted.extend(of(&connection.symbols, What::Trades));
    wanted.extend(of(&connection.rate_symbols, What::Quotes));
    wanted.sort();
    wanted.dedup_by(|one, other| one.0 == other.0);
    wanted
}

/// A symbol as frames spell it: Coinbase answers for a `-USDC` product under its `-USD` name.
fn as_delivered(dialect: Dialect, symbol: &str) -> String {
    let symbol = symbol.to_uppercase();
    match (dialect, symbol.strip_suffix("-USDC")) {
        (Dialect::CoinbaseAdvanced | Dialect::CoinbaseExchange, Some(asset)) => {
            format!("{asset}-USD")
        }
        _ => symbol,
    }
}

/// Frames of a stream after which it is known to flow. Coinbase opens each with what was before the subscription.
fn proof(dialect: Dialect) -> u32 {
    match dialect {
        Dialect::CoinbaseAdvanced | Dialect::CoinbaseExchange => 2,
        Dialect::Binance | Dialect::BinanceUs => 1,
    }
}

/// What one connection has delivered.
#[derive(Debug)]
pub(super) struct Deliveries {
    dialect: Dialect,
    silent_after: Duration,
    made: Instant,
    first_data: Option<Instant>,
    last_data: Instant,
    /// Sorted by stream.
    streams: Vec<Delivery>,
}

#[derive(Debug)]
struct Delivery {
    stream: Stream,
    frames: u32,
    last: Option<Instant>,
}

impl Deliveries {
    /// A connection made `now`.
    pub(super) fn new(connection: &ConnectionSettings, now: Instant) -> Self {
        let streams = wanted(connection).into_iter().map(|(stream, _)| Delivery {
            stream,
            frames: 0,
            last: None,
        });
        Self {
            dialect: connection.dialect,
            silent_after: connection.silent_after,
            made: now,
            first_data: None,
            last_data: now,
            streams: streams.collect(),
        }
    }

    /// Takes in a frame; says what kind it is, if any.
    pub(super) fn frame(&mut self, text: &str, now: Instant) -> Option<Kind> {
        let parsed = self.dialect.parse(text).ok()?;
        let kind = parsed.kind;
        if kind.is_data() {
            self.first_data.get_or_insert(now);
            self.last_data = now;
            self.streams_of(&parsed, now);
        }
        Some(kind)
    }

    fn streams_of(&mut self, parsed: &Parsed<'_>, now: Instant) {
        // Entries of one frame are mostly of one stream, one after the other.
        let mut before = None;
        let (one, live, history) = match &parsed.content {
            Content::Nothing => return,
            Content::One(item) => (Some(item), [].as_slice(), [].as_slice()),
            Content::Many { live, history } => (None, live.as_slice(), history.as_slice()),
        };
        for item in one.into_iter().chain(live).chain(history) {
            let (symbol, what) = match item {
                Ok(Item::Quote(quote)) => (&*quote.symbol, What::Quotes),
                Ok(Item::Trade(trade)) => (&*trade.symbol, What::Trades),
                Err(_) => continue,
            };
            if before == Some((symbol, what)) {
                continue;
            }
            before = Some((symbol, what));
            let streams = &mut self.streams;
            let place = |delivery: &Delivery| {
                let stream = &delivery.stream;
                (stream.symbol.as_str(), stream.what).cmp(&(symbol, what))
            };
            if let Ok(at) = streams.binary_search_by(place) {
                streams[at].frames = streams[at].frames.saturating_add(1);
                streams[at].last = Some(now);
            }
        }
    }

    /// We did not look for so long; that is not the venue's silence.
    pub(super) fn excuse(&mut self, waited: Duration) {
        self.made += waited;
        self.last_data += waited;
        for last in self.streams.iter_mut().filter_map(|one| one.last.as_mut()) {
            *last += waited;
        }
    }

    /// Whether nothing came for too long.
    pub(super) fn is_silent(&self, now: Instant) -> bool {
        now.duration_since(self.last_data) >= self.silent_after
    }

    /// Whether data ever came.
    pub(super) fn had_data(&self) -> bool {
        self.first_data.is_some()
    }

    /// When the connection was made.
    pub(super) fn made(&self) -> Instant {
        self.made
    }

    /// For how long each stream has been quiet, in their order.
    pub(super) fn ages(&self, now: Instant) -> impl Iterator<Item = (&Stream, Duration)> {
        self.streams.iter().map(move |one| {
            let since = one.last.unwrap_or(self.made);
            (&one.stream, now.duration_since(since))
        })
    }

    /// Whether a stream is known to flow here.
    pub(super) fn flows(&self, stream: usize) -> bool {
        let frames = self.streams.get(stream).map_or(0, |one| one.frames);
        frames >= proof(self.dialect)
    }

    /// Whether this connection has delivered for `overlap`, and every stream that `older` has brought meanwhile flows here
    /// too.
    pub(super) fn can_take_over(&self, older: &Self, overlap: Duration, now: Instant) -> bool {
        let Some(began) = self.first_data else {
            return false;
        };
        let flows = |(at, older): (usize, &Delivery)| older.last <= Some(began) || self.flows(at);
        now.duration_since(began) >= overlap && older.streams.iter().enumerate().all(flows)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHUTDOWN: &str =
        r#"{"stream":"!serverShutdown","data":{"e":"serverShutdown","E":1723161254937}}"#;

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    fn book(symbol: &str) -> String {
        format!(r#"{{"u":1,"s":"{symbol}","b":"1.0","B":"1","a":"1.1","A":"1"}}"#)
    }

    fn advanced_ticker(product: &str) -> String {
        format!(
            r#"{{"channel":"ticker","timestamp":"2026-08-09T21:05:48.854840Z","sequence_num":1,"events":[{{"type":"update","tickers":[{{"type":"ticker","product_id":"{product}","price":"61702.5","best_bid":"61702.40","best_ask":"61702.6","best_bid_quantity":"1","best_ask_quantity":"2"}}]}}]}}"#
        )
    }

    fn settings(dialect: Dialect, symbols: &[&str]) -> ConnectionSettings {
        ConnectionSettings {
            symbols: symbols.iter().map(|&symbol| symbol.to_owned()).collect(),
            silent_after: ms(100),
            ..ConnectionSettings::new(dialect, vec![])
        }
    }

    fn made(dialect: Dialect, symbols: &[&str], now: Instant) -> Deliveries {
        Deliveries::new(&settings(dialect, symbols), now)
    }

    #[test]
    fn heartbeats_answers_and_rubbish_do_not_count_as_data() {
        let start = Instant::now();
        for (dialect, text, kind) in [
            (
                Dialect::CoinbaseExchange,
                r#"{"type":"heartbeat","sequence":1,"last_trade_id":1,"product_id":"BTC-USD","time":"2026-08-09T21:05:48.854840Z"}"#,
                Some(Kind::Heartbeat),
            ),
            (
                Dialect::Binance,
                r#"{"result":null,"id":1}"#,
                Some(Kind::Answer),
            ),
            (Dialect::Binance, SHUTDOWN, Some(Kind::ServerShutdown)),
            (Dialect::Binance, "rubbish", None),
        ] {
            let mut deliveries = made(dialect, &["BTCUSDT"], start);
            assert_eq!(deliveries.frame(text, start + ms(50)), kind);
            assert!(!deliveries.had_data());
            assert!(!deliveries.is_silent(start + ms(99)));
            assert!(deliveries.is_silent(start + ms(100)));
        }
    }

    #[test]
    fn data_keeps_a_connection_alive_and_our_own_delay_is_no_silence() {
        let start = Instant::now();
        let mut deliveries = made(Dialect::Binance, &["BTCUSDT"], start);
        for at in [10, 20, 50, 80, 140] {
            deliveries.frame(&book("BTCUSDT"), start + ms(at));
        }
        assert!(deliveries.had_data());
        assert!(!deliveries.is_silent(start + ms(239)));
        assert!(deliveries.is_silent(start + ms(240)));
        deliveries.excuse(ms(60));
        assert!(!deliveries.is_silent(start + ms(299)));
        assert!(deliveries.is_silent(start + ms(300)));
    }

    #[test]
    fn each_stream_has_its_own_age() {
        let start = Instant::now();
        let mut deliveries = made(Dialect::Binance, &["ETHUSDT", "btcusdt"], start);
        deliveries.frame(&book("BTCUSDT"), start + ms(30));
        deliveries.frame(&book("DOGEUSDT"), start + ms(40));
        let now = start + ms(50);
        let ages: Vec<(String, Duration)> = deliveries
            .ages(now)
            .map(|(stream, age)| (stream.to_string(), age))
            .collect();
        let told = [
            ("quotes of BTCUSDT", 20),
            ("trades of BTCUSDT", 50),
            ("quotes of ETHUSDT", 50),
            ("trades of ETHUSDT", 50),
        ];
        assert_eq!(ages, told.map(|(name, age)| (name.to_owned(), ms(age))));
    }

    #[test]
    fn symbols_have_limits_of_their_own_and_rates_have_no_trades() {
        let mut connection = settings(Dialect::CoinbaseExchange, &["BTC-USDC"]);
        connection.rate_symbols = vec!["USDT-USD".to_owned()];
        connection.symbol_limits = [("BTC-USDC".to_owned(), ms(5))].into();
        let wanted: Vec<(String, Duration)> = wanted(&connection)
            .into_iter()
            .map(|(stream, limit)| (stream.to_string(), limit))
            .collect();
        let usual = connection.symbol_silent_after;
        assert_eq!(
            wanted,
            [
                ("quotes of BTC-USD".to_owned(), ms(5)),
                ("trades of BTC-USD".to_owned(), ms(5)),
                ("quotes of USDT-USD".to_owned(), usual),
            ]
        );
    }

    #[test]
    fn a_connection_takes_over_once_it_brings_all_that_the_older_one_brings() {
        let start = Instant::now();
        let at = |after| start + ms(after);
        let symbols = ["BTCUSDT", "ETHUSDT"];
        let mut older = made(Dialect::Binance, &symbols, start);
        let mut newer = made(Dialect::Binance, &symbols, start);
        older.frame(&book("ETHUSDT"), at(1));
        assert!(!newer.can_take_over(&older, ms(20), at(100)), "no data yet");
        newer.frame(&book("BTCUSDT"), at(10));
        assert!(!newer.can_take_over(&older, ms(20), at(29)), "too soon");
        assert!(
            newer.can_take_over(&older, ms(20), at(30)),
            "a symbol that is quiet on both is no obstacle"
        );
        older.frame(&book("ETHUSDT"), at(31));
        assert!(!newer.can_take_over(&older, ms(20), at(40)));
        newer.frame(&book("ETHUSDT"), at(41));
        assert!(newer.can_take_over(&older, ms(20), at(41)));
    }

    #[test]
    fn what_coinbase_opens_a_stream_with_is_no_proof_that_it_flows() {
        let start = Instant::now();
        let mut deliveries = made(Dialect::CoinbaseAdvanced, &["BTC-USDC"], start);
        assert!(!deliveries.flows(0));
        deliveries.frame(&advanced_ticker("BTC-USD"), start);
        assert!(deliveries.had_data() && !deliveries.flows(0));
        deliveries.frame(&advanced_ticker("BTC-USD"), start);
        assert!(deliveries.flows(0));
        assert!(!deliveries.flows(9), "a stream that there is not");
    }
}
