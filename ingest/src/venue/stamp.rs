//! The venues' stamps in nanoseconds since 1970.
//!
//! Comes in: RFC 3339 texts (Coinbase) or whole numbers whose unit is told by their size (Binance). Goes out: nanoseconds.
//! Whether a stamp is believable is judged later, against its receipt.

use contract::time::{self, NS_PER_MS, NS_PER_S, StampError};

/// From here on a number cannot be milliseconds: as such it would lie in the year 5138, as microseconds in 1973.
const MICROSECONDS_FROM: i64 = 100_000_000_000_000;

/// Reads Binance's time: milliseconds, or microseconds where the connection asked for them; told by magnitude.
///
/// # Errors
/// [`StampError::Text`] where it does not fit 64 bits of nanoseconds.
pub fn unix_ns(number: i64) -> Result<i64, StampError> {
    let unit = if number.unsigned_abs() < MICROSECONDS_FROM.unsigned_abs() {
        NS_PER_MS
    } else {
        1_000
    };
    number
        .checked_mul(unit)
        .ok_or_else(|| StampError::Text(number.to_string()))
}

/// Reads a time of RFC 3339, that of the venues' one form (`2026-08-09T21:05:48.228568804Z`) without detour.
///
/// # Errors
/// As [`contract::time::parse_rfc3339`], to which any other form is handed.
pub fn parse_rfc3339(text: &str) -> Result<i64, StampError> {
    match plain(text.as_bytes()) {
        Some(ns) => Ok(ns),
        None => time::parse_rfc3339(text),
    }
}

/// `YYYY-MM-DDTHH:MM:SS[.f{1,9}]Z` in the years 1970 to 2261; `None` where it is anything else.
fn plain(text: &[u8]) -> Option<i64> {
    let (head, rest) = text.split_at_checked(19)?;
    let separators = [head[4], head[7], head[10], head[13], head[16]];
    if separators != *b"--T::" {
        return None;
    }
    let year = number(&head[0..4])?;
    let month = number(&head[5..7])?;
    let day = number(&head[8..10])?;
    let (hour, minute, second) = (
        number(&head[11..13])?,
        number(&head[14..16])?,
        number(&head[17..19])?,
    );
    if !(1970..2262).contains(&year)
        || !(1..=12).contains(&month)
        || hour > 23
        || minute > 59
        || second > 59
    {
        return None;
    }
    if day < 1 || day > days_in(year, month) {
        return None;
    }
    let fraction = match rest {
        [b'Z'] => 0,
        [b'.', digits @ .., b'Z'] if (1..=9).contains(&digits.len()) => {
            let missing = u32::try_from(9 - digits.len()).ok()?;
            number(digits)? * 10_i64.pow(missing)
        }
        _ => return None,
    };
    let seconds = days_since_1970(year, month, day) * 86_400 + hour * 3_600 + minute * 60 + second;
    Some(seconds * NS_PER_S + fraction)
}

fn number(digits: &[u8]) -> Option<i64> {
    digits.iter().try_fold(0_i64, |value, &digit| {
        digit
            .is_ascii_digit()
            .then(|| value * 10 + i64::from(digit - b'0'))
    })
}

fn is_leap(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

fn days_in(year: i64, month: i64) -> i64 {
    match month {
        2 if is_leap(year) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days from 1970-01-01 in the Gregorian calendar: whole years with their leap days, then the days before the month.
fn days_since_1970(year: i64, month: i64, day: i64) -> i64 {
    const BEFORE_MONTH: [i64; 12] = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334];
    let leaps_before = |year: i64| (year - 1) / 4 - (year - 1) / 100 + (year - 1) / 400;
    let month_index = usize::try_from(month - 1).unwrap_or(0);
    let leap_day = i64::from(month > 2 && is_leap(year));
    (year - 1970) * 365 + leaps_before(year) - leaps_before(1970)
        + BEFORE_MONTH[month_index]
        + leap_day
        + day
        - 1
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn binance_s_unit_is_told_by_magnitude() {
        assert_eq!(unix_ns(1_723_161_255_343), Ok(1_723_161_255_343_000_000));
        assert_eq!(
            unix_ns(1_723_161_255_343_123),
            Ok(1_723_161_255_343_123_000)
        );
        assert_eq!(unix_ns(0), Ok(0));
        assert_eq!(
            unix_ns(i64::MAX),
            Err(StampError::Text(i64::MAX.to_string()))
        );
        assert!(unix_ns(i64::MIN).is_err());
    }

    proptest! {
        #[test]
        fn the_short_way_reads_what_the_library_reads(
            ns in 0_i64..9_200_000_000_000_000_000,
            digits in 0_usize..=9,
        ) {
            let text = time::show_ns(ns - ns % NS_PER_S);
            let fraction = format!("{:09}", ns % NS_PER_S);
            let text = match digits {
                0 => text,
                _ => text.replace('Z', &format!(".{}Z", &fraction[..digits])),
            };
            prop_assert_eq!(plain(text.as_bytes()), time::parse_rfc3339(&text).ok(), "{}", text);
            prop_assert!(plain(text.as_bytes()).is_some());
        }

        #[test]
        fn what_the_short_way_takes_the_library_takes_alike(text in "(19[67]|20[02]|226)[0-9]-[0-2][0-9]-[0-3][0-9]T[0-2][0-9]:[0-6][0-9]:[0-6][0-9](\\.[0-9]{0,11})?[Zz+]") {
            if let Some(ns) = plain(text.as_bytes()) {
                prop_assert_eq!(Ok(ns), time::parse_rfc3339(&text));
            }
        }
    }
}
