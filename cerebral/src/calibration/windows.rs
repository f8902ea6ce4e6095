//! The coupling over time: how much each stretch of the recording departs from the whole.

use ndarray::Array2;

use crate::calibration::dense;
use crate::calibration::expect::BLOCK_S;
use crate::calibration::fit::Fit;
use crate::calibration::model::Parameters;
use crate::calibration::regress::Sums;
use crate::calibration::settings::CalibrationSettings;
use crate::number::float;
use crate::twin::number::whole;

/// The coupling during one window.
#[derive(Debug, Clone, PartialEq)]
pub struct CouplingWindow {
    /// Start and end, seconds from the start of the recording.
    pub span_s: [f64; 2],
    /// rad/s, shape `(n, n)`.
    pub coupling_rad_s: Array2<f64>,
    /// Posterior standard deviation around the coupling of the whole recording, rad/s.
    pub sd_rad_s: Array2<f64>,
}

/// Candidates for how much couplings change over time, rad/s; the likeliest over all windows is taken.
const WIDTHS_RAD_S: [f64; 9] = [0.05, 0.1, 0.2, 0.35, 0.6, 1.0, 1.7, 3.0, 5.0];

/// One step of scoring per window from the fit of the whole: `K + (H_w + 1/width^2)^-1 score_w`, the frequencies changing
/// along. The width is chosen by marginal likelihood, so a steady network comes out steady. Returns it along, rad/s.
pub(crate) fn windows(
    fit: &Fit,
    from_s: f64,
    step_s: f64,
    settings: &CalibrationSettings,
) -> (Vec<CouplingWindow>, f64) {
    let blocks = &fit.expectation.blocks;
    let per_block = |seconds: f64| whole((seconds / BLOCK_S).round()).unwrap_or(1).max(1);
    let (length, hop) = (
        per_block(settings.window_s).min(blocks.len()),
        per_block(settings.hop_s),
    );
    let starts = (0..=blocks.len() - length).step_by(hop);
    let sums: Vec<(usize, Scores)> = starts
        .map(|first| {
            let mut sum = blocks[first].clone();
            blocks[first + 1..first + length]
                .iter()
                .for_each(|block| sum.merge(block));
            (first, Scores::of(&sum, &fit.p, step_s))
        })
        .collect();
    let total: f64 = blocks.iter().map(|block| block.n_steps).sum();
    let curvatures: Vec<&[f64]> = fit.parabolas.iter().map(|p| p.whole.as_slice()).collect();
    let departure = |scores: &Scores, width: f64| depart(&curvatures, scores, total, width);
    let evidence = |width: f64| -> f64 {
        sums.iter()
            .map(|(_, scores)| departure(scores, width).log_evidence)
            .sum()
    };
    let width = WIDTHS_RAD_S
        .into_iter()
        .max_by(|a, b| evidence(*a).total_cmp(&evidence(*b)))
        .unwrap_or(WIDTHS_RAD_S[0]);
    let found = sums
        .iter()
        .map(|(first, scores)| {
            let mut departure = departure(scores, width);
            departure.by.diag_mut().fill(0.0);
            let start_s = from_s + float(*first) * BLOCK_S;
            CouplingWindow {
                span_s: [start_s, start_s + float(length) * BLOCK_S],
                coupling_rad_s: &fit.p.coupling + &departure.by,
                sd_rad_s: departure.sd,
            }
        })
        .collect();
    (found, width)
}

/// The derivative of a window's log likelihood by every node's frequency and couplings.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Scores {
    pub(crate) n_steps: f64,
    /// One row per node, the frequency in the node's own place.
    pub(crate) of: Array2<f64>,
}

impl Scores {
    pub(crate) fn of(sums: &Sums, p: &Parameters, step_s: f64) -> Self {
        let n = p.n();
        let rows = (0..n).flat_map(|i| sums.score(p, i, step_s));
        Self {
            n_steps: sums.n_steps,
            of: Array2::from_shape_vec((n, n), rows.collect()).expect("n scores of n nodes"),
        }
    }
}

/// How far a window is from the whole.
pub(crate) struct Departure {
    /// Of the couplings, and on the diagonal of the natural frequencies, rad/s.
    pub(crate) by: Array2<f64>,
    sd: Array2<f64>,
    log_evidence: f64,
}

/// How far the couplings of one window are from those of the whole, each normal of `width` around it. `curvatures`: one
/// `n x n` block per node, of `total` steps.
pub(crate) fn depart(curvatures: &[&[f64]], scores: &Scores, total: f64, width: f64) -> Departure {
    let n = curvatures.len();
    let share = scores.n_steps / total;
    let precision = 1.0 / (width * width);
    let mut out = Departure {
        by: Array2::zeros((n, n)),
        sd: Array2::zeros((n, n)),
        log_evidence: 0.0,
    };
    for (i, curvature) in curvatures.iter().enumerate() {
        let mut factor: Vec<f64> = curvature.iter().map(|value| value * share).collect();
        for j in 0..n {
            // The frequency is as free as a coupling of this width, so that the matrix is regular.
            factor[j * n + j] += precision;
        }
        let score = scores.of.row(i).to_vec();
        let mut by = score.clone();
        let mut covariance = vec![0.0; n * n];
        if !dense::cholesky(&mut factor, n) {
            continue;
        }
        dense::solve(&factor, &mut by, n);
        dense::inverse(&factor, &mut covariance, n);
        let log_determinant: f64 = (0..n).map(|j| 2.0 * factor[j * n + j].ln()).sum();
        let explained: f64 = by.iter().zip(&score).map(|(by, score)| by * score).sum();
        out.log_evidence += (explained - log_determinant + float(n) * precision.ln()) / 2.0;
        for j in 0..n {
            out.by[[i, j]] = by[j];
            if j != i {
                out.sd[[i, j]] = covariance[j * n + j].sqrt();
            }
        }
    }
    out
}
