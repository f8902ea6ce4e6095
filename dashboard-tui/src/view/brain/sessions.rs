//! The list of sessions: what each says, and how its electrodes are.

use std::sync::Arc;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::model::session::{Session, Verdict};
use crate::text::seconds_ns;
use crate::theme::Tone;
use crate::view::Look;
use crate::view::eeg::heading::time;
use crate::view::eeg::{number, p};
use crate::view::list::page_start;
use crate::view::table::{self, Column};

fn verdict(session: &Session) -> (String, Tone) {
    let Some(state) = &session.newest else {
        return ("no window yet".to_owned(), Tone::Dim);
    };
    let by = state
        .surrogates
        .as_ref()
        .map_or_else(String::new, |test| format!(", p {}", p(test.wpli_p.0)));
    match Verdict::of(state) {
        Verdict::NoFigures => ("no figures".to_owned(), Tone::Warn),
        Verdict::Untested => ("not tested".to_owned(), Tone::Warn),
        Verdict::Refused => ("TEST REFUSED".to_owned(), Tone::Bad),
        Verdict::Significant => (format!("significant{by}"), Tone::Best),
        Verdict::NotSignificant => (format!("not significant{by}"), Tone::Warn),
    }
}

fn life(session: &Session, now_ns: i64) -> (String, Tone) {
    if let Some(ended_ns) = session.ended_at_ns {
        return (
            format!(
                "ended {} ago",
                seconds_ns(now_ns.saturating_sub(ended_ns).max(0))
            ),
            Tone::Dim,
        );
    }
    match session.quiet_ns(now_ns) {
        Some(quiet_ns) => (format!("quiet {}", seconds_ns(quiet_ns)), Tone::Bad),
        None => ("live".to_owned(), Tone::Good),
    }
}

/// Draws the page that holds the chosen row.
pub(super) fn draw(
    listed: &[&Arc<Session>],
    chosen: usize,
    buffer: &mut Buffer,
    area: Rect,
    look: &Look<'_>,
) {
    let height = usize::from(area.height.saturating_sub(1));
    let from = page_start(chosen, height);
    let shown: Vec<&Session> = listed
        .iter()
        .skip(from)
        .take(height)
        .map(|session| session.as_ref())
        .collect();
    let here = chosen - from;
    let cells = |of: &dyn Fn(&Session) -> (String, Tone)| -> Vec<(String, Tone)> {
        shown.iter().map(|session| of(session)).collect()
    };
    let plain = |text: String| (text, Tone::Plain);
    let bad = |session: &Session| {
        let n = session
            .newest
            .as_ref()
            .map_or(0, |state| state.bad_channels.len());
        let tone = if n > 0 { Tone::Bad } else { Tone::Dim };
        (n.to_string(), tone)
    };
    let at = |session: &Session| {
        let at = session
            .newest
            .as_ref()
            .map(|state| time(state.start_s + state.window_s));
        plain(at.unwrap_or_else(|| "-".to_owned()))
    };
    let r = |session: &Session| {
        plain(number(
            session.newest.as_ref().map_or(f64::NAN, |state| state.r.0),
            2,
        ))
    };
    let twin = |session: &Session| match session.twin() {
        None => ("-".to_owned(), Tone::Dim),
        Some(twin) if twin.stimulation.is_some() => ("driven".to_owned(), Tone::Notice),
        Some(_) => plain("yes".to_owned()),
    };
    let marks =
        (0..shown.len()).map(|at| ((if at == here { "▸" } else { " " }).to_owned(), Tone::Title));
    let columns = [
        Column::new(0, "").cells(marks),
        Column::new(0, "session")
            .shrinks()
            .cells(cells(&|session| plain(session.name.to_string()))),
        Column::new(1, "life").cells(cells(&|session| life(session, look.model.now_ns))),
        Column::new(0, "verdict").shrinks().cells(cells(&verdict)),
        Column::new(2, "r").right().cells(cells(&r)),
        Column::new(3, "channels")
            .right()
            .cells(cells(&|session| plain(session.n_channels().to_string()))),
        Column::new(4, "out").right().cells(cells(&bad)),
        Column::new(5, "twin").cells(cells(&twin)),
        Column::new(6, "at").right().cells(cells(&at)),
    ];
    table::draw(buffer, area, look, &columns, Some(here));
}
