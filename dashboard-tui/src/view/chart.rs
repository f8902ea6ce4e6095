//! Net and gross of a pair over time.
//!
//! ```text
//!   +10 ┤╌ ╌ ╌ ╌ ╌ ╌ ╌ ╌ ╌   the threshold
//!     0 ┤⠐⠐⠐⠐⠐⠐⠐⠐⠐⠐⠐⠐⠐⠐   gross, dotted
//!   -10 ┤⠤⠤⠒⠒⠤⠤⠤   ⠤⠤⠒⠒   net, drawn through
//!        ssss    ···          quality where it is not ok; no window at all
//!        23:53:15   23:54:15
//! ```
//!
//! In: a history and a stretch of time. What is narrower than a dot shows its highest net. Where no route was live there
//! is no line, and the strip says why.

use contract::spread::Quality;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::Look;
use super::dots::Dots;
use super::scale::{nice, place};
use crate::model::history::History;
use crate::text::{clock, fit, width};
use crate::theme::Tone;

/// Columns for the figures at the left.
const AXIS: u16 = 8;

/// Which figures are drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Figures {
    /// Both, with zero and the threshold.
    #[default]
    Both,
    /// Net alone, as large as it goes.
    Net,
    /// Gross alone, as large as it goes.
    Gross,
}

impl Figures {
    pub(crate) fn next(self) -> Self {
        match self {
            Self::Both => Self::Net,
            Self::Net => Self::Gross,
            Self::Gross => Self::Both,
        }
    }

    fn net(self) -> bool {
        self != Self::Gross
    }

    fn gross(self) -> bool {
        self != Self::Net
    }
}

/// What is drawn.
#[derive(Clone, Copy)]
pub(crate) struct Chart<'a> {
    pub(crate) history: &'a History,
    pub(crate) from_ms: i64,
    pub(crate) to_ms: i64,
    pub(crate) threshold: Option<f64>,
    pub(crate) figures: Figures,
}

/// What stands at one dot of the time axis.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Sample {
    net: f64,
    gross: f64,
    /// The worst of the windows there; none where there was no window.
    quality: Option<Quality>,
}

const NOTHING: Sample = Sample {
    net: f64::NAN,
    gross: f64::NAN,
    quality: None,
};

/// What quality is called in the strip and in legends.
fn letter(quality: Option<Quality>) -> (&'static str, Tone) {
    match quality {
        None => ("·", Tone::Dim),
        Some(Quality::Ok) => (" ", Tone::Plain),
        Some(Quality::Stale) => ("s", Tone::Warn),
        Some(Quality::Crossed) => ("x", Tone::Bad),
        Some(Quality::NoRate) => ("r", Tone::Warn),
        Some(Quality::VenueDown) => ("d", Tone::Bad),
        Some(Quality::OneSided) => ("1", Tone::Warn),
    }
}

impl Chart<'_> {
    /// Draws chart, strip and time axis; nothing where there is no room.
    pub(crate) fn draw(&self, buffer: &mut Buffer, area: Rect, look: &Look<'_>) {
        if area.width < AXIS + 10 || area.height < 4 {
            return;
        }
        let plot = Rect {
            x: area.x + AXIS,
            width: area.width - AXIS,
            height: area.height - 2,
            ..area
        };
        let samples = self.samples(usize::from(plot.width) * 2);
        let range = self.range(&samples);
        self.axis(
            buffer,
            Rect {
                width: AXIS,
                ..plot
            },
            area.x,
            range,
            look,
        );
        self.lines(buffer, plot, &samples, range, look);
        let below = Rect::new(plot.x, plot.bottom(), plot.width, 1);
        self.strip(buffer, below, area.x, &samples, look);
        self.times(
            buffer,
            Rect::new(plot.x, plot.bottom() + 1, plot.width, 1),
            look,
        );
    }

    /// What stands at each of `n` dots.
    fn samples(&self, n: usize) -> Vec<Sample> {
        let mut samples = vec![NOTHING; n];
        let length = (i128::from(self.to_ms) - i128::from(self.from_ms)).max(1);
        let dots = i128::try_from(n).unwrap_or(0);
        let dot = |ms: i64| (i128::from(ms) - i128::from(self.from_ms)) * dots;
        for span in self.history.between(self.from_ms, self.to_ms) {
            let first = dot(span.start_ms).div_euclid(length).clamp(0, dots);
            let behind = (dot(span.end_ms) + length - 1)
                .div_euclid(length)
                .clamp(0, dots);
            let (Ok(first), Ok(behind)) = (usize::try_from(first), usize::try_from(behind)) else {
                continue;
            };
            for sample in samples.iter_mut().take(behind).skip(first) {
                let net = f64::from(span.point.net);
                if sample.net.is_nan() || net > sample.net {
                    sample.net = net;
                    sample.gross = f64::from(span.point.gross);
                }
                let worst = sample.quality.map_or(span.point.quality, |quality| {
                    quality.min(span.point.quality)
                });
                sample.quality = Some(worst);
            }
        }
        samples
    }

    /// The lowest and highest figure to be shown, with some air.
    fn range(&self, samples: &[Sample]) -> (f64, f64) {
        let net = samples.iter().map(|sample| sample.net);
        let gross = samples.iter().map(|sample| sample.gross);
        let mut low = f64::INFINITY;
        let mut high = f64::NEG_INFINITY;
        let mut take = |value: f64| {
            if value.is_finite() {
                low = low.min(value);
                high = high.max(value);
            }
        };
        if self.figures.net() {
            net.for_each(&mut take);
        }
        if self.figures.gross() {
            gross.for_each(&mut take);
        }
        if self.figures == Figures::Both {
            take(0.0);
            self.threshold.into_iter().for_each(take);
        }
        if low > high {
            return (-1.0, 1.0);
        }
        let air = ((high - low) * 0.05).max(0.25);
        (low - air, high + air)
    }

    fn lines(
        &self,
        buffer: &mut Buffer,
        plot: Rect,
        samples: &[Sample],
        range: (f64, f64),
        look: &Look<'_>,
    ) {
        let mut dots = Dots::new(usize::from(plot.width), usize::from(plot.height));
        let last = dots.height() - 1;
        let row = |value: f64| place(value, range, last);
        if let Some(zero) = row(0.0) {
            (0..dots.width())
                .step_by(4)
                .for_each(|x| dots.set(x, zero, Tone::Dim));
        }
        if self.figures.net()
            && let Some(threshold) = self.threshold.and_then(row)
        {
            let dashes = (0..dots.width()).filter(|x| x % 6 < 3);
            dashes.for_each(|x| dots.set(x, threshold, Tone::Warn));
        }
        if self.figures.gross() {
            for (x, sample) in samples.iter().enumerate().step_by(2) {
                if let Some(y) = row(sample.gross) {
                    dots.set(x, y, Tone::Second);
                }
            }
        }
        if self.figures.net() {
            let mut before = None;
            for (x, sample) in samples.iter().enumerate() {
                let here = row(sample.net);
                if let Some(y) = here {
                    let tone = self.tone(sample.net);
                    let from: usize = before.unwrap_or(y);
                    (from.min(y)..=from.max(y)).for_each(|y| dots.set(x, y, tone));
                }
                before = here;
            }
        }
        dots.draw(buffer, plot, look);
    }

    fn tone(&self, net: f64) -> Tone {
        net_tone(net, self.threshold)
    }

    fn axis(&self, buffer: &mut Buffer, rows: Rect, x: u16, range: (f64, f64), look: &Look<'_>) {
        // On a low chart every second row may have a figure, on a high one every fourth.
        let apart = if rows.height < 12 { 2 } else { 4 };
        let step = nice_step(range, usize::from(rows.height.div_ceil(apart)));
        let last = usize::from(rows.height) * 4 - 1;
        let mut value = (range.0 / step).ceil() * step;
        // A screen has fewer rows than this.
        for _ in 0..100 {
            let Some(y) = place(value, range, last) else {
                break;
            };
            let y = rows.y + u16::try_from(y / 4).unwrap_or(0);
            let shown = if step < 1.0 {
                format!("{value:+.1}")
            } else {
                format!("{value:+.0}")
            };
            let shown = if value.abs() < step / 2.0 {
                "0".to_owned()
            } else {
                shown
            };
            let text = format!("{:>6} ┤", fit(&shown, 6));
            buffer.set_stringn(x, y, text, usize::from(AXIS), look.style(Tone::Dim));
            value += step;
        }
    }

    /// Under the chart: why there is no line, and where there was no window. What lies before the first window ever seen is
    /// left blank: of that nothing is known.
    fn strip(&self, buffer: &mut Buffer, row: Rect, x: u16, samples: &[Sample], look: &Look<'_>) {
        let label = "quality ";
        buffer.set_stringn(x, row.y, label, usize::from(AXIS), look.style(Tone::Dim));
        let seen = |sample: &Sample| sample.quality.is_some();
        let begins_here = self
            .history
            .begins_ms()
            .is_some_and(|ms| ms >= self.from_ms);
        let first = samples.iter().position(seen).filter(|_| begins_here);
        let columns = row.columns().zip(samples.chunks(2));
        for (place, dots) in columns.skip(first.unwrap_or(0) / 2) {
            let quality = dots.iter().filter_map(|dot| dot.quality).min();
            let (sign, tone) = letter(quality);
            if let Some(cell) = buffer.cell_mut((place.x, place.y)) {
                cell.set_symbol(sign).set_style(look.style(tone));
            }
        }
    }

    fn times(&self, buffer: &mut Buffer, row: Rect, look: &Look<'_>) {
        let middle = self.from_ms.midpoint(self.to_ms);
        let labels = [
            (0, clock(self.from_ms)),
            (usize::from(row.width) / 2, clock(middle)),
            (usize::from(row.width), format!("{} UTC", clock(self.to_ms))),
        ];
        for (at, (place, label)) in labels.iter().enumerate() {
            let wide = width(label);
            let left = match at {
                0 => 0,
                1 if usize::from(row.width) < 40 => continue,
                1 => place.saturating_sub(wide / 2),
                _ => place.saturating_sub(wide),
            };
            let x = row.x + u16::try_from(left).unwrap_or(0);
            buffer.set_stringn(
                x,
                row.y,
                label,
                usize::from(row.right() - x),
                look.style(Tone::Dim),
            );
        }
    }
}

/// The tone of a net figure: above the threshold, above zero, or neither.
pub(crate) fn net_tone(net: f64, threshold: Option<f64>) -> Tone {
    if threshold.is_some_and(|threshold| net >= threshold) {
        Tone::Best
    } else if net > 0.0 {
        Tone::Good
    } else {
        Tone::Plain
    }
}

/// A step of 1, 2 or 5 times a power of ten that divides the range into at most so many.
fn nice_step((low, high): (f64, f64), most: usize) -> f64 {
    let most = f64::from(u32::try_from(most).unwrap_or(1).max(1));
    let least = ((high - low) / most).max(0.1);
    nice(least)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_round() {
        for ((low, high), most, step) in [
            ((0.0, 10.0), 5, 2.0),
            ((-70.0, 10.0), 4, 20.0),
            ((0.0, 0.4), 9, 0.1),
        ] {
            let got = nice_step((low, high), most);
            assert!((got - step).abs() < 1e-9, "{got} is not {step}");
        }
    }

    #[test]
    fn each_dot_shows_the_highest_net_of_its_time_and_gaps_stay_gaps() {
        let mut history = History::default();
        for (at, net) in [(0, 1.0), (1, 3.0), (2, 2.0), (6, -1.0)] {
            history.take(
                (at * 1_000, 1_000),
                Some((net, net + 70.0)),
                Quality::Ok,
                512,
            );
        }
        history.take((7_000, 1_000), None, Quality::Stale, 512);
        let chart = Chart {
            history: &history,
            from_ms: 0,
            to_ms: 8_000,
            threshold: None,
            figures: Figures::Both,
        };
        let halves: Vec<Sample> = chart.samples(4);
        assert_eq!(
            halves[0],
            Sample {
                net: 3.0,
                gross: 73.0,
                quality: Some(Quality::Ok)
            }
        );
        assert!(halves[2].quality.is_none());
        assert!(halves[3].net.total_cmp(&-1.0).is_eq());
        assert_eq!(chart.samples(8)[7].quality, Some(Quality::Stale));
        assert_eq!(chart.samples(16)[3], halves[0], "a window fills its dots");
    }
}
