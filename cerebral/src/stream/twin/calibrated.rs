//! What a calibration is made from, and what a window needs of it.

use ndarray::{Array2, Axis};
use serde::{Deserialize, Serialize};

use crate::calibration::{CalibrationSettings, Follower, calibrate_and_follow};
use crate::preprocess::{Reference, find_bad_channels};
use crate::source::Rails;
use crate::twin::TwinError;
use crate::units::SampleRate;

/// What a calibration is made from.
#[derive(Debug)]
pub(super) struct Input {
    /// All channels as recorded, `(n_channels, n_samples)`.
    pub(super) raw_uv: Array2<f64>,
    pub(super) rails: Vec<Rails>,
    pub(super) rate: SampleRate,
    pub(super) reference: Reference,
    /// Channels that are known to be bad.
    pub(super) named_bad: Vec<usize>,
    pub(super) settings: CalibrationSettings,
    /// Simulations behind the noise floor, those before included.
    pub(super) floor_runs: usize,
    /// Channels of the calibration before, and the largest couplings of the simulations behind its noise floor.
    pub(super) earlier: Option<(Vec<usize>, Vec<f64>)>,
    /// Index in the session behind its last sample.
    pub(super) until: u64,
}

/// A calibrated twin.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Calibrated {
    pub(super) follower: Follower,
    /// The channels behind its nodes.
    pub(super) good: Vec<usize>,
    /// Channels that an average reference leaves out.
    pub(super) bad: Vec<usize>,
    pub(super) until: u64,
    pub(super) seconds: f64,
    /// The window of the stretch now from which on it is used.
    pub(super) used_from: u64,
    /// Claimed couplings, as channels.
    pub(super) edges: Vec<[u64; 2]>,
    pub(super) noise_floor_rad_s: f64,
    #[serde(with = "crate::bits::one")]
    pub(super) score: f64,
    #[serde(with = "crate::bits::one")]
    pub(super) score_uncoupled: f64,
    #[serde(with = "crate::bits::one")]
    pub(super) score_shuffled: f64,
}

impl Calibrated {
    /// The largest coupling of each simulation behind the noise floor, the oldest simulation first.
    pub(super) fn largest_rad_s(&self) -> &[f64] {
        &self.follower.largest_rad_s
    }

    /// Whether what was stored fits a session of `n_channels`, and its parts each other.
    pub(super) fn is_whole(&self, n_channels: usize) -> bool {
        let known = |channels: &[usize]| channels.iter().all(|channel| *channel < n_channels);
        known(&self.good) && known(&self.bad) && self.follower.is_of(self.good.len())
    }
}

impl Input {
    /// Does it: bad channels are judged by these samples, the others are measured against the reference.
    pub(super) fn calibrate(self) -> Result<Calibrated, TwinError> {
        let mut bad: Vec<usize> = find_bad_channels(self.raw_uv.view(), &self.rails, self.rate)
            .into_iter()
            .map(|bad| bad.index)
            .chain(self.named_bad)
            .collect();
        bad.sort_unstable();
        bad.dedup();
        let mut referenced = self.raw_uv;
        self.reference.apply(referenced.view_mut(), &bad)?;
        let mut good: Vec<usize> = (0..referenced.nrows())
            .filter(|channel| !bad.contains(channel))
            .collect();
        if let Reference::Channel { index, .. } = &self.reference {
            good.retain(|channel| channel != index);
        }
        let x = referenced.select(Axis(0), &good);
        // Simulations of other channels say nothing about these.
        let mut earlier = match self.earlier {
            Some((of, largest)) if of == good => largest,
            _ => Vec::new(),
        };
        let fresh = self.settings.floor_runs.min(self.floor_runs);
        let kept = earlier.len().min(self.floor_runs - fresh);
        earlier.drain(..earlier.len() - kept);
        let settings = CalibrationSettings {
            floor_runs: self.floor_runs - kept,
            ..self.settings
        };
        let (found, follower) = calibrate_and_follow(x.view(), self.rate, &settings, &earlier)?;
        let channel = |node: usize| u64::try_from(good[node]).unwrap_or(u64::MAX);
        let edges = found.edges.indexed_iter().filter(|(_, edge)| **edge);
        let held = &found.held_out;
        Ok(Calibrated {
            follower,
            edges: edges.map(|((i, j), _)| [channel(i), channel(j)]).collect(),
            noise_floor_rad_s: found.noise_floor_rad_s,
            score: held.score,
            score_uncoupled: held.uncoupled,
            score_shuffled: held.shuffled_mean,
            until: self.until,
            used_from: 0,
            seconds: self.rate.seconds(x.ncols()),
            good,
            bad,
        })
    }
}
