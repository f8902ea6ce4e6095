//! Counts to numbers and back.

pub(crate) use crate::number::float;

/// The whole number at or below `value`; `None` below 0, from 2^32 on and for NaN.
#[expect(
    clippy::as_conversions,
    reason = "the range has been checked on the line above"
)]
pub(crate) fn whole(value: f64) -> Option<usize> {
    (0.0..4_294_967_296.0)
        .contains(&value)
        .then_some(value as usize)
}
