//! A taker's fee, exact.

use std::fmt;

use contract::decimal::Decimal;

/// Ten thousand basis points in millionths of one: the unit that a fee is a part of.
const WHOLE: i64 = 10_000 * 1_000_000;

/// A taker's fee in basis points, to six decimals; negative where the venue pays the taker.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Fee {
    millionths_bps: i64,
}

/// Why a text is no fee.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "fee `{0}` is not a number of basis points between -1000 and 1000 with at most six decimals"
)]
pub struct FeeError(String);

impl Fee {
    /// No fee.
    pub const ZERO: Self = Self { millionths_bps: 0 };

    /// A fee of so many millionths of a basis point; `None` outside -1000 to 1000 bps.
    #[must_use]
    pub fn from_millionths_bps(millionths_bps: i64) -> Option<Self> {
        const MOST: u64 = 1_000 * 1_000_000;
        (millionths_bps.unsigned_abs() <= MOST).then_some(Self { millionths_bps })
    }

    /// Reads basis points, e.g. `60` or `9.5` or `-1`.
    ///
    /// # Errors
    /// [`FeeError`] for anything but a decimal within ±1000 bps with at most six decimals.
    pub fn parse(text: &str) -> Result<Self, FeeError> {
        let fault = || FeeError(text.to_owned());
        let (negative, plain) = text
            .strip_prefix('-')
            .map_or((false, text), |plain| (true, plain));
        let (digits, scale) = Decimal::parse(plain)
            .ok()
            .and_then(|value| value.inline())
            .ok_or_else(fault)?;
        let missing = 6_u32.checked_sub(u32::from(scale)).ok_or_else(fault)?;
        let millionths = digits
            .checked_mul(10_u64.pow(missing))
            .and_then(|millionths| i64::try_from(millionths).ok())
            .ok_or_else(fault)?;
        Self::from_millionths_bps(if negative { -millionths } else { millionths }).ok_or_else(fault)
    }

    /// What is left of one unit when the fee is taken from it, as `digits / 10^scale`.
    pub(crate) fn kept(self) -> (u64, u8) {
        reduced(WHOLE - self.millionths_bps)
    }

    /// What one unit costs with the fee on top, as `digits / 10^scale`.
    pub(crate) fn paid(self) -> (u64, u8) {
        reduced(WHOLE + self.millionths_bps)
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

impl fmt::Display for Fee {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let size = self.millionths_bps.unsigned_abs();
        let sign = if self.millionths_bps < 0 { "-" } else { "" };
        let text = format!("{sign}{}.{:06}", size / 1_000_000, size % 1_000_000);
        f.write_str(text.trim_end_matches('0').trim_end_matches('.'))
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

    #[test]
    fn fees_out_of_range_or_finer_than_a_millionth_are_refused() {
        for text in [
            "",
            "x",
            "1001",
            "-1000.1",
            "0.0000001",
            "1e2",
            "--1",
            "99999999999999999999999",
        ] {
            assert!(Fee::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_fee_is_shown_as_people_write_it() {
        for text in ["0", "60", "9.5", "-1", "0.000001"] {
            assert_eq!(Fee::parse(text).unwrap().to_string(), text);
        }
    }
}
