//! The phase now, from the past alone: an endpoint-corrected Hilbert transform as one complex filter of fixed length.
//!
//! ```text
//! the last second -> DFT -> positive frequencies times a one-pass band-pass -> last sample of the inverse DFT -> phase
//! ```
//!
//! A Hilbert transform takes a segment for a loop, so its end is bent by its beginning; a causal band-pass on the transform's
//! loop moves the bend to the beginning, and the end is right. All of it is linear in the samples, so the last sample is a sum
//! with fixed complex weights, made orthogonal to constants and straight lines. A sample is seen late by the weights' group
//! delay; the lag at the frequency just observed is taken off, which carries the phase forward to now. Lines beyond twice the
//! band are left out: the mains would bend the frequency.
//!
//! Source: key `schreglmann-2021` in `docs/references.bib`.

use std::collections::VecDeque;
use std::f64::consts::TAU;

use num_complex::Complex64;

use crate::error::AnalysisError;
use crate::number::float;
use crate::preprocess::Sos;
use crate::units::{Band, SampleRate};

/// The segment behind an estimate, seconds; longer for bands narrower than 4 Hz, whose filter rings on.
const SEGMENT_S: f64 = 1.0;
/// Order of the band-pass, and by how much of the band it is wider on both sides: steeper and narrower ones are later. Of orders 1
/// to 4 and widths from 0.7 to 1.4 of the band this lost the least phase on recorded alpha.
const ORDER: usize = 2;
const BESIDE: f64 = 0.2;
/// Seconds over which the frequency is observed.
const FREQUENCY_S: f64 = 1.0;

/// A phase, carried forward to the sample that it was asked at.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PhaseNow {
    /// Radians, `-pi..=pi`, of a cosine.
    pub phase_rad: f64,
    /// The frequency with which it was carried forward, hertz: within the band.
    pub frequency_hz: f64,
}

/// The phase of the mean field of some, and their mean frequency, hertz; `None` of none.
pub(crate) fn mean_of_now(seen: impl Iterator<Item = PhaseNow>) -> Option<(f64, f64)> {
    let (mut field, mut sum_hz, mut n) = (Complex64::default(), 0.0, 0);
    for now in seen {
        field += Complex64::cis(now.phase_rad);
        sum_hz += now.frequency_hz;
        n += 1;
    }
    (n > 0).then(|| (field.arg(), sum_hz / float(n)))
}

/// The weights for one band and rate.
#[derive(Debug, Clone, PartialEq)]
pub struct CausalPhase {
    band: Band,
    rate: SampleRate,
    /// Of the samples of a segment, the oldest first.
    weights: Vec<Complex64>,
    /// Outputs over which the frequency is observed.
    n_frequency: usize,
    /// How far outputs lag behind, rad, at [`LAGS`] frequencies from one edge of the band to the other; unwrapped.
    lags_rad: Vec<f64>,
}

/// Frequencies between which a lag is taken for a straight line, to 1e-3 rad.
const LAGS: usize = 257;

impl CausalPhase {
    /// For an oscillation within `band`.
    ///
    /// # Errors
    /// [`AnalysisError::Setting`] for a band that does not end below half the rate.
    pub fn new(band: Band, rate: SampleRate) -> Result<Self, AnalysisError> {
        let beside_hz = BESIDE * band.width_hz();
        let passed = Band::new(
            (band.low_hz() - beside_hz).max(band.low_hz() / 2.0),
            (band.high_hz() + beside_hz).min((band.high_hz() + rate.nyquist_hz()) / 2.0),
        )?;
        let filter = Sos::butterworth_band_pass(ORDER, passed, rate)?;
        let n = rate.samples(SEGMENT_S.max(4.0 / band.width_hz())).max(8);
        let seconds = rate.seconds(n);
        let n_lines = crate::number::samples(2.0 * band.high_hz(), seconds).min(n.div_ceil(2) - 1);
        let mut weights: Vec<Complex64> = (0..n)
            .map(|at| {
                let line = |bin: usize| {
                    let gain = filter.response(float(bin) / seconds);
                    gain * Complex64::cis(TAU * float((bin * (n - 1 - at)) % n) / float(n))
                };
                (1..=n_lines).map(line).sum::<Complex64>() * (2.0 / float(n))
            })
            .collect();
        let (middle, length) = (float(n - 1) / 2.0, float(n));
        let mean = weights.iter().sum::<Complex64>() / length;
        let square: f64 = (0..n).map(|at| (float(at) - middle).powi(2)).sum();
        let slope = (0..n)
            .map(|at| weights[at] * (float(at) - middle))
            .sum::<Complex64>()
            / square;
        for (at, weight) in weights.iter_mut().enumerate() {
            *weight -= mean + slope * (float(at) - middle);
        }
        let mut causal = Self {
            band,
            rate,
            weights,
            n_frequency: rate.samples(FREQUENCY_S).max(2),
            lags_rad: Vec::new(),
        };
        let mut before = causal.response(band.low_hz()).arg();
        for at in 0..LAGS {
            let hz = band.low_hz() + band.width_hz() * float(at) / float(LAGS - 1);
            let turn = causal.response(hz) * Complex64::cis(-before);
            before += turn.arg();
            causal.lags_rad.push(before);
        }
        Ok(causal)
    }

    /// The lag at a frequency within the band, rad.
    fn lag_rad(&self, hz: f64) -> f64 {
        let place = (hz - self.band.low_hz()) / self.band.width_hz() * float(LAGS - 1);
        let left = crate::twin::number::whole(place).unwrap_or(0).min(LAGS - 2);
        let part = place - float(left);
        self.lags_rad[left] * (1.0 - part) + self.lags_rad[left + 1] * part
    }

    /// How many samples an estimate is a function of: the last ones.
    #[must_use]
    pub fn memory(&self) -> usize {
        self.weights.len() + self.n_frequency - 1
    }

    /// How late a change at `hz` shows, seconds: the group delay.
    #[must_use]
    pub fn delay_s(&self, hz: f64) -> f64 {
        let step_hz = 1e-3;
        let turn = self.response(hz + step_hz) * self.response(hz - step_hz).conj();
        -turn.arg() / (2.0 * step_hz * TAU)
    }

    /// What the weights make of `exp(i (2 pi hz t + phi))`, phi being the phase at the newest sample: times `exp(i phi)`.
    fn response(&self, hz: f64) -> Complex64 {
        let turn = TAU * hz / self.rate.hz();
        let last = self.weights.len() - 1;
        let terms = self.weights.iter().enumerate();
        terms
            .map(|(at, weight)| weight * Complex64::cis(-turn * float(last - at)))
            .sum()
    }

    /// The phase at the last of `samples`, any unit; `None` of fewer than [`CausalPhase::memory`], or where they do not vary.
    ///
    /// The result depends on the last [`CausalPhase::memory`] samples alone, bit for bit.
    #[must_use]
    pub fn at_end(&self, samples: &[f64]) -> Option<PhaseNow> {
        let samples = &samples[samples.len().checked_sub(self.memory())?..];
        let seen: Vec<Complex64> = samples
            .windows(self.weights.len())
            .map(|segment| self.weigh(segment))
            .collect();
        self.of_seen(seen.iter().copied())
    }

    /// The phases at every `stride`-th of `samples` from `first` on.
    pub(crate) fn along(
        &self,
        samples: &[f64],
        first: usize,
        stride: usize,
    ) -> Vec<Option<PhaseNow>> {
        let (n, m) = (self.weights.len(), self.n_frequency);
        let Some(from) = (first + 1).checked_sub(n + m - 1) else {
            return Vec::new();
        };
        let seen: Vec<Complex64> = samples[from..]
            .windows(n)
            .map(|segment| self.weigh(segment))
            .collect();
        seen.windows(m)
            .step_by(stride.max(1))
            .map(|seen| self.of_seen(seen.iter().copied()))
            .collect()
    }

    fn weigh(&self, segment: &[f64]) -> Complex64 {
        // Four sums need not wait for one another.
        let mut sums = [Complex64::default(); 4];
        let (weights, samples) = (self.weights.chunks(4), segment.chunks(4));
        for (weights, samples) in weights.zip(samples) {
            for ((sum, weight), sample) in sums.iter_mut().zip(weights).zip(samples) {
                *sum += weight * sample;
            }
        }
        sums.iter().sum()
    }

    fn of_seen(&self, seen: impl Iterator<Item = Complex64> + Clone) -> Option<PhaseNow> {
        let pairs = seen.clone().zip(seen.clone().skip(1));
        let advance: Complex64 = pairs.map(|(before, after)| after * before.conj()).sum();
        let last = seen.last()?;
        if !(last.norm_sqr() > 0.0 && advance.norm_sqr() > 0.0) {
            return None;
        }
        let frequency_hz =
            (advance.arg() / TAU * self.rate.hz()).clamp(self.band.low_hz(), self.band.high_hz());
        let lag = self.lag_rad(frequency_hz);
        Some(PhaseNow {
            phase_rad: Complex64::cis(last.arg() - lag).arg(),
            frequency_hz,
        })
    }
}

/// One channel as it comes.
#[derive(Debug, Clone)]
pub struct CausalPhaseStream {
    of: CausalPhase,
    /// The last samples, and the last outputs of the weights.
    samples: VecDeque<f64>,
    seen: VecDeque<Complex64>,
}

impl CausalPhaseStream {
    /// Before the first sample.
    #[must_use]
    pub fn new(of: CausalPhase) -> Self {
        Self {
            samples: VecDeque::with_capacity(of.weights.len() + 1),
            seen: VecDeque::with_capacity(of.n_frequency + 1),
            of,
        }
    }

    /// Takes a sample; the phase at it, once there have been enough. The same bits as [`CausalPhase::at_end`].
    pub fn push(&mut self, sample: f64) -> Option<PhaseNow> {
        if self.samples.len() == self.of.weights.len() {
            self.samples.pop_front();
        }
        self.samples.push_back(sample);
        if self.samples.len() < self.of.weights.len() {
            return None;
        }
        if self.seen.len() == self.of.n_frequency {
            self.seen.pop_front();
        }
        self.seen
            .push_back(self.of.weigh(self.samples.make_contiguous()));
        if self.seen.len() < self.of.n_frequency {
            return None;
        }
        self.of.of_seen(self.seen.iter().copied())
    }
}

#[cfg(test)]
mod tests;
