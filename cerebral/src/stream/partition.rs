//! The sessions of one partition of `eeg-samples`: records in, records of `eeg-states` out. Pure.
//!
//! What a session gives depends on its own records alone, in their order; that of its neighbours changes nothing but the order
//! in which results leave. Memory is bounded by the number of sessions kept: beyond it, the one unheard for longest ends.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use contract::dead_letter::DeadLetter;
use contract::eeg::{self, Record, Samples, Stimulation};
use contract::topic;
use windowing::error::chain;
use windowing::operator;
use windowing::windows::Windows;
use windowing::work::{Input, Machine};

use super::record::record;
use super::session::{BlockError, ForStretch, Head, Sessions, Stretch};
use super::stretch::{Closed, Fed, StretchLogic};
use super::twin::{OrderError, SessionTwin};
use super::window::WindowAnalyst;
use super::work::{Emitted, Seen, StreamSettings};

/// What a broker takes as one record, less what its envelope may need. With many channels a twin's matrices are left out beyond it.
const MAX_RECORD: usize = 900_000;
const ALWAYS_JSON: &str = "texts and numbers are always JSON";

/// A session whose samples come.
pub(super) struct Live {
    pub(super) stretch: Stretch,
    pub(super) head: Arc<Head>,
    pub(super) analyst: Arc<WindowAnalyst>,
    pub(super) windows: Windows<StretchLogic>,
    pub(super) twin: Option<SessionTwin>,
    /// The record that it was last heard by, counted from this program's start.
    pub(super) heard: u64,
}

/// The sessions of a partition.
pub struct SessionWindows {
    pub(super) settings: Arc<StreamSettings>,
    partition: i32,
    pub(super) sessions: Sessions,
    pub(super) live: BTreeMap<Arc<str>, Live>,
    pub(super) records: u64,
    seen: Seen,
    new_sessions: Vec<String>,
    pub(super) closed_ns: Option<i64>,
    fed: Vec<ForStretch>,
    /// Sessions that were told to be of no use with these settings.
    unusable: BTreeSet<String>,
}

/// Why a record could not be used.
#[derive(Debug, thiserror::Error)]
enum RecordError {
    #[error(transparent)]
    Decode(#[from] eeg::DecodeError),
    #[error(transparent)]
    Block(#[from] BlockError),
    #[error(transparent)]
    Order(#[from] OrderError),
    #[error("no samples of session `{0}` have come")]
    NoSession(String),
    #[error("session `{0}` has no twin: twins are off, or too many sessions have one")]
    NoTwin(String),
}

impl SessionWindows {
    /// A partition of which nothing is known yet.
    #[must_use]
    pub fn new(settings: &Arc<StreamSettings>, partition: i32) -> Self {
        Self {
            settings: Arc::clone(settings),
            partition,
            sessions: Sessions::new(settings.window.clone()),
            live: BTreeMap::new(),
            records: 0,
            seen: Seen::default(),
            new_sessions: Vec::new(),
            closed_ns: None,
            fed: Vec::new(),
            unusable: BTreeSet::new(),
        }
    }

    /// What it has seen so far.
    #[must_use]
    pub fn seen(&self) -> Seen {
        Seen {
            seen_again: self.sessions.seen_again(),
            sessions: u64::try_from(self.live.len()).unwrap_or(u64::MAX),
            ..self.seen
        }
    }

    /// When the block came that completed the newest closed window, nanoseconds since 1970.
    #[must_use]
    pub fn closed_ns(&self) -> Option<i64> {
        self.closed_ns
    }

    /// Sessions heard of since this was last asked.
    pub fn new_sessions(&mut self) -> Vec<String> {
        std::mem::take(&mut self.new_sessions)
    }

    /// Takes a record.
    fn take(&mut self, bytes: &[u8], out: &mut Vec<Emitted>) -> Result<(), RecordError> {
        self.records += 1;
        match eeg::decode(bytes)? {
            Record::Samples(samples) => self.samples(&samples, out)?,
            Record::Stimulation(order) => self.order(&order)?,
            Record::End(end) => {
                self.sessions.end(&end.session, &mut self.fed);
                self.feed(out);
                self.seen.ends += 1;
            }
        }
        Ok(())
    }

    /// Takes a block of samples.
    ///
    /// # Errors
    /// [`BlockError`]; its session then is as before.
    pub fn samples(
        &mut self,
        samples: &Samples<'_>,
        out: &mut Vec<Emitted>,
    ) -> Result<(), BlockError> {
        let taken = self.sessions.take(samples, &mut self.fed);
        taken.inspect_err(|error| self.tell(error))?;
        self.seen.blocks += 1;
        if let Some(live) = self.live.get_mut(&*samples.session) {
            live.heard = self.records;
        }
        self.feed(out);
        self.forget(out);
        Ok(())
    }

    /// Tells of a session that gives nothing with these settings, once: all of its blocks become dead letters.
    fn tell(&mut self, error: &BlockError) {
        let BlockError::Unusable { session, .. } = error else {
            return;
        };
        if self.unusable.len() >= self.settings.max_sessions.max(1) {
            self.unusable.clear();
        }
        if self.unusable.insert(session.clone()) {
            tracing::warn!(error = %chain(error), "no windows of this session: all of its blocks become dead letters");
        }
    }

    fn order(&mut self, order: &Stimulation<'_>) -> Result<(), RecordError> {
        let session = || order.session.clone().into_owned();
        let live = self.live.get_mut(&*order.session);
        let live = live.ok_or_else(|| RecordError::NoSession(session()))?;
        let twin = live.twin.as_mut();
        let twin = twin.ok_or_else(|| RecordError::NoTwin(session()))?;
        twin.order(order)?;
        self.seen.orders += 1;
        Ok(())
    }

    /// Hands what follows from the newest record to the stretches, and emits the windows that they close.
    fn feed(&mut self, out: &mut Vec<Emitted>) {
        let mut closed = Vec::new();
        // A session whose stretch is over; the next one of it follows at once, or none does.
        let mut before = None;
        let mut fed = std::mem::take(&mut self.fed);
        for (stretch, fed) in fed.drain(..) {
            match fed {
                operator::Fed::Record(record) => {
                    self.seen.samples += u64::from(matches!(record, Fed::Sample(..)));
                    let live = self.live_of(stretch, &mut before);
                    if let (Fed::Sample(block, 0), Some(twin)) = (&record, &mut live.twin) {
                        twin.samples(block.at(), block.uv().view());
                    }
                    let pushed = live.windows.push(record, &mut closed, &mut Vec::new());
                    pushed.expect("the machine of a stretch has no limit");
                    if !closed.is_empty() {
                        let session = Arc::clone(&live.stretch.session);
                        self.emit(&session, &mut closed, out);
                    }
                }
                operator::Fed::Look => {}
                operator::Fed::End => {
                    if let Some(live) = self.live.get_mut(&stretch.session) {
                        live.windows.finish(&mut closed);
                        self.emit(&stretch.session, &mut closed, out);
                        before = self.live.remove(&stretch.session);
                    }
                }
            }
        }
        self.fed = fed;
    }

    /// The machine of a stretch, made where it is new; its twin goes on from that of the stretch before.
    fn live_of(&mut self, stretch: Stretch, before: &mut Option<Live>) -> &mut Live {
        let (sessions, seen, heard) = (&self.sessions, &mut self.seen, self.records);
        let settings = &self.settings;
        let twins = self
            .live
            .values()
            .filter(|live| live.twin.is_some())
            .count();
        let new_sessions = &mut self.new_sessions;
        self.live
            .entry(Arc::clone(&stretch.session))
            .or_insert_with(|| {
                let known = sessions.session(&stretch.session);
                let (head, analyst) = known.expect("only sessions that are known are fed");
                seen.stretches += 1;
                if stretch.number == 0 {
                    new_sessions.push(stretch.session.to_string());
                }
                let mut twin = (twins < settings.max_twins)
                    .then(|| settings.twin_of(analyst, &stretch))
                    .flatten();
                let before = before.take().filter(|before| {
                    before.stretch.session == stretch.session && before.head == *head
                });
                if let (Some(twin), Some(before)) =
                    (&mut twin, before.and_then(|before| before.twin))
                {
                    twin.go_on_from(before);
                }
                Live {
                    windows: StretchLogic::machine(analyst, stretch.at),
                    twin,
                    head: Arc::clone(head),
                    analyst: Arc::clone(analyst),
                    stretch,
                    heard,
                }
            })
    }

    fn emit(&mut self, session: &str, closed: &mut Vec<Closed>, out: &mut Vec<Emitted>) {
        let Some(live) = self.live.get_mut(session) else {
            return;
        };
        for closed in closed.drain(..) {
            let twin = live.twin.as_mut().and_then(|twin| twin.window(&closed));
            self.seen.with_twin += u64::from(twin.is_some());
            let mut state = record(&live.stretch, &live.head, &live.analyst, &closed, twin);
            let mut line = serde_json::to_vec(&state).expect(ALWAYS_JSON);
            if line.len() > MAX_RECORD && state.twin.take().is_some() {
                self.seen.with_twin -= 1;
                line = serde_json::to_vec(&state).expect(ALWAYS_JSON);
                tracing::debug!(session, "no room for the twin's word in a record");
            }
            let verdict = state.surrogates.as_ref().map(|of| of.significant);
            self.seen.windows += 1;
            self.seen.without_figures += u64::from(state.reason.is_some());
            self.seen.significant += u64::from(verdict == Some(true));
            self.closed_ns = self.closed_ns.max(Some(closed.received_ns));
            out.push(Emitted {
                session: Arc::clone(&live.stretch.session),
                received_ns: closed.received_ns,
                line,
            });
        }
    }

    /// Ends the session unheard for longest where there are more than are kept.
    fn forget(&mut self, out: &mut Vec<Emitted>) {
        while self.live.len() > self.settings.max_sessions.max(1) {
            let oldest = self.live.values().min_by_key(|live| live.heard);
            let Some(session) = oldest.map(|live| Arc::clone(&live.stretch.session)) else {
                return;
            };
            self.seen.forgotten += 1;
            self.sessions.end(&session, &mut self.fed);
            self.feed(out);
        }
    }
}

impl Machine for SessionWindows {
    type Input = Input;
    type Output = Emitted;
    type Side = DeadLetter;
    type Refusal = std::convert::Infallible;

    fn push(
        &mut self,
        input: Input,
        out: &mut Vec<Emitted>,
        side: &mut Vec<DeadLetter>,
    ) -> Result<(), Self::Refusal> {
        if let Err(error) = self.take(&input.bytes, out) {
            self.seen.dead += 1;
            side.push(DeadLetter {
                topic: topic::EEG_SAMPLES.name.to_owned(),
                partition: self.partition,
                offset: input.offset,
                stage: "cerebral",
                error: chain(&error),
                bytes: input.bytes,
            });
        }
        Ok(())
    }

    fn finish(&mut self, out: &mut Vec<Emitted>) {
        let sessions: Vec<Arc<str>> = self.live.keys().cloned().collect();
        for session in sessions {
            self.sessions.end(&session, &mut self.fed);
        }
        self.feed(out);
    }
}

#[cfg(test)]
mod tests;
