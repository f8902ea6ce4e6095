//! Prices and sizes as whole numbers: hundred-millionths, written as venues write them.

use std::fmt;

/// One, in hundred-millionths.
pub const ONE: i64 = 100_000_000;

/// Decimals that hundred-millionths have.
const DECIMALS: u32 = 8;

/// Written with a fixed number of decimals, at most eight; what lies below is cut off.
#[derive(Debug, Clone, Copy)]
pub struct Fixed(pub i64, pub u32);

impl fmt::Display for Fixed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(units, decimals) = *self;
        let part = units % ONE / 10_i64.pow(DECIMALS - decimals.min(DECIMALS));
        match decimals {
            0 => write!(f, "{}", units / ONE),
            _ => write!(
                f,
                "{}.{part:0width$}",
                units / ONE,
                width = usize::try_from(decimals).unwrap_or(8)
            ),
        }
    }
}

/// Written without trailing zeros, and without a point where nothing follows it.
#[derive(Debug, Clone, Copy)]
pub struct Trimmed(pub i64);

impl fmt::Display for Trimmed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut part = self.0 % ONE;
        let mut decimals = DECIMALS;
        while decimals > 0 && part % 10 == 0 {
            part /= 10;
            decimals -= 1;
        }
        Fixed(self.0, decimals).fmt(f)
    }
}

/// As a floating-point number, for ratios: below 2^53 nothing is lost.
#[expect(
    clippy::as_conversions,
    reason = "there is no lossless conversion from i64; prices stay below 2^53"
)]
pub(crate) const fn float(units: i64) -> f64 {
    units as f64
}

/// A number of hundred-millionths from a ratio, rounded up.
#[expect(
    clippy::as_conversions,
    reason = "float to integer has no other conversion, and this one saturates"
)]
pub(crate) fn ceil(units: f64) -> i64 {
    // A product that should be whole may come out a hair above it.
    (units - 1e-3).ceil() as i64
}

/// `value * times / of`, without overflow in between.
pub(crate) fn scale(value: i64, times: i64, of: i64) -> i64 {
    let scaled = i128::from(value) * i128::from(times) / i128::from(of.max(1));
    i64::try_from(scaled).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_as_venues_write_them() {
        assert_eq!(
            Fixed(6_183_763 * 1_000_000, 8).to_string(),
            "61837.63000000"
        );
        assert_eq!(Fixed(6_183_763 * 1_000_000, 2).to_string(), "61837.63");
        assert_eq!(Fixed(7, 8).to_string(), "0.00000007");
        assert_eq!(Fixed(12 * ONE, 0).to_string(), "12");
        assert_eq!(Trimmed(192_500_000_000).to_string(), "1925");
        assert_eq!(Trimmed(191_660_000_000).to_string(), "1916.6");
        assert_eq!(Trimmed(219_000).to_string(), "0.00219");
        assert_eq!(Trimmed(0).to_string(), "0");
    }

    #[test]
    fn what_is_rounded_up_never_gains_a_whole_unit() {
        assert_eq!(ceil(6_173_000_000_000.0), 6_173_000_000_000);
        assert_eq!(ceil(6_173_000_000_000.5), 6_173_000_000_001);
    }
}
