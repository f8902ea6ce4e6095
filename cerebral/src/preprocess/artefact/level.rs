//! Where a filtered channel leaves its own quiet level.
//!
//! In: the filtered pieces of one channel. Out: runs of samples beyond the level, as (piece, start, end, peak in levels).

use super::super::robust::median;
use crate::number::float;

/// A run of samples beyond the level.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Run {
    /// Which piece.
    pub(super) piece: usize,
    /// First sample of it, within the piece.
    pub(super) start: usize,
    /// The sample after its last.
    pub(super) end: usize,
    /// Its highest value, in units of the level.
    pub(super) peak: f64,
}

/// Runs beyond `threshold` robust standard deviations.
pub(super) fn deflections(pieces: &[Vec<f64>], threshold: f64) -> Vec<Run> {
    /// Standard deviations in the median absolute value of Gaussian noise.
    const GAUSSIAN: f64 = 1.4826;
    let mut sizes: Vec<f64> = pieces.iter().flatten().map(|value| value.abs()).collect();
    let level = GAUSSIAN * median(&mut sizes);
    let pieces = pieces
        .iter()
        .map(|piece| piece.iter().map(|value| value.abs()).collect());
    beyond(pieces, level, threshold)
}

/// Runs in which the root mean square over `length` samples is beyond `threshold` times its median.
pub(super) fn bursts(pieces: &[Vec<f64>], length: usize, threshold: f64) -> Vec<Run> {
    let levels: Vec<Vec<f64>> = pieces.iter().map(|piece| rms(piece, length)).collect();
    let mut all: Vec<f64> = levels.iter().flatten().copied().collect();
    let level = median(&mut all);
    beyond(levels.into_iter(), level, threshold)
}

fn beyond(pieces: impl Iterator<Item = Vec<f64>>, level: f64, threshold: f64) -> Vec<Run> {
    if level <= 0.0 {
        return Vec::new();
    }
    let mut runs: Vec<Run> = Vec::new();
    for (at, piece) in pieces.enumerate() {
        for (sample, value) in piece.iter().enumerate() {
            let ratio = value / level;
            if ratio <= threshold {
                continue;
            }
            match runs.last_mut() {
                Some(run) if run.piece == at && run.end == sample => {
                    run.end = sample + 1;
                    run.peak = run.peak.max(ratio);
                }
                _ => runs.push(Run {
                    piece: at,
                    start: sample,
                    end: sample + 1,
                    peak: ratio,
                }),
            }
        }
    }
    runs
}

/// Root mean square over `length` samples about each sample; less at the ends.
fn rms(piece: &[f64], length: usize) -> Vec<f64> {
    let half = length / 2;
    let mut sums = Vec::with_capacity(piece.len() + 1);
    sums.push(0.0);
    for value in piece {
        sums.push(sums.last().copied().unwrap_or(0.0) + value * value);
    }
    (0..piece.len())
        .map(|at| {
            let (start, end) = (at.saturating_sub(half), (at + half + 1).min(piece.len()));
            ((sums[end] - sums[start]) / float(end - start))
                .max(0.0)
                .sqrt()
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_has_its_ends_and_its_peak_and_ends_with_its_piece() {
        let mut quiet: Vec<f64> = (0..100)
            .map(|at| if at % 2 == 0 { 1.0 } else { -1.0 })
            .collect();
        let mut loud = quiet.clone();
        quiet[99] = 20.0;
        loud[0] = 20.0;
        loud[50..53].copy_from_slice(&[-15.0, 30.0, 14.826]);
        let found = deflections(&[quiet, loud], 5.0);
        let places: Vec<_> = found
            .iter()
            .map(|run| (run.piece, run.start, run.end))
            .collect();
        assert_eq!(places, [(0, 99, 100), (1, 0, 1), (1, 50, 53)]);
        assert!((found[2].peak - 30.0 / 1.4826).abs() < 1e-12);
    }

    #[test]
    fn silence_has_no_level_to_leave() {
        assert_eq!(deflections(&[vec![0.0; 50]], 5.0), []);
        assert_eq!(bursts(&[vec![0.0; 50]], 10, 2.5), []);
        assert_eq!(bursts(&[], 10, 2.5), []);
    }
}
