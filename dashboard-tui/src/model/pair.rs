//! One pair: its newest window and its past.

use std::borrow::Cow;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use contract::spread::{Leg, Quality, Route, Spread};
use rustc_hash::FxHasher;

use super::history::History;
use crate::text::clean;

/// The most legs and routes of a window that are kept; a record of a megabyte could hold thousands.
const MAX_LEGS: usize = 32;
const MAX_ROUTES: usize = 128;

/// One pair.
#[derive(Debug, Clone)]
pub(crate) struct Pair {
    /// Asset and accounting currency.
    pub(crate) name: Arc<str>,
    /// Start of its newest window, event time in milliseconds.
    pub(crate) start_ms: i64,
    /// End of its newest window.
    pub(crate) end_ms: i64,
    /// When that window came, nanoseconds since 1970 on our clock.
    pub(crate) at_ns: i64,
    /// The newest window's quality.
    pub(crate) quality: Quality,
    /// Its legs.
    pub(crate) legs: Vec<Leg<'static>>,
    /// Its routes.
    pub(crate) routes: Vec<Route<'static>>,
    /// Legs and routes that are not kept.
    pub(crate) cut: usize,
    /// The route that gave the highest net within the newest window, as an index.
    pub(crate) best: Option<usize>,
    /// Late ticks told with the newest window.
    pub(crate) late: u64,
    /// Late ticks since the start.
    pub(crate) late_total: u64,
    /// Windows since the start.
    pub(crate) windows: u64,
    /// The past of the best route.
    pub(crate) history: History,
    /// A number for the names in legs and routes.
    names: Option<u64>,
    /// The number of frames drawn when the newest window came.
    pub(super) touched: Option<u64>,
}

impl Pair {
    pub(super) fn new(name: Arc<str>) -> Self {
        Self {
            name,
            start_ms: i64::MIN,
            end_ms: i64::MIN,
            at_ns: 0,
            quality: Quality::OneSided,
            legs: Vec::new(),
            routes: Vec::new(),
            cut: 0,
            best: None,
            late: 0,
            late_total: 0,
            windows: 0,
            history: History::default(),
            names: None,
            touched: None,
        }
    }

    /// Takes a window; says whether it lies before the one taken last. A level of history may hold `most` points.
    pub(super) fn take(&mut self, spread: &Spread<'_>, at_ns: i64, most: usize) -> bool {
        let rewound = spread.start_ms < self.start_ms;
        self.start_ms = spread.start_ms;
        self.end_ms = spread.end_ms;
        self.at_ns = at_ns;
        self.quality = spread.quality;
        self.late = spread.late;
        self.late_total = self.late_total.saturating_add(spread.late);
        self.windows += 1;
        let legs = &spread.legs[..spread.legs.len().min(MAX_LEGS)];
        let routes = &spread.routes[..spread.routes.len().min(MAX_ROUTES)];
        self.cut = spread.legs.len() - legs.len() + (spread.routes.len() - routes.len());
        let names = names_of(legs, routes);
        if self.names == Some(names) {
            let pairs = self.legs.iter_mut().zip(legs);
            pairs.for_each(|(leg, from)| put_leg(leg, from));
            let pairs = self.routes.iter_mut().zip(routes);
            pairs.for_each(|(route, from)| put_route(route, from));
        } else {
            self.names = Some(names);
            self.legs = legs.iter().map(new_leg).collect();
            self.routes = routes.iter().map(new_route).collect();
        }
        self.best = best_of(&self.routes);
        let figures = self
            .best_route()
            .and_then(|route| route.best.as_ref())
            .map(|best| (best.net_bps, best.gross_bps));
        let width_ms = spread.end_ms.saturating_sub(spread.start_ms);
        self.history
            .take((spread.start_ms, width_ms), figures, spread.quality, most);
        rewound
    }

    /// The route that gave the highest net within the newest window.
    pub(crate) fn best_route(&self) -> Option<&Route<'static>> {
        self.best.and_then(|at| self.routes.get(at))
    }

    /// The highest net within the newest window, if any route was live.
    pub(crate) fn net_bps(&self) -> Option<f64> {
        let best = self.best_route()?.best.as_ref()?;
        Some(best.net_bps)
    }

    /// Whether windows of this pair have stopped coming: every pair gets one in every window.
    pub(crate) fn is_old(&self, model: &super::Model) -> bool {
        model.now_ns.saturating_sub(self.at_ns) > model.patience_ns()
    }

    /// The longest that a route of the newest window was above zero, nanoseconds.
    pub(crate) fn positive_ns(&self) -> i64 {
        let longest = self.routes.iter().map(|route| route.positive_ns).max();
        longest.unwrap_or(0)
    }
}

/// The first of the routes with the highest net.
fn best_of(routes: &[Route<'static>]) -> Option<usize> {
    let mut best: Option<(usize, f64)> = None;
    for (at, route) in routes.iter().enumerate() {
        if let Some(figures) = &route.best
            && best.is_none_or(|(_, net)| figures.net_bps > net)
        {
            best = Some((at, figures.net_bps));
        }
    }
    best.map(|(at, _)| at)
}

/// A number for the names in a window. They hardly ever change, and to compare ten texts that lie all over the memory
/// would cost more than all else together.
fn names_of(legs: &[Leg<'_>], routes: &[Route<'_>]) -> u64 {
    let mut hasher = FxHasher::default();
    for leg in legs {
        (&leg.venue, &leg.symbol, &leg.currency).hash(&mut hasher);
    }
    for route in routes {
        (&route.buy, &route.sell).hash(&mut hasher);
    }
    (legs.len(), routes.len()).hash(&mut hasher);
    hasher.finish()
}

/// Everything but the names.
fn put_leg(into: &mut Leg<'static>, from: &Leg<'_>) {
    into.state = from.state;
    into.bid.clone_from(&from.bid);
    into.bid_size.clone_from(&from.bid_size);
    into.ask.clone_from(&from.ask);
    into.ask_size.clone_from(&from.ask_size);
    into.age_ms = from.age_ms;
    into.quotes = from.quotes;
    into.trades = from.trades;
    into.vwap.clone_from(&from.vwap);
    into.rate_bid.clone_from(&from.rate_bid);
    into.rate_ask.clone_from(&from.rate_ask);
    into.rate_age_ms = from.rate_age_ms;
}

fn new_leg(from: &Leg<'_>) -> Leg<'static> {
    Leg {
        venue: Cow::Owned(clean(&from.venue)),
        symbol: Cow::Owned(clean(&from.symbol)),
        currency: Cow::Owned(clean(&from.currency)),
        bid: from.bid.clone(),
        bid_size: from.bid_size.clone(),
        ask: from.ask.clone(),
        ask_size: from.ask_size.clone(),
        vwap: from.vwap.clone(),
        rate_bid: from.rate_bid.clone(),
        rate_ask: from.rate_ask.clone(),
        ..*from
    }
}

/// Everything but the names.
fn put_route(into: &mut Route<'static>, from: &Route<'_>) {
    into.quality = from.quality;
    into.end = from.end;
    into.best.clone_from(&from.best);
    into.positive_ns = from.positive_ns;
}

fn new_route(from: &Route<'_>) -> Route<'static> {
    Route {
        buy: Cow::Owned(clean(&from.buy)),
        sell: Cow::Owned(clean(&from.sell)),
        best: from.best.clone(),
        ..*from
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Fares, spread};

    #[test]
    fn names_that_change_are_shown_and_figures_go_with_them() {
        let mut pair = Pair::new("BTC-USD".into());
        let first = spread(0, "BTC-USD", 0, Fares::Well);
        assert!(!pair.take(&first, 0, 64));
        assert_eq!((&pair.legs, &pair.routes), (&first.legs, &first.routes));
        let second = spread(0, "BTC-USD", 1, Fares::Stale);
        assert!(!pair.take(&second, 0, 64));
        assert_eq!((&pair.legs, &pair.routes), (&second.legs, &second.routes));
        let mut third = spread(0, "BTC-USD", 2, Fares::Well);
        third.legs[0].venue = "kraken".into();
        third.routes.truncate(1);
        pair.take(&third, 0, 64);
        assert_eq!((&pair.legs, &pair.routes), (&third.legs, &third.routes));
        assert!(pair.take(&first, 0, 64), "back in time");
    }

    #[test]
    fn the_best_route_is_the_first_of_the_highest_net() {
        let mut pair = Pair::new("BTC-USD".into());
        pair.take(&spread(0, "BTC-USD", 0, Fares::Stale), 0, 64);
        assert!(pair.best_route().is_none() && pair.net_bps().is_none());
        let mut window = spread(0, "BTC-USD", 1, Fares::Well);
        let same = window.routes[0].best.clone();
        window.routes[1].best = same;
        pair.take(&window, 0, 64);
        assert_eq!(pair.best, Some(0));
    }
}
