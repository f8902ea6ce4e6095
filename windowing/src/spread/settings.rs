//! What the user decides about windows and spreads.

use std::collections::BTreeMap;

use contract::time::NS_PER_MS;

use super::fee::Fee;
use crate::error::WindowingError;
use crate::window::Shape;

/// What holds for one venue.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct VenueRules {
    /// Taker's fee.
    pub taker_fee: Fee,
    /// Overrides [`Settings::quote_max_age_ms`].
    pub quote_max_age_ms: Option<i64>,
}

/// What holds for a job. Durations in milliseconds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// Width of a tumbling window, above zero.
    pub width_ms: i64,
    /// Up to this age a quote is live.
    pub quote_max_age_ms: i64,
    /// Up to this age a currency rate is used.
    pub rate_max_age_ms: i64,
    /// When more windows than this close at once, pairs get records only of those that hold their ticks.
    pub max_gap_ms: i64,
    /// How many records may wait in the open windows of one partition.
    pub max_open_records: usize,
    /// Rules by venue; a venue that is not named pays no fee.
    pub venues: BTreeMap<String, VenueRules>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            width_ms: 1_000,
            quote_max_age_ms: 2_000,
            rate_max_age_ms: 60_000,
            max_gap_ms: 60_000,
            max_open_records: 10_000_000,
            venues: BTreeMap::new(),
        }
    }
}

impl Settings {
    /// The windows' shape.
    ///
    /// # Errors
    /// [`WindowingError::Setting`] unless the width is above zero and nanoseconds can count it.
    pub fn shape(&self) -> Result<Shape, WindowingError> {
        self.width_ms
            .checked_mul(NS_PER_MS)
            .and_then(Shape::tumbling)
            .ok_or_else(|| WindowingError::Setting {
                name: "windowing.width_ms",
                value: self.width_ms.to_string(),
                range: "above 0 and within 64 bits of nanoseconds",
            })
    }

    pub(crate) fn rate_max_age_ns(&self) -> i64 {
        self.rate_max_age_ms.saturating_mul(NS_PER_MS)
    }

    pub(crate) fn quote_max_age_ns(&self, venue: &str) -> i64 {
        self.venues
            .get(venue)
            .and_then(|rules| rules.quote_max_age_ms)
            .unwrap_or(self.quote_max_age_ms)
            .saturating_mul(NS_PER_MS)
    }

    pub(crate) fn fee(&self, venue: &str) -> Fee {
        self.venues
            .get(venue)
            .map_or(Fee::ZERO, |rules| rules.taker_fee)
    }
}
