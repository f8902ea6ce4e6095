//! What is to be found, and how likely the next sample is under it.
//!
//! Hidden: phases `theta`, `theta[t+1] = f(theta[t]) + N(0, q step)`, where f follows the network for one step by the
//! midpoint rule. Seen: `z = A exp(i theta) + noise`, noise of variance R in each of its two components.

use ndarray::{Array1, Array2};
use serde::{Deserialize, Serialize};

use crate::number::float;

/// Parameters of the state-space model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Parameters {
    /// Natural frequencies, rad/s.
    #[serde(with = "crate::bits::vector")]
    pub(crate) omega: Array1<f64>,
    /// `[i, j]`: action of j on i, rad/s; zero diagonal.
    #[serde(with = "crate::bits::matrix")]
    pub(crate) coupling: Array2<f64>,
    /// Variance of the phase noise per second, `sigma^2`.
    #[serde(with = "crate::bits::vector")]
    pub(crate) diffusion: Array1<f64>,
    /// Amplitude of the oscillation in the baseband.
    #[serde(with = "crate::bits::vector")]
    pub(crate) amplitude: Array1<f64>,
    /// Variance R of one component of the noise in one baseband sample.
    #[serde(with = "crate::bits::vector")]
    pub(crate) noise: Array1<f64>,
}

impl Parameters {
    pub(crate) fn n(&self) -> usize {
        self.omega.len()
    }

    /// The same with another coupling.
    pub(crate) fn with_coupling(&self, coupling: Array2<f64>) -> Self {
        Self {
            coupling,
            ..self.clone()
        }
    }
}

/// Scratch for the transition of one step.
pub(crate) struct Transition {
    /// Sine and cosine of the phases at the midpoint.
    pub(crate) sin: Vec<f64>,
    pub(crate) cos: Vec<f64>,
    /// Room for a node's regressors and their derivatives.
    pub(crate) regressor: Vec<f64>,
    pub(crate) slope: Vec<f64>,
    velocity: Vec<f64>,
    /// `exp(-Var(theta_j - theta_i) / 2)`: how much the phases' uncertainty dampens each sine.
    pub(crate) damping: Vec<f64>,
    middle: Vec<f64>,
    jacobian: Vec<f64>,
    pub(crate) next: Vec<f64>,
    /// Derivative of `next` by the phases, row-major.
    pub(crate) derivative: Vec<f64>,
}

impl Transition {
    pub(crate) fn new(n: usize) -> Self {
        let row = || vec![0.0; n];
        let square = || vec![0.0; n * n];
        Self {
            sin: row(),
            cos: row(),
            regressor: row(),
            slope: row(),
            velocity: row(),
            damping: vec![1.0; n * n],
            middle: row(),
            jacobian: square(),
            next: row(),
            derivative: square(),
        }
    }

    /// Moves `mean`, of `n` phases, one step on. `spread` is its covariance: the expectation of a sine is smaller by `exp(-variance/2)`.
    #[inline(always)]
    pub(crate) fn step(
        &mut self,
        n: usize,
        p: &Parameters,
        step_s: f64,
        mean: &[f64],
        spread: &[f64],
    ) {
        self.dampen(n, spread);
        self.velocities(n, p, mean);
        for ((middle, mean), velocity) in self.middle.iter_mut().zip(mean).zip(&self.velocity) {
            *middle = mean + step_s / 2.0 * velocity;
        }
        let middle = std::mem::take(&mut self.middle);
        self.velocities(n, p, &middle);
        self.middle = middle;
        for ((next, mean), velocity) in self.next.iter_mut().zip(mean).zip(&self.velocity) {
            *next = mean + step_s * velocity;
        }
        // 1 + h J + (h J)^2 / 2, J taken at the midpoint.
        crate::calibration::dense::multiply(
            &self.jacobian,
            &self.jacobian,
            &mut self.derivative,
            n,
        );
        for (derivative, jacobian) in self.derivative.iter_mut().zip(&self.jacobian) {
            *derivative = step_s * (jacobian + step_s / 2.0 * *derivative);
        }
        for i in 0..n {
            self.derivative[i * n + i] += 1.0;
        }
    }

    #[inline(always)]
    fn dampen(&mut self, n: usize, spread: &[f64]) {
        for i in 0..n {
            for j in 0..i {
                let variance = spread[i * n + i] + spread[j * n + j] - 2.0 * spread[i * n + j];
                let damping = (-variance / 2.0).exp();
                self.damping[i * n + j] = damping;
                self.damping[j * n + i] = damping;
            }
        }
    }

    /// Velocities and their Jacobian.
    #[inline(always)]
    fn velocities(&mut self, n: usize, p: &Parameters, phases: &[f64]) {
        for ((phase, sin), cos) in phases.iter().zip(&mut self.sin).zip(&mut self.cos) {
            (*sin, *cos) = phase.sin_cos();
        }
        for i in 0..n {
            let row = i * n..(i + 1) * n;
            let (sin_i, cos_i) = (self.sin[i], self.cos[i]);
            let (mut velocity, mut own) = (p.omega[i], 0.0);
            let couplings = p.coupling.row(i);
            let couplings = couplings.to_slice().expect("rows are contiguous");
            let damping = &self.damping[row.clone()];
            let out = &mut self.jacobian[row];
            for j in 0..n {
                let weight = couplings[j] * damping[j];
                velocity += weight * (self.sin[j] * cos_i - self.cos[j] * sin_i);
                let slope = weight * (self.cos[j] * cos_i + self.sin[j] * sin_i);
                out[j] = slope;
                own -= slope;
            }
            self.velocity[i] = velocity;
            self.jacobian[i * n + i] = own;
        }
    }
}

/// The log density of a normal variable of this variance, `distance` from its mean.
pub(crate) fn log_normal(distance: f64, variance: f64) -> f64 {
    -0.5 * (distance * distance / variance + variance.ln() + std::f64::consts::TAU.ln())
}

/// Nats per sample and channel.
pub(crate) fn per_sample(log_likelihood: f64, n_steps: usize, n: usize) -> f64 {
    log_likelihood / float(n_steps * n)
}
