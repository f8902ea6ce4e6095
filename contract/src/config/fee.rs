//! Taker fees as exact decimals.
//!
//! In: the text of a fee in basis points. Out: [`TakerFee`], an integer number of millionths of a
//! basis point, so that a spread's arithmetic can stay exact. No floating point here.

use std::fmt;

use super::bps;

/// What a venue takes from an order that meets a resting one.
///
/// Held exactly, in millionths of a basis point: a fee of 9.5 bps is 9,500,000, and as a fraction of
/// the amount it is `micro_bps / 10^10`. Range: -100 to 1000 bps (a negative fee is a rebate).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TakerFee(i64);

/// Why a text is no fee.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FeeError {
    /// Not `[+-]digits[.digits]` with at most six decimals.
    #[error("a fee is a plain decimal number of basis points with at most 6 decimals")]
    Shape,
    /// Below -100 or above 1000 basis points.
    #[error("a fee lies in -100..=1000 basis points")]
    Range,
}

impl TakerFee {
    /// No fee.
    pub const ZERO: Self = Self(0);
    /// Lowest fee accepted, in basis points.
    pub(crate) const MIN_BPS: i64 = -100;
    /// Highest fee accepted, in basis points.
    pub(crate) const MAX_BPS: i64 = 1000;

    /// Reads `[+-]digits[.digits]` basis points, at most six decimals, no exponent.
    ///
    /// # Errors
    /// [`FeeError::Shape`] for any other text, [`FeeError::Range`] outside -100..=1000 bps.
    pub fn parse_bps(text: &str) -> Result<Self, FeeError> {
        bps::micro_of(text, Self::MIN_BPS..=Self::MAX_BPS).map(Self)
    }

    /// The fee in millionths of a basis point, -100,000,000 to 1,000,000,000.
    pub const fn micro_bps(self) -> i64 {
        self.0
    }
}

/// Basis points, without trailing zeros, as [`TakerFee::parse_bps`] reads them.
impl fmt::Display for TakerFee {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        bps::write_micro(f, self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fee_is_read_exactly_and_written_back() {
        for (text, micro, shown) in [
            ("0", 0, "0"),
            ("10", 10_000_000, "10"),
            ("9.5", 9_500_000, "9.5"),
            ("0.000001", 1, "0.000001"),
            ("-0.5", -500_000, "-0.5"),
            ("-0", 0, "0"),
            ("+7.500000", 7_500_000, "7.5"),
            ("1000", 1_000_000_000, "1000"),
            ("-100", -100_000_000, "-100"),
        ] {
            let fee = TakerFee::parse_bps(text).unwrap();
            assert_eq!(
                (fee.micro_bps(), fee.to_string().as_str()),
                (micro, shown),
                "{text}"
            );
        }
    }

    #[test]
    fn what_is_no_plain_decimal_is_no_fee() {
        for text in [
            "",
            "-",
            ".",
            "1.",
            ".5",
            "1e1",
            "1,5",
            "0x10",
            "1_0",
            " 1",
            "1.0000000",
            "nan",
            "inf",
            "--1",
            "٣",
        ] {
            assert_eq!(TakerFee::parse_bps(text), Err(FeeError::Shape), "{text}");
        }
    }

    #[test]
    fn a_fee_out_of_range_is_told_apart_from_a_broken_one() {
        for text in [
            "1000.000001",
            "-100.000001",
            "9223372036854775808",
            "9223372036854775807",
        ] {
            assert_eq!(TakerFee::parse_bps(text), Err(FeeError::Range), "{text}");
        }
    }
}
