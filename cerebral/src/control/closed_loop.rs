//! The best closed loop: which node to steer, how strongly and with which offset, for a stated aim.

use std::cell::Cell;
use std::f64::consts::{PI, TAU};

use argmin::core::{CostFunction, Executor};
use argmin::solver::neldermead::NelderMead;
use rayon::prelude::*;

use crate::control::what_if::{Trials, trial};
use crate::twin::error::{TwinError, in_range};
use crate::twin::order::mean;
use crate::twin::{Drive, DriveKind, Network, Target, order_parameter};

/// The aim: `(r - wanted)^2 + cost * A^2`, r being the mean order parameter over time and seeds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Objective {
    /// The order parameter wanted, `[0, 1]`.
    pub wanted_r: f64,
    /// What an amplitude costs, (rad/s)^-2, at least 0.
    pub cost: f64,
}

impl std::fmt::Display for Objective {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "(r - {})^2 + {} A^2", self.wanted_r, self.cost)
    }
}

/// Where the search may go.
#[derive(Debug, Clone, PartialEq)]
pub struct Search {
    /// Nodes to try; each is searched by itself.
    pub nodes: Vec<usize>,
    /// Largest amplitude, rad/s, above 0.
    pub most_rad_s: f64,
    /// Amplitude of the first guess, rad/s, above 0 up to `most_rad_s`; its offset is 0.
    pub start_rad_s: f64,
    /// Iterations of the Nelder-Mead method per node.
    pub iterations: u64,
    /// Runs behind each evaluation.
    pub trials: Trials,
}

/// The best loop found.
#[derive(Debug, Clone, PartialEq)]
pub struct ClosedLoop {
    /// The aim.
    pub objective: Objective,
    /// The node that is steered towards the mean field.
    pub node: usize,
    /// Amplitude, rad/s.
    pub amplitude_rad_s: f64,
    /// Offset, rad, in (-pi, pi]: 0 pulls towards the mean field, pi pushes away.
    pub delta_rad: f64,
    /// Objective at the first guess on this node.
    pub start: f64,
    /// Objective at the end.
    pub end: f64,
    /// Objective without stimulation.
    pub baseline: f64,
    /// Mean order parameter at the end.
    pub order: f64,
    /// Mean order parameter without stimulation.
    pub baseline_order: f64,
    /// Evaluations of the objective over all nodes, the baseline included.
    pub evaluations: usize,
}

/// Searches the amplitude and offset of `u = A sin(phi_field + delta - theta)` on each node, and returns the best.
///
/// Every evaluation uses the same seeds, so the objective is a smooth function and two evaluations differ by the stimulus
/// alone. The search runs in the plane `(A cos delta, A sin delta)`, where no stimulation is a point and not an edge.
///
/// # Errors
/// [`TwinError::Range`] for settings out of range, [`TwinError::Shape`] for no node or one that does not exist; others as
/// [`crate::twin::simulate`].
///
/// Source: key `nelder-1965`. Checked: an offset of 0 raises the coherence, pi lowers it.
pub fn optimise(
    network: &Network,
    objective: Objective,
    search: &Search,
) -> Result<ClosedLoop, TwinError> {
    in_range(
        "order parameter wanted",
        "0 to 1",
        [&objective.wanted_r],
        |r| (0.0..=1.0).contains(&r),
    )?;
    in_range(
        "cost of an amplitude",
        "0 and above",
        [&objective.cost],
        |cost| cost >= 0.0,
    )?;
    in_range(
        "largest amplitude (rad/s)",
        "above 0",
        [&search.most_rad_s],
        |a| a > 0.0,
    )?;
    let legal = |a: f64| a > 0.0 && a <= search.most_rad_s;
    in_range(
        "first amplitude (rad/s)",
        "above 0 to the largest",
        [&search.start_rad_s],
        legal,
    )?;
    if search.nodes.is_empty() || search.trials.seeds == 0 {
        return Err(TwinError::Shape {
            what: "nodes or seeds of a search",
            expected: 1,
            found: 0,
        });
    }
    let baseline_order = mean_order(network, &search.trials)?;
    let baseline = (baseline_order - objective.wanted_r).powi(2);
    let mut best: Option<ClosedLoop> = None;
    let mut evaluations = 1;
    for node in &search.nodes {
        let problem = Problem {
            network,
            objective,
            search,
            node: *node,
            evaluations: Cell::new(0),
        };
        let start = problem.value([search.start_rad_s, 0.0])?;
        let (place, end) = problem.minimise()?;
        evaluations += problem.evaluations.get();
        if best.as_ref().is_none_or(|best| end < best.end) {
            let (amplitude_rad_s, delta_rad) = problem.polar(place);
            best = Some(ClosedLoop {
                objective,
                node: *node,
                amplitude_rad_s,
                delta_rad,
                start,
                end,
                baseline,
                order: f64::NAN,
                baseline_order,
                evaluations: 0,
            });
        }
    }
    let mut best = best.expect("there is at least one node");
    let driven = steered(network, best.node, best.amplitude_rad_s, best.delta_rad)?;
    best.order = mean_order(&driven, &search.trials)?;
    best.evaluations = evaluations + 1;
    Ok(best)
}

/// The network with a loop on one node.
fn steered(
    network: &Network,
    node: usize,
    amplitude_rad_s: f64,
    delta_rad: f64,
) -> Result<Network, TwinError> {
    let kind = DriveKind::ClosedLoop {
        amplitude_rad_s,
        delta_rad,
        target: Target::MeanField,
    };
    network.clone().with_drive(Drive::always(node, kind))
}

fn mean_order(network: &Network, trials: &Trials) -> Result<f64, TwinError> {
    let one = |k: usize| {
        Ok(mean(&order_parameter(
            trial(network, trials, k)?.theta.view(),
        )))
    };
    let orders: Vec<f64> = (0..trials.seeds)
        .into_par_iter()
        .map(one)
        .collect::<Result<_, TwinError>>()?;
    Ok(mean(&orders))
}

struct Problem<'a> {
    network: &'a Network,
    objective: Objective,
    search: &'a Search,
    node: usize,
    evaluations: Cell<usize>,
}

impl Problem<'_> {
    /// Amplitude, cut to the largest allowed, and offset.
    fn polar(&self, [x, y]: [f64; 2]) -> (f64, f64) {
        let delta = f64::atan2(y, x);
        (
            x.hypot(y).min(self.search.most_rad_s),
            if delta <= -PI { delta + TAU } else { delta },
        )
    }

    fn value(&self, place: [f64; 2]) -> Result<f64, TwinError> {
        self.evaluations.set(self.evaluations.get() + 1);
        let (amplitude, delta) = self.polar(place);
        let driven = steered(self.network, self.node, amplitude, delta)?;
        let order = mean_order(&driven, &self.search.trials)?;
        // Beyond the largest amplitude the objective rises, so that the search comes back.
        let beyond =
            (place[0].hypot(place[1]) - self.search.most_rad_s).max(0.0) / self.search.most_rad_s;
        Ok((order - self.objective.wanted_r).powi(2)
            + self.objective.cost * amplitude * amplitude
            + beyond * beyond)
    }

    fn minimise(&self) -> Result<([f64; 2], f64), TwinError> {
        let a = self.search.start_rad_s;
        // A triangle around no stimulation, so that raising and lowering are both in reach.
        let corners = (0..3).map(|k| a * TAU.mul_add(f64::from(k) / 3.0, 0.0).cos());
        let simplex: Vec<Vec<f64>> = corners
            .zip(0..3)
            .map(|(x, k)| vec![x, a * (TAU * f64::from(k) / 3.0).sin()])
            .collect();
        let solver = NelderMead::new(simplex)
            .with_sd_tolerance(1e-7)
            .map_err(|_| failed())?;
        let result = Executor::new(self, solver)
            .configure(|state| state.max_iters(self.search.iterations))
            .run()
            .map_err(|error| error.downcast::<TwinError>().unwrap_or_else(|_| failed()))?;
        let best = result.state.best_param.ok_or_else(failed)?;
        Ok(([best[0], best[1]], result.state.best_cost))
    }
}

/// The optimiser refused what was checked before: no value was finite.
fn failed() -> TwinError {
    TwinError::Range {
        what: "objective",
        value: f64::NAN,
        range: "finite",
    }
}

impl CostFunction for &Problem<'_> {
    type Param = Vec<f64>;
    type Output = f64;

    fn cost(&self, place: &Self::Param) -> Result<Self::Output, argmin::core::Error> {
        Ok(self.value([place[0], place[1]])?)
    }
}
