//! Measures over epochs of analytic signals: each epoch's mean cross-spectrum is one observation.

use ndarray::ArrayView2;
use num_complex::Complex64;

use super::convention::{Convention, Method};
use super::kernel::{PairSums, Parts, Planes, n_pairs, pair_sums};
use super::measure::Measure;
use super::network::Network;
use crate::error::AnalysisError;
use crate::number::float;
use crate::preprocess::cut;

/// Every measure asked for but [`Measure::Aec`], over consecutive epochs of `n_epoch` samples of `z`; what is left at the end is
/// not used.
///
/// `z`: `(n_channels, n_samples)`, analytic. Within an epoch cross-spectra are averaged, so lags that come and go inside it
/// cancel: few epochs give large values without any coupling. `convention` is that of `z`; method, window and numbers of
/// observations are set here. A channel that is dead in one epoch is dead.
///
/// # Errors
/// [`AnalysisError::Setting`] for epochs below two samples or [`Measure::Aec`], [`AnalysisError::TooShort`] below two epochs,
/// [`AnalysisError::TooFewChannels`] below two channels.
pub fn over_epochs(
    z: ArrayView2<'_, Complex64>,
    n_epoch: usize,
    measures: &[Measure],
    convention: Convention,
) -> Result<Network, AnalysisError> {
    check(z.nrows(), z.ncols(), n_epoch, measures)?;
    let n_epochs = z.ncols() / n_epoch;
    let mut sums = vec![PairSums::default(); n_pairs(z.nrows())];
    let mut alive = vec![true; z.nrows()];
    for epoch in 0..n_epochs {
        let planes = Planes::of(cut(z, epoch * n_epoch..(epoch + 1) * n_epoch), Parts::Exact);
        for (alive, here) in alive.iter_mut().zip(planes.alive()) {
            *alive &= here;
        }
        for (total, within) in sums.iter_mut().zip(pair_sums(&planes)) {
            let n = float(n_epoch);
            total.observe(within.cross / n, [within.power_i / n, within.power_j / n]);
        }
    }
    let convention = Convention {
        method: Method::HilbertEpochs,
        window_s: convention.rate.seconds(n_epoch),
        hop_s: Some(convention.rate.seconds(n_epoch)),
        n_observations: n_epochs,
        n_eff: float(n_epochs),
        ..convention
    };
    Ok(Network::new(convention, &alive).with_sums(measures, &sums))
}

/// What every way over epochs asks for.
pub(super) fn check(
    n_channels: usize,
    n_samples: usize,
    n_epoch: usize,
    measures: &[Measure],
) -> Result<(), AnalysisError> {
    if n_channels < 2 {
        return Err(AnalysisError::TooFewChannels {
            what: "connectivity",
            least: 2,
            found: n_channels,
        });
    }
    if n_epoch < 2 {
        return Err(AnalysisError::setting(
            "epoch",
            n_epoch,
            "at least 2 samples",
        ));
    }
    no_envelopes(measures)?;
    if n_samples < 2 * n_epoch {
        return Err(AnalysisError::TooShort {
            what: "connectivity over epochs",
            least: 2 * n_epoch,
            found: n_samples,
        });
    }
    Ok(())
}

/// Envelope correlation is defined over samples alone.
pub(super) fn no_envelopes(measures: &[Measure]) -> Result<(), AnalysisError> {
    if measures.contains(&Measure::Aec) {
        return Err(AnalysisError::setting(
            "measure",
            Measure::Aec,
            "a measure of cross-spectra; aec is over samples",
        ));
    }
    Ok(())
}
