//! The coupling over time: how much each stretch of the recording departs from the whole.

use ndarray::Array2;

use crate::calibration::dense;
use crate::calibration::expect::BLOCK_S;
use crate::calibration::fit::Fit;
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
/// along. The width is chosen by marginal likelihood, so a steady network comes out steady.
pub(crate) fn windows(
    fit: &Fit,
    from_s: f64,
    step_s: f64,
    settings: &CalibrationSettings,
) -> Vec<CouplingWindow> {
    let blocks = &fit.expectation.blocks;
    let per_block = |seconds: f64| whole((seconds / BLOCK_S).round()).unwrap_or(1).max(1);
    let (length, hop) = (
        per_block(settings.window_s).min(blocks.len()),
        per_block(settings.hop_s),
    );
    let starts = (0..=blocks.len() - length).step_by(hop);
    let sums: Vec<(usize, Sums)> = starts
        .map(|first| {
            let mut sum = blocks[first].clone();
            blocks[first + 1..first + length]
                .iter()
                .for_each(|block| sum.merge(block));
            (first, sum)
        })
        .collect();
    let total: f64 = blocks.iter().map(|block| block.n_steps).sum();
    let evidence = |width: f64| -> f64 {
        sums.iter()
            .map(|(_, sum)| depart(fit, sum, sum.n_steps / total, step_s, width).log_evidence)
            .sum()
    };
    let width = WIDTHS_RAD_S
        .into_iter()
        .max_by(|a, b| evidence(*a).total_cmp(&evidence(*b)))
        .unwrap_or(WIDTHS_RAD_S[0]);
    sums.iter()
        .map(|(first, sum)| {
            let departure = depart(fit, sum, sum.n_steps / total, step_s, width);
            let start_s = from_s + float(*first) * BLOCK_S;
            CouplingWindow {
                span_s: [start_s, start_s + float(length) * BLOCK_S],
                coupling_rad_s: &fit.p.coupling + &departure.by,
                sd_rad_s: departure.sd,
            }
        })
        .collect()
}

struct Departure {
    by: Array2<f64>,
    sd: Array2<f64>,
    log_evidence: f64,
}

/// How far the couplings of one window are from those of the whole, each normal of `width` around it.
fn depart(fit: &Fit, sum: &Sums, share: f64, step_s: f64, width: f64) -> Departure {
    let n = fit.p.n();
    let precision = 1.0 / (width * width);
    let mut out = Departure {
        by: Array2::zeros((n, n)),
        sd: Array2::zeros((n, n)),
        log_evidence: 0.0,
    };
    for (i, parabola) in fit.parabolas.iter().enumerate() {
        let mut factor: Vec<f64> = parabola.whole.iter().map(|value| value * share).collect();
        for j in 0..n {
            // The frequency is as free as a coupling of this width, so that the matrix is regular.
            factor[j * n + j] += precision;
        }
        let score = sum.score(&fit.p, i, step_s);
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
        for j in (0..n).filter(|j| *j != i) {
            out.by[[i, j]] = by[j];
            out.sd[[i, j]] = covariance[j * n + j].sqrt();
        }
    }
    out
}
