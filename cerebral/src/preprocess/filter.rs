//! Filters as cascades of second-order sections: band-pass, mains notch; zero-phase for recordings, causal for streams.
//!
//! In: `(n_channels, n_samples)`, any unit. Out: the same shape and unit. A cascade of sections keeps the arithmetic stable
//! where one long polynomial would not. The design follows the steps of SciPy's `butter(..., output="sos")`, the pairing of
//! poles with zeros and the order of sections included, so that coefficients can be compared digit by digit.

mod causal;
mod design;
mod lanes;

pub use causal::Causal;
pub(crate) use lanes::Lanes;

use std::f64::consts::TAU;
use std::fmt;

use ndarray::{Array2, ArrayView2};
use num_complex::Complex64;

use crate::error::AnalysisError;
use crate::units::{Band, SampleRate};

/// One second-order section: `y[n] = b0 x[n] + b1 x[n-1] + b2 x[n-2] - a1 y[n-1] - a2 y[n-2]`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Section {
    /// Numerator `b0, b1, b2`.
    pub b: [f64; 3],
    /// Denominator `1, a1, a2`.
    pub a: [f64; 3],
}

impl Section {
    /// Gain at 0 Hz.
    fn dc_gain(&self) -> f64 {
        self.b.iter().sum::<f64>() / self.a.iter().sum::<f64>()
    }

    /// The two delays of the transposed direct form II for an input that has always been 1.
    fn steady_state(&self) -> [f64; 2] {
        let gain = self.dc_gain();
        let second = self.b[2] - self.a[2] * gain;
        [self.b[1] - self.a[1] * gain + second, second]
    }
}

/// A filter: second-order sections applied one after the other.
#[derive(Debug, Clone, PartialEq)]
pub struct Sos {
    sections: Vec<Section>,
    rate: SampleRate,
    name: String,
}

impl Sos {
    /// Butterworth band-pass of the given order (each edge falls with `6 * order` dB an octave).
    ///
    /// Bilinear transform with pre-warped edges, so the gain at both edges is exactly `1/sqrt(2)` in one pass.
    ///
    /// # Errors
    /// [`AnalysisError::Setting`] unless `order` is in `1..=12` and the band ends below half the sampling rate.
    ///
    /// Source: keys `butterworth-1930`, `scipy-2020` in `docs/references.bib`.
    pub fn butterworth_band_pass(
        order: usize,
        band: Band,
        rate: SampleRate,
    ) -> Result<Self, AnalysisError> {
        if !(1..=design::MAX_ORDER).contains(&order) {
            return Err(AnalysisError::setting(
                "filter order",
                order,
                format!("1..={}", design::MAX_ORDER),
            ));
        }
        if band.high_hz() >= rate.nyquist_hz() {
            return Err(AnalysisError::setting(
                "band",
                band,
                format!("below half the sampling rate, {} Hz", rate.nyquist_hz()),
            ));
        }
        Ok(Self {
            sections: design::butterworth_band_pass(order, band, rate),
            rate,
            name: format!("butterworth order {order} {band}"),
        })
    }

    /// A notch at one frequency: gain 0 there, 1 at 0 Hz and half the sampling rate, `1/sqrt(2)` at the two ends of a band
    /// `frequency_hz / quality` wide.
    ///
    /// # Errors
    /// [`AnalysisError::Setting`] unless the frequency lies between 0 and half the sampling rate and `quality` is above 0.
    ///
    /// Source: key `orfanidis-1996` in `docs/references.bib`.
    pub fn notch(frequency_hz: f64, quality: f64, rate: SampleRate) -> Result<Self, AnalysisError> {
        if !(frequency_hz > 0.0 && frequency_hz < rate.nyquist_hz()) {
            return Err(AnalysisError::setting(
                "notch frequency",
                frequency_hz,
                format!("above 0 and below {} Hz", rate.nyquist_hz()),
            ));
        }
        if !(quality > 0.0 && quality.is_finite()) {
            return Err(AnalysisError::setting(
                "notch quality",
                quality,
                "finite and above 0",
            ));
        }
        Ok(Self {
            sections: vec![design::notch(frequency_hz, quality, rate)],
            rate,
            name: format!("notch {frequency_hz} Hz quality {quality}"),
        })
    }

    /// Notches at the mains frequency and all its harmonics below half the sampling rate, each as wide in hertz as the first.
    ///
    /// # Errors
    /// As [`Sos::notch`].
    pub fn mains_notch(
        mains_hz: f64,
        quality: f64,
        rate: SampleRate,
    ) -> Result<Self, AnalysisError> {
        let mut filter = Self::notch(mains_hz, quality, rate)?;
        let mut harmonic = 2.0;
        // Just below half the rate there is no room left for the notch's upper side.
        while mains_hz * harmonic < rate.nyquist_hz() - mains_hz / quality {
            filter
                .sections
                .push(design::notch(mains_hz * harmonic, quality * harmonic, rate));
            harmonic += 1.0;
        }
        filter.name = format!("mains notch {mains_hz} Hz quality {quality}");
        Ok(filter)
    }

    /// This filter followed by another for the same sampling rate.
    ///
    /// # Errors
    /// [`AnalysisError::Setting`] if the rates differ.
    pub fn then(mut self, next: &Self) -> Result<Self, AnalysisError> {
        if self.rate.hz().total_cmp(&next.rate.hz()).is_ne() {
            return Err(AnalysisError::setting(
                "filter rate",
                next.rate,
                self.rate.to_string(),
            ));
        }
        self.sections.extend_from_slice(&next.sections);
        self.name = format!("{}, {}", self.name, next.name);
        Ok(self)
    }

    /// The sections, in the order of application.
    pub fn sections(&self) -> &[Section] {
        &self.sections
    }

    /// The sampling rate that it is made for.
    pub fn rate(&self) -> SampleRate {
        self.rate
    }

    /// Complex gain of one pass at `frequency_hz`; the zero-phase form has the square of its magnitude.
    pub fn response(&self, frequency_hz: f64) -> Complex64 {
        let delay = Complex64::from_polar(1.0, -TAU * frequency_hz / self.rate.hz());
        self.sections
            .iter()
            .map(|section| polynomial(&section.b, delay) / polynomial(&section.a, delay))
            .product()
    }

    /// Group delay of one pass at `frequency_hz`, samples: how late a causal filter shows an envelope at that frequency. NaN
    /// where the gain is 0.
    pub fn group_delay_samples(&self, frequency_hz: f64) -> f64 {
        let delay = Complex64::from_polar(1.0, -TAU * frequency_hz / self.rate.hz());
        // -d(arg)/d(omega) of sum c_k e^{-i omega k} is the real part of sum k c_k e^{-i omega k} / sum c_k e^{-i omega k}.
        let one =
            |c: &[f64; 3]| (polynomial(&[0.0, c[1], 2.0 * c[2]], delay) / polynomial(c, delay)).re;
        self.sections
            .iter()
            .map(|section| one(&section.b) - one(&section.a))
            .sum()
    }

    /// Samples of odd extension at each end in the zero-phase form: three times the length of the equivalent polynomial.
    pub fn padding(&self) -> usize {
        let zeros = |coefficient: fn(&Section) -> f64| {
            self.sections
                .iter()
                .filter(|section| coefficient(section).abs() <= 0.0)
                .count()
        };
        let missing = zeros(|section| section.b[2]).min(zeros(|section| section.a[2]));
        3 * (2 * self.sections.len() + 1 - missing)
    }

    /// Filters forward, then backward: no phase shift at any frequency, the gain squared, and nothing causal about it.
    ///
    /// `x`: `(n_channels, n_samples)`, any unit; each channel on its own. The ends are extended by [`Sos::padding`] samples
    /// reflected through the end point, and both passes start from the steady state of their first value. Take the mean away
    /// first: the extension keeps it, and the start-up transient grows with it.
    ///
    /// # Errors
    /// [`AnalysisError::TooShort`] unless there are more samples than padding.
    ///
    /// Source: key `gustafsson-1996` for the question, `scipy-2020` for the answer taken (`sosfiltfilt`).
    pub fn zero_phase(&self, x: ArrayView2<'_, f64>) -> Result<Array2<f64>, AnalysisError> {
        self.zero_phase_of(x.to_owned())
    }

    /// [`Sos::zero_phase`] of an array that may be written over.
    pub(crate) fn zero_phase_of(&self, x: Array2<f64>) -> Result<Array2<f64>, AnalysisError> {
        let mut filtered = if x.is_standard_layout() {
            x
        } else {
            x.as_standard_layout().into_owned()
        };
        let n_samples = filtered.ncols();
        if let Some(values) = filtered.as_slice_mut() {
            Lanes::default().zero_phase(self, values, n_samples)?;
        }
        Ok(filtered)
    }

    /// The causal form for a stream of `n_channels`.
    pub fn causal(&self, n_channels: usize) -> Causal {
        Causal::new(self.clone(), n_channels)
    }

    /// The delays of each section for an input to the cascade that has always been 1.
    fn steady_state(&self) -> Vec<[f64; 2]> {
        let mut level = 1.0;
        self.sections
            .iter()
            .map(|section| {
                let state = section.steady_state().map(|delay| delay * level);
                level *= section.dc_gain();
                state
            })
            .collect()
    }
}

impl fmt::Display for Sos {
    /// What the filter is: `butterworth order 4 8-13 Hz`.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.name)
    }
}

fn polynomial(coefficients: &[f64; 3], delay: Complex64) -> Complex64 {
    coefficients[0] + delay * (coefficients[1] + delay * coefficients[2])
}

#[cfg(test)]
mod tests;
