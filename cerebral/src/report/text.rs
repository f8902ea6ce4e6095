//! Each step as lines on a screen.

use std::fmt::Write as _;

use crate::analyze::{
    Analysis, BandResult, Matrix, Status, StepId, TestInfo, TwinInfo, VerdictInfo, WhatIfInfo,
    WindowInfo,
};
use crate::calibration::SEEN_RAD;
use crate::connectivity::Measure;
use crate::number::float;

/// Wider matrices are told by their strongest pairs.
const WIDEST: usize = 16;
/// Pairs told of a matrix that is too wide.
const STRONGEST: usize = 10;
/// Where the text of a step begins.
const INDENT: &str = "          ";

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

/// What a step found, some lines long, its title first. `measures`: whose matrices are printed.
pub fn step_lines(step: StepId, analysis: &Analysis, measures: &[Measure]) -> String {
    let mut out = String::new();
    let ended = analysis.steps.iter().rev().find(|ended| ended.step == step);
    let label = super::label_text(ended.and_then(|ended| ended.label));
    let label = if label.is_empty() {
        String::new()
    } else {
        format!("  [{label}]")
    };
    let _ = writeln!(out, "Step {:<5}{}{label}", step.number(), step.title());
    let lines = match ended.filter(|ended| ended.status == Status::Skipped) {
        Some(skipped) => format!("skipped: {}\n", skipped.reason.as_deref().unwrap_or("")),
        None => found(step, analysis, measures),
    };
    for line in lines.lines() {
        let _ = writeln!(out, "{INDENT}{line}");
    }
    out
}

/// What is said beside the verdict of a further band.
pub(super) const ONE_BY_ONE: &str =
    "Bands are tested one by one: with more of them chance has more tries.";

/// What the last of the further bands found, some lines long.
pub fn band_lines(analysis: &Analysis) -> String {
    let mut out = String::new();
    let Some(band) = analysis.further_bands.last() else {
        return out;
    };
    let [low, high] = band.analysis.band_hz;
    let label = super::label_text(band.verdict.as_ref().map(VerdictInfo::label));
    let label = if label.is_empty() {
        String::new()
    } else {
        format!("  [{label}]")
    };
    let _ = writeln!(out, "Further band {low}-{high} Hz{label}");
    let mut lines = String::new();
    if let Some(test) = &band.surrogates {
        for (name, one) in [("wPLI", &test.wpli), ("PLI", &test.pli)] {
            let _ = writeln!(lines, "{}", test_line(name, one, test.n));
        }
        if let Some(warning) = &test.warning {
            let _ = writeln!(lines, "warning: {warning}");
        }
        let _ = writeln!(lines, "=> {} {ONE_BY_ONE}", super::verdict_line(band));
    }
    lines.push_str(&means_and_edges(band, &analysis.recording.channels));
    lines.push_str(&windows(band, &analysis.recording.channels));
    for line in lines.lines() {
        let _ = writeln!(out, "{INDENT}{line}");
    }
    out
}

fn found(step: StepId, analysis: &Analysis, measures: &[Measure]) -> String {
    match step {
        StepId::Inversion => inversion(analysis),
        StepId::Surrogates => surrogates(analysis),
        StepId::Pli => matrices(analysis, measures, |measure| measure == Measure::Pli),
        StepId::Wpli => wpli(analysis, measures),
        StepId::Windows => windows(&analysis.band, &analysis.recording.channels),
        StepId::Start => start(analysis),
        StepId::Calibration => analysis
            .twin
            .as_ref()
            .map_or_else(String::new, |twin| calibration(twin, analysis)),
        StepId::Simulation => analysis.twin.as_ref().map_or_else(String::new, simulation),
        StepId::WhatIf => what_if(analysis, 1),
        StepId::Scan => what_if(analysis, usize::MAX),
        StepId::ClosedLoop => closed_loop(analysis),
        StepId::Export => String::new(),
    }
}

fn inversion(analysis: &Analysis) -> String {
    let mut out = String::new();
    let (about, recording) = (&analysis.band.analysis, &analysis.recording);
    let [low, high] = about.band_hz;
    let [from, to] = about.segment;
    let _ = writeln!(
        out,
        "{} channels, {low}-{high} Hz, samples {from}:{to} ({:.1} s at {} Hz; {})",
        recording.channels.len(),
        float(to - from) / recording.sample_rate_hz,
        recording.sample_rate_hz,
        about.segment_choice
    );
    let _ = writeln!(
        out,
        "{}, reference {}, trim {} s, {:.1} s measured, n_eff {:.0}",
        about.filter, about.reference, about.trim_s, about.measured_s, about.n_eff
    );
    let width = name_width(&recording.channels);
    if let Some(frequency) = &analysis.band.frequency_hz {
        let _ = writeln!(
            out,
            "{:width$}    mean  median  power-weighted   slope  negative  power in band",
            "Hz"
        );
        let power = analysis.band.relative_power.as_ref();
        for (at, name) in recording.channels.iter().enumerate() {
            if frequency.mean[at].is_nan() {
                let fault = about.bad_channel_faults.iter().find(|bad| bad.index == at);
                let fault =
                    fault.map_or_else(|| "the reference".to_owned(), |bad| bad.fault.to_string());
                let _ = writeln!(out, "{name:width$}  left out: {fault}");
                continue;
            }
            let _ = writeln!(
                out,
                "{name:width$}  {:6.3}  {:6.3}  {:14.3}  {:6.3}  {:6.2} %  {:11.1} %",
                frequency.mean[at],
                frequency.median[at],
                frequency.power_weighted[at],
                frequency.slope[at],
                100.0 * frequency.negative_fraction[at],
                100.0 * power.map_or(f64::NAN, |power| power[at])
            );
        }
        let alive: Vec<f64> = frequency
            .mean
            .iter()
            .copied()
            .filter(|hz| !hz.is_nan())
            .collect();
        let _ = writeln!(
            out,
            "mean frequency {:.3} Hz (observed; coupling pulls these from the natural ones); power in band: of that of 2 to 40 Hz",
            alive.iter().sum::<f64>() / float(alive.len())
        );
    }
    let kinds = kinds(&analysis.band);
    if !kinds.is_empty() {
        let _ = writeln!(out, "artefacts marked: {kinds}");
    }
    for note in &analysis.notes {
        let _ = writeln!(out, "note: {note}");
    }
    out
}

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

fn surrogates(analysis: &Analysis) -> String {
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
    let _ = writeln!(out, "=> {}", super::verdict_line(&analysis.band));
    if let Some(reason) = expected_because(analysis) {
        let _ = writeln!(out, "{reason}");
    }
    out
}

fn test_line(name: &str, test: &TestInfo, n: usize) -> String {
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

fn matrices(analysis: &Analysis, measures: &[Measure], shown: impl Fn(Measure) -> bool) -> String {
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

/// The mean of every measure, and the pairs that stand out.
fn means_and_edges(band: &BandResult, names: &[String]) -> String {
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

fn wpli(analysis: &Analysis, measures: &[Measure]) -> String {
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

fn windows(band: &BandResult, names: &[String]) -> String {
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

fn start(analysis: &Analysis) -> String {
    let medians = analysis
        .band
        .frequency_hz
        .as_ref()
        .map(|frequency| frequency.median.as_slice());
    let medians = medians.unwrap_or(&[]).iter().filter(|hz| !hz.is_nan());
    let told: Vec<String> = medians.map(|hz| format!("{hz:.2}")).collect();
    format!(
        "observed medians {} Hz are where the search begins; PLI is no guide to the coupling, which starts at 0\n",
        told.join(" ")
    )
}

fn calibration(twin: &TwinInfo, analysis: &Analysis) -> String {
    let names = &analysis.recording.channels;
    let mut out = String::new();
    let width = name_width(names);
    let _ = writeln!(
        out,
        "{:width$}  natural Hz  noise rad/sqrt(s)  phase sd rad",
        ""
    );
    for (at, name) in names
        .iter()
        .enumerate()
        .filter(|(at, _)| !twin.omega_hz[*at].is_nan())
    {
        let _ = writeln!(
            out,
            "{name:width$}  {:10.3}  {:17.2}  {:12.2}",
            twin.omega_hz[at], twin.noise_rad_sqrt_s[at], twin.phase_sd_rad[at]
        );
    }
    let _ = writeln!(out, "coupling K (rad/s; row: acted on, column: acting):");
    out.push_str(&table(&twin.coupling_rad_s, names, 2));
    let _ = writeln!(
        out,
        "noise floor {:.2} rad/s (what uncoupled channels give): {} couplings are claimed (above it, and two standard errors from 0){}",
        twin.noise_floor_rad_s,
        twin.edges.len(),
        twin_edges(twin, names)
    );
    let _ = writeln!(out, "condition number {:.1}", twin.condition_number);
    for caution in cautions(analysis, twin) {
        let _ = writeln!(out, "warning: {caution}");
    }
    let _ = writeln!(
        out,
        "held-out score {:.5}; no coupling {:.5}; shuffled {:.5} +- {:.5} ({})",
        twin.score,
        twin.baselines.uncoupled,
        twin.baselines.shuffled_mean,
        twin.baselines.shuffled_sd,
        twin.score_name
    );
    let _ = writeln!(
        out,
        "=> the coupling {} both baselines on data it has not seen",
        if twin.beats_baselines {
            "beats"
        } else {
            "does NOT beat"
        }
    );
    out
}

fn twin_edges(twin: &TwinInfo, names: &[String]) -> String {
    let told: Vec<String> = twin
        .edges
        .iter()
        .take(STRONGEST)
        .map(|&[i, j]| format!("{} -> {}", names[j], names[i]))
        .collect();
    if told.is_empty() {
        String::new()
    } else {
        format!(": {}", told.join(", "))
    }
}

fn simulation(twin: &TwinInfo) -> String {
    let mut out = String::new();
    if let Some(order) = &twin.order_parameter {
        let mean = |values: &[f64]| values.iter().sum::<f64>() / float(values.len());
        let _ = writeln!(
            out,
            "order parameter r: recording {:.3}, twin {:.3}",
            mean(&order.measured),
            mean(&order.simulated)
        );
    }
    if let Some(metastability) = &twin.metastability {
        let _ = writeln!(
            out,
            "metastability (sd of r): recording {:.3}, twin {:.3}",
            metastability.measured, metastability.simulated
        );
    }
    if let Some(alike) = &twin.agreement {
        let _ = writeln!(
            out,
            "over pairs, twin (without the recording's background) against recording: PLI correlation {}, error {:.3}; wPLI {}, {:.3}; phase relations {}; spectra in the band {}",
            two(alike.pli_correlation),
            alike.pli_mean_absolute_error,
            two(alike.wpli_correlation),
            alike.wpli_mean_absolute_error,
            two(alike.phase_relations),
            two(alike.spectra_correlation)
        );
    }
    if let Some(criticality) = &twin.criticality {
        let _ = writeln!(
            out,
            "critical coupling (mean field) {:.2} rad/s; synchrony sets in at {}; {}",
            criticality.mean_field_critical_rad_s,
            onset(criticality.spectral_critical_scale),
            criticality.locking_factor.map_or_else(
                || "no locked state at any factor".to_owned(),
                |factor| format!("locks from {factor:.2} times on")
            )
        );
        let _ = writeln!(
            out,
            "minimum connectivity {:.3} (edges above {:.2} rad/s), beside {:.4}, which is about identical frequencies on unweighted symmetric graphs",
            criticality.minimum_connectivity,
            criticality.connectivity_threshold_rad_s,
            criticality.connectivity_critical
        );
    }
    out
}

/// Where synchrony sets in, by the largest eigenvalue of the coupling.
pub(super) fn onset(scale: f64) -> String {
    if scale < 1_000.0 {
        format!("{scale:.2} times this coupling (largest eigenvalue)")
    } else {
        "no multiple of this coupling below 1000 (largest eigenvalue)".to_owned()
    }
}

fn what_if(analysis: &Analysis, most: usize) -> String {
    let Some(all) = analysis.what_if.as_deref() else {
        return String::new();
    };
    let mut out = String::new();
    let Some(first) = all.first() else {
        return out;
    };
    let at = first
        .frequency_hz
        .map_or_else(String::new, |hz| format!(" at {hz:.2} Hz"));
    let unit = if first.kind == "pulses" {
        "rad"
    } else {
        "rad/s"
    };
    let _ = writeln!(
        out,
        "{} {} {unit}{at} on one node of the twin, same noise with and without, {} seeds:",
        first.kind, first.amplitude_rad_s, first.seeds
    );
    out.push_str(&caution(analysis));
    for one in all.iter().take(most) {
        let _ = writeln!(
            out,
            "{}",
            effect(one, name_width(&analysis.recording.channels))
        );
    }
    out
}

fn effect(one: &WhatIfInfo, width: usize) -> String {
    let own = one
        .delta_omega_hz
        .get(one.node)
        .copied()
        .unwrap_or(f64::NAN);
    format!(
        "{:width$}  dr {:+.4} +- {:.4} over seeds ({}), mean |dPLI| {:.4}, its own frequency {own:+.3} Hz",
        one.channel,
        one.delta_r.mean,
        one.delta_r.sd,
        one.effect,
        mean_abs(&one.delta_pli)
    )
}

fn closed_loop(analysis: &Analysis) -> String {
    let Some(found) = &analysis.closed_loop else {
        return String::new();
    };
    let told = format!(
        "objective {}: start {:.5}, end {:.5}, without stimulation {:.5}; {} evaluations\nbest: {} with {:.2} rad/s, offset {:+.2} rad to the mean field; r {:.3} -> {:.3}\n",
        found.objective,
        found.start,
        found.end,
        found.baseline,
        found.evaluations,
        found.channel,
        found.amplitude_rad_s,
        found.delta_rad,
        found.order.without,
        found.order.with
    );
    told + &caution(analysis)
}

fn caution(analysis: &Analysis) -> String {
    untrusted(analysis).map_or_else(String::new, |caution| format!("caution: {caution}\n"))
}

/// A matrix as a table, or its strongest entries where it is too wide.
fn table(matrix: &Matrix, names: &[String], decimals: usize) -> String {
    let mut out = String::new();
    let width = name_width(names);
    if names.len() > WIDEST {
        let mut entries: Vec<((usize, usize), f64)> = matrix
            .0
            .indexed_iter()
            .filter(|((i, j), value)| i != j && !value.is_nan())
            .map(|(at, value)| (at, *value))
            .collect();
        entries.sort_by(|a, b| b.1.abs().total_cmp(&a.1.abs()));
        for ((i, j), value) in entries.into_iter().take(STRONGEST) {
            let _ = writeln!(
                out,
                "{:width$}  {:width$}  {value:.decimals$}",
                names[i], names[j]
            );
        }
        return out;
    }
    for (name, row) in names.iter().zip(matrix.0.rows()) {
        let _ = write!(out, "{name:width$}");
        for value in row {
            if value.is_nan() {
                let _ = write!(out, "{:>8}", "-");
            } else {
                let _ = write!(out, "{:8.decimals$}", unsigned_nothing(*value, decimals));
            }
        }
        out.push('\n');
    }
    out
}

/// What rounds to nothing has no sign.
fn unsigned_nothing(value: f64, decimals: usize) -> f64 {
    let places = i32::try_from(decimals).unwrap_or(i32::MAX);
    if value.abs() < 0.5 * 10.0_f64.powi(-places) {
        0.0
    } else {
        value
    }
}

fn name_width(names: &[String]) -> usize {
    names
        .iter()
        .map(|name| name.chars().count())
        .max()
        .unwrap_or(0)
}

fn pairs(matrix: &Matrix) -> impl Iterator<Item = f64> + '_ {
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

fn mean_abs(matrix: &Matrix) -> f64 {
    let (sum, n) = pairs(matrix).fold((0.0, 0), |(sum, n), value| (sum + value.abs(), n + 1));
    sum / float(n)
}

fn count(matrix: &Matrix, at_most: f64) -> usize {
    pairs(matrix).filter(|value| *value <= at_most).count()
}
