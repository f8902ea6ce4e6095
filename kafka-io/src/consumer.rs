//! Records out of Kafka: assigned partitions, explicit offsets, only what is committed, in batches.
//!
//! In come partitions with the offsets to start at; out go batches through a bounded channel, each as soon as nothing more
//! is there to poll, so that a lone record never waits. A full channel stops the polling. Records that should come next
//! and no longer exist end the reading with [`KafkaError::DataLost`]. A broker that is away is waited for and shown in
//! [`Consumer::state`]. Absent: consumer groups, commits to Kafka (whoever works the records off keeps the positions, in
//! [`crate::Offsets`] or elsewhere).

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender, bounded, unbounded};

use crate::batch::Batch;
use crate::config::KafkaSettings;
use crate::error::KafkaError;
use crate::gauge::Gauge;
use crate::link::{Link, LinkWatch};
use crate::watch::ConsumerWatch;

mod options;
mod prepare;
mod reader;
mod track;

pub use options::{Assignment, ConsumerOptions, Start};

/// What comes out of a consumer.
#[derive(Debug)]
pub enum Event {
    /// Records.
    Batch(Batch),
    /// Every partition has reached the offset set by [`Consumer::stop_at`]; nothing follows.
    End,
    /// Reading has ended for good; nothing follows.
    Failed(KafkaError),
}

/// What a consumer does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// It cannot read now and tries again.
    Waiting {
        /// Since when.
        since: Instant,
        /// Why.
        reason: String,
    },
    /// It reads.
    Running,
    /// It has reached the offsets set by [`Consumer::stop_at`].
    Ended,
    /// It was dropped.
    Stopped,
    /// It has failed for good.
    Failed(KafkaError),
}

/// Counts since the consumer's start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ConsumerCounts {
    /// Batches handed over.
    pub batches: u64,
    /// Records in them.
    pub records: u64,
    /// Bytes of their keys and values.
    pub bytes: u64,
    /// Records the broker sent again and that were skipped.
    pub seen_again: u64,
    /// How often the channel was full and polling stopped.
    pub full_waits: u64,
}

/// How far the reading of a partition is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lag {
    /// Topic.
    pub topic: String,
    /// Partition.
    pub partition: i32,
    /// Records not handed over yet, by statistics up to a second old; none before the first of them. While the channel is
    /// full, at least as many as wait in hand.
    pub records: Option<u64>,
    /// When the newest record that was handed over was written, milliseconds since 1970; none where none was, or where the
    /// broker does not say.
    pub newest_ms: Option<i64>,
}

impl Lag {
    /// How old, at `now_ms`, the newest record is that was handed over, where others wait behind it; 0 where none does.
    #[must_use]
    pub fn behind_ms(&self, now_ms: i64) -> Option<i64> {
        match (self.records?, self.newest_ms) {
            (0, _) => Some(0),
            (_, newest_ms) => newest_ms.map(|newest_ms| (now_ms - newest_ms).max(0)),
        }
    }
}

/// A consumer; dropping it ends its thread.
pub struct Consumer {
    events: Receiver<Event>,
    commands: Sender<Command>,
    quit: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
    assigned: BTreeSet<(String, i32)>,
    shared: Arc<Shared>,
}

/// What the reader's thread is asked for.
enum Command {
    StopAt(Vec<(String, i32, i64)>),
    StopAtEnd,
}

/// How far the reader is.
#[derive(Debug, Clone)]
enum Phase {
    Preparing { since: Instant, reason: String },
    Reading,
    Ended,
    Stopped,
    Failed(KafkaError),
}

/// What both threads see.
struct Shared {
    name: String,
    link: Arc<LinkWatch>,
    watch: Mutex<Option<Arc<ConsumerWatch>>>,
    phase: Mutex<Phase>,
    changed: Condvar,
    positions: Mutex<BTreeMap<(String, i32), i64>>,
    /// When the newest record handed over of each partition was written.
    newest_ms: Mutex<BTreeMap<(Arc<str>, i32), i64>>,
    /// Records of the batch that waits because the channel is full.
    held: Mutex<BTreeMap<(Arc<str>, i32), u64>>,
    batches: AtomicU64,
    records: AtomicU64,
    bytes: AtomicU64,
    seen_again: AtomicU64,
    full_waits: AtomicU64,
}

impl Shared {
    fn phase(&self) -> MutexGuard<'_, Phase> {
        self.phase.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn held(&self) -> MutexGuard<'_, BTreeMap<(Arc<str>, i32), u64>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn newest_ms(&self) -> MutexGuard<'_, BTreeMap<(Arc<str>, i32), i64>> {
        self.newest_ms
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn enter(&self, phase: Phase) {
        *self.phase() = phase;
        self.changed.notify_all();
    }
}

impl fmt::Debug for Consumer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Consumer")
            .field("name", &self.shared.name)
            .field("state", &self.state())
            .field("positions", &self.positions())
            .finish_non_exhaustive()
    }
}

impl Consumer {
    pub(crate) fn start(
        settings: &KafkaSettings,
        options: ConsumerOptions,
        gauge: Option<Arc<Gauge>>,
    ) -> Result<Self, KafkaError> {
        let link = Arc::new(LinkWatch::new(
            format!("consumer {}", options.name),
            &settings.brokers,
        ));
        let shared = Arc::new(Shared {
            name: options.name.clone(),
            link,
            watch: Mutex::new(None),
            phase: Mutex::new(Phase::Preparing {
                since: Instant::now(),
                reason: format!("connecting to {}", settings.brokers),
            }),
            changed: Condvar::new(),
            positions: Mutex::default(),
            newest_ms: Mutex::default(),
            held: Mutex::default(),
            batches: AtomicU64::new(0),
            records: AtomicU64::new(0),
            bytes: AtomicU64::new(0),
            seen_again: AtomicU64::new(0),
            full_waits: AtomicU64::new(0),
        });
        let (sender, events) = bounded(options.queue_batches.max(1));
        let (commands, asked) = unbounded();
        let (quit, quitting) = bounded(0);
        let assigned = options
            .assignments
            .iter()
            .map(|assignment| (assignment.topic.clone(), assignment.partition))
            .collect();
        let name = format!("{}-read", options.name);
        let ends = reader::Ends {
            events: sender,
            commands: asked,
            quit: quitting,
        };
        let reader = reader::Reader::new(settings, options, gauge, Arc::clone(&shared), ends)?;
        let thread = std::thread::Builder::new()
            .name(name.clone())
            .spawn(move || reader.run())
            .map_err(|error| KafkaError::Thread {
                name,
                reason: error.to_string(),
            })?;
        Ok(Self {
            events,
            commands,
            quit: Some(quit),
            thread: Some(thread),
            assigned,
            shared,
        })
    }

    /// What has been read; disconnected after [`Event::End`] or [`Event::Failed`]. For `select!` and iteration.
    #[must_use]
    pub fn events(&self) -> &Receiver<Event> {
        &self.events
    }

    /// The next event, if one comes within `timeout`.
    #[must_use]
    pub fn recv(&self, timeout: Duration) -> Option<Event> {
        self.events.recv_timeout(timeout).ok()
    }

    /// Ends the reading where partitions reach these offsets (topic, partition, offset of the first record not to be
    /// read). May be called at any time and again; [`Event::End`] comes once every assigned partition has a stop and has
    /// reached it. Records already handed over are not taken back.
    ///
    /// # Errors
    /// [`KafkaError::NotAssigned`]; then nothing is set.
    pub fn stop_at<'a>(
        &self,
        stops: impl IntoIterator<Item = (&'a str, i32, i64)>,
    ) -> Result<(), KafkaError> {
        let stops: Vec<(String, i32, i64)> = stops
            .into_iter()
            .map(|(topic, partition, offset)| (topic.to_owned(), partition, offset))
            .collect();
        for (topic, partition, _) in &stops {
            if !self.assigned.contains(&(topic.clone(), *partition)) {
                return Err(KafkaError::NotAssigned {
                    topic: topic.clone(),
                    partition: *partition,
                });
            }
        }
        self.ask(Command::StopAt(stops));
        Ok(())
    }

    /// Ends the reading at what is the end of each partition when the reader gets to ask for it: for reading a compacted
    /// topic as it is.
    pub fn stop_at_end(&self) {
        self.ask(Command::StopAtEnd);
    }

    fn ask(&self, command: Command) {
        if self.commands.send(command).is_err() {
            tracing::debug!(consumer = %self.shared.name, "asked to stop, has ended already");
        }
    }

    /// Waits until the partitions are found and their start offsets are settled.
    ///
    /// # Errors
    /// Why the reading failed; [`KafkaError::Away`] when `timeout` is over.
    pub fn wait_ready(&self, timeout: Duration) -> Result<(), KafkaError> {
        let since = Instant::now();
        let mut phase = self.shared.phase();
        loop {
            let reason = match &*phase {
                Phase::Failed(error) => return Err(error.clone()),
                Phase::Preparing { reason, .. } => reason.clone(),
                Phase::Reading | Phase::Ended | Phase::Stopped => return Ok(()),
            };
            let waited = since.elapsed();
            if waited >= timeout {
                return Err(KafkaError::Away {
                    what: format!("the partitions that `{}` reads", self.shared.name),
                    brokers: "the brokers".to_owned(),
                    waited,
                    reason,
                });
            }
            phase = self
                .shared
                .changed
                .wait_timeout(phase, timeout - waited)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        }
    }

    /// What it does now; right to about a second where nothing arrives.
    #[must_use]
    pub fn state(&self) -> State {
        let phase = self.shared.phase().clone();
        match phase {
            Phase::Failed(error) => State::Failed(error),
            Phase::Ended => State::Ended,
            Phase::Stopped => State::Stopped,
            Phase::Reading => match self.shared.link.get() {
                Link::Up => State::Running,
                Link::Waiting { since, reason } => State::Waiting { since, reason },
            },
            Phase::Preparing { since, reason } => State::Waiting { since, reason },
        }
    }

    /// For each partition the offset behind the last record that was handed over; empty before [`Self::wait_ready`].
    #[must_use]
    pub fn positions(&self) -> BTreeMap<(String, i32), i64> {
        self.shared
            .positions
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// How many offsets all positions together are behind the ends, by statistics that are up to a second old; none
    /// before the first of them.
    #[must_use]
    pub fn lag(&self) -> Option<u64> {
        let lags = self.lags();
        if lags.is_empty() {
            return None;
        }
        lags.iter().map(|lag| lag.records).sum()
    }

    /// The same partition by partition, and how old what was read is; empty before [`Self::wait_ready`].
    #[must_use]
    pub fn lags(&self) -> Vec<Lag> {
        let watch = self
            .shared
            .watch
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        let newest_ms = self.shared.newest_ms().clone();
        let held = self.shared.held().clone();
        let lag = |((topic, partition), next): ((String, i32), i64)| {
            let seen = watch
                .as_ref()
                .and_then(|watch| watch.seen(&topic, partition).1);
            let end = seen.map(|seen| seen.end).filter(|end| *end >= 0);
            let of = (Arc::from(topic.as_str()), partition);
            let known = end.map(|end| u64::try_from(end - next).unwrap_or(0));
            Lag {
                records: known.max(held.get(&of).copied()),
                newest_ms: newest_ms.get(&of).copied(),
                topic,
                partition,
            }
        };
        self.positions().into_iter().map(lag).collect()
    }

    /// Counts since the start.
    #[must_use]
    pub fn counts(&self) -> ConsumerCounts {
        let shared = &self.shared;
        ConsumerCounts {
            batches: shared.batches.load(Ordering::Acquire),
            records: shared.records.load(Ordering::Acquire),
            bytes: shared.bytes.load(Ordering::Acquire),
            seen_again: shared.seen_again.load(Ordering::Acquire),
            full_waits: shared.full_waits.load(Ordering::Acquire),
        }
    }
}

impl Drop for Consumer {
    fn drop(&mut self) {
        drop(self.quit.take());
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!(consumer = %self.shared.name, "the reader's thread panicked");
        }
    }
}
