//! What the connections have done, counted.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};

use super::queue::Event;
use crate::venue::Dialect;

/// What the connections have done.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LiveReport {
    /// By dialect.
    pub connections: BTreeMap<Dialect, ConnectionReport>,
    /// Quotes that a newer one replaced before they were sent, because the consumer was far behind.
    pub conflated: u64,
    /// Events that waited to be worked off, frames nearly all of them.
    pub waiting: usize,
    /// What was recorded beside, where that was asked for.
    pub recording: Option<Recording>,
}

/// A capture that is written beside.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Recording {
    /// Frames in the file.
    pub frames: u64,
    /// Frames left out: what a second connection brought that did not take over, or a first one after the second had.
    pub left_out: u64,
    /// Why nothing more is recorded.
    pub error: Option<String>,
}

/// What is counted where it happens.
#[derive(Debug, Default)]
pub(super) struct Counts {
    pub(super) waits: AtomicU64,
    pub(super) quiet: AtomicU64,
    pub(super) takeovers: AtomicU64,
}

/// What the connections of one dialect have done since the start.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ConnectionReport {
    /// Where it is connected to now; of two, the newer.
    pub connected_to: Option<String>,
    /// How often one was made.
    pub connections: u64,
    /// Attempts that failed.
    pub failed_attempts: u64,
    /// Text frames received.
    pub frames: u64,
    /// Bytes in them.
    pub bytes: u64,
    /// Messages that were not text.
    pub not_text: u64,
    /// How often a frame had to wait because the consumer was behind.
    pub waits: u64,
    /// How often one took over from another that was old, about to close, or had stalled.
    pub takeovers: u64,
    /// How often a stream was quiet for so long that it was looked for elsewhere.
    pub quiet: u64,
    /// Why one ended the last time, or could not be made.
    pub last_ending: Option<String>,
    /// Addresses of living connections, by number.
    living: BTreeMap<u64, String>,
}

impl LiveReport {
    /// Text frames of all connections.
    #[must_use]
    pub fn frames(&self) -> u64 {
        self.connections.values().map(|one| one.frames).sum()
    }

    /// Bytes of all text frames.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.connections.values().map(|one| one.bytes).sum()
    }

    pub(super) fn count(&mut self, event: &Event) {
        match event {
            Event::Connected {
                connection, url, ..
            } => {
                let one = self.of(connection.dialect);
                one.connections += 1;
                one.living.insert(connection.number, url.clone());
                one.connected_to = Some(url.clone());
            }
            Event::Frame {
                connection, text, ..
            } => {
                let one = self.of(connection.dialect);
                one.frames += 1;
                one.bytes += u64::try_from(text.len()).unwrap_or(0);
            }
            Event::NotText { connection, .. } => self.of(connection.dialect).not_text += 1,
            Event::Ended {
                connection, reason, ..
            } => {
                let one = self.of(connection.dialect);
                if one.living.remove(&connection.number).is_none() {
                    one.failed_attempts += 1;
                }
                one.connected_to = one.living.values().next_back().cloned();
                one.last_ending = Some(reason.clone());
            }
            Event::Tick { .. } => {}
        }
    }

    pub(super) fn take(&mut self, dialect: Dialect, counts: &Counts) {
        let one = self.of(dialect);
        one.waits = counts.waits.load(Ordering::Relaxed);
        one.quiet = counts.quiet.load(Ordering::Relaxed);
        one.takeovers = counts.takeovers.load(Ordering::Relaxed);
    }

    fn of(&mut self, dialect: Dialect) -> &mut ConnectionReport {
        self.connections.entry(dialect).or_default()
    }
}
