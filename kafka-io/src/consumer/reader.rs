//! The thread that polls: finds the partitions, settles the start offsets, then polls, batches and hands over.
//!
//! In come records and errors of the client; out go [`Event`]s. Everything that waits here also listens for the end.

use std::collections::BTreeSet;
use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, TryRecvError, TrySendError, select};
use rdkafka::config::FromClientConfigAndContext;
use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::error::{KafkaError as RdError, RDKafkaErrorCode as Code};
use rdkafka::message::{BorrowedMessage, Headers as _, Message as _};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};

use super::track::{Step, Track, Tracks};
use super::{Command, ConsumerOptions, Event, Phase, Shared, Start};
use crate::batch::{Batch, Header, Message};
use crate::config::{KafkaSettings, Role};
use crate::error::{KafkaError, code_is_retryable, code_is_unknown, code_of};
use crate::gauge::Gauge;
use crate::health::serve_callbacks;
use crate::watch::ConsumerWatch;

/// The longest wait for a record, and so for a command or the end.
const POLL: Duration = Duration::from_millis(50);
/// The longest single request while preparing.
const ATTEMPT: Duration = Duration::from_millis(500);
/// The pause between two attempts; the library's own reconnecting is backed off and jittered.
const PAUSE: Duration = Duration::from_millis(100);
/// How long a position behind the end is taken for a leader that has just changed and lags.
const BEYOND_GRACE: Duration = Duration::from_secs(10);
/// How long a topic being read may be unknown to the brokers: as long as a cluster takes to hear of its topics.
const UNKNOWN_GRACE: Duration = Duration::from_secs(60);
/// How many attempts a diagnosis gets.
const DIAGNOSES: u32 = 10;

type Client = BaseConsumer<ConsumerWatch>;

/// The reader's ends of the channels.
pub(super) struct Ends {
    pub(super) events: Sender<Event>,
    pub(super) commands: Receiver<Command>,
    pub(super) quit: Receiver<()>,
}

/// Keeps a reader known to the embedded broker's gauge.
struct Registration {
    gauge: Arc<Gauge>,
    reader: u64,
}

impl Drop for Registration {
    fn drop(&mut self) {
        self.gauge.leave(self.reader);
    }
}

pub(super) struct Reader {
    client: Client,
    brokers: String,
    options: ConsumerOptions,
    registration: Option<Registration>,
    shared: Arc<Shared>,
    ends: Ends,
    /// What the client said when it lost its place; looked into once everything before it has been polled.
    lost_place: Option<(Instant, Code)>,
    /// Since when brokers say that a topic being read is unknown to them.
    unknown_since: Option<Instant>,
}

/// Why the reading is over without a failure.
enum Over {
    End,
    Quit,
}

/// A failure while preparing.
enum Hitch {
    /// Tried again, with this reason shown meanwhile.
    Again(String),
    Final(KafkaError),
}

impl Reader {
    pub(super) fn new(
        settings: &KafkaSettings,
        options: ConsumerOptions,
        gauge: Option<Arc<Gauge>>,
        shared: Arc<Shared>,
        ends: Ends,
    ) -> Result<Self, KafkaError> {
        // The embedded broker answers an empty fetch only when this time is over, whatever arrives meanwhile.
        let fetch_wait_ms = if gauge.is_some() { "5" } else { "100" };
        let ours = [
            ("fetch.wait.max.ms", fetch_wait_ms),
            ("fetch.message.max.bytes", "4194304"),
            ("fetch.error.backoff.ms", "100"),
            ("fetch.queue.backoff.ms", "20"),
            ("queued.min.messages", "200000"),
            ("queued.max.messages.kbytes", "65536"),
        ];
        let group = group_of_its_own(&options.name);
        let fixed = [
            ("group.id", group.as_str()),
            ("enable.auto.commit", "false"),
            ("enable.auto.offset.store", "false"),
            ("auto.offset.reset", "error"),
            ("isolation.level", "read_committed"),
            ("allow.auto.create.topics", "false"),
        ];
        let config = settings.client(Role::Consumer, &ours, &fixed)?;
        let watch = ConsumerWatch::new(Arc::clone(&shared.link));
        let client =
            Client::from_config_and_context(&config, watch).map_err(|error| KafkaError::Start {
                what: "consumer",
                brokers: settings.brokers.clone(),
                reason: error.to_string(),
            })?;
        *shared.watch.lock().unwrap_or_else(PoisonError::into_inner) =
            Some(Arc::clone(client.context()));
        let registration = gauge.map(|gauge| {
            // Known before the thread runs, so that nobody publishes too far ahead meanwhile.
            let reader = gauge.register();
            for assignment in &options.assignments {
                let next = match assignment.start {
                    Start::Beginning => Some(0),
                    Start::At(offset) => Some(offset),
                    Start::End => None,
                };
                gauge.read(reader, &assignment.topic, assignment.partition, next);
            }
            Registration { gauge, reader }
        });
        Ok(Self {
            client,
            brokers: settings.brokers.clone(),
            options,
            registration,
            shared,
            ends,
            lost_place: None,
            unknown_since: None,
        })
    }

    pub(super) fn run(mut self) {
        let (phase, last) = match self.prepare_and_read() {
            Ok(Over::End) => (Phase::Ended, Some(Event::End)),
            Ok(Over::Quit) => (Phase::Stopped, None),
            Err(error) => {
                tracing::error!(consumer = %self.shared.name, %error, "reading ended");
                (Phase::Failed(error.clone()), Some(Event::Failed(error)))
            }
        };
        // Publishers need not wait for a reader that reads no more.
        self.registration = None;
        self.shared.enter(phase);
        if let Some(event) = last {
            select! {
                send(self.ends.events, event) -> sent => {
                    if sent.is_err() {
                        tracing::debug!(consumer = %self.shared.name, "nobody takes the last event");
                    }
                }
                recv(self.ends.quit) -> _ => {}
            }
        }
    }

    fn prepare_and_read(&mut self) -> Result<Over, KafkaError> {
        let Some(mut tracks) = self.prepare()? else {
            return Ok(Over::Quit);
        };
        let mut list = TopicPartitionList::new();
        for track in tracks.iter() {
            list.add_partition_offset(&track.topic, track.partition, Offset::Offset(track.next))
                .map_err(|error| KafkaError::of_request("a start offset", &self.brokers, &error))?;
        }
        self.client
            .assign(&list)
            .map_err(|error| KafkaError::of_request("the partitions", &self.brokers, &error))?;
        self.publish_positions(&tracks);
        self.shared.enter(Phase::Reading);
        self.read(&mut tracks)
    }

    /// Waits until every partition is found and its start is settled. None when asked to quit.
    fn prepare(&mut self) -> Result<Option<Tracks>, KafkaError> {
        let since = Instant::now();
        let mut beyond_since: Option<Instant> = None;
        loop {
            match self.try_prepare() {
                Ok(tracks) => return Ok(Some(tracks)),
                Err(Hitch::Final(error @ KafkaError::BeyondEnd { .. })) => {
                    let first = *beyond_since.get_or_insert_with(Instant::now);
                    if first.elapsed() >= BEYOND_GRACE {
                        return Err(error);
                    }
                    self.show_waiting(since, error.to_string());
                }
                Err(Hitch::Final(error)) => return Err(error),
                Err(Hitch::Again(reason)) => self.show_waiting(since, reason),
            }
            serve_callbacks(&self.client);
            if self.ends.quit.recv_timeout(PAUSE) != Err(RecvTimeoutError::Timeout) {
                return Ok(None);
            }
        }
    }

    fn show_waiting(&self, since: Instant, reason: String) {
        let reason = self.shared.link.last_reason().unwrap_or(reason);
        self.shared.enter(Phase::Preparing { since, reason });
    }

    fn try_prepare(&self) -> Result<Tracks, Hitch> {
        self.find_topics()?;
        let mut tracks = Vec::new();
        for assignment in &self.options.assignments {
            let (topic, partition) = (assignment.topic.as_str(), assignment.partition);
            let (low, high) = self.watermarks(topic, partition)?;
            let expected = match assignment.start {
                Start::Beginning if self.registration.is_some() => 0,
                Start::Beginning => low,
                Start::End => high,
                Start::At(offset) => offset,
            };
            judge_position(topic, partition, expected, low, high).map_err(Hitch::Final)?;
            if let Some(of) = &self.registration {
                of.gauge.read(of.reader, topic, partition, Some(expected));
            }
            tracks.push(Track {
                topic: topic.into(),
                partition,
                next: expected,
                stop: None,
            });
        }
        Ok(Tracks::new(tracks, self.registration.is_some()))
    }

    fn find_topics(&self) -> Result<(), Hitch> {
        let topics: BTreeSet<&str> = self
            .options
            .assignments
            .iter()
            .map(|assignment| assignment.topic.as_str())
            .collect();
        topics
            .into_iter()
            .try_for_each(|topic| self.find_topic(topic))
    }

    /// Whether the topic is there with all partitions that are asked for.
    fn find_topic(&self, topic: &str) -> Result<(), Hitch> {
        let metadata = self
            .client
            .fetch_metadata(Some(topic), ATTEMPT)
            .map_err(|error| self.hitch("the topic", &error))?;
        let unknown = || KafkaError::UnknownTopic {
            topic: topic.to_owned(),
        };
        let Some(found) = metadata.topics().iter().find(|found| found.name() == topic) else {
            return Err(Hitch::Again(unknown().to_string()));
        };
        if let Some(error) = found.error() {
            let code = Code::from(error);
            return Err(match code {
                // It may be created while we wait: stages start in any order.
                code if code_is_unknown(code) => Hitch::Again(unknown().to_string()),
                code if code_is_retryable(code) => Hitch::Again(code.to_string()),
                code => Hitch::Final(self.answer(format!("topic `{topic}`"), code)),
            });
        }
        let partitions = found.partitions().len();
        for assignment in &self.options.assignments {
            let there = usize::try_from(assignment.partition).is_ok_and(|n| n < partitions);
            if assignment.topic == topic && !there {
                return Err(Hitch::Final(KafkaError::UnknownPartition {
                    topic: topic.to_owned(),
                    partition: assignment.partition,
                    partitions,
                }));
            }
        }
        Ok(())
    }

    fn watermarks(&self, topic: &str, partition: i32) -> Result<(i64, i64), Hitch> {
        self.client
            .fetch_watermarks(topic, partition, ATTEMPT)
            .map_err(|error| self.hitch("offsets", &error))
    }

    fn hitch(&self, what: &str, error: &RdError) -> Hitch {
        match code_of(error) {
            Some(code) if code_is_retryable(code) || code_is_unknown(code) => {
                Hitch::Again(format!("asking for {what}: {code}"))
            }
            _ => Hitch::Final(KafkaError::of_request(what, &self.brokers, error)),
        }
    }

    fn answer(&self, what: String, code: Code) -> KafkaError {
        KafkaError::Answer {
            what,
            brokers: self.brokers.clone(),
            reason: code.to_string(),
            retryable: false,
        }
    }

    fn read(&mut self, tracks: &mut Tracks) -> Result<Over, KafkaError> {
        loop {
            if self.ends.quit.try_recv() != Err(TryRecvError::Empty) {
                return Ok(Over::Quit);
            }
            self.obey(tracks)?;
            if tracks.all_done() && tracks.iter().next().is_some() {
                return Ok(Over::End);
            }
            let (batch, filled) = self.fill(tracks);
            let idle = batch.is_empty();
            if !idle {
                self.publish_progress(tracks);
                if !self.hand_over(batch) {
                    return Ok(Over::Quit);
                }
                self.publish_positions(tracks);
            }
            filled?;
            self.look_into_lost_place(tracks, idle)?;
            if idle {
                self.look_for_topics()?;
            }
            if idle && tracks.awaits_stop() {
                self.catch_up_position(tracks);
                self.publish_positions(tracks);
            }
        }
    }

    /// Polls until nothing more is there or the batch is full. What was polled before a failure is still returned.
    fn fill(&mut self, tracks: &mut Tracks) -> (Batch, Result<(), KafkaError>) {
        let mut batch = Batch::default();
        let mut wait = POLL;
        while batch.len() < self.options.batch_records.max(1)
            && batch.byte_len() < self.options.batch_bytes.max(1)
        {
            let taken = match self.client.poll(wait) {
                None => break,
                Some(Ok(record)) => take(&self.shared, tracks, &record, &mut batch),
                Some(Err(error)) => self.judge_error(&error),
            };
            if taken.is_err() {
                return (batch, taken);
            }
            wait = Duration::ZERO;
        }
        (batch, Ok(()))
    }

    /// What an error among the records means.
    ///
    /// # Errors
    /// Those that do not pass by themselves.
    fn judge_error(&mut self, error: &RdError) -> Result<(), KafkaError> {
        if let RdError::MessageConsumptionFatal(code) = error {
            let reason = self.shared.link.fatal();
            return Err(KafkaError::Fatal {
                reason: reason.unwrap_or_else(|| code.to_string()),
            });
        }
        match code_of(error) {
            Some(code @ (Code::AutoOffsetReset | Code::OffsetOutOfRange)) => {
                self.lost_place.get_or_insert((Instant::now(), code));
                Ok(())
            }
            Some(code) if code_is_unknown(code) => {
                self.unknown_since.get_or_insert_with(Instant::now);
                Ok(())
            }
            Some(
                code @ (Code::TopicAuthorizationFailed
                | Code::SaslAuthenticationFailed
                | Code::Authentication),
            ) => Err(self.answer("records".to_owned(), code)),
            Some(code) => {
                self.shared.link.note(&code.to_string());
                Ok(())
            }
            None => Err(KafkaError::of_request("records", &self.brokers, error)),
        }
    }

    /// A broker that has just started may not know all topics yet; one that stays unknown has been deleted.
    fn look_for_topics(&mut self) -> Result<(), KafkaError> {
        let Some(since) = self.unknown_since else {
            return Ok(());
        };
        match self.find_topics() {
            Ok(()) => {
                self.unknown_since = None;
                self.shared.enter(Phase::Reading);
            }
            Err(Hitch::Final(error)) => return Err(error),
            Err(Hitch::Again(reason)) if since.elapsed() >= UNKNOWN_GRACE => {
                return Err(KafkaError::Answer {
                    what: "the topics being read".to_owned(),
                    brokers: self.brokers.clone(),
                    reason,
                    retryable: false,
                });
            }
            Err(Hitch::Again(reason)) => {
                self.shared.enter(Phase::Preparing { since, reason });
            }
        }
        Ok(())
    }

    /// Finds the partition whose next record does not exist. The error may overtake records, so they are polled first.
    fn look_into_lost_place(&mut self, tracks: &Tracks, idle: bool) -> Result<(), KafkaError> {
        let Some((since, code)) = self.lost_place else {
            return Ok(());
        };
        if !idle && since.elapsed() < Duration::from_secs(1) {
            return Ok(());
        }
        for _ in 0..DIAGNOSES {
            let mut answered = true;
            for track in tracks.iter() {
                match self.watermarks(&track.topic, track.partition) {
                    Ok((low, high)) => {
                        judge_position(&track.topic, track.partition, track.next, low, high)?;
                    }
                    Err(Hitch::Final(error)) => return Err(error),
                    Err(Hitch::Again(_)) => answered = false,
                }
            }
            if answered || self.ends.quit.recv_timeout(PAUSE) != Err(RecvTimeoutError::Timeout) {
                break;
            }
        }
        Err(self.answer("the next records".to_owned(), code))
    }

    /// Offsets that hold no record for us: the client's position passes control records and aborted transactions.
    fn catch_up_position(&self, tracks: &mut Tracks) {
        if let Ok(list) = self.client.position() {
            for element in list.elements() {
                if let Offset::Offset(offset) = element.offset() {
                    tracks.advance(element.topic(), element.partition(), offset);
                }
            }
        }
        let watch = self.client.context();
        tracks.catch_up(|track| watch.seen(&track.topic, track.partition));
    }

    /// Hands a batch over; waits while the channel is full. False when asked to quit meanwhile.
    fn hand_over(&self, batch: Batch) -> bool {
        let count = |n: usize| u64::try_from(n).unwrap_or(u64::MAX);
        let (records, bytes) = (count(batch.len()), count(batch.byte_len()));
        let sent = match self.ends.events.try_send(Event::Batch(batch)) {
            Ok(()) => true,
            Err(TrySendError::Disconnected(_)) => false,
            Err(TrySendError::Full(event)) => {
                self.shared.full_waits.fetch_add(1, Ordering::AcqRel);
                select! {
                    send(self.ends.events, event) -> sent => sent.is_ok(),
                    recv(self.ends.quit) -> _ => false,
                }
            }
        };
        if sent {
            self.shared.batches.fetch_add(1, Ordering::AcqRel);
            self.shared.records.fetch_add(records, Ordering::AcqRel);
            self.shared.bytes.fetch_add(bytes, Ordering::AcqRel);
        }
        sent
    }

    /// Tells the embedded broker's gauge how far this reader is.
    fn publish_progress(&self, tracks: &Tracks) {
        if let Some(of) = &self.registration {
            for track in tracks.iter() {
                of.gauge
                    .read(of.reader, &track.topic, track.partition, Some(track.next));
            }
        }
    }

    fn publish_positions(&self, tracks: &Tracks) {
        *self
            .shared
            .positions
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = tracks.positions();
    }

    fn obey(&mut self, tracks: &mut Tracks) -> Result<(), KafkaError> {
        while let Ok(command) = self.ends.commands.try_recv() {
            match command {
                Command::StopAt(stops) => {
                    for (topic, partition, stop) in stops {
                        tracks.stop_at(&topic, partition, stop);
                    }
                }
                Command::StopAtEnd => {
                    let all: Vec<(Arc<str>, i32)> = tracks
                        .iter()
                        .map(|track| (Arc::clone(&track.topic), track.partition))
                        .collect();
                    for (topic, partition) in all {
                        let Some(high) = self.end_of(&topic, partition)? else {
                            return Ok(());
                        };
                        tracks.stop_at(&topic, partition, high);
                    }
                }
            }
        }
        Ok(())
    }

    /// The end of a partition, waited for. None when asked to quit.
    fn end_of(&self, topic: &str, partition: i32) -> Result<Option<i64>, KafkaError> {
        loop {
            match self.watermarks(topic, partition) {
                Ok((_, high)) => return Ok(Some(high)),
                Err(Hitch::Final(error)) => return Err(error),
                Err(Hitch::Again(reason)) => self.shared.link.note(&reason),
            }
            if self.ends.quit.recv_timeout(PAUSE) != Err(RecvTimeoutError::Timeout) {
                return Ok(None);
            }
        }
    }
}

/// Puts a polled record into the batch, unless it was seen before or lies behind the stop.
fn take(
    shared: &Shared,
    tracks: &mut Tracks,
    record: &BorrowedMessage<'_>,
    batch: &mut Batch,
) -> Result<(), KafkaError> {
    shared.link.up();
    let (name, partition, offset) = (record.topic(), record.partition(), record.offset());
    match tracks.take(name, partition, offset)? {
        Step::Seen => {
            shared.seen_again.fetch_add(1, Ordering::AcqRel);
        }
        Step::PastStop => {}
        Step::Deliver(topic) => {
            let message = Message {
                topic: name,
                partition,
                offset,
                timestamp_ms: record.timestamp().to_millis(),
                key: record.key(),
                value: record.payload(),
                headers: &[],
            };
            let headers: Vec<Header> = record.headers().map_or_else(Vec::new, |headers| {
                headers
                    .iter()
                    .map(|header| (header.key.to_owned(), header.value.map(<[u8]>::to_vec)))
                    .collect()
            });
            batch.push(&topic, message, headers);
        }
    }
    Ok(())
}

/// Whether a record at `expected` exists or can still come.
fn judge_position(
    topic: &str,
    partition: i32,
    expected: i64,
    low: i64,
    high: i64,
) -> Result<(), KafkaError> {
    if expected < low {
        return Err(KafkaError::DataLost {
            topic: topic.to_owned(),
            partition,
            expected,
            low,
        });
    }
    if expected > high {
        return Err(KafkaError::BeyondEnd {
            topic: topic.to_owned(),
            partition,
            expected,
            high,
        });
    }
    Ok(())
}

/// A group that nobody else is in, so that the library never moves a partition. Where groups are restricted, readers need
/// leave for those that begin with `lockstep-`.
fn group_of_its_own(name: &str) -> String {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let chance = RandomState::new().hash_one(number);
    format!(
        "lockstep-{name}-{}-{number}-{chance:016x}",
        std::process::id()
    )
}
