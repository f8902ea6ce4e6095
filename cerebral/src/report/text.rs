//! Each step as lines on a screen.

mod network;
mod table;
mod twin;

use std::fmt::Write as _;

use self::network::{matrices, means_and_edges, surrogates, test_line, windows, wpli};
use self::table::name_width;
use self::twin::{calibration, closed_loop, simulation, what_if};
use super::words::{ONE_BY_ONE, kinds};
use super::{label_text, verdict_line};
use crate::analyze::{Analysis, Status, StepId, VerdictInfo};
use crate::connectivity::Measure;
use crate::number::float;

/// Where the text of a step begins.
const INDENT: &str = "          ";

/// What a step found, some lines long, its title first. `measures`: whose matrices are printed.
pub fn step_lines(step: StepId, analysis: &Analysis, measures: &[Measure]) -> String {
    let mut out = String::new();
    let ended = analysis.steps.iter().rev().find(|ended| ended.step == step);
    let label = label_text(ended.and_then(|ended| ended.label));
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

/// What the last of the further bands found, some lines long.
pub fn band_lines(analysis: &Analysis) -> String {
    let mut out = String::new();
    let Some(band) = analysis.further_bands.last() else {
        return out;
    };
    let [low, high] = band.analysis.band_hz;
    let label = label_text(band.verdict.as_ref().map(VerdictInfo::label));
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
        let _ = writeln!(lines, "=> {} {ONE_BY_ONE}", verdict_line(band));
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
