//! A window as its record of `eeg-states`. Pure.

use contract::eeg::tags::V1;
use contract::eeg::{Bad, Figure, Mark, Matrix, Quality, State, Surrogates, Twin};
use ndarray::Array2;

use super::session::{Head, Stretch};
use super::stretch::Closed;
use super::window::{Window, WindowAnalyst, WindowFigures, quantile};
use crate::surrogate::Verdict;

fn list(values: &[f64]) -> Vec<Figure> {
    values.iter().copied().map(Figure).collect()
}

fn matrix(values: &Array2<f64>) -> Matrix {
    let row = |row: ndarray::ArrayView1<'_, f64>| row.iter().copied().map(Figure).collect();
    values.rows().into_iter().map(row).collect()
}

fn index(value: usize) -> u64 {
    u64::try_from(value).unwrap_or(u64::MAX)
}

/// The record of a window.
#[must_use]
pub fn record<'a>(
    stretch: &'a Stretch,
    head: &'a Head,
    analyst: &WindowAnalyst,
    closed: &'a Closed,
    twin: Option<Twin>,
) -> State<'a> {
    let settings = analyst.settings();
    let n = head.channels.len();
    let window = closed.window.as_ref().ok();
    let figures = window.and_then(|window| window.figures.as_ref().ok());
    let reason = match &closed.window {
        Err(reason) => Some(reason),
        Ok(window) => window.figures.as_ref().err(),
    };
    let none = || vec![Figure(f64::NAN); n];
    let no_matrix = || vec![none(); n];
    State {
        v: V1,
        session: (&*stretch.session).into(),
        stretch_at: stretch.at,
        k: closed.k,
        at: closed.at,
        start_s: seconds(closed.at, analyst),
        sample_rate_hz: head.rate.hz(),
        channels: head
            .channels
            .iter()
            .map(|name| name.as_str().into())
            .collect(),
        received_ns: closed.received_ns,
        band_hz: [settings.band.low_hz(), settings.band.high_hz()],
        window_s: settings.window_s,
        hop_s: settings.hop_s,
        guard_s: settings.guard_s,
        filter_delay_s: analyst.filter_delay_s(),
        reason: reason.map(|reason| reason.as_str().into()),
        bad_channels: window.map(bad).unwrap_or_default(),
        artefacts: window
            .map(|window| marks(window, analyst))
            .unwrap_or_default(),
        quality: window.map(quality).unwrap_or_default(),
        frequency_hz: figures.map_or_else(none, |of| list(&of.frequency_hz)),
        band_power_uv2: figures.map_or_else(none, |of| list(&of.band_power_uv2)),
        phase_rad: figures.map_or_else(none, |of| list(&of.phase_rad)),
        pli: figures.map_or_else(no_matrix, |of| matrix(&of.pli)),
        wpli: figures.map_or_else(no_matrix, |of| matrix(&of.wpli)),
        pli_mean: Figure(figures.map_or(f64::NAN, |of| of.pli_mean)),
        wpli_mean: Figure(figures.map_or(f64::NAN, |of| of.wpli_mean)),
        r: Figure(figures.map_or(f64::NAN, |of| of.r)),
        surrogates: window
            .zip(figures)
            .map(|(window, figures)| surrogates(window, figures)),
        twin,
    }
}

/// From the session's first sample.
fn seconds(at: u64, analyst: &WindowAnalyst) -> f64 {
    analyst
        .rate()
        .seconds(usize::try_from(at).unwrap_or(usize::MAX))
}

fn bad(window: &Window) -> Vec<Bad<'static>> {
    let bad = window.bad.iter().map(|bad| Bad {
        index: index(bad.index),
        reason: bad.fault.to_string().into(),
    });
    bad.collect()
}

fn marks(window: &Window, analyst: &WindowAnalyst) -> Vec<Mark<'static>> {
    let guard_s = analyst.settings().guard_s;
    let seconds = |sample: usize| analyst.rate().seconds(sample) - guard_s;
    let marks = window.artefacts.iter().map(|artefact| Mark {
        start_s: seconds(artefact.samples.start),
        end_s: seconds(artefact.samples.end),
        kind: artefact.kind.to_string().into(),
    });
    marks.collect()
}

fn quality(window: &Window) -> Vec<Quality> {
    let electrodes = window.electrodes.iter().map(|electrode| Quality {
        rms_uv: Figure(electrode.sd_uv),
        railed: Figure(electrode.railed),
        mains_ratio: Figure(electrode.mains_ratio.unwrap_or(f64::NAN)),
    });
    electrodes.collect()
}

fn surrogates(window: &Window, figures: &WindowFigures) -> Surrogates {
    let of = &figures.significance;
    let is_refused = of.verdict == Verdict::Refused;
    let wpli = of.wpli.as_ref();
    let mut means = wpli.map(|wpli| wpli.null_means.clone()).unwrap_or_default();
    let good = |place: usize| index(window.good[place]);
    let edges = wpli
        .filter(|_| !is_refused)
        .map(|wpli| wpli.edges(of.alpha));
    Surrogates {
        n: index(of.n),
        alpha: of.alpha,
        pli_p: Figure(of.pli.p),
        wpli_p: Figure(wpli.map_or(f64::NAN, |wpli| wpli.p)),
        significant: of.verdict.is_significant(),
        refused: is_refused,
        edges: edges
            .into_iter()
            .flatten()
            .map(|(i, j)| [good(i), good(j)])
            .collect(),
        wpli_95: Figure(quantile(&mut means, 0.95)),
        r_5_95: figures.r_5_95.map(Figure),
    }
}
