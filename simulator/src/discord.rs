//! A stand-in for Discord's webhooks on a loopback port, with real limits, real headers and real faults.
//!
//! In: requests as `alerter` sends them, and commands from a test or a person ([`Discord`]). Out: answers as Discord's
//! documentation gives them, and the memory of everything it was told. Deliberately absent: channels, users, attachments.

use std::time::Duration;

/// How many requests are let through.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Limits {
    /// Requests of one kind (posting, editing) that a webhook may make within `per_webhook_in`.
    pub per_webhook: u32,
    /// See `per_webhook`.
    pub per_webhook_in: Duration,
    /// Messages a channel takes within `per_channel_in`, of which no header tells beforehand.
    pub per_channel: u32,
    /// See `per_channel`.
    pub per_channel_in: Duration,
    /// Requests of all kinds within a second.
    pub global_per_s: u32,
}

impl Default for Limits {
    /// Those seen in practice: 5 in 2 s, 30 messages a minute and channel, 50 a second in all.
    fn default() -> Self {
        Self {
            per_webhook: 5,
            per_webhook_in: Duration::from_secs(2),
            per_channel: 30,
            per_channel_in: Duration::from_secs(60),
            global_per_s: 50,
        }
    }
}
