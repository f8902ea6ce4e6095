//! What the alerter did and how it stands, in figures: for the closing table, the dashboard and the log.

use contract::timings::Timings;
use kafka_io::Lag;

/// How it stands with Discord.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Standing {
    /// No webhook is set: alerts go to the log and the topic.
    #[default]
    NoWebhook,
    /// It answers, or was not asked yet.
    Fine,
    /// It asked to wait.
    Limited,
    /// It cannot be reached, or fails; it is tried again.
    Away(String),
    /// It will not take anything any more (401, 403, 404): nothing is sent until the next start.
    Refused(String),
}

/// Counts since the start, and the present state.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// Windows read from `spreads`.
    pub windows: u64,
    /// Records read from `venues`.
    pub healths: u64,
    /// Windows of a route that had been counted before: written twice, or read again after a restart.
    pub seen_again: u64,
    /// Records that could not be read; they are kept in `dead-letters`.
    pub unreadable: u64,
    /// Spread episodes opened.
    pub spreads: u64,
    /// Outages of venues.
    pub outages: u64,
    /// Times that no windows came.
    pub stalls: u64,
    /// Episodes closed.
    pub closed: u64,
    /// Unfinished episodes taken up from `alerts` at the start.
    pub taken_up: u64,
    /// Messages posted.
    pub posted: u64,
    /// Edits of messages.
    pub edited: u64,
    /// Episodes that came in one message with others, since more were waiting than the limits let through.
    pub merged: u64,
    /// Episodes that joined the message of the one before them within the cooldown.
    pub joined: u64,
    /// Answers that asked to wait (429).
    pub limited: u64,
    /// Attempts that failed and were made again.
    pub retried: u64,
    /// Messages that may stand twice; they say so.
    pub possible_repeats: u64,
    /// Episodes whose message Discord would not take; kept on `alerts` and tried again at the next start.
    pub refused: u64,
    /// Messages that somebody deleted; they are not posted anew.
    pub deleted: u64,
    /// Episodes open now.
    pub open: u64,
    /// Episodes not told yet.
    pub waiting: u64,
    /// Times that reading paused because too many episodes were waiting.
    pub full_waits: u64,
    /// From the record that opened an episode being read until Discord's answer, milliseconds: the median of the newest 512.
    pub latency_p50_ms: Option<i64>,
    /// The same, the 99th percentile.
    pub latency_p99_ms: Option<i64>,
    /// All of those times since the start.
    pub latencies: Timings,
    /// How it stands with Discord.
    pub discord: Standing,
    /// How far each partition is read.
    pub lags: Vec<Lag>,
    /// Why nothing can be read, if so.
    pub unread: Option<String>,
}
