//! How close a network is to synchrony.
//!
//! Estimates of different reach stand side by side; none of them is a verdict on a fitted network.

use ndarray::{Array2, ArrayView1, ArrayView2};
use rayon::prelude::*;

use crate::twin::coupling::Coupling;
use crate::twin::eigen::eigenvalues;
use crate::twin::error::{TwinError, in_range};
use crate::twin::integrate::{Run, simulate};
use crate::twin::locked::locked_state;
use crate::twin::network::Network;
use crate::twin::number::float;
use crate::twin::order::{mean, metastability, order_parameter};

/// Share of N - 1 neighbours that each node of an unweighted symmetric graph must have for identical oscillators to have
/// full synchrony as their only attractor (almost surely reached from anywhere). Key `kassabov-dense`: 0.75 proved;
/// dense graphs without it are known just below 0.6838, key `yoneda-2021`.
pub const CRITICAL_CONNECTIVITY: f64 = 0.6838;

/// The critical coupling of infinitely many oscillators coupled all to all with `K / N`: `2 / (pi g(centre))`.
///
/// `density_at_centre`: density of the natural frequencies at the centre of their symmetric, one-peaked distribution, s/rad.
/// Lorentzian of half width gamma: 2 gamma. Normal of deviation s: 1.596 s.
///
/// Source: key `kuramoto-1984`.
pub fn mean_field_critical_coupling(density_at_centre: f64) -> f64 {
    2.0 / (std::f64::consts::PI * density_at_centre)
}

/// Kernel estimate of the density of `omega` (rad/s) at its mean, s/rad; infinite where all are equal.
///
/// Normal kernel with Silverman's width `1.06 sd n^(-1/5)`.
pub fn density_at_mean(omega: ArrayView1<'_, f64>) -> f64 {
    let values = omega.to_vec();
    let (centre, n) = (mean(&values), float(values.len()));
    let width = 1.06 * metastability(&values) * n.powf(-0.2);
    let kernel = |value: &f64| (-0.5 * ((value - centre) / width).powi(2)).exp();
    if width > 0.0 {
        values.iter().map(kernel).sum::<f64>() / (n * width * std::f64::consts::TAU.sqrt())
    } else {
        f64::INFINITY
    }
}

/// Critical scale of a given network: synchrony sets in near `scale * K` with `scale = Kc / lambda`, `lambda` the largest
/// eigenvalue of K and Kc the mean-field value for its frequencies. Above 1: the network is below its transition.
///
/// Source: key `restrepo-2005` (their eq. for the perturbation theory's lowest order). For networks of many links per node.
/// NaN where no eigenvalue is above 0.
///
/// # Errors
/// [`TwinError::Singular`] for entries that are not finite, or where the eigenvalues are not found.
pub fn spectral_critical_scale(
    omega: ArrayView1<'_, f64>,
    coupling: ArrayView2<'_, f64>,
) -> Result<f64, TwinError> {
    let real_parts = eigenvalues(coupling)?.into_iter().map(|e| e.re);
    let largest = real_parts.fold(f64::NAN, f64::max);
    Ok(if largest > 0.0 {
        mean_field_critical_coupling(density_at_mean(omega)) / largest
    } else {
        f64::NAN
    })
}

/// The smallest factor on all couplings at which a stable locked state is found, to 1 part in 1e4; `None` if there is none up
/// to a factor of 1000.
///
/// Follows the most ordered state down from strong coupling, halving the interval. A finite network without noise.
///
/// # Errors
/// As [`locked_state`].
pub fn locking_threshold(network: &Network) -> Result<Option<f64>, TwinError> {
    let n = network.n_nodes();
    let scaled = |factor: f64| Network {
        coupling: network.coupling.map(|matrix| matrix * factor),
        ..network.clone()
    };
    let locks = |factor: f64, start: &[f64]| {
        Ok::<_, TwinError>(
            locked_state(&scaled(factor), start)?
                .filter(|state| state.stable)
                .map(|state| state.theta.to_vec()),
        )
    };
    let (mut above, mut start) = (1000.0, vec![0.0; n]);
    match locks(above, &start)? {
        None => return Ok(None),
        Some(theta) => start = theta,
    }
    let mut below = 0.0;
    while above - below > 1e-4 * above {
        // By factors first: the threshold may be anywhere between 0 and 1000.
        let middle = if below > 0.0 {
            (above + below) / 2.0
        } else {
            above / 1.5
        };
        match locks(middle, &start)? {
            Some(theta) => (above, start) = (middle, theta),
            None => below = middle,
        }
        if above < 1e-6 {
            return Ok(Some(0.0));
        }
    }
    Ok(Some(above))
}

/// Synchrony at one factor on all couplings.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SweepPoint {
    /// The factor.
    pub factor: f64,
    /// Mean of r over the second half of the run.
    pub order: f64,
    /// Its standard deviation: largest near the transition.
    pub metastability: f64,
}

/// Mean order and metastability for each of `factors` on all couplings, from the phases `theta0`; runs in parallel, all with
/// the same noise.
///
/// # Errors
/// As [`simulate`].
pub fn coupling_sweep(
    network: &Network,
    factors: &[f64],
    theta0: &[f64],
    run: &Run,
) -> Result<Vec<SweepPoint>, TwinError> {
    let one = |factor: &f64| {
        let scaled = Network {
            coupling: network.coupling.map(|matrix| matrix * *factor),
            ..network.clone()
        };
        let path = simulate(&scaled, theta0, run)?.after(run.duration_s / 2.0);
        let order = order_parameter(path.theta.view());
        Ok(SweepPoint {
            factor: *factor,
            order: mean(&order),
            metastability: metastability(&order),
        })
    };
    in_range("factor on the coupling", "finite", factors, |_| true)?;
    factors.par_iter().map(one).collect()
}

/// The minimum connectivity of the graph that a threshold makes of K.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Connectivity {
    /// Smallest number of neighbours over N - 1.
    pub ratio: f64,
    /// Couplings above this absolute value, in either direction, made an edge; rad/s.
    pub threshold_rad_s: f64,
    /// [`CRITICAL_CONNECTIVITY`], to print beside it.
    pub critical: f64,
}

/// Smallest degree over N - 1 of the undirected graph with an edge where `|K_ij|` or `|K_ji|` exceeds `threshold_rad_s`.
///
/// A statement on identical frequencies and unweighted symmetric graphs. NaN below two nodes.
pub fn minimum_connectivity(coupling: ArrayView2<'_, f64>, threshold_rad_s: f64) -> Connectivity {
    let n = coupling.nrows();
    let edge = |i: usize, j: usize| {
        i != j && coupling[[i, j]].abs().max(coupling[[j, i]].abs()) > threshold_rad_s
    };
    let degree = |i: usize| (0..n).filter(|j| edge(i, *j)).count();
    let least = (0..n).map(degree).min().unwrap_or(0);
    Connectivity {
        ratio: float(least) / (float(n) - 1.0),
        threshold_rad_s,
        critical: CRITICAL_CONNECTIVITY,
    }
}

/// All to all with `strength / N`, zero diagonal.
pub fn all_to_all(n_nodes: usize, strength: f64) -> Coupling {
    let each = strength / float(n_nodes);
    Coupling::Constant(Array2::from_shape_fn((n_nodes, n_nodes), |(i, j)| {
        if i == j { 0.0 } else { each }
    }))
}
