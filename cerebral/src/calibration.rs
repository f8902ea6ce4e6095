//! The twin's parameters from a recording alone: natural frequencies, couplings, noise, and how far to trust them.
//!
//! Band-filtered phases cannot be regressed on one another: a smooth phase hides the symmetric part of the coupling. So
//! the phases stay hidden states of a model of the recording, `x = A cos(theta) + noise`, and EM finds the parameters
//! under which the recording is most likely; every sum over phases carries the phases' own uncertainty.
//!
//! Reading order: `settings` -> `spectrum` (the noise), `baseband` (whitened complex samples) -> `model`, `filter`,
//! `smoother`, `expect` (E step) -> `regress` (M step), `shrink` (which couplings are worth keeping) -> `fit` -> `judge`
//! (held-out part), `synthetic` and `floor` (what comes out where nothing is), `windows` (coupling over time), `follow` (the
//! same as samples come).
//!
//! Absent on purpose: phase lags and delays (they cannot be told from frequencies and couplings at one recording's
//! length), noise that channels share, and choosing the band.

mod baseband;
mod dense;
mod expect;
mod filter;
mod fit;
mod floor;
mod follow;
mod judge;
mod model;
mod regress;
mod settings;
mod shrink;
mod smoother;
mod spectrum;
mod synthetic;
mod windows;

use nalgebra::DMatrix;
use ndarray::{Array1, Array2, ArrayView2};

use crate::twin::error::{TwinError, in_range};
use crate::twin::{Coupling, Network};
use crate::units::SampleRate;
use fit::{Find, Fit, fit, prepare};

pub(crate) use follow::{Follower, Now, Scores};
pub use judge::{HeldOut, SCORE_NAME};
pub use settings::CalibrationSettings;
pub use windows::CouplingWindow;

/// A phase less certain than this, rad, is not seen: the filter's straight lines through its sine mean nothing any more.
pub const SEEN_RAD: f64 = 1.0;

/// The twin of a recording.
#[derive(Debug, Clone, PartialEq)]
pub struct Calibration {
    /// Natural frequencies, rad/s, shape `(n)`: what each channel would do alone, not what it was seen to do.
    pub omega_rad_s: Array1<f64>,
    /// `[i, j]`: action of channel j on channel i, rad/s, zero diagonal; posterior means after shrinkage.
    pub coupling_rad_s: Array2<f64>,
    /// Standard error of each coupling before shrinkage, rad/s; infinite where the recording says nothing about it.
    pub coupling_sd_rad_s: Array2<f64>,
    /// Uncertainty of each channel's phase at one instant, rad, root mean square. Above [`SEEN_RAD`] the oscillation is not
    /// seen under its noise: the couplings of that channel are no edges, whatever their size, and mean nothing.
    pub phase_sd_rad: Array1<f64>,
    /// Noise of the phases, `sigma`, rad/sqrt(s).
    pub noise_rad_sqrt_s: Array1<f64>,
    /// Mean amplitude of the oscillation, in the recording's unit.
    pub amplitude: Array1<f64>,
    /// Couplings before shrinkage, rad/s: what the noise floor and the standard errors are about.
    pub unshrunk_rad_s: Array2<f64>,
    /// Couplings of this absolute value or less are what uncoupled channels give before shrinkage, rad/s.
    pub noise_floor_rad_s: f64,
    /// The largest coupling of each simulation behind the floor, sorted, rad/s.
    pub floor_largest_rad_s: Vec<f64>,
    /// Where a coupling is claimed: after shrinkage it is above the floor, before it was at least two standard errors from 0
    /// (coupled channels are less certain than the uncoupled ones behind the floor), and the phases of both are seen.
    pub edges: Array2<bool>,
    /// Largest condition number over the nodes' regressions; above about 1e3 some channels are locked to each other and
    /// their couplings cannot be told apart.
    pub condition_number: f64,
    /// What the model is worth on the part it has not seen.
    pub held_out: HeldOut,
    /// The coupling over time.
    pub windows: Vec<CouplingWindow>,
    /// Phases as the fitted model sees them in the recording, rad, wrapped, shape `(n, n_steps)`.
    pub phase: Array2<f64>,
    /// Seconds from column to column of `phase`.
    pub phase_step_s: f64,
    /// Time of the first column of `phase`, seconds.
    pub phase_from_s: f64,
    /// EM iterations.
    pub iterations: usize,
}

impl Calibration {
    /// The fitted network, ready to be run; with `only_edges` couplings at or below the noise floor are left out.
    ///
    /// # Errors
    /// None for what [`calibrate`] returned.
    pub fn network(&self, only_edges: bool) -> Result<Network, TwinError> {
        let mut coupling = self.coupling_rad_s.clone();
        if only_edges {
            coupling.zip_mut_with(&self.edges, |value, edge| {
                *value = if *edge { *value } else { 0.0 }
            });
        }
        Network::new(self.omega_rad_s.clone(), Coupling::Constant(coupling))?
            .with_noise(self.noise_rad_sqrt_s.clone())
    }
}

/// Finds the network behind `x`.
///
/// `x`: `(n_channels, n_samples)`, any unit, gap-free, unfiltered (the noise beside the band is needed), dead channels left
/// out, at least two channels. Some 30 s are needed for a hint, minutes for couplings of 1 rad/s.
///
/// The couplings come from the whole recording; [`Calibration::held_out`] is of a model trained on the first part alone.
/// Time grows with samples and the cube of the channels, times `floor_runs`, which run in parallel; the result does not
/// depend on the number of threads. Memory: about `40 n^2` bytes per baseband sample (7 MB a minute at 8 channels and 120 Hz).
///
/// # Errors
/// [`TwinError::Range`] for samples that are not finite or settings out of range, [`TwinError::TooShort`],
/// [`TwinError::DeadChannel`], [`TwinError::Shape`] below two channels.
///
/// Source: state space and EM, key `shumway-1982`; smoothing, key `rauch-1965`; standard errors by the scores' squares with
/// Fisher's identity, key `louis-1982`; shrinkage, key `stephens-2017`. Checked on recordings made from known networks.
pub fn calibrate(
    x: ArrayView2<'_, f64>,
    rate: SampleRate,
    settings: &CalibrationSettings,
) -> Result<Calibration, TwinError> {
    calibrate_and_follow(x, rate, settings, &[]).map(|(calibration, _)| calibration)
}

/// [`calibrate`], and what follows the coupling from there on. `earlier_largest`: largest couplings of simulations for calibrations
/// before, which count for the noise floor along with `settings.floor_runs` new ones.
pub(crate) fn calibrate_and_follow(
    x: ArrayView2<'_, f64>,
    rate: SampleRate,
    settings: &CalibrationSettings,
    earlier_largest: &[f64],
) -> Result<(Calibration, Follower), TwinError> {
    settings.validate(rate)?;
    if x.nrows() < 2 {
        return Err(TwinError::Shape {
            what: "channels to calibrate",
            expected: 2,
            found: x.nrows(),
        });
    }
    in_range("sample", "finite", x, |_| true)?;
    let held_out = judge::judge(x, rate, settings)?;
    let prepared = prepare(x, rate, settings)?;
    let base = &prepared.base;
    let fitted = fit(&prepared, prepared.start.clone(), settings, Find::Coupling);
    let alone = prepared
        .start
        .with_coupling(Array2::zeros(fitted.p.coupling.dim()));
    let uncoupled = fit(&prepared, alone, settings, Find::TheRest);
    let fresh = floor::largest_without_coupling(&uncoupled, &prepared, rate, x.ncols(), settings)?;
    let all = [earlier_largest, &fresh].concat();
    let mut largest = all.clone();
    largest.sort_by(f64::total_cmp);
    let noise_floor_rad_s = floor::quantile(&largest, settings.floor_quantile);
    let p = &fitted.p;
    let coupling_sd_rad_s = standard_errors(&fitted);
    let phase_sd_rad = fitted.expectation.variance.mapv(f64::sqrt);
    let edges = Array2::from_shape_fn(p.coupling.dim(), |at| {
        let certain = fitted.unshrunk[at].abs() >= 2.0 * coupling_sd_rad_s[at];
        let seen = phase_sd_rad[at.0].max(phase_sd_rad[at.1]) <= SEEN_RAD;
        p.coupling[at].abs() > noise_floor_rad_s && certain && seen
    });
    let (windows, width_rad_s) = windows::windows(&fitted, base.from_s, base.step_s, settings);
    let follower = Follower::new(&fitted, &prepared, all, width_rad_s, settings);
    let calibration = Calibration {
        omega_rad_s: p.omega.clone(),
        coupling_rad_s: p.coupling.clone(),
        coupling_sd_rad_s,
        unshrunk_rad_s: fitted.unshrunk.clone(),
        phase_sd_rad,
        noise_rad_sqrt_s: p.diffusion.mapv(f64::sqrt),
        amplitude: p.amplitude.clone(),
        noise_floor_rad_s,
        floor_largest_rad_s: largest,
        edges,
        condition_number: condition_number(&fitted),
        held_out,
        windows,
        phase: fitted.expectation.phase.t().to_owned(),
        phase_step_s: base.step_s,
        phase_from_s: base.from_s,
        iterations: fitted.iterations,
    };
    Ok((calibration, follower))
}

/// Root of the diagonal of each node's inverse curvature, frequency included.
fn standard_errors(fitted: &Fit) -> Array2<f64> {
    let n = fitted.p.n();
    let mut sd = Array2::zeros((n, n));
    for (i, parabola) in fitted.parabolas.iter().enumerate() {
        let mut factor = parabola.whole.clone();
        let mut covariance = vec![0.0; n * n];
        let regular = dense::cholesky(&mut factor, n);
        if regular {
            dense::inverse(&factor, &mut covariance, n);
        }
        for j in (0..n).filter(|j| *j != i) {
            sd[[i, j]] = if regular {
                covariance[j * n + j].sqrt()
            } else {
                f64::INFINITY
            };
        }
    }
    sd
}

/// Ratio of the extreme eigenvalues of the regressors' correlations, the worst node's.
fn condition_number(fitted: &Fit) -> f64 {
    let n = fitted.p.n();
    let of = |curvature: &[f64]| {
        let scaled = DMatrix::from_fn(n, n, |j, k| {
            curvature[j * n + k] / (curvature[j * n + j] * curvature[k * n + k]).sqrt()
        });
        if scaled.iter().any(|value| !value.is_finite()) {
            return f64::INFINITY;
        }
        let eigenvalues = scaled.symmetric_eigenvalues();
        if eigenvalues.min() > 0.0 {
            eigenvalues.max() / eigenvalues.min()
        } else {
            f64::INFINITY
        }
    };
    fitted
        .parabolas
        .iter()
        .map(|parabola| of(&parabola.whole))
        .fold(1.0, f64::max)
}
