//! The four languages that are spoken here.

use crate::market::Venue;

/// A language, and with it a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Dialect {
    /// Coinbase Advanced Trade, in captures `coinbase`.
    CoinbaseAdvanced,
    /// Coinbase Exchange, in captures `coinbase-exchange`: the same book.
    CoinbaseExchange,
    /// Binance spot.
    Binance,
    /// Binance.US: the language of Binance, another book.
    BinanceUs,
}

impl Dialect {
    /// Every dialect.
    pub const ALL: [Self; 4] = [
        Self::CoinbaseAdvanced,
        Self::CoinbaseExchange,
        Self::Binance,
        Self::BinanceUs,
    ];

    /// The book it tells of.
    #[must_use]
    pub const fn venue(self) -> Venue {
        match self {
            Self::CoinbaseAdvanced | Self::CoinbaseExchange => Venue::Coinbase,
            Self::Binance => Venue::Binance,
            Self::BinanceUs => Venue::BinanceUs,
        }
    }

    /// Its name in captures, on the command line and in the log.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::CoinbaseAdvanced => "coinbase",
            Self::CoinbaseExchange => "coinbase-exchange",
            Self::Binance => "binance",
            Self::BinanceUs => "binance_us",
        }
    }

    /// The dialect called `name`.
    #[must_use]
    pub fn of(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|dialect| dialect.name() == name)
    }
}
