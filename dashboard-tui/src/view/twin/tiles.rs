//! Which panels of *Twin* stand where. Pure arithmetic.

use ratatui::layout::Rect;

use super::what_if;
use crate::view::eeg::cut::{left, top};

/// What can be shown of a twin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Panel {
    WhatIf,
    Order,
    Phase,
    Coupling,
    Matrix,
    Nodes,
}

/// Which panels stand where.
///
/// `what_if_rows`: what the what-if takes in so many columns.
pub(super) fn tiles(
    area: Rect,
    n_channels: usize,
    what_if_rows: &dyn Fn(u16) -> u16,
) -> Vec<(Panel, Rect)> {
    let n = u16::try_from(n_channels.max(1)).unwrap_or(u16::MAX);
    let mut rest = area;
    if area.width < 72 || area.height < 12 {
        let what_if = top(&mut rest, what_if_rows(area.width));
        return vec![(Panel::WhatIf, what_if), (Panel::Order, rest)];
    }
    let mut west = left(&mut rest, area.width / 2 - 1);
    let order = top(&mut west, area.height / 2);
    let tall = what_if_rows(rest.width).max(what_if::ROWS);
    let what_if = top(&mut rest, tall);
    let _blank = top(&mut rest, 1);
    let mut tiles = vec![(Panel::Order, order), (Panel::WhatIf, what_if)];
    if area.height < 22 {
        tiles.extend([(Panel::Coupling, west), (Panel::Nodes, rest)]);
        return tiles;
    }
    let phase = top(&mut west, (area.height / 2).div_ceil(2));
    let nodes = (n + 1).min(rest.height / 2);
    let nodes = top(&mut rest, nodes);
    tiles.extend([
        (Panel::Phase, phase),
        (Panel::Coupling, west),
        (Panel::Nodes, nodes),
        (Panel::Matrix, rest),
    ]);
    tiles
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn panels_lie_within_the_body_and_never_over_each_other() {
        for width in (28..240).step_by(7) {
            for height in 1..70 {
                for n in [1, 8, 64, 300] {
                    let body = Rect::new(3, 5, width, height);
                    let tiles = tiles(body, n, &|width| 300 / width);
                    for (at, (panel, one)) in tiles.iter().enumerate() {
                        assert_eq!(one.intersection(body), *one, "{panel:?} of {n} in {body:?}");
                        let over = tiles[..at]
                            .iter()
                            .find(|(_, other)| !one.intersection(*other).is_empty());
                        assert_eq!(over, None, "{panel:?} of {n} in {body:?}");
                    }
                }
            }
        }
    }
}
