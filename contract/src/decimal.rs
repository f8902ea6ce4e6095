//! Exact decimals: `digits[.digits]`, kept as they were received and compared as the numbers they are.
//!
//! In: text from a venue or a topic. Out: the same text, and the number behind it as an integer over a power of ten.
//! Absent on purpose: signs, exponents, rounding and `f64`; statistics begin elsewhere.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::fmt;

use num_bigint::BigUint;
use serde::de::{self, Deserialize, Deserializer, Visitor};
use serde::{Serialize, Serializer};

/// Longest text taken for a decimal, in characters; a bound on work, far beyond what any venue sends.
pub const MAX_CHARS: usize = 1_000;

/// Digits that fit the inline form whatever they are.
const INLINE_DIGITS: usize = 19;

/// Why a text is not a decimal.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DecimalError {
    /// Not `digits[.digits]`; carries the text as sent, cut to a readable length.
    #[error("`{0}` is not a decimal of the form digits[.digits]")]
    Shape(String),
    /// Longer than [`MAX_CHARS`].
    #[error("a decimal of {0} characters is longer than {MAX_CHARS}")]
    TooLong(usize),
    /// A price of zero.
    #[error("price `{0}` is not above zero")]
    NotPositive(String),
}

/// A non-negative decimal number together with the way it was written.
///
/// `==` compares the writing (`"1.50" != "1.5"`); [`Decimal::cmp_value`] compares the numbers.
/// Up to 19 digits are held inline, so that a quote costs no allocation.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Decimal(Repr);

#[derive(Clone, PartialEq, Eq, Hash)]
enum Repr {
    /// `digits` written with `whole` digits before the point and `scale` after it.
    Inline { digits: u64, whole: u8, scale: u8 },
    /// Anything longer.
    Boxed(Box<Long>),
}

#[derive(Clone, PartialEq, Eq, Hash)]
struct Long {
    text: Box<str>,
    digits: BigUint,
    scale: u32,
}

impl Decimal {
    /// Reads `digits[.digits]`.
    ///
    /// # Errors
    /// [`DecimalError::Shape`] for anything else (signs, exponents, `.5`, `5.`, the empty text), and
    /// [`DecimalError::TooLong`] above [`MAX_CHARS`] characters.
    pub fn parse(text: &str) -> Result<Self, DecimalError> {
        let bytes = text.as_bytes();
        if bytes.len() > MAX_CHARS {
            return Err(DecimalError::TooLong(bytes.len()));
        }
        let mut digits: u64 = 0;
        let mut point = None;
        for (at, &byte) in bytes.iter().enumerate() {
            match byte {
                // Wraps only beyond 19 digits, where the value is read again below.
                b'0'..=b'9' => {
                    digits = digits.wrapping_mul(10).wrapping_add(u64::from(byte - b'0'))
                }
                b'.' if point.is_none() => point = Some(at),
                _ => return Err(shape(text)),
            }
        }
        let (whole, scale) = match point {
            None => (bytes.len(), 0),
            Some(at) => (at, bytes.len() - at - 1),
        };
        if whole == 0 || (point.is_some() && scale == 0) {
            return Err(shape(text));
        }
        if whole + scale <= INLINE_DIGITS
            && let (Ok(whole), Ok(scale)) = (u8::try_from(whole), u8::try_from(scale))
        {
            return Ok(Self(Repr::Inline {
                digits,
                whole,
                scale,
            }));
        }
        let plain: Vec<u8> = bytes.iter().copied().filter(u8::is_ascii_digit).collect();
        let digits = BigUint::parse_bytes(&plain, 10).ok_or_else(|| shape(text))?;
        let scale = u32::try_from(scale).map_err(|_| DecimalError::TooLong(scale))?;
        Ok(Self(Repr::Boxed(Box::new(Long {
            text: text.into(),
            digits,
            scale,
        }))))
    }

    /// The number as `digits / 10^scale` where the digits fit 64 bits, as written (trailing zeros included).
    #[must_use]
    pub fn inline(&self) -> Option<(u64, u8)> {
        match self.0 {
            Repr::Inline { digits, scale, .. } => Some((digits, scale)),
            Repr::Boxed(_) => None,
        }
    }

    /// The number as `digits / 10^scale`, whatever its length.
    #[must_use]
    pub fn parts(&self) -> (BigUint, u32) {
        match &self.0 {
            Repr::Inline { digits, scale, .. } => (BigUint::from(*digits), u32::from(*scale)),
            Repr::Boxed(long) => (long.digits.clone(), long.scale),
        }
    }

    /// Whether the number is zero, however it is written.
    #[must_use]
    pub fn is_zero(&self) -> bool {
        match &self.0 {
            Repr::Inline { digits, .. } => *digits == 0,
            Repr::Boxed(long) => long.digits == BigUint::ZERO,
        }
    }

    /// Compares the numbers, not their writing: `1.50` equals `1.5`.
    #[must_use]
    pub fn cmp_value(&self, other: &Self) -> Ordering {
        if let (Some((a, a_scale)), Some((b, b_scale))) = (self.inline(), other.inline()) {
            if a_scale == b_scale {
                return a.cmp(&b);
            }
            let common = a_scale.max(b_scale);
            // 19 digits times 10^19 stay below 2^127.
            return widen(a, common - a_scale).cmp(&widen(b, common - b_scale));
        }
        let ((a, a_scale), (b, b_scale)) = (self.parts(), other.parts());
        let common = a_scale.max(b_scale);
        let ten = BigUint::from(10_u8);
        (a * ten.pow(common - a_scale)).cmp(&(b * ten.pow(common - b_scale)))
    }
}

fn widen(digits: u64, by: u8) -> u128 {
    u128::from(digits) * 10_u128.pow(u32::from(by))
}

fn shape(text: &str) -> DecimalError {
    const SHOWN: usize = 60;
    if text.chars().count() <= SHOWN {
        DecimalError::Shape(text.to_owned())
    } else {
        DecimalError::Shape(text.chars().take(SHOWN).chain("...".chars()).collect())
    }
}

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Repr::Boxed(long) => f.write_str(&long.text),
            Repr::Inline {
                digits,
                whole,
                scale,
            } => {
                let mut buffer = [b'0'; INLINE_DIGITS + 1];
                f.write_str(write_inline(&mut buffer, *digits, *whole, *scale))
            }
        }
    }
}

/// Writes the digits from the back, the point where it stood.
fn write_inline(
    buffer: &mut [u8; INLINE_DIGITS + 1],
    mut digits: u64,
    whole: u8,
    scale: u8,
) -> &str {
    let point = usize::from(whole);
    let length = if scale == 0 {
        point
    } else {
        point + 1 + usize::from(scale)
    };
    for at in (0..length).rev() {
        if scale != 0 && at == point {
            buffer[at] = b'.';
        } else {
            buffer[at] = b'0' + u8::try_from(digits % 10).expect("a remainder of ten fits a byte");
            digits /= 10;
        }
    }
    std::str::from_utf8(&buffer[..length]).expect("digits and a point are ASCII")
}

impl fmt::Debug for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl Serialize for Decimal {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match &self.0 {
            Repr::Boxed(long) => serializer.serialize_str(&long.text),
            Repr::Inline {
                digits,
                whole,
                scale,
            } => {
                let mut buffer = [b'0'; INLINE_DIGITS + 1];
                serializer.serialize_str(write_inline(&mut buffer, *digits, *whole, *scale))
            }
        }
    }
}

impl<'de> Deserialize<'de> for Decimal {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;
        impl Visitor<'_> for Text {
            type Value = Decimal;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a decimal as a string, digits[.digits]")
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<Decimal, E> {
                Decimal::parse(text).map_err(E::custom)
            }
        }
        deserializer.deserialize_str(Text)
    }
}

/// A decimal above zero.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize)]
#[serde(transparent)]
pub struct Price(Decimal);

impl Price {
    /// Reads `digits[.digits]` above zero.
    ///
    /// # Errors
    /// As [`Decimal::parse`], and [`DecimalError::NotPositive`] for zero.
    #[inline]
    pub fn parse(text: &str) -> Result<Self, DecimalError> {
        let value = Decimal::parse(text)?;
        if value.is_zero() {
            return Err(DecimalError::NotPositive(text.to_owned()));
        }
        Ok(Self(value))
    }

    /// The decimal.
    #[must_use]
    pub fn decimal(&self) -> &Decimal {
        &self.0
    }
}

impl fmt::Display for Price {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl<'de> Deserialize<'de> for Price {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Decimal::deserialize(deserializer)?;
        if value.is_zero() {
            return Err(de::Error::custom(DecimalError::NotPositive(
                value.to_string(),
            )));
        }
        Ok(Self(value))
    }
}

/// A text that borrows from the record it was read from where it can.
pub type Text<'a> = Cow<'a, str>;

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_was_received_is_what_is_written() {
        for text in [
            "0",
            "7",
            "007.50",
            "61700.01000000",
            "0.00000001",
            "12345678901234567890123456789.000",
        ] {
            assert_eq!(Decimal::parse(text).unwrap().to_string(), text);
            assert_eq!(
                serde_json::to_string(&Decimal::parse(text).unwrap()).unwrap(),
                format!("\"{text}\"")
            );
        }
    }

    #[test]
    fn anything_but_digits_and_one_point_between_them_is_refused() {
        for text in [
            "", ".", ".5", "5.", "-1", "+1", "1e5", "1,5", " 1", "1 ", "1.2.3", "٣", "NaN", "0x10",
            "1_000",
        ] {
            assert!(
                matches!(Decimal::parse(text), Err(DecimalError::Shape(_))),
                "{text:?}"
            );
        }
        assert!(matches!(
            Decimal::parse(&"1".repeat(MAX_CHARS + 1)),
            Err(DecimalError::TooLong(_))
        ));
    }

    #[test]
    fn a_price_is_above_zero() {
        assert!(Price::parse("0.00").is_err());
        assert!(Price::parse("0.000000000000000000000000000").is_err());
        assert!(Price::parse("0.000000000000000000000000001").is_ok());
        assert!(serde_json::from_str::<Price>("\"0\"").is_err());
        assert!(
            serde_json::from_str::<Price>("1.5").is_err(),
            "a JSON number is not the contract's decimal"
        );
    }

    #[test]
    fn a_decimal_stays_within_sixteen_bytes() {
        assert!(size_of::<Decimal>() <= 16);
        assert!(size_of::<Option<Decimal>>() <= 16);
    }

    proptest! {
        #[test]
        fn the_writing_survives(text in "[0-9]{1,25}(\\.[0-9]{1,25})?") {
            prop_assert_eq!(Decimal::parse(&text).unwrap().to_string(), text);
        }

        #[test]
        fn order_is_that_of_the_numbers(a in "[0-9]{1,12}(\\.[0-9]{1,12})?", b in "[0-9]{1,22}(\\.[0-9]{1,12})?") {
            let value = |text: &str| -> BigUint {
                let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
                format!("{whole}{fraction:0<12}").parse().unwrap()
            };
            prop_assert_eq!(
                Decimal::parse(&a).unwrap().cmp_value(&Decimal::parse(&b).unwrap()),
                value(&a).cmp(&value(&b))
            );
        }
    }
}
