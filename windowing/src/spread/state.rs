//! What a [`Book`] knows as plain data, to be kept and gone on from.
//!
//! In: a book, or the rows of one with the settings of today. Out: rows, or a book, or why they fit together no more. Fees
//! and ages are settings and not state. What can be worked out again (who exists, orders by name, look-ups) is left out.

use std::sync::Arc;

use contract::tick::accounting_currency;
use serde::{Deserialize, Serialize};

use super::book::{Book, LastQuote, Leg, Pair, Rate, TickNames};
use super::event::{Event, LegId, PairId, QuoteEvent, RateEvent, RateId, VenueId};
use super::settings::Settings;

/// All that a book knows. Rows stand in the order of first mention, as their numbers say.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BookState {
    /// Venues.
    pub venues: Vec<VenueRow>,
    /// Currency rates.
    pub rates: Vec<RateRow>,
    /// Pairs with their legs.
    pub pairs: Vec<PairRow>,
}

/// Name, whether it is out, how many statuses it has had.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VenueRow(pub String, pub bool, pub u64);

/// From, to, and the last rate with its stamp.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RateRow(pub String, pub String, pub Option<(i64, RateEvent)>);

/// Name, late ticks since its last record, legs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PairRow(pub String, pub u64, pub Vec<LegRow>);

/// Venue, symbol, currency, whether it exists, and the last quote with its stamp and the venue's statuses then.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LegRow(
    pub VenueId,
    pub String,
    pub String,
    pub bool,
    pub Option<(i64, u64, QuoteEvent)>,
);

/// Rows that do not fit together.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("its parts do not fit together: {0}")]
pub struct Misfit(String);

impl Book {
    /// What it knows, as rows.
    #[must_use]
    pub fn state(&self) -> BookState {
        let leg = |leg: &Leg| {
            let quote = leg.quote.as_ref();
            let quote = quote.map(|last| (last.stamp_ns, last.statuses, last.quote.clone()));
            let (symbol, currency) = (leg.symbol.to_string(), leg.currency.to_string());
            LegRow(leg.venue, symbol, currency, leg.exists, quote)
        };
        let pair = |pair: &Pair| {
            let legs = pair.legs.iter().map(leg).collect();
            PairRow(pair.name.to_string(), pair.late, legs)
        };
        let rate = |(rate, (from, to)): (&Rate, (&str, &str))| {
            RateRow(from.to_owned(), to.to_owned(), rate.last.clone())
        };
        BookState {
            venues: self
                .venues
                .iter()
                .map(|venue| VenueRow(venue.name.to_string(), venue.is_out, venue.statuses))
                .collect(),
            rates: self.rates.iter().zip(self.rate_names()).map(rate).collect(),
            pairs: self.pairs.iter().map(pair).collect(),
        }
    }

    /// The book that gave these rows, with the fees and ages of today.
    ///
    /// # Errors
    /// [`Misfit`] for rows that no book gives.
    pub fn restore(state: BookState, settings: &Settings) -> Result<Self, Misfit> {
        let mut book = Self::default();
        for (number, VenueRow(name, is_out, statuses)) in state.venues.into_iter().enumerate() {
            let id = book.venue(&name, settings);
            if id.at() != number {
                return Err(Misfit(format!("venue `{name}` stands there twice")));
            }
            let venue = &mut book.venues[number];
            (venue.is_out, venue.statuses) = (is_out, statuses);
        }
        for (number, RateRow(from, to, last)) in state.rates.into_iter().enumerate() {
            if book.rate(&from, &to).at() != number {
                return Err(Misfit(format!("the rate {from}-{to} stands there twice")));
            }
            book.rates[number].last = last;
        }
        for PairRow(name, late, legs) in state.pairs {
            book.restore_pair(&name, late, legs, settings)?;
        }
        Ok(book)
    }

    fn restore_pair(
        &mut self,
        name: &str,
        late: u64,
        legs: Vec<LegRow>,
        settings: &Settings,
    ) -> Result<(), Misfit> {
        let (next, n_rates) = (PairId::next(self.pairs.len()), self.rates.len());
        let Some(accounting) = accounting_currency(name) else {
            return Err(Misfit(format!(
                "pair `{name}` names no accounting currency"
            )));
        };
        for (number, LegRow(venue, symbol, currency, exists, quote)) in legs.into_iter().enumerate()
        {
            let Some(venue) = self
                .venues
                .get(venue.at())
                .map(|venue| Arc::clone(&venue.name))
            else {
                return Err(Misfit(format!("a leg of `{name}` is of no venue")));
            };
            let names = TickNames {
                venue: &venue,
                symbol: &symbol,
                currency: &currency,
                pair: name,
                accounting,
            };
            let found = self.leg(&names, settings);
            let (pair, leg, _) = found.map_err(|error| Misfit(error.to_string()))?;
            if pair != next || leg.at() != number {
                return Err(Misfit(format!("a leg of `{name}` stands there twice")));
            }
            self.pairs[pair.at()].legs[number].quote =
                quote.map(|(stamp_ns, statuses, quote)| LastQuote {
                    stamp_ns,
                    statuses,
                    quote,
                });
            if exists {
                self.exist(pair, leg);
            }
        }
        if self.rates.len() > n_rates {
            return Err(Misfit(format!(
                "a leg of `{name}` needs a rate that is not there"
            )));
        }
        match self.pairs.get_mut(next.at()) {
            Some(pair) => pair.late = late,
            None => return Err(Misfit(format!("pair `{name}` has no leg"))),
        }
        Ok(())
    }

    /// That an event kept for an open window speaks of what the book knows.
    pub(crate) fn knows(&self, event: &Event) -> Result<(), Misfit> {
        let known = match event {
            Event::Quote(pair, leg, _) | Event::Trade(pair, leg, _) => self.has_leg(*pair, *leg),
            Event::Rate(RateId(id), _) => index(*id) < self.rates.len(),
            Event::Status(VenueId(id), _) => index(*id) < self.venues.len(),
        };
        if known {
            Ok(())
        } else {
            Err(Misfit(format!("{event:?} speaks of nothing known")))
        }
    }

    fn has_leg(&self, pair: PairId, leg: LegId) -> bool {
        let pair = self.pairs.get(pair.at());
        pair.is_some_and(|pair| leg.at() < pair.legs.len())
    }
}

fn index(id: u32) -> usize {
    usize::try_from(id).unwrap_or(usize::MAX)
}
