//! How synchronous a set of phases is, over time.

use ndarray::{ArrayView1, ArrayView2, Axis};
use num_complex::Complex64;

use crate::twin::number::float;

/// Kuramoto's order parameter of one instant: `mean exp(i theta)`; modulus in `[0, 1]`, argument the phase of the mean field.
///
/// `theta`: rad, shape `(n)`; NaN for no phase at all.
pub fn mean_field(theta: ArrayView1<'_, f64>) -> Complex64 {
    theta
        .iter()
        .map(|theta| Complex64::cis(*theta))
        .sum::<Complex64>()
        / float(theta.len())
}

/// `r(t) = |mean exp(i theta)|` for every column.
///
/// `theta`: rad, any wrapping, shape `(n_nodes, n_times)`. Returns `n_times` values in `[0, 1]`.
///
/// Source: key `kuramoto-1984`. Checked against equal phases (1) and phases spread evenly (0).
pub fn order_parameter(theta: ArrayView2<'_, f64>) -> Vec<f64> {
    theta
        .axis_iter(Axis(1))
        .map(|column| mean_field(column).norm())
        .collect()
}

/// Metastability: the standard deviation (divisor n, not the variance that some papers use) of the order parameter.
///
/// Source: key `shanahan-2010`, there as a variance. NaN for an empty slice.
pub fn metastability(order: &[f64]) -> f64 {
    let mean = mean(order);
    (order.iter().map(|r| (r - mean).powi(2)).sum::<f64>() / float(order.len())).sqrt()
}

/// Plain mean; NaN for an empty slice.
pub(crate) fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / float(values.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::Array2;

    #[test]
    fn equal_phases_are_in_order_and_even_ones_are_not() {
        let even = Array2::from_shape_fn((8, 3), |(i, t)| {
            std::f64::consts::TAU * float(i) / 8.0 + float(t)
        });
        assert!(order_parameter(even.view()).iter().all(|r| *r < 1e-15));
        let equal = Array2::from_elem((8, 3), 1.2);
        assert!(
            order_parameter(equal.view())
                .iter()
                .all(|r| (r - 1.0).abs() < 1e-15)
        );
        assert!((metastability(&[0.0, 1.0, 0.0, 1.0]) - 0.5).abs() < 1e-15);
    }
}
