//! The newest raw samples of a session, as far as a screen can show them.
//!
//! In: blocks. Out: per channel its samples on the session's own count, with nothing where nothing came: a gap stays a gap.
//! Absent: filters; what is drawn is what the board said.

use std::collections::VecDeque;

use contract::eeg::Samples;

use crate::text::clean;

/// The most channels of a session that are kept.
pub(crate) const MAX_CHANNELS: usize = 256;
/// The longest stretch that is kept, seconds.
const KEPT_S: f64 = 10.0;

/// The newest samples.
#[derive(Debug, Clone, Default)]
pub(crate) struct Signals {
    /// Samples a second.
    pub(crate) rate_hz: f64,
    /// Names of the channels.
    pub(crate) channels: Vec<String>,
    /// Per channel the readings at which its amplifier ends.
    pub(crate) rails_uv: Vec<Vec<f64>>,
    /// Index behind the newest sample.
    pub(crate) end: u64,
    /// Per channel its samples up to `end`, NaN where none came.
    kept: Vec<VecDeque<f32>>,
}

/// What became of a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Taken {
    /// It follows those before, with or without a gap.
    Follows,
    /// It lies before what was taken already: the session is told anew.
    Rewound,
    /// Rows, channels and rate do not fit together.
    Senseless,
    /// More channels than are kept.
    TooWide,
}

impl Signals {
    /// Takes a block; all channels together keep at most `most` values.
    pub(crate) fn take(&mut self, block: &Samples<'_>, most: usize) -> Taken {
        let n = block.uv.first().map_or(0, Vec::len);
        let is_even = block.uv.len() == block.channels.len()
            && block.uv.iter().all(|row| row.len() == n)
            && block.sample_rate_hz.is_finite()
            && block.sample_rate_hz > 0.0;
        if !is_even {
            return Taken::Senseless;
        }
        if block.channels.len() > MAX_CHANNELS {
            return Taken::TooWide;
        }
        let rewound = block.at < self.end;
        let is_other = self.rate_hz.total_cmp(&block.sample_rate_hz).is_ne()
            || self.channels.len() != block.channels.len()
            || self
                .channels
                .iter()
                .zip(&block.channels)
                .any(|(ours, theirs)| *ours != clean(theirs));
        if rewound || is_other {
            *self = Self {
                rate_hz: block.sample_rate_hz,
                channels: block.channels.iter().map(|name| clean(name)).collect(),
                rails_uv: block.rails_uv.clone(),
                end: block.at,
                kept: vec![VecDeque::new(); block.channels.len()],
            };
        }
        let capacity = self.capacity(most);
        let missing = usize::try_from(block.at.saturating_sub(self.end)).unwrap_or(usize::MAX);
        // A numbering begun anew with nothing missing still parts two stretches: one dot of nothing says so.
        let parted = usize::from(
            !block.follows && missing == 0 && self.kept.iter().any(|row| !row.is_empty()),
        );
        for (kept, row) in self.kept.iter_mut().zip(&block.uv) {
            kept.extend(std::iter::repeat_n(f32::NAN, missing.min(capacity)));
            kept.extend(row.iter().map(|value| single(value.0)));
            if let Some(first) = kept.len().checked_sub(n).filter(|_| parted > 0)
                && let Some(value) = kept.get_mut(first)
            {
                *value = f32::NAN;
            }
            kept.drain(..kept.len().saturating_sub(capacity));
        }
        self.end = block.at.saturating_add(u64::try_from(n).unwrap_or(0));
        if rewound {
            Taken::Rewound
        } else {
            Taken::Follows
        }
    }

    fn capacity(&self, most: usize) -> usize {
        let share = most / self.channels.len().max(1);
        whole(self.rate_hz * KEPT_S).clamp(1, share.max(1))
    }

    /// Samples of a channel up to the newest, oldest first; NaN where there is none.
    pub(crate) fn of(&self, channel: usize) -> impl DoubleEndedIterator<Item = f64> + '_ {
        let kept = self.kept.get(channel);
        let n = kept.map_or(0, VecDeque::len);
        (0..n).map(move |at| {
            kept.and_then(|kept| kept.get(at))
                .map_or(f64::NAN, |value| f64::from(*value))
        })
    }

    /// How many samples of each channel there are.
    pub(crate) fn len(&self) -> usize {
        self.kept.first().map_or(0, VecDeque::len)
    }

    /// Whether a reading of a channel is at the end of what its amplifier can say.
    pub(crate) fn is_railed(&self, channel: usize, value: f64) -> bool {
        let rails = self.rails_uv.get(channel);
        // A part in a million: what single precision leaves of a reading.
        rails.is_some_and(|rails| {
            rails
                .iter()
                .any(|rail| (value - rail).abs() <= rail.abs() * 1e-6)
        })
    }
}

#[expect(
    clippy::as_conversions,
    reason = "a screen shows a part in a hundred; what is too large becomes infinite"
)]
fn single(value: f64) -> f32 {
    value as f32
}

#[expect(
    clippy::as_conversions,
    reason = "saturates at both ends, and NaN gives 0"
)]
fn whole(value: f64) -> usize {
    value.round() as usize
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::eeg::{Made, samples};

    fn shown(signals: &Signals) -> Vec<f64> {
        signals.of(0).collect()
    }

    #[test]
    fn a_gap_stays_a_gap_and_the_oldest_go() {
        let made = Made::default();
        let mut signals = Signals::default();
        let most = 8 * 60;
        assert_eq!(signals.take(&samples(&made, 0), most), Taken::Follows);
        assert_eq!(signals.take(&samples(&made, 3), most), Taken::Follows);
        let values = shown(&signals);
        assert_eq!((values.len(), signals.end), (40, 40));
        assert!(values[10..30].iter().all(|value| value.is_nan()));
        assert!(
            values[..10]
                .iter()
                .chain(&values[30..])
                .all(|value| value.is_finite())
        );
        for block in 4..10 {
            signals.take(&samples(&made, block), most);
        }
        assert_eq!((signals.len(), signals.end), (60, 100));
        assert!(shown(&signals).iter().all(|value| value.is_finite()));
        signals.take(&samples(&made, u64::MAX / 20), most);
        assert_eq!(signals.len(), 60, "a gap of years is bounded too");
    }

    #[test]
    fn a_numbering_begun_anew_parts_the_picture_and_a_rewind_begins_it_anew() {
        let made = Made::default();
        let mut signals = Signals::default();
        signals.take(&samples(&made, 0), 8_000);
        let mut next = samples(&made, 1);
        next.follows = false;
        signals.take(&next, 8_000);
        assert_eq!(
            shown(&signals)
                .iter()
                .filter(|value| value.is_nan())
                .count(),
            1
        );
        assert_eq!(signals.take(&samples(&made, 1), 8_000), Taken::Rewound);
        assert_eq!((signals.len(), signals.end), (10, 20));
    }

    #[test]
    fn a_block_without_sense_changes_nothing() {
        let made = Made::default();
        let mut signals = Signals::default();
        signals.take(&samples(&made, 0), 8_000);
        let mut ragged = samples(&made, 1);
        ragged.uv[2].pop();
        assert_eq!(signals.take(&ragged, 8_000), Taken::Senseless);
        let mut still = samples(&made, 1);
        still.sample_rate_hz = 0.0;
        assert_eq!(signals.take(&still, 8_000), Taken::Senseless);
        let wide = samples(
            &Made {
                n_channels: MAX_CHANNELS + 1,
                ..made
            },
            1,
        );
        assert_eq!(signals.take(&wide, 8_000), Taken::TooWide);
        assert_eq!(signals.end, 10);
    }

    #[test]
    fn readings_at_a_rail_are_known_as_such() {
        let made = Made {
            railed: Some(1),
            ..Made::default()
        };
        let mut signals = Signals::default();
        signals.take(&samples(&made, 0), 8_000);
        assert!(signals.of(1).all(|value| signals.is_railed(1, value)));
        assert!(!signals.of(0).any(|value| signals.is_railed(0, value)));
    }
}
