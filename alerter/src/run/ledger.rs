//! Where records of `alerts` and positions are kept: on a cluster in transactions, so that of two alerters one is told.
//!
//! ```text
//! records, positions --> queue --> thread: begin, send ..., commit --> delivered
//! ```
//!
//! Of two processes with one `transactional.id` the later fences the earlier, whose records nobody sees from then on. As a
//! request is made only behind a transaction of its own, committed a moment ago, the earlier sends nothing any more, not even
//! when it wakes up after minutes; what it sent last stands on `alerts` before its successor reads that. A fenced process whom nobody has succeeded was only away for longer than a transaction
//! may last, and goes on. The embedded broker isolates nothing and serves one process: there records go out as they come.
//! What when full: the queue holds [`QUEUE`] entries, then the stage waits.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use contract::topic;
use crossbeam_channel::{Receiver, RecvTimeoutError, SendTimeoutError, Sender, bounded};
use kafka_io::{Broker, KafkaError, Position, Record, TransactionOptions, TransactionalProducer};

use super::GROUP;
use crate::episode::{Input, Positions};
use crate::error::AlerterError;
use crate::outbox::Outgoing;

const NAME: &str = "alert-ledger";
const QUEUE: usize = 4_096;
/// How often the client may report while nothing comes, and a stop is looked for.
const IDLE: Duration = Duration::from_millis(50);
/// After so long without a commit the brokers abort what is open; it is open for milliseconds.
const TIMEOUT: Duration = Duration::from_secs(10);
/// How long a fenced process waits for its successor to say that it has taken over.
const SUCCESSION: Duration = Duration::from_secs(2);

/// For how long a commit says that nobody has taken over.
const FRESH: Duration = Duration::from_secs(2);

enum Entry {
    Record(Outgoing),
    Positions(Positions),
}

/// The thread that keeps them.
pub(super) struct Ledger {
    entries: Option<Sender<Entry>>,
    result: Receiver<Result<(), KafkaError>>,
    delivered: Arc<AtomicU64>,
    stop: Arc<AtomicBool>,
    /// Ends the thread's waits. Not the stage's own stop, behind which the last entries are still to be kept.
    halt: Arc<AtomicBool>,
    last: Positions,
    opened: Instant,
    /// When the last transaction that was committed began, milliseconds from `opened`.
    sure_ms: Arc<AtomicU64>,
}

impl Ledger {
    /// Takes over: whoever had it before keeps nothing more. Gives also what is committed. A broker that is away is waited
    /// for; none when the stop flag was set meanwhile.
    pub(super) fn open(
        broker: &Broker,
        stop: &Arc<AtomicBool>,
    ) -> Result<Option<(Self, Positions)>, AlerterError> {
        let (entries, queue) = bounded(QUEUE);
        let (end, result) = bounded(1);
        let (open, opened) = bounded(1);
        let (delivered, halt) = (Arc::<AtomicU64>::default(), Arc::<AtomicBool>::default());
        let (since, sure_ms) = (Instant::now(), Arc::<AtomicU64>::default());
        let mut keeper = Keeper {
            broker: broker.clone(),
            run: format!("{:016x}", RandomState::new().hash_one(std::process::id())),
            predecessors: BTreeSet::new(),
            delivered: Arc::clone(&delivered),
            halt: Arc::clone(&halt),
            since,
            sure_ms: Arc::clone(&sure_ms),
        };
        std::thread::Builder::new()
            .name(NAME.to_owned())
            .spawn(move || {
                let kept = keeper.take_over().and_then(|(producer, committed)| {
                    // Nobody waits any more when the stage was stopped.
                    let _ = open.try_send(committed);
                    keeper.keep(producer, &queue)
                });
                drop(queue);
                let _ = end.try_send(kept);
            })
            .map_err(|source| AlerterError::Thread { name: NAME, source })?;
        let ledger = Self {
            entries: Some(entries),
            result,
            delivered,
            stop: Arc::clone(stop),
            halt,
            last: Positions::new(),
            opened: since,
            sure_ms,
        };
        loop {
            match opened.recv_timeout(IDLE) {
                Ok(committed) => return Ok(Some((ledger, committed))),
                Err(RecvTimeoutError::Disconnected) => return Err(ledger.why()),
                Err(RecvTimeoutError::Timeout) if stop.load(Ordering::Acquire) => return Ok(None),
                Err(RecvTimeoutError::Timeout) => {}
            }
        }
    }

    /// Hands a record over; see [`Self::delivered`].
    pub(super) fn send(&self, record: Outgoing) -> Result<(), AlerterError> {
        self.hand_over(Entry::Record(record))
    }

    /// Hands positions over, unless the last ones were the same; whether they were not.
    pub(super) fn commit(&mut self, positions: Positions) -> Result<bool, AlerterError> {
        if positions == self.last {
            return Ok(false);
        }
        self.last.clone_from(&positions);
        self.hand_over(Entry::Positions(positions)).map(|()| true)
    }

    /// Asks for a transaction that finds out whether somebody has taken over.
    pub(super) fn confirm(&self) -> Result<(), AlerterError> {
        self.hand_over(Entry::Positions(self.last.clone()))
    }

    /// Whether nobody had taken over a moment ago.
    pub(super) fn is_fresh(&self) -> bool {
        let sure = Duration::from_millis(self.sure_ms.load(Ordering::Acquire));
        self.opened.elapsed() < sure + FRESH
    }

    /// How much of what was handed over is committed.
    pub(super) fn delivered(&self) -> Result<u64, AlerterError> {
        match self.result.try_recv() {
            Ok(Err(error)) => Err(AlerterError::Write(error)),
            _ => Ok(self.delivered.load(Ordering::Acquire)),
        }
    }

    /// Keeps the last positions, and waits until all is kept.
    pub(super) fn finish(
        mut self,
        positions: Positions,
        timeout: Duration,
    ) -> Result<(), AlerterError> {
        self.commit(positions)?;
        self.entries = None;
        let result = self.result.recv_timeout(timeout);
        let away = Err(KafkaError::Stopped(
            "waiting for the last alerts to be kept",
        ));
        result.unwrap_or(away).map_err(AlerterError::Write)
    }

    fn hand_over(&self, entry: Entry) -> Result<(), AlerterError> {
        let Some(entries) = &self.entries else {
            return Ok(());
        };
        let mut next = entry;
        loop {
            next = match entries.send_timeout(next, IDLE) {
                Ok(()) => return Ok(()),
                Err(SendTimeoutError::Disconnected(_)) => return Err(self.why()),
                Err(SendTimeoutError::Timeout(_)) if self.stop.load(Ordering::Acquire) => {
                    let doing = "waiting for alerts to be kept";
                    return Err(AlerterError::Write(KafkaError::Stopped(doing)));
                }
                Err(SendTimeoutError::Timeout(entry)) => entry,
            }
        }
    }

    /// Why the thread has ended.
    fn why(&self) -> AlerterError {
        let ended = KafkaError::Fatal {
            reason: "the thread that keeps alerts ended".to_owned(),
        };
        match self.result.recv_timeout(TIMEOUT) {
            Ok(Err(error)) => AlerterError::Write(error),
            _ => AlerterError::Write(ended),
        }
    }
}

impl Drop for Ledger {
    fn drop(&mut self) {
        self.halt.store(true, Ordering::Release);
    }
}

/// What the thread works with.
struct Keeper {
    broker: Broker,
    /// Which run this is: it stands beside the positions, by which a fenced process tells a successor from a time-out.
    run: String,
    predecessors: BTreeSet<String>,
    delivered: Arc<AtomicU64>,
    halt: Arc<AtomicBool>,
    since: Instant,
    sure_ms: Arc<AtomicU64>,
}

impl Keeper {
    fn producer(&self) -> Result<TransactionalProducer, KafkaError> {
        self.broker.transactional_producer(TransactionOptions {
            name: "alert".to_owned(),
            id: GROUP.to_owned(),
            group: GROUP.to_owned(),
            timeout: TIMEOUT,
            stop: Arc::clone(&self.halt),
        })
    }

    fn take_over(&mut self) -> Result<(TransactionalProducer, Positions), KafkaError> {
        let producer = self.producer()?;
        let mut committed = Positions::new();
        for input in [Input::Spreads, Input::Venues] {
            let topic = input.topic();
            let partitions: Vec<i32> = (0..topic.partitions).collect();
            for (partition, position) in producer.committed(topic.name, &partitions)? {
                committed.insert((input, partition), position.next);
                self.predecessors.insert(position.note);
            }
        }
        Ok((producer, committed))
    }

    /// Until nobody hands anything over any more; then all of it is kept.
    fn keep(
        &self,
        mut producer: TransactionalProducer,
        queue: &Receiver<Entry>,
    ) -> Result<(), KafkaError> {
        // How much was kept when the client last gave up: twice without anything in between is an end.
        let mut gave_up_at = None;
        loop {
            let first = match queue.recv_timeout(IDLE) {
                Ok(first) => first,
                Err(RecvTimeoutError::Timeout) if self.halt.load(Ordering::Acquire) => {
                    return Err(KafkaError::Stopped("keeping alerts"));
                }
                Err(RecvTimeoutError::Timeout) => {
                    // Fenced while nothing is to be kept: the next transaction finds out.
                    let _ = producer.serve();
                    continue;
                }
                Err(RecvTimeoutError::Disconnected) => return Ok(()),
            };
            let (mut records, mut positions) = (Vec::new(), None);
            let mut n = 0;
            for entry in std::iter::once(first).chain(queue.try_iter().take(QUEUE)) {
                n += 1;
                match entry {
                    Entry::Record(record) => records.push(record),
                    Entry::Positions(newer) => positions = Some(newer),
                }
            }
            let positions = positions.map(|positions| self.noted(&positions));
            let positions = positions.unwrap_or_default();
            let mut begun = self.since.elapsed();
            while let Err(error) = transact(&mut producer, &records, &positions) {
                if matches!(error, KafkaError::Fatal { .. }) {
                    let kept = Some(self.delivered.load(Ordering::Acquire));
                    if std::mem::replace(&mut gave_up_at, kept) == kept {
                        return Err(error);
                    }
                }
                producer = self.again(producer, error)?;
                begun = self.since.elapsed();
            }
            let sure_ms = u64::try_from(begun.as_millis()).unwrap_or(u64::MAX);
            self.sure_ms.store(sure_ms, Ordering::Release);
            self.delivered.fetch_add(n, Ordering::AcqRel);
        }
    }

    /// A producer to try again with, where that helps.
    fn again(
        &self,
        mut producer: TransactionalProducer,
        error: KafkaError,
    ) -> Result<TransactionalProducer, KafkaError> {
        let is_failed = matches!(error, KafkaError::MustAbort { .. });
        let error = match is_failed.then(|| producer.abort()) {
            Some(Ok(())) => {
                tracing::warn!(%error, "alerts are not kept yet; it is tried again");
                return Ok(producer);
            }
            Some(Err(error)) => error,
            None => error,
        };
        match &error {
            // An abort that fails likewise, and a client that gives up: with brokers that die they do. A new one is needed.
            KafkaError::MustAbort { .. } | KafkaError::Fatal { .. } => {}
            KafkaError::Fenced { .. } => {
                let (_keep, never) = bounded::<()>(0);
                let _ = never.recv_timeout(SUCCESSION);
            }
            _ => return Err(error),
        }
        if self.has_successor() {
            return Err(match error {
                fenced @ KafkaError::Fenced { .. } => fenced,
                other => KafkaError::Fenced {
                    id: GROUP.to_owned(),
                    reason: other.to_string(),
                },
            });
        }
        tracing::warn!(%error, "nobody has taken over: going on");
        drop(producer);
        self.producer()
    }

    /// Whether another run has taken over; yes, if that cannot be found out.
    fn has_successor(&self) -> bool {
        let topic = topic::SPREADS;
        let partitions: Vec<i32> = (0..topic.partitions).collect();
        let committed = self
            .broker
            .committed(GROUP, topic.name, &partitions, &self.halt);
        let is_known = |note: &String| *note == self.run || self.predecessors.contains(note);
        committed.map_or(true, |committed: BTreeMap<i32, Position>| {
            !committed.values().all(|position| is_known(&position.note))
        })
    }

    fn noted(&self, positions: &Positions) -> Vec<Position> {
        let position = |((input, partition), next): (&(Input, i32), &i64)| Position {
            topic: input.topic().name.to_owned(),
            partition: *partition,
            next: *next,
            note: self.run.clone(),
        };
        positions.iter().map(position).collect()
    }
}

/// All of it in one transaction.
fn transact(
    producer: &mut TransactionalProducer,
    records: &[Outgoing],
    positions: &[Position],
) -> Result<(), KafkaError> {
    producer.begin()?;
    for record in records {
        let key = record.key.as_bytes();
        let partition = topic::ALERTS.partition_of(key);
        producer.send(Record::new(
            topic::ALERTS.name,
            partition,
            key,
            &record.line,
        ))?;
    }
    producer.commit(positions)
}
