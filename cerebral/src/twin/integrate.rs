//! Fixed steps through time: Euler(-Maruyama), Heun, classical Runge-Kutta. Seeds and steps are arguments; nothing is
//! parallel inside a run, runs are (see `control`).

use ndarray::{Array2, Axis, Slice};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};

use crate::twin::drive::DriveKind;
use crate::twin::error::{TwinError, in_range, same_size};
use crate::twin::field::{Field, Instant};
use crate::twin::history::{History, Interpolation};
use crate::twin::network::Network;
use crate::twin::number::{float, whole};

/// How one step is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// First order; with noise Euler-Maruyama (strong order 1 for additive noise).
    Euler,
    /// Second order without noise; with noise the stochastic Heun method.
    Heun,
    /// Fourth order; refuses noise, for which its order means nothing.
    Rk4,
}

/// Length, step and noise of a run.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Run {
    /// How one step is taken.
    pub method: Method,
    /// Simulated seconds: a whole number of steps.
    pub duration_s: f64,
    /// Step in seconds, above 0.
    pub step_s: f64,
    /// Every how many steps the phases are kept, at least 1; the start is kept always.
    pub record_every: usize,
    /// Seed of the noise. The noise depends on seed, step number and node alone, so runs with and without a stimulus see
    /// the same noise.
    pub seed: u64,
}

/// Phases over time.
#[derive(Debug, Clone, PartialEq)]
pub struct Trajectory {
    /// Times of the columns, seconds from the start.
    pub t_s: Vec<f64>,
    /// Unwrapped phases in rad, shape `(n_nodes, t_s.len())`.
    pub theta: Array2<f64>,
}

impl Trajectory {
    /// Phases at the last time kept.
    pub fn last(&self) -> Vec<f64> {
        self.theta.column(self.theta.ncols() - 1).to_vec()
    }

    /// The trajectory from `from_s` on, for measures that should not see the start.
    pub fn after(&self, from_s: f64) -> Self {
        let first = self.t_s.partition_point(|t| *t < from_s);
        Self {
            t_s: self.t_s[first..].to_vec(),
            theta: self
                .theta
                .slice_axis(Axis(1), Slice::from(first..))
                .to_owned(),
        }
    }
}

/// Integrates `network` from the phases `theta0` (rad, shape `(n)`).
///
/// # Errors
/// [`TwinError::Shape`] for the wrong number of phases; [`TwinError::Range`] for a step, duration or delay that does not
/// fit; [`TwinError::Unsupported`] for noise with [`Method::Rk4`]; [`TwinError::Diverged`] where numbers stop being finite.
///
/// Checked against closed forms (locking, beats, delays, noise) and reference trajectories to 1e-8 rad.
pub fn simulate(network: &Network, theta0: &[f64], run: &Run) -> Result<Trajectory, TwinError> {
    let n_steps = check(network, theta0, run)?;
    let n = network.n_nodes();
    let mut stepper = Stepper::new(network, theta0, run)?;
    let n_kept = n_steps / run.record_every + 1;
    let mut kept = Vec::with_capacity(n_kept);
    let mut theta = Array2::zeros((n_kept, n));
    for step in 0..=n_steps {
        stepper.pulses(step);
        if step % run.record_every == 0 {
            let mut row = theta.row_mut(kept.len());
            row.as_slice_mut()
                .expect("rows are contiguous")
                .copy_from_slice(&stepper.state[..n]);
            kept.push(float(step) * run.step_s);
        }
        if step < n_steps {
            stepper.step(step);
        }
    }
    if stepper.state.iter().any(|value| !value.is_finite()) {
        return Err(TwinError::Diverged {
            at_s: run.duration_s,
        });
    }
    Ok(Trajectory {
        t_s: kept,
        theta: theta.reversed_axes(),
    })
}

fn check(network: &Network, theta0: &[f64], run: &Run) -> Result<usize, TwinError> {
    same_size("initial phases", network.n_nodes(), theta0.len())?;
    in_range("initial phase (rad)", "finite", theta0, |_| true)?;
    in_range("step (s)", "above 0", [&run.step_s], |step| step > 0.0)?;
    in_range(
        "duration (s)",
        "0 and above",
        [&run.duration_s],
        |duration| duration >= 0.0,
    )?;
    if run.record_every == 0 {
        return Err(TwinError::Range {
            what: "steps from record to record",
            value: 0.0,
            range: "1 and above",
        });
    }
    if run.method == Method::Rk4 && network.is_noisy() {
        return Err(TwinError::Unsupported {
            method: "RK4",
            what: "noise",
        });
    }
    let steps = run.duration_s / run.step_s;
    let off = TwinError::Range {
        what: "duration (steps)",
        value: steps,
        range: "whole numbers below 2^32",
    };
    if (steps - steps.round()).abs() > 1e-6 {
        return Err(off);
    }
    whole(steps.round()).ok_or(off)
}

/// State and scratch of one run. The state is the phases, followed by the velocities where there is inertia.
struct Stepper<'a> {
    network: &'a Network,
    run: &'a Run,
    field: Field<'a>,
    past: Option<History>,
    noise: Option<ChaCha8Rng>,
    kicks: Vec<f64>,
    /// Pulses already given by each drive.
    given: Vec<usize>,
    state: Vec<f64>,
    stage: Vec<f64>,
    rates: [Vec<f64>; 4],
}

impl<'a> Stepper<'a> {
    fn new(network: &'a Network, theta0: &[f64], run: &'a Run) -> Result<Self, TwinError> {
        let mut state = theta0.to_vec();
        if network.inertia_s.is_some() {
            state.extend(&network.omega_rad_s);
        }
        let interpolation = if network.is_noisy() {
            Interpolation::Linear
        } else {
            Interpolation::Cubic
        };
        let past = network
            .delay_s
            .as_ref()
            .map(|delay_s| {
                History::new(
                    delay_s,
                    run.step_s,
                    theta0,
                    &network.omega_rad_s,
                    interpolation,
                )
            })
            .transpose()?;
        let zeros = || vec![0.0; state.len()];
        Ok(Self {
            network,
            run,
            field: Field::new(network),
            past,
            noise: network
                .is_noisy()
                .then(|| ChaCha8Rng::seed_from_u64(run.seed)),
            kicks: vec![0.0; network.n_nodes()],
            given: vec![0; network.drives.len()],
            stage: zeros(),
            rates: [zeros(), zeros(), zeros(), zeros()],
            state,
        })
    }

    /// Gives the pulses that are due at the start of `step`.
    fn pulses(&mut self, step: usize) {
        for (drive, given) in self.network.drives.iter().zip(&mut self.given) {
            if let DriveKind::Pulses {
                strength_rad,
                period_s,
            } = drive.kind
            {
                loop {
                    let due_s = drive.from_s + float(*given) * period_s;
                    if due_s >= drive.to_s || (due_s / self.run.step_s).round() > float(step) {
                        break;
                    }
                    if due_s >= 0.0 {
                        self.state[drive.node] -= strength_rad * self.state[drive.node].sin();
                    }
                    *given += 1;
                }
            }
        }
    }

    fn step(&mut self, step: usize) {
        let n = self.network.n_nodes();
        let h = self.run.step_s;
        let from_s = float(step) * h;
        if let Some(past) = &mut self.past {
            past.push(&self.state[..n]);
        }
        self.draw(h.sqrt());
        self.stage.copy_from_slice(&self.state);
        match self.run.method {
            Method::Euler => {
                self.rate(0, from_s, 0.0);
                self.advance([h, 0.0, 0.0, 0.0]);
            }
            Method::Heun => {
                self.rate(0, from_s, 0.0);
                self.predict(0, h);
                self.kick_stage();
                self.rate(1, from_s, 1.0);
                self.advance([h / 2.0, h / 2.0, 0.0, 0.0]);
            }
            Method::Rk4 => {
                self.rate(0, from_s, 0.0);
                self.predict(0, h / 2.0);
                self.rate(1, from_s, 0.5);
                self.predict(1, h / 2.0);
                self.rate(2, from_s, 0.5);
                self.predict(2, h);
                self.rate(3, from_s, 1.0);
                self.advance([h / 6.0, h / 3.0, h / 3.0, h / 6.0]);
            }
        }
    }

    /// Draws this step's noise, for every node whether it has noise or not, so that networks of one size share it.
    fn draw(&mut self, root_step: f64) {
        if let Some(rng) = &mut self.noise {
            for (node, kick) in self.kicks.iter_mut().enumerate() {
                let normal: f64 = StandardNormal.sample(rng);
                let mass = self
                    .network
                    .inertia_s
                    .as_ref()
                    .map_or(1.0, |inertia| inertia[node]);
                *kick = self.network.noise[node] * root_step * normal / mass;
            }
        }
    }

    /// Where the noise acts: on the phases, or with inertia on the velocities.
    fn noisy_part<'s>(network: &Network, state: &'s mut [f64]) -> &'s mut [f64] {
        let n = network.n_nodes();
        if network.inertia_s.is_some() {
            &mut state[n..]
        } else {
            &mut state[..n]
        }
    }

    fn kick_stage(&mut self) {
        let part = Self::noisy_part(self.network, &mut self.stage);
        part.iter_mut()
            .zip(&self.kicks)
            .for_each(|(value, kick)| *value += kick);
    }

    /// Derivative of the state at `self.stage`, `offset` of a step after `from_s`.
    fn rate(&mut self, slot: usize, from_s: f64, offset: f64) {
        let n = self.network.n_nodes();
        let instant = Instant {
            at_s: from_s + offset * self.run.step_s,
            step_from_s: from_s,
            offset,
        };
        let (phases, velocities) = self.stage.split_at(n);
        let rate = &mut self.rates[slot];
        match &self.network.inertia_s {
            None => self
                .field
                .velocity(instant, phases, self.past.as_ref(), rate),
            Some(inertia) => {
                let (phase_rate, velocity_rate) = rate.split_at_mut(n);
                phase_rate.copy_from_slice(velocities);
                self.field
                    .velocity(instant, phases, self.past.as_ref(), velocity_rate);
                for ((rate, velocity), mass) in
                    velocity_rate.iter_mut().zip(velocities).zip(inertia)
                {
                    *rate = (*rate - velocity) / mass;
                }
            }
        }
    }

    /// The stage `state + h rate[slot]`.
    fn predict(&mut self, slot: usize, h: f64) {
        for ((stage, state), rate) in self
            .stage
            .iter_mut()
            .zip(&self.state)
            .zip(&self.rates[slot])
        {
            *stage = state + h * rate;
        }
    }

    fn advance(&mut self, weights: [f64; 4]) {
        for (k, state) in self.state.iter_mut().enumerate() {
            *state += weights
                .iter()
                .zip(&self.rates)
                .map(|(weight, rate)| weight * rate[k])
                .sum::<f64>();
        }
        let part = Self::noisy_part(self.network, &mut self.state);
        part.iter_mut()
            .zip(&self.kicks)
            .for_each(|(value, kick)| *value += kick);
    }
}
