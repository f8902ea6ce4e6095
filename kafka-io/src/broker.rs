//! A cluster or the embedded broker, with the same code in front of both.
//!
//! In comes the choice, made once at the start; out go producers, consumers, topic set-up and health. Absent: any other
//! difference between the two than [`Broker::supports_transactions`] and how long records are kept.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use crate::config::KafkaSettings;
use crate::consumer::{Consumer, ConsumerOptions};
use crate::embedded::EmbeddedBroker;
use crate::error::KafkaError;
use crate::gauge::Gauge;
use crate::group::Group;
use crate::health::{self, Asker, Health};
use crate::offsets::Offsets;
use crate::producer::{Producer, ProducerOptions};
use crate::topics::{self, Admin, TopicDifference, TopicReport, TopicSpec};
use crate::transaction::{Position, TransactionOptions, TransactionalProducer};

/// Where records go and come from.
#[derive(Debug, Clone)]
pub enum Broker {
    /// Apache Kafka, anywhere.
    Cluster(KafkaSettings),
    /// The broker inside this process.
    Embedded(EmbeddedBroker),
}

/// The ends of a partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Watermarks {
    /// The oldest offset there is.
    pub low: i64,
    /// One behind the last offset that a reader of committed records sees.
    pub high: i64,
}

impl Broker {
    /// For people: the address, and whether it is the embedded broker.
    #[must_use]
    pub fn describe(&self) -> String {
        match self {
            Self::Cluster(settings) => settings.brokers.clone(),
            Self::Embedded(broker) => {
                format!(
                    "embedded broker at {}, keeps nothing after exit",
                    broker.address()
                )
            }
        }
    }

    /// Where clients connect, `HOST:PORT`, several with commas.
    #[must_use]
    pub fn address(&self) -> &str {
        match self {
            Self::Cluster(settings) => &settings.brokers,
            Self::Embedded(broker) => broker.address(),
        }
    }

    /// Whether this is the broker inside the process.
    #[must_use]
    pub fn is_embedded(&self) -> bool {
        matches!(self, Self::Embedded(_))
    }

    /// Whether transactions isolate anything there. On the embedded broker they do not, so exactly-once is refused on it.
    #[must_use]
    pub fn supports_transactions(&self) -> bool {
        !self.is_embedded()
    }

    fn settings(&self) -> KafkaSettings {
        match self {
            Self::Cluster(settings) => settings.clone(),
            Self::Embedded(broker) => broker.settings(),
        }
    }

    fn gauge(&self) -> Option<Arc<Gauge>> {
        match self {
            Self::Cluster(_) => None,
            Self::Embedded(broker) => Some(broker.gauge()),
        }
    }

    /// Judges the settings without connecting.
    ///
    /// # Errors
    /// [`KafkaError::Settings`] with all faults.
    pub fn check_settings(&self) -> Result<(), KafkaError> {
        self.settings().check()
    }

    /// A producer. It starts at once, whether or not a broker answers yet.
    ///
    /// # Errors
    /// [`KafkaError::Settings`], [`KafkaError::Start`], [`KafkaError::Thread`].
    pub fn producer(&self, options: ProducerOptions) -> Result<Producer, KafkaError> {
        Producer::start(&self.settings(), options, self.gauge())
    }

    /// A producer of transactions. Whoever had its id before is fenced when this returns; brokers that are away are waited for.
    ///
    /// # Errors
    /// [`KafkaError::NoTransactions`] on the embedded broker, [`KafkaError::Settings`], [`KafkaError::Start`],
    /// [`KafkaError::Fatal`], and [`KafkaError::Stopped`] when the stop flag ended the wait.
    pub fn transactional_producer(
        &self,
        options: TransactionOptions,
    ) -> Result<TransactionalProducer, KafkaError> {
        if !self.supports_transactions() {
            return Err(KafkaError::NoTransactions);
        }
        TransactionalProducer::start(&self.settings(), options)
    }

    /// Where a group stands in partitions of a topic, without taking anything over; see
    /// [`TransactionalProducer::committed`].
    ///
    /// # Errors
    /// [`KafkaError::Answer`], and [`KafkaError::Stopped`] when the stop flag ended the wait for an answer.
    pub fn committed(
        &self,
        group: &str,
        topic: &str,
        partitions: &[i32],
        stop: &Arc<AtomicBool>,
    ) -> Result<BTreeMap<i32, Position>, KafkaError> {
        Group::new(&self.settings(), group, stop)?.committed(topic, partitions)
    }

    /// A consumer. It starts at once, whether or not a broker answers yet.
    ///
    /// # Errors
    /// [`KafkaError::Settings`], [`KafkaError::Start`], [`KafkaError::Thread`].
    pub fn consumer(&self, options: ConsumerOptions) -> Result<Consumer, KafkaError> {
        Consumer::start(&self.settings(), options, self.gauge())
    }

    /// The positions that the broker keeps under a group's name. It starts at once, whether or not a broker answers yet.
    ///
    /// # Errors
    /// [`KafkaError::Settings`], [`KafkaError::Start`].
    pub fn offsets(&self, group: &str) -> Result<Offsets, KafkaError> {
        Offsets::new(&self.settings(), group)
    }

    /// Creates topics that are missing, then compares all with what is expected.
    ///
    /// # Errors
    /// [`KafkaError::Topics`] with every difference, [`KafkaError::Away`] when nobody answers within `timeout`, or what
    /// the broker said against a new topic.
    pub fn ensure_topics(
        &self,
        specs: &[TopicSpec],
        timeout: Duration,
    ) -> Result<TopicReport, KafkaError> {
        let settings = self.settings();
        match self {
            Self::Cluster(_) => topics::ensure(
                &settings,
                specs,
                timeout,
                |missing, left| Admin::new(&settings)?.create(missing, left),
                true,
            ),
            Self::Embedded(broker) => topics::ensure(
                &settings,
                specs,
                timeout,
                |missing, _| {
                    missing
                        .iter()
                        .try_for_each(|spec| broker.create_topic(spec))
                },
                false,
            ),
        }
    }

    /// Compares topics with what is expected and changes nothing; empty when all is well.
    ///
    /// # Errors
    /// [`KafkaError::Away`] when nobody answers within `timeout`, or what the broker said.
    pub fn check_topics(
        &self,
        specs: &[TopicSpec],
        timeout: Duration,
    ) -> Result<Vec<TopicDifference>, KafkaError> {
        topics::check(&self.settings(), specs, timeout, !self.is_embedded())
    }

    /// Who answers, with which topics.
    ///
    /// # Errors
    /// [`KafkaError::Away`] with the address and the reason when nobody answers within `timeout`.
    pub fn health(&self, timeout: Duration) -> Result<Health, KafkaError> {
        health::health(&self.settings(), timeout)
    }

    /// The ends of every partition of a topic; tried again until `timeout` for each request.
    ///
    /// # Errors
    /// [`KafkaError::UnknownTopic`], [`KafkaError::Away`], or what the broker said.
    pub fn watermarks(
        &self,
        topic: &str,
        timeout: Duration,
    ) -> Result<BTreeMap<i32, Watermarks>, KafkaError> {
        let asker = Asker::new(&self.settings())?;
        let partitions = asker.partitions(timeout)?;
        let n = partitions
            .get(topic)
            .ok_or_else(|| KafkaError::UnknownTopic {
                topic: topic.to_owned(),
            })?;
        (0..i32::try_from(*n).unwrap_or(i32::MAX))
            .map(|partition| {
                let (low, high) = asker.watermarks(topic, partition, timeout)?;
                Ok((partition, Watermarks { low, high }))
            })
            .collect()
    }

    /// The offset behind the last record of a partition, those of open transactions included: readers of what is committed reach
    /// it when every transaction that is open now has ended.
    ///
    /// # Errors
    /// [`KafkaError::Away`] when nobody answers within `timeout`, or what the broker said.
    pub fn end_with_open(
        &self,
        topic: &str,
        partition: i32,
        timeout: Duration,
    ) -> Result<i64, KafkaError> {
        let asker = Asker::uncommitted(&self.settings())?;
        let (_, end) = asker.watermarks(topic, partition, timeout)?;
        Ok(end)
    }

    /// For each partition of a topic the offset behind its last committed record.
    ///
    /// # Errors
    /// As [`Self::watermarks`].
    pub fn end_offsets(
        &self,
        topic: &str,
        timeout: Duration,
    ) -> Result<BTreeMap<i32, i64>, KafkaError> {
        let watermarks = self.watermarks(topic, timeout)?;
        Ok(watermarks
            .into_iter()
            .map(|(partition, ends)| (partition, ends.high))
            .collect())
    }
}
