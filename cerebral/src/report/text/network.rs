//! Steps 1.5 to 1.8: the test, the matrices, the edges, the windows.

use std::fmt::Write as _;

use super::table::{STRONGEST, table};
use crate::analyze::{Analysis, BandResult, Matrix, TestInfo, WindowInfo};
use crate::connectivity::Measure;
use crate::number::float;
use crate::report::verdict_line;
use crate::report::words::{mean, p, pairs};

pub(super) fn surrogates(analysis: &Analysis) -> String {
    let Some(test) = &analysis.band.surrogates else {
        return String::new();
    };
    let mut out = String::new();
    let _ = writeln!(
        out,
        "N = {}, {} phases, randomised {}, seed {}",
        test.n, test.kind, test.from, test.seed
    );
    for (name, one) in [("wPLI", &test.wpli), ("PLI", &test.pli)] {
        let _ = writeln!(out, "{}", test_line(name, one, test.n));
    }
    let _ = writeln!(out, "{}; z is an effect size, p decides", test.formula);
    let ratios: Vec<f64> = test
        .band_sd_ratio
        .iter()
        .copied()
        .filter(|ratio| !ratio.is_nan())
        .collect();
    let least = ratios.iter().copied().fold(f64::INFINITY, f64::min);
    let most = ratios.iter().copied().fold(0.0, f64::max);
    let _ = writeln!(
        out,
        "band sd of surrogates over observed: {least:.3} to {most:.3} (0.8 to 1.25 is taken)"
    );
    if let Some(warning) = &test.warning {
        let _ = writeln!(out, "warning: {warning}");
    }
    if let Some(verdict) = &analysis.band.verdict {
        for disagreement in &verdict.disagreements {
            let _ = writeln!(out, "disagrees: {disagreement}");
        }
    }
    let _ = writeln!(out, "=> {}", verdict_line(&analysis.band));
    if let Some(reason) = expected_because(analysis) {
        let _ = writeln!(out, "{reason}");
    }
    out
}

pub(super) fn test_line(name: &str, test: &TestInfo, n: usize) -> String {
    format!(
        "{name:<4} mean {:.4}, null {:.4} +- {:.4}, z {:+.2}, p = {} (b = {} of {n})",
        test.observed_mean,
        test.null_mean,
        test.null_sd,
        test.z,
        p(test.p),
        test.b
    )
}

/// What a value of this size would be expected from, without any coupling.
fn expected_because(analysis: &Analysis) -> Option<String> {
    let test = analysis.band.surrogates.as_ref()?;
    let about = &analysis.band.analysis;
    Some(format!(
        "expected without coupling: {:.1} s in a band of {} Hz are about {:.0} independent observations, so chance alone gives a mean wPLI of {:.3}",
        about.measured_s,
        about.band_hz[1] - about.band_hz[0],
        1.35 * (about.band_hz[1] - about.band_hz[0]) * about.measured_s,
        test.wpli.null_mean
    ))
}

pub(super) fn matrices(
    analysis: &Analysis,
    measures: &[Measure],
    shown: impl Fn(Measure) -> bool,
) -> String {
    let mut out = String::new();
    for measure in measures.iter().copied().filter(|measure| shown(*measure)) {
        if let Some(matrix) = analysis.band.measures.get(&measure) {
            let _ = writeln!(
                out,
                "{measure}: mean {:.4} ({}, n_eff {:.0})",
                mean(matrix),
                analysis.band.analysis.convention,
                analysis.band.analysis.n_eff
            );
            out.push_str(&table(matrix, &analysis.recording.channels, 3));
        }
    }
    out
}

pub(super) fn wpli(analysis: &Analysis, measures: &[Measure]) -> String {
    let mut out = matrices(analysis, measures, |measure| measure != Measure::Pli);
    out.push_str(&means_and_edges(
        &analysis.band,
        &analysis.recording.channels,
    ));
    if let Some(epochs) = &analysis.band.analysis.epochs {
        let _ = writeln!(
            out,
            "over {} epochs about `{}`, {} left out; step 1.5 is about the whole segment",
            epochs.start_s.len(),
            epochs.choice,
            epochs.left_out.len()
        );
    }
    out
}

/// The mean of every measure, and the pairs that stand out.
pub(super) fn means_and_edges(band: &BandResult, names: &[String]) -> String {
    let mut out = String::new();
    for measure in Measure::REPORTED {
        if let Some(matrix) = band.measures.get(&measure) {
            let _ = writeln!(out, "mean {measure}: {:.4}", mean(matrix));
        }
    }
    let refused = band.verdict.as_ref().is_some_and(|verdict| verdict.refused);
    if refused {
        let _ = writeln!(out, "no edge is claimed: the test was refused");
    }
    if let Some(test) = band.surrogates.as_ref().filter(|_| !refused) {
        for (name, one) in [("wpli", &test.wpli), ("pli", &test.pli)] {
            let bh = count(&one.pairs_q_bh, test.alpha);
            let _ = writeln!(
                out,
                "{name} edges at alpha {}: {} by max-T, {bh} by false discovery rate{}",
                test.alpha,
                one.edges.len(),
                edges(&one.edges, names, band.measures.get(&Measure::Dpli))
            );
        }
    }
    out
}

fn edges(edges: &[[usize; 2]], names: &[String], dpli: Option<&Matrix>) -> String {
    let told: Vec<String> = edges
        .iter()
        .take(STRONGEST)
        .map(|&[i, j]| {
            let leads = dpli.map_or(f64::NAN, |dpli| dpli.0[[i, j]]);
            let arrow = if leads > 0.5 {
                "->"
            } else if leads < 0.5 {
                "<-"
            } else {
                "--"
            };
            format!("{} {arrow} {}", names[i], names[j])
        })
        .collect();
    if told.is_empty() {
        String::new()
    } else {
        format!(": {}", told.join(", "))
    }
}

fn count(matrix: &Matrix, at_most: f64) -> usize {
    pairs(matrix).filter(|value| *value <= at_most).count()
}

pub(super) fn windows(band: &BandResult, names: &[String]) -> String {
    let Some(windows) = &band.windows else {
        return String::new();
    };
    let about = &band.analysis;
    let mut out = String::new();
    let left_out = windows
        .iter()
        .filter(|window| window.reason.is_some())
        .count();
    let how = match about.guard_s {
        Some(guard) => format!("each from its own buffer with {guard} s of guard"),
        None => "the segment filtered as one".to_owned(),
    };
    let _ = writeln!(
        out,
        "{} windows of {} s every {} s ({how}), {left_out} without figures{}",
        windows.len(),
        about.window_s,
        about.hop_s,
        reasons(band)
    );
    let of = |pick: fn(&WindowInfo) -> f64| -> Vec<f64> {
        windows
            .iter()
            .map(pick)
            .filter(|value| !value.is_nan())
            .collect()
    };
    for (name, values) in [
        ("pli", of(|window| window.pli_mean)),
        ("wpli", of(|window| window.wpli_mean)),
        ("r", of(|window| window.r)),
    ] {
        if values.is_empty() {
            continue;
        }
        let least = values.iter().copied().fold(f64::INFINITY, f64::min);
        let most = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let mean = values.iter().sum::<f64>() / float(values.len());
        let _ = writeln!(out, "{name:<5} mean {mean:.3}, {least:.3} to {most:.3}");
    }
    if let Some(rise) = rise(windows, names) {
        let _ = writeln!(out, "{rise}");
    }
    if let Some(null) = &band.windows_null {
        let _ = writeln!(
            out,
            "without coupling a window's mean wPLI lies in {:.3} to {:.3} (5 to 95 % of {} surrogate windows); {:.0} % of these are above",
            null.wpli[0],
            null.wpli[1],
            null.n,
            100.0 * null.above
        );
    }
    out
}

/// The channel whose share of the band changes most from window to window: where a rhythm comes and goes.
fn rise(windows: &[WindowInfo], names: &[String]) -> Option<String> {
    let of = |channel: usize| {
        let shares = windows.iter().map(|window| window.relative_power[channel]);
        let mut shares: Vec<f64> = shares.filter(|share| !share.is_nan()).collect();
        shares.sort_by(f64::total_cmp);
        let last = shares.len().checked_sub(1)?;
        Some([shares[last / 10], shares[last - last / 10]])
    };
    let spread = |[low, high]: &[f64; 2]| high - low;
    let all = (0..names.len()).filter_map(|channel| Some((channel, of(channel)?)));
    let (channel, [low, high]) = all.max_by(|(_, a), (_, b)| spread(a).total_cmp(&spread(b)))?;
    Some(format!(
        "power in band changes most in {}: {:.0} % to {:.0} % of that of 2 to 40 Hz (lowest and highest tenth of windows)",
        names[channel],
        100.0 * low,
        100.0 * high
    ))
}

fn reasons(band: &BandResult) -> String {
    let windows = band.windows.as_deref().unwrap_or(&[]);
    let mut told: Vec<&str> = Vec::new();
    for reason in windows.iter().filter_map(|window| window.reason.as_deref()) {
        let word = reason.split(' ').next().unwrap_or(reason);
        let word = if word == "its" {
            "a gap or an end"
        } else {
            word
        };
        if !told.contains(&word) {
            told.push(word);
        }
    }
    if told.is_empty() {
        String::new()
    } else {
        format!(" ({})", told.join(", "))
    }
}
