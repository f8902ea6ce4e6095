//! Blocks onto `eeg-samples`: the shell that drives a source.
//!
//! A session's records are keyed by its name and lie in one partition. Before the first block the end of that partition is read:
//! where an earlier run of this session broke off without an end, a live source goes on with it, a gap later; a recording ends it
//! and begins anew. An end is written when the source ends, fails, or is stopped. Where the last block is so fresh that its
//! publisher may be alive, the partition is watched for a moment: two publishers of one session would be one mixed-up session, so
//! the second is refused.
//!
//! **What when full**: the producer waits, and nothing is read of the source meanwhile; see the module above.

use std::borrow::Cow;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use contract::eeg::tags::{EndKind, V1};
use contract::eeg::{End, Record, Samples, decode};
use contract::time::NS_PER_MS;
use contract::topic::EEG_SAMPLES;
use kafka_io::{
    Broker, Consumer, ConsumerOptions, Event, KafkaError, Message, Producer, ProducerOptions,
    Record as KafkaRecord, Start,
};
use serde::Serialize;

use super::counts::add;
use super::{FeedError, FeedOptions, Left, Next, Source};

/// One wait for a source; the longest that a stop is not noticed.
const WAIT: Duration = Duration::from_millis(100);
/// How long the end waits for the last records to be acknowledged.
const FLUSH: Duration = Duration::from_secs(60);
/// The same after a stop, while no broker answers.
const STOPPED_FLUSH: Duration = Duration::from_secs(5);
/// Records at the end of the partition that are looked through for an earlier run: with one session in the partition and
/// blocks of 40 ms, thirteen minutes.
const LOOK_BACK: i64 = 20_000;

/// A block not older than this may be of a publisher that is alive; longer than a block and a stumble of its host, and than two
/// hosts' clocks differ.
const FRESH: Duration = Duration::from_secs(10);
/// How long the next block of such a publisher is waited for: many blocks at life's pace.
const WATCH: Duration = Duration::from_millis(1_500);

/// How a session ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ended {
    /// Index behind its last sample.
    pub at: u64,
    /// Where an earlier run had left it, if one had broken off.
    pub left: Option<Left>,
}

/// Publishes a source's blocks until it ends or `stop` is set, then the session's end.
///
/// # Errors
/// That of the source, after the session's end was written; [`FeedError::Busy`] while another publisher of the session is at work;
/// else that of the broker.
pub fn publish(
    source: &mut dyn Source,
    broker: &Broker,
    options: &FeedOptions,
    stop: &Arc<AtomicBool>,
) -> Result<Ended, FeedError> {
    let session = source.session().to_owned();
    let tail = find_left(&session, broker, stop)?;
    if let Some(tail) = &tail
        && tail.is_fresh(options)
        && tail.grows(&session, broker, stop)?
    {
        return Err(FeedError::Busy { session });
    }
    let left = tail.map(|tail| tail.left);
    let producer = broker.producer(ProducerOptions::new("feed").stop(stop))?;
    let mut log = Log {
        partition: EEG_SAMPLES.partition_of(session.as_bytes()),
        session,
        producer,
        line: Vec::new(),
    };
    if let Some(left) = left {
        let goes_on = source.resume(left);
        tracing::info!(session = %log.session, at = left.at, goes_on, "an earlier run broke off");
        if !goes_on {
            log.end(left.at, options)?;
        }
    }
    let failure = loop {
        if stop.load(Ordering::SeqCst) {
            break None;
        }
        match source.next(WAIT) {
            Ok(Next::Block(block)) => log.block(&block, options)?,
            Ok(Next::Nothing) => {}
            Ok(Next::End) => break None,
            Err(error) => break Some(error),
        }
    };
    while let Some(block) = source.stop() {
        log.block(&block, options)?;
    }
    let at = source.at();
    log.end(at, options)?;
    log.finish()?;
    failure.map_or(Ok(Ended { at, left }), Err)
}

/// A session's place on the topic.
struct Log {
    session: String,
    partition: i32,
    producer: Producer,
    line: Vec<u8>,
}

impl Log {
    fn block(&mut self, block: &Samples<'_>, options: &FeedOptions) -> Result<(), KafkaError> {
        self.send(block)?;
        add(&options.counts.published, 1);
        Ok(())
    }

    fn end(&mut self, at: u64, options: &FeedOptions) -> Result<(), KafkaError> {
        let end = End {
            v: V1,
            kind: EndKind,
            session: Cow::Owned(self.session.clone()),
            at,
            at_ns: options.clock.now_ns(),
        };
        self.send(&end)
    }

    /// Waits for what is under way. After a stop the client gives up at once where it has no link, as it has none in its first
    /// second; a little patience delivers what can be.
    fn finish(&self) -> Result<(), KafkaError> {
        let began = Instant::now();
        loop {
            match self.producer.flush(FLUSH) {
                Err(KafkaError::Stopped(_)) if began.elapsed() < STOPPED_FLUSH => {
                    std::thread::park_timeout(Duration::from_millis(20));
                }
                other => return other,
            }
        }
    }

    fn send(&mut self, record: &impl Serialize) -> Result<(), KafkaError> {
        self.line.clear();
        serde_json::to_writer(&mut self.line, record)
            .expect("records of numbers and texts always are JSON");
        let key = self.session.as_bytes();
        let record = KafkaRecord::new(EEG_SAMPLES.name, self.partition, key, &self.line);
        self.producer.send(record)
    }
}

/// The end of a session's records that has no end.
struct Tail {
    left: Left,
    /// Offset of the last block.
    offset: i64,
    /// When it was written, by its publisher's clock, milliseconds since 1970.
    written_ms: Option<i64>,
}

impl Tail {
    /// Whether whoever wrote it may be alive.
    fn is_fresh(&self, options: &FeedOptions) -> bool {
        let now_ms = options.clock.now_ns() / NS_PER_MS;
        let fresh_ms = i64::try_from(FRESH.as_millis()).unwrap_or(i64::MAX);
        self.written_ms
            .is_none_or(|written| now_ms.saturating_sub(written) <= fresh_ms)
    }

    /// Whether somebody goes on with it, looked at for a moment.
    fn grows(&self, session: &str, broker: &Broker, stop: &AtomicBool) -> Result<bool, FeedError> {
        let next = reader(session, broker, Start::At(self.offset + 1))?;
        let began = Instant::now();
        while began.elapsed() < WATCH && !stop.load(Ordering::SeqCst) {
            match next.recv(WAIT) {
                None | Some(Event::End) => {}
                Some(Event::Failed(error)) => return Err(error.into()),
                Some(Event::Batch(batch)) => {
                    let mut values = batch
                        .messages()
                        .filter(|message| message.key == Some(session.as_bytes()))
                        .filter_map(|message| message.value);
                    if values.any(|value| matches!(decode(value), Ok(Record::Samples(_)))) {
                        return Ok(true);
                    }
                }
            }
        }
        Ok(false)
    }
}

/// Reads the partition of a session.
fn reader(session: &str, broker: &Broker, start: Start) -> Result<Consumer, KafkaError> {
    let partition = EEG_SAMPLES.partition_of(session.as_bytes());
    broker.consumer(ConsumerOptions::new("feed-tail").partition(EEG_SAMPLES.name, partition, start))
}

/// Where an earlier run left the session, if one broke off. Brokers that are away are waited for.
fn find_left(session: &str, broker: &Broker, stop: &AtomicBool) -> Result<Option<Tail>, FeedError> {
    let consumer = reader(session, broker, Start::Back(LOOK_BACK))?;
    consumer.stop_at_end();
    let mut tail = None;
    while !stop.load(Ordering::SeqCst) {
        match consumer.recv(WAIT) {
            None => {}
            Some(Event::End) => break,
            Some(Event::Failed(error)) => return Err(error.into()),
            Some(Event::Batch(batch)) => {
                for message in batch.messages() {
                    if message.key == Some(session.as_bytes()) {
                        tail = after(&message, tail);
                    }
                }
            }
        }
    }
    Ok(tail)
}

/// Where the session stands after a record of it. What cannot be read is the readers' to complain of.
fn after(message: &Message<'_>, tail: Option<Tail>) -> Option<Tail> {
    let Some(value) = message.value else {
        return tail;
    };
    match decode(value) {
        Ok(Record::Samples(samples)) => {
            let n = samples.uv.first().map_or(0, Vec::len);
            Some(Tail {
                left: Left {
                    at: samples.at.saturating_add(u64::try_from(n).unwrap_or(0)),
                    received_ns: samples.received_ns,
                },
                offset: message.offset,
                written_ms: message.timestamp_ms,
            })
        }
        Ok(Record::End(_)) => None,
        Ok(Record::Stimulation(_)) | Err(_) => tail,
    }
}
