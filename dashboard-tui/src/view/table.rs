//! Columns of text that line up, whatever the width: the least important go first when there is no room.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::Look;
use crate::text::{fit, width};
use crate::theme::Tone;

/// Columns between columns.
const GAP: usize = 2;
/// What a column that may shrink keeps while others can go instead, and what it keeps in any case.
const READABLE: usize = 24;
const LEAST: usize = 5;

/// One column.
#[derive(Debug)]
pub(crate) struct Column {
    head: &'static str,
    cells: Vec<(String, Tone)>,
    right: bool,
    shrinks: bool,
    rank: u8,
}

impl Column {
    /// A column of text. Where there is no room, columns of the highest rank go first; rank 0 stays.
    pub(crate) fn new(rank: u8, head: &'static str) -> Self {
        Self {
            head,
            cells: Vec::new(),
            right: false,
            shrinks: false,
            rank,
        }
    }

    /// The same with its text at the right: numbers.
    pub(crate) fn right(mut self) -> Self {
        self.right = true;
        self
    }

    /// The same, and it may be cut where there is no room: names.
    pub(crate) fn shrinks(mut self) -> Self {
        self.shrinks = true;
        self
    }

    /// The same with these cells.
    pub(crate) fn cells(mut self, cells: impl IntoIterator<Item = (String, Tone)>) -> Self {
        self.cells.extend(cells);
        self
    }

    fn natural(&self) -> usize {
        let cells = self.cells.iter().map(|(text, _)| width(text)).max();
        cells.unwrap_or(0).max(width(self.head))
    }
}

/// Which columns are shown, by index, and how wide.
fn fitted(columns: &[Column], room: usize) -> Vec<(usize, usize)> {
    let mut shown: Vec<(usize, usize)> = columns
        .iter()
        .enumerate()
        .map(|(at, column)| (at, column.natural()))
        .collect();
    let total = |shown: &[(usize, usize)]| {
        shown
            .iter()
            .map(|(_, wide)| wide + GAP)
            .sum::<usize>()
            .saturating_sub(GAP)
    };
    while total(&shown) > room {
        let over = total(&shown) - room;
        let spare = |keeps: usize| -> usize {
            let names = shown.iter().filter(|(at, _)| columns[*at].shrinks);
            names.map(|(_, wide)| wide.saturating_sub(keeps)).sum()
        };
        let last = shown.iter().map(|(at, _)| columns[*at].rank).max();
        let last = last.unwrap_or(0);
        if over <= spare(READABLE) {
            shrink(columns, &mut shown, over, READABLE);
            break;
        }
        if last == 0 {
            shrink(columns, &mut shown, over, LEAST);
            break;
        }
        let goes = shown.iter().rposition(|(at, _)| columns[*at].rank == last);
        shown.remove(goes.expect("one of them has the highest rank"));
    }
    shown
}

/// Takes `over` columns away from the widest that may shrink.
fn shrink(columns: &[Column], shown: &mut [(usize, usize)], over: usize, keeps: usize) {
    for _ in 0..over {
        let widest = shown
            .iter_mut()
            .filter(|(at, wide)| columns[*at].shrinks && *wide > keeps)
            .max_by_key(|(_, wide)| *wide);
        match widest {
            Some((_, wide)) => *wide -= 1,
            None => return,
        }
    }
}

/// Draws head and rows; `chosen` is the row to stand out. Rows below the area are not drawn.
pub(crate) fn draw(
    buffer: &mut Buffer,
    area: Rect,
    look: &Look<'_>,
    columns: &[Column],
    chosen: Option<usize>,
) {
    let mut x = area.x;
    let shown = fitted(columns, usize::from(area.width));
    for &(at, wide) in &shown {
        let column = &columns[at];
        let head = (column.head, Tone::Dim);
        let cells = column
            .cells
            .iter()
            .map(|(text, tone)| (text.as_str(), *tone));
        for ((text, tone), row) in std::iter::once(head).chain(cells).zip(area.rows()) {
            let text = fit(text, wide);
            let left = if column.right {
                wide - width(&text).min(wide)
            } else {
                0
            };
            let at = x.saturating_add(u16::try_from(left).unwrap_or(u16::MAX));
            if at < area.right() {
                let room = usize::from(area.right() - at);
                buffer.set_stringn(at, row.y, text, room, look.style(tone));
            }
        }
        x = x.saturating_add(u16::try_from(wide + GAP).unwrap_or(u16::MAX));
        if x >= area.right() {
            break;
        }
    }
    if let Some(row) = chosen.and_then(|chosen| area.rows().nth(chosen + 1)) {
        // The mark and the name stand out; the figures keep the tones that say something.
        let columns: usize = shown.iter().take(2).map(|(_, wide)| wide + GAP).sum();
        let width = u16::try_from(columns.saturating_sub(GAP)).unwrap_or(u16::MAX);
        let name = Rect {
            width: width.min(row.width),
            ..row
        };
        buffer.set_style(name, look.style(Tone::Chosen));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn column(rank: u8, wide: usize) -> Column {
        Column::new(rank, "h").cells([("x".repeat(wide), Tone::Plain)])
    }

    #[test]
    fn the_least_important_columns_go_first_and_names_are_cut() {
        let columns = [column(0, 40).shrinks(), column(2, 6), column(1, 5)];
        assert_eq!(fitted(&columns, 60), [(0, 40), (1, 6), (2, 5)]);
        assert_eq!(fitted(&columns, 40), [(0, 25), (1, 6), (2, 5)]);
        assert_eq!(
            fitted(&columns, 38),
            [(0, 31), (2, 5)],
            "the one of rank 2 goes"
        );
        assert_eq!(fitted(&columns, 28), [(0, 28)]);
        assert_eq!(fitted(&columns, 7), [(0, 7)], "the last is cut further");
        assert_eq!(fitted(&columns, 1), [(0, 5)]);
    }
}
