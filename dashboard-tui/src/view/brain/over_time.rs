//! What the windows of a session say, over time.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::model::session::Session;
use crate::theme::Tone;
use crate::view::Look;
use crate::view::eeg::number;
use crate::view::eeg::plot::{Plot, Series, Span, Stroke};

/// The mean order parameter of each window, and where it would lie without coupling.
pub(super) fn order(
    session: &Session,
    span: Span,
    buffer: &mut Buffer,
    area: Rect,
    look: &Look<'_>,
) {
    let r = session.newest.as_ref().map_or(f64::NAN, |state| state.r.0);
    let title = format!(
        "order parameter r {}; dotted: 5–95 % of surrogates",
        number(r, 2)
    );
    Plot {
        title: &title,
        range: Some((0.0, 1.0)),
        band: Some(|point| point.r_5_95),
        series: &[Series {
            of: |point| point.r,
            stroke: Stroke::Full,
            tone: Tone::Title,
        }],
    }
    .draw(&session.past, span, buffer, area, look);
}

/// The mean wPLI of each window, and what 95 per cent of surrogates stay below.
pub(super) fn wpli(
    session: &Session,
    span: Span,
    buffer: &mut Buffer,
    area: Rect,
    look: &Look<'_>,
) {
    let mean = session
        .newest
        .as_ref()
        .map_or(f64::NAN, |state| state.wpli_mean.0);
    let title = format!("mean wPLI {}; ╌ 95 % of surrogates below", number(mean, 2));
    Plot {
        title: &title,
        range: Some((0.0, 1.0)),
        band: None,
        series: &[
            Series {
                of: |point| point.wpli_95,
                stroke: Stroke::Dashed,
                tone: Tone::Warn,
            },
            Series {
                of: |point| point.wpli,
                stroke: Stroke::Full,
                tone: Tone::Title,
            },
        ],
    }
    .draw(&session.past, span, buffer, area, look);
}
