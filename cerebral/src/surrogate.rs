//! What independent channels with the same spectra would score: is a connectivity figure more than that?
//!
//! ```text
//! raw -> line removed -> randomised -> Pipeline -> measure    n times, each channel and surrogate with its own random numbers
//! raw --------------------------------> Pipeline -> measure   once
//!                                                     \-> rank p, z, Benjamini-Hochberg, max-T -> Significance
//! ```
//!
//! In: raw (or filtered) samples `(n_channels, n_samples)` and a [`Pipeline`](crate::connectivity::Pipeline). Out:
//! [`Significance`]. Random numbers are a function of (seed, session, window, surrogate, channel), so any number of threads gives
//! the same bits. Absent: what to do about a verdict; it travels with whatever is computed after it.

mod assess;
mod chain;
mod draw;
mod kind;
mod make;
mod nulls;
mod random;
mod remap;
mod statistics;

pub(crate) use assess::is_off;
pub use assess::{MeasureTest, Significance, Verdict};
pub use chain::SurrogateTest;
pub use kind::{Kind, Origin, Tested};
pub use make::{add_phases, replace_phases, surrogate};
pub use nulls::{Nulls, Observed};
pub use random::Key;
pub use statistics::{benjamini_hochberg, rank_p};

#[cfg(test)]
mod tests;
