//! Topics -> a terminal screen.
//!
//! ```text
//! [spreads] [venues] [alerts]
//! [eeg-states] [eeg-samples] --feed thread--> App <--keys, mouse, time-- drawing thread --> terminal
//!           ^                                  log lines of this process --^
//!           +--orders thread-- orders for a twin, from the keyboard
//! ```
//!
//! Feeding and drawing are apart: the feed folds records into an [`app::App`] of bounded size and never waits for the
//! terminal; the drawing thread looks at what stands there, at most thirty times a second, and never waits for Kafka.
//! What when full: there is no queue between the two. The newest state replaces the older one, and how many records
//! were replaced before any frame showed them is counted and shown. Reading order:
//!
//! - [`config`]: what the caller decides.
//! - [`message`]: everything that can happen.
//! - [`app`]: the state; taking a message does no I/O.
//! - [`view`]: one frame of it; drawing changes nothing.
//! - [`door`]: where feeding and drawing meet.
//! - [`screen`]: the drawing thread.
//! - [`orders`]: what is ordered of a twin, sent.
//! - [`terminal`]: taken, and given back whatever happens.
//! - [`mod@print`]: a frame as text.
//! - [`log`]: the log lines of this process, kept for a view instead of scribbling over the screen.
//! - [`run`]: all of it on a terminal, or one frame as text.
//! - [`error`]: why it could not go on.

pub mod app;
pub mod config;
pub mod door;
pub mod error;
pub mod log;
pub mod message;
pub mod orders;
pub mod print;
pub mod run;
pub mod screen;
pub mod terminal;
#[doc(hidden)]
pub mod testing;
pub mod view;

mod feed;
mod model;
pub mod text;
mod theme;
