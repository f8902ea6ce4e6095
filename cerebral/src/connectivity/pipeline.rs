//! From a cut of raw samples to analytic signals: the one way by which data and surrogates go alike.

use ndarray::{Array2, ArrayView2};
use num_complex::Complex64;

use super::convention::{Convention, Method, independent_observations};
use crate::error::AnalysisError;
use crate::phase::{analytic_signal, trimmed};
use crate::preprocess::{Lanes, Reference, Sos, remove_mean};
use crate::units::{Band, SampleRate};

/// How a filter goes over samples.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Pass {
    /// Forward, then backward: no shift of phase, and nothing causal about it.
    #[default]
    ZeroPhase,
    /// Forward alone: nothing of what comes later, and all channels late by [`Pipeline::delay_s`].
    Causal,
}

/// Mean removed, filtered, analytic signal, both ends trimmed.
///
/// It is a pure function of the samples it is given, so the same cut gives the same bits whoever calls and whenever.
#[derive(Debug, Clone, PartialEq)]
pub struct Pipeline {
    band: Band,
    filter: Sos,
    n_trim: usize,
    pass: Pass,
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
            pass: Pass::default(),
        })
    }

    /// The same with another trim, in samples.
    #[must_use]
    pub fn with_trim(mut self, n_trim: usize) -> Self {
        self.n_trim = n_trim;
        self
    }

    /// The same with another way over the samples.
    #[must_use]
    pub fn with_pass(mut self, pass: Pass) -> Self {
        self.pass = pass;
        self
    }

    /// How late an envelope in the middle of the band shows, seconds; 0 forward and backward.
    pub fn delay_s(&self) -> f64 {
        match self.pass {
            Pass::ZeroPhase => 0.0,
            Pass::Causal => {
                self.filter.group_delay_samples(self.band.centre_hz()) / self.filter.rate().hz()
            }
        }
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
        let mut x = raw_uv.as_standard_layout().into_owned();
        remove_mean(x.view_mut());
        self.run(&mut Lanes::default(), &mut x)?;
        Ok(x)
    }

    /// Filters in place. `x`: `(n_channels, n_samples)`, rows one behind the other.
    pub(crate) fn run(&self, lanes: &mut Lanes, x: &mut Array2<f64>) -> Result<(), AnalysisError> {
        let (n_channels, n_samples) = x.dim();
        match (self.pass, x.as_slice_mut()) {
            (Pass::ZeroPhase, Some(values)) => lanes.zero_phase(&self.filter, values, n_samples),
            (Pass::ZeroPhase, None) => {
                *x = self.filter.zero_phase(x.view())?;
                Ok(())
            }
            (Pass::Causal, _) => self.filter.causal(n_channels).process(x.view_mut()),
        }
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
            filter: match self.pass {
                Pass::ZeroPhase => format!("{}, forward and backward", self.filter),
                Pass::Causal => format!(
                    "{}, causal, {:.0} ms late at {} Hz",
                    self.filter,
                    self.delay_s() * 1e3,
                    self.band.centre_hz()
                ),
            },
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
