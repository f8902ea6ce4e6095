//! The alerter against the limits in virtual time, and over real sockets against the stand-in for Discord.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot go on says so by panicking"
)]

mod crash;
mod discord;
mod limits;
mod stage;
mod support;
