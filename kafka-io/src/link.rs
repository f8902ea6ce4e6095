//! Whether brokers are reached, as producer and consumer show it.
//!
//! In come what the library reports (errors, statistics, deliveries, records); out goes a [`Link`] anybody may look at.
//! Changes are logged once each: broker away at warn, back again at info. Absent: any decision; the library itself
//! reconnects, with capped and jittered back-off.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

/// Whether brokers are reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Link {
    /// At least one is.
    Up,
    /// None is, and it is tried again.
    Waiting {
        /// Since when.
        since: Instant,
        /// What the library last said.
        reason: String,
    },
}

impl Link {
    /// Whether at least one broker is reached.
    #[must_use]
    pub fn is_up(&self) -> bool {
        matches!(self, Self::Up)
    }
}

/// A [`Link`] that several threads keep.
#[derive(Debug)]
pub(crate) struct LinkWatch {
    who: String,
    /// Read for each record, so that the lock is not taken then.
    up: AtomicBool,
    state: Mutex<Inner>,
}

#[derive(Debug)]
struct Inner {
    link: Link,
    last_reason: Option<String>,
    fatal: Option<String>,
    /// Whether it has ever been up: the first connection is no news.
    was_up: bool,
}

impl LinkWatch {
    /// `who` is for the log, e.g. "producer".
    pub(crate) fn new(who: String, brokers: &str) -> Self {
        Self {
            who,
            up: AtomicBool::new(false),
            state: Mutex::new(Inner {
                link: Link::Waiting {
                    since: Instant::now(),
                    reason: format!("connecting to {brokers}"),
                },
                last_reason: None,
                fatal: None,
                was_up: false,
            }),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What it is now.
    pub(crate) fn get(&self) -> Link {
        self.lock().link.clone()
    }

    /// The last thing the library said, if anything.
    pub(crate) fn last_reason(&self) -> Option<String> {
        self.lock().last_reason.clone()
    }

    /// Why the client can do nothing any more, if so.
    pub(crate) fn fatal(&self) -> Option<String> {
        self.lock().fatal.clone()
    }

    /// A broker answered.
    pub(crate) fn up(&self) {
        if self.up.swap(true, Ordering::AcqRel) {
            return;
        }
        let mut state = self.lock();
        if let Link::Waiting { since, .. } = &state.link {
            if state.was_up {
                let waited_ms = since.elapsed().as_millis();
                tracing::info!(who = %self.who, %waited_ms, "broker is back");
            } else {
                tracing::debug!(who = %self.who, "connected");
            }
        }
        state.link = Link::Up;
        state.was_up = true;
        state.last_reason = None;
    }

    /// Something failed that may not concern every broker; it is kept as the reason of a later [`Self::down`].
    pub(crate) fn note(&self, reason: &str) {
        let mut state = self.lock();
        state.last_reason = Some(reason.to_owned());
        if let Link::Waiting { reason: shown, .. } = &mut state.link {
            reason.clone_into(shown);
        }
    }

    /// No broker is reached.
    pub(crate) fn down(&self, reason: &str) {
        self.up.store(false, Ordering::Release);
        let mut state = self.lock();
        let reason = state
            .last_reason
            .clone()
            .unwrap_or_else(|| reason.to_owned());
        match &mut state.link {
            Link::Waiting { reason: shown, .. } => *shown = reason,
            Link::Up => {
                tracing::warn!(who = %self.who, %reason, "broker away, waiting for it");
                state.link = Link::Waiting {
                    since: Instant::now(),
                    reason,
                };
            }
        }
    }

    /// The client can do nothing any more.
    pub(crate) fn fail(&self, reason: &str) {
        tracing::error!(who = %self.who, %reason, "kafka client gave up");
        self.lock().fatal = Some(reason.to_owned());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reason_of_an_outage_is_the_last_thing_said_about_a_broker() {
        let watch = LinkWatch::new("test".to_owned(), "127.0.0.1:1");
        assert!(!watch.get().is_up());
        watch.up();
        assert!(watch.get().is_up());
        watch.note("connection refused");
        assert!(watch.get().is_up(), "one broker of several may fail");
        watch.down("all brokers down");
        let Link::Waiting { reason, since } = watch.get() else {
            panic!("down, yet shown as up");
        };
        assert_eq!(reason, "connection refused");
        watch.down("again");
        let Link::Waiting { since: again, .. } = watch.get() else {
            panic!("down, yet shown as up");
        };
        assert_eq!(since, again, "an outage counts from its first fault");
        watch.up();
        assert_eq!(watch.last_reason(), None);
    }
}
