//! Windowing as it is shown: what it read and gave, how far it is, and its commits.
//!
//! Healthy while a broker is reached, what waits in `ticks` is read, and what is read is committed. That no ticks come at
//! all is not its fault.

use std::time::{Duration, Instant};

use contract::spread::Quality;
use windowing::run::JobHandle;
use windowing::spread::Tally;

use super::page::{Page, float, seconds};
use super::still::Still;
use super::{DEAD_LETTERS, DEAD_LETTERS_HELP, Stage, write_lags};

/// After so long without a record read, with some waiting, the stage stands still.
const STILL: Duration = Duration::from_secs(15);
/// Commits may take as long as a transaction may last, and a little more.
const COMMIT_MARGIN: Duration = Duration::from_secs(15);

/// Windowing in figures.
pub(crate) struct WindowStage {
    handle: JobHandle,
    /// Under exactly-once, how long a transaction may last.
    transaction: Option<Duration>,
    reading: Still,
    committing: Still,
}

impl WindowStage {
    /// Of this job; `transaction` is how long one may last, under exactly-once.
    pub(crate) fn new(handle: JobHandle, transaction: Option<Duration>) -> Self {
        Self {
            handle,
            transaction,
            reading: Still::default(),
            committing: Still::default(),
        }
    }
}

impl Stage for WindowStage {
    fn name(&self) -> &'static str {
        "window"
    }

    fn write(&self, page: &mut Page, now_ns: i64) {
        let tally = self.handle.tally();
        write_tally(page, &tally, now_ns);
        page.counter(
            DEAD_LETTERS,
            DEAD_LETTERS_HELP,
            &[("stage", self.name())],
            tally.dead,
        );
        write_lags(page, self.name(), &self.handle.lags(), now_ns);
        let delivered = self.handle.delivered();
        let reading = self.handle.reading().unwrap_or_default();
        for (queue, batches) in [
            ("input", reading.waiting_batches),
            ("commit", delivered.queued),
        ] {
            page.gauge(
                "lockstep_window_queue_batches",
                "Batches that wait for the workers (input), or for the transaction (commit).",
                &[("queue", queue)],
                float(u64::try_from(batches).unwrap_or(u64::MAX)),
            );
        }
        // Zero under at-least-once: those who look need not know which.
        page.timings(
            "lockstep_window_commit_seconds",
            "How long transactions took to commit.",
            &[],
            &delivered.commit_times,
        );
        page.counter(
            "lockstep_window_checkpoints_total",
            "Checkpoints written.",
            &[],
            delivered.checkpoints,
        );
        page.gauge(
            "lockstep_window_checkpoint_bytes",
            "Size of the last checkpoint.",
            &[],
            float(u64::try_from(delivered.last_checkpoint_bytes).unwrap_or(u64::MAX)),
        );
        page.counter(
            "lockstep_window_restarts_total",
            "How often it went on from the last commit after a transaction that had to be aborted.",
            &[],
            delivered.restarts,
        );
        page.gauge(
            "lockstep_window_recovery_seconds",
            "How long the last start took until records were read.",
            &[],
            delivered.recovery.as_secs_f64(),
        );
        page.gauge(
            "lockstep_window_read_again_records",
            "Records that the last start had to read again.",
            &[],
            float(delivered.read_again),
        );
    }

    fn fault(&self) -> Option<String> {
        let now = Instant::now();
        let Some(reading) = self.handle.reading() else {
            return Some("taking over: nothing is read yet".to_owned());
        };
        if let Some(reason) = self.handle.waiting() {
            return Some(format!("no broker is reached: {reason}"));
        }
        let still = self.reading.at(reading.records, now);
        let lag = self.handle.lag().unwrap_or(0);
        // A worker that hangs holds up the reading, and with it the news of what waits at the broker.
        if (lag > 0 || reading.waiting_batches > 0) && still >= STILL {
            let still_s = still.as_secs();
            return Some(format!(
                "nothing is read for {still_s} s though records wait"
            ));
        }
        let uncommitted = self.committing.at(self.handle.delivered().commits, now);
        let limit = self.transaction? + COMMIT_MARGIN;
        (uncommitted >= limit && still < STILL).then(|| {
            format!(
                "records are read, and none is committed for {} s",
                uncommitted.as_secs()
            )
        })
    }
}

fn write_tally(page: &mut Page, tally: &Tally, now_ns: i64) {
    let seen = tally.counters();
    for (kind, count) in [
        ("quote", seen.quotes),
        ("trade", seen.trades),
        ("rate", seen.rates),
        ("mark", seen.marks),
        ("status", seen.statuses),
    ] {
        page.counter(
            "lockstep_window_records_total",
            "Records of `ticks` admitted, late ones included.",
            &[("kind", kind)],
            count,
        );
    }
    for quality in Quality::ALL {
        page.counter(
            "lockstep_window_spreads_total",
            "Records given to `spreads`, by the quality of the window.",
            &[("quality", quality.as_str())],
            tally.spreads.get(&quality).copied().unwrap_or(0),
        );
    }
    for (name, help, count) in [
        (
            "lockstep_window_windows_total",
            "Windows closed, of the partition that closed most.",
            tally.windows,
        ),
        (
            "lockstep_window_late_ticks_total",
            "Ticks that came after their window had closed.",
            tally.late,
        ),
        (
            "lockstep_window_late_rates_total",
            "Rates that came after their window had closed and were ignored.",
            seen.rates_ignored,
        ),
    ] {
        page.counter(name, help, &[], count);
    }
    for (partition, &closed_ns) in &tally.closed_ns {
        let partition = partition.to_string();
        let label = [("partition", partition.as_str())];
        page.gauge(
            "lockstep_window_closed_timestamp_seconds",
            "Event time up to which windows are closed, seconds since 1970.",
            &label,
            seconds(closed_ns),
        );
        page.gauge(
            "lockstep_window_lag_seconds",
            "Our clock less the event time up to which windows are closed.",
            &label,
            seconds(now_ns.saturating_sub(closed_ns)),
        );
    }
}
