//! A job over a broker as it is shown, whatever its work: queues, commits, checkpoints, and whether it gets on.
//!
//! Healthy while a broker is reached, what waits on its topic is read, and what is read is committed. That nothing comes at all
//! is not its fault.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use windowing::run::JobHandle;
use windowing::work::Work;

use super::page::{Page, float};
use super::still::Still;
use super::{lock, write_lags};

/// After so long without a record read, with some waiting, the stage stands still.
const STILL: Duration = Duration::from_secs(15);
/// Commits may take as long as a transaction may last, and a little more.
const COMMIT_MARGIN: Duration = Duration::from_secs(15);

/// What the figures of a job are called.
pub(super) struct Names {
    pub(super) stage: &'static str,
    pub(super) queue: &'static str,
    pub(super) commit: &'static str,
    pub(super) checkpoints: &'static str,
    pub(super) checkpoint_bytes: &'static str,
    pub(super) restarts: &'static str,
    pub(super) recovery: &'static str,
    pub(super) read_again: &'static str,
}

/// A job in figures.
pub(super) struct Shown<W: Work> {
    pub(super) handle: JobHandle<W>,
    names: Names,
    /// Under exactly-once, how long a transaction may last.
    transaction: Option<Duration>,
    /// By worker.
    reading: Mutex<BTreeMap<usize, Still>>,
    committing: Still,
}

impl<W: Work> Shown<W> {
    /// Of this job; `transaction` is how long one may last, under exactly-once.
    pub(super) fn new(handle: JobHandle<W>, names: Names, transaction: Option<Duration>) -> Self {
        Self {
            handle,
            names,
            transaction,
            reading: Mutex::default(),
            committing: Still::default(),
        }
    }

    /// Its figures at this time.
    pub(super) fn write(&self, page: &mut Page, now_ns: i64) {
        let names = &self.names;
        write_lags(page, names.stage, &self.handle.lags(), now_ns);
        let delivered = self.handle.delivered();
        let reading = self.handle.reading();
        for (queue, batches) in [
            ("input", reading.iter().map(|of| of.waiting_batches).sum()),
            ("commit", delivered.queued),
        ] {
            page.gauge(
                names.queue,
                "Batches that wait for the workers (input), or for the transaction (commit).",
                &[("queue", queue)],
                float(u64::try_from(batches).unwrap_or(u64::MAX)),
            );
        }
        // Zero under at-least-once: those who look need not know which.
        page.timings(
            names.commit,
            "How long transactions took to commit.",
            &[],
            &delivered.commit_times,
        );
        page.counter(
            names.checkpoints,
            "Checkpoints written.",
            &[],
            delivered.checkpoints,
        );
        page.gauge(
            names.checkpoint_bytes,
            "Size of the last checkpoint.",
            &[],
            float(u64::try_from(delivered.last_checkpoint_bytes).unwrap_or(u64::MAX)),
        );
        page.counter(
            names.restarts,
            "How often it went on from the last commit after a transaction that had to be aborted.",
            &[],
            delivered.restarts,
        );
        page.gauge(
            names.recovery,
            "How long the last start took until records were read.",
            &[],
            delivered.recovery.as_secs_f64(),
        );
        page.gauge(
            names.read_again,
            "Records that the last start had to read again.",
            &[],
            float(delivered.read_again),
        );
    }

    /// Why it does not get on, in words, if so.
    pub(super) fn fault(&self) -> Option<String> {
        let now = Instant::now();
        let reading = self.handle.reading();
        if reading.is_empty() {
            return Some("taking over: nothing is read yet".to_owned());
        }
        if let Some(reason) = self.handle.waiting() {
            return Some(format!("no broker is reached: {reason}"));
        }
        let mut still_least = Duration::MAX;
        for (worker, of) in reading.iter().enumerate() {
            let still = lock(&self.reading)
                .entry(worker)
                .or_default()
                .at(of.records, now);
            still_least = still_least.min(still);
            // A worker that hangs holds up its reading, and with it the news of what waits at the broker.
            if (of.lag.unwrap_or(0) > 0 || of.waiting_batches > 0) && still >= STILL {
                let still_s = still.as_secs();
                return Some(format!(
                    "nothing is read for {still_s} s though records wait (worker {worker})"
                ));
            }
        }
        let uncommitted = self.committing.at(self.handle.delivered().commits, now);
        let limit = self.transaction? + COMMIT_MARGIN;
        (uncommitted >= limit && still_least < STILL).then(|| {
            format!(
                "records are read, and none is committed for {} s",
                uncommitted.as_secs()
            )
        })
    }
}
