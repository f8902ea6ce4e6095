//! Braille dots: two by four within a cell, each cell of one tone.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::Look;
use crate::theme::Tone;

/// The bit of a dot, by its row and column within the cell.
const BITS: [[u8; 2]; 4] = [[0x01, 0x08], [0x02, 0x10], [0x04, 0x20], [0x40, 0x80]];

/// A grid of dots, all off at first.
#[derive(Debug)]
pub(crate) struct Dots {
    columns: usize,
    rows: usize,
    cells: Vec<(u8, Tone)>,
}

impl Dots {
    /// A grid for an area of so many cells.
    pub(crate) fn new(columns: usize, rows: usize) -> Self {
        Self {
            columns,
            rows,
            cells: vec![(0, Tone::Plain); columns * rows],
        }
    }

    /// Dots in a row.
    pub(crate) fn width(&self) -> usize {
        self.columns * 2
    }

    /// Dots in a column.
    pub(crate) fn height(&self) -> usize {
        self.rows * 4
    }

    /// Sets a dot, counted from the upper left; its cell takes the tone. Outside is nothing.
    pub(crate) fn set(&mut self, x: usize, y: usize, tone: Tone) {
        if x >= self.width() || y >= self.height() {
            return;
        }
        let cell = &mut self.cells[y / 4 * self.columns + x / 2];
        *cell = (cell.0 | BITS[y % 4][x % 2], tone);
    }

    /// Draws the cells that have dots.
    pub(crate) fn draw(&self, buffer: &mut Buffer, area: Rect, look: &Look<'_>) {
        for (row, cells) in area.rows().zip(self.cells.chunks(self.columns.max(1))) {
            for (place, (bits, tone)) in row.columns().zip(cells) {
                let shown = char::from_u32(0x2800 + u32::from(*bits)).filter(|_| *bits != 0);
                if let (Some(shown), Some(cell)) = (shown, buffer.cell_mut((place.x, place.y))) {
                    cell.set_char(shown).set_style(look.style(*tone));
                }
            }
        }
    }
}
