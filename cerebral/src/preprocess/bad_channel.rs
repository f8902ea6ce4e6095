//! Channels that carry no EEG.
//!
//! In: a segment in microvolts and where its readings end. Out: which channels to leave out, each with the reason. Absent:
//! leaving them out; a bad channel is NaN in every later figure, never 0 and never 1. Also absent: judging a channel by how little
//! it goes with its neighbours, since that is what is to be measured.

use std::fmt;

use ndarray::{ArrayView1, ArrayView2};
use serde::Serialize;

use super::robust::{median, scale};
use crate::source::{Rails, useless_shares};
use crate::units::{Band, SampleRate};

use super::Sos;

/// A channel at full scale in more than this share of a segment is bad: one such reading rings for a second in the filter.
const MOST_RAILED: f64 = 0.001;
/// A channel that stands still in more than this share of a segment is bad.
const MOST_FLAT: f64 = 0.05;
/// A channel so many times as strong as the median one is noise, and that many times weaker is dead.
const NOISY: f64 = 10.0;
const DEAD: f64 = 1e-3;
/// Where amplitudes are compared, hertz: above drift, below the mains.
const COMPARED_HZ: (f64, f64) = (1.0, 40.0);
/// Fewer channels than this have no typical amplitude.
const LEAST_COMPARED: usize = 4;

/// Why a channel is left out.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "snake_case", tag = "fault")]
pub enum ChannelFault {
    /// At full scale in this share of the segment.
    Railed {
        /// `0..=1`.
        share: f64,
    },
    /// Standing still in this share of the segment.
    Flat {
        /// `0..=1`.
        share: f64,
    },
    /// Hardly any signal beside the other channels.
    Dead,
    /// So many times the median channel's amplitude between 1 and 40 Hz.
    Noisy {
        /// Above 1.
        ratio: f64,
    },
    /// Named as bad by whoever analyses.
    Named,
}

impl fmt::Display for ChannelFault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Railed { share } => {
                write!(formatter, "at full scale in {:.1} % of it", share * 100.0)
            }
            Self::Flat { share } => write!(formatter, "flat in {:.1} % of it", share * 100.0),
            Self::Dead => formatter.write_str("no signal"),
            Self::Noisy { ratio } => {
                write!(
                    formatter,
                    "{ratio:.0} times as strong as the median channel"
                )
            }
            Self::Named => formatter.write_str("named as bad"),
        }
    }
}

/// A channel to leave out.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct BadChannel {
    /// Which, from 0.
    pub index: usize,
    /// Why.
    #[serde(flatten)]
    pub fault: ChannelFault,
}

/// The channels of a segment that carry no EEG, by index.
///
/// `segment_uv`: `(n_channels, n_samples)`, microvolts, as recorded. `rails`: one per channel. Amplitudes (the robust spread
/// between 1 and 40 Hz) are compared only among four channels or more.
pub fn find_bad_channels(
    segment_uv: ArrayView2<'_, f64>,
    rails: &[Rails],
    rate: SampleRate,
) -> Vec<BadChannel> {
    let own: Vec<Option<ChannelFault>> = segment_uv
        .rows()
        .into_iter()
        .zip(rails)
        .map(|(row, rails)| by_itself(row, rails))
        .collect();
    let filter = Band::new(COMPARED_HZ.0, COMPARED_HZ.1.min(0.9 * rate.nyquist_hz()))
        .and_then(|band| Sos::butterworth_band_pass(2, band, rate));
    let amplitudes: Vec<Option<f64>> = segment_uv
        .rows()
        .into_iter()
        .zip(&own)
        .map(|(row, fault)| {
            if fault.is_some() {
                return None;
            }
            let mut one = row.to_owned().insert_axis(ndarray::Axis(0));
            super::remove_mean(one.view_mut());
            let filtered = filter.as_ref().ok()?.zero_phase(one.view()).ok()?;
            Some(scale(filtered.row(0)))
        })
        .collect();
    let mut compared: Vec<f64> = amplitudes.iter().flatten().copied().collect();
    let typical = (compared.len() >= LEAST_COMPARED).then(|| median(&mut compared));
    let beside_others = |amplitude: f64| {
        let typical = typical.filter(|typical| *typical > 0.0)?;
        let ratio = amplitude / typical;
        if ratio > NOISY {
            Some(ChannelFault::Noisy { ratio })
        } else {
            (ratio < DEAD).then_some(ChannelFault::Dead)
        }
    };
    own.into_iter()
        .zip(amplitudes)
        .enumerate()
        .filter_map(|(index, (own, amplitude))| {
            let fault = own.or_else(|| beside_others(amplitude?))?;
            Some(BadChannel { index, fault })
        })
        .collect()
}

/// What a channel's own readings say.
fn by_itself(row: ArrayView1<'_, f64>, rails: &Rails) -> Option<ChannelFault> {
    let (railed, flat) = useless_shares(row, rails);
    if railed > MOST_RAILED {
        Some(ChannelFault::Railed { share: railed })
    } else if flat > MOST_FLAT {
        Some(ChannelFault::Flat { share: flat })
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use ndarray::Array2;
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    use super::*;

    fn noise(n_channels: usize) -> Array2<f64> {
        let mut random = ChaCha8Rng::seed_from_u64(5);
        Array2::from_shape_fn((n_channels, 2_000), |_| {
            random.random::<f64>() * 20.0 - 10.0
        })
    }

    fn found(x: &Array2<f64>) -> Vec<BadChannel> {
        let rails = Rails {
            values_uv: vec![-187_500.0, 187_500.0],
            tolerance_uv: 0.05,
        };
        let rate = SampleRate::new(250.0).unwrap();
        find_bad_channels(x.view(), &vec![rails; x.nrows()], rate)
    }

    #[test]
    fn railed_flat_dead_and_noisy_channels_are_found_each_with_its_reason() {
        let mut x = noise(8);
        x.row_mut(1).as_slice_mut().unwrap()[100..400].fill(-187_500.02);
        x.row_mut(3).fill(3.5);
        x.row_mut(4).mapv_inplace(|value| value * 30.0);
        x.row_mut(6).mapv_inplace(|value| value * 1e-4 + 5.0);
        let found = found(&x);
        let indices: Vec<usize> = found.iter().map(|bad| bad.index).collect();
        assert_eq!(indices, [1, 3, 4, 6]);
        assert_eq!(found[0].fault, ChannelFault::Railed { share: 0.15 });
        assert_eq!(found[1].fault, ChannelFault::Flat { share: 1.0 });
        assert!(
            matches!(found[2].fault, ChannelFault::Noisy { ratio } if (25.0..35.0).contains(&ratio))
        );
        assert_eq!(found[3].fault, ChannelFault::Dead);
    }

    #[test]
    fn sound_channels_on_any_offset_are_kept_and_three_are_not_compared() {
        let mut x = noise(8);
        x.row_mut(2).mapv_inplace(|value| value + 65_000.0);
        assert_eq!(found(&x), []);
        let mut three = noise(3);
        three.row_mut(0).mapv_inplace(|value| value * 1e3);
        assert_eq!(found(&three), []);
    }
}
