//! Why ingest stopped. A broken line or frame, or a venue that is away, does not stop it: those are counted.

use std::io;

/// Why ingest stopped.
#[derive(Debug, thiserror::Error)]
pub enum IngestError {
    /// A capture that cannot be opened.
    #[error("could not open the capture `{name}`")]
    Open {
        /// As given.
        name: String,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// No line of any input could be used.
    #[error("nothing in {inputs} could be used: {reason}")]
    NothingUsable {
        /// The names, as given.
        inputs: String,
        /// What was wrong, the first of it.
        reason: String,
    },
    /// A capture that cannot be made.
    #[error("could not make the capture `{name}`")]
    Create {
        /// As given.
        name: String,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A capture that cannot be written any further.
    #[error("could not write to the capture `{name}`; what was flushed before can be read")]
    Write {
        /// As given.
        name: String,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// No venue to connect to.
    #[error(
        "nothing to connect to: no pair and no rate names a symbol of a venue that has an address"
    )]
    NoConnections,
    /// Settings that no connection can be made with.
    #[error("setting `{name}` is `{value}`; it must be {range}")]
    Setting {
        /// Which.
        name: String,
        /// What it was.
        value: String,
        /// What it may be.
        range: String,
    },
    /// Certificates that cannot be used.
    #[error("could not use `ingest.ca_file` = `{name}`: {reason}")]
    Authority {
        /// As given.
        name: String,
        /// Why.
        reason: String,
    },
    /// TLS cannot be set up.
    #[error("could not set up TLS")]
    Tls(#[source] rustls::Error),
    /// A task of ingest ended as it never should.
    #[error("a task of ingest ended: {0}")]
    Task(String),
}

impl IngestError {
    /// Whether what was put in is at fault, and not the machine or the settings.
    #[must_use]
    pub const fn is_bad_input(&self) -> bool {
        matches!(self, Self::Open { .. } | Self::NothingUsable { .. })
    }
}
