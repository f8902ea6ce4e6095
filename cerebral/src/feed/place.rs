//! Where a sample belongs in its session, by the board's ids and by the clock. Pure.
//!
//! Ids tell a loss modulo their period (256 packets: 1.024 s of a Cyton). Whether whole periods were lost besides, the clock tells:
//! of all losses that the ids allow, the longest that the time had room for. Who gives the samples says how many the clock misses,
//! see [`Placing::missing`]: of all that came together, since what comes behind a pause may have been kept on the way.
//!
//! After a restart, and where there are no ids, the clock alone tells. Right as long as the source is read in time; what the system
//! dropped behind a reader that slept for seconds is a gap as well, but may be counted whole periods short.
//!
//! One sample whose id lies a little back, and far too soon for the loss of nearly a period, was inserted or came late: it is left
//! out. A second one in a row is taken for what the ids say.

use super::blocks::Place;

/// How many ids back a sample is taken for one that was inserted.
const BACK: u64 = 32;
/// The part of a period by which the clock may miss fewer samples than whole periods have: what the last sample came late.
const EARLY: u64 = 8;

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

/// What is missing among samples that came behind the last one placed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Missing {
    /// Before each, by its id: less than a period.
    pub before: Vec<u64>,
    /// How many more the clock misses, of all.
    pub besides: u64,
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

    /// What is missing among samples with these ids, all of which have come by `now_ns`. After a restart nothing is missed besides:
    /// what the clock says, [`Self::place`] sees to.
    #[must_use]
    pub fn missing(&self, ids: &[u64], now_ns: i64) -> Missing {
        let n = u64::try_from(ids.len()).unwrap_or(u64::MAX);
        let last = self.last.filter(|_| !self.begins_anew);
        let mut besides = last.map_or(0, |last| {
            self.samples_in(now_ns.saturating_sub(last.received_ns))
                .saturating_sub(n)
        });
        let mut left_out = self.left_out;
        let mut last_id = last.and_then(|last| last.id);
        let missing_before = |&id: &u64| {
            let (Some(period), Some(before)) = (self.period, last_id) else {
                last_id = Some(id);
                return 0;
            };
            let told = told(before, id, period);
            left_out = !left_out && lies_back(told, besides, period);
            if left_out {
                return 0;
            }
            last_id = Some(id);
            besides = besides.saturating_sub(told);
            told
        };
        let before = ids.iter().map(missing_before).collect();
        Missing { before, besides }
    }

    /// Whether whole periods may have been lost among so many.
    #[must_use]
    pub fn has_periods(&self, n: u64) -> bool {
        self.period.is_some_and(|period| periods(n, period) > 0)
    }

    /// The place of the next sample; none for one that was inserted. `missing`: how many seem to be before it, of which the ids have
    /// the last word; `n_together`: how many came at once, of which this is the first.
    pub fn place(
        &mut self,
        id: Option<u64>,
        received_ns: i64,
        missing: u64,
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
                    let told = told(before, id, period);
                    if !self.left_out && lies_back(told, missing, period) {
                        self.left_out = true;
                        return None;
                    }
                    told + periods(missing.saturating_sub(told), period)
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

    /// Samples that come in so long.
    #[expect(
        clippy::as_conversions,
        reason = "below zero and NaN give 0, and sessions are far shorter than 2^53 samples"
    )]
    pub(crate) fn samples_in(&self, ns: i64) -> u64 {
        (ns as f64 * 1e-9 * self.rate_hz).round() as u64
    }
}

/// How many are missing between these two, less than a period.
fn told(before: u64, id: u64, period: u64) -> u64 {
    (id % period + period - before % period + period - 1) % period
}

/// Whether what is told is no loss, but a sample from before: there was no time for so many.
fn lies_back(told: u64, missing: u64, period: u64) -> bool {
    told >= period.saturating_sub(BACK) && missing < told / 2
}

/// Samples of the whole periods in so many. A loss takes its time, so that these may be few too few, never half a period.
fn periods(n: u64, period: u64) -> u64 {
    (n + period / EARLY) / period * period
}

#[cfg(test)]
mod tests;
