//! What `record`, `ingest` and `up --source live` have in common: connections, a runtime, an end.

use std::future::Future;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::time::{Duration, Instant};

use anyhow::Context;
use contract::config::Config;
use contract::time::{Clock, SystemClock};
use ingest::core::{Core, Report};
use ingest::live::{LiveReport, LiveSettings};

use crate::failure::Failure;
use crate::report::{Watcher, watch};
use crate::stop::Stop;
use crate::table::Summary;

/// How often a running connection is told of.
const WORD_EVERY: Duration = Duration::from_secs(10);
/// How often the core is asked for its figures.
const CORE_EVERY: Duration = Duration::from_secs(1);

/// The connections of the settings, or of some venues of them.
pub(crate) fn connections(config: &Config, only: &[String]) -> Result<LiveSettings, Failure> {
    // Two processes should not wait in step, so the clock seeds the jitter.
    let seed = SystemClock.now_ns().unsigned_abs();
    let mut settings = LiveSettings::of(config, seed);
    let known: Vec<&str> = settings
        .connections
        .iter()
        .map(|connection| connection.dialect.venue())
        .collect();
    if let Some(unknown) = only.iter().find(|name| !known.contains(&name.as_str())) {
        return Err(Failure::WrongUse(format!(
            "--venue {unknown}: there is nothing to connect to; venues with an address, a parser and a symbol of some pair \
             or rate: {}",
            known.join(", ")
        )));
    }
    if !only.is_empty() {
        settings
            .connections
            .retain(|connection| only.iter().any(|name| name == connection.dialect.venue()));
    }
    // Told before anything else is waited for.
    settings
        .check()
        .map_err(|error| Failure::WrongUse(error.to_string()))?;
    Ok(settings)
}

/// Runs a future on a runtime of its own.
pub(crate) fn block_on<T>(future: impl Future<Output = T>) -> Result<T, Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .context("could not start the runtime of the connections")?;
    Ok(runtime.block_on(future))
}

/// What connections and core told last.
#[derive(Clone, Default)]
pub(crate) struct Told {
    pub(crate) live: LiveReport,
    /// Right to a second.
    pub(crate) core: Report,
    /// When.
    pub(crate) at: Option<Instant>,
}

/// What connections do, shared with whoever tells of it.
#[derive(Clone, Default)]
pub(crate) struct Words(Arc<Mutex<Told>>);

impl Words {
    /// Takes the newest figures.
    pub(crate) fn take(&self) -> impl FnMut(&LiveReport) + Send + 'static {
        let shared = Arc::clone(&self.0);
        move |report| {
            let mut told = shared.lock().unwrap_or_else(PoisonError::into_inner);
            told.live.clone_from(report);
        }
    }

    /// The same with what the core says, which takes longer to put together.
    pub(crate) fn take_all(&self) -> impl FnMut(&LiveReport, &Core) + Send + 'static {
        let shared = Arc::clone(&self.0);
        let mut take = self.take();
        let mut next = Instant::now();
        move |report, core| {
            take(report);
            let now = Instant::now();
            let core = (now >= next).then(|| core.report());
            let mut told = shared.lock().unwrap_or_else(PoisonError::into_inner);
            told.at = Some(now);
            if let Some(core) = core {
                told.core = core;
                next = now + CORE_EVERY;
            }
        }
    }

    /// What was told last.
    pub(crate) fn told(&self) -> Told {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// A line of log for each connection, every so often.
    pub(crate) fn tell(&self, stop: &Stop) -> Watcher {
        let words = self.clone();
        watch("live", stop, WORD_EVERY, move || {
            for (dialect, connection) in &words.told().live.connections {
                tracing::info!(
                    venue = dialect.venue(),
                    to = connection.connected_to.as_deref().unwrap_or("nobody"),
                    frames = connection.frames,
                    connections = connection.connections,
                    failed = connection.failed_attempts,
                    "connection"
                );
            }
        })
    }
}

/// Sets the stop flag after a time; ends with whoever holds it.
pub(crate) fn stop_after(run_for: Option<Duration>, stop: &Stop) -> Option<Watcher> {
    let deadline = Instant::now() + run_for?;
    let flag = stop.clone();
    Some(watch(
        "deadline",
        stop,
        Duration::from_millis(50),
        move || {
            if Instant::now() >= deadline {
                flag.set();
            }
        },
    ))
}

/// What the connections did, for the closing table.
pub(crate) fn rows(summary: &mut Summary, report: &LiveReport) {
    let by_venue: Vec<(String, u64)> = report
        .connections
        .iter()
        .map(|(dialect, one)| (dialect.venue().to_owned(), one.frames))
        .collect();
    summary.count_of("frames", report.frames(), &by_venue);
    summary.count("bytes", report.bytes());
    summary.count(
        "connections",
        report.connections.values().map(|one| one.connections).sum(),
    );
    summary.count(
        "failed attempts",
        report
            .connections
            .values()
            .map(|one| one.failed_attempts)
            .sum(),
    );
    let takeovers = report.connections.values().map(|one| one.takeovers).sum();
    summary.count("takeovers", takeovers);
    if report.conflated > 0 {
        summary.count("conflated quotes", report.conflated);
    }
    if let Some(recording) = &report.recording {
        summary.count("recorded frames", recording.frames);
    }
    for (dialect, one) in &report.connections {
        if let Some(ending) = one
            .last_ending
            .as_deref()
            .filter(|_| one.connected_to.is_none())
        {
            tracing::info!(venue = dialect.venue(), "last ending: {ending}");
        }
    }
}
