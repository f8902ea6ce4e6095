//! The twin: its coupling, its course beside the recording's, what a stimulus does to it.

use maud::{Markup, html};

use super::heading;
use crate::analyze::{Analysis, StepId, TwinInfo};
use crate::report::figure::{Axes, Bar, Cells, Line, Mark, bars, cells, lines};
use crate::report::scale::{LINES, extent};
use crate::report::words;

pub(super) fn twin_section(analysis: &Analysis, twin: &TwinInfo) -> Markup {
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
                @for caution in words::cautions(analysis, twin) { p.warn { (caution) } }
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
                tr { th { "PLI over pairs, twin against recording" } td { "correlation " (words::two(alike.pli_correlation)) ", mean error " (format!("{:.3}", alike.pli_mean_absolute_error)) } }
                tr { th { "wPLI over pairs" } td { "correlation " (words::two(alike.wpli_correlation)) ", mean error " (format!("{:.3}", alike.wpli_mean_absolute_error)) } }
                tr { th { "phase relations (1: the same)" } td { (words::two(alike.phase_relations)) } }
            }
            @if let Some(near) = &twin.criticality {
                tr { th { "critical coupling, mean field" } td { (format!("{:.2} rad/s", near.mean_field_critical_rad_s)) } }
                tr { th { "synchrony sets in at" } td { (words::onset(near.spectral_critical_scale)) } }
                tr { th { "locked state without noise" } td { (near.locking_factor.map_or_else(|| "none at any factor".to_owned(), |factor| format!("from {factor:.2} times this coupling on"))) } }
                tr { th { "minimum connectivity" } td { (format!("{:.3}", near.minimum_connectivity)) " with edges above " (format!("{:.2} rad/s", near.connectivity_threshold_rad_s)) " (beside " (near.connectivity_critical) ": about identical frequencies on unweighted symmetric graphs, no verdict here)" } }
            }
        }
    }
}

pub(super) fn stimulation(analysis: &Analysis) -> Markup {
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
            @if let Some(caution) = words::untrusted(analysis) { p.warn { (caution) } }
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
            @if let Some(caution) = words::untrusted(analysis) { p.warn { (caution) } }
            table {
                tr { th { "objective" } td { (found.objective) } }
                tr { th { "without stimulation, first guess, end" } td { (format!("{:.5}, {:.5}, {:.5}", found.baseline, found.start, found.end)) " (" (found.evaluations) " evaluations)" } }
                tr { th { "best" } td { (found.channel) (format!(" with {:.2} rad/s, offset {:+.2} rad to the mean field's phase", found.amplitude_rad_s, found.delta_rad)) } }
                tr { th { "order parameter r" } td { (format!("{:.3} \u{2192} {:.3}", found.order.without, found.order.with)) } }
            }
        }
    }
}
