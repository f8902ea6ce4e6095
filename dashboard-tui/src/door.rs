//! Where feeding and drawing meet: one [`App`] behind a lock that is fair and held briefly.
//!
//! The feed takes it for a few hundred records at a time, the drawing thread for one frame's cells, never for a write to
//! the terminal. What when full: nothing queues here. While a frame is laid out (about a millisecond) the feed waits; a
//! terminal that takes nothing holds up frames alone.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::app::App;
use crate::message::Message;

/// Messages folded in one go; the longest that the drawing thread waits is the time for these.
const CHUNK: usize = 256;

/// The door to an [`App`]; clones lead to the same one.
#[derive(Debug, Clone)]
pub struct Door {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    /// Whoever waits for the app holds this meanwhile, so that the one who just let go cannot take it again at once.
    next: Mutex<()>,
    app: Mutex<App>,
}

impl Door {
    /// A door to this dashboard.
    #[must_use]
    pub fn new(app: App) -> Self {
        let inner = Inner {
            next: Mutex::new(()),
            app: Mutex::new(app),
        };
        Self {
            inner: Arc::new(inner),
        }
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, App> {
        let _next = self
            .inner
            .next
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        self.inner
            .app
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes what happened, in order.
    pub fn take<'a>(&self, messages: impl IntoIterator<Item = Message<'a>>) {
        let mut messages = messages.into_iter().peekable();
        while messages.peek().is_some() {
            let mut app = self.lock();
            messages
                .by_ref()
                .take(CHUNK)
                .for_each(|message| app.update(message));
        }
    }
}
