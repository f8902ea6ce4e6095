//! From values under the null to p: ranks, false discovery rate, maxima over pairs.

use crate::number::float;

/// How the p of a rank test is made; stands beside every p.
pub(crate) const FORMULA: &str =
    "p = (b + 1) / (N + 1), b = surrogates with a value at least the observed";

/// `(b + 1) / (N + 1)` and `b`, the number of null values at least as great as the observed one. Never 0: the data are one of the
/// arrangements that the null allows.
///
/// Source: key `phipson-2010` in `docs/references.bib`.
pub fn rank_p(observed: f64, null: impl Iterator<Item = f64>) -> (f64, usize) {
    let (mut b, mut n) = (0, 0);
    for value in null {
        n += 1;
        if value >= observed {
            b += 1;
        }
    }
    ((float(b) + 1.0) / (float(n) + 1.0), b)
}

/// Adjusted p of Benjamini and Hochberg: the least false discovery rate at which each would be called.
///
/// `q_(k) = min over l >= k of p_(l) m / l`, at most 1; the order of the input stays.
///
/// Source: key `benjamini-1995` in `docs/references.bib`.
pub fn benjamini_hochberg(p: &[f64]) -> Vec<f64> {
    let mut places: Vec<usize> = (0..p.len()).collect();
    places.sort_by(|one, other| p[*one].total_cmp(&p[*other]));
    let mut q = vec![1.0; p.len()];
    let mut least = 1.0_f64;
    for (rank, &at) in places.iter().enumerate().rev() {
        least = least.min(p[at] * float(p.len()) / float(rank + 1));
        q[at] = least;
    }
    q
}

/// Mean and standard deviation (divided by `n - 1`); NaN where there is none.
pub(crate) fn mean_and_sd(values: &[f64]) -> (f64, f64) {
    let n = float(values.len());
    let mean = values.iter().sum::<f64>() / n;
    let square: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    (mean, (square / (n - 1.0)).sqrt())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rank_counts_ties_against_the_observed_and_is_never_zero() {
        let null = [0.1, 0.2, 0.3, 0.3];
        assert_eq!(rank_p(0.3, null.into_iter()), (0.6, 2));
        assert_eq!(rank_p(0.4, null.into_iter()), (0.2, 0));
        assert_eq!(rank_p(0.0, null.into_iter()), (1.0, 4));
    }

    #[test]
    fn false_discovery_rates_are_those_of_the_textbook() {
        let q = benjamini_hochberg(&[0.01, 0.04, 0.03, 0.9]);
        for (q, expected) in q.iter().zip([0.04, 0.16 / 3.0, 0.16 / 3.0, 0.9]) {
            assert!((q - expected).abs() < 1e-15);
        }
        assert!(benjamini_hochberg(&[]).is_empty());
    }
}
