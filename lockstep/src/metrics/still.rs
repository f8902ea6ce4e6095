//! Whether a figure moves, as whoever asks now and then can tell.

use std::sync::Mutex;
use std::time::{Duration, Instant};

use super::lock;

/// A figure and since when it has been what it is, as far as was looked.
#[derive(Default)]
pub(super) struct Still(Mutex<Option<(u64, Instant)>>);

impl Still {
    /// For how long the figure has been seen at this value.
    pub(super) fn at(&self, value: u64, now: Instant) -> Duration {
        let mut seen = lock(&self.0);
        match *seen {
            Some((before, since)) if before == value => now.saturating_duration_since(since),
            _ => {
                *seen = Some((value, now));
                Duration::ZERO
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_figure_is_still_from_when_it_was_first_seen_so() {
        let (still, start) = (Still::default(), Instant::now());
        let after = |s| start + Duration::from_secs(s);
        assert_eq!(still.at(7, start), Duration::ZERO);
        assert_eq!(still.at(7, after(20)), Duration::from_secs(20));
        assert_eq!(still.at(8, after(30)), Duration::ZERO);
        assert_eq!(still.at(8, after(31)), Duration::from_secs(1));
    }
}
