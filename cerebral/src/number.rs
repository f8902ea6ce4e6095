//! Conversions between counts and floats, each with its range stated once.

/// A count as a float; exact below 2^53, which no count of samples reaches.
#[expect(
    clippy::as_conversions,
    reason = "counts of samples and pairs are far below 2^53"
)]
pub(crate) fn float(count: usize) -> f64 {
    count as f64
}

/// `seconds * rate`, rounded to whole samples. Negative and NaN give 0.
#[expect(
    clippy::as_conversions,
    reason = "saturates at the ends, and NaN gives 0: both are refused by whoever asks for that many samples"
)]
pub(crate) fn samples(seconds: f64, rate_hz: f64) -> usize {
    (seconds * rate_hz).round() as usize
}

/// The nearest 32-bit float, for arithmetic whose rounding is bounded and checked.
#[inline(always)]
#[expect(
    clippy::as_conversions,
    reason = "rounding to 24 bits is what is asked for"
)]
pub(crate) fn single(value: f64) -> f32 {
    value as f32
}

/// Seconds as nanoseconds, rounded; held at the ends of 64 bits.
pub(crate) fn nanoseconds(seconds: f64) -> i64 {
    let rounded = (seconds * 1e9).round();
    #[expect(
        clippy::as_conversions,
        reason = "a cast of a float saturates, and NaN becomes 0, which no window has"
    )]
    let ns = rounded as i64;
    ns
}

/// The nearest whole number; `None` beyond 32 bits and for NaN.
#[expect(
    clippy::as_conversions,
    reason = "the range has been checked on the line above"
)]
pub(crate) fn nearest(value: f64) -> Option<i32> {
    let value = value.round();
    (f64::from(i32::MIN)..=f64::from(i32::MAX))
        .contains(&value)
        .then_some(value as i32)
}
