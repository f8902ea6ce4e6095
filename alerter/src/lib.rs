//! `spreads` -> episodes -> Discord.
//!
//! ```text
//! [spreads] --windows--+                                    +--> [alerts]   the newest state of each episode
//! [venues] ---states---+-> episode -> outbox -> message ----+
//! own clock ---stall---+               |  ^                 +--> Discord    one message per episode, edited
//!                                  throttle, answers
//! ```
//!
//! In: closed windows from `spreads`, connection states from `venues`. Out: one Discord message per episode, edited while
//! the episode lasts, and the newest state of every episode on `alerts`. Nothing is lost, and a message stands twice only
//! where nobody could know whether the first attempt arrived; then it says so.
//!
//! Reading order:
//!
//! - [`config`]: what is worth an alert.
//! - [`episode`]: windows, venues' states and silence as episodes.
//! - [`outbox`]: which episode is told next, and how far each is told.
//! - [`message`]: what is said, within Discord's sizes.
//! - [`answer`], [`throttle`], [`backoff`]: what Discord answers, and when it may be asked again.
//! - [`core`]: all of that together, still without a socket, a clock or a thread.
//! - [`discord`]: the one socket.
//! - [`run`]: the shell between Kafka and Discord.
//! - [`trial`]: one message, to see that the webhook works.
//! - [`mod@report`]: figures, for the closing table, the dashboard and the log.
//!
//! Deliberately absent: any knowledge of exchanges, and any decimal arithmetic; a spread arrives finished.

pub mod answer;
pub mod backoff;
pub mod config;
pub mod core;
pub mod discord;
pub mod episode;
pub mod error;
pub mod message;
pub mod outbox;
pub mod report;
pub mod run;
pub mod throttle;
pub mod trial;

pub use config::{Rules, Settings};
pub use error::AlerterError;
pub use report::{Report, Standing};
