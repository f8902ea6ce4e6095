//! A taker's fee as the two factors of a route.

use std::fmt;

use contract::config::{FeeError, TakerFee};

/// Ten thousand basis points in millionths of one: the unit that a fee is a part of.
const WHOLE: i64 = 10_000 * 1_000_000;

/// A taker's fee, ready for the arithmetic.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Fee(TakerFee);

impl Fee {
    /// No fee.
    pub const ZERO: Self = Self(TakerFee::ZERO);

    /// Reads basis points, e.g. `60` or `9.5` or `-1`.
    ///
    /// # Errors
    /// As [`TakerFee::parse_bps`].
    pub fn parse(text: &str) -> Result<Self, FeeError> {
        TakerFee::parse_bps(text).map(Self)
    }

    /// What is left of one unit when the fee is taken from it, as `digits / 10^scale`.
    pub(crate) fn kept(self) -> (u64, u8) {
        reduced(WHOLE - self.0.micro_bps())
    }

    /// What one unit costs with the fee on top, as `digits / 10^scale`.
    pub(crate) fn paid(self) -> (u64, u8) {
        reduced(WHOLE + self.0.micro_bps())
    }
}

fn reduced(part: i64) -> (u64, u8) {
    let mut digits = part.unsigned_abs();
    let mut scale = 10;
    while scale > 0 && digits.is_multiple_of(10) {
        digits /= 10;
        scale -= 1;
    }
    (digits, scale)
}

impl From<TakerFee> for Fee {
    fn from(fee: TakerFee) -> Self {
        Self(fee)
    }
}

impl fmt::Display for Fee {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fees_are_exact() {
        let fee = Fee::parse("9.5").unwrap();
        assert_eq!(fee.kept(), (99_905, 5));
        assert_eq!(fee.paid(), (100_095, 5));
        assert_eq!(Fee::ZERO.kept(), (1, 0));
        assert_eq!(Fee::parse("10").unwrap().kept(), (999, 3));
        assert_eq!(Fee::parse("-0.000001").unwrap().paid(), (9_999_999_999, 10));
    }
}
