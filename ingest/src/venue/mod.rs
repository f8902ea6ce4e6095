//! What the venues say, and what it means: one folder per family of dialects, all pure.
//!
//! ```text
//! text frame -> dialect's parse -> Parsed { kind, sent, number, content } -> core
//! ```
//!
//! Comes in: one text frame. Goes out: [`Parsed`], the same for every dialect, or a [`FrameError`]. Absent: connections,
//! subscriptions, receipt times, symbol tables, and everything that needs to remember an earlier frame.

pub mod binance;
pub mod coinbase_advanced;
pub mod coinbase_exchange;
mod fault;
mod message;
mod scan;
mod stamp;
mod text;

pub use fault::{FrameError, MAX_CHAIN};
pub use message::{
    Content, Item, Kind, LastTrade, Number, Parsed, QuoteMessage, TradeId, TradeMessage,
};
pub use stamp::{parse_rfc3339, unix_ns};
pub use text::{Fixed, Str};

/// The language a connection speaks. Captures name it, records name only the venue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Dialect {
    /// Coinbase Advanced Trade, in captures `coinbase`.
    CoinbaseAdvanced,
    /// Coinbase Exchange, in captures `coinbase-exchange`, in records `coinbase` too: it is the same book.
    CoinbaseExchange,
    /// Binance spot.
    Binance,
    /// Binance.US: the language of Binance, another book.
    BinanceUs,
}

/// A venue for which no parser exists.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "no parser exists yet for venue `{name}`; there are those of {}",
    known()
)]
pub struct UnknownVenue {
    /// The name that was given.
    pub name: String,
}

fn known() -> String {
    Dialect::ALL.map(Dialect::capture_name).join(", ")
}

impl Dialect {
    /// Every dialect.
    pub const ALL: [Self; 4] = [
        Self::CoinbaseAdvanced,
        Self::CoinbaseExchange,
        Self::Binance,
        Self::BinanceUs,
    ];

    /// The dialect that captures call `name`.
    ///
    /// # Errors
    /// [`UnknownVenue`], which names the venue and those that can be read.
    pub fn of_capture(name: &str) -> Result<Self, UnknownVenue> {
        Self::ALL
            .into_iter()
            .find(|dialect| dialect.capture_name() == name)
            .ok_or_else(|| UnknownVenue {
                name: name.chars().take(60).collect(),
            })
    }

    /// The venue's name in records.
    #[must_use]
    pub const fn venue(self) -> &'static str {
        match self {
            Self::CoinbaseAdvanced | Self::CoinbaseExchange => "coinbase",
            Self::Binance => "binance",
            Self::BinanceUs => "binance_us",
        }
    }

    /// The dialect's name in captures.
    #[must_use]
    pub const fn capture_name(self) -> &'static str {
        match self {
            Self::CoinbaseAdvanced => "coinbase",
            Self::CoinbaseExchange => "coinbase-exchange",
            Self::Binance => "binance",
            Self::BinanceUs => "binance_us",
        }
    }

    /// Reads one text frame.
    ///
    /// # Errors
    /// [`FrameError`] where the frame as a whole is not what the venue documents.
    pub fn parse(self, frame: &str) -> Result<Parsed<'_>, FrameError> {
        match self {
            Self::CoinbaseAdvanced => coinbase_advanced::parse(frame),
            Self::CoinbaseExchange => coinbase_exchange::parse(frame),
            Self::Binance | Self::BinanceUs => binance::parse(frame),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_venue_without_a_parser_is_refused_by_name() {
        assert_eq!(
            Dialect::of_capture("okx").unwrap_err().to_string(),
            "no parser exists yet for venue `okx`; there are those of coinbase, coinbase-exchange, binance, binance_us"
        );
        for dialect in Dialect::ALL {
            assert_eq!(Dialect::of_capture(dialect.capture_name()), Ok(dialect));
        }
    }
}
