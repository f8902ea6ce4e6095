//! Figures of the data and of surrogates, side by side.

use super::kind::Tested;
use crate::connectivity::{Planes, lags, signs};
use crate::number::float;

/// Figures of all pairs of one set of channels, data or surrogate.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Figures {
    /// PLI of the pairs `i < j`.
    pub(crate) pli: Vec<f64>,
    /// wPLI of the same; empty where it is not tested.
    pub(crate) wpli: Vec<f64>,
    /// Standard deviation of each channel in the band.
    pub(crate) sd: Vec<f64>,
    /// Mean order parameter, where it was asked for.
    pub(crate) r: Option<f64>,
}

impl Figures {
    pub(crate) fn of(planes: &Planes, tested: Tested, order: bool) -> Self {
        let n = float(planes.n_samples());
        let sd = (0..planes.n_channels())
            .map(|channel| planes.band_sd(channel))
            .collect();
        let index =
            |positive: u32, negative: u32| (f64::from(positive) - f64::from(negative)).abs() / n;
        let r = order.then(|| planes.synchrony());
        match tested {
            Tested::Pli => Self {
                pli: signs(planes)
                    .iter()
                    .map(|signs| index(signs.positive, signs.negative))
                    .collect(),
                wpli: Vec::new(),
                sd,
                r,
            },
            Tested::PliAndWpli => {
                let lags = lags(planes);
                Self {
                    pli: lags
                        .iter()
                        .map(|lags| index(lags.positive, lags.negative))
                        .collect(),
                    wpli: lags
                        .iter()
                        .map(|lags| {
                            if lags.im_abs > 0.0 {
                                lags.im.abs() / lags.im_abs
                            } else {
                                0.0
                            }
                        })
                        .collect(),
                    sd,
                    r,
                }
            }
        }
    }
}

/// Figures of the data.
#[derive(Debug, Clone, PartialEq)]
pub struct Observed {
    pub(crate) figures: Figures,
    pub(crate) alive: Vec<bool>,
}

/// Figures of surrogates, in the order of their numbers: for every surrogate 16 bytes per pair.
///
/// A stream appends those of each new window and keeps the last of them: its rolling null.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Nulls {
    pub(crate) surrogates: Vec<Figures>,
}

impl Nulls {
    /// How many surrogates.
    pub fn len(&self) -> usize {
        self.surrogates.len()
    }

    /// Mean order parameter of each, where it was asked for.
    pub fn orders(&self) -> impl Iterator<Item = f64> {
        self.surrogates.iter().filter_map(|figures| figures.r)
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.surrogates.is_empty()
    }

    /// Puts others behind.
    pub fn append(&mut self, mut others: Self) {
        self.surrogates.append(&mut others.surrogates);
    }

    /// Forgets all but the last `n`.
    pub fn keep_last(&mut self, n: usize) {
        let surplus = self.surrogates.len().saturating_sub(n);
        self.surrogates.drain(..surplus);
    }
}
