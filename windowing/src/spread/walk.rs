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

use std::borrow::Cow;

use contract::decimal::Decimal;
use contract::spread::{Best, Figures, Leg as LegRecord, Quality, Route as RouteRecord, Spread};
use contract::tick::tags::V1;
use contract::time::NS_PER_MS;

use super::book::{Book, LastQuote, Pair};
use super::event::{Event, LegId, PairId, QuoteEvent, RateEvent};
use super::figures::{MicroBps, Side, gross, net};
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
    fn end_ns(&self) -> i128 {
        i128::from(self.bounds_ms.1) * i128::from(NS_PER_MS)
    }
}

/// The last instant at which something of this stamp and greatest age counts.
fn expiry(stamp_ns: i64, max_age_ns: i64) -> i128 {
    i128::from(stamp_ns) + i128::from(max_age_ns)
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
    legs: Vec<LegWork<'a>>,
    /// Existing legs, by venue.
    order: Vec<usize>,
    routes: Vec<RouteWork<'a>>,
}

struct LegWork<'a> {
    quote_max_age_ns: i64,
    is_out: bool,
    statuses: u64,
    quote: Option<(i64, &'a QuoteEvent)>,
    quote_moved: bool,
    crossed: bool,
    rate: Option<(i64, &'a RateEvent)>,
    needs_rate: bool,
    quotes: u64,
    trades: u64,
    volume: Volume,
    /// Last instant at which it is `ok` if nothing changes; none if it is not now.
    live_until_ns: Option<i128>,
    touched: bool,
    bid_changed: bool,
    ask_changed: bool,
}

struct RouteWork<'a> {
    buy: usize,
    sell: usize,
    live_until_ns: Option<i128>,
    net: Option<MicroBps>,
    best: Option<BestWork<'a>>,
    positive_since_ns: Option<i64>,
    positive_ns: i64,
}

struct BestWork<'a> {
    net: MicroBps,
    gross: MicroBps,
    size: Option<&'a Decimal>,
    at_ns: i64,
}

impl<'a> LegWork<'a> {
    fn ask(&self) -> Option<Side<'a>> {
        self.side(|quote| quote.ask.decimal(), |rate| rate.ask.decimal())
    }

    fn bid(&self) -> Option<Side<'a>> {
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

    fn take_quote(&mut self, stamp_ns: i64, quote: &'a QuoteEvent) {
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

    fn set_quote(&mut self, stamp_ns: i64, quote: &'a QuoteEvent) {
        self.quote = Some((stamp_ns, quote));
        self.crossed = quote.bid.decimal().cmp_value(quote.ask.decimal()).is_gt();
    }

    fn take_status(&mut self, up: bool) {
        self.is_out = !up;
        self.statuses += 1;
        self.quote_moved |= self.quote.is_some();
        self.quote = None;
        self.touched = true;
    }

    fn take_rate(&mut self, stamp_ns: i64, rate: &'a RateEvent) {
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

    fn live_until(&self, rate_max_age_ns: i64) -> Option<i128> {
        let (stamp_ns, _) = self.quote.filter(|_| !self.is_out && !self.crossed)?;
        let quote_until = expiry(stamp_ns, self.quote_max_age_ns);
        if !self.needs_rate {
            return Some(quote_until);
        }
        let (rate_stamp_ns, _) = self.rate?;
        Some(quote_until.min(expiry(rate_stamp_ns, rate_max_age_ns)))
    }

    fn state(&self, at_ns: i128, rate_max_age_ns: i64) -> Quality {
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

    /// The record of the window just walked.
    pub(crate) fn describe<'b>(&'b self, of: &WindowOf<'a>, pair: &'b Pair) -> Spread<'b>
    where
        'a: 'b,
    {
        let end_ns = of.end_ns();
        let states: Vec<Quality> = self
            .legs
            .iter()
            .map(|leg| leg.state(end_ns, of.rate_max_age_ns))
            .collect();
        let name = |leg: usize| -> &'b str { &of.book.venues[pair.legs[leg].venue.at()].name };
        let routes: Vec<RouteRecord<'b>> = self
            .routes
            .iter()
            .map(|route| RouteRecord {
                buy: Cow::Borrowed(name(route.buy)),
                sell: Cow::Borrowed(name(route.sell)),
                quality: states[route.buy].min(states[route.sell]),
                end: self.figures_at(of, pair, route, end_ns),
                best: route.best.as_ref().map(|best| Best {
                    gross_bps: best.gross.to_f64(),
                    net_bps: best.net.to_f64(),
                    size: best.size.cloned(),
                    at_ns: best.at_ns,
                }),
                positive_ns: route.positive_ns,
            })
            .collect();
        Spread {
            v: V1,
            pair: Cow::Borrowed(&pair.name),
            start_ms: of.bounds_ms.0,
            end_ms: of.bounds_ms.1,
            quality: routes
                .iter()
                .map(|route| route.quality)
                .max()
                .unwrap_or(Quality::OneSided),
            late: pair.late,
            legs: self
                .order
                .iter()
                .map(|&at| self.describe_leg(pair, at, name(at), states[at], end_ns))
                .collect(),
            routes,
        }
    }

    fn describe_leg<'b>(
        &'b self,
        pair: &'b Pair,
        at: usize,
        venue: &'b str,
        state: Quality,
        end_ns: i128,
    ) -> LegRecord<'b> {
        let (leg, work) = (&pair.legs[at], &self.legs[at]);
        let age_ms = |stamp_ns: i64| {
            let age_ns = end_ns - i128::from(stamp_ns);
            i64::try_from(age_ns.div_euclid(i128::from(NS_PER_MS))).unwrap_or(i64::MAX)
        };
        let quote = work.quote.map(|(_, quote)| quote);
        let rate = work.rate.filter(|_| work.needs_rate);
        LegRecord {
            venue: Cow::Borrowed(venue),
            symbol: Cow::Borrowed(&leg.symbol),
            currency: Cow::Borrowed(&leg.currency),
            state,
            bid: quote.map(|quote| quote.bid.clone()),
            bid_size: quote.and_then(|quote| quote.bid_size.clone()),
            ask: quote.map(|quote| quote.ask.clone()),
            ask_size: quote.and_then(|quote| quote.ask_size.clone()),
            age_ms: work.quote.map(|(stamp_ns, _)| age_ms(stamp_ns)),
            quotes: work.quotes,
            trades: work.trades,
            vwap: if work.trades == 0 {
                None
            } else {
                work.volume.mean()
            },
            rate_bid: rate.map(|(_, rate)| rate.bid.clone()),
            rate_ask: rate.map(|(_, rate)| rate.ask.clone()),
            rate_age_ms: rate.map(|(stamp_ns, _)| age_ms(stamp_ns)),
        }
    }

    fn figures_at(
        &self,
        of: &WindowOf<'a>,
        pair: &Pair,
        route: &RouteWork<'a>,
        at_ns: i128,
    ) -> Option<Figures> {
        route.live_until_ns.filter(|&until| at_ns <= until)?;
        let (buy, sell) = (&self.legs[route.buy], &self.legs[route.sell]);
        let (ask, bid) = buy.ask().zip(sell.bid())?;
        let fee = |leg: usize| of.book.venues[pair.legs[leg].venue.at()].fee;
        let net_now = route
            .net
            .clone()
            .unwrap_or_else(|| net(ask, fee(route.buy), bid, fee(route.sell)));
        Some(Figures {
            gross_bps: gross(ask, bid).to_f64(),
            net_bps: net_now.to_f64(),
        })
    }
}

impl RouteWork<'_> {
    /// Counts the positive stretch up to `at_ns` or to the route's expiry.
    fn settle(&mut self, at_ns: i128) {
        if let Some((since_ns, until_ns)) = self.positive_since_ns.take().zip(self.live_until_ns) {
            let lasted_ns = (at_ns.min(until_ns) - i128::from(since_ns)).max(0);
            self.positive_ns += i64::try_from(lasted_ns).unwrap_or(i64::MAX);
        }
    }
}

/// The smaller of what is offered to the buyer and bid to the seller; of equals the buyer's.
fn size<'a>(buy: &LegWork<'a>, sell: &LegWork<'a>) -> Option<&'a Decimal> {
    let offered = buy.quote?.1.ask_size.as_ref()?;
    let wanted = sell.quote?.1.bid_size.as_ref()?;
    Some(if wanted.cmp_value(offered).is_lt() {
        wanted
    } else {
        offered
    })
}

fn index(place: u32) -> usize {
    usize::try_from(place).expect("a 32-bit number fits the address space")
}
