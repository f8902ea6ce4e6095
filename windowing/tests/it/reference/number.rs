//! Exact numbers: decimals as fractions of whole numbers, and the two roundings of section 6.
//!
//! In: decimal texts. Out: fractions, and texts of a fixed number of decimals. Absent: `f64`, but for the last step of a
//! figure on its way into JSON.

use num_rational::BigRational;

/// A decimal as it was written, and the number it stands for.
#[derive(Debug, Clone)]
pub(crate) struct Amount {
    /// As received.
    pub(crate) text: String,
    /// Exactly that number.
    pub(crate) value: BigRational,
}

impl Amount {
    /// Reads `digits[.digits]`, which the caller knows it to be.
    pub(crate) fn of(text: String) -> Self {
        let value = fraction(&text);
        Self { text, value }
    }
}

/// The number behind `[-]digits[.digits]`.
pub(crate) fn fraction(text: &str) -> BigRational {
    let (whole, decimals) = text.split_once('.').unwrap_or((text, ""));
    let zeros = "0".repeat(decimals.len());
    format!("{whole}{decimals}/1{zeros}")
        .parse()
        .expect("digits over a power of ten are a fraction")
}

/// A whole number as a fraction.
pub(crate) fn whole(number: i64) -> BigRational {
    fraction(&number.to_string())
}

/// The nearest multiple of `10^-decimals`, of two equally near ones the one whose last digit is even.
pub(crate) fn round_half_even(value: &BigRational, decimals: usize) -> BigRational {
    let scale = fraction(&format!("1{}", "0".repeat(decimals)));
    let scaled = value * &scale;
    let below = scaled.floor();
    let above = &below + whole(1);
    let to_below = &scaled - &below;
    let to_above = &above - &scaled;
    let below_is_even = (&below / whole(2)).is_integer();
    let nearest = if to_below < to_above || (to_below == to_above && below_is_even) {
        below
    } else {
        above
    };
    nearest / scale
}

/// The text of a multiple of `10^-decimals` with exactly that many decimals.
pub(crate) fn fixed(value: &BigRational, decimals: usize) -> String {
    let scaled = value * fraction(&format!("1{}", "0".repeat(decimals)));
    assert!(
        scaled.is_integer(),
        "{value} has more than {decimals} decimals"
    );
    let text = scaled.to_integer().to_string();
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => ("-", digits),
        None => ("", text.as_str()),
    };
    let digits = format!("{digits:0>width$}", width = decimals + 1);
    let (whole, rest) = digits.split_at(digits.len() - decimals);
    format!("{sign}{whole}.{rest}")
}

/// A figure of six decimals as JSON writes the nearest `f64`; a whole zero has no sign, so `-0.0` cannot come out.
pub(crate) fn figure_json(rounded: &BigRational) -> String {
    let nearest: f64 = fixed(rounded, 6)
        .parse()
        .expect("a fixed decimal is a number");
    serde_json::to_string(&nearest).expect("a number is JSON")
}

#[test]
fn halves_go_to_the_even_neighbour_on_both_sides_of_zero() {
    for (value, rounded) in [
        ("0.0000005", "0.000000"),
        ("0.0000015", "0.000002"),
        ("0.0000025", "0.000002"),
        ("0.00000250000001", "0.000003"),
        ("-0.0000005", "0.000000"),
        ("-0.0000015", "-0.000002"),
        ("-0.0000025", "-0.000002"),
        ("-0.0000026", "-0.000003"),
        ("12.3456785", "12.345678"),
        ("-0.9999996", "-1.000000"),
    ] {
        assert_eq!(
            fixed(&round_half_even(&fraction(value), 6), 6),
            rounded,
            "{value}"
        );
    }
    assert_eq!(
        figure_json(&round_half_even(&fraction("-0.0000004"), 6)),
        "0.0"
    );
}
