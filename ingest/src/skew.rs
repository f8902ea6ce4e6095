//! How far a venue's clock is ahead of ours.
//!
//! Comes in: one difference (venue's stamp less our receipt) per stamped live message. Goes out: the median of the last
//! [`WINDOW`] of them, so that a message that lay in a queue, or a faulty stamp, moves nothing. The figure holds the way
//! over the network too: a receipt plus the skew estimates when the venue *sent*, which is what is wanted.

use std::collections::VecDeque;

/// Samples the median is taken over: odd, and at a hundred messages a second about two and a half seconds.
pub const WINDOW: usize = 255;

/// A sliding median, in nanoseconds.
#[derive(Debug, Clone, Default)]
pub struct Skew {
    arrived: VecDeque<i64>,
    sorted: Vec<i64>,
}

impl Skew {
    /// Takes in one difference, nanoseconds.
    pub fn add(&mut self, difference_ns: i64) {
        if self.arrived.len() == WINDOW
            && let Some(oldest) = self.arrived.pop_front()
        {
            let at = self.sorted.partition_point(|&sample| sample < oldest);
            self.sorted.remove(at);
        }
        self.arrived.push_back(difference_ns);
        let at = self
            .sorted
            .partition_point(|&sample| sample < difference_ns);
        self.sorted.insert(at, difference_ns);
    }

    /// The venue's clock less ours, nanoseconds; 0 before the first sample.
    #[must_use]
    pub fn ns(&self) -> i64 {
        self.sorted.get(self.sorted.len() / 2).copied().unwrap_or(0)
    }

    /// How many samples the figure rests on.
    #[must_use]
    pub fn samples(&self) -> usize {
        self.sorted.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn before_the_first_stamp_the_skew_is_zero() {
        assert_eq!(Skew::default().ns(), 0);
    }

    #[test]
    fn a_few_wild_stamps_move_nothing() {
        let mut skew = Skew::default();
        for at in 0..100 {
            skew.add(if at % 3 == 0 { i64::MAX } else { 1_260 });
        }
        assert_eq!(skew.ns(), 1_260);
    }

    #[test]
    fn a_step_of_the_clock_is_followed_within_a_window() {
        let mut skew = Skew::default();
        for _ in 0..WINDOW {
            skew.add(10);
        }
        for _ in 0..=WINDOW / 2 {
            skew.add(99);
        }
        assert_eq!(skew.ns(), 99);
    }

    proptest! {
        #[test]
        fn it_is_the_middle_of_the_last_samples(samples in prop::collection::vec(any::<i64>(), 1..600)) {
            let mut skew = Skew::default();
            for &sample in &samples {
                skew.add(sample);
            }
            let mut last = samples[samples.len().saturating_sub(WINDOW)..].to_vec();
            last.sort_unstable();
            prop_assert_eq!(skew.ns(), last[last.len() / 2]);
            prop_assert_eq!(skew.samples(), last.len());
        }
    }
}
