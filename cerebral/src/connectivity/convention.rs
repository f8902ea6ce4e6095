//! How a figure was made: it travels with the figure.

use std::fmt;

use serde::{Serialize, Serializer};

use crate::number::float;
use crate::units::{Band, SampleRate};

/// What the observations of a pair are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// Each sample of the analytic signals.
    HilbertSamples,
    /// Each epoch's mean cross-spectrum of the analytic signals.
    HilbertEpochs,
    /// Each epoch's Fourier coefficient, measure per frequency, mean over frequencies: MNE's `spectral_connectivity_epochs`,
    /// mode `fourier`, averaged.
    MneEpochsFourier,
    /// Each sample of a Morlet transform, measure per frequency, mean over frequencies: MNE's `spectral_connectivity_time`, mode
    /// `cwt_morlet`, averaged.
    MneTimeMorlet,
}

impl Method {
    /// Its name in options and result files.
    pub fn name(self) -> &'static str {
        match self {
            Self::HilbertSamples => "hilbert-samples",
            Self::HilbertEpochs => "hilbert-epochs",
            Self::MneEpochsFourier => "mne-epochs-fourier",
            Self::MneTimeMorlet => "mne-time-morlet",
        }
    }
}

impl fmt::Display for Method {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

impl Serialize for Method {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

/// Everything that a connectivity figure depends on besides the recording. Two figures may be compared only where these agree.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Convention {
    /// What the observations are.
    #[serde(rename = "convention")]
    pub method: Method,
    /// The band, hertz.
    pub band_hz: Band,
    /// Samples a second, hertz.
    #[serde(rename = "sample_rate_hz")]
    pub rate: SampleRate,
    /// How the band was cut out; `none` where the method does it by itself.
    pub filter: String,
    /// What voltages are against: `recorded`, `average` or `channel:NAME`.
    pub reference: String,
    /// Length of what was measured, seconds: after trims, one window or epoch where there are such.
    pub window_s: f64,
    /// From one window's start to the next, seconds; none without windows.
    pub hop_s: Option<f64>,
    /// Samples on both sides of each window that were filtered with it and dropped, seconds; none where the whole segment was
    /// filtered at once.
    pub guard_s: Option<f64>,
    /// Dropped at both ends of the segment, seconds.
    pub trim_s: f64,
    /// Observations per pair.
    pub n_observations: usize,
    /// Independent observations per pair, estimated: neighbouring samples of a band tell nearly the same.
    pub n_eff: f64,
}

impl fmt::Display for Convention {
    /// One line to stand beside a figure.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "{}, {}, {} s, filter {}, reference {}, trim {} s, n_eff {:.0} of {}",
            self.method,
            self.band_hz,
            self.window_s,
            self.filter,
            self.reference,
            self.trim_s,
            self.n_eff,
            self.n_observations,
        )
    }
}

/// Independent observations among `n_samples` of a band: 1.35 per hertz of width and second, measured on noise through the
/// order-4 zero-phase filter, and never more than there are samples. Without coupling the mean PLI is about
/// `sqrt(2 / (pi n_eff))`.
pub fn independent_observations(band: Band, rate: SampleRate, n_samples: usize) -> f64 {
    let measured = 1.35 * band.width_hz() * rate.seconds(n_samples);
    measured.min(float(n_samples))
}
