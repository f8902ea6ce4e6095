//! Twin against recording, and recording from twin: signals of phases, and how alike two sets of figures are.

use ndarray::{Array2, ArrayView2, Axis};
use num_complex::Complex64;

use crate::twin::error::{TwinError, same_size};
use crate::twin::number::float;
use crate::twin::order::mean;

/// Signals of phases: `amplitude_i cos(theta_i) + noise`.
///
/// `theta`: rad, `(n, n_samples)`; `amplitude`: `(n)` in the unit wanted; `noise`: the same unit, `(n, n_samples)`, if any.
///
/// # Errors
/// [`TwinError::Shape`] where sizes differ.
pub fn signals(
    theta: ArrayView2<'_, f64>,
    amplitude: &[f64],
    noise: Option<ArrayView2<'_, f64>>,
) -> Result<Array2<f64>, TwinError> {
    same_size("amplitudes", theta.nrows(), amplitude.len())?;
    let mut out = theta.mapv(f64::cos);
    out.outer_iter_mut()
        .zip(amplitude)
        .for_each(|(mut row, amplitude)| row *= *amplitude);
    if let Some(noise) = noise {
        same_size("rows of the noise", theta.nrows(), noise.nrows())?;
        same_size("samples of the noise", theta.ncols(), noise.ncols())?;
        out += &noise;
    }
    Ok(out)
}

/// Phase lag index of phases: `|mean sign(sin(theta_i - theta_j))|`, `[0, 1]`, shape `(n, n)`, zero diagonal.
///
/// Of a twin's phases, which have no amplitude and no zero-lag mixture; for signals use `connectivity`.
pub fn phase_lag_index(theta: ArrayView2<'_, f64>) -> Array2<f64> {
    let (n, samples) = theta.dim();
    // A sine of a difference from sines and cosines: two a phase, and none a pair.
    let (sin, cos) = (theta.mapv(f64::sin), theta.mapv(f64::cos));
    let mut out = Array2::zeros((n, n));
    for i in 0..n {
        for j in 0..i {
            let signs = (0..samples).map(|t| {
                let sin = sin[[i, t]] * cos[[j, t]] - cos[[i, t]] * sin[[j, t]];
                if sin > 0.0 {
                    1.0
                } else if sin < 0.0 {
                    -1.0
                } else {
                    0.0
                }
            });
            out[[i, j]] = (signs.sum::<f64>() / float(samples)).abs();
            out[[j, i]] = out[[i, j]];
        }
    }
    out
}

/// Mean phase differences `theta_i - theta_j` as `mean exp(i (theta_i - theta_j))`: argument the difference (rad, above 0
/// where i leads), modulus the phase locking value.
pub fn phase_relations(theta: ArrayView2<'_, f64>) -> Array2<Complex64> {
    let n = theta.nrows();
    let samples = float(theta.ncols());
    let unit = theta.mapv(Complex64::cis);
    Array2::from_shape_fn((n, n), |(i, j)| {
        unit.row(i)
            .iter()
            .zip(unit.row(j))
            .map(|(a, b)| a * b.conj())
            .sum::<Complex64>()
            / samples
    })
}

/// How alike two sets of figures are.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Agreement {
    /// Pearson's correlation; NaN where one of them does not vary.
    pub correlation: f64,
    /// Mean absolute difference, in the figures' unit.
    pub mean_absolute_error: f64,
}

/// Agreement of two lists of the same things.
///
/// # Errors
/// [`TwinError::Shape`] where the lengths differ.
pub fn agreement(found: &[f64], expected: &[f64]) -> Result<Agreement, TwinError> {
    same_size("figures to compare", expected.len(), found.len())?;
    let (a, b) = (mean(found), mean(expected));
    let pairs = || found.iter().zip(expected);
    let product: f64 = pairs().map(|(x, y)| (x - a) * (y - b)).sum();
    let squares =
        |values: &[f64], mean: f64| values.iter().map(|x| (x - mean).powi(2)).sum::<f64>();
    let errors: Vec<f64> = pairs().map(|(x, y)| (x - y).abs()).collect();
    let scale = (squares(found, a) * squares(expected, b)).sqrt();
    let correlation = if scale > 0.0 {
        product / scale
    } else {
        f64::NAN
    };
    Ok(Agreement {
        correlation,
        mean_absolute_error: mean(&errors),
    })
}

/// Agreement of the entries off the diagonals of two square matrices (PLI or wPLI patterns, couplings), pairs with a NaN left
/// out.
///
/// # Errors
/// [`TwinError::Shape`] where the shapes differ.
pub fn matrix_agreement(
    found: ArrayView2<'_, f64>,
    expected: ArrayView2<'_, f64>,
) -> Result<Agreement, TwinError> {
    same_size(
        "rows of a matrix to compare",
        expected.nrows(),
        found.nrows(),
    )?;
    same_size(
        "columns of a matrix to compare",
        expected.ncols(),
        found.ncols(),
    )?;
    let pairs = found
        .indexed_iter()
        .zip(expected)
        .filter(|(((i, j), a), b)| i != j && !a.is_nan() && !b.is_nan());
    let (found, expected): (Vec<f64>, Vec<f64>) = pairs.map(|((_, a), b)| (*a, *b)).unzip();
    agreement(&found, &expected)
}

/// Agreement of phase relations, weighted by how firm both are: 1 where every pair has the same difference, 0 where the
/// differences have nothing to do with each other, -1 where all are opposite.
///
/// # Errors
/// [`TwinError::Shape`] where the shapes differ.
pub fn phase_agreement(
    found: ArrayView2<'_, Complex64>,
    expected: ArrayView2<'_, Complex64>,
) -> Result<f64, TwinError> {
    same_size(
        "rows of a matrix to compare",
        expected.nrows(),
        found.nrows(),
    )?;
    same_size(
        "columns of a matrix to compare",
        expected.ncols(),
        found.ncols(),
    )?;
    let (mut sum, mut weight) = (0.0, 0.0);
    for (((i, j), a), b) in found.indexed_iter().zip(expected) {
        if i != j {
            sum += (a * b.conj()).re;
            weight += a.norm() * b.norm();
        }
    }
    Ok(sum / weight)
}

/// Agreement of two power spectra, `(n, n_frequencies)`, channel by channel in decibels within the frequencies given.
///
/// # Errors
/// [`TwinError::Shape`] where the shapes differ.
pub fn spectrum_agreement(
    found: ArrayView2<'_, f64>,
    expected: ArrayView2<'_, f64>,
    frequency_hz: &[f64],
    within_hz: [f64; 2],
) -> Result<Vec<Agreement>, TwinError> {
    same_size("channels of the spectra", expected.nrows(), found.nrows())?;
    same_size(
        "frequencies of the spectra",
        frequency_hz.len(),
        expected.ncols(),
    )?;
    same_size(
        "frequencies of the spectra",
        frequency_hz.len(),
        found.ncols(),
    )?;
    let decibel = |row: ndarray::ArrayView1<'_, f64>| -> Vec<f64> {
        let inside = |hz: f64| (within_hz[0]..=within_hz[1]).contains(&hz);
        let kept = row.iter().zip(frequency_hz).filter(|(_, hz)| inside(**hz));
        kept.map(|(power, _)| 10.0 * power.max(f64::MIN_POSITIVE).log10())
            .collect()
    };
    let rows = found.axis_iter(Axis(0)).zip(expected.axis_iter(Axis(0)));
    rows.map(|(a, b)| agreement(&decibel(a), &decibel(b)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_constant_lag_scores_one_and_a_copy_zero() {
        let theta = Array2::from_shape_fn((3, 100), |(i, t)| 0.3 * float(t) - [0.0, 0.4, 0.0][i]);
        let pli = phase_lag_index(theta.view());
        assert!((pli[[0, 1]] - 1.0).abs() < 1e-15 && pli[[0, 2]].abs() < 1e-15);
        let relation = phase_relations(theta.view())[[0, 1]];
        assert!((relation.arg() - 0.4).abs() < 1e-12 && (relation.norm() - 1.0).abs() < 1e-12);
        let same = phase_relations(theta.view());
        assert!((phase_agreement(same.view(), same.view()).unwrap() - 1.0).abs() < 1e-12);
    }

    #[test]
    fn agreement_is_what_it_says() {
        let perfect = agreement(&[1.0, 2.0, 3.0], &[3.0, 5.0, 7.0]).unwrap();
        assert!((perfect.correlation - 1.0).abs() < 1e-12);
        assert!((perfect.mean_absolute_error - 3.0).abs() < 1e-12);
        assert!(
            agreement(&[1.0, 1.0], &[1.0, 2.0])
                .unwrap()
                .correlation
                .is_nan()
        );
        assert!(agreement(&[1.0], &[1.0, 2.0]).is_err());
        let diagonal = Array2::from_shape_fn((2, 2), |(i, j)| if i == j { 9.0 } else { float(i) });
        let other =
            Array2::from_shape_fn((2, 2), |(i, j)| if i == j { 0.0 } else { float(i) + 1.0 });
        let matrices = matrix_agreement(diagonal.view(), other.view()).unwrap();
        assert!((matrices.mean_absolute_error - 1.0).abs() < 1e-12);
    }

    #[test]
    fn signals_are_cosines_of_the_given_size() {
        let theta = Array2::from_shape_vec((1, 2), vec![0.0, std::f64::consts::PI]).unwrap();
        let out = signals(theta.view(), &[20.0], None).unwrap();
        assert!((out[[0, 0]] - 20.0).abs() < 1e-12 && (out[[0, 1]] + 20.0).abs() < 1e-12);
        assert!(signals(theta.view(), &[], None).is_err());
    }
}
