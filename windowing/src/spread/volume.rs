//! The volume-weighted mean price of a window's trades, exact until its one rounding.

use contract::decimal::Decimal;
use num_bigint::BigUint;
use num_integer::Integer;

/// Digits after the point of a mean.
const SCALE: u32 = 8;

/// A sum of non-negative decimals: `digits / 10^scale`.
#[derive(Debug, Clone)]
enum Sum {
    Small(u128, u32),
    Big(BigUint, u32),
}

impl Default for Sum {
    fn default() -> Self {
        Self::Small(0, 0)
    }
}

impl Sum {
    fn add(&mut self, digits: u128, scale: u32) {
        if let Self::Small(sum, sum_scale) = self
            && let Some((total, total_scale)) = add_small((*sum, *sum_scale), (digits, scale))
        {
            *self = Self::Small(total, total_scale);
            return;
        }
        self.add_big(BigUint::from(digits), scale);
    }

    fn add_big(&mut self, digits: BigUint, scale: u32) {
        let (sum, sum_scale) = self.parts();
        let common = sum_scale.max(scale);
        let ten = BigUint::from(10_u8);
        *self = Self::Big(
            sum * ten.pow(common - sum_scale) + digits * ten.pow(common - scale),
            common,
        );
    }

    fn parts(&self) -> (BigUint, u32) {
        match self {
            Self::Small(digits, scale) => (BigUint::from(*digits), *scale),
            Self::Big(digits, scale) => (digits.clone(), *scale),
        }
    }
}

fn add_small((a, a_scale): (u128, u32), (b, b_scale): (u128, u32)) -> Option<(u128, u32)> {
    let common = a_scale.max(b_scale);
    let lift = |digits: u128, scale: u32| digits.checked_mul(10_u128.checked_pow(common - scale)?);
    Some((lift(a, a_scale)?.checked_add(lift(b, b_scale)?)?, common))
}

/// What the trades of a window add up to.
#[derive(Debug, Clone, Default)]
pub struct Volume {
    value: Sum,
    size: Sum,
}

impl Volume {
    /// Adds a trade.
    pub fn add(&mut self, price: &Decimal, size: &Decimal) {
        match (price.inline(), size.inline()) {
            (Some((price, price_scale)), Some((size, size_scale))) => {
                let (price, price_scale) = reduced(price, price_scale);
                let (size, size_scale) = reduced(size, size_scale);
                self.value.add(
                    u128::from(price) * u128::from(size),
                    price_scale + size_scale,
                );
                self.size.add(u128::from(size), size_scale);
            }
            _ => {
                let ((price, price_scale), (size, size_scale)) = (price.parts(), size.parts());
                self.value.add_big(price * &size, price_scale + size_scale);
                self.size.add_big(size, size_scale);
            }
        }
    }

    /// The mean, to exactly eight decimals, rounded half to even; `None` without volume.
    #[must_use]
    pub fn mean(&self) -> Option<Decimal> {
        let ((value, value_scale), (size, size_scale)) = (self.value.parts(), self.size.parts());
        if size == BigUint::ZERO {
            return None;
        }
        let ten = BigUint::from(10_u8);
        let numerator = value * ten.pow(size_scale + SCALE);
        let denominator = size * ten.pow(value_scale);
        let (floor, rest) = numerator.div_rem(&denominator);
        let up = match (rest * 2_u8).cmp(&denominator) {
            std::cmp::Ordering::Less => false,
            std::cmp::Ordering::Equal => floor.is_odd(),
            std::cmp::Ordering::Greater => true,
        };
        let digits = (floor + u8::from(up)).to_string();
        let scale = usize::try_from(SCALE).unwrap_or_default();
        let padded = format!("{digits:0>width$}", width = scale + 1);
        let (whole, fraction) = padded.split_at(padded.len() - scale);
        // A mean of very long prices can outgrow what is read as a decimal; then there is no figure to show.
        Decimal::parse(&format!("{whole}.{fraction}")).ok()
    }
}

fn reduced(mut digits: u64, scale: u8) -> (u64, u32) {
    let mut scale = u32::from(scale);
    while scale > 0 && digits.is_multiple_of(10) {
        digits /= 10;
        scale -= 1;
    }
    (digits, scale)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mean(trades: &[(&str, &str)]) -> Option<String> {
        let mut volume = Volume::default();
        for (price, size) in trades {
            volume.add(
                &Decimal::parse(price).unwrap(),
                &Decimal::parse(size).unwrap(),
            );
        }
        volume.mean().map(|mean| mean.to_string())
    }

    #[test]
    fn larger_trades_weigh_more() {
        assert_eq!(
            mean(&[("100", "1"), ("103.0", "2.00")]).as_deref(),
            Some("102.00000000")
        );
        assert_eq!(mean(&[("0.5", "0.1")]).as_deref(), Some("0.50000000"));
    }

    #[test]
    fn the_mean_is_rounded_half_to_even_at_the_eighth_decimal() {
        assert_eq!(
            mean(&[("0.00000001", "1"), ("0.00000002", "1")]).as_deref(),
            Some("0.00000002")
        );
        assert_eq!(
            mean(&[("0.00000002", "1"), ("0.00000003", "1")]).as_deref(),
            Some("0.00000002")
        );
        assert_eq!(
            mean(&[("1", "2"), ("2", "1")]).as_deref(),
            Some("1.33333333")
        );
    }

    #[test]
    fn no_volume_has_no_mean() {
        assert_eq!(mean(&[]), None);
        assert_eq!(mean(&[("5", "0.00")]), None);
    }

    #[test]
    fn digits_beyond_128_bits_are_not_lost() {
        let long = format!("1.{}1", "0".repeat(60));
        assert_eq!(
            mean(&[(&long, &long), ("3", "1")]).as_deref(),
            Some("2.00000000")
        );
        let huge = "9".repeat(40);
        assert_eq!(
            mean(&[(&huge, "0.00000001")]),
            Some(format!("{huge}.00000000"))
        );
        assert_eq!(
            mean(&[("9999999999999999999", "9999999999999999999"); 3]).as_deref(),
            Some("9999999999999999999.00000000")
        );
    }

    #[test]
    fn order_does_not_matter() {
        let a = mean(&[
            ("61837.63", "0.02"),
            ("0.1234567890123456789", "3"),
            ("7", "0.0000001"),
        ]);
        let b = mean(&[
            ("7", "0.0000001"),
            ("0.1234567890123456789", "3"),
            ("61837.63", "0.02"),
        ]);
        assert_eq!(a, b);
    }
}
