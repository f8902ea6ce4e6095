//! Samples on the way to their places: behind a pause they wait until it is sure how many were lost. Pure.
//!
//! The first samples behind a pause tell little: what the clock misses was lost, or was kept on the way and comes right behind them.
//! The ids tell a loss modulo their period. So where the clock misses whole periods besides, samples wait for half a second, and what
//! is missed least in that time is what was lost: of what was kept all has come by then. In every other case they wait for nothing.
//!
//! The whole periods lie where most is missing by the ids. Where the ids follow throughout, they lie at the pause, if the port was
//! *seen* to be empty for that long; that we looked late proves nothing.

use contract::time::NS_PER_S;

use crate::feed::blocks::Place;
use crate::feed::place::{Missing, Placing};

/// How long what was kept on the way may take to come.
const CALM_NS: i64 = NS_PER_S / 2;
/// Samples that wait at most, 4 s of a Cyton; with these, what is sure by then has to do.
const MOST: usize = 1_000;

/// A sample, or whatever stands for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Arrived<T> {
    /// The board's own number.
    pub id: u8,
    /// When it came.
    pub received_ns: i64,
    /// Itself.
    pub sample: T,
}

/// Samples that have come.
#[derive(Debug)]
pub struct Arrivals<T> {
    placing: Placing,
    waiting: Vec<Arrived<T>>,
    /// Since when they wait for what may still come, and what the clock has missed least since.
    doubt: Option<Doubt>,
    /// For how long the port was seen to be empty since the last sample.
    quiet_ns: i64,
}

#[derive(Debug, Clone, Copy)]
struct Doubt {
    since_ns: i64,
    besides: u64,
}

impl<T> Arrivals<T> {
    /// Samples that are placed so.
    #[must_use]
    pub fn new(placing: Placing) -> Self {
        Self {
            placing,
            waiting: Vec::new(),
            doubt: None,
            quiet_ns: 0,
        }
    }

    /// An earlier run came to `at`, whose last sample came at `received_ns`.
    pub fn resume(&mut self, at: u64, received_ns: i64) {
        self.placing.resume(at, received_ns);
    }

    /// The numbering begins anew with the next sample. None may be waiting.
    pub fn begin_anew(&mut self) {
        debug_assert!(self.waiting.is_empty(), "those came before");
        self.placing.begin_anew();
    }

    /// The port has been empty for so long.
    pub fn quiet(&mut self, quiet_ns: i64) {
        if self.waiting.is_empty() {
            self.quiet_ns = self.quiet_ns.max(quiet_ns);
        }
    }

    /// A sample came.
    pub fn push(&mut self, arrived: Arrived<T>) {
        self.waiting.push(arrived);
    }

    /// All has come that there was by `now_ns`: gives what is sure.
    pub fn settle(&mut self, now_ns: i64) -> Vec<(Place, Arrived<T>)> {
        let Some(missing) = self.missing() else {
            return Vec::new();
        };
        let quiet = self.placing.samples_in(self.quiet_ns);
        let is_told = missing.before.iter().any(|n| *n > 0) || self.placing.has_periods(quiet);
        let doubt = self.doubt.get_or_insert(Doubt {
            since_ns: now_ns,
            besides: u64::MAX,
        });
        doubt.since_ns = doubt.since_ns.min(now_ns);
        doubt.besides = doubt.besides.min(if is_told { missing.besides } else { 0 });
        let is_sure = !self.placing.has_periods(doubt.besides)
            || now_ns.saturating_sub(doubt.since_ns) >= CALM_NS
            || self.waiting.len() >= MOST;
        if is_sure { self.finish() } else { Vec::new() }
    }

    /// Nothing more comes: gives what waits.
    pub fn finish(&mut self) -> Vec<(Place, Arrived<T>)> {
        let Some(Missing { mut before, .. }) = self.missing() else {
            return Vec::new();
        };
        let lost: u64 = before.iter().sum();
        let n_together = lost + u64::try_from(self.waiting.len()).unwrap_or(0);
        // The first of the widest gaps.
        if let (Some(doubt), Some(widest)) = (self.doubt.take(), before.iter_mut().rev().max()) {
            *widest += doubt.besides;
        }
        self.quiet_ns = 0;
        let placing = &mut self.placing;
        let waiting = self.waiting.drain(..).zip(before);
        let placed = waiting.filter_map(|(arrived, missing)| {
            let id = Some(u64::from(arrived.id));
            let place = placing.place(id, arrived.received_ns, missing, n_together)?;
            Some((place, arrived))
        });
        placed.collect()
    }

    /// What is missing before those that wait; none where none does.
    fn missing(&self) -> Option<Missing> {
        let newest_ns = self.waiting.last()?.received_ns;
        let ids = self.waiting.iter().map(|arrived| u64::from(arrived.id));
        Some(self.placing.missing(&ids.collect::<Vec<_>>(), newest_ns))
    }
}

#[cfg(test)]
mod tests;
