//! Bad channels from the others, by splines on a sphere.
//!
//! Source: key `perrin-1989`, equations 1 to 4, in `docs/references.bib`, with order 4, terms up to degree 50 and a ridge of 1e-5
//! on the diagonal, the values that MNE-Python uses.

use nalgebra::{DMatrix, DVector};
use ndarray::ArrayViewMut2;

use super::Montage;
use crate::error::AnalysisError;

/// Order of the spline: how smooth it is.
const ORDER: i32 = 4;
/// Highest degree of the Legendre series; its terms fall with the ninth power.
const DEGREES: u32 = 50;
/// Keeps the matrix invertible where electrodes lie close together.
const RIDGE: f64 = 1e-5;
/// Fewer known channels than this span no surface.
const LEAST: usize = 4;

impl Montage {
    /// Replaces the channels `bad` by what the others say at their place, in place.
    ///
    /// `x`: `(n_channels, n_samples)`, microvolts. A replaced channel is a mixture of the others and tells nothing of its own: its
    /// pairs are not to be read as connections.
    ///
    /// # Errors
    /// [`AnalysisError::TooFewChannels`] with fewer than four others whose place is known; [`AnalysisError::Setting`] if a bad
    /// channel has no place.
    pub fn interpolate(
        &self,
        mut x: ArrayViewMut2<'_, f64>,
        bad: &[usize],
    ) -> Result<(), AnalysisError> {
        let known: Vec<(usize, [f64; 3])> = self
            .positions()
            .iter()
            .enumerate()
            .filter(|(index, _)| !bad.contains(index))
            .filter_map(|(index, place)| Some((index, (*place)?)))
            .collect();
        if known.len() < LEAST {
            return Err(AnalysisError::TooFewChannels {
                what: "interpolating bad channels",
                least: LEAST,
                found: known.len(),
            });
        }
        let weights = bad.iter().map(|&index| {
            let place = self.positions().get(index).copied().flatten();
            let place = place.ok_or_else(|| {
                AnalysisError::setting(
                    "interpolation",
                    format!("channel {}", index + 1),
                    "a channel whose place the montage tells",
                )
            })?;
            Ok((index, weights(&known, place)))
        });
        let weights = weights.collect::<Result<Vec<_>, AnalysisError>>()?;
        for mut instant in x.columns_mut() {
            for (index, weights) in &weights {
                let others = known.iter().map(|(other, _)| instant[*other]);
                instant[*index] = others
                    .zip(weights)
                    .map(|(value, weight)| value * weight)
                    .sum();
            }
        }
        Ok(())
    }
}

/// How much each known channel counts at a place; they sum to 1.
fn weights(known: &[(usize, [f64; 3])], place: [f64; 3]) -> Vec<f64> {
    let n = known.len();
    // [G 1; 1' 0] [c; d] = [v; 0]; the value at the place is g'c + d.
    let system = DMatrix::from_fn(n + 1, n + 1, |i, j| match (i < n, j < n) {
        (true, true) => kernel(known[i].1, known[j].1) + if i == j { RIDGE } else { 0.0 },
        (false, false) => 0.0,
        _ => 1.0,
    });
    let right = DVector::from_fn(n + 1, |i, _| {
        if i < n {
            kernel(known[i].1, place)
        } else {
            1.0
        }
    });
    // The matrix is symmetric, so the weights solve it with the place's own column.
    let solved = system.lu().solve(&right);
    solved.map_or_else(
        || vec![1.0 / crate::number::float(n); n],
        |solved| solved.iter().take(n).copied().collect(),
    )
}

/// The spline's kernel of two points on the unit sphere.
fn kernel(a: [f64; 3], b: [f64; 3]) -> f64 {
    let cosine: f64 = a
        .iter()
        .zip(&b)
        .map(|(a, b)| a * b)
        .sum::<f64>()
        .clamp(-1.0, 1.0);
    let (mut before, mut here) = (1.0, cosine);
    let mut sum = 0.0;
    for degree in 1..=DEGREES {
        let n = f64::from(degree);
        sum += (2.0 * n + 1.0) / (n * (n + 1.0)).powi(ORDER) * here;
        let next = ((2.0 * n + 1.0) * cosine * here - n * before) / (n + 1.0);
        (before, here) = (here, next);
    }
    sum / (4.0 * std::f64::consts::PI)
}

#[cfg(test)]
mod tests {
    use ndarray::Array2;

    use super::*;

    fn montage(names: &str) -> Montage {
        let names: Vec<String> = names.split(' ').map(str::to_owned).collect();
        Montage::named(&names, names.len()).unwrap()
    }

    #[test]
    fn a_smooth_field_is_found_again_at_a_missing_electrode() {
        let montage = montage(
            "Fp1 Fp2 F7 F3 Fz F4 F8 T7 C3 Cz C4 T8 P7 P3 Pz P4 P8 O1 O2 FC1 FC2 CP1 CP2 POz AFz",
        );
        let field = |[x, y, z]: [f64; 3]| [40.0, 10.0 * x + 20.0 * y - 15.0 * z, 30.0 * y * z];
        let mut x = Array2::zeros((25, 3));
        for (mut row, place) in x.rows_mut().into_iter().zip(montage.positions()) {
            row.assign(&ndarray::arr1(&field(place.unwrap())));
        }
        let truth = x.clone();
        for bad in [8, 14] {
            let mut broken = truth.clone();
            broken.row_mut(bad).fill(f64::NAN);
            montage.interpolate(broken.view_mut(), &[bad]).unwrap();
            for (found, expected) in broken.row(bad).iter().zip(truth.row(bad)) {
                assert!((found - expected).abs() < 1.5, "{found} for {expected}");
            }
            assert!(
                (broken[[bad, 0]] - 40.0).abs() < 1e-6,
                "a level everywhere is kept"
            );
        }
    }

    #[test]
    fn too_few_others_and_a_channel_without_a_place_are_refused() {
        let mut x = Array2::zeros((5, 2));
        let four = montage("Fp1 Fp2 C3 C4 O1");
        assert!(four.interpolate(x.view_mut(), &[0, 1]).is_err());
        let unplaced = montage("Fp1 Fp2 C3 C4 -");
        assert!(unplaced.interpolate(x.view_mut(), &[4]).is_err());
    }
}
