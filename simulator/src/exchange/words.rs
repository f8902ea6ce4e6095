//! What the venues' words have in common: times and ids as text.

use std::fmt;

use super::BadStamp;

/// A venue's time, or the nonsense it tells instead.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stamp {
    /// Nanoseconds since 1970 on the venue's clock.
    At(i64),
    /// Nonsense.
    Bad(BadStamp),
}

impl Stamp {
    /// Whole milliseconds since 1970, as Binance tells time; or microseconds where it was asked to.
    pub(super) fn unix(self, per_s: i64) -> i64 {
        /// From year 1 to 1970.
        const YEAR_ONE_S: i64 = -62_135_596_800;
        match self {
            Self::At(ns) => ns.div_euclid(1_000_000_000 / per_s),
            Self::Bad(BadStamp::Epoch) => 0,
            Self::Bad(BadStamp::YearOne) => YEAR_ONE_S * per_s,
        }
    }
}

/// RFC 3339 with as many decimals as it takes, at most nine.
pub(super) struct Nanos(pub(super) Stamp);

/// RFC 3339 with six decimals.
pub(super) struct Micros(pub(super) Stamp);

impl fmt::Display for Nanos {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write(f, self.0, None)
    }
}

impl fmt::Display for Micros {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write(f, self.0, Some(6))
    }
}

fn write(f: &mut fmt::Formatter<'_>, stamp: Stamp, precision: Option<u8>) -> fmt::Result {
    let ns = match stamp {
        Stamp::At(ns) => ns,
        Stamp::Bad(BadStamp::Epoch) => 0,
        Stamp::Bad(BadStamp::YearOne) => {
            return f.write_str(match precision {
                Some(_) => "0001-01-01T00:00:00.000000Z",
                None => "0001-01-01T00:00:00Z",
            });
        }
    };
    let stamp = jiff::Timestamp::from_nanosecond(i128::from(ns)).map_err(|_| fmt::Error)?;
    match precision {
        Some(digits) => write!(f, "{stamp:.*}", usize::from(digits)),
        None => write!(f, "{stamp}"),
    }
}

/// `2026-08-09 21:05:48.854840045 +0000 UTC m=+41691.260485341`, as Go prints a time that knows how long it ran.
pub(super) struct GoTime {
    pub(super) at: Stamp,
    pub(super) since_ns: i64,
}

impl fmt::Display for GoTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = Nanos(self.at)
            .to_string()
            .replace('T', " ")
            .replace('Z', "");
        let (s, ns) = (self.since_ns / 1_000_000_000, self.since_ns % 1_000_000_000);
        write!(f, "{text} +0000 UTC m=+{s}.{ns:09}")
    }
}

/// An id as Coinbase makes them.
pub(super) struct Uuid(pub(super) u128);

impl fmt::Display for Uuid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Version 4, variant 1.
        let bits = self.0 & !(0xf << 76 | 3 << 62) | 4 << 76 | 2 << 62;
        let hex = format!("{bits:032x}");
        write!(
            f,
            "{}-{}-{}-{}-{}",
            &hex[..8],
            &hex[8..12],
            &hex[12..16],
            &hex[16..20],
            &hex[20..]
        )
    }
}

/// A list of texts as JSON.
pub(super) fn list<'a>(texts: impl IntoIterator<Item = &'a str>) -> String {
    let quoted: Vec<String> = texts
        .into_iter()
        .map(|text| serde_json::Value::from(text).to_string())
        .collect();
    format!("[{}]", quoted.join(","))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_as_venues_write_them() {
        let at = Stamp::At(1_786_309_538_504_360_000);
        assert_eq!(Nanos(at).to_string(), "2026-08-09T21:05:38.50436Z");
        assert_eq!(Micros(at).to_string(), "2026-08-09T21:05:38.504360Z");
        assert_eq!(at.unix(1_000), 1_786_309_538_504);
        assert_eq!(at.unix(1_000_000), 1_786_309_538_504_360);
        let since_ns = 41_691_260_485_341;
        let go = GoTime {
            at: Stamp::At(1_786_309_548_854_840_045),
            since_ns,
        };
        assert_eq!(
            go.to_string(),
            "2026-08-09 21:05:48.854840045 +0000 UTC m=+41691.260485341"
        );
        assert_eq!(
            Nanos(Stamp::Bad(BadStamp::YearOne)).to_string(),
            "0001-01-01T00:00:00Z"
        );
        assert_eq!(
            Nanos(Stamp::Bad(BadStamp::Epoch)).to_string(),
            "1970-01-01T00:00:00Z"
        );
    }

    #[test]
    fn ids_are_of_version_4() {
        assert_eq!(
            Uuid(u128::MAX).to_string(),
            "ffffffff-ffff-4fff-bfff-ffffffffffff"
        );
        assert_eq!(Uuid(0).to_string(), "00000000-0000-4000-8000-000000000000");
    }
}
