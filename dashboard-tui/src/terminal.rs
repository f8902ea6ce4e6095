//! Taking the terminal, and giving it back whatever happens: an end, an error, a panic, a signal.
//!
//! In: nothing; there is one terminal. Out: a [`Taken`] whose drop gives it back. [`give_back`] may be called at any
//! time and again. A panic of the drawing thread is told on the ordinary screen; one of another thread goes to the log
//! and is told once the terminal is given back, for its words must not be lost in the picture.

use std::io::{self, Write};
use std::panic::PanicHookInfo;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use crossterm::cursor::{Hide, Show};
use crossterm::event::{DisableMouseCapture, EnableMouseCapture};
use crossterm::execute;
use crossterm::terminal::{
    EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode,
};

/// Whether the terminal is ours.
static TAKEN: AtomicBool = AtomicBool::new(false);

type Hook = Box<dyn Fn(&PanicHookInfo<'_>) + Sync + Send>;

/// The terminal, taken.
#[must_use]
pub struct Taken {
    hook: Arc<Hook>,
    /// What other threads said as they panicked.
    words: Arc<Mutex<Vec<String>>>,
}

impl std::fmt::Debug for Taken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Taken").finish_non_exhaustive()
    }
}

/// Takes the terminal for the calling thread, which is the one that draws.
///
/// # Errors
/// What the terminal said.
pub fn take() -> io::Result<Taken> {
    let hook: Arc<Hook> = Arc::new(std::panic::take_hook());
    let words: Arc<Mutex<Vec<String>>> = Arc::default();
    let taken = Taken {
        hook: Arc::clone(&hook),
        words: Arc::clone(&words),
    };
    let drawing = std::thread::current().id();
    std::panic::set_hook(Box::new(move |panic| {
        if std::thread::current().id() == drawing {
            give_back();
            hook(panic);
            return;
        }
        let thread = std::thread::current();
        let text = format!("thread `{}`: {panic}", thread.name().unwrap_or("unnamed"));
        tracing::error!("panic in {text}");
        words
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(text);
    }));
    enter()?;
    Ok(taken)
}

/// Puts the terminal into the state that drawing needs.
///
/// # Errors
/// What the terminal said; then it is as it was.
pub(crate) fn enter() -> io::Result<()> {
    TAKEN.store(true, Ordering::SeqCst);
    let entered = enable_raw_mode()
        .and_then(|()| execute!(io::stdout(), EnterAlternateScreen, EnableMouseCapture, Hide));
    if entered.is_err() {
        give_back();
    }
    entered
}

/// Columns and rows of the terminal, if there is one.
#[must_use]
pub fn size() -> Option<(u16, u16)> {
    let known = crossterm::terminal::size().ok();
    known.filter(|(columns, rows)| *columns > 0 && *rows > 0)
}

/// Gives the terminal back if it is taken; else does nothing. For whoever must leave at once.
pub fn give_back() {
    if !TAKEN.swap(false, Ordering::SeqCst) {
        return;
    }
    // There is nobody left to tell of a failure.
    let _ = execute!(
        io::stdout(),
        DisableMouseCapture,
        LeaveAlternateScreen,
        Show
    );
    let _ = disable_raw_mode();
}

/// Gives the terminal to the shell and stops the process, until it is continued. Nothing where there is no job control.
///
/// # Errors
/// What the terminal or the system said.
pub(crate) fn suspend() -> io::Result<()> {
    #[cfg(unix)]
    {
        give_back();
        // The whole group, as the terminal itself would: a program started by another must not leave that one waiting.
        rustix::process::kill_current_process_group(rustix::process::Signal::TSTP)?;
        enter()?;
    }
    Ok(())
}

impl Drop for Taken {
    fn drop(&mut self) {
        give_back();
        if std::thread::panicking() {
            // The hook cannot be changed now, and has said what there is to say.
            return;
        }
        let hook = Arc::clone(&self.hook);
        std::panic::set_hook(Box::new(move |panic| hook(panic)));
        let words = self.words.lock().unwrap_or_else(PoisonError::into_inner);
        for text in words.iter() {
            let _ = writeln!(io::stderr(), "panic in {text}");
        }
    }
}
