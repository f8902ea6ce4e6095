//! Why the outside world could not be imitated as asked.

use std::io;
use std::net::SocketAddr;

/// Settings that contradict themselves, or a port that cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum SimulatorError {
    /// A pair, symbol, venue or time that makes no sense.
    #[error("{0}")]
    Setting(String),
    /// Another dislocation of the same pair is on or due then.
    #[error("pair `{pair}` is dislocated already between {from_ms} and {to_ms} ms")]
    Overlap {
        /// The pair.
        pair: String,
        /// Start of the other, milliseconds from the start of the market.
        from_ms: i64,
        /// Its end.
        to_ms: i64,
    },
    /// A server could not listen.
    #[error("could not listen on {address} for {dialect}")]
    Listen {
        /// Whom the server would have imitated.
        dialect: &'static str,
        /// The address that was wanted; port 0 means any.
        address: SocketAddr,
        /// What the system said.
        #[source]
        source: io::Error,
    },
}
