//! Basis points as exact decimals.
//!
//! In: text. Out: an integer number of millionths of a basis point. No floating point until a
//! stage asks for it ([`Bps::to_f64`]).

use std::fmt;
use std::ops::RangeInclusive;

use super::fee::FeeError;

/// Millionths of a basis point in one basis point.
const MICRO: i64 = 1_000_000;

/// A threshold or a distance in basis points, exact to a millionth.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Bps(i64);

impl Bps {
    /// Reads `[+-]digits[.digits]` within a range of whole basis points.
    pub(super) fn parse(text: &str, range: RangeInclusive<i64>) -> Result<Self, FeeError> {
        micro_of(text, range).map(Self)
    }

    /// In millionths of a basis point.
    pub const fn micro_bps(self) -> i64 {
        self.0
    }

    /// The nearest 64-bit float, for comparing with a spread's figures.
    pub fn to_f64(self) -> f64 {
        self.to_string()
            .parse()
            .expect("digits with at most one point are a number")
    }
}

/// Basis points, without trailing zeros.
impl fmt::Display for Bps {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_micro(f, self.0)
    }
}

/// Reads `[+-]digits[.digits]` basis points, at most six decimals, no exponent.
pub(super) fn micro_of(text: &str, range: RangeInclusive<i64>) -> Result<i64, FeeError> {
    let (sign, digits) = match text.as_bytes().first() {
        Some(b'-') => (-1, &text[1..]),
        Some(b'+') => (1, &text[1..]),
        _ => (1, text),
    };
    let (whole, decimals) = match digits.split_once('.') {
        Some((whole, decimals)) if !decimals.is_empty() => (whole, decimals),
        Some(_) => return Err(FeeError::Shape),
        None => (digits, ""),
    };
    let all_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || !all_digits(whole) || !all_digits(decimals) || decimals.len() > 6 {
        return Err(FeeError::Shape);
    }
    // Only the size of the number can fail from here on.
    let whole: i64 = whole.parse().map_err(|_| FeeError::Range)?;
    let micro: i64 = format!("{decimals:0<6}")
        .parse()
        .map_err(|_| FeeError::Shape)?;
    whole
        .checked_mul(MICRO)
        .and_then(|value| value.checked_add(micro))
        .map(|value| sign * value)
        .filter(|value| (range.start() * MICRO..=range.end() * MICRO).contains(value))
        .ok_or(FeeError::Range)
}

/// Writes millionths as basis points, without trailing zeros.
pub(super) fn write_micro(f: &mut fmt::Formatter<'_>, micro_bps: i64) -> fmt::Result {
    let sign = if micro_bps < 0 { "-" } else { "" };
    let whole = (micro_bps / MICRO).abs();
    let micro = (micro_bps % MICRO).abs();
    if micro == 0 {
        return write!(f, "{sign}{whole}");
    }
    let decimals = format!("{micro:06}");
    write!(f, "{sign}{whole}.{}", decimals.trim_end_matches('0'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_threshold_becomes_the_nearest_float() {
        for (text, float) in [
            ("5", 5.0),
            ("-0.5", -0.5),
            ("0.1", 0.1),
            ("14.200001", 14.200001),
        ] {
            let bps = Bps::parse(text, -10_000..=10_000).unwrap();
            assert_eq!(bps.to_f64().to_bits(), f64::to_bits(float), "{text}");
            assert_eq!(bps.to_string(), text);
        }
        assert_eq!(
            Bps::parse("10000.000001", -10_000..=10_000),
            Err(FeeError::Range)
        );
    }
}
