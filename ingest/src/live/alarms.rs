//! When a stream that stays away while others flow is looked for on a second connection. Pure.
//!
//! A symbol may be quiet because nobody trades it, and only another connection can tell that from a feed that has stalled.
//! Each time it turns out to be quiet there too, the limit of that stream doubles, so that an illiquid symbol costs some
//! connections in the first hours and next to none later; a stall that was real sets it back.

use std::time::Duration;

use super::ConnectionSettings;
use super::deliveries::{Deliveries, wanted};
use tokio::time::Instant;

/// Limits do not grow beyond this.
const LONGEST: Duration = Duration::from_secs(24 * 3_600);

/// The limit of each stream, in the order of [`wanted`].
#[derive(Debug)]
pub(super) struct Alarms {
    /// As set, and as learned.
    limits: Vec<(Duration, Duration)>,
}

impl Alarms {
    pub(super) fn new(connection: &ConnectionSettings) -> Self {
        let limits = wanted(connection).into_iter();
        Self {
            limits: limits.map(|(_, limit)| (limit, limit)).collect(),
        }
    }

    /// The stream that is furthest beyond its limit, and for how long it has been quiet.
    pub(super) fn raised(&self, on: &Deliveries, now: Instant) -> Option<(usize, Duration)> {
        on.ages(now)
            .zip(&self.limits)
            .enumerate()
            .filter_map(|(at, ((_, age), (_, limit)))| Some((age.checked_sub(*limit)?, at, age)))
            .max()
            .map(|(_, at, age)| (at, age))
    }

    /// The market is quiet, not the connection.
    pub(super) fn was_false(&mut self, stream: usize) {
        if let Some((_, limit)) = self.limits.get_mut(stream) {
            *limit = limit.saturating_mul(2).min(LONGEST).max(*limit);
        }
    }

    /// The connection had stalled.
    pub(super) fn was_true(&mut self, stream: usize) {
        if let Some((set, limit)) = self.limits.get_mut(stream) {
            *limit = *set;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::venue::Dialect;

    fn book(symbol: &str) -> String {
        format!(r#"{{"u":1,"s":"{symbol}","b":"1.0","B":"1","a":"1.1","A":"1"}}"#)
    }

    #[test]
    fn an_illiquid_symbol_is_looked_for_ever_more_seldom_and_a_stalled_one_at_once_again() {
        let connection = ConnectionSettings {
            rate_symbols: ["LIVELY", "QUIET"].map(str::to_owned).into(),
            symbol_silent_after: Duration::from_secs(10),
            ..ConnectionSettings::new(Dialect::Binance, vec![])
        };
        let mut alarms = Alarms::new(&connection);
        let start = Instant::now();
        let mut on = Deliveries::new(&connection, start);
        let mut raised_at = Vec::new();
        for second in 0..3_600 {
            let now = start + Duration::from_secs(second);
            on.frame(&book("LIVELY"), now);
            if second % 1_800 == 0 {
                on.frame(&book("QUIET"), now);
            }
            if let Some((stream, age)) = alarms.raised(&on, now) {
                assert_eq!(stream, 1);
                raised_at.push(age.as_secs());
                alarms.was_false(stream);
            }
        }
        assert_eq!(raised_at, [10, 20, 40, 80, 160, 320, 640, 1_280]);
        alarms.was_true(1);
        let now = start + Duration::from_secs(3_600);
        assert!(alarms.raised(&on, now).is_some());
    }

    #[test]
    fn limits_end_at_a_day_and_one_set_longer_stays() {
        let day = Duration::from_secs(86_400);
        for (set, last) in [(day / 3, day), (day * 2, day * 2)] {
            let mut alarms = Alarms {
                limits: vec![(set, set)],
            };
            for _ in 0..70 {
                alarms.was_false(0);
            }
            assert_eq!(alarms.limits[0].1, last);
        }
        let mut none = Alarms { limits: vec![] };
        none.was_false(3);
        none.was_true(3);
    }
}
