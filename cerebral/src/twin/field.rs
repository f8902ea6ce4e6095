//! The velocity of every phase at one instant, in mat-vec form: `c_i (K s)_i - s_i (K c)_i` needs two mat-vecs and 2N
//! sines instead of N^2 (four mat-vecs with phase lags; with delays there is no such form and N^2 sines are paid).

use std::borrow::Cow;

use crate::twin::coupling::Coupling;
use crate::twin::drive::{Drive, DriveKind, Target};
use crate::twin::history::History;
use crate::twin::matvec::MatVec;
use crate::twin::network::Network;

/// The instant at which a velocity is asked for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Instant {
    /// Time of this stage, seconds.
    pub(crate) at_s: f64,
    /// Time at which the step began: a drive that is on then is on for the whole step.
    pub(crate) step_from_s: f64,
    /// Share of the step, 0 to 1, at which this stage lies.
    pub(crate) offset: f64,
}

/// Right-hand side of a network, with its scratch space.
pub(crate) struct Field<'a> {
    network: &'a Network,
    kernel: MatVec,
    /// `K cos(alpha)`.
    even: Cow<'a, Coupling>,
    /// `K sin(alpha)`, where there are lags.
    odd: Option<Coupling>,
    sin: Vec<f64>,
    cos: Vec<f64>,
    pull_sin: Vec<f64>,
    pull_cos: Vec<f64>,
}

/// `K cos(alpha)` and, where there are lags, `K sin(alpha)`.
pub(crate) fn split_by_lag(network: &Network) -> (Cow<'_, Coupling>, Option<Coupling>) {
    match &network.lag_rad {
        None => (Cow::Borrowed(&network.coupling), None),
        Some(lag) => (
            Cow::Owned(network.coupling.map(|matrix| matrix * &lag.mapv(f64::cos))),
            Some(network.coupling.map(|matrix| matrix * &lag.mapv(f64::sin))),
        ),
    }
}

/// Adds the coupling at `at_s` times `x` and `y`, with `signs`, to the two outputs.
pub(crate) fn add_blend(
    kernel: &MatVec,
    coupling: &Coupling,
    at_s: f64,
    signs: [f64; 2],
    inputs: [&[f64]; 2],
    [x_out, y_out]: [&mut [f64]; 2],
) {
    for (index, weight) in coupling.blend_at(at_s) {
        if weight.abs() > 0.0 {
            let matrix = coupling.matrices()[index]
                .as_slice()
                .expect("standard layout since the network was built");
            kernel.add(
                matrix,
                signs.map(|sign| sign * weight),
                inputs,
                [x_out, y_out],
            );
        }
    }
}

impl<'a> Field<'a> {
    pub(crate) fn new(network: &'a Network) -> Self {
        let n = network.n_nodes();
        let (even, odd) = split_by_lag(network);
        let zeros = || vec![0.0; n];
        Self {
            network,
            kernel: MatVec::new(),
            even,
            odd,
            sin: zeros(),
            cos: zeros(),
            pull_sin: zeros(),
            pull_cos: zeros(),
        }
    }

    /// Writes `omega + coupling + drives` into `out`, rad/s.
    pub(crate) fn velocity(
        &mut self,
        instant: Instant,
        theta: &[f64],
        past: Option<&History>,
        out: &mut [f64],
    ) {
        match past {
            None => self.instantaneous(instant, theta, out),
            Some(past) => self.delayed(instant, theta, past, out),
        }
        for drive in &self.network.drives {
            if drive.is_on(instant.step_from_s) {
                out[drive.node] += torque(drive, instant.at_s, theta);
            }
        }
    }

    fn instantaneous(&mut self, instant: Instant, theta: &[f64], out: &mut [f64]) {
        for ((theta, sin), cos) in theta.iter().zip(&mut self.sin).zip(&mut self.cos) {
            (*sin, *cos) = theta.sin_cos();
        }
        self.pull_sin.fill(0.0);
        self.pull_cos.fill(0.0);
        let (x, y) = (&mut self.pull_sin[..], &mut self.pull_cos[..]);
        add_blend(
            &self.kernel,
            &self.even,
            instant.at_s,
            [1.0; 2],
            [&self.sin, &self.cos],
            [x, y],
        );
        if let Some(odd) = &self.odd {
            // sin(theta_j - alpha) = sin cos(alpha) - cos sin(alpha); cos(theta_j - alpha) = cos cos(alpha) + sin sin(alpha)
            let (x, y) = (&mut self.pull_sin[..], &mut self.pull_cos[..]);
            add_blend(
                &self.kernel,
                odd,
                instant.at_s,
                [-1.0, 1.0],
                [&self.cos, &self.sin],
                [x, y],
            );
        }
        let omega = self.network.omega_rad_s.iter();
        for (i, (out, omega)) in out.iter_mut().zip(omega).enumerate() {
            *out = omega + self.cos[i] * self.pull_sin[i] - self.sin[i] * self.pull_cos[i];
        }
    }

    fn delayed(&mut self, instant: Instant, theta: &[f64], past: &History, out: &mut [f64]) {
        let coupling = &self.network.coupling;
        let blend = coupling.blend_at(instant.at_s);
        for (i, out) in out.iter_mut().enumerate() {
            *out = self.network.omega_rad_s[i];
            for (j, theta_j) in theta.iter().enumerate() {
                let weight: f64 = blend
                    .iter()
                    .map(|(index, weight)| weight * coupling.matrices()[*index][[i, j]])
                    .sum();
                if weight.abs() > 0.0 {
                    let seen = past.seen(i, j, instant.offset).unwrap_or(*theta_j);
                    let lag = self.network.lag_rad.as_ref().map_or(0.0, |lag| lag[[i, j]]);
                    *out += weight * (seen - theta[i] - lag).sin();
                }
            }
        }
    }
}

/// What a drive adds to the velocity of its node; pulses add nothing here, they are jumps between steps.
fn torque(drive: &Drive, at_s: f64, theta: &[f64]) -> f64 {
    let own = theta[drive.node];
    match drive.kind {
        DriveKind::Entrain {
            amplitude_rad_s,
            frequency_rad_s,
            phase_rad,
        } => amplitude_rad_s * (frequency_rad_s * at_s + phase_rad - own).sin(),
        DriveKind::Constant { torque_rad_s } => torque_rad_s,
        DriveKind::Pulses { .. } => 0.0,
        DriveKind::ClosedLoop {
            amplitude_rad_s,
            delta_rad,
            target,
        } => {
            let followed = match target {
                Target::Node(other) => theta[other],
                Target::MeanField => {
                    let (y, x) = theta.iter().fold((0.0, 0.0), |(y, x), theta| {
                        (y + theta.sin(), x + theta.cos())
                    });
                    f64::atan2(y, x)
                }
            };
            amplitude_rad_s * (followed + delta_rad - own).sin()
        }
    }
}
