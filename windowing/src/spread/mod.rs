//! What a window of ticks says: legs, routes, and the spread that somebody could have traded.
//!
//! Only quotes that were live at the same instant of event time are compared. Reading order: [`settings`] and [`fee`] (what
//! the user decides), [`event`] (what is kept of a record), [`book`] (venues, rates, pairs and their legs between windows),
//! [`admit`] (a record becomes an event, or a dead letter), [`figures`] and [`volume`] (exact arithmetic), [`walk`] (one
//! pair through one window; its legs and routes beside it, its record in `describe`), [`logic`] (all of it as the logic of
//! [`crate::windows`]), [`state`] (all of it as plain data).

pub mod admit;
pub mod book;
pub mod counters;
pub mod event;
pub mod fee;
pub mod figures;
pub mod logic;
pub mod settings;
pub mod state;
pub mod tally;
pub mod volume;
pub mod walk;
mod work;

mod bucket;
mod describe;
mod leg;
mod route;

pub use counters::Counters;
pub use logic::{Emitted, Side, SpreadLogic};
pub use settings::Settings;
pub use tally::Tally;
