//! The connections to one venue, kept: one that delivers, and for a while a second that takes over from it.
//!
//! ```text
//! none -- attempt (back-off) --> first
//! first: old enough, its end announced, or a stream of it quiet --> second beside it
//! second delivers all that the first delivers  --> the first is closed, the second is the first
//! second fails, or does not deliver in time    --> it is closed, the first stays as long as it lives; later again
//! first ends meanwhile                         --> the second is the first
//! ```
//!
//! When each of these is the case is decided by [`Deliveries`](super::deliveries::Deliveries) and
//! [`Alarms`](super::alarms::Alarms); here is the order of things. One task each.

use std::future::{Future, pending};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep_until};

use super::LiveSettings;
use super::alarms::Alarms;
use super::backoff::Backoff;
use super::ending::Ending;
use super::link::{Common, Link, View};

/// The state of things is looked at at least, and at most, this often.
const CHECKS: (Duration, Duration) = (Duration::from_millis(250), Duration::from_millis(5));

/// Keeps the connections to one venue.
pub(super) struct Keeper {
    common: Arc<Common>,
    rotate_after: Duration,
    overlap: Duration,
    takeover_within: Duration,
    spacing: Duration,
    alarms: Alarms,
    backoff: Backoff,
    /// That of seconds: their failures say nothing of the first.
    second_backoff: Backoff,
    /// Which of the addresses is used.
    address: usize,
    /// The number of the next connection.
    next: u64,
    last_attempt: Option<Instant>,
    first_not_before: Instant,
    second_not_before: Instant,
}

/// A connection that runs, or is being made.
struct Running {
    running: Pin<Box<dyn Future<Output = Ending> + Send>>,
    view: Arc<View>,
    close: Option<oneshot::Sender<Ending>>,
    url: String,
    began: Instant,
    /// When it is old enough to be replaced, counted from its making.
    rotate_after: Duration,
}

/// Why there is a second connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Cause {
    /// The first is old.
    Age,
    /// The venue announced the end of the first.
    Announced,
    /// This stream of the first is quiet.
    Quiet(usize),
}

impl Running {
    fn had_data(&self) -> bool {
        let deliveries = self.view.deliveries();
        deliveries.as_ref().is_some_and(|on| on.had_data())
    }

    fn close(&mut self, ending: Ending) {
        if let Some(close) = self.close.take() {
            // It may have ended by itself.
            let _ = close.send(ending);
        }
    }

    fn is_closing(&self) -> bool {
        self.close.is_none()
    }
}

impl Keeper {
    pub(super) fn new(common: Common, settings: &LiveSettings, seed: u64) -> Self {
        let now = Instant::now();
        Self {
            rotate_after: settings.rotate_after,
            overlap: settings.overlap,
            takeover_within: settings.takeover_within,
            spacing: settings.backoff.spacing,
            alarms: Alarms::new(&common.connection),
            backoff: Backoff::new(settings.backoff, seed),
            second_backoff: Backoff::new(settings.backoff, seed ^ u64::MAX),
            common: Arc::new(common),
            address: 0,
            next: 1,
            last_attempt: None,
            first_not_before: now,
            second_not_before: now,
        }
    }

    /// Runs until told to stop, or until nobody listens any more.
    pub(super) async fn keep(mut self) {
        let mut stopped = self.common.stopped.clone();
        let mut first: Option<Running> = None;
        let mut second: Option<(Running, Cause)> = None;
        let every = (self.overlap / 4).clamp(CHECKS.1, CHECKS.0);
        let mut checks = interval(every);
        checks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            if first.is_none() {
                first = second.take().map(|(running, _)| running);
            }
            let view = first.as_ref().map(|first| Arc::clone(&first.view));
            tokio::select! {
                ending = ended(first.as_mut()) => {
                    let Some(gone) = first.take() else { continue };
                    if matches!(ending, Ending::Stopped) && second.is_none() {
                        return;
                    }
                    self.first_ended(&gone, &ending);
                }
                ending = ended(second.as_mut().map(|(running, _)| running)) => {
                    let Some((gone, cause)) = second.take() else { continue };
                    self.second_ended(&gone, cause, &ending);
                }
                () = sleep_until(self.first_not_before), if first.is_none() => {
                    first = Some(self.open());
                }
                _ = stopped.wait_for(|stopped| *stopped), if first.is_none() => return,
                () = announced(view.as_deref()), if second.is_none() => {
                    self.look(first.as_mut(), &mut second);
                }
                _ = checks.tick(), if first.is_some() => self.look(first.as_mut(), &mut second),
            }
        }
    }

    /// Opens a connection to the address whose turn it is.
    fn open(&mut self) -> Running {
        let urls = &self.common.connection.urls;
        let url = urls[self.address % urls.len()].clone();
        let view = Arc::new(View::default());
        let (close, closed) = oneshot::channel();
        let link = Link {
            common: Arc::clone(&self.common),
            number: self.next,
            url: url.clone(),
            view: Arc::clone(&view),
        };
        let now = Instant::now();
        self.next += 1;
        self.last_attempt = Some(now);
        Running {
            running: Box::pin(link.run(closed)),
            view,
            close: Some(close),
            url,
            began: now,
            rotate_after: self
                .rotate_after
                .saturating_sub(self.backoff.share(self.rotate_after / 20)),
        }
    }

    fn first_ended(&mut self, gone: &Running, ending: &Ending) {
        let now = Instant::now();
        if gone.had_data() {
            self.backoff.reset();
        } else {
            self.address += 1;
        }
        let wait = if gone.view.is_announced() || gone.is_closing() {
            Duration::ZERO
        } else {
            self.backoff.next().max(ending.retry_after())
        };
        self.first_not_before = (now + wait).max(gone.began + self.spacing);
    }

    fn second_ended(&mut self, gone: &Running, cause: Cause, ending: &Ending) {
        if !gone.had_data() {
            self.address += 1;
        }
        if let (Cause::Quiet(stream), true) = (cause, gone.is_closing()) {
            // It did what it was for.
            self.alarms.was_false(stream);
            self.second_backoff.reset();
        }
        let wait = self.second_backoff.next().max(ending.retry_after());
        self.second_not_before = Instant::now() + wait;
    }

    /// Looks at what the connections deliver: begins a second one, lets it take over, or gives it up.
    fn look(&mut self, first: Option<&mut Running>, second: &mut Option<(Running, Cause)>) {
        let Some(first) = first.filter(|first| !first.is_closing()) else {
            return;
        };
        let now = Instant::now();
        match second {
            None => {
                let spaced = self
                    .last_attempt
                    .is_none_or(|last| last + self.spacing <= now);
                if spaced
                    && self.second_not_before <= now
                    && let Some(cause) = self.cause(first, now)
                {
                    *second = Some((self.open(), cause));
                }
            }
            Some((second, cause)) if !second.is_closing() => {
                self.compare(first, second, *cause, now);
            }
            Some(_) => {}
        }
    }

    /// Why there should be a second connection, if so.
    fn cause(&self, first: &Running, now: Instant) -> Option<Cause> {
        let dialect = self.common.connection.dialect.capture_name();
        let deliveries = first.view.deliveries();
        let on = deliveries.as_ref()?;
        if first.view.is_announced() {
            tracing::info!(
                dialect,
                "the venue announced that it closes the connection; making another"
            );
            return Some(Cause::Announced);
        }
        if now.duration_since(on.made()) >= first.rotate_after {
            tracing::info!(dialect, "the connection is old; making another");
            return Some(Cause::Age);
        }
        let (stream, age) = self.alarms.raised(on, now)?;
        self.common.counts.quiet.fetch_add(1, Ordering::Relaxed);
        let name = on
            .ages(now)
            .nth(stream)
            .map(|(stream, _)| stream.to_string());
        let (stream_name, ms) = (name.unwrap_or_default(), age.as_millis());
        tracing::warn!(dialect, stream = stream_name, quiet_ms = %ms, "quiet while others flow; looking on another connection");
        Some(Cause::Quiet(stream))
    }

    fn compare(&mut self, first: &mut Running, second: &mut Running, cause: Cause, now: Instant) {
        let waited = now.duration_since(second.began);
        let (is_ready, is_needed) = {
            let (older, newer) = (first.view.deliveries(), second.view.deliveries());
            let (Some(older), Some(newer)) = (older.as_ref(), newer.as_ref()) else {
                return;
            };
            let is_ready = newer.can_take_over(older, self.overlap, now);
            match cause {
                Cause::Age | Cause::Announced => (is_ready, true),
                Cause::Quiet(stream) => {
                    let age = older.ages(now).nth(stream).map_or(waited, |(_, age)| age);
                    (is_ready && newer.flows(stream), age >= waited)
                }
            }
        };
        if is_needed && is_ready {
            if let Cause::Quiet(stream) = cause {
                self.alarms.was_true(stream);
            }
            self.second_backoff.reset();
            self.common.counts.takeovers.fetch_add(1, Ordering::Relaxed);
            first.close(Ending::Replaced {
                url: second.url.clone(),
            });
        } else if !is_needed || waited >= self.takeover_within {
            second.close(Ending::NotNeeded(waited.as_millis()));
        }
    }
}

async fn ended(running: Option<&mut Running>) -> Ending {
    match running {
        Some(running) => running.running.as_mut().await,
        None => pending().await,
    }
}

async fn announced(view: Option<&View>) {
    match view {
        Some(view) => view.announced.notified().await,
        None => pending().await,
    }
}
