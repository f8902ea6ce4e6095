//! The frame around a plot: two axes with ticks, labels and units.

use maud::{Markup, html};

use crate::report::scale::Scale;

/// Room for labels, in the figure's units.
pub(super) const LEFT: f64 = 58.0;
pub(super) const RIGHT: f64 = 12.0;
pub(super) const TOP: f64 = 10.0;
pub(super) const BOTTOM: f64 = 38.0;

/// A frame and its scales.
pub(in crate::report) struct Axes<'a> {
    pub(in crate::report) width: f64,
    pub(in crate::report) height: f64,
    pub(in crate::report) x: [f64; 2],
    pub(in crate::report) y: [f64; 2],
    pub(in crate::report) x_label: &'a str,
    pub(in crate::report) y_label: &'a str,
}

impl Axes<'_> {
    pub(super) fn x_scale(&self) -> Scale {
        Scale::new(self.x, [LEFT, self.width - RIGHT])
    }

    pub(super) fn y_scale(&self) -> Scale {
        Scale::new(self.y, [self.height - BOTTOM, TOP])
    }

    /// A figure: `inside` drawn over the ticks' lines.
    pub(super) fn figure(&self, title: &str, inside: &Markup) -> Markup {
        let (x, y) = (self.x_scale(), self.y_scale());
        let (right, bottom) = (self.width - RIGHT, self.height - BOTTOM);
        let middle = f64::midpoint(TOP, bottom);
        html! {
            svg viewBox={ "0 0 " (self.width) " " (self.height) } role="img" {
                title { (title) }
                @for (value, text) in y.ticks(5) {
                    line.grid x1=(LEFT) x2=(right) y1=(px(y.at(value))) y2=(px(y.at(value))) {}
                    text.tick x=(LEFT - 6.0) y=(px(y.at(value) + 4.0)) text-anchor="end" { (text) }
                }
                @for (value, text) in x.ticks(8) {
                    line.grid x1=(px(x.at(value))) x2=(px(x.at(value))) y1=(bottom) y2=(bottom + 4.0) {}
                    text.tick x=(px(x.at(value))) y=(bottom + 17.0) text-anchor="middle" { (text) }
                }
                (inside)
                path.axis d={ "M" (LEFT) " " (TOP) "V" (bottom) "H" (right) } {}
                text.label x=(px(f64::midpoint(LEFT, right))) y=(self.height - 4.0) text-anchor="middle" { (self.x_label) }
                text.label x="13" y=(px(middle)) text-anchor="middle" transform={ "rotate(-90 13 " (px(middle)) ")" } { (self.y_label) }
            }
        }
    }
}

/// A place to a tenth of the figure's unit.
pub(super) fn px(value: f64) -> String {
    format!("{value:.1}")
}
