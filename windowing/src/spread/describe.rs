//! The record of a window, once a pair has been taken through it.

use std::borrow::Cow;

use contract::spread::{Best, Figures, Leg as LegRecord, Quality, Route as RouteRecord, Spread};
use contract::tick::tags::V1;
use contract::time::NS_PER_MS;

use super::book::Pair;
use super::figures::{gross, net};
use super::route::RouteWork;
use super::walk::{Scratch, WindowOf};

impl<'a> Scratch<'a> {
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
