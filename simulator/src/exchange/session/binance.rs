//! Binance spot, and Binance.US: streams in the address or by `SUBSCRIBE`, combined or raw.
//!
//! ```json
//! {"stream":"btcusdt@bookTicker","data":{"u":50093239212,"s":"BTCUSDT","b":"61837.63000000",...}}
//! ```
//!
//! Served: `bookTicker` (which tells no time), `trade`, `aggTrade`. Other streams can be asked for and say nothing, as a
//! misspelt one does at the venue.

use std::fmt::Write;

use serde_json::Value;

use super::super::words::Stamp;
use super::{Output, Speaker, levels, texts};
use crate::market::units::Fixed;
use crate::market::{Quote, Side, Trade, Update};

/// Streams that one connection takes.
const MAX_STREAMS: usize = 1_024;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Feed {
    BookTicker,
    Trade,
    AggTrade,
    /// Asked for, and never heard of.
    None,
}

/// A stream that was asked for.
#[derive(Debug)]
struct Asked {
    name: String,
    feed: Feed,
    stream: usize,
    since: u64,
}

#[derive(Debug)]
pub(in crate::exchange) struct Binance {
    asked: Vec<Asked>,
    is_combined: bool,
    /// Units of time in a second.
    per_s: i64,
    skip: u64,
}

impl Binance {
    /// Reads an address: `/ws`, `/ws/a`, `/stream`, `/stream?streams=a/b`, each with `timeUnit=MICROSECOND` or without.
    pub(super) fn open(address: &str, speaker: &Speaker<'_>) -> Option<Self> {
        let (path, query) = address.split_once('?').unwrap_or((address, ""));
        let parameter = |name: &str| {
            let mut pairs = query.split('&').filter_map(|part| part.split_once('='));
            pairs.find(|(key, _)| *key == name).map(|(_, value)| value)
        };
        let (is_combined, names) = match path {
            "/stream" => (true, parameter("streams").unwrap_or("")),
            "/ws" | "/" | "" => (false, ""),
            path => (false, path.strip_prefix("/ws/")?),
        };
        let micros =
            parameter("timeUnit").is_some_and(|unit| unit.eq_ignore_ascii_case("MICROSECOND"));
        let mut session = Self {
            asked: Vec::new(),
            is_combined,
            per_s: if micros { 1_000_000 } else { 1_000 },
            skip: 0,
        };
        let names: Vec<&str> = names.split('/').filter(|name| !name.is_empty()).collect();
        if names.len() > MAX_STREAMS {
            return None;
        }
        for name in names {
            session.ask(name, speaker);
        }
        Some(session)
    }

    fn ask(&mut self, name: &str, speaker: &Speaker<'_>) {
        if self.asked.iter().any(|asked| asked.name == name) {
            return;
        }
        let (symbol, feed) = name.split_once('@').unwrap_or((name, ""));
        let feed = match feed {
            "bookTicker" => Feed::BookTicker,
            "trade" => Feed::Trade,
            "aggTrade" => Feed::AggTrade,
            _ => Feed::None,
        };
        // Names are in lower case; others are streams of nothing.
        let is_lower = symbol.to_lowercase() == symbol;
        let stream = speaker.find(&symbol.to_uppercase()).filter(|_| is_lower);
        self.asked.push(Asked {
            name: name.to_owned(),
            feed: if stream.is_some() { feed } else { Feed::None },
            stream: stream.unwrap_or(usize::MAX),
            since: speaker.market.serial(),
        });
    }

    pub(super) fn is_idle(&self) -> bool {
        self.asked.is_empty()
    }

    pub(super) fn names(&self) -> Vec<String> {
        self.asked.iter().map(|asked| asked.name.clone()).collect()
    }

    pub(super) fn hear(&mut self, text: &str, speaker: &Speaker<'_>, out: &mut Vec<Output>) {
        let answer = match serde_json::from_str::<Value>(text) {
            Ok(message) => self.answer(&message, speaker),
            Err(error) => {
                let words = Value::from(format!("Invalid JSON: {error}"));
                format!(r#"{{"code":3,"msg":{words}}}"#)
            }
        };
        out.push(Output::Text(answer));
    }

    fn answer(&mut self, message: &Value, speaker: &Speaker<'_>) -> String {
        let id = message.get("id").unwrap_or(&Value::Null);
        let refuse = |words: &str| {
            let words = Value::from(format!("Invalid request: {words}"));
            format!(r#"{{"code":2,"msg":{words},"id":{id}}}"#)
        };
        if !(id.is_null() || id.is_i64() || id.is_u64() || id.is_string()) {
            return refuse("request ID must be an integer or a string");
        }
        let names = texts(message, "params");
        let done = r#"{"result":null,"id":"#;
        match (message.get("method").and_then(Value::as_str), names) {
            (Some("SUBSCRIBE"), Some(names)) => {
                if self.asked.len() + names.len() > MAX_STREAMS {
                    return refuse("too many streams");
                }
                for name in names {
                    self.ask(name, speaker);
                }
                format!("{done}{id}}}")
            }
            (Some("UNSUBSCRIBE"), Some(names)) => {
                self.asked.retain(|asked| !names.contains(&&*asked.name));
                format!("{done}{id}}}")
            }
            (Some("LIST_SUBSCRIPTIONS"), _) => {
                let names = super::super::words::list(self.asked.iter().map(|asked| &*asked.name));
                format!(r#"{{"result":{names},"id":{id}}}"#)
            }
            (Some("SET_PROPERTY"), _) => match message["params"].as_array().map(Vec::as_slice) {
                Some([name, Value::Bool(value)]) if name == "combined" => {
                    self.is_combined = *value;
                    format!("{done}{id}}}")
                }
                _ => refuse("unknown property"),
            },
            (Some("SUBSCRIBE" | "UNSUBSCRIBE"), None) => refuse("params must be a list of texts"),
            (Some(other), _) => refuse(&format!("unknown variant `{other}`")),
            (None, _) => refuse("missing field `method`"),
        }
    }

    pub(super) fn tell(
        &mut self,
        update: &Update,
        quote: Quote,
        speaker: &Speaker<'_>,
        out: &mut Vec<Output>,
    ) {
        let wanted = |asked: &Asked, feed| {
            asked.feed == feed && asked.stream == update.stream && asked.since < update.serial
        };
        // As recorded: the book first, then what made it so.
        if self
            .asked
            .iter()
            .any(|asked| wanted(asked, Feed::BookTicker))
        {
            out.push(Output::Text(self.book_ticker(
                update.stream,
                quote,
                speaker,
            )));
        }
        if self.asked.iter().any(|asked| wanted(asked, Feed::Trade)) {
            for trade in &update.trades {
                if self.skip > 0 {
                    self.skip -= 1;
                    continue;
                }
                out.push(Output::Text(self.trade(update.stream, trade, speaker)));
            }
        }
        if let Some(first) = update.trades.first()
            && self.asked.iter().any(|asked| wanted(asked, Feed::AggTrade))
        {
            let text = self.agg_trade(update.stream, first, &update.trades, speaker);
            out.push(Output::Text(text));
        }
    }

    pub(super) fn skip(&mut self, count: u64) {
        self.skip += count;
    }

    pub(super) fn time(&self, stamp: Stamp) -> i64 {
        stamp.unix(self.per_s)
    }

    pub(super) fn wrap(&self, stream: &str, body: &str) -> String {
        if self.is_combined {
            format!(r#"{{"stream":"{stream}","data":{body}}}"#)
        } else {
            body.to_owned()
        }
    }

    fn of(&self, stream: usize, feed: &str, body: &str, speaker: &Speaker<'_>) -> String {
        let symbol = speaker.stream(stream).symbol().to_lowercase();
        self.wrap(&format!("{symbol}@{feed}"), body)
    }

    pub(super) fn book_ticker(&self, stream: usize, quote: Quote, speaker: &Speaker<'_>) -> String {
        let body = format!(
            r#"{{"u":{},"s":"{}","b":"{}","B":"{}","a":"{}","A":"{}"}}"#,
            quote.update_id,
            speaker.stream(stream).symbol(),
            Fixed(quote.bid, 8),
            Fixed(quote.bid_size, 8),
            Fixed(quote.ask, 8),
            Fixed(quote.ask_size, 8),
        );
        self.of(stream, "bookTicker", &body, speaker)
    }

    fn trade(&self, stream: usize, trade: &Trade, speaker: &Speaker<'_>) -> String {
        let body = format!(
            r#"{{"e":"trade","E":{},"s":"{}","t":{},"p":"{}","q":"{}","T":{},"m":{},"M":true}}"#,
            self.time(speaker.now()),
            speaker.stream(stream).symbol(),
            trade.id,
            Fixed(trade.price, 8),
            Fixed(trade.size, 8),
            self.time(speaker.stamp(trade.at_ns)),
            trade.taker == Side::Sell,
        );
        self.of(stream, "trade", &body, speaker)
    }

    /// All trades of one update: one taker, one price.
    fn agg_trade(
        &self,
        stream: usize,
        first: &Trade,
        trades: &[Trade],
        speaker: &Speaker<'_>,
    ) -> String {
        let size: i64 = trades.iter().map(|trade| trade.size).sum();
        let last = trades.last().map_or(first.id, |trade| trade.id);
        let body = format!(
            r#"{{"e":"aggTrade","E":{},"s":"{}","a":{},"p":"{}","q":"{}","f":{},"l":{last},"T":{},"m":{},"M":true}}"#,
            self.time(speaker.now()),
            speaker.stream(stream).symbol(),
            first.aggregate,
            Fixed(first.price, 8),
            Fixed(size, 8),
            first.id,
            self.time(speaker.stamp(first.at_ns)),
            first.taker == Side::Sell,
        );
        self.of(stream, "aggTrade", &body, speaker)
    }

    /// A partial depth as a whole: no symbol, no time.
    pub(super) fn whole_book(&self, stream: usize, bytes: usize, speaker: &Speaker<'_>) -> String {
        let told = speaker.stream(stream);
        let (mut bids, mut asks) = (String::new(), String::new());
        for (is_bid, price, size) in levels(told.quote(), told.tick()) {
            if bids.len() + asks.len() >= bytes {
                break;
            }
            let rows = if is_bid { &mut bids } else { &mut asks };
            // Writing into a string cannot fail.
            let _ = write!(rows, r#"["{}","{}"],"#, Fixed(price, 8), Fixed(size, 8));
        }
        let body = format!(
            r#"{{"lastUpdateId":{},"bids":[{}],"asks":[{}]}}"#,
            told.quote().update_id,
            bids.trim_end_matches(','),
            asks.trim_end_matches(',')
        );
        self.of(stream, "depth20", &body, speaker)
    }
}
