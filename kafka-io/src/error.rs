//! Why something with Kafka failed, and whether trying again may help.
//!
//! In come the client library's errors, out go plain values without any of its types. Absent: secrets; the value of a
//! setting stands in an error only where its name says that it is none.

use std::time::Duration;

use rdkafka::error::{KafkaError as RdError, RDKafkaErrorCode as Code};

use crate::config::SettingFault;
use crate::topics::TopicDifference;

/// Why something with Kafka failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KafkaError {
    /// Settings that are refused; all of them at once.
    #[error("kafka settings refused: {}", join(.0))]
    Settings(Vec<SettingFault>),
    /// The client library would not start with these settings.
    #[error("starting a kafka {what} for `{brokers}`: {reason}")]
    Start {
        /// Producer, consumer, admin client.
        what: &'static str,
        /// The address given.
        brokers: String,
        /// What the library said.
        reason: String,
    },
    /// A thread could not be started.
    #[error("starting the thread `{name}`: {reason}")]
    Thread {
        /// Its name.
        name: String,
        /// What the system said.
        reason: String,
    },
    /// Nobody answered in time.
    #[error(
        "asking `{brokers}` for {what}: no answer within {} ms ({reason}); is the broker running, and is `[kafka] brokers` its address?",
        .waited.as_millis()
    )]
    Away {
        /// What was asked for.
        what: String,
        /// The address tried.
        brokers: String,
        /// How long it was tried.
        waited: Duration,
        /// The last thing the library said.
        reason: String,
    },
    /// A broker answered with an error.
    #[error("asking `{brokers}` for {what}: {reason}")]
    Answer {
        /// What was asked for.
        what: String,
        /// The address.
        brokers: String,
        /// What the broker said.
        reason: String,
        /// Whether the same request may succeed later.
        retryable: bool,
    },
    /// The topic does not exist.
    #[error("topic `{topic}` does not exist; `lockstep topics` creates it")]
    UnknownTopic {
        /// Its name.
        topic: String,
    },
    /// The topic has fewer partitions.
    #[error("topic `{topic}` has no partition {partition}, only {partitions} of them")]
    UnknownPartition {
        /// The topic.
        topic: String,
        /// The partition asked for.
        partition: i32,
        /// How many it has.
        partitions: usize,
    },
    /// A position was set for a partition that this consumer does not read.
    #[error("partition {partition} of `{topic}` is not assigned to this consumer")]
    NotAssigned {
        /// The topic.
        topic: String,
        /// The partition.
        partition: i32,
    },
    /// Records that should be read next no longer exist.
    #[error(
        "data lost on `{topic}` partition {partition}: offset {expected} should come next, but the oldest kept is {low}; \
         on the embedded broker a reader came too late, on a cluster the retention is too short for this reader's pause"
    )]
    DataLost {
        /// The topic.
        topic: String,
        /// The partition.
        partition: i32,
        /// The offset that should have come next.
        expected: i64,
        /// The oldest offset that there is, or the next that came.
        low: i64,
    },
    /// A position lies behind the end of the partition.
    #[error(
        "offset {expected} of `{topic}` partition {partition} lies behind its end {high}; was the topic deleted and made anew? \
         then the checkpoints of the old one do not fit it"
    )]
    BeyondEnd {
        /// The topic.
        topic: String,
        /// The partition.
        partition: i32,
        /// The offset that should have come next.
        expected: i64,
        /// Where the partition ends.
        high: i64,
    },
    /// A record is larger than the broker takes.
    #[error(
        "record of {bytes} bytes for `{topic}` is too large; `message.max.bytes` bounds it, on the topic and in `[kafka.properties]`"
    )]
    TooLarge {
        /// The topic.
        topic: String,
        /// Key, value and headers, in bytes.
        bytes: usize,
    },
    /// The library did not take a record.
    #[error("handing over a record for `{topic}` partition {partition}: {reason}")]
    Refused {
        /// The topic.
        topic: String,
        /// The partition.
        partition: i32,
        /// What the library said.
        reason: String,
    },
    /// A wait was broken off because a stop was asked for.
    #[error("stopped while {0}")]
    Stopped(&'static str),
    /// Records that were handed over were not delivered.
    #[error("{count} records were not delivered; the last one, for {last}")]
    Undelivered {
        /// How many since the last flush that said so.
        count: u64,
        /// Topic, partition and reason of the last.
        last: String,
    },
    /// Records were still under way when the time of a flush was over.
    #[error("{remaining} records still not delivered after {} ms ({reason})", .waited.as_millis())]
    Remaining {
        /// How many.
        remaining: u64,
        /// How long was waited.
        waited: Duration,
        /// Why, as far as it is known.
        reason: String,
    },
    /// The client can do nothing any more; a new one is needed.
    #[error("the kafka client gave up: {reason}")]
    Fatal {
        /// What the library said.
        reason: String,
    },
    /// The broker isolates no transaction.
    #[error(
        "the embedded broker isolates no transaction, so nothing is exactly once on it; \
         use Apache Kafka, or deliver at least once"
    )]
    NoTransactions,
    /// The open transaction must be aborted, and what belongs to it be done again.
    #[error("transaction failed while {doing}: {reason}")]
    MustAbort {
        /// What was attempted.
        doing: &'static str,
        /// What the library said.
        reason: String,
    },
    /// Another producer has taken over this one's work.
    #[error(
        "fenced: another process has taken over `{id}`, or this one was away for longer than a transaction may last ({reason})"
    )]
    Fenced {
        /// The `transactional.id`.
        id: String,
        /// What the library said.
        reason: String,
    },
    /// Topics are not as the code expects; all differences at once.
    #[error("topics differ from what is expected: {}", join(.0))]
    Topics(Vec<TopicDifference>),
    /// The embedded broker failed.
    #[error("embedded broker, {doing}: {reason}")]
    Embedded {
        /// What was attempted.
        doing: String,
        /// What the library said.
        reason: String,
    },
}

fn join<T: std::fmt::Display>(list: &[T]) -> String {
    let texts: Vec<String> = list.iter().map(ToString::to_string).collect();
    texts.join("; ")
}

impl KafkaError {
    /// Whether the same call may succeed later without anybody changing anything.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Away { .. } | Self::Remaining { .. } => true,
            Self::Answer { retryable, .. } => *retryable,
            Self::Settings(_)
            | Self::Start { .. }
            | Self::Thread { .. }
            | Self::UnknownTopic { .. }
            | Self::UnknownPartition { .. }
            | Self::NotAssigned { .. }
            | Self::DataLost { .. }
            | Self::BeyondEnd { .. }
            | Self::TooLarge { .. }
            | Self::Refused { .. }
            | Self::Stopped(_)
            | Self::Undelivered { .. }
            | Self::Fatal { .. }
            | Self::NoTransactions
            | Self::MustAbort { .. }
            | Self::Fenced { .. }
            | Self::Topics(_)
            | Self::Embedded { .. } => false,
        }
    }

    /// From a failed request.
    pub(crate) fn of_request(what: &str, brokers: &str, error: &RdError) -> Self {
        let code = code_of(error);
        Self::Answer {
            what: what.to_owned(),
            brokers: brokers.to_owned(),
            reason: code.map_or_else(|| error.to_string(), |code| code.to_string()),
            retryable: code.is_some_and(code_is_retryable),
        }
    }
}

/// The code within one of the library's errors; its own way passes over that of an admin client.
pub(crate) fn code_of(error: &RdError) -> Option<Code> {
    match error {
        RdError::AdminOp(code) => Some(*code),
        other => other.rdkafka_error_code(),
    }
}

/// Whether waiting cures it: the broker, the leader or the network is away for now.
pub(crate) fn code_is_retryable(code: Code) -> bool {
    matches!(
        code,
        Code::BrokerTransportFailure
            | Code::AllBrokersDown
            | Code::Resolve
            | Code::OperationTimedOut
            | Code::RequestTimedOut
            | Code::MessageTimedOut
            | Code::TimedOutQueue
            | Code::WaitingForCoordinator
            | Code::WaitCache
            | Code::QueueFull
            | Code::LeaderNotAvailable
            | Code::NotLeaderForPartition
            | Code::ReplicaNotAvailable
            | Code::BrokerNotAvailable
            | Code::NetworkException
            | Code::CoordinatorLoadInProgress
            | Code::CoordinatorNotAvailable
            | Code::NotCoordinator
            | Code::NotController
            | Code::NotEnoughReplicas
            | Code::NotEnoughReplicasAfterAppend
            | Code::KafkaStorageError
            | Code::FetchSessionIdNotFound
            | Code::InvalidFetchSessionEpoch
            | Code::FencedLeaderEpoch
            | Code::UnknownLeaderEpoch
            | Code::OffsetNotAvailable
            | Code::ThrottlingQuotaExceeded
    )
}

/// Whether a broker does not know a topic or partition. It may have just been made, and this broker not have heard of it.
pub(crate) fn code_is_unknown(code: Code) -> bool {
    matches!(
        code,
        Code::UnknownTopicOrPartition | Code::UnknownTopic | Code::UnknownPartition
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_waiting_cures_is_retryable() {
        let away = |code| {
            KafkaError::of_request("metadata", "127.0.0.1:1", &RdError::MetadataFetch(code))
                .is_retryable()
        };
        assert!(away(Code::BrokerTransportFailure));
        assert!(away(Code::LeaderNotAvailable));
        let slow = RdError::AdminOp(Code::OperationTimedOut);
        assert!(KafkaError::of_request("new topics", "127.0.0.1:1", &slow).is_retryable());
        assert!(!away(Code::TopicAuthorizationFailed));
        assert!(!away(Code::MessageSizeTooLarge));
        let lost = KafkaError::DataLost {
            topic: "ticks".to_owned(),
            partition: 3,
            expected: 10,
            low: 20,
        };
        assert!(!lost.is_retryable());
        assert!(
            lost.to_string().starts_with(
                "data lost on `ticks` partition 3: offset 10 should come next, but the oldest kept is 20"
            ),
            "{lost}"
        );
    }
}
