//! Why the alerter stopped. Discord being away is no reason to.

use kafka_io::KafkaError;

/// Why the alerter stopped. None of it shows the webhook's address.
#[derive(Debug, thiserror::Error)]
pub enum AlerterError {
    /// The file that should hold the webhook's address could not be read.
    #[error("could not read the webhook's address from `{file}`")]
    WebhookFile {
        /// Its name.
        file: String,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// What stands there is no address of a webhook.
    #[error(
        "{place} holds no address of a webhook: expected https:// or http://, a host and a path"
    )]
    Webhook {
        /// Where it stands, in words.
        place: String,
    },
    /// The connection to Discord could not be set up.
    #[error("could not set up the connection to Discord: {0}")]
    Client(String),
    /// A thread could not be started.
    #[error("could not start the thread `{name}`")]
    Thread {
        /// Its name.
        name: &'static str,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// A topic could not be read.
    #[error("could not read `{topic}`")]
    Read {
        /// Which.
        topic: &'static str,
        /// Why.
        #[source]
        source: KafkaError,
    },
    /// Alerts could not be written. Nothing is lost: what was not written is read again at the next start.
    #[error("could not write to `alerts`")]
    Write(#[source] KafkaError),
    /// Offsets could not be asked for or committed.
    #[error("could not keep the offsets")]
    Offsets(#[source] KafkaError),
}
