//! Who calibrates: at once, or a few threads beside the stream. The result is the same bits.
//!
//! A calibration is a [`Task`]: whoever comes first does it. Where the pool has not begun with one when its window needs it, the
//! window's thread does it itself, so nothing waits for a queue. There is at most one task per stretch, and one whose stretch
//! is gone is not begun.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};

use super::calibrated::{Calibrated, Input};
use crate::twin::TwinError;

/// A calibration that was asked for.
#[derive(Debug)]
pub struct Task {
    state: Mutex<State>,
    done: Condvar,
}

type Found = Result<Box<Calibrated>, TwinError>;

enum State {
    Waiting(Box<Input>),
    Running,
    Done(std::thread::Result<Found>),
    Taken,
}

impl std::fmt::Debug for State {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(match self {
            Self::Waiting(_) => "waiting",
            Self::Running => "running",
            Self::Done(_) => "done",
            Self::Taken => "taken",
        })
    }
}

impl Task {
    pub(super) fn new(input: Input) -> Arc<Self> {
        Arc::new(Self {
            state: Mutex::new(State::Waiting(Box::new(input))),
            done: Condvar::new(),
        })
    }

    /// The state is whole at every unlock, whatever a calibration did.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Does it, unless somebody else has begun.
    pub fn run(&self) {
        let mut state = self.state();
        let input = match std::mem::replace(&mut *state, State::Running) {
            State::Waiting(input) => input,
            other => {
                *state = other;
                return;
            }
        };
        drop(state);
        let found = catch_unwind(AssertUnwindSafe(|| input.calibrate().map(Box::new)));
        *self.state() = State::Done(found);
        self.done.notify_all();
    }

    /// The result, once.
    pub(super) fn wait(&self) -> Option<Found> {
        self.run();
        let mut state = self.state();
        while matches!(*state, State::Running) {
            state = self
                .done
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        }
        match std::mem::replace(&mut *state, State::Taken) {
            State::Done(Ok(found)) => Some(found),
            State::Done(Err(panic)) => resume_unwind(panic),
            _ => None,
        }
    }
}

/// Who calibrates.
pub trait Calibrate: std::fmt::Debug + Send + Sync {
    /// Sees to it that the task is run, soon and elsewhere, or now.
    fn start(&self, task: &Arc<Task>);
}

/// Whoever asks does it, when the result is needed.
#[derive(Debug, Clone, Copy, Default)]
pub struct Inline;

impl Calibrate for Inline {
    fn start(&self, _: &Arc<Task>) {}
}

/// A few threads of their own.
#[derive(Debug)]
pub struct Pool(rayon::ThreadPool);

impl Pool {
    /// So many threads, at least one; a calibration is spread over those that are free.
    ///
    /// # Errors
    /// Where the system gives no threads.
    pub fn new(threads: usize) -> std::io::Result<Self> {
        rayon::ThreadPoolBuilder::new()
            .num_threads(threads.max(1))
            .thread_name(|k| format!("calibrate-{k}"))
            .build()
            .map(Self)
            .map_err(std::io::Error::other)
    }
}

impl Calibrate for Pool {
    fn start(&self, task: &Arc<Task>) {
        let task = Arc::downgrade(task);
        self.0.spawn(move || {
            if let Some(task) = Weak::upgrade(&task) {
                task.run();
            }
        });
    }
}
