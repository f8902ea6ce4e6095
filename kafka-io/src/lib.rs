//! The one door to Kafka: nobody else names the client library, and none of its types stand in this interface.
//!
//! ```text
//!                    +-------------------- Broker ---------------------+
//! records -> Producer| queue -> delivery thread -> broker -> poll thread| Consumer -> batches
//!                    +--- a cluster, or the embedded one, same code ----+
//! ```
//!
//! In come plain settings ([`KafkaSettings`]) and records; out go batches of records with their offsets. The promises:
//! a producer is idempotent with `acks=all` and waits when its queue is full; a consumer reads what is committed, keeps
//! the order of each partition, and says loudly when what it should read next no longer exists. A broker that is away
//! is waited for, shown, and resumed from without loss. Deliberately absent: balanced consumer groups (partitions are assigned),
//! automatic topic creation, any meaning of keys and values. Reading order:
//!
//! - [`config`]: settings, and those that are refused by name.
//! - [`broker`]: a cluster or the embedded broker, the same code in front.
//! - [`producer`]: records in, delivery counted.
//! - [`transaction`]: records and positions, all of them or none.
//! - [`consumer`]: batches out, from explicit offsets.
//! - [`batch`]: the records of one poll, without an allocation for each.
//! - [`offsets`]: positions kept by the broker under a group's name.
//! - [`topics`]: making topics and comparing them with what is expected.
//! - [`health`]: who answers, with which topics.
//! - [`embedded`]: the broker inside the process, and what it cannot do.
//! - [`link`]: whether brokers are reached, as both ends show it.
//! - [`error`]: why something failed, and whether to try again.

pub mod batch;
pub mod broker;
pub mod config;
pub mod consumer;
pub mod embedded;
pub mod error;
pub mod health;
pub mod link;
pub mod offsets;
pub mod producer;
#[doc(hidden)]
pub mod testing;
pub mod topics;
pub mod transaction;

mod gauge;
mod group;
mod watch;

pub use batch::{Batch, Header, Message};
pub use broker::{Broker, Watermarks};
pub use config::KafkaSettings;
pub use consumer::{Assignment, Consumer, ConsumerOptions, Event, Lag, Start, State};
pub use embedded::EmbeddedBroker;
pub use error::KafkaError;
pub use health::Health;
pub use link::Link;
pub use offsets::Offsets;
pub use producer::{Producer, ProducerCounts, ProducerOptions, Record};
pub use topics::{TopicDifference, TopicReport, TopicSpec};
pub use transaction::{Position, Ticket, TransactionOptions, TransactionalProducer};
