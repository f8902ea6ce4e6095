//! Segments of a recording.

use std::ops::Range;

use ndarray::{ArrayView2, Axis, Slice};

/// The samples `range` of every channel, without a copy; what lies past the end is left out.
///
/// `x`: `(n_channels, n_samples)`. Returns `(n_channels, range.len())` or less.
pub fn cut<T>(x: ArrayView2<'_, T>, range: Range<usize>) -> ArrayView2<'_, T> {
    let end = range.end.min(x.ncols());
    let start = range.start.min(end);
    x.slice_axis_move(Axis(1), Slice::from(start..end))
}
