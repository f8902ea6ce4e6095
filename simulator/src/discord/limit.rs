//! How many requests are let through: per webhook and kind, per channel without a word beforehand, and in all.
//!
//! In: the time since the start and the kind of a request. Out: a verdict with the figures for the headers. No clock. A
//! window opens with the first request after the last one's end; a request that is refused counts in none.

use std::time::Duration;

use super::memory::Kind;

/// How many requests are let through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Requests of one kind (posting, editing) that a webhook may make within `per_webhook_in`.
    pub per_webhook: u32,
    /// See `per_webhook`.
    pub per_webhook_in: Duration,
    /// Messages a channel takes within `per_channel_in`, of which no header tells beforehand.
    pub per_channel: u32,
    /// See `per_channel`.
    pub per_channel_in: Duration,
    /// Requests of all kinds within `global_in`.
    pub global: u32,
    /// See `global`.
    pub global_in: Duration,
}

impl Default for Limits {
    /// Those seen in practice: 5 in 2 s, 30 messages a minute and channel, 50 a second in all.
    fn default() -> Self {
        Self {
            per_webhook: 5,
            per_webhook_in: Duration::from_secs(2),
            per_channel: 30,
            per_channel_in: Duration::from_secs(60),
            global: 50,
            global_in: Duration::from_secs(1),
        }
    }
}

impl Limits {
    /// The same limits on a clock that runs so many times as fast, for tests that shall not last an hour.
    #[must_use]
    pub fn faster(self, times: u32) -> Self {
        Self {
            per_webhook_in: self.per_webhook_in / times,
            per_channel_in: self.per_channel_in / times,
            global_in: self.global_in / times,
            ..self
        }
    }
}

/// Whose limit a 429 tells of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// The webhook's own.
    User,
    /// All requests of this sender.
    Global,
    /// The channel's, which others may have used up.
    Shared,
}

impl Scope {
    /// As the header spells it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Global => "global",
            Self::Shared => "shared",
        }
    }
}

/// Whether a request is let through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Verdict {
    /// For how long to wait and whose limit it is; none lets the request through.
    pub limited: Option<(Duration, Scope)>,
    /// Requests the webhook's window takes in all.
    pub limit: u32,
    /// Requests left in the webhook's window.
    pub remaining: u32,
    /// Until that window ends.
    pub reset_after: Duration,
}

/// Counts requests against [`Limits`].
#[derive(Debug)]
pub struct Limiter {
    limits: Limits,
    post: Window,
    edit: Window,
    channel: Window,
    global: Window,
}

#[derive(Debug, Clone, Copy, Default)]
struct Window {
    ends: Option<Duration>,
    used: u32,
}

impl Window {
    /// Opens anew when the last has ended. Gives what is left and for how long.
    fn look(&mut self, now: Duration, limit: u32, length: Duration) -> (u32, Duration) {
        if self.ends.is_none_or(|ends| now >= ends) {
            *self = Self {
                ends: Some(now + length),
                used: 0,
            };
        }
        let ends = self.ends.unwrap_or(now);
        (limit.saturating_sub(self.used), ends.saturating_sub(now))
    }
}

impl Limiter {
    /// Nothing is counted yet.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        Self {
            limits,
            post: Window::default(),
            edit: Window::default(),
            channel: Window::default(),
            global: Window::default(),
        }
    }

    /// What these are.
    #[must_use]
    pub fn limits(&self) -> Limits {
        self.limits
    }

    /// Judges a request that comes now, and counts it if it is let through.
    pub fn ask(&mut self, now: Duration, kind: Kind) -> Verdict {
        let limits = self.limits;
        let own = match kind {
            Kind::Post => &mut self.post,
            Kind::Edit | Kind::Get | Kind::Delete => &mut self.edit,
        };
        let (own_left, own_for) = own.look(now, limits.per_webhook, limits.per_webhook_in);
        let (all_left, all_for) = self.global.look(now, limits.global, limits.global_in);
        let (channel_left, channel_for) = match kind {
            Kind::Post => self
                .channel
                .look(now, limits.per_channel, limits.per_channel_in),
            _ => (u32::MAX, Duration::ZERO),
        };
        let limited = if all_left == 0 {
            Some((all_for, Scope::Global))
        } else if own_left == 0 {
            Some((own_for, Scope::User))
        } else if channel_left == 0 {
            Some((channel_for, Scope::Shared))
        } else {
            None
        };
        if limited.is_none() {
            own.used += 1;
            self.global.used += 1;
            if kind == Kind::Post {
                self.channel.used += 1;
            }
        }
        Verdict {
            limited,
            limit: limits.per_webhook,
            remaining: own_left.saturating_sub(u32::from(limited.is_none())),
            reset_after: own_for,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const S: fn(u64) -> Duration = Duration::from_secs;

    #[test]
    fn five_in_two_seconds_then_a_wait_until_the_window_ends() {
        let mut limiter = Limiter::new(Limits::default());
        for n in 0..5 {
            let verdict = limiter.ask(Duration::from_millis(100 * n), Kind::Post);
            assert_eq!(verdict.limited, None);
            assert_eq!(u64::from(verdict.remaining), 4 - n);
        }
        let refused = limiter.ask(Duration::from_millis(500), Kind::Post);
        assert_eq!(
            refused.limited,
            Some((Duration::from_millis(1500), Scope::User))
        );
        assert_eq!(
            limiter.ask(Duration::from_millis(500), Kind::Edit).limited,
            None,
            "editing has a window of its own"
        );
        assert_eq!(limiter.ask(S(2), Kind::Post).limited, None);
    }

    #[test]
    fn the_channel_s_limit_is_not_told_beforehand() {
        let mut limiter = Limiter::new(Limits::default());
        let mut now = Duration::ZERO;
        for _ in 0..30 {
            assert_eq!(limiter.ask(now, Kind::Post).limited, None);
            now += Duration::from_millis(500);
        }
        let refused = limiter.ask(now, Kind::Post);
        assert_eq!(refused.limited, Some((S(45), Scope::Shared)));
        assert!(refused.remaining > 0);
        assert_eq!(limiter.ask(S(60), Kind::Post).limited, None);
    }

    #[test]
    fn everything_together_has_a_limit_too() {
        let wide = Limits {
            per_webhook: 1000,
            per_channel: 1000,
            ..Limits::default()
        };
        let mut limiter = Limiter::new(wide);
        for _ in 0..25 {
            assert_eq!(limiter.ask(S(0), Kind::Post).limited, None);
            assert_eq!(limiter.ask(S(0), Kind::Edit).limited, None);
        }
        let refused = limiter.ask(Duration::from_millis(400), Kind::Edit).limited;
        assert_eq!(refused, Some((Duration::from_millis(600), Scope::Global)));
    }
}
