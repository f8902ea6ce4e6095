//! Alert episodes as they stand on the topic: the newest state of each, newest episode first.

use std::collections::BTreeMap;
use std::sync::Arc;

use contract::alert::{Alert, Delivery, EpisodeState};
use contract::decimal::Text;
use rustc_hash::FxHashMap;

use crate::text::clean;

/// The most episodes that are kept; over it the oldest goes that is closed.
const MAX_EPISODES: usize = 5_000;

/// The newest state of an episode, whatever it is about.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Episode {
    /// Its id.
    pub(crate) id: String,
    /// What it is about.
    pub(crate) about: About,
    /// Whether it lasts.
    pub(crate) is_open: bool,
    /// When it began, milliseconds since 1970.
    pub(crate) opened_ms: i64,
    /// Newest word of it.
    pub(crate) updated_ms: i64,
    /// When it was over.
    pub(crate) closed_ms: Option<i64>,
    /// Discord's id of the message.
    pub(crate) message_id: Option<String>,
    /// How far its message has come.
    pub(crate) delivery: Delivery,
    /// Whether its message may stand twice.
    pub(crate) may_repeat: bool,
}

/// What an episode is about.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum About {
    /// A route above the threshold.
    Spread {
        /// Pair, buyer, seller.
        route: String,
        /// Highest net, basis points.
        peak_net_bps: f64,
        /// Size at the peak, units of the asset.
        peak_size: Option<String>,
        /// When the peak was, nanoseconds since 1970.
        peak_at_ns: i64,
        /// Windows it has lasted.
        windows: u64,
    },
    /// A venue that does not deliver.
    Outage {
        /// Which.
        venue: String,
    },
    /// No windows at all.
    Stall,
}

impl Episode {
    fn of(alert: &Alert<'_>) -> Self {
        let text = |text: &Text<'_>| clean(text);
        macro_rules! episode {
            ($it:expr, $about:expr) => {
                Self {
                    id: text(&$it.episode),
                    about: $about,
                    is_open: $it.state == EpisodeState::Open,
                    opened_ms: $it.opened_ms,
                    updated_ms: $it.updated_ms,
                    closed_ms: $it.closed_ms,
                    message_id: $it.message_id.as_ref().map(text),
                    delivery: $it.delivery,
                    may_repeat: $it.possible_repeat,
                }
            };
        }
        match alert {
            Alert::Spread(it) => episode!(
                it,
                About::Spread {
                    route: format!("{} {} → {}", text(&it.pair), text(&it.buy), text(&it.sell)),
                    peak_net_bps: it.peak_net_bps,
                    peak_size: it.peak_size.as_ref().map(|size| clean(&size.to_string())),
                    peak_at_ns: it.peak_at_ns,
                    windows: it.windows,
                }
            ),
            Alert::Outage(it) => episode!(
                it,
                About::Outage {
                    venue: text(&it.venue)
                }
            ),
            Alert::Stall(it) => episode!(it, About::Stall),
        }
    }

    /// What it is about, in a few words.
    pub(crate) fn subject(&self) -> &str {
        match &self.about {
            About::Spread { route, .. } => route,
            About::Outage { venue } => venue,
            About::Stall => "no windows",
        }
    }

    /// How long it has lasted, milliseconds.
    pub(crate) fn lasted_ms(&self) -> i64 {
        let until_ms = self.closed_ms.unwrap_or(self.updated_ms);
        until_ms.saturating_sub(self.opened_ms).max(0)
    }
}

/// Opening, then id: the order of the list.
type Key = (i64, String);

/// All episodes.
#[derive(Debug, Clone, Default)]
pub(crate) struct Episodes {
    in_order: BTreeMap<Key, Arc<Episode>>,
    opened_ms: FxHashMap<String, i64>,
    n_open: usize,
}

impl Episodes {
    /// Takes the newest state of an episode. Says how many were dropped for it.
    pub(super) fn take(&mut self, alert: &Alert<'_>) -> u64 {
        let episode = Episode::of(alert);
        self.remove(&episode.id);
        self.opened_ms.insert(episode.id.clone(), episode.opened_ms);
        self.n_open += usize::from(episode.is_open);
        self.in_order
            .insert((episode.opened_ms, episode.id.clone()), Arc::new(episode));
        if self.in_order.len() <= MAX_EPISODES {
            return 0;
        }
        let closed = self.in_order.values().find(|episode| !episode.is_open);
        let oldest = closed.or_else(|| self.in_order.values().next());
        if let Some(id) = oldest.map(|episode| episode.id.clone()) {
            self.remove(&id);
        }
        1
    }

    pub(super) fn remove(&mut self, id: &str) {
        let Some((id, opened_ms)) = self.opened_ms.remove_entry(id) else {
            return;
        };
        if let Some(gone) = self.in_order.remove(&(opened_ms, id)) {
            self.n_open -= usize::from(gone.is_open);
        }
    }

    /// All of them, the newest first.
    pub(crate) fn newest_first(&self) -> impl Iterator<Item = &Episode> {
        self.in_order.values().rev().map(AsRef::as_ref)
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.in_order.len()
    }

    /// How many last.
    pub(crate) fn n_open(&self) -> usize {
        self.n_open
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outage(n: usize, state: &str) -> String {
        format!(
            r#"{{"v":1,"episode":"outage/a/{n}","what":"outage","venue":"a","state":"{state}","opened_ms":{n},"updated_ms":{n},"closed_ms":null,"message_id":null,"delivery":"pending","possible_repeat":false}}"#
        )
    }

    fn take(episodes: &mut Episodes, text: &str) -> u64 {
        episodes.take(&serde_json::from_str(text).unwrap())
    }

    #[test]
    fn an_episode_stands_once_with_its_newest_state() {
        let mut episodes = Episodes::default();
        take(&mut episodes, &outage(1, "open"));
        take(&mut episodes, &outage(2, "open"));
        take(&mut episodes, &outage(1, "closed"));
        assert_eq!((episodes.len(), episodes.n_open()), (2, 1));
        let ids: Vec<&str> = episodes.newest_first().map(|it| it.id.as_str()).collect();
        assert_eq!(ids, ["outage/a/2", "outage/a/1"]);
        episodes.remove("outage/a/2");
        episodes.remove("never there");
        assert_eq!((episodes.len(), episodes.n_open()), (1, 0));
    }

    #[test]
    fn the_oldest_closed_one_goes_first() {
        let mut episodes = Episodes::default();
        take(&mut episodes, &outage(0, "open"));
        for n in 1..MAX_EPISODES {
            assert_eq!(take(&mut episodes, &outage(n, "closed")), 0);
        }
        assert_eq!(take(&mut episodes, &outage(MAX_EPISODES, "open")), 1);
        assert_eq!((episodes.len(), episodes.n_open()), (MAX_EPISODES, 2));
        assert_eq!(
            episodes.newest_first().last().map(|it| it.opened_ms),
            Some(0)
        );
    }
}
