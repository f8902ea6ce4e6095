//! Which episode is told next, and what is known of those already told. Pure: time is an argument.
//!
//! ```text
//! episode -> waiting (in order) --one, or several merged--> message --edits, the newest state only--> message
//!               ^                                              |
//!               +------------- not kept, or nobody knows ------+
//! ```
//!
//! In: newest states of episodes, and what became of requests. Out: one request at a time, and the records of `alerts`.
//! Order: new episodes before ends before updates, each in the order in which it came, and none before the one before it of
//! its series. Overload: of an episode only the newest state is sent; episodes that wait too long or are too
//! many come several in one message. When [`WAITING_MOST`] episodes wait, [`Outbox::is_full`] asks the reader to pause.
//!
//! A message may stand twice only where nobody knows whether the first attempt was kept; then it says so. The record of an
//! episode says `possible_repeat` from just before its message is sent, so that a successor of a killed process knows.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;

use contract::alert::Delivery;

use crate::answer::Verdict;
use crate::episode::{Episode, Now, Place};
use crate::message::{self, EMBEDS_MOST, Part};
use crate::report::Report;
use crate::throttle::{Action, Throttle};

mod deliver;
mod take_up;
#[cfg(test)]
mod tests;

pub use take_up::Kept;

/// How many episodes may wait to be told before reading pauses.
pub const WAITING_MOST: usize = 10_000;
/// More waiting than a webhook takes at once are merged...
const MERGE_ABOVE: usize = 5;
/// ...and so are those that have waited this long, milliseconds.
const MERGE_AFTER_MS: i64 = 1_000;
/// How long beyond the cooldown a finished episode is kept for the next to join it, milliseconds.
const KEEP_MS: i64 = 60_000;

/// Where alerts go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Way {
    /// To Discord.
    Discord,
    /// Nowhere but the log and the topic: no webhook is set.
    Log,
    /// Discord takes nothing any more, for this reason: they are kept for the next start.
    Refused(String),
}

/// A record to be written to `alerts`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outgoing {
    /// Its key: the episode's id.
    pub key: Arc<str>,
    /// Its bytes.
    pub line: Vec<u8>,
}

/// A request to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// The message to be edited; none posts one.
    pub message_id: Option<Arc<str>>,
    /// What it says.
    pub body: Vec<u8>,
    /// How many episodes it tells.
    pub episodes: usize,
}

impl Request {
    /// What it does.
    #[must_use]
    pub fn action(&self) -> Action {
        match self.message_id {
            None => Action::Post,
            Some(_) => Action::Edit,
        }
    }
}

/// Everything that is to be told or may still change.
#[derive(Debug)]
pub struct Outbox {
    way: Way,
    update_interval_ms: i64,
    cooldown_ms: i64,
    label: String,
    entries: BTreeMap<Arc<str>, Entry>,
    /// Episodes that no message tells yet, in order.
    waiting: VecDeque<Arc<str>>,
    messages: BTreeMap<u64, Message>,
    next_message: u64,
    /// By series, its newest episode.
    newest: HashMap<String, Arc<str>>,
    sending: Option<Sending>,
    records: Vec<Outgoing>,
    latencies_ms: VecDeque<i64>,
    report: Report,
}

/// An episode and how far it is told.
#[derive(Debug)]
struct Entry {
    episode: Episode,
    series: String,
    /// The episode before it in its series, whose message it may join.
    before: Option<Arc<str>>,
    message: Option<u64>,
    told: Told,
    /// An attempt was made and nobody knows whether it was kept.
    repeat: bool,
    /// Counts the states, to see whether one was overtaken while it was sent.
    version: u64,
    /// The first record whose effect is not told, and the same of what is being sent.
    untold_from: Option<Place>,
    sending_from: Option<Place>,
    /// When it came, for latency and for how long it waits.
    came_ms: i64,
}

/// The newest state of an episode that its message is known to show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Told {
    Never,
    Open,
    Closed,
    /// Discord would not take it.
    Refused,
}

/// A message, posted or being posted.
#[derive(Debug, Default)]
struct Message {
    id: Option<Arc<str>>,
    episodes: Vec<Arc<str>>,
    /// Since when it does not show the newest states.
    old_since_ms: Option<i64>,
    /// Whether what it does not show is more than an update.
    is_urgent: bool,
    /// Whether an episode has joined it that it does not show.
    has_newcomer: bool,
    sent_ms: i64,
    /// Not to be edited: deleted, refused, or without an id.
    is_over: bool,
    /// An earlier process posted it, and this one has not seen it yet.
    is_inherited: bool,
    /// Finished, since then.
    finished_ms: Option<i64>,
}

/// What is on its way.
#[derive(Debug)]
struct Sending {
    message: u64,
    action: Action,
    versions: Vec<(Arc<str>, u64)>,
    was_urgent: bool,
    had_newcomer: bool,
}

impl Outbox {
    /// Nothing to tell. `updates` come no closer than `update_interval_ms` in one message.
    #[must_use]
    pub fn new(way: Way, update_interval_ms: i64, cooldown_ms: i64) -> Self {
        Self {
            way,
            update_interval_ms,
            cooldown_ms,
            label: String::new(),
            entries: BTreeMap::new(),
            waiting: VecDeque::new(),
            messages: BTreeMap::new(),
            next_message: 0,
            newest: HashMap::new(),
            sending: None,
            records: Vec::new(),
            latencies_ms: VecDeque::new(),
            report: Report::default(),
        }
    }

    /// Begins each message with a label, if it is not empty.
    #[must_use]
    pub fn labelled(mut self, label: String) -> Self {
        self.label = label;
        self
    }

    /// Takes the newest state of an episode. `from` is the record to be read again until it is told, if there is one. True
    /// where it begins or ends.
    pub fn put(&mut self, episode: Episode, from: Option<Place>, now: Now) -> bool {
        let id = Arc::clone(&episode.id);
        let is_closing = !episode.is_open();
        self.report.closed += u64::from(is_closing);
        let is_new = !self.entries.contains_key(&id);
        if is_new {
            self.count_opened(&episode);
            self.enter(&episode, now.steady_ms);
        }
        let is_sent = self.way == Way::Discord;
        let Some(entry) = self.entries.get_mut(&id) else {
            return is_new;
        };
        entry.episode = episode;
        entry.version += 1;
        let message = entry
            .message
            .and_then(|message| self.messages.get_mut(&message));
        if is_sent && entry.told != Told::Refused {
            match message {
                Some(message) if message.is_over => entry.told = entry.newest(),
                Some(message) => {
                    message.old_since_ms.get_or_insert(now.steady_ms);
                    message.is_urgent |= is_closing;
                    entry.untold_from = entry.untold_from.or(from);
                }
                None => entry.untold_from = entry.untold_from.or(from),
            }
        }
        self.write(&id);
        if is_closing
            && (!is_sent
                || self
                    .entries
                    .get(&id)
                    .is_some_and(|entry| entry.told == Told::Refused))
        {
            self.forget(&id);
        }
        is_new || is_closing
    }

    fn count_opened(&mut self, episode: &Episode) {
        let counter = match episode.what {
            crate::episode::What::Spread(_) => &mut self.report.spreads,
            crate::episode::What::Outage { .. } => &mut self.report.outages,
            crate::episode::What::Stall => &mut self.report.stalls,
        };
        *counter += 1;
    }

    /// A new entry at the end of the line.
    fn enter(&mut self, episode: &Episode, now_ms: i64) {
        let series = episode.series();
        let before = self.newest.insert(series.clone(), Arc::clone(&episode.id));
        let entry = Entry {
            episode: episode.clone(),
            series,
            before,
            message: None,
            told: Told::Never,
            repeat: false,
            version: 0,
            untold_from: None,
            sending_from: None,
            came_ms: now_ms,
        };
        self.entries.insert(Arc::clone(&episode.id), entry);
        match &self.way {
            Way::Discord => self.waiting.push_back(Arc::clone(&episode.id)),
            Way::Log => {}
            Way::Refused(_) => self.report.refused += 1,
        }
    }

    /// The records to be written since the last call, in order.
    pub fn take_records(&mut self) -> Vec<Outgoing> {
        std::mem::take(&mut self.records)
    }

    /// Whether so many episodes wait that no more should be read.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.waiting.len() >= WAITING_MOST
    }

    /// Where alerts go now.
    #[must_use]
    pub fn way(&self) -> &Way {
        &self.way
    }

    /// Whether everything but updates has been told, or cannot be.
    #[must_use]
    pub fn is_told(&self) -> bool {
        if self.way != Way::Discord {
            return true;
        }
        let is_due = |message: &Message| message.is_urgent && message.old_since_ms.is_some();
        self.waiting.is_empty() && self.sending.is_none() && !self.messages.values().any(is_due)
    }

    /// Whether a request is on its way.
    #[must_use]
    pub fn is_sending(&self) -> bool {
        self.sending.is_some()
    }

    /// Records that must be read again after a restart, since Discord has not answered for what they led to.
    pub fn holds(&self) -> impl Iterator<Item = Place> {
        let entries = self.entries.values();
        entries.flat_map(|entry| entry.untold_from.into_iter().chain(entry.sending_from))
    }

    /// Counts since the start, and what stands now.
    #[must_use]
    pub fn report(&self) -> Report {
        let count = |n: usize| u64::try_from(n).unwrap_or(u64::MAX);
        let mut sorted: Vec<i64> = self.latencies_ms.iter().copied().collect();
        sorted.sort_unstable();
        let at = |percent: usize| {
            sorted
                .get((sorted.len().max(1) - 1) * percent / 100)
                .copied()
        };
        Report {
            open: count(
                self.entries
                    .values()
                    .filter(|entry| entry.episode.is_open())
                    .count(),
            ),
            waiting: count(self.waiting.len()),
            latency_p50_ms: at(50),
            latency_p99_ms: at(99),
            ..self.report.clone()
        }
    }

    /// Writes the record of an episode as it stands.
    fn write(&mut self, id: &Arc<str>) {
        let Some(entry) = self.entries.get(id) else {
            return;
        };
        let message_id = entry
            .message
            .and_then(|message| self.messages.get(&message)?.id.as_deref());
        let is_sending = self.sending.as_ref().is_some_and(|sending| {
            sending.action == Action::Post && entry.message == Some(sending.message)
        });
        let delivery = match (&self.way, entry.told) {
            (Way::Log, _) => Delivery::Logged,
            (_, Told::Refused) => Delivery::Refused,
            (_, told) if told == entry.newest() => Delivery::Sent,
            (Way::Refused(_), _) => Delivery::Refused,
            (Way::Discord, _) => Delivery::Pending,
        };
        let record = entry
            .episode
            .record(message_id, delivery, entry.repeat || is_sending);
        self.records.push(Outgoing {
            key: Arc::clone(id),
            line: serde_json::to_vec(&record).expect("texts and numbers are always JSON"),
        });
    }

    /// Lets go of an episode that nothing can happen to any more.
    fn forget(&mut self, id: &Arc<str>) {
        if let Some(entry) = self.entries.remove(id)
            && self.newest.get(&entry.series) == Some(id)
        {
            self.newest.remove(&entry.series);
        }
    }
}

impl Entry {
    /// What a message that shows the newest state has told.
    fn newest(&self) -> Told {
        if self.episode.is_open() {
            Told::Open
        } else {
            Told::Closed
        }
    }
}
