//! Ingest to windowing within the process, without a broker: the same records in the same partitions, as bytes.
//!
//! What when full: the channels are bounded, so a slow worker holds up the replay.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use contract::dead_letter::DeadLetter;
use contract::tick::Record;
use contract::topic::TICKS;
use contract::venue::VenueHealth;
use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded};
use ingest::core::Sink;
use ingest::gap::Gap;
use windowing::dataflow::{BoxError, Polled, Source};
use windowing::work::Input;

use crate::files::Files;

/// Records handed over at once when nobody waits for each.
const BATCH: usize = 2_048;
/// Batches that may wait for a worker.
const WAITING: usize = 16;

type Batch = Vec<(i32, Input)>;

/// Ingest's end.
pub(crate) struct PipeSink {
    lanes: Vec<Lane>,
    /// Next offset by partition.
    offsets: Vec<i64>,
    line: Vec<u8>,
    /// Whether each mark sends off what waits: for a replay at a pace that people watch.
    eager: bool,
    stop: Arc<AtomicBool>,
    files: Files,
}

struct Lane {
    to: Sender<Batch>,
    batch: Batch,
}

/// A worker's end.
pub(crate) struct PipeSource {
    from: Receiver<Batch>,
    stop: Arc<AtomicBool>,
}

/// The partitions of a worker, and its end of the pipe.
pub(crate) type WorkerEnd = (Vec<i32>, PipeSource);

/// A pipe to so many workers; partitions are dealt out in turn.
pub(crate) fn pipe(
    n_workers: usize,
    eager: bool,
    stop: &Arc<AtomicBool>,
    files: Files,
) -> (PipeSink, Vec<WorkerEnd>) {
    let n_workers = n_workers.clamp(1, TICKS.partition_count());
    let (lanes, ends) = (0..n_workers)
        .map(|worker| {
            let (to, from) = bounded(WAITING);
            let partitions = (0..TICKS.partitions)
                .skip(worker)
                .step_by(n_workers)
                .collect();
            let lane = Lane {
                to,
                batch: Vec::with_capacity(BATCH),
            };
            let source = PipeSource {
                from,
                stop: Arc::clone(stop),
            };
            (lane, (partitions, source))
        })
        .unzip();
    let sink = PipeSink {
        lanes,
        offsets: vec![0; TICKS.partition_count()],
        line: Vec::with_capacity(512),
        eager,
        stop: Arc::clone(stop),
        files,
    };
    (sink, ends)
}

impl PipeSink {
    /// Sends off what waits; to be called at the end.
    pub(crate) fn finish(mut self) {
        for lane in &mut self.lanes {
            lane.send(&self.stop);
        }
    }

    fn write(&mut self, partition: i32) {
        let Ok(at) = usize::try_from(partition) else {
            return;
        };
        let input = Input {
            offset: self.offsets[at],
            bytes: self.line.clone(),
        };
        self.offsets[at] += 1;
        let n_lanes = self.lanes.len();
        let lane = &mut self.lanes[at % n_lanes];
        lane.batch.push((partition, input));
        if lane.batch.len() >= BATCH {
            lane.send(&self.stop);
        }
    }
}

impl Lane {
    fn send(&mut self, stop: &AtomicBool) {
        if self.batch.is_empty() {
            return;
        }
        let batch = std::mem::replace(&mut self.batch, Vec::with_capacity(BATCH));
        if self.to.send(batch).is_err() {
            // The worker is gone; its reason is told when it is joined.
            stop.store(true, Ordering::SeqCst);
        }
    }
}

impl Sink for PipeSink {
    fn tick(&mut self, record: &Record<'_>) {
        self.line.clear();
        record.write_json(&mut self.line);
        self.write(TICKS.partition_of(record.pair().unwrap_or_default().as_bytes()));
    }

    fn everywhere(&mut self, record: &Record<'_>) {
        self.line.clear();
        record.write_json(&mut self.line);
        for partition in 0..TICKS.partitions {
            self.write(partition);
        }
        if self.eager && matches!(record, Record::Mark(_)) {
            for lane in &mut self.lanes {
                lane.send(&self.stop);
            }
        }
    }

    /// Without a broker nobody asks for a venue's health; the closing table has its figures.
    fn health(&mut self, _: &VenueHealth<'_>) {}

    fn dead_letter(&mut self, letter: DeadLetter) {
        tracing::debug!(error = letter.error, "dead letter");
        self.files.dead_letter(&letter.bytes);
    }

    fn gap(&mut self, gap: &Gap) {
        crate::report::gap(gap);
    }
}

impl Source for PipeSource {
    fn poll(&mut self, batch: &mut Batch) -> Result<Polled, BoxError> {
        const POLL: Duration = Duration::from_millis(100);
        match self.from.recv_timeout(POLL) {
            Ok(records) => {
                *batch = records;
                Ok(Polled::More)
            }
            Err(RecvTimeoutError::Timeout) => Ok(Polled::More),
            Err(RecvTimeoutError::Disconnected) if self.stop.load(Ordering::SeqCst) => {
                Ok(Polled::Stop)
            }
            Err(RecvTimeoutError::Disconnected) => Ok(Polled::End),
        }
    }
}
