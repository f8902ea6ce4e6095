//! Blocks onto `eeg-samples`: the shell that drives a source.
//!
//! A session's records are keyed by its name and lie in one partition. Before the first block the end of that partition is read:
//! where an earlier run of this session broke off without an end, a live source goes on with it, a gap later; a recording ends it
//! and begins anew. An end is written when the source ends, fails, or is stopped.
//!
//! **What when full**: the producer waits, and nothing is read of the source meanwhile; see the module above.

use std::borrow::Cow;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use contract::eeg::tags::{EndKind, V1};
use contract::eeg::{End, Record, Samples, decode};
use contract::topic::EEG_SAMPLES;
use kafka_io::{
    Broker, ConsumerOptions, Event, KafkaError, Producer, ProducerOptions, Record as KafkaRecord,
    Start,
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
/// That of the source, after the session's end was written; else that of the broker.
pub fn publish(
    source: &mut dyn Source,
    broker: &Broker,
    options: &FeedOptions,
    stop: &Arc<AtomicBool>,
) -> Result<Ended, FeedError> {
    let session = source.session().to_owned();
    let left = find_left(&session, broker, stop)?;
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

/// Where an earlier run left the session, if one broke off. Brokers that are away are waited for.
fn find_left(session: &str, broker: &Broker, stop: &AtomicBool) -> Result<Option<Left>, FeedError> {
    let partition = EEG_SAMPLES.partition_of(session.as_bytes());
    let tail = ConsumerOptions::new("feed-tail").partition(
        EEG_SAMPLES.name,
        partition,
        Start::Back(LOOK_BACK),
    );
    let consumer = broker.consumer(tail)?;
    consumer.stop_at_end();
    let mut left = None;
    while !stop.load(Ordering::SeqCst) {
        match consumer.recv(WAIT) {
            None => {}
            Some(Event::End) => break,
            Some(Event::Failed(error)) => return Err(error.into()),
            Some(Event::Batch(batch)) => {
                let records = batch
                    .messages()
                    .filter(|message| message.key == Some(session.as_bytes()));
                for value in records.filter_map(|message| message.value) {
                    left = after(value, left);
                }
            }
        }
    }
    Ok(left)
}

/// Where the session stands after a record of it. What cannot be read is the readers' to complain of.
fn after(value: &[u8], left: Option<Left>) -> Option<Left> {
    match decode(value) {
        Ok(Record::Samples(samples)) => {
            let n = samples.uv.first().map_or(0, Vec::len);
            Some(Left {
                at: samples.at.saturating_add(u64::try_from(n).unwrap_or(0)),
                received_ns: samples.received_ns,
            })
        }
        Ok(Record::End(_)) => None,
        Ok(Record::Stimulation(_)) | Err(_) => left,
    }
}
