//! A leg on its way through a window: what changed it, and until when it is live.
//!
//! A quote of age exactly the limit is still live, hence a leg lives *up to and with* its expiry. Absent: routes.

use contract::decimal::Decimal;
use contract::spread::Quality;

use super::event::{QuoteEvent, RateEvent};
use super::figures::Side;
use super::volume::Volume;

/// A leg while its pair is taken through a window.
pub(super) struct LegWork<'a> {
    pub(super) quote_max_age_ns: i64,
    pub(super) is_out: bool,
    pub(super) statuses: u64,
    pub(super) quote: Option<(i64, &'a QuoteEvent)>,
    pub(super) quote_moved: bool,
    pub(super) crossed: bool,
    pub(super) rate: Option<(i64, &'a RateEvent)>,
    pub(super) needs_rate: bool,
    pub(super) quotes: u64,
    pub(super) trades: u64,
    pub(super) volume: Volume,
    /// Last instant at which it is `ok` if nothing changes; none if it is not now.
    pub(super) live_until_ns: Option<i128>,
    pub(super) touched: bool,
    pub(super) bid_changed: bool,
    pub(super) ask_changed: bool,
}

impl<'a> LegWork<'a> {
    pub(super) fn ask(&self) -> Option<Side<'a>> {
        self.side(|quote| quote.ask.decimal(), |rate| rate.ask.decimal())
    }

    pub(super) fn bid(&self) -> Option<Side<'a>> {
        self.side(|quote| quote.bid.decimal(), |rate| rate.bid.decimal())
    }

    fn side(
        &self,
        price: impl Fn(&'a QuoteEvent) -> &'a Decimal,
        of_rate: impl Fn(&'a RateEvent) -> &'a Decimal,
    ) -> Option<Side<'a>> {
        let (_, quote) = self.quote?;
        let rate = match (self.needs_rate, self.rate) {
            (true, Some((_, rate))) => Some(of_rate(rate)),
            (true, None) => return None,
            (false, _) => None,
        };
        Some(Side {
            price: price(quote),
            rate,
        })
    }

    pub(super) fn take_quote(&mut self, stamp_ns: i64, quote: &'a QuoteEvent) {
        self.quotes += 1;
        if self.is_out {
            return;
        }
        match self.quote {
            Some((_, last)) => {
                self.bid_changed |= last.bid != quote.bid;
                self.ask_changed |= last.ask != quote.ask;
            }
            None => (self.bid_changed, self.ask_changed) = (true, true),
        }
        self.set_quote(stamp_ns, quote);
        self.quote_moved = true;
        self.touched = true;
    }

    pub(super) fn set_quote(&mut self, stamp_ns: i64, quote: &'a QuoteEvent) {
        self.quote = Some((stamp_ns, quote));
        self.crossed = quote.bid.decimal().cmp_value(quote.ask.decimal()).is_gt();
    }

    pub(super) fn take_status(&mut self, up: bool) {
        self.is_out = !up;
        self.statuses += 1;
        self.quote_moved |= self.quote.is_some();
        self.quote = None;
        self.touched = true;
    }

    pub(super) fn take_rate(&mut self, stamp_ns: i64, rate: &'a RateEvent) {
        match self.rate {
            Some((_, last)) => {
                self.bid_changed |= last.bid != rate.bid;
                self.ask_changed |= last.ask != rate.ask;
            }
            None => (self.bid_changed, self.ask_changed) = (true, true),
        }
        self.rate = Some((stamp_ns, rate));
        self.touched = true;
    }

    pub(super) fn live_until(&self, rate_max_age_ns: i64) -> Option<i128> {
        let (stamp_ns, _) = self.quote.filter(|_| !self.is_out && !self.crossed)?;
        let quote_until = expiry(stamp_ns, self.quote_max_age_ns);
        if !self.needs_rate {
            return Some(quote_until);
        }
        let (rate_stamp_ns, _) = self.rate?;
        Some(quote_until.min(expiry(rate_stamp_ns, rate_max_age_ns)))
    }

    pub(super) fn state(&self, at_ns: i128, rate_max_age_ns: i64) -> Quality {
        let Some((stamp_ns, _)) = self.quote.filter(|_| !self.is_out) else {
            return Quality::VenueDown;
        };
        let has_rate = self
            .rate
            .is_some_and(|(rate_ns, _)| at_ns <= expiry(rate_ns, rate_max_age_ns));
        if self.needs_rate && !has_rate {
            Quality::NoRate
        } else if self.crossed {
            Quality::Crossed
        } else if at_ns > expiry(stamp_ns, self.quote_max_age_ns) {
            Quality::Stale
        } else {
            Quality::Ok
        }
    }
}

/// The last instant at which something of this stamp and greatest age counts.
pub(super) fn expiry(stamp_ns: i64, max_age_ns: i64) -> i128 {
    i128::from(stamp_ns) + i128::from(max_age_ns)
}
