//! What crosses a process boundary: every record, the topics it travels on, the settings, and the clocks.
//!
//! ```text
//! exchange frames -> ingest -> [ticks] -> windowing -> [spreads] -> alerter   -> [alerts]
//!                         \-> [venues]           \-> [ticks-late]    dashboard
//! anything unreadable ------------------------------> [dead-letters]
//! ```
//!
//! Pure: no sockets, no threads, no runtime. Reading order:
//!
//! - [`decimal`]: prices and sizes, exact from the wire to the topic.
//! - [`time`]: the three clocks and how stamps are read and shown.
//! - [`tick`]: what stands on `ticks` and `ticks-late`.
//! - [`spread`]: what stands on `spreads`.
//! - [`venue`]: what stands on `venues`.
//! - [`alert`]: what stands on `alerts`.
//! - [`eeg`]: what stands on `eeg-samples` and `eeg-states`.
//! - [`checkpoint`]: what stands on `checkpoints`, and beside a committed position.
//! - [`dead_letter`]: what could not be read, and why.
//! - [`topic`]: names, keys, partitions, retention.
//! - [`timings`]: how long something took, counted.
//! - [`config`]: every setting, checked all at once.

pub mod alert;
pub mod checkpoint;
pub mod config;
pub mod dead_letter;
pub mod decimal;
pub mod eeg;
pub mod spread;
pub mod tick;
pub mod time;
pub mod timings;
pub mod topic;
pub mod venue;

mod tag;
