//! Sums over the smoothed steps, and the parameters that they make most likely: the M step.

use crate::calibration::dense;
use crate::calibration::model::{Parameters, Transition};
use crate::calibration::smoother::Pair;

/// Sufficient statistics of one block of steps, for every node: regressors `g = [1, sin(theta_j - theta_i) ...]`, whose
/// own place holds the 1, and the increment `y = (theta_i[t+1] - theta_i[t]) / step`.
#[derive(Debug, Clone)]
pub(crate) struct Sums {
    pub(crate) n_steps: f64,
    /// `sum E[g g']`, one `n x n` block per node.
    pub(crate) gram: Vec<f64>,
    /// `sum E[g y]`, one row per node.
    pub(crate) product: Vec<f64>,
    /// `sum E[y^2]` per node.
    pub(crate) square: Vec<f64>,
}

impl Sums {
    pub(crate) fn new(n: usize) -> Self {
        Self {
            n_steps: 0.0,
            gram: vec![0.0; n * n * n],
            product: vec![0.0; n * n],
            square: vec![0.0; n],
        }
    }

    /// Adds another block.
    pub(crate) fn merge(&mut self, other: &Self) {
        self.n_steps += other.n_steps;
        let add =
            |to: &mut Vec<f64>, from: &Vec<f64>| to.iter_mut().zip(from).for_each(|(a, b)| *a += b);
        add(&mut self.gram, &other.gram);
        add(&mut self.product, &other.product);
        add(&mut self.square, &other.square);
    }

    /// Adds one pair of steps.
    #[inline(always)]
    pub(crate) fn add(
        &mut self,
        n: usize,
        p: &Parameters,
        step_s: f64,
        pair: &Pair<'_>,
        transition: &mut Transition,
    ) {
        let [now, later] = pair.mean;
        let [spread, later_spread] = pair.spread;
        transition.step(n, p, step_s, now, spread);
        self.n_steps += 1.0;
        let (g, slope) = (&mut transition.regressor, &mut transition.slope);
        for i in 0..n {
            let (si, ci) = (transition.sin[i], transition.cos[i]);
            for j in 0..n {
                if j == i {
                    (g[j], slope[j]) = (1.0, 0.0);
                    continue;
                }
                let (sj, cj) = (transition.sin[j], transition.cos[j]);
                let damped = transition.damping[i * n + j];
                g[j] = damped * (sj * ci - cj * si);
                slope[j] = damped * (cj * ci + sj * si);
            }
            let y = (later[i] - now[i]) / step_s;
            let y_variance = (later_spread[i * n + i] + spread[i * n + i]
                - 2.0 * pair.across[i * n + i])
                / (step_s * step_s);
            self.square[i] += y * y + y_variance;
            let own = &spread[i * n..(i + 1) * n];
            for j in 0..n {
                // E[sin(X) Y] = E[sin X] E[Y] + E[cos X] Cov(X, Y), exact for normal X and Y.
                let with_y =
                    (pair.across[i * n + j] - pair.across[i * n + i] - own[j] + own[i]) / step_s;
                self.product[i * n + j] += g[j] * y + slope[j] * with_y;
                let gram = &mut self.gram[(i * n + j) * n..(i * n + j + 1) * n];
                let shared = &spread[j * n..(j + 1) * n];
                let beside = own[i] - own[j];
                for k in 0..n {
                    gram[k] += g[j] * g[k] + slope[j] * slope[k] * (shared[k] - own[k] + beside);
                }
            }
        }
    }

    /// Everything most likely: frequencies, diffusions and couplings, the latter shrunk towards 0 with precision `ridge`,
    /// (rad/s)^-2.
    pub(crate) fn solve(&self, p: &Parameters, step_s: f64, ridge: f64) -> Parameters {
        let n = p.n();
        let mut next = p.clone();
        for i in 0..n {
            let scale = step_s / p.diffusion[i];
            let mut factor: Vec<f64> = self.gram_of(i, n).iter().map(|g| g * scale).collect();
            let mut b: Vec<f64> = self.product_of(i, n).iter().map(|r| r * scale).collect();
            for j in (0..n).filter(|j| *j != i) {
                factor[j * n + j] += ridge;
            }
            // The Gram matrix is summed below its diagonal, which is all that the factor reads.
            if dense::cholesky(&mut factor, n) {
                dense::solve(&factor, &mut b, n);
                for (j, value) in b.iter().enumerate().filter(|(j, _)| *j != i) {
                    next.coupling[[i, j]] = *value;
                }
            }
        }
        self.solve_given_coupling(&mut next, step_s);
        next
    }

    /// The most likely frequencies and diffusions for the couplings that `next` has.
    pub(crate) fn solve_given_coupling(&self, next: &mut Parameters, step_s: f64) {
        let n = next.n();
        for i in 0..n {
            let (gram, product) = (self.gram_of(i, n), self.product_of(i, n));
            let pull: f64 = (0..n)
                .filter(|j| *j != i)
                .map(|j| gram[i.max(j) * n + i.min(j)] * next.coupling[[i, j]])
                .sum();
            next.omega[i] = (product[i] - pull) / self.n_steps;
            let b = row(next, i);
            next.diffusion[i] = step_s * self.residual(i, &b, n) / self.n_steps;
        }
    }

    /// Derivative of the log likelihood by node i's parameters: by Fisher's identity the expected derivative of that of
    /// the hidden phases.
    pub(crate) fn score(&self, p: &Parameters, i: usize, step_s: f64) -> Vec<f64> {
        let n = p.n();
        let (gram, b) = (self.gram_of(i, n), row(p, i));
        let fitted = |j: usize| {
            (0..n)
                .map(|k| gram[j.max(k) * n + j.min(k)] * b[k])
                .sum::<f64>()
        };
        let product = self.product_of(i, n);
        (0..n)
            .map(|j| (product[j] - fitted(j)) * step_s / p.diffusion[i])
            .collect()
    }

    /// Lower triangle of node i's Gram matrix.
    pub(crate) fn gram_of(&self, i: usize, n: usize) -> &[f64] {
        &self.gram[i * n * n..(i + 1) * n * n]
    }

    fn product_of(&self, i: usize, n: usize) -> &[f64] {
        &self.product[i * n..(i + 1) * n]
    }

    /// `sum E[(y - g b)^2]`.
    fn residual(&self, i: usize, b: &[f64], n: usize) -> f64 {
        let gram = &self.gram[i * n * n..(i + 1) * n * n];
        let mut total = self.square[i];
        for j in 0..n {
            total -= 2.0 * b[j] * self.product[i * n + j];
            for k in 0..n {
                total += b[j] * b[k] * gram[j.max(k) * n + j.min(k)];
            }
        }
        total
    }
}

/// Node i's parameters in the order of its regressors: the frequency in its own place.
pub(crate) fn row(p: &Parameters, i: usize) -> Vec<f64> {
    (0..p.n())
        .map(|j| {
            if j == i {
                p.omega[i]
            } else {
                p.coupling[[i, j]]
            }
        })
        .collect()
}
