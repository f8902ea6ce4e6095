//! One connection's side of a conversation: what it was asked for, how far its numbering is, what it says next. Pure.
//!
//! Comes in: the client's words and the market's updates. Goes out: [`Output`]s in order. Absent: sockets, and the faults
//! that concern a whole server; those are the engine's.

mod advanced;
mod binance;
mod coinbase_exchange;

use serde_json::Value;

use super::words::Stamp;
use super::{BadStamp, Dialect};
use crate::market::{Market, Quote, Stream, Update, Venue};

use advanced::Advanced;
use binance::Binance;
use coinbase_exchange::CoinbaseExchange;

/// What a connection gives to its socket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Output {
    /// A text frame.
    Text(String),
    /// A ping with this payload.
    Ping(String),
    /// A proper end.
    Close {
        /// Code.
        code: u16,
        /// Reason.
        reason: String,
    },
    /// The first half of this frame, and then nothing more.
    Cut(String),
    /// The end without a goodbye.
    Abort,
}

/// Who speaks, when, and by which clock.
#[derive(Debug, Clone, Copy)]
pub(super) struct Speaker<'a> {
    pub(super) market: &'a Market,
    pub(super) venue: Venue,
    /// The market's time.
    pub(super) at_ns: i64,
    /// The venue's clock less the market's.
    pub(super) skew_ns: i64,
    /// What is told instead of the time.
    pub(super) bad: Option<BadStamp>,
}

impl<'a> Speaker<'a> {
    pub(super) fn now(&self) -> Stamp {
        self.stamp(self.at_ns)
    }

    pub(super) fn stamp(&self, at_ns: i64) -> Stamp {
        match self.bad {
            Some(bad) => Stamp::Bad(bad),
            None => Stamp::At(at_ns + self.skew_ns),
        }
    }

    fn stream(&self, number: usize) -> &'a Stream {
        &self.market.streams()[number]
    }

    /// The venue's stream of this symbol.
    fn find(&self, symbol: &str) -> Option<usize> {
        let streams = self.market.streams();
        streams
            .iter()
            .position(|stream| stream.venue() == self.venue && stream.symbol() == symbol)
    }

    /// The venue's first stream.
    fn first(&self) -> Option<usize> {
        let streams = self.market.streams();
        streams
            .iter()
            .position(|stream| stream.venue() == self.venue)
    }
}

/// Streams that were asked for, each with the update after which it is told of: what is older stood in the snapshot.
#[derive(Debug, Clone, Default)]
struct Wanted(Vec<(usize, u64)>);

impl Wanted {
    fn add(&mut self, stream: usize, since: u64) {
        if !self.has(stream) {
            self.0.push((stream, since));
        }
    }

    fn remove(&mut self, stream: usize) {
        self.0.retain(|(wanted, _)| *wanted != stream);
    }

    fn has(&self, stream: usize) -> bool {
        self.0.iter().any(|(wanted, _)| *wanted == stream)
    }

    fn wants(&self, update: &Update) -> bool {
        self.0
            .iter()
            .any(|(stream, since)| *stream == update.stream && *since < update.serial)
    }

    fn streams(&self) -> impl Iterator<Item = usize> + '_ {
        self.0.iter().map(|(stream, _)| *stream)
    }

    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// A connection of one dialect.
#[derive(Debug)]
pub(super) enum Session {
    Advanced(Advanced),
    Exchange(CoinbaseExchange),
    Binance(Binance),
}

impl Session {
    /// A connection to `address` (path and query); nothing where that is no address of a feed.
    pub(super) fn open(dialect: Dialect, address: &str, speaker: &Speaker<'_>) -> Option<Self> {
        match dialect {
            Dialect::CoinbaseAdvanced => Some(Self::Advanced(Advanced::new(speaker.at_ns))),
            Dialect::CoinbaseExchange => Some(Self::Exchange(CoinbaseExchange::default())),
            Dialect::Binance | Dialect::BinanceUs => {
                Binance::open(address, speaker).map(Self::Binance)
            }
        }
    }

    /// Whether anything was asked for.
    pub(super) fn is_subscribed(&self) -> bool {
        !match self {
            Self::Advanced(session) => session.is_idle(),
            Self::Exchange(session) => session.is_idle(),
            Self::Binance(session) => session.is_idle(),
        }
    }

    /// What was asked for: `feed:SYMBOL`, or as Binance names its streams.
    pub(super) fn subscriptions(&self, market: &Market) -> Vec<String> {
        match self {
            Self::Advanced(session) => session.subscriptions(market),
            Self::Exchange(session) => session.subscriptions(market),
            Self::Binance(session) => session.names(),
        }
    }

    /// The client said something.
    pub(super) fn hear(&mut self, text: &str, speaker: &Speaker<'_>, out: &mut Vec<Output>) {
        match self {
            Self::Advanced(session) => session.hear(text, speaker, out),
            Self::Exchange(session) => session.hear(text, speaker, out),
            Self::Binance(session) => session.hear(text, speaker, out),
        }
    }

    /// The market moved.
    pub(super) fn tell(
        &mut self,
        update: &Update,
        quote: Quote,
        speaker: &Speaker<'_>,
        out: &mut Vec<Output>,
    ) {
        match self {
            Self::Advanced(session) => session.tell(update, quote, speaker, out),
            Self::Exchange(session) => session.tell(update, quote, speaker, out),
            Self::Binance(session) => session.tell(update, quote, speaker, out),
        }
    }

    /// A second went by.
    pub(super) fn beat(&mut self, speaker: &Speaker<'_>, out: &mut Vec<Output>) {
        match self {
            Self::Advanced(session) => session.beat(speaker, out),
            Self::Exchange(session) => session.beat(speaker, out),
            Self::Binance(_) => {}
        }
    }

    /// Too many messages; false where that ends the connection.
    pub(super) fn too_many(&self, out: &mut Vec<Output>) -> bool {
        let text = match self {
            Self::Advanced(_) => r#"{"type":"error","message":"rate limit exceeded"}"#,
            Self::Exchange(_) => {
                r#"{"type":"error","message":"Rate limit exceeded","reason":"too many messages"}"#
            }
            Self::Binance(_) => return false,
        };
        out.push(Output::Text(text.to_owned()));
        true
    }

    /// A well-formed frame of an unknown type.
    pub(super) fn unknown(&mut self, speaker: &Speaker<'_>) -> String {
        match self {
            Self::Advanced(session) => {
                let events = r#"[{"type":"update","mood":"cheerful"}]"#;
                session.envelope("market_weather", events, speaker)
            }
            Self::Exchange(_) => {
                let time = super::words::Micros(speaker.now());
                format!(r#"{{"type":"market_weather","mood":"cheerful","time":"{time}"}}"#)
            }
            Self::Binance(session) => {
                let sent = session.time(speaker.now());
                let body = format!(r#"{{"e":"marketWeather","E":{sent},"w":"cheerful"}}"#);
                session.wrap("!marketWeather", &body)
            }
        }
    }

    /// A real frame.
    pub(super) fn ordinary(&mut self, speaker: &Speaker<'_>) -> Option<String> {
        let stream = speaker.first()?;
        let quote = speaker.stream(stream).quote();
        Some(match self {
            Self::Advanced(session) => session.ticker("update", stream, quote, speaker),
            Self::Exchange(_) => coinbase_exchange::ticker(stream, quote, None, speaker),
            Self::Binance(session) => session.book_ticker(stream, quote, speaker),
        })
    }

    /// A whole book, as long as at least `bytes`.
    pub(super) fn huge(&mut self, bytes: usize, speaker: &Speaker<'_>) -> Option<String> {
        let stream = speaker.first()?;
        Some(match self {
            Self::Advanced(session) => session.whole_book(stream, bytes, speaker),
            Self::Exchange(_) => coinbase_exchange::whole_book(stream, bytes, speaker),
            Self::Binance(session) => session.whole_book(stream, bytes, speaker),
        })
    }

    /// So many numbered frames get lost.
    pub(super) fn skip(&mut self, count: u64) {
        match self {
            Self::Advanced(session) => session.skip(count),
            Self::Exchange(session) => session.skip(count),
            Self::Binance(session) => session.skip(count),
        }
    }

    /// The announcement that the server goes, where there is one.
    pub(super) fn shutdown(&self, speaker: &Speaker<'_>) -> Option<String> {
        match self {
            Self::Binance(session) => {
                let sent = session.time(speaker.now());
                let body = format!(r#"{{"e":"serverShutdown","E":{sent}}}"#);
                Some(session.wrap("!serverShutdown", &body))
            }
            Self::Advanced(_) | Self::Exchange(_) => None,
        }
    }
}

/// Levels from a quote outwards, bids and asks in turn: true for a bid, then price and size in hundred-millionths.
fn levels(quote: Quote, tick: i64) -> impl Iterator<Item = (bool, i64, i64)> {
    (0_i64..).flat_map(move |depth| {
        // Something that varies; nobody looks.
        let size = 1_000 + depth * 7_919 % 900_000 * 1_000;
        let away = depth * tick;
        let bid = (quote.bid - away > 0).then_some((true, quote.bid - away, size));
        bid.into_iter()
            .chain([(false, quote.ask + away, size + 4_000)])
    })
}

/// The texts of a list under `key`; nothing where it is missing or holds something else.
fn texts<'a>(value: &'a Value, key: &str) -> Option<Vec<&'a str>> {
    value
        .get(key)?
        .as_array()?
        .iter()
        .map(Value::as_str)
        .collect()
}
