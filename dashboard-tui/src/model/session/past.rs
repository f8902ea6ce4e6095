//! What is kept of a window that has passed, and of what the twin had said of it. Pure arithmetic.

use std::f64::consts::{PI, TAU};

use contract::eeg::State;

use super::mean_coupling;

/// A window of the past; NaN where there is no figure.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Point {
    /// Start, seconds from the session's first sample.
    pub(crate) start_s: f64,
    /// From window to window, seconds.
    pub(crate) hop_s: f64,
    pub(crate) r: f64,
    pub(crate) r_5_95: [f64; 2],
    pub(crate) wpli: f64,
    pub(crate) wpli_95: f64,
    /// The order parameter that the twin had said for this window.
    pub(crate) r_said: f64,
    /// How far the phases were from what the twin had said, the mean of absolute differences, radians.
    pub(crate) phase_error_rad: f64,
    /// The same, had every channel gone on at its frequency: no twin at all.
    pub(crate) phase_error_alone_rad: f64,
    /// Mean absolute coupling of pairs, radians a second.
    pub(crate) coupling_rad_s: f64,
    pub(crate) noise_floor_rad_s: f64,
}

/// What the window before had said of this one, and how far off it was: order parameter, phase errors of twin and of none.
pub(super) fn said(before: &State<'_>, state: &State<'_>) -> Option<(f64, f64, f64)> {
    let twin = before.twin.as_ref()?;
    if before.stretch_at != state.stretch_at || before.k.checked_add(1) != Some(state.k) {
        return None;
    }
    let phase = |at: usize| state.phase_rad.get(at).map_or(f64::NAN, |phase| phase.0);
    let said = mean(
        twin.phase_next_rad
            .iter()
            .enumerate()
            .map(|(at, said)| distance_rad(phase(at), said.0)),
    );
    let alone = before
        .phase_rad
        .iter()
        .zip(&before.frequency_hz)
        .enumerate();
    let alone = mean(alone.map(|(at, (phase_rad, hz))| {
        distance_rad(phase(at), phase_rad.0 + TAU * hz.0 * before.hop_s)
    }));
    Some((twin.r_next.0, said, alone))
}

/// How far two phases are apart, `0..=pi`.
fn distance_rad(one: f64, other: f64) -> f64 {
    ((one - other + PI).rem_euclid(TAU) - PI).abs()
}

/// The mean of the figures there are; NaN of none.
pub(super) fn mean(figures: impl Iterator<Item = f64>) -> f64 {
    let (mut sum, mut n) = (0.0, 0_u32);
    for figure in figures.filter(|figure| figure.is_finite()) {
        sum += figure;
        n += 1;
    }
    sum / f64::from(n)
}

/// What is kept of a window.
pub(super) fn point(state: &State<'_>, said: Option<(f64, f64, f64)>) -> Point {
    let none = f64::NAN;
    // Surrogates that are not of these data say nothing about where the figures would lie.
    let test = state.surrogates.as_ref().filter(|test| !test.refused);
    let twin = state.twin.as_ref();
    let (r_said, phase_error_rad, phase_error_alone_rad) = said.unwrap_or((none, none, none));
    Point {
        start_s: state.start_s,
        hop_s: state.hop_s,
        r: state.r.0,
        r_5_95: test.map_or([none; 2], |test| test.r_5_95.map(|figure| figure.0)),
        wpli: state.wpli_mean.0,
        wpli_95: test.map_or(none, |test| test.wpli_95.0),
        r_said,
        phase_error_rad,
        phase_error_alone_rad,
        coupling_rad_s: twin.map_or(none, |twin| mean_coupling(&twin.coupling_rad_s)),
        noise_floor_rad_s: twin.map_or(none, |twin| twin.noise_floor_rad_s),
    }
}
