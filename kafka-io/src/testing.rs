//! Faults on demand, for tests: the embedded broker goes away, comes back, answers with errors, answers slowly.
//!
//! Absent from the documented interface on purpose: nothing but tests should want a broker to fail.

use std::time::Duration;

use rdkafka::types::{RDKafkaApiKey, RDKafkaRespErr};

use crate::embedded::EmbeddedBroker;
use crate::error::KafkaError;

/// A kind of request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Request {
    /// Writing records.
    Produce,
    /// Reading records.
    Fetch,
    /// Asking for brokers and topics.
    Metadata,
    /// Asking for offsets.
    ListOffsets,
}

/// An error to be answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The partition's leader is elsewhere: retried.
    NotLeader,
    /// The broker lost its disk: retried.
    Storage,
    /// Not allowed: not retried.
    NotAuthorized,
    /// The record does not fit the topic's rules: not retried.
    InvalidRecord,
}

/// The number of the one broker there is.
const BROKER: i32 = 1;

/// Closes all connections and takes none until [`broker_up`].
///
/// # Errors
/// [`KafkaError::Embedded`].
pub fn broker_down(broker: &EmbeddedBroker) -> Result<(), KafkaError> {
    broker.ask("taking it down".to_owned(), |cluster| {
        cluster
            .broker_down(BROKER)
            .map_err(|error| error.to_string())
    })
}

/// Takes connections again, with all it held.
///
/// # Errors
/// [`KafkaError::Embedded`].
pub fn broker_up(broker: &EmbeddedBroker) -> Result<(), KafkaError> {
    broker.ask("bringing it up".to_owned(), |cluster| {
        cluster.broker_up(BROKER).map_err(|error| error.to_string())
    })
}

/// Answers no sooner than this after each request.
///
/// # Errors
/// [`KafkaError::Embedded`].
pub fn round_trip(broker: &EmbeddedBroker, delay: Duration) -> Result<(), KafkaError> {
    broker.ask("slowing it down".to_owned(), move |cluster| {
        cluster
            .broker_round_trip_time(BROKER, delay)
            .map_err(|error| error.to_string())
    })
}

/// The next requests of this kind are answered with these errors, in this order.
///
/// # Errors
/// [`KafkaError::Embedded`].
pub fn request_errors(
    broker: &EmbeddedBroker,
    request: Request,
    faults: &[Fault],
) -> Result<(), KafkaError> {
    let key = match request {
        Request::Produce => RDKafkaApiKey::Produce,
        Request::Fetch => RDKafkaApiKey::Fetch,
        Request::Metadata => RDKafkaApiKey::Metadata,
        Request::ListOffsets => RDKafkaApiKey::ListOffsets,
    };
    let errors: Vec<RDKafkaRespErr> = faults
        .iter()
        .map(|fault| match fault {
            Fault::NotLeader => RDKafkaRespErr::RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION,
            Fault::Storage => RDKafkaRespErr::RD_KAFKA_RESP_ERR_KAFKA_STORAGE_ERROR,
            Fault::NotAuthorized => RDKafkaRespErr::RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED,
            Fault::InvalidRecord => RDKafkaRespErr::RD_KAFKA_RESP_ERR_INVALID_RECORD,
        })
        .collect();
    broker.ask("making it fail".to_owned(), move |cluster| {
        cluster.request_errors(key, &errors);
        Ok(())
    })
}
