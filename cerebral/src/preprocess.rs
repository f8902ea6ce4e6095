//! From microvolts as recorded to microvolts fit for a phase.
//!
//! In: `(n_channels, n_samples)`, microvolts. Out: the same shape. Each step is a pure function of the samples it is given: cut
//! first, then clean, so that a result depends on nothing outside its segment. Absent: reading files, phases.

mod cut;
mod filter;
mod reference;
mod trend;

pub use cut::cut;
pub use filter::{Causal, Section, Sos};
pub use reference::Reference;
pub use trend::{remove_mean, remove_trend};

pub(crate) use filter::Lanes;
pub(crate) use trend::remove_trend_row;
