//! Means and straight lines taken out of each channel.

use ndarray::ArrayViewMut2;

use crate::number::float;

/// Takes each channel's mean away. `x`: `(n_channels, n_samples)`, any unit.
///
/// A channel without variation becomes exactly 0, so that rounding in the mean leaves no signal behind.
pub fn remove_mean(mut x: ArrayViewMut2<'_, f64>) {
    for mut row in x.rows_mut() {
        let first = row.first().copied().unwrap_or_default();
        if row.iter().all(|value| value.total_cmp(&first).is_eq()) && first.is_finite() {
            row.fill(0.0);
            continue;
        }
        let mean = row.sum() / float(row.len());
        row.mapv_inplace(|value| value - mean);
    }
}

/// Takes each channel's least-squares line away. `x`: `(n_channels, n_samples)`, any unit.
///
/// A jump between the two ends of a segment wraps round in the Fourier series, so surrogates of an undetrended segment carry
/// a step that the data do not have.
pub fn remove_trend(mut x: ArrayViewMut2<'_, f64>) {
    for mut row in x.rows_mut() {
        let n = row.len();
        let mean = row.sum() / float(n.max(1));
        // Times are centred, so slope and mean do not depend on each other.
        let middle = (float(n) - 1.0) / 2.0;
        let (mut product, mut square) = (0.0, 0.0);
        for (index, value) in row.iter().enumerate() {
            let time = float(index) - middle;
            product += time * (value - mean);
            square += time * time;
        }
        let slope = if square > 0.0 { product / square } else { 0.0 };
        for (index, value) in row.iter_mut().enumerate() {
            *value -= mean + slope * (float(index) - middle);
        }
    }
}

#[cfg(test)]
mod tests {
    use ndarray::array;

    use super::*;

    #[test]
    fn a_line_leaves_nothing_and_what_is_orthogonal_to_lines_stays() {
        let mut x = array![[1.0, 3.0, 5.0, 7.0], [1.0, -1.0, -1.0, 1.0]];
        remove_trend(x.view_mut());
        for (value, expected) in x.iter().zip([0.0, 0.0, 0.0, 0.0, 1.0, -1.0, -1.0, 1.0]) {
            assert!((value - expected).abs() < 1e-14);
        }
    }

    #[test]
    fn a_railed_channel_is_exactly_zero_without_its_mean() {
        let mut x = ndarray::Array2::from_elem((1, 997), 187_500.022_351_7);
        remove_mean(x.view_mut());
        assert!(x.iter().all(|value| value.total_cmp(&0.0).is_eq()));
    }

    #[test]
    fn nothing_is_made_of_nothing() {
        let mut x = ndarray::Array2::<f64>::zeros((2, 0));
        remove_mean(x.view_mut());
        remove_trend(x.view_mut());
        let mut one = array![[5.0]];
        remove_trend(one.view_mut());
        assert!(one[[0, 0]].abs() < 1e-15);
    }
}
