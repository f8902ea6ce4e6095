//! Counts of what a job gave, kept beside any outlet.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use contract::spread::Quality;

use crate::dataflow::{BoxError, Outlet, Results};
use crate::spread::{Counters, Side};

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

    fn add(&mut self, results: &Results) {
        for (_, emitted) in &results.spreads {
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
    }
}

/// A tally that several workers share.
#[derive(Debug, Clone, Default)]
pub struct SharedTally(Arc<Mutex<Tally>>);

impl SharedTally {
    /// What was counted so far.
    #[must_use]
    pub fn get(&self) -> Tally {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

/// An outlet whose results are counted on their way.
pub struct Tallied<O> {
    inner: O,
    tally: SharedTally,
    on_new_venue: Arc<dyn Fn(&str) + Send + Sync>,
}

impl<O: Outlet> Tallied<O> {
    /// Counts into `tally` and calls `on_new_venue` once for each venue that any partition hears of.
    pub fn new(
        inner: O,
        tally: &SharedTally,
        on_new_venue: Arc<dyn Fn(&str) + Send + Sync>,
    ) -> Self {
        Self {
            inner,
            tally: tally.clone(),
            on_new_venue,
        }
    }
}

impl<O: Outlet> Outlet for Tallied<O> {
    fn accept(&mut self, results: &mut Results) -> Result<(), BoxError> {
        let new: Vec<String> = {
            let mut tally = self.tally.0.lock().unwrap_or_else(PoisonError::into_inner);
            tally.add(results);
            results
                .venues
                .iter()
                .filter(|venue| tally.venues.insert((*venue).clone()))
                .cloned()
                .collect()
        };
        for venue in new {
            (self.on_new_venue)(&venue);
        }
        self.inner.accept(results)
    }

    fn wants_state(&mut self, partition: i32) -> bool {
        self.inner.wants_state(partition)
    }

    fn finish(&mut self) -> Result<(), BoxError> {
        self.inner.finish()
    }
}
