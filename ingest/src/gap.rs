//! Finds frames that are missing, each feed judged by the way the wire really numbers it.
//!
//! ```text
//! Coinbase Advanced   sequence_num        one numbering per connection, +1 over all channels    [`ConnectionNumbers`]
//! Coinbase Exchange   trade_id            +1 per product on matches; a heartbeat tells the last  [`MatchNumbers`]
//! Binance             t, a                +1 per symbol on trade and aggTrade                   [`Numbers`]
//!                     U..u                the next U is the last u + 1                          [`Numbers`]
//!                     bookTicker u        rises, with holes: tells old from new only            [`Numbers`]
//! ```
//!
//! Two connections may bring the same numbers for a while: [`Numbers::beside`].
//!
//! Comes in: numbers and the time of receipt. Goes out: what a number means, as a [`Step`]. Absent: symbols, venues,
//! counters; the core holds one value of these types per feed and symbol.

mod overlap;

use contract::time::NS_PER_S;

use overlap::Overlap;

/// For how long lower numbers have to come, rising among themselves, until they are taken for a numbering begun anew
/// (a venue restarted) and no longer for repeats, nanoseconds of receipt. Repeats after a reconnect come within
/// milliseconds; without this bound a venue that restarts its numbers would stay mute for ever.
pub const RESTART_AFTER_NS: i64 = 2 * NS_PER_S;

/// A hole in the numbers of a feed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gap {
    /// Venue as in records.
    pub venue: &'static str,
    /// Feed as the venue spells it; `sequence_num` for the one numbering of a Coinbase Advanced connection.
    pub feed: &'static str,
    /// Symbol, where the numbering is per symbol.
    pub symbol: Option<String>,
    /// The number that should have come.
    pub expected: u64,
    /// The number that came (from a heartbeat: the last one it knows of).
    pub got: u64,
    /// How many numbers are missing.
    pub missing: u64,
}

/// What a number means after those before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// In order: the first of all, or the one that had to come.
    Next,
    /// Numbers are missing.
    Gap {
        /// The number that should have come.
        expected: u64,
        /// How many did not.
        missing: u64,
    },
    /// In order, but so many numbers passed while there was no connection.
    Missed(u64),
    /// Not above what has already come: a repeat.
    Old,
    /// Lower numbers have come for so long that the venue must have begun anew.
    Restart,
}

/// Lower numbers that rise among themselves.
#[derive(Debug, Clone, Copy)]
struct Run {
    since_ns: i64,
    last: u64,
}

/// A numbering that outlives the connection: trade ids, update ids.
#[derive(Debug, Clone, Default)]
pub struct Numbers {
    last: Option<u64>,
    /// A connection was made since the last number.
    reconnected: bool,
    run: Option<Run>,
    /// While two connections live.
    overlap: Option<Box<Overlap>>,
}

impl Numbers {
    /// Judges the numbers `first..=last` of one message received at `received_ns`.
    pub fn step(&mut self, first: u64, last: u64, received_ns: i64) -> Step {
        let Some(before) = self.last else {
            self.accept(last);
            return Step::Next;
        };
        if last <= before {
            return self.lower(last, received_ns);
        }
        let missing = first.saturating_sub(before.saturating_add(1));
        let step = match missing {
            0 => Step::Next,
            _ if self.reconnected => Step::Missed(missing),
            _ => Step::Gap {
                expected: before + 1,
                missing,
            },
        };
        self.accept(last);
        step
    }

    /// A connection was (re)made, and no other lives: what passed meanwhile is missed, but is no gap of the feed.
    pub fn reconnected(&mut self) {
        self.reconnected = true;
        self.overlap = None;
    }

    /// The highest number that came.
    #[must_use]
    pub fn last(&self) -> Option<u64> {
        self.last
    }

    fn accept(&mut self, last: u64) {
        *self = Self {
            last: Some(last),
            ..Self::default()
        };
    }

    fn lower(&mut self, last: u64, received_ns: i64) -> Step {
        match &mut self.run {
            Some(run) if run.last < last => {
                run.last = last;
                if received_ns.saturating_sub(run.since_ns) >= RESTART_AFTER_NS {
                    self.accept(last);
                    return Step::Restart;
                }
            }
            run => {
                *run = Some(Run {
                    since_ns: received_ns,
                    last,
                });
            }
        }
        Step::Old
    }
}

/// A numbering that begins with the connection and counts every frame: `sequence_num`.
#[derive(Debug, Clone, Default)]
pub struct ConnectionNumbers {
    last: Option<u64>,
}

impl ConnectionNumbers {
    /// Judges one number. A lower one can only come from another connection, since TCP neither reorders nor repeats;
    /// captures do not tell where one connection ended and the next began.
    pub fn step(&mut self, number: u64) -> Step {
        let before = self.last.replace(number);
        match before {
            Some(before) if number == before => Step::Old,
            Some(before) if number < before => Step::Restart,
            Some(before) if number > before + 1 => Step::Gap {
                expected: before + 1,
                missing: number - before - 1,
            },
            _ => Step::Next,
        }
    }

    /// A connection was (re)made: any number may come first.
    pub fn reconnected(&mut self) {
        self.last = None;
    }
}

/// Trade ids of one product on Coinbase Exchange: `match` counts by one, `heartbeat.last_trade_id` tells how far the
/// venue is, `last_match` opens the numbering of a connection.
#[derive(Debug, Clone, Default)]
pub struct MatchNumbers {
    matches: Numbers,
    /// Up to where missing ids have been reported on a heartbeat's word.
    reported: u64,
    /// What the last heartbeat told beyond what had come; its match may still be on the way.
    told: Option<u64>,
}

impl MatchNumbers {
    /// Judges the id of a `match`.
    pub fn matched(&mut self, id: u64, received_ns: i64) -> Step {
        let before = self.matches.last();
        let mut step = self.matches.step(id, id, received_ns);
        match step {
            Step::Restart => self.reported = 0,
            // A late match fills a hole that was reported already; only what lies above that is news.
            Step::Gap { .. } | Step::Missed(_) if id <= self.reported => step = Step::Next,
            Step::Gap { .. } | Step::Missed(_) if before < Some(self.reported) => {
                let expected = self.reported + 1;
                let missing = id - expected;
                step = match step {
                    _ if missing == 0 => Step::Next,
                    Step::Missed(_) => Step::Missed(missing),
                    _ => Step::Gap { expected, missing },
                };
            }
            _ => {}
        }
        if self.told <= self.matches.last() {
            self.told = None;
        }
        step
    }

    /// Takes in the id of a `last_match`, the newest trade before the subscription. Never a gap: at the opening of a
    /// connection it is where the numbering begins, later it is no more than a heartbeat's word.
    pub fn opened(&mut self, id: u64) -> Step {
        if self.matches.is_overlapping() && self.matches.last.is_some() {
            // The other connection brings it.
            self.matches.newer_from(id.saturating_add(1));
            return Step::Next;
        }
        let known = self.known();
        match self.matches.last {
            Some(_) if !self.matches.reconnected => {
                if id > known {
                    self.told = Some(id);
                }
                Step::Next
            }
            last => {
                if last.is_none_or(|last| last < id) {
                    self.matches.accept(id);
                } else {
                    self.matches.reconnected = false;
                }
                match last {
                    Some(_) if id > known => Step::Missed(id - known),
                    _ => Step::Next,
                }
            }
        }
    }

    /// Takes in `heartbeat.last_trade_id` (0 means unknown). A trade that is still missing at the next heartbeat is a gap.
    pub fn heartbeat(&mut self, last_trade_id: u64) -> Step {
        // Of two connections, one may know of what the other has yet to bring.
        let unsure = self.matches.reconnected || self.matches.is_overlapping();
        if last_trade_id == 0 || self.matches.last.is_none() || unsure {
            return Step::Next;
        }
        let known = self.known();
        let step = match self.told {
            Some(told) if told > known => {
                self.reported = told;
                Step::Gap {
                    expected: known + 1,
                    missing: told - known,
                }
            }
            _ => Step::Next,
        };
        self.told = (last_trade_id > self.known()).then_some(last_trade_id);
        step
    }

    /// A connection was (re)made.
    pub fn reconnected(&mut self) {
        self.matches.reconnected();
        self.told = None;
    }

    /// A second connection brings the same matches from now on.
    pub fn overlap(&mut self) {
        self.matches.overlap();
        self.told = None;
    }

    /// Judges the id of a `match` while two connections live, as [`Numbers::beside`].
    pub fn beside(&mut self, id: u64, is_newer: bool) -> Step {
        self.matches.beside(id, id, is_newer)
    }

    /// One connection is left: what is still missing, without what a heartbeat told of before.
    pub fn settle(&mut self, newer_is_left: bool) -> Vec<Step> {
        let mut steps = self.matches.settle(newer_is_left);
        steps.retain_mut(|step| {
            let Step::Gap { expected, missing } = step else {
                return true;
            };
            let end = *expected + *missing;
            *expected = self.reported.saturating_add(1).clamp(*expected, end);
            *missing = end - *expected;
            *missing > 0
        });
        steps
    }

    fn known(&self) -> u64 {
        self.matches.last.unwrap_or(0).max(self.reported)
    }
}

#[cfg(test)]
mod tests;
