//! A slow, obvious reference of windows (section 5 of the design) and spreads (section 6), written from their text.
//!
//! In: the lines of one partition and settings. Out: the lines of `spreads` and `ticks-late`, and what belongs on
//! `dead-letters`. It keeps every accepted record for ever and works out each state from the first record anew, with exact
//! fractions. Absent on purpose: speed, bounded memory, and anything of the product's code.

mod clock;
mod json;
mod number;
mod record;
mod route;
mod state;
mod window;

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Deref;

use num_rational::BigRational;

use clock::Clock;
pub(crate) use number::fraction;
use number::whole;
use record::{Record, What};
use window::Window;

const NS_PER_MS: i128 = 1_000_000;

/// What the result depends on besides the log.
#[derive(Debug, Clone)]
pub(crate) struct ReferenceSettings {
    /// Width of a window.
    pub(crate) width_ms: i64,
    /// Age at which a quote is still live.
    pub(crate) quote_max_age_ms: i64,
    /// The same, for venues that have their own.
    pub(crate) venue_quote_max_age_ms: BTreeMap<String, i64>,
    /// Age at which a rate is still good.
    pub(crate) rate_max_age_ms: i64,
    /// More than this much of windows closed at once gives no records of silence.
    pub(crate) max_gap_ms: i64,
    /// Taker fee by venue, basis points; 0 where none is given.
    pub(crate) fees_bps: BTreeMap<String, BigRational>,
}

impl ReferenceSettings {
    fn width_ns(&self) -> i128 {
        i128::from(self.width_ms) * NS_PER_MS
    }

    fn quote_max_age_ms(&self, venue: &str) -> i64 {
        let own = self.venue_quote_max_age_ms.get(venue).copied();
        own.unwrap_or(self.quote_max_age_ms)
    }

    fn fee_fraction(&self, venue: &str) -> BigRational {
        match self.fees_bps.get(venue) {
            Some(bps) => bps / whole(10_000),
            None => whole(0),
        }
    }

    /// Windows are `[start, end)`, aligned to the epoch: the last window boundary at or below `stamp`.
    fn boundary(&self, stamp: i128) -> i128 {
        stamp.div_euclid(self.width_ns()) * self.width_ns()
    }
}

/// Everything that comes out.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct ReferenceOutput {
    /// Lines of `spreads`, by window, then pair.
    pub(crate) spreads: Vec<String>,
    /// Lines of `ticks-late`, in the order of the log.
    pub(crate) late: Vec<String>,
    /// Untouched lines for `dead-letters`, in the order of the log.
    pub(crate) dead: Vec<String>,
    /// Where in the log those stood, from 0.
    pub(crate) dead_offsets: Vec<usize>,
    /// Rates that came too late to count.
    pub(crate) ignored_rates: usize,
}

/// A record that counts, with its place in the log. A status's stamp may have been moved to the boundary.
#[derive(Debug)]
struct Accepted {
    offset: usize,
    record: Record,
}

impl Deref for Accepted {
    type Target = Record;
    fn deref(&self) -> &Record {
        &self.record
    }
}

/// The specification, carried out.
pub(crate) fn reference(lines: &[String], settings: &ReferenceSettings) -> ReferenceOutput {
    let mut log = Log {
        settings,
        clock: Clock::default(),
        listed: BTreeMap::new(),
        accepted: Vec::new(),
        late_counts: BTreeMap::new(),
        output: ReferenceOutput::default(),
    };
    for (offset, line) in lines.iter().enumerate() {
        log.take(offset, line);
    }
    log.end();
    log.output
}

struct Log<'s> {
    settings: &'s ReferenceSettings,
    clock: Clock,
    /// Symbol and currency by venue and pair, as the first tick in the log has them.
    listed: BTreeMap<(String, String), (String, String)>,
    /// Every record that counts, in the order of the log.
    accepted: Vec<Accepted>,
    /// Late ticks by pair since its previous record.
    late_counts: BTreeMap<String, usize>,
    output: ReferenceOutput,
}

impl Log<'_> {
    /// Windows are closed up to the last window boundary at or below the watermark; `None` before there is one.
    fn boundary(&self) -> Option<i128> {
        self.clock
            .watermark()
            .map(|watermark| self.settings.boundary(watermark))
    }

    fn take(&mut self, offset: usize, line: &str) {
        let record = Record::read(line).filter(|record| self.is_listed(record));
        let Some(mut record) = record else {
            self.output.dead.push(line.to_owned());
            self.output.dead_offsets.push(offset);
            return;
        };
        let boundary = self.boundary();
        let is_before_boundary = boundary.is_some_and(|boundary| record.stamp < boundary);
        match &record.what {
            // A mark moves the watermark and nothing else: it changes no state, so no instant is worth a look for its sake.
            What::Mark => self.clock.mark(&record.venue, record.stamp),
            // A status stamped before the boundary counts as stamped on it.
            What::Status(status) => {
                self.clock.status(&record.venue, *status);
                record.stamp = boundary.map_or(record.stamp, |boundary| record.stamp.max(boundary));
                self.accepted.push(Accepted { offset, record });
            }
            // A rate stamped before the boundary is ignored and counted.
            What::Rate(_) => {
                if is_before_boundary {
                    self.output.ignored_rates += 1;
                } else {
                    self.accepted.push(Accepted { offset, record });
                }
            }
            // A tick stamped before the boundary is late; it still makes a venue up and counts for its highest stamp.
            What::Quote(listing, _) | What::Trade(listing, _) => {
                self.clock.tick(&record.venue, record.stamp);
                match boundary {
                    Some(boundary) if is_before_boundary => {
                        let late_line = json::late(boundary, boundary - record.stamp, line);
                        self.output.late.push(late_line);
                        *self.late_counts.entry(listing.pair.clone()).or_default() += 1;
                    }
                    _ => self.accepted.push(Accepted { offset, record }),
                }
            }
        }
        if let Some(closed_to) = self.boundary() {
            self.close(boundary, closed_to);
        }
    }

    /// One symbol per venue and pair, that of its first tick in the log; another's tick is a dead letter.
    fn is_listed(&mut self, record: &Record) -> bool {
        let Some(listing) = record.listing() else {
            return true;
        };
        let key = (record.venue.clone(), listing.pair.clone());
        let said = (listing.symbol.clone(), listing.currency.clone());
        *self.listed.entry(key).or_insert(said.clone()) == said
    }

    /// At the end of a finite input all windows up to the one that holds the last tick are closed.
    fn end(&mut self) {
        let last_tick = self.tick_stamps().max();
        if let Some(last_tick) = last_tick {
            let end = self.settings.boundary(last_tick) + self.settings.width_ns();
            self.close(self.boundary(), end);
        }
    }

    fn tick_stamps(&self) -> impl Iterator<Item = i128> + '_ {
        let ticks = self.accepted.iter().filter(|r| r.listing().is_some());
        ticks.map(|record| record.stamp)
    }

    /// Closes every window that ends after `closed_to_before` and not after `to`.
    fn close(&mut self, closed_to_before: Option<i128>, to: i128) {
        // The first window is the first that holds a tick.
        let Some(first_tick) = self.tick_stamps().min() else {
            return;
        };
        let first = self.settings.boundary(first_tick);
        let from = closed_to_before.map_or(first, |before| before.max(first));
        if from >= to {
            return;
        }
        // More than `max_gap_ms` worth of windows at once: those that hold no tick of a pair give it no record.
        let is_gap = to - from > i128::from(self.settings.max_gap_ms) * NS_PER_MS;
        let starts: Vec<i128> = if is_gap {
            let holding: BTreeSet<i128> = self
                .tick_stamps()
                .filter(|stamp| (from..to).contains(stamp))
                .map(|stamp| self.settings.boundary(stamp))
                .collect();
            holding.into_iter().collect()
        } else {
            std::iter::successors(Some(from), |start| Some(start + self.settings.width_ns()))
                .take_while(|start| *start < to)
                .collect()
        };
        for start in starts {
            self.write_window(start, is_gap);
        }
    }

    /// Writes the records of one window, pair by pair.
    fn write_window(&mut self, start: i128, only_with_ticks: bool) {
        let window = Window::of(&self.accepted, start, start + self.settings.width_ns());
        for pair in window.pairs() {
            if only_with_ticks && !window.holds_a_tick_of(pair) {
                continue;
            }
            let late = self.late_counts.remove(pair).unwrap_or(0);
            let line = window.record_of(pair, late, self.settings);
            self.output.spreads.push(line);
        }
    }
}
