//! A band: the null distributions, the matrices, the head.

use maud::{Markup, html};

use super::heading;
use super::windows::over_time;
use crate::analyze::{Analysis, BandResult, Matrix, StepId};
use crate::connectivity::Measure;
use crate::report::figure::{Cells, HeadEdge, Mark, cells, head, histogram};
use crate::report::scale::extent;
use crate::report::verdict_line;
use crate::report::words;

pub(super) fn band(analysis: &Analysis, band: &BandResult, is_first: bool) -> Markup {
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
                            ", p = " (words::p(one.p)) " (b = " (one.b) " of " (test.n) ")"
                        }
                    }
                }
            }
            @if !is_first { p { strong { (verdict_line(band)) } " " (words::ONE_BY_ONE) } }
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
                    figcaption { (measure) ", mean " (format!("{:.4}", words::mean(matrix))) }
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
            tr { @for (_, matrix) in &band.measures { td.n { (format!("{:.4}", words::mean(matrix))) } } }
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
