//! Captures: raw frames as they came, each with the time of receipt, one per line.
//!
//! ```text
//! 1723161254937000000 <TAB> binance <TAB> {"stream":"btcusdt@bookTicker","data":{...}} <LF>
//! ```
//!
//! The frame stands byte for byte as it came. One that holds a tab or a line break, or begins with a quotation mark, is
//! written as a JSON string; a frame field that begins with a quotation mark is always read as one. So every text comes
//! back as it was. Names of venues here are those of [`Dialect::capture_name`](crate::venue::Dialect::capture_name), but any name can be read.
//!
//! - [`line`](mod@line): one line, written and read. Pure.
//! - [`reader`]: a stream of lines, plain, gzip or zstd, told by the first bytes and not by the name.
//! - [`writer`]: the same, the other way.
//!
//! Deliberately absent: what a frame means, clocks, the network.

pub mod line;
pub mod reader;
pub mod writer;

mod fault;

pub use fault::{CaptureFault, FaultReason};
pub use reader::{CaptureReader, MAX_LINE_BYTES};
pub use writer::{CaptureWriter, Compression};

/// One frame of a capture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CapturedFrame<'a> {
    /// Line of the file, counted from 1.
    pub line: u64,
    /// Our receipt, nanoseconds since 1970.
    pub received_ns: i64,
    /// Name of the venue in captures; never empty, maybe one that nobody knows.
    pub venue: &'a str,
    /// The frame as it came.
    pub frame: std::borrow::Cow<'a, str>,
}
