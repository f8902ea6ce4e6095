//! Whoever watches: steps as lines on standard output, bars on stderr.

use std::io::{IsTerminal, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use cerebral::analyze::{Analysis, StepId, Watch};
use cerebral::connectivity::Measure;
use cerebral::report::{band_lines, step_lines};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// Prints each step as it ends.
pub(crate) struct Screen {
    /// Steps whose lines are printed.
    shown: Vec<StepId>,
    measures: Vec<Measure>,
    bar: Mutex<Option<ProgressBar>>,
    fault: Mutex<Option<std::io::Error>>,
    stopped: AtomicBool,
}

impl Screen {
    /// Prints the lines of `shown` steps, with the matrices of `measures`.
    pub(crate) fn new(shown: Vec<StepId>, measures: Vec<Measure>) -> Self {
        Self {
            shown,
            measures,
            bar: Mutex::new(None),
            fault: Mutex::new(None),
            stopped: AtomicBool::new(false),
        }
    }

    /// What went wrong with standard output, if anything.
    pub(crate) fn take_fault(&self) -> Option<std::io::Error> {
        self.fault
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take()
    }

    /// Onto standard output; where that is gone, the analysis ends with the next step.
    fn print(&self, lines: &str) {
        if let Err(error) = std::io::stdout().lock().write_all(lines.as_bytes()) {
            self.fault
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .get_or_insert(error);
            self.stopped.store(true, Ordering::Relaxed);
        }
    }

    fn bar(&self) -> std::sync::MutexGuard<'_, Option<ProgressBar>> {
        self.bar.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Watch for Screen {
    fn began(&self, step: StepId) {
        if !std::io::stderr().is_terminal() {
            return;
        }
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr_with_hz(4));
        if let Ok(style) = ProgressStyle::with_template("step {msg} {spinner} {elapsed}") {
            bar.set_style(style);
        }
        bar.set_message(format!("{step} {}", step.title()));
        bar.enable_steady_tick(Duration::from_millis(250));
        *self.bar() = Some(bar);
    }

    fn advanced(&self, _step: StepId, done: usize, of: usize) {
        if let Some(bar) = &*self.bar() {
            let of = u64::try_from(of).unwrap_or(u64::MAX);
            if bar.length() != Some(of) {
                bar.set_length(of);
                if let Ok(style) =
                    ProgressStyle::with_template("step {msg} {wide_bar} {pos}/{len} {eta}")
                {
                    bar.set_style(style);
                }
            }
            bar.set_position(u64::try_from(done).unwrap_or(u64::MAX));
        }
    }

    fn ended(&self, step: StepId, so_far: &Analysis) {
        if let Some(bar) = self.bar().take() {
            bar.finish_and_clear();
        }
        if !self.shown.contains(&step) {
            return;
        }
        self.print(&step_lines(step, so_far, &self.measures));
    }

    fn ended_band(&self, so_far: &Analysis) {
        if self.shown.contains(&StepId::Surrogates) {
            self.print(&band_lines(so_far));
        }
    }

    fn is_stopped(&self) -> bool {
        self.stopped.load(Ordering::Relaxed)
    }
}
