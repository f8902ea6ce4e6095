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

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Deref;

use num_rational::BigRational;

use clock::Clock;
use json::LegLine;
pub(crate) use number::fraction;
use number::{fixed, round_half_even, whole};
use record::{Record, What};
use state::{Leg, State};

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

/// A window about to be written, with the state at its every instant and at its end.
struct Window<'a> {
    start: i128,
    end: i128,
    instants: Vec<(i128, State<'a>)>,
    at_end: State<'a>,
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
        let end = start + self.settings.width_ns();
        // The instants: the start and every record's stamp.
        let mut instants: BTreeSet<i128> = BTreeSet::from([start]);
        instants.extend(
            self.accepted
                .iter()
                .map(|record| record.stamp)
                .filter(|stamp| (start..end).contains(stamp)),
        );
        let window = Window {
            start,
            end,
            instants: instants
                .into_iter()
                .map(|instant| (instant, State::at(&self.accepted, instant)))
                .collect(),
            at_end: State::before(&self.accepted, end),
        };
        // Every pair that has had a tick stamped before the window's end gets a record, silence included.
        let pairs: BTreeSet<&str> = self
            .accepted
            .iter()
            .filter(|record| record.stamp < end)
            .filter_map(|record| record.listing())
            .map(|listing| listing.pair.as_str())
            .collect();
        for pair in pairs {
            let holds_a_tick = self
                .accepted
                .iter()
                .any(|r| r.is_tick_of(pair) && (start..end).contains(&r.stamp));
            if only_with_ticks && !holds_a_tick {
                continue;
            }
            let late = self.late_counts.remove(pair).unwrap_or(0);
            let line = self.pair_record(&window, pair, late);
            self.output.spreads.push(line);
        }
    }

    fn pair_record(&self, window: &Window<'_>, pair: &str, late: usize) -> String {
        // A leg is a venue that has had a tick of this pair stamped before the window's end; alphabetically.
        let mut legs: BTreeMap<&str, Leg<'_>> = BTreeMap::new();
        for record in &self.accepted {
            if let Some(listing) = record.listing()
                && listing.pair == pair
                && record.stamp < window.end
            {
                let leg = Leg {
                    venue: &record.venue,
                    pair: &listing.pair,
                    symbol: &listing.symbol,
                    currency: &listing.currency,
                };
                legs.insert(leg.venue, leg);
            }
        }
        // A route is an ordered pair of legs; by buyer, then seller.
        let mut routes = Vec::new();
        for buy in legs.values() {
            for sell in legs.values() {
                if buy.venue != sell.venue {
                    routes.push(route::route(window, buy, sell, self.settings));
                }
            }
        }
        // The best of its routes', `one_sided` if it has none.
        let best_quality = routes.iter().map(|route| route.quality).max();
        let quality = best_quality.map_or("one_sided", state::Quality::name);
        let legs: Vec<LegLine> = legs
            .values()
            .map(|leg| self.leg_line(window, leg))
            .collect();
        json::spread(
            pair,
            window.start / NS_PER_MS,
            window.end / NS_PER_MS,
            quality,
            late,
            &legs,
            &routes,
        )
    }

    fn leg_line(&self, window: &Window<'_>, leg: &Leg<'_>) -> LegLine {
        let held: Vec<&Accepted> = self
            .accepted
            .iter()
            .filter(|r| r.venue == leg.venue && r.is_tick_of(leg.pair))
            .filter(|r| (window.start..window.end).contains(&r.stamp))
            .collect();
        let mut quotes = 0;
        let mut trades = 0;
        let mut value = whole(0);
        let mut volume = whole(0);
        for record in held {
            match &record.what {
                What::Quote(..) => quotes += 1,
                What::Trade(_, trade) => {
                    trades += 1;
                    value += &trade.price.value * &trade.size.value;
                    volume += &trade.size.value;
                }
                What::Rate(_) | What::Mark | What::Status(_) => {}
            }
        }
        // Half to even to exactly eight decimals, null if there were none (or none of any size).
        let vwap = if volume > whole(0) {
            Some(fixed(&round_half_even(&(value / volume), 8), 8))
        } else {
            None
        };
        // Ages at the end, milliseconds rounded down. The rate is shown even when too old.
        let age_ms = |stamp: i128| (window.end - stamp).div_euclid(NS_PER_MS);
        let quote = window.at_end.quote(leg);
        let rate = window.at_end.rate(leg);
        let size = |size: &Option<number::Amount>| size.as_ref().map(|size| size.text.clone());
        LegLine {
            venue: leg.venue.to_owned(),
            symbol: leg.symbol.to_owned(),
            currency: leg.currency.to_owned(),
            state: window
                .at_end
                .quality(leg, window.end, self.settings)
                .name(),
            bid: quote.map(|(_, quote)| quote.bid.text.clone()),
            bid_size: quote.and_then(|(_, quote)| size(&quote.bid_size)),
            ask: quote.map(|(_, quote)| quote.ask.text.clone()),
            ask_size: quote.and_then(|(_, quote)| size(&quote.ask_size)),
            age_ms: quote.map(|(stamp, _)| age_ms(stamp)),
            quotes,
            trades,
            vwap,
            rate_bid: rate.map(|(_, rate)| rate.bid.text.clone()),
            rate_ask: rate.map(|(_, rate)| rate.ask.text.clone()),
            rate_age_ms: rate.map(|(stamp, _)| age_ms(stamp)),
        }
    }
}
