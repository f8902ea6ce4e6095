//! How long to wait before the next attempt. Pure: the seed is given, and the time that passes is the caller's.

use std::time::Duration;

/// How attempts to connect are spaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BackoffSettings {
    /// The longest wait after the first failure; it doubles with each further one.
    pub first: Duration,
    /// Beyond which it does not grow.
    pub cap: Duration,
    /// Two attempts at one venue never begin closer than this, whatever happened. Binance bans at 300 in five minutes.
    pub spacing: Duration,
}

impl Default for BackoffSettings {
    fn default() -> Self {
        Self {
            first: Duration::from_millis(500),
            cap: Duration::from_secs(30),
            spacing: Duration::from_millis(1_100),
        }
    }
}

/// Capped exponential back-off with full jitter: any wait between nothing and the limit is as likely as any other, so
/// that clients thrown out together do not come back together.
#[derive(Debug)]
pub(super) struct Backoff {
    settings: BackoffSettings,
    failures: u32,
    random: SplitMix64,
}

impl Backoff {
    pub(super) fn new(settings: BackoffSettings, seed: u64) -> Self {
        Self {
            settings,
            failures: 0,
            random: SplitMix64(seed),
        }
    }

    /// Data came: the venue is well. A connection alone is no proof of that.
    pub(super) fn reset(&mut self) {
        self.failures = 0;
    }

    /// The wait after one more failure.
    pub(super) fn next(&mut self) -> Duration {
        let limit = self
            .settings
            .first
            .saturating_mul(2_u32.saturating_pow(self.failures))
            .min(self.settings.cap);
        self.failures = self.failures.saturating_add(1);
        self.share(limit)
    }

    /// Any part of `limit`, as likely as any other.
    pub(super) fn share(&mut self, limit: Duration) -> Duration {
        let limit_us = u64::try_from(limit.as_micros()).unwrap_or(u64::MAX - 1);
        Duration::from_micros(self.random.next() % (limit_us.saturating_add(1)))
    }
}

/// A small generator, good enough to spread clients over time.
#[derive(Debug)]
struct SplitMix64(u64);

impl SplitMix64 {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SETTINGS: BackoffSettings = BackoffSettings {
        first: Duration::from_millis(100),
        cap: Duration::from_secs(2),
        spacing: Duration::ZERO,
    };

    #[test]
    fn waits_are_spread_between_nothing_and_a_limit_that_doubles_up_to_the_cap() {
        let limits_ms = [100, 200, 400, 800, 1_600, 2_000, 2_000];
        let mut longest = [Duration::ZERO; 7];
        let mut shortest = [Duration::MAX; 7];
        for seed in 0..2_000 {
            let mut backoff = Backoff::new(SETTINGS, seed);
            for at in 0..7 {
                let wait = backoff.next();
                longest[at] = longest[at].max(wait);
                shortest[at] = shortest[at].min(wait);
            }
        }
        for (at, limit_ms) in limits_ms.into_iter().enumerate() {
            let limit = Duration::from_millis(limit_ms);
            assert!(
                longest[at] <= limit && longest[at] > limit.mul_f64(0.98),
                "{at}"
            );
            assert!(shortest[at] < limit.mul_f64(0.02), "{at}");
        }
    }

    #[test]
    fn data_alone_resets_it_and_no_number_of_failures_overflows() {
        let mut backoff = Backoff::new(SETTINGS, 7);
        for _ in 0..200 {
            assert!(backoff.next() <= SETTINGS.cap);
        }
        backoff.reset();
        assert!(backoff.next() <= SETTINGS.first);
    }

    #[test]
    fn one_seed_gives_one_sequence() {
        let waits = |seed| {
            let mut backoff = Backoff::new(SETTINGS, seed);
            [(); 5].map(|()| backoff.next())
        };
        assert_eq!(waits(3), waits(3));
        assert_ne!(waits(3), waits(4));
    }
}
