//! Why a simulation, a calibration or a what-if run was refused. No text that a network peer would see.

/// Why the twin could not be built, run or fitted.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum TwinError {
    /// Two arrays that describe one network differ in size.
    #[error("{what} has {found} entries where {expected} are needed")]
    Shape {
        /// The array that does not fit.
        what: &'static str,
        /// What the network asks for.
        expected: usize,
        /// What was given.
        found: usize,
    },
    /// A number outside the range in which it means something.
    #[error("{what} is {value}, outside {range}")]
    Range {
        /// The setting or array.
        what: &'static str,
        /// The value found; the first of them in an array.
        value: f64,
        /// The range in words.
        range: &'static str,
    },
    /// The chosen method cannot integrate this network.
    #[error("{method} cannot integrate {what}")]
    Unsupported {
        /// The integrator.
        method: &'static str,
        /// The property that it cannot handle.
        what: &'static str,
    },
    /// The integrator left the finite numbers or could not take a step.
    #[error("the integration failed at {at_s} s")]
    Diverged {
        /// Simulated time in seconds.
        at_s: f64,
    },
    /// The recording is too short for what was asked of it.
    #[error("{n_samples} samples are too few, {needed} are needed")]
    TooShort {
        /// Samples given.
        n_samples: usize,
        /// Samples needed.
        needed: usize,
    },
    /// A channel from which nothing can be fitted.
    #[error("channel {channel} carries no oscillation: {reason}")]
    DeadChannel {
        /// Index of the channel.
        channel: usize,
        /// What was seen.
        reason: &'static str,
    },
    /// A step of the analysis that the calibration stands on was refused.
    #[error(transparent)]
    Analysis(#[from] crate::AnalysisError),
    /// A matrix that must be invertible is not.
    #[error("the {what} is singular")]
    Singular {
        /// Which matrix.
        what: &'static str,
    },
}

/// Fails unless `found == expected`.
pub(crate) fn same_size(
    what: &'static str,
    expected: usize,
    found: usize,
) -> Result<(), TwinError> {
    if found == expected {
        Ok(())
    } else {
        Err(TwinError::Shape {
            what,
            expected,
            found,
        })
    }
}

/// Fails on the first value for which `legal` does not hold; NaN and infinities never are legal.
pub(crate) fn in_range<'a>(
    what: &'static str,
    range: &'static str,
    values: impl IntoIterator<Item = &'a f64>,
    legal: impl Fn(f64) -> bool,
) -> Result<(), TwinError> {
    match values
        .into_iter()
        .find(|value| !(value.is_finite() && legal(**value)))
    {
        None => Ok(()),
        Some(value) => Err(TwinError::Range {
            what,
            value: *value,
            range,
        }),
    }
}
