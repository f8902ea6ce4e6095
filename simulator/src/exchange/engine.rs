//! The exchanges without their sockets: market, connections, faults, times. Pure: time is an argument.
//!
//! ```text
//! connect / hear / pong / gone / fault  -->  Engine  --take-->  (connection, time, Output)
//!                         advance(time) --/      \-- report, truths
//! ```
//!
//! Everything happens in the order of the market's time: updates, heartbeats, pings, deadlines, the script. Whoever drives
//! it (sockets by the wall clock, [`Recorded`](super::Recorded) as fast as it goes) sees the same.

mod connection;
mod desk;
mod report;

use std::collections::BTreeMap;

use super::session::{Output, Session};
use super::{Dialect, ExchangesSettings, Fault, Limits};
use crate::error::SimulatorError;
use crate::market::{Flood, Market, Update};
use connection::Connection;
pub(super) use connection::first_half;
use desk::Desk;
pub use desk::Gate;
pub use report::{Ended, Heard, ServerReport};

const NS_PER_MS: i64 = 1_000_000;
const NS_PER_S: i64 = 1_000_000_000;

/// Names a connection among all of an engine.
pub type ConnectionId = u64;

/// The exchanges. See the module's page.
#[derive(Debug)]
pub struct Engine {
    market: Market,
    limits: Limits,
    desks: BTreeMap<Dialect, Desk>,
    script: Vec<Due>,
    now_ns: i64,
    next_id: ConnectionId,
    out: Vec<(ConnectionId, i64, Output)>,
}

/// A fault of the script, when it comes next.
#[derive(Debug)]
struct Due {
    at_ns: i64,
    dialect: Dialect,
    fault: Fault,
    for_ns: Option<i64>,
    every_ns: Option<i64>,
}

impl Engine {
    /// Exchanges that open at `start_ns`, nanoseconds since 1970.
    ///
    /// # Errors
    /// As [`ExchangesSettings::check`] and [`Market::new`].
    pub fn new(settings: ExchangesSettings, start_ns: i64) -> Result<Self, SimulatorError> {
        settings.check()?;
        let market = Market::new(settings.market, start_ns)?;
        let start_ns = market.start_ns();
        let desks = settings.servers.iter().map(|(dialect, server)| {
            let desk = Desk::new(*dialect, server.skew_ms.saturating_mul(NS_PER_MS));
            (*dialect, desk)
        });
        let script = settings.script.into_iter().map(|scheduled| Due {
            at_ns: start_ns + scheduled.at_ms * NS_PER_MS,
            dialect: scheduled.dialect,
            fault: scheduled.fault,
            for_ns: scheduled.for_ms.map(|ms| ms * NS_PER_MS),
            every_ns: scheduled.every_ms.map(|ms| ms * NS_PER_MS),
        });
        Ok(Self {
            desks: desks.collect(),
            script: script.collect(),
            limits: settings.limits,
            now_ns: start_ns,
            next_id: 0,
            out: Vec::new(),
            market,
        })
    }

    /// The market behind it all.
    #[must_use]
    pub fn market(&self) -> &Market {
        &self.market
    }

    /// The same, to plan dislocations or to move the rate.
    pub fn market_mut(&mut self) -> &mut Market {
        &mut self.market
    }

    /// Whom one can connect to.
    pub fn dialects(&self) -> impl Iterator<Item = Dialect> + '_ {
        self.desks.keys().copied()
    }

    /// What a server does with somebody who connects, and whether its sockets are dead.
    #[must_use]
    pub fn gate(&self, dialect: Dialect) -> Gate {
        self.desks
            .get(&dialect)
            .map_or(Gate::Refuse, |desk| desk.gate(self.now_ns))
    }

    /// Somebody connects to `address` (path and query); nothing where that is no address of a feed.
    pub fn connect(&mut self, dialect: Dialect, address: &str) -> Option<ConnectionId> {
        let desk = self.desks.get_mut(&dialect)?;
        let speaker = desk.speaker(&self.market, self.now_ns);
        let Some(session) = Session::open(dialect, address, &speaker) else {
            desk.report.refused += 1;
            return None;
        };
        let id = self.next_id;
        self.next_id += 1;
        desk.report.connections_ever += 1;
        let connection = Connection::new(session, dialect, self.now_ns, &self.limits);
        desk.connections.insert(id, connection);
        Some(id)
    }

    /// Somebody was turned away before a connection came about.
    pub fn refused(&mut self, dialect: Dialect) {
        if let Some(desk) = self.desks.get_mut(&dialect) {
            desk.report.refused += 1;
        }
    }

    /// A client says something.
    pub fn hear(&mut self, dialect: Dialect, id: ConnectionId, text: &str) {
        self.with(dialect, id, |connection, desk| {
            desk.report.hear(id, desk.now_ns, text);
            if connection.admit(desk.now_ns, desk.limits) {
                let mut out = Vec::new();
                connection.session.hear(text, &desk.speaker, &mut out);
                return out;
            }
            connection.too_many()
        });
    }

    /// A client pings; the answer is the socket's work.
    pub fn pinged(&mut self, dialect: Dialect, id: ConnectionId) {
        self.with(dialect, id, |connection, desk| {
            desk.report.pings_received += 1;
            match connection.is_limited_in_pings() && !connection.admit(desk.now_ns, desk.limits) {
                true => connection.too_many(),
                false => Vec::new(),
            }
        });
    }

    /// A client answers a ping, or says so unasked, which does not count.
    pub fn ponged(&mut self, dialect: Dialect, id: ConnectionId, payload: &[u8]) {
        self.with(dialect, id, |connection, desk| {
            desk.report.pongs_received += 1;
            connection.ponged(payload);
            match connection.is_limited_in_pings() && !connection.admit(desk.now_ns, desk.limits) {
                true => connection.too_many(),
                false => Vec::new(),
            }
        });
    }

    /// A connection ended from the client's side, or its socket broke.
    pub fn gone(&mut self, dialect: Dialect, id: ConnectionId, reason: &str) {
        if let Some(desk) = self.desks.get_mut(&dialect) {
            desk.end(id, self.now_ns, reason);
        }
    }

    /// A client takes frames slower than they come, and more are waiting than may.
    pub fn too_slow(&mut self, dialect: Dialect, id: ConnectionId) {
        if let Some(desk) = self.desks.get_mut(&dialect) {
            desk.report.too_slow += 1;
            desk.end(id, self.now_ns, "too slow");
        }
    }

    fn with(
        &mut self,
        dialect: Dialect,
        id: ConnectionId,
        act: impl FnOnce(&mut Connection, &mut desk::View<'_>) -> Vec<Output>,
    ) {
        let Some(desk) = self.desks.get_mut(&dialect) else {
            return;
        };
        let Some(mut connection) = desk.connections.remove(&id) else {
            return;
        };
        let mut view = desk::View {
            speaker: desk.speaker(&self.market, self.now_ns),
            now_ns: self.now_ns,
            limits: &self.limits,
            report: &mut desk.report,
        };
        let outputs = act(&mut connection, &mut view);
        desk.connections.insert(id, connection);
        self.give(dialect, id, self.now_ns, outputs);
    }

    /// Hands outputs over, and forgets a connection that they end.
    fn give(&mut self, dialect: Dialect, id: ConnectionId, at_ns: i64, outputs: Vec<Output>) {
        for output in outputs {
            let ending = match &output {
                Output::Close { code, reason } => Some(format!("closed by us: {code} {reason}")),
                Output::Cut(_) => Some("cut within a frame".to_owned()),
                Output::Abort => Some("ended without a goodbye".to_owned()),
                Output::Text(_) | Output::Ping(_) => None,
            };
            self.out.push((id, at_ns, output));
            if let (Some(reason), Some(desk)) = (ending, self.desks.get_mut(&dialect)) {
                desk.end(id, at_ns, &reason);
                return;
            }
        }
    }

    /// Misbehave now; for `for_ns` nanoseconds where it holds, else until [`Engine::clear`].
    pub fn fault(&mut self, dialect: Dialect, fault: Fault, for_ns: Option<i64>) {
        let now_ns = self.now_ns;
        let Some(desk) = self.desks.get_mut(&dialect) else {
            return;
        };
        if let Fault::Flood { per_s } = fault {
            let flood = Flood {
                // Coinbase Exchange tells two frames for one trade, and nothing without.
                per_s: if dialect == Dialect::CoinbaseExchange {
                    per_s / 2
                } else {
                    per_s
                },
                with_trades: dialect == Dialect::CoinbaseExchange,
                until_ns: now_ns.saturating_add(for_ns.unwrap_or(NS_PER_S)),
            };
            let mut streams = self.market.streams().iter();
            if let Some(stream) = streams.position(|stream| stream.venue() == dialect.venue()) {
                self.market.flood(stream, flood);
            }
            return;
        }
        let is_outage = fault == Fault::Outage;
        if !fault.is_once() {
            let until_ns = for_ns.map_or(i64::MAX, |for_ns| now_ns.saturating_add(for_ns));
            desk.hold(fault.clone(), until_ns);
            if !is_outage {
                return;
            }
        }
        let ids: Vec<ConnectionId> = desk.connections.keys().copied().collect();
        for id in ids {
            let once = fault.clone();
            self.with(dialect, id, |connection, desk| {
                connection.once(once, desk.now_ns, &desk.speaker)
            });
        }
    }

    /// Whatever holds at a server holds no longer.
    pub fn clear(&mut self, dialect: Dialect) {
        let Some(desk) = self.desks.get_mut(&dialect) else {
            return;
        };
        desk.clear();
        let over = Flood {
            per_s: 1,
            with_trades: false,
            until_ns: self.now_ns,
        };
        for number in 0..self.market.streams().len() {
            let stream = &self.market.streams()[number];
            if stream.venue() == dialect.venue() && stream.is_flooded() {
                self.market.flood(number, over);
            }
        }
    }

    /// Lets the time come to `to_ns`, nanoseconds since 1970, with all that happens until then.
    pub fn advance(&mut self, to_ns: i64) {
        loop {
            let due_ns = self.next_due_ns();
            let limit_ns = due_ns.min(to_ns);
            while let Some(update) = self.market.next(limit_ns) {
                self.now_ns = self.now_ns.max(update.at_ns);
                self.deliver(&update);
            }
            self.now_ns = self.now_ns.max(limit_ns);
            if due_ns > to_ns {
                return;
            }
            self.run_due(due_ns);
        }
    }

    /// The market's time, nanoseconds since 1970.
    #[must_use]
    pub fn now_ns(&self) -> i64 {
        self.now_ns
    }

    /// What is to be sent since the last time, in order.
    pub fn take(&mut self) -> Vec<(ConnectionId, i64, Output)> {
        std::mem::take(&mut self.out)
    }

    /// What a server has seen.
    #[must_use]
    pub fn report(&self, dialect: Dialect) -> ServerReport {
        let Some(desk) = self.desks.get(&dialect) else {
            return ServerReport::default();
        };
        let mut report = desk.report.clone();
        for (id, connection) in &desk.connections {
            let subscriptions = connection.session.subscriptions(&self.market);
            report.subscriptions.insert(*id, subscriptions);
        }
        report
    }

    fn deliver(&mut self, update: &Update) {
        let venue = self.market.streams()[update.stream].venue();
        for (dialect, desk) in &mut self.desks {
            if dialect.venue() != venue {
                continue;
            }
            let symbol = self.market.streams()[update.stream].symbol();
            if desk.is_mute(symbol, self.now_ns) {
                continue;
            }
            let speaker = desk.speaker(&self.market, update.at_ns);
            let quote = desk.quote(symbol, update.quote, self.now_ns);
            let youngest = desk.youngest_with_data(self.now_ns);
            for (id, connection) in &mut desk.connections {
                if connection.is_stalled || youngest.is_some_and(|youngest| *id < youngest) {
                    continue;
                }
                let mut outputs = Vec::new();
                connection
                    .session
                    .tell(update, quote, &speaker, &mut outputs);
                if !outputs.is_empty() {
                    connection.had_data = true;
                }
                let at_ns = update.at_ns;
                self.out
                    .extend(outputs.into_iter().map(|output| (*id, at_ns, output)));
            }
        }
    }

    fn next_due_ns(&self) -> i64 {
        let connections = self
            .desks
            .values()
            .flat_map(|desk| desk.connections.values());
        let connections = connections.map(|connection| connection.next_due_ns(&self.limits));
        let script = self.script.iter().map(|due| due.at_ns);
        connections.chain(script).min().unwrap_or(i64::MAX)
    }

    fn run_due(&mut self, due_ns: i64) {
        while let Some(at) = self.script.iter().position(|due| due.at_ns <= due_ns) {
            let due = &mut self.script[at];
            let (dialect, fault, for_ns) = (due.dialect, due.fault.clone(), due.for_ns);
            match due.every_ns {
                Some(every_ns) => due.at_ns += every_ns,
                None => drop(self.script.swap_remove(at)),
            }
            self.fault(dialect, fault, for_ns);
        }
        let due: Vec<(Dialect, ConnectionId)> = self
            .desks
            .iter()
            .flat_map(|(dialect, desk)| desk.connections.iter().map(|one| (*dialect, one)))
            .filter(|(_, (_, connection))| connection.next_due_ns(&self.limits) <= due_ns)
            .map(|(dialect, (id, _))| (dialect, *id))
            .collect();
        for (dialect, id) in due {
            let is_frozen = self.gate(dialect).is_frozen();
            self.with(dialect, id, |connection, desk| {
                let outputs = connection.run_due(due_ns, desk.limits, &desk.speaker);
                let pings = outputs
                    .iter()
                    .filter(|output| matches!(output, Output::Ping(_)));
                let pings = u64::try_from(pings.count()).unwrap_or(0);
                if is_frozen {
                    return Vec::new();
                }
                desk.report.pings_sent += pings;
                outputs
            });
        }
    }
}

#[cfg(test)]
mod tests;
