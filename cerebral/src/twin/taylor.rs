//! The adaptive method: Taylor series in the rotating frame.
//!
//! The model's right-hand side is made of products of sines and cosines, whose Taylor coefficients follow from one another
//! by recurrences (key `jorba-2005`). One more order costs one more pair of mat-vecs, as one more stage of a Runge-Kutta
//! method does, but buys a whole order of accuracy, and the series is its own dense output. Taking the mean frequency out
//! first leaves phases that move slowly, so that steps are long and an absolute tolerance in rad means the same at any time.
//!
//! Not for noise, delays and loops on the mean field (whose phase has no such recurrence).

use ndarray::Array2;

use crate::twin::coupling::Coupling;
use crate::twin::drive::{Drive, DriveKind, Target};
use crate::twin::error::{TwinError, in_range, same_size};
use crate::twin::field::{add_blend, split_by_lag};
use crate::twin::integrate::Trajectory;
use crate::twin::matvec::MatVec;
use crate::twin::network::Network;
use crate::twin::number::{float, whole};

/// What an adaptive run cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Effort {
    /// Steps taken.
    pub steps: usize,
    /// Pairs of mat-vecs, the figure to compare with the stages of a Runge-Kutta method.
    pub evaluations: usize,
}

/// Integrates `network` from `theta0` (rad, shape `(n)`) and returns the phases at `times_s` (rising, from 0 on).
///
/// `tolerance_rad`: absolute error aimed at in any phase at any time asked for, `1e-13..=1e-2`, for networks whose
/// neighbouring solutions do not part exponentially; each step is held to a hundredth of it.
///
/// # Errors
/// [`TwinError::Unsupported`] for noise, delays and mean-field loops; [`TwinError::Shape`] and [`TwinError::Range`] for
/// arguments that do not fit; [`TwinError::Diverged`] where steps become too small.
///
/// Source: key `jorba-2005`. Checked against RK4 with 1 ms and reference trajectories.
pub fn simulate_adaptive(
    network: &Network,
    theta0: &[f64],
    times_s: &[f64],
    tolerance_rad: f64,
) -> Result<(Trajectory, Effort), TwinError> {
    check(network, theta0, times_s, tolerance_rad)?;
    let n = network.n_nodes();
    let mut series = Series::new(network, theta0, tolerance_rad / 100.0)?;
    let breaks = breaks(network, times_s.last().copied().unwrap_or(0.0));
    let mut theta = Array2::zeros((times_s.len(), n));
    let mut effort = Effort::default();
    let mut rows = times_s.iter().zip(theta.outer_iter_mut()).peekable();
    for span in breaks.windows(2) {
        let (mut at_s, until_s) = (span[0], span[1]);
        series.pulses(at_s);
        while at_s < until_s {
            series.expand(at_s);
            effort.steps += 1;
            effort.evaluations += series.order;
            let left_s = until_s - at_s;
            let step_s = series.step_s().min(left_s);
            if !(step_s > 1e-12 || left_s <= 1e-12) {
                return Err(TwinError::Diverged { at_s });
            }
            let next_s = if step_s < left_s {
                at_s + step_s
            } else {
                until_s
            };
            while let Some((t_s, row)) = rows.next_if(|(t_s, _)| **t_s < next_s) {
                series.phases_at(t_s - at_s, *t_s, row);
            }
            series.advance(next_s - at_s);
            at_s = next_s;
        }
    }
    for (t_s, row) in rows {
        series.pulses(*t_s);
        series.expand(*t_s);
        series.phases_at(0.0, *t_s, row);
    }
    Ok((
        Trajectory {
            t_s: times_s.to_vec(),
            theta: theta.reversed_axes(),
        },
        effort,
    ))
}

fn check(
    network: &Network,
    theta0: &[f64],
    times_s: &[f64],
    tolerance_rad: f64,
) -> Result<(), TwinError> {
    let unsupported = |what| {
        Err(TwinError::Unsupported {
            method: "the adaptive method",
            what,
        })
    };
    same_size("initial phases", network.n_nodes(), theta0.len())?;
    in_range("initial phase (rad)", "finite", theta0, |_| true)?;
    in_range("time asked for (s)", "0 and above", times_s, |t| t >= 0.0)?;
    in_range(
        "tolerance (rad)",
        "1e-13 to 1e-2",
        [&tolerance_rad],
        |tolerance| (1e-13..=1e-2).contains(&tolerance),
    )?;
    if let Some(pair) = times_s.windows(2).find(|pair| pair[0] >= pair[1]) {
        return Err(TwinError::Range {
            what: "time asked for (s)",
            value: pair[1],
            range: "rising times",
        });
    }
    let mean_field = |drive: &Drive| {
        matches!(
            drive.kind,
            DriveKind::ClosedLoop {
                target: Target::MeanField,
                ..
            }
        )
    };
    if network.is_noisy() {
        unsupported("noise")
    } else if network.delay_s.is_some() {
        unsupported("delays")
    } else if network.drives.iter().any(mean_field) {
        unsupported("a closed loop on the mean field")
    } else {
        Ok(())
    }
}

/// 0, the end, and whatever lies between at which the right-hand side is not smooth.
fn breaks(network: &Network, end_s: f64) -> Vec<f64> {
    let mut breaks = vec![0.0, end_s];
    breaks.extend(network.coupling.knots_s());
    for drive in &network.drives {
        breaks.extend([drive.from_s, drive.to_s]);
        if let DriveKind::Pulses { period_s, .. } = drive.kind {
            let n_pulses = whole((end_s.min(drive.to_s) - drive.from_s) / period_s).unwrap_or(0);
            breaks.extend((0..=n_pulses).map(|k| drive.from_s + float(k) * period_s));
        }
    }
    breaks.retain(|at_s| (0.0..=end_s).contains(at_s));
    breaks.sort_by(f64::total_cmp);
    breaks.dedup();
    breaks
}

/// The Taylor coefficients of one step; row k of each array is the k-th coefficient of all nodes.
struct Series<'a> {
    network: &'a Network,
    kernel: MatVec,
    frame_rad_s: f64,
    order: usize,
    local_rad: f64,
    even: Coupling,
    odd: Option<Coupling>,
    phase: Array2<f64>,
    velocity: Array2<f64>,
    sin: Array2<f64>,
    cos: Array2<f64>,
    pull_sin: Array2<f64>,
    pull_cos: Array2<f64>,
    drives: Vec<Angle>,
    pulses_given: Vec<usize>,
}

/// Series of the sine and cosine of the angle that a drive looks at.
#[derive(Debug, Clone, Default)]
struct Angle {
    angle: Vec<f64>,
    sin: Vec<f64>,
    cos: Vec<f64>,
}

impl Angle {
    /// Appends the next coefficient of the angle, then those of its sine and cosine.
    fn push(&mut self, next: f64) {
        self.angle.push(next);
        let k = self.angle.len() - 1;
        let (sin, cos) = if k == 0 {
            next.sin_cos()
        } else {
            let sum = |other: &[f64]| {
                (1..=k)
                    .map(|j| float(j) * self.angle[j] * other[k - j])
                    .sum::<f64>()
                    / float(k)
            };
            (sum(&self.cos), -sum(&self.sin))
        };
        self.sin.push(sin);
        self.cos.push(cos);
    }

    fn clear(&mut self) {
        self.angle.clear();
        self.sin.clear();
        self.cos.clear();
    }
}

impl<'a> Series<'a> {
    fn new(network: &'a Network, theta0: &[f64], local_rad: f64) -> Result<Self, TwinError> {
        let n = network.n_nodes();
        // Half the digits asked for, natural logarithm, is the order of least work per simulated second (key
        // `jorba-2005`, section 3.2).
        let order = whole((-local_rad.ln() / 2.0).ceil() + 2.0)
            .unwrap_or(2)
            .max(6);
        let rows = || Array2::zeros((order + 1, n));
        let (even, odd) = split_by_lag(network);
        let mut series = Self {
            network,
            kernel: MatVec::new(),
            frame_rad_s: network.omega_rad_s.mean().expect("a network has nodes"),
            order,
            local_rad,
            even: even.into_owned(),
            odd,
            phase: rows(),
            velocity: rows(),
            sin: rows(),
            cos: rows(),
            pull_sin: rows(),
            pull_cos: rows(),
            drives: vec![Angle::default(); network.drives.len()],
            pulses_given: vec![0; network.drives.len()],
        };
        series
            .phase
            .row_mut(0)
            .iter_mut()
            .zip(theta0)
            .for_each(|(phase, theta)| *phase = *theta);
        let frame = series.frame_rad_s;
        series
            .velocity
            .row_mut(0)
            .iter_mut()
            .zip(&network.omega_rad_s)
            .for_each(|(v, omega)| *v = omega - frame);
        Ok(series)
    }

    /// Gives the pulses due at or before `at_s`.
    fn pulses(&mut self, at_s: f64) {
        for (drive, given) in self.network.drives.iter().zip(&mut self.pulses_given) {
            if let DriveKind::Pulses {
                strength_rad,
                period_s,
            } = drive.kind
            {
                loop {
                    let due_s = drive.from_s + float(*given) * period_s;
                    if due_s > at_s || due_s >= drive.to_s {
                        break;
                    }
                    if due_s >= 0.0 {
                        let phase = &mut self.phase[[0, drive.node]];
                        *phase -= strength_rad * (*phase + self.frame_rad_s * due_s).sin();
                    }
                    *given += 1;
                }
            }
        }
    }

    /// Fills all coefficients from those of order 0.
    fn expand(&mut self, at_s: f64) {
        self.drives.iter_mut().for_each(Angle::clear);
        for k in 0..self.order {
            self.sines(k);
            self.pulls(k, at_s);
            self.next(k, at_s);
        }
    }

    /// Coefficient k of sine and cosine of every phase.
    fn sines(&mut self, k: usize) {
        if k == 0 {
            for (i, phase) in self.phase.row(0).iter().enumerate() {
                (self.sin[[0, i]], self.cos[[0, i]]) = phase.sin_cos();
            }
            return;
        }
        let (sin_done, mut sin) = self.sin.view_mut().split_at(ndarray::Axis(0), k);
        let (cos_done, mut cos) = self.cos.view_mut().split_at(ndarray::Axis(0), k);
        let (mut sin, mut cos) = (sin.row_mut(0), cos.row_mut(0));
        sin.fill(0.0);
        cos.fill(0.0);
        for j in 1..=k {
            let weight = float(j) / float(k);
            let phase = self.phase.row(j);
            let (s, c) = (sin_done.row(k - j), cos_done.row(k - j));
            for i in 0..phase.len() {
                sin[i] += weight * phase[i] * c[i];
                cos[i] -= weight * phase[i] * s[i];
            }
        }
    }

    /// Coefficient k of `K(t) s` and `K(t) c`; K is linear in time within a step.
    fn pulls(&mut self, k: usize, at_s: f64) {
        self.pull_sin.row_mut(k).fill(0.0);
        self.pull_cos.row_mut(k).fill(0.0);
        let order_of = |k: usize| (self.sin.row(k), self.cos.row(k));
        let mut add = |coupling: &Coupling,
                       signs: [f64; 2],
                       swap: bool,
                       k_in: usize,
                       slope: bool| {
            let (s, c) = order_of(k_in);
            let (s, c) = (
                s.to_slice().expect("rows are contiguous"),
                c.to_slice().expect("rows are contiguous"),
            );
            let inputs = if swap { [c, s] } else { [s, c] };
            let mut x = self.pull_sin.row_mut(k);
            let mut y = self.pull_cos.row_mut(k);
            let x = x.as_slice_mut().expect("rows are contiguous");
            let y = y.as_slice_mut().expect("rows are contiguous");
            if slope {
                for (index, weight) in coupling.slope_at(at_s) {
                    if weight.abs() > 0.0 {
                        let matrix = coupling.matrices()[index]
                            .as_slice()
                            .expect("standard layout");
                        self.kernel
                            .add(matrix, signs.map(|sign| sign * weight), inputs, [x, y]);
                    }
                }
            } else {
                add_blend(&self.kernel, coupling, at_s, signs, inputs, [x, y]);
            }
        };
        for slope in [false, true] {
            if slope && k == 0 {
                continue;
            }
            let k_in = if slope { k - 1 } else { k };
            add(&self.even, [1.0; 2], false, k_in, slope);
            if let Some(odd) = &self.odd {
                add(odd, [-1.0, 1.0], true, k_in, slope);
            }
        }
    }

    /// Coefficient k of the velocity asked for and, from it, k + 1 of the phase.
    fn next(&mut self, k: usize, at_s: f64) {
        let n = self.network.n_nodes();
        let mut force = vec![0.0; n];
        if k == 0 {
            force
                .iter_mut()
                .zip(&self.network.omega_rad_s)
                .for_each(|(f, omega)| *f = omega - self.frame_rad_s);
        }
        for j in 0..=k {
            let (s, c) = (self.sin.row(j), self.cos.row(j));
            let (x, y) = (self.pull_sin.row(k - j), self.pull_cos.row(k - j));
            for i in 0..n {
                force[i] += c[i] * x[i] - s[i] * y[i];
            }
        }
        for (drive, angle) in self.network.drives.iter().zip(&mut self.drives) {
            if drive.is_on(at_s) {
                force[drive.node] +=
                    drive_coefficient(drive, angle, k, at_s, &self.phase, self.frame_rad_s);
            }
        }
        let over = 1.0 / float(k + 1);
        match &self.network.inertia_s {
            None => {
                for (i, force) in force.iter().enumerate() {
                    self.phase[[k + 1, i]] = force * over;
                }
            }
            Some(inertia) => {
                for (i, force) in force.iter().enumerate() {
                    self.phase[[k + 1, i]] = self.velocity[[k, i]] * over;
                    self.velocity[[k + 1, i]] = (force - self.velocity[[k, i]]) / inertia[i] * over;
                }
            }
        }
    }

    /// The longest step whose last two terms stay within the local tolerance.
    fn step_s(&self) -> f64 {
        [self.order - 1, self.order]
            .into_iter()
            .map(|k| {
                let largest = self
                    .phase
                    .row(k)
                    .iter()
                    .fold(0.0_f64, |most, value| most.max(value.abs()));
                if largest > 0.0 {
                    (self.local_rad / largest).powf(1.0 / float(k))
                } else {
                    f64::INFINITY
                }
            })
            .fold(f64::INFINITY, f64::min)
    }

    /// Phases `h` seconds into the step, that is at `t_s`, in the frame at rest.
    fn phases_at(&self, h: f64, t_s: f64, mut row: ndarray::ArrayViewMut1<'_, f64>) {
        horner(
            &self.phase,
            h,
            row.as_slice_mut().expect("rows are contiguous"),
        );
        row += self.frame_rad_s * t_s;
    }

    /// Makes the state `h` seconds into the step the new order 0.
    fn advance(&mut self, h: f64) {
        let mut next = vec![0.0; self.network.n_nodes()];
        horner(&self.phase, h, &mut next);
        self.phase
            .row_mut(0)
            .as_slice_mut()
            .expect("rows are contiguous")
            .copy_from_slice(&next);
        if self.network.inertia_s.is_some() {
            horner(&self.velocity, h, &mut next);
            self.velocity
                .row_mut(0)
                .as_slice_mut()
                .expect("rows are contiguous")
                .copy_from_slice(&next);
        }
    }
}

/// Sum of the series at `h`.
fn horner(coefficients: &Array2<f64>, h: f64, out: &mut [f64]) {
    out.fill(0.0);
    for row in coefficients.outer_iter().rev() {
        out.iter_mut()
            .zip(row)
            .for_each(|(out, value)| *out = *out * h + value);
    }
}

/// Coefficient k of what a drive adds to the velocity of its node.
fn drive_coefficient(
    drive: &Drive,
    angle: &mut Angle,
    k: usize,
    at_s: f64,
    phase: &Array2<f64>,
    frame: f64,
) -> f64 {
    let own = phase[[k, drive.node]];
    match drive.kind {
        DriveKind::Constant { torque_rad_s } => {
            if k == 0 {
                torque_rad_s
            } else {
                0.0
            }
        }
        DriveKind::Pulses { .. } => 0.0,
        DriveKind::Entrain {
            amplitude_rad_s,
            frequency_rad_s,
            phase_rad,
        } => {
            let slip = frequency_rad_s - frame;
            angle.push(match k {
                0 => slip * at_s + phase_rad - own,
                1 => slip - own,
                _ => -own,
            });
            amplitude_rad_s * angle.sin[k]
        }
        DriveKind::ClosedLoop {
            amplitude_rad_s,
            delta_rad,
            target,
        } => {
            let followed = match target {
                Target::Node(other) => phase[[k, other]],
                Target::MeanField => unreachable!("refused before the run"),
            };
            angle.push(followed - own + if k == 0 { delta_rad } else { 0.0 });
            amplitude_rad_s * angle.sin[k]
        }
    }
}
