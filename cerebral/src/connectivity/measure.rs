//! Pair measures: their names, and each one's formula over the sums of a pair.

use std::fmt;
use std::str::FromStr;

use serde::Serialize;

use super::kernel::PairSums;
use crate::error::AnalysisError;

/// A measure of a pair. Formulas are over observations `S = z_i conj z_j`, `A = Im S` (0 within the zero-lag guard), `u = S/|S|`,
/// `E` their mean over `N`. Keys name entries of `docs/references.bib`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Measure {
    /// Phase lag index, `|E sign A|`, in `[0, 1]` (`stam-2007`).
    Pli,
    /// `E sign A`, in `[-1, 1]`: above 0 where `i` leads.
    SignedPli,
    /// Unbiased estimate of the squared PLI, `(N PLI^2 - 1) / (N - 1)`; below 0 at times (`vinck-2011`).
    PliUnbiased,
    /// Directed PLI, `E H(A)` with `H(0) = 1/2`, in `[0, 1]`: above 1/2 where `i` leads (`stam-2012`).
    Dpli,
    /// Weighted PLI, `|E A| / E|A|`, in `[0, 1]` (`vinck-2011`). No imaginary part at all counts as 0.
    Wpli,
    /// `E A / E|A|`, in `[-1, 1]`: above 0 where `i` leads.
    WpliSigned,
    /// Debiased square of wPLI, `((sum A)^2 - sum A^2) / ((sum|A|)^2 - sum A^2)`; below 0 at times (`vinck-2011`). It
    /// takes observations for independent, which neighbouring samples are not.
    WpliDebiased,
    /// wPLI of unit phasors, `|E Im u| / E|Im u|`: another number than wPLI, since weak stretches count as much as strong ones.
    WpliPhaseOnly,
    /// Phase-locking value, `|E u|`, in `[0, 1]` (`lachaux-1999`). Zero lag counts in full.
    Plv,
    /// Corrected imaginary PLV, `|Im E u| / sqrt(1 - (Re E u)^2)`, in `[0, 1]` (`bruna-2018`).
    CiPlv,
    /// Imaginary part of coherency, `E A / sqrt(E|z_i|^2 E|z_j|^2)`, in `[-1, 1]` (`nolte-2004`).
    ImCoh,
    /// Pairwise phase consistency, `(|sum u|^2 - N) / (N (N - 1))`; below 0 at times (`vinck-2010`).
    Ppc,
    /// Coherence, `|E S| / sqrt(E|z_i|^2 E|z_j|^2)`, in `[0, 1]` (`nolte-2004`). Zero lag counts in full.
    Coh,
    /// Correlation of logarithmic envelopes, each pair orthogonalised; see
    /// [`envelope_correlation`](super::envelope_correlation).
    Aec,
}

impl Measure {
    /// All of them.
    pub const ALL: [Self; 14] = [
        Self::Pli,
        Self::SignedPli,
        Self::PliUnbiased,
        Self::Dpli,
        Self::Wpli,
        Self::WpliSigned,
        Self::WpliDebiased,
        Self::WpliPhaseOnly,
        Self::Plv,
        Self::CiPlv,
        Self::ImCoh,
        Self::Ppc,
        Self::Coh,
        Self::Aec,
    ];

    /// Those of a result file.
    pub const REPORTED: [Self; 10] = [
        Self::Pli,
        Self::Wpli,
        Self::WpliDebiased,
        Self::Dpli,
        Self::Plv,
        Self::CiPlv,
        Self::ImCoh,
        Self::Ppc,
        Self::Coh,
        Self::Aec,
    ];

    /// Its name in options and result files.
    pub fn name(self) -> &'static str {
        match self {
            Self::Pli => "pli",
            Self::SignedPli => "signed_pli",
            Self::PliUnbiased => "pli2_unbiased",
            Self::Dpli => "dpli",
            Self::Wpli => "wpli",
            Self::WpliSigned => "wpli_signed",
            Self::WpliDebiased => "wpli2_debiased",
            Self::WpliPhaseOnly => "wpli_phase_only",
            Self::Plv => "plv",
            Self::CiPlv => "ciplv",
            Self::ImCoh => "imcoh",
            Self::Ppc => "ppc",
            Self::Coh => "coh",
            Self::Aec => "aec",
        }
    }

    /// Whether a pair that shares a source without any lag scores high: volume conduction and the reference do.
    pub fn counts_zero_lag(self) -> bool {
        matches!(self, Self::Plv | Self::Ppc | Self::Coh)
    }

    /// The value where a channel meets itself.
    pub(crate) fn diagonal(self) -> f64 {
        if self == Self::Dpli { 0.5 } else { 0.0 }
    }

    /// The measure of a pair from its sums. `None` for [`Measure::Aec`], which no such sum tells.
    pub(crate) fn of(self, sums: &PairSums) -> Option<f64> {
        let n = sums.n;
        let lead = (sums.positive - sums.negative) / n;
        let weighted = ratio(sums.cross.im, sums.im_abs);
        let scale = (sums.power_i * sums.power_j).sqrt();
        let unit = sums.unit / n;
        Some(match self {
            Self::PliUnbiased | Self::WpliDebiased | Self::Ppc if n < 2.0 => f64::NAN,
            Self::Pli => lead.abs(),
            Self::SignedPli => lead,
            Self::PliUnbiased => (n * lead * lead - 1.0) / (n - 1.0),
            Self::Dpli => f64::midpoint(1.0, lead),
            Self::Wpli => weighted.abs(),
            Self::WpliSigned => weighted,
            Self::WpliDebiased => ratio(
                sums.cross.im * sums.cross.im - sums.im_square,
                sums.im_abs * sums.im_abs - sums.im_square,
            ),
            Self::WpliPhaseOnly => ratio(sums.unit.im, sums.unit_im_abs).abs(),
            Self::Plv => unit.norm(),
            Self::CiPlv => ratio(unit.im.abs(), (1.0 - unit.re * unit.re).max(0.0).sqrt()),
            Self::ImCoh => sums.cross.im / scale,
            Self::Ppc => (sums.unit.norm_sqr() - n) / (n * (n - 1.0)),
            Self::Coh => sums.cross.norm() / scale,
            Self::Aec => return None,
        })
    }
}

/// A quotient in which nothing over nothing is nothing.
fn ratio(numerator: f64, denominator: f64) -> f64 {
    if denominator > 0.0 {
        numerator / denominator
    } else {
        0.0
    }
}

impl fmt::Display for Measure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

impl Serialize for Measure {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

impl FromStr for Measure {
    type Err = AnalysisError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|measure| measure.name() == text)
            .ok_or_else(|| {
                let names: Vec<_> = Self::ALL.iter().map(|measure| measure.name()).collect();
                AnalysisError::setting("measure", text, format!("one of {}", names.join(", ")))
            })
    }
}

#[cfg(test)]
mod tests {
    use num_complex::Complex64;

    use super::*;

    #[test]
    fn names_are_read_as_they_are_written() {
        for measure in Measure::ALL {
            assert_eq!(measure.to_string().parse(), Ok(measure));
        }
        assert!("PLI".parse::<Measure>().is_err());
    }

    #[test]
    fn nothing_but_zero_lag_scores_zero_where_lags_are_asked_for() {
        let mut sums = PairSums::default();
        for _ in 0..10 {
            sums.observe(Complex64::from(3.0), [9.0, 1.0]);
        }
        for (measure, expected) in [
            (Measure::Pli, 0.0),
            (Measure::Dpli, 0.5),
            (Measure::Wpli, 0.0),
            (Measure::WpliDebiased, 0.0),
            (Measure::CiPlv, 0.0),
            (Measure::ImCoh, 0.0),
            (Measure::Plv, 1.0),
            (Measure::Coh, 1.0),
            (Measure::Ppc, 1.0),
        ] {
            let value = measure.of(&sums).unwrap();
            assert!((value - expected).abs() < 1e-15, "{measure} {value}");
        }
    }

    #[test]
    fn one_observation_leaves_what_is_debiased_undefined() {
        let mut sums = PairSums::default();
        sums.observe(Complex64::new(1.0, 1.0), [1.0, 2.0]);
        for measure in [Measure::WpliDebiased, Measure::PliUnbiased, Measure::Ppc] {
            assert!(measure.of(&sums).unwrap().is_nan(), "{measure}");
        }
        assert_eq!(Measure::Pli.of(&sums), Some(1.0));
    }
}
