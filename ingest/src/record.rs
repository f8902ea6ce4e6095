//! Records the raw frames of live venues into a capture, for replay. No frame is interpreted.
//!
//! - `recorder`: what is written, and what becomes of two connections at once.
//! - `beside`: the same beside live ingest.

mod beside;
mod recorder;

use std::fs::File;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use contract::time::Clock;

use crate::capture::CaptureWriter;
use crate::core::Connection;
use crate::error::IngestError;
use crate::live::{Consumer, LiveReport, LiveSettings, drive};

pub(crate) use beside::Beside;
use recorder::Recorder;

/// How often progress is told.
const TICK: Duration = Duration::from_millis(200);

/// What was recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recorded {
    /// Frames in the file.
    pub frames: u64,
    /// Their bytes with stamps and venues, before packing.
    pub bytes: u64,
    /// Frames left out: what a second connection brought that did not take over, or a first one after the second had.
    pub left_out: u64,
    /// What the connections did; messages that are not text stand there and not in the file, whose lines are text.
    pub live: LiveReport,
}

/// Records into a new file at `path`, packed as its name says. Otherwise as [`record_into`].
///
/// # Errors
/// [`IngestError::Create`] where the file cannot be made or is there already; those of [`record_into`].
pub async fn record(
    live: LiveSettings,
    clock: Arc<dyn Clock>,
    path: &Path,
    stop: Arc<AtomicBool>,
    progress: impl FnMut(&LiveReport) + Send + 'static,
) -> Result<Recorded, IngestError> {
    let writer = create(path)?;
    record_into(live, clock, (writer, path), stop, progress).await
}

/// Records every frame of `live` with its receipt on `clock` into a capture (its path is for messages) until `stop` is set,
/// then ends it properly. `progress` is told five times a second.
///
/// # Errors
/// [`IngestError::Write`] where the file takes no more, and what makes connections impossible. Venues that are away are no
/// errors.
pub async fn record_into(
    live: LiveSettings,
    clock: Arc<dyn Clock>,
    (writer, path): (CaptureWriter<File>, &Path),
    stop: Arc<AtomicBool>,
    progress: impl FnMut(&LiveReport) + Send + 'static,
) -> Result<Recorded, IngestError> {
    let recorder = Alone {
        recorder: Recorder::new(writer, path),
        progress,
    };
    let (Alone { recorder, .. }, live) = drive(live, clock, stop, TICK, recorder).await?;
    let (frames, bytes) = (recorder.frames(), recorder.bytes());
    let left_out = recorder.left_out();
    recorder.finish()?;
    Ok(Recorded {
        frames,
        bytes,
        left_out,
        live,
    })
}

fn create(path: &Path) -> Result<CaptureWriter<File>, IngestError> {
    CaptureWriter::create(path).map_err(|source| IngestError::Create {
        name: path.display().to_string(),
        source,
    })
}

/// A recording that is all there is to do.
struct Alone<P> {
    recorder: Recorder,
    progress: P,
}

impl<P: FnMut(&LiveReport) + Send + 'static> Consumer for Alone<P> {
    fn connected(&mut self, connection: Connection, at_ns: i64) -> Result<(), IngestError> {
        self.recorder.connected(connection, at_ns)
    }

    fn frame(
        &mut self,
        connection: Connection,
        received_ns: i64,
        text: &str,
    ) -> Result<(), IngestError> {
        self.recorder.frame(connection, received_ns, text)
    }

    fn not_text(
        &mut self,
        connection: Connection,
        received_ns: i64,
        bytes: &[u8],
    ) -> Result<(), IngestError> {
        self.recorder.not_text(connection, received_ns, bytes)
    }

    fn ended(
        &mut self,
        connection: Connection,
        at_ns: i64,
        reason: &str,
    ) -> Result<(), IngestError> {
        self.recorder.ended(connection, at_ns, reason)
    }

    fn tick(&mut self, at_ns: i64, report: &LiveReport) -> Result<(), IngestError> {
        self.recorder.tick(at_ns, report)?;
        (self.progress)(report);
        Ok(())
    }
}
