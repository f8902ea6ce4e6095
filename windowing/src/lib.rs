//! Event-time windows in timely dataflow: generic operators, and on them `ticks` -> `spreads`.
//!
//! ```text
//! records of a partition, in order
//!      |  decode, admit            spread/admit.rs
//!      v
//!   marks, statuses --> watermark  watermark.rs
//!   ticks, rates -----> windows    windows.rs      --late--> ticks-late
//!      |  a window closes                           --bad---> dead-letters
//!      v
//!   legs, routes, figures          spread/         --------> spreads
//! ```
//!
//! Everything above is pure: a partition's state is one value, and what it emits follows from its records alone, whatever
//! the speed, the clock and the number of workers. timely only moves the data ([`operator`], [`dataflow`]).
//!
//! Reading order: [`window`] (arithmetic), [`watermark`], [`windows`] (the generic machine), [`spread`] (what a window of
//! ticks says), [`work`] (what a job is for; spreads are one), [`operator`] (the machine as timely operators), [`dataflow`] (partitions on workers), [`lines`] (a file as
//! one partition), [`state`] (a partition as one plain value), [`merge`] (partitions back into one order), [`shard`] (which partitions are this
//! process's), [`run`] (any work over Kafka, once or at least once).

pub mod config;
pub mod dataflow;
pub mod error;
pub mod lines;
pub mod merge;
pub mod operator;
pub mod run;
pub mod shard;
pub mod spread;
pub mod state;
pub mod tally;
pub mod watermark;
pub mod window;
pub mod windows;
pub mod work;

pub use error::WindowingError;
pub use lines::{Lines, window_lines};
pub use spread::fee::Fee;
pub use spread::settings::{Settings, VenueRules};
