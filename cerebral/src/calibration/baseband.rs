//! From real samples to complex ones of the band: `z = A exp(i theta) + white noise`, one sample per `1 / bandwidth`.
//!
//! The spectrum is divided by the root of the noise spectrum, cut to the band, and transformed back with exactly as many
//! points as the band has bins. Noise in neighbouring samples is then uncorrelated, which is what a Kalman filter assumes,
//! and there are about six times fewer steps than samples. No filter delay: all of it is zero-phase.

use ndarray::{Array2, ArrayView2};
use num_complex::Complex64;

use crate::calibration::spectrum::NoiseSpectrum;
use crate::number::float;
use crate::phase;
use crate::preprocess::remove_trend;
use crate::twin::error::TwinError;
use crate::twin::number::whole;

/// Complex samples of the band.
#[derive(Debug, Clone)]
pub(crate) struct Baseband {
    /// `(n_steps, n_channels)`: a step's channels lie side by side.
    pub(crate) z: Array2<Complex64>,
    /// Seconds from sample to sample.
    pub(crate) step_s: f64,
    /// Time of the first sample, seconds from the start of the recording.
    pub(crate) from_s: f64,
}

/// Whitens `x` (`(n_channels, n_samples)`), cuts `band_hz` out of it and drops `trim_s` at both ends, where the
/// transform's periodicity shows.
pub(crate) fn baseband(
    x: ArrayView2<'_, f64>,
    rate_hz: f64,
    band_hz: [f64; 2],
    noise: &[NoiseSpectrum],
    trim_s: f64,
) -> Result<Baseband, TwinError> {
    let n = x.ncols();
    let seconds = float(n) / rate_hz;
    let bins = |hz: f64| whole((hz * seconds).round()).unwrap_or(0).min(n / 2);
    let (first, last) = (bins(band_hz[0]), bins(band_hz[1]));
    let n_bins = last.saturating_sub(first);
    let step_s = seconds / float(n_bins.max(1));
    let n_trim = whole((trim_s / step_s).ceil()).unwrap_or(0);
    if n_bins < 2 * n_trim + 16 {
        return Err(TwinError::TooShort {
            n_samples: n,
            needed: whole((2.0 * trim_s + 16.0 * step_s) * rate_hz).unwrap_or(n) + 1,
        });
    }
    let (forward, backward) = (phase::forward(n), phase::inverse(n_bins));
    let mut z = Array2::zeros((n_bins - 2 * n_trim, x.nrows()));
    let mut x = x.to_owned();
    remove_trend(x.view_mut());
    for (channel, (row, noise)) in x.outer_iter().zip(noise).enumerate() {
        let mut spectrum: Vec<Complex64> = row.iter().map(Complex64::from).collect();
        forward.process(&mut spectrum);
        // neither transform scales: 2/n makes an amplitude of a line.
        let mut band: Vec<Complex64> = (first..last)
            .map(|bin| spectrum[bin] * (2.0 / float(n)) / noise.relative_gain(float(bin) / seconds))
            .collect();
        backward.process(&mut band);
        for (k, out) in z.column_mut(channel).iter_mut().enumerate() {
            // The inverse transform counts its bins from `first`; turning by that frequency puts them back.
            let turns = (first * (k + n_trim)) % n_bins;
            *out = band[k + n_trim]
                * Complex64::cis(std::f64::consts::TAU * float(turns) / float(n_bins));
        }
    }
    Ok(Baseband {
        z,
        step_s,
        from_s: float(n_trim) * step_s,
    })
}
