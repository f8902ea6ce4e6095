//! What a feed is told beside its source.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use contract::time::{Clock, SystemClock};

use super::counts::FeedCounts;
use crate::board::session::DaisyUse;
use crate::source::Board;

/// How long a block is, unless told otherwise.
pub const DEFAULT_BLOCK: Duration = Duration::from_millis(40);

/// What a feed is told beside its source.
#[derive(Clone)]
pub struct FeedOptions {
    /// Name of the session; by default that of the file, or of the source.
    pub session: Option<String>,
    /// How many times as fast as life a recording is played; none for as fast as it goes.
    pub speed: Option<f64>,
    /// How long a block is, in the samples' own time; at least one sample, and at most what a record holds.
    pub block: Duration,
    /// Samples a second, where the source does not say: a recording without a rate, the GUI's stream (else 250).
    pub sample_rate_hz: Option<f64>,
    /// The board of a BrainFlow file.
    pub board: Option<Board>,
    /// Whether a Daisy is used.
    pub daisy: DaisyUse,
    /// What blocks and gaps are timed by.
    pub clock: Arc<dyn Clock>,
    /// What is counted.
    pub counts: Arc<FeedCounts>,
}

impl Default for FeedOptions {
    fn default() -> Self {
        Self {
            session: None,
            speed: Some(1.0),
            block: DEFAULT_BLOCK,
            sample_rate_hz: None,
            board: None,
            daisy: DaisyUse::default(),
            clock: Arc::new(SystemClock),
            counts: Arc::default(),
        }
    }
}

impl fmt::Debug for FeedOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FeedOptions")
            .field("session", &self.session)
            .field("speed", &self.speed)
            .field("block", &self.block)
            .field("sample_rate_hz", &self.sample_rate_hz)
            .field("board", &self.board)
            .field("daisy", &self.daisy)
            .field("counts", &self.counts.tally())
            .finish_non_exhaustive()
    }
}
