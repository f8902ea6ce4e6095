//! Sources -> blocks of `eeg-samples`.
//!
//! ```text
//! FILE            a recording at its pace          \
//! serial:DEVICE   a Cyton, perhaps with a Daisy     \
//! udp:PORT        what the OpenBCI GUI sends         >  samples, each with its place  ->  Blocks  ->  publish
//! lsl:NAME        a stream of the lab              /
//! ```
//!
//! In: a file, a port, a socket. Out: blocks of consecutive samples with the board's ids and the source's stamps where it gives
//! any. A place counts what is missing too; a block lies within one stretch, and the first behind a gap or a restart says that it
//! does not follow. Nothing is made up: what did not come is not there.
//!
//! - [`blocks`]: samples with their places become blocks. Pure.
//! - [`place`]: where a sample belongs, by the ids and the clock. Pure.
//! - [`spec`]: what `--source` names.
//! - [`recording`], [`serial`], [`udp`], [`lsl`]: the sources, all behind [`Source`].
//! - [`mod@publish`]: blocks onto the topic, and how a session goes on after a kill.
//!
//! **What when full**: who publishes waits, and reads no further meanwhile. A recording then waits as well; of a live source the
//! system keeps some kilobytes, and what is lost beyond them is a gap. Absent: the simulated headset, which whoever calls starts
//! and opens as a serial port.

pub mod blocks;
mod counts;
mod error;
pub mod lsl;
mod options;
pub mod place;
pub mod publish;
pub mod recording;
pub mod serial;
pub mod spec;
pub mod udp;

use std::time::Duration;

use contract::eeg::Samples;

use crate::units::SampleRate;

pub(crate) use counts::add;
pub use counts::{FeedCounts, Tally};
pub use error::FeedError;
pub use options::{DEFAULT_BLOCK, FeedOptions};
pub use publish::{Ended, publish};
pub use spec::FeedSpec;

/// What comes next of a source.
#[derive(Debug, Clone, PartialEq)]
pub enum Next {
    /// Samples.
    Block(Samples<'static>),
    /// None within the wait; there may be some later.
    Nothing,
    /// There will be none any more.
    End,
}

/// Where an earlier run left the session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Left {
    /// Index behind its last sample.
    pub at: u64,
    /// When that had come, nanoseconds since 1970 by our clock.
    pub received_ns: i64,
}

/// Where blocks come from.
pub trait Source: Send {
    /// Name of the session.
    fn session(&self) -> &str;

    /// Samples a second, where they are known before the first block.
    fn sample_rate(&self) -> Option<SampleRate> {
        None
    }

    /// The next block, if one comes within `wait`. A source that is away is waited for.
    ///
    /// # Errors
    /// [`FeedError`] where no block will ever come again.
    fn next(&mut self, wait: Duration) -> Result<Next, FeedError>;

    /// Before the first block: an earlier run broke off without an end. True where this source goes on with the session, a gap
    /// later; false where it begins anew.
    fn resume(&mut self, left: Left) -> bool;

    /// Nothing more is wanted: the board is told so. Called until it gives nothing, it gives what is still in hand.
    fn stop(&mut self) -> Option<Samples<'static>>;

    /// Index behind the last sample given.
    fn at(&self) -> u64;
}
