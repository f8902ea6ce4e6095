//! Records into Kafka: idempotent, `acks=all`, in order per partition, counted until they are delivered.
//!
//! In come records with topic, partition, key, value and headers; out go counters and errors. When the library's queue is
//! full, [`Producer::send`] waits; deliveries are taken on a thread of their own, so that a wait always ends. A record
//! that fails for good is counted, logged at error, and makes the next [`Producer::flush`] fail. A broker that is away is
//! retried for `message.timeout.ms` (5 minutes unless set; 0 is for ever). Absent: choosing partitions; transactions, which are
//! [`crate::transaction`]'s.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rdkafka::config::FromClientConfigAndContext;
use rdkafka::error::{KafkaError as RdError, RDKafkaErrorCode as Code};
use rdkafka::message::{Header as RdHeader, OwnedHeaders};
use rdkafka::producer::{BaseProducer, BaseRecord};

use crate::config::{KafkaSettings, Role};
use crate::error::{KafkaError, code_of};
use crate::gauge::{Gauge, weight};
use crate::link::{Link, LinkWatch};
use crate::watch::{Deliveries, ProducerWatch};

/// One turn of the delivery thread; the longest that a drop waits for it.
const POLL: Duration = Duration::from_millis(50);
/// One look at a full queue.
const LOOK: Duration = Duration::from_millis(20);
/// How long a drop tries to deliver what is still under way.
const LAST_FLUSH: Duration = Duration::from_secs(5);

/// How a producer is made.
#[derive(Debug, Clone)]
pub struct ProducerOptions {
    /// For the log and the thread, e.g. `ingest`.
    pub name: String,
    /// Set by anybody, it ends waits within [`Producer::send`] and [`Producer::flush`].
    pub stop: Arc<AtomicBool>,
}

impl ProducerOptions {
    /// A producer of this name with a stop flag of its own.
    #[must_use]
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            stop: Arc::default(),
        }
    }

    /// The same with a stop flag that others share.
    #[must_use]
    pub fn stop(mut self, stop: &Arc<AtomicBool>) -> Self {
        self.stop = Arc::clone(stop);
        self
    }
}

/// One record to be written.
#[derive(Debug, Clone, Copy)]
pub struct Record<'a> {
    /// The topic.
    pub topic: &'a str,
    /// The partition; see `contract::topic` for that of a key.
    pub partition: i32,
    /// The key; compaction and people need it.
    pub key: Option<&'a [u8]>,
    /// The bytes; none deletes the key on a compacted topic.
    pub value: Option<&'a [u8]>,
    /// Names and bytes beside the value.
    pub headers: &'a [(&'a str, &'a [u8])],
}

impl<'a> Record<'a> {
    /// A keyed record without headers.
    #[must_use]
    pub fn new(topic: &'a str, partition: i32, key: &'a [u8], value: &'a [u8]) -> Self {
        Self {
            topic,
            partition,
            key: Some(key),
            value: Some(value),
            headers: &[],
        }
    }

    /// The same with headers.
    #[must_use]
    pub fn headers(mut self, headers: &'a [(&'a str, &'a [u8])]) -> Self {
        self.headers = headers;
        self
    }

    pub(crate) fn bytes(&self) -> usize {
        let headers: usize = self
            .headers
            .iter()
            .map(|(name, bytes)| name.len() + bytes.len())
            .sum();
        self.key.map_or(0, <[u8]>::len) + self.value.map_or(0, <[u8]>::len) + headers
    }
}

/// A record as the library takes it, with what its delivery will be reported with.
pub(crate) fn base_record(record: Record<'_>, opaque: usize) -> BaseRecord<'_, [u8], [u8], usize> {
    let mut base = BaseRecord::with_opaque_to(record.topic, opaque).partition(record.partition);
    base.key = record.key;
    base.payload = record.value;
    if !record.headers.is_empty() {
        let mut headers = OwnedHeaders::new_with_capacity(record.headers.len());
        for &(key, value) in record.headers {
            let value = Some(value);
            headers = headers.insert(RdHeader { key, value });
        }
        base.headers = Some(headers);
    }
    base
}

/// Counts since the producer's start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ProducerCounts {
    /// Records acknowledged by all replicas in sync.
    pub delivered: u64,
    /// Records given up.
    pub failed: u64,
    /// Records taken and neither delivered nor given up.
    pub in_flight: u64,
    /// How often a full queue held up a record.
    pub queue_full_waits: u64,
    /// How often a slow reader of the embedded broker held up a record.
    pub reader_waits: u64,
}

/// A producer; clones share it, and the last one dropped ends its thread.
#[derive(Clone)]
pub struct Producer {
    inner: Arc<Inner>,
}

struct Inner {
    name: String,
    client: Arc<BaseProducer<ProducerWatch>>,
    link: Arc<LinkWatch>,
    deliveries: Arc<Deliveries>,
    gauge: Option<Arc<Gauge>>,
    stop: Arc<AtomicBool>,
    /// Failures that a flush has already told.
    told: std::sync::Mutex<u64>,
    end: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl fmt::Debug for Producer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Producer")
            .field("name", &self.inner.name)
            .field("counts", &self.counts())
            .finish_non_exhaustive()
    }
}

impl Producer {
    pub(crate) fn start(
        settings: &KafkaSettings,
        options: ProducerOptions,
        gauge: Option<Arc<Gauge>>,
    ) -> Result<Self, KafkaError> {
        let compression = if gauge.is_some() { "none" } else { "lz4" };
        let ours = [
            ("linger.ms", "5"),
            ("compression.type", compression),
            ("queue.buffering.max.messages", "100000"),
            ("queue.buffering.max.kbytes", "65536"),
            ("message.timeout.ms", "300000"),
        ];
        // Said outright, the latter holds for producers too: their default is to create any topic they are handed.
        let fixed = [
            ("enable.idempotence", "true"),
            ("allow.auto.create.topics", "false"),
        ];
        let config = settings.client(Role::Producer, &ours, &fixed)?;
        let link = Arc::new(LinkWatch::new(
            format!("producer {}", options.name),
            &settings.brokers,
        ));
        let deliveries = Arc::new(Deliveries::default());
        let watch = ProducerWatch {
            link: Arc::clone(&link),
            deliveries: Arc::clone(&deliveries),
            gauge: gauge.clone(),
        };
        let client = BaseProducer::from_config_and_context(&config, watch).map_err(|error| {
            KafkaError::Start {
                what: "producer",
                brokers: settings.brokers.clone(),
                reason: error.to_string(),
            }
        })?;
        let client = Arc::new(client);
        let end = Arc::new(AtomicBool::new(false));
        let thread = {
            let (client, end) = (Arc::clone(&client), Arc::clone(&end));
            let name = format!("{}-deliver", options.name);
            std::thread::Builder::new()
                .name(name.clone())
                .spawn(move || {
                    while !end.load(Ordering::Acquire) {
                        client.poll(POLL);
                    }
                })
                .map_err(|error| KafkaError::Thread {
                    name,
                    reason: error.to_string(),
                })?
        };
        Ok(Self {
            inner: Arc::new(Inner {
                name: options.name,
                client,
                link,
                deliveries,
                gauge,
                stop: options.stop,
                told: std::sync::Mutex::new(0),
                end,
                thread: Some(thread),
            }),
        })
    }

    /// Hands a record over; it is delivered later. Waits while the queue is full, or while a reader of the embedded
    /// broker is too far behind.
    ///
    /// # Errors
    /// [`KafkaError::TooLarge`], [`KafkaError::Refused`] (an unknown topic or partition, a name with a zero byte),
    /// [`KafkaError::Fatal`], and [`KafkaError::Stopped`] when the stop flag ended a wait. The record is then not taken.
    pub fn send(&self, record: Record<'_>) -> Result<(), KafkaError> {
        let inner = &*self.inner;
        let bytes = record.bytes();
        let weight = weight(bytes);
        let stopped = || inner.stop.load(Ordering::Acquire);
        if let Some(gauge) = &inner.gauge {
            match gauge.admit(record.topic, record.partition, weight, stopped) {
                None => return Err(KafkaError::Stopped("waiting for a slow reader")),
                Some(waited) => {
                    let waits = u64::from(waited);
                    inner
                        .deliveries
                        .reader_waits
                        .fetch_add(waits, Ordering::AcqRel);
                }
            }
        }
        let sent = self.enqueue(record, bytes, weight, stopped);
        if sent.is_err()
            && let Some(gauge) = &inner.gauge
        {
            gauge.withdrawn(record.topic, record.partition, weight);
        }
        sent
    }

    fn enqueue(
        &self,
        record: Record<'_>,
        bytes: usize,
        weight: usize,
        stopped: impl Fn() -> bool,
    ) -> Result<(), KafkaError> {
        let inner = &*self.inner;
        let deliveries = &inner.deliveries;
        let mut next = base_record(record, weight);
        let mut waited = false;
        loop {
            // Counted before it is handed over: its delivery may be reported before `send` returns.
            deliveries.in_flight.fetch_add(1, Ordering::AcqRel);
            let Err((error, back)) = inner.client.send(next) else {
                return Ok(());
            };
            deliveries.in_flight.fetch_sub(1, Ordering::AcqRel);
            match code_of(&error) {
                Some(Code::QueueFull) => {
                    if !waited {
                        waited = true;
                        deliveries.queue_full_waits.fetch_add(1, Ordering::AcqRel);
                    }
                    if stopped() {
                        return Err(KafkaError::Stopped("waiting for room in the queue"));
                    }
                    deliveries.wait(LOOK, || false);
                    next = back;
                }
                Some(Code::MessageSizeTooLarge) => {
                    return Err(KafkaError::TooLarge {
                        topic: record.topic.to_owned(),
                        bytes,
                    });
                }
                _ => return Err(self.refusal(record, &error)),
            }
        }
    }

    fn refusal(&self, record: Record<'_>, error: &RdError) -> KafkaError {
        match (code_of(error), self.inner.link.fatal()) {
            (Some(Code::Fatal), reason) => KafkaError::Fatal {
                reason: reason.unwrap_or_else(|| error.to_string()),
            },
            (code, _) => KafkaError::Refused {
                topic: record.topic.to_owned(),
                partition: record.partition,
                reason: code.map_or_else(|| error.to_string(), |code| code.to_string()),
            },
        }
    }

    /// Waits until everything handed over so far is delivered. For the end of a stage, not for its loop.
    ///
    /// # Errors
    /// [`KafkaError::Undelivered`] if records failed that no earlier flush told of, [`KafkaError::Remaining`] when
    /// `timeout` is over, [`KafkaError::Stopped`] by the stop flag, [`KafkaError::Fatal`].
    pub fn flush(&self, timeout: Duration) -> Result<(), KafkaError> {
        let inner = &*self.inner;
        let deliveries = &inner.deliveries;
        let since = Instant::now();
        let in_flight = || deliveries.in_flight.load(Ordering::Acquire);
        let mut broken_off = None;
        while in_flight() > 0 {
            let waited = since.elapsed();
            if waited >= timeout {
                broken_off = Some(KafkaError::Remaining {
                    remaining: in_flight(),
                    waited,
                    reason: inner
                        .link
                        .last_reason()
                        .unwrap_or_else(|| "no answer yet".to_owned()),
                });
                break;
            }
            // A stop ends the wait only while nobody answers: what can still be delivered is.
            if inner.stop.load(Ordering::Acquire) && !inner.link.get().is_up() {
                broken_off = Some(KafkaError::Stopped("waiting for deliveries"));
                break;
            }
            deliveries.wait(LOOK.min(timeout - waited), || in_flight() == 0);
        }
        if let Some(reason) = inner.link.fatal() {
            return Err(KafkaError::Fatal { reason });
        }
        let mut told = inner.told.lock().unwrap_or_else(PoisonError::into_inner);
        let failed = deliveries.failed.load(Ordering::Acquire);
        if failed > *told {
            let count = failed - *told;
            *told = failed;
            let last = self.last_failure().unwrap_or_default();
            return Err(KafkaError::Undelivered { count, last });
        }
        broken_off.map_or(Ok(()), Err)
    }

    /// Counts since the start.
    #[must_use]
    pub fn counts(&self) -> ProducerCounts {
        let deliveries = &self.inner.deliveries;
        ProducerCounts {
            delivered: deliveries.delivered.load(Ordering::Acquire),
            failed: deliveries.failed.load(Ordering::Acquire),
            in_flight: deliveries.in_flight.load(Ordering::Acquire),
            queue_full_waits: deliveries.queue_full_waits.load(Ordering::Acquire),
            reader_waits: deliveries.reader_waits.load(Ordering::Acquire),
        }
    }

    /// Whether brokers are reached; right to about a second while nothing is sent.
    #[must_use]
    pub fn link(&self) -> Link {
        self.inner.link.get()
    }

    /// Whether a broker is reached.
    #[must_use]
    pub fn connected(&self) -> bool {
        self.link().is_up()
    }

    /// Topic, partition and reason of the last record given up.
    #[must_use]
    pub fn last_failure(&self) -> Option<String> {
        self.inner
            .deliveries
            .last_failure
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        let in_flight = || self.deliveries.in_flight.load(Ordering::Acquire);
        let since = Instant::now();
        while in_flight() > 0 && self.link.get().is_up() && since.elapsed() < LAST_FLUSH {
            self.deliveries.wait(LOOK, || in_flight() == 0);
        }
        let lost = in_flight();
        if lost > 0 {
            tracing::error!(producer = %self.name, lost, "producer dropped before everything was delivered");
        }
        self.end.store(true, Ordering::Release);
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!(producer = %self.name, "the delivery thread panicked");
        }
    }
}
