//! Figures of a session's windows over time.
//!
//! ```text
//! order parameter r; dotted: 5 to 95 % of surrogates
//!    1 ┤
//!  0.5 ┤⠒⠒⠤⠤⠒⠒  ⠤⠤⠒⠒      drawn through; no figures, no line
//!    0 ┤· · · · · · · ·      the band
//!        1:30          2:30
//! ```
//!
//! In: windows of the past and what to take of them. A window fills its hop. Absent: what the figures mean.

use std::collections::VecDeque;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::heading::time;
use super::{number, titled};
use crate::model::session::Point;
use crate::text::width;
use crate::theme::Tone;
use crate::view::Look;
use crate::view::dots::Dots;
use crate::view::scale::{count, nice, place, whole};

/// Columns for the figures at the left.
const AXIS: u16 = 7;

/// Seconds that plots can span.
const SPANS_S: [f64; 6] = [30.0, 60.0, 120.0, 180.0, 300.0, 600.0];
/// The one at first.
const FIRST_SPAN: usize = 2;

/// How much time plots show.
#[derive(Debug, Clone, Copy)]
pub(in crate::view) struct Span(usize);

impl Default for Span {
    fn default() -> Self {
        Self(FIRST_SPAN)
    }
}

impl Span {
    pub(in crate::view) fn closer(self) -> Self {
        Self(self.0.saturating_sub(1))
    }

    pub(in crate::view) fn farther(self) -> Self {
        Self((self.0 + 1).min(SPANS_S.len() - 1))
    }

    fn seconds(self) -> f64 {
        SPANS_S.get(self.0).copied().unwrap_or(SPANS_S[FIRST_SPAN])
    }
}

/// How a line is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::view) enum Stroke {
    /// Through.
    Full,
    /// Every second dot.
    Dotted,
    /// In dashes: a limit.
    Dashed,
}

/// One line.
pub(in crate::view) struct Series {
    pub(in crate::view) of: fn(&Point) -> f64,
    pub(in crate::view) stroke: Stroke,
    pub(in crate::view) tone: Tone,
}

/// What is drawn.
pub(in crate::view) struct Plot<'a> {
    pub(in crate::view) title: &'a str,
    /// The lowest and highest figure; those of the lines where none is given.
    pub(in crate::view) range: Option<(f64, f64)>,
    /// An area in which nothing is out of the ordinary.
    pub(in crate::view) band: Option<fn(&Point) -> [f64; 2]>,
    /// Later ones lie above.
    pub(in crate::view) series: &'a [Series],
}

impl Plot<'_> {
    /// Draws it; nothing where there is no room.
    pub(in crate::view) fn draw(
        &self,
        past: &VecDeque<Point>,
        span: Span,
        buffer: &mut Buffer,
        area: Rect,
        look: &Look<'_>,
    ) {
        let inner = titled(buffer, area, self.title, look);
        let Some(newest) = past.back() else { return };
        if inner.height < 2 || inner.width < AXIS + 8 {
            return;
        }
        let has_times = inner.height >= 5;
        let field = Rect {
            x: inner.x + AXIS,
            width: inner.width - AXIS,
            height: inner.height - u16::from(has_times),
            ..inner
        };
        let n = usize::from(field.width) * 2;
        let to_s = newest.start_s + newest.hop_s;
        let from_s = to_s - span.seconds();
        let taken = |of: &dyn Fn(&Point) -> f64| taken(past, (from_s, to_s), n, of);
        let lines: Vec<Vec<f64>> = self.series.iter().map(|one| taken(&one.of)).collect();
        let range = self.range.unwrap_or_else(|| range(&lines));
        let mut dots = Dots::new(usize::from(field.width), usize::from(field.height));
        let last = dots.height() - 1;
        if let Some(band) = self.band {
            let low = taken(&|point| band(point)[0]);
            let high = taken(&|point| band(point)[1]);
            for (x, (low, high)) in low.iter().zip(&high).enumerate() {
                let (Some(top), Some(bottom)) =
                    (place(*high, range, last), place(*low, range, last))
                else {
                    continue;
                };
                let inside =
                    (top..=bottom).filter(|y| (x / 2 + y / 2) % 2 == 0 && x % 2 == 0 && y % 2 == 0);
                inside.for_each(|y| dots.set(x, y, Tone::Dim));
            }
        }
        for (one, values) in self.series.iter().zip(&lines) {
            one.draw(values, range, &mut dots);
        }
        dots.draw(buffer, field, look);
        let axis = Rect {
            width: AXIS,
            height: field.height,
            ..inner
        };
        figures(buffer, axis, range, look);
        if has_times {
            let row = Rect::new(field.x, field.bottom(), field.width, 1);
            times(buffer, row, (from_s, to_s), look);
        }
    }
}

impl Series {
    fn draw(&self, values: &[f64], range: (f64, f64), dots: &mut Dots) {
        let last = dots.height() - 1;
        let mut before = None;
        for (x, value) in values.iter().enumerate() {
            // What is beyond the range is drawn at its edge.
            let here = value.is_finite().then(|| value.clamp(range.0, range.1));
            let here = here.and_then(|value| place(value, range, last));
            let is_drawn = match self.stroke {
                Stroke::Full => true,
                Stroke::Dotted => x % 2 == 0,
                Stroke::Dashed => x % 6 < 3,
            };
            if let Some(y) = here.filter(|_| is_drawn) {
                let from: usize = before.filter(|_| self.stroke == Stroke::Full).unwrap_or(y);
                (from.min(y)..=from.max(y)).for_each(|y| dots.set(x, y, self.tone));
            }
            before = here;
        }
    }
}

/// What stands at each of `n` dots between two times; NaN where there was no window, or no figure.
fn taken(
    past: &VecDeque<Point>,
    (from_s, to_s): (f64, f64),
    n: usize,
    of: &dyn Fn(&Point) -> f64,
) -> Vec<f64> {
    let mut values = vec![f64::NAN; n];
    let dot = |s: f64| (s - from_s) / (to_s - from_s) * count(n);
    for point in past {
        let end_s = point.start_s + point.hop_s;
        if !(end_s > from_s && point.start_s < to_s) {
            continue;
        }
        // Seconds as decimals are a hair off.
        let first = whole(dot(point.start_s) + 1e-6);
        let behind = whole((dot(end_s) - 1e-6).ceil()).max(first + 1);
        let value = of(point);
        values
            .iter_mut()
            .take(behind)
            .skip(first)
            .for_each(|at| *at = value);
    }
    values
}

fn range(lines: &[Vec<f64>]) -> (f64, f64) {
    let finite = || {
        lines
            .iter()
            .flatten()
            .copied()
            .filter(|value| value.is_finite())
    };
    let low = finite().fold(f64::INFINITY, f64::min);
    let high = finite().fold(f64::NEG_INFINITY, f64::max);
    if low > high {
        return (0.0, 1.0);
    }
    let air = ((high - low) * 0.08)
        .max(high.abs().max(low.abs()) * 1e-3)
        .max(1e-9);
    (low - air, high + air)
}

fn figures(buffer: &mut Buffer, rows: Rect, range: (f64, f64), look: &Look<'_>) {
    let (low, high) = range;
    let most = count(usize::from(rows.height.div_ceil(3)).max(2));
    let step = nice(((high - low) / most).max(f64::MIN_POSITIVE));
    let decimals = if step >= 1.0 {
        0
    } else {
        whole(-step.log10().floor()).min(4)
    };
    let last = usize::from(rows.height) * 4 - 1;
    let mut value = (low / step).ceil() * step;
    // A screen has fewer rows than this.
    for _ in 0..200 {
        // A step that is short of the end by rounding alone is at the end.
        let Some(y) = place(
            if value > high && value < high + step * 1e-6 {
                high
            } else {
                value
            },
            range,
            last,
        ) else {
            break;
        };
        let y = rows.y + u16::try_from(y / 4).unwrap_or(0);
        let text = format!("{:>5} ┤", number(value, decimals));
        buffer.set_stringn(
            rows.x,
            y,
            text,
            usize::from(rows.width),
            look.style(Tone::Dim),
        );
        value += step;
    }
}

fn times(buffer: &mut Buffer, row: Rect, (from_s, to_s): (f64, f64), look: &Look<'_>) {
    let end = time(to_s);
    let left = usize::from(row.width).saturating_sub(width(&end));
    let x = row.x + u16::try_from(left).unwrap_or(0);
    let room = usize::from(row.width);
    let begin = if from_s < 0.0 {
        String::new()
    } else {
        time(from_s)
    };
    buffer.set_stringn(row.x, row.y, begin, room, look.style(Tone::Dim));
    buffer.set_stringn(x, row.y, end, room - left, look.style(Tone::Dim));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn point(start_s: f64, r: f64) -> Point {
        let none = f64::NAN;
        Point {
            start_s,
            hop_s: 1.0,
            r,
            r_5_95: [none; 2],
            wpli: none,
            wpli_95: none,
            r_said: none,
            phase_error_rad: none,
            phase_error_alone_rad: none,
            coupling_rad_s: none,
            noise_floor_rad_s: none,
        }
    }

    #[test]
    fn a_window_fills_its_hop_and_what_is_missing_stays_missing() {
        let past = VecDeque::from([point(0.0, 0.25), point(1.0, f64::NAN), point(3.0, 0.75)]);
        let values = taken(&past, (0.0, 4.0), 8, &|point| point.r);
        let seen: Vec<Option<f64>> = values
            .iter()
            .map(|value| value.is_finite().then_some(*value))
            .collect();
        let (low, high) = (Some(0.25), Some(0.75));
        assert_eq!(seen, [low, low, None, None, None, None, high, high]);
        let narrow = taken(&past, (-100.0, 4.0), 8, &|point| point.r);
        assert!(narrow[7].is_finite() && narrow[..7].iter().all(|value| value.is_nan()));
    }

    #[test]
    fn without_figures_there_is_a_range_all_the_same() {
        assert_eq!(range(&[vec![f64::NAN]]), (0.0, 1.0));
        let (low, high) = range(&[vec![2.0, f64::NAN, 2.0]]);
        assert!(low < 2.0 && high > 2.0);
    }
}
