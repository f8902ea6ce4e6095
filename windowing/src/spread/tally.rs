//! Counts of what a job gave.

use std::collections::{BTreeMap, BTreeSet};

use contract::spread::Quality;

use super::{Counters, Side};
use crate::dataflow::Results;

/// What a job gave so far.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tally {
    /// Records for `spreads`, by quality.
    pub spreads: BTreeMap<Quality, u64>,
    /// Windows (not records) that held a record of any pair.
    pub windows: u64,
    /// Late ticks.
    pub late: u64,
    /// Dead letters; the first few with their reasons.
    pub dead: u64,
    /// Offset and reason of the first dead letters.
    pub dead_examples: Vec<(i64, String)>,
    /// Venues heard of.
    pub venues: BTreeSet<String>,
    /// What each partition has seen.
    pub seen: BTreeMap<i32, Counters>,
    /// Up to where each partition's windows are closed, nanoseconds since 1970 of event time; only those that closed one.
    pub closed_ns: BTreeMap<i32, i64>,
}

impl Tally {
    /// How many dead letters are kept as examples.
    const EXAMPLES: usize = 5;

    /// Records of all qualities.
    #[must_use]
    pub fn records(&self) -> u64 {
        self.spreads.values().sum()
    }

    /// What all partitions have seen together.
    #[must_use]
    pub fn counters(&self) -> Counters {
        let mut total = Counters::default();
        for seen in self.seen.values() {
            total += *seen;
        }
        total
    }

    /// Counts results; gives the venues among them that are new.
    pub(crate) fn add(&mut self, results: &Results) -> Vec<String> {
        for (_, emitted) in &results.closed {
            *self.spreads.entry(emitted.quality).or_default() += 1;
        }
        for (_, side) in &results.side {
            match side {
                Side::Late { .. } => self.late += 1,
                Side::Dead(letter) => {
                    self.dead += 1;
                    if self.dead_examples.len() < Self::EXAMPLES {
                        self.dead_examples
                            .push((letter.offset, letter.error.clone()));
                    }
                }
            }
        }
        for (&partition, &(closed_ns, seen)) in &results.seen {
            self.seen.insert(partition, seen);
            if let Some(closed_ns) = closed_ns {
                self.closed_ns.insert(partition, closed_ns);
            }
        }
        self.windows = self
            .seen
            .values()
            .map(|seen| seen.windows)
            .max()
            .unwrap_or(0);
        let heard_of = results.heard_of.iter();
        heard_of
            .filter(|venue| self.venues.insert((*venue).clone()))
            .cloned()
            .collect()
    }
}
