//! The imitated exchanges: the venues' own words over a market whose truth is known.
//!
//! ```text
//! market --updates--> engine (sessions, faults, times; pure) --frames--> sockets on loopback   (Exchanges)
//!                                                            \--frames--> virtual time         (Recorded)
//! ```
//!
//! Spoken: Coinbase Advanced Trade, Coinbase Exchange, Binance spot and Binance.US, with shapes, key orders and writing of
//! numbers as recorded. Deliberately absent: order books (`level2`, `depth`) but for one frame of great length, candles,
//! statistics, accounts.

mod dialect;
mod engine;
mod fault;
mod handle;
mod recorded;
mod server;
mod session;
mod settings;
mod words;

pub use dialect::Dialect;
pub use engine::{ConnectionId, Ended, Engine, Gate, Heard, ServerReport};
pub use fault::{BadStamp, Fault, Scheduled, UnknownFault, WORDS};
pub use handle::{Exchanges, Handle};
pub use recorded::{Delay, Recorded, RecordedFrame, RecordedSettings};
pub use session::Output;
pub use settings::{ExchangesSettings, Limits, ServerSettings};
