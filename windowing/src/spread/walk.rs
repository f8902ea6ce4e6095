//! One pair through one window: every instant at which something of it changed, in order, then the window's end.
//!
//! ```text
//! start        t1          t2                    end
//!   |-----------|-----------|---------------------|
//!   refresh     refresh     refresh               settle, describe
//! ```
//!
//! Between two instants nothing changes but ages, and ages only end a route's life; so the best instant is always one of
//! those looked at, and a route's positive time is the stretch to the next instant or to its expiry, whichever is sooner.
//! A quote of age exactly the limit is still live, hence a route lives *up to and with* its expiry.

use contract::time::NS_PER_MS;

use super::book::{Book, LastQuote, Pair};
use super::event::{Event, LegId, PairId, QuoteEvent};
use super::figures::{gross, net};
use super::leg::LegWork;
use super::route::{BestWork, RouteWork, size};
use super::volume::Volume;
use crate::window::Window;

/// What all pairs of one window share.
pub(crate) struct WindowOf<'a> {
    pub(crate) book: &'a Book,
    pub(crate) window: Window,
    /// Milliseconds of the window's start and end, exact where nanoseconds would not fit.
    pub(crate) bounds_ms: (i64, i64),
    pub(crate) rate_max_age_ns: i64,
    /// All that is stamped within the window, by (stamp, arrival).
    pub(crate) events: &'a [(i64, Event)],
    /// Which of them are rates and statuses.
    pub(crate) shared: &'a [u32],
}

impl WindowOf<'_> {
    /// The window's end in nanoseconds, exact: the last windows of 64-bit time end beyond it.
    pub(super) fn end_ns(&self) -> i128 {
        i128::from(self.bounds_ms.1) * i128::from(NS_PER_MS)
    }
}

/// A leg's last quote after the window.
pub(crate) struct QuoteUpdate<'a> {
    pub(crate) pair: PairId,
    pub(crate) leg: LegId,
    pub(crate) last: Option<(i64, u64, &'a QuoteEvent)>,
}

impl QuoteUpdate<'_> {
    pub(crate) fn into_quote(self) -> Option<LastQuote> {
        self.last.map(|(stamp_ns, statuses, quote)| LastQuote {
            stamp_ns,
            statuses,
            quote: quote.clone(),
        })
    }
}

/// Working memory, kept from pair to pair.
#[derive(Default)]
pub(crate) struct Scratch<'a> {
    pub(super) legs: Vec<LegWork<'a>>,
    /// Existing legs, by venue.
    pub(super) order: Vec<usize>,
    pub(super) routes: Vec<RouteWork<'a>>,
}

impl<'a> Scratch<'a> {
    /// Takes one pair through the window. `ticks` are the places of its quotes and trades among the events.
    pub(crate) fn walk(&mut self, of: &WindowOf<'a>, pair: &'a Pair, ticks: &[u32]) {
        self.set_up(of, pair);
        let (mut ticks, mut shared) = (ticks.iter().peekable(), of.shared.iter().peekable());
        let mut instant_ns = of.window.start_ns;
        let mut first = true;
        // Places are in the order of (stamp, arrival), so the smaller place comes first.
        loop {
            let place = match (ticks.peek(), shared.peek()) {
                (None, None) => break,
                (Some(&&tick), Some(&&other)) if tick < other => ticks.next(),
                (Some(_), None) => ticks.next(),
                _ => shared.next(),
            };
            let Some((stamp_ns, event)) = place.map(|&place| &of.events[index(place)]) else {
                break;
            };
            if *stamp_ns > instant_ns {
                self.refresh(of, pair, instant_ns, first);
                first = false;
                instant_ns = *stamp_ns;
            }
            self.apply(pair, *stamp_ns, event);
        }
        self.refresh(of, pair, instant_ns, first);
        self.settle(of.end_ns());
    }

    fn set_up(&mut self, of: &WindowOf<'a>, pair: &'a Pair) {
        self.legs.clear();
        self.legs.extend(pair.legs.iter().map(|leg| {
            let venue = &of.book.venues[leg.venue.at()];
            let mut work = LegWork {
                quote_max_age_ns: venue.quote_max_age_ns,
                is_out: venue.is_out,
                statuses: venue.statuses,
                quote: None,
                quote_moved: false,
                crossed: false,
                rate: leg.rate.and_then(|id| {
                    of.book.rates[id.at()]
                        .last
                        .as_ref()
                        .map(|(ns, rate)| (*ns, rate))
                }),
                needs_rate: leg.rate.is_some(),
                quotes: 0,
                trades: 0,
                volume: Volume::default(),
                live_until_ns: None,
                touched: true,
                bid_changed: true,
                ask_changed: true,
            };
            match &leg.quote {
                Some(last) if last.statuses == venue.statuses => {
                    work.set_quote(last.stamp_ns, &last.quote)
                }
                _ => {}
            }
            work
        }));
        self.order.clear();
        self.order.extend(
            pair.by_venue
                .iter()
                .map(|leg| leg.at())
                .filter(|&at| pair.legs[at].exists),
        );
        self.routes.clear();
        for &buy in &self.order {
            for &sell in self.order.iter().filter(|&&sell| sell != buy) {
                self.routes.push(RouteWork {
                    buy,
                    sell,
                    live_until_ns: None,
                    net: None,
                    best: None,
                    positive_since_ns: None,
                    positive_ns: 0,
                });
            }
        }
    }

    fn apply(&mut self, pair: &Pair, stamp_ns: i64, event: &'a Event) {
        match event {
            Event::Quote(_, leg, quote) => self.legs[leg.at()].take_quote(stamp_ns, quote),
            Event::Trade(_, leg, trade) => {
                let leg = &mut self.legs[leg.at()];
                leg.trades += 1;
                leg.volume.add(trade.price.decimal(), &trade.size);
            }
            Event::Rate(id, rate) => {
                for (leg, work) in pair.legs.iter().zip(&mut self.legs) {
                    if leg.rate == Some(*id) {
                        work.take_rate(stamp_ns, rate);
                    }
                }
            }
            Event::Status(venue, up) => {
                for (leg, work) in pair.legs.iter().zip(&mut self.legs) {
                    if leg.venue == *venue {
                        work.take_status(*up);
                    }
                }
            }
        }
    }

    /// Looks at an instant, all of whose records are applied.
    fn refresh(&mut self, of: &WindowOf<'a>, pair: &Pair, at_ns: i64, all: bool) {
        if !all && self.legs.iter().all(|leg| !leg.touched) {
            return;
        }
        for leg in self.legs.iter_mut().filter(|leg| leg.touched) {
            leg.live_until_ns = leg.live_until(of.rate_max_age_ns);
        }
        for route in &mut self.routes {
            let (buy, sell) = (&self.legs[route.buy], &self.legs[route.sell]);
            if !buy.touched && !sell.touched {
                continue;
            }
            route.settle(i128::from(at_ns));
            if buy.ask_changed || sell.bid_changed {
                route.net = None;
            }
            route.live_until_ns = buy
                .live_until_ns
                .zip(sell.live_until_ns)
                .map(|(a, b)| a.min(b));
            if route
                .live_until_ns
                .is_none_or(|until| until < i128::from(at_ns))
            {
                continue;
            }
            let Some((ask, bid)) = buy.ask().zip(sell.bid()) else {
                continue;
            };
            let net_now = route.net.get_or_insert_with(|| {
                let fee = |leg: usize| of.book.venues[pair.legs[leg].venue.at()].fee;
                net(ask, fee(route.buy), bid, fee(route.sell))
            });
            if route.best.as_ref().is_none_or(|best| *net_now > best.net) {
                route.best = Some(BestWork {
                    net: net_now.clone(),
                    gross: gross(ask, bid),
                    size: size(buy, sell),
                    at_ns,
                });
            }
            if net_now.is_positive() {
                route.positive_since_ns = Some(at_ns);
            }
        }
        for leg in self.legs.iter_mut().filter(|leg| leg.touched) {
            (leg.touched, leg.bid_changed, leg.ask_changed) = (false, false, false);
        }
    }

    fn settle(&mut self, end_ns: i128) {
        for route in &mut self.routes {
            route.settle(end_ns);
        }
    }

    /// What the window leaves for the next one.
    pub(crate) fn updates(&self, pair: PairId, to: &mut Vec<QuoteUpdate<'a>>) {
        for (at, leg) in self
            .legs
            .iter()
            .enumerate()
            .filter(|(_, leg)| leg.quote_moved)
        {
            to.push(QuoteUpdate {
                pair,
                leg: LegId::next(at),
                last: leg
                    .quote
                    .map(|(stamp_ns, quote)| (stamp_ns, leg.statuses, quote)),
            });
        }
    }
}

fn index(place: u32) -> usize {
    usize::try_from(place).expect("a 32-bit number fits the address space")
}
