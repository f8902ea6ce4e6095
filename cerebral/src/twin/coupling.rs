//! The coupling matrix `K_ij(t)`: constant, one matrix times a factor of time, or matrices linear in between.

use ndarray::Array2;

use crate::twin::error::{TwinError, in_range, same_size};

/// Coupling in rad/s; entry `[i, j]` is the action of node j on node i. The diagonal acts on nobody (`sin 0`) unless lags
/// are set, and is ignored then.
#[derive(Debug, Clone, PartialEq)]
pub enum Coupling {
    /// `K`.
    Constant(Array2<f64>),
    /// `K g(t)` with `g` linear between its knots and constant outside of them.
    Scaled {
        /// `K`.
        matrix: Array2<f64>,
        /// Knots in seconds, rising.
        t_s: Vec<f64>,
        /// `g` at the knots, no unit.
        factor: Vec<f64>,
    },
    /// One matrix per knot, linear in between, constant outside.
    Piecewise {
        /// Knots in seconds, rising.
        t_s: Vec<f64>,
        /// The matrices at the knots.
        matrices: Vec<Array2<f64>>,
    },
}

/// A weighted sum of at most two of the matrices: the coupling at one instant.
pub(crate) type Blend = [(usize, f64); 2];

impl Coupling {
    /// The matrices among which [`Coupling::blend_at`] chooses.
    pub(crate) fn matrices(&self) -> &[Array2<f64>] {
        match self {
            Self::Constant(matrix) | Self::Scaled { matrix, .. } => std::slice::from_ref(matrix),
            Self::Piecewise { matrices, .. } => matrices,
        }
    }

    /// Which matrices with which weights make the coupling at `t_s`; a weight 0 means "not this one".
    pub(crate) fn blend_at(&self, at_s: f64) -> Blend {
        match self {
            Self::Constant(_) => [(0, 1.0), (0, 0.0)],
            Self::Scaled { t_s, factor, .. } => {
                let (left, weight) = segment(t_s, at_s);
                let right = (left + 1).min(factor.len() - 1);
                [
                    (0, factor[left] * (1.0 - weight) + factor[right] * weight),
                    (0, 0.0),
                ]
            }
            Self::Piecewise { t_s, matrices } => {
                let (left, weight) = segment(t_s, at_s);
                [
                    (left, 1.0 - weight),
                    ((left + 1).min(matrices.len() - 1), weight),
                ]
            }
        }
    }

    /// The slope of the coupling just after `at_s`, as [`Coupling::blend_at`], per second.
    pub(crate) fn slope_at(&self, at_s: f64) -> Blend {
        let after = |t_s: &[f64]| t_s.partition_point(|knot| *knot <= at_s);
        let inside =
            |t_s: &[f64]| Some(after(t_s)).filter(|right| *right > 0 && *right < t_s.len());
        match self {
            Self::Constant(_) => [(0, 0.0); 2],
            Self::Scaled { t_s, factor, .. } => inside(t_s).map_or([(0, 0.0); 2], |right| {
                let slope = (factor[right] - factor[right - 1]) / (t_s[right] - t_s[right - 1]);
                [(0, slope), (0, 0.0)]
            }),
            Self::Piecewise { t_s, .. } => inside(t_s).map_or([(0, 0.0); 2], |right| {
                let per_s = 1.0 / (t_s[right] - t_s[right - 1]);
                [(right - 1, -per_s), (right, per_s)]
            }),
        }
    }

    /// The coupling at one instant, shape `(n, n)`, rad/s.
    pub fn at(&self, at_s: f64) -> Array2<f64> {
        let matrices = self.matrices();
        let [(first, a), (second, b)] = self.blend_at(at_s);
        &matrices[first] * a + &matrices[second] * b
    }

    /// The instants at which the slope changes.
    pub(crate) fn knots_s(&self) -> &[f64] {
        match self {
            Self::Constant(_) => &[],
            Self::Scaled { t_s, .. } | Self::Piecewise { t_s, .. } => t_s,
        }
    }

    /// The same course of time with every matrix passed through `change`.
    pub(crate) fn map(&self, change: impl Fn(&Array2<f64>) -> Array2<f64>) -> Self {
        match self {
            Self::Constant(matrix) => Self::Constant(change(matrix)),
            Self::Scaled {
                matrix,
                t_s,
                factor,
            } => Self::Scaled {
                matrix: change(matrix),
                t_s: t_s.clone(),
                factor: factor.clone(),
            },
            Self::Piecewise { t_s, matrices } => Self::Piecewise {
                t_s: t_s.clone(),
                matrices: matrices.iter().map(change).collect(),
            },
        }
    }

    pub(crate) fn validate(&self, n_nodes: usize) -> Result<(), TwinError> {
        for matrix in self.matrices() {
            same_size("rows of the coupling", n_nodes, matrix.nrows())?;
            same_size("columns of the coupling", n_nodes, matrix.ncols())?;
            in_range("coupling (rad/s)", "finite", matrix, |_| true)?;
        }
        let (t_s, n_values) = match self {
            Self::Constant(_) => return Ok(()),
            Self::Scaled { t_s, factor, .. } => {
                in_range("factor of the coupling", "finite", factor, |_| true)?;
                (t_s, factor.len())
            }
            Self::Piecewise { t_s, matrices } => (t_s, matrices.len()),
        };
        same_size(
            "values of the coupling over time",
            t_s.len().max(1),
            n_values,
        )?;
        in_range("knot of the coupling (s)", "finite", t_s, |_| true)?;
        match t_s.windows(2).find(|pair| pair[0] >= pair[1]) {
            None => Ok(()),
            Some(pair) => Err(TwinError::Range {
                what: "knot of the coupling (s)",
                value: pair[1],
                range: "rising knots",
            }),
        }
    }
}

/// The knot at or before `at_s` and how far the next one is approached, `0..=1`.
fn segment(t_s: &[f64], at_s: f64) -> (usize, f64) {
    let after = t_s.partition_point(|knot| *knot <= at_s);
    if after == 0 {
        return (0, 0.0);
    }
    if after == t_s.len() {
        return (after - 1, 0.0);
    }
    (
        after - 1,
        (at_s - t_s[after - 1]) / (t_s[after] - t_s[after - 1]),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_coupling_is_linear_between_knots_and_constant_outside() {
        let matrices = vec![
            Array2::from_elem((2, 2), 1.0),
            Array2::from_elem((2, 2), 3.0),
        ];
        let coupling = Coupling::Piecewise {
            t_s: vec![1.0, 2.0],
            matrices,
        };
        for (at_s, expected) in [(0.0, 1.0), (1.0, 1.0), (1.25, 1.5), (2.0, 3.0), (9.0, 3.0)] {
            assert!(
                (coupling.at(at_s)[[0, 1]] - expected).abs() < 1e-15,
                "at {at_s} s"
            );
        }
        let scaled = Coupling::Scaled {
            matrix: Array2::from_elem((2, 2), 2.0),
            t_s: vec![1.0, 2.0],
            factor: vec![0.5, 1.5],
        };
        for (at_s, expected) in [(0.0, 1.0), (1.25, 1.5), (5.0, 3.0)] {
            assert!(
                (scaled.at(at_s)[[0, 1]] - expected).abs() < 1e-15,
                "at {at_s} s"
            );
        }
    }
}
