//! The shell: records of a work's topic in from Kafka, what it makes of them out to it. For spreads, `ticks` in, `spreads`,
//! `ticks-late` and `dead-letters` out.
//!
//! A worker has a consumer of its own for the partitions it owns. What when full: the consumer's channel is bounded, so a
//! slow worker stops the polling; a full queue towards the broker holds up the worker. Delivery is one of two:
//!
//! - at least once (`outlet`): the log is read from where the caller says, and what it gives is written, again if it was
//!   written before;
//! - exactly once ([`ExactlyOnce`]): results and the positions they follow from go into one transaction, a few times a second;
//!   states go to `checkpoints` in such transactions now and then. A start fences its predecessor and brings back the newest
//!   checkpoint (`recovery`), reads on from there and leaves out what was committed (`hand_over`); one thread owns the
//!   transactions (`committer`).

use std::collections::BTreeMap;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use kafka_io::{Broker, Consumer, ConsumerOptions, KafkaError, Lag, ProducerOptions, Start};

mod committer;
mod exactly_once;
mod hand_over;
mod outlet;
mod recovery;
mod source;
mod standing;

pub use exactly_once::{Delivered, ExactlyOnce};
pub use outlet::{Publish, publish_dead, record};

use crate::dataflow::{self, Polled, Task};
use crate::error::WindowingError;
use crate::shard::Shard;
use crate::spread::Settings;
use crate::tally::{SharedTally, Tallied};
use crate::work::Work;
use exactly_once::Attempt;
use outlet::AtLeastOnceOutlet;
use source::KafkaSource;

/// What a crash may do to the output.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Delivery {
    /// Records may be written twice, none is lost.
    AtLeastOnce,
    /// Readers of what is committed see each record once.
    ExactlyOnce(ExactlyOnce),
}

/// How a job runs.
#[derive(Clone)]
pub struct JobOptions {
    /// Where in its topic it starts; under exactly-once only where nothing was committed before.
    pub start: Start,
    /// timely workers; no more than there are partitions are used.
    pub workers: usize,
    /// Which partitions are its own.
    pub shard: Shard,
    /// What a crash may do to the output.
    pub delivery: Delivery,
    /// Set by anybody, it stops the job without closing what the log has not closed.
    pub stop: Arc<AtomicBool>,
    /// Called once for each venue or session heard of.
    pub on_new_name: Arc<dyn Fn(&str) + Send + Sync>,
}

/// A work over a broker, ready to run.
pub struct Job<W: Work = Settings> {
    work: Arc<W>,
    broker: Broker,
    options: JobOptions,
    /// Under at-least-once; exactly-once makes its own at each attempt.
    tasks: Vec<Task<W>>,
    handle: JobHandle<W>,
}

/// What others see of a running job.
pub struct JobHandle<W: Work = Settings> {
    shared: Arc<Shared>,
    tally: SharedTally<W>,
}

impl<W: Work> Clone for JobHandle<W> {
    fn clone(&self) -> Self {
        Self {
            shared: Arc::clone(&self.shared),
            tally: self.tally.clone(),
        }
    }
}

/// How a worker's reading of the topic stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Reading {
    /// Records handed to its queue.
    pub records: u64,
    /// Batches that wait there.
    pub waiting_batches: usize,
    /// Records of its partitions not read yet, by figures up to a second old.
    pub lag: Option<u64>,
}

type Readers = Vec<(Vec<i32>, Arc<Consumer>)>;

/// What a job and its handles share.
struct Shared {
    /// Where records come from.
    topic: &'static str,
    readers: Mutex<Readers>,
    entered: Condvar,
    /// Offsets to end at, kept for readers that come later.
    ends: Mutex<Option<BTreeMap<i32, i64>>>,
    delivered: Mutex<Delivered>,
}

impl Shared {
    fn of(topic: &'static str) -> Self {
        Self {
            topic,
            readers: Mutex::default(),
            entered: Condvar::new(),
            ends: Mutex::default(),
            delivered: Mutex::default(),
        }
    }
}

impl Shared {
    fn readers(&self) -> MutexGuard<'_, Readers> {
        self.readers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn enter(&self, readers: Readers) -> Result<(), KafkaError> {
        *self.readers() = readers;
        self.entered.notify_all();
        let ends = self
            .ends
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        ends.map_or(Ok(()), |ends| self.stop_at(&ends))
    }

    fn leave(&self) {
        self.readers().clear();
    }

    fn stop_at(&self, ends: &BTreeMap<i32, i64>) -> Result<(), KafkaError> {
        for (partitions, consumer) in &*self.readers() {
            let stops = partitions.iter().filter_map(|partition| {
                ends.get(partition)
                    .map(|&end| (self.topic, *partition, end))
            });
            consumer.stop_at(stops)?;
        }
        Ok(())
    }

    fn delivered(&self, change: impl FnOnce(&mut Delivered)) {
        change(
            &mut self
                .delivered
                .lock()
                .unwrap_or_else(PoisonError::into_inner),
        );
    }
}

/// Partitions dealt out to so many workers, none of which stays without.
fn deal(partitions: &[i32], workers: usize) -> Vec<Vec<i32>> {
    let n_workers = workers.clamp(1, partitions.len().max(1));
    let mut shares = vec![Vec::new(); n_workers];
    for (&partition, worker) in partitions.iter().zip((0..n_workers).cycle()) {
        shares[worker].push(partition);
    }
    shares
}

impl<W: Publish> Job<W> {
    /// Under at-least-once connects consumers and the producer; exactly-once connects when it runs.
    ///
    /// # Errors
    /// [`KafkaError::NoTransactions`] for exactly-once on the embedded broker; [`KafkaError`] where settings are refused or
    /// threads cannot start. A broker that is away is waited for instead.
    pub fn new(work: &Arc<W>, broker: &Broker, options: &JobOptions) -> Result<Self, KafkaError> {
        let mut job = Self {
            work: Arc::clone(work),
            broker: broker.clone(),
            options: options.clone(),
            tasks: Vec::new(),
            handle: JobHandle {
                shared: Arc::new(Shared::of(W::INPUT.name)),
                tally: SharedTally::default(),
            },
        };
        match options.delivery {
            Delivery::AtLeastOnce => job.connect()?,
            Delivery::ExactlyOnce(_) if !broker.supports_transactions() => {
                return Err(KafkaError::NoTransactions);
            }
            Delivery::ExactlyOnce(_) => broker.check_settings()?,
        }
        Ok(job)
    }

    fn connect(&mut self) -> Result<(), KafkaError> {
        let Self {
            broker, options, ..
        } = self;
        let producer = broker.producer(ProducerOptions::new(W::NAME).stop(&options.stop))?;
        let mut readers = Vec::new();
        let shares = deal(&options.shard.partitions(&W::INPUT), options.workers);
        for (worker, partitions) in shares.into_iter().enumerate() {
            let mut wanted = ConsumerOptions::new(format!("{}-{worker}", W::NAME));
            for &partition in &partitions {
                wanted = wanted.partition(W::INPUT.name, partition, options.start);
            }
            let consumer = Arc::new(broker.consumer(wanted)?);
            readers.push((partitions.clone(), Arc::clone(&consumer)));
            self.tasks.push(Task {
                partitions,
                source: Box::new(KafkaSource {
                    consumer,
                    stops: vec![Arc::clone(&options.stop)],
                    at_end: Polled::End,
                    restored: Vec::new(),
                    again_to: BTreeMap::new(),
                    held: Vec::new(),
                }),
                outlet: Box::new(Tallied::new(
                    AtLeastOnceOutlet(producer.clone()),
                    &self.handle.tally,
                    Arc::clone(&options.on_new_name),
                )),
            });
        }
        self.handle.shared.enter(readers)
    }

    /// What others may look at and steer while it runs.
    #[must_use]
    pub fn handle(&self) -> JobHandle<W> {
        self.handle.clone()
    }

    /// Runs until the stop flag is set, or until the offsets of [`JobHandle::finish_at`] are reached.
    ///
    /// # Errors
    /// As [`dataflow::run`]; under exactly-once [`WindowingError::Kafka`] with [`KafkaError::Fenced`] when another process
    /// has taken over, and what keeps it from going on from what was committed.
    pub fn run(self) -> Result<W::Seen, WindowingError> {
        match &self.options.delivery {
            Delivery::AtLeastOnce => dataflow::run(&self.work, self.tasks),
            Delivery::ExactlyOnce(exactly) => Attempt {
                work: &self.work,
                broker: &self.broker,
                options: &self.options,
                exactly,
                tally: &self.handle.tally,
                shared: &self.handle.shared,
            }
            .run(),
        }
    }
}

impl<W: Work> JobHandle<W> {
    /// Takes these offsets (the first not to be read, by partition of the topic) for the end of the input: at least once then
    /// closes what is open; exactly once leaves it open, for the log goes on.
    ///
    /// # Errors
    /// [`KafkaError::NotAssigned`] for a partition that is none of the topic's.
    pub fn finish_at(&self, ends: &BTreeMap<i32, i64>) -> Result<(), KafkaError> {
        let shared = &self.shared;
        *shared.ends.lock().unwrap_or_else(PoisonError::into_inner) = Some(ends.clone());
        shared.stop_at(ends)
    }

    /// Waits until the readers have found their partitions and settled where they start.
    ///
    /// # Errors
    /// [`KafkaError`] where they cannot within `timeout`.
    pub fn wait_ready(&self, timeout: Duration) -> Result<(), KafkaError> {
        let since = Instant::now();
        let (readers, _) = self
            .shared
            .entered
            .wait_timeout_while(self.shared.readers(), timeout, |readers| readers.is_empty())
            .unwrap_or_else(PoisonError::into_inner);
        if readers.is_empty() {
            return Err(KafkaError::Away {
                what: "a place to go on from".to_owned(),
                brokers: "the brokers".to_owned(),
                waited: since.elapsed(),
                reason: "still taking over".to_owned(),
            });
        }
        let readers = readers.clone();
        readers.iter().try_for_each(|(_, consumer)| {
            consumer.wait_ready(timeout.saturating_sub(since.elapsed()))
        })
    }

    /// What it gave so far.
    #[must_use]
    pub fn tally(&self) -> W::Tally {
        self.tally.get()
    }

    /// What exactly-once has done so far.
    #[must_use]
    pub fn delivered(&self) -> Delivered {
        *self
            .shared
            .delivered
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Records of the topic not read yet, by figures up to a second old.
    #[must_use]
    pub fn lag(&self) -> Option<u64> {
        let readers = self.shared.readers();
        if readers.is_empty() {
            return None;
        }
        readers.iter().map(|(_, consumer)| consumer.lag()).sum()
    }

    /// How far each partition of the topic is read; empty while the job takes over.
    #[must_use]
    pub fn lags(&self) -> Vec<Lag> {
        let readers = self.shared.readers();
        readers
            .iter()
            .flat_map(|(_, consumer)| consumer.lags())
            .collect()
    }

    /// What each worker has read of the topic since the reading began, the last time that it did; empty while the job takes over.
    #[must_use]
    pub fn reading(&self) -> Vec<Reading> {
        let readers = self.shared.readers();
        let readers = readers.iter().map(|(_, consumer)| Reading {
            records: consumer.counts().records,
            waiting_batches: consumer.events().len(),
            lag: consumer.lag(),
        });
        readers.collect()
    }

    /// Why it cannot read, if it cannot.
    #[must_use]
    pub fn waiting(&self) -> Option<String> {
        let readers = self.shared.readers();
        readers
            .iter()
            .find_map(|(_, consumer)| match consumer.state() {
                kafka_io::State::Waiting { reason, .. } => Some(reason),
                _ => None,
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn partitions_are_dealt_out_so_that_no_worker_stays_without() {
        assert_eq!(deal(&[0, 2, 4], 2), [vec![0, 4], vec![2]]);
        assert_eq!(deal(&[1], 8), [vec![1]]);
        assert_eq!(deal(&[0, 1, 2], 0), [vec![0, 1, 2]]);
    }
}
