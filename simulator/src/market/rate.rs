//! Where the USDT-USD rate goes.

use super::random::Random;
use super::settings::{RateMove, RateSettings};
use super::units::scale;

/// It is looked at so often.
pub(super) const EVERY_MS: i64 = 100;
/// Ticks it goes at most at a time: 3 bps a second.
const MOST_TICKS: i64 = 3;

/// The rate's way.
#[derive(Debug)]
pub(super) struct Course {
    /// Which stream tells it.
    pub(super) stream: usize,
    price: i64,
    moves: Vec<RateMove>,
    random: Random,
    trembling: i64,
}

impl Course {
    pub(super) fn new(settings: &RateSettings, stream: usize, random: Random) -> Self {
        Self {
            stream,
            price: settings.price,
            moves: settings.moves.clone(),
            random,
            trembling: 0,
        }
    }

    pub(super) fn add(&mut self, stretch: RateMove) {
        self.moves.push(stretch);
    }

    /// Where the bid should go from `bid` at `since_ms` of the market; nothing where it stays.
    pub(super) fn step(&mut self, since_ms: i64, bid: i64, tick: i64) -> Option<i64> {
        if self.random.chance(1, 40) {
            self.trembling = self.random.within(1);
        }
        let centibps: i64 = self
            .moves
            .iter()
            .map(|stretch| {
                let into_ms = (since_ms - stretch.start_ms).clamp(0, stretch.length_ms.max(1));
                stretch.centibps * into_ms / stretch.length_ms.max(1)
            })
            .sum();
        let aim = (self.price + scale(self.price, centibps, 1_000_000)) / tick + self.trembling;
        let ticks = (aim - bid / tick).clamp(-MOST_TICKS, MOST_TICKS);
        (ticks != 0).then_some(bid + ticks * tick)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rate_goes_where_it_is_sent_and_no_faster_than_it_may() {
        let settings = RateSettings {
            moves: vec![RateMove {
                start_ms: 1_000,
                length_ms: 60_000,
                centibps: -5_000,
            }],
            ..RateSettings::default()
        };
        let mut course = Course::new(&settings, 0, Random::new(1, 1));
        let mut bid = settings.price;
        for at in 0..700 {
            if let Some(next) = course.step(at * EVERY_MS, bid, 1_000) {
                assert!((next - bid).abs() <= MOST_TICKS * 1_000);
                bid = next;
            }
        }
        // Half a percent down, within the tick that it trembles by.
        assert!((bid - 99_432_340).abs() <= 2_000, "{bid}");
    }
}
