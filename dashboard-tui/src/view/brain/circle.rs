//! The channels' phases at the newest window's end, on a circle: 0 at the right, counter-clockwise.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::silent;
use crate::model::session::Session;
use crate::theme::Tone;
use crate::view::Look;
use crate::view::dots::Dots;
use crate::view::eeg::{number, sign, titled};
use crate::view::scale::{count, whole};

/// The least rows and columns of a circle.
const LEAST: (u16, u16) = (10, 5);

/// Where a sign may stand, of the radius.
const INWARD: [f64; 5] = [1.0, 0.88, 0.76, 0.64, 0.52];

/// Draws it: each channel by its sign, and the mean of all as a hand from the middle, as long as they agree.
pub(super) fn draw(session: &Session, buffer: &mut Buffer, area: Rect, look: &Look<'_>) {
    let phases: Vec<(usize, f64)> = session.newest.as_ref().map_or_else(Vec::new, |state| {
        let known = state.phase_rad.iter().map(|figure| figure.0).enumerate();
        known.filter(|(_, phase)| phase.is_finite()).collect()
    });
    if phases.is_empty() || area.height <= LEAST.1 || area.width < LEAST.0 {
        silent(buffer, area, "phases", "none", look);
        return;
    }
    let n = count(phases.len());
    let sum = |part: fn(f64) -> f64| phases.iter().map(|(_, phase)| part(*phase)).sum::<f64>() / n;
    let (across, up) = (sum(f64::cos), sum(f64::sin));
    let title = format!(
        "phases at its end, they agree by {}",
        number(across.hypot(up), 2)
    );
    let inner = titled(buffer, area, &title, look);
    let mut dots = Dots::new(usize::from(inner.width), usize::from(inner.height));
    // Two dots by four in a cell that is twice as high as wide: a circle of dots is one.
    let radius = (count(dots.width().min(dots.height())) / 2.0 - 3.0).max(1.0);
    let middle = (count(dots.width()) / 2.0, count(dots.height()) / 2.0);
    let at = |across: f64, up: f64| {
        (
            whole((middle.0 + across * radius).round()),
            whole((middle.1 - up * radius).round()),
        )
    };
    for step in 0..180_u32 {
        let turn = f64::from(step) / 180.0 * std::f64::consts::TAU;
        let (x, y) = at(turn.cos(), turn.sin());
        dots.set(x, y, Tone::Dim);
    }
    for step in 0..=40_u32 {
        let share = f64::from(step) / 40.0;
        let (x, y) = at(across * share, up * share);
        dots.set(x, y, Tone::Good);
    }
    dots.draw(buffer, inner, look);
    let mut taken = Vec::with_capacity(phases.len());
    for (channel, phase) in phases {
        // Where another stands already, one stands further in.
        let cells = INWARD.iter().filter_map(|share| {
            let (x, y) = at(phase.cos() * share, phase.sin() * share);
            let x = inner.x.checked_add(u16::try_from(x / 2).ok()?)?;
            let y = inner.y.checked_add(u16::try_from(y / 4).ok()?)?;
            inner.contains((x, y).into()).then_some((x, y))
        });
        let mut free = cells.filter(|cell| !taken.contains(cell));
        if let Some(place) = free.next()
            && let Some(cell) = buffer.cell_mut(place)
        {
            cell.set_char(sign(channel))
                .set_style(look.style(Tone::Title));
            taken.push(place);
        }
    }
}
