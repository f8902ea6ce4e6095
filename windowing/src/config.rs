//! What windowing takes from the configuration.

use std::collections::BTreeMap;

use contract::config::Config;

use crate::spread::fee::Fee;
use crate::spread::settings::{Settings, VenueRules};

impl From<&Config> for Settings {
    /// A venue without a fee pays none; whoever drives the job warns of it ([`contract::config::Config::fee`]).
    fn from(config: &Config) -> Self {
        let windowing = &config.windowing;
        let venues: BTreeMap<String, VenueRules> = config
            .venues
            .keys()
            .map(|name| {
                let rules = VenueRules {
                    taker_fee: config.fee(name).map_or(Fee::ZERO, Fee::from),
                    quote_max_age_ms: Some(config.quote_max_age_ms(name)),
                };
                (name.clone(), rules)
            })
            .collect();
        Self {
            width_ms: windowing.width_ms,
            quote_max_age_ms: windowing.quote_max_age_ms,
            rate_max_age_ms: windowing.rate_max_age_ms,
            max_gap_ms: windowing.max_gap_ms,
            max_open_records: windowing.max_open_records,
            venues,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_of_the_code_are_those_of_the_configuration() {
        let settings = Settings::from(&Config::default());
        let without_venues = Settings {
            venues: BTreeMap::new(),
            ..settings.clone()
        };
        assert_eq!(without_venues, Settings::default());
        assert_eq!(
            settings.venues["binance"].taker_fee,
            Fee::parse("10").unwrap()
        );
    }
}
