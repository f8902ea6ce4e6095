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

impl Observed {
    /// Per channel the standard deviation in the band.
    pub(crate) fn band_sd(&self) -> &[f64] {
        &self.figures.sd
    }

    /// With other standard deviations to hold the surrogates' against: those of more data than these.
    #[must_use]
    pub(crate) fn with_band_sd(mut self, sd: Vec<f64>) -> Self {
        self.figures.sd = sd;
        self
    }
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

    /// All figures in a row, surrogate by surrogate, and how many of each sort one has: PLI, wPLI, deviations, order parameter.
    pub(crate) fn flat(&self) -> ([usize; 4], Vec<f64>) {
        let shape = self.surrogates.first().map_or([0; 4], |first| {
            let r = usize::from(first.r.is_some());
            [first.pli.len(), first.wpli.len(), first.sd.len(), r]
        });
        let figures = self.surrogates.iter().flat_map(|of| {
            let lists = [&of.pli, &of.wpli, &of.sd];
            lists.into_iter().flatten().copied().chain(of.r)
        });
        (shape, figures.collect())
    }

    /// The same from [`Self::flat`]; none where the figures do not come out even.
    pub(crate) fn of_flat([pli, wpli, sd, r]: [usize; 4], figures: &[f64]) -> Option<Self> {
        let mut lengths = [pli, wpli, sd, r].into_iter();
        let length = lengths.try_fold(0_usize, usize::checked_add)?;
        if length == 0 {
            return figures.is_empty().then(Self::default);
        }
        let chunks = figures.chunks_exact(length);
        if r > 1 || !chunks.remainder().is_empty() {
            return None;
        }
        let of = |chunk: &[f64]| {
            let (pli, rest) = chunk.split_at(pli);
            let (wpli, rest) = rest.split_at(wpli);
            let (sd, r) = rest.split_at(sd);
            Figures {
                pli: pli.to_vec(),
                wpli: wpli.to_vec(),
                sd: sd.to_vec(),
                r: r.first().copied(),
            }
        };
        Some(Self {
            surrogates: chunks.map(of).collect(),
        })
    }

    /// Forgets all but the last `n`.
    pub fn keep_last(&mut self, n: usize) {
        let surplus = self.surrogates.len().saturating_sub(n);
        self.surrogates.drain(..surplus);
    }
}
