//! The broker inside this process: for the demo, tests and a laptop. It keeps nothing after exit.
//!
//! It is librdkafka's mock cluster on an ephemeral port of 127.0.0.1, so the client path is that of production. What it
//! lacks, and what guards it here:
//!
//! - It keeps 5 MiB or 100,000 batches a partition and drops the oldest in silence: publishers of this process wait while
//!   the slowest reader of the partition is more than 2 MiB or 20,000 records behind, and readers treat a gap as
//!   [`KafkaError::DataLost`]. A partition nobody reads holds nobody up.
//! - It isolates no transaction: [`crate::Broker::supports_transactions`] is false, exactly-once must be refused on it.
//! - It knows duplicates only of transactional producers: when a connection breaks between a write and its answer, the
//!   retry stands twice. Delivery guarantees are tested on a real cluster.
//! - No topic configuration, no compaction, no look-up by time.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::thread::JoinHandle;

use crossbeam_channel::{Receiver, Sender, bounded};
use rdkafka::mocking::MockCluster;
use rdkafka::producer::DefaultProducerContext;

use crate::config::KafkaSettings;
use crate::error::KafkaError;
use crate::gauge::Gauge;
use crate::topics::TopicSpec;

type Cluster = MockCluster<'static, DefaultProducerContext>;
type Job = Box<dyn FnOnce(&Cluster) + Send>;

/// The broker inside this process; it lives as long as the last clone.
#[derive(Clone)]
pub struct EmbeddedBroker {
    inner: Arc<Inner>,
    properties: BTreeMap<String, String>,
}

struct Inner {
    address: String,
    gauge: Arc<Gauge>,
    jobs: Option<Sender<Job>>,
    thread: Option<JoinHandle<()>>,
}

impl fmt::Debug for EmbeddedBroker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EmbeddedBroker")
            .field("address", &self.inner.address)
            .finish_non_exhaustive()
    }
}

impl EmbeddedBroker {
    /// Starts a broker with these topics.
    ///
    /// # Errors
    /// [`KafkaError::Embedded`] when the library cannot start it or make a topic, [`KafkaError::Thread`].
    pub fn start(topics: &[TopicSpec]) -> Result<Self, KafkaError> {
        let (started, start) = bounded(1);
        let (jobs, queue) = bounded::<Job>(16);
        let name = "embedded-broker".to_owned();
        // The cluster's handle cannot leave the thread that made it.
        let thread = std::thread::Builder::new()
            .name(name.clone())
            .spawn(move || serve(&started, &queue))
            .map_err(|error| KafkaError::Thread {
                name,
                reason: error.to_string(),
            })?;
        let address = start
            .recv()
            .unwrap_or_else(|_| Err("its thread panicked".to_owned()))
            .map_err(|reason| KafkaError::Embedded {
                doing: "starting it".to_owned(),
                reason,
            })?;
        tracing::debug!(%address, "embedded broker started");
        let broker = Self {
            inner: Arc::new(Inner {
                address,
                gauge: Arc::default(),
                jobs: Some(jobs),
                thread: Some(thread),
            }),
            properties: BTreeMap::new(),
        };
        for topic in topics {
            broker.create_topic(topic)?;
        }
        Ok(broker)
    }

    /// The same broker, for clients with these properties of librdkafka.
    #[must_use]
    pub fn with_properties(mut self, properties: BTreeMap<String, String>) -> Self {
        self.properties = properties;
        self
    }

    /// Where it listens; other processes connect there, but are not held back by slow readers.
    #[must_use]
    pub fn address(&self) -> &str {
        &self.inner.address
    }

    pub(crate) fn settings(&self) -> KafkaSettings {
        KafkaSettings {
            brokers: self.inner.address.clone(),
            properties: self.properties.clone(),
        }
    }

    pub(crate) fn gauge(&self) -> Arc<Gauge> {
        Arc::clone(&self.inner.gauge)
    }

    pub(crate) fn create_topic(&self, topic: &TopicSpec) -> Result<(), KafkaError> {
        let TopicSpec {
            name, partitions, ..
        } = topic.clone();
        let doing = format!("creating topic `{name}`");
        self.ask(doing, move |cluster| {
            cluster
                .create_topic(&name, partitions, 1)
                .map_err(|error| error.to_string())
        })
    }

    /// Does something with the cluster on its own thread, and waits for it.
    pub(crate) fn ask(
        &self,
        doing: String,
        job: impl FnOnce(&Cluster) -> Result<(), String> + Send + 'static,
    ) -> Result<(), KafkaError> {
        let (answer, answered) = bounded(1);
        let job: Job = Box::new(move |cluster| {
            let gone = answer.send(job(cluster)).is_err();
            debug_assert!(!gone, "the asker waits below");
        });
        let taken = self
            .inner
            .jobs
            .as_ref()
            .is_some_and(|jobs| jobs.send(job).is_ok());
        let result = if taken { answered.recv().ok() } else { None };
        result
            .unwrap_or_else(|| Err("its thread has ended".to_owned()))
            .map_err(|reason| KafkaError::Embedded { doing, reason })
    }
}

fn serve(started: &Sender<Result<String, String>>, jobs: &Receiver<Job>) {
    let cluster = match MockCluster::new(1) {
        Ok(cluster) => cluster,
        Err(error) => {
            let gone = started.send(Err(error.to_string())).is_err();
            debug_assert!(!gone, "the starter waits");
            return;
        }
    };
    if started.send(Ok(cluster.bootstrap_servers())).is_ok() {
        // Ends when the last handle is dropped, and the cluster with it.
        for job in jobs {
            job(&cluster);
        }
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        drop(self.jobs.take());
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the embedded broker's thread panicked");
        }
    }
}
