//! What a server has seen, for those who want to know how its clients behave.

use std::collections::{BTreeMap, VecDeque};

use super::ConnectionId;

/// Messages and endings that are kept.
const KEPT: usize = 10_000;
/// The longest message that is kept as a whole, in characters.
const LONGEST: usize = 4_096;

/// A message of a client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heard {
    /// Whose.
    pub connection: ConnectionId,
    /// When, in the market's time, nanoseconds since 1970.
    pub at_ns: i64,
    /// What; beyond 4,096 characters cut off.
    pub text: String,
}

/// The end of a connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ended {
    /// Which.
    pub connection: ConnectionId,
    /// When, in the market's time, nanoseconds since 1970.
    pub at_ns: i64,
    /// How.
    pub reason: String,
}

/// One server.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ServerReport {
    /// Connections that came about, ever.
    pub connections_ever: u64,
    /// Those who were turned away: by an HTTP status, a wrong address, a handshake that nobody answered. Who finds nobody
    /// listening is not seen.
    pub refused: u64,
    /// Clients that were too slow and closed for it.
    pub too_slow: u64,
    /// Pings of ours.
    pub pings_sent: u64,
    /// Pongs of clients, asked for or not.
    pub pongs_received: u64,
    /// Pings of clients.
    pub pings_received: u64,
    /// What clients said, the last 10,000 messages.
    pub heard: VecDeque<Heard>,
    /// How connections ended, the last 10,000.
    pub ended: VecDeque<Ended>,
    /// Connections that stand, each with what it asked for: `feed:SYMBOL`, or as Binance names its streams.
    pub subscriptions: BTreeMap<ConnectionId, Vec<String>>,
}

impl ServerReport {
    /// How many connections stand.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.subscriptions.len()
    }

    pub(super) fn hear(&mut self, connection: ConnectionId, at_ns: i64, text: &str) {
        let text = text.chars().take(LONGEST).collect();
        keep(
            &mut self.heard,
            Heard {
                connection,
                at_ns,
                text,
            },
        );
    }

    pub(super) fn end(&mut self, connection: ConnectionId, at_ns: i64, reason: &str) {
        let reason = reason.to_owned();
        keep(
            &mut self.ended,
            Ended {
                connection,
                at_ns,
                reason,
            },
        );
    }
}

fn keep<T>(row: &mut VecDeque<T>, entry: T) {
    if row.len() == KEPT {
        row.pop_front();
    }
    row.push_back(entry);
}
