//! Replay: captures through the very core that live ingest drives, on the recording's clock.
//!
//! ```text
//! files -> readers -> merged by receipt -> paced -> Core -> Sink
//! ```
//!
//! Comes in: captures, a [`Core`], a [`Sink`], a pace, a stop flag. Goes out: the core's records, and a [`ReplayReport`]
//! that leaves nothing out. What the records are does not depend on the pace. Absent: what the records are for.

mod merge;
mod pace;
mod report;

use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

pub use pace::{Pace, PaceError};
pub use report::{InputReport, MAX_FAULTS_LISTED, MAX_REFUSED_LISTED, Refused, ReplayReport};

use crate::capture::CaptureReader;
use crate::core::{Core, Sink};
use crate::error::IngestError;
use crate::venue::Dialect;
use merge::Merge;
use pace::Pacer;

/// Frames between two reports of progress.
const PROGRESS_EVERY: u64 = 1_024;

/// One capture to be replayed.
#[derive(Debug)]
pub struct Input {
    /// Its name in messages.
    pub name: String,
    /// Its lines.
    pub reader: CaptureReader,
    /// Its size in bytes as it is stored, where known.
    pub size: Option<u64>,
}

impl Input {
    /// Opens the file called `name`; `-` is standard input.
    ///
    /// # Errors
    /// [`IngestError::Open`] where it cannot be opened or its first bytes cannot be read.
    pub fn open(name: &str) -> Result<Self, IngestError> {
        let opened = if name == "-" {
            CaptureReader::new(io::stdin()).map(|reader| (reader, None))
        } else {
            CaptureReader::open(Path::new(name))
        };
        let (reader, size) = opened.map_err(|source| IngestError::Open {
            name: name.to_owned(),
            source,
        })?;
        Ok(Self {
            name: name.to_owned(),
            reader,
            size,
        })
    }
}

/// How far a replay is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Bytes read of all inputs, as they are stored.
    pub bytes_read: u64,
    /// Bytes of all inputs; nothing where one of them is a pipe.
    pub bytes_total: Option<u64>,
    /// Frames given to the core.
    pub frames: u64,
    /// Where the recording's clock stands, nanoseconds since 1970.
    pub received_ns: i64,
}

/// How a replay goes.
#[derive(Debug, Clone, Copy)]
pub struct ReplaySettings {
    /// How fast.
    pub pace: Pace,
    /// Window width for the marks at the end, milliseconds.
    pub width_ms: i64,
}

/// Plays captures through `core`: all inputs merged by receipt (of equals, the first-named input's first; within one
/// input the order of lines is kept, even where stamps go back), until all have ended or `stop` is set. Told to stop, it
/// leaves windows open, since what follows is not known; ended, it closes them with [`Core::finish`].
///
/// # Errors
/// [`IngestError::NothingUsable`] where not one frame could be given to the core.
pub fn replay(
    inputs: Vec<Input>,
    core: &mut Core,
    sink: &mut impl Sink,
    settings: ReplaySettings,
    stop: &AtomicBool,
    progress: &mut dyn FnMut(Progress),
) -> Result<ReplayReport, IngestError> {
    let mut merge = Merge::new(inputs);
    let mut pacer = Pacer::new(settings.pace);
    let mut report = ReplayReport::default();
    let mut frames: u64 = 0;
    while let Some(next) = merge.next(&mut report) {
        if stop.load(Ordering::Relaxed) {
            report.stopped = true;
            break;
        }
        let frame = &next.frame;
        let dialect = match Dialect::of_capture(frame.venue) {
            Ok(dialect) => dialect,
            Err(unknown) => {
                report.refuse(&unknown);
                continue;
            }
        };
        let received_ns = frame.received_ns;
        let at = Progress {
            bytes_read: next.bytes_read,
            bytes_total: next.bytes_total,
            frames,
            received_ns,
        };
        let waited = pacer.wait(received_ns, stop, |reached_ns| {
            core.advance(reached_ns, sink);
            progress(Progress {
                received_ns: reached_ns,
                ..at
            });
        });
        if !waited {
            report.stopped = true;
            break;
        }
        core.advance(received_ns, sink);
        core.frame(dialect, received_ns, &frame.frame, sink);
        report.played(dialect, received_ns);
        frames += 1;
        if frames.is_multiple_of(PROGRESS_EVERY) {
            progress(Progress { frames, ..at });
        }
    }
    let end = merge.finish(&mut report);
    progress(Progress {
        bytes_read: end.0,
        bytes_total: end.1,
        frames,
        received_ns: report.last_ns.unwrap_or_default(),
    });
    if report.stopped {
        return Ok(report);
    }
    if frames == 0 {
        return Err(report.nothing_usable());
    }
    core.finish(settings.width_ms, sink);
    Ok(report)
}
