//! A network of phase oscillators: what is integrated, checked once when it is built.
//!
//! `m_i theta_i'' + theta_i' = omega_i + sum_j K_ij(t) sin(theta_j(t - tau_ij) - theta_i - alpha_ij) + u_i(t) + sigma_i xi_i`

use ndarray::{Array1, Array2};

use crate::twin::coupling::Coupling;
use crate::twin::drive::Drive;
use crate::twin::error::{TwinError, in_range, same_size};

/// Kuramoto's model (key `kuramoto-1984`) with phase lags (Sakaguchi, key `sakaguchi-1986`), delays (key
/// `yeung-1999`), inertia (key `tanaka-1997`), additive white noise and stimulation.
///
/// Phases are radians and unwrapped, frequencies rad/s, times seconds.
#[derive(Debug, Clone, PartialEq)]
pub struct Network {
    pub(crate) omega_rad_s: Array1<f64>,
    pub(crate) coupling: Coupling,
    pub(crate) lag_rad: Option<Array2<f64>>,
    pub(crate) delay_s: Option<Array2<f64>>,
    pub(crate) noise: Array1<f64>,
    pub(crate) inertia_s: Option<Array1<f64>>,
    pub(crate) drives: Vec<Drive>,
}

impl Network {
    /// A network without lags, delays, noise, inertia and drives.
    ///
    /// `omega_rad_s`: natural frequencies, shape `(n)`. `coupling`: rad/s, shape `(n, n)`, `[i, j]` is j's action on i.
    ///
    /// # Errors
    /// [`TwinError::Shape`] where sizes differ or there is no node, [`TwinError::Range`] where a number is not finite.
    pub fn new(omega_rad_s: Array1<f64>, coupling: Coupling) -> Result<Self, TwinError> {
        let n_nodes = omega_rad_s.len();
        if n_nodes == 0 {
            return Err(TwinError::Shape {
                what: "natural frequencies",
                expected: 1,
                found: 0,
            });
        }
        in_range("natural frequency (rad/s)", "finite", &omega_rad_s, |_| {
            true
        })?;
        coupling.validate(n_nodes)?;
        let coupling = coupling.map(|matrix| {
            // In standard layout, for the kernel; a node never acts on itself.
            let mut matrix = matrix.as_standard_layout().into_owned();
            matrix.diag_mut().fill(0.0);
            matrix
        });
        let noise = Array1::zeros(n_nodes);
        Ok(Self {
            omega_rad_s,
            coupling,
            lag_rad: None,
            delay_s: None,
            noise,
            inertia_s: None,
            drives: Vec::new(),
        })
    }

    /// Phase lags `alpha_ij`, rad, shape `(n, n)`.
    ///
    /// # Errors
    /// [`TwinError::Shape`], or [`TwinError::Range`] where one is not finite.
    pub fn with_lags(mut self, lag_rad: Array2<f64>) -> Result<Self, TwinError> {
        self.square("phase lags", &lag_rad)?;
        in_range("phase lag (rad)", "finite", &lag_rad, |_| true)?;
        self.lag_rad = Some(lag_rad);
        Ok(self)
    }

    /// Delays `tau_ij` from node j to node i, seconds, shape `(n, n)`, each 0 or at least one integration step.
    ///
    /// Before time 0 every node is taken to have turned freely with its natural frequency.
    ///
    /// # Errors
    /// [`TwinError::Shape`], or [`TwinError::Range`] where one is negative or not finite.
    pub fn with_delays(mut self, delay_s: Array2<f64>) -> Result<Self, TwinError> {
        self.square("delays", &delay_s)?;
        in_range("delay (s)", "0 and above", &delay_s, |delay| delay >= 0.0)?;
        self.delay_s = Some(delay_s);
        Ok(self)
    }

    /// Strength `sigma_i` of the white noise, rad/sqrt(s), shape `(n)`: a free node's phase has variance `sigma^2 t`.
    ///
    /// # Errors
    /// [`TwinError::Shape`], or [`TwinError::Range`] where one is negative or not finite.
    pub fn with_noise(mut self, sigma: Array1<f64>) -> Result<Self, TwinError> {
        same_size("noise strengths", self.n_nodes(), sigma.len())?;
        in_range(
            "noise strength (rad/sqrt(s))",
            "0 and above",
            &sigma,
            |sigma| sigma >= 0.0,
        )?;
        self.noise = sigma;
        Ok(self)
    }

    /// Inertia `m_i`, seconds, shape `(n)`; velocities start at the natural frequencies.
    ///
    /// # Errors
    /// [`TwinError::Shape`], or [`TwinError::Range`] where one is not above 0.
    pub fn with_inertia(mut self, inertia_s: Array1<f64>) -> Result<Self, TwinError> {
        same_size("inertias", self.n_nodes(), inertia_s.len())?;
        in_range("inertia (s)", "above 0", &inertia_s, |inertia| {
            inertia > 0.0
        })?;
        self.inertia_s = Some(inertia_s);
        Ok(self)
    }

    /// One more stimulation.
    ///
    /// # Errors
    /// [`TwinError::Shape`] for a node that does not exist, [`TwinError::Range`] for a number out of range.
    pub fn with_drive(mut self, drive: Drive) -> Result<Self, TwinError> {
        drive.validate(self.n_nodes())?;
        self.drives.push(drive);
        Ok(self)
    }

    /// Number of oscillators.
    pub fn n_nodes(&self) -> usize {
        self.omega_rad_s.len()
    }

    /// Natural frequencies, rad/s.
    pub fn omega_rad_s(&self) -> &Array1<f64> {
        &self.omega_rad_s
    }

    /// The coupling.
    pub fn coupling(&self) -> &Coupling {
        &self.coupling
    }

    /// Noise strengths, rad/sqrt(s).
    pub fn noise(&self) -> &Array1<f64> {
        &self.noise
    }

    pub(crate) fn is_noisy(&self) -> bool {
        self.noise.iter().any(|sigma| *sigma > 0.0)
    }

    fn square(&self, what: &'static str, matrix: &Array2<f64>) -> Result<(), TwinError> {
        same_size(what, self.n_nodes(), matrix.nrows())?;
        same_size(what, self.n_nodes(), matrix.ncols())
    }
}
