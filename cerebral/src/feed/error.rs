//! Why a source gives no blocks.

use std::io;
use std::path::PathBuf;

use kafka_io::KafkaError;

use crate::error::AnalysisError;
use crate::source::LoadError;

/// Why a source gives no blocks, or why they could not be published.
#[derive(Debug, thiserror::Error)]
pub enum FeedError {
    /// The file could not be read.
    #[error("could not read `{}`", .path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// What the system says.
        #[source]
        source: io::Error,
    },
    /// The file is no recording.
    #[error("`{}` is no recording that could be played", .path.display())]
    Recording {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: LoadError,
    },
    /// The serial port could not be opened the first time; once it was, it is waited for.
    #[error("could not open the serial port `{device}`{}", show(.known, "serial port on this machine"))]
    Port {
        /// Which.
        device: String,
        /// Ports that there are.
        known: Vec<String>,
        /// What the system says.
        #[source]
        source: io::Error,
    },
    /// The socket could not be bound.
    #[error("could not listen on UDP {address}")]
    Socket {
        /// Where.
        address: String,
        /// What the system says.
        #[source]
        source: io::Error,
    },
    /// The socket fails.
    #[error("UDP {address} can be read no longer")]
    Receive {
        /// Where.
        address: String,
        /// What the system says.
        #[source]
        source: io::Error,
    },
    /// A source that this build has not.
    #[error("`lsl:{0}` needs a build with the feature `lsl`, and this one is without")]
    NoLsl(String),
    /// No stream of this name answered.
    #[error("no stream `{name}` answers{}", show(.known, "stream on this network"))]
    NoStream {
        /// Which.
        name: String,
        /// Streams that there are.
        known: Vec<String>,
    },
    /// The stream could not be opened or read.
    #[error("the stream `{name}` cannot be read")]
    Stream {
        /// Which.
        name: String,
        /// Why.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The simulated headset is started by whoever calls.
    #[error("the simulated headset has no port yet: start it and open its path as `serial:PATH`")]
    Simulated,
    /// Another process publishes this session.
    #[error(
        "the session `{session}` is being published by another process: stop that one, or give this one another name with --session"
    )]
    Busy {
        /// Which.
        session: String,
    },
    /// A speed or rate that cannot be.
    #[error(transparent)]
    Setting(#[from] AnalysisError),
    /// The broker's client gave up.
    #[error(transparent)]
    Broker(#[from] KafkaError),
}

/// What there is in its place.
fn show(known: &[String], what: &str) -> String {
    if known.is_empty() {
        return format!("; there is no {what}");
    }
    format!("; there are {}", known.join(", "))
}
