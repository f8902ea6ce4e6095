//! What stands above all figures of a session: which window, whether it is more than chance, by what conventions.
//!
//! The verdict takes a line of its own that nothing on the screen outdoes; without it a matrix is a picture of noise.

use contract::eeg::{State, Surrogates};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Line;
use ratatui::widgets::Widget;

use super::{joined, number, p};
use crate::model::session::{Session, Verdict};
use crate::text::{fit, seconds_ns, width};
use crate::theme::Tone;
use crate::view::Look;

/// The rows of a heading in a body of this height.
pub(in crate::view) fn rows(body: Rect) -> u16 {
    if body.height >= 12 { 3 } else { 2 }.min(body.height)
}

/// Seconds from a session's start: `2:05`, `1:02:05`.
pub(in crate::view) fn time(s: f64) -> String {
    let s = crate::view::scale::whole(s.max(0.0));
    let (h, m, s) = (s / 3_600, s / 60 % 60, s % 60);
    if h > 0 {
        format!("{h}:{m:02}:{s:02}")
    } else {
        format!("{m}:{s:02}")
    }
}

/// The verdict in parts, the first of which is enough.
pub(in crate::view) fn verdict(state: &State<'_>) -> (Vec<String>, Tone) {
    let test = state.surrogates.as_ref();
    match (Verdict::of(state), test) {
        (Verdict::NoFigures, _) => {
            let reason = state.reason.as_deref().unwrap_or_default();
            (vec![format!("NO FIGURES: {reason}")], Tone::Notice)
        }
        (Verdict::Refused, _) => {
            let why = "the surrogates are not of these data".to_owned();
            let so = "take nothing here for coupling".to_owned();
            (vec!["TEST REFUSED".to_owned(), why, so], Tone::Loud)
        }
        (Verdict::Significant, Some(test)) => {
            let mut parts = vec![format!("SIGNIFICANT: {}", by(test))];
            parts.push(format!(
                "mean wPLI {}, 95 % of surrogates below {}",
                number(state.wpli_mean.0, 2),
                number(test.wpli_95.0, 2)
            ));
            parts.extend(pli(test));
            (parts, Tone::Best)
        }
        (Verdict::NotSignificant, Some(test)) => {
            let mut parts = vec![format!("NOT SIGNIFICANT: {}", by(test))];
            let least = 1.0 / (1.0 + counted(test.n));
            if least > test.alpha {
                parts.push(format!("too few: p cannot fall below {}", p(least)));
            }
            parts.push(format!(
                "mean wPLI {} is no more than independent channels give",
                number(state.wpli_mean.0, 2)
            ));
            parts.extend(pli(test));
            (parts, Tone::Notice)
        }
        (Verdict::Untested | Verdict::Significant | Verdict::NotSignificant, _) => {
            let so = "nothing here says whether it is more than chance".to_owned();
            (vec!["NOT TESTED".to_owned(), so], Tone::Notice)
        }
    }
}

fn by(test: &Surrogates) -> String {
    format!("p {}, {} surrogates", p(test.wpli_p.0), test.n)
}

fn counted(n: u64) -> f64 {
    f64::from(u32::try_from(n).unwrap_or(u32::MAX))
}

/// The other measure, which is told and does not decide.
fn pli(test: &Surrogates) -> Option<String> {
    let other = test.pli_p.0;
    if !other.is_finite() {
        return None;
    }
    let disagrees = (other <= test.alpha) != test.significant;
    let word = if disagrees {
        "PLI disagrees: p"
    } else {
        "PLI p"
    };
    Some(format!("{word} {}", p(other)))
}

/// By what conventions the figures are made.
fn conventions(state: &State<'_>) -> Vec<String> {
    let mut parts = vec![
        format!("{}–{} Hz", state.band_hz[0], state.band_hz[1]),
        format!("window {} s every {} s", state.window_s, state.hop_s),
        match state.filter_delay_s {
            late_s if late_s > 0.0 => {
                format!(
                    "delay {} s (guard) + {late_s:.2} s (causal filter)",
                    state.guard_s
                )
            }
            _ => format!("delay {} s (guard)", state.guard_s),
        },
    ];
    if let Some(test) = &state.surrogates {
        parts.push(format!("{} surrogates, alpha {}", test.n, test.alpha));
    }
    parts.push(format!("{} Hz", state.sample_rate_hz));
    parts
}

fn artefacts(state: &State<'_>) -> Option<String> {
    let first = state.artefacts.first()?;
    let more = state.artefacts.len() - 1;
    let behind = if more > 0 {
        format!(" and {more} more")
    } else {
        String::new()
    };
    Some(format!(
        "artefact: {} at {}..{} s{behind}",
        fit(&first.kind, 40),
        number(first.start_s, 1),
        number(first.end_s, 1)
    ))
}

/// Which session is shown: where among how many, and whether another was asked for.
#[derive(Debug, Clone, Copy)]
pub(in crate::view) struct Place<'a> {
    pub(in crate::view) row: usize,
    pub(in crate::view) n: usize,
    pub(in crate::view) awaited: Option<&'a str>,
}

/// Draws it.
pub(in crate::view) fn draw(
    session: &Session,
    place: Place<'_>,
    buffer: &mut Buffer,
    area: Rect,
    look: &Look<'_>,
) {
    let mut rows = area.rows();
    let room = usize::from(area.width);
    if let Some(row) = rows.next() {
        which(session, place, look).render(row, buffer);
    }
    let Some(state) = &session.newest else {
        if let Some(row) = rows.next() {
            let text = "no window yet: the first one needs its guards on both sides";
            buffer.set_stringn(row.x, row.y, text, room, look.style(Tone::Dim));
        }
        return;
    };
    if let Some(row) = rows.next() {
        let (parts, tone) = verdict(state);
        buffer.set_style(row, look.style(tone));
        let text = fit(
            &joined(&parts, room.saturating_sub(2)),
            room.saturating_sub(1),
        )
        .into_owned();
        buffer.set_stringn(row.x, row.y, format!(" {text}"), room, look.style(tone));
    }
    if let Some(row) = rows.next() {
        let mut line = Line::default();
        let mut used = 0;
        if let Some(text) = artefacts(state) {
            used = width(&text) + 3;
            line.push_span(look.span(text, Tone::Warn));
            line.push_span(look.span(" · ", Tone::Dim));
        }
        let text = joined(&conventions(state), room.saturating_sub(used));
        line.push_span(look.span(text, Tone::Dim));
        line.render(row, buffer);
    }
}

fn which<'a>(session: &Session, place: Place<'_>, look: &Look<'_>) -> Line<'a> {
    let mut line = Line::from(look.span(fit(&session.name, 32).into_owned(), Tone::Title));
    let now_ns = look.model.now_ns;
    // The row takes what fits; what must be seen comes first.
    if let Some(ended_ns) = session.ended_at_ns {
        let text = format!(
            "  ENDED {} ago",
            seconds_ns(now_ns.saturating_sub(ended_ns).max(0))
        );
        line.push_span(look.span(text, Tone::Warn));
    } else if let Some(quiet_ns) = session.quiet_ns(now_ns) {
        line.push_span(look.span(
            format!("  no window for {}", seconds_ns(quiet_ns)),
            Tone::Bad,
        ));
    }
    if let Some(awaited) = place.awaited {
        let text = format!("  no `{}` yet", fit(awaited, 24));
        line.push_span(look.span(text, Tone::Warn));
    }
    let (at, n) = (place.row + 1, place.n);
    if n > 1 {
        line.push_span(look.span(format!("  {at} of {n} (↑ ↓)"), Tone::Plain));
    }
    let Some(state) = &session.newest else {
        return line;
    };
    let n_bad = state.bad_channels.len();
    if n_bad > 0 {
        line.push_span(look.span(
            format!("  {n_bad} of {} left out", state.channels.len()),
            Tone::Bad,
        ));
    } else {
        let n = state.channels.len();
        let what = if n == 1 { "channel" } else { "channels" };
        line.push_span(look.span(format!("  {n} {what}"), Tone::Plain));
    }
    let end_s = state.start_s + state.window_s;
    let window = format!("  window {}..{}", time(state.start_s), time(end_s));
    line.push_span(look.span(window, Tone::Dim));
    if state.stretch_at > 0 {
        line.push_span(look.span(
            format!("  stretch from sample {}", state.stretch_at),
            Tone::Dim,
        ));
    }
    line
}
