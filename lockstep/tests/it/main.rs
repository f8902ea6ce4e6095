//! The binary as a user runs it: files in, files and exit codes out.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot run its program has failed"
)]

mod alerter_killed;
mod bad_input;
mod broker;
mod cerebral;
mod chaos;
mod dashboard;
mod dead_letters;
mod eeg_exactly_once;
mod eeg_stream;
mod exactly_once;
mod expected;
mod fixture;
mod metrics;
mod misbehaviour;
mod read_committed;
mod recordings;
mod same_bytes;
mod schema_change;
mod simulate;
mod told;
mod topics;
mod truth;
mod world;
