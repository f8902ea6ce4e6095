//! An episode: something worth an alert, from its beginning to its end. Pure.
//!
//! In: records, in the order of their partitions, and our own clock. Out: the newest state of each episode that changed.
//!
//! - [`route`]: windows of a pair and direction above the threshold.
//! - [`outage`]: a venue that is silent or down.
//! - [`stall`]: a pipeline that gives no windows.
//!
//! Absent: whether and how anybody is told ([`crate::outbox`]).

use std::collections::BTreeMap;
use std::sync::Arc;

use contract::alert::{
    Alert, Delivery, EpisodeState, OutageEpisode, SpreadEpisode, StallEpisode, tags,
};
use contract::decimal::Decimal;
use contract::spread::Quality;
use contract::tick::VenueStatus;

pub mod outage;
pub mod route;
pub mod stall;

/// What time it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Now {
    /// By the wall, milliseconds since 1970: for people.
    pub wall_ms: i64,
    /// Milliseconds since the stage's start, never set back or forward: for measuring.
    pub steady_ms: i64,
}

/// An input topic.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Input {
    /// `spreads`.
    Spreads,
    /// `venues`.
    Venues,
}

/// By input and partition, an offset: the first record that is still to be read.
pub type Positions = BTreeMap<(Input, i32), i64>;

/// Where a record stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// Its topic.
    pub input: Input,
    /// Its partition.
    pub partition: i32,
    /// Its offset.
    pub offset: i64,
}

/// The newest state of an episode.
#[derive(Debug, Clone, PartialEq)]
pub struct Episode {
    /// As `alerts` keys it.
    pub id: Arc<str>,
    /// What it is about.
    pub what: What,
    /// When it began, milliseconds since 1970.
    pub opened_ms: i64,
    /// The newest word of it, milliseconds since 1970.
    pub updated_ms: i64,
    /// When it was over, milliseconds since 1970.
    pub closed_ms: Option<i64>,
    /// Why it was over, as far as this process has seen it.
    pub ending: Option<Ending>,
}

/// What an episode is about.
#[derive(Debug, Clone, PartialEq)]
pub enum What {
    /// A route above its threshold.
    Spread(SpreadFacts),
    /// A venue that does not deliver.
    Outage {
        /// Which.
        venue: Arc<str>,
        /// What it last said, as far as this process has seen it.
        status: Option<VenueStatus>,
    },
    /// No windows come.
    Stall,
}

/// The figures of a spread's episode.
#[derive(Debug, Clone, PartialEq)]
pub struct SpreadFacts {
    /// Asset and accounting currency.
    pub pair: Arc<str>,
    /// Venue bought at.
    pub buy: Arc<str>,
    /// Venue sold at.
    pub sell: Arc<str>,
    /// Highest net, basis points.
    pub peak_net_bps: f64,
    /// Size at the peak, units of the asset.
    pub peak_size: Option<Decimal>,
    /// When the peak was, nanoseconds since 1970.
    pub peak_at_ns: i64,
    /// Windows it has lasted.
    pub windows: u64,
}

/// Why a spread's episode was over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// Net fell below the threshold less the hysteresis.
    Below,
    /// The route was not live in the window, and this was its quality: nobody knows whether it lasted.
    NotLive(Quality),
    /// Windows are missing behind it, or the route is gone from them.
    Missing,
}

impl Episode {
    /// Whether it lasts.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.closed_ms.is_none()
    }

    /// Episodes of one series follow each other: one pair and direction, one venue, the pipeline.
    #[must_use]
    pub fn series(&self) -> String {
        match &self.what {
            What::Spread(facts) => format!("{}/{}/{}", facts.pair, facts.buy, facts.sell),
            What::Outage { venue, .. } => format!("outage/{venue}"),
            What::Stall => "stall".to_owned(),
        }
    }

    /// The record of `alerts`.
    #[must_use]
    pub fn record<'a>(
        &'a self,
        message_id: Option<&'a str>,
        delivery: Delivery,
        possible_repeat: bool,
    ) -> Alert<'a> {
        let state = if self.is_open() {
            EpisodeState::Open
        } else {
            EpisodeState::Closed
        };
        let (v, episode) = (Default::default(), self.id.as_ref().into());
        let (opened_ms, updated_ms, closed_ms) = (self.opened_ms, self.updated_ms, self.closed_ms);
        let message_id = message_id.map(Into::into);
        match &self.what {
            What::Spread(facts) => Alert::Spread(SpreadEpisode {
                v,
                episode,
                what: tags::SpreadWhat,
                pair: facts.pair.as_ref().into(),
                buy: facts.buy.as_ref().into(),
                sell: facts.sell.as_ref().into(),
                state,
                opened_ms,
                updated_ms,
                closed_ms,
                peak_net_bps: facts.peak_net_bps,
                peak_size: facts.peak_size.clone(),
                peak_at_ns: facts.peak_at_ns,
                windows: facts.windows,
                message_id,
                delivery,
                possible_repeat,
            }),
            What::Outage { venue, .. } => Alert::Outage(OutageEpisode {
                v,
                episode,
                what: tags::OutageWhat,
                venue: venue.as_ref().into(),
                state,
                opened_ms,
                updated_ms,
                closed_ms,
                message_id,
                delivery,
                possible_repeat,
            }),
            What::Stall => Alert::Stall(StallEpisode {
                v,
                episode,
                what: tags::StallWhat,
                state,
                opened_ms,
                updated_ms,
                closed_ms,
                message_id,
                delivery,
                possible_repeat,
            }),
        }
    }

    /// The episode that a record of `alerts` tells of.
    #[must_use]
    pub fn of_record(alert: &Alert<'_>) -> Self {
        let (id, what, times) = match alert {
            Alert::Spread(it) => {
                let facts = SpreadFacts {
                    pair: it.pair.as_ref().into(),
                    buy: it.buy.as_ref().into(),
                    sell: it.sell.as_ref().into(),
                    peak_net_bps: it.peak_net_bps,
                    peak_size: it.peak_size.clone(),
                    peak_at_ns: it.peak_at_ns,
                    windows: it.windows,
                };
                let times = (it.opened_ms, it.updated_ms, it.closed_ms, it.state);
                (&it.episode, What::Spread(facts), times)
            }
            Alert::Outage(it) => {
                let what = What::Outage {
                    venue: it.venue.as_ref().into(),
                    status: None,
                };
                let times = (it.opened_ms, it.updated_ms, it.closed_ms, it.state);
                (&it.episode, what, times)
            }
            Alert::Stall(it) => {
                let times = (it.opened_ms, it.updated_ms, it.closed_ms, it.state);
                (&it.episode, What::Stall, times)
            }
        };
        let (opened_ms, updated_ms, closed_ms, state) = times;
        Self {
            id: id.as_ref().into(),
            what,
            opened_ms,
            updated_ms,
            // The state is what counts; a closed one without its time was closed at the newest word.
            closed_ms: match state {
                EpisodeState::Open => None,
                EpisodeState::Closed => Some(closed_ms.unwrap_or(updated_ms)),
            },
            ending: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_gives_back_the_episode_it_was_made_of() {
        for line in [
            r#"{"v":1,"episode":"BTC-USD/binance/coinbase/1723161254000","what":"spread","pair":"BTC-USD","buy":"binance","sell":"coinbase","state":"open","opened_ms":1723161254000,"updated_ms":1723161259000,"closed_ms":null,"peak_net_bps":14.2,"peak_size":"0.7","peak_at_ns":1723161256310000000,"windows":5,"message_id":"1183","delivery":"sent","possible_repeat":false}"#,
            r#"{"v":1,"episode":"outage/binance/1723161260000","what":"outage","venue":"binance","state":"closed","opened_ms":1723161260000,"updated_ms":1723161272000,"closed_ms":1723161272000,"message_id":"1183","delivery":"sent","possible_repeat":false}"#,
            r#"{"v":1,"episode":"stall/1723161260000","what":"stall","state":"open","opened_ms":1723161260000,"updated_ms":1723161275000,"closed_ms":null,"message_id":"1183","delivery":"sent","possible_repeat":false}"#,
        ] {
            let episode = Episode::of_record(&serde_json::from_str(line).unwrap());
            let record = episode.record(Some("1183"), Delivery::Sent, false);
            assert_eq!(serde_json::to_string(&record).unwrap(), line);
        }
    }
}
