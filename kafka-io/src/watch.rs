//! What the library tells on the side: errors, log lines, statistics, deliveries.
//!
//! In come its callbacks, on whichever thread polls; out go counters and states that the handles read. Absent: decisions.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rdkafka::client::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::ConsumerContext;
use rdkafka::error::{KafkaError as RdError, RDKafkaErrorCode as Code};
use rdkafka::message::Message as _;
use rdkafka::producer::{DeliveryResult, ProducerContext};
use rdkafka::statistics::Statistics;

use crate::error::code_of;
use crate::gauge::Gauge;
use crate::link::LinkWatch;

/// Records of one failed delivery are logged at most this often; the rest are in the count of the next line.
const FAILURE_LINE_EVERY: Duration = Duration::from_secs(1);

/// Forwards a line of the library. Lost connections are told by [`LinkWatch`], once; the library's own lines, one for
/// each attempt, are for debugging.
fn forward_log(level: RDKafkaLogLevel, facility: &str, line: &str) {
    match level {
        RDKafkaLogLevel::Emerg | RDKafkaLogLevel::Alert | RDKafkaLogLevel::Critical => {
            tracing::warn!(target: "librdkafka", facility, "{line}");
        }
        RDKafkaLogLevel::Warning if facility == "CONFWARN" => {
            tracing::warn!(target: "librdkafka", facility, "{line}");
        }
        RDKafkaLogLevel::Error
        | RDKafkaLogLevel::Warning
        | RDKafkaLogLevel::Notice
        | RDKafkaLogLevel::Info => tracing::debug!(target: "librdkafka", facility, "{line}"),
        RDKafkaLogLevel::Debug => tracing::trace!(target: "librdkafka", facility, "{line}"),
    }
}

fn take_error(link: &LinkWatch, error: &RdError, reason: &str) {
    match code_of(error) {
        Some(Code::AllBrokersDown) => link.down(reason),
        Some(Code::Fatal) => link.fail(reason),
        _ => link.note(reason),
    }
}

fn take_link(link: &LinkWatch, statistics: &Statistics) {
    if statistics
        .brokers
        .values()
        .any(|broker| broker.state == "UP")
    {
        link.up();
    }
}

/// Counts of a producer since its start.
#[derive(Debug, Default)]
pub(crate) struct Deliveries {
    pub(crate) delivered: AtomicU64,
    pub(crate) failed: AtomicU64,
    pub(crate) in_flight: AtomicU64,
    pub(crate) queue_full_waits: AtomicU64,
    pub(crate) reader_waits: AtomicU64,
    pub(crate) last_failure: Mutex<Option<String>>,
    failure_line: Mutex<Option<(Instant, u64)>>,
    /// Signalled when a record has left the queue and somebody waits for it.
    pub(crate) left: Condvar,
    pub(crate) waiting: Mutex<u32>,
}

impl Deliveries {
    /// One record has left, delivered or not.
    pub(crate) fn one_left(&self) {
        self.in_flight.fetch_sub(1, Ordering::AcqRel);
        let waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        if *waiting > 0 {
            self.left.notify_all();
        }
    }

    /// Waits until a record leaves, `at_most` this long.
    pub(crate) fn wait(&self, at_most: Duration, unless: impl Fn() -> bool) {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        if unless() {
            return;
        }
        *waiting += 1;
        let (mut waiting, _) = self
            .left
            .wait_timeout(waiting, at_most)
            .unwrap_or_else(PoisonError::into_inner);
        *waiting -= 1;
    }

    fn fail(&self, text: String) {
        let failed = self.failed.fetch_add(1, Ordering::AcqRel) + 1;
        let mut line = self
            .failure_line
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if line.is_none_or(|(at, _)| at.elapsed() >= FAILURE_LINE_EVERY) {
            let since_last_line = failed - line.map_or(0, |(_, count)| count);
            tracing::error!(%text, since_last_line, failed, "record not delivered");
            *line = Some((Instant::now(), failed));
        }
        *self
            .last_failure
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = Some(text);
    }
}

/// The side channel of a producer.
pub(crate) struct ProducerWatch {
    pub(crate) link: Arc<LinkWatch>,
    pub(crate) deliveries: Arc<Deliveries>,
    pub(crate) gauge: Option<Arc<Gauge>>,
}

impl ClientContext for ProducerWatch {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, line: &str) {
        forward_log(level, facility, line);
    }
    fn stats(&self, statistics: Statistics) {
        take_link(&self.link, &statistics);
    }
    fn error(&self, error: RdError, reason: &str) {
        take_error(&self.link, &error, reason);
    }
}

impl ProducerContext for ProducerWatch {
    /// How much the record weighs on the embedded broker.
    type DeliveryOpaque = usize;

    fn delivery(&self, result: &DeliveryResult<'_>, weight: usize) {
        match result {
            Ok(record) => {
                self.link.up();
                if let Some(gauge) = &self.gauge {
                    gauge.acknowledged(record.topic(), record.partition(), record.offset(), weight);
                }
                self.deliveries.delivered.fetch_add(1, Ordering::AcqRel);
            }
            Err((error, record)) => {
                if let Some(gauge) = &self.gauge {
                    gauge.withdrawn(record.topic(), record.partition(), weight);
                }
                let reason =
                    code_of(error).map_or_else(|| error.to_string(), |code| code.to_string());
                self.deliveries.fail(format!(
                    "`{}` partition {}: {reason}",
                    record.topic(),
                    record.partition()
                ));
            }
        }
        self.deliveries.one_left();
    }
}

/// The side channel of a transactional producer. What is not delivered there is not lost: its transaction fails as a whole.
pub(crate) struct TransactionWatch {
    link: Arc<LinkWatch>,
    deliveries: Arc<Deliveries>,
    /// By ticket, from 1 on: the offset of a record of the open transaction, once it is delivered.
    offsets: Mutex<Vec<Option<i64>>>,
}

impl TransactionWatch {
    pub(crate) fn new(link: &Arc<LinkWatch>, deliveries: &Arc<Deliveries>) -> Self {
        Self {
            link: Arc::clone(link),
            deliveries: Arc::clone(deliveries),
            offsets: Mutex::default(),
        }
    }

    fn offsets(&self) -> MutexGuard<'_, Vec<Option<i64>>> {
        self.offsets.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn forget_offsets(&self) {
        self.offsets().clear();
    }

    pub(crate) fn new_ticket(&self) -> usize {
        let mut offsets = self.offsets();
        offsets.push(None);
        offsets.len()
    }

    pub(crate) fn offset_of(&self, ticket: usize) -> Option<i64> {
        *self.offsets().get(ticket.checked_sub(1)?)?
    }
}

impl ClientContext for TransactionWatch {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, line: &str) {
        forward_log(level, facility, line);
    }
    fn stats(&self, statistics: Statistics) {
        take_link(&self.link, &statistics);
    }
    fn error(&self, error: RdError, reason: &str) {
        take_error(&self.link, &error, reason);
    }
}

impl ProducerContext for TransactionWatch {
    /// The ticket; 0 for a record whose offset nobody asks for.
    type DeliveryOpaque = usize;

    fn delivery(&self, result: &DeliveryResult<'_>, ticket: usize) {
        match result {
            Ok(record) => {
                self.link.up();
                self.deliveries.delivered.fetch_add(1, Ordering::AcqRel);
                let slot = ticket.checked_sub(1);
                let mut offsets = self.offsets();
                if let Some(offset) = slot.and_then(|slot| offsets.get_mut(slot)) {
                    *offset = Some(record.offset());
                }
            }
            Err((error, record)) => {
                self.deliveries.failed.fetch_add(1, Ordering::AcqRel);
                let reason =
                    code_of(error).map_or_else(|| error.to_string(), |code| code.to_string());
                let text = format!(
                    "`{}` partition {}: {reason}",
                    record.topic(),
                    record.partition()
                );
                let failure = self.deliveries.last_failure.lock();
                failure
                    .unwrap_or_else(PoisonError::into_inner)
                    .get_or_insert(text);
            }
        }
    }
}

/// What the statistics say about one partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Seen {
    /// The offset that is fetched next.
    pub(crate) next_offset: i64,
    /// The end that a reader of committed records can see; negative if unknown.
    pub(crate) end: i64,
    /// Records fetched and not yet polled.
    pub(crate) queued: i64,
}

/// The side channel of a consumer.
pub(crate) struct ConsumerWatch {
    pub(crate) link: Arc<LinkWatch>,
    seen: Mutex<AllSeen>,
}

/// The newest statistics.
#[derive(Debug, Default)]
struct AllSeen {
    /// How many there have been.
    number: u64,
    partitions: HashMap<(String, i32), Seen>,
}

impl ConsumerWatch {
    pub(crate) fn new(link: Arc<LinkWatch>) -> Self {
        Self {
            link,
            seen: Mutex::default(),
        }
    }

    /// The number of the newest statistics and what they say about a partition.
    pub(crate) fn seen(&self, topic: &str, partition: i32) -> (u64, Option<Seen>) {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let of = (topic.to_owned(), partition);
        (seen.number, seen.partitions.get(&of).copied())
    }
}

impl ClientContext for ConsumerWatch {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, line: &str) {
        forward_log(level, facility, line);
    }
    fn stats(&self, statistics: Statistics) {
        take_link(&self.link, &statistics);
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.number += 1;
        for (name, topic) in statistics.topics {
            for (number, partition) in topic.partitions {
                if number >= 0 {
                    let of = Seen {
                        next_offset: partition.next_offset,
                        end: partition.ls_offset,
                        queued: partition.fetchq_cnt,
                    };
                    seen.partitions.insert((name.clone(), number), of);
                }
            }
        }
    }
    fn error(&self, error: RdError, reason: &str) {
        take_error(&self.link, &error, reason);
    }
}

impl ConsumerContext for ConsumerWatch {}
