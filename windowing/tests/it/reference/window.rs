//! One window: its instants, and the records it gives (section 6).
//!
//! In: the accepted records and the window's bounds. Out: a line per pair. Absent: when a window closes.

use std::collections::{BTreeMap, BTreeSet};

use super::json::{self, LegLine};
use super::number::{Amount, fixed, round_half_even, whole};
use super::record::What;
use super::route::route;
use super::state::{Leg, Quality, State};
use super::{Accepted, NS_PER_MS, ReferenceSettings};

/// A window about to be written, with the state at its every instant and at its end.
pub(crate) struct Window<'a> {
    /// Everything accepted so far.
    records: &'a [Accepted],
    pub(crate) start: i128,
    pub(crate) end: i128,
    pub(crate) instants: Vec<(i128, State<'a>)>,
    pub(crate) at_end: State<'a>,
}

impl<'a> Window<'a> {
    /// Works out every state of `[start, end)`.
    pub(crate) fn of(records: &'a [Accepted], start: i128, end: i128) -> Self {
        // The instants: the start and every record's stamp.
        let mut instants: BTreeSet<i128> = BTreeSet::from([start]);
        instants.extend(
            records
                .iter()
                .map(|record| record.stamp)
                .filter(|stamp| (start..end).contains(stamp)),
        );
        Self {
            records,
            start,
            end,
            instants: instants
                .into_iter()
                .map(|instant| (instant, State::at(records, instant)))
                .collect(),
            at_end: State::before(records, end),
        }
    }

    /// Every pair that has had a tick stamped before the window's end, silence included; alphabetically.
    pub(crate) fn pairs(&self) -> BTreeSet<&'a str> {
        self.records
            .iter()
            .filter(|record| record.stamp < self.end)
            .filter_map(|record| record.listing())
            .map(|listing| listing.pair.as_str())
            .collect()
    }

    /// Whether it holds a tick of that pair.
    pub(crate) fn holds_a_tick_of(&self, pair: &str) -> bool {
        self.records
            .iter()
            .any(|r| r.is_tick_of(pair) && (self.start..self.end).contains(&r.stamp))
    }

    /// What the window says of one pair, as one line.
    pub(crate) fn record_of(
        &self,
        pair: &str,
        late: usize,
        settings: &ReferenceSettings,
    ) -> String {
        // A leg is a venue that has had a tick of this pair stamped before the window's end; alphabetically.
        let mut legs: BTreeMap<&str, Leg<'_>> = BTreeMap::new();
        for record in self.records {
            if let Some(listing) = record.listing()
                && listing.pair == pair
                && record.stamp < self.end
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
                    routes.push(route(self, buy, sell, settings));
                }
            }
        }
        // The best of its routes', `one_sided` if it has none.
        let best_quality = routes.iter().map(|route| route.quality).max();
        let quality = best_quality.map_or("one_sided", Quality::name);
        let legs: Vec<LegLine> = legs
            .values()
            .map(|leg| self.leg_line(leg, settings))
            .collect();
        json::spread(
            pair,
            self.start / NS_PER_MS,
            self.end / NS_PER_MS,
            quality,
            late,
            &legs,
            &routes,
        )
    }

    fn leg_line(&self, leg: &Leg<'_>, settings: &ReferenceSettings) -> LegLine {
        let held: Vec<&Accepted> = self
            .records
            .iter()
            .filter(|r| r.venue == leg.venue && r.is_tick_of(leg.pair))
            .filter(|r| (self.start..self.end).contains(&r.stamp))
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
        let age_ms = |stamp: i128| (self.end - stamp).div_euclid(NS_PER_MS);
        let quote = self.at_end.quote(leg);
        let rate = self.at_end.rate(leg);
        let size = |size: &Option<Amount>| size.as_ref().map(|size| size.text.clone());
        LegLine {
            venue: leg.venue.to_owned(),
            symbol: leg.symbol.to_owned(),
            currency: leg.currency.to_owned(),
            state: self.at_end.quality(leg, self.end, settings).name(),
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
