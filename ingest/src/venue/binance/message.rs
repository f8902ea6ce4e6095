//! The shapes of Binance's frames, each below an example of what stands on the wire.

use std::borrow::Cow;

use serde::Deserialize;
use serde::de::IgnoredAny;

use crate::venue::message::{price, size};
use crate::venue::scan::Scan;
use crate::venue::text::{Present, fixed};
use crate::venue::{
    Content, FrameError, Item, Kind, Number, Parsed, QuoteMessage, Str, TradeId, TradeMessage,
    unix_ns,
};
use contract::tick::TakerSide;

fixed!(IsBookTicker, "bookTicker");
fixed!(IsTrade, "trade");
fixed!(IsAggTrade, "aggTrade");
fixed!(IsDepthUpdate, "depthUpdate");
fixed!(IsServerShutdown, "serverShutdown");

/// The wrapping of combined streams ("General WSS information"):
///
/// ```json
/// {"stream":"btcusdt@trade","data":{}}
/// ```
#[derive(Deserialize)]
pub(super) struct Combined<'a, T> {
    #[serde(borrow)]
    pub(super) stream: Str<'a>,
    pub(super) data: T,
}

/// A message that can be told in the words of all dialects; `stream` is its name in the combined form.
pub(super) trait Message<'a>: Deserialize<'a> {
    /// The word it is counted under.
    const KIND: Kind;
    /// Reads it where it is written as it always is.
    fn scan(_scan: &mut Scan<'a>) -> Option<Self> {
        None
    }
    /// Tells it.
    fn tell(self, stream: Option<&str>) -> Parsed<'a>;
}

/// "Individual Symbol Book Ticker Streams". No event type and no time at all, so it is known by its shape:
///
/// ```json
/// {"u":400900217,"s":"BNBUSDT","b":"25.35190000","B":"31.21000000","a":"25.36520000","A":"40.66000000"}
/// ```
#[derive(Deserialize)]
pub(super) struct BookTicker<'a> {
    #[serde(default, rename = "e")]
    _e: Option<IsBookTicker>,
    /// Update id of the book: rises, with holes.
    u: u64,
    #[serde(borrow)]
    s: Str<'a>,
    #[serde(borrow, rename = "b")]
    bid: Str<'a>,
    #[serde(borrow, rename = "B")]
    bid_size: Str<'a>,
    #[serde(borrow, rename = "a")]
    ask: Str<'a>,
    #[serde(borrow, rename = "A")]
    ask_size: Str<'a>,
}

impl<'a> Message<'a> for BookTicker<'a> {
    const KIND: Kind = Kind::BookTicker;

    #[inline]
    fn scan(scan: &mut Scan<'a>) -> Option<Self> {
        scan.literal(r#"{"u":"#)?;
        let u = scan.number()?;
        scan.literal(r#","s":""#)?;
        let s = scan.text()?;
        scan.literal(r#","b":""#)?;
        let bid = scan.text()?;
        scan.literal(r#","B":""#)?;
        let bid_size = scan.text()?;
        scan.literal(r#","a":""#)?;
        let ask = scan.text()?;
        scan.literal(r#","A":""#)?;
        let ask_size = scan.text()?;
        scan.literal("}")?;
        Some(Self {
            _e: None,
            u,
            s,
            bid,
            bid_size,
            ask,
            ask_size,
        })
    }

    fn tell(self, _stream: Option<&str>) -> Parsed<'a> {
        let symbol = self.s.0;
        let number = Number::Quote {
            symbol: symbol.clone(),
            seq: self.u,
        };
        let item = (|| {
            Ok(Item::Quote(QuoteMessage {
                symbol,
                seq: Some(self.u),
                stamp_ns: None,
                bid: price("b", &self.bid)?,
                bid_size: Some(size("B", &self.bid_size)?),
                ask: price("a", &self.ask)?,
                ask_size: Some(size("A", &self.ask_size)?),
                last_trade: None,
            }))
        })();
        Parsed {
            number,
            content: Content::One(item),
            ..Parsed::bare(Self::KIND)
        }
    }
}

/// "Trade Streams". `m`: the buyer is the maker, so the taker sold. Older frames also hold order ids under `a` and `b`.
///
/// ```json
/// {"e":"trade","E":1672515782136,"s":"BNBBTC","t":12345,"p":"0.001","q":"100","T":1672515782136,"m":true,"M":true}
/// ```
#[derive(Deserialize)]
pub(super) struct Trade<'a> {
    #[serde(rename = "e")]
    _e: IsTrade,
    /// When it was sent.
    #[serde(rename = "E")]
    sent: i64,
    #[serde(borrow)]
    s: Str<'a>,
    t: u64,
    #[serde(borrow)]
    p: Str<'a>,
    #[serde(borrow)]
    q: Str<'a>,
    /// When it happened.
    #[serde(rename = "T")]
    happened: i64,
    m: bool,
}

impl<'a> Message<'a> for Trade<'a> {
    const KIND: Kind = Kind::Trade;

    #[inline]
    fn scan(scan: &mut Scan<'a>) -> Option<Self> {
        scan.literal(r#"{"e":"trade","E":"#)?;
        let sent = scan.signed()?;
        scan.literal(r#","s":""#)?;
        let s = scan.text()?;
        scan.literal(r#","t":"#)?;
        let t = scan.number()?;
        let p = scan.literal(r#","p":""#).and_then(|()| scan.text())?;
        let q = scan.literal(r#","q":""#).and_then(|()| scan.text())?;
        let (happened, m) = scan_end(scan)?;
        Some(Self {
            _e: IsTrade,
            sent,
            s,
            t,
            p,
            q,
            happened,
            m,
        })
    }

    fn tell(self, _stream: Option<&str>) -> Parsed<'a> {
        let number = Number::Trade {
            symbol: self.s.0.clone(),
            id: self.t,
        };
        let item = trade(self.s.0, self.t, &self.p, &self.q, self.happened, self.m);
        Parsed {
            sent: Some(unix_ns(self.sent)),
            number,
            content: Content::One(item),
            ..Parsed::bare(Self::KIND)
        }
    }
}

/// "Aggregate Trade Streams": trades of one taker order at one price, `f..=l` of them.
///
/// ```json
/// {"e":"aggTrade","E":1672515782136,"s":"BNBBTC","a":12345,"p":"0.001","q":"100","f":100,"l":105,"T":1672515782136,"m":true,"M":true}
/// ```
#[derive(Deserialize)]
pub(super) struct AggTrade<'a> {
    #[serde(rename = "e")]
    _e: IsAggTrade,
    #[serde(rename = "E")]
    sent: i64,
    #[serde(borrow)]
    s: Str<'a>,
    a: u64,
    #[serde(borrow)]
    p: Str<'a>,
    #[serde(borrow)]
    q: Str<'a>,
    l: u64,
    #[serde(rename = "T")]
    happened: i64,
    m: bool,
}

impl<'a> Message<'a> for AggTrade<'a> {
    const KIND: Kind = Kind::AggTrade;

    #[inline]
    fn scan(scan: &mut Scan<'a>) -> Option<Self> {
        scan.literal(r#"{"e":"aggTrade","E":"#)?;
        let sent = scan.signed()?;
        scan.literal(r#","s":""#)?;
        let s = scan.text()?;
        scan.literal(r#","a":"#)?;
        let a = scan.number()?;
        let p = scan.literal(r#","p":""#).and_then(|()| scan.text())?;
        let q = scan.literal(r#","q":""#).and_then(|()| scan.text())?;
        scan.literal(r#","f":"#)?;
        scan.number()?;
        scan.literal(r#","l":"#)?;
        let l = scan.number()?;
        let (happened, m) = scan_end(scan)?;
        Some(Self {
            _e: IsAggTrade,
            sent,
            s,
            a,
            p,
            q,
            l,
            happened,
            m,
        })
    }

    fn tell(self, _stream: Option<&str>) -> Parsed<'a> {
        let number = Number::Aggregate {
            symbol: self.s.0.clone(),
            id: self.a,
            last_trade_id: self.l,
        };
        let item = trade(self.s.0, self.a, &self.p, &self.q, self.happened, self.m);
        Parsed {
            sent: Some(unix_ns(self.sent)),
            number,
            content: Content::One(item),
            ..Parsed::bare(Self::KIND)
        }
    }
}

/// `T`, `m` and the `M` that means nothing, with which trades and aggregates end.
#[inline]
fn scan_end(scan: &mut Scan<'_>) -> Option<(i64, bool)> {
    scan.literal(r#","T":"#)?;
    let happened = scan.signed()?;
    scan.literal(r#","m":"#)?;
    let buyer_is_maker = scan.truth()?;
    scan.literal(r#","M":"#)?;
    scan.truth()?;
    scan.literal("}")?;
    Some((happened, buyer_is_maker))
}

#[inline]
fn trade<'a>(
    symbol: Cow<'a, str>,
    id: u64,
    p: &str,
    q: &str,
    happened: i64,
    buyer_is_maker: bool,
) -> Result<Item<'a>, FrameError> {
    Ok(Item::Trade(TradeMessage {
        symbol,
        id: TradeId::Number(id),
        stamp_ns: unix_ns(happened)?,
        price: price("p", p)?,
        size: size("q", q)?,
        taker_side: if buyer_is_maker {
            TakerSide::Sell
        } else {
            TakerSide::Buy
        },
    }))
}

/// "Diff. Depth Stream": the next `U` is the last `u` and one. The levels are passed over.
///
/// ```json
/// {"e":"depthUpdate","E":1672515782136,"s":"BNBBTC","U":157,"u":160,"b":[["0.0024","10"]],"a":[["0.0026","100"]]}
/// ```
#[derive(Deserialize)]
pub(super) struct DepthUpdate<'a> {
    #[serde(rename = "e")]
    _e: IsDepthUpdate,
    #[serde(rename = "E")]
    sent: i64,
    #[serde(borrow)]
    s: Str<'a>,
    #[serde(rename = "U")]
    first: u64,
    #[serde(rename = "u")]
    last: u64,
    #[serde(rename = "b")]
    _bids: IgnoredAny,
    #[serde(rename = "a")]
    _asks: IgnoredAny,
}

impl<'a> Message<'a> for DepthUpdate<'a> {
    const KIND: Kind = Kind::DepthUpdate;

    fn tell(self, stream: Option<&str>) -> Parsed<'a> {
        let fast = stream.is_some_and(|stream| stream.ends_with("@100ms"));
        Parsed {
            sent: Some(unix_ns(self.sent)),
            number: Number::Depth {
                symbol: self.s.0,
                feed: if fast { "depth@100ms" } else { "depth" },
                first: self.first,
                last: self.last,
            },
            ..Parsed::bare(Self::KIND)
        }
    }
}

/// "Partial Book Depth Streams", and the same object from REST ("Order book") which recorders write between frames. It
/// names neither symbol nor time and is outside every numbering.
///
/// ```json
/// {"lastUpdateId":160,"bids":[["0.0024","10"]],"asks":[["0.0026","100"]]}
/// ```
#[derive(Deserialize)]
pub(super) struct Depth {
    #[serde(rename = "lastUpdateId")]
    _last_update_id: u64,
    #[serde(rename = "bids")]
    _bids: IgnoredAny,
    #[serde(rename = "asks")]
    _asks: IgnoredAny,
}

impl Message<'_> for Depth {
    const KIND: Kind = Kind::Depth;

    fn tell(self, _stream: Option<&str>) -> Parsed<'static> {
        Parsed::bare(Self::KIND)
    }
}

/// "Server shutdown": the connection will be closed soon; combined, the stream is called `!serverShutdown`.
///
/// ```json
/// {"e":"serverShutdown","E":1770123456789}
/// ```
#[derive(Deserialize)]
pub(super) struct ServerShutdown {
    #[serde(rename = "e")]
    _e: IsServerShutdown,
    #[serde(rename = "E")]
    sent: i64,
}

impl Message<'_> for ServerShutdown {
    const KIND: Kind = Kind::ServerShutdown;

    fn tell(self, _stream: Option<&str>) -> Parsed<'static> {
        Parsed {
            sent: Some(unix_ns(self.sent)),
            notice: Some("the server shuts down".into()),
            ..Parsed::bare(Self::KIND)
        }
    }
}

/// "Error Messages"; bare, or under `error` with the id of the request beside it.
///
/// ```json
/// {"code":2,"msg":"Invalid request: unknown method","id":1}
/// ```
#[derive(Deserialize)]
pub(super) struct Refusal<'a> {
    code: i64,
    #[serde(borrow)]
    msg: Str<'a>,
}

impl<'a> Message<'a> for Refusal<'a> {
    const KIND: Kind = Kind::Error;

    fn tell(self, _stream: Option<&str>) -> Parsed<'a> {
        Parsed {
            notice: Some(format!("{} (code {})", &*self.msg, self.code).into()),
            ..Parsed::bare(Self::KIND)
        }
    }
}

/// What tells one message from another where it does not open as usual. Answers to requests ("Live Subscribing"):
///
/// ```json
/// {"result":null,"id":1}
/// ```
#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Head<'a> {
    #[serde(borrow)]
    pub(super) e: Option<Str<'a>>,
    #[serde(borrow)]
    pub(super) stream: Option<Str<'a>>,
    #[serde(borrow)]
    pub(super) data: Option<&'a serde_json::value::RawValue>,
    #[serde(borrow)]
    pub(super) error: Option<&'a serde_json::value::RawValue>,
    pub(super) result: Present,
    pub(super) id: Present,
    pub(super) code: Present,
    pub(super) msg: Present,
    #[serde(rename = "lastUpdateId")]
    pub(super) last_update_id: Present,
    pub(super) u: Present,
    pub(super) b: Present,
    pub(super) a: Present,
}
