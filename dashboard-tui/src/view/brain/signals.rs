//! Signals as the board said them, one lane per channel, scrolling.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::silent;
use super::trace::{Base, Drawn, deviation, trace};
use crate::model::session::Session;
use crate::theme::Tone;
use crate::view::Look;
use crate::view::dots::Dots;
use crate::view::eeg::{number, sign, titled};
use crate::view::scale::{count, nice, place, whole};

/// Columns for a channel's name.
const NAMES: u16 = 9;
/// Half a lane is so many times the middle channel's standard deviation.
const HEADROOM: f64 = 2.0;
/// Dots for a second at first: a wave of 10 Hz has four.
const DOTS_PER_S: f64 = 40.0;

/// What is drawn.
pub(super) struct Lanes<'a> {
    pub(super) session: &'a Session,
    /// The first channel.
    pub(super) from: usize,
    /// Doublings over what fits.
    pub(super) gain: i32,
    /// Halvings of the time that lets a wave be seen.
    pub(super) closer: i32,
    pub(super) base: Base,
}

/// Lowest and highest sample under a dot, and whether one is at a rail.
#[derive(Debug, Clone, Copy)]
struct Reach {
    low: f64,
    high: f64,
    railed: bool,
}

impl Lanes<'_> {
    pub(super) fn draw(&self, buffer: &mut Buffer, area: Rect, look: &Look<'_>) {
        let signals = &self.session.signals;
        let n = signals.channels.len();
        let has_room = area.height >= 2 && area.width >= NAMES + 8;
        if n == 0 || signals.len() == 0 || !has_room {
            silent(buffer, area, "signals", "no samples yet", look);
            return;
        }
        let rows = usize::from(area.height - 1);
        let shown = n.min(rows);
        let from = self.from.min(n - shown);
        let mut dots = Dots::new(usize::from(area.width - NAMES), rows);
        let dots_per_s = DOTS_PER_S * 2_f64.powi(self.closer);
        let span = whole(count(dots.width()) * signals.rate_hz / dots_per_s);
        let span = span.clamp(1, signals.len());
        let traces: Vec<Vec<Drawn>> = (0..n)
            .map(|channel| trace(signals, channel, span, self.base))
            .collect();
        let half_uv = self.half_lane_uv(&traces);
        let which = if shown < n {
            format!(", {}–{} of {n} (← →)", from + 1, from + shown)
        } else {
            String::new()
        };
        let title = format!(
            "signals ±{} µV, {} s{which}, {}",
            number(half_uv, if half_uv < 1.0 { 2 } else { 0 }),
            number(count(span) / signals.rate_hz, 1),
            self.base.words()
        );
        let inner = titled(buffer, area, &title, look);
        let height = dots.height();
        for (at, channel) in (from..from + shown).enumerate() {
            let (top, bottom) = (at * height / shown, (at + 1) * height / shown);
            self.label(channel, (top + bottom) / 8, buffer, inner, look);
            let reaches = reaches(&traces[channel], dots.width());
            let range = (-half_uv, half_uv);
            for (x, reach) in reaches.into_iter().enumerate() {
                let Some(reach) = reach else { continue };
                // What does not fit in the lane runs along its edge.
                let place = |value: f64| {
                    let value = value.clamp(-half_uv, half_uv);
                    place(value, range, bottom - top - 1).map(|y| top + y)
                };
                let tone = if reach.railed { Tone::Bad } else { Tone::Plain };
                if let (Some(top), Some(bottom)) = (place(reach.high), place(reach.low)) {
                    (top..=bottom).for_each(|y| dots.set(x, y, tone));
                }
            }
        }
        let field = Rect {
            x: inner.x + NAMES,
            width: inner.width - NAMES,
            ..inner
        };
        dots.draw(buffer, field, look);
    }

    fn label(&self, channel: usize, row: usize, buffer: &mut Buffer, area: Rect, look: &Look<'_>) {
        let (mark, tone) = mark(self.session, channel);
        let label = format!("{} {}{mark}", sign(channel), self.session.short(channel, 5));
        let y = area.y + u16::try_from(row).unwrap_or(0).min(area.height - 1);
        buffer.set_stringn(area.x, y, label, usize::from(NAMES), look.style(tone));
    }

    /// Microvolts from a lane's middle to its edge: the same for all, so that channels can be compared.
    fn half_lane_uv(&self, traces: &[Vec<Drawn>]) -> f64 {
        let deviations = traces.iter().map(|drawn| deviation(drawn));
        let mut deviations: Vec<f64> = deviations.filter(|deviation| *deviation > 0.0).collect();
        deviations.sort_by(f64::total_cmp);
        let middle = deviations.get(deviations.len() / 2).copied().unwrap_or(1.0);
        nice((middle * HEADROOM).clamp(1e-3, 1e7)) * 2_f64.powi(-self.gain)
    }
}

/// What stands behind a channel's name: left out, or at a rail.
fn mark(session: &Session, channel: usize) -> (&'static str, Tone) {
    let is_it = |index: u64| usize::try_from(index).is_ok_and(|index| index == channel);
    let state = session.newest.as_ref();
    let is_bad = state.is_some_and(|state| state.bad_channels.iter().any(|bad| is_it(bad.index)));
    let newest = session.signals.of(channel).next_back();
    if newest.is_some_and(|value| session.signals.is_railed(channel, value)) {
        ("▲", Tone::Bad)
    } else if is_bad {
        ("✗", Tone::Bad)
    } else {
        ("", Tone::Plain)
    }
}

/// What lies under each of `n` dots, the newest sample under the last; none where no sample came.
fn reaches(drawn: &[Drawn], n: usize) -> Vec<Option<Reach>> {
    let mut reaches: Vec<Option<Reach>> = vec![None; n];
    let length = count(drawn.len()).max(1.0);
    let mut before = f64::NAN;
    for (at, sample) in drawn.iter().enumerate() {
        // Each dot reaches back to the sample before it, so that a steep line is one.
        let (low, high) = (sample.uv.min(before), sample.uv.max(before));
        before = sample.uv;
        if !sample.uv.is_finite() {
            continue;
        }
        // A sample may be wider than a dot.
        let first = whole(count(at) * count(n) / length);
        let behind = whole(count(at + 1) * count(n) / length).max(first + 1);
        for reach in reaches.iter_mut().take(behind).skip(first) {
            let railed = sample.railed;
            let here = reach.unwrap_or(Reach { low, high, railed });
            *reach = Some(Reach {
                low: here.low.min(low),
                high: here.high.max(high),
                railed: here.railed || railed,
            });
        }
    }
    reaches
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::signals::Signals;
    use crate::testing::eeg::{Made, samples};

    #[test]
    fn every_dot_shows_what_lies_under_it_and_gaps_stay_gaps() {
        let made = Made {
            railed: Some(1),
            ..Made::default()
        };
        let mut signals = Signals::default();
        for block in [0, 1, 3] {
            signals.take(&samples(&made, block), 100_000);
        }
        for n in [4, 40, 100] {
            let shown = reaches(&trace(&signals, 0, 40, Base::All), n);
            let missing = shown.iter().map(Option::is_none).collect::<Vec<_>>();
            let expected: Vec<bool> = (0..n).map(|x| (n / 2..n * 3 / 4).contains(&x)).collect();
            assert_eq!(missing, expected, "{n}");
        }
        assert!(
            reaches(&trace(&signals, 1, 40, Base::All), 4)
                .iter()
                .flatten()
                .all(|reach| reach.railed)
        );
    }
}
