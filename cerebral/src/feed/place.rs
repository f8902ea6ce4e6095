//! Where a sample belongs in its session, by the board's ids and by the clock. Pure.
//!
//! Ids tell a loss modulo their period (256 packets: 1.024 s of a Cyton). Whether whole periods were lost besides, time tells:
//!
//! - where ids jump, by how long it is that the last sample came: of all losses that the ids allow, the nearest to that;
//! - where ids follow, by how long the port was *seen* to be empty. That we looked late proves nothing: what came meanwhile was kept
//!   by the system.
//!
//! After a restart, and where there are no ids, the clock alone tells. Right to half a period as long as the source is read in
//! time; what the system dropped behind a reader that slept for seconds is a gap as well, but may be counted whole periods short.
//!
//! One sample whose id lies a little back, and far too soon for the loss of nearly a period, was inserted or came late: it is left
//! out. A second one in a row is taken for what the ids say.

use super::blocks::Place;

/// How many ids back a sample is taken for one that was inserted.
const BACK: u64 = 32;

/// Places samples.
#[derive(Debug, Clone)]
pub struct Placing {
    rate_hz: f64,
    /// Period of the ids; none where there are none.
    period: Option<u64>,
    next_at: u64,
    last: Option<Last>,
    /// The last sample was left out.
    left_out: bool,
    begins_anew: bool,
}

#[derive(Debug, Clone, Copy)]
struct Last {
    id: Option<u64>,
    received_ns: i64,
}

impl Placing {
    /// Of a session at this rate, whose ids go from 0 to below `period`.
    #[must_use]
    pub fn new(rate_hz: f64, period: Option<u64>) -> Self {
        Self {
            rate_hz,
            period,
            next_at: 0,
            last: None,
            left_out: false,
            begins_anew: false,
        }
    }

    /// An earlier run came to `at`, whose last sample came at `received_ns`.
    pub fn resume(&mut self, at: u64, received_ns: i64) {
        self.next_at = at;
        self.last = Some(Last {
            id: None,
            received_ns,
        });
        self.begins_anew = true;
    }

    /// The numbering begins anew with the next sample: what is missing before it, the clock tells.
    pub fn begin_anew(&mut self) {
        self.begins_anew = self.last.is_some();
    }

    /// The place of the next sample; none for one that was inserted. `quiet_ns`: for how long nothing was seen to come before it;
    /// `n_together`: how many came at once, of which this is the first.
    pub fn place(
        &mut self,
        id: Option<u64>,
        received_ns: i64,
        quiet_ns: i64,
        n_together: u64,
    ) -> Option<Place> {
        let anew = std::mem::take(&mut self.begins_anew);
        let missing = match self.last {
            None => 0,
            Some(last) if anew => self
                .samples_in(received_ns.saturating_sub(last.received_ns))
                .saturating_sub(n_together.max(1)),
            Some(last) => match (last.id, id, self.period) {
                (Some(before), Some(id), Some(period)) => {
                    let told = (id % period + period - before % period + period - 1) % period;
                    let since_ns = if told == 0 {
                        quiet_ns
                    } else {
                        received_ns.saturating_sub(last.received_ns)
                    };
                    let by_clock = self.samples_in(since_ns).saturating_sub(1);
                    let lies_back = told >= period.saturating_sub(BACK) && by_clock < told / 2;
                    if lies_back && !self.left_out {
                        self.left_out = true;
                        return None;
                    }
                    let beyond = by_clock.saturating_sub(told);
                    told + (beyond + period / 2) / period * period
                }
                _ => 0,
            },
        };
        self.left_out = false;
        self.last = Some(Last { id, received_ns });
        let at = self.next_at.saturating_add(missing);
        self.next_at = at.saturating_add(1);
        Some(Place { at, anew })
    }

    #[expect(
        clippy::as_conversions,
        reason = "below zero and NaN give 0, and sessions are far shorter than 2^53 samples"
    )]
    fn samples_in(&self, ns: i64) -> u64 {
        (ns as f64 * 1e-9 * self.rate_hz).round() as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SAMPLE_NS: i64 = 4_000_000;

    /// Places of samples with these ids, at these times in samples, seen quiet for that long.
    fn places(told: &[(u64, i64, i64)]) -> Vec<Option<u64>> {
        let mut placing = Placing::new(250.0, Some(256));
        told.iter()
            .map(|&(id, at, quiet)| {
                let place = placing.place(Some(id), at * SAMPLE_NS, quiet * SAMPLE_NS, 1);
                place.map(|place| {
                    assert!(!place.anew);
                    place.at
                })
            })
            .collect()
    }

    #[test]
    fn ids_that_follow_lose_nothing_over_the_wrap_and_however_late_we_look() {
        assert_eq!(
            places(&[(254, 0, 0), (255, 1, 0), (0, 2, 0), (1, 2_000, 0)]),
            [Some(0), Some(1), Some(2), Some(3)]
        );
    }

    #[test]
    fn a_jump_is_a_loss_of_that_many() {
        assert_eq!(
            places(&[(10, 0, 0), (14, 4, 0), (2, 248, 0)]),
            [Some(0), Some(4), Some(248)]
        );
    }

    #[test]
    fn whole_periods_that_were_lost_are_told_by_time() {
        // 600 lost: 600 = 2 * 256 + 88; the clock is off by 100 samples either way.
        for off in [-100, 0, 100] {
            assert_eq!(
                places(&[(0, 0, 0), (89, 601 + off, 0)]),
                [Some(0), Some(601)]
            );
        }
        // Exactly a period lost, and seen to be so.
        assert_eq!(places(&[(0, 0, 0), (1, 257, 256)]), [Some(0), Some(257)]);
    }

    #[test]
    fn a_sample_that_lies_back_is_left_out_once() {
        assert_eq!(
            places(&[(10, 0, 0), (10, 1, 0), (11, 1, 0)]),
            [Some(0), None, Some(1)]
        );
        assert_eq!(
            places(&[(10, 0, 0), (5, 1, 0), (6, 2, 0)]),
            [Some(0), None, Some(252)]
        );
    }

    #[test]
    fn after_a_restart_the_clock_tells() {
        let mut placing = Placing::new(250.0, Some(256));
        placing.begin_anew();
        let first = placing.place(Some(7), 0, 0, 1);
        assert_eq!(first, Some(Place { at: 0, anew: false }));
        placing.begin_anew();
        let second = placing.place(Some(0), 1_000 * SAMPLE_NS, 0, 1);
        assert_eq!(
            second,
            Some(Place {
                at: 1_000,
                anew: true
            })
        );
        placing.begin_anew();
        // A clock that was set back says nothing.
        let third = placing.place(Some(0), 0, 0, 1);
        assert_eq!(
            third,
            Some(Place {
                at: 1_001,
                anew: true
            })
        );
    }

    #[test]
    fn without_ids_samples_follow_until_a_pause_is_told_of() {
        let mut placing = Placing::new(250.0, None);
        placing.resume(500, 0);
        let place = |placing: &mut Placing, at: i64, n| {
            placing.place(None, at * SAMPLE_NS, 0, n).unwrap().at
        };
        // Five come at once, 100 samples later: 95 are missing.
        assert_eq!(place(&mut placing, 100, 5), 595);
        assert_eq!(place(&mut placing, 100, 1), 596);
        placing.begin_anew();
        assert_eq!(place(&mut placing, 350, 10), 597 + 240);
    }
}
