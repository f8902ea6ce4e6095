//! One server without its sockets: its connections, its clock, and what is wrong with it.

use std::collections::BTreeMap;

use super::connection::Connection;
use super::{ConnectionId, Dialect, Fault, Limits, NS_PER_MS, ServerReport};
use crate::exchange::BadStamp;
use crate::exchange::session::Speaker;
use crate::market::{Market, Quote};

/// What becomes of somebody who connects, and of those who have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gate {
    /// Welcome.
    Open,
    /// Nobody listens.
    Refuse,
    /// An HTTP status, and maybe `retry-after` in seconds.
    Answer(u16, Option<u64>),
    /// No answer to the handshake.
    Hang,
    /// Connections come about, and no byte moves on any.
    Frozen,
}

impl Gate {
    pub(super) fn is_frozen(self) -> bool {
        self == Self::Frozen
    }
}

#[derive(Debug)]
pub(super) struct Desk {
    dialect: Dialect,
    skew_ns: i64,
    /// What is wrong, and until when.
    faults: Vec<(Fault, i64)>,
    pub(super) connections: BTreeMap<ConnectionId, Connection>,
    pub(super) report: ServerReport,
}

/// What a connection may look at while it acts.
pub(super) struct View<'a> {
    pub(super) speaker: Speaker<'a>,
    pub(super) now_ns: i64,
    pub(super) limits: &'a Limits,
    pub(super) report: &'a mut ServerReport,
}

impl Desk {
    pub(super) fn new(dialect: Dialect, skew_ns: i64) -> Self {
        Self {
            dialect,
            skew_ns,
            faults: Vec::new(),
            connections: BTreeMap::new(),
            report: ServerReport::default(),
        }
    }

    /// The newest fault of which `read` makes something.
    fn newest<T>(&self, now_ns: i64, read: impl Fn(&Fault) -> Option<T>) -> Option<T> {
        let mut holding = self.faults.iter().rev();
        holding.find_map(|(fault, until_ns)| read(fault).filter(|_| now_ns < *until_ns))
    }

    fn holds(&self, now_ns: i64, what: impl Fn(&Fault) -> bool) -> bool {
        self.newest(now_ns, |fault| what(fault).then_some(()))
            .is_some()
    }

    pub(super) fn hold(&mut self, fault: Fault, until_ns: i64) {
        self.faults.retain(|(known, _)| *known != fault);
        self.faults.push((fault, until_ns));
    }

    pub(super) fn clear(&mut self) {
        self.faults.clear();
    }

    pub(super) fn gate(&self, now_ns: i64) -> Gate {
        let gate = self.newest(now_ns, |fault| match fault {
            Fault::Refuse | Fault::Outage => Some(Gate::Refuse),
            Fault::Answer {
                status,
                retry_after_s,
            } => Some(Gate::Answer(*status, *retry_after_s)),
            Fault::Hang => Some(Gate::Hang),
            Fault::Frozen => Some(Gate::Frozen),
            _ => None,
        });
        gate.unwrap_or(Gate::Open)
    }

    pub(super) fn speaker<'a>(&self, market: &'a Market, at_ns: i64) -> Speaker<'a> {
        let skew_ms = self.newest(at_ns, |fault| match fault {
            Fault::Skew(ms) => Some(*ms),
            _ => None,
        });
        let bad: Option<BadStamp> = self.newest(at_ns, |fault| match fault {
            Fault::Stamps(bad) => Some(*bad),
            _ => None,
        });
        Speaker {
            market,
            venue: self.dialect.venue(),
            at_ns,
            skew_ns: skew_ms.map_or(self.skew_ns, |ms| ms.saturating_mul(NS_PER_MS)),
            bad,
        }
    }

    /// Whether nothing is told of a symbol.
    pub(super) fn is_mute(&self, symbol: &str, now_ns: i64) -> bool {
        self.holds(now_ns, |fault| match fault {
            Fault::Silent | Fault::Frozen => true,
            Fault::SilentSymbol(silent) => silent == symbol,
            _ => false,
        })
    }

    /// The quote as it is told.
    pub(super) fn quote(&self, symbol: &str, quote: Quote, now_ns: i64) -> Quote {
        let is_crossed = self.holds(now_ns, |fault| match fault {
            Fault::Crossed(None) => true,
            Fault::Crossed(Some(crossed)) => crossed == symbol,
            _ => false,
        });
        if !is_crossed {
            return quote;
        }
        Quote {
            bid: quote.ask,
            ask: quote.bid,
            ..quote
        }
    }

    /// Where old connections fall silent: the youngest that had data.
    pub(super) fn youngest_with_data(&self, now_ns: i64) -> Option<ConnectionId> {
        if !self.holds(now_ns, |fault| *fault == Fault::OldFallSilent) {
            return None;
        }
        let mut connections = self.connections.iter().rev();
        connections
            .find(|(_, connection)| connection.had_data)
            .map(|(id, _)| *id)
    }

    pub(super) fn end(&mut self, id: ConnectionId, at_ns: i64, reason: &str) {
        if self.connections.remove(&id).is_some() {
            self.report.end(id, at_ns, reason);
        }
    }
}
