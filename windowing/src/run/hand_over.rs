//! A worker's outlet under exactly-once: what was committed before is left out, the rest goes to the committer.

use std::collections::BTreeMap;
use std::mem;
use std::time::{Duration, Instant};

use crossbeam_channel::Sender;

use super::committer::{Captured, Handed};
use crate::dataflow::{BoxError, Outlet, Results};
use crate::error::WindowingError;
use crate::work::Work;

/// The committer is gone; its own error says why.
#[derive(Debug, thiserror::Error)]
#[error("the transactions have ended")]
pub(super) struct CommitterEnded;

/// Hands results to the committer, and now and then a state to be kept.
pub(super) struct HandOver<W: Work> {
    to: Sender<Handed<W>>,
    keeper: Sender<Captured<W>>,
    interval: Duration,
    /// When each partition's next checkpoint is due.
    due: BTreeMap<i32, Instant>,
    /// Behind what was handed over of each partition, and where its newest checkpoint is.
    at: BTreeMap<i32, i64>,
    kept: BTreeMap<i32, i64>,
}

impl<W: Work> HandOver<W> {
    /// Checkpoints of the partitions are spread over the interval.
    pub(super) fn new(
        to: Sender<Handed<W>>,
        keeper: Sender<Captured<W>>,
        partitions: &[i32],
        interval: Duration,
        now: Instant,
    ) -> Self {
        let n = u32::try_from(partitions.len().max(1)).unwrap_or(u32::MAX);
        let due = partitions
            .iter()
            .zip(1_u32..)
            .map(|(&partition, place)| (partition, now + interval / n * place))
            .collect();
        Self {
            to,
            keeper,
            interval,
            due,
            at: BTreeMap::new(),
            kept: BTreeMap::new(),
        }
    }
}

impl<W: Work> Outlet<W> for HandOver<W> {
    fn accept(&mut self, results: &mut Results<W>) -> Result<(), BoxError> {
        let states = mem::take(&mut results.states);
        self.at.extend(&results.next);
        self.to
            .send(Handed::Results(mem::take(results)))
            .map_err(|_| CommitterEnded)?;
        // After the results, which the state presupposes.
        for (partition, state) in states {
            let Some(&position) = self.at.get(&partition) else {
                continue;
            };
            let captured = Captured {
                partition,
                position,
                state,
            };
            // Where the keeper is busy, the next batch's state will do.
            if self.keeper.try_send(captured).is_ok() {
                self.due.insert(partition, Instant::now() + self.interval);
                self.kept.insert(partition, position);
            }
        }
        Ok(())
    }

    fn wants_state(&mut self, partition: i32) -> bool {
        let due = self.due.get(&partition);
        due.is_some_and(|due| Instant::now() >= *due)
    }

    /// A partition that has become quiet has its last checkpoint before its last records; those may be deleted while it is quiet,
    /// and then nobody could go on from there.
    fn wants_look(&mut self) -> Vec<i32> {
        let moved = self.at.iter();
        let moved: Vec<i32> = moved
            .filter(|(partition, at)| self.kept.get(partition) != Some(at))
            .map(|(&partition, _)| partition)
            .collect();
        moved
            .into_iter()
            .filter(|&partition| Outlet::<W>::wants_state(self, partition))
            .collect()
    }

    fn finish(&mut self) -> Result<(), BoxError> {
        Ok(())
    }
}

/// Leaves out what partitions give while they are read again, and holds them to what was committed.
pub(super) struct ReadAgain<O> {
    pub(super) inner: O,
    /// By partition, the committed position and up to where windows were closed there.
    pub(super) to: BTreeMap<i32, (i64, Option<i64>)>,
    /// Since when.
    pub(super) since: Instant,
}

impl<O: Outlet<W>, W: Work> Outlet<W> for ReadAgain<O> {
    fn accept(&mut self, results: &mut Results<W>) -> Result<(), BoxError> {
        if !self.to.is_empty() {
            let again = |partition: &i32| {
                let reached = results.next.get(partition);
                let committed = self.to.get(partition);
                reached
                    .zip(committed)
                    .is_some_and(|(reached, (to, _))| reached <= to)
            };
            results.closed.retain(|(partition, _)| !again(partition));
            results.side.retain(|(partition, _)| !again(partition));
            for (&partition, &reached) in &results.next {
                let Some(&(to, committed_ns)) = self.to.get(&partition) else {
                    continue;
                };
                let found_ns = results
                    .seen
                    .get(&partition)
                    .and_then(|(closed_ns, _)| *closed_ns);
                if reached == to && found_ns != committed_ns {
                    return Err(Box::new(WindowingError::Diverged {
                        topic: W::INPUT.name,
                        partition,
                        next: to,
                        committed_ns,
                        found_ns,
                    }));
                }
                if reached >= to {
                    self.to.remove(&partition);
                    tracing::debug!(partition, offset = to, "read again");
                }
            }
            if self.to.is_empty() {
                let took_ms = self.since.elapsed().as_millis();
                tracing::info!(%took_ms, "read again up to what was committed");
            }
        }
        self.inner.accept(results)
    }

    fn wants_state(&mut self, partition: i32) -> bool {
        !self.to.contains_key(&partition) && self.inner.wants_state(partition)
    }

    fn wants_look(&mut self) -> Vec<i32> {
        let mut wanted = self.inner.wants_look();
        wanted.retain(|partition| !self.to.contains_key(partition));
        wanted
    }

    fn finish(&mut self) -> Result<(), BoxError> {
        self.inner.finish()
    }
}

#[cfg(test)]
mod tests {
    use contract::spread::Quality;

    use super::*;
    use crate::spread::{Counters, Emitted};

    struct Count(usize);

    impl Outlet for Count {
        fn accept(&mut self, results: &mut Results) -> Result<(), BoxError> {
            self.0 += results.closed.len();
            Ok(())
        }

        fn wants_state(&mut self, _: i32) -> bool {
            true
        }

        fn finish(&mut self) -> Result<(), BoxError> {
            Ok(())
        }
    }

    fn batch(next: i64, closed_ns: i64) -> Results {
        let emitted = |partition| {
            let emitted = Emitted {
                pair: "A-USD".into(),
                start_ms: 0,
                quality: Quality::Ok,
                line: Vec::new(),
            };
            (partition, emitted)
        };
        Results {
            closed: vec![emitted(0), emitted(1)],
            next: [(0, next), (1, next)].into(),
            seen: [0, 1]
                .map(|partition| (partition, (Some(closed_ns), Counters::default())))
                .into(),
            ..Results::default()
        }
    }

    #[test]
    fn what_is_read_again_is_left_out_until_its_position_and_nothing_after_it() {
        let mut outlet = ReadAgain {
            inner: Count(0),
            to: [(1, (20, Some(5)))].into(),
            since: Instant::now(),
        };
        outlet.accept(&mut batch(10, 3)).unwrap();
        assert_eq!(outlet.inner.0, 1, "partition 0 is new");
        assert!(outlet.wants_state(0) && !outlet.wants_state(1));
        outlet.accept(&mut batch(20, 5)).unwrap();
        assert_eq!(outlet.inner.0, 2);
        assert!(outlet.wants_state(1));
        outlet.accept(&mut batch(30, 7)).unwrap();
        assert_eq!(outlet.inner.0, 4);
    }

    #[test]
    fn other_windows_than_were_committed_stop_it() {
        let mut outlet = ReadAgain {
            inner: Count(0),
            to: [(1, (20, Some(5)))].into(),
            since: Instant::now(),
        };
        let stopped = outlet.accept(&mut batch(20, 6)).unwrap_err().to_string();
        assert!(stopped.contains("--from-start"), "{stopped}");
        assert_eq!(outlet.inner.0, 0);
    }

    #[test]
    fn a_partition_that_has_become_quiet_gets_a_checkpoint_and_then_none_until_it_moves() {
        let (to, handed) = crossbeam_channel::unbounded();
        let (keeper, captured) = crossbeam_channel::bounded(8);
        let interval = Duration::ZERO;
        let mut outlet: HandOver<crate::spread::Settings> =
            HandOver::new(to, keeper, &[0, 1], interval, Instant::now());
        assert!(outlet.wants_look().is_empty(), "nothing has come yet");
        outlet.accept(&mut batch(10, 3)).unwrap();
        assert_eq!(outlet.wants_look(), [0, 1]);
        let partition = crate::lines::Partition::new(std::sync::Arc::default(), 0).unwrap();
        let (_, machine) = partition.into_parts();
        let state = crate::spread::Settings::state(&machine);
        let mut looked = Results {
            states: [(1, state)].into(),
            ..Results::default()
        };
        outlet.accept(&mut looked).unwrap();
        assert_eq!(handed.len(), 2);
        let kept = captured.try_recv().unwrap();
        assert_eq!((kept.partition, kept.position), (1, 10));
        assert_eq!(outlet.wants_look(), [0], "1 has not moved since");
        outlet.accept(&mut batch(11, 3)).unwrap();
        assert_eq!(outlet.wants_look(), [0, 1]);
        let mut again = ReadAgain {
            inner: outlet,
            to: [(0, (20, Some(5)))].into(),
            since: Instant::now(),
        };
        assert_eq!(again.wants_look(), [1], "0 is still read again");
    }
}
