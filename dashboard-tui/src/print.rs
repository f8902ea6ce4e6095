//! A buffer as text, with or without colours.

use std::fmt::Write;

use ratatui::buffer::{Buffer, Cell};
use ratatui::style::{Color, Modifier};

/// Whether escape codes may stand in the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Codes {
    /// Colours and the like as a terminal takes them.
    Ansi,
    /// Characters alone.
    None,
}

/// The buffer's rows as lines, without blanks at their ends.
#[must_use]
pub fn text(buffer: &Buffer, codes: Codes) -> String {
    let mut out = String::new();
    let width = usize::from(buffer.area.width).max(1);
    for row in buffer.content.chunks(width) {
        let is_blank =
            |cell: &Cell| cell.symbol() == " " && (codes == Codes::None || sgr(cell).is_empty());
        let end = row
            .iter()
            .rposition(|cell| !is_blank(cell))
            .map_or(0, |at| at + 1);
        let mut now = String::new();
        let mut covered = 0;
        for cell in &row[..end] {
            // The cells that a wide character covers hold nothing of their own.
            if covered > 0 {
                covered -= 1;
                continue;
            }
            covered = crate::text::width(cell.symbol()).saturating_sub(1);
            let wanted = if codes == Codes::Ansi {
                sgr(cell)
            } else {
                String::new()
            };
            if wanted != now {
                let _ = write!(out, "\u{1b}[0{wanted}m");
                now = wanted;
            }
            out.push_str(cell.symbol());
        }
        if !now.is_empty() {
            out.push_str("\u{1b}[0m");
        }
        out.push('\n');
    }
    out
}

/// What a cell looks like, as parameters of SGR; empty for ordinary text.
fn sgr(cell: &Cell) -> String {
    let mut codes = String::new();
    for (modifier, code) in [
        (Modifier::BOLD, ";1"),
        (Modifier::DIM, ";2"),
        (Modifier::REVERSED, ";7"),
    ] {
        if cell.modifier.contains(modifier) {
            codes.push_str(code);
        }
    }
    codes.push_str(match cell.fg {
        Color::Red => ";31",
        Color::Green => ";32",
        Color::Yellow => ";33",
        Color::Blue => ";34",
        Color::DarkGray => ";90",
        // The theme has no others.
        _ => "",
    });
    codes
}

#[cfg(test)]
mod tests {
    use super::*;
    use ratatui::layout::Rect;
    use ratatui::style::Style;

    #[test]
    fn blanks_at_the_end_are_left_out_and_colours_are_asked_for() {
        let mut buffer = Buffer::empty(Rect::new(0, 0, 8, 2));
        buffer.set_string(0, 0, "ok 日", Style::new().fg(Color::Green));
        assert_eq!(text(&buffer, Codes::None), "ok 日\n\n");
        assert_eq!(text(&buffer, Codes::Ansi), "\u{1b}[0;32mok 日\u{1b}[0m\n\n");
    }
}
