//! EEG as it is shown: what the source gave, what windows said of it, how far they are, and their commits.
//!
//! A board that is unplugged is shown, and is not the stage's fault.

use std::sync::Arc;
use std::time::Duration;

use cerebral::feed::FeedCounts;
use cerebral::stream::work::{StreamSettings, Tally};
use windowing::run::JobHandle;

use super::job::{Names, Shown};
use super::page::{Page, float, seconds};
use super::{DEAD_LETTERS, DEAD_LETTERS_HELP, Stage};

/// EEG in figures.
pub(crate) struct CerebralStage {
    windows: Option<Shown<StreamSettings>>,
    feed: Option<Arc<FeedCounts>>,
}

impl CerebralStage {
    /// Of a job, if windows are made here, and of a source, if there is one; `transaction` is how long one may last, under
    /// exactly-once.
    pub(crate) fn new(
        windows: Option<JobHandle<StreamSettings>>,
        feed: Option<Arc<FeedCounts>>,
        transaction: Option<Duration>,
    ) -> Self {
        let shown = |handle| {
            let names = Names {
                stage: "cerebral",
                queue: "lockstep_eeg_queue_batches",
                commit: "lockstep_eeg_commit_seconds",
                checkpoints: "lockstep_eeg_checkpoints_total",
                checkpoint_bytes: "lockstep_eeg_checkpoint_bytes",
                restarts: "lockstep_eeg_restarts_total",
                recovery: "lockstep_eeg_recovery_seconds",
                read_again: "lockstep_eeg_read_again_records",
            };
            Shown::new(handle, names, transaction)
        };
        Self {
            windows: windows.map(shown),
            feed,
        }
    }
}

impl Stage for CerebralStage {
    fn name(&self) -> &'static str {
        "cerebral"
    }

    fn write(&self, page: &mut Page, now_ns: i64) {
        if let Some(feed) = &self.feed {
            write_feed(page, feed);
        }
        if let Some(windows) = &self.windows {
            let tally = windows.handle.tally();
            write_tally(page, &tally, now_ns);
            let label = [("stage", self.name())];
            page.counter(DEAD_LETTERS, DEAD_LETTERS_HELP, &label, tally.dead);
            windows.write(page, now_ns);
        }
    }

    fn fault(&self) -> Option<String> {
        self.windows.as_ref()?.fault()
    }
}

fn write_feed(page: &mut Page, feed: &FeedCounts) {
    let counts = feed.tally();
    for (name, help, count) in [
        (
            "lockstep_eeg_source_blocks_total",
            "Blocks of samples handed to the broker.",
            counts.published,
        ),
        (
            "lockstep_eeg_source_samples_total",
            "Samples of the source, all channels counted as one.",
            counts.samples,
        ),
        (
            "lockstep_eeg_source_gaps_total",
            "Times that samples were missing.",
            counts.gaps,
        ),
        (
            "lockstep_eeg_source_missing_samples_total",
            "Samples missing, as far as ids and clock tell.",
            counts.missing,
        ),
        (
            "lockstep_eeg_source_restarts_total",
            "Times that the numbering began anew.",
            counts.restarts,
        ),
        (
            "lockstep_eeg_source_reconnects_total",
            "Times that a port was opened again, or a board reset because nothing came.",
            counts.reconnects,
        ),
        (
            "lockstep_eeg_source_passed_bytes_total",
            "Bytes that belong to no packet.",
            counts.passed_bytes,
        ),
        (
            "lockstep_eeg_source_unpaired_total",
            "Packets of a Daisy's pair whose other half was lost.",
            counts.unpaired,
        ),
        (
            "lockstep_eeg_source_refused_total",
            "Datagrams that could not be used.",
            counts.refused,
        ),
    ] {
        page.counter(name, help, &[], count);
    }
}

fn write_tally(page: &mut Page, tally: &Tally, now_ns: i64) {
    let seen = tally.total();
    let figured = seen.windows - seen.without_figures;
    for (verdict, count) in [
        ("significant", seen.significant),
        ("not significant", figured - seen.significant),
        ("none", seen.without_figures),
    ] {
        page.counter(
            "lockstep_eeg_windows_total",
            "Windows closed, by their verdict; none where a window has no figures.",
            &[("verdict", verdict)],
            count,
        );
    }
    for (name, help, count) in [
        (
            "lockstep_eeg_blocks_total",
            "Blocks of samples read.",
            seen.blocks,
        ),
        (
            "lockstep_eeg_blocks_again_total",
            "Blocks passed over because they had come before.",
            seen.seen_again,
        ),
        (
            "lockstep_eeg_stretches_total",
            "Gap-free stretches begun: one for each session, and one after each gap or restart.",
            seen.stretches,
        ),
        (
            "lockstep_eeg_orders_total",
            "Orders for stimulations of twins.",
            seen.orders,
        ),
        (
            "lockstep_eeg_sessions_forgotten_total",
            "Sessions let go of because a partition held too many.",
            seen.forgotten,
        ),
    ] {
        page.counter(name, help, &[], count);
    }
    page.gauge(
        "lockstep_eeg_sessions",
        "Sessions that are known and have not ended.",
        &[],
        float(seen.sessions),
    );
    for (partition, &closed_ns) in &tally.closed_ns {
        let partition = partition.to_string();
        page.gauge(
            "lockstep_eeg_closed_timestamp_seconds",
            "When the block came that completed the newest window, seconds since 1970 by the clock of who took it.",
            &[("partition", partition.as_str())],
            seconds(closed_ns),
        );
        page.gauge(
            "lockstep_eeg_lag_seconds",
            "Our clock less that time.",
            &[("partition", partition.as_str())],
            seconds(now_ns.saturating_sub(closed_ns)),
        );
    }
}
