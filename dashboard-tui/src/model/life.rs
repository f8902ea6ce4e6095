//! Whether the pipeline lives, judged by our own clock: a frozen screen must never look like "no arbitrage".

use contract::time::{NS_PER_MS, NS_PER_S};

use super::Model;

/// Whether the brokers are reached.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Link {
    /// Not yet.
    #[default]
    Connecting,
    /// They are.
    Up,
    /// Not now.
    Away {
        /// Since when, nanoseconds since 1970.
        since_ns: i64,
        /// What was last said about it.
        reason: String,
    },
    /// The reading failed for good and is begun anew.
    Failed {
        /// Since when, nanoseconds since 1970.
        since_ns: i64,
        /// Why.
        reason: String,
    },
}

/// How the feed fares.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Feed {
    /// Whether the brokers are reached.
    pub link: Link,
    /// Records on the topics that were not yet read, where it is known.
    pub lag: Option<u64>,
    /// How often the reading was begun anew.
    pub restarts: u64,
}

/// What the header says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Life {
    /// Waiting for a first answer of the brokers.
    Connecting {
        /// For how long, nanoseconds.
        for_ns: i64,
    },
    /// The brokers are away.
    Away {
        /// For how long, nanoseconds.
        for_ns: i64,
        /// Why.
        reason: String,
    },
    /// The reading failed.
    Failed {
        /// Why.
        reason: String,
    },
    /// Nothing has come at all.
    NoWindowsYet {
        /// For how long, nanoseconds.
        for_ns: i64,
    },
    /// Windows came, and do not any more.
    Stalled {
        /// For how long, nanoseconds.
        for_ns: i64,
    },
    /// Every session has ended.
    Ended {
        /// How long ago the last window came, nanoseconds.
        for_ns: i64,
    },
    /// Windows come.
    Flowing {
        /// How long ago the last one came, nanoseconds.
        age_ns: i64,
    },
}

/// Whose windows a view shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stream {
    /// Those of `spreads`.
    Spreads,
    /// Those of `eeg-states`.
    Eeg,
}

impl Life {
    /// Whether what stands on the screen is what is.
    pub(crate) fn is_flowing(&self) -> bool {
        matches!(self, Self::Flowing { .. })
    }
}

impl Model {
    /// How long no window may come before it is said.
    pub(crate) fn patience_ns(&self) -> i64 {
        (3 * NS_PER_S).max(self.width_ms.saturating_mul(3 * NS_PER_MS))
    }

    /// Whether windows of spreads come.
    pub(crate) fn life(&self) -> Life {
        self.life_of(Stream::Spreads)
    }

    /// What the header says while this is shown.
    pub(crate) fn life_of(&self, stream: Stream) -> Life {
        let since = |then_ns: i64| self.now_ns.saturating_sub(then_ns).max(0);
        let (newest_at_ns, is_late, is_over) = match stream {
            Stream::Spreads => {
                let is_late = self
                    .newest_at_ns
                    .is_some_and(|at_ns| since(at_ns) > self.patience_ns());
                (self.newest_at_ns, is_late, false)
            }
            Stream::Eeg => {
                let mut with_windows = self
                    .sessions
                    .iter()
                    .filter(|session| session.newest.is_some());
                let is_late = with_windows.clone().all(|session| {
                    session.ended_at_ns.is_some() || session.quiet_ns(self.now_ns).is_some()
                });
                let is_over = with_windows.all(|session| session.ended_at_ns.is_some());
                (self.newest_state_at_ns, is_late, is_over)
            }
        };
        match (&self.feed.link, newest_at_ns) {
            (Link::Away { since_ns, reason }, _) => Life::Away {
                for_ns: since(*since_ns),
                reason: reason.clone(),
            },
            (Link::Failed { reason, .. }, _) => Life::Failed {
                reason: reason.clone(),
            },
            (Link::Connecting, None) => Life::Connecting {
                for_ns: since(self.began_ns),
            },
            (Link::Up, None) => Life::NoWindowsYet {
                for_ns: since(self.began_ns),
            },
            (Link::Connecting | Link::Up, Some(at_ns)) if is_over => Life::Ended {
                for_ns: since(at_ns),
            },
            (Link::Connecting | Link::Up, Some(at_ns)) if is_late => Life::Stalled {
                for_ns: since(at_ns),
            },
            (Link::Connecting | Link::Up, Some(at_ns)) => Life::Flowing {
                age_ns: since(at_ns),
            },
        }
    }

    /// How far the newest window's end lies behind our clock, milliseconds.
    pub(crate) fn event_lag_ms(&self) -> Option<i64> {
        self.newest_end_ms
            .map(|end_ms| (self.now_ns / NS_PER_MS).saturating_sub(end_ms))
    }

    /// How far it lay behind when that window came: what does not grow while the next one is awaited.
    pub(crate) fn delay_ms(&self) -> Option<i64> {
        let came_ms = self.newest_at_ns? / NS_PER_MS;
        self.newest_end_ms
            .map(|end_ms| came_ms.saturating_sub(end_ms))
    }
}
