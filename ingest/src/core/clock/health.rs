//! How a venue fares: the record of topic `venues`, and its line in the report.

use contract::tick::VenueStatus;
use contract::tick::tags::V1;
use contract::time::NS_PER_MS;
use contract::venue::VenueHealth;

use super::{State, VenueClock, after};
use crate::core::report::VenueReport;
use crate::core::sink::Sink;

/// Health records written one by one for a venue that is not up when time leaps; the older ones say nothing new.
const MAX_HEALTH_AT_ONCE: i64 = 60;

impl VenueClock {
    /// One health record; our clock stands at `now_ns`, maybe long after.
    pub(super) fn health_due(&mut self, due_ns: i64, now_ns: i64, out: &mut impl Sink) {
        let at_once = self.health_interval_ns.saturating_mul(MAX_HEALTH_AT_ONCE);
        let idle = matches!(self.state, State::Silent | State::Down);
        if idle && now_ns.saturating_sub(due_ns) > at_once {
            self.next_health_ns = after(now_ns.saturating_sub(at_once), self.health_interval_ns);
            return;
        }
        self.next_health_ns = due_ns.checked_add(self.health_interval_ns);
        let (frames_before, since_ns) = self.health_base;
        self.health_base = (self.frames, due_ns);
        let elapsed_ms = in_ms(due_ns.saturating_sub(since_ns));
        let frames = u32::try_from(self.frames - frames_before).unwrap_or(u32::MAX);
        let age_ns = due_ns.saturating_sub(self.last_data_ns.unwrap_or(self.quiet_since_ns));
        out.health(&VenueHealth {
            v: V1,
            venue: self.name.into(),
            status: self.shown_status(),
            at_ns: self.clock(due_ns),
            frames_per_s: if elapsed_ms > 0.0 {
                f64::from(frames) * 1_000.0 / elapsed_ms
            } else {
                0.0
            },
            data_age_ms: age_ns / NS_PER_MS,
            skew_ms: in_ms(self.skew.ns()),
            gaps: self.gaps,
            reconnects: self.connections.saturating_sub(1),
            parse_errors: self.faults,
            queue: 0,
        });
    }

    /// `None` for a venue never heard of.
    pub(in crate::core) fn report(&self) -> Option<VenueReport> {
        (self.state != State::Unknown).then(|| VenueReport {
            venue: self.name,
            status: self.shown_status(),
            connections: self.connections,
            frames: self.frames,
            skew_ns: self.skew.ns(),
            skew_samples: self.skew.samples(),
            gaps: self.gaps,
            faults: self.faults,
            last_mark_ns: self.last_mark_ns,
        })
    }

    fn shown_status(&self) -> VenueStatus {
        match self.state {
            State::Up => VenueStatus::Up,
            State::Silent => VenueStatus::Silent,
            State::Unknown | State::Waiting | State::Down => VenueStatus::Down,
        }
    }
}

#[expect(
    clippy::as_conversions,
    reason = "a figure for people: 53 bits of nanoseconds are a hundred days to the nanosecond"
)]
fn in_ms(ns: i64) -> f64 {
    ns as f64 / 1e6
}
