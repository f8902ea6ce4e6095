//! Which pair a symbol belongs to, and what it really trades in.
//!
//! Comes in: the tables of pairs and rates, and a symbol as a frame spells it. Goes out: [`Names`]. Deliberately absent:
//! prices and rates; a symbol traded in USDT stays so, whatever its pair is accounted in.

use std::collections::{BTreeMap, HashMap};

use crate::settings::IngestSettings;
use crate::venue::Dialect;

/// Currencies that Binance symbols end in, the longer before the shorter where one ends in the other.
const BINANCE_CURRENCIES: [&str; 36] = [
    "FDUSD", "USDT", "USDC", "TUSD", "BUSD", "USDP", "USDS", "USD1", "EURI", "AEUR", "BIDR",
    "IDRT", "BVND", "BKRW", "USD", "EUR", "GBP", "TRY", "BRL", "JPY", "AUD", "CAD", "CHF", "MXN",
    "ARS", "PLN", "RON", "ZAR", "UAH", "RUB", "NGN", "CZK", "DAI", "BTC", "ETH", "BNB",
];

/// What a symbol stands for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Names {
    /// Pair and currency, where the symbol's ticks are wanted.
    pub pair: Option<PairNames>,
    /// The currencies `(from, to)` of which its quotes are the rate.
    pub rate: Option<(String, String)>,
}

/// Where the ticks of a symbol go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PairNames {
    /// Asset and accounting currency, e.g. `BTC-USD`.
    pub pair: String,
    /// What the symbol really trades in, e.g. `USDT`.
    pub currency: String,
}

/// The tables, turned round: by venue, then by symbol.
#[derive(Debug, Clone, Default)]
pub struct SymbolMap {
    pairs: BTreeMap<String, HashMap<String, String>>,
    rates: BTreeMap<String, HashMap<String, String>>,
    all_pairs: bool,
}

impl SymbolMap {
    /// Turns the tables of the settings round. Where two pairs name one symbol of a venue, the first in the alphabet has
    /// it; the configuration's check refuses such tables.
    #[must_use]
    pub fn new(settings: &IngestSettings) -> Self {
        Self {
            pairs: by_venue(&settings.pairs),
            rates: by_venue(&settings.rates),
            all_pairs: settings.all_pairs,
        }
    }

    /// What `symbol` in a frame of `dialect` stands for.
    #[must_use]
    pub fn names(&self, dialect: Dialect, symbol: &str) -> Names {
        let pair = find(&self.pairs, dialect, symbol)
            .map(|pair| PairNames {
                pair: pair.to_owned(),
                currency: currency(dialect, symbol, pair).to_owned(),
            })
            .or_else(|| self.own_pair(dialect, symbol));
        let rate = find(&self.rates, dialect, symbol)
            .and_then(|rate| rate.rsplit_once('-'))
            .map(|(from, to)| (from.to_owned(), to.to_owned()));
        Names { pair, rate }
    }

    fn own_pair(&self, dialect: Dialect, symbol: &str) -> Option<PairNames> {
        if !self.all_pairs {
            return None;
        }
        let (asset, currency) = split(dialect, symbol)?;
        Some(PairNames {
            pair: format!("{asset}-{currency}"),
            currency: currency.to_owned(),
        })
    }
}

fn by_venue(
    table: &BTreeMap<String, BTreeMap<String, String>>,
) -> BTreeMap<String, HashMap<String, String>> {
    let mut turned: BTreeMap<String, HashMap<String, String>> = BTreeMap::new();
    for (name, symbols) in table {
        for (venue, symbol) in symbols {
            turned
                .entry(venue.clone())
                .or_default()
                .entry(symbol.clone())
                .or_insert_with(|| name.clone());
        }
    }
    turned
}

/// Coinbase answers a subscription of a `-USDC` product with frames of the `-USD` product, the two being one book: where
/// only the former is named, the latter is meant by it. The tick keeps what the frame says.
fn find<'a>(
    turned: &'a BTreeMap<String, HashMap<String, String>>,
    dialect: Dialect,
    symbol: &str,
) -> Option<&'a str> {
    let symbols = turned.get(dialect.venue())?;
    let found = symbols.get(symbol).or_else(|| {
        let aliased =
            dialect.venue() == Dialect::CoinbaseAdvanced.venue() && symbol.ends_with("-USD");
        aliased
            .then(|| symbols.get(&format!("{symbol}C")))
            .flatten()
    });
    found.map(String::as_str)
}

/// What `symbol` trades in: on Coinbase the text after the last `-`; on Binance what is left without the pair's asset, or
/// a known currency at the end. Where neither tells, the symbol itself, for which no rate exists: such a leg shows
/// `no_rate` instead of a guess.
fn currency<'a>(dialect: Dialect, symbol: &'a str, pair: &str) -> &'a str {
    let asset = pair.rsplit_once('-').map_or(pair, |(asset, _)| asset);
    let stripped = match dialect {
        Dialect::CoinbaseAdvanced | Dialect::CoinbaseExchange => None,
        Dialect::Binance | Dialect::BinanceUs => symbol.strip_prefix(asset),
    };
    stripped
        .filter(|rest| !rest.is_empty() && !asset.is_empty())
        .or_else(|| split(dialect, symbol).map(|(_, currency)| currency))
        .unwrap_or(symbol)
}

/// Asset and currency of a symbol, told from the symbol alone.
fn split(dialect: Dialect, symbol: &str) -> Option<(&str, &str)> {
    let parts = match dialect {
        Dialect::CoinbaseAdvanced | Dialect::CoinbaseExchange => symbol.rsplit_once('-'),
        Dialect::Binance | Dialect::BinanceUs => BINANCE_CURRENCIES
            .iter()
            .filter_map(|currency| {
                symbol
                    .strip_suffix(currency)
                    .map(|asset| (asset, *currency))
            })
            .find(|(asset, _)| !asset.is_empty()),
    };
    let (asset, currency) = parts?;
    // The currency is cut from the symbol itself, so that it borrows from it.
    let currency = &symbol[symbol.len() - currency.len()..];
    (!asset.is_empty() && !currency.is_empty()).then_some((asset, currency))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(rows: &[(&str, &str, &str)]) -> BTreeMap<String, BTreeMap<String, String>> {
        let mut table: BTreeMap<String, BTreeMap<String, String>> = BTreeMap::new();
        for (name, venue, symbol) in rows {
            table
                .entry((*name).to_owned())
                .or_default()
                .insert((*venue).to_owned(), (*symbol).to_owned());
        }
        table
    }

    fn map(all_pairs: bool) -> SymbolMap {
        SymbolMap::new(&IngestSettings {
            pairs: table(&[
                ("BTC-USD", "binance", "BTCUSDT"),
                ("BTC-USD", "coinbase", "BTC-USDC"),
                ("ETH-USD", "coinbase", "ETH-USD"),
                ("XBT-EUR", "binance", "BTCEUR"),
                ("ODD-USD", "binance", "WHAT"),
            ]),
            rates: table(&[("USDT-USD", "coinbase", "USDT-USD")]),
            all_pairs,
            ..IngestSettings::default()
        })
    }

    fn pair(map: &SymbolMap, dialect: Dialect, symbol: &str) -> Option<(String, String)> {
        map.names(dialect, symbol)
            .pair
            .map(|names| (names.pair, names.currency))
    }

    fn is(pair: &str, currency: &str) -> Option<(String, String)> {
        Some((pair.to_owned(), currency.to_owned()))
    }

    #[test]
    fn the_currency_is_what_the_symbol_trades_in_and_not_what_the_pair_is_accounted_in() {
        let map = map(false);
        assert_eq!(
            pair(&map, Dialect::Binance, "BTCUSDT"),
            is("BTC-USD", "USDT")
        );
        assert_eq!(
            pair(&map, Dialect::CoinbaseAdvanced, "ETH-USD"),
            is("ETH-USD", "USD")
        );
        assert_eq!(
            pair(&map, Dialect::Binance, "BTCEUR"),
            is("XBT-EUR", "EUR"),
            "asset under another name"
        );
        assert_eq!(
            pair(&map, Dialect::Binance, "WHAT"),
            is("ODD-USD", "WHAT"),
            "no guess where nothing tells"
        );
    }

    #[test]
    fn one_venue_s_symbol_is_not_another_s() {
        assert_eq!(pair(&map(false), Dialect::BinanceUs, "BTCUSDT"), None);
    }

    #[test]
    fn a_usdc_product_of_coinbase_is_met_under_its_usd_name_and_keeps_it() {
        let map = map(false);
        for dialect in [Dialect::CoinbaseAdvanced, Dialect::CoinbaseExchange] {
            assert_eq!(pair(&map, dialect, "BTC-USD"), is("BTC-USD", "USD"));
        }
        assert_eq!(pair(&map, Dialect::Binance, "BTC-USD"), None);
    }

    #[test]
    fn a_rate_is_known_by_its_symbol() {
        let names = map(false).names(Dialect::CoinbaseExchange, "USDT-USD");
        assert_eq!(names.rate, Some(("USDT".to_owned(), "USD".to_owned())));
        assert_eq!(names.pair, None);
    }

    #[test]
    fn with_all_pairs_a_symbol_that_nobody_names_is_its_own_pair() {
        let map = map(true);
        assert_eq!(pair(&map, Dialect::Binance, "ETHBTC"), is("ETH-BTC", "BTC"));
        assert_eq!(
            pair(&map, Dialect::BinanceUs, "BTCUSD"),
            is("BTC-USD", "USD")
        );
        assert_eq!(
            pair(&map, Dialect::Binance, "SOLFDUSD"),
            is("SOL-FDUSD", "FDUSD")
        );
        assert_eq!(
            pair(&map, Dialect::CoinbaseExchange, "BAND-GBP"),
            is("BAND-GBP", "GBP")
        );
        assert_eq!(
            pair(&map, Dialect::Binance, "BTCUSDT"),
            is("BTC-USD", "USDT"),
            "a named one stays where it is"
        );
        assert_eq!(
            pair(&map, Dialect::Binance, "USDT"),
            None,
            "no asset in front"
        );
        assert_eq!(pair(&map, Dialect::Binance, "NOSUCHTHING"), None);
        assert_eq!(pair(&map, Dialect::CoinbaseExchange, "-USD"), None);
    }
}
