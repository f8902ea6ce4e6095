//! The thread that reads the topics and folds their records into the app. It never waits for the screen's terminal.
//!
//! In: `spreads`, `eeg-states` and `eeg-samples` from some way back, `venues` and `alerts` as far as they are kept; what is
//! committed alone. Out: [`Message`]s through a [`Door`]. Records that cannot be read are counted and shown. A broker that is away is waited
//! for; a reading that failed for good is begun anew after a pause that grows to half a minute.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use contract::alert::Alert;
use contract::eeg::{self, End, Samples, State as EegState, Stimulation};
use contract::spread::Spread;
use contract::time::{Clock, NS_PER_MS};
use contract::topic::{ALERTS, EEG_SAMPLES, EEG_STATES, SPREADS, Topic, VENUES};
use contract::venue::VenueHealth;
use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded};
use kafka_io::{
    Batch, Broker, Consumer, ConsumerOptions, Event, KafkaError, Message as Record, Start, State,
};

use crate::door::Door;
use crate::error::DashboardError;
use crate::message::{Feed as Fares, Link, Message};

/// How far back `venues` is read: minutes of a record a second for each venue.
const VENUES_BACK: i64 = 2_000;
/// How far back `alerts` is read; the topic is compacted.
const ALERTS_BACK: i64 = 100_000;
/// How far back `eeg-samples` is read in each partition: some seconds of blocks, which is what a screen shows.
const SAMPLES_BACK: i64 = 300;
/// How far back `eeg-states` is read in each partition: ten minutes of one session, less of each where there are more.
const STATES_BACK: i64 = 600;
/// The longest wait for records before the state of the reading is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(200);
/// The first pause before reading is begun anew, and the longest.
const PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// The reading; dropping it ends its thread.
#[derive(Debug)]
pub(crate) struct Feed {
    quit: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Feed {
    /// Begins to read.
    ///
    /// # Errors
    /// [`DashboardError::Kafka`] where no broker could ever be asked with these settings, [`DashboardError::Thread`].
    pub(crate) fn start(
        broker: &Broker,
        history_records: i64,
        clock: Arc<dyn Clock>,
        door: &Door,
    ) -> Result<Self, DashboardError> {
        const NAME: &str = "dashboard-feed";
        let (quit, quitting) = bounded(0);
        let reading = Reading {
            broker: broker.clone(),
            history_records,
            began_ns: clock.now_ns(),
            clock,
            door: door.clone(),
            quitting,
            restarts: 0,
            positions: BTreeMap::new(),
        };
        let consumer = reading.consumer()?;
        let thread = std::thread::Builder::new()
            .name(NAME.to_owned())
            .spawn(move || reading.run(consumer))
            .map_err(|source| DashboardError::Thread { name: NAME, source })?;
        Ok(Self {
            quit: Some(quit),
            thread: Some(thread),
        })
    }
}

impl Drop for Feed {
    fn drop(&mut self) {
        drop(self.quit.take());
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the thread that feeds the dashboard panicked");
        }
    }
}

struct Reading {
    broker: Broker,
    history_records: i64,
    began_ns: i64,
    clock: Arc<dyn Clock>,
    door: Door,
    quitting: Receiver<()>,
    restarts: u64,
    /// Where to go on after a failure; empty where to begin as at first.
    positions: BTreeMap<(String, i32), i64>,
}

impl Reading {
    fn consumer(&self) -> Result<Consumer, KafkaError> {
        let mut options = ConsumerOptions::new("dashboard");
        for (topic, back) in [
            (SPREADS, self.history_records),
            (VENUES, VENUES_BACK),
            (ALERTS, ALERTS_BACK),
            (EEG_SAMPLES, SAMPLES_BACK),
            (EEG_STATES, STATES_BACK),
        ] {
            for partition in 0..topic.partitions {
                let known = self.positions.get(&(topic.name.to_owned(), partition));
                let start = known.map_or(Start::Back(back), |offset| Start::At(*offset));
                options = options.partition(topic.name, partition, start);
            }
        }
        self.broker.consumer(options)
    }

    fn run(mut self, consumer: Consumer) {
        let mut reader = Ok(consumer);
        let mut pause = PAUSE;
        loop {
            let failed = match reader {
                Ok(consumer) => match self.read(&consumer) {
                    Ok(()) => return,
                    Err(error) => {
                        pause = if self.positions == consumer.positions() {
                            pause
                        } else {
                            PAUSE
                        };
                        self.positions = match error {
                            // What should come next is gone: what is there now is taken instead.
                            KafkaError::DataLost { .. } | KafkaError::BeyondEnd { .. } => {
                                BTreeMap::new()
                            }
                            _ => consumer.positions(),
                        };
                        error
                    }
                },
                Err(error) => error,
            };
            tracing::error!(error = %failed, again_in_s = pause.as_secs(), "the dashboard cannot read, begins anew");
            self.restarts += 1;
            self.tell(
                Link::Failed {
                    since_ns: self.clock.now_ns(),
                    reason: failed.to_string(),
                },
                None,
            );
            if self.quitting.recv_timeout(pause) != Err(RecvTimeoutError::Timeout) {
                return;
            }
            pause = (pause * 2).min(LONGEST_PAUSE);
            reader = self.consumer();
        }
    }

    /// Reads until asked to quit.
    fn read(&self, consumer: &Consumer) -> Result<(), KafkaError> {
        let mut was_up = false;
        loop {
            let state = consumer.state();
            was_up |= state == State::Running;
            if let Some(link) = self.link(state, was_up) {
                self.tell(link, consumer.lag());
            }
            match consumer.recv(LOOK_EVERY) {
                Some(Event::Batch(batch)) => self.fold(&batch),
                Some(Event::Failed(error)) => return Err(error),
                // Nobody sets an end.
                Some(Event::End) | None => {}
            }
            if self.quitting.try_recv() == Err(crossbeam_channel::TryRecvError::Disconnected) {
                return Ok(());
            }
        }
    }

    fn link(&self, state: State, was_up: bool) -> Option<Link> {
        match state {
            State::Running => Some(Link::Up),
            State::Waiting { since, reason } => {
                let for_ns = i64::try_from(since.elapsed().as_nanos()).unwrap_or(i64::MAX);
                let away = Link::Away {
                    since_ns: self.clock.now_ns().saturating_sub(for_ns),
                    reason,
                };
                // The first connection takes a moment, and is no outage yet.
                const GRACE_NS: i64 = 3 * contract::time::NS_PER_S;
                Some(if was_up || for_ns > GRACE_NS {
                    away
                } else {
                    Link::Connecting
                })
            }
            // Told by an event.
            State::Ended | State::Stopped | State::Failed(_) => None,
        }
    }

    fn tell(&self, link: Link, lag: Option<u64>) {
        let fares = Fares {
            link,
            lag,
            restarts: self.restarts,
        };
        self.door.take([Message::Feed(fares)]);
    }

    fn fold(&self, batch: &Batch) {
        let now_ns = self.clock.now_ns();
        let mut read: Vec<Read<'_>> = Vec::with_capacity(batch.len());
        for record in batch.messages() {
            read.push(decode(record, self.came_ns(record.timestamp_ms, now_ns)));
        }
        self.door.take(read.iter().map(Read::message));
    }

    /// When a record came: what was written before this screen began did so then, everything else now.
    fn came_ns(&self, written_ms: Option<i64>, now_ns: i64) -> i64 {
        written_ms
            .map(|ms| ms.saturating_mul(NS_PER_MS))
            .filter(|written_ns| *written_ns > 0 && *written_ns < self.began_ns)
            .unwrap_or(now_ns)
    }
}

/// A record, read.
enum Read<'a> {
    Spread(Box<Spread<'a>>, i64),
    Venue(VenueHealth<'a>, i64),
    Alert(Box<Alert<'a>>),
    Gone(String),
    Samples(Box<Samples<'a>>, i64),
    Stimulation(Box<Stimulation<'a>>),
    SessionEnd(End<'a>, i64),
    State(Box<EegState<'a>>, i64),
    Unreadable(String),
}

impl Read<'_> {
    fn message(&self) -> Message<'_> {
        match self {
            Self::Spread(spread, at_ns) => Message::Spread(spread, *at_ns),
            Self::Venue(health, at_ns) => Message::Venue(health, *at_ns),
            Self::Alert(alert) => Message::Alert(alert),
            Self::Gone(id) => Message::AlertGone(id),
            Self::Samples(block, at_ns) => Message::Samples(block, *at_ns),
            Self::Stimulation(order) => Message::Stimulation(order),
            Self::SessionEnd(end, at_ns) => Message::SessionEnd(end, *at_ns),
            Self::State(state, at_ns) => Message::State(state, *at_ns),
            Self::Unreadable(reason) => Message::Unreadable(reason.clone()),
        }
    }
}

fn decode(record: Record<'_>, at_ns: i64) -> Read<'_> {
    let is = |topic: &Topic| record.topic == topic.name;
    let Some(value) = record.value else {
        if is(&ALERTS) {
            return Read::Gone(
                String::from_utf8_lossy(record.key.unwrap_or_default()).into_owned(),
            );
        }
        return unreadable(record, "no value");
    };
    if is(&EEG_SAMPLES) {
        return match eeg::decode(value) {
            Ok(eeg::Record::Samples(block)) => Read::Samples(Box::new(block), at_ns),
            Ok(eeg::Record::Stimulation(order)) => Read::Stimulation(Box::new(order)),
            Ok(eeg::Record::End(end)) => Read::SessionEnd(end, at_ns),
            Err(error) => unreadable(record, &error.to_string()),
        };
    }
    let read = if is(&SPREADS) {
        serde_json::from_slice(value).map(|spread| Read::Spread(Box::new(spread), at_ns))
    } else if is(&EEG_STATES) {
        serde_json::from_slice(value).map(|state| Read::State(Box::new(state), at_ns))
    } else if is(&VENUES) {
        serde_json::from_slice(value).map(|health| Read::Venue(health, at_ns))
    } else {
        serde_json::from_slice(value).map(|alert| Read::Alert(Box::new(alert)))
    };
    read.unwrap_or_else(|error| unreadable(record, &error.to_string()))
}

fn unreadable<'a>(record: Record<'_>, reason: &str) -> Read<'a> {
    Read::Unreadable(format!(
        "{} {}@{}: {reason}",
        record.topic, record.partition, record.offset
    ))
}
