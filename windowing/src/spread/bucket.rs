//! A window's events by pair.

use super::event::{Event, PairId};

/// Which events of a window belong to which pair, by place. Kept from window to window, so that nothing is allocated and
/// only what was touched is cleared.
#[derive(Debug, Clone, Default)]
pub(super) struct Buckets {
    /// Per pair: where its places begin in `places`, and how many they are.
    spans: Vec<(u32, u32)>,
    pub(super) touched: Vec<PairId>,
    places: Vec<u32>,
    pub(super) shared: Vec<u32>,
}

impl Buckets {
    /// Sorts a window's events by pair, keeping their order.
    pub(super) fn fill(&mut self, events: &[(i64, Event)], n_pairs: usize) {
        for pair in self.touched.drain(..) {
            self.spans[pair.at()] = (0, 0);
        }
        self.spans.resize(n_pairs, (0, 0));
        self.shared.clear();
        for (place, (_, event)) in (0_u32..).zip(events) {
            match event {
                Event::Quote(pair, ..) | Event::Trade(pair, ..) => {
                    let (_, count) = &mut self.spans[pair.at()];
                    if *count == 0 {
                        self.touched.push(*pair);
                    }
                    *count += 1;
                }
                Event::Rate(..) | Event::Status(..) => self.shared.push(place),
            }
        }
        let mut total = 0;
        for pair in &self.touched {
            let (begin, count) = &mut self.spans[pair.at()];
            *begin = total;
            total += *count;
            *count = 0;
        }
        self.places.clear();
        self.places
            .resize(usize::try_from(total).unwrap_or_default(), 0);
        for (place, (_, event)) in (0_u32..).zip(events) {
            if let Event::Quote(pair, ..) | Event::Trade(pair, ..) = event {
                let (begin, count) = &mut self.spans[pair.at()];
                self.places[usize::try_from(*begin + *count).unwrap_or_default()] = place;
                *count += 1;
            }
        }
    }

    /// The places of a pair's ticks.
    pub(super) fn of(&self, pair: PairId) -> &[u32] {
        let (begin, count) = self.spans[pair.at()];
        let begin = usize::try_from(begin).unwrap_or_default();
        &self.places[begin..begin + usize::try_from(count).unwrap_or_default()]
    }
}
