//! From figures to places and colours on a page.

use crate::number::float;

/// A straight map from values to places.
#[derive(Debug, Clone, Copy)]
pub(super) struct Scale {
    from: [f64; 2],
    to: [f64; 2],
}

impl Scale {
    /// Maps `from[0]..from[1]` to `to[0]..to[1]`. An empty or infinite range becomes one of width 1.
    pub(super) fn new(from: [f64; 2], to: [f64; 2]) -> Self {
        let width = from[1] - from[0];
        let from = if width.is_finite() && width.abs() > f64::MIN_POSITIVE {
            from
        } else {
            let middle = if from[0].is_finite() { from[0] } else { 0.0 };
            [middle - 0.5, middle + 0.5]
        };
        Self { from, to }
    }

    pub(super) fn at(&self, value: f64) -> f64 {
        let share = (value - self.from[0]) / (self.from[1] - self.from[0]);
        self.to[0] + share * (self.to[1] - self.to[0])
    }

    /// Round values within the range, about `wanted` of them, with as many decimals as tell them apart.
    pub(super) fn ticks(&self, wanted: usize) -> Vec<(f64, String)> {
        let (low, high) = (
            self.from[0].min(self.from[1]),
            self.from[0].max(self.from[1]),
        );
        let rough = (high - low) / float(wanted.max(1));
        let power = 10.0_f64.powf(rough.log10().floor());
        let step = [1.0, 2.0, 5.0, 10.0]
            .into_iter()
            .map(|factor| factor * power)
            .find(|step| *step >= rough)
            .unwrap_or(rough);
        let decimals = (-step.log10().floor()).clamp(0.0, 9.0);
        let mut ticks = Vec::new();
        let mut value = (low / step).ceil() * step;
        while value <= high + 1e-9 * step && ticks.len() < 50 {
            // Nothing has no sign.
            let shown = if value.abs() < 1e-9 * step {
                0.0
            } else {
                value
            };
            ticks.push((shown, decimal(shown, decimals)));
            value += step;
        }
        ticks
    }
}

fn decimal(value: f64, decimals: f64) -> String {
    let places = crate::number::samples(decimals, 1.0);
    format!("{value:.places$}")
}

/// The least and the greatest of what is a number; `[0, 1]` of none.
pub(super) fn extent<'a>(values: impl IntoIterator<Item = &'a f64>) -> [f64; 2] {
    let start = [f64::INFINITY, f64::NEG_INFINITY];
    let found = values
        .into_iter()
        .filter(|value| value.is_finite())
        .fold(start, |[low, high], value| {
            [low.min(*value), high.max(*value)]
        });
    if found[0] > found[1] {
        [0.0, 1.0]
    } else {
        found
    }
}

/// White at 0 to dark blue at 1: one hue, so that it reads in grey and without colour vision.
pub(super) fn sequential(share: f64) -> String {
    blend(
        [255.0, 255.0, 255.0],
        [8.0, 48.0, 107.0],
        share.clamp(0.0, 1.0),
    )
}

/// Orange at -1, white at 0, blue at 1: told apart without red and green.
pub(super) fn diverging(share: f64) -> String {
    let white = [255.0, 255.0, 255.0];
    if share < 0.0 {
        blend(white, [179.0, 88.0, 6.0], (-share).min(1.0))
    } else {
        blend(white, [8.0, 64.0, 129.0], share.min(1.0))
    }
}

/// Whether text on a colour of this share must be light.
pub(super) fn is_dark(share: f64) -> bool {
    share.abs() > 0.55
}

fn blend(one: [f64; 3], other: [f64; 3], share: f64) -> String {
    let mixed: Vec<String> = one
        .iter()
        .zip(other)
        .map(|(one, other)| format!("{:.0}", one + share * (other - one)))
        .collect();
    format!("rgb({})", mixed.join(","))
}

/// Colours of lines, told apart with any colour vision (Okabe and Ito's, without the yellow, which white swallows).
pub(super) const LINES: [&str; 7] = [
    "#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00", "#000000",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round_and_within_the_range() {
        let told = |low, high| -> Vec<String> {
            Scale::new([low, high], [0.0, 1.0])
                .ticks(5)
                .into_iter()
                .map(|tick| tick.1)
                .collect()
        };
        assert_eq!(told(0.0, 1.0), ["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"]);
        assert_eq!(told(-3.0, 40.0), ["0", "10", "20", "30", "40"]);
        assert_eq!(told(0.011, 0.052), ["0.02", "0.03", "0.04", "0.05"]);
        assert!(!told(5.0, 5.0).is_empty() && !told(f64::NAN, f64::NAN).is_empty());
    }

    #[test]
    fn places_and_colours_are_where_they_belong() {
        let scale = Scale::new([0.0, 10.0], [100.0, 0.0]);
        assert!((scale.at(2.5) - 75.0).abs() < 1e-12);
        assert!(extent(&[3.0, f64::NAN, -1.0]).map(f64::to_bits) == [-1.0, 3.0].map(f64::to_bits));
        assert!(extent(&[]).map(f64::to_bits) == [0.0, 1.0].map(f64::to_bits));
        assert_eq!(
            (sequential(0.0), diverging(0.0)),
            ("rgb(255,255,255)".into(), "rgb(255,255,255)".into())
        );
        assert_eq!(sequential(7.0), "rgb(8,48,107)");
    }
}
