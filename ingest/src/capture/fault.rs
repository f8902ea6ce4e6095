//! What can be wrong with a capture. A fault costs its line; the rest is used.

use std::io;

/// A line that could not be used, or the place where a capture ends too early.
#[derive(Debug, thiserror::Error)]
#[error("line {line}: {reason}")]
pub struct CaptureFault {
    /// Line of the file, counted from 1; for [`FaultReason::EndsEarly`] the last whole one.
    pub line: u64,
    /// What is wrong.
    pub reason: FaultReason,
}

/// What is wrong with a line.
#[derive(Debug, thiserror::Error)]
pub enum FaultReason {
    /// Fewer than two tabs, so not three fields.
    #[error("not `received_ns <TAB> venue <TAB> frame`, but `{0}`")]
    Fields(String),
    /// The first field is not a whole number of nanoseconds.
    #[error("`{0}` is not a time in nanoseconds since 1970")]
    Stamp(String),
    /// The second field is empty.
    #[error("the venue is empty")]
    Venue,
    /// The frame begins with a quotation mark and is not a JSON string.
    #[error("the frame begins with a quotation mark but is no JSON string ({0})")]
    Quoted(serde_json::Error),
    /// More than the three fields; a frame that holds a tab has to be written as a JSON string.
    #[error("a tab in the frame; such a frame has to be written as a JSON string")]
    Tab,
    /// Bytes that are no UTF-8.
    #[error("not UTF-8 from byte {0} of the line on")]
    NotUtf8(usize),
    /// Longer than the limit; the line was skipped.
    #[error("longer than {limit} bytes")]
    TooLong {
        /// The limit, bytes.
        limit: usize,
    },
    /// The file breaks off, or cannot be read or unpacked further. Nothing follows.
    #[error("the capture ends early after this line ({0})")]
    EndsEarly(io::Error),
}

impl CaptureFault {
    /// Whether nothing follows this fault.
    #[must_use]
    pub fn is_end(&self) -> bool {
        matches!(self.reason, FaultReason::EndsEarly(_))
    }
}

/// At most 60 characters of `text`, for a message.
pub(super) fn cut(text: &str) -> String {
    match text.char_indices().nth(60) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
