//! What the core of ingest is told before the first frame.
//!
//! Comes in: values that the binary has read and checked (`contract::config`). Goes out: plain data. Deliberately
//! absent: files, environment variables, addresses, secrets; those belong to the shells.

use std::collections::BTreeMap;

/// How frames become records.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IngestSettings {
    /// Time between two marks of a venue on our receive clock, milliseconds; below 1 counts as 1.
    pub mark_interval_ms: i64,
    /// Greatest distance of a venue's stamp from its receipt, milliseconds.
    pub max_stamp_distance_ms: i64,
    /// Time between two health records of a venue, milliseconds; below 1 counts as 1.
    pub health_interval_ms: i64,
    /// Settings of a venue that stands in no table.
    pub default_venue: VenueSettings,
    /// Settings by venue, named as in records (`binance`, `binance_us`, `coinbase`).
    pub venues: BTreeMap<String, VenueSettings>,
    /// Pair (`BTC-USD`) -> venue -> symbol.
    pub pairs: BTreeMap<String, BTreeMap<String, String>>,
    /// Rate (`USDT-USD`) -> venue -> symbol whose quotes are the rate.
    pub rates: BTreeMap<String, BTreeMap<String, String>>,
    /// Whether a symbol that no pair names becomes a pair of its own.
    pub all_pairs: bool,
}

/// What may differ from venue to venue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VenueSettings {
    /// How far a mark stays behind the venue's clock, milliseconds.
    pub mark_lag_ms: i64,
    /// Time without data after which the venue is silent, milliseconds; heartbeats are no data.
    pub silent_after_ms: i64,
}

impl Default for VenueSettings {
    fn default() -> Self {
        Self {
            mark_lag_ms: 400,
            silent_after_ms: 10_000,
        }
    }
}

impl Default for IngestSettings {
    fn default() -> Self {
        Self {
            mark_interval_ms: 200,
            max_stamp_distance_ms: 300_000,
            health_interval_ms: 1_000,
            default_venue: VenueSettings::default(),
            venues: BTreeMap::new(),
            pairs: BTreeMap::new(),
            rates: BTreeMap::new(),
            all_pairs: false,
        }
    }
}

impl IngestSettings {
    /// The settings of `venue`.
    #[must_use]
    pub fn venue(&self, venue: &str) -> VenueSettings {
        self.venues
            .get(venue)
            .copied()
            .unwrap_or(self.default_venue)
    }
}
