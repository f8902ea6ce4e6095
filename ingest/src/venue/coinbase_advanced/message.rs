//! The shapes of Coinbase Advanced's frames, each below an example of what stands on the wire.

use contract::time::StampError;
use serde::Deserialize;

use crate::venue::message::{price, size, size_if_given, taker_of_maker};
use crate::venue::scan::Scan;
use crate::venue::text::Present;
use crate::venue::{
    Content, FrameError, Item, Kind, Number, Parsed, QuoteMessage, Str, TradeId, TradeMessage,
    parse_rfc3339,
};

/// "WebSocket Overview: Sequence Numbers": what all channels share. `client_id` is documented and absent on the wire.
///
/// ```json
/// {"channel":"heartbeats","timestamp":"2023-06-23T20:31:26.122969572Z","sequence_num":0,
///  "events":[{"current_time":"2023-06-23 20:31:56.121961769 +0000 UTC m=+91717.525857105","heartbeat_counter":3049}]}
/// ```
#[derive(Deserialize)]
pub(super) struct Envelope<'a, E> {
    #[serde(rename = "channel")]
    _channel: Present,
    #[serde(borrow)]
    timestamp: Str<'a>,
    sequence_num: u64,
    events: E,
}

impl<E> Envelope<'_, E> {
    /// The envelope alone.
    pub(super) fn tell(&self, kind: Kind) -> Parsed<'static> {
        Parsed {
            sent: Some(parse_rfc3339(&self.timestamp)),
            number: Number::Connection(self.sequence_num),
            ..Parsed::bare(kind)
        }
    }
}

impl<'a, E: Event<'a>> Envelope<'a, Vec<E>> {
    /// Reads it where it is written as it always is, after `{"channel":".."`.
    #[inline]
    pub(super) fn scan(mut scan: Scan<'a>) -> Option<Self> {
        scan.literal(r#","timestamp":""#)?;
        let timestamp = scan.text()?;
        scan.literal(r#","sequence_num":"#)?;
        let sequence_num = scan.number()?;
        scan.literal(r#","events":["#)?;
        let events = list(&mut scan, E::scan)?;
        scan.literal("}")?;
        scan.end()?;
        Some(Self {
            _channel: Present(true),
            timestamp,
            sequence_num,
            events,
        })
    }

    /// The envelope, and what `read` makes of each entry of each event. Without a time of sending there is no content.
    fn told(
        self,
        kind: Kind,
        read: impl Fn(E::Entry, u64, i64) -> Option<Result<Item<'a>, FrameError>>,
    ) -> Parsed<'a> {
        let seq = self.sequence_num;
        let mut parsed: Parsed<'a> = self.tell(kind);
        let Some(Ok(sent_ns)) = parsed.sent else {
            return parsed;
        };
        let (mut live, mut history) = (Vec::new(), Vec::new());
        for event in self.events {
            let (kind, entries) = event.split();
            let into = match &*kind {
                "update" => &mut live,
                "snapshot" => &mut history,
                other => {
                    live.push(Err(FrameError::unknown(other)));
                    continue;
                }
            };
            let read = |entry| read(entry, seq, sent_ns);
            into.extend(entries.into_iter().filter_map(read));
        }
        parsed.content = match (live.pop(), live.is_empty(), history.is_empty()) {
            (None, _, true) => Content::Nothing,
            (Some(only), true, true) => Content::One(only),
            (last, _, _) => {
                live.extend(last);
                // Frames tell the newest first; ticks are wanted as they happened.
                live.sort_by_key(trade_number);
                Content::Many { live, history }
            }
        };
        parsed
    }
}

fn trade_number(item: &Result<Item<'_>, FrameError>) -> Option<u64> {
    match item {
        Ok(Item::Trade(trade)) => trade.id.number(),
        _ => None,
    }
}

/// An event, whatever its entries are called.
pub(super) trait Event<'a>: Sized {
    type Entry;
    /// Its type and its entries.
    fn split(self) -> (Str<'a>, Vec<Self::Entry>);
    /// Reads it where it is written as it always is.
    fn scan(scan: &mut Scan<'a>) -> Option<Self>;
}

/// The rest of a list, entry by entry, and its closing bracket.
#[inline]
fn list<'a, T>(
    scan: &mut Scan<'a>,
    mut entry: impl FnMut(&mut Scan<'a>) -> Option<T>,
) -> Option<Vec<T>> {
    // One entry is by far the most frequent.
    let mut entries = Vec::with_capacity(1);
    loop {
        entries.push(entry(scan)?);
        if !scan.maybe(",") {
            scan.literal("]")?;
            return Some(entries);
        }
    }
}

/// "Ticker Channel". The quote has no time of its own. A snapshot tells what was before the subscription.
///
/// ```json
/// {"channel":"ticker","client_id":"","timestamp":"2023-02-09T20:30:37.167359596Z","sequence_num":0,"events":[{"type":"snapshot",
///  "tickers":[{"type":"ticker","product_id":"BTC-USD","price":"21932.98","volume_24_h":"16038.28770938",
///  "low_24_h":"21835.29","high_24_h":"23011.18","low_52_w":"15460","high_52_w":"48240","price_percent_chg_24_h":"-4.15",
///  "best_bid":"21931.98","best_bid_quantity":"8000.21","best_ask":"21933.98","best_ask_quantity":"8038.07770938"}]}]}
/// ```
#[derive(Deserialize)]
pub(super) struct TickerEvent<'a> {
    #[serde(borrow, rename = "type")]
    kind: Str<'a>,
    #[serde(borrow)]
    tickers: Vec<Ticker<'a>>,
}

#[derive(Deserialize)]
pub(super) struct Ticker<'a> {
    #[serde(borrow)]
    product_id: Str<'a>,
    #[serde(borrow, default)]
    best_bid: Option<Str<'a>>,
    #[serde(borrow, default)]
    best_ask: Option<Str<'a>>,
    #[serde(borrow, default)]
    best_bid_quantity: Option<Str<'a>>,
    #[serde(borrow, default)]
    best_ask_quantity: Option<Str<'a>>,
}

pub(super) fn tickers<'a>(frame: Envelope<'a, Vec<TickerEvent<'a>>>, kind: Kind) -> Parsed<'a> {
    frame.told(kind, |ticker, seq, sent_ns| {
        ticker.quote(kind, seq, sent_ns)
    })
}

impl<'a> Event<'a> for TickerEvent<'a> {
    type Entry = Ticker<'a>;
    fn split(self) -> (Str<'a>, Vec<Ticker<'a>>) {
        (self.kind, self.tickers)
    }

    #[inline]
    fn scan(scan: &mut Scan<'a>) -> Option<Self> {
        scan.literal(r#"{"type":""#)?;
        let kind = scan.text()?;
        scan.literal(r#","tickers":["#)?;
        let tickers = list(scan, Ticker::scan)?;
        scan.literal("}")?;
        Some(Self { kind, tickers })
    }
}

impl<'a> Ticker<'a> {
    #[inline]
    fn scan(scan: &mut Scan<'a>) -> Option<Self> {
        scan.literal(r#"{"type":"ticker","product_id":""#)?;
        let product_id = scan.text()?;
        for passed_over in [
            r#","price":""#,
            r#","volume_24_h":""#,
            r#","low_24_h":""#,
            r#","high_24_h":""#,
            r#","low_52_w":""#,
            r#","high_52_w":""#,
            r#","price_percent_chg_24_h":""#,
        ] {
            scan.literal(passed_over)?;
            scan.text()?;
        }
        scan.literal(r#","best_bid":""#)?;
        let best_bid = Some(scan.text()?);
        scan.literal(r#","best_ask":""#)?;
        let best_ask = Some(scan.text()?);
        scan.literal(r#","best_bid_quantity":""#)?;
        let best_bid_quantity = Some(scan.text()?);
        scan.literal(r#","best_ask_quantity":""#)?;
        let best_ask_quantity = Some(scan.text()?);
        scan.literal("}")?;
        Some(Self {
            product_id,
            best_bid,
            best_ask,
            best_bid_quantity,
            best_ask_quantity,
        })
    }

    fn quote(self, kind: Kind, seq: u64, sent_ns: i64) -> Option<Result<Item<'a>, FrameError>> {
        // The five-second batch may come without a quote.
        if kind == Kind::TickerBatch && self.best_bid.is_none() && self.best_ask.is_none() {
            return None;
        }
        let lacks = |field| FrameError::Missing {
            kind: kind.as_str(),
            field,
        };
        let quote = || {
            let bid = self.best_bid.as_ref().ok_or_else(|| lacks("best_bid"))?;
            let ask = self.best_ask.as_ref().ok_or_else(|| lacks("best_ask"))?;
            Ok(Item::Quote(QuoteMessage {
                symbol: self.product_id.0.clone(),
                seq: Some(seq),
                stamp_ns: Some(sent_ns),
                bid: price("best_bid", bid)?,
                bid_size: size_if_given("best_bid_quantity", self.best_bid_quantity.as_ref())?,
                ask: price("best_ask", ask)?,
                ask_size: size_if_given("best_ask_quantity", self.best_ask_quantity.as_ref())?,
                last_trade: None,
            }))
        };
        Some(quote())
    }
}

/// "Market Trades Channel". `side` is the maker's, the id a text. A snapshot holds the last hundred trades.
///
/// ```json
/// {"channel":"market_trades","client_id":"","timestamp":"2023-02-09T20:19:35.39625135Z","sequence_num":0,"events":[{"type":"update",
///  "trades":[{"trade_id":"000000000","product_id":"ETH-USD","price":"1260.01","size":"0.3","side":"BUY","time":"2019-08-14T20:42:27.265Z"}]}]}
/// ```
#[derive(Deserialize)]
pub(super) struct TradesEvent<'a> {
    #[serde(borrow, rename = "type")]
    kind: Str<'a>,
    #[serde(borrow)]
    trades: Vec<Trade<'a>>,
}

#[derive(Deserialize)]
pub(super) struct Trade<'a> {
    #[serde(borrow)]
    product_id: Str<'a>,
    #[serde(borrow)]
    trade_id: Str<'a>,
    #[serde(borrow)]
    price: Str<'a>,
    #[serde(borrow)]
    size: Str<'a>,
    #[serde(borrow)]
    time: Str<'a>,
    #[serde(borrow)]
    side: Str<'a>,
}

pub(super) fn trades<'a>(frame: Envelope<'a, Vec<TradesEvent<'a>>>) -> Parsed<'a> {
    frame.told(Kind::MarketTrades, |trade, _, _| Some(trade.item()))
}

impl<'a> Event<'a> for TradesEvent<'a> {
    type Entry = Trade<'a>;
    fn split(self) -> (Str<'a>, Vec<Trade<'a>>) {
        (self.kind, self.trades)
    }

    #[inline]
    fn scan(scan: &mut Scan<'a>) -> Option<Self> {
        scan.literal(r#"{"type":""#)?;
        let kind = scan.text()?;
        scan.literal(r#","trades":["#)?;
        let trades = list(scan, Trade::scan)?;
        scan.literal("}")?;
        Some(Self { kind, trades })
    }
}

impl<'a> Trade<'a> {
    #[inline]
    fn scan(scan: &mut Scan<'a>) -> Option<Self> {
        scan.literal(r#"{"product_id":""#)?;
        let product_id = scan.text()?;
        scan.literal(r#","trade_id":""#)?;
        let trade_id = scan.text()?;
        scan.literal(r#","price":""#)?;
        let price = scan.text()?;
        scan.literal(r#","size":""#)?;
        let size = scan.text()?;
        scan.literal(r#","time":""#)?;
        let time = scan.text()?;
        scan.literal(r#","side":""#)?;
        let side = scan.text()?;
        scan.literal("}")?;
        Some(Self {
            product_id,
            trade_id,
            price,
            size,
            time,
            side,
        })
    }

    fn item(self) -> Result<Item<'a>, FrameError> {
        let stamp_ns: Result<i64, StampError> = parse_rfc3339(&self.time);
        Ok(Item::Trade(TradeMessage {
            stamp_ns: stamp_ns?,
            price: price("price", &self.price)?,
            size: size("size", &self.size)?,
            taker_side: taker_of_maker(&self.side)?,
            symbol: self.product_id.0,
            id: TradeId::Text(self.trade_id.0),
        }))
    }
}

/// An error stands outside the envelope.
///
/// ```json
/// {"type":"error","message":"authentication failure"}
/// ```
#[derive(Deserialize)]
pub(super) struct Refusal<'a> {
    #[serde(borrow)]
    message: Str<'a>,
}

impl<'a> Refusal<'a> {
    pub(super) fn tell(self) -> Parsed<'a> {
        Parsed {
            notice: Some(self.message.0),
            ..Parsed::bare(Kind::Error)
        }
    }
}

/// What tells one message from another.
#[derive(Deserialize)]
pub(super) struct Head<'a> {
    #[serde(borrow, default)]
    pub(super) channel: Option<Str<'a>>,
    #[serde(borrow, default, rename = "type")]
    pub(super) kind: Option<Str<'a>>,
}
