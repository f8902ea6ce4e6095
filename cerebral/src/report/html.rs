//! One HTML page that needs nothing else: figures inline, styles inline, no script, no network.

mod band;
mod recording;
mod twin;
mod windows;

use maud::{DOCTYPE, Markup, PreEscaped, html};

use self::band::band;
use self::recording::{quality, signals, spectra};
use self::twin::{stimulation, twin_section};
use super::figure::Line;
use super::scale::LINES;
use super::{label_text, verdict_line};
use crate::analyze::{Analysis, Status, StepId};
use crate::number::float;

const STYLE: &str = include_str!("style.css");

/// The page.
pub fn page(analysis: &Analysis) -> String {
    let recording = &analysis.recording;
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { "EEG report: " (recording.file) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                (header(analysis))
                (quality(analysis))
                (signals(analysis))
                (spectra(analysis))
                (band(analysis, &analysis.band, true))
                @for further in &analysis.further_bands {
                    (band(analysis, further, false))
                }
                @if let Some(twin) = &analysis.twin {
                    (twin_section(analysis, twin))
                }
                (stimulation(analysis))
                (skipped(analysis))
                (manifest(analysis))
            }
        }
    };
    page.into_string()
}

fn header(analysis: &Analysis) -> Markup {
    let (recording, about) = (&analysis.recording, &analysis.band.analysis);
    let class = match &analysis.band.verdict {
        Some(verdict) if verdict.significant => "verdict yes",
        _ => "verdict no",
    };
    html! {
        h1 { (recording.file) }
        p.sub {
            (recording.channels.len()) " channels, " (recording.sample_rate_hz) " Hz, "
            (format!("{:.1}", float(recording.n_samples) / recording.sample_rate_hz)) " s; analysed: samples "
            (about.segment[0]) ":" (about.segment[1]) " (" (about.segment_choice) "), "
            (about.band_hz[0]) "\u{2013}" (about.band_hz[1]) " Hz"
        }
        div class=(class) {
            p { strong { (verdict_line(&analysis.band)) } }
            @if let Some(verdict) = &analysis.band.verdict {
                @for disagreement in &verdict.disagreements {
                    p.small { "Disagrees: " (disagreement) }
                }
            }
        }
        @if let Some(fault) = &about.segment_fault {
            p.warn { (fault) }
        }
        @for note in &analysis.notes {
            p.note { (note) }
        }
    }
}

/// A heading with the verdict beside it, for all that comes after step 1.5.
fn heading(analysis: &Analysis, step: StepId, title: &str) -> Markup {
    let ended = analysis.steps.iter().find(|ended| ended.step == step);
    let label = label_text(ended.and_then(|ended| ended.label));
    html! {
        h2 {
            span.number { (step.number()) } " " (title)
            @if !label.is_empty() { " " span.label { "step 1.5: " (label) } }
        }
    }
}

/// A channel's line in its colour; named where there is room.
fn channel_line<'a>(names: &'a [String], at: usize, x: &'a [f64], y: &'a [f64]) -> Line<'a> {
    Line {
        name: if names.len() <= 16 { &names[at] } else { "" },
        x,
        y,
        colour: LINES[at % LINES.len()],
        dash: [None, Some("5 3"), Some("2 2")][at / LINES.len() % 3],
    }
}

fn skipped(analysis: &Analysis) -> Markup {
    let skipped: Vec<_> = analysis
        .steps
        .iter()
        .filter(|step| step.status == Status::Skipped)
        .collect();
    html! {
        @if !skipped.is_empty() {
            h2 { "Not done" }
            table {
                @for step in skipped {
                    tr { th { (step.id) " " (step.title) } td { (step.reason.as_deref().unwrap_or("")) } }
                }
            }
        }
    }
}

fn manifest(analysis: &Analysis) -> Markup {
    let manifest = &analysis.manifest;
    let recording = &analysis.recording;
    html! {
        h2 { "Manifest" }
        table.manifest {
            tr { th { "file" } td { (recording.file) " (" (serde_json::to_value(recording.dialect).ok().and_then(|name| name.as_str().map(str::to_owned)).unwrap_or_default()) ")" } }
            tr { th { "SHA-256" } td.hash { (recording.sha256) } }
            tr { th { "command, version" } td { (manifest.command) ", " (manifest.version) } }
            tr { th { "started" } td { (manifest.started) } }
            tr { th { "seed" } td { (manifest.seed) } }
            tr { th { "filter" } td { (analysis.band.analysis.filter) } }
            tr { th { "convention" } td {
                @match &analysis.pictures.convention {
                    Some(convention) => (convention.to_string()),
                    None => (analysis.band.analysis.convention),
                }
            } }
            @for (name, value) in manifest.options.iter().filter(|(_, value)| !is_unset(value)) {
                tr { th { "--" (name) } td { (plain(value)) } }
            }
        }
    }
}

/// Options that were left as they are by saying nothing.
fn is_unset(value: &serde_json::Value) -> bool {
    value.is_null() || value.as_str() == Some("") || value.as_bool() == Some(false)
}

fn plain(value: &serde_json::Value) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned)
}
