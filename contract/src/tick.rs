//! Records of `ticks` and `ticks-late`: quotes, trades, rates, marks, venue statuses, and late ticks.
//!
//! In: one line of JSON. Out: a typed record borrowing from it, and back, byte for byte in the key order of the examples.
//! A **tick** is a quote or a trade, nothing else. Absent: what a record means for a window; that is `windowing`'s.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::decimal::{Decimal, DecimalError, Price, Text};
use crate::tag::V1;

/// Tags of the records, each a type that can only be itself.
pub mod tags {
    pub use crate::tag::V1;
    use crate::tag::kind;
    kind!(QuoteKind, "quote");
    kind!(TradeKind, "trade");
    kind!(RateKind, "rate");
    kind!(MarkKind, "mark");
    kind!(StatusKind, "status");
    kind!(LateKind, "late");
}
use tags::{LateKind, MarkKind, QuoteKind, RateKind, StatusKind, TradeKind};

/// Where `event_ns` comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum EventFrom {
    /// The venue stamped the message itself.
    Venue,
    /// Receipt plus the venue's estimated skew.
    Estimated,
}

/// Who crossed the book: the side of the taker, never of the maker.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TakerSide {
    /// The taker bought, at the ask.
    Buy,
    /// The taker sold, at the bid.
    Sell,
}

/// Whether a venue delivers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum VenueStatus {
    /// Connected and delivering.
    Up,
    /// Connected, but no data for too long.
    Silent,
    /// Not connected.
    Down,
}

impl VenueStatus {
    /// As records spell it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Up => "up",
            Self::Silent => "silent",
            Self::Down => "down",
        }
    }
}

/// Best bid and ask of one symbol at one venue.
///
/// ```
/// # use contract::tick::{Record, decode};
/// let line = r#"{"v":1,"kind":"quote","venue":"binance","symbol":"BTCUSDT","currency":"USDT","pair":"BTC-USD","event_ns":1723161254937000000,"event_from":"estimated","exchange_ns":null,"received_ns":1723161253667000000,"seq":50311273,"bid":"61700.01","bid_size":"1.5","ask":"61700.02","ask_size":"0.7"}"#;
/// let Record::Quote(quote) = decode(line.as_bytes()).unwrap() else { panic!() };
/// assert_eq!(serde_json::to_string(&quote).unwrap(), line);
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quote<'a> {
    /// Version, always 1.
    pub v: V1,
    /// Always `quote`.
    pub kind: QuoteKind,
    /// Venue, e.g. `binance`.
    #[serde(borrow)]
    pub venue: Text<'a>,
    /// Symbol as the venue spells it.
    #[serde(borrow)]
    pub symbol: Text<'a>,
    /// Currency this symbol really trades in.
    #[serde(borrow)]
    pub currency: Text<'a>,
    /// Asset and accounting currency; the latter is the text after the last `-`.
    #[serde(borrow)]
    pub pair: Text<'a>,
    /// Event time in nanoseconds since 1970: what windows use.
    pub event_ns: i64,
    /// Where the event time comes from.
    pub event_from: EventFrom,
    /// The venue's own stamp in nanoseconds since 1970, if the message has one.
    pub exchange_ns: Option<i64>,
    /// Our receipt in nanoseconds since 1970; may precede the event, recorders run behind.
    pub received_ns: i64,
    /// The venue's number of this update, if it gives one.
    pub seq: Option<u64>,
    /// Best bid in `currency`, above zero.
    pub bid: Price,
    /// Size at the best bid in units of the asset, if the venue gives it.
    pub bid_size: Option<Decimal>,
    /// Best ask in `currency`, above zero.
    pub ask: Price,
    /// Size at the best ask in units of the asset, if the venue gives it.
    pub ask_size: Option<Decimal>,
}

/// One trade of one symbol at one venue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trade<'a> {
    /// Version, always 1.
    pub v: V1,
    /// Always `trade`.
    pub kind: TradeKind,
    /// Venue.
    #[serde(borrow)]
    pub venue: Text<'a>,
    /// Symbol as the venue spells it.
    #[serde(borrow)]
    pub symbol: Text<'a>,
    /// Currency this symbol really trades in.
    #[serde(borrow)]
    pub currency: Text<'a>,
    /// Asset and accounting currency.
    #[serde(borrow)]
    pub pair: Text<'a>,
    /// Event time in nanoseconds since 1970.
    pub event_ns: i64,
    /// Where the event time comes from.
    pub event_from: EventFrom,
    /// The venue's own stamp, if the message has one.
    pub exchange_ns: Option<i64>,
    /// Our receipt.
    pub received_ns: i64,
    /// The venue's id of the trade, as text.
    #[serde(borrow)]
    pub trade_id: Text<'a>,
    /// Price in `currency`, above zero.
    pub price: Price,
    /// Size in units of the asset.
    pub size: Decimal,
    /// The taker's side.
    pub taker_side: TakerSide,
}

/// What one unit of `from` is worth in `to`, as quoted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rate<'a> {
    /// Version, always 1.
    pub v: V1,
    /// Always `rate`.
    pub kind: RateKind,
    /// Venue that quotes it.
    #[serde(borrow)]
    pub venue: Text<'a>,
    /// Symbol as the venue spells it.
    #[serde(borrow)]
    pub symbol: Text<'a>,
    /// Currency converted from.
    #[serde(borrow)]
    pub from: Text<'a>,
    /// Currency converted to.
    #[serde(borrow)]
    pub to: Text<'a>,
    /// Event time in nanoseconds since 1970.
    pub event_ns: i64,
    /// Best bid: what a seller of `from` gets, above zero.
    pub bid: Price,
    /// Best ask: what a buyer of `from` pays, above zero.
    pub ask: Price,
}

/// "Nothing of this venue before `event_ns` follows."
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark<'a> {
    /// Version, always 1.
    pub v: V1,
    /// Always `mark`.
    pub kind: MarkKind,
    /// Venue.
    #[serde(borrow)]
    pub venue: Text<'a>,
    /// Event time in nanoseconds since 1970.
    pub event_ns: i64,
}

/// A venue came up, fell silent, or went down.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Status<'a> {
    /// Version, always 1.
    pub v: V1,
    /// Always `status`.
    pub kind: StatusKind,
    /// Venue.
    #[serde(borrow)]
    pub venue: Text<'a>,
    /// The new status.
    pub status: VenueStatus,
    /// Event time in nanoseconds since 1970.
    pub event_ns: i64,
    /// Why, for people; may be empty.
    #[serde(borrow)]
    pub detail: Text<'a>,
}

/// A tick that came after its window had closed.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Late<'a> {
    /// Version, always 1.
    pub v: V1,
    /// Always `late`.
    pub kind: LateKind,
    /// Up to where windows were closed when it came, nanoseconds since 1970.
    pub boundary_ns: i64,
    /// How far before that boundary it was stamped, nanoseconds.
    pub late_ns: i64,
    /// The tick as it was.
    #[serde(borrow)]
    pub tick: Cow<'a, RawValue>,
}

/// One record of `ticks`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Record<'a> {
    /// Best bid and ask.
    Quote(Quote<'a>),
    /// A trade.
    Trade(Trade<'a>),
    /// A currency rate.
    Rate(Rate<'a>),
    /// A promise about what follows.
    Mark(Mark<'a>),
    /// A change of a venue.
    Status(Status<'a>),
}

impl Record<'_> {
    /// Event time in nanoseconds since 1970.
    #[must_use]
    pub fn event_ns(&self) -> i64 {
        match self {
            Self::Quote(r) => r.event_ns,
            Self::Trade(r) => r.event_ns,
            Self::Rate(r) => r.event_ns,
            Self::Mark(r) => r.event_ns,
            Self::Status(r) => r.event_ns,
        }
    }

    /// The venue it comes from.
    #[must_use]
    pub fn venue(&self) -> &str {
        match self {
            Self::Quote(r) => &r.venue,
            Self::Trade(r) => &r.venue,
            Self::Rate(r) => &r.venue,
            Self::Mark(r) => &r.venue,
            Self::Status(r) => &r.venue,
        }
    }

    /// The pair of a tick; `None` for what concerns every partition (rates, marks, statuses).
    #[must_use]
    pub fn pair(&self) -> Option<&str> {
        match self {
            Self::Quote(r) => Some(&r.pair),
            Self::Trade(r) => Some(&r.pair),
            Self::Rate(_) | Self::Mark(_) | Self::Status(_) => None,
        }
    }

    /// Appends the record as one line of JSON, without the line break.
    pub fn write_json(&self, line: &mut Vec<u8>) {
        let written = match self {
            Self::Quote(r) => serde_json::to_writer(line, r),
            Self::Trade(r) => serde_json::to_writer(line, r),
            Self::Rate(r) => serde_json::to_writer(line, r),
            Self::Mark(r) => serde_json::to_writer(line, r),
            Self::Status(r) => serde_json::to_writer(line, r),
        };
        written.expect(
            "a record of texts and integers is always JSON, and memory does not fail to write",
        );
    }
}

/// Why a record of `ticks` could not be read.
#[derive(Debug, thiserror::Error)]
pub enum DecodeError {
    /// Bytes that are not text.
    #[error("record is not UTF-8")]
    NotUtf8(#[source] std::str::Utf8Error),
    /// Not JSON, or a field is missing, of another type or out of its range.
    #[error("record does not match its documented shape")]
    Shape(#[source] serde_json::Error),
    /// A `v` that this program does not know.
    #[error("record has version {0}, this program reads version 1")]
    Version(u64),
    /// A `kind` that this program does not know.
    #[error("record is of unknown kind `{0}`")]
    Kind(String),
    /// A pair without an accounting currency.
    #[error("pair `{0}` names no accounting currency after a `-`")]
    Pair(String),
    /// A decimal that is none.
    #[error(transparent)]
    Decimal(#[from] DecimalError),
}

/// The accounting currency of a pair: the text after its last `-`, if both sides of it are there.
#[must_use]
pub fn accounting_currency(pair: &str) -> Option<&str> {
    match pair.rsplit_once('-') {
        Some((asset, currency)) if !asset.is_empty() && !currency.is_empty() => Some(currency),
        _ => None,
    }
}

/// Reads one record of `ticks`. Unknown fields are ignored.
///
/// # Errors
/// [`DecodeError`] for anything that the contract does not describe; such a record belongs on `dead-letters`.
pub fn decode(bytes: &[u8]) -> Result<Record<'_>, DecodeError> {
    let text = std::str::from_utf8(bytes).map_err(DecodeError::NotUtf8)?;
    // Our own writers always begin so; anything else is asked for its version and kind first.
    let kind = match text.strip_prefix(r#"{"v":1,"kind":""#) {
        Some(rest) => rest.split_once('"').and_then(|(kind, _)| Kind::of(kind)),
        None => None,
    };
    let kind = match kind {
        Some(kind) => kind,
        None => sniff(text)?,
    };
    let record = match kind {
        Kind::Quote => Record::Quote(serde_json::from_str(text).map_err(DecodeError::Shape)?),
        Kind::Trade => Record::Trade(serde_json::from_str(text).map_err(DecodeError::Shape)?),
        Kind::Rate => Record::Rate(serde_json::from_str(text).map_err(DecodeError::Shape)?),
        Kind::Mark => Record::Mark(serde_json::from_str(text).map_err(DecodeError::Shape)?),
        Kind::Status => Record::Status(serde_json::from_str(text).map_err(DecodeError::Shape)?),
    };
    match record.pair() {
        Some(pair) if accounting_currency(pair).is_none() => {
            Err(DecodeError::Pair(pair.to_owned()))
        }
        _ => Ok(record),
    }
}

#[derive(Clone, Copy)]
enum Kind {
    Quote,
    Trade,
    Rate,
    Mark,
    Status,
}

impl Kind {
    fn of(text: &str) -> Option<Self> {
        Some(match text {
            "quote" => Self::Quote,
            "trade" => Self::Trade,
            "rate" => Self::Rate,
            "mark" => Self::Mark,
            "status" => Self::Status,
            _ => return None,
        })
    }
}

/// Reads version and kind alone.
fn sniff(text: &str) -> Result<Kind, DecodeError> {
    #[derive(Deserialize)]
    #[serde(expecting = "an object with a `kind`")]
    struct Head<'a> {
        v: u64,
        #[serde(borrow)]
        kind: Option<Text<'a>>,
    }
    #[derive(Deserialize)]
    #[serde(expecting = "an object with a version `v`")]
    struct VersionOnly {
        v: u64,
    }
    // A later version may write its kind in another way, so the version is judged first.
    let version: VersionOnly = serde_json::from_str(text).map_err(DecodeError::Shape)?;
    if version.v != 1 {
        return Err(DecodeError::Version(version.v));
    }
    let head: Head<'_> = serde_json::from_str(text).map_err(DecodeError::Shape)?;
    debug_assert_eq!(head.v, 1);
    let kind = head.kind.unwrap_or_default();
    Kind::of(&kind).ok_or_else(|| DecodeError::Kind(kind.into_owned()))
}

#[cfg(test)]
mod tests;
