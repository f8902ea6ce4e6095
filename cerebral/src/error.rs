//! Why a signal could not be analysed.

/// Why a signal could not be analysed. All of these are the fault of what was asked or of the recording, none of the machine.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum AnalysisError {
    /// A setting that the arithmetic cannot work with.
    #[error("`{name}` is {value}; it must be {range}")]
    Setting {
        /// Which.
        name: &'static str,
        /// What it was.
        value: String,
        /// What it may be.
        range: String,
    },
    /// Fewer samples than the step needs.
    #[error("{what} needs at least {least} samples, not {found}")]
    TooShort {
        /// The step.
        what: &'static str,
        /// How many it needs.
        least: usize,
        /// How many there are.
        found: usize,
    },
    /// Fewer channels than the step needs.
    #[error("{what} needs at least {least} usable channels, not {found}")]
    TooFewChannels {
        /// The step.
        what: &'static str,
        /// How many it needs.
        least: usize,
        /// How many there are.
        found: usize,
    },
    /// Two arrays that belong together differ in shape.
    #[error("{what} has shape {found:?}, expected {expected:?}")]
    Shape {
        /// Which array.
        what: &'static str,
        /// What would fit.
        expected: Vec<usize>,
        /// What it is.
        found: Vec<usize>,
    },
}

impl AnalysisError {
    /// A setting out of its range.
    pub(crate) fn setting(
        name: &'static str,
        value: impl std::fmt::Display,
        range: impl Into<String>,
    ) -> Self {
        Self::Setting {
            name,
            value: value.to_string(),
            range: range.into(),
        }
    }
}
