//! The reference's own picture of a record: no borrowing, every decimal also an exact number.
//!
//! In: one line. Out: a record, or nothing where the contract cannot read it. Stamps are `i128`, so that no arithmetic here
//! can overflow.

use contract::tick::{self, VenueStatus};

use super::number::Amount;

/// One record of `ticks`.
#[derive(Debug, Clone)]
pub(crate) struct Record {
    /// Event time, nanoseconds since 1970.
    pub(crate) stamp: i128,
    /// Who says it.
    pub(crate) venue: String,
    /// What it says.
    pub(crate) what: What,
}

/// What a record says.
#[derive(Debug, Clone)]
pub(crate) enum What {
    Quote(Listing, Quote),
    Trade(Listing, Trade),
    Rate(Rate),
    Mark,
    Status(VenueStatus),
}

/// What a tick is a tick of.
#[derive(Debug, Clone)]
pub(crate) struct Listing {
    pub(crate) pair: String,
    pub(crate) symbol: String,
    pub(crate) currency: String,
}

/// Best bid and ask.
#[derive(Debug, Clone)]
pub(crate) struct Quote {
    pub(crate) bid: Amount,
    pub(crate) bid_size: Option<Amount>,
    pub(crate) ask: Amount,
    pub(crate) ask_size: Option<Amount>,
}

/// One trade.
#[derive(Debug, Clone)]
pub(crate) struct Trade {
    pub(crate) price: Amount,
    pub(crate) size: Amount,
}

/// What one unit of `from` is worth in `to`.
#[derive(Debug, Clone)]
pub(crate) struct Rate {
    pub(crate) from: String,
    pub(crate) to: String,
    pub(crate) bid: Amount,
    pub(crate) ask: Amount,
}

impl Record {
    /// Reads a line; `None` for what belongs on `dead-letters`.
    pub(crate) fn read(line: &str) -> Option<Self> {
        let decoded = tick::decode(line.as_bytes()).ok()?;
        let what = match &decoded {
            tick::Record::Quote(quote) => What::Quote(
                Listing {
                    pair: quote.pair.to_string(),
                    symbol: quote.symbol.to_string(),
                    currency: quote.currency.to_string(),
                },
                Quote {
                    bid: Amount::of(quote.bid.to_string()),
                    bid_size: quote.bid_size.as_ref().map(|d| Amount::of(d.to_string())),
                    ask: Amount::of(quote.ask.to_string()),
                    ask_size: quote.ask_size.as_ref().map(|d| Amount::of(d.to_string())),
                },
            ),
            tick::Record::Trade(trade) => What::Trade(
                Listing {
                    pair: trade.pair.to_string(),
                    symbol: trade.symbol.to_string(),
                    currency: trade.currency.to_string(),
                },
                Trade {
                    price: Amount::of(trade.price.to_string()),
                    size: Amount::of(trade.size.to_string()),
                },
            ),
            tick::Record::Rate(rate) => What::Rate(Rate {
                from: rate.from.to_string(),
                to: rate.to.to_string(),
                bid: Amount::of(rate.bid.to_string()),
                ask: Amount::of(rate.ask.to_string()),
            }),
            tick::Record::Mark(_) => What::Mark,
            tick::Record::Status(status) => What::Status(status.status),
        };
        Some(Self {
            stamp: i128::from(decoded.event_ns()),
            venue: decoded.venue().to_owned(),
            what,
        })
    }

    /// What a tick is a tick of; `None` for what is no tick. A tick is a quote or a trade.
    pub(crate) fn listing(&self) -> Option<&Listing> {
        match &self.what {
            What::Quote(listing, _) | What::Trade(listing, _) => Some(listing),
            What::Rate(_) | What::Mark | What::Status(_) => None,
        }
    }

    /// Whether this is a tick of that pair.
    pub(crate) fn is_tick_of(&self, pair: &str) -> bool {
        self.listing().is_some_and(|listing| listing.pair == pair)
    }
}
