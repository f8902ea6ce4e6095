//! What the core has counted: nothing is dropped without standing here.

use std::collections::BTreeMap;

use contract::tick::VenueStatus;

use super::feed::{Feed, Verdict};
use crate::gap::Gap;
use crate::venue::{Dialect, Kind};

/// Gaps listed one by one; beyond that they are only counted.
pub const MAX_GAPS_LISTED: usize = 1_000;

/// Everything that happened since the start.
#[derive(Debug, Clone, Default)]
pub struct Report {
    /// Frames of all dialects.
    pub frames: u64,
    /// Frames by dialect and kind.
    pub kinds: BTreeMap<(Dialect, Kind), u64>,
    /// Quotes emitted.
    pub quotes: u64,
    /// Trades emitted.
    pub trades: u64,
    /// Rates emitted.
    pub rates: u64,
    /// Quotes and trades from before a subscription, passed over.
    pub history: u64,
    /// Trades (and whole frames of a numbered connection) that had come before, passed over.
    pub duplicates: u64,
    /// Quotes older than one that had come, passed over.
    pub old_quotes: u64,
    /// Aggregates whose trades came one by one too, passed over.
    pub aggregated: u64,
    /// Trades of symbols that only give a rate, passed over.
    pub rate_trades: u64,
    /// Ticks and rates stamped before the last mark of their venue; emitted all the same.
    pub behind_mark: u64,
    /// Holes in numberings, all of them.
    pub gaps_total: u64,
    /// The first [`MAX_GAPS_LISTED`] of them.
    pub gaps: Vec<Gap>,
    /// Trades that passed while there was no connection, as far as ids tell.
    pub missed_between_connections: u64,
    /// Numberings that a venue began anew without a word.
    pub restarts: u64,
    /// Faulty frames by reason.
    pub faults: BTreeMap<&'static str, u64>,
    /// Symbols that no pair and no rate names.
    pub unnamed: Vec<UnnamedSymbol>,
    /// Quotes and trades of symbols beyond those that are remembered.
    pub unnamed_beyond: u64,
    /// The venues seen.
    pub venues: Vec<VenueReport>,
}

/// A symbol whose ticks nobody asked for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct UnnamedSymbol {
    /// Venue.
    pub venue: &'static str,
    /// Symbol.
    pub symbol: String,
    /// Quotes and trades passed over.
    pub ticks: u64,
}

/// One venue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VenueReport {
    /// Venue.
    pub venue: &'static str,
    /// Whether it delivers.
    pub status: VenueStatus,
    /// Connections made, the first included.
    pub connections: u64,
    /// Frames received.
    pub frames: u64,
    /// The venue's clock less ours, nanoseconds.
    pub skew_ns: i64,
    /// Samples that the skew rests on.
    pub skew_samples: usize,
    /// Gaps.
    pub gaps: u64,
    /// Faulty frames.
    pub faults: u64,
    /// The last mark sent, nanoseconds since 1970.
    pub last_mark_ns: Option<i64>,
}

#[derive(Debug, Default)]
pub(super) struct Counters {
    pub(super) frames: u64,
    kinds: BTreeMap<(Dialect, Kind), u64>,
    pub(super) quotes: u64,
    pub(super) trades: u64,
    pub(super) rates: u64,
    pub(super) history: u64,
    pub(super) duplicates: u64,
    pub(super) old_quotes: u64,
    pub(super) aggregated: u64,
    pub(super) rate_trades: u64,
    pub(super) behind_mark: u64,
    gaps_total: u64,
    gaps: Vec<Gap>,
    pub(super) missed_between_connections: u64,
    pub(super) restarts: u64,
    faults: BTreeMap<&'static str, u64>,
    /// The highest stamp of a tick.
    pub(super) last_tick_ns: Option<i64>,
}

impl Counters {
    pub(super) fn kind(&mut self, dialect: Dialect, kind: Kind) {
        *self.kinds.entry((dialect, kind)).or_default() += 1;
    }

    /// Quotes or trades that are not taken.
    pub(super) fn pass_over(&mut self, verdict: Verdict, items: u64) {
        match verdict {
            Verdict::Take => {}
            Verdict::History => self.history += items,
            Verdict::Duplicate => self.duplicates += items,
            Verdict::Old => self.old_quotes += items,
            Verdict::Aggregated => self.aggregated += items,
        }
    }

    pub(super) fn fault(&mut self, reason: &'static str) {
        *self.faults.entry(reason).or_default() += 1;
    }

    pub(super) fn gap(&mut self, gap: Gap) {
        self.gaps_total += 1;
        if self.gaps.len() < MAX_GAPS_LISTED {
            self.gaps.push(gap);
        }
    }

    pub(super) fn report(&self, venues: Vec<VenueReport>, feeds: &[Feed]) -> Report {
        let mut unnamed: Vec<UnnamedSymbol> = feeds
            .iter()
            .flat_map(|feed| {
                let venue = feed.dialect().venue();
                feed.symbols().filter(|(_, symbol)| symbol.unnamed > 0).map(
                    move |(name, symbol)| UnnamedSymbol {
                        venue,
                        symbol: name.to_owned(),
                        ticks: symbol.unnamed,
                    },
                )
            })
            .collect();
        unnamed.sort_unstable();
        Report {
            frames: self.frames,
            kinds: self.kinds.clone(),
            quotes: self.quotes,
            trades: self.trades,
            rates: self.rates,
            history: self.history,
            duplicates: self.duplicates,
            old_quotes: self.old_quotes,
            aggregated: self.aggregated,
            rate_trades: self.rate_trades,
            behind_mark: self.behind_mark,
            gaps_total: self.gaps_total,
            gaps: self.gaps.clone(),
            missed_between_connections: self.missed_between_connections,
            restarts: self.restarts,
            faults: self.faults.clone(),
            unnamed,
            unnamed_beyond: feeds.iter().map(|feed| feed.beyond).sum(),
            venues,
        }
    }
}
