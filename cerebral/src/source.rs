//! Recordings: a file becomes channels of microvolts with a clock that can be trusted, and a list of what is wrong with it.
//!
//! ```text
//! bytes -> unpack -> recognise -> table of one dialect -> ids: where samples are missing -> Recording + Quality
//! ```
//!
//! In: bytes (plain, gzip or zstd) and what the file does not say itself (rate, board). Out: [`Recording`]. Time is the sample
//! index: host stamps repeat and jump, and serve for nothing but the jitter figure. What is missing is a hole (NaN) of the right
//! length where the ids tell it; a numbering begun anew is a boundary that nothing may be computed across. Absent: sockets,
//! files, filters; whoever calls has read the bytes.

mod brainflow;
mod delimited;
mod edf;
mod error;
mod ids;
mod mains;
mod openbci;
mod quality;
mod recognise;
mod recording;
mod table;

pub use brainflow::Board;
pub use error::{LoadError, RowFault};
pub use ids::{Gap, Numbering};
pub use quality::Quality;
pub use recognise::{LoadOptions, load};
pub use recording::{Dialect, Marker, Rails, Recording};

pub(crate) use mains::mains;
pub(crate) use quality::{useful_runs, useless_shares};
pub(crate) use table::cyton_rails_uv;

#[cfg(test)]
#[expect(
    clippy::float_cmp,
    clippy::as_conversions,
    clippy::single_range_in_vec_init,
    reason = "files give back the very numbers that were written, and stretches are lists of ranges"
)]
mod tests;
