//! A stream of the Lab Streaming Layer, where the build has it (feature `lsl`, a client written in Rust alone).

#[cfg(feature = "lsl")]
mod inlet;

#[cfg(feature = "lsl")]
pub use inlet::LslSource;

use super::{FeedError, FeedOptions, Source};

/// Opens a stream by its name.
///
/// # Errors
/// [`FeedError::NoStream`], [`FeedError::Stream`], [`FeedError::Setting`]; in a build without, [`FeedError::NoLsl`].
#[cfg(feature = "lsl")]
pub fn open(
    name: &str,
    session: &str,
    options: &FeedOptions,
) -> Result<Box<dyn Source>, FeedError> {
    Ok(Box::new(LslSource::open(name, session, options)?))
}

/// Says that this build is without.
///
/// # Errors
/// [`FeedError::NoLsl`].
#[cfg(not(feature = "lsl"))]
pub fn open(name: &str, _: &str, _: &FeedOptions) -> Result<Box<dyn Source>, FeedError> {
    Err(FeedError::NoLsl(name.to_owned()))
}
