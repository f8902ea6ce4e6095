//! How far the mains stand out of a channel's spectrum.
//!
//! In: samples. Out: per channel, the mean power within 1 Hz of the mains' frequency over the mean power 2 to 5 Hz beside it, from
//! Hann-tapered pieces of two seconds, half overlapped, each less its mean (Welch). 1 is nothing; raw EEG near sockets has hundreds.

use crate::number::{float, samples};
use ndarray::{ArrayView1, ArrayView2, Axis, Slice};
use rustfft::num_complex::Complex64;
use rustfft::{Fft, FftPlanner};

/// The mains of the world.
const MAINS_HZ: [f64; 2] = [50.0, 60.0];
/// Length of a piece, seconds.
const PIECE_S: f64 = 2.0;

/// The mains' frequency that stands out most (median over channels), and each channel's ratio there.
pub(crate) fn mains(
    samples_uv: ArrayView2<'_, f64>,
    sample_rate_hz: f64,
) -> (Option<f64>, Vec<Option<f64>>) {
    let none = || (None, vec![None; samples_uv.nrows()]);
    // The neighbourhood reaches 5 Hz above the mains.
    if sample_rate_hz < 2.0 * (MAINS_HZ[0] + 5.0) {
        return none();
    }
    let length = samples(PIECE_S, sample_rate_hz);
    let fft = FftPlanner::new().plan_fft_forward(length);
    let spectra: Vec<Option<Vec<f64>>> = samples_uv
        .rows()
        .into_iter()
        .map(|channel| spectrum(channel, &*fft))
        .collect();
    let step_hz = sample_rate_hz / float(length);
    let ratios = |mains_hz: f64| -> Vec<Option<f64>> {
        spectra
            .iter()
            .map(|spectrum| ratio(spectrum.as_ref()?, step_hz, mains_hz))
            .collect()
    };
    let candidates = MAINS_HZ
        .iter()
        .filter(|mains_hz| 2.0 * (*mains_hz + 5.0) <= sample_rate_hz);
    let best = candidates
        .filter_map(|&mains_hz| {
            let ratios = ratios(mains_hz);
            Some((median(&ratios)?, mains_hz, ratios))
        })
        .max_by(|a, b| a.0.total_cmp(&b.0));
    best.map_or_else(none, |(_, mains_hz, ratios)| (Some(mains_hz), ratios))
}

/// Mean power spectrum over the pieces without a missing sample; `None` where there is no such piece.
fn spectrum(channel: ArrayView1<'_, f64>, fft: &dyn Fft<f64>) -> Option<Vec<f64>> {
    let length = fft.len();
    let taper = |at: usize| {
        (std::f64::consts::PI * float(at) / float(length))
            .sin()
            .powi(2)
    };
    let mut power = vec![0.0; length / 2 + 1];
    let mut pieces = 0_usize;
    let mut buffer = vec![Complex64::default(); length];
    for start in (0..(channel.len() + 1).saturating_sub(length)).step_by(length / 2) {
        let piece = channel.slice_axis(Axis(0), Slice::from(start..start + length));
        let mean = piece.sum() / float(length);
        if !mean.is_finite() {
            continue;
        }
        for (at, (slot, value)) in buffer.iter_mut().zip(piece).enumerate() {
            *slot = Complex64::new((value - mean) * taper(at), 0.0);
        }
        fft.process(&mut buffer);
        for (sum, bin) in power.iter_mut().zip(&buffer) {
            *sum += bin.norm_sqr();
        }
        pieces += 1;
    }
    (pieces > 0).then_some(power)
}

fn ratio(power: &[f64], step_hz: f64, mains_hz: f64) -> Option<f64> {
    let mean = |near: std::ops::RangeInclusive<f64>| {
        let inside = power.iter().enumerate().filter(|(bin, _)| {
            // A hair's breadth, so that a bin at the very limit does not depend on rounding.
            let distance = (float(*bin) * step_hz - mains_hz).abs();
            near.contains(&(distance * (1.0 - 1e-9)))
        });
        let (sum, n) = inside.fold((0.0, 0_usize), |(sum, n), (_, power)| (sum + power, n + 1));
        (n > 0).then(|| sum / float(n))
    };
    let beside = mean(2.0 * (1.0 - 1e-6)..=5.0)?;
    let ratio = mean(0.0..=1.0)? / beside;
    ratio.is_finite().then_some(ratio)
}

fn median(ratios: &[Option<f64>]) -> Option<f64> {
    let mut known: Vec<f64> = ratios.iter().flatten().copied().collect();
    known.sort_by(f64::total_cmp);
    known.get(known.len() / 2).copied()
}

#[cfg(test)]
mod tests {
    use ndarray::Array2;

    use super::*;

    fn sine_in_noise(mains_hz: f64, amplitude: f64, rate_hz: f64) -> Array2<f64> {
        let mut state = 1_u64;
        Array2::from_shape_fn((2, 5_000), |(channel, at)| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            let noise = float(usize::try_from(state >> 40).unwrap()) / float(1 << 24) - 0.5;
            let amplitude = if channel == 0 { amplitude } else { 0.0 };
            noise + amplitude * (std::f64::consts::TAU * mains_hz * float(at) / rate_hz).sin()
        })
    }

    #[test]
    fn the_mains_of_a_channel_are_found_and_the_clean_channel_has_none() {
        for mains_hz in MAINS_HZ {
            let mut samples = sine_in_noise(mains_hz, 5.0, 250.0);
            let half = samples.row(0).mapv(|value| value * 0.5);
            samples.row_mut(1).scaled_add(1.0, &half);
            let (found, ratios) = mains(samples.view(), 250.0);
            assert_eq!(found, Some(mains_hz));
            assert!(ratios[0].unwrap() > 300.0, "{ratios:?}");
        }
        let (_, ratios) = mains(sine_in_noise(50.0, 0.0, 250.0).view(), 250.0);
        assert!(
            ratios
                .iter()
                .all(|ratio| (0.4..2.5).contains(&ratio.unwrap())),
            "{ratios:?}"
        );
    }

    #[test]
    fn a_slow_or_short_or_holed_recording_has_no_ratio() {
        assert_eq!(
            mains(sine_in_noise(50.0, 1.0, 250.0).view(), 100.0),
            (None, vec![None, None])
        );
        assert_eq!(
            mains(Array2::zeros((1, 400)).view(), 250.0),
            (None, vec![None])
        );
        assert_eq!(
            mains(Array2::from_elem((1, 4_000), f64::NAN).view(), 250.0),
            (None, vec![None])
        );
        assert_eq!(mains(Array2::zeros((1, 4_000)).view(), 250.0).1, [None]);
    }
}
