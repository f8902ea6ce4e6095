//! What the stages of this process show to those who watch them: figures for Prometheus, and a verdict on their health.
//!
//! ```text
//! reports and counters that the stages keep anyway <-- looked at when asked -- /metrics, /healthz <-- Prometheus, a container
//! ```
//!
//! A stage enters as a [`Stage`]; nothing is counted here, so a stage that nobody asks about does no work for it. Names and
//! labels are bounded: venues, partitions and the words of enums, never pairs or symbols. What each figure means, and what
//! counts as healthy, stands in `docs/operations.md`. Absent: authentication, and pushing.

pub(crate) mod alert;
pub(crate) mod cerebral;
pub(crate) mod ingest;
mod job;
mod page;
mod process;
mod server;
mod still;
pub(crate) mod window;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use contract::config::Config;
use contract::time::{Clock, NS_PER_MS, SystemClock};
use kafka_io::Lag;

use crate::failure::Failure;
use page::Page;
use server::Server;

/// What could not be read, of any stage.
const DEAD_LETTERS: &str = "lockstep_dead_letters_total";
const DEAD_LETTERS_HELP: &str =
    "Frames and records that the stage could not read and put on `dead-letters`.";

/// One stage as it is shown.
pub(crate) trait Stage: Send + Sync {
    /// Its subcommand.
    fn name(&self) -> &'static str;
    /// Its figures at this time.
    fn write(&self, page: &mut Page, now_ns: i64);
    /// Why it does not work, in words, if so.
    fn fault(&self) -> Option<String>;
}

/// The stages of this process; clones share them.
#[derive(Clone)]
pub(crate) struct Metrics {
    shared: Arc<Shared>,
    // The last clone ends it.
    _server: Option<Arc<Server>>,
}

struct Shared {
    stages: Mutex<Vec<Arc<dyn Stage>>>,
    /// What is waited for before there are any.
    starting: Mutex<String>,
    started_ns: i64,
}

impl Metrics {
    /// Serves where the command line says, else where the settings say, else nowhere. Until a stage enters, health says
    /// that it is starting.
    pub(crate) fn serve(flag: Option<&str>, config: &Config) -> Result<Self, Failure> {
        let mut metrics = Self::nowhere();
        if let Some(listen) = flag.or(config.metrics.listen.as_deref()) {
            let server = Server::start(listen, Arc::clone(&metrics.shared))?;
            metrics._server = Some(Arc::new(server));
        }
        Ok(metrics)
    }

    /// Serves nowhere.
    pub(crate) fn nowhere() -> Self {
        Self {
            shared: Arc::new(Shared {
                stages: Mutex::default(),
                starting: Mutex::new("starting".to_owned()),
                started_ns: SystemClock.now_ns(),
            }),
            _server: None,
        }
    }

    /// Says what is waited for before stages enter.
    pub(crate) fn starting(&self, waits_for: String) {
        *lock(&self.shared.starting) = waits_for;
    }

    /// Shows a stage from now on.
    pub(crate) fn enter(&self, stage: impl Stage + 'static) {
        lock(&self.shared.stages).push(Arc::new(stage));
    }
}

impl Shared {
    fn stages(&self) -> Vec<Arc<dyn Stage>> {
        lock(&self.stages).clone()
    }

    /// The page of figures.
    fn page(&self) -> Result<String, prometheus::Error> {
        let now_ns = SystemClock.now_ns();
        let mut page = Page::default();
        process::write(&mut page, self.started_ns);
        for stage in self.stages() {
            let healthy = if stage.fault().is_none() { 1.0 } else { 0.0 };
            page.gauge(
                "lockstep_healthy",
                "Whether the stage works, as /healthz says it (1) or not (0).",
                &[("stage", stage.name())],
                healthy,
            );
            stage.write(&mut page, now_ns);
        }
        page.text()
    }

    /// Why this process does not do its work, one line for each reason; empty if it does.
    fn faults(&self) -> String {
        let stages = self.stages();
        if stages.is_empty() {
            return format!("{}\n", lock(&self.starting));
        }
        stages
            .iter()
            .filter_map(|stage| Some(format!("{}: {}\n", stage.name(), stage.fault()?)))
            .collect()
    }
}

/// How far a stage has read what it reads.
fn write_lags(page: &mut Page, stage: &str, lags: &[Lag], now_ns: i64) {
    for lag in lags {
        let partition = lag.partition.to_string();
        let labels = [
            ("stage", stage),
            ("topic", lag.topic.as_str()),
            ("partition", partition.as_str()),
        ];
        if let Some(records) = lag.records {
            page.gauge(
                "lockstep_consumer_lag_records",
                "Records that stand on the topic and were not read yet.",
                &labels,
                page::float(records),
            );
        }
        if let Some(behind_ms) = lag.behind_ms(now_ns.div_euclid(NS_PER_MS)) {
            page.gauge(
                "lockstep_consumer_lag_seconds",
                "Age of the newest record read, where others wait behind it; 0 where none does.",
                &labels,
                page::seconds(behind_ms.saturating_mul(NS_PER_MS)),
            );
        }
    }
}

fn lock<T: ?Sized>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Reads `HOST:PORT`, or a port of this machine alone.
pub(crate) fn listen(text: &str) -> Result<String, String> {
    let address = match text.parse::<u16>() {
        Ok(_) => format!("127.0.0.1:{text}"),
        Err(_) => text.to_owned(),
    };
    let (host, port) = address.rsplit_once(':').unwrap_or_default();
    if host.is_empty() || port.parse::<u16>().is_err() {
        return Err("expected HOST:PORT such as `127.0.0.1:9464`, or a port alone".to_owned());
    }
    Ok(address)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_alone_is_of_this_machine_alone() {
        assert_eq!(listen("9464").as_deref(), Ok("127.0.0.1:9464"));
        assert_eq!(listen("0.0.0.0:1").as_deref(), Ok("0.0.0.0:1"));
        assert_eq!(listen("[::1]:0").as_deref(), Ok("[::1]:0"));
        for text in ["", "host", ":1", "host:x", "70000"] {
            assert!(listen(text).is_err(), "{text}");
        }
    }
}
