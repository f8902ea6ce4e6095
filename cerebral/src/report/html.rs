//! One HTML page that needs nothing else: figures inline, styles inline, no script, no network.

use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::figure::{
    Axes, Bar, Cells, HeadEdge, Line, Mark, Shade, bars, cells, head, histogram, lines, traces,
};
use super::scale::{LINES, extent};
use super::text::ONE_BY_ONE;
use super::{label_text, text, verdict_line};
use crate::analyze::{Analysis, BandResult, Matrix, Status, StepId, TwinInfo};
use crate::connectivity::Measure;
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

fn quality(analysis: &Analysis) -> Markup {
    let recording = &analysis.recording;
    let (quality, about) = (&recording.quality, &analysis.band.analysis);
    let figures = &quality.figures;
    let missing: usize = quality.gaps.iter().map(|gap| gap.missing).sum();
    let kinds = text::kinds(&analysis.band);
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

fn signals(analysis: &Analysis) -> Markup {
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

fn spectra(analysis: &Analysis) -> Markup {
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

fn band(analysis: &Analysis, band: &BandResult, is_first: bool) -> Markup {
    let about = &band.analysis;
    let named = format!("{}\u{2013}{} Hz", about.band_hz[0], about.band_hz[1]);
    html! {
        @if !is_first {
            h2 { "Further band: " (named) }
        }
        @if let Some(test) = &band.surrogates {
            @if is_first { (heading(analysis, StepId::Surrogates, "Is it more than chance?")) }
            div.pair {
                @for (name, one) in [("wPLI", &test.wpli), ("PLI", &test.pli)] {
                    figure {
                        (histogram(&format!("Null distribution of the mean {name}"), &format!("mean {name} over pairs"), &one.null_means, one.observed_mean))
                        figcaption {
                            (name) ": null " (format!("{:.4} \u{b1} {:.4}", one.null_mean, one.null_sd)) ", z " (format!("{:+.2}", one.z))
                            ", p = " (text::p(one.p)) " (b = " (one.b) " of " (test.n) ")"
                        }
                    }
                }
            }
            @if !is_first { p { strong { (verdict_line(band)) } " " (ONE_BY_ONE) } }
            p.small { (test.n) " surrogates, " (test.kind) ", of the " (test.from) " signal, seed " (test.seed) "; " (test.formula) "." }
            @if let Some(warning) = &test.warning { p.warn { (warning) } }
        }
        (matrices(analysis, band, is_first))
        (over_time(analysis, band, is_first))
    }
}

fn matrices(analysis: &Analysis, band: &BandResult, is_first: bool) -> Markup {
    let names = &analysis.recording.channels;
    let shown: Vec<(Measure, &Matrix)> = [Measure::Pli, Measure::Wpli]
        .into_iter()
        .filter_map(|measure| Some((measure, band.measures.get(&measure)?)))
        .collect();
    if shown.is_empty() {
        return html! {};
    }
    html! {
        @if is_first { (heading(analysis, StepId::Wpli, "Connectivity")) }
        div.pair {
            @for (measure, matrix) in &shown {
                figure {
                    (matrix_figure(*measure, matrix, band, names))
                    figcaption { (measure) ", mean " (format!("{:.4}", text::mean(matrix))) }
                }
            }
        }
        p.small {
            "\u{25cf} max-T at most alpha; \u{25cb} Benjamini\u{2013}Hochberg alone. Dashed: no figure. Convention: " (band.analysis.convention)
            ", " (band.analysis.filter) ", reference " (band.analysis.reference) ", trim " (band.analysis.trim_s) " s, "
            (format!("{:.1}", band.analysis.measured_s)) " s measured, n_eff " (format!("{:.0}", band.analysis.n_eff)) "."
        }
        table.measures {
            tr { @for (measure, _) in &band.measures { th { (measure) } } }
            tr { @for (_, matrix) in &band.measures { td.n { (format!("{:.4}", text::mean(matrix))) } } }
        }
        p.small { "Means over pairs i < j. plv, ppc, coh count zero lag in full: volume conduction and the reference raise them." }
        @if !analysis.pictures.positions.is_empty() {
            (head_figure(analysis, band))
        }
    }
}

fn matrix_figure(measure: Measure, matrix: &Matrix, band: &BandResult, names: &[String]) -> Markup {
    let refused = band.verdict.as_ref().is_some_and(|verdict| verdict.refused);
    let test = band.surrogates.as_ref().filter(|_| !refused);
    let mark = |i: usize, j: usize| {
        let Some(test) = test else {
            return Mark::None;
        };
        let one = if measure == Measure::Pli {
            &test.pli
        } else {
            &test.wpli
        };
        if one.pairs_p_max.0[[i, j]] <= test.alpha {
            Mark::Dot
        } else if one.pairs_q_bh.0[[i, j]] <= test.alpha {
            Mark::Ring
        } else {
            Mark::None
        }
    };
    let values = matrix.0.iter().filter(|value| value.is_finite());
    let most = extent(values)[1].max(0.05);
    cells(&Cells {
        title: &format!("{measure} of every pair"),
        names,
        matrix,
        most,
        signed: false,
        row_label: "channel",
        column_label: "channel",
        mark: &mark,
    })
}

fn head_figure(analysis: &Analysis, band: &BandResult) -> Markup {
    let names = analysis
        .band
        .analysis
        .montage
        .as_deref()
        .unwrap_or(&analysis.recording.channels);
    let (Some(wpli), Some(test)) = (band.measures.get(&Measure::Wpli), &band.surrogates) else {
        return html! {};
    };
    let upper = wpli
        .0
        .indexed_iter()
        .filter(|((i, j), value)| i < j && value.is_finite());
    let mut all: Vec<([usize; 2], f64)> = upper.map(|((i, j), value)| ([i, j], *value)).collect();
    all.sort_by(|a, b| b.1.total_cmp(&a.1));
    let most = all.first().map_or(1.0, |strongest| strongest.1);
    let edges: Vec<HeadEdge> = all
        .iter()
        .enumerate()
        .map(|(at, (between, value))| {
            (
                at,
                HeadEdge {
                    between: *between,
                    share: value / most,
                    claimed: test.wpli.edges.contains(between),
                },
            )
        })
        .filter(|(at, edge)| edge.claimed || *at < 10)
        .map(|(_, edge)| edge)
        .collect();
    html! {
        figure.narrow {
            (head("Connections on the head", names, &analysis.pictures.positions, &edges))
            figcaption { "wPLI seen from above, nose up. Full lines: significant by max-T; dashed: the strongest others, not claimed." }
        }
    }
}

fn over_time(analysis: &Analysis, band: &BandResult, is_first: bool) -> Markup {
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

fn twin_section(analysis: &Analysis, twin: &TwinInfo) -> Markup {
    let names = &analysis.recording.channels;
    let most = extent(
        twin.coupling_rad_s
            .0
            .iter()
            .map(|value| if value.is_finite() { value } else { &0.0 }),
    );
    let most = most[0]
        .abs()
        .max(most[1].abs())
        .max(twin.noise_floor_rad_s)
        .max(1e-6);
    let mark = |i: usize, j: usize| {
        if twin.edges.contains(&[i, j]) {
            Mark::Frame
        } else if twin.coupling_rad_s.0[[i, j]].abs() <= twin.noise_floor_rad_s {
            Mark::Pale
        } else {
            Mark::None
        }
    };
    html! {
        (heading(analysis, StepId::Calibration, "The twin"))
        div.pair {
            figure {
                (cells(&Cells {
                    title: "Coupling of the twin",
                    names,
                    matrix: &twin.coupling_rad_s,
                    most,
                    signed: true,
                    row_label: "acted on",
                    column_label: "acting",
                    mark: &mark,
                }))
                figcaption {
                    "Coupling K (rad/s). Framed: claimed (above the noise floor of " (format!("{:.2}", twin.noise_floor_rad_s))
                    " rad/s and two standard errors from 0), " (twin.edges.len()) " of them. Pale: at or below the floor, not claimed."
                }
            }
            div {
                table {
                    tr { th { "channel" } th { "natural (Hz)" } th { "observed (Hz)" } th { "noise (rad/\u{221a}s)" } th { "phase sd (rad)" } }
                    @for (at, name) in names.iter().enumerate().filter(|(at, _)| !twin.omega_hz[*at].is_nan()) {
                        tr {
                            td { (name) }
                            td.n { (format!("{:.3}", twin.omega_hz[at])) }
                            td.n { (analysis.band.frequency_hz.as_ref().map_or_else(String::new, |f| format!("{:.3}", f.median[at]))) }
                            td.n { (format!("{:.2}", twin.noise_rad_sqrt_s[at])) }
                            td.n { (format!("{:.2}", twin.phase_sd_rad[at])) }
                        }
                    }
                }
                table {
                    tr { th { "held-out score" } td.n { (format!("{:.5}", twin.score)) } }
                    tr { th { "no coupling" } td.n { (format!("{:.5}", twin.baselines.uncoupled)) } }
                    tr { th { "shuffled coupling" } td.n { (format!("{:.5} \u{b1} {:.5}", twin.baselines.shuffled_mean, twin.baselines.shuffled_sd)) } }
                    tr { th { "condition number" } td.n { (format!("{:.1}", twin.condition_number)) } }
                }
                p.small { (twin.score_name) "; higher is better." }
                @for caution in text::cautions(analysis, twin) { p.warn { (caution) } }
                p { strong { "The coupling " @if twin.beats_baselines { "beats" } @else { "does not beat" } " both baselines on data it has not seen." } }
            }
        }
        (beside(analysis, twin))
    }
}

fn beside(analysis: &Analysis, twin: &TwinInfo) -> Markup {
    html! {
        @if let Some(order) = &twin.order_parameter {
            (heading(analysis, StepId::Simulation, "Twin beside the recording"))
            @let axes = Axes {
                width: 900.0,
                height: 240.0,
                x: [0.0, order.t_s.last().copied().unwrap_or(1.0)],
                y: [0.0, 1.0],
                x_label: "time in the segment (s)",
                y_label: "order parameter r",
            };
            figure.wide {
                (lines("Synchrony over time", &axes, &[
                    Line { name: "recording", x: &order.t_s, y: &order.measured, colour: LINES[6], dash: None },
                    Line { name: "twin", x: &order.t_s, y: &order.simulated, colour: LINES[1], dash: Some("4 2") },
                ], &[]))
                figcaption {
                    "Both through the same filter. The twin starts from the recording's first phases and has phase noise of its own but not the recording's background: spreads can agree, courses cannot. "
                    @if let Some(sd) = &twin.metastability {
                        "Metastability (sd of r): recording " (format!("{:.3}", sd.measured)) ", twin " (format!("{:.3}", sd.simulated)) "."
                    }
                }
            }
        }
        table {
            @if let Some(alike) = &twin.agreement {
                tr { th { "PLI over pairs, twin against recording" } td { "correlation " (text::two(alike.pli_correlation)) ", mean error " (format!("{:.3}", alike.pli_mean_absolute_error)) } }
                tr { th { "wPLI over pairs" } td { "correlation " (text::two(alike.wpli_correlation)) ", mean error " (format!("{:.3}", alike.wpli_mean_absolute_error)) } }
                tr { th { "phase relations (1: the same)" } td { (text::two(alike.phase_relations)) } }
            }
            @if let Some(near) = &twin.criticality {
                tr { th { "critical coupling, mean field" } td { (format!("{:.2} rad/s", near.mean_field_critical_rad_s)) } }
                tr { th { "synchrony sets in at" } td { (text::onset(near.spectral_critical_scale)) } }
                tr { th { "locked state without noise" } td { (near.locking_factor.map_or_else(|| "none at any factor".to_owned(), |factor| format!("from {factor:.2} times this coupling on"))) } }
                tr { th { "minimum connectivity" } td { (format!("{:.3}", near.minimum_connectivity)) " with edges above " (format!("{:.2} rad/s", near.connectivity_threshold_rad_s)) " (beside " (near.connectivity_critical) ": about identical frequencies on unweighted symmetric graphs, no verdict here)" } }
            }
        }
    }
}

fn stimulation(analysis: &Analysis) -> Markup {
    let shown: Vec<Bar<'_>> = analysis
        .what_if
        .iter()
        .flatten()
        .map(|one| Bar {
            name: &one.channel,
            value: one.delta_r.mean,
            spread: one.delta_r.sd,
            told: format!(
                "{:+.3} \u{b1} {:.3}  {}",
                one.delta_r.mean, one.delta_r.sd, one.effect
            ),
        })
        .collect();
    html! {
        @if let Some(first) = analysis.what_if.as_ref().and_then(|all| all.first()) {
            (heading(analysis, StepId::Scan, "What if a node is stimulated?"))
            @if let Some(caution) = text::untrusted(analysis) { p.warn { (caution) } }
            figure.wide {
                (bars("Effect of stimulating each node", "change of the order parameter r", &shown))
                figcaption {
                    (first.kind) " of " (first.amplitude_rad_s) @if first.kind == "pulses" { " rad" } @else { " rad/s" }
                    @if let Some(hz) = first.frequency_hz { (format!(" at {hz:.2} Hz")) }
                    ", the same noise with and without; bars: mean over " (first.seeds) " seeds, lines: their standard deviation. A statement about the twin."
                }
            }
        }
        @if let Some(found) = &analysis.closed_loop {
            (heading(analysis, StepId::ClosedLoop, "Closed loop"))
            @if let Some(caution) = text::untrusted(analysis) { p.warn { (caution) } }
            table {
                tr { th { "objective" } td { (found.objective) } }
                tr { th { "without stimulation, first guess, end" } td { (format!("{:.5}, {:.5}, {:.5}", found.baseline, found.start, found.end)) " (" (found.evaluations) " evaluations)" } }
                tr { th { "best" } td { (found.channel) (format!(" with {:.2} rad/s, offset {:+.2} rad to the mean field's phase", found.amplitude_rad_s, found.delta_rad)) } }
                tr { th { "order parameter r" } td { (format!("{:.3} \u{2192} {:.3}", found.order.without, found.order.with)) } }
            }
        }
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
