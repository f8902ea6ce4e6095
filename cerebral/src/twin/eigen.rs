//! Eigenvalues of small real matrices, without the cases in which a plain QR iteration never ends.

use nalgebra::{DMatrix, Schur};
use ndarray::ArrayView2;
use num_complex::Complex64;

use crate::twin::error::TwinError;

/// All eigenvalues of a square matrix, in no order.
///
/// # Errors
/// [`TwinError::Singular`] where the iteration does not end, and for entries that are not finite.
pub(crate) fn eigenvalues(matrix: ArrayView2<'_, f64>) -> Result<Vec<Complex64>, TwinError> {
    let n = matrix.nrows();
    let failed = TwinError::Singular {
        what: "matrix whose eigenvalues are asked for",
    };
    // `max` passes over NaN, so this is asked of each entry.
    if matrix.iter().any(|value| !value.is_finite()) {
        return Err(failed);
    }
    let size = matrix
        .iter()
        .fold(0.0_f64, |most, value| most.max(value.abs()));
    if size <= 0.0 {
        return Ok(vec![Complex64::default(); n]);
    }
    let matrix = DMatrix::from_fn(n, n, |i, j| matrix[[i, j]]);
    if matrix.relative_eq(&matrix.transpose(), f64::EPSILON, f64::EPSILON) {
        return Ok(matrix
            .symmetric_eigenvalues()
            .iter()
            .map(|e| Complex64::from(*e))
            .collect());
    }
    // Deflation compares with the diagonal: where many eigenvalues are 0, as in networks of equals, it never happens
    // unless all of them are moved away from 0 first.
    let shift = size * crate::number::float(n);
    let moved = &matrix + DMatrix::identity(n, n) * shift;
    let schur = Schur::try_new(moved, f64::EPSILON, 1000 * n).ok_or(failed)?;
    let eigenvalues = schur.complex_eigenvalues();
    Ok(eigenvalues
        .iter()
        .map(|e| Complex64::new(e.re - shift, e.im))
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::Array2;

    #[test]
    fn networks_of_equals_and_rings_have_their_known_eigenvalues() {
        let n = 50;
        let all = Array2::from_shape_fn((n, n), |(i, j)| if i == j { 0.0 } else { 0.08 });
        let largest = |matrix: &Array2<f64>| {
            eigenvalues(matrix.view())
                .unwrap()
                .iter()
                .map(|e| e.re)
                .fold(f64::NEG_INFINITY, f64::max)
        };
        assert!((largest(&all) - 0.08 * 49.0).abs() < 1e-10);
        // A directed star has no other eigenvalue than 0, and a directed ring the roots of 1.
        let star = Array2::from_shape_fn((n, n), |(i, j)| if j == 0 && i > 0 { 1.0 } else { 0.0 });
        assert!(
            eigenvalues(star.view())
                .unwrap()
                .iter()
                .all(|e| e.norm() < 1e-6)
        );
        let ring = Array2::from_shape_fn((8, 8), |(i, j)| if (i + 1) % 8 == j { 1.0 } else { 0.0 });
        assert!(
            eigenvalues(ring.view())
                .unwrap()
                .iter()
                .all(|e| (e.norm() - 1.0).abs() < 1e-9)
        );
        assert!(eigenvalues(Array2::from_elem((2, 2), f64::NAN).view()).is_err());
    }
}
