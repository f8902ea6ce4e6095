//! What the recording is like: quality of its channels, signals, spectra.

use maud::{Markup, html};

use super::channel_line;
use crate::analyze::Analysis;
use crate::report::figure::{Axes, Line, Shade, lines, traces};
use crate::report::scale::extent;
use crate::report::words;

pub(super) fn quality(analysis: &Analysis) -> Markup {
    let recording = &analysis.recording;
    let (quality, about) = (&recording.quality, &analysis.band.analysis);
    let figures = &quality.figures;
    let missing: usize = quality.gaps.iter().map(|gap| gap.missing).sum();
    let kinds = words::kinds(&analysis.band);
    html! {
        h2 { "Quality" }
        table {
            tr { th { "samples lost" } td { (missing) " in " (quality.gaps.len()) " gaps" } }
            tr { th { "restarts, inserted rows" } td { (quality.restarts.len()) ", " (quality.inserted.len()) } }
            tr { th { "unreadable, zero, repeated rows" } td { (figures.bad_rows.len()) ", " (figures.zero_rows) ", " (figures.repeated_rows) } }
            tr { th { "scatter of the host's stamps" } td { (figures.jitter_ms.map_or_else(|| "no stamps".to_owned(), |ms| format!("{ms:.1} ms"))) } }
            tr { th { "artefacts in the segment" } td { @if kinds.is_empty() { "none" } @else { (kinds) } } }
            @for bad in figures.bad_rows.iter().take(5) {
                tr { th { "row " (bad.row) } td { (bad.reason) } }
            }
        }
        div.scroll { table.channels {
            tr {
                th { "channel" } th { "electrode" } th { "railed" } th { "flat" }
                th { "mains ratio" @if let Some(hz) = figures.mains_hz { " at " (hz) " Hz" } }
                th { "frequency (median)" } th { "use" }
            }
            @for (at, name) in recording.channels.iter().enumerate() {
                @let fault = about.bad_channel_faults.iter().find(|bad| bad.index == at);
                tr.out[fault.is_some()] {
                    td { (name) }
                    td { (about.montage.as_ref().map_or("", |montage| montage[at].as_str())) }
                    td.n { (format!("{:.1} %", 100.0 * figures.railed[at])) }
                    td.n { (format!("{:.1} %", 100.0 * figures.flat[at])) }
                    td.n { (figures.mains_ratio[at].map_or_else(String::new, |ratio| format!("{ratio:.0}"))) }
                    td.n {
                        @if let Some(frequency) = analysis.band.frequency_hz.as_ref().filter(|frequency| !frequency.median[at].is_nan()) {
                            (format!("{:.2} Hz", frequency.median[at]))
                        }
                    }
                    td {
                        @if let Some(fault) = fault { "left out: " (fault.fault) }
                        @else if about.interpolated.contains(&at) { "interpolated" }
                        @else { "used" }
                    }
                }
            }
        } }
    }
}

pub(super) fn signals(analysis: &Analysis) -> Markup {
    let pictures = &analysis.pictures;
    let names = &analysis.recording.channels;
    let rows: Vec<(&str, &[f64])> = names
        .iter()
        .map(String::as_str)
        .zip(pictures.signals_uv.iter().map(Vec::as_slice))
        .collect();
    // The scale of the quieter half, so that an artefact does not flatten the rest.
    let mut sizes: Vec<f64> = pictures
        .signals_uv
        .iter()
        .flatten()
        .map(|value| value.abs())
        .filter(|v| v.is_finite())
        .collect();
    sizes.sort_by(f64::total_cmp);
    let typical = sizes.get(sizes.len() * 9 / 10).copied().unwrap_or(1.0);
    let per_row = (2.5 * typical).max(1e-6);
    let marks: Vec<[f64; 2]> = analysis
        .band
        .analysis
        .artefacts
        .iter()
        .map(|artefact| [artefact.start_s, artefact.end_s])
        .collect();
    html! {
        h2 { "Signals" }
        figure.wide {
            (traces("Signals of all channels", &rows, pictures.signals_step_s, per_row, &marks))
            figcaption {
                "1 to 40 Hz, for the eye alone; " (format!("{per_row:.0}")) " \u{b5}V from row to row, cut at one and a half rows, extremes of each "
                (format!("{:.0}", 1e3 * pictures.signals_step_s)) " ms. Grey: marked as artefact."
            }
        }
    }
}

pub(super) fn spectra(analysis: &Analysis) -> Markup {
    let pictures = &analysis.pictures;
    if pictures.spectrum_hz.is_empty() {
        return html! {};
    }
    let decibels: Vec<Vec<f64>> = pictures
        .spectra
        .iter()
        .map(|row| {
            row.iter()
                .map(|power| 10.0 * power.max(f64::MIN_POSITIVE).log10())
                .collect()
        })
        .collect();
    // 0 Hz was taken away with the mean.
    let shown: Vec<f64> = decibels
        .iter()
        .flat_map(|row| row.iter().skip(1))
        .copied()
        .collect();
    let [low, high] = extent(&shown);
    let axes = Axes {
        width: 900.0,
        height: 300.0,
        x: [0.0, pictures.spectrum_hz.last().copied().unwrap_or(1.0)],
        y: [low, high],
        x_label: "frequency (Hz)",
        y_label: "power (dB re 1 \u{b5}V\u{b2}/Hz)",
    };
    let names = &analysis.recording.channels;
    let all: Vec<Line<'_>> = decibels
        .iter()
        .enumerate()
        .filter(|(_, row)| !row.is_empty())
        .map(|(at, row)| channel_line(names, at, &pictures.spectrum_hz[1..], &row[1..]))
        .collect();
    let bands = std::iter::once(&analysis.band).chain(&analysis.further_bands);
    let bands: Vec<[f64; 2]> = bands.map(|band| band.analysis.band_hz).collect();
    html! {
        h2 { "Spectra" }
        figure.wide {
            (lines("Power spectra of all channels", &axes, &all, &[Shade::Columns(&bands)]))
            figcaption { "Welch, pieces of 2 s, half overlapped, Hann taper, reference " (analysis.band.analysis.reference) ". Grey: the band." }
        }
    }
}
