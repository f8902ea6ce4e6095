//! A stream of the Lab Streaming Layer, where the build has it.

use super::{FeedError, FeedOptions, Source};

/// Opens a stream by its name.
///
/// # Errors
/// [`FeedError::NoLsl`]: this build is without.
pub fn open(name: &str, _: &str, _: &FeedOptions) -> Result<Box<dyn Source>, FeedError> {
    Err(FeedError::NoLsl(name.to_owned()))
}
