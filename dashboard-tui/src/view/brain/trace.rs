//! A channel's newest samples as they are drawn: less what is not to be seen. Pure arithmetic.

use crate::model::signals::Signals;
use crate::view::scale::{count, whole};

/// What is taken off a signal before it is drawn. Nothing is taken off what is analysed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Base {
    /// The mean of the second about each sample: drift would else be all that is seen of an electrode.
    #[default]
    Second,
    /// The mean of all that is drawn.
    All,
}

impl Base {
    pub(super) fn next(self) -> Self {
        match self {
            Self::Second => Self::All,
            Self::All => Self::Second,
        }
    }

    /// For the title.
    pub(super) fn words(self) -> &'static str {
        match self {
            Self::Second => "less mean of 1 s",
            Self::All => "raw less mean",
        }
    }
}

/// A sample to be drawn.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Drawn {
    /// Microvolts above the base; NaN where no sample came.
    pub(super) uv: f64,
    /// Whether the reading is at a rail.
    pub(super) railed: bool,
}

/// The newest `span` samples of a channel.
pub(super) fn trace(signals: &Signals, channel: usize, span: usize, base: Base) -> Vec<Drawn> {
    let half = match base {
        Base::Second => whole(signals.rate_hz / 2.0).clamp(1, signals.len().max(1)),
        Base::All => span,
    };
    // What lies before the first that is drawn belongs to the second about it.
    let before = if base == Base::Second { half } else { 0 };
    let wanted = span.saturating_add(before);
    let skipped = signals.len().saturating_sub(wanted);
    let values: Vec<f64> = signals.of(channel).skip(skipped).collect();
    let mut sums = Vec::with_capacity(values.len() + 1);
    sums.push((0.0, 0_usize));
    let mut sum = (0.0, 0);
    for value in &values {
        if value.is_finite() {
            sum = (sum.0 + value, sum.1 + 1);
        }
        sums.push(sum);
    }
    let mean = |from: usize, to: usize| {
        let ((low, below), (high, above)) = (sums[from], sums[to]);
        (high - low) / count(above - below)
    };
    let first = values.len().saturating_sub(span);
    let drawn = values.iter().enumerate().skip(first).map(|(at, value)| {
        let to = at.saturating_add(half + 1).min(values.len());
        let uv = value - mean(at.saturating_sub(half), to);
        let railed = signals.is_railed(channel, *value);
        Drawn { uv, railed }
    });
    drawn.collect()
}

/// Standard deviation of what is drawn.
pub(super) fn deviation(drawn: &[Drawn]) -> f64 {
    let finite = drawn.iter().filter(|sample| sample.uv.is_finite());
    let (sum, n) = finite.fold((0.0, 0), |(sum, n), sample| {
        (sum + sample.uv.powi(2), n + 1)
    });
    (sum / count(n)).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::eeg::{Made, samples};

    fn signals(value: impl Fn(u32) -> f64) -> Signals {
        let made = Made::default();
        let mut signals = Signals::default();
        let mut n = 0;
        for block in 0..100 {
            let mut block = samples(&made, block);
            for at in 0..10 {
                block.uv[0][at].0 = value(n);
                n += 1;
            }
            signals.take(&block, 100_000);
        }
        signals
    }

    #[test]
    fn drift_goes_with_the_mean_of_a_second_and_stays_without() {
        let drifting = signals(|n| 500.0 + f64::from(n));
        let second = trace(&drifting, 0, 500, Base::Second);
        // The newest half second has nothing behind it: there the base lags.
        let settled = &second[..500 - 125];
        assert!(
            settled.iter().all(|sample| sample.uv.abs() < 1e-6),
            "{settled:?}"
        );
        let all = trace(&drifting, 0, 500, Base::All);
        assert_eq!(all.len(), 500);
        assert!((all[0].uv + 249.5).abs() < 1e-3 && (all[499].uv - 249.5).abs() < 1e-3);
    }

    #[test]
    fn a_rate_beyond_all_measure_is_drawn_too() {
        let mut fast = samples(&Made::default(), 0);
        fast.sample_rate_hz = f64::MAX;
        let mut signals = Signals::default();
        signals.take(&fast, 100_000);
        assert_eq!(trace(&signals, 0, 10, Base::Second).len(), 10);
    }

    #[test]
    fn a_gap_is_drawn_as_nothing_and_does_not_move_what_is_beside_it() {
        let gap = signals(|n| {
            if (400..500).contains(&n) {
                f64::NAN
            } else {
                7.0
            }
        });
        for base in [Base::Second, Base::All] {
            let drawn = trace(&gap, 0, 1_000, base);
            let missing = drawn.iter().filter(|sample| sample.uv.is_nan()).count();
            assert_eq!(missing, 100, "{base:?}");
            let beside = drawn.iter().filter(|sample| sample.uv.is_finite());
            assert!(beside.clone().all(|sample| sample.uv.abs() < 1e-6));
        }
    }
}
