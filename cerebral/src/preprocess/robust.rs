//! Figures that a few wild samples do not move.

use ndarray::ArrayView1;

/// The median absolute value of Gaussian noise, times this, is its standard deviation.
const GAUSSIAN: f64 = 1.4826;

/// The middle value (the upper of two), reordering `values`; 0 of none.
pub(super) fn median(values: &mut [f64]) -> f64 {
    let middle = values.len() / 2;
    if values.is_empty() {
        return 0.0;
    }
    *values.select_nth_unstable_by(middle, f64::total_cmp).1
}

/// The spread about 0 of a signal without offset, as a standard deviation would be without its outliers.
pub(super) fn scale(signal: ArrayView1<'_, f64>) -> f64 {
    let mut sizes: Vec<f64> = signal.iter().map(|value| value.abs()).collect();
    GAUSSIAN * median(&mut sizes)
}
