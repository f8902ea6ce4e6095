//! What text and page say in the same words, and the mean that both show.

use crate::analyze::{Analysis, BandResult, Matrix, TwinInfo};
use crate::calibration::SEEN_RAD;
use crate::number::float;

/// A p: never 0, and as exact as it is.
pub(super) fn p(p: f64) -> String {
    if p < 0.001 {
        format!("{p:.6}")
    } else {
        format!("{p:.4}")
    }
}

/// Two decimals, or a dash where there is no number.
pub(super) fn two(value: f64) -> String {
    if value.is_nan() {
        "\u{2013}".to_owned()
    } else {
        format!("{value:.2}")
    }
}

/// Channels whose figures in the twin mean nothing, each kind with its reason.
pub(super) fn cautions(analysis: &Analysis, twin: &TwinInfo) -> Vec<String> {
    let [low, high] = analysis.band.analysis.band_hz;
    let named = |values: &[f64], is_meant: &dyn Fn(f64) -> bool| {
        let names = analysis.recording.channels.iter().zip(values);
        let meant: Vec<&str> = names
            .filter(|(_, value)| is_meant(**value))
            .map(|(name, _)| name.as_str())
            .collect();
        meant.join(", ")
    };
    let unseen = named(&twin.phase_sd_rad, &|sd| sd > SEEN_RAD);
    let outside = named(&twin.omega_hz, &|hz| hz < low - 1.0 || hz > high + 1.0);
    let mut cautions = Vec::new();
    if !unseen.is_empty() {
        cautions.push(format!(
            "the rhythm is not seen under its noise in {unseen} (phase uncertain by more than {SEEN_RAD} rad): frequency, noise and couplings found there mean nothing"
        ));
    }
    if !outside.is_empty() {
        cautions.push(format!(
            "natural frequencies more than 1 Hz outside the band: {outside}; no rhythm of this band was followed there"
        ));
    }
    cautions
}

/// What to say of a stimulus where the twin's coupling is not to be trusted, whatever step 1.5 says of the recording.
pub(super) fn untrusted(analysis: &Analysis) -> Option<&'static str> {
    let twin = analysis.twin.as_ref()?;
    if twin.edges.is_empty() {
        Some(
            "no coupling of this twin is claimed: what a stimulus on one node does to the others rests on couplings that may be chance",
        )
    } else if !twin.beats_baselines {
        Some(
            "the coupling of this twin does not beat its baselines on data it has not seen: what a stimulus on one node does to the others may be chance",
        )
    } else {
        None
    }
}

/// What is said beside the verdict of a further band.
pub(super) const ONE_BY_ONE: &str =
    "Bands are tested one by one: with more of them chance has more tries.";

/// `3 blink (2.1 s), 1 muscle (4.0 s)`.
pub(super) fn kinds(band: &BandResult) -> String {
    let mut told: Vec<(String, usize, f64)> = Vec::new();
    for artefact in &band.analysis.artefacts {
        let (name, long) = (artefact.kind.to_string(), artefact.end_s - artefact.start_s);
        match told.iter_mut().find(|(known, _, _)| *known == name) {
            Some((_, n, s)) => {
                *n += 1;
                *s += long;
            }
            None => told.push((name, 1, long)),
        }
    }
    let told: Vec<String> = told
        .into_iter()
        .map(|(name, n, s)| format!("{n} {name} ({s:.1} s)"))
        .collect();
    told.join(", ")
}

/// Where synchrony sets in, by the largest eigenvalue of the coupling.
pub(super) fn onset(scale: f64) -> String {
    if scale < 1_000.0 {
        format!("{scale:.2} times this coupling (largest eigenvalue)")
    } else {
        "no multiple of this coupling below 1000 (largest eigenvalue)".to_owned()
    }
}

pub(super) fn pairs(matrix: &Matrix) -> impl Iterator<Item = f64> + '_ {
    let upper = matrix
        .0
        .indexed_iter()
        .filter(|((i, j), value)| i < j && !value.is_nan());
    upper.map(|(_, value)| *value)
}

/// The mean over pairs.
pub(super) fn mean(matrix: &Matrix) -> f64 {
    let (sum, n) = pairs(matrix).fold((0.0, 0), |(sum, n), value| (sum + value, n + 1));
    sum / float(n)
}
