//! What *Brain* and *Twin* share: which session is looked at, what is said above all figures, plots over time, matrices.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Line;
use ratatui::widgets::Widget;

use super::Look;
use crate::text::{fit, width};
use crate::theme::Tone;

pub(super) mod choice;
pub(super) mod cut;
pub(super) mod heading;
pub(super) mod matrix;
pub(super) mod plot;

/// A channel's sign on circle and matrix: `1`..`9`, `a`..`z`, `A`..`Z`.
pub(super) fn sign(channel: usize) -> char {
    let signs = ('1'..='9').chain('a'..='z').chain('A'..='Z');
    signs.into_iter().nth(channel).unwrap_or('•')
}

/// A figure with so many decimals; `-` where there is none.
pub(super) fn number(value: f64, decimals: usize) -> String {
    if !value.is_finite() {
        return "-".to_owned();
    }
    let text = format!("{value:.decimals$}");
    // Never "-0.0": a sign that means nothing.
    match text.strip_prefix('-') {
        Some(digits) if digits.chars().all(|c| matches!(c, '0' | '.')) => digits.to_owned(),
        _ => text,
    }
}

/// The same with its sign.
pub(super) fn signed(value: f64, decimals: usize) -> String {
    let text = number(value, decimals);
    if value.is_finite() && !text.starts_with('-') {
        format!("+{text}")
    } else {
        text
    }
}

/// A rank p: never 0, and with the digits that matter.
pub(super) fn p(value: f64) -> String {
    number(value, if value < 0.1 { 3 } else { 2 })
}

/// Draws a panel's title and gives what is left below it.
pub(super) fn titled(buffer: &mut Buffer, area: Rect, title: &str, look: &Look<'_>) -> Rect {
    if area.height == 0 {
        return area;
    }
    let room = usize::from(area.width);
    buffer.set_stringn(
        area.x,
        area.y,
        fit(title, room),
        room,
        look.style(Tone::Dim),
    );
    Rect {
        y: area.y + 1,
        height: area.height - 1,
        ..area
    }
}

/// As many of the parts as fit, from the first, which is cut if it must be.
pub(super) fn joined(parts: &[String], room: usize) -> String {
    super::frame::segments(parts.iter().cloned(), room)
}

/// Parts after each other, on as many lines as they take; a part is never parted.
pub(super) fn flow<'a>(parts: Vec<(String, Tone)>, room: usize, look: &Look<'_>) -> Vec<Line<'a>> {
    let mut lines: Vec<Line<'a>> = Vec::new();
    let mut used = 0;
    for (text, tone) in parts {
        let wide = width(&text) + 2;
        match lines.last_mut().filter(|_| used + wide <= room) {
            Some(line) => line.push_span(look.span(format!("  {text}"), tone)),
            None => {
                used = 0;
                lines.push(Line::from(look.span(text, tone)));
            }
        }
        used += wide;
    }
    lines
}

/// Lines of text, from the top.
pub(super) fn lines(buffer: &mut Buffer, area: Rect, lines: Vec<Line<'_>>) {
    for (line, row) in lines.into_iter().zip(area.rows()) {
        line.render(row, buffer);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_short_and_never_minus_nothing() {
        assert_eq!(
            (number(-0.04, 1), number(f64::NAN, 1), number(-1.25, 1)),
            ("0.0".into(), "-".into(), "-1.2".into())
        );
        assert_eq!(
            (signed(0.041, 2), signed(-0.041, 2), signed(f64::NAN, 2)),
            ("+0.04".into(), "-0.04".into(), "-".into())
        );
        assert_eq!((p(0.004_975), p(0.313_4)), ("0.005".into(), "0.31".into()));
    }

    #[test]
    fn every_channel_has_a_sign() {
        assert_eq!(
            (sign(0), sign(9), sign(35), sign(60), sign(61), sign(200)),
            ('1', 'a', 'A', 'Z', '•', '•')
        );
    }
}
