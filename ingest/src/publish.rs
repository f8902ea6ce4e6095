//! The core's records onto a broker: ticks to the partition of their pair, what concerns all to every partition.
//!
//! What when full: the producer waits, and with it whoever drives the core. A record that cannot be written for good sets the
//! stop flag; the first error is kept for the end.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use contract::dead_letter::DeadLetter;
use contract::tick::Record;
use contract::topic::{self, Topic};
use contract::venue::VenueHealth;
use kafka_io::{KafkaError, Producer, Record as KafkaRecord};

use crate::core::Sink;
use crate::gap::Gap;

/// How long the end waits for the last records to be acknowledged.
const FLUSH: Duration = Duration::from_secs(60);

/// What others may look at while the stage runs.
#[derive(Debug, Default)]
pub struct Published {
    /// Quotes and trades handed to the producer.
    pub ticks: AtomicU64,
    /// Frames that gave nothing or not all they should.
    pub dead_letters: AtomicU64,
    /// Holes in numberings.
    pub gaps: AtomicU64,
    health: Mutex<BTreeMap<String, (Instant, VenueHealth<'static>)>>,
}

impl Published {
    /// The newest health record of each venue, and how long ago it was made.
    #[must_use]
    pub fn health(&self) -> Vec<(Duration, VenueHealth<'static>)> {
        let health = self.health.lock().unwrap_or_else(PoisonError::into_inner);
        health
            .values()
            .map(|(at, health)| (at.elapsed(), health.clone()))
            .collect()
    }
}

/// A sink that writes to a broker.
pub struct KafkaSink {
    producer: Producer,
    stop: Arc<AtomicBool>,
    published: Arc<Published>,
    line: Vec<u8>,
    error: Option<KafkaError>,
}

impl KafkaSink {
    /// A sink over this producer. An error sets `stop`, so that nothing more is read that could not be written.
    #[must_use]
    pub fn new(producer: Producer, stop: Arc<AtomicBool>) -> Self {
        Self {
            producer,
            stop,
            published: Arc::default(),
            line: Vec::with_capacity(512),
            error: None,
        }
    }

    /// What was published so far.
    #[must_use]
    pub fn published(&self) -> Arc<Published> {
        Arc::clone(&self.published)
    }

    /// Waits until everything is written.
    ///
    /// # Errors
    /// The first error of any record, else that of the flush.
    pub fn finish(mut self) -> Result<(), KafkaError> {
        match self.error.take() {
            Some(error) => Err(error),
            None => self.producer.flush(FLUSH),
        }
    }

    fn send(&mut self, topic: &Topic, partition: i32, key: &[u8], headers: &[(&str, &[u8])]) {
        if self.error.is_some() {
            return;
        }
        let record = KafkaRecord::new(topic.name, partition, key, &self.line).headers(headers);
        if let Err(error) = self.producer.send(record) {
            tracing::error!(topic = topic.name, %error, "could not publish");
            self.error = Some(error);
            self.stop.store(true, Ordering::SeqCst);
        }
    }
}

impl Sink for KafkaSink {
    fn tick(&mut self, record: &Record<'_>) {
        let key = record.pair().unwrap_or_default().as_bytes();
        self.line.clear();
        record.write_json(&mut self.line);
        self.send(&topic::TICKS, topic::TICKS.partition_of(key), key, &[]);
        self.published.ticks.fetch_add(1, Ordering::Relaxed);
    }

    fn everywhere(&mut self, record: &Record<'_>) {
        self.line.clear();
        record.write_json(&mut self.line);
        for partition in 0..topic::TICKS.partitions {
            self.send(&topic::TICKS, partition, record.venue().as_bytes(), &[]);
        }
    }

    fn health(&mut self, health: &VenueHealth<'_>) {
        let mut health = health.clone();
        health.queue = self.producer.counts().in_flight;
        self.line.clear();
        serde_json::to_writer(&mut self.line, &health)
            .expect("texts and finite numbers are always JSON");
        let key = health.venue.as_bytes();
        self.send(&topic::VENUES, topic::VENUES.partition_of(key), key, &[]);
        let mut kept = self
            .published
            .health
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        kept.insert(
            health.venue.to_string(),
            (Instant::now(), health.into_owned()),
        );
    }

    fn dead_letter(&mut self, letter: DeadLetter) {
        tracing::debug!(error = letter.error, "dead letter");
        self.published.dead_letters.fetch_add(1, Ordering::Relaxed);
        let key = letter.topic.clone();
        let (bytes, headers) = letter.into_record();
        self.line = bytes;
        let headers: Vec<(&str, &[u8])> = headers
            .iter()
            .map(|(name, value)| (*name, value.as_bytes()))
            .collect();
        self.send(
            &topic::DEAD_LETTERS,
            topic::DEAD_LETTERS.partition_of(key.as_bytes()),
            key.as_bytes(),
            &headers,
        );
    }

    fn gap(&mut self, gap: &Gap) {
        self.published.gaps.fetch_add(1, Ordering::Relaxed);
        tracing::warn!(venue = gap.venue, feed = ?gap.feed, symbol = ?gap.symbol, missing = gap.missing, "gap");
    }
}
