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
//! Deliberately absent: any knowledge of exchanges, and any decimal arithmetic; a spread arrives finished.

pub mod config;
pub mod error;
pub mod report;
pub mod run;

pub use config::{Rules, Settings};
pub use error::AlerterError;
pub use report::{Report, Standing};
