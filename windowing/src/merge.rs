//! Partitions back into one order: by window, then pair. Pure.
//!
//! Each partition gives its windows in order; a window may go out once every partition has closed past it.

use std::collections::BTreeMap;
use std::sync::Arc;

use contract::time::NS_PER_MS;

use crate::dataflow::Results;

/// Records that wait for the slowest partition.
#[derive(Debug, Default)]
pub struct Merge {
    /// Up to where each partition has closed, nanoseconds; the end of time once it is over.
    closed_ns: BTreeMap<i32, Option<i64>>,
    waiting: BTreeMap<(i64, Arc<str>), Vec<u8>>,
}

impl Merge {
    /// Of these partitions.
    #[must_use]
    pub fn new(partitions: impl IntoIterator<Item = i32>) -> Self {
        Self {
            closed_ns: partitions
                .into_iter()
                .map(|partition| (partition, None))
                .collect(),
            waiting: BTreeMap::new(),
        }
    }

    /// Takes a batch's spreads, and gives out what no partition can come before any more.
    pub fn accept(&mut self, results: &mut Results, mut give: impl FnMut(&[u8])) {
        for (_, emitted) in results.closed.drain(..) {
            self.waiting
                .insert((emitted.start_ms, emitted.pair), emitted.line);
        }
        for (&partition, &(boundary_ns, _)) in &results.seen {
            self.closed_ns.insert(partition, boundary_ns);
        }
        for partition in results.ended.drain(..) {
            self.closed_ns.insert(partition, Some(i64::MAX));
        }
        let Some(closed_ns) = self.closed_ns.values().copied().min().flatten() else {
            return;
        };
        while let Some(entry) = self.waiting.first_entry() {
            // A window that starts before the least boundary ends at or before it: both lie on the same grid.
            if entry.key().0.saturating_mul(NS_PER_MS) >= closed_ns && closed_ns != i64::MAX {
                return;
            }
            give(&entry.remove());
        }
    }

    /// Gives out everything that still waits; for the end of a run that was interrupted.
    pub fn flush(&mut self, mut give: impl FnMut(&[u8])) {
        while let Some((_, line)) = self.waiting.pop_first() {
            give(&line);
        }
    }
}

#[cfg(test)]
mod tests {
    use contract::spread::Quality;

    use super::*;
    use crate::spread::{Counters, Emitted};

    fn results(partition: i32, windows: &[(i64, &str)], closed_ms: i64) -> Results {
        Results {
            closed: windows
                .iter()
                .map(|(start_ms, pair)| {
                    let emitted = Emitted {
                        pair: (*pair).into(),
                        start_ms: *start_ms,
                        quality: Quality::Ok,
                        line: format!("{start_ms} {pair}").into_bytes(),
                    };
                    (partition, emitted)
                })
                .collect(),
            seen: [(
                partition,
                (Some(closed_ms * NS_PER_MS), Counters::default()),
            )]
            .into(),
            ..Results::default()
        }
    }

    #[test]
    fn a_window_waits_for_the_slowest_partition_and_goes_out_by_window_then_pair() {
        let mut merge = Merge::new([0, 1]);
        let mut found = Vec::new();
        let mut take = |merge: &mut Merge, mut results: Results| {
            merge.accept(&mut results, |line| {
                found.push(String::from_utf8_lossy(line).into_owned())
            });
            found.len()
        };
        assert_eq!(
            take(
                &mut merge,
                results(1, &[(0, "B"), (10, "B"), (20, "B")], 30)
            ),
            0
        );
        assert_eq!(
            take(&mut merge, results(0, &[(0, "A"), (0, "C"), (10, "A")], 20)),
            5
        );
        let ended = Results {
            ended: vec![0],
            ..Results::default()
        };
        assert_eq!(take(&mut merge, ended), 6);
        assert_eq!(found, ["0 A", "0 B", "0 C", "10 A", "10 B", "20 B"]);
    }

    #[test]
    fn what_an_interrupted_run_leaves_can_be_given_out() {
        let mut merge = Merge::new([0, 1]);
        merge.accept(&mut results(1, &[(0, "B")], 10), |_| {
            panic!("partition 0 may still come before it")
        });
        let mut found = 0;
        merge.flush(|_| found += 1);
        assert_eq!(found, 1);
    }
}
