//! Running an analysis beside Ctrl-C.

use std::io::Write;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use cerebral::analyze::{Analysis, AnalyzeError, Manifest, Options, Status, StepId, analyze};
use contract::time::{Clock, SystemClock, show_ns};
use crossbeam_channel::{RecvTimeoutError, bounded};

use super::args::{OutputArgs, RecordingArgs};
use super::input::{self, Input};
use super::screen::Screen;
use crate::failure::Failure;
use crate::stop::Stop;

/// How often Ctrl-C is looked at.
const LOOK: Duration = Duration::from_millis(100);

/// Reads the recording and runs the steps, printing those that are `shown` unless standard output belongs to the JSON.
pub(crate) fn run(
    command: &str,
    recording: &RecordingArgs,
    output: &OutputArgs,
    options: Options,
    shown: &[StepId],
    stop: &Stop,
) -> Result<Analysis, Failure> {
    output.check(&recording.file)?;
    let started = show_ns(SystemClock.now_ns());
    let input = input::read(&recording.file, &recording.load_options())?;
    let shown = if output.json_is_stdout() {
        Vec::new()
    } else {
        shown.to_vec()
    };
    let manifest = Manifest {
        command: command.to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        seed: options.seed,
        file_sha256: input.sha256.clone(),
        started,
        options: options.record(),
    };
    let screen = Arc::new(Screen::new(shown, options.measures.clone()));
    if !output.json_is_stdout() {
        writeln!(std::io::stdout(), "{}", heading(&input))?;
    }
    beside_stop(input, manifest, options, &screen, stop)
}

/// Beside Ctrl-C, since a step may take minutes and looks at no flag; files are written only afterwards, so that leaving it behind
/// loses nothing.
fn beside_stop(
    input: Input,
    manifest: Manifest,
    options: Options,
    screen: &Arc<Screen>,
    stop: &Stop,
) -> Result<Analysis, Failure> {
    let watching = Arc::clone(screen);
    let result = beside(stop, move || {
        analyze(
            &input.recording,
            &input.name,
            manifest,
            &options,
            &*watching,
        )
    })?;
    if let Some(fault) = screen.take_fault() {
        return Err(fault.into());
    }
    result.map_err(failure)
}

/// What `work` gives, on a thread of its own that is left behind at Ctrl-C.
pub(crate) fn beside<T: Send + 'static>(
    stop: &Stop,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Failure> {
    let (tx, rx) = bounded(1);
    std::thread::Builder::new()
        .name("analysis".to_owned())
        .spawn(move || {
            let _ = tx.send(work());
        })
        .context("could not start a thread")?;
    loop {
        match rx.recv_timeout(LOOK) {
            Ok(result) => return Ok(result),
            Err(RecvTimeoutError::Timeout) if stop.is_interrupted() => {
                return Err(Failure::Interrupted);
            }
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => {
                return Err(Failure::Failed(anyhow::anyhow!(
                    "the computation panicked; its reason stands above"
                )));
            }
        }
    }
}

fn failure(error: AnalyzeError) -> Failure {
    if error.is_wrong_use() {
        Failure::WrongUse(error.to_string())
    } else {
        Failure::BadInput(error.into())
    }
}

fn heading(input: &Input) -> String {
    let recording = &input.recording;
    let quality = &recording.quality;
    let missing: usize = recording.numbering.gaps.iter().map(|gap| gap.missing).sum();
    let mut told = format!(
        "{}: {} channels, {} samples at {} Hz; {missing} missing, {} restarts, {} rows unreadable",
        input.name,
        recording.n_channels(),
        recording.n_samples(),
        recording.sample_rate_hz,
        recording.numbering.restarts.len(),
        quality.bad_rows.len()
    );
    for bad in quality.bad_rows.iter().take(3) {
        told.push_str(&format!("\n  row {}: {}", bad.row, bad.reason));
    }
    for left_out in &quality.left_out {
        told.push_str(&format!("\n  left out: {left_out}"));
    }
    told
}

/// Bad input where a step did not come about that the command is there for.
pub(crate) fn must_have(analysis: &Analysis, step: StepId) -> Result<(), Failure> {
    let skipped = analysis
        .steps
        .iter()
        .find(|ended| ended.step == step && ended.status == Status::Skipped);
    skipped.map_or(Ok(()), |skipped| {
        let reason = skipped.reason.clone().unwrap_or_default();
        Err(Failure::BadInput(anyhow::anyhow!("{reason}")))
    })
}

/// Tells which files were written.
pub(crate) fn told(written: &[std::path::PathBuf]) -> Result<(), Failure> {
    for path in written {
        writeln!(std::io::stderr(), "wrote {}", path.display())?;
    }
    Ok(())
}
