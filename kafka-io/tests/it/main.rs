//! The whole crate over the embedded broker, and over a real Kafka where one is named.
#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot go on says so by panicking"
)]

mod faults;
mod flow;
mod guards;
mod offsets;
mod real_kafka;
mod stops;
mod support;
mod topics;
mod transactions;
