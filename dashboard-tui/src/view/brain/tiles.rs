//! Which panels of *Brain* stand where. Pure arithmetic.

use ratatui::layout::Rect;

use crate::view::eeg::cut::{left, top};

/// Rows below which a circle is none.
const LEAST_CIRCLE: u16 = 8;

/// What can be shown of a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Panel {
    Signals,
    Electrodes,
    Matrix,
    Order,
    Wpli,
    Circle,
    Head,
}

/// Which panels stand where.
pub(super) fn tiles(area: Rect, n_channels: usize) -> Vec<(Panel, Rect)> {
    let n = u16::try_from(n_channels.max(1)).unwrap_or(u16::MAX);
    let mut rest = area;
    if area.width < 72 || area.height < 12 {
        // Low screens: signals, or where there is room for no more than a few rows, how the electrodes are.
        if area.height < 8 {
            return vec![(Panel::Electrodes, area)];
        }
        let signals = top(&mut rest, area.height / 2);
        return vec![(Panel::Signals, signals), (Panel::Electrodes, rest)];
    }
    let is_large = area.width >= 116 && area.height >= 22;
    if !is_large {
        let mut west = left(&mut rest, area.width * 11 / 20);
        let signals = top(&mut west, area.height / 2);
        let electrodes = top(&mut rest, (n + 1).min(area.height / 2));
        return vec![
            (Panel::Signals, signals),
            (Panel::Order, west),
            (Panel::Electrodes, electrodes),
            (Panel::Matrix, rest),
        ];
    }
    let mut west = left(&mut rest, area.width / 2 - 2);
    let signals = top(&mut west, area.height / 2);
    let half = west.height / 2;
    let above = west.height - half;
    let order = top(&mut west, above);
    let electrodes = top(&mut rest, (n + 1).min(area.height * 2 / 5));
    let _blank = top(&mut rest, 1);
    let mut tiles = vec![
        (Panel::Signals, signals),
        (Panel::Order, order),
        (Panel::Wpli, west),
        (Panel::Electrodes, electrodes),
    ];
    // The matrix takes what it needs, if that leaves the round ones something.
    let wide = 6 + n.saturating_mul(if n <= 10 { 4 } else { 3 });
    let wide = wide.clamp(30, (rest.width * 3 / 5).max(30));
    let mut middle = left(&mut rest, wide);
    let spare = middle.height.saturating_sub(n.saturating_add(2));
    if spare >= LEAST_CIRCLE && rest.width >= 14 {
        let matrix = top(&mut middle, n + 2);
        tiles.extend([
            (Panel::Matrix, matrix),
            (Panel::Circle, middle),
            (Panel::Head, rest),
        ]);
        return tiles;
    }
    tiles.push((Panel::Matrix, middle));
    if rest.width < 14 {
        return tiles;
    }
    // Side by side where it is broad, else one above the other.
    let head = if rest.width >= 60 {
        let width = rest.width / 2 - 1;
        left(&mut rest, width)
    } else {
        let height = rest.height.div_ceil(2);
        top(&mut rest, height)
    };
    tiles.extend([(Panel::Head, head), (Panel::Circle, rest)]);
    tiles
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn panels_lie_within_the_body_and_never_over_each_other() {
        for width in (28..240).step_by(7) {
            for height in 1..70 {
                for n in [1, 8, 16, 64, 300] {
                    let body = Rect::new(3, 5, width, height);
                    let tiles = tiles(body, n);
                    for (at, (panel, one)) in tiles.iter().enumerate() {
                        let inside = one.intersection(body);
                        assert_eq!(inside, *one, "{panel:?} of {n} in {body:?}");
                        let over = tiles[..at].iter().find(|(_, other)| {
                            let both = one.intersection(*other);
                            !both.is_empty()
                        });
                        assert_eq!(over, None, "{panel:?} of {n} in {body:?}");
                    }
                }
            }
        }
    }
}
