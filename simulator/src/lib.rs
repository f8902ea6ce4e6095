//! The outside world, honestly imitated: what the pipeline talks to where the real thing cannot be reached.
//!
//! ```text
//! market  (pure)  seeded prices, dislocations of known size  ->  updates, and the truth about them
//! exchange        the same market in the venues' own words   ->  WebSocket servers on loopback, or frames in virtual time
//! discord         webhooks with limits and faults            ->  an HTTP server on loopback
//! ```
//!
//! - [`market`]: no socket, no clock: time and seed are arguments.
//! - [`exchange`]: [`exchange::Exchanges`] serves the market live and misbehaves on command; [`exchange::Recorded`] gives
//!   the same frames faster than life.
//! - [`discord`]: [`discord::Discord`] takes alerts, and remembers what it was told.
//!
//! Deliberately absent: anything that a pipeline would need to know it is being fooled. Addresses are all it is given.

mod address;
pub mod discord;
pub mod error;
pub mod exchange;
pub mod market;
