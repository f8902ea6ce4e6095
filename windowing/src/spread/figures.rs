//! Gross and net of a route, exact: integers over powers of ten, rounded once, at the end.
//!
//! ```text
//! gross_bps = ( bid_sell * rb / (ask_buy * ra) - 1 ) * 10^4
//! net_bps   = ( bid_sell * rb * (1 - f_sell) / (ask_buy * ra * (1 + f_buy)) - 1 ) * 10^4
//! ```
//!
//! Ordinary prices stay within 128 bits; longer ones take the slow way through big integers and give the same figures.

use contract::decimal::Decimal;
use num_bigint::{BigInt, BigUint};
use num_integer::Integer;
use num_traits::ToPrimitive;

use super::fee::Fee;

/// Basis points in millionths, rounded half to even.
///
/// The order of the variants is that of the figures: what does not fit 128 bits is larger than all that does, since no figure
/// lies below -10,000 bps.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum MicroBps {
    /// As any price of a sane length gives it.
    Fits(i128),
    /// Beyond 128 bits.
    Beyond(Box<BigInt>),
}

impl MicroBps {
    /// Whether the rounded figure is above zero.
    #[must_use]
    pub fn is_positive(&self) -> bool {
        *self > Self::Fits(0)
    }

    /// The nearest floating-point number: for figures below nine billion bps the one whose shortest writing is the rounded
    /// decimal. Never `-0.0`; infinite beyond what 64 bits hold.
    #[must_use]
    pub fn to_f64(&self) -> f64 {
        const EXACT: i128 = 1 << 53;
        let digits = match self {
            Self::Fits(millionths) => {
                if millionths.abs() < EXACT
                    && let Some(whole) = millionths.to_f64()
                {
                    return whole / 1e6;
                }
                millionths.to_string()
            }
            Self::Beyond(millionths) => millionths.to_string(),
        };
        format!("{digits}e-6")
            .parse()
            .expect("digits, a sign and an exponent are a number")
    }
}

/// A factor `digits / 10^scale` without trailing zeros, if its digits fit 64 bits.
#[derive(Debug, Clone, Copy)]
struct Small(u64, u32);

/// One side of the quotient: up to three factors.
#[derive(Debug, Clone, Copy)]
pub struct Side<'a> {
    /// The price, in the leg's currency.
    pub price: &'a Decimal,
    /// The rate to the accounting currency, if one is needed.
    pub rate: Option<&'a Decimal>,
}

/// Before fees: buying at `ask`, selling at `bid`.
#[must_use]
pub fn gross(ask: Side<'_>, bid: Side<'_>) -> MicroBps {
    quotient((ask, (1, 0)), (bid, (1, 0)))
}

/// After the taker's fees of both venues.
#[must_use]
pub fn net(ask: Side<'_>, buy_fee: Fee, bid: Side<'_>, sell_fee: Fee) -> MicroBps {
    quotient((ask, buy_fee.paid()), (bid, sell_fee.kept()))
}

type Weighted<'a> = (Side<'a>, (u64, u8));

fn quotient(cost: Weighted<'_>, gain: Weighted<'_>) -> MicroBps {
    in_128_bits(cost, gain).unwrap_or_else(|| in_full(cost, gain))
}

/// The figure, where every step fits 128 bits.
fn in_128_bits(cost: Weighted<'_>, gain: Weighted<'_>) -> Option<MicroBps> {
    let (mut cost, cost_scale) = product(cost)?;
    let (mut gain, gain_scale) = product(gain)?;
    if cost_scale >= gain_scale {
        gain = gain.checked_mul(10_i128.checked_pow(cost_scale - gain_scale)?)?;
    } else {
        cost = cost.checked_mul(10_i128.checked_pow(gain_scale - cost_scale)?)?;
    }
    let scaled = (gain - cost).checked_mul(10_i128.pow(10))?;
    let (floor, rest) = scaled.div_mod_floor(&cost);
    let up = match (rest.checked_mul(2)?).cmp(&cost) {
        std::cmp::Ordering::Less => false,
        std::cmp::Ordering::Equal => floor.is_odd(),
        std::cmp::Ordering::Greater => true,
    };
    Some(MicroBps::Fits(floor + i128::from(up)))
}

fn product((side, fee): Weighted<'_>) -> Option<(i128, u32)> {
    let Small(price, price_scale) = small(side.price)?;
    let mut digits = i128::from(price).checked_mul(i128::from(fee.0))?;
    let mut scale = price_scale + u32::from(fee.1);
    if let Some(rate) = side.rate {
        let Small(rate, rate_scale) = small(rate)?;
        digits = digits.checked_mul(i128::from(rate))?;
        scale += rate_scale;
    }
    Some((digits, scale))
}

fn small(decimal: &Decimal) -> Option<Small> {
    let (mut digits, scale) = decimal.inline()?;
    let mut scale = u32::from(scale);
    while scale > 0 && digits.is_multiple_of(10) {
        digits /= 10;
        scale -= 1;
    }
    Some(Small(digits, scale))
}

/// The same in big integers.
fn in_full(cost: Weighted<'_>, gain: Weighted<'_>) -> MicroBps {
    let full = |(side, fee): Weighted<'_>| -> (BigUint, u32) {
        let (mut digits, mut scale) = side.price.parts();
        digits *= fee.0;
        scale += u32::from(fee.1);
        if let Some(rate) = side.rate {
            let (rate, rate_scale) = rate.parts();
            digits *= rate;
            scale += rate_scale;
        }
        (digits, scale)
    };
    let ((mut cost, cost_scale), (mut gain, gain_scale)) = (full(cost), full(gain));
    let ten = BigUint::from(10_u8);
    if cost_scale >= gain_scale {
        gain *= ten.pow(cost_scale - gain_scale);
    } else {
        cost *= ten.pow(gain_scale - cost_scale);
    }
    let (cost, gain) = (BigInt::from(cost), BigInt::from(gain));
    let scaled = (gain - &cost) * 10_u64.pow(10);
    let (floor, rest) = scaled.div_mod_floor(&cost);
    let up = match (rest * 2_u8).cmp(&cost) {
        std::cmp::Ordering::Less => false,
        std::cmp::Ordering::Equal => floor.is_odd(),
        std::cmp::Ordering::Greater => true,
    };
    let rounded = floor + u8::from(up);
    match rounded.to_i128() {
        Some(millionths) => MicroBps::Fits(millionths),
        None => MicroBps::Beyond(Box::new(rounded)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn decimal(text: &str) -> Decimal {
        Decimal::parse(text).unwrap()
    }

    fn side<'a>(price: &'a Decimal, rate: Option<&'a Decimal>) -> Side<'a> {
        Side { price, rate }
    }

    #[test]
    fn the_three_prices_of_one_reply_differ_by_a_few_dollars_not_by_forty() {
        let (usd, usdt, rate) = (decimal("65086.18"), decimal("65127.01"), decimal("0.99932"));
        // Buy at 65,086.18 USD, sell at 65,127.01 USDT worth 65,082.723633 USD: 3.456 USD less.
        let figure = gross(side(&usd, None), side(&usdt, Some(&rate)));
        assert_eq!(figure, MicroBps::Fits(-531_045));
        let lost_usd = -figure.to_f64() / 1e4 * 65_086.18;
        assert!((lost_usd - 3.456).abs() < 0.001, "{lost_usd}");
    }

    #[test]
    fn fees_are_paid_on_both_sides() {
        let (ask, bid) = (decimal("100"), decimal("101"));
        let ten = Fee::parse("10").unwrap();
        assert_eq!(
            gross(side(&ask, None), side(&bid, None)),
            MicroBps::Fits(100_000_000)
        );
        // 101 * 0.999 / (100 * 1.001) - 1 = 0.0079820179...
        assert_eq!(
            net(side(&ask, None), ten, side(&bid, None), ten),
            MicroBps::Fits(79_820_180)
        );
    }

    #[test]
    fn halves_go_to_the_even_neighbour() {
        // (1 + x) / 1 - 1 = x: halves of a millionth of a basis point are exact here.
        let one = decimal("1");
        for (bid, expected) in [
            ("1.00000000005", 0),
            ("1.00000000015", 2),
            ("1.00000000025", 2),
            ("1.000000000250001", 3),
            ("0.99999999995", 0),
            ("0.99999999985", -2),
            ("0.99999999975", -2),
        ] {
            let bid = decimal(bid);
            assert_eq!(
                gross(side(&one, None), side(&bid, None)),
                MicroBps::Fits(expected),
                "{bid}"
            );
        }
    }

    #[test]
    #[expect(
        clippy::float_cmp,
        reason = "the nearest number is asked for, and its sign"
    )]
    fn figures_are_the_nearest_numbers_and_never_minus_zero() {
        assert_eq!(MicroBps::Fits(1_300_000).to_f64(), 1.3);
        assert_eq!(MicroBps::Fits(-68_600_000).to_f64(), -68.6);
        assert!(MicroBps::Fits(0).to_f64().is_sign_positive());
        assert_eq!(
            MicroBps::Fits(123_456_789_012_345_678_901).to_f64(),
            123_456_789_012_345.67
        );
        assert_eq!(
            serde_json::to_string(&MicroBps::Fits(1).to_f64()).unwrap(),
            "1e-6"
        );
    }

    #[test]
    #[expect(clippy::float_cmp, reason = "the nearest number is asked for")]
    fn absurd_quotients_are_exact_too() {
        let (one, huge) = (decimal("1"), decimal(&format!("1{}", "0".repeat(30))));
        let figure = gross(side(&one, None), side(&huge, None));
        assert_eq!(figure.to_f64(), 1e34);
        assert!(figure > MicroBps::Fits(i128::MAX) && figure.is_positive());
        let larger = decimal(&format!("2{}", "0".repeat(30)));
        assert!(gross(side(&one, None), side(&larger, None)) > figure);
        assert_eq!(
            gross(side(&huge, None), side(&one, None)),
            MicroBps::Fits(-(10_i128.pow(10)))
        );
    }

    proptest! {
        #[test]
        fn both_ways_give_the_same_figure(
            ask in "[1-9][0-9]{0,9}(\\.[0-9]{1,9})?", bid in "[1-9][0-9]{0,9}(\\.[0-9]{1,9})?",
            rate in proptest::option::of("0\\.[0-9]{0,7}[1-9]"), buy in "[0-9]{1,2}(\\.[0-9]{1,6})?", sell in "-?[0-9]{1,2}(\\.[0-9]{1,6})?",
        ) {
            let (ask, bid, rate) = (decimal(&ask), decimal(&bid), rate.as_deref().map(decimal));
            let cost = (side(&ask, None), Fee::parse(&buy).unwrap().paid());
            let gain = (side(&bid, rate.as_ref()), Fee::parse(&sell).unwrap().kept());
            if let Some(fast) = in_128_bits(cost, gain) {
                prop_assert_eq!(fast, in_full(cost, gain));
            }
        }
    }
}
