//! Pauses between attempts while Discord is away: doubling, capped, with full jitter. Pure: chance is an argument.

/// The longest pause, milliseconds.
const MOST_MS: u64 = 60_000;

/// The pauses since the last success.
#[derive(Debug)]
pub struct Backoff {
    first_ms: u64,
    failures: u32,
}

impl Backoff {
    /// Begins with pauses of up to `first_ms`.
    #[must_use]
    pub fn new(first_ms: u64) -> Self {
        Self {
            first_ms,
            failures: 0,
        }
    }

    /// The pause after one failure more; `chance` is any number, all equally likely. At least a tenth of the longest that
    /// it could be, so that nobody is asked again at once.
    pub fn failed(&mut self, chance: u64) -> i64 {
        let doubled = self.first_ms.saturating_mul(1 << self.failures.min(20));
        self.failures = self.failures.saturating_add(1);
        let most_ms = doubled.clamp(1, MOST_MS);
        let least_ms = most_ms.div_ceil(10);
        i64::try_from(least_ms + chance % (most_ms - least_ms + 1)).unwrap_or(i64::MAX)
    }

    /// It answered.
    pub fn succeeded(&mut self) {
        self.failures = 0;
    }

    /// How many failures there were in a row.
    #[must_use]
    pub fn failures(&self) -> u32 {
        self.failures
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_a_minute_and_begin_anew_after_a_success() {
        let mut backoff = Backoff::new(500);
        for most_ms in [
            500, 1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000,
        ] {
            let mut again = Backoff {
                first_ms: 500,
                failures: backoff.failures,
            };
            let pause = backoff.failed(u64::MAX);
            assert!(
                (most_ms / 10..=most_ms).contains(&pause),
                "{pause} of {most_ms}"
            );
            assert_eq!(again.failed(0), most_ms / 10);
        }
        backoff.succeeded();
        assert!(backoff.failed(499) <= 500);
        let mut long = Backoff {
            first_ms: u64::MAX,
            failures: u32::MAX,
        };
        assert!(long.failed(u64::MAX) <= 60_000);
    }
}
