//! What ingest takes from the configuration.

use contract::config::Config;

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
