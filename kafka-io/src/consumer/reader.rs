//! The thread that polls: prepares, then polls, batches and hands over.
//!
//! In come records and errors of the client; out go [`Event`]s. Everything that waits here also listens for the end.

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

use super::prepare::{Hitch, judge_position};
use super::track::{Step, Tracks};
use super::{Command, ConsumerOptions, Event, Phase, Shared, Start};
use crate::batch::{Batch, Header, Message};
use crate::config::{KafkaSettings, Role};
use crate::error::{KafkaError, code_is_unknown, code_of};
use crate::gauge::Gauge;
use crate::watch::ConsumerWatch;

/// The longest wait for a record, and so for a command or the end.
const POLL: Duration = Duration::from_millis(50);
/// The pause between two attempts; the library's own reconnecting is backed off and jittered.
pub(super) const PAUSE: Duration = Duration::from_millis(100);
/// How long a topic being read may be unknown to the brokers: as long as a cluster takes to hear of its topics.
const UNKNOWN_GRACE: Duration = Duration::from_secs(60);
/// How long after a topic was unknown it is looked for a second time, though it was found.
const KNOWN_AGAIN: Duration = Duration::from_secs(3);
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
pub(super) struct Registration {
    pub(super) gauge: Arc<Gauge>,
    pub(super) reader: u64,
}

impl Drop for Registration {
    fn drop(&mut self) {
        self.gauge.leave(self.reader);
    }
}

/// The thread's whole state.
pub(super) struct Reader {
    pub(super) client: Client,
    pub(super) brokers: String,
    pub(super) options: ConsumerOptions,
    pub(super) registration: Option<Registration>,
    pub(super) shared: Arc<Shared>,
    pub(super) ends: Ends,
    /// What the client said when it lost its place; looked into once everything before it has been polled.
    lost_place: Option<(Instant, Code)>,
    /// Since when brokers say that a topic being read is unknown to them.
    unknown_since: Option<Instant>,
    /// Since when, after that, they are found to know all again.
    known_since: Option<Instant>,
}

/// Why the reading is over without a failure.
enum Over {
    End,
    Quit,
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
            // How long the library itself keeps back that a topic is unknown; by default half a minute without a word.
            // What is told early is looked into and given UNKNOWN_GRACE.
            ("topic.metadata.propagation.max.ms", "3000"),
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
                    Start::End | Start::Back(_) => None,
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
            known_since: None,
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
                let newest_ms = batch.newest_ms();
                if !self.hand_over(batch) {
                    return Ok(Over::Quit);
                }
                self.shared.newest_ms().extend(newest_ms);
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
                self.known_since = None;
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
        let Some(mut since) = self.unknown_since else {
            return Ok(());
        };
        // The library tells once. A broker that has not heard of the deletion yet must not be believed for good.
        let settled = self.known_since.map(|known| known.elapsed());
        if settled.is_some_and(|settled| settled < KNOWN_AGAIN) {
            return Ok(());
        }
        let found = self.find_topics();
        if found.is_err() && self.known_since.take().is_some() {
            // Unknown anew.
            since = Instant::now();
            self.unknown_since = Some(since);
        }
        match found {
            Ok(()) if settled.is_none() => {
                self.known_since = Some(Instant::now());
                self.shared.enter(Phase::Reading);
            }
            Ok(()) => (self.unknown_since, self.known_since) = (None, None),
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
                // Statistics come by polling, and there is none now: what waits is told all the same.
                if let Event::Batch(batch) = &event {
                    *self.shared.held() = batch.counts();
                }
                let sent = select! {
                    send(self.ends.events, event) -> sent => sent.is_ok(),
                    recv(self.ends.quit) -> _ => false,
                };
                self.shared.held().clear();
                sent
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
