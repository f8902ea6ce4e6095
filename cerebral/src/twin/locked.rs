//! Locked states: all phases turn with one frequency. Where they are, whether they are stable, how far a stimulus reaches.
//!
//! For constant coupling without delays, noise and drives; inertia changes neither the states nor, without lags, which of
//! them are stable, and is ignored.

use nalgebra::{DMatrix, DVector};
use ndarray::{Array1, Array2};
use num_complex::Complex64;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

use crate::twin::drive::{Drive, DriveKind};
use crate::twin::eigen::eigenvalues;
use crate::twin::error::TwinError;
use crate::twin::integrate::{Run, simulate};
use crate::twin::network::Network;
use crate::twin::number::float;
use crate::twin::order::mean_field;

/// A state in which all phases turn with one frequency.
#[derive(Debug, Clone, PartialEq)]
pub struct LockedState {
    /// Phases relative to the mean field's, rad, in (-pi, pi], shape `(n)`.
    pub theta: Array1<f64>,
    /// The common frequency, rad/s.
    pub frequency_rad_s: f64,
    /// Eigenvalues of the Jacobian, 1/s, that of the common rotation (0) left out, largest real part first.
    pub eigenvalues: Vec<Complex64>,
    /// Whether every perturbation but a common rotation dies out.
    pub stable: bool,
    /// Order parameter, `[0, 1]`.
    pub order: f64,
}

/// Residuals of a locked state above this are none, rad/s.
const RESIDUAL_RAD_S: f64 = 1e-9;

fn static_coupling(network: &Network) -> Result<Array2<f64>, TwinError> {
    let method = "the search for locked states";
    if network.coupling.knots_s().len() > 1 {
        return Err(TwinError::Unsupported {
            method,
            what: "coupling that changes over time",
        });
    }
    if network.delay_s.is_some() {
        return Err(TwinError::Unsupported {
            method,
            what: "delays",
        });
    }
    if !network.drives.is_empty() {
        return Err(TwinError::Unsupported {
            method,
            what: "drives",
        });
    }
    Ok(network.coupling.at(0.0))
}

/// Derivatives of the velocities by the phases, 1/s: `[i, j] = K_ij cos(theta_j - theta_i - alpha_ij)`, rows sum to 0.
///
/// # Errors
/// [`TwinError::Unsupported`] for coupling that changes over time, delays or drives; [`TwinError::Shape`].
pub fn jacobian(network: &Network, theta: &[f64]) -> Result<Array2<f64>, TwinError> {
    crate::twin::error::same_size("phases", network.n_nodes(), theta.len())?;
    let coupling = static_coupling(network)?;
    Ok(pulls(network, &coupling, theta).1)
}

/// Velocities and Jacobian.
fn pulls(network: &Network, coupling: &Array2<f64>, theta: &[f64]) -> (Vec<f64>, Array2<f64>) {
    let n = theta.len();
    let mut velocity = network.omega_rad_s.to_vec();
    let mut jacobian = Array2::zeros((n, n));
    for ((i, j), k) in coupling.indexed_iter().filter(|((i, j), _)| i != j) {
        let lag = network.lag_rad.as_ref().map_or(0.0, |lag| lag[[i, j]]);
        let (sin, cos) = (theta[j] - theta[i] - lag).sin_cos();
        velocity[i] += k * sin;
        jacobian[[i, j]] = k * cos;
        jacobian[[i, i]] -= k * cos;
    }
    (velocity, jacobian)
}

/// Newton's method from the phases `start` (rad); `None` where it does not converge within 60 steps.
///
/// # Errors
/// As [`jacobian`].
///
/// Checked against two oscillators (`asin(dw / 2K)`) and the linear solution for small differences.
pub fn locked_state(network: &Network, start: &[f64]) -> Result<Option<LockedState>, TwinError> {
    crate::twin::error::same_size("phases", network.n_nodes(), start.len())?;
    let coupling = static_coupling(network)?;
    let n = start.len();
    let mut theta = start.to_vec();
    for _ in 0..60 {
        let (velocity, jacobian) = pulls(network, &coupling, &theta);
        let frequency = velocity.iter().sum::<f64>() / float(n);
        let worst = velocity
            .iter()
            .map(|v| (v - frequency).abs())
            .fold(0.0, f64::max);
        if worst < RESIDUAL_RAD_S {
            return Ok(Some(describe(theta, frequency, &jacobian)?));
        }
        // Unknown: the steps of all phases but the first, and the frequency in its place.
        let matrix = DMatrix::from_fn(n, n, |i, j| if j == 0 { -1.0 } else { jacobian[[i, j]] });
        let target = DVector::from_fn(n, |i, _| frequency - velocity[i]);
        let Some(step) = matrix.lu().solve(&target) else {
            return Ok(None);
        };
        let longest = step
            .iter()
            .skip(1)
            .fold(0.0_f64, |most, value| most.max(value.abs()));
        if !longest.is_finite() {
            return Ok(None);
        }
        // At most half a radian at once: farther out the sines are no parabola.
        let damping = (0.5 / longest.max(0.5)).min(1.0);
        for (theta, step) in theta.iter_mut().zip(step.iter()).skip(1) {
            *theta += damping * step;
        }
    }
    Ok(None)
}

fn describe(
    theta: Vec<f64>,
    frequency_rad_s: f64,
    jacobian: &Array2<f64>,
) -> Result<LockedState, TwinError> {
    let n = theta.len();
    let field = mean_field(Array1::from(theta.clone()).view());
    let theta = theta
        .iter()
        .map(|theta| Complex64::cis(theta - field.arg()).arg())
        .collect();
    let mut eigenvalues = eigenvalues(jacobian.view())?;
    eigenvalues.sort_by(|a, b| a.norm().total_cmp(&b.norm()));
    eigenvalues.remove(0);
    eigenvalues.sort_by(|a, b| b.re.total_cmp(&a.re));
    let scale = jacobian
        .iter()
        .fold(0.0_f64, |most, value| most.max(value.abs()));
    let stable = eigenvalues.iter().all(|e| e.re < -1e-9 * scale) && (n == 1 || scale > 0.0);
    Ok(LockedState {
        theta,
        frequency_rad_s,
        eigenvalues,
        stable,
        order: field.norm(),
    })
}

/// The locked states that `starts` random starts and the one with equal phases lead to, each once, most ordered first.
///
/// There may be more than are found. `seed` decides the starts; the number of threads changes nothing.
///
/// # Errors
/// As [`jacobian`].
pub fn locked_states(
    network: &Network,
    starts: usize,
    seed: u64,
) -> Result<Vec<LockedState>, TwinError> {
    let n = network.n_nodes();
    let from = |k: usize| {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        rng.set_stream(u64::try_from(k).expect("starts are counted in 64 bits"));
        let turn = if k == 0 { 0.0 } else { std::f64::consts::TAU };
        let start: Vec<f64> = (0..n).map(|_| turn * rng.random::<f64>()).collect();
        locked_state(network, &start)
    };
    let found: Vec<LockedState> = (0..=starts)
        .into_par_iter()
        .map(from)
        .collect::<Result<Vec<_>, _>>()?
        .into_iter()
        .flatten()
        .collect();
    let mut states: Vec<LockedState> = Vec::new();
    for state in found {
        if !states.iter().any(|other| same_state(other, &state)) {
            states.push(state);
        }
    }
    states.sort_by(|a, b| b.order.total_cmp(&a.order));
    Ok(states)
}

/// Whether two states differ by no more than a rotation.
fn same_state(a: &LockedState, b: &LockedState) -> bool {
    let turn = Complex64::cis(a.theta[0] - b.theta[0]);
    let mut pairs = a.theta.iter().zip(&b.theta);
    pairs.all(|(a, b)| (Complex64::cis(*a) - Complex64::cis(*b) * turn).norm() < 1e-6)
}

/// How far the frequency of a driven node stays from that of the drive, rad/s: 0 inside the Arnold tongue.
///
/// Drives `node` with `A sin(Omega t - theta)` for every pair of amplitude (rows, rad/s) and frequency (columns, rad/s) and
/// measures the node's mean frequency over the second half of `run` from the phases `theta0`. Pairs run in parallel.
///
/// # Errors
/// As [`simulate`].
///
/// Source: key `adler-1946`; a single oscillator locks iff `|omega - Omega| <= A`.
pub fn arnold_tongue(
    network: &Network,
    node: usize,
    amplitudes_rad_s: &[f64],
    frequencies_rad_s: &[f64],
    theta0: &[f64],
    run: &Run,
) -> Result<Array2<f64>, TwinError> {
    let columns = frequencies_rad_s.len();
    let one = |k: usize| {
        let (amplitude_rad_s, frequency_rad_s) = (
            amplitudes_rad_s[k / columns],
            frequencies_rad_s[k % columns],
        );
        let kind = DriveKind::Entrain {
            amplitude_rad_s,
            frequency_rad_s,
            phase_rad: 0.0,
        };
        let driven = network.clone().with_drive(Drive::always(node, kind))?;
        let path = simulate(&driven, theta0, run)?.after(run.duration_s / 2.0);
        let last = path.t_s.len() - 1;
        let advance = path.theta[[node, last]] - path.theta[[node, 0]];
        Ok(advance / (path.t_s[last] - path.t_s[0]) - frequency_rad_s)
    };
    let slips: Vec<f64> = (0..amplitudes_rad_s.len() * columns)
        .into_par_iter()
        .map(one)
        .collect::<Result<_, TwinError>>()?;
    Ok(
        Array2::from_shape_vec((amplitudes_rad_s.len(), columns), slips)
            .expect("one value per pair"),
    )
}
