//! Why there is no analysis.

use crate::error::AnalysisError;
use crate::twin::TwinError;

/// Why there is no analysis.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum AnalyzeError {
    /// An option names a channel that the recording does not have.
    #[error("`{option}` names the channel `{name}`; the recording has {known}")]
    Channel {
        /// Which option.
        option: &'static str,
        /// As it was named.
        name: String,
        /// The names there are.
        known: String,
    },
    /// A segment that does not lie within the recording.
    #[error("the segment {from}:{to} does not lie within the recording's {n_samples} samples")]
    Segment {
        /// First sample.
        from: usize,
        /// The one after the last.
        to: usize,
        /// How many there are.
        n_samples: usize,
    },
    /// Fewer than two channels carry a signal.
    #[error("{good} of {all} channels can be used, at least 2 are needed: {reasons}")]
    NoChannels {
        /// Usable ones.
        good: usize,
        /// Channels.
        all: usize,
        /// What is wrong with the others.
        reasons: String,
    },
    /// A step of the signal's analysis was refused.
    #[error(transparent)]
    Analysis(#[from] AnalysisError),
    /// A step of the twin was refused.
    #[error(transparent)]
    Twin(#[from] TwinError),
    /// Whoever watched asked to stop.
    #[error("stopped")]
    Stopped,
}

impl AnalyzeError {
    /// Whether what was asked is at fault, not the recording.
    pub fn is_wrong_use(&self) -> bool {
        match self {
            Self::Channel { .. } | Self::Segment { .. } => true,
            // A band that a rate cannot hold is told by the recording's rate.
            Self::Analysis(AnalysisError::Setting { name, .. }) => *name != "band",
            Self::Twin(TwinError::Range { what, .. }) => *what != "sample",
            _ => false,
        }
    }
}
