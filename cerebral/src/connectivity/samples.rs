//! Measures over the samples of analytic signals.

use ndarray::ArrayView2;
use num_complex::Complex64;

use super::convention::Convention;
use super::envelope::envelope_correlation;
use super::kernel::{PairSums, Parts, Planes, lags, pair_sums};
use super::measure::Measure;
use super::network::Network;
use crate::error::AnalysisError;
use crate::number::float;

/// Every measure asked for, over the samples of `z`, each sample an observation.
///
/// `z`: `(n_channels, n_samples)`, analytic, trimmed, any unit. Matrices are `(n_channels, n_channels)`; ranges and formulas: see
/// [`Measure`]. Lags within the zero-lag guard count as none, so a mixture of one source with any gains scores exactly 0 in
/// PLI, wPLI, imaginary coherence and ciPLV, and 0.5 in dPLI. A channel that is 0 throughout or holds a sample that is not
/// finite is NaN in every matrix, its diagonal too.
///
/// Cost: about `0.25 ns` per pair and sample for PLI, wPLI and what is signed of them, four times that for the rest; 16 bytes
/// per channel and sample.
///
/// # Errors
/// [`AnalysisError::TooShort`] below two samples, [`AnalysisError::TooFewChannels`] below two channels.
pub fn over_samples(
    z: ArrayView2<'_, Complex64>,
    measures: &[Measure],
    convention: Convention,
) -> Result<Network, AnalysisError> {
    if z.nrows() < 2 {
        return Err(AnalysisError::TooFewChannels {
            what: "connectivity",
            least: 2,
            found: z.nrows(),
        });
    }
    if z.ncols() < 2 {
        return Err(AnalysisError::TooShort {
            what: "connectivity",
            least: 2,
            found: z.ncols(),
        });
    }
    let planes = Planes::of(z, Parts::Exact);
    let sums = if measures.iter().all(|&measure| needs_lags_alone(measure)) {
        from_lags(&planes)
    } else {
        pair_sums(&planes)
    };
    let mut network = Network::new(convention, planes.alive()).with_sums(measures, &sums);
    if measures.contains(&Measure::Aec) {
        network = network.with(Measure::Aec, envelope_correlation(z));
    }
    Ok(network)
}

/// Whether the fast sums suffice.
fn needs_lags_alone(measure: Measure) -> bool {
    matches!(
        measure,
        Measure::Pli
            | Measure::SignedPli
            | Measure::PliUnbiased
            | Measure::Dpli
            | Measure::Wpli
            | Measure::WpliSigned
            | Measure::ImCoh
            | Measure::Aec
    )
}

fn from_lags(planes: &Planes) -> Vec<PairSums> {
    let n = float(planes.n_samples());
    let powers: Vec<f64> = (0..planes.n_channels())
        .map(|channel| n * planes.power(channel))
        .collect();
    super::kernel::pairs(planes.n_channels())
        .zip(lags(planes))
        .map(|((i, j), lags)| PairSums {
            n,
            positive: f64::from(lags.positive),
            negative: f64::from(lags.negative),
            cross: Complex64::new(0.0, lags.im),
            im_abs: lags.im_abs,
            power_i: powers[i],
            power_j: powers[j],
            ..PairSums::default()
        })
        .collect()
}
