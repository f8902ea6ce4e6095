//! Windowing as it is shown: what it read and gave, how far it is, and its commits.

use std::time::Duration;

use contract::spread::Quality;
use windowing::Settings;
use windowing::run::JobHandle;
use windowing::spread::Tally;

use super::job::{Names, Shown};
use super::page::{Page, seconds};
use super::{DEAD_LETTERS, DEAD_LETTERS_HELP, Stage};

/// Windowing in figures.
pub(crate) struct WindowStage(Shown<Settings>);

impl WindowStage {
    /// Of this job; `transaction` is how long one may last, under exactly-once.
    pub(crate) fn new(handle: JobHandle, transaction: Option<Duration>) -> Self {
        let names = Names {
            stage: "window",
            queue: "lockstep_window_queue_batches",
            commit: "lockstep_window_commit_seconds",
            checkpoints: "lockstep_window_checkpoints_total",
            checkpoint_bytes: "lockstep_window_checkpoint_bytes",
            restarts: "lockstep_window_restarts_total",
            recovery: "lockstep_window_recovery_seconds",
            read_again: "lockstep_window_read_again_records",
        };
        Self(Shown::new(handle, names, transaction))
    }
}

impl Stage for WindowStage {
    fn name(&self) -> &'static str {
        "window"
    }

    fn write(&self, page: &mut Page, now_ns: i64) {
        let tally = self.0.handle.tally();
        write_tally(page, &tally, now_ns);
        let label = [("stage", self.name())];
        page.counter(DEAD_LETTERS, DEAD_LETTERS_HELP, &label, tally.dead);
        self.0.write(page, now_ns);
    }

    fn fault(&self) -> Option<String> {
        self.0.fault()
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
