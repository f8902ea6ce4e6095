//! A band over time: connectivity, power and coupling from window to window.

use maud::{Markup, html};

use super::{channel_line, heading};
use crate::analyze::{Analysis, BandResult, Matrix, StepId};
use crate::number::float;
use crate::report::figure::{Axes, Line, Shade, lines};
use crate::report::scale::{LINES, extent};

pub(super) fn over_time(analysis: &Analysis, band: &BandResult, is_first: bool) -> Markup {
    let Some(windows) = &band.windows else {
        return html! {};
    };
    let about = &band.analysis;
    let middle: Vec<f64> = windows
        .iter()
        .map(|window| window.start_s + about.window_s / 2.0)
        .collect();
    let of = |pick: fn(&crate::analyze::WindowInfo) -> f64| {
        windows.iter().map(pick).collect::<Vec<f64>>()
    };
    let (wpli, pli, r) = (
        of(|window| window.wpli_mean),
        of(|window| window.pli_mean),
        of(|window| window.r),
    );
    let all: Vec<f64> = [&wpli[..], &pli[..], &r[..]].concat();
    let axes = Axes {
        width: 900.0,
        height: 260.0,
        x: [
            0.0,
            middle.last().copied().unwrap_or(1.0) + about.window_s / 2.0,
        ],
        y: [0.0, extent(&all)[1].max(0.1) * 1.05],
        x_label: "time in the segment (s)",
        y_label: "mean over pairs; r",
    };
    let shades: Vec<Shade<'_>> = band
        .windows_null
        .iter()
        .map(|null| Shade::Rows(null.wpli))
        .collect();
    let drawn = [
        Line {
            name: "wPLI",
            x: &middle,
            y: &wpli,
            colour: LINES[0],
            dash: None,
        },
        Line {
            name: "PLI",
            x: &middle,
            y: &pli,
            colour: LINES[1],
            dash: Some("5 3"),
        },
        Line {
            name: "order parameter r",
            x: &middle,
            y: &r,
            colour: LINES[6],
            dash: Some("2 2"),
        },
    ];
    html! {
        @if is_first { (heading(analysis, StepId::Windows, "Connectivity over time")) }
        figure.wide {
            (lines("Connectivity over time", &axes, &drawn, &shades))
            figcaption {
                "Windows of " (about.window_s) " s every " (about.hop_s) " s, at their middles. "
                @if let Some(null) = &band.windows_null {
                    "Shaded: 5 to 95 % of the mean wPLI of windows without coupling (" (null.n) " surrogates); "
                    (format!("{:.0}", 100.0 * null.above)) " % of the windows are above it. "
                }
                "Interrupted where a window touches an artefact or a gap."
            }
        }
        (power_over_time(analysis, band, &middle))
        (coupling_over_time(analysis, band, &middle))
    }
}

/// How much of the rhythm each channel has over time.
fn power_over_time(analysis: &Analysis, band: &BandResult, middle: &[f64]) -> Markup {
    let windows = band.windows.as_deref().unwrap_or(&[]);
    let names = &analysis.recording.channels;
    let rows: Vec<(usize, Vec<f64>)> = (0..names.len())
        .map(|at| {
            let shares = windows.iter().map(|window| window.relative_power[at]);
            (at, shares.collect())
        })
        .filter(|(_, shares): &(usize, Vec<f64>)| shares.iter().any(|share| !share.is_nan()))
        .collect();
    let most = rows.iter().map(|(_, shares)| extent(shares)[1]);
    let axes = Axes {
        width: 900.0,
        height: 220.0,
        x: [
            0.0,
            middle.last().copied().unwrap_or(1.0) + band.analysis.window_s / 2.0,
        ],
        y: [0.0, most.fold(0.05, f64::max) * 1.05],
        x_label: "time in the segment (s)",
        y_label: "share of power",
    };
    let drawn: Vec<Line<'_>> = rows
        .iter()
        .map(|(at, shares)| channel_line(names, *at, middle, shares))
        .collect();
    html! {
        @if !drawn.is_empty() {
            figure.wide {
                (lines("Power in the band over time", &axes, &drawn, &[]))
                figcaption { "Power in the band over that of 2 to 40 Hz in the same windows: where a rhythm comes and goes." }
            }
        }
    }
}

fn coupling_over_time(analysis: &Analysis, band: &BandResult, middle: &[f64]) -> Markup {
    let windows = band.windows.as_deref().unwrap_or(&[]);
    let sizes: Vec<f64> = windows
        .iter()
        .map(|window| window.coupling_rad_s.as_ref().map_or(f64::NAN, mean_size))
        .collect();
    let Some(twin) = analysis
        .twin
        .as_ref()
        .filter(|_| sizes.iter().any(|size| size.is_finite()))
    else {
        return html! {};
    };
    let floor = twin.noise_floor_rad_s;
    let axes = Axes {
        width: 900.0,
        height: 220.0,
        x: [0.0, middle.last().copied().unwrap_or(1.0)],
        y: [0.0, extent(&sizes)[1].max(floor) * 1.1],
        x_label: "time in the segment (s)",
        y_label: "mean |K| (rad/s)",
    };
    let drawn = [Line {
        name: "",
        x: middle,
        y: &sizes,
        colour: LINES[0],
        dash: None,
    }];
    html! {
        figure.wide {
            (lines("Coupling over time", &axes, &drawn, &[Shade::Rows([0.0, floor])]))
            figcaption {
                "K(t): mean absolute coupling of the twin, calibrated in windows of 10 s and linear in between. Shaded: up to the noise floor of one coupling, "
                (format!("{floor:.2}")) " rad/s."
            }
        }
    }
}

fn mean_size(matrix: &Matrix) -> f64 {
    let entries = matrix
        .0
        .indexed_iter()
        .filter(|((i, j), value)| i != j && value.is_finite());
    let (sum, n) = entries.fold((0.0, 0), |(sum, n), (_, value)| (sum + value.abs(), n + 1));
    sum / float(n)
}
