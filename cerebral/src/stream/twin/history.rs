//! The last raw samples of a stretch.

use ndarray::{Array2, ArrayView2};
use serde::{Deserialize, Serialize};

use super::packed::Packed;

/// Samples from one index of the stretch on, all channels of an instant side by side.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Stored", into = "Stored")]
pub(super) struct History {
    n_channels: usize,
    /// Index in the stretch of the first sample kept.
    at: u64,
    uv: Vec<f64>,
    /// How many of them are no longer needed: they go when they are half of all.
    spent: usize,
}

/// Samples as they are put away, by channel.
#[derive(Debug, Serialize, Deserialize)]
struct Stored {
    at: u64,
    channels: Vec<Packed>,
}

impl From<History> for Stored {
    fn from(mut history: History) -> Self {
        history.compact();
        let n = history.n_channels;
        let channel = |channel: usize| -> Vec<f64> {
            let samples = history.uv.iter().skip(channel);
            samples.step_by(n).copied().collect()
        };
        Self {
            at: history.at,
            channels: (0..n).map(|of| Packed::of(&channel(of))).collect(),
        }
    }
}

impl TryFrom<Stored> for History {
    type Error = &'static str;

    fn try_from(stored: Stored) -> Result<Self, Self::Error> {
        let channels: Option<Vec<Vec<f64>>> = stored.channels.iter().map(Packed::values).collect();
        let channels = channels.ok_or("stored samples cannot be unpacked")?;
        let n = channels.first().map_or(0, Vec::len);
        if channels.iter().any(|channel| channel.len() != n) {
            return Err("stored channels are of unequal length");
        }
        let instant = |at: usize| channels.iter().map(move |channel| channel[at]);
        Ok(Self {
            n_channels: channels.len(),
            at: stored.at,
            uv: (0..n).flat_map(instant).collect(),
            spent: 0,
        })
    }
}

fn count(index: u64) -> usize {
    usize::try_from(index).unwrap_or(usize::MAX)
}

impl History {
    pub(super) fn new(n_channels: usize) -> Self {
        Self {
            n_channels,
            at: 0,
            uv: Vec::new(),
            spent: 0,
        }
    }

    pub(super) fn n_channels(&self) -> usize {
        self.n_channels
    }

    fn len(&self) -> usize {
        self.uv.len() / self.n_channels.max(1)
    }

    /// Index behind the newest sample.
    pub(super) fn end(&self) -> u64 {
        let n = u64::try_from(self.len()).unwrap_or(u64::MAX);
        self.at.saturating_add(n)
    }

    /// Takes samples from index `at` on. What is there already is passed over; where some are missing, it begins anew.
    pub(super) fn push(&mut self, at: u64, uv: ArrayView2<'_, f64>) {
        if at > self.end() {
            self.uv.clear();
            (self.at, self.spent) = (at, 0);
        }
        let again = count(self.end() - at);
        for instant in uv.columns().into_iter().skip(again) {
            self.uv.extend(instant);
        }
    }

    /// Samples `[from, to)`, `(n_channels, to - from)`; `None` where one of them is not there.
    pub(super) fn cut(&self, from: u64, to: u64) -> Option<Array2<f64>> {
        if from < self.at || to > self.end() || to < from {
            return None;
        }
        let (n, first, last) = (self.n_channels, count(from - self.at), count(to - self.at));
        let part = self.uv[first * n..last * n].to_vec();
        let rows = Array2::from_shape_vec((last - first, n), part).ok()?;
        Some(rows.reversed_axes().as_standard_layout().into_owned())
    }

    /// Nothing before `from` will be asked for.
    pub(super) fn forget_before(&mut self, from: u64) {
        self.spent = count(from.saturating_sub(self.at)).min(self.len());
        if 2 * self.spent >= self.len() {
            self.compact();
        }
    }

    /// Lets go of what is no longer needed.
    pub(super) fn compact(&mut self) {
        self.uv.drain(..self.spent * self.n_channels);
        self.at += u64::try_from(self.spent).unwrap_or(u64::MAX);
        self.spent = 0;
    }
}
