//! Who answers, and with which topics.
//!
//! In come settings and a time-out; out goes a [`Health`], or an error that names the address tried and the last thing
//! the library said about it. Also the requests that start-up needs: partitions and watermarks. Absent: judging; a
//! missing topic is found by [`crate::topics`].

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender, bounded};
use rdkafka::config::FromClientConfigAndContext;
use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::error::{KafkaError as RdError, RDKafkaErrorCode as Code};
use rdkafka::metadata::Metadata;

use crate::config::{KafkaSettings, Role};
use crate::error::{KafkaError, code_is_retryable, code_is_unknown, code_of};
use crate::link::LinkWatch;
use crate::watch::ConsumerWatch;

/// The longest single attempt.
const ATTEMPT: Duration = Duration::from_millis(1_000);
/// After so long without a callback there is none.
const QUIET: Duration = Duration::from_millis(5);
/// The pause between two attempts.
const PAUSE: Duration = Duration::from_millis(100);

/// What counts is what is committed.
const COMMITTED: (&str, &str) = ("isolation.level", "read_committed");

/// One broker of a cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BrokerInfo {
    /// Its number.
    pub id: i32,
    /// Where clients shall reach it, `HOST:PORT`.
    pub address: String,
}

/// What a cluster answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Health {
    /// The address that was asked.
    pub asked: String,
    /// The brokers it knows.
    pub brokers: Vec<BrokerInfo>,
    /// Its topics and their numbers of partitions, internal ones too.
    pub topics: BTreeMap<String, usize>,
    /// Partitions without a leader, as `topic/partition`; nothing can be read or written there.
    pub leaderless: Vec<String>,
    /// How long the answer took, connecting included.
    pub took: Duration,
}

/// Asks for metadata until it is answered or the time is over.
pub(crate) fn health(settings: &KafkaSettings, timeout: Duration) -> Result<Health, KafkaError> {
    let since = Instant::now();
    let metadata = Asker::new(settings)?.metadata(None, timeout)?;
    let leaderless = metadata
        .topics()
        .iter()
        .flat_map(|topic| {
            topic
                .partitions()
                .iter()
                .filter(|partition| partition.leader() < 0)
                .map(|partition| format!("{}/{}", topic.name(), partition.id()))
        })
        .collect();
    Ok(Health {
        asked: settings.brokers.clone(),
        brokers: metadata
            .brokers()
            .iter()
            .map(|broker| BrokerInfo {
                id: broker.id(),
                address: format!("{}:{}", broker.host(), broker.port()),
            })
            .collect(),
        topics: partitions_of(&metadata),
        leaderless,
        took: since.elapsed(),
    })
}

fn partitions_of(metadata: &Metadata) -> BTreeMap<String, usize> {
    metadata
        .topics()
        .iter()
        .filter(|topic| topic.error().is_none())
        .map(|topic| (topic.name().to_owned(), topic.partitions().len()))
        .collect()
}

/// Lets the library tell why something failed: its callbacks run only while it is polled. Not for a client that reads.
pub(crate) fn serve_callbacks(client: &BaseConsumer<ConsumerWatch>) {
    let since = Instant::now();
    while client.poll(QUIET).is_some() && since.elapsed() < PAUSE {}
}

/// A client that only asks: it reads nothing.
pub(crate) struct Asker {
    pub(crate) client: BaseConsumer<ConsumerWatch>,
    link: Arc<LinkWatch>,
    pub(crate) brokers: String,
    never: (Sender<()>, Receiver<()>),
}

impl Asker {
    /// One that belongs to no group.
    pub(crate) fn new(settings: &KafkaSettings) -> Result<Self, KafkaError> {
        Self::start(settings, Role::Admin, &[], &[COMMITTED])
    }

    /// One for whom records of open transactions count.
    pub(crate) fn uncommitted(settings: &KafkaSettings) -> Result<Self, KafkaError> {
        let all = ("isolation.level", "read_uncommitted");
        Self::start(settings, Role::Admin, &[], &[all])
    }

    /// One that asks for a group's offsets.
    pub(crate) fn of_group(settings: &KafkaSettings, group: &str) -> Result<Self, KafkaError> {
        // Bounds how long a commit waits for the group's coordinator.
        let ours = [
            ("session.timeout.ms", "6000"),
            ("heartbeat.interval.ms", "2000"),
        ];
        let fixed = [
            COMMITTED,
            ("group.id", group),
            ("enable.auto.commit", "false"),
        ];
        Self::start(settings, Role::Consumer, &ours, &fixed)
    }

    fn start(
        settings: &KafkaSettings,
        role: Role,
        ours: &[(&str, &str)],
        of_role: &[(&str, &str)],
    ) -> Result<Self, KafkaError> {
        let mut fixed = vec![("allow.auto.create.topics", "false")];
        fixed.extend(of_role);
        let config = settings.client(role, ours, &fixed)?;
        let link = Arc::new(LinkWatch::new("asker".to_owned(), &settings.brokers));
        let client =
            BaseConsumer::from_config_and_context(&config, ConsumerWatch::new(Arc::clone(&link)))
                .map_err(|error| KafkaError::Start {
                what: "client",
                brokers: settings.brokers.clone(),
                reason: error.to_string(),
            })?;
        Ok(Self {
            client,
            link,
            brokers: settings.brokers.clone(),
            never: bounded(0),
        })
    }

    /// A short wait between two attempts.
    pub(crate) fn pause(&self) {
        let nothing = self.never.1.recv_timeout(PAUSE);
        debug_assert!(nothing.is_err(), "nobody sends here");
    }

    /// Repeats a request until it is answered, refused for good, or the time is over.
    pub(crate) fn until<T>(
        &self,
        what: &str,
        timeout: Duration,
        mut ask: impl FnMut(Duration) -> Result<T, RdError>,
    ) -> Result<T, KafkaError> {
        let since = Instant::now();
        loop {
            let left = timeout.saturating_sub(since.elapsed());
            let error = match ask(left.clamp(PAUSE, ATTEMPT)) {
                Ok(answer) => return Ok(answer),
                Err(error) => error,
            };
            let code = code_of(&error);
            if !code.is_some_and(|code| code_is_retryable(code) || code_is_unknown(code)) {
                return Err(KafkaError::of_request(what, &self.brokers, &error));
            }
            serve_callbacks(&self.client);
            if since.elapsed() >= timeout {
                let said = self.link.last_reason();
                return Err(KafkaError::Away {
                    what: what.to_owned(),
                    brokers: self.brokers.clone(),
                    waited: since.elapsed(),
                    reason: said.unwrap_or_else(|| {
                        code.map_or_else(|| error.to_string(), |code: Code| code.to_string())
                    }),
                });
            }
            self.pause();
        }
    }

    fn metadata(&self, topic: Option<&str>, timeout: Duration) -> Result<Metadata, KafkaError> {
        self.until("its topics", timeout, |attempt| {
            self.client.fetch_metadata(topic, attempt)
        })
    }

    /// All topics and their numbers of partitions.
    pub(crate) fn partitions(
        &self,
        timeout: Duration,
    ) -> Result<BTreeMap<String, usize>, KafkaError> {
        self.metadata(None, timeout)
            .map(|metadata| partitions_of(&metadata))
    }

    /// Whether this is the embedded broker of another process, which leaves questions about settings without an answer.
    pub(crate) fn is_embedded(&self, timeout: Duration) -> bool {
        // What librdkafka's mock cluster calls itself.
        let name = self.client.client().fetch_cluster_id(timeout);
        name.is_some_and(|name| name.starts_with("mockCluster"))
    }

    /// The oldest offset of a partition, and the one behind the last committed.
    pub(crate) fn watermarks(
        &self,
        topic: &str,
        partition: i32,
        timeout: Duration,
    ) -> Result<(i64, i64), KafkaError> {
        let what = format!("the offsets of `{topic}` partition {partition}");
        self.until(&what, timeout, |attempt| {
            self.client.fetch_watermarks(topic, partition, attempt)
        })
    }
}
