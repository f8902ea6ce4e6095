//! The result: one matrix per measure, which channels are dead, and how it was made.

use std::collections::BTreeMap;

use ndarray::{Array2, ArrayView2};

use super::convention::Convention;
use super::kernel::{PairSums, n_pairs, pairs};
use super::measure::Measure;
use crate::number::float;

/// A network of channels by several measures.
#[derive(Debug, Clone, PartialEq)]
pub struct Network {
    convention: Convention,
    dead: Vec<bool>,
    matrices: BTreeMap<Measure, Array2<f64>>,
}

impl Network {
    /// Every measure is 0 (its value for no coupling) until filled; dead channels are NaN.
    pub(crate) fn new(convention: Convention, alive: &[bool]) -> Self {
        Self {
            convention,
            dead: alive.iter().map(|alive| !alive).collect(),
            matrices: BTreeMap::new(),
        }
    }

    /// Puts in what the sums of all pairs say of each measure that follows from them.
    pub(crate) fn with_sums(mut self, measures: &[Measure], sums: &[PairSums]) -> Self {
        for &measure in measures {
            let mut matrix = self.blank(measure.diagonal());
            for ((i, j), sums) in pairs(self.dead.len()).zip(sums) {
                let both = (measure.of(sums), measure.of(&sums.reversed()));
                if let ((Some(there), Some(back)), false) = (both, self.dead[i] || self.dead[j]) {
                    // Nothing has no sign.
                    matrix[[i, j]] = there + 0.0;
                    matrix[[j, i]] = back + 0.0;
                }
            }
            if measure != Measure::Aec {
                self.matrices.insert(measure, matrix);
            }
        }
        self
    }

    /// Puts in one finished matrix; rows and columns of dead channels become NaN.
    pub(crate) fn with(mut self, measure: Measure, mut matrix: Array2<f64>) -> Self {
        for ((i, j), value) in matrix.indexed_iter_mut() {
            if self.dead[i] || self.dead[j] {
                *value = f64::NAN;
            } else if i == j {
                *value = measure.diagonal();
            }
        }
        self.matrices.insert(measure, matrix);
        self
    }

    /// The mean of several networks of the same channels and measures, matrix by matrix.
    pub(crate) fn mean_of(networks: &[Self], convention: Convention) -> Self {
        let mut mean = Self {
            convention,
            dead: Vec::new(),
            matrices: BTreeMap::new(),
        };
        let Some(first) = networks.first() else {
            return mean;
        };
        mean.dead.clone_from(&first.dead);
        for measure in first.measures() {
            let mut sum = Array2::zeros((first.dead.len(), first.dead.len()));
            for network in networks {
                sum += &network.matrices[&measure];
            }
            sum /= float(networks.len());
            mean.matrices.insert(measure, sum);
        }
        mean
    }

    fn blank(&self, diagonal: f64) -> Array2<f64> {
        let n = self.dead.len();
        Array2::from_shape_fn((n, n), |(i, j)| {
            if self.dead[i] || self.dead[j] {
                f64::NAN
            } else if i == j {
                diagonal
            } else {
                0.0
            }
        })
    }

    /// How it was made.
    pub fn convention(&self) -> &Convention {
        &self.convention
    }

    /// Which channels carried nothing, or held a missing sample: NaN in every matrix.
    pub fn dead(&self) -> &[bool] {
        &self.dead
    }

    /// Which measures it holds.
    pub fn measures(&self) -> impl Iterator<Item = Measure> {
        self.matrices.keys().copied()
    }

    /// The matrix of one measure, `(n_channels, n_channels)`, if it was asked for. The diagonal is 0, for dPLI 0.5.
    pub fn matrix(&self, measure: Measure) -> Option<ArrayView2<'_, f64>> {
        self.matrices.get(&measure).map(|matrix| matrix.view())
    }

    /// The mean over the pairs `i < j` of live channels; NaN if there is none, `None` if the measure was not asked for.
    pub fn mean(&self, measure: Measure) -> Option<f64> {
        let matrix = self.matrices.get(&measure)?;
        let (mut sum, mut count) = (0.0, 0);
        for (i, j) in pairs(self.dead.len()) {
            if !(self.dead[i] || self.dead[j]) {
                sum += matrix[[i, j]];
                count += 1;
            }
        }
        Some(sum / float(count))
    }

    /// What to say beside the figures: which of them a shared source or reference can make without any coupling.
    pub fn warnings(&self) -> Vec<String> {
        let mut warnings = Vec::new();
        let caught: Vec<_> = self
            .measures()
            .filter(|measure| measure.counts_zero_lag())
            .map(Measure::name)
            .collect();
        if !caught.is_empty() {
            warnings.push(format!(
                "{} count zero lag in full: volume conduction and the reference ({}) raise them without any coupling; compare wpli and ciplv",
                caught.join(", "),
                self.convention.reference,
            ));
        }
        if self.convention.reference == "average" {
            warnings.push(
                "an average reference puts a share of every channel into each: lags included, so no measure here is free of it"
                    .to_owned(),
            );
        }
        let n_dead = self.dead.iter().filter(|dead| **dead).count();
        if n_dead > 0 {
            warnings.push(format!(
                "{n_dead} of {} channels carry nothing or miss samples; their pairs have no figure",
                self.dead.len()
            ));
        }
        warnings
    }
}

/// Values of the pairs `i < j` laid out as a symmetric matrix.
pub(crate) struct Symmetric<'a> {
    pub(crate) n_channels: usize,
    pub(crate) values: &'a [f64],
    pub(crate) diagonal: f64,
}

impl Symmetric<'_> {
    pub(crate) fn matrix(&self) -> Array2<f64> {
        debug_assert_eq!(self.values.len(), n_pairs(self.n_channels));
        let mut matrix = Array2::from_elem((self.n_channels, self.n_channels), self.diagonal);
        for ((i, j), value) in pairs(self.n_channels).zip(self.values) {
            matrix[[i, j]] = *value;
            matrix[[j, i]] = *value;
        }
        matrix
    }
}
