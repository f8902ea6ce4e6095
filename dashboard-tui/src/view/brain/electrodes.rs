//! How good each electrode is, and how strong its band.

use contract::eeg::State;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::silent;
use crate::model::session::Session;
use crate::theme::Tone;
use crate::view::Look;
use crate::view::eeg::{number, sign};
use crate::view::scale::{count, whole};
use crate::view::table::{self, Column};

/// Columns of the longest bar.
const BAR: usize = 6;
/// From here on hum is worth a look: power about the mains' frequency over that beside it.
const HUM: f64 = 5.0;

fn of(figures: &[contract::eeg::Figure], at: usize) -> f64 {
    figures.get(at).map_or(f64::NAN, |figure| figure.0)
}

/// Why a channel is left out, or what is to be said of it.
fn condition(state: &State<'_>, at: usize) -> (String, Tone) {
    let is_it = |index: u64| usize::try_from(index).is_ok_and(|index| index == at);
    if let Some(bad) = state.bad_channels.iter().find(|bad| is_it(bad.index)) {
        return (format!("OUT: {}", bad.reason), Tone::Bad);
    }
    let quality = state.quality.get(at);
    if quality.is_none_or(|quality| !quality.rms_uv.0.is_finite()) {
        return ("-".to_owned(), Tone::Dim);
    }
    if quality.is_some_and(|quality| quality.railed.0 > 0.0) {
        return ("rails".to_owned(), Tone::Warn);
    }
    if quality.is_some_and(|quality| quality.mains_ratio.0 > HUM) {
        return ("hums".to_owned(), Tone::Warn);
    }
    ("ok".to_owned(), Tone::Good)
}

/// Draws a row for each channel from `from` on.
pub(super) fn draw(
    session: &Session,
    from: usize,
    buffer: &mut Buffer,
    area: Rect,
    look: &Look<'_>,
) {
    let Some(state) = &session.newest else {
        silent(buffer, area, "electrodes", "no window yet", look);
        return;
    };
    let n = state.channels.len();
    let rows = usize::from(area.height.saturating_sub(1));
    let shown = n.min(rows);
    let from = from.min(n - shown);
    let channels = || from..from + shown;
    let strongest = (0..n)
        .map(|at| of(&state.band_power_uv2, at))
        .fold(0.0, f64::max);
    let plain = |text: String| (text, Tone::Plain);
    let quality = |at: usize| state.quality.get(at).copied();
    let railed = |at: usize| match quality(at).map_or(f64::NAN, |quality| quality.railed.0) {
        share if share > 0.0 => (format!("{} %", number(share * 100.0, 1)), Tone::Bad),
        share if share.is_finite() => ("0 %".to_owned(), Tone::Dim),
        _ => ("-".to_owned(), Tone::Dim),
    };
    let mains = |at: usize| {
        let ratio = quality(at).map_or(f64::NAN, |quality| quality.mains_ratio.0);
        let tone = if ratio > HUM { Tone::Warn } else { Tone::Plain };
        (number(ratio, 1), tone)
    };
    let bar = |at: usize| {
        let share = of(&state.band_power_uv2, at) / strongest;
        let cells = if share.is_finite() {
            whole((share * count(BAR)).ceil()).min(BAR)
        } else {
            0
        };
        ("█".repeat(cells), Tone::Second)
    };
    let columns = [
        Column::new(0, "").cells(channels().map(|at| (sign(at).to_string(), Tone::Dim))),
        Column::new(0, "channel")
            .shrinks()
            .cells(channels().map(|at| plain(session.channel(at).to_owned()))),
        Column::new(1, "rms µV").right().cells(
            channels().map(|at| plain(number(quality(at).map_or(f64::NAN, |q| q.rms_uv.0), 1))),
        ),
        Column::new(2, "band").cells(channels().map(bar)),
        Column::new(5, "railed")
            .right()
            .cells(channels().map(railed)),
        Column::new(6, "mains x")
            .right()
            .cells(channels().map(mains)),
        Column::new(4, "Hz")
            .right()
            .cells(channels().map(|at| plain(number(of(&state.frequency_hz, at), 2)))),
        Column::new(3, "µV²")
            .right()
            .cells(channels().map(|at| plain(number(of(&state.band_power_uv2, at), 1)))),
        Column::new(0, "state")
            .shrinks()
            .cells(channels().map(|at| condition(state, at))),
    ];
    table::draw(buffer, area, look, &columns, None);
}
