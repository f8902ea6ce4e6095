//! Records the raw frames of live venues into a capture, for replay. No frame is interpreted.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use contract::time::{Clock, NS_PER_S};

use crate::capture::CaptureWriter;
use crate::error::IngestError;
use crate::live::{Consumer, LiveReport, LiveSettings, drive};
use crate::venue::Dialect;

/// A kill loses no more than this.
const FLUSH_EVERY_NS: i64 = NS_PER_S;
/// How often progress is told.
const TICK: Duration = Duration::from_millis(200);

/// What was recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recorded {
    /// Frames in the file.
    pub frames: u64,
    /// Their bytes with stamps and venues, before packing.
    pub bytes: u64,
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
    let writer = CaptureWriter::create(path).map_err(|source| IngestError::Create {
        name: path.display().to_string(),
        source,
    })?;
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
    let recorder = Recorder {
        writer,
        path: path.to_owned(),
        flushed_ns: clock.now_ns(),
        progress,
    };
    let (recorder, live) = drive(live, clock, stop, TICK, recorder).await?;
    let Recorder { writer, path, .. } = recorder;
    let (frames, bytes) = (writer.frames(), writer.bytes());
    writer
        .finish()
        .and_then(|file| file.sync_all())
        .map_err(|source| write_error(&path, source))?;
    Ok(Recorded {
        frames,
        bytes,
        live,
    })
}

struct Recorder<P> {
    writer: CaptureWriter<File>,
    path: PathBuf,
    flushed_ns: i64,
    progress: P,
}

impl<P: FnMut(&LiveReport) + Send + 'static> Consumer for Recorder<P> {
    fn connected(&mut self, _: Dialect, _: i64) -> Result<(), IngestError> {
        Ok(())
    }

    fn frame(&mut self, dialect: Dialect, received_ns: i64, text: &str) -> Result<(), IngestError> {
        self.writer
            .frame(received_ns, dialect.capture_name(), text)
            .map_err(|source| write_error(&self.path, source))
    }

    fn not_text(&mut self, _: Dialect, _: i64, _: &[u8]) -> Result<(), IngestError> {
        Ok(())
    }

    fn ended(&mut self, _: Dialect, _: i64, _: &str) -> Result<(), IngestError> {
        Ok(())
    }

    fn tick(&mut self, at_ns: i64, report: &LiveReport) -> Result<(), IngestError> {
        if at_ns.saturating_sub(self.flushed_ns).saturating_abs() >= FLUSH_EVERY_NS {
            self.flushed_ns = at_ns;
            self.writer
                .flush()
                .map_err(|source| write_error(&self.path, source))?;
        }
        (self.progress)(report);
        Ok(())
    }
}

fn write_error(path: &Path, source: std::io::Error) -> IngestError {
    IngestError::Write {
        name: path.display().to_string(),
        source,
    }
}
