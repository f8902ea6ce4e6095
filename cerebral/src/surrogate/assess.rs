//! Is it more than chance? Ranks among the surrogates, one verdict, and what disagrees with it.

use std::fmt;

use ndarray::Array2;

use super::kind::{Kind, Origin};
use super::nulls::{Figures, Nulls, Observed};
use super::statistics::{FORMULA, benjamini_hochberg, mean_and_sd, rank_p};
use crate::connectivity::{Symmetric, pairs};
use crate::number::float;

/// How far the surrogates' standard deviation in the band may be from the data's: beyond, they are surrogates of something else.
const SD_RATIO: std::ops::RangeInclusive<f64> = 0.8..=1.25;

/// The test of one measure. Matrices are `(n_channels, n_channels)`, symmetric, their diagonal and dead channels NaN.
#[derive(Debug, Clone, PartialEq)]
pub struct MeasureTest {
    /// Mean over the live pairs of the data.
    pub observed_mean: f64,
    /// Mean over surrogates of that mean.
    pub null_mean: f64,
    /// Its standard deviation over surrogates (divided by `n - 1`).
    pub null_sd: f64,
    /// `(observed_mean - null_mean) / null_sd`: an effect size. Decide by `p`: the null is skewed.
    pub z: f64,
    /// Surrogates whose mean is at least the observed.
    pub b: usize,
    /// Rank p of the mean.
    pub p: f64,
    /// The mean of every surrogate, for a picture of the null.
    pub null_means: Vec<f64>,
    /// Observed values of the pairs.
    pub pairs: Array2<f64>,
    /// Rank p of every pair by itself.
    pub pairs_p: Array2<f64>,
    /// The same adjusted by Benjamini and Hochberg.
    pub pairs_q_bh: Array2<f64>,
    /// Rank p of every pair among the surrogates' greatest pairs (max-T, key `nichols-2002` in `docs/references.bib`): corrected for
    /// all pairs at once. The list of edges is where it is at most alpha.
    pub pairs_p_max: Array2<f64>,
}

impl MeasureTest {
    /// Pairs `(i, j)`, `i < j`, at or below `alpha` in a matrix of p.
    fn called(p: &Array2<f64>, alpha: f64) -> Vec<(usize, usize)> {
        pairs(p.nrows())
            .filter(|&(i, j)| p[[i, j]] <= alpha)
            .collect()
    }

    /// The edges by max-T.
    pub fn edges(&self, alpha: f64) -> Vec<(usize, usize)> {
        Self::called(&self.pairs_p_max, alpha)
    }

    /// The edges by Benjamini and Hochberg's rate.
    pub fn edges_bh(&self, alpha: f64) -> Vec<(usize, usize)> {
        Self::called(&self.pairs_q_bh, alpha)
    }
}

/// What the test says. Everything computed afterwards carries it along.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// The rank p of the mean wPLI is at most alpha.
    Significant,
    /// It is not.
    NotSignificant,
    /// The surrogates are not of these data: their standard deviation in the band is off.
    Refused,
    /// wPLI was not tested.
    NotTested,
}

impl Verdict {
    /// Whether something is claimed.
    pub fn is_significant(self) -> bool {
        self == Self::Significant
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Significant => "significant",
            Self::NotSignificant => "not significant",
            Self::Refused => "refused",
            Self::NotTested => "not tested",
        })
    }
}

/// The whole result of a surrogate test.
#[derive(Debug, Clone, PartialEq)]
pub struct Significance {
    /// Which null.
    pub kind: Kind,
    /// What was randomised.
    pub origin: Origin,
    /// How many surrogates.
    pub n: usize,
    /// The seed.
    pub seed: u64,
    /// The level of the verdict and of the edges.
    pub alpha: f64,
    /// How p is made.
    pub formula: &'static str,
    /// Per channel: standard deviation in the band of the surrogates (root mean square over them) over that of the data; NaN
    /// for dead channels.
    pub band_sd_ratio: Vec<f64>,
    /// What to know before believing the figures.
    pub warnings: Vec<String>,
    /// PLI.
    pub pli: MeasureTest,
    /// wPLI, unless PLI alone was asked for.
    pub wpli: Option<MeasureTest>,
    /// The verdict, by the mean wPLI.
    pub verdict: Verdict,
    /// Tests that say otherwise than the verdict, or than each other.
    pub disagreements: Vec<String>,
}

/// Whether surrogates of this standard deviation, over that of the data, are of something else. NaN, of a dead channel, is not.
pub(crate) fn is_off(ratio: f64) -> bool {
    !ratio.is_nan() && !SD_RATIO.contains(&ratio)
}

/// What was asked, for the record.
pub(crate) struct Asked {
    pub(crate) kind: Kind,
    pub(crate) origin: Origin,
    pub(crate) seed: u64,
    pub(crate) alpha: f64,
}

pub(crate) fn assess(observed: &Observed, nulls: &Nulls, asked: &Asked) -> Significance {
    let of = |pick: fn(&Figures) -> &[f64]| measure(observed, nulls, pick);
    let pli = of(|figures| &figures.pli);
    let wpli = (!observed.figures.wpli.is_empty()).then(|| of(|figures| &figures.wpli));
    let band_sd_ratio = sd_ratio(observed, nulls);
    let is_off = band_sd_ratio.iter().any(|ratio| is_off(*ratio));
    let verdict = match &wpli {
        _ if is_off => Verdict::Refused,
        None => Verdict::NotTested,
        Some(wpli) if wpli.p <= asked.alpha => Verdict::Significant,
        Some(_) => Verdict::NotSignificant,
    };
    let mut warnings = Vec::new();
    if is_off {
        warnings.push(format!(
            "test refused: in the band the surrogates' standard deviation is not within {} to {} of the data's; a jump, an artefact or an end of the segment dominates",
            SD_RATIO.start(),
            SD_RATIO.end(),
        ));
    }
    let n_live = observed.alive.iter().filter(|alive| **alive).count();
    warnings.extend(too_coarse(
        nulls.len(),
        n_live * n_live.saturating_sub(1) / 2,
        asked.alpha,
    ));
    if asked.kind == Kind::Common {
        warnings.push(
            "common phases keep every linear coupling: this is no test for coupling, only for what is not linear in it"
                .to_owned(),
        );
    }
    let disagreements = disagreements(&pli, wpli.as_ref(), verdict, asked.alpha);
    Significance {
        kind: asked.kind,
        origin: asked.origin,
        n: nulls.len(),
        seed: asked.seed,
        alpha: asked.alpha,
        formula: FORMULA,
        band_sd_ratio,
        warnings,
        pli,
        wpli,
        verdict,
        disagreements,
    }
}

fn measure(observed: &Observed, nulls: &Nulls, pick: fn(&Figures) -> &[f64]) -> MeasureTest {
    let n_channels = observed.alive.len();
    // Places of the live pairs among all.
    let live: Vec<usize> = pairs(n_channels)
        .enumerate()
        .filter(|(_, (i, j))| observed.alive[*i] && observed.alive[*j])
        .map(|(place, _)| place)
        .collect();
    let mean =
        |values: &[f64]| live.iter().map(|&place| values[place]).sum::<f64>() / float(live.len());
    let most = |values: &[f64]| {
        live.iter()
            .map(|&place| values[place])
            .fold(0.0_f64, f64::max)
    };
    let null: Vec<&[f64]> = nulls.surrogates.iter().map(pick).collect();
    let null_means: Vec<f64> = null.iter().map(|values| mean(values)).collect();
    let maxima: Vec<f64> = null.iter().map(|values| most(values)).collect();
    let values = pick(&observed.figures);
    let observed_mean = mean(values);
    let (null_mean, null_sd) = mean_and_sd(&null_means);
    let (p, b) = rank_p(observed_mean, null_means.iter().copied());

    let pairs_p: Vec<f64> = live
        .iter()
        .map(|&place| rank_p(values[place], null.iter().map(|null| null[place])).0)
        .collect();
    let pairs_p_max: Vec<f64> = live
        .iter()
        .map(|&place| rank_p(values[place], maxima.iter().copied()).0)
        .collect();
    let pairs_q_bh = benjamini_hochberg(&pairs_p);
    let observed_pairs: Vec<f64> = live.iter().map(|&place| values[place]).collect();
    let matrix = |of_live: &[f64]| {
        let mut all = vec![f64::NAN; values.len()];
        for (&place, value) in live.iter().zip(of_live) {
            all[place] = *value;
        }
        Symmetric {
            n_channels,
            values: &all,
            diagonal: f64::NAN,
        }
        .matrix()
    };
    MeasureTest {
        observed_mean,
        null_mean,
        null_sd,
        z: (observed_mean - null_mean) / null_sd,
        b,
        p,
        pairs: matrix(&observed_pairs),
        pairs_p: matrix(&pairs_p),
        pairs_q_bh: matrix(&pairs_q_bh),
        pairs_p_max: matrix(&pairs_p_max),
        null_means,
    }
}

fn sd_ratio(observed: &Observed, nulls: &Nulls) -> Vec<f64> {
    (0..observed.alive.len())
        .map(|channel| {
            if !observed.alive[channel] {
                return f64::NAN;
            }
            let square: f64 = nulls
                .surrogates
                .iter()
                .map(|figures| figures.sd[channel].powi(2))
                .sum();
            (square / float(nulls.len())).sqrt() / observed.figures.sd[channel]
        })
        .collect()
}

/// Where no pair by itself could pass, whatever the data.
fn too_coarse(n: usize, n_pairs: usize, alpha: f64) -> Option<String> {
    let (floor, bound) = (1.0 / (float(n) + 1.0), alpha / float(n_pairs.max(1)));
    (floor > bound).then(|| {
        format!(
            "{n} surrogates are few for {n_pairs} pairs: no p is below 1/(N+1) = {floor:.5}, and one pair alone needs {bound:.5}; trust max-T, or take {:.0} surrogates",
            (1.0 / bound - 1.0 - 1e-9).ceil()
        )
    })
}

fn disagreements(
    pli: &MeasureTest,
    wpli: Option<&MeasureTest>,
    verdict: Verdict,
    alpha: f64,
) -> Vec<String> {
    let mut found = Vec::new();
    let Some(wpli) = wpli.filter(|_| verdict != Verdict::Refused) else {
        return found;
    };
    let says = |yes: bool| {
        if yes {
            Verdict::Significant
        } else {
            Verdict::NotSignificant
        }
    };
    let mut check = |yes: bool, what: String| {
        if says(yes) != verdict {
            found.push(format!("{what}, verdict {verdict}"));
        }
    };
    check(
        pli.p <= alpha,
        format!("mean pli p {:.4}: {}", pli.p, says(pli.p <= alpha)),
    );
    for (name, test) in [("pli", pli), ("wpli", wpli)] {
        let (bh, max) = (test.edges_bh(alpha).len(), test.edges(alpha).len());
        check(
            bh > 0,
            format!("{name} by false discovery rate: {bh} pairs"),
        );
        check(max > 0, format!("{name} by max-T: {max} pairs"));
    }
    for (name, test) in [("pli", pli), ("wpli", wpli)] {
        let (bh, max) = (test.edges_bh(alpha).len(), test.edges(alpha).len());
        if bh != max {
            found.push(format!(
                "{name}: {bh} pairs by false discovery rate, {max} by max-T"
            ));
        }
    }
    found
}
