//! The shell: `spreads` and `venues` in from Kafka, `alerts` out to it, Discord on a thread of its own.
//!
//! ```text
//! consumer --batches--> core --records--> producer --delivered--> the request they belong to is made --> Discord
//!                        ^                                                                                 |
//!                        +------------------------------ answer ------------------------------------------+
//! every second: what is delivered and answered is committed
//! ```
//!
//! A record of `alerts` is safe before the request that it announces is made, and offsets are committed only behind records
//! whose alerts Discord has answered (or refused for good: they are kept on `alerts`). So a process may die at any moment
//! and its successor tells what is missing. What when full: with 10,000 episodes waiting, reading pauses, and is counted.
//! There is one alerter per cluster: a second fences the first, which ends (`ledger`), so nothing is told by both.

use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use contract::time::{Clock, NS_PER_MS};
use contract::topic;
use crossbeam_channel::{never, select};
use kafka_io::{
    Batch, Broker, Consumer, Event, KafkaError, Offsets, Producer, ProducerOptions, Record, Start,
    State,
};

use crate::answer::Verdict;
use crate::config::Settings;
use crate::core::Core;
use crate::discord::{Answer, Discord};
use crate::episode::{Episode, Input, Now, Place, Positions, What};
use crate::error::AlerterError;
use crate::outbox::{Request, Way};
use crate::report::Report;

mod books;
mod commit;
mod ledger;
mod socket;
mod start;

use books::Books;
use socket::Socket;

/// The group under whose name offsets are committed, and the `transactional.id` of whoever does.
pub const GROUP: &str = "lockstep-alert";

/// The longest wait for something to happen.
const TICK: Duration = Duration::from_millis(20);
/// How often offsets are committed.
const COMMIT_EVERY_MS: i64 = 1_000;
/// How often the figures are shown to others.
const SHOW_EVERY_MS: i64 = 250;
/// How long a stop waits for Discord to take what is due.
const STOP_GRACE_MS: i64 = 5_000;
/// How long a stop waits for the last records and offsets to be written.
const FLUSH: Duration = Duration::from_secs(20);

/// How the stage runs.
#[derive(Clone)]
pub struct JobOptions {
    /// Where to start in `spreads` and `venues` when no offset was ever committed: [`Start::End`] on a cluster, so that a
    /// week of old windows gives no alerts; [`Start::Beginning`] where all stages start together.
    pub start: Start,
    /// Set by anybody, it ends the stage: what can be told within a few seconds is, then offsets are committed.
    pub stop: Arc<AtomicBool>,
}

/// `spreads` and `venues` to `alerts` and Discord, ready to run.
pub struct Job {
    settings: Settings,
    broker: Broker,
    clock: Arc<dyn Clock>,
    options: JobOptions,
    discord: Option<Discord>,
    alerts: Producer,
    dead_letters: Producer,
    offsets: Offsets,
    handle: JobHandle,
}

/// What others see of a running stage.
#[derive(Clone, Default)]
pub struct JobHandle {
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    report: Mutex<Report>,
    /// When the report was shown.
    shown: Mutex<Option<Instant>>,
    ready: Mutex<bool>,
    changed: Condvar,
}

impl Job {
    /// Sets up producers and the connection to Discord. A broker that is away is waited for in [`Self::run`].
    ///
    /// # Errors
    /// [`AlerterError`] where settings are refused or threads cannot start.
    pub fn new(
        settings: &Settings,
        broker: &Broker,
        clock: Arc<dyn Clock>,
        options: &JobOptions,
    ) -> Result<Self, AlerterError> {
        let within = Duration::from_millis(settings.answer_timeout_ms);
        let discord = settings
            .webhook
            .as_ref()
            .map(|webhook| Discord::new(webhook, within));
        let producer = |name: &str| {
            broker
                .producer(ProducerOptions::new(name).stop(&options.stop))
                .map_err(AlerterError::Write)
        };
        Ok(Self {
            settings: settings.clone(),
            broker: broker.clone(),
            clock,
            options: options.clone(),
            discord: discord.transpose()?,
            alerts: producer("alert")?,
            dead_letters: producer("alert-dead-letters")?,
            offsets: broker.offsets(GROUP).map_err(AlerterError::Offsets)?,
            handle: JobHandle::default(),
        })
    }

    /// What others may look at while it runs.
    #[must_use]
    pub fn handle(&self) -> JobHandle {
        self.handle.clone()
    }

    /// Runs until the stop flag is set; blocks. Gives the closing figures.
    ///
    /// # Errors
    /// [`AlerterError`]; nothing is lost by it.
    pub fn run(self) -> Result<Report, AlerterError> {
        let started = Instant::now();
        let steps = Steps {
            clock: self.clock,
            started,
        };
        let (broker, stop) = (&self.broker, &self.options.stop);
        let Some((mut books, committed)) = Books::open(broker, self.alerts, self.offsets, stop)?
        else {
            return Ok(self.handle.report());
        };
        let start = self.options.start;
        let Some(left) = start::take_up(broker, &mut books, &committed, start, stop)? else {
            return Ok(self.handle.report());
        };
        let mut core = Core::new(self.settings, steps.now());
        core.take_up(&left.alerts, &left.positions, steps.now());
        let socket = self.discord.map(Socket::start).transpose()?;
        let running = Running {
            steps,
            core,
            consumer: Some(left.consumer),
            books,
            dead_letters: self.dead_letters,
            socket,
            stop: self.options.stop,
            handle: self.handle,
            prepared: None,
            asked: None,
            safe: None,
            commit_at_ms: 0,
            show_at_ms: 0,
        };
        running.run()
    }
}

impl JobHandle {
    /// What it did so far; right to a quarter of a second.
    #[must_use]
    pub fn report(&self) -> Report {
        self.shared
            .report
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// How long ago it last showed what it did; a stage that runs does so four times a second. None before it reads.
    #[must_use]
    pub fn quiet_for(&self) -> Option<Duration> {
        let shown = self.shared.shown.lock();
        shown
            .unwrap_or_else(PoisonError::into_inner)
            .map(|at| at.elapsed())
    }

    /// Waits until the readers have settled where they start, so that nothing published afterwards is missed. False when
    /// `timeout` is over before.
    #[must_use]
    pub fn wait_ready(&self, timeout: Duration) -> bool {
        let ready = self
            .shared
            .ready
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let waited = self
            .shared
            .changed
            .wait_timeout_while(ready, timeout, |ready| !*ready);
        *waited.unwrap_or_else(PoisonError::into_inner).0
    }

    fn show(&self, report: Report) {
        *self
            .shared
            .report
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = report;
        *self
            .shared
            .shown
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
    }

    fn set_ready(&self) {
        *self
            .shared
            .ready
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = true;
        self.shared.changed.notify_all();
    }
}

/// Wall time and steady time.
struct Steps {
    clock: Arc<dyn Clock>,
    started: Instant,
}

impl Steps {
    fn now(&self) -> Now {
        Now {
            wall_ms: self.clock.now_ns().div_euclid(NS_PER_MS),
            steady_ms: i64::try_from(self.started.elapsed().as_millis()).unwrap_or(i64::MAX),
        }
    }
}

/// The stage while it runs.
struct Running {
    steps: Steps,
    core: Core,
    /// None once the stage is stopping: nobody shall wait for a reader that reads no more.
    consumer: Option<Consumer>,
    books: Books,
    dead_letters: Producer,
    socket: Option<Socket>,
    stop: Arc<AtomicBool>,
    handle: JobHandle,
    /// A request whose records are to be kept first: so much of what is handed over.
    prepared: Option<(Request, u64)>,
    /// A request that is being made.
    asked: Option<Request>,
    /// Positions that may be committed once so much of what is handed over is kept.
    safe: Option<(Positions, u64)>,
    commit_at_ms: i64,
    show_at_ms: i64,
}

impl Running {
    fn run(mut self) -> Result<Report, AlerterError> {
        // What was taken up may have changed by it.
        self.write()?;
        let no_events = never::<Event>();
        let no_answers = never::<Answer>();
        let mut stop_at_ms = None;
        let mut was_full = false;
        self.handle.set_ready();
        loop {
            let is_stopping = self.stop.load(Ordering::Acquire);
            let now = self.steps.now();
            if is_stopping {
                drop(self.consumer.take());
                let until_ms = *stop_at_ms.get_or_insert(now.steady_ms + STOP_GRACE_MS);
                let is_done =
                    self.core.is_told() && self.prepared.is_none() && self.asked.is_none();
                if is_done || now.steady_ms >= until_ms {
                    return self.finish();
                }
            }
            let is_full = self.core.is_full();
            if is_full && !was_full {
                tracing::warn!("too many alerts wait for Discord: reading pauses");
            }
            was_full = is_full;
            let (event, answer) = {
                let reader = self.consumer.as_ref().filter(|_| !is_full);
                let events = reader.map_or(&no_events, Consumer::events);
                let answers = self.socket.as_ref().map_or(&no_answers, Socket::answers);
                select! {
                    recv(events) -> event => (Some(event), None),
                    recv(answers) -> answer => (None, Some(answer)),
                    default(TICK) => (None, None),
                }
            };
            match event {
                Some(Ok(Event::Batch(batch))) => self.take(&batch),
                Some(Ok(Event::Failed(source))) => {
                    return Err(AlerterError::Read {
                        topic: "spreads",
                        source,
                    });
                }
                Some(Ok(Event::End) | Err(_)) => {
                    let source = KafkaError::Stopped("reading");
                    return Err(AlerterError::Read {
                        topic: "spreads",
                        source,
                    });
                }
                None => {}
            }
            match answer {
                Some(Ok(answer)) => self.answered(&answer),
                Some(Err(_)) => return Err(AlerterError::Client("its thread ended".to_owned())),
                None => {}
            }
            self.turn(!is_stopping)?;
        }
    }

    fn take(&mut self, batch: &Batch) {
        let now = self.steps.now();
        for message in batch.messages() {
            let input = if message.topic == topic::SPREADS.name {
                Input::Spreads
            } else {
                Input::Venues
            };
            let place = Place {
                input,
                partition: message.partition,
                offset: message.offset,
            };
            self.core
                .record(place, message.value.unwrap_or_default(), now);
        }
    }

    fn answered(&mut self, answer: &Answer) {
        let Some(request) = self.asked.take() else {
            return;
        };
        let (verdict, headers) = answer;
        match verdict {
            Verdict::Kept(_) => tracing::debug!(episodes = request.episodes, "told"),
            Verdict::Limited { wait_ms, .. } => tracing::info!(wait_ms, "Discord asks to wait"),
            Verdict::Deleted => {
                tracing::info!("a message was deleted on Discord; it is not edited any more")
            }
            Verdict::NotSent(reason) | Verdict::Unclear(reason) => {
                tracing::warn!(
                    reason,
                    "Discord cannot be reached; it is tried again, nothing is lost"
                );
            }
            Verdict::Faulty(reason) => {
                tracing::error!(
                    reason,
                    episodes = request.episodes,
                    "Discord does not take this message; its alerts stand on `alerts` as refused"
                );
            }
            Verdict::Dead(reason) => {
                tracing::error!(
                    reason,
                    "Discord refuses the webhook: nothing more is sent. Alerts are kept on `alerts`; set \
                     `alerter.webhook_url` to a working webhook and start again, then they are sent"
                );
            }
        }
        let chance = RandomState::new().hash_one(self.books.handed_over());
        self.core
            .answered(&request, verdict, headers, self.steps.now(), chance);
    }

    /// What follows from whatever has happened: records, a request, offsets, figures.
    fn turn(&mut self, with_updates: bool) -> Result<(), AlerterError> {
        let now = self.steps.now();
        self.core.tick(now);
        self.tell_log();
        self.write()?;
        if self.prepared.is_none()
            && self.asked.is_none()
            && let Some(request) = self.core.request(now, with_updates)
        {
            self.write()?;
            self.books.confirm()?;
            self.prepared = Some((request, self.books.handed_over()));
        }
        let is_written = self.books.delivered()?;
        if let Some((request, _)) = self.prepared.take_if(|(_, wanted)| is_written >= *wanted) {
            if !self.books.is_fresh() {
                // Paused just now: a successor may have told it, or more, meanwhile.
                self.books.confirm()?;
                self.prepared = Some((request, self.books.handed_over()));
            } else if let Some(socket) = &self.socket {
                socket.ask(request.clone())?;
                self.asked = Some(request);
            }
        }
        if self.safe.is_none() && now.steady_ms >= self.commit_at_ms {
            self.commit_at_ms = now.steady_ms + COMMIT_EVERY_MS;
            self.safe = Some((self.core.safe_positions(), self.books.handed_over()));
        }
        let dead_letters = self.dead_letters.counts();
        if dead_letters.failed > 0 {
            self.dead_letters
                .flush(Duration::ZERO)
                .map_err(AlerterError::Write)?;
        }
        if dead_letters.in_flight == 0
            && let Some((positions, _)) = self.safe.take_if(|(_, wanted)| is_written >= *wanted)
        {
            self.books.commit(positions)?;
        }
        if now.steady_ms >= self.show_at_ms {
            self.show_at_ms = now.steady_ms + SHOW_EVERY_MS;
            self.handle.show(self.report(now));
        }
        Ok(())
    }

    /// Hands the core's records to the producers.
    fn write(&mut self) -> Result<(), AlerterError> {
        for record in self.core.take_records() {
            self.books.send(record)?;
        }
        for letter in self.core.take_dead_letters() {
            tracing::debug!(
                topic = letter.topic,
                offset = letter.offset,
                error = letter.error,
                "dead letter"
            );
            let key = letter.topic.clone();
            let (bytes, headers) = letter.into_record();
            let headers: Vec<(&str, &[u8])> = headers
                .iter()
                .map(|(name, value)| (*name, value.as_bytes()))
                .collect();
            let partition = topic::DEAD_LETTERS.partition_of(key.as_bytes());
            let record = Record::new(topic::DEAD_LETTERS.name, partition, key.as_bytes(), &bytes);
            self.dead_letters
                .send(record.headers(&headers))
                .map_err(AlerterError::Write)?;
        }
        Ok(())
    }

    /// Where nobody else is told, the log must show alerts; else it may.
    fn tell_log(&mut self) {
        let is_only_word = *self.core.way() != Way::Discord;
        for episode in self.core.take_news() {
            let word = word(&episode);
            if is_only_word {
                tracing::warn!(episode = %episode.id, "{word}");
            } else {
                tracing::info!(episode = %episode.id, "{word}");
            }
        }
    }

    fn finish(mut self) -> Result<Report, AlerterError> {
        self.write()?;
        self.dead_letters
            .flush(FLUSH)
            .map_err(AlerterError::Write)?;
        self.books.finish(self.core.safe_positions(), FLUSH)?;
        let report = self.core.report(self.steps.now());
        self.handle.show(report.clone());
        Ok(report)
    }

    /// The core's figures, and how the reading stands.
    fn report(&self, now: Now) -> Report {
        let unread = |consumer: &Consumer| match consumer.state() {
            State::Waiting { reason, .. } => Some(reason),
            _ => None,
        };
        Report {
            lags: self
                .consumer
                .as_ref()
                .map(Consumer::lags)
                .unwrap_or_default(),
            unread: self.consumer.as_ref().and_then(unread),
            ..self.core.report(now)
        }
    }
}

/// An episode's beginning or end, for the log.
fn word(episode: &Episode) -> String {
    let lasted_ms = episode
        .closed_ms
        .map(|closed_ms| closed_ms - episode.opened_ms);
    match (&episode.what, lasted_ms) {
        (What::Spread(facts), None) => format!("spread of {:.2} bps net", facts.peak_net_bps),
        (What::Spread(facts), Some(ms)) => {
            format!(
                "spread over after {ms} ms, at most {:.2} bps net",
                facts.peak_net_bps
            )
        }
        (What::Outage { .. }, None) => "outage".to_owned(),
        (What::Outage { .. }, Some(ms)) => format!("outage over after {ms} ms"),
        (What::Stall, None) => "no windows come: do ingest and window run?".to_owned(),
        (What::Stall, Some(ms)) => format!("windows come again after {ms} ms"),
    }
}
