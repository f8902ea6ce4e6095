//! What the core remembers of a dialect's connection and of its symbols: numberings, names, what was told before.
//!
//! Comes in: how the wire numbers a frame. Goes out: whether it is taken, and gaps. Memory is bounded: beyond
//! [`MAX_SYMBOLS`] symbols of a dialect, and of more than [`MAX_SYMBOL_BYTES`], ticks are counted and not emitted.

use std::collections::HashMap;

use crate::gap::{ConnectionNumbers, Gap, MatchNumbers, Numbers, Step};
use crate::symbol::{Names, SymbolMap};
use crate::venue::{Dialect, Number};

use super::report::Counters;

/// Symbols kept per dialect: several times what the largest venue lists.
const MAX_SYMBOLS: usize = 20_000;

/// Longest symbol kept, in bytes; no venue has one near it.
const MAX_SYMBOL_BYTES: usize = 100;

/// What becomes of a frame's quotes and trades.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// They are ticks.
    Take,
    /// They tell what was before the subscription.
    History,
    /// They came before.
    Duplicate,
    /// A newer quote came before.
    Old,
    /// The same trades come one by one on another feed.
    Aggregated,
}

/// One dialect.
#[derive(Debug)]
pub(super) struct Feed {
    dialect: Dialect,
    connected: bool,
    connection: ConnectionNumbers,
    symbols: HashMap<Box<str>, Symbol>,
    /// Quotes and trades of symbols beyond the bound.
    pub(super) beyond: u64,
}

/// One symbol of a dialect.
#[derive(Debug, Default)]
pub(super) struct Symbol {
    pub(super) names: Names,
    /// Ticks that nobody wanted, since no pair and no rate names the symbol.
    pub(super) unnamed: u64,
    trades: Numbers,
    matches: MatchNumbers,
    aggregates: Numbers,
    depth: Numbers,
    fast_depth: Numbers,
    quotes: Numbers,
    /// Whether a ticker came on this connection; the first repeats what was before it.
    ticker_seen: bool,
    /// Whether trades came one by one on this connection; aggregates are passed over from then on.
    trades_seen: bool,
    /// The last trade that went out as part of an aggregate.
    aggregated_to: Option<u64>,
}

impl Symbol {
    fn reconnect(&mut self) {
        self.trades.reconnected();
        self.matches.reconnected();
        self.aggregates.reconnected();
        self.quotes.reconnected();
        // Depth is the difference from a book that a new connection builds anew.
        self.depth = Numbers::default();
        self.fast_depth = Numbers::default();
        self.ticker_seen = false;
        self.trades_seen = false;
    }

    /// A trade told as history (Coinbase Advanced): it will not become a tick later either.
    pub(super) fn remember_trade(&mut self, id: u64, counters: &mut Counters) {
        // Snapshots tell the newest first; only that one matters.
        if self.trades.last().is_none_or(|last| last < id)
            && let Step::Missed(missed) = self.trades.step(id, id, 0)
        {
            counters.missed_between_connections += missed;
        }
    }

    /// A trade of a feed that is numbered otherwise (Coinbase Advanced): whether it came before.
    pub(super) fn is_repeat(&mut self, id: u64, received_ns: i64, counters: &mut Counters) -> bool {
        match self.trades.step(id, id, received_ns) {
            Step::Old => true,
            Step::Missed(missed) => {
                counters.missed_between_connections += missed;
                false
            }
            Step::Restart => {
                counters.restarts += 1;
                false
            }
            // The connection's own numbering tells of gaps.
            Step::Next | Step::Gap { .. } => false,
        }
    }
}

impl Feed {
    pub(super) fn new(dialect: Dialect) -> Self {
        Self {
            dialect,
            connected: false,
            connection: ConnectionNumbers::default(),
            symbols: HashMap::new(),
            beyond: 0,
        }
    }

    pub(super) fn dialect(&self) -> Dialect {
        self.dialect
    }

    pub(super) fn is_connected(&self) -> bool {
        self.connected
    }

    pub(super) fn disconnect(&mut self) {
        self.connected = false;
    }

    pub(super) fn connect(&mut self) {
        self.connected = true;
        self.connection.reconnected();
        for symbol in self.symbols.values_mut() {
            symbol.reconnect();
        }
    }

    pub(super) fn symbols(&self) -> impl Iterator<Item = (&str, &Symbol)> {
        self.symbols.iter().map(|(name, symbol)| (&**name, symbol))
    }

    /// The state of a symbol; `None` beyond the bound.
    pub(super) fn symbol(&mut self, name: &str, map: &SymbolMap) -> Option<&mut Symbol> {
        if !self.symbols.contains_key(name) {
            if self.symbols.len() >= MAX_SYMBOLS || name.len() > MAX_SYMBOL_BYTES {
                return None;
            }
            let symbol = Symbol {
                names: map.names(self.dialect, name),
                ..Symbol::default()
            };
            self.symbols.insert(name.into(), symbol);
        }
        self.symbols.get_mut(name)
    }

    /// Judges the number of a frame.
    pub(super) fn judge(
        &mut self,
        number: &Number<'_>,
        received_ns: i64,
        map: &SymbolMap,
        counters: &mut Counters,
        tell: impl FnOnce(&Gap),
    ) -> Verdict {
        let (name, got) = match number {
            Number::None => return Verdict::Take,
            Number::Connection(number) => (None, *number),
            Number::Trade { symbol, id }
            | Number::LastTrade { symbol, id }
            | Number::Aggregate { symbol, id, .. } => (Some(symbol), *id),
            Number::Depth { symbol, first, .. } => (Some(symbol), *first),
            Number::Quote { symbol, seq } => (Some(symbol), *seq),
            Number::Heartbeat {
                symbol,
                last_trade_id,
            } => (Some(symbol), *last_trade_id),
        };
        let exchange = self.dialect == Dialect::CoinbaseExchange;
        let judged = match name {
            None => self.of_connection(got),
            Some(name) => match self.symbol(name, map) {
                Some(symbol) => symbol.judge(number, received_ns, exchange),
                None => return Verdict::Take,
            },
        };
        match judged.step {
            Step::Gap { expected, missing } => {
                let gap = Gap {
                    venue: self.dialect.venue(),
                    feed: judged.feed,
                    symbol: name.map(|name| name.clone().into_owned()),
                    expected,
                    got,
                    missing,
                };
                tell(&gap);
                counters.gap(gap);
            }
            Step::Missed(missed) => counters.missed_between_connections += missed,
            Step::Restart => counters.restarts += 1,
            Step::Next | Step::Old => {}
        }
        judged.verdict
    }

    fn of_connection(&mut self, number: u64) -> Judged {
        let step = self.connection.step(number);
        if step == Step::Restart {
            // Another connection, of which nobody told.
            self.connect();
            self.connection.step(number);
        }
        Judged::new("sequence_num", step)
    }
}

/// What a number says about its frame.
struct Judged {
    feed: &'static str,
    step: Step,
    verdict: Verdict,
}

impl Judged {
    /// New unless its number came before.
    fn new(feed: &'static str, step: Step) -> Self {
        let verdict = match step {
            Step::Old => Verdict::Duplicate,
            _ => Verdict::Take,
        };
        Self {
            feed,
            step,
            verdict,
        }
    }

    /// Not to be taken for another reason.
    fn unless(mut self, holds: bool, verdict: Verdict) -> Self {
        if holds && self.verdict == Verdict::Take {
            self.verdict = verdict;
        }
        self
    }
}

impl Symbol {
    fn judge(&mut self, number: &Number<'_>, received_ns: i64, exchange: bool) -> Judged {
        match number {
            Number::None | Number::Connection(_) => Judged::new("", Step::Next),
            Number::Trade { id, .. } if exchange => {
                Judged::new("matches", self.matches.matched(*id, received_ns))
            }
            Number::Trade { id, .. } => {
                self.trades_seen = true;
                let step = self.trades.step(*id, *id, received_ns);
                if step == Step::Restart {
                    self.aggregated_to = None;
                }
                // It may have gone out already, in an aggregate that came before the first trade.
                let covered = self.aggregated_to >= Some(*id);
                Judged::new("trade", step).unless(covered, Verdict::Duplicate)
            }
            Number::LastTrade { id, .. } => Judged::new("matches", self.matches.opened(*id)),
            Number::Heartbeat { last_trade_id, .. } => {
                Judged::new("matches", self.matches.heartbeat(*last_trade_id))
            }
            Number::Aggregate {
                id, last_trade_id, ..
            } => {
                let step = self.aggregates.step(*id, *id, received_ns);
                if !self.trades_seen && step != Step::Old {
                    self.aggregated_to = self.aggregated_to.max(Some(*last_trade_id));
                }
                Judged::new("aggTrade", step).unless(self.trades_seen, Verdict::Aggregated)
            }
            Number::Depth {
                feed, first, last, ..
            } => {
                let numbers = match *feed {
                    "depth" => &mut self.depth,
                    _ => &mut self.fast_depth,
                };
                Judged::new(feed, numbers.step(*first, *last, received_ns))
            }
            Number::Quote { seq, .. } => {
                // Rises with holes: a hole is no gap, a lower number is an older quote.
                let step = match self.quotes.step(*seq, *seq, received_ns) {
                    Step::Gap { .. } | Step::Missed(_) => Step::Next,
                    step => step,
                };
                let opening = exchange && !self.ticker_seen;
                self.ticker_seen = true;
                let mut judged = Judged::new("quote", step).unless(opening, Verdict::History);
                if step == Step::Old {
                    judged.verdict = Verdict::Old;
                }
                judged
            }
        }
    }
}
