//! The noise under and beside an oscillation.
//!
//! Under the oscillation: a power law fitted to the spectrum on both sides of the band. Beside it: the spectrum itself, so
//! that mains, muscles and other rhythms are whitened away whatever their shape.

use ndarray::{ArrayView1, ArrayView2};
use serde::{Deserialize, Serialize};

use crate::number::float;
use crate::phase::{Spectrum, welch};
use crate::twin::TwinError;
use crate::twin::number::whole;
use crate::units::{Band, SampleRate};

/// One-sided density, in squared units of the recording per hertz: `level (f / at_hz)^-exponent` within `under_hz`, that of
/// `density` elsewhere.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct NoiseSpectrum {
    pub(crate) level: f64,
    pub(crate) exponent: f64,
    /// Where the oscillation has its peak.
    pub(crate) at_hz: f64,
    /// Power of the oscillation: what the band holds above the noise, at least a hundredth of what it holds.
    pub(crate) oscillation: f64,
    /// Width of a rectangle of the oscillation's power and mean square density, hertz, the taper's own width in it.
    pub(crate) width_hz: f64,
    /// The band and what lies too close to it to be noise.
    under_hz: [f64; 2],
    /// Distance of the values in `density`.
    step_hz: f64,
    #[serde(with = "crate::bits::list")]
    density: Vec<f64>,
}

/// Exponents outside of this are no noise of an EEG amplifier or brain; a fit that leaves it has seen something else.
const EXPONENTS: [f64; 2] = [0.0, 3.0];

/// The spectrum is flat below this: whitening would otherwise raise the slowest drifts without end.
const FLAT_BELOW_HZ: f64 = 1.0;

/// A share of the level at the peak below which a density counts as this share: where a recorder has filtered everything
/// away, rounding is not to be blown up.
const LEAST_DENSITY: f64 = 1e-4;

/// Pieces of the spectrum, seconds: half a hertz of resolution.
const PIECE_S: f64 = 2.0;

/// Width that a pure line has through a Hann taper of [`PIECE_S`], as [`NoiseSpectrum::width_hz`] counts it: two bins.
pub(crate) const TAPER_WIDTH_HZ: f64 = 2.0 / PIECE_S;

impl NoiseSpectrum {
    /// Whether there is a density at all.
    pub(crate) fn is_whole(&self) -> bool {
        !self.density.is_empty() && self.step_hz > 0.0
    }

    /// Root of the spectrum over that at the peak: what whitening divides by.
    pub(crate) fn relative_gain(&self, hz: f64) -> f64 {
        let hz = hz.max(FLAT_BELOW_HZ);
        if (self.under_hz[0]..=self.under_hz[1]).contains(&hz) {
            return (hz / self.at_hz).powf(-self.exponent / 2.0);
        }
        let place = hz / self.step_hz;
        let last = self.density.len() - 1;
        let left = whole(place).unwrap_or(last).min(last);
        let right = (left + 1).min(last);
        let part = place - float(left);
        let relative = |bin: usize| (self.density[bin] / self.level).max(LEAST_DENSITY);
        (relative(left).powf(1.0 - part) * relative(right).powf(part)).sqrt()
    }
}

/// Fits the power law to what lies in `fit_hz` but not within `keep_clear_hz` of `band_hz`.
///
/// Fails with the first channel where nothing finite and positive is there to be fitted.
pub(crate) fn noise_beside(
    x: ArrayView2<'_, f64>,
    rate: SampleRate,
    band: Band,
    fit_hz: [f64; 2],
    keep_clear_hz: f64,
) -> Result<Vec<NoiseSpectrum>, TwinError> {
    let welch = welch(x, rate.samples(PIECE_S), rate)?;
    let rows = welch.density.outer_iter().enumerate();
    rows.map(|(channel, power)| {
        let fitted = beside(
            &welch,
            power,
            [band.low_hz(), band.high_hz()],
            fit_hz,
            keep_clear_hz,
        );
        fitted.ok_or(TwinError::DeadChannel {
            channel,
            reason: "no noise spectrum can be fitted beside its band",
        })
    })
    .collect()
}

fn beside(
    welch: &Spectrum,
    power: ArrayView1<'_, f64>,
    band_hz: [f64; 2],
    fit_hz: [f64; 2],
    keep_clear_hz: f64,
) -> Option<NoiseSpectrum> {
    let hz = &welch.frequency_hz;
    let inside = |f: f64, [low, high]: [f64; 2]| (low..=high).contains(&f);
    let in_band = (0..power.len()).filter(|bin| inside(hz[*bin], band_hz));
    let peak = in_band.max_by(|a, b| power[*a].total_cmp(&power[*b]))?;
    let under_hz = [band_hz[0] - keep_clear_hz, band_hz[1] + keep_clear_hz];
    // Weighted by 1/f, so that each octave counts alike.
    let points: Vec<[f64; 3]> = (1..power.len())
        .filter(|bin| inside(hz[*bin], fit_hz) && !inside(hz[*bin], under_hz) && power[*bin] > 0.0)
        .map(|bin| [hz[bin].ln(), power[bin].ln(), 1.0 / hz[bin]])
        .collect();
    let weight: f64 = points.iter().map(|[_, _, w]| w).sum();
    if points.len() < 4 || !weight.is_finite() || power[peak] <= 0.0 {
        return None;
    }
    let mean = |k: usize| points.iter().map(|p| p[2] * p[k]).sum::<f64>() / weight;
    let (x, y) = (mean(0), mean(1));
    let xx: f64 = points.iter().map(|p| p[2] * (p[0] - x).powi(2)).sum();
    let xy: f64 = points.iter().map(|p| p[2] * (p[0] - x) * (p[1] - y)).sum();
    let exponent = (-xy / xx).clamp(EXPONENTS[0], EXPONENTS[1]);
    let at_hz = hz[peak];
    let level = (y - exponent * (at_hz.ln() - x)).exp();
    if !(level.is_finite() && level > 0.0) {
        return None;
    }
    let (mut held, mut above, mut square) = (0.0, 0.0, 0.0);
    for bin in (0..power.len()).filter(|bin| inside(hz[*bin], band_hz)) {
        let excess = (power[bin] - level * (hz[bin] / at_hz).powf(-exponent)).max(0.0);
        held += power[bin] * hz[1];
        above += excess * hz[1];
        square += excess * excess * hz[1];
    }
    Some(NoiseSpectrum {
        level,
        exponent,
        at_hz,
        oscillation: above.max(0.01 * held),
        width_hz: if square > 0.0 {
            above * above / square
        } else {
            band_hz[1] - band_hz[0]
        },
        under_hz,
        step_hz: hz[1],
        density: power.to_vec(),
    })
}
