//! Ctrl-C: the first asks everything to finish cleanly, the second leaves at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crossbeam_channel::{Receiver, bounded};

/// A flag that stages look at, and a way to wait for it.
#[derive(Clone)]
pub(crate) struct Stop {
    /// What stages look at.
    pub(crate) flag: Arc<AtomicBool>,
    interrupted: Arc<AtomicBool>,
    woken: Receiver<()>,
}

impl Stop {
    /// Listens for Ctrl-C, SIGTERM and SIGHUP.
    pub(crate) fn on_signals() -> Result<Self, ctrlc::Error> {
        const INTERRUPTED: i32 = 130;
        let flag = Arc::new(AtomicBool::new(false));
        let interrupted = Arc::new(AtomicBool::new(false));
        let (wake, woken) = bounded(1);
        let (flag_in, interrupted_in) = (Arc::clone(&flag), Arc::clone(&interrupted));
        ctrlc::set_handler(move || {
            if interrupted_in.swap(true, Ordering::SeqCst) {
                dashboard_tui::terminal::give_back();
                std::process::exit(INTERRUPTED);
            }
            flag_in.store(true, Ordering::SeqCst);
            let _ = wake.try_send(());
        })?;
        Ok(Self {
            flag,
            interrupted,
            woken,
        })
    }

    /// Whether somebody asked to stop by a signal.
    pub(crate) fn is_interrupted(&self) -> bool {
        self.interrupted.load(Ordering::SeqCst)
    }

    /// Whether stages were asked to stop, by a signal or by this program.
    pub(crate) fn is_set(&self) -> bool {
        self.flag.load(Ordering::SeqCst)
    }

    /// Asks stages to stop without calling it an interruption.
    pub(crate) fn set(&self) {
        self.flag.store(true, Ordering::SeqCst);
    }

    /// Waits for a signal, at most so long. Says whether one came.
    pub(crate) fn wait(&self, at_most: Duration) -> bool {
        let _ = self.woken.recv_timeout(at_most);
        self.is_interrupted()
    }
}
