//! From a cut of raw samples to analytic signals: the one way by which data and surrogates go alike.

use ndarray::{Array2, ArrayView2};
use num_complex::Complex64;

use super::convention::{Convention, Method, independent_observations};
use crate::error::AnalysisError;
use crate::phase::{analytic_signal, trimmed};
use crate::preprocess::{Reference, Sos, remove_mean};
use crate::units::{Band, SampleRate};

/// Mean removed, filtered forward and backward, analytic signal, both ends trimmed.
///
/// It is a pure function of the samples it is given, so the same cut gives the same bits whoever calls and whenever.
#[derive(Debug, Clone, PartialEq)]
pub struct Pipeline {
    band: Band,
    filter: Sos,
    n_trim: usize,
}

/// Order of the band-pass where none is asked for.
const ORDER: usize = 4;
/// How narrow a notch is: its frequency over its width.
const NOTCH_QUALITY: f64 = 30.0;

impl Pipeline {
    /// A Butterworth band-pass of order 4 and `trim_s` seconds dropped at both ends.
    ///
    /// # Errors
    /// [`AnalysisError::Setting`] if the band does not fit the rate, or the trim is negative.
    pub fn new(band: Band, rate: SampleRate, trim_s: f64) -> Result<Self, AnalysisError> {
        Self::with_notch(band, None, rate, trim_s)
    }

    /// The same with a notch at the mains' frequency before it, where one is asked for.
    ///
    /// # Errors
    /// As [`Self::new`]; [`AnalysisError::Setting`] for a notch that does not fit the rate.
    pub fn with_notch(
        band: Band,
        notch_hz: Option<f64>,
        rate: SampleRate,
        trim_s: f64,
    ) -> Result<Self, AnalysisError> {
        let band_pass = Sos::butterworth_band_pass(ORDER, band, rate)?;
        let filter = match notch_hz {
            Some(hz) => Sos::mains_notch(hz, NOTCH_QUALITY, rate)?.then(&band_pass)?,
            None => band_pass,
        };
        Self::with_filter(band, filter, trim_s)
    }

    /// Any filter, of which `band` says what it passes.
    ///
    /// # Errors
    /// [`AnalysisError::Setting`] if the trim is negative.
    pub fn with_filter(band: Band, filter: Sos, trim_s: f64) -> Result<Self, AnalysisError> {
        if !(trim_s >= 0.0 && trim_s.is_finite()) {
            return Err(AnalysisError::setting("trim_s", trim_s, "0 or above"));
        }
        Ok(Self {
            band,
            n_trim: filter.rate().samples(trim_s),
            filter,
        })
    }

    /// The same with another trim, in samples.
    #[must_use]
    pub fn with_trim(mut self, n_trim: usize) -> Self {
        self.n_trim = n_trim;
        self
    }

    /// The band.
    pub fn band(&self) -> Band {
        self.band
    }

    /// The filter; it knows the sampling rate.
    pub fn filter(&self) -> &Sos {
        &self.filter
    }

    /// Samples dropped at either end.
    pub fn n_trim(&self) -> usize {
        self.n_trim
    }

    /// The filtered signal, untrimmed. `raw_uv`: `(n_channels, n_samples)`; the same shape and unit comes back.
    ///
    /// # Errors
    /// [`AnalysisError::TooShort`] if filter or trim leave nothing.
    pub fn filtered(&self, raw_uv: ArrayView2<'_, f64>) -> Result<Array2<f64>, AnalysisError> {
        self.check_length(raw_uv.ncols())?;
        let mut x = raw_uv.to_owned();
        remove_mean(x.view_mut());
        self.filter.zero_phase_of(x)
    }

    /// The analytic signal, trimmed. `raw_uv`: `(n_channels, n_samples)`. Returns `(n_channels, n_samples - 2 n_trim)`.
    ///
    /// # Errors
    /// As [`Pipeline::filtered`].
    pub fn analytic(
        &self,
        raw_uv: ArrayView2<'_, f64>,
    ) -> Result<Array2<Complex64>, AnalysisError> {
        Ok(self.analytic_of_filtered(self.filtered(raw_uv)?.view()))
    }

    /// The analytic signal of an already filtered segment, trimmed.
    pub fn analytic_of_filtered(&self, filtered: ArrayView2<'_, f64>) -> Array2<Complex64> {
        trimmed(analytic_signal(filtered).view(), self.n_trim).to_owned()
    }

    /// How figures over each of `n_samples` trimmed samples are made.
    pub fn convention(&self, reference: &Reference, n_samples: usize) -> Convention {
        let rate = self.filter.rate();
        Convention {
            method: Method::HilbertSamples,
            band_hz: self.band,
            rate,
            filter: format!("{}, forward and backward", self.filter),
            reference: reference.to_string(),
            window_s: rate.seconds(n_samples),
            hop_s: None,
            guard_s: None,
            trim_s: rate.seconds(self.n_trim),
            n_observations: n_samples,
            n_eff: independent_observations(self.band, rate, n_samples),
        }
    }

    /// # Errors
    /// [`AnalysisError::TooShort`] if filter or trim leave nothing of `n_samples`.
    pub(crate) fn check_length(&self, n_samples: usize) -> Result<(), AnalysisError> {
        let least = (self.filter.padding() + 1).max(2 * self.n_trim + 2);
        if n_samples < least {
            return Err(AnalysisError::TooShort {
                what: "filtering and trimming",
                least,
                found: n_samples,
            });
        }
        Ok(())
    }
}
