//! How fast a recording is played, and the waiting for it.

use std::str::FromStr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// Longest wait at a time, so that a stop is noticed and marks flow.
const SLICE: Duration = Duration::from_millis(20);

/// How fast a recording is played.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Pace {
    /// As fast as it goes.
    Unlimited,
    /// So many times the speed at which it was recorded: finite, above zero.
    Times(f64),
}

/// Not a pace.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a speed; it is a number above zero, as in `1x` or `2.5x`, or `max`")]
pub struct PaceError(String);

impl FromStr for Pace {
    type Err = PaceError;

    fn from_str(text: &str) -> Result<Self, PaceError> {
        if text == "max" {
            return Ok(Self::Unlimited);
        }
        let number = text.strip_suffix(['x', 'X']).unwrap_or(text);
        match number.parse::<f64>() {
            // Nine digits either way are more than any use, and keep the arithmetic far from its ends.
            Ok(times) if (1e-9..=1e9).contains(&times) => Ok(Self::Times(times)),
            _ => Err(PaceError(text.chars().take(60).collect())),
        }
    }
}

/// Waits until frames are due.
pub(super) struct Pacer {
    pace: Pace,
    start: Option<(Instant, i64)>,
}

impl Pacer {
    pub(super) fn new(pace: Pace) -> Self {
        Self { pace, start: None }
    }

    /// Waits until the frame received at `received_ns` is due; while it waits, tells where the recording's clock stands.
    /// Says `false` where it was told to stop.
    pub(super) fn wait(
        &mut self,
        received_ns: i64,
        stop: &AtomicBool,
        mut reached: impl FnMut(i64),
    ) -> bool {
        let Pace::Times(times) = self.pace else {
            return true;
        };
        let (start, start_ns) = *self
            .start
            .get_or_insert_with(|| (Instant::now(), received_ns));
        loop {
            let played_ns = scaled_ns(start.elapsed(), times);
            let reached_ns = start_ns.saturating_add(played_ns);
            if received_ns <= reached_ns {
                return true;
            }
            if stop.load(Ordering::Relaxed) {
                return false;
            }
            reached(reached_ns);
            // Rounded up to a microsecond, so that it never turns round without waiting.
            let left = unscaled(received_ns.saturating_sub(reached_ns), times);
            thread::park_timeout(left.max(Duration::from_micros(1)).min(SLICE));
        }
    }
}

/// Nanoseconds of the recording that pass in `elapsed`.
#[expect(
    clippy::as_conversions,
    reason = "53 bits are enough for waiting, and a float beyond the range saturates"
)]
fn scaled_ns(elapsed: Duration, times: f64) -> i64 {
    (elapsed.as_secs_f64() * times * 1e9) as i64
}

/// The time in which `ns` nanoseconds of the recording pass.
#[expect(clippy::as_conversions, reason = "53 bits are enough for waiting")]
fn unscaled(ns: i64, times: f64) -> Duration {
    Duration::try_from_secs_f64(ns as f64 / 1e9 / times).unwrap_or(SLICE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pace_is_a_number_above_zero_or_max() {
        assert_eq!("max".parse(), Ok(Pace::Unlimited));
        assert_eq!("1x".parse(), Ok(Pace::Times(1.0)));
        assert_eq!("2.5X".parse(), Ok(Pace::Times(2.5)));
        assert_eq!("10".parse(), Ok(Pace::Times(10.0)));
        for wrong in ["", "x", "0", "-1x", "nan", "inf", "1e300", "fast", "1xx"] {
            assert!(wrong.parse::<Pace>().is_err(), "{wrong}");
        }
        assert_eq!(
            "fast".parse::<Pace>().unwrap_err().to_string(),
            "`fast` is not a speed; it is a number above zero, as in `1x` or `2.5x`, or `max`"
        );
    }

    #[test]
    fn a_frame_is_due_no_earlier_than_the_pace_allows() {
        let mut pacer = Pacer::new(Pace::Times(1_000.0));
        let stop = AtomicBool::new(false);
        let before = Instant::now();
        let mut reached = Vec::new();
        assert!(
            pacer.wait(5, &stop, |ns| reached.push(ns)),
            "the first is due at once"
        );
        assert!(reached.is_empty());
        assert!(pacer.wait(5 + 30_000_000_000, &stop, |ns| reached.push(ns)));
        assert!(before.elapsed() >= Duration::from_millis(30));
        assert!(reached.is_sorted() && reached.iter().all(|ns| *ns < 5 + 30_000_000_000));
        assert!(pacer.wait(0, &stop, |_| panic!("stamps that go back wait for nothing")));
    }

    #[test]
    fn a_stop_ends_the_wait() {
        let mut pacer = Pacer::new(Pace::Times(1e-6));
        let stop = AtomicBool::new(false);
        assert!(pacer.wait(0, &stop, |_| {}));
        assert!(!pacer.wait(i64::MAX, &stop, |_| stop.store(true, Ordering::Relaxed)));
    }
}
