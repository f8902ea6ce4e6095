//! State at an instant (section 6): everything stamped up to then, applied in order from the very beginning.
//!
//! In: the accepted records and an instant. Out: what each venue's last quote was, each rate, who is not up; and from it
//! how good a leg is.

use std::collections::{BTreeMap, BTreeSet};

use contract::tick::VenueStatus;

use super::ReferenceSettings;
use super::number::Amount;
use super::record::{Quote, Rate, What};
use super::{Accepted, NS_PER_MS};

/// How good a leg or a route is, from worst to best.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Quality {
    VenueDown,
    NoRate,
    Crossed,
    Stale,
    Ok,
}

impl Quality {
    /// As records spell it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::VenueDown => "venue_down",
            Self::NoRate => "no_rate",
            Self::Crossed => "crossed",
            Self::Stale => "stale",
            Self::Ok => "ok",
        }
    }
}

/// A venue with what it trades a pair in.
#[derive(Debug, Clone)]
pub(crate) struct Leg<'a> {
    pub(crate) venue: &'a str,
    pub(crate) pair: &'a str,
    pub(crate) symbol: &'a str,
    pub(crate) currency: &'a str,
}

impl<'a> Leg<'a> {
    /// The pair's currency: the text after the last `-`.
    pub(crate) fn accounting(&self) -> &'a str {
        let (_, currency) = self
            .pair
            .rsplit_once('-')
            .expect("the decoder refuses a pair without `-`");
        currency
    }

    /// Whether it trades in another currency than the pair's.
    pub(crate) fn needs_rate(&self) -> bool {
        self.currency != self.accounting()
    }
}

/// Everything stamped up to some instant, applied.
#[derive(Debug, Default)]
pub(crate) struct State<'a> {
    not_up: BTreeSet<&'a str>,
    /// By venue and pair, with its stamp.
    quotes: BTreeMap<(&'a str, &'a str), (i128, &'a Quote)>,
    /// By the two currencies, with its stamp.
    rates: BTreeMap<(&'a str, &'a str), (i128, &'a Rate)>,
}

impl<'a> State<'a> {
    /// The state at `instant`: every record stamped at or before it, by stamp and then offset.
    pub(crate) fn at(records: &'a [Accepted], instant: i128) -> Self {
        Self::of(records.iter().filter(|record| record.stamp <= instant))
    }

    /// The state at a window's end: every record stamped before it.
    pub(crate) fn before(records: &'a [Accepted], end: i128) -> Self {
        Self::of(records.iter().filter(|record| record.stamp < end))
    }

    fn of(records: impl Iterator<Item = &'a Accepted>) -> Self {
        let mut records: Vec<&Accepted> = records.collect();
        records.sort_by_key(|record| (record.stamp, record.offset));
        let mut state = Self::default();
        for record in records {
            state.apply(record);
        }
        state
    }

    fn apply(&mut self, record: &'a Accepted) {
        let venue = record.venue.as_str();
        match &record.what {
            // A quote of a venue that is not up is not kept; a venue nobody has spoken of is up by its first tick.
            What::Quote(listing, quote) => {
                if !self.not_up.contains(venue) {
                    let key = (venue, listing.pair.as_str());
                    self.quotes.insert(key, (record.stamp, quote));
                }
            }
            // Every status clears the venue's quotes, of all pairs; none clears rates.
            What::Status(status) => {
                self.quotes.retain(|(of, _), _| *of != venue);
                if *status == VenueStatus::Up {
                    self.not_up.remove(venue);
                } else {
                    self.not_up.insert(venue);
                }
            }
            // The last rate by stamp, of whatever venue.
            What::Rate(rate) => {
                let key = (rate.from.as_str(), rate.to.as_str());
                self.rates.insert(key, (record.stamp, rate));
            }
            What::Trade(..) | What::Mark => {}
        }
    }

    /// The last quote of a leg with its stamp, unless a status cleared it.
    pub(crate) fn quote(&self, leg: &Leg<'_>) -> Option<(i128, &'a Quote)> {
        self.quotes.get(&(leg.venue, leg.pair)).copied()
    }

    /// The last rate a leg needs with its stamp: from its currency to the pair's, never inverted or chained.
    pub(crate) fn rate(&self, leg: &Leg<'_>) -> Option<(i128, &'a Rate)> {
        if leg.needs_rate() {
            self.rates.get(&(leg.currency, leg.accounting())).copied()
        } else {
            None
        }
    }

    /// How good a leg is if the time is `now` and this is the state.
    pub(crate) fn quality(
        &self,
        leg: &Leg<'_>,
        now: i128,
        settings: &ReferenceSettings,
    ) -> Quality {
        // No quote since the venue came up, or not up: both have no quote, because a status clears and none is kept.
        let Some((quoted_at, quote)) = self.quote(leg) else {
            return Quality::VenueDown;
        };
        if leg.needs_rate() {
            match self.rate(leg) {
                Some((rated_at, _)) if now <= expiry(rated_at, settings.rate_max_age_ms) => {}
                _ => return Quality::NoRate,
            }
        }
        if quote.bid.value > quote.ask.value {
            return Quality::Crossed;
        }
        // An age equal to the limit is still live.
        if now > expiry(quoted_at, settings.quote_max_age_ms(leg.venue)) {
            return Quality::Stale;
        }
        Quality::Ok
    }

    /// The last instant at which a leg that is `ok` stays so, if nothing comes.
    pub(crate) fn lives_until(&self, leg: &Leg<'_>, settings: &ReferenceSettings) -> Option<i128> {
        let (quoted_at, _) = self.quote(leg)?;
        let quote_until = expiry(quoted_at, settings.quote_max_age_ms(leg.venue));
        match self.rate(leg) {
            Some((rated_at, _)) => {
                Some(quote_until.min(expiry(rated_at, settings.rate_max_age_ms)))
            }
            None => Some(quote_until),
        }
    }
}

fn expiry(stamp: i128, max_age_ms: i64) -> i128 {
    stamp + i128::from(max_age_ms) * NS_PER_MS
}

/// The smaller of two sizes, of equals the first's writing; none if either is none.
pub(crate) fn smaller(first: Option<&Amount>, second: Option<&Amount>) -> Option<String> {
    let (first, second) = (first?, second?);
    if second.value < first.value {
        Some(second.text.clone())
    } else {
        Some(first.text.clone())
    }
}
