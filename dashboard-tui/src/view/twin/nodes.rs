//! The nodes of the twin: natural frequencies, what was observed, what drives them.

use contract::eeg::Figure;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::model::session::{Session, figure};
use crate::theme::Tone;
use crate::view::Look;
use crate::view::eeg::matrix::Edges;
use crate::view::eeg::{number, sign, signed};
use crate::view::list::page_start;
use crate::view::table::{self, Column};

/// Claimed inputs that are told.
const MOST_INPUTS: usize = 3;

fn of(figures: &[Figure], at: usize) -> f64 {
    figures.get(at).map_or(f64::NAN, |figure| figure.0)
}

/// Draws the page of nodes that holds the chosen one.
pub(super) fn draw(
    session: &Session,
    chosen: usize,
    buffer: &mut Buffer,
    area: Rect,
    look: &Look<'_>,
) {
    let Some(state) = &session.newest else { return };
    let Some(twin) = &state.twin else { return };
    let n = session.n_channels();
    let rows = usize::from(area.height.saturating_sub(1));
    let from = page_start(chosen, rows);
    let nodes = || from..n.min(from + rows);
    let edges = Edges::new(n, &twin.edges, true);
    let driven = twin.stimulation.as_ref();
    let is_driven = |at: usize| {
        driven.is_some_and(|driven| usize::try_from(driven.node).is_ok_and(|node| node == at))
    };
    let plain = |text: String| (text, Tone::Plain);
    let change = |at: usize| {
        let change = driven.map_or(f64::NAN, |driven| of(&driven.frequency_change_hz, at));
        plain(signed(change, 2))
    };
    let inputs = |at: usize| {
        let mut from: Vec<(usize, f64)> = (0..n)
            .filter(|j| edges.holds(at, *j))
            .map(|j| (j, figure(&twin.coupling_rad_s, at, j)))
            .collect();
        from.sort_by(|one, other| other.1.abs().total_cmp(&one.1.abs()));
        let told = from
            .iter()
            .take(MOST_INPUTS)
            .map(|(j, k)| format!("{} {}", session.channel(*j), signed(*k, 1)));
        (told.collect::<Vec<_>>().join(", "), Tone::Plain)
    };
    let mark = |at: usize| {
        let text = match (at == chosen, is_driven(at)) {
            (true, true) => "▸~",
            (true, false) => "▸",
            (false, true) => " ~",
            (false, false) => "",
        };
        (text.to_owned(), Tone::Title)
    };
    let columns = [
        Column::new(0, "").cells(nodes().map(mark)),
        Column::new(0, "node")
            .shrinks()
            .cells(nodes().map(|at| plain(format!("{} {}", sign(at), session.channel(at))))),
        Column::new(0, "omega Hz")
            .right()
            .cells(nodes().map(|at| plain(number(of(&twin.omega_hz, at), 2)))),
        Column::new(1, "seen Hz")
            .right()
            .cells(nodes().map(|at| plain(number(of(&state.frequency_hz, at), 2)))),
        Column::new(2, "driven Hz")
            .right()
            .cells(nodes().map(change)),
        Column::new(3, "claimed inputs, rad/s")
            .shrinks()
            .cells(nodes().map(inputs)),
    ];
    table::draw(buffer, area, look, &columns, chosen.checked_sub(from));
}
