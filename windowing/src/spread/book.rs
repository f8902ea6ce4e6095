//! What a partition knows between windows: venues, rates, pairs, and each leg's last quote.
//!
//! Two kinds of knowledge live here and must not be mixed. *Names* (which venues, pairs, legs, symbols there are) follow the
//! order of the log. *State* (who is up, last quotes and rates, which legs exist) follows event time and is only changed
//! while windows close.

use std::sync::Arc;

use rustc_hash::FxHashMap;

use super::event::{LegId, PairId, QuoteEvent, RateEvent, RateId, VenueId};
use super::fee::Fee;
use super::settings::Settings;

/// A venue.
#[derive(Debug, Clone)]
pub struct Venue {
    /// Its name.
    pub name: Arc<str>,
    /// Its taker's fee.
    pub fee: Fee,
    /// Up to this age its quotes are live, nanoseconds.
    pub quote_max_age_ns: i64,
    /// State: it is down or silent.
    pub is_out: bool,
    /// State: how many statuses it has had; a quote of an earlier count is cleared.
    pub statuses: u64,
}

/// The last rate from one currency to another.
#[derive(Debug, Clone, Default)]
pub struct Rate {
    /// State: the rate and its stamp in nanoseconds.
    pub last: Option<(i64, RateEvent)>,
}

/// The last quote of a leg.
#[derive(Debug, Clone)]
pub struct LastQuote {
    /// Its event time, nanoseconds.
    pub stamp_ns: i64,
    /// How many statuses its venue had had when it came.
    pub statuses: u64,
    /// Prices and sizes.
    pub quote: QuoteEvent,
}

/// One venue's side of a pair.
#[derive(Debug, Clone)]
pub struct Leg {
    /// Its venue.
    pub venue: VenueId,
    /// The symbol of its first tick in the log.
    pub symbol: Box<str>,
    /// The currency that symbol trades in.
    pub currency: Box<str>,
    /// The rate it needs, if it trades in another currency than the pair's.
    pub rate: Option<RateId>,
    /// State: a tick of it lies before the end of the last closed window.
    pub exists: bool,
    /// State: its last quote.
    pub quote: Option<LastQuote>,
}

/// A pair.
#[derive(Debug, Clone)]
pub struct Pair {
    /// Its name.
    pub name: Arc<str>,
    /// Its legs in the order of first mention.
    pub legs: Vec<Leg>,
    /// Its legs by venue, alphabetically.
    pub by_venue: Vec<LegId>,
    /// Ticks that came too late since its last record.
    pub late: u64,
    /// State: one of its legs exists.
    pub exists: bool,
}

/// A tick whose symbol or currency is not that of its leg.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "venue `{venue}` already gives pair `{pair}` by symbol `{symbol}` in {currency}; this tick is of `{other}` in {other_currency}"
)]
pub struct OtherSymbol {
    venue: String,
    pair: String,
    symbol: String,
    currency: String,
    other: String,
    other_currency: String,
}

/// All of it.
#[derive(Debug, Clone, Default)]
pub struct Book {
    /// Venues in the order of first mention.
    pub venues: Vec<Venue>,
    /// Rates in the order of first mention.
    pub rates: Vec<Rate>,
    /// Pairs in the order of first mention.
    pub pairs: Vec<Pair>,
    /// Pairs that exist, by name.
    pub by_name: Vec<PairId>,
    pair_ids: FxHashMap<Arc<str>, PairId>,
    /// What [`Book::leg`] found before, by all the names of a tick, so that an ordinary tick costs one look-up in one place.
    found: FxHashMap<Box<[u8]>, (PairId, LegId, VenueId)>,
    /// The names of the tick at hand, put together.
    key: Vec<u8>,
    /// By pair, which of its first 64 legs exist, so that an ordinary tick of a window need not look at its leg.
    existing: Vec<u64>,
    rate_ids: FxHashMap<(Box<str>, Box<str>), RateId>,
}

impl Book {
    /// The number of a venue, made on first mention.
    pub fn venue(&mut self, name: &str, settings: &Settings) -> VenueId {
        if let Some(at) = self.venues.iter().position(|venue| &*venue.name == name) {
            return VenueId::next(at);
        }
        let id = VenueId::next(self.venues.len());
        self.venues.push(Venue {
            name: name.into(),
            fee: settings.fee(name),
            quote_max_age_ns: settings.quote_max_age_ns(name),
            is_out: false,
            statuses: 0,
        });
        id
    }

    /// The number of a rate, made on first mention.
    pub fn rate(&mut self, from: &str, to: &str) -> RateId {
        let next = RateId::next(self.rates.len());
        let id = *self
            .rate_ids
            .entry((from.into(), to.into()))
            .or_insert(next);
        if id == next {
            self.rates.push(Rate::default());
        }
        id
    }

    /// The numbers of a tick's pair, leg and venue, made on first mention.
    ///
    /// # Errors
    /// [`OtherSymbol`] where this venue gave the pair by another symbol, or in another currency, before.
    pub fn leg(
        &mut self,
        tick: &TickNames<'_>,
        settings: &Settings,
    ) -> Result<(PairId, LegId, VenueId), Box<OtherSymbol>> {
        self.key.clear();
        for name in [tick.pair, tick.venue, tick.symbol, tick.currency] {
            // Lengths keep apart what would read alike when put together.
            self.key.extend_from_slice(&name.len().to_ne_bytes());
            self.key.extend_from_slice(name.as_bytes());
        }
        if let Some(&found) = self.found.get(self.key.as_slice()) {
            return Ok(found);
        }
        let found = self.find_leg(tick, settings)?;
        self.found.insert(self.key.as_slice().into(), found);
        Ok(found)
    }

    fn find_leg(
        &mut self,
        tick: &TickNames<'_>,
        settings: &Settings,
    ) -> Result<(PairId, LegId, VenueId), Box<OtherSymbol>> {
        let pair_id = match self.pair_ids.get(tick.pair) {
            Some(&id) => id,
            None => {
                let id = PairId::next(self.pairs.len());
                let name: Arc<str> = tick.pair.into();
                self.pair_ids.insert(Arc::clone(&name), id);
                self.pairs.push(Pair {
                    name,
                    legs: Vec::new(),
                    by_venue: Vec::new(),
                    late: 0,
                    exists: false,
                });
                id
            }
        };
        let pair = &self.pairs[pair_id.at()];
        let known = pair
            .legs
            .iter()
            .position(|leg| &*self.venues[leg.venue.at()].name == tick.venue);
        if let Some(at) = known {
            let leg = &pair.legs[at];
            if &*leg.symbol != tick.symbol || &*leg.currency != tick.currency {
                return Err(Box::new(OtherSymbol {
                    venue: tick.venue.to_owned(),
                    pair: tick.pair.to_owned(),
                    symbol: leg.symbol.to_string(),
                    currency: leg.currency.to_string(),
                    other: tick.symbol.to_owned(),
                    other_currency: tick.currency.to_owned(),
                }));
            }
            return Ok((pair_id, LegId::next(at), leg.venue));
        }
        let venue = self.venue(tick.venue, settings);
        let rate =
            (tick.currency != tick.accounting).then(|| self.rate(tick.currency, tick.accounting));
        let pair = &mut self.pairs[pair_id.at()];
        let leg = LegId::next(pair.legs.len());
        pair.legs.push(Leg {
            venue,
            symbol: tick.symbol.into(),
            currency: tick.currency.into(),
            rate,
            exists: false,
            quote: None,
        });
        let venues = &self.venues;
        let legs = &pair.legs;
        let name_of = |leg: LegId| &*venues[legs[leg.at()].venue.at()].name;
        let place = pair
            .by_venue
            .partition_point(|&other| name_of(other) < tick.venue);
        pair.by_venue.insert(place, leg);
        Ok((pair_id, leg, venue))
    }

    /// From and to of each rate, in the order of first mention.
    pub(crate) fn rate_names(&self) -> Vec<(&str, &str)> {
        let mut names = vec![("", ""); self.rates.len()];
        for ((from, to), id) in &self.rate_ids {
            names[id.at()] = (from, to);
        }
        names
    }

    /// A tick of this leg lies in a window that closes: from now on the leg and its pair exist.
    pub fn exist(&mut self, pair_id: PairId, leg: LegId) {
        let bit = 1_u64.checked_shl(leg.0).unwrap_or(0);
        if self.existing.len() <= pair_id.at() {
            self.existing.resize(self.pairs.len(), 0);
        }
        let existing = &mut self.existing[pair_id.at()];
        if *existing & bit != 0 {
            return;
        }
        *existing |= bit;
        let pair = &mut self.pairs[pair_id.at()];
        pair.legs[leg.at()].exists = true;
        if !pair.exists {
            pair.exists = true;
            let pairs = &self.pairs;
            let name = &pairs[pair_id.at()].name;
            let place = self
                .by_name
                .partition_point(|&other| pairs[other.at()].name < *name);
            self.by_name.insert(place, pair_id);
        }
    }

    /// A venue came up or went out, in event time: its quotes are cleared.
    pub fn status(&mut self, venue: VenueId, up: bool) {
        let venue = &mut self.venues[venue.at()];
        venue.is_out = !up;
        venue.statuses += 1;
    }
}

/// The names in a tick.
#[derive(Debug, Clone, Copy)]
pub struct TickNames<'a> {
    /// Venue.
    pub venue: &'a str,
    /// Symbol at the venue.
    pub symbol: &'a str,
    /// Currency of the symbol.
    pub currency: &'a str,
    /// Pair.
    pub pair: &'a str,
    /// The pair's accounting currency.
    pub accounting: &'a str,
}
