//! What ingest takes from the configuration.

use std::path::PathBuf;
use std::time::Duration;

use contract::config::{Config, Dialect as Feed};

use crate::live::{ConnectionSettings, LiveSettings};
use crate::settings::{IngestSettings, VenueSettings};
use crate::venue::Dialect;

impl From<&Config> for IngestSettings {
    fn from(config: &Config) -> Self {
        let venue = |name: &str| VenueSettings {
            mark_lag_ms: config.mark_lag_ms(name),
            silent_after_ms: config.silent_after_ms(name),
        };
        Self {
            mark_interval_ms: config.ingest.mark_interval_ms,
            max_stamp_distance_ms: config.ingest.max_stamp_distance_ms,
            health_interval_ms: config.ingest.health_interval_ms,
            default_venue: venue(""),
            venues: Dialect::ALL
                .map(|dialect| (dialect.venue().to_owned(), venue(dialect.venue())))
                .into(),
            pairs: config.pairs.clone(),
            rates: config.rates.clone(),
            all_pairs: false,
        }
    }
}

impl LiveSettings {
    /// Connections to every venue that has an address, a parser, and a symbol that some pair or rate names. `seed` is that
    /// of the jitter.
    #[must_use]
    pub fn of(config: &Config, seed: u64) -> Self {
        let settings = IngestSettings::from(config);
        let connections = config.venues.keys().filter_map(|venue| {
            let urls: Vec<String> = config.urls(venue).into_iter().map(str::to_owned).collect();
            if urls.is_empty() {
                return None;
            }
            let feed = config.venues.get(venue).and_then(|venue| venue.dialect);
            let dialect = match (venue.as_str(), feed) {
                ("coinbase", Some(Feed::Exchange)) => Dialect::CoinbaseExchange,
                _ => match Dialect::of_capture(venue) {
                    Ok(dialect) if dialect.venue() == venue => dialect,
                    Ok(dialect) => {
                        let real = dialect.venue();
                        tracing::warn!(venue, "not connected: this is a dialect of `{real}`, see `venues.{real}.dialect`");
                        return None;
                    }
                    Err(unknown) => {
                        tracing::warn!(venue, "not connected: {unknown}");
                        return None;
                    }
                },
            };
            let wanting = ConnectionSettings::new(dialect, urls).wanting(&settings);
            let named = wanting.symbols.iter().chain(&wanting.rate_symbols);
            let limits = named.map(|symbol| {
                let limit_ms = config.symbol_silent_after_ms(venue, symbol);
                (symbol.to_uppercase(), ms(limit_ms))
            });
            let connection = ConnectionSettings {
                max_message_bytes: config.max_message_bytes(venue),
                symbol_silent_after: ms(config.ingest.symbol_silent_after_ms),
                symbol_limits: limits.collect(),
                ..wanting
            };
            (!connection.is_empty()).then_some(connection)
        });
        Self {
            rotate_after: ms(config.ingest.rotate_after_ms),
            conflate_above: config.ingest.conflate_above_frames,
            ca_file: config.ingest.ca_file.as_ref().map(PathBuf::from),
            ..Self::new(connections.collect(), seed)
        }
    }
}

fn ms(ms: i64) -> Duration {
    Duration::from_millis(u64::try_from(ms).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(file: &str) -> LiveSettings {
        let config = Config::load(Some(("test.toml", file)), std::iter::empty()).unwrap();
        LiveSettings::of(&config, 1)
    }

    fn dialects(settings: &LiveSettings) -> Vec<Dialect> {
        let connections = settings.connections.iter();
        connections.map(|connection| connection.dialect).collect()
    }

    #[test]
    fn the_defaults_connect_to_the_venues_that_pairs_and_rates_name() {
        let settings = of("");
        assert_eq!(
            dialects(&settings),
            [Dialect::Binance, Dialect::CoinbaseAdvanced]
        );
        let [binance, coinbase] = &settings.connections[..] else {
            panic!("{settings:?}")
        };
        assert_eq!(binance.urls.len(), 3);
        assert_eq!(binance.symbols, ["BTCUSDT", "ETHUSDT"]);
        assert_eq!(coinbase.rate_symbols, ["USDT-USD"]);
        assert_eq!(coinbase.silent_after, Duration::from_secs(10));
    }

    #[test]
    fn a_venue_s_own_settings_hold_for_its_connection() {
        let settings = of(
            "[venues.coinbase]\ndialect = \"exchange\"\nsilent_after_ms = 1500\nmax_message_bytes = 70000\n",
        );
        let coinbase = &settings.connections[1];
        assert_eq!(coinbase.dialect, Dialect::CoinbaseExchange);
        assert_eq!(coinbase.urls, ["wss://ws-feed.exchange.coinbase.com"]);
        assert_eq!(coinbase.silent_after, Duration::from_millis(1_500));
        assert_eq!(coinbase.max_message_bytes, 70_000);
    }

    #[test]
    fn what_holds_for_all_connections_is_taken_over_and_symbols_have_their_own_limits() {
        let settings = of(
            "[ingest]\nrotate_after_ms = 5000\nconflate_above_frames = 9\nca_file = \"a.pem\"\nsymbol_silent_after_ms = 700\n\
             [venues.binance]\nsymbol_silent_after_ms.btcusdt = 300\n",
        );
        assert_eq!(settings.rotate_after, Duration::from_secs(5));
        assert_eq!(settings.conflate_above, 9);
        assert_eq!(settings.ca_file.as_deref(), Some("a.pem".as_ref()));
        let limits: Vec<_> = settings.connections[0].symbol_limits.values().collect();
        assert_eq!(
            limits,
            [&Duration::from_millis(300), &Duration::from_millis(700)],
            "BTCUSDT and ETHUSDT"
        );
    }

    #[test]
    fn a_venue_without_a_parser_or_under_the_name_of_a_dialect_is_not_connected() {
        let settings = of(
            "[venues.kraken]\nurl = \"wss://a.example\"\n[venues.coinbase-exchange]\nurl = \"wss://b.example\"\n\
             [pairs.\"BTC-USD\"]\nkraken = \"BTC/USD\"\n",
        );
        assert_eq!(
            dialects(&settings),
            [Dialect::Binance, Dialect::CoinbaseAdvanced]
        );
    }
}
