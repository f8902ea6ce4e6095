//! No more messages a second than a venue permits, answers to pings among them. Pure.
//!
//! Pings that lie in a socket while we could not read come all at once; answered all at once, they would cost the connection
//! (Binance permits five messages a second). So an answer waits, and with it what stands behind the ping, for a moment.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::time::Instant;

/// The time in which messages are counted: a second, and a little for clocks and networks that are not even.
const SPAN: Duration = Duration::from_millis(1_100);

/// Counts what is sent.
#[derive(Debug)]
pub(super) struct Pace {
    most: usize,
    sent: VecDeque<Instant>,
}

impl Pace {
    /// At most `most` messages a second; 0 counts as 1.
    pub(super) fn new(most: usize) -> Self {
        Self {
            most: most.max(1),
            sent: VecDeque::new(),
        }
    }

    /// Takes a place for one message; gives when it may be sent, `now` or later.
    pub(super) fn place(&mut self, now: Instant) -> Instant {
        let free = match self.sent.len().checked_sub(self.most) {
            Some(at) => self.sent.get(at).map_or(now, |sent| *sent + SPAN),
            None => now,
        };
        let at = free.max(now);
        self.sent.push_back(at);
        while self.sent.len() > self.most {
            self.sent.pop_front();
        }
        at
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_is_permitted_goes_at_once_and_the_rest_waits() {
        let start = Instant::now();
        let mut pace = Pace::new(2);
        let ms = |at: Instant| at.duration_since(start).as_millis();
        let places: Vec<u128> = (0..5).map(|_| ms(pace.place(start))).collect();
        assert_eq!(places, [0, 0, 1_100, 1_100, 2_200]);
        let later = start + Duration::from_secs(9);
        assert_eq!(pace.place(later), later);
    }

    proptest! {
        #[test]
        fn no_second_ever_holds_more_than_permitted(
            pauses in prop::collection::vec(0_u64..700, 1..100), most in 1_usize..6,
        ) {
            let mut now = Instant::now();
            let mut pace = Pace::new(most);
            let mut sent: Vec<Instant> = Vec::new();
            for pause in pauses {
                now += Duration::from_millis(pause);
                let at = pace.place(now);
                prop_assert!(at >= now && sent.last().is_none_or(|last| *last <= at));
                sent.push(at);
            }
            for group in sent.windows(most + 1) {
                prop_assert!(group[most].duration_since(group[0]) > Duration::from_secs(1));
            }
        }
    }
}
