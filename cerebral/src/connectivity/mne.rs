//! Two conventions of mne-connectivity, by its numbers: written from its documented formulas and checked against its output.
//!
//! Both take raw samples, do without a band-pass and average finished measures over frequencies.

use std::f64::consts::{PI, TAU};

use ndarray::{Array2, ArrayView2, Axis};
use num_complex::Complex64;

use super::convention::{Convention, Method};
use super::epochs::{check, no_envelopes};
use super::kernel::{Parts, Planes, pair_sums};
use super::measure::Measure;
use super::network::Network;
use crate::error::AnalysisError;
use crate::number::float;
use crate::phase::{forward, inverse};
use crate::preprocess::{Reference, remove_mean};
use crate::units::{Band, SampleRate};

/// Cycles of a Morlet wavelet.
const CYCLES: f64 = 7.0;

/// How far a wavelet reaches, in standard deviations of its envelope.
const REACH: f64 = 5.0;

/// MNE's `spectral_connectivity_epochs(mode="fourier", faverage=True)`: consecutive epochs of raw samples, each minus its mean,
/// symmetric Hann taper, measure over epochs at each Fourier frequency within the band (edges included), mean over those.
///
/// `raw_uv`: `(n_channels, n_samples)`, unfiltered. MNE fills `[i][j]` for `i > j` with what stands here at the same place.
///
/// # Errors
/// As [`over_epochs`](super::over_epochs); [`AnalysisError::Setting`] if no Fourier frequency lies in the band.
///
/// Source: key `mne-connectivity` in `docs/references.bib`.
pub fn mne_epochs_fourier(
    raw_uv: ArrayView2<'_, f64>,
    n_epoch: usize,
    band: Band,
    measures: &[Measure],
    rate: SampleRate,
    reference: &Reference,
) -> Result<Network, AnalysisError> {
    check(raw_uv.nrows(), raw_uv.ncols(), n_epoch, measures)?;
    let n_epochs = raw_uv.ncols() / n_epoch;
    let bins: Vec<usize> = (1..=n_epoch / 2)
        .filter(|&bin| band.contains(float(bin) * rate.hz() / float(n_epoch)))
        .collect();
    if bins.is_empty() {
        return Err(AnalysisError::setting(
            "band",
            band,
            format!(
                "one that holds a multiple of {} Hz below half the rate",
                rate.hz() / float(n_epoch)
            ),
        ));
    }
    let taper: Vec<f64> = (0..n_epoch)
        .map(|t| 0.5 - 0.5 * (TAU * float(t) / float(n_epoch - 1)).cos())
        .collect();
    let plan = forward(n_epoch);
    let mut buffer = vec![Complex64::default(); n_epoch];
    let mut coefficients = vec![Array2::<Complex64>::zeros((raw_uv.nrows(), n_epochs)); bins.len()];
    for (channel, row) in raw_uv.rows().into_iter().enumerate() {
        for (epoch, samples) in row.exact_chunks(n_epoch).into_iter().enumerate() {
            let mean = samples.sum() / float(n_epoch);
            for ((out, value), weight) in buffer.iter_mut().zip(samples).zip(&taper) {
                *out = Complex64::from((value - mean) * weight);
            }
            plan.process(&mut buffer);
            for (array, &bin) in coefficients.iter_mut().zip(&bins) {
                array[[channel, epoch]] = buffer[bin];
            }
        }
    }
    let convention = Convention {
        method: Method::MneEpochsFourier,
        band_hz: band,
        rate,
        filter: "none".to_owned(),
        reference: reference.to_string(),
        window_s: rate.seconds(n_epoch),
        hop_s: Some(rate.seconds(n_epoch)),
        guard_s: None,
        trim_s: 0.0,
        n_observations: n_epochs,
        n_eff: float(n_epochs),
    };
    Ok(mean_over(&coefficients, measures, convention))
}

/// MNE's `spectral_connectivity_time(mode="cwt_morlet", n_cycles=7, faverage=True)`: the mean taken away, complex Morlet wavelets
/// of seven cycles at every whole hertz from the lower edge up, `padding_s` dropped at both ends, measure over samples at
/// each frequency, mean over those.
///
/// `raw_uv`: `(n_channels, n_samples)`, unfiltered.
///
/// # Errors
/// [`AnalysisError::Setting`] for a negative padding, a band beyond half the rate, or [`Measure::Aec`];
/// [`AnalysisError::TooShort`] if a wavelet or the padding leaves nothing; [`AnalysisError::TooFewChannels`] below two channels.
///
/// Source: key `mne-connectivity`; the wavelet: `tallon-baudry-1997`, in `docs/references.bib`.
pub fn mne_time_morlet(
    raw_uv: ArrayView2<'_, f64>,
    band: Band,
    padding_s: f64,
    measures: &[Measure],
    rate: SampleRate,
    reference: &Reference,
) -> Result<Network, AnalysisError> {
    no_envelopes(measures)?;
    if raw_uv.nrows() < 2 {
        return Err(AnalysisError::TooFewChannels {
            what: "connectivity",
            least: 2,
            found: raw_uv.nrows(),
        });
    }
    if !(padding_s >= 0.0 && padding_s.is_finite()) {
        return Err(AnalysisError::setting("padding_s", padding_s, "0 or above"));
    }
    if band.high_hz() >= rate.nyquist_hz() {
        return Err(AnalysisError::setting(
            "band",
            band,
            format!("below half the sampling rate, {} Hz", rate.nyquist_hz()),
        ));
    }
    let n_samples = raw_uv.ncols();
    let n_padding = rate.samples(padding_s);
    // The lowest frequency has the longest wavelet.
    let least = (2 * wavelet(band.low_hz(), rate).len()).max(2 * n_padding + 2);
    if n_samples < least {
        return Err(AnalysisError::TooShort {
            what: "the Morlet transform",
            least,
            found: n_samples,
        });
    }
    let mut x = raw_uv.to_owned();
    remove_mean(x.view_mut());
    let mut transforms = Vec::new();
    let mut frequency_hz = band.low_hz();
    while band.contains(frequency_hz) {
        transforms.push(convolved(&x, &wavelet(frequency_hz, rate), n_padding));
        frequency_hz += 1.0;
    }
    let kept = n_samples - 2 * n_padding;
    // Integral of the squared autocorrelation of a Gaussian envelope, at the middle of the band.
    let memory_s = CYCLES / (TAU * band.centre_hz()) * TAU.sqrt();
    let convention = Convention {
        method: Method::MneTimeMorlet,
        band_hz: band,
        rate,
        filter: format!("morlet {CYCLES} cycles, 1 Hz apart"),
        reference: reference.to_string(),
        window_s: rate.seconds(kept),
        hop_s: None,
        guard_s: None,
        trim_s: rate.seconds(n_padding),
        n_observations: kept,
        n_eff: (rate.seconds(kept) / memory_s).min(float(kept)),
    };
    Ok(mean_over(&transforms, measures, convention))
}

/// Measures over the observations at each frequency, then their mean.
fn mean_over(
    observations: &[Array2<Complex64>],
    measures: &[Measure],
    convention: Convention,
) -> Network {
    let networks: Vec<Network> = observations
        .iter()
        .map(|z| {
            let planes = Planes::of(z.view(), Parts::Exact);
            Network::new(convention.clone(), planes.alive())
                .with_sums(measures, &pair_sums(&planes))
        })
        .collect();
    Network::mean_of(&networks, convention)
}

/// `exp(2 pi i f t) exp(-t^2 / 2 sigma^2)` at multiples of the sampling interval within five standard deviations. Its scale cancels
/// in every measure.
fn wavelet(frequency_hz: f64, rate: SampleRate) -> Vec<Complex64> {
    let sigma_s = CYCLES / (2.0 * PI * frequency_hz);
    let side = (0..)
        .map(|k| f64::from(k) / rate.hz())
        .take_while(|time| *time < REACH * sigma_s);
    let right: Vec<Complex64> = side
        .map(|t| {
            Complex64::from_polar(
                (-t * t / (2.0 * sigma_s * sigma_s)).exp(),
                TAU * frequency_hz * t,
            )
        })
        .collect();
    let left = right[1..].iter().rev().map(Complex64::conj);
    left.chain(right.iter().copied()).collect()
}

/// Linear convolution of every channel, as long as the input, less the padding.
fn convolved(x: &Array2<f64>, kernel: &[Complex64], n_padding: usize) -> Array2<Complex64> {
    let n_samples = x.ncols();
    let size = (n_samples + kernel.len() - 1).next_power_of_two();
    let (there, back) = (forward(size), inverse(size));
    let mut response = kernel.to_vec();
    response.resize(size, Complex64::default());
    there.process(&mut response);
    let first = (kernel.len() - 1) / 2 + n_padding;
    let scale = 1.0 / float(size);
    let mut out = Array2::zeros((x.nrows(), n_samples - 2 * n_padding));
    for (row, mut out) in x.axis_iter(Axis(0)).zip(out.rows_mut()) {
        let mut buffer: Vec<Complex64> = row.iter().map(|&value| value.into()).collect();
        buffer.resize(size, Complex64::default());
        there.process(&mut buffer);
        for (value, factor) in buffer.iter_mut().zip(&response) {
            *value *= factor;
        }
        back.process(&mut buffer);
        for (out, value) in out.iter_mut().zip(&buffer[first..]) {
            *out = value * scale;
        }
    }
    out
}
