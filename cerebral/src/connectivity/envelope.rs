//! Correlation of envelopes, each pair made orthogonal first, so that a shared source without lag does not count.

use ndarray::{Array2, ArrayView2};
use num_complex::Complex64;

use super::kernel::{Parts, Planes, pairs};
use crate::number::float;

/// Amplitude-envelope correlation of every pair: logarithmic, pairwise orthogonalised, both directions averaged.
///
/// What of `j` is orthogonal to `i` has the envelope `|Im(z_j conj z_i)| / |z_i|`; its logarithm is correlated (Pearson) with that
/// of `|z_i|`, then the same with `i` and `j` exchanged, and the two are averaged with their signs.
///
/// `z`: `(n_channels, n_samples)`, analytic. Returns `(n_channels, n_channels)`, symmetric, in `[-1, 1]`, diagonal 0. Samples within
/// the zero-lag guard have no orthogonal part and are left out of their pair; where fewer than three remain, or one side does
/// not vary, the pair is 0. Rows and columns of dead channels are NaN.
///
/// Source: key `hipp-2012` in `docs/references.bib`.
pub fn envelope_correlation(z: ArrayView2<'_, Complex64>) -> Array2<f64> {
    let planes = Planes::of(z, Parts::Exact);
    let envelopes: Vec<Vec<f64>> = z
        .rows()
        .into_iter()
        .map(|row| row.iter().map(|value| value.norm().ln()).collect())
        .collect();
    let mut matrix = Array2::zeros((z.nrows(), z.nrows()));
    for (i, j) in pairs(z.nrows()) {
        let guard = planes.guard(i, j);
        let (mut forth, mut back) = (Moments::default(), Moments::default());
        for (t, (one, other)) in z.row(i).iter().zip(z.row(j)).enumerate() {
            let a = guard
                .imaginary([one.re, one.im], [other.re, other.im])
                .abs();
            if a > 0.0 {
                let (log, log_i, log_j) = (a.ln(), envelopes[i][t], envelopes[j][t]);
                forth.add(log_i, log - log_i);
                back.add(log_j, log - log_j);
            }
        }
        let value = f64::midpoint(forth.correlation(), back.correlation());
        matrix[[i, j]] = value;
        matrix[[j, i]] = value;
    }
    for ((i, j), value) in matrix.indexed_iter_mut() {
        if !(planes.alive()[i] && planes.alive()[j]) {
            *value = f64::NAN;
        }
    }
    matrix
}

/// Running moments of two series, updated so that a common offset costs no digits.
#[derive(Debug, Default)]
struct Moments {
    n: usize,
    mean: [f64; 2],
    square: [f64; 2],
    product: f64,
}

impl Moments {
    fn add(&mut self, x: f64, y: f64) {
        self.n += 1;
        let n = float(self.n);
        let (dx, dy) = (x - self.mean[0], y - self.mean[1]);
        self.mean[0] += dx / n;
        self.mean[1] += dy / n;
        self.square[0] += dx * (x - self.mean[0]);
        self.square[1] += dy * (y - self.mean[1]);
        self.product += dx * (y - self.mean[1]);
    }

    fn correlation(&self) -> f64 {
        let scale = (self.square[0] * self.square[1]).sqrt();
        if self.n > 2 && scale > 0.0 {
            (self.product / scale).clamp(-1.0, 1.0)
        } else {
            0.0
        }
    }
}
