//! Why the dashboard could not go on.

use kafka_io::KafkaError;

/// Why the dashboard could not go on. A broker that is away is none of these: that is shown, and waited for.
#[derive(Debug, thiserror::Error)]
pub enum DashboardError {
    /// Standard output is no terminal; `--once` prints a frame anyway.
    #[error(
        "the dashboard needs a terminal, and standard output is none; --once prints one frame as text"
    )]
    NoTerminal,
    /// The terminal could not be taken, read or written.
    #[error("could not use the terminal")]
    Terminal(#[source] std::io::Error),
    /// Settings that no broker could be asked with, and the like.
    #[error("could not read the topics")]
    Kafka(#[from] KafkaError),
    /// The system gave no thread.
    #[error("could not start the thread `{name}`")]
    Thread {
        /// Its name.
        name: &'static str,
        /// Why.
        #[source]
        source: std::io::Error,
    },
}
