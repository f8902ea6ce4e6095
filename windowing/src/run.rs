//! The shell: `ticks` in from Kafka, `spreads`, `ticks-late` and `dead-letters` out to it.
//!
//! A worker has a consumer of its own for the partitions it owns and shares the producer. What when full: the consumer's
//! channel is bounded, so a slow worker stops the polling; a full producer queue holds up the worker. Delivery is at least
//! once: the log is read from where the caller says, and what it gives is written, again if it was written before.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use contract::topic;
use kafka_io::{
    Broker, Consumer, ConsumerOptions, Event, KafkaError, Producer, ProducerOptions, Record, Start,
};

use crate::dataflow::{self, BoxError, Outlet, Polled, Results, Source, Task};
use crate::error::WindowingError;
use crate::spread::{Counters, Input, Settings, Side};
use crate::tally::{SharedTally, Tallied};

/// How long a poll waits for records before it looks at the stop flag.
const POLL: Duration = Duration::from_millis(100);
/// How long the end of a job waits for its last records to be acknowledged.
const FLUSH: Duration = Duration::from_secs(60);

/// How a job runs.
#[derive(Clone)]
pub struct JobOptions {
    /// Where in `ticks` it starts.
    pub start: Start,
    /// timely workers; no more than there are partitions are used.
    pub workers: usize,
    /// Set by anybody, it stops the job without closing what the log has not closed.
    pub stop: Arc<AtomicBool>,
    /// Called once for each venue heard of.
    pub on_new_venue: Arc<dyn Fn(&str) + Send + Sync>,
}

/// `ticks` to `spreads`, ready to run.
pub struct Job {
    settings: Settings,
    tasks: Vec<Task>,
    handle: JobHandle,
}

/// What others see of a running job.
#[derive(Clone)]
pub struct JobHandle {
    consumers: Vec<(Vec<i32>, Arc<Consumer>)>,
    tally: SharedTally,
}

impl Job {
    /// Connects consumers and the producer.
    ///
    /// # Errors
    /// [`KafkaError`] where settings are refused or threads cannot start. A broker that is away is waited for instead.
    pub fn new(
        settings: &Settings,
        broker: &Broker,
        options: &JobOptions,
    ) -> Result<Self, KafkaError> {
        let producer = broker.producer(ProducerOptions::new("window").stop(&options.stop))?;
        let n_workers = options
            .workers
            .clamp(1, topic::TICKS.partition_count().max(1));
        let tally = SharedTally::default();
        let mut tasks = Vec::new();
        let mut consumers = Vec::new();
        for worker in 0..n_workers {
            let partitions: Vec<i32> = (0..topic::TICKS.partitions)
                .zip((0..n_workers).cycle())
                .filter(|(_, owner)| *owner == worker)
                .map(|(partition, _)| partition)
                .collect();
            let mut wanted = ConsumerOptions::new(format!("window-{worker}"));
            for &partition in &partitions {
                wanted = wanted.partition(topic::TICKS.name, partition, options.start);
            }
            let consumer = Arc::new(broker.consumer(wanted)?);
            consumers.push((partitions.clone(), Arc::clone(&consumer)));
            let outlet = KafkaOutlet {
                producer: producer.clone(),
            };
            tasks.push(Task {
                partitions,
                source: Box::new(KafkaSource {
                    consumer,
                    stop: Arc::clone(&options.stop),
                }),
                outlet: Box::new(Tallied::new(
                    outlet,
                    &tally,
                    Arc::clone(&options.on_new_venue),
                )),
            });
        }
        Ok(Self {
            settings: settings.clone(),
            tasks,
            handle: JobHandle { consumers, tally },
        })
    }

    /// What others may look at and steer while it runs.
    #[must_use]
    pub fn handle(&self) -> JobHandle {
        self.handle.clone()
    }

    /// Runs until the stop flag is set, or until the offsets of [`JobHandle::finish_at`] are reached.
    ///
    /// # Errors
    /// As [`dataflow::run`].
    pub fn run(self) -> Result<Counters, WindowingError> {
        dataflow::run(&self.settings, self.tasks)
    }
}

impl JobHandle {
    /// Takes these offsets (the first not to be read, by partition of `ticks`) for the end of the input.
    ///
    /// # Errors
    /// [`KafkaError::NotAssigned`] for a partition that is none of `ticks`.
    pub fn finish_at(&self, ends: &BTreeMap<i32, i64>) -> Result<(), KafkaError> {
        for (partitions, consumer) in &self.consumers {
            let stops = partitions.iter().filter_map(|partition| {
                ends.get(partition)
                    .map(|&end| (topic::TICKS.name, *partition, end))
            });
            consumer.stop_at(stops)?;
        }
        Ok(())
    }

    /// Waits until the readers have found their partitions and settled where they start.
    ///
    /// # Errors
    /// [`KafkaError`] where they cannot within `timeout`.
    pub fn wait_ready(&self, timeout: Duration) -> Result<(), KafkaError> {
        self.consumers
            .iter()
            .try_for_each(|(_, consumer)| consumer.wait_ready(timeout))
    }

    /// What it gave so far.
    #[must_use]
    pub fn tally(&self) -> crate::tally::Tally {
        self.tally.get()
    }

    /// Records of `ticks` not read yet, by figures up to a second old.
    #[must_use]
    pub fn lag(&self) -> Option<u64> {
        self.consumers
            .iter()
            .map(|(_, consumer)| consumer.lag())
            .sum()
    }

    /// Why it cannot read, if it cannot.
    #[must_use]
    pub fn waiting(&self) -> Option<String> {
        self.consumers
            .iter()
            .find_map(|(_, consumer)| match consumer.state() {
                kafka_io::State::Waiting { reason, .. } => Some(reason),
                _ => None,
            })
    }
}

struct KafkaSource {
    consumer: Arc<Consumer>,
    stop: Arc<AtomicBool>,
}

impl Source for KafkaSource {
    fn poll(&mut self, batch: &mut Vec<(i32, Input)>) -> Result<Polled, BoxError> {
        if self.stop.load(Ordering::Relaxed) {
            return Ok(Polled::Stop);
        }
        match self.consumer.recv(POLL) {
            Some(Event::Batch(records)) => {
                batch.extend(records.messages().map(|message| {
                    let input = Input {
                        offset: message.offset,
                        bytes: message.value.unwrap_or_default().to_vec(),
                    };
                    (message.partition, input)
                }));
                Ok(Polled::More)
            }
            Some(Event::End) => Ok(Polled::End),
            Some(Event::Failed(error)) => Err(Box::new(error)),
            None => Ok(Polled::More),
        }
    }
}

struct KafkaOutlet {
    producer: Producer,
}

impl Outlet for KafkaOutlet {
    fn accept(&mut self, results: &mut Results) -> Result<(), BoxError> {
        for (_, emitted) in results.spreads.drain(..) {
            let key = emitted.pair.as_bytes();
            let partition = topic::SPREADS.partition_of(key);
            self.producer.send(Record::new(
                topic::SPREADS.name,
                partition,
                key,
                &emitted.line,
            ))?;
        }
        for (_, side) in results.side.drain(..) {
            match side {
                Side::Late { pair, line } => {
                    let key = pair.as_bytes();
                    let partition = topic::TICKS_LATE.partition_of(key);
                    self.producer.send(Record::new(
                        topic::TICKS_LATE.name,
                        partition,
                        key,
                        &line,
                    ))?;
                }
                Side::Dead(letter) => {
                    let key = letter.topic.clone();
                    let (bytes, headers) = letter.into_record();
                    let headers: Vec<(&str, &[u8])> = headers
                        .iter()
                        .map(|(name, value)| (*name, value.as_bytes()))
                        .collect();
                    let partition = topic::DEAD_LETTERS.partition_of(key.as_bytes());
                    let record =
                        Record::new(topic::DEAD_LETTERS.name, partition, key.as_bytes(), &bytes);
                    self.producer.send(record.headers(&headers))?;
                }
            }
        }
        results.ended.clear();
        Ok(())
    }

    fn finish(&mut self) -> Result<(), BoxError> {
        Ok(self.producer.flush(FLUSH)?)
    }
}
