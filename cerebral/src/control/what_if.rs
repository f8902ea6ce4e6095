//! "What if node X is stimulated?": the same network with the same noise, with and without.

use ndarray::{Array1, Array2};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

use crate::number::float;
use crate::twin::error::TwinError;
use crate::twin::order::{mean, metastability};
use crate::twin::{
    Drive, DriveKind, Method, Network, Run, Trajectory, order_parameter, phase_lag_index, simulate,
};

/// Length, step and number of the runs behind a what-if.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Trials {
    /// Seconds before anything is measured; the stimulus starts with them.
    pub settle_s: f64,
    /// Seconds measured.
    pub measure_s: f64,
    /// Step of Heun's method, seconds.
    pub step_s: f64,
    /// Seeds: each gives initial phases and noise, the same with and without the stimulus.
    pub seeds: usize,
    /// First of the seeds.
    pub seed: u64,
}

impl Default for Trials {
    /// 20 seeds of 2 + 10 s at 2 ms.
    fn default() -> Self {
        Self {
            settle_s: 2.0,
            measure_s: 10.0,
            step_s: 2e-3,
            seeds: 20,
            seed: 1,
        }
    }
}

/// Mean and spread over seeds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Spread {
    /// Mean.
    pub mean: f64,
    /// Standard deviation, divisor n - 1; 0 for one seed.
    pub sd: f64,
}

impl Spread {
    pub(crate) fn of(values: &[f64]) -> Self {
        let n = float(values.len());
        let sd = if values.len() > 1 {
            metastability(values) * (n / (n - 1.0)).sqrt()
        } else {
            0.0
        };
        Self {
            mean: mean(values),
            sd,
        }
    }
}

/// What an effect on the order parameter amounts to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// The mean over seeds is more than three standard errors above 0.
    Raises,
    /// More than three standard errors below 0.
    Lowers,
    /// Neither.
    Unclear,
}

/// The effect of one stimulus.
#[derive(Debug, Clone, PartialEq)]
pub struct WhatIf {
    /// The node stimulated.
    pub node: usize,
    /// The stimulus.
    pub kind: DriveKind,
    /// Seeds behind the figures.
    pub seeds: usize,
    /// Change of the mean order parameter, stimulated less not.
    pub delta_r: Spread,
    /// What that amounts to; says nothing about whether the network itself is to be trusted.
    pub effect: Effect,
    /// Mean change of the phase lag index of every pair, `(n, n)`.
    pub delta_pli: Array2<f64>,
    /// Mean change of every node's mean frequency, hertz, `(n)`.
    pub delta_omega_hz: Array1<f64>,
}

/// Figures of one run.
struct Outcome {
    order: f64,
    pli: Array2<f64>,
    frequency_hz: Array1<f64>,
}

/// Runs `network` with and without `kind` on `node`.
///
/// # Errors
/// [`TwinError::Shape`] for a node that does not exist or no seed at all; others as [`simulate`].
///
/// Checked: a constant c on one node of a locked symmetric network moves the common frequency by `c / N`; Adler's law.
pub fn what_if(
    network: &Network,
    node: usize,
    kind: DriveKind,
    trials: &Trials,
) -> Result<WhatIf, TwinError> {
    let baseline = baseline(network, trials)?;
    against(network, node, kind, trials, &baseline)
}

/// [`what_if`] for every node, the strongest effect on the order parameter first (by absolute mean).
///
/// The runs without stimulus are made once. Runs are parallel; the number of threads changes nothing.
///
/// # Errors
/// As [`what_if`].
pub fn rank_nodes(
    network: &Network,
    kind: DriveKind,
    trials: &Trials,
) -> Result<Vec<WhatIf>, TwinError> {
    let baseline = baseline(network, trials)?;
    let all = (0..network.n_nodes()).into_par_iter();
    let mut ranked: Vec<WhatIf> = all
        .map(|node| against(network, node, kind, trials, &baseline))
        .collect::<Result<_, _>>()?;
    ranked.sort_by(|a, b| b.delta_r.mean.abs().total_cmp(&a.delta_r.mean.abs()));
    Ok(ranked)
}

fn baseline(network: &Network, trials: &Trials) -> Result<Vec<Outcome>, TwinError> {
    if trials.seeds == 0 {
        return Err(TwinError::Shape {
            what: "seeds",
            expected: 1,
            found: 0,
        });
    }
    (0..trials.seeds)
        .into_par_iter()
        .map(|k| outcome(network, trials, k))
        .collect()
}

fn against(
    network: &Network,
    node: usize,
    kind: DriveKind,
    trials: &Trials,
    baseline: &[Outcome],
) -> Result<WhatIf, TwinError> {
    let driven = network.clone().with_drive(Drive::always(node, kind))?;
    let outcomes: Vec<Outcome> = (0..trials.seeds)
        .into_par_iter()
        .map(|k| outcome(&driven, trials, k))
        .collect::<Result<_, _>>()?;
    let n = network.n_nodes();
    let (mut delta_pli, mut delta_omega_hz) = (Array2::zeros((n, n)), Array1::zeros(n));
    let mut delta_r = Vec::with_capacity(trials.seeds);
    for (with, without) in outcomes.iter().zip(baseline) {
        delta_r.push(with.order - without.order);
        delta_pli += &(&with.pli - &without.pli);
        delta_omega_hz += &(&with.frequency_hz - &without.frequency_hz);
    }
    let seeds = float(trials.seeds);
    let delta_r = Spread::of(&delta_r);
    Ok(WhatIf {
        node,
        kind,
        seeds: trials.seeds,
        delta_r,
        effect: effect(delta_r, trials.seeds),
        delta_pli: delta_pli / seeds,
        delta_omega_hz: delta_omega_hz / seeds,
    })
}

/// The rule of three standard errors.
pub(crate) fn effect(delta: Spread, seeds: usize) -> Effect {
    // Beside a spread of 0 (no noise and equal outcomes) rounding counts as nothing.
    let bound = (3.0 * delta.sd / float(seeds).sqrt()).max(1e-9);
    if delta.mean > bound {
        Effect::Raises
    } else if delta.mean < -bound {
        Effect::Lowers
    } else {
        Effect::Unclear
    }
}

/// Initial phases of a seed, rad.
pub(crate) fn initial_phases(n: usize, seed: u64) -> Vec<f64> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    // Noise is drawn from stream 0 of the same seed.
    rng.set_stream(1);
    (0..n)
        .map(|_| std::f64::consts::TAU * rng.random::<f64>())
        .collect()
}

/// The measured part of the run of seed number `k`.
pub(crate) fn trial(network: &Network, trials: &Trials, k: usize) -> Result<Trajectory, TwinError> {
    let seed = trials
        .seed
        .wrapping_add(u64::try_from(k).expect("seeds are counted in 64 bits"));
    let theta0 = initial_phases(network.n_nodes(), seed);
    let run = Run {
        method: Method::Heun,
        duration_s: trials.settle_s + trials.measure_s,
        step_s: trials.step_s,
        record_every: 1,
        seed,
    };
    // Half a step early, so that rounding cannot drop the first sample.
    Ok(simulate(network, &theta0, &run)?.after(trials.settle_s - trials.step_s / 2.0))
}

fn outcome(network: &Network, trials: &Trials, k: usize) -> Result<Outcome, TwinError> {
    let path = trial(network, trials, k)?;
    let last = path.t_s.len() - 1;
    let advance = &path.theta.column(last) - &path.theta.column(0);
    let seconds = path.t_s[last] - path.t_s[0];
    Ok(Outcome {
        order: mean(&order_parameter(path.theta.view())),
        pli: phase_lag_index(path.theta.view()),
        frequency_hz: advance / (seconds * std::f64::consts::TAU),
    })
}
