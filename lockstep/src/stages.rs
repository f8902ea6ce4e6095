//! Windowing and the alerter around a source of ticks and something that looks at the results, in one process.
//!
//! ```text
//! source -> [ticks] -> windowing -> [spreads] -> alerter -> [alerts], Discord
//!  thread               thread          |         thread        |
//!                                       +--> front (this thread): a dashboard, or spreads copied as lines
//! ```
//!
//! What ends first ends the rest in the order of the data: the source, windowing, the front, the alerter. A stage that fails
//! stops the others; its error is the one that is told.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use contract::config::Config;
use contract::time::SystemClock;
use kafka_io::{Broker, Start};
use windowing::run::{Delivery, Job, JobHandle, JobOptions};
use windowing::shard::Shard;
use windowing::spread::Tally;

use crate::failure::Failure;
use crate::metrics::Metrics;
use crate::metrics::alert::AlertStage;
use crate::metrics::window::WindowStage;
use crate::report;
use crate::stop::Stop;

/// How long to wait for the readers to find their partitions.
pub(crate) const READY: Duration = Duration::from_secs(30);
/// How long the alerter may take, once windowing has ended, to read what windowing wrote.
const CATCH_UP: Duration = Duration::from_secs(10);
/// How often that is looked at.
const LOOK: Duration = Duration::from_millis(20);

/// What the stages are told.
pub(crate) struct Plan<'a> {
    pub(crate) config: &'a Config,
    pub(crate) broker: &'a Broker,
    pub(crate) workers: usize,
    /// What the alerter goes by.
    pub(crate) alerts: &'a alerter::Settings,
    /// Where the stages are shown.
    pub(crate) metrics: &'a Metrics,
    pub(crate) stop: &'a Stop,
}

/// What a front may look at.
pub(crate) struct View<'a> {
    /// What the alerter did so far.
    pub(crate) alerts: &'a alerter::run::JobHandle,
    windowed: &'a AtomicBool,
}

impl View<'_> {
    /// Whether windowing has written all that it will write.
    pub(crate) fn is_windowed(&self) -> bool {
        self.windowed.load(Ordering::SeqCst)
    }
}

/// What the stages did.
pub(crate) struct Ended<S, F> {
    pub(crate) source: S,
    pub(crate) front: F,
    pub(crate) tally: Tally,
    pub(crate) alerts: alerter::Report,
}

/// Runs all of it: `source` on a thread of its own, `front` on this one.
pub(crate) fn run<S: Send, F>(
    plan: &Plan<'_>,
    source: impl FnOnce(&JobHandle) -> Result<S, Failure> + Send,
    front: impl FnOnce(&View<'_>) -> Result<F, Failure>,
) -> Result<Ended<S, F>, Failure> {
    let Plan {
        config,
        broker,
        stop,
        ..
    } = plan;
    let options = JobOptions {
        start: Start::End,
        workers: plan.workers,
        shard: Shard::ALL,
        // Every run begins anew, so there is nothing to be exact about.
        delivery: Delivery::AtLeastOnce,
        stop: Arc::clone(&stop.flag),
        on_new_name: report::warn_of_missing_fee(config),
    };
    let job = Job::new(
        &Arc::new(windowing::Settings::from(*config)),
        broker,
        &options,
    )?;
    let windows = job.handle();
    plan.metrics.enter(WindowStage::new(windows.clone(), None));
    let alerts_stop = Arc::new(AtomicBool::new(false));
    let start = match broker {
        Broker::Embedded(_) => Start::Beginning,
        Broker::Cluster(_) => Start::End,
    };
    let options = alerter::run::JobOptions {
        start,
        stop: Arc::clone(&alerts_stop),
    };
    let alerter = alerter::run::Job::new(plan.alerts, broker, Arc::new(SystemClock), &options)?;
    let alerts = alerter.handle();
    plan.metrics.enter(AlertStage(alerts.clone()));
    let windowed = AtomicBool::new(false);
    let (source, front, windowing, alerting) = std::thread::scope(|scope| {
        let alerting = named(scope, "alerter", stop, move || Ok(alerter.run()?));
        let windowing = {
            let windowed = &windowed;
            named(scope, "windowing", stop, move || {
                let result = job.run();
                windowed.store(true, Ordering::SeqCst);
                Ok(result?)
            })
        };
        let ready = windows.wait_ready(READY).map_err(Failure::from);
        let publishing = {
            let windows = &windows;
            named(scope, "source", stop, move || {
                ready?;
                source(windows)
            })
        };
        let view = View {
            alerts: &alerts,
            windowed: &windowed,
        };
        let front = front(&view);
        if front.is_err() {
            stop.set();
        }
        let source = join(publishing, "the source");
        let windowing = join(windowing, "windowing");
        let written = windows.tally().records();
        let deadline = Instant::now() + CATCH_UP;
        while alerts.report().windows < written
            && Instant::now() < deadline
            && !stop.is_interrupted()
            && !alerting.is_finished()
        {
            let _ = stop.wait(LOOK);
        }
        alerts_stop.store(true, Ordering::SeqCst);
        (source, front, windowing, join(alerting, "the alerter"))
    });
    windowing?;
    let alerts = alerting?;
    Ok(Ended {
        source: source?,
        front: front?,
        tally: windows.tally(),
        alerts,
    })
}

pub(crate) type Running<'scope, T> = std::thread::ScopedJoinHandle<'scope, Result<T, Failure>>;

/// A stage on a thread; its failure stops the others.
pub(crate) fn named<'scope, T: Send + 'scope>(
    scope: &'scope std::thread::Scope<'scope, '_>,
    name: &'static str,
    stop: &Stop,
    stage: impl FnOnce() -> Result<T, Failure> + Send + 'scope,
) -> Running<'scope, T> {
    let stop = stop.clone();
    std::thread::Builder::new()
        .name(name.to_owned())
        .spawn_scoped(scope, move || {
            let mut guard = StopUnlessDone { stop, done: false };
            let result = stage();
            guard.done = result.is_ok();
            result
        })
        .expect("the system gives a thread; without one nothing here can run")
}

/// Set on a panic as well: the others must not wait for what will never come.
struct StopUnlessDone {
    stop: Stop,
    done: bool,
}

impl Drop for StopUnlessDone {
    fn drop(&mut self) {
        if !self.done {
            self.stop.set();
        }
    }
}

pub(crate) fn join<T>(stage: Running<'_, T>, name: &str) -> Result<T, Failure> {
    stage.join().unwrap_or_else(|_| {
        Err(Failure::Failed(anyhow::anyhow!(
            "{name} panicked; its reason stands above"
        )))
    })
}
