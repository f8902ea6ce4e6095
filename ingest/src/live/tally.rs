//! What the connections have done, counted.

use std::collections::BTreeMap;

use super::queue::Event;
use crate::venue::Dialect;

/// What the connections have done.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LiveReport {
    /// By dialect.
    pub connections: BTreeMap<Dialect, ConnectionReport>,
}

/// What one connection has done since the start.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ConnectionReport {
    /// Where it is connected to now.
    pub connected_to: Option<String>,
    /// How often it was made.
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
    /// Why it ended the last time, or could not be made.
    pub last_ending: Option<String>,
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
            Event::Connected { dialect, url, .. } => {
                let one = self.of(*dialect);
                one.connections += 1;
                one.connected_to = Some(url.clone());
            }
            Event::Frame { dialect, text, .. } => {
                let one = self.of(*dialect);
                one.frames += 1;
                one.bytes += u64::try_from(text.len()).unwrap_or(0);
            }
            Event::NotText { dialect, .. } => self.of(*dialect).not_text += 1,
            Event::Ended {
                dialect, reason, ..
            } => {
                let one = self.of(*dialect);
                if one.connected_to.take().is_none() {
                    one.failed_attempts += 1;
                }
                one.last_ending = Some(reason.clone());
            }
            Event::Tick { .. } => {}
        }
    }

    pub(super) fn of(&mut self, dialect: Dialect) -> &mut ConnectionReport {
        self.connections.entry(dialect).or_default()
    }
}
