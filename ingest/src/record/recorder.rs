//! A capture being written, one connection of a dialect after the other.
//!
//! A capture knows no connections: it holds those of a dialect as if each had begun where the one before ended. While a second
//! connection delivers beside the first, its frames are held back; when the first has ended they follow, their receipts as
//! they were. Replay then meets repeats, which it passes over by their numbers, and a numbering begun anew; interleaved, it
//! would have met gaps that never were. What a second one brought that did not take over is left out, counted.
//!
//! **When more is held than fits**, the second one counts from there on: it has long brought all that the first brings, and
//! what the first still brings is left out, counted.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};

use contract::time::NS_PER_S;

use crate::capture::CaptureWriter;
use crate::core::Connection;
use crate::error::IngestError;
use crate::live::{Consumer, LiveReport};
use crate::venue::Dialect;

/// A kill loses no more than this.
const FLUSH_EVERY_NS: i64 = NS_PER_S;
/// Bytes of frames held back per dialect.
const MAX_HELD_BYTES: usize = 32 << 20;

/// Writes the connections of each dialect one after the other.
pub(crate) struct Recorder {
    writer: CaptureWriter<File>,
    path: PathBuf,
    flushed_ns: Option<i64>,
    lanes: BTreeMap<Dialect, Lane>,
    left_out: u64,
}

/// The connections of one dialect.
#[derive(Default)]
struct Lane {
    /// The one whose frames are written.
    written: Option<u64>,
    /// Frames of others, with their receipt, by connection.
    held: BTreeMap<u64, Vec<(i64, String)>>,
    held_bytes: usize,
}

impl Recorder {
    pub(super) fn new(writer: CaptureWriter<File>, path: &Path) -> Self {
        Self {
            writer,
            path: path.to_owned(),
            flushed_ns: None,
            lanes: BTreeMap::new(),
            left_out: 0,
        }
    }

    fn write(&mut self, dialect: Dialect, frames: &[(i64, &str)]) -> Result<(), IngestError> {
        for (received_ns, text) in frames {
            let written = self
                .writer
                .frame(*received_ns, dialect.capture_name(), text);
            written.map_err(|source| write_error(&self.path, source))?;
        }
        Ok(())
    }

    /// The newest of the others is written from here on.
    fn take_over(&mut self, dialect: Dialect) -> Result<(), IngestError> {
        let lane = self.lanes.entry(dialect).or_default();
        lane.held_bytes = 0;
        let mut held = std::mem::take(&mut lane.held);
        let newest = held.pop_last();
        lane.written = newest.as_ref().map(|(number, _)| *number);
        self.left_out += held
            .into_values()
            .map(|frames| count(frames.len()))
            .sum::<u64>();
        let frames = newest.map(|(_, frames)| frames).unwrap_or_default();
        let frames: Vec<_> = frames
            .iter()
            .map(|(ns, text)| (*ns, text.as_str()))
            .collect();
        self.write(dialect, &frames)
    }

    pub(super) fn frames(&self) -> u64 {
        self.writer.frames()
    }

    pub(super) fn bytes(&self) -> u64 {
        self.writer.bytes()
    }

    pub(super) fn left_out(&self) -> u64 {
        self.left_out
    }

    pub(super) fn finish(self) -> Result<(), IngestError> {
        let finished = self.writer.finish().and_then(|file| file.sync_all());
        finished.map_err(|source| write_error(&self.path, source))
    }
}

fn count(frames: usize) -> u64 {
    u64::try_from(frames).unwrap_or(u64::MAX)
}

impl Consumer for Recorder {
    fn connected(&mut self, connection: Connection, _: i64) -> Result<(), IngestError> {
        let lane = self.lanes.entry(connection.dialect).or_default();
        if lane.written.is_none() {
            lane.written = Some(connection.number);
        } else {
            lane.held.insert(connection.number, Vec::new());
        }
        Ok(())
    }

    fn frame(
        &mut self,
        connection: Connection,
        received_ns: i64,
        text: &str,
    ) -> Result<(), IngestError> {
        let Connection { dialect, number } = connection;
        let lane = self.lanes.entry(dialect).or_default();
        if lane.written == Some(number) {
            return self.write(dialect, &[(received_ns, text)]);
        }
        let Some(held) = lane.held.get_mut(&number) else {
            self.left_out += 1;
            return Ok(());
        };
        held.push((received_ns, text.to_owned()));
        lane.held_bytes = lane.held_bytes.saturating_add(text.len());
        if lane.held_bytes > MAX_HELD_BYTES {
            tracing::warn!(
                venue = dialect.venue(),
                "the capture goes on with the newer connection"
            );
            return self.take_over(dialect);
        }
        Ok(())
    }

    fn not_text(&mut self, _: Connection, _: i64, _: &[u8]) -> Result<(), IngestError> {
        Ok(())
    }

    fn ended(&mut self, connection: Connection, _: i64, _: &str) -> Result<(), IngestError> {
        let Connection { dialect, number } = connection;
        let lane = self.lanes.entry(dialect).or_default();
        if lane.written == Some(number) {
            return self.take_over(dialect);
        }
        if let Some(frames) = lane.held.remove(&number) {
            let bytes: usize = frames.iter().map(|(_, text)| text.len()).sum();
            lane.held_bytes = lane.held_bytes.saturating_sub(bytes);
            self.left_out += count(frames.len());
        }
        Ok(())
    }

    fn tick(&mut self, at_ns: i64, _: &LiveReport) -> Result<(), IngestError> {
        let flushed_ns = *self.flushed_ns.get_or_insert(at_ns);
        if at_ns.saturating_sub(flushed_ns).saturating_abs() >= FLUSH_EVERY_NS {
            self.flushed_ns = Some(at_ns);
            self.writer
                .flush()
                .map_err(|source| write_error(&self.path, source))?;
        }
        Ok(())
    }
}

fn write_error(path: &Path, source: std::io::Error) -> IngestError {
    IngestError::Write {
        name: path.display().to_string(),
        source,
    }
}
