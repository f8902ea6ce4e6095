//! What is wrong with a recording, in figures.
//!
//! In: the loaded samples and what the reader noticed. Out: [`Quality`]. Absent: judgement; which channel is left out is
//! decided where the segment is known.

use ndarray::{Array2, ArrayView1};
use serde::Serialize;

use super::error::RowFault;
use super::mains::mains;
use super::recording::Rails;
use crate::number::float;

/// Equal readings in a row from which a channel counts as flat: 40 ms at 250 Hz, far beyond what quantisation does to EEG.
const FLAT_RUN: usize = 10;

/// A row that gave no sample.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct BadRow {
    /// Line of the file, from 1.
    pub row: usize,
    /// What is wrong with it.
    pub reason: String,
}

impl From<RowFault> for BadRow {
    fn from(fault: RowFault) -> Self {
        Self {
            row: fault.row,
            reason: fault.reason,
        }
    }
}

/// Figures of what is wrong.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Quality {
    /// Rows that gave no sample.
    pub bad_rows: Vec<BadRow>,
    /// Rows of nothing but zeros.
    pub zero_rows: usize,
    /// Rows with the very readings of the row before.
    pub repeated_rows: usize,
    /// Per channel: power at the mains' frequency over the power beside it; `None` where too little can be used.
    pub mains_ratio: Vec<Option<f64>>,
    /// The mains' frequency that stands out most, hertz.
    pub mains_hz: Option<f64>,
    /// Per channel: share of readings at full scale, 0..=1.
    pub railed: Vec<f64>,
    /// Per channel: share of readings in runs of ten or more equal ones, railed ones aside, 0..=1.
    pub flat: Vec<f64>,
    /// Scatter of the host's stamps about a straight line, milliseconds; `None` without stamps.
    pub jitter_ms: Option<f64>,
    /// The rate that the host's stamps say, hertz; for comparison alone.
    pub stamp_rate_hz: Option<f64>,
    /// Signals of the file that are no channel of this recording, each with the reason.
    pub left_out: Vec<String>,
}

/// The figures that follow from the samples alone.
pub(super) fn of_samples(
    samples_uv: &Array2<f64>,
    sample_rate_hz: f64,
    rails: &[Rails],
) -> Quality {
    let mut quality = Quality::default();
    for (channel, rails) in samples_uv.rows().into_iter().zip(rails) {
        let (railed, flat) = useless_shares(channel, rails);
        quality.railed.push(railed);
        quality.flat.push(flat);
    }
    (quality.mains_hz, quality.mains_ratio) = mains(samples_uv.view(), sample_rate_hz);
    quality
}

/// Which shares of a channel's readings are at full scale, and which stand still, each 0..=1.
pub(crate) fn useless_shares(channel: ArrayView1<'_, f64>, rails: &Rails) -> (f64, f64) {
    let n = float(channel.iter().filter(|value| !value.is_nan()).count()).max(1.0);
    let railed = channel.iter().filter(|value| rails.hold(**value)).count();
    let flat = flat(channel, |value| rails.hold(value));
    (float(railed) / n, float(flat) / n)
}

/// The pieces of a channel that are neither missing nor at full scale nor flat, by time.
pub(crate) fn useful_runs(
    channel: ArrayView1<'_, f64>,
    rails: &Rails,
) -> Vec<std::ops::Range<usize>> {
    let values = channel.to_vec();
    let mut useful: Vec<bool> = values
        .iter()
        .map(|value| !value.is_nan() && !rails.hold(*value))
        .collect();
    let mut start = 0;
    for run in values.chunk_by(|a, b| a.to_bits() == b.to_bits()) {
        if run.len() >= FLAT_RUN {
            useful[start..start + run.len()].fill(false);
        }
        start += run.len();
    }
    let mut runs = Vec::new();
    let mut start = 0;
    for piece in useful.chunk_by(|a, b| a == b) {
        if piece[0] {
            runs.push(start..start + piece.len());
        }
        start += piece.len();
    }
    runs
}

/// Readings in long runs of equal ones that are not at full scale.
fn flat(channel: ArrayView1<'_, f64>, is_railed: impl Fn(f64) -> bool) -> usize {
    let mut total = 0;
    let mut run = 0;
    let mut before = f64::NAN;
    for &value in channel.iter().chain([&f64::NAN]) {
        if value.to_bits() == before.to_bits() && !value.is_nan() {
            run += 1;
            continue;
        }
        if run >= FLAT_RUN && !is_railed(before) {
            total += run;
        }
        run = usize::from(!value.is_nan());
        before = value;
    }
    total
}

/// The host's stamps, by sample.
#[derive(Debug, Default)]
pub(super) struct Stamps(Vec<(f64, f64)>);

impl Stamps {
    pub(super) fn push(&mut self, sample: usize, stamp_ms: Option<f64>) {
        if let Some(stamp_ms) = stamp_ms.filter(|stamp| stamp.is_finite()) {
            self.0.push((float(sample), stamp_ms));
        }
    }

    /// Slope of the stamps over the samples, milliseconds a sample, and their scatter about it, milliseconds.
    fn line(&self) -> Option<(f64, f64)> {
        let n = float(self.0.len());
        if self.0.len() < 3 {
            return None;
        }
        let mean_x = self.0.iter().map(|(x, _)| x).sum::<f64>() / n;
        let mean_y = self.0.iter().map(|(_, y)| y / n).sum::<f64>();
        let sxx: f64 = self.0.iter().map(|(x, _)| (x - mean_x).powi(2)).sum();
        let sxy: f64 = self
            .0
            .iter()
            .map(|(x, y)| (x - mean_x) * (y - mean_y))
            .sum();
        let slope = sxy / sxx;
        let residual = |(x, y): &(f64, f64)| y - mean_y - slope * (x - mean_x);
        let scatter =
            (self.0.iter().map(|at| residual(at).powi(2)).sum::<f64>() / (n - 2.0)).sqrt();
        slope.is_finite().then_some((slope, scatter))
    }

    pub(super) fn rate_hz(&self) -> Option<f64> {
        self.line()
            .map(|(slope, _)| 1_000.0 / slope)
            .filter(|rate| rate.is_finite() && *rate > 0.0)
    }

    /// Scatter about a line whose slope is free: the host's clock runs at its own pace.
    pub(super) fn jitter_ms(&self) -> Option<f64> {
        self.line().map(|(_, scatter)| scatter)
    }
}
