//! What the core remembers of a dialect's connections and of its symbols: numberings, names, what was told before.
//!
//! ```text
//! one connection     numbers in order; what is missing is a gap
//! none, then one     numberings of the connection start afresh, those of the venue go on
//! two at once        one takes over from the other: each number is taken once, from whichever brings it first, and
//!                    only what is missing when one is left is told
//! ```
//!
//! Comes in: how the wire numbers a frame. Goes out: whether it is taken, and gaps. Memory is bounded: beyond
//! [`MAX_SYMBOLS`] symbols of a dialect, and of more than [`MAX_SYMBOL_BYTES`], ticks are counted and not emitted.

use std::collections::HashMap;

use contract::decimal::{Decimal, Price};

use crate::gap::{ConnectionNumbers, Gap, MatchNumbers, Numbers, Step};
use crate::symbol::{Names, SymbolMap};
use crate::venue::{Dialect, Number, QuoteMessage};

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

/// Which of the living connections brought a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Whence {
    /// The only one.
    Alone,
    /// One that is about to be replaced, or keeps on where the newer fails.
    Older,
    /// The newest.
    Newer,
}

/// One dialect.
#[derive(Debug)]
pub(super) struct Feed {
    dialect: Dialect,
    /// By the number of the connection; two while one takes over from the other.
    living: Vec<(u64, ConnectionNumbers)>,
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
    /// Connections on which a ticker came; the first of each repeats what was before it.
    tickers_seen: Vec<u64>,
    /// The newest quote while two connections live that number none.
    newest_quote: Option<Box<Seen>>,
    /// Whether trades came one by one on this connection; aggregates are passed over from then on.
    trades_seen: bool,
    /// The last trade that went out as part of an aggregate.
    aggregated_to: Option<u64>,
}

/// What tells a quote without a number from another.
#[derive(Debug, PartialEq, Eq)]
struct Seen {
    stamp_ns: Option<i64>,
    bid: (Price, Option<Decimal>),
    ask: (Price, Option<Decimal>),
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
        self.tickers_seen.clear();
        self.newest_quote = None;
        self.trades_seen = false;
    }

    fn overlap(&mut self) {
        self.trades.overlap();
        self.matches.overlap();
        self.aggregates.overlap();
        self.depth.overlap();
        self.fast_depth.overlap();
        self.quotes.overlap();
    }

    /// One connection is left: what neither brought, by feed.
    fn settle(&mut self, newer_is_left: bool) -> Vec<(&'static str, Step)> {
        self.newest_quote = None;
        // Holes between quotes mean nothing.
        self.quotes.settle(newer_is_left);
        [
            ("trade", self.trades.settle(newer_is_left)),
            ("matches", self.matches.settle(newer_is_left)),
            ("aggTrade", self.aggregates.settle(newer_is_left)),
            ("depth", self.depth.settle(newer_is_left)),
            ("depth@100ms", self.fast_depth.settle(newer_is_left)),
        ]
        .into_iter()
        .flat_map(|(feed, steps)| steps.into_iter().map(move |step| (feed, step)))
        .collect()
    }

    /// Whether a quote without a number (Coinbase Advanced) tells nothing new while two connections live: the other has
    /// brought it, or a newer one.
    pub(super) fn is_repeated_quote(&mut self, quote: &QuoteMessage<'_>) -> Option<Verdict> {
        let seen = Seen {
            stamp_ns: quote.stamp_ns,
            bid: (quote.bid.clone(), quote.bid_size.clone()),
            ask: (quote.ask.clone(), quote.ask_size.clone()),
        };
        if let Some(newest) = &mut self.newest_quote {
            if seen.stamp_ns < newest.stamp_ns {
                return Some(Verdict::Old);
            }
            if (&seen.bid, &seen.ask) == (&newest.bid, &newest.ask) {
                newest.stamp_ns = seen.stamp_ns;
                return Some(Verdict::Duplicate);
            }
        }
        self.newest_quote = Some(Box::new(seen));
        None
    }

    /// A trade told as history (Coinbase Advanced): it will not become a tick later either, unless another connection
    /// has yet to bring it.
    pub(super) fn remember_trade(&mut self, id: u64, whence: Whence, counters: &mut Counters) {
        // Snapshots tell the newest first; only that one matters.
        if whence == Whence::Alone
            && self.trades.last().is_none_or(|last| last < id)
            && let Step::Missed(missed) = self.trades.step(id, id, 0)
        {
            counters.missed_between_connections += missed;
        }
    }

    /// A trade of a feed that is numbered otherwise (Coinbase Advanced): whether it came before.
    pub(super) fn is_repeat(
        &mut self,
        id: u64,
        received_ns: i64,
        whence: Whence,
        counters: &mut Counters,
    ) -> bool {
        match step(&mut self.trades, id..=id, received_ns, whence) {
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
            living: Vec::new(),
            symbols: HashMap::new(),
            beyond: 0,
        }
    }

    pub(super) fn dialect(&self) -> Dialect {
        self.dialect
    }

    pub(super) fn is_connected(&self, number: u64) -> bool {
        self.living.iter().any(|(living, _)| *living == number)
    }

    /// Which of the living connections this is.
    pub(super) fn whence(&self, number: u64) -> Whence {
        match self.living.as_slice() {
            [] | [_] => Whence::Alone,
            [.., (newest, _)] if *newest == number => Whence::Newer,
            _ => Whence::Older,
        }
    }

    /// A connection was (re)made.
    pub(super) fn connect(&mut self, number: u64) {
        self.living.retain(|(living, _)| *living != number);
        let is_alone = self.living.is_empty();
        self.living.push((number, ConnectionNumbers::default()));
        for symbol in self.symbols.values_mut() {
            symbol.tickers_seen.retain(|seen| *seen != number);
            if is_alone {
                symbol.reconnect();
            } else {
                symbol.overlap();
            }
        }
    }

    /// A connection is gone. Where another takes over from it, what neither brought is told.
    pub(super) fn disconnect(
        &mut self,
        number: u64,
        counters: &mut Counters,
        mut tell: impl FnMut(&Gap),
    ) {
        let before = self.living.len();
        self.living.retain(|(living, _)| *living != number);
        let [(left, _)] = self.living.as_slice() else {
            return;
        };
        if before == 1 {
            return;
        }
        let newer_is_left = *left > number;
        let mut symbols: Vec<_> = self.symbols.iter_mut().collect();
        symbols.sort_unstable_by(|one, other| one.0.cmp(other.0));
        for (name, symbol) in symbols {
            symbol.tickers_seen.retain(|seen| *seen != number);
            for (feed, step) in symbol.settle(newer_is_left) {
                match step {
                    // There the connections' own numberings tell of gaps.
                    Step::Gap { missing, .. } if self.dialect == Dialect::CoinbaseAdvanced => {
                        counters.missed_between_connections += missing;
                    }
                    Step::Gap { expected, missing } => {
                        let gap = Gap {
                            venue: self.dialect.venue(),
                            feed,
                            symbol: Some(name.to_string()),
                            expected,
                            got: expected.saturating_add(missing),
                            missing,
                        };
                        tell(&gap);
                        counters.gap(gap);
                    }
                    Step::Missed(missed) => counters.missed_between_connections += missed,
                    Step::Next | Step::Old | Step::Restart => {}
                }
            }
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
        (connection, number): (u64, &Number<'_>),
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
        let place = On {
            connection,
            whence: self.whence(connection),
            is_exchange: self.dialect == Dialect::CoinbaseExchange,
            received_ns,
        };
        let judged = match name {
            None => self.of_connection(connection, got),
            Some(name) => match self.symbol(name, map) {
                Some(symbol) => symbol.judge(number, place),
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

    fn of_connection(&mut self, connection: u64, number: u64) -> Judged {
        let mut living = self.living.iter_mut();
        let Some((_, numbers)) = living.find(|(living, _)| *living == connection) else {
            return Judged::new("sequence_num", Step::Next);
        };
        let step = numbers.step(number);
        if step == Step::Restart && self.living.len() == 1 {
            // Another connection, of which nobody told.
            self.connect(connection);
            self.of_connection(connection, number);
        }
        Judged::new("sequence_num", step)
    }
}

/// Where a number came from.
#[derive(Clone, Copy)]
struct On {
    connection: u64,
    whence: Whence,
    is_exchange: bool,
    received_ns: i64,
}

/// Judges the numbers of one message of a feed that counts.
fn step(
    numbers: &mut Numbers,
    of: std::ops::RangeInclusive<u64>,
    received_ns: i64,
    whence: Whence,
) -> Step {
    match whence {
        Whence::Alone => numbers.step(*of.start(), *of.end(), received_ns),
        Whence::Older => numbers.beside(*of.start(), *of.end(), false),
        Whence::Newer => numbers.beside(*of.start(), *of.end(), true),
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
    fn judge(&mut self, number: &Number<'_>, on: On) -> Judged {
        let On {
            whence,
            received_ns,
            ..
        } = on;
        let step = |numbers: &mut Numbers, of| step(numbers, of, received_ns, whence);
        match number {
            Number::None | Number::Connection(_) => Judged::new("", Step::Next),
            Number::Trade { id, .. } if on.is_exchange => {
                let step = match whence {
                    Whence::Alone => self.matches.matched(*id, received_ns),
                    whence => self.matches.beside(*id, whence == Whence::Newer),
                };
                Judged::new("matches", step)
            }
            Number::Trade { id, .. } => {
                self.trades_seen = true;
                let step = step(&mut self.trades, *id..=*id);
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
                let step = step(&mut self.aggregates, *id..=*id);
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
                Judged::new(feed, step(numbers, *first..=*last))
            }
            Number::Quote { seq, .. } => self.quote(*seq, on),
        }
    }

    /// Rises with holes: a hole is no gap, a lower number is an older quote.
    fn quote(&mut self, seq: u64, on: On) -> Judged {
        let is_opening = on.is_exchange && !self.tickers_seen.contains(&on.connection);
        if is_opening {
            self.tickers_seen.push(on.connection);
        }
        let step = match on.whence {
            Whence::Alone => self.quotes.step(seq, seq, on.received_ns),
            // What it repeats, the other connection has brought or is about to bring.
            _ if is_opening => Step::Next,
            _ => self.quotes.newest(seq),
        };
        let step = match step {
            Step::Gap { .. } | Step::Missed(_) => Step::Next,
            step => step,
        };
        let mut judged = Judged::new("quote", step).unless(is_opening, Verdict::History);
        if step == Step::Old {
            judged.verdict = Verdict::Old;
        }
        judged
    }
}
