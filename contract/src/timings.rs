//! How long something took, counted by upper bounds: what a histogram on a page of metrics needs, and no more.
//!
//! In come durations; out go counts that only grow. Absent: quantiles, which whoever reads the counts computes over the
//! time that matters to them.

use std::time::Duration;

/// Upper bounds of the classes, in milliseconds; a last class without a bound follows. From a commit on a fast broker to an
/// alert that waited for Discord.
pub const BOUNDS_MS: [u64; 14] = [
    1, 2, 5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 15_000, 60_000,
];

/// Counts by class.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Timings {
    counts: [u64; BOUNDS_MS.len() + 1],
    sum: Duration,
}

impl Timings {
    /// Counts one; a duration equal to a bound is within it.
    pub fn add(&mut self, took: Duration) {
        let class = BOUNDS_MS.partition_point(|&bound| Duration::from_millis(bound) < took);
        self.counts[class] += 1;
        self.sum = self.sum.saturating_add(took);
    }

    /// How many there were.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// All of them together.
    #[must_use]
    pub fn sum(&self) -> Duration {
        self.sum
    }

    /// For each bound, how many were within it.
    pub fn within(&self) -> impl Iterator<Item = (Duration, u64)> {
        let mut so_far = 0;
        BOUNDS_MS
            .into_iter()
            .zip(self.counts)
            .map(move |(bound, count)| {
                so_far += count;
                (Duration::from_millis(bound), so_far)
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_is_counted_in_every_class_that_holds_it() {
        let mut timings = Timings::default();
        for took_us in [0, 1_000, 1_001, 60_000_000, 60_000_001] {
            timings.add(Duration::from_micros(took_us));
        }
        let within: Vec<u64> = timings.within().map(|(_, count)| count).collect();
        assert_eq!(within, [2, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 4]);
        assert_eq!(timings.count(), 5, "the last is beyond every bound");
        assert_eq!(timings.sum(), Duration::from_micros(120_002_002));
    }
}
