//! The live stage: connections, the core, and a sink, until told to stop.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use contract::dead_letter::DeadLetter;
use contract::time::Clock;

use crate::conflate::Conflate;
use crate::core::{Connection, Core, Report, Sink};
use crate::error::IngestError;
use crate::live::{Consumer, LiveReport, LiveSettings, drive};
use crate::settings::IngestSettings;

/// How a live run ended.
#[derive(Debug)]
pub struct Ingested<S> {
    /// What the frames were.
    pub report: Report,
    /// What the connections did.
    pub live: LiveReport,
    /// The sink, given back.
    pub sink: S,
}

/// Runs live ingest until `stop` is set: every frame through one [`Core`] into `sink`, the core's clock moved by `clock`
/// every mark interval, `progress` told as often of the connections and the core. The sink may block: once much waits, quotes are conflated, and in the end
/// the connections wait.
///
/// At the start each venue is told `down`: a predecessor may have been killed. Told to stop, the connections are closed, what had come is still worked off, and each venue gets its `down`, so that
/// readers are not left waiting for it.
///
/// # Errors
/// [`IngestError::NoConnections`] and those of the settings, the certificates and the recording before anything is
/// connected. Venues that are away are no errors, nor is a recording that breaks off: it is told in the report.
pub async fn ingest<S: Sink + Send + 'static>(
    settings: IngestSettings,
    live: LiveSettings,
    clock: Arc<dyn Clock>,
    sink: S,
    stop: Arc<AtomicBool>,
    progress: impl FnMut(&LiveReport, &Core) + Send + 'static,
) -> Result<Ingested<S>, IngestError> {
    let tick_ms = u64::try_from(settings.mark_interval_ms).unwrap_or(1);
    let (mut core, mut sink) = (Core::new(settings), Conflate::new(sink));
    for connection in &live.connections {
        if !connection.is_empty() {
            core.begin(connection.dialect, clock.now_ns(), &mut sink);
        }
    }
    let consumer = Running {
        core,
        sink,
        conflate_above: live.conflate_above,
        progress,
        not_text: 0,
    };
    let tick = Duration::from_millis(tick_ms);
    let (running, live) = drive(live, clock, stop, tick, consumer).await?;
    Ok(Ingested {
        report: running.core.report(),
        live,
        sink: running.sink.into_inner(),
    })
}

struct Running<S, P> {
    core: Core,
    sink: Conflate<S>,
    conflate_above: usize,
    progress: P,
    not_text: i64,
}

impl<S, P> Consumer for Running<S, P>
where
    S: Sink + Send + 'static,
    P: FnMut(&LiveReport, &Core) + Send + 'static,
{
    fn connected(&mut self, connection: Connection, at_ns: i64) -> Result<(), IngestError> {
        self.core.connected(connection, at_ns, &mut self.sink);
        Ok(())
    }

    fn frame(
        &mut self,
        connection: Connection,
        received_ns: i64,
        text: &str,
    ) -> Result<(), IngestError> {
        self.core
            .frame(connection, received_ns, text, &mut self.sink);
        Ok(())
    }

    /// The core reads text. Such a message is a dead letter of its own, its number counted among its kind.
    fn not_text(
        &mut self,
        connection: Connection,
        _: i64,
        bytes: &[u8],
    ) -> Result<(), IngestError> {
        self.sink.dead_letter(DeadLetter {
            topic: format!("frames/{}", connection.dialect.capture_name()),
            partition: 0,
            offset: self.not_text,
            stage: "ingest",
            error: "binary message that is not UTF-8".to_owned(),
            bytes: bytes.to_vec(),
        });
        self.not_text += 1;
        Ok(())
    }

    fn ended(
        &mut self,
        connection: Connection,
        at_ns: i64,
        reason: &str,
    ) -> Result<(), IngestError> {
        self.core
            .disconnected(connection, at_ns, reason, &mut self.sink);
        Ok(())
    }

    fn tick(&mut self, at_ns: i64, report: &LiveReport) -> Result<(), IngestError> {
        self.core.advance(at_ns, &mut self.sink);
        (self.progress)(report, &self.core);
        Ok(())
    }

    fn waiting(&mut self, events: usize) {
        self.sink.behind(events > self.conflate_above);
    }

    fn conflated(&self) -> u64 {
        self.sink.conflated()
    }
}
