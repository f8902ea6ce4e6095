//! From exchange frames to normalised ticks, live and from captures.
//!
//! ```text
//! live sockets --\
//!                 >-- frames with their receipt --> core --> quotes, trades, rates, marks, statuses (`ticks`)
//! capture files -/                                      \--> health (`venues`), dead letters, gaps
//! ```
//!
//! Pure, and driven alike by both shells:
//!
//! - [`settings`]: what the core is told before the first frame; [`config`] takes it from the configuration.
//! - [`venue`]: what the venues say, one folder per family of dialects.
//! - [`symbol`]: which pair a symbol belongs to, and what it really trades in.
//! - [`gap`]: missing frames, each feed judged as the wire numbers it.
//! - [`skew`]: how far a venue's clock is ahead of ours.
//! - [`core`]: all of it together, frames and times in, records out.
//! - [`conflate`]: fewer quotes where the sink does not keep up, live alone.
//!
//! The shells around it:
//!
//! - [`capture`]: raw frames in a file, read and written.
//! - [`replay`]: captures through the core, on the recording's clock.
//! - [`live`]: connections to venues, kept up.
//! - [`run`]: those connections through the core, on ours.
//! - [`record`]: those connections into a capture.
//! - [`publish`]: the core's records onto a broker.
//! - [`error`]: why ingest stopped.

pub mod capture;
pub mod config;
pub mod conflate;
pub mod core;
pub mod error;
#[doc(hidden)]
pub mod fuzzing;
pub mod gap;
pub mod live;
pub mod publish;
pub mod record;
pub mod replay;
pub mod run;
pub mod settings;
pub mod skew;
pub mod symbol;
pub mod venue;
