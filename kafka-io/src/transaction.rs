//! Records and consumed positions into Kafka, all of them or none: the producer behind exactly-once.
//!
//! ```text
//! start: fences whoever had this id -> committed() -> [ begin, send ..., commit(positions) ] ... or abort
//! ```
//!
//! In come records, and with each commit the positions up to which the input is worked off; out go errors in three kinds:
//! what waiting cures is waited for here, [`KafkaError::MustAbort`] asks for an abort and for the work since the last
//! commit to be done again, [`KafkaError::Fenced`] and [`KafkaError::Fatal`] end the producer. It has no thread of its own:
//! whoever owns it calls [`TransactionalProducer::serve`] while there is nothing to send. Absent: what positions mean, and
//! when to commit.
//!
//! The client's own commit looks for deliveries every 100 ms only, so all of them are taken here first.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rdkafka::config::FromClientConfigAndContext;
use rdkafka::error::{KafkaError as RdError, RDKafkaErrorCode as Code};
use rdkafka::producer::{BaseProducer, Producer as _, PurgeConfig};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};

use crate::config::{KafkaSettings, Role};
use crate::error::{KafkaError, code_of};
use crate::group::Group;
use crate::link::{Link, LinkWatch};
use crate::producer::{Record, base_record};
use crate::watch::{Deliveries, TransactionWatch};

/// The longest single call into the library; it is repeated until it is answered.
const CALL: Duration = Duration::from_millis(500);
/// One look for deliveries.
const LOOK: Duration = Duration::from_millis(1);
/// The pause between two attempts.
const PAUSE: Duration = Duration::from_millis(50);
/// How clusters that isolate nothing call themselves: librdkafka's own, as the embedded broker is one.
const MOCK: &str = "mockCluster";

/// How a transactional producer is made.
#[derive(Debug, Clone)]
pub struct TransactionOptions {
    /// For the log, e.g. `window`.
    pub name: String,
    /// The `transactional.id`: the same for each run of the same work, and nobody else's. Of two producers with one id the
    /// later fences the earlier.
    pub id: String,
    /// The group whose offsets the positions are.
    pub group: String,
    /// After so long without a commit the brokers abort an open transaction, so that its readers are not held up.
    pub timeout: Duration,
    /// Set by anybody, it ends waits for brokers that are away.
    pub stop: Arc<AtomicBool>,
}

/// How far a partition of the input is worked off.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Position {
    /// The topic.
    pub topic: String,
    /// The partition.
    pub partition: i32,
    /// The offset to be read next.
    pub next: i64,
    /// What else a successor needs to know; text, at most 4,000 bytes.
    pub note: String,
}

/// A record of the open transaction whose offset will be asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ticket(usize);

/// A producer of transactions; dropped with one open, it aborts that if it can.
pub struct TransactionalProducer {
    client: BaseProducer<TransactionWatch>,
    group: Group,
    options: TransactionOptions,
    link: Arc<LinkWatch>,
    deliveries: Arc<Deliveries>,
    is_open: bool,
}

impl fmt::Debug for TransactionalProducer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TransactionalProducer")
            .field("id", &self.options.id)
            .field("is_open", &self.is_open)
            .finish_non_exhaustive()
    }
}

impl TransactionalProducer {
    /// Fences whoever had the id before, aborting what it left open. Waits for brokers that are away.
    pub(crate) fn start(
        settings: &KafkaSettings,
        options: TransactionOptions,
    ) -> Result<Self, KafkaError> {
        let ours = [
            ("linger.ms", "0"),
            ("compression.type", "lz4"),
            ("queue.buffering.max.messages", "100000"),
            ("queue.buffering.max.kbytes", "65536"),
        ];
        let timeout_ms = options.timeout.as_millis().to_string();
        let record_ms = (options.timeout / 3 * 2).as_millis().to_string();
        let fixed = [
            ("enable.idempotence", "true"),
            ("allow.auto.create.topics", "false"),
            ("transactional.id", options.id.as_str()),
            ("transaction.timeout.ms", timeout_ms.as_str()),
            // A record is given up while its transaction still lives: one that the brokers have aborted by themselves fences
            // its producer, and so does not end like one that failed.
            ("message.timeout.ms", record_ms.as_str()),
        ];
        let mut config = settings.client(Role::Producer, &ours, &fixed)?;
        config.remove("delivery.timeout.ms");
        let link = Arc::new(LinkWatch::new(
            format!("transactions of {}", options.name),
            &settings.brokers,
        ));
        let deliveries = Arc::new(Deliveries::default());
        let watch = TransactionWatch::new(&link, &deliveries);
        let client = BaseProducer::from_config_and_context(&config, watch).map_err(|error| {
            KafkaError::Start {
                what: "transactional producer",
                brokers: settings.brokers.clone(),
                reason: error.to_string(),
            }
        })?;
        let group = Group::new(settings, &options.group, &options.stop)?;
        let mut producer = Self {
            client,
            group,
            options,
            link,
            deliveries,
            is_open: false,
        };
        producer.init()?;
        Ok(producer)
    }

    fn init(&mut self) -> Result<(), KafkaError> {
        self.until("taking over", || self.client.init_transactions(CALL))?;
        self.link.up();
        // The embedded broker of another process is reached by its address, like a cluster.
        match self.client.client().fetch_cluster_id(CALL) {
            Some(id) if id.starts_with(MOCK) => Err(KafkaError::NoTransactions),
            _ => Ok(()),
        }
    }

    /// Where the group stands in these partitions of a topic; none where nothing was ever committed, or so long ago that
    /// the brokers have forgotten it.
    ///
    /// # Errors
    /// [`KafkaError::Answer`], and [`KafkaError::Stopped`] when the stop flag ended the wait for an answer.
    pub fn committed(
        &self,
        topic: &str,
        partitions: &[i32],
    ) -> Result<BTreeMap<i32, Position>, KafkaError> {
        self.group.committed(topic, partitions)
    }

    /// Opens a transaction.
    ///
    /// # Errors
    /// [`KafkaError::Fenced`], [`KafkaError::Fatal`].
    pub fn begin(&mut self) -> Result<(), KafkaError> {
        self.client
            .begin_transaction()
            .map_err(|error| self.judge("beginning a transaction", &error))?;
        self.client.context().forget_offsets();
        self.is_open = true;
        Ok(())
    }

    /// Whether a transaction is open.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.is_open
    }

    /// Hands a record over to the open transaction. Waits while the queue is full.
    ///
    /// # Errors
    /// [`KafkaError::TooLarge`], [`KafkaError::Refused`]; [`KafkaError::MustAbort`], [`KafkaError::Fenced`],
    /// [`KafkaError::Fatal`]; [`KafkaError::Stopped`] when the stop flag ended a wait.
    pub fn send(&mut self, record: Record<'_>) -> Result<(), KafkaError> {
        self.enqueue(record, 0)
    }

    /// The same for a record whose offset is needed; see [`Self::offset_of`].
    ///
    /// # Errors
    /// As [`Self::send`].
    pub fn send_with_ticket(&mut self, record: Record<'_>) -> Result<Ticket, KafkaError> {
        let ticket = self.client.context().new_ticket();
        self.enqueue(record, ticket)?;
        Ok(Ticket(ticket))
    }

    fn enqueue(&mut self, record: Record<'_>, ticket: usize) -> Result<(), KafkaError> {
        let mut next = base_record(record, ticket);
        loop {
            let Err((error, back)) = self.client.send(next) else {
                self.client.poll(Duration::ZERO);
                return Ok(());
            };
            match code_of(&error) {
                Some(Code::QueueFull) => {
                    if self.options.stop.load(Ordering::Acquire) && !self.link.get().is_up() {
                        return Err(KafkaError::Stopped("waiting for room in the queue"));
                    }
                    self.client.poll(LOOK);
                    next = back;
                }
                Some(Code::MessageSizeTooLarge) => {
                    return Err(KafkaError::TooLarge {
                        topic: record.topic.to_owned(),
                        bytes: record.bytes(),
                    });
                }
                Some(Code::Fatal) => return Err(self.judge("sending", &error)),
                // The library takes no more records once the transaction has failed.
                Some(Code::State) => return Err(self.failed("sending")),
                code => {
                    return Err(KafkaError::Refused {
                        topic: record.topic.to_owned(),
                        partition: record.partition,
                        reason: code.map_or_else(|| error.to_string(), |code| code.to_string()),
                    });
                }
            }
        }
    }

    /// Waits until everything sent is delivered, though not committed.
    ///
    /// # Errors
    /// [`KafkaError::MustAbort`] where a record was not, [`KafkaError::Fenced`], [`KafkaError::Fatal`],
    /// [`KafkaError::Stopped`].
    pub fn deliver(&mut self) -> Result<(), KafkaError> {
        while self.client.in_flight_count() > 0 {
            self.client.poll(LOOK);
            if self.options.stop.load(Ordering::Acquire) && !self.link.get().is_up() {
                return Err(KafkaError::Stopped("waiting for deliveries"));
            }
        }
        self.check_fatal()?;
        if self.deliveries.failed.load(Ordering::Acquire) > 0 {
            return Err(self.failed("delivering"));
        }
        Ok(())
    }

    /// The offset of a record of this transaction, once [`Self::deliver`] has been called.
    #[must_use]
    pub fn offset_of(&self, ticket: Ticket) -> Option<i64> {
        self.client.context().offset_of(ticket.0)
    }

    /// Commits what was sent together with these positions. Waits for brokers that are away.
    ///
    /// # Errors
    /// [`KafkaError::MustAbort`]: nothing was committed. [`KafkaError::Fenced`], [`KafkaError::Fatal`],
    /// [`KafkaError::Stopped`]: what became of it a successor learns from [`Self::committed`].
    pub fn commit(&mut self, positions: &[Position]) -> Result<(), KafkaError> {
        self.deliver()?;
        if !positions.is_empty() {
            let mut offsets = TopicPartitionList::new();
            for position in positions {
                let mut element = offsets.add_partition(&position.topic, position.partition);
                element.set_metadata(&position.note);
                element
                    .set_offset(Offset::Offset(position.next))
                    .map_err(|error| self.judge("setting a position", &error))?;
            }
            let group = self.group.metadata()?;
            self.until("sending positions", || {
                self.client
                    .send_offsets_to_transaction(&offsets, &group, CALL)
            })?;
        }
        self.until("committing", || self.client.commit_transaction(CALL))?;
        self.is_open = false;
        self.link.up();
        Ok(())
    }

    /// Throws away what was sent since [`Self::begin`]. Waits for brokers that are away.
    ///
    /// # Errors
    /// [`KafkaError::Fenced`], [`KafkaError::Fatal`], [`KafkaError::Stopped`].
    pub fn abort(&mut self) -> Result<(), KafkaError> {
        // The library's abort waits for the reports of what it purges, and only we can take them.
        self.client.purge(PurgeConfig::default().queue().inflight());
        while self.client.in_flight_count() > 0 {
            self.client.poll(LOOK);
        }
        self.until("aborting", || self.client.abort_transaction(CALL))?;
        self.deliveries.failed.store(0, Ordering::Release);
        *self.last_failure() = None;
        self.is_open = false;
        Ok(())
    }

    /// Lets the library report, for at most so long; to be called while there is nothing to send.
    ///
    /// # Errors
    /// [`KafkaError::Fenced`], [`KafkaError::Fatal`] where it has given up meanwhile.
    pub fn serve(&mut self) -> Result<(), KafkaError> {
        self.client.poll(Duration::ZERO);
        self.check_fatal()
    }

    /// Whether brokers are reached; right to about a second while nothing is sent.
    #[must_use]
    pub fn link(&self) -> Link {
        self.link.get()
    }

    /// Repeats a call until it is answered.
    fn until(
        &self,
        doing: &'static str,
        call: impl Fn() -> Result<(), RdError>,
    ) -> Result<(), KafkaError> {
        loop {
            let error = match call() {
                Ok(()) => return Ok(()),
                Err(error) => error,
            };
            let again = match &error {
                RdError::Transaction(error) => error.is_retriable(),
                RdError::Flush(_) => true,
                _ => false,
            };
            if !again {
                return Err(self.judge(doing, &error));
            }
            tracing::debug!(id = self.options.id, doing, %error, "again");
            self.pause(doing)?;
        }
    }

    /// A short wait in which the library may report; an error when asked to stop.
    fn pause(&self, doing: &'static str) -> Result<(), KafkaError> {
        let since = Instant::now();
        while since.elapsed() < PAUSE {
            self.client.poll(PAUSE);
        }
        if self.options.stop.load(Ordering::Acquire) {
            return Err(KafkaError::Stopped(doing));
        }
        Ok(())
    }

    fn check_fatal(&self) -> Result<(), KafkaError> {
        match self.client.client().fatal_error() {
            Some((code, reason)) => Err(self.ended(code, reason)),
            None => Ok(()),
        }
    }

    /// An error that is not tried again. One of an unknown kind ends the producer, as its authors ask for.
    fn judge(&self, doing: &'static str, error: &RdError) -> KafkaError {
        if let Err(ended) = self.check_fatal() {
            return ended;
        }
        match error {
            RdError::Transaction(error) if error.txn_requires_abort() => KafkaError::MustAbort {
                doing,
                reason: error.string(),
            },
            RdError::Transaction(error) => self.ended(error.code(), error.string()),
            error => KafkaError::Fatal {
                reason: format!("{doing}: {error}"),
            },
        }
    }

    fn ended(&self, code: Code, reason: String) -> KafkaError {
        match code {
            Code::Fenced | Code::ProducerFenced | Code::InvalidProducerEpoch => {
                KafkaError::Fenced {
                    id: self.options.id.clone(),
                    reason,
                }
            }
            _ => KafkaError::Fatal { reason },
        }
    }

    /// The transaction has failed by a record that was not delivered.
    fn failed(&self, doing: &'static str) -> KafkaError {
        if let Err(ended) = self.check_fatal() {
            return ended;
        }
        let reason = self.last_failure().clone();
        KafkaError::MustAbort {
            doing,
            reason: reason.unwrap_or_else(|| "the transaction has failed".to_owned()),
        }
    }

    fn last_failure(&self) -> MutexGuard<'_, Option<String>> {
        let failure = self.deliveries.last_failure.lock();
        failure.unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for TransactionalProducer {
    /// An open transaction holds up its readers, so it is aborted while brokers are reached; else they do it themselves
    /// when its time is over.
    fn drop(&mut self) {
        if self.is_open && self.link.get().is_up() && self.check_fatal().is_ok() {
            self.client.purge(PurgeConfig::default().queue().inflight());
            self.client.poll(LOOK);
            if let Err(error) = self.client.abort_transaction(CALL) {
                tracing::debug!(id = self.options.id, %error, "left a transaction open");
            }
        }
    }
}
