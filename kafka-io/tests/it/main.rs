//! The whole crate over the embedded broker, and over a real Kafka where one is named.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that cannot go on says so by panicking"
)]

mod faults;
mod flow;
mod guards;
mod stops;
mod support;
mod topics;
