//! The three clocks: the venue's (`exchange_ns`), ours (`received_ns`), and the one that windows use (`event_ns`).
//!
//! All are nanoseconds since 1970 in an `i64`, enough until the year 2262. Receipt may precede the event: recorders run
//! behind. Windowing reads no clock at all; shells are given one as a [`Clock`].

use std::time::{SystemTime, UNIX_EPOCH};

/// Nanoseconds in a millisecond.
pub const NS_PER_MS: i64 = 1_000_000;
/// Nanoseconds in a second.
pub const NS_PER_S: i64 = 1_000_000_000;

/// The earliest stamp taken for a real one: 2009-01-03, before which there was nothing to trade. Years 1 and 1970, which
/// venues send by mistake, lie before it.
pub const EARLIEST_NS: i64 = 1_230_940_800 * NS_PER_S;

/// Why a stamp was not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StampError {
    /// Not a time of RFC 3339, or outside the years that 64 bits of nanoseconds hold.
    #[error("`{0}` is not a time of RFC 3339 between the years 1678 and 2262")]
    Text(String),
    /// Before anything could have been traded (year 1, 1970).
    #[error("stamp {} is before 2009", show_ns(*.0))]
    TooEarly(i64),
    /// Too far from the receipt.
    #[error("stamp {} is {} ms from its receipt, more than {max_ms} ms", show_ns(*.stamp_ns), .distance_ns / NS_PER_MS)]
    TooFar {
        /// The stamp.
        stamp_ns: i64,
        /// How far it is from the receipt.
        distance_ns: i64,
        /// How far it may be.
        max_ms: i64,
    },
}

/// Reads a time of RFC 3339 with up to nanoseconds.
///
/// # Errors
/// [`StampError::Text`] where it is none or does not fit, as year 1 does not.
pub fn parse_rfc3339(text: &str) -> Result<i64, StampError> {
    let fault = || StampError::Text(text.chars().take(60).collect());
    let stamp: jiff::Timestamp = text.parse().map_err(|_| fault())?;
    i64::try_from(stamp.as_nanosecond()).map_err(|_| fault())
}

/// A time zone by its name (`Europe/Paris`, `UTC`) or its offset (`+05:30`); none where there is no such zone. The zones'
/// rules are built in, so that every machine knows the same.
#[must_use]
pub fn parse_zone(text: &str) -> Option<jiff::tz::TimeZone> {
    let is_known = !text.is_empty() && !text.starts_with(':');
    is_known
        .then(|| jiff::fmt::temporal::DateTimeParser::new().parse_time_zone(text))?
        .ok()
}

/// Judges a venue's stamp against its receipt.
///
/// # Errors
/// [`StampError::TooEarly`] before 2009 and [`StampError::TooFar`] beyond `max_distance_ms` milliseconds of the receipt.
pub fn check_stamp(
    stamp_ns: i64,
    received_ns: i64,
    max_distance_ms: i64,
) -> Result<i64, StampError> {
    if stamp_ns < EARLIEST_NS {
        return Err(StampError::TooEarly(stamp_ns));
    }
    let distance_ns = stamp_ns.saturating_sub(received_ns).saturating_abs();
    if distance_ns > max_distance_ms.saturating_mul(NS_PER_MS) {
        return Err(StampError::TooFar {
            stamp_ns,
            distance_ns,
            max_ms: max_distance_ms,
        });
    }
    Ok(stamp_ns)
}

/// A stamp as people read it, e.g. `2024-08-08T23:54:14.937Z`.
#[must_use]
pub fn show_ns(ns: i64) -> String {
    jiff::Timestamp::from_nanosecond(i128::from(ns))
        .map_or_else(|_| format!("{ns} ns"), |stamp| stamp.to_string())
}

/// Where shells get the wall time from.
pub trait Clock: Send + Sync {
    /// Nanoseconds since 1970.
    fn now_ns(&self) -> i64;
}

/// The clock of this machine.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the replacement that the lint names"
    )]
    fn now_ns(&self) -> i64 {
        let since = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        i64::try_from(since.as_nanos()).unwrap_or(i64::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stamps_are_read_to_the_nanosecond() {
        assert_eq!(
            parse_rfc3339("2026-08-09T21:05:48.228568804Z"),
            Ok(1_786_309_548_228_568_804)
        );
        assert_eq!(
            parse_rfc3339("2026-08-09T21:05:38.50436Z"),
            Ok(1_786_309_538_504_360_000)
        );
        assert_eq!(parse_rfc3339("1970-01-01T00:00:00Z"), Ok(0));
    }

    #[test]
    fn zones_go_by_name_or_offset() {
        for (text, offset_s) in [
            ("UTC", 0),
            ("+05:30", 19_800),
            ("-08:00", -28_800),
            ("Asia/Tokyo", 32_400),
        ] {
            let zone = parse_zone(text).unwrap();
            assert_eq!(
                zone.to_offset(jiff::Timestamp::UNIX_EPOCH).seconds(),
                offset_s,
                "{text}"
            );
        }
        for text in ["", "Mars/Olympus", "25:00", "+99:00", "5"] {
            assert!(parse_zone(text).is_none(), "{text}");
        }
    }

    #[test]
    fn years_1_and_1970_and_distant_stamps_are_faults() {
        assert!(matches!(
            parse_rfc3339("0001-01-01T00:00:00.000000Z"),
            Err(StampError::Text(_))
        ));
        assert!(matches!(
            check_stamp(0, 0, 60_000),
            Err(StampError::TooEarly(0))
        ));
        let now = 1_723_161_254 * NS_PER_S;
        assert!(check_stamp(now - 60 * NS_PER_S, now, 60_000).is_ok());
        assert!(matches!(
            check_stamp(now - 60 * NS_PER_S - 1, now, 60_000),
            Err(StampError::TooFar { .. })
        ));
        assert!(matches!(
            check_stamp(i64::MAX, i64::MIN, 60_000),
            Err(StampError::TooFar { .. })
        ));
        assert_eq!(
            check_stamp(now - 61 * NS_PER_S, now, 60_000)
                .unwrap_err()
                .to_string(),
            "stamp 2024-08-08T23:53:13Z is 61000 ms from its receipt, more than 60000 ms"
        );
    }
}
