//! What is traded where, and how lively. Plain data with sensible beginnings.

use std::collections::BTreeMap;

use super::dislocation::{Dislocation, Periodic};
use super::units::ONE;
use crate::error::SimulatorError;

/// A book. Coinbase's two feeds tell of one book.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Venue {
    /// Binance spot: many quotes, narrow books, prices mostly in USDT.
    Binance,
    /// Binance.US: another book than Binance's.
    BinanceUs,
    /// Coinbase: fewer quotes, prices in USD.
    Coinbase,
}

impl Venue {
    /// Every venue.
    pub const ALL: [Self; 3] = [Self::Binance, Self::BinanceUs, Self::Coinbase];

    /// The name in records and settings.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Binance => "binance",
            Self::BinanceUs => "binance_us",
            Self::Coinbase => "coinbase",
        }
    }

    /// The venue that records and settings call `name`.
    #[must_use]
    pub fn of(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|venue| venue.name() == name)
    }
}

/// One symbol of one venue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SymbolSettings {
    /// Where it is traded.
    pub venue: Venue,
    /// As the venue spells it, `BTCUSDT`.
    pub symbol: String,
    /// The pair it belongs to, `BTC-USD`.
    pub pair: String,
    /// Whether its prices are in USDT while the pair's are in USD.
    pub in_usdt: bool,
    /// Mean quotes a second outside of bursts, 1..=1000.
    pub quotes_per_s: i64,
    /// Mean trades a second outside of bursts, at most as many as quotes.
    pub trades_per_s: i64,
    /// Widest distance of bid and ask, in hundredths of a basis point; at least one tick.
    pub width_centibps: i64,
    /// Of a hundred quotes, how many may move a price; the others change sizes alone.
    pub moves_percent: i64,
    /// How many quotes a burst has at most.
    pub burst: i64,
}

impl SymbolSettings {
    /// A symbol with the manners of its venue.
    #[must_use]
    pub fn new(venue: Venue, symbol: &str, pair: &str) -> Self {
        let (quotes_per_s, trades_per_s, width_centibps, moves_percent, burst) = match venue {
            // As recorded: nine quotes of ten change sizes alone, up to 161 frames in one millisecond.
            Venue::Binance => (60, 20, 1, 10, 160),
            Venue::BinanceUs => (12, 2, 60, 30, 40),
            Venue::Coinbase => (9, 4, 18, 40, 30),
        };
        Self {
            venue,
            symbol: symbol.to_owned(),
            pair: pair.to_owned(),
            in_usdt: symbol.ends_with("USDT") && !pair.ends_with("-USDT"),
            quotes_per_s,
            trades_per_s,
            width_centibps,
            moves_percent,
            burst,
        }
    }
}

/// One pair.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PairSettings {
    /// Asset and accounting currency, `BTC-USD`.
    pub name: String,
    /// What it costs at the start, hundred-millionths of the accounting currency.
    pub price: i64,
    /// How far the common price moves at most within one step of about 25 ms, in thousandths of a basis point.
    pub step_millibps: i64,
}

impl PairSettings {
    /// A pair at a plausible price.
    #[must_use]
    pub fn new(name: &str) -> Self {
        let asset = name.rsplit_once('-').map_or(name, |(asset, _)| asset);
        let price = match asset {
            "BTC" => 61_730 * ONE,
            "ETH" => 2_641 * ONE + ONE / 2,
            "SOL" => 152 * ONE,
            "BNB" => 574 * ONE,
            "XRP" => ONE / 100 * 58,
            "ADA" => ONE / 1_000 * 341,
            "DOGE" => ONE / 10_000 * 1_032,
            // Nothing is known of it but its name: something between 1 and 500, the same each time.
            other => {
                let sum = other
                    .bytes()
                    .fold(7_i64, |sum, byte| (sum * 31 + i64::from(byte)) % 50_000);
                ONE + sum * ONE / 100
            }
        };
        Self {
            name: name.to_owned(),
            price,
            step_millibps: 220,
        }
    }

    /// Smallest step of its prices, hundred-millionths: two decimals from 100 on, more below.
    #[must_use]
    pub fn tick(&self) -> i64 {
        10_i64.pow(8 - self.decimals())
    }

    /// Decimals of its prices.
    #[must_use]
    pub fn decimals(&self) -> u32 {
        if self.price >= 100 * ONE {
            2
        } else if self.price >= ONE {
            4
        } else if self.price >= ONE / 100 {
            6
        } else {
            8
        }
    }
}

/// The price of a USDT in USD, and where it is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RateSettings {
    /// Where.
    pub venue: Venue,
    /// As the venue spells it.
    pub symbol: String,
    /// At the start, hundred-millionths of a USD; its prices have five decimals.
    pub price: i64,
    /// Where it goes. Without any it trembles by a tick.
    pub moves: Vec<RateMove>,
}

impl Default for RateSettings {
    fn default() -> Self {
        Self {
            venue: Venue::Coinbase,
            symbol: "USDT-USD".to_owned(),
            price: 99_932_000,
            moves: Vec::new(),
        }
    }
}

/// A stretch over which the rate goes up or down, evenly. It goes at most 3 bps a second, and stands still while a pair is
/// dislocated; what it owes it catches up with afterwards.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RateMove {
    /// Milliseconds from the start of the market.
    pub start_ms: i64,
    /// For how long.
    pub length_ms: i64,
    /// How far altogether, hundredths of a basis point.
    pub centibps: i64,
}

/// The whole market.
#[derive(Debug, Clone, PartialEq)]
pub struct MarketSettings {
    /// The same seed gives the same market.
    pub seed: u64,
    /// What is traded.
    pub pairs: Vec<PairSettings>,
    /// Where.
    pub symbols: Vec<SymbolSettings>,
    /// What a USDT is worth; none where no symbol needs it.
    pub rate: Option<RateSettings>,
    /// Taker fees by venue, basis points, for net figures and dislocations given net. 0 where none stands.
    pub taker_fee_bps: BTreeMap<Venue, f64>,
    /// Outside of dislocations no route's gross stays above this, hundredths of a basis point: where a quote would, it is
    /// moved. For the length of a rate's tick (0.1 bps) or two it may be above.
    pub agreement_centibps: i64,
    /// Dislocations, one by one.
    pub dislocations: Vec<Dislocation>,
    /// Dislocations that come again and again.
    pub periodic: Vec<Periodic>,
}

impl MarketSettings {
    /// BTC-USD and ETH-USD at Coinbase and (in USDT) at Binance, with the fees of the default settings (60 and 10 bps) and
    /// nothing dislocated.
    #[must_use]
    pub fn two_venues(seed: u64) -> Self {
        let mut btc = SymbolSettings::new(Venue::Binance, "BTCUSDT", "BTC-USD");
        let mut eth = SymbolSettings::new(Venue::Binance, "ETHUSDT", "ETH-USD");
        btc.quotes_per_s = 60;
        (eth.quotes_per_s, eth.trades_per_s) = (35, 10);
        eth.width_centibps = 4;
        let mut coinbase_eth = SymbolSettings::new(Venue::Coinbase, "ETH-USD", "ETH-USD");
        (coinbase_eth.quotes_per_s, coinbase_eth.trades_per_s) = (6, 2);
        Self {
            seed,
            pairs: vec![PairSettings::new("BTC-USD"), PairSettings::new("ETH-USD")],
            symbols: vec![
                btc,
                eth,
                SymbolSettings::new(Venue::Coinbase, "BTC-USD", "BTC-USD"),
                coinbase_eth,
            ],
            rate: Some(RateSettings::default()),
            taker_fee_bps: [(Venue::Binance, 10.0), (Venue::Coinbase, 60.0)].into(),
            agreement_centibps: 200,
            dislocations: Vec::new(),
            periodic: Vec::new(),
        }
    }

    /// A market of these pairs (pair -> venue -> symbol, as under `[pairs]` of the settings), with the rate of `rates`
    /// (`USDT-USD` -> venue -> symbol).
    ///
    /// # Errors
    /// [`SimulatorError::Setting`] for a symbol whose currency is neither the pair's nor USDT for USD.
    pub fn of_pairs(
        seed: u64,
        pairs: &BTreeMap<String, BTreeMap<String, String>>,
        rates: &BTreeMap<String, BTreeMap<String, String>>,
    ) -> Result<Self, SimulatorError> {
        let mut settings = Self {
            pairs: pairs.keys().map(|name| PairSettings::new(name)).collect(),
            symbols: Vec::new(),
            rate: None,
            ..Self::two_venues(seed)
        };
        for (pair, symbols) in pairs {
            for (venue, symbol) in symbols {
                let Some(venue) = Venue::of(venue) else {
                    continue;
                };
                settings
                    .symbols
                    .push(SymbolSettings::new(venue, symbol, pair));
            }
        }
        for (venue, symbol) in rates.get("USDT-USD").into_iter().flatten() {
            if let Some(venue) = Venue::of(venue) {
                settings.rate = Some(RateSettings {
                    venue,
                    symbol: symbol.clone(),
                    ..RateSettings::default()
                });
            }
        }
        settings.check()?;
        Ok(settings)
    }

    /// The fee of a venue, basis points.
    #[must_use]
    pub fn fee_bps(&self, venue: Venue) -> f64 {
        self.taker_fee_bps.get(&venue).copied().unwrap_or(0.0)
    }

    /// Whether a market can be made of this.
    ///
    /// # Errors
    /// [`SimulatorError::Setting`] with the first thing that makes no sense.
    pub fn check(&self) -> Result<(), SimulatorError> {
        let fault = |text: String| Err(SimulatorError::Setting(text));
        for symbol in &self.symbols {
            let name = &symbol.symbol;
            let Some(pair) = self.pairs.iter().find(|pair| pair.name == symbol.pair) else {
                return fault(format!("symbol `{name}` belongs to no pair"));
            };
            if symbol.in_usdt && self.rate.is_none() {
                return fault(format!(
                    "symbol `{name}` is in USDT and no rate says what that is worth"
                ));
            }
            let letters = |text: &str| text.replace(['-', '/', '_'], "");
            let told = if symbol.in_usdt {
                pair.name.replace("-USD", "-USDT")
            } else {
                pair.name.clone()
            };
            if letters(&told) != letters(name) {
                return fault(format!(
                    "symbol `{name}` of pair `{}` is neither in its currency nor in USDT for USD",
                    pair.name
                ));
            }
            if symbol.quotes_per_s < 1 || symbol.quotes_per_s > 1_000 || symbol.burst < 1 {
                return fault(format!(
                    "symbol `{name}` has no sensible number of quotes a second"
                ));
            }
        }
        for pair in &self.pairs {
            if pair.price < ONE / 10_000 || pair.price > 10_000_000 * ONE {
                return fault(format!("pair `{}` has no sensible price", pair.name));
            }
        }
        if let Some(rate) = &self.rate
            && !(ONE / 2..=ONE * 2).contains(&rate.price)
        {
            return fault(format!("rate `{}` has no sensible price", rate.symbol));
        }
        Ok(())
    }
}
