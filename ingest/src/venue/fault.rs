//! Why a frame, or one entry of a frame, gives nothing.
//!
//! Every fault is counted under [`FrameError::reason`] and its frame is kept in `dead-letters`; the connection lives on.

use contract::decimal::DecimalError;
use contract::time::StampError;

/// Longest story of a fault, in characters.
pub const MAX_CHAIN: usize = 500;

/// Why a frame gives nothing.
#[derive(Debug, thiserror::Error)]
pub enum FrameError {
    /// Not JSON at all.
    #[error("frame is not JSON")]
    Json(#[source] serde_json::Error),
    /// JSON, but nothing in it tells what it is.
    #[error("frame names no message type")]
    Untyped,
    /// A message type that the venue does not document; carries it as sent, cut to a readable length.
    #[error("message type `{0}` is not one that the venue documents")]
    Unknown(String),
    /// A known message type with another shape than documented.
    #[error("`{kind}` frame does not match its documented shape")]
    Shape {
        /// The message type.
        kind: &'static str,
        /// What does not match.
        #[source]
        source: serde_json::Error,
    },
    /// A field without which the message says nothing.
    #[error("`{kind}` frame lacks `{field}`")]
    Missing {
        /// The message type.
        kind: &'static str,
        /// The field.
        field: &'static str,
    },
    /// A price or size that is no decimal, or a price of zero.
    #[error("field `{field}` holds no usable number")]
    Decimal {
        /// The field as the venue spells it.
        field: &'static str,
        /// What is wrong with it.
        #[source]
        source: DecimalError,
    },
    /// A side that is neither.
    #[error("side `{0}` is neither buy nor sell")]
    Side(String),
    /// A stamp that is no time, or lies too early or too far from the receipt.
    #[error(transparent)]
    Stamp(#[from] StampError),
}

impl FrameError {
    /// The word it is counted under.
    #[must_use]
    pub const fn reason(&self) -> &'static str {
        match self {
            Self::Json(_) => "not JSON",
            Self::Untyped | Self::Unknown(_) => "unknown message type",
            Self::Shape { .. } | Self::Missing { .. } => "undocumented shape",
            Self::Decimal { .. } => "unusable number",
            Self::Side(_) => "unknown side",
            Self::Stamp(StampError::Text(_)) => "unreadable stamp",
            Self::Stamp(StampError::TooEarly(_)) => "stamp before 2009",
            Self::Stamp(StampError::TooFar { .. }) => "stamp too far from receipt",
        }
    }

    /// The whole story on one line: the error and its sources, cut to [`MAX_CHAIN`] characters, since a source may quote
    /// what it found.
    #[must_use]
    pub fn chain(&self) -> String {
        let mut text = self.to_string();
        let mut source = std::error::Error::source(self);
        while let Some(error) = source {
            text.push_str(": ");
            text.push_str(&error.to_string());
            source = error.source();
        }
        if let Some((end, _)) = text.char_indices().nth(MAX_CHAIN) {
            text.truncate(end);
        }
        text
    }

    /// Nothing could be told from `frame`: JSON without a type, or no JSON at all.
    pub(crate) fn unreadable(frame: &str, error: serde_json::Error) -> Self {
        if !error.is_data() {
            return Self::Json(error);
        }
        // What does not match may stand before what is no JSON.
        match serde_json::from_str::<serde::de::IgnoredAny>(frame) {
            Ok(_) => Self::Untyped,
            Err(error) => Self::Json(error),
        }
    }

    pub(crate) fn unknown(kind: &str) -> Self {
        Self::Unknown(kind.chars().take(60).collect())
    }
}
