//! Shrinkage learned from the recording: most couplings are near 0, some are not, and how many and how large is estimated
//! together with them (adaptive shrinkage, key `stephens-2017`; with correlated estimates, key `kim-2024`).
//!
//! Around the current parameters the log likelihood of node i's couplings is a parabola. The prior is a mixture of normals
//! of mean 0 and widths from 0 up; its weights are shared by all pairs and chosen to make the recording most likely. A
//! ridge of one width shrinks strong couplings as much as weak ones; this does not.

use ndarray::Array2;

use crate::calibration::dense;
use crate::calibration::expect::Expectation;
use crate::calibration::model::Parameters;
use crate::calibration::regress::row;
use crate::number::float;

/// A parabola `-x' H x / 2 + h' x` per node over the couplings of that node, its frequency maximised out.
pub(crate) struct Parabola {
    /// `n x n`; the node's own row and column are 0.
    pub(crate) curvature: Vec<f64>,
    pub(crate) slope: Vec<f64>,
    /// Curvature with the frequency in the node's own place.
    pub(crate) whole: Vec<f64>,
}

/// The parabolas of all nodes at `p`.
///
/// Hidden phases hide part of the information. Per node, the share that is left is the mean ratio of the observed
/// information (the blocks' scores squared) to that of known phases; one number, because a matrix of it would need more
/// blocks than there are parameters.
pub(crate) fn parabolas(p: &Parameters, expectation: &Expectation, step_s: f64) -> Vec<Parabola> {
    let n = p.n();
    let total = expectation.total();
    let node = |i: usize| {
        let scale = step_s / p.diffusion[i];
        let mut whole: Vec<f64> = (0..n * n)
            .map(|k| total.gram_of(i, n)[(k / n).max(k % n) * n + (k / n).min(k % n)] * scale)
            .collect();
        let mut factor = whole.clone();
        let share = if dense::cholesky(&mut factor, n) {
            let squared: f64 = expectation
                .blocks
                .iter()
                .map(|block| {
                    let score = block.score(p, i, step_s);
                    let mut turned = score.clone();
                    dense::solve(&factor, &mut turned, n);
                    score.iter().zip(&turned).map(|(a, b)| a * b).sum::<f64>()
                })
                .sum();
            (squared / float(n)).clamp(0.01, 1.0)
        } else {
            0.01
        };
        whole.iter_mut().for_each(|value| *value *= share);
        let (score, b) = (total.score(p, i, step_s), row(p, i));
        let h: Vec<f64> = (0..n)
            .map(|j| score[j] + (0..n).map(|k| whole[j * n + k] * b[k]).sum::<f64>())
            .collect();
        let own = whole[i * n + i];
        let mut curvature = vec![0.0; n * n];
        let mut slope = vec![0.0; n];
        for j in (0..n).filter(|j| *j != i) {
            slope[j] = h[j] - whole[j * n + i] * h[i] / own;
            for k in (0..n).filter(|k| *k != i) {
                curvature[j * n + k] = whole[j * n + k] - whole[j * n + i] * whole[i * n + k] / own;
            }
        }
        Parabola {
            curvature,
            slope,
            whole,
        }
    };
    (0..n).map(node).collect()
}

/// Widths of the prior's components: 0, then from a tenth of the best error by factors of sqrt 2 to twice the largest
/// estimate.
fn widths(parabolas: &[Parabola], start: &Array2<f64>) -> Vec<f64> {
    let n = start.nrows();
    let curvatures = parabolas
        .iter()
        .flat_map(|p| (0..n).map(|j| p.curvature[j * n + j]));
    let best = 1.0 / curvatures.fold(0.0_f64, f64::max).sqrt();
    let largest = start
        .iter()
        .fold(0.0_f64, |most, value| most.max(value.abs()));
    let mut widths = vec![0.0, best / 10.0];
    while widths
        .last()
        .is_some_and(|width| *width < 2.0 * largest && widths.len() < 40)
    {
        widths.push(widths.last().copied().unwrap_or(best) * std::f64::consts::SQRT_2);
    }
    widths
}

/// How strongly the weight of width 0 is favoured: as by so many pairs without coupling (key `stephens-2017` uses 10).
const NULL_PAIRS: f64 = 10.0;

/// Posterior means of the couplings, by coordinate ascent from `start`.
pub(crate) fn shrink(parabolas: &[Parabola], start: &Array2<f64>) -> Array2<f64> {
    let n = start.nrows();
    let widths = widths(parabolas, start);
    let mut weights = vec![1.0 / float(widths.len()); widths.len()];
    let mut coupling = start.clone();
    let mut posterior = vec![0.0; widths.len()];
    for _ in 0..200 {
        let mut counts = vec![0.0; widths.len()];
        counts[0] = NULL_PAIRS - 1.0;
        let mut moved = 0.0_f64;
        for (i, parabola) in parabolas.iter().enumerate() {
            for j in (0..n).filter(|j| *j != i) {
                let h = parabola.curvature[j * n + j];
                if h.is_nan() || h <= 0.0 {
                    continue;
                }
                let others: f64 = (0..n)
                    .filter(|k| *k != j && *k != i)
                    .map(|k| parabola.curvature[j * n + k] * coupling[[i, k]])
                    .sum();
                let (estimate, variance) = ((parabola.slope[j] - others) / h, 1.0 / h);
                let mut most = f64::NEG_INFINITY;
                for ((log, width), weight) in posterior.iter_mut().zip(&widths).zip(&weights) {
                    let total = variance + width * width;
                    *log = weight.ln() - 0.5 * (total.ln() + estimate * estimate / total);
                    most = most.max(*log);
                }
                posterior
                    .iter_mut()
                    .for_each(|log| *log = (*log - most).exp());
                let sum: f64 = posterior.iter().sum();
                let mut mean = 0.0;
                for ((weight, width), count) in posterior.iter().zip(&widths).zip(&mut counts) {
                    let weight = weight / sum;
                    let kept = width * width / (variance + width * width);
                    mean += weight * kept * estimate;
                    *count += weight;
                }
                moved = moved.max((coupling[[i, j]] - mean).abs());
                coupling[[i, j]] = mean;
            }
        }
        let total: f64 = counts.iter().sum();
        weights
            .iter_mut()
            .zip(&counts)
            .for_each(|(weight, count)| *weight = count / total);
        if moved < 1e-5 {
            break;
        }
    }
    coupling
}
