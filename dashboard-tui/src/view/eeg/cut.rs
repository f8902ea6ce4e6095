//! Cutting an area into parts.

use ratatui::layout::Rect;

/// Cuts so many rows off the top.
pub(in crate::view) fn top(area: &mut Rect, height: u16) -> Rect {
    let height = height.min(area.height);
    let cut = Rect { height, ..*area };
    area.y += height;
    area.height -= height;
    cut
}

/// Cuts so many columns off the left, and two blank ones.
pub(in crate::view) fn left(area: &mut Rect, width: u16) -> Rect {
    let cut = Rect {
        width: width.min(area.width),
        ..*area
    };
    let taken = (width + 2).min(area.width);
    area.x += taken;
    area.width -= taken;
    cut
}
