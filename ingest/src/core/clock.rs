//! One venue on the time axis: its clock, its status, its marks, its health.
//!
//! ```text
//! our receive clock   |....|....|....|  grid of mark_interval_ms: one mark each while the venue is up
//!   + skew            the venue's clock: stamps of statuses, estimates for messages without a time
//!     - mark_lag_ms   stamp of a mark: nothing of this venue before it follows
//! ```
//!
//! Stamps of marks, statuses and estimates never run backwards, each among themselves. Absent: ticks.

mod health;

use contract::tick::tags::{MarkKind, StatusKind, V1};
use contract::tick::{Mark, Record, Status, VenueStatus};
use contract::time::NS_PER_MS;

use super::Connection;
use super::sink::Sink;
use crate::settings::IngestSettings;
use crate::skew::Skew;

/// Why a venue is down where a live stage begins, as its status says.
pub const BEGINNING: &str = "ingest starts, nothing is connected yet";
/// Longest reason kept in a status, in characters.
const MAX_DETAIL: usize = 300;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Never heard of.
    Unknown,
    /// Connected, no data yet.
    Waiting,
    /// Delivers.
    Up,
    /// Connected, no data for too long.
    Silent,
    /// Not connected.
    Down,
}

/// What may fall due. The order is that in which things of one instant happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Due {
    Mark,
    Silence,
    Health,
}

/// One venue.
#[derive(Debug)]
pub(super) struct VenueClock {
    name: &'static str,
    mark_interval_ns: i64,
    mark_lag_ns: i64,
    silent_after_ns: i64,
    health_interval_ns: i64,
    state: State,
    /// Living connections, and whether each has brought data.
    connected: Vec<(Connection, bool)>,
    connections: u64,
    skew: Skew,
    /// From when on silence counts: the last data, or the connection.
    quiet_since_ns: i64,
    last_data_ns: Option<i64>,
    next_mark_ns: Option<i64>,
    next_health_ns: Option<i64>,
    last_mark_ns: Option<i64>,
    last_status_ns: Option<i64>,
    /// Whether it was told that the venue is out: once, with what was noticed first.
    is_out_told: bool,
    last_estimate_ns: Option<i64>,
    was_up: bool,
    frames: u64,
    gaps: u64,
    faults: u64,
    /// Frames and time at the last health record.
    health_base: (u64, i64),
}

impl VenueClock {
    pub(super) fn new(name: &'static str, settings: &IngestSettings) -> Self {
        let venue = settings.venue(name);
        let ns = |ms: i64| ms.saturating_mul(NS_PER_MS);
        Self {
            name,
            mark_interval_ns: ns(settings.mark_interval_ms.max(1)),
            mark_lag_ns: ns(venue.mark_lag_ms.max(0)),
            silent_after_ns: ns(venue.silent_after_ms.max(1)),
            health_interval_ns: ns(settings.health_interval_ms.max(1)),
            state: State::Unknown,
            connected: Vec::new(),
            connections: 0,
            skew: Skew::default(),
            quiet_since_ns: 0,
            last_data_ns: None,
            next_mark_ns: None,
            next_health_ns: None,
            last_mark_ns: None,
            last_status_ns: None,
            is_out_told: false,
            last_estimate_ns: None,
            was_up: false,
            frames: 0,
            gaps: 0,
            faults: 0,
            health_base: (0, 0),
        }
    }

    pub(super) fn connect(&mut self, connection: Connection, now_ns: i64) {
        self.connections += 1;
        self.connected.retain(|(living, _)| *living != connection);
        self.connected.push((connection, false));
        self.known(now_ns);
        if matches!(self.state, State::Unknown | State::Down) {
            self.state = State::Waiting;
            self.quiet_since_ns = now_ns;
        }
    }

    /// Whoever has told of this venue before is gone, and it is not connected yet: what was said of it holds no longer. Not
    /// an outage by itself, so one that follows is told with its reason.
    pub(super) fn begin(&mut self, now_ns: i64, out: &mut impl Sink) {
        self.known(now_ns);
        self.state = State::Down;
        self.status(VenueStatus::Down, now_ns, BEGINNING, out);
        self.is_out_told = false;
    }

    /// Without a connection that has brought data, nobody knows whether the last quotes still hold: the venue is down.
    pub(super) fn disconnect(
        &mut self,
        connection: Connection,
        now_ns: i64,
        reason: &str,
        out: &mut impl Sink,
    ) {
        self.connected.retain(|(living, _)| *living != connection);
        self.known(now_ns);
        let is_alone = self.connected.is_empty();
        if self.connected.iter().any(|(_, delivers)| *delivers)
            || (!is_alone && self.state != State::Up)
        {
            return;
        }
        self.state = if is_alone {
            State::Down
        } else {
            State::Waiting
        };
        self.quiet_since_ns = now_ns;
        let stamp_ns = self.clock(now_ns);
        self.status(VenueStatus::Down, stamp_ns, reason, out);
    }

    /// Health is told from the first word about a venue on.
    fn known(&mut self, now_ns: i64) {
        if self.next_health_ns.is_none() {
            self.next_health_ns = after(now_ns, self.health_interval_ns);
            self.health_base = (self.frames, now_ns);
        }
    }

    /// A message that the venue stamped `sent_ns`, received at `received_ns`.
    pub(super) fn stamped(&mut self, sent_ns: i64, received_ns: i64) {
        self.skew.add(sent_ns.saturating_sub(received_ns));
    }

    /// A frame with data came. A venue that was not up is up now, with a mark at once: both stamped no later than the
    /// frame's own stamps (`earliest_ns`), and not before what was promised or told before.
    pub(super) fn data(
        &mut self,
        connection: Connection,
        (now_ns, received_ns): (i64, i64),
        earliest_ns: Option<i64>,
        out: &mut impl Sink,
    ) {
        self.last_data_ns = Some(now_ns);
        self.quiet_since_ns = now_ns;
        for (living, delivers) in &mut self.connected {
            *delivers |= *living == connection;
        }
        if self.state == State::Up {
            return;
        }
        self.state = State::Up;
        self.was_up = true;
        self.next_mark_ns = after(now_ns, self.mark_interval_ns);
        let clock_ns = self.clock(received_ns);
        let earliest_ns = earliest_ns.unwrap_or(clock_ns);
        self.status(VenueStatus::Up, clock_ns.min(earliest_ns), "", out);
        let mark_ns = clock_ns.saturating_sub(self.mark_lag_ns);
        self.mark(mark_ns.min(earliest_ns), out);
    }

    /// An event time for a message without one.
    pub(super) fn estimate(&mut self, received_ns: i64) -> i64 {
        let estimate_ns = Some(self.clock(received_ns))
            .max(self.last_estimate_ns)
            .max(self.last_mark_ns);
        self.last_estimate_ns = estimate_ns;
        estimate_ns.unwrap_or(received_ns)
    }

    pub(super) fn is_behind_mark(&self, event_ns: i64) -> bool {
        Some(event_ns) < self.last_mark_ns
    }

    pub(super) fn count_frame(&mut self) {
        self.frames += 1;
    }

    pub(super) fn count_gap(&mut self) {
        self.gaps += 1;
    }

    pub(super) fn count_fault(&mut self) {
        self.faults += 1;
    }

    /// When the next thing falls due on our receive clock.
    pub(super) fn next_due_ns(&self) -> Option<i64> {
        self.due().map(|(due_ns, _)| due_ns)
    }

    fn due(&self) -> Option<(i64, Due)> {
        let mark = match self.state {
            State::Up => self.next_mark_ns,
            _ => None,
        };
        let silence = match self.state {
            // Data at the very deadline still comes in time.
            State::Up | State::Waiting => self.silent_from_ns().checked_add(1),
            _ => None,
        };
        [
            mark.map(|ns| (ns, Due::Mark)),
            silence.map(|ns| (ns, Due::Silence)),
            self.next_health_ns.map(|ns| (ns, Due::Health)),
        ]
        .into_iter()
        .flatten()
        .min()
    }

    fn silent_from_ns(&self) -> i64 {
        self.quiet_since_ns.saturating_add(self.silent_after_ns)
    }

    /// Does the one thing that falls due next; our clock stands at `now_ns`, maybe long after.
    pub(super) fn run_due(&mut self, now_ns: i64, out: &mut impl Sink) {
        match self.due() {
            None => {}
            Some((due_ns, Due::Mark)) => {
                self.next_mark_ns = due_ns.checked_add(self.mark_interval_ns);
                let mark_ns = self.clock(due_ns).saturating_sub(self.mark_lag_ns);
                self.mark(mark_ns, out);
            }
            Some((_, Due::Silence)) => {
                self.state = State::Silent;
                let stamp_ns = self.clock(self.silent_from_ns());
                let detail = format!("no data for {} ms", self.silent_after_ns / NS_PER_MS);
                self.status(VenueStatus::Silent, stamp_ns, &detail, out);
            }
            Some((due_ns, Due::Health)) => self.health_due(due_ns, now_ns, out),
        }
    }

    /// A mark at the end of everything, for a venue that was ever up.
    pub(super) fn finish(&mut self, end_ns: i64, out: &mut impl Sink) {
        if self.was_up {
            self.mark(end_ns, out);
        }
    }

    /// The venue's clock at `received_ns` of ours.
    fn clock(&self, received_ns: i64) -> i64 {
        received_ns.saturating_add(self.skew.ns())
    }

    fn mark(&mut self, event_ns: i64, out: &mut impl Sink) {
        let event_ns = self
            .last_mark_ns
            .map_or(event_ns, |last| last.max(event_ns));
        self.last_mark_ns = Some(event_ns);
        out.everywhere(&Record::Mark(Mark {
            v: V1,
            kind: MarkKind,
            venue: self.name.into(),
            event_ns,
        }));
    }

    /// An outage is told once: silence that ends in a lost connection, or the other way round, is no news.
    fn status(&mut self, status: VenueStatus, event_ns: i64, detail: &str, out: &mut impl Sink) {
        let is_out = status != VenueStatus::Up;
        if is_out && self.is_out_told {
            return;
        }
        self.is_out_told = is_out;
        let told = self.last_status_ns.max(self.last_mark_ns);
        let event_ns = told.map_or(event_ns, |told| told.max(event_ns));
        self.last_status_ns = Some(event_ns);
        let detail: String = detail.chars().take(MAX_DETAIL).collect();
        out.everywhere(&Record::Status(Status {
            v: V1,
            kind: StatusKind,
            venue: self.name.into(),
            status,
            event_ns,
            detail: detail.into(),
        }));
    }
}

/// The first multiple of `interval_ns` after `ns`; `None` beyond the end of time.
fn after(ns: i64, interval_ns: i64) -> Option<i64> {
    ns.checked_sub(ns.rem_euclid(interval_ns))?
        .checked_add(interval_ns)
}
