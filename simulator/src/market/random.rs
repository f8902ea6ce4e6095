//! Whole random numbers from a seed: the same on every machine.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// A source of its own for each thing that is random, so that one more of them changes none of the others.
#[derive(Debug, Clone)]
pub(crate) struct Random(ChaCha8Rng);

impl Random {
    /// Stream `stream` of `seed`.
    pub(crate) fn new(seed: u64, stream: u64) -> Self {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        random.set_stream(stream);
        Self(random)
    }

    /// From `low` to `high`, both included.
    pub(crate) fn between(&mut self, low: i64, high: i64) -> i64 {
        self.0.random_range(low..=high.max(low))
    }

    /// From `-most` to `most`.
    pub(crate) fn within(&mut self, most: i64) -> i64 {
        self.between(-most, most)
    }

    /// True so many times of `of`.
    pub(crate) fn chance(&mut self, times: i64, of: i64) -> bool {
        self.between(0, of - 1) < times
    }

    /// Around `mean`, more often below it than above.
    pub(crate) fn around(&mut self, mean: i64) -> i64 {
        // A product of two even numbers: mean a quarter of the widest.
        let widest = i128::from(self.between(1, mean.saturating_mul(4).max(4)));
        let part = i128::from(self.between(1, 1_000));
        i64::try_from(widest * part / 1_000).unwrap_or(mean)
    }

    /// Hexadecimal digits.
    pub(crate) fn bits(&mut self) -> u128 {
        self.0.random()
    }
}
