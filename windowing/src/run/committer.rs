//! The thread that owns the transactions: results of all workers in, commits out.
//!
//! ```text
//! worker --results--> queue --> committer: begin, send ..., at most once per interval: commit with all positions
//!    \--state--> keeper --parts----/
//! ```
//!
//! What a worker hands over is a batch's results with the position behind that batch, so whatever lies in the queue up to some
//! place is a consistent cut. A checkpoint comes behind the results that led to it. Commits follow each other by an interval;
//! after a pause longer than that the first result is committed as soon as nothing more comes with it.
//! What when full: the queue holds [`QUEUE`] batches, then workers wait, and with them the reading.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use contract::checkpoint;
use contract::topic;
use crossbeam_channel::{Receiver, RecvTimeoutError, Sender};
use kafka_io::{KafkaError, Ticket, TransactionalProducer};

use super::Shared;
use super::outlet::{Publish, record};
use super::standing::{Identity, Standing};
use crate::dataflow::Results;
use crate::work::Work;

/// How many batches' results may wait.
pub(super) const QUEUE: usize = 8;
/// After so long, positions are committed without results, for those who watch how far the job is.
const POSITIONS: Duration = Duration::from_secs(1);
/// How often the client may report while nothing comes.
const IDLE: Duration = Duration::from_millis(50);

/// What reaches the committer.
pub(super) enum Handed<W: Work> {
    /// What a batch gave, with the positions behind it.
    Results(Results<W>),
    /// A checkpoint; all that its partition gave before it was handed over before.
    Checkpoint(Checkpoint),
}

/// The records of a checkpoint.
pub(super) struct Checkpoint {
    partition: i32,
    position: i64,
    records: Vec<(String, Vec<u8>)>,
}

/// A state on its way to become a checkpoint.
pub(super) struct Captured<W: Work> {
    pub(super) partition: i32,
    pub(super) position: i64,
    pub(super) state: W::State,
}

/// Writes states as text, on a thread of its own, so that neither workers nor the committer are held up by it.
pub(super) fn keep<W: Work>(job: &str, captured: &Receiver<Captured<W>>, to: &Sender<Handed<W>>) {
    for state in captured {
        let records = checkpoint::cut(job, state.partition, state.position, &W::text(&state.state));
        let checkpoint = Checkpoint {
            partition: state.partition,
            position: state.position,
            records,
        };
        if to.send(Handed::Checkpoint(checkpoint)).is_err() {
            return;
        }
    }
}

/// The owner of the transactions.
pub(super) struct Committer<W: Work> {
    pub(super) producer: TransactionalProducer,
    pub(super) queue: Receiver<Handed<W>>,
    pub(super) identity: Identity,
    pub(super) interval: Duration,
    pub(super) standings: BTreeMap<i32, Standing>,
    /// Whether a standing has changed since the last commit.
    pub(super) has_moved: bool,
    /// Checkpoints of the open transaction: by partition, position and first part.
    pub(super) checkpoints: BTreeMap<i32, (i64, Ticket)>,
    pub(super) shared: Arc<Shared>,
    /// Set when this ends, for whatever reason.
    pub(super) ended: Arc<AtomicBool>,
}

impl<W: Work> Drop for Committer<W> {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::Release);
    }
}

impl<W: Publish> Committer<W> {
    /// Until nobody hands anything over any more; then all of it is committed.
    pub(super) fn run(mut self) -> Result<(), KafkaError> {
        let mut last = Instant::now();
        let mut pending: Option<Instant> = None;
        loop {
            let now = Instant::now();
            let is_due = pending.is_some_and(|since| {
                let is_quiet = self.queue.is_empty() || now >= since + self.interval;
                now >= last + self.interval && is_quiet
            });
            if is_due || self.has_moved && now >= last + POSITIONS {
                last = now;
                self.commit()?;
                pending = None;
                continue;
            }
            let wait = match pending {
                Some(_) => (last + self.interval).saturating_duration_since(now),
                None => IDLE,
            };
            match self.queue.recv_timeout(wait.min(IDLE)) {
                Ok(handed) => {
                    self.take(handed)?;
                    if self.producer.is_open() {
                        pending.get_or_insert_with(Instant::now);
                    }
                }
                Err(RecvTimeoutError::Timeout) => self.producer.serve()?,
                Err(RecvTimeoutError::Disconnected) => {
                    return if self.has_moved {
                        self.commit()
                    } else {
                        Ok(())
                    };
                }
            }
        }
    }

    fn open(&mut self) -> Result<&mut TransactionalProducer, KafkaError> {
        if !self.producer.is_open() {
            self.producer.begin()?;
        }
        Ok(&mut self.producer)
    }

    fn take(&mut self, handed: Handed<W>) -> Result<(), KafkaError> {
        match handed {
            Handed::Results(mut results) => {
                W::publish(&mut results, &mut |record| self.open()?.send(record))?;
                for (partition, next) in results.next {
                    let Some(standing) = self.standings.get_mut(&partition) else {
                        continue;
                    };
                    // What is read again ends before what is committed.
                    if next >= standing.next {
                        standing.next = next;
                        self.has_moved = true;
                        let seen = results.seen.get(&partition);
                        standing.closed_ns = seen.and_then(|(closed_ns, _)| *closed_ns);
                    }
                }
            }
            Handed::Checkpoint(checkpoint) => self.send_checkpoint(&checkpoint)?,
        }
        Ok(())
    }

    fn send_checkpoint(&mut self, checkpoint: &Checkpoint) -> Result<(), KafkaError> {
        let topic = topic::CHECKPOINTS;
        let mut bytes = 0;
        for (number, (key, value)) in checkpoint.records.iter().enumerate() {
            bytes += value.len();
            let key = key.as_bytes();
            let record = record(&topic, key, value);
            if number == 0 {
                let ticket = self.open()?.send_with_ticket(record)?;
                let kept = (checkpoint.position, ticket);
                self.checkpoints.insert(checkpoint.partition, kept);
            } else {
                self.open()?.send(record)?;
            }
        }
        self.shared.delivered(|delivered| {
            delivered.checkpoints += 1;
            delivered.last_checkpoint_bytes = bytes;
        });
        Ok(())
    }

    fn commit(&mut self) -> Result<(), KafkaError> {
        let started = Instant::now();
        self.open()?.deliver()?;
        for (partition, (position, ticket)) in std::mem::take(&mut self.checkpoints) {
            if let Some(standing) = self.standings.get_mut(&partition)
                && let Some(offset) = self.producer.offset_of(ticket)
            {
                standing.from = position;
                standing.checkpoint = Some(offset);
            }
        }
        let positions: Vec<_> = self
            .standings
            .iter()
            .map(|(&partition, standing)| {
                standing.position(W::INPUT.name, partition, &self.identity)
            })
            .collect();
        self.producer.commit(&positions)?;
        self.has_moved = false;
        self.shared.delivered(|delivered| {
            delivered.commits += 1;
            delivered.last_commit = started.elapsed();
            delivered.slowest_commit = delivered.slowest_commit.max(delivered.last_commit);
            delivered.commit_times.add(delivered.last_commit);
            delivered.queued = self.queue.len();
        });
        Ok(())
    }
}
