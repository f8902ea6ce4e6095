//! All keys, over whatever is shown.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Line;
use ratatui::widgets::{Block, Clear, Widget};

use crate::app::App;
use crate::text::width;
use crate::theme::Tone;

/// The keys that work everywhere.
const EVERYWHERE: [(&str, &str); 10] = [
    ("1 to 6, Tab", "another view"),
    ("↑ ↓, j k", "another row"),
    ("PgUp PgDn, g G", "a page, the ends"),
    ("/", "search; Esc clears it"),
    ("space", "hold the screen; records are still taken"),
    (
        "mouse",
        "click tabs and rows, wheel scrolls; shift-drag selects text",
    ),
    ("?", "this help"),
    ("Ctrl-L", "draw everything anew"),
    ("Ctrl-Z", "back to the shell for a while"),
    ("q, Ctrl-C", "leave"),
];

/// Draws the keys, from line `from` on.
pub(super) fn draw(buffer: &mut Buffer, body: Rect, app: &App, from: u16) {
    let look = app.look();
    let key = |(keys, what): &(&str, &str)| {
        let pad = " ".repeat(16_usize.saturating_sub(width(keys)));
        Line::from(vec![
            look.span(format!("  {keys}{pad} "), Tone::Title),
            look.span((*what).to_owned(), Tone::Plain),
        ])
    };
    let title = |text: String| Line::from(look.span(text, Tone::Dim));
    let mut lines = vec![title("Everywhere".to_owned())];
    lines.extend(EVERYWHERE.iter().map(key));
    for view in &app.views {
        if !view.keys().is_empty() {
            lines.push(title(view.title().to_owned()));
            lines.extend(view.keys().iter().map(key));
        }
    }
    lines.push(title("Signs".to_owned()));
    for sign in [
        ("ok", "both quotes were live at the same instant"),
        ("s  stale", "a quote is too old to be compared"),
        ("d  down", "a venue is not up"),
        ("r  no rate", "no rate between the two currencies"),
        ("x  crossed", "a venue's bid is above its own ask"),
        ("1  one sided", "fewer than two venues"),
        ("·", "no window at all"),
        ("*", "a pair that is claimed; all others are not"),
        ("▲ ✗", "an electrode at its rail; one that is left out"),
        ("~", "a node of the twin that is driven"),
    ] {
        lines.push(key(&sign));
    }
    let tallest = u16::try_from(lines.len())
        .unwrap_or(u16::MAX)
        .saturating_add(2);
    let area = Rect {
        x: body.x + body.width.saturating_sub(72) / 2,
        y: body.y,
        width: body.width.min(72),
        height: body.height.min(tallest),
    };
    Clear.render(area, buffer);
    let block = Block::bordered()
        .title(" Keys ")
        .title_bottom(Line::from(" any key closes, ↑ ↓ scroll ").right_aligned());
    let inner = block.inner(area);
    block.render(area, buffer);
    let hidden = lines.len().saturating_sub(usize::from(inner.height));
    let skip = usize::from(from).min(hidden);
    for (line, row) in lines.into_iter().skip(skip).zip(inner.rows()) {
        line.render(row, buffer);
    }
}
