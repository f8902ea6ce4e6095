//! Matrices as coloured cells with numbers and marks.

use maud::{Markup, html};

use super::axes::px;
use super::chart::short;
use crate::analyze::Matrix;
use crate::number::float;
use crate::report::scale::{diverging, is_dark, sequential};

/// What is marked in a cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::report) enum Mark {
    /// Nothing.
    None,
    /// A full dot: an edge by the stricter rule.
    Dot,
    /// A ring: by the laxer rule alone.
    Ring,
    /// A frame: a claimed coupling.
    Frame,
    /// Pale: below the noise floor.
    Pale,
}

/// A matrix to draw.
pub(in crate::report) struct Cells<'a> {
    pub(in crate::report) title: &'a str,
    pub(in crate::report) names: &'a [String],
    pub(in crate::report) matrix: &'a Matrix,
    /// What the darkest colour stands for; values from 0 on, or from its negative on where `signed`.
    pub(in crate::report) most: f64,
    pub(in crate::report) signed: bool,
    pub(in crate::report) row_label: &'a str,
    pub(in crate::report) column_label: &'a str,
    pub(in crate::report) mark: &'a dyn Fn(usize, usize) -> Mark,
}

/// Wider matrices have no numbers in their cells.
const WIDEST_WITH_NUMBERS: usize = 12;

/// A matrix with names, numbers where they fit, marks and a key of colours.
pub(in crate::report) fn cells(all: &Cells<'_>) -> Markup {
    let n = all.names.len();
    let (left, top, side) = (78.0, 74.0, 420.0);
    let cell = side / float(n.max(1));
    let colour = |value: f64| {
        let share = value / all.most.max(f64::MIN_POSITIVE);
        (
            if all.signed {
                diverging(share)
            } else {
                sequential(share)
            },
            is_dark(share),
        )
    };
    let font = (cell * 0.32).clamp(4.0, 13.0);
    html! {
        svg viewBox={ "0 0 560 " (top + side + 12.0) } role="img" {
            title { (all.title) }
            text.label x=(left + side / 2.0) y="14" text-anchor="middle" { (all.column_label) }
            text.label x="12" y=(top + side / 2.0) text-anchor="middle" transform={ "rotate(-90 12 " (top + side / 2.0) ")" } { (all.row_label) }
            @for (at, name) in all.names.iter().enumerate() {
                @let middle = cell * (float(at) + 0.5);
                text.tick x=(left - 6.0) y=(px(top + middle + 4.0)) text-anchor="end" font-size=(px(font.clamp(5.0, 11.0))) { (short(name)) }
                text.tick x=(px(left + middle)) y=(top - 6.0) text-anchor="start" font-size=(px(font.clamp(5.0, 11.0))) transform={ "rotate(-45 " (px(left + middle)) " " (top - 6.0) ")" } { (short(name)) }
            }
            @for ((i, j), value) in all.matrix.0.indexed_iter() {
                @let (x, y) = (left + cell * float(j), top + cell * float(i));
                @if value.is_nan() {
                    rect.none x=(px(x)) y=(px(y)) width=(px(cell)) height=(px(cell)) {}
                } @else if i == j {
                    rect.diagonal x=(px(x)) y=(px(y)) width=(px(cell)) height=(px(cell)) {}
                } @else {
                    @let (fill, dark) = colour(*value);
                    @let mark = (all.mark)(i, j);
                    rect.cell x=(px(x)) y=(px(y)) width=(px(cell)) height=(px(cell)) fill=(fill) fill-opacity=[(mark == Mark::Pale).then_some("0.35")] {}
                    @if n <= WIDEST_WITH_NUMBERS {
                        text x=(px(x + cell / 2.0)) y=(px(y + cell / 2.0 + font * 0.35)) text-anchor="middle" font-size=(px(font)) fill=(if dark && mark != Mark::Pale { "#fff" } else { "#222" }) { (if value.abs() < 0.005 { "0.00".to_owned() } else { format!("{value:.2}") }) }
                    }
                    (marked(mark, x, y, cell, dark))
                }
            }
            (key(all, left + side + 14.0, top, side, &colour))
        }
    }
}

fn marked(mark: Mark, x: f64, y: f64, cell: f64, dark: bool) -> Markup {
    let radius = (cell * 0.09).clamp(1.2, 4.5);
    let ink = if dark { "#fff" } else { "#111" };
    let (cx, cy) = (px(x + cell - radius * 1.8), px(y + radius * 1.8));
    html! {
        @match mark {
            Mark::None | Mark::Pale => {}
            Mark::Dot => circle cx=(cx) cy=(cy) r=(px(radius)) fill=(ink) {},
            Mark::Ring => circle cx=(cx) cy=(cy) r=(px(radius)) fill="none" stroke=(ink) {},
            Mark::Frame => rect x=(px(x + 1.2)) y=(px(y + 1.2)) width=(px(cell - 2.4)) height=(px(cell - 2.4)) fill="none" stroke="#111" stroke-width="2" {},
        }
    }
}

fn key(
    all: &Cells<'_>,
    x: f64,
    top: f64,
    side: f64,
    colour: &dyn Fn(f64) -> (String, bool),
) -> Markup {
    const STEPS: usize = 24;
    let low = if all.signed { -all.most } else { 0.0 };
    let height = side / float(STEPS);
    html! {
        @for step in 0..STEPS {
            @let value = low + (all.most - low) * (float(step) + 0.5) / float(STEPS);
            rect x=(x) y=(px(top + side - height * (float(step) + 1.0))) width="12" height=(px(height + 0.3)) fill=(colour(value).0) {}
        }
        text.tick x=(x + 16.0) y=(top + 8.0) { (format!("{:.2}", all.most)) }
        text.tick x=(x + 16.0) y=(top + side) { (format!("{low:.2}")) }
    }
}
