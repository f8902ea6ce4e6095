//! Records of `alerts`: the newest state of an alert episode, keyed by the episode's id.
//!
//! Absent: when an episode opens or closes, and how Discord is told; that is `alerter`'s.

use serde::{Deserialize, Serialize};

use crate::decimal::{Decimal, Text};
use crate::tag::{V1, kind};

/// Tags of the two shapes.
pub mod tags {
    use super::kind;
    kind!(SpreadWhat, "spread");
    kind!(OutageWhat, "outage");
    kind!(StallWhat, "stall");
}

/// Whether an episode lasts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum EpisodeState {
    /// It lasts.
    Open,
    /// It is over.
    Closed,
}

/// How far the message about an episode has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Delivery {
    /// The newest state is not yet told. With a message id only the end of the episode is missing there.
    Pending,
    /// Discord has answered that it keeps the message.
    Sent,
    /// Discord will not take it (401, 404); it is tried again at the next start.
    Refused,
    /// No webhook is set: told in the log and on this topic alone.
    Logged,
}

/// The newest state of an episode.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Alert<'a> {
    /// A route above the threshold.
    #[serde(borrow)]
    Spread(SpreadEpisode<'a>),
    /// A venue that does not deliver.
    #[serde(borrow)]
    Outage(OutageEpisode<'a>),
    /// A pipeline that gives no windows.
    #[serde(borrow)]
    Stall(StallEpisode<'a>),
}

/// Windows of one pair and direction above the threshold.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SpreadEpisode<'a> {
    /// Version, always 1.
    pub v: V1,
    /// Id: pair, buyer, seller and opening in milliseconds.
    #[serde(borrow)]
    pub episode: Text<'a>,
    /// Always `spread`.
    pub what: tags::SpreadWhat,
    /// Asset and accounting currency.
    #[serde(borrow)]
    pub pair: Text<'a>,
    /// Venue bought at.
    #[serde(borrow)]
    pub buy: Text<'a>,
    /// Venue sold at.
    #[serde(borrow)]
    pub sell: Text<'a>,
    /// Whether it lasts.
    pub state: EpisodeState,
    /// Start of its first window, milliseconds since 1970.
    pub opened_ms: i64,
    /// End of its newest window, milliseconds since 1970.
    pub updated_ms: i64,
    /// When it was over, milliseconds since 1970.
    pub closed_ms: Option<i64>,
    /// Highest net, basis points.
    pub peak_net_bps: f64,
    /// Size at the peak, units of the asset.
    pub peak_size: Option<Decimal>,
    /// When the peak was, nanoseconds since 1970.
    pub peak_at_ns: i64,
    /// Windows it has lasted.
    pub windows: u64,
    /// Discord's id of the message.
    #[serde(borrow)]
    pub message_id: Option<Text<'a>>,
    /// How far its message has come.
    pub delivery: Delivery,
    /// The message may stand twice: the process died between Discord's answer and the record of it, or no answer came.
    /// Also true from just before the message is sent until the answer, so that whoever takes over knows.
    pub possible_repeat: bool,
}

/// A venue silent or down.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OutageEpisode<'a> {
    /// Version, always 1.
    pub v: V1,
    /// Id: `outage`, venue and opening in milliseconds.
    #[serde(borrow)]
    pub episode: Text<'a>,
    /// Always `outage`.
    pub what: tags::OutageWhat,
    /// Venue.
    #[serde(borrow)]
    pub venue: Text<'a>,
    /// Whether it lasts.
    pub state: EpisodeState,
    /// When it began, milliseconds since 1970.
    pub opened_ms: i64,
    /// Newest word of it, milliseconds since 1970.
    pub updated_ms: i64,
    /// When it was over, milliseconds since 1970.
    pub closed_ms: Option<i64>,
    /// Discord's id of the message.
    #[serde(borrow)]
    pub message_id: Option<Text<'a>>,
    /// How far its message has come.
    pub delivery: Delivery,
    /// See [`SpreadEpisode::possible_repeat`].
    pub possible_repeat: bool,
}

/// No windows came for too long, by the alerter's own clock.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StallEpisode<'a> {
    /// Version, always 1.
    pub v: V1,
    /// Id: `stall` and opening in milliseconds.
    #[serde(borrow)]
    pub episode: Text<'a>,
    /// Always `stall`.
    pub what: tags::StallWhat,
    /// Whether it lasts.
    pub state: EpisodeState,
    /// When the last window had come, milliseconds since 1970.
    pub opened_ms: i64,
    /// Newest look at it, milliseconds since 1970.
    pub updated_ms: i64,
    /// When windows came again, milliseconds since 1970.
    pub closed_ms: Option<i64>,
    /// Discord's id of the message.
    #[serde(borrow)]
    pub message_id: Option<Text<'a>>,
    /// How far its message has come.
    pub delivery: Delivery,
    /// See [`SpreadEpisode::possible_repeat`].
    pub possible_repeat: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_example_reads_and_writes_back_to_the_same_bytes() {
        for example in [
            r#"{"v":1,"episode":"BTC-USD/binance/coinbase/1723161254000","what":"spread","pair":"BTC-USD","buy":"binance","sell":"coinbase","state":"open","opened_ms":1723161254000,"updated_ms":1723161259000,"closed_ms":null,"peak_net_bps":14.2,"peak_size":"0.7","peak_at_ns":1723161256310000000,"windows":5,"message_id":"1183","delivery":"sent","possible_repeat":false}"#,
            r#"{"v":1,"episode":"outage/binance/1723161260000","what":"outage","venue":"binance","state":"closed","opened_ms":1723161260000,"updated_ms":1723161272000,"closed_ms":1723161272000,"message_id":"1184","delivery":"sent","possible_repeat":false}"#,
            r#"{"v":1,"episode":"stall/1723161260000","what":"stall","state":"open","opened_ms":1723161260000,"updated_ms":1723161275000,"closed_ms":null,"message_id":null,"delivery":"logged","possible_repeat":false}"#,
        ] {
            let alert: Alert<'_> = serde_json::from_str(example).unwrap();
            assert_eq!(serde_json::to_string(&alert).unwrap(), example);
        }
    }
}
