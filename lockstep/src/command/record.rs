//! `lockstep record`: raw frames of the live exchanges into a capture.

use std::sync::Arc;
use std::time::Instant;

use contract::config::Config;
use contract::time::SystemClock;

use crate::cli::RecordArgs;
use crate::failure::{Failure, Outcome};
use crate::live::{self, Words};
use crate::report;
use crate::stop::Stop;
use crate::table::Summary;

/// Records until stopped.
pub(crate) fn run(args: &RecordArgs, config: &Config, stop: &Stop) -> Outcome {
    let started = Instant::now();
    let settings = live::connections(config, &args.venue)?;
    let words = Words::default();
    let watcher = words.tell(stop);
    let deadline = live::stop_after(args.run_for, stop);
    let recording = ingest::record::record(
        settings,
        Arc::new(SystemClock),
        &args.out,
        Arc::clone(&stop.flag),
        words.take(),
    );
    let result = live::block_on(recording)?;
    stop.set();
    drop((watcher, deadline));
    let recorded = result?;
    let mut summary = Summary::default();
    live::rows(&mut summary, &recorded.live);
    summary.pace(started.elapsed(), recorded.frames, "frames");
    report::close(&summary, false)?;
    tracing::info!(file = %args.out.display(), frames = recorded.frames, "recorded");
    if stop.is_interrupted() {
        Err(Failure::Interrupted)
    } else {
        Ok(())
    }
}
