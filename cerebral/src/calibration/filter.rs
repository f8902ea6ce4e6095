//! The forward pass: a Kalman filter over wrapped observations of phases.
//!
//! A sample is turned back by the predicted phase; its imaginary part then tells how far the prediction was off. The sine
//! is linearised statistically: for a phase of variance P its slope is `exp(-P/2)`, and what the slope leaves unexplained
//! counts as noise. The real part tells nothing to first order; it enters the likelihood alone.

use ndarray::{Array1, Array2};
use num_complex::Complex64;

use crate::calibration::baseband::Baseband;
use crate::calibration::dense;
use crate::calibration::model::{Parameters, Transition, log_normal};

/// What the backward pass needs of every step; matrices are row-major blocks of `n * n`. Kept from pass to pass, so that
/// the memory is asked for once.
#[derive(Debug, Default)]
pub(crate) struct Filtered {
    pub(crate) mean: Vec<f64>,
    pub(crate) spread: Vec<f64>,
    /// Prediction of the next step's mean and covariance.
    pub(crate) next_mean: Vec<f64>,
    pub(crate) next_spread: Vec<f64>,
    /// Transposed smoother gains, `(P_next)^-1 F P`.
    pub(crate) gain: Vec<f64>,
    /// Sum of the log densities of the samples given those before.
    pub(crate) log_likelihood: f64,
}

impl Filtered {
    fn clear(&mut self) {
        let Self {
            mean,
            spread,
            next_mean,
            next_spread,
            gain,
            log_likelihood,
        } = self;
        [mean, spread, next_mean, next_spread, gain]
            .into_iter()
            .for_each(Vec::clear);
        *log_likelihood = 0.0;
    }
}

/// Where the amplitude of a sample comes from.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Amplitude<'a> {
    /// It is known for every sample, `(n_steps, n)`.
    Given(&'a Array2<f64>),
    /// It begins at the model's and follows the samples seen so far, each counting for `share`.
    Followed {
        /// `0..=1`.
        share: f64,
    },
}

/// Whether the gains of the smoother are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Keep {
    /// The likelihood alone.
    Likelihood,
    /// All that the smoother needs.
    Everything,
}

/// Filters the `n` channels of `base`. `skip` samples at the start do not count in the
/// likelihood: the filter has not found the phases yet.
#[inline(always)]
pub(crate) fn filter(
    n: usize,
    p: &Parameters,
    base: &Baseband,
    amplitude: Amplitude<'_>,
    skip: usize,
    keep: Keep,
    out: &mut Filtered,
) {
    let (z, step_s) = (&base.z, base.step_s);
    let n_steps = z.nrows();
    out.clear();
    let mut transition = Transition::new(n);
    let mut mean: Vec<f64> = z.row(0).iter().map(|z| z.arg()).collect();
    let mut spread = vec![0.0; n * n];
    for i in 0..n {
        spread[i * n + i] = 1.0;
    }
    let mut column = vec![0.0; n];
    let (mut scratch, mut factor) = (vec![0.0; n * n], vec![0.0; n * n]);
    let mut now: Array1<f64> = p.amplitude.clone();
    for t in 0..n_steps {
        if let Amplitude::Given(all) = amplitude {
            now.assign(&all.row(t));
        }
        let gained = update(
            n,
            p,
            z.row(t),
            now.view(),
            &mut mean,
            &mut spread,
            &mut column,
        );
        if let Amplitude::Followed { share } = amplitude {
            for (c, now) in now.iter_mut().enumerate() {
                let along = (z[[t, c]] * Complex64::cis(-mean[c])).re;
                *now = (*now + share * (along - *now)).max(p.amplitude[c] / 20.0);
            }
        }
        if t >= skip {
            out.log_likelihood += gained;
        }
        transition.step(n, p, step_s, &mean, &spread);
        if keep == Keep::Everything {
            out.mean.extend(&mean);
            out.spread.extend(&spread);
        }
        // F P, then (F P) F' + Q.
        dense::multiply(&transition.derivative, &spread, &mut scratch, n);
        dense::transpose(&transition.derivative, &mut factor, n);
        dense::multiply(&scratch, &factor, &mut spread, n);
        for i in 0..n {
            spread[i * n + i] += p.diffusion[i] * step_s;
        }
        dense::symmetrise(&mut spread, n);
        mean.copy_from_slice(&transition.next);
        if keep == Keep::Everything {
            out.next_mean.extend(&mean);
            out.next_spread.extend(&spread);
            factor.copy_from_slice(&spread);
            // The transposed gain (P_next)^-1 F P; without a factor the step is not smoothed.
            if dense::cholesky(&mut factor, n) {
                dense::solve_matrix(&factor, &mut scratch, n);
            } else {
                scratch.fill(0.0);
            }
            out.gain.extend(&scratch);
        }
    }
}

/// Takes one sample of every channel in, one channel after another; returns the log density of the sample.
#[inline(always)]
fn update(
    n: usize,
    p: &Parameters,
    z: ndarray::ArrayView1<'_, Complex64>,
    amplitude: ndarray::ArrayView1<'_, f64>,
    mean: &mut [f64],
    spread: &mut [f64],
    column: &mut [f64],
) -> f64 {
    let mut log_likelihood = 0.0;
    for c in 0..n {
        let turned = z[c] * Complex64::cis(-mean[c]);
        let variance = spread[c * n + c];
        let (a, damped) = (amplitude[c], (-variance / 2.0).exp());
        let (e1, e2) = (damped * damped, (-2.0 * variance).exp());
        // Var(sin d) - slope^2 P, and Var(cos d), for d of variance P.
        let curved = (a * a * ((1.0 - e2) / 2.0 - variance * e1)).max(0.0);
        let along = (a * a * ((1.0 + e2) / 2.0 - e1)).max(0.0);
        let slope = a * damped;
        let seen = slope * slope * variance + p.noise[c] + curved;
        log_likelihood +=
            log_normal(turned.im, seen) + log_normal(turned.re - a * damped, p.noise[c] + along);
        for (column, row) in column.iter_mut().zip(spread.chunks_exact(n)) {
            *column = row[c];
        }
        let gain = slope / seen;
        for (i, row) in spread.chunks_exact_mut(n).enumerate() {
            mean[i] += gain * column[i] * turned.im;
            let weight = gain * slope * column[i];
            row.iter_mut()
                .zip(column.iter())
                .for_each(|(p, column)| *p -= weight * column);
        }
    }
    log_likelihood
}
