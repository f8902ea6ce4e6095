//! Samples as text that gives every bit back, a few bits each: recorders count, and counts differ little from sample to sample.
//!
//! Where all samples of a channel are whole counts of one grid that a recorder uses, their differences are packed; else the floats.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};

use crate::bits;
use crate::board::packet::Gain;
use crate::number::nearest;

/// What a count is, microvolts.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
enum Grid {
    /// A converter's step: that of this gain.
    Gain(u8),
    /// Decimals in a text: so many counts to a microvolt.
    PerMicrovolt(u32),
}

/// A channel.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Packed {
    grid: Option<Grid>,
    text: String,
}

impl Grid {
    fn all() -> impl Iterator<Item = Self> {
        let gains = [24, 12, 8, 6, 4, 2, 1].map(Self::Gain);
        gains
            .into_iter()
            .chain([1, 10, 100, 1_000, 10_000, 100_000, 1_000_000].map(Self::PerMicrovolt))
    }

    fn value(self, count: i32) -> Option<f64> {
        Some(match self {
            Self::Gain(gain) => Gain::new(gain)?.microvolts(count),
            Self::PerMicrovolt(counts) => f64::from(count) / f64::from(counts),
        })
    }

    /// The count behind a value, if it is one to the last bit.
    fn count(self, value: f64) -> Option<i32> {
        let counts = match self {
            Self::Gain(gain) => value / Gain::new(gain)?.uv_per_count(),
            Self::PerMicrovolt(counts) => value * f64::from(counts),
        };
        let count = nearest(counts)?;
        (self.value(count)?.to_bits() == value.to_bits()).then_some(count)
    }
}

/// Differences with their sign in the lowest bit, bytes of equal place side by side.
fn planes(counts: &[i32]) -> Vec<u8> {
    let mut planes = vec![0; counts.len() * 4];
    let mut before = 0_i32;
    for (at, count) in counts.iter().enumerate() {
        let step = count.wrapping_sub(before);
        before = *count;
        let folded = (step.wrapping_shl(1) ^ (step >> 31)).to_le_bytes();
        for (place, byte) in folded.into_iter().enumerate() {
            planes[place * counts.len() + at] = byte;
        }
    }
    planes
}

fn counts(planes: &[u8]) -> Option<Vec<i32>> {
    let n = planes.len() / 4;
    let mut before = 0_i32;
    let count = |at: usize| {
        let folded = u32::from_le_bytes(std::array::from_fn(|place| planes[place * n + at]));
        let sign = 0_u32.wrapping_sub(folded & 1);
        let step = i32::from_le_bytes(((folded >> 1) ^ sign).to_le_bytes());
        before = before.wrapping_add(step);
        before
    };
    (n * 4 == planes.len()).then(|| (0..n).map(count).collect())
}

impl Packed {
    pub(super) fn of(values: &[f64]) -> Self {
        let on = |grid: Grid| {
            let counts: Option<Vec<i32>> = values.iter().map(|value| grid.count(*value)).collect();
            Some((grid, counts?))
        };
        let Some((grid, counts)) = Grid::all().find_map(on) else {
            return Self {
                grid: None,
                text: bits::to_text(values),
            };
        };
        let packed = zstd::bulk::compress(&planes(&counts), bits::LEVEL);
        Self {
            grid: Some(grid),
            text: STANDARD.encode(packed.expect("memory is written to")),
        }
    }

    /// `None` where it was not made by [`Packed::of`].
    pub(super) fn values(&self) -> Option<Vec<f64>> {
        let Some(grid) = self.grid else {
            return bits::from_text(&self.text).ok();
        };
        let packed = STANDARD.decode(&self.text).ok()?;
        let planes = zstd::stream::decode_all(packed.as_slice()).ok()?;
        let counts = counts(&planes)?;
        counts.into_iter().map(|count| grid.value(count)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_grid_and_none_gives_its_bits_back() {
        let course = |at: i32| (at * 7919 % 10_007 - 5_000) * 400;
        for grid in Grid::all() {
            let values: Vec<f64> = (0..500).map(|at| grid.value(course(at)).unwrap()).collect();
            let packed = Packed::of(&values);
            assert!(packed.grid.is_some(), "{grid:?}");
            let back = packed.values().unwrap();
            assert!(
                values
                    .iter()
                    .zip(&back)
                    .all(|(a, b)| a.to_bits() == b.to_bits())
            );
        }
        let extremes = [i32::MAX, i32::MIN, 0, -1, 1, i32::MIN, i32::MAX];
        assert_eq!(counts(&planes(&extremes)).unwrap(), extremes);
        for values in [
            vec![],
            vec![1.0 / 3.0, f64::NAN, -0.0],
            vec![f64::INFINITY, 1.0],
        ] {
            let back = Packed::of(&values).values().unwrap();
            assert_eq!(back.len(), values.len());
            assert!(
                values
                    .iter()
                    .zip(&back)
                    .all(|(a, b)| a.to_bits() == b.to_bits())
            );
        }
        for text in ["", "*", "AAAA"] {
            for grid in [None, Some(Grid::Gain(24)), Some(Grid::Gain(3))] {
                let text = text.to_owned();
                assert_eq!(Packed { grid, text }.values(), None);
            }
        }
    }
}
