//! Quantities that must not be swapped: a sampling rate, a band of frequencies.

use std::fmt;
use std::str::FromStr;

use serde::Serialize;

use crate::error::AnalysisError;
use crate::number;

/// Samples a second, hertz; finite and above zero.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Serialize)]
#[serde(transparent)]
pub struct SampleRate(f64);

impl SampleRate {
    /// `hz` samples a second.
    ///
    /// # Errors
    /// [`AnalysisError::Setting`] unless finite and above zero.
    pub fn new(hz: f64) -> Result<Self, AnalysisError> {
        if hz.is_finite() && hz > 0.0 {
            Ok(Self(hz))
        } else {
            Err(AnalysisError::setting(
                "sample_rate_hz",
                hz,
                "finite and above 0",
            ))
        }
    }

    /// Hertz.
    pub fn hz(self) -> f64 {
        self.0
    }

    /// The highest frequency that the samples can tell, hertz.
    pub fn nyquist_hz(self) -> f64 {
        self.0 / 2.0
    }

    /// `seconds` in whole samples, rounded; 0 where negative.
    pub fn samples(self, seconds: f64) -> usize {
        number::samples(seconds, self.0)
    }

    /// How long `n_samples` last, seconds.
    pub fn seconds(self, n_samples: usize) -> f64 {
        number::float(n_samples) / self.0
    }
}

impl fmt::Display for SampleRate {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} Hz", self.0)
    }
}

/// A band of frequencies, hertz; `0 < low < high`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(into = "[f64; 2]")]
pub struct Band {
    low_hz: f64,
    high_hz: f64,
}

impl Band {
    /// From `low_hz` to `high_hz`.
    ///
    /// # Errors
    /// [`AnalysisError::Setting`] unless `0 < low < high` and both are finite.
    pub fn new(low_hz: f64, high_hz: f64) -> Result<Self, AnalysisError> {
        if low_hz > 0.0 && low_hz < high_hz && high_hz.is_finite() {
            Ok(Self { low_hz, high_hz })
        } else {
            Err(AnalysisError::setting(
                "band",
                format!("{low_hz}-{high_hz}"),
                "two frequencies in hertz, 0 < low < high",
            ))
        }
    }

    /// Lower edge, hertz.
    pub fn low_hz(self) -> f64 {
        self.low_hz
    }

    /// Upper edge, hertz.
    pub fn high_hz(self) -> f64 {
        self.high_hz
    }

    /// Upper less lower edge, hertz.
    pub fn width_hz(self) -> f64 {
        self.high_hz - self.low_hz
    }

    /// Geometric mean of the edges, hertz: where a Butterworth band-pass is symmetric about.
    pub fn centre_hz(self) -> f64 {
        (self.low_hz * self.high_hz).sqrt()
    }

    /// Whether `hz` lies in the band, edges included.
    pub fn contains(self, hz: f64) -> bool {
        (self.low_hz..=self.high_hz).contains(&hz)
    }
}

impl fmt::Display for Band {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}-{} Hz", self.low_hz, self.high_hz)
    }
}

impl FromStr for Band {
    type Err = AnalysisError;

    /// `8-13`, in hertz.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let fault =
            || AnalysisError::setting("band", text, "two frequencies in hertz, such as 8-13");
        let (low, high) = text.split_once('-').ok_or_else(fault)?;
        Self::new(
            low.trim().parse().map_err(|_| fault())?,
            high.trim().parse().map_err(|_| fault())?,
        )
    }
}

impl From<Band> for [f64; 2] {
    fn from(band: Band) -> Self {
        [band.low_hz, band.high_hz]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_band_is_read_as_it_is_written() {
        let band: Band = "8-13".parse().unwrap();
        assert_eq!(band, Band::new(8.0, 13.0).unwrap());
        assert_eq!(band.to_string(), "8-13 Hz");
    }

    #[test]
    fn what_is_no_band_and_no_rate_is_refused() {
        for text in ["", "8", "13-8", "0-4", "-1-4", "8-inf", "a-b", "NaN-13"] {
            assert!(text.parse::<Band>().is_err(), "{text}");
        }
        for hz in [0.0, -250.0, f64::NAN, f64::INFINITY] {
            assert!(SampleRate::new(hz).is_err(), "{hz}");
        }
    }
}
