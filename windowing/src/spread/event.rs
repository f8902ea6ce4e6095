//! What is kept of a record until its window closes: names become numbers, texts become decimals.

use contract::decimal::{Decimal, Price};
use serde::{Deserialize, Serialize};

/// A pair by its place in the order of first mention.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct PairId(pub u32);

/// A leg of a pair by its place in the order of first mention.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct LegId(pub u32);

/// A venue by its place in the order of first mention; also its [`crate::watermark::SourceId`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct VenueId(pub u32);

/// A rate by its place in the order of first mention.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct RateId(pub u32);

/// Best bid and ask with their sizes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "QuoteRow", into = "QuoteRow")]
pub struct QuoteEvent {
    /// Best bid.
    pub bid: Price,
    /// Its size.
    pub bid_size: Option<Decimal>,
    /// Best ask.
    pub ask: Price,
    /// Its size.
    pub ask_size: Option<Decimal>,
}

/// What a trade adds to a window.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "TradeRow", into = "TradeRow")]
pub struct TradeEvent {
    /// Its price.
    pub price: Price,
    /// Its size.
    pub size: Decimal,
}

/// What is kept of a record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Event {
    /// A quote of a leg.
    #[serde(rename = "q")]
    Quote(PairId, LegId, QuoteEvent),
    /// A trade of a leg.
    #[serde(rename = "t")]
    Trade(PairId, LegId, TradeEvent),
    /// A currency rate.
    #[serde(rename = "r")]
    Rate(RateId, RateEvent),
    /// A venue came up or went out.
    #[serde(rename = "s")]
    Status(VenueId, bool),
}

/// What one currency is worth in another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "RateRow", into = "RateRow")]
pub struct RateEvent {
    /// Best bid.
    pub bid: Price,
    /// Best ask.
    pub ask: Price,
}

/// Bid, its size, ask, its size: how a quote stands in a checkpoint.
type QuoteRow = (Price, Option<Decimal>, Price, Option<Decimal>);
/// Price and size.
type TradeRow = (Price, Decimal);
/// Bid and ask.
type RateRow = (Price, Price);

macro_rules! row {
    ($name:ident, $row:ident, $($field:ident),*) => {
        impl From<$row> for $name {
            fn from(($($field),*): $row) -> Self {
                Self { $($field),* }
            }
        }
        impl From<$name> for $row {
            fn from(event: $name) -> Self {
                ($(event.$field),*)
            }
        }
    };
}
row!(QuoteEvent, QuoteRow, bid, bid_size, ask, ask_size);
row!(TradeEvent, TradeRow, price, size);
row!(RateEvent, RateRow, bid, ask);

macro_rules! index {
    ($($name:ident),*) => { $(
        impl $name {
            /// As an index into the list it numbers.
            pub(crate) fn at(self) -> usize {
                usize::try_from(self.0).expect("a 32-bit number fits the address space")
            }
            /// The number of the next entry of a list of this length.
            pub(crate) fn next(length: usize) -> Self {
                Self(u32::try_from(length).expect("fewer than 2^32 names are ever kept"))
            }
        }
    )* };
}
index!(PairId, LegId, VenueId, RateId);
