//! Windows of a pair and direction above the threshold, as episodes.
//!
//! ```text
//! net above the threshold          long enough: open          not above threshold - hysteresis: closed
//!        |--------------------------------|--------------------------------|
//! ```
//!
//! A window's figure is that of the route's best instant in it. An episode lasts from the start of its first window to the
//! end of its last, or, where that window's end found the route below already, for as long into it as the route paid at
//! all (`positive_ns`): an end told by whole windows alone would be late by up to one. A window in which the route was
//! never live (stale, down, no rate, crossed) ends it: what nobody can trade is no opportunity, however it looked a second
//! ago. So do windows that are missing. Each window counts once per route: one that ends no later than the newest counted
//! is passed over, be it written twice or read again.

use std::collections::HashMap;
use std::sync::Arc;

use contract::spread::{Best, Route as Figures, Spread};

use super::{Ending, Episode, Place, SpreadFacts, What};
use crate::config::Rules;

/// Every route that was ever above its threshold.
#[derive(Debug)]
pub struct Routes {
    rules: Arc<Rules>,
    pairs: HashMap<Arc<str>, Vec<Route>>,
    seen_again: u64,
}

#[derive(Debug)]
struct Route {
    buy: Arc<str>,
    sell: Arc<str>,
    /// End of the newest window that was counted, milliseconds.
    seen_until_ms: i64,
    run: Option<Run>,
}

/// Windows above the threshold without a break.
#[derive(Debug)]
struct Run {
    /// The record of its first window.
    first: Place,
    /// Whether it has lasted long enough to be an episode.
    is_open: bool,
    /// When it was over, milliseconds, as far as its newest window shows.
    over_ms: i64,
    episode: Episode,
}

impl Routes {
    /// No route has been above anything yet.
    #[must_use]
    pub fn new(rules: Arc<Rules>) -> Self {
        Self {
            rules,
            pairs: HashMap::new(),
            seen_again: 0,
        }
    }

    /// Takes up what an earlier process has told of a route: an open episode goes on, and windows up to the newest word of
    /// it count no more.
    pub fn take_up(&mut self, episode: &Episode) {
        let What::Spread(facts) = &episode.what else {
            return;
        };
        let route = find(
            self.pairs.entry(Arc::clone(&facts.pair)).or_default(),
            facts,
        );
        let until_ms = episode
            .closed_ms
            .unwrap_or(i64::MIN)
            .max(episode.updated_ms);
        route.seen_until_ms = route.seen_until_ms.max(until_ms);
        if episode.is_open() {
            route.run = Some(Run {
                // Whatever opened it was recorded, so nothing has to be read again for it.
                first: Place {
                    input: super::Input::Spreads,
                    partition: 0,
                    offset: i64::MAX,
                },
                is_open: true,
                // Where within its newest window it may have been over is on no topic.
                over_ms: episode.updated_ms,
                episode: episode.clone(),
            });
        }
    }

    /// Counts a window; gives the episodes that it changed, each with the record that is to be read again until it is told.
    pub fn window(&mut self, spread: &Spread<'_>, place: Place, out: &mut Vec<(Episode, Place)>) {
        let threshold_bps = self.rules.threshold_bps(&spread.pair);
        let above = |best: &Best| best.net_bps > threshold_bps;
        let known = self.pairs.get_mut(spread.pair.as_ref());
        let routes = match known {
            Some(routes) => routes,
            None if spread
                .routes
                .iter()
                .any(|route| route.best.as_ref().is_some_and(above)) =>
            {
                self.pairs.entry(spread.pair.as_ref().into()).or_default()
            }
            None => return,
        };
        let window = Window {
            spread,
            place,
            threshold_bps,
            rules: &self.rules,
        };
        for figures in &spread.routes {
            let at = routes
                .iter()
                .position(|route| *route.buy == *figures.buy && *route.sell == *figures.sell);
            let at = match (at, &figures.best) {
                (Some(at), _) => at,
                (None, Some(best)) if above(best) => {
                    routes.push(Route {
                        buy: figures.buy.as_ref().into(),
                        sell: figures.sell.as_ref().into(),
                        seen_until_ms: i64::MIN,
                        run: None,
                    });
                    routes.len() - 1
                }
                (None, _) => continue,
            };
            self.seen_again += u64::from(!window.count(&mut routes[at], figures, out));
        }
        let is_listed = |route: &Route| {
            let is_it = |it: &Figures<'_>| *route.buy == *it.buy && *route.sell == *it.sell;
            spread.routes.iter().any(is_it)
        };
        for route in routes.iter_mut().filter(|route| !is_listed(route)) {
            if spread.end_ms > route.seen_until_ms {
                route.end(Ending::Missing, place, out);
                route.seen_until_ms = spread.end_ms;
            }
        }
    }

    /// Records that must be read again after a restart, since what they began is on no topic yet.
    pub fn holds(&self) -> impl Iterator<Item = Place> {
        let runs = self
            .pairs
            .values()
            .flatten()
            .filter_map(|it| it.run.as_ref());
        runs.filter(|run| !run.is_open).map(|run| run.first)
    }

    /// Windows of a route that had been counted before.
    #[must_use]
    pub fn seen_again(&self) -> u64 {
        self.seen_again
    }
}

fn find<'a>(routes: &'a mut Vec<Route>, facts: &SpreadFacts) -> &'a mut Route {
    let at = routes
        .iter()
        .position(|route| route.buy == facts.buy && route.sell == facts.sell)
        .unwrap_or_else(|| {
            routes.push(Route {
                buy: Arc::clone(&facts.buy),
                sell: Arc::clone(&facts.sell),
                seen_until_ms: i64::MIN,
                run: None,
            });
            routes.len() - 1
        });
    &mut routes[at]
}

impl Route {
    /// Ends the run; an episode of it is told, a run too short for one leaves nothing.
    fn end(&mut self, ending: Ending, place: Place, out: &mut Vec<(Episode, Place)>) {
        if let Some(mut run) = self.run.take().filter(|run| run.is_open) {
            run.episode.closed_ms = Some(run.over_ms);
            run.episode.ending = Some(ending);
            out.push((run.episode, place));
        }
    }
}

/// A window being counted.
struct Window<'a> {
    spread: &'a Spread<'a>,
    place: Place,
    threshold_bps: f64,
    rules: &'a Rules,
}

impl Window<'_> {
    /// Counts the window for one route. False if it had been counted before.
    fn count(
        &self,
        route: &mut Route,
        figures: &Figures<'_>,
        out: &mut Vec<(Episode, Place)>,
    ) -> bool {
        let spread = self.spread;
        if spread.end_ms <= route.seen_until_ms {
            return false;
        }
        route.seen_until_ms = spread.end_ms;
        if let Some(run) = &route.run {
            let floor_bps = if run.is_open {
                self.threshold_bps - self.rules.hysteresis_bps
            } else {
                self.threshold_bps
            };
            let ending = match &figures.best {
                _ if spread.start_ms > run.episode.updated_ms => Some(Ending::Missing),
                None => Some(Ending::NotLive(figures.quality)),
                Some(best) if best.net_bps > floor_bps => None,
                Some(_) => Some(Ending::Below),
            };
            if let Some(ending) = ending {
                route.end(ending, self.place, out);
            }
        }
        let Some(best) = &figures.best else {
            return true;
        };
        match &mut route.run {
            Some(run) => extend(&mut run.episode, best, spread.end_ms),
            None if best.net_bps > self.threshold_bps => {
                route.run = Some(self.begin(&route.buy, &route.sell, best));
            }
            None => return true,
        }
        if let Some(run) = &mut route.run {
            run.over_ms = self.over_ms(figures);
            let place = if run.is_open { self.place } else { run.first };
            let lasted_ms = run.episode.updated_ms.saturating_sub(run.episode.opened_ms);
            run.is_open |= lasted_ms >= self.rules.min_duration_ms;
            if run.is_open {
                out.push((run.episode.clone(), place));
            }
        }
        true
    }

    /// When the route was over if this window is its last, milliseconds: its end where it still paid enough then.
    fn over_ms(&self, figures: &Figures<'_>) -> i64 {
        let floor_bps = self.threshold_bps - self.rules.hysteresis_bps;
        let lasts = figures
            .end
            .as_ref()
            .is_some_and(|end| end.net_bps > floor_bps);
        let (start_ms, end_ms) = (self.spread.start_ms, self.spread.end_ms);
        // A floor below nothing is passed later than nothing is.
        if lasts || floor_bps < 0.0 {
            return end_ms;
        }
        let paid_ms = figures.positive_ns.saturating_add(999_999) / 1_000_000;
        start_ms.saturating_add(paid_ms).clamp(start_ms, end_ms)
    }

    fn begin(&self, buy: &Arc<str>, sell: &Arc<str>, best: &Best) -> Run {
        let spread = self.spread;
        let facts = SpreadFacts {
            pair: spread.pair.as_ref().into(),
            buy: Arc::clone(buy),
            sell: Arc::clone(sell),
            peak_net_bps: best.net_bps,
            peak_size: best.size.clone(),
            peak_at_ns: best.at_ns,
            windows: 1,
        };
        Run {
            first: self.place,
            is_open: false,
            over_ms: spread.end_ms,
            episode: Episode {
                id: format!("{}/{buy}/{sell}/{}", spread.pair, spread.start_ms).into(),
                what: What::Spread(facts),
                opened_ms: spread.start_ms,
                updated_ms: spread.end_ms,
                closed_ms: None,
                ending: None,
            },
        }
    }
}

/// One window more; the peak is the earliest of the highest.
fn extend(episode: &mut Episode, best: &Best, end_ms: i64) {
    episode.updated_ms = end_ms;
    if let What::Spread(facts) = &mut episode.what {
        facts.windows += 1;
        if best.net_bps > facts.peak_net_bps {
            facts.peak_net_bps = best.net_bps;
            facts.peak_size.clone_from(&best.size);
            facts.peak_at_ns = best.at_ns;
        }
    }
}

#[cfg(test)]
mod tests;
