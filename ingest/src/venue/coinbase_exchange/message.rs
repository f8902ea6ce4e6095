//! The shapes of Coinbase Exchange's frames, each below an example of what stands on the wire.

use serde::Deserialize;
use serde::de::IgnoredAny;

use crate::venue::message::{price, size, size_if_given, taker, taker_of_maker};
use crate::venue::scan::Scan;
use crate::venue::text::Present;
use crate::venue::{
    Content, FrameError, Item, Kind, LastTrade, Number, Parsed, QuoteMessage, Str, TradeId,
    TradeMessage, parse_rfc3339,
};

/// "Ticker Channel": one per match (cascades are one), so the quote is as old as the last trade. `side` is the taker's.
/// Sizes of the quote were added later than 2021.
///
/// ```json
/// {"type":"ticker","sequence":37475248783,"product_id":"ETH-USD","price":"1285.22","open_24h":"1310.79",
///  "volume_24h":"245532.79269678","low_24h":"1280.52","high_24h":"1313.8","volume_30d":"9788783.60117027",
///  "best_bid":"1285.04","best_bid_size":"0.46688654","best_ask":"1285.27","best_ask_size":"1.56637040",
///  "side":"buy","time":"2022-10-19T23:28:22.061769Z","trade_id":370843401,"last_size":"11.4396987"}
/// ```
#[derive(Deserialize)]
pub(super) struct Ticker<'a> {
    #[serde(rename = "type")]
    _type: Present,
    sequence: u64,
    #[serde(borrow)]
    product_id: Str<'a>,
    #[serde(borrow)]
    best_bid: Str<'a>,
    #[serde(borrow, default)]
    best_bid_size: Option<Str<'a>>,
    #[serde(borrow)]
    best_ask: Str<'a>,
    #[serde(borrow, default)]
    best_ask_size: Option<Str<'a>>,
    #[serde(borrow, default)]
    side: Option<Str<'a>>,
    #[serde(borrow, default)]
    time: Option<Str<'a>>,
    #[serde(default)]
    trade_id: Option<u64>,
}

impl<'a> Ticker<'a> {
    /// Reads it where it is written as it always is, after `{"type":".."`.
    #[inline]
    pub(super) fn scan(mut scan: Scan<'a>) -> Option<Self> {
        scan.literal(r#","sequence":"#)?;
        let sequence = scan.number()?;
        scan.literal(r#","product_id":""#)?;
        let product_id = scan.text()?;
        for passed_over in [
            r#","price":""#,
            r#","open_24h":""#,
            r#","volume_24h":""#,
            r#","low_24h":""#,
            r#","high_24h":""#,
            r#","volume_30d":""#,
        ] {
            scan.literal(passed_over)?;
            scan.text()?;
        }
        scan.literal(r#","best_bid":""#)?;
        let best_bid = scan.text()?;
        let with_sizes = scan.maybe(r#","best_bid_size":""#);
        let best_bid_size = if with_sizes { Some(scan.text()?) } else { None };
        scan.literal(r#","best_ask":""#)?;
        let best_ask = scan.text()?;
        let with_sizes = scan.maybe(r#","best_ask_size":""#);
        let best_ask_size = if with_sizes { Some(scan.text()?) } else { None };
        scan.literal(r#","side":""#)?;
        let side = Some(scan.text()?);
        scan.literal(r#","time":""#)?;
        let time = Some(scan.text()?);
        scan.literal(r#","trade_id":"#)?;
        let trade_id = Some(scan.number()?);
        scan.literal(r#","last_size":""#)?;
        scan.text()?;
        scan.literal("}")?;
        scan.end()?;
        Some(Self {
            _type: Present(true),
            sequence,
            product_id,
            best_bid,
            best_bid_size,
            best_ask,
            best_ask_size,
            side,
            time,
            trade_id,
        })
    }

    #[inline]
    pub(super) fn tell(self, kind: Kind) -> Parsed<'a> {
        let symbol = self.product_id.0;
        let sent = self.time.as_deref().map(parse_rfc3339);
        let number = Number::Quote {
            symbol: symbol.clone(),
            seq: self.sequence,
        };
        let item = (|| {
            let last_trade = match (self.trade_id, &self.side) {
                (Some(id), Some(side)) => Some(LastTrade {
                    id,
                    taker_side: taker(side)?,
                }),
                _ => None,
            };
            Ok(Item::Quote(QuoteMessage {
                symbol,
                seq: Some(self.sequence),
                stamp_ns: Some(stamp(kind, sent.as_ref())?),
                bid: price("best_bid", &self.best_bid)?,
                bid_size: size_if_given("best_bid_size", self.best_bid_size.as_ref())?,
                ask: price("best_ask", &self.best_ask)?,
                ask_size: size_if_given("best_ask_size", self.best_ask_size.as_ref())?,
                last_trade,
            }))
        })();
        Parsed {
            sent,
            number,
            content: Content::One(item),
            ..Parsed::bare(kind)
        }
    }
}

/// "Matches Channel". `side` is the maker's. A `last_match` has the same shape and is the newest trade before the
/// subscription, however long ago.
///
/// ```json
/// {"type":"match","trade_id":10,"sequence":50,"maker_order_id":"ac928c66-ca53-498f-9c13-a110027a60e8",
///  "taker_order_id":"132fb6ae-456b-4654-b4e0-d681ac05cea1","time":"2014-11-07T08:19:27.028459Z",
///  "product_id":"BTC-USD","size":"5.23512","price":"400.23","side":"sell"}
/// ```
#[derive(Deserialize)]
pub(super) struct Match<'a> {
    #[serde(rename = "type")]
    _type: Present,
    trade_id: u64,
    #[serde(borrow)]
    side: Str<'a>,
    #[serde(borrow)]
    size: Str<'a>,
    #[serde(borrow)]
    price: Str<'a>,
    #[serde(borrow)]
    product_id: Str<'a>,
    #[serde(borrow, default)]
    time: Option<Str<'a>>,
}

impl<'a> Match<'a> {
    /// Reads it where it is written as it always is, after `{"type":".."`.
    #[inline]
    pub(super) fn scan(mut scan: Scan<'a>) -> Option<Self> {
        scan.literal(r#","trade_id":"#)?;
        let trade_id = scan.number()?;
        for passed_over in [r#","maker_order_id":""#, r#","taker_order_id":""#] {
            scan.literal(passed_over)?;
            scan.text()?;
        }
        scan.literal(r#","side":""#)?;
        let side = scan.text()?;
        scan.literal(r#","size":""#)?;
        let size = scan.text()?;
        scan.literal(r#","price":""#)?;
        let price = scan.text()?;
        scan.literal(r#","product_id":""#)?;
        let product_id = scan.text()?;
        scan.literal(r#","sequence":"#)?;
        scan.number()?;
        scan.literal(r#","time":""#)?;
        let time = Some(scan.text()?);
        scan.literal("}")?;
        scan.end()?;
        Some(Self {
            _type: Present(true),
            trade_id,
            side,
            size,
            price,
            product_id,
            time,
        })
    }

    #[inline]
    pub(super) fn tell(self, kind: Kind) -> Parsed<'a> {
        let symbol = self.product_id.0;
        let sent = self.time.as_deref().map(parse_rfc3339);
        let id = self.trade_id;
        let told = symbol.clone();
        let item = (|| {
            Ok(Item::Trade(TradeMessage {
                symbol: told,
                id: TradeId::Number(id),
                stamp_ns: stamp(kind, sent.as_ref())?,
                price: price("price", &self.price)?,
                size: size("size", &self.size)?,
                taker_side: taker_of_maker(&self.side)?,
            }))
        })();
        if kind == Kind::LastMatch {
            return Parsed {
                number: Number::LastTrade { symbol, id },
                content: Content::Many {
                    live: Vec::new(),
                    history: vec![item],
                },
                ..Parsed::bare(kind)
            };
        }
        Parsed {
            sent,
            number: Number::Trade { symbol, id },
            content: Content::One(item),
            ..Parsed::bare(kind)
        }
    }
}

fn stamp(
    kind: Kind,
    sent: Option<&Result<i64, contract::time::StampError>>,
) -> Result<i64, FrameError> {
    match sent {
        Some(sent) => Ok(sent.clone()?),
        None => Err(FrameError::Missing {
            kind: kind.as_str(),
            field: "time",
        }),
    }
}

/// "Heartbeat Channel", once a second and product. `last_trade_id` is 0 on some days.
///
/// ```json
/// {"type":"heartbeat","sequence":90,"last_trade_id":20,"product_id":"BTC-USD","time":"2014-11-07T08:19:28.464459Z"}
/// ```
#[derive(Deserialize)]
pub(super) struct Heartbeat<'a> {
    #[serde(rename = "type")]
    _type: Present,
    last_trade_id: u64,
    #[serde(borrow)]
    product_id: Str<'a>,
    #[serde(borrow)]
    time: Str<'a>,
}

impl<'a> Heartbeat<'a> {
    /// Reads it where it is written as it always is, after `{"type":".."`.
    #[inline]
    pub(super) fn scan(mut scan: Scan<'a>) -> Option<Self> {
        scan.literal(r#","sequence":"#)?;
        scan.number()?;
        scan.literal(r#","last_trade_id":"#)?;
        let last_trade_id = scan.number()?;
        scan.literal(r#","product_id":""#)?;
        let product_id = scan.text()?;
        scan.literal(r#","time":""#)?;
        let time = scan.text()?;
        scan.literal("}")?;
        scan.end()?;
        Some(Self {
            _type: Present(true),
            last_trade_id,
            product_id,
            time,
        })
    }

    pub(super) fn tell(self) -> Parsed<'a> {
        Parsed {
            sent: Some(parse_rfc3339(&self.time)),
            number: Number::Heartbeat {
                symbol: self.product_id.0,
                last_trade_id: self.last_trade_id,
            },
            ..Parsed::bare(Kind::Heartbeat)
        }
    }
}

/// "Level2 Channel", the book as it stands. Read past: the levels.
///
/// ```json
/// {"type":"snapshot","product_id":"BTC-USD","bids":[["10101.10","0.45054140"]],"asks":[["10102.55","0.57753524"]]}
/// ```
#[derive(Deserialize)]
pub(super) struct Snapshot<'a> {
    #[serde(rename = "type")]
    _type: Present,
    #[serde(borrow, rename = "product_id")]
    _product_id: Str<'a>,
    #[serde(rename = "bids")]
    _bids: IgnoredAny,
    #[serde(rename = "asks")]
    _asks: IgnoredAny,
}

/// "Level2 Channel", what changed. Unnumbered. Read past: the levels.
///
/// ```json
/// {"type":"l2update","product_id":"BTC-USD","changes":[["buy","22356.270000","0.00000000"]],"time":"2022-08-04T15:25:05.010758Z"}
/// ```
#[derive(Deserialize)]
pub(super) struct L2Update<'a> {
    #[serde(rename = "type")]
    _type: Present,
    #[serde(borrow, rename = "product_id")]
    _product_id: Str<'a>,
    #[serde(rename = "changes")]
    _changes: IgnoredAny,
    #[serde(borrow)]
    time: Str<'a>,
}

impl L2Update<'_> {
    pub(super) fn tell(self) -> Parsed<'static> {
        Parsed {
            sent: Some(parse_rfc3339(&self.time)),
            ..Parsed::bare(Kind::L2Update)
        }
    }
}

/// "WebSocket Overview: Subscriptions Message".
///
/// ```json
/// {"type":"subscriptions","channels":[{"name":"level2_50","product_ids":["ETH-USD"],"account_ids":null}]}
/// ```
#[derive(Deserialize)]
pub(super) struct Subscriptions {
    #[serde(rename = "type")]
    _type: Present,
    #[serde(rename = "channels")]
    _channels: IgnoredAny,
}

/// "WebSocket Errors".
///
/// ```json
/// {"type":"error","message":"Failed to subscribe","reason":"user channel requires authentication"}
/// ```
#[derive(Deserialize)]
pub(super) struct Refusal<'a> {
    #[serde(rename = "type")]
    _type: Present,
    #[serde(borrow)]
    message: Str<'a>,
    #[serde(borrow, default)]
    reason: Option<Str<'a>>,
}

impl<'a> Refusal<'a> {
    pub(super) fn tell(self) -> Parsed<'a> {
        let notice = match self.reason {
            Some(reason) => format!("{}: {}", &*self.message, &*reason).into(),
            None => self.message.0,
        };
        Parsed {
            notice: Some(notice),
            ..Parsed::bare(Kind::Error)
        }
    }
}

/// A message whose type is all that matters; the rest must still be JSON.
#[derive(Deserialize)]
pub(super) struct Known {
    #[serde(rename = "type")]
    _type: Present,
}

/// What tells one message from another.
#[derive(Deserialize)]
pub(super) struct Head<'a> {
    #[serde(borrow, default, rename = "type")]
    pub(super) kind: Option<Str<'a>>,
}
