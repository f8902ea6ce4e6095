//! The head from above: electrodes, and what connects them.

use maud::{Markup, html};

use super::axes::px;
use super::chart::short;
use crate::report::scale::sequential;

/// A connection to draw.
pub(in crate::report) struct HeadEdge {
    /// Channels.
    pub(in crate::report) between: [usize; 2],
    /// 0..=1: how strong it is drawn.
    pub(in crate::report) share: f64,
    /// Whether it is claimed; others are dashed.
    pub(in crate::report) claimed: bool,
}

/// Nose up. `positions` on the unit sphere; channels without one are not drawn.
pub(in crate::report) fn head(
    title: &str,
    names: &[String],
    positions: &[Option<[f64; 3]>],
    edges: &[HeadEdge],
) -> Markup {
    let place = |at: usize| positions.get(at).copied().flatten().map(flat);
    html! {
        svg viewBox="0 0 440 460" role="img" {
            title { (title) }
            circle.head cx="220" cy="240" r="190" {}
            path.head d="M200 52L220 26L240 52" {}
            path.head d="M30 215q-14 0 -14 25q0 25 14 25M410 215q14 0 14 25q0 25 -14 25" {}
            @for edge in edges {
                @if let (Some(one), Some(other)) = (place(edge.between[0]), place(edge.between[1])) {
                    line x1=(px(one[0])) y1=(px(one[1])) x2=(px(other[0])) y2=(px(other[1])) stroke=(sequential(0.35 + 0.65 * edge.share)) stroke-width=(px(if edge.claimed { 3.5 } else { 1.0 })) stroke-dasharray=[(!edge.claimed).then_some("3 4")] {}
                }
            }
            @for (at, name) in names.iter().enumerate() {
                @if let Some([x, y]) = place(at) {
                    circle.electrode cx=(px(x)) cy=(px(y)) r="13" {}
                    text.tick x=(px(x)) y=(px(y + 3.5)) text-anchor="middle" font-size="9" { (short(name)) }
                }
            }
        }
    }
}

/// The sphere unrolled from Cz: distance is the angle, so that the ring of Fpz, T7, Oz and T8 is a circle inside the head's.
fn flat([x, y, z]: [f64; 3]) -> [f64; 2] {
    const PER_QUARTER: f64 = 190.0;
    let angle = z.clamp(-1.0, 1.0).acos() / std::f64::consts::FRAC_PI_2 * PER_QUARTER;
    let around = x.hypot(y).max(f64::MIN_POSITIVE);
    [220.0 + angle * x / around, 240.0 - angle * y / around]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nose_is_up_and_left_is_left() {
        let near = |[x, y]: [f64; 2], expected: [f64; 2]| {
            assert!(
                (x - expected[0]).abs() < 1e-6 && (y - expected[1]).abs() < 1e-6,
                "{x} {y}"
            );
        };
        near(flat([0.0, 0.0, 1.0]), [220.0, 240.0]);
        near(flat([0.0, 1.0, 0.0]), [220.0, 50.0]);
        near(flat([-1.0, 0.0, 0.0]), [30.0, 240.0]);
    }
}
