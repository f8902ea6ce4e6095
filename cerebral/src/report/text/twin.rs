//! Steps of the twin: what was calibrated, how it runs beside the recording, what a stimulus does to it.

use std::fmt::Write as _;

use super::table::{STRONGEST, name_width, table};
use crate::analyze::{Analysis, Matrix, TwinInfo, WhatIfInfo};
use crate::number::float;
use crate::report::words::{cautions, onset, pairs, two, untrusted};

pub(super) fn calibration(twin: &TwinInfo, analysis: &Analysis) -> String {
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

pub(super) fn simulation(twin: &TwinInfo) -> String {
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

pub(super) fn what_if(analysis: &Analysis, most: usize) -> String {
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

fn mean_abs(matrix: &Matrix) -> f64 {
    let (sum, n) = pairs(matrix).fold((0.0, 0), |(sum, n), value| (sum + value.abs(), n + 1));
    sum / float(n)
}

pub(super) fn closed_loop(analysis: &Analysis) -> String {
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
