//! The drawing thread: keys in, frames out, at most thirty a second and only when something has changed.
//!
//! A key is answered as soon as the last frame is a thirtieth of a second old, which it is at once where little moves.
//! Cells are laid out under the lock of the [`Door`]; they are written to the terminal without it.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use contract::time::Clock;
use crossbeam_channel::{Receiver, RecvTimeoutError, bounded};
use crossterm::event::Event;
use ratatui::Terminal;
use ratatui::backend::Backend;

use crate::app::Asked;
use crate::door::Door;
use crate::error::DashboardError;
use crate::log::LogBuffer;
use crate::message::Message;
use crate::orders::{self, Orders};
use crate::run::Outcome;
use crate::view;

/// The least time from one frame to the next.
const FRAME: Duration = Duration::from_millis(34);
/// Keys taken before the next look at the clock: somebody who pastes a book into the search must not stop the picture.
const MOST_KEYS: usize = 200;

/// Where keys come from.
pub trait Keys {
    /// The next event, if one comes within `at_most`.
    ///
    /// # Errors
    /// What the terminal said.
    fn next(&mut self, at_most: Duration) -> io::Result<Option<Event>>;
}

/// Keys of the terminal, read by a thread of their own.
///
/// When a terminal is closed, reading from it may never come back (crossterm tries for ever); the drawing thread then still
/// sees the stop flag that the signal has set, and the process can end. What when full: the reader waits, and so do the keys.
#[derive(Debug)]
pub struct TerminalKeys {
    events: Receiver<io::Result<Event>>,
    is_over: Arc<AtomicBool>,
}

/// Keys that wait to be looked at.
const WAITING_KEYS: usize = 1_024;
/// How often the reader of the keys looks whether anybody wants them.
const KEY_CHECK: Duration = Duration::from_millis(100);

impl TerminalKeys {
    /// Begins to read.
    ///
    /// # Errors
    /// What the system says against a thread.
    pub fn start() -> io::Result<Self> {
        let (found, events) = bounded(WAITING_KEYS);
        let is_over = Arc::new(AtomicBool::new(false));
        let seen_over = Arc::clone(&is_over);
        std::thread::Builder::new()
            .name("dashboard-keys".to_owned())
            .spawn(move || {
                while !seen_over.load(Ordering::SeqCst) {
                    let event = match crossterm::event::poll(KEY_CHECK) {
                        Ok(false) => continue,
                        Ok(true) => crossterm::event::read(),
                        Err(error) => Err(error),
                    };
                    let is_last = event.is_err();
                    if found.send(event).is_err() || is_last {
                        return;
                    }
                }
            })?;
        Ok(Self { events, is_over })
    }
}

impl Drop for TerminalKeys {
    fn drop(&mut self) {
        // It is not waited for: see above.
        self.is_over.store(true, Ordering::SeqCst);
    }
}

impl Keys for TerminalKeys {
    fn next(&mut self, at_most: Duration) -> io::Result<Option<Event>> {
        match self.events.recv_timeout(at_most) {
            Ok(event) => event.map(Some),
            Err(RecvTimeoutError::Timeout) => Ok(None),
            Err(RecvTimeoutError::Disconnected) => Err(io::ErrorKind::UnexpectedEof.into()),
        }
    }
}

/// What the drawing thread is given.
pub struct Screen<'a, K> {
    /// Where keys come from.
    pub keys: K,
    /// What is drawn.
    pub door: &'a Door,
    /// Our clock.
    pub clock: &'a dyn Clock,
    /// The log of this process.
    pub logs: &'a LogBuffer,
    /// Set by anybody, it ends the drawing.
    pub stop: &'a AtomicBool,
    /// Who sends orders for twins; none where nobody does.
    pub orders: Option<&'a Orders>,
    /// Gives the terminal to the shell for a while.
    pub suspend: fn() -> io::Result<()>,
}

impl<K> std::fmt::Debug for Screen<'_, K> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Screen").finish_non_exhaustive()
    }
}

impl<K: Keys> Screen<'_, K> {
    /// Draws until somebody leaves or the stop flag is set.
    ///
    /// # Errors
    /// [`DashboardError::Terminal`].
    pub fn run<B>(mut self, terminal: &mut Terminal<B>) -> Result<Outcome, DashboardError>
    where
        B: Backend,
        B::Error: Into<io::Error>,
    {
        let mut drawn: Option<(Instant, u64)> = None;
        let mut log_from = 0;
        loop {
            if self.stop.load(Ordering::SeqCst) {
                return Ok(Outcome::Stopped);
            }
            let since = drawn.map_or(FRAME, |(at, _)| at.elapsed());
            let wait = FRAME.checked_sub(since).filter(|wait| !wait.is_zero());
            let wait = if drawn.is_none() {
                Duration::ZERO
            } else {
                wait.unwrap_or(FRAME)
            };
            self.take_keys(wait)?;
            self.send_orders();
            match self.door.lock().take_asked() {
                Some(Asked::Quit) => return Ok(Outcome::Quit),
                Some(Asked::Suspend) => {
                    (self.suspend)().map_err(DashboardError::Terminal)?;
                    clear(terminal)?;
                    drawn = None;
                }
                Some(Asked::Redraw) => {
                    clear(terminal)?;
                    drawn = None;
                }
                None => {}
            }
            if drawn.is_none_or(|(at, _)| at.elapsed() >= FRAME) {
                let version = drawn.map(|(_, version)| version);
                if let Some(version) = self.frame(terminal, version, &mut log_from)? {
                    drawn = Some((Instant::now(), version));
                }
            }
        }
    }

    fn take_keys(&mut self, wait: Duration) -> Result<(), DashboardError> {
        let mut wait = wait;
        for _ in 0..MOST_KEYS {
            let Some(event) = self.keys.next(wait).map_err(DashboardError::Terminal)? else {
                return Ok(());
            };
            self.door.take([Message::Input(event)]);
            wait = Duration::ZERO;
        }
        Ok(())
    }

    fn send_orders(&self) {
        let given = self.door.lock().take_orders();
        let refused = given.into_iter().filter_map(|order| match self.orders {
            Some(orders) => orders.give(order),
            None => Some(orders::refusal(&order, "nobody sends orders from here")),
        });
        self.door
            .take(refused.map(Message::Ordered).collect::<Vec<_>>());
    }

    /// Draws a frame if it would differ from the one of `version`; gives the version it shows.
    fn frame<B>(
        &mut self,
        terminal: &mut Terminal<B>,
        version: Option<u64>,
        log_from: &mut u64,
    ) -> Result<Option<u64>, DashboardError>
    where
        B: Backend,
        B::Error: Into<io::Error>,
    {
        let fault = |error: B::Error| DashboardError::Terminal(error.into());
        let lines = self.logs.since(*log_from);
        *log_from = lines.next;
        terminal.autoresize().map_err(fault)?;
        let mut frame = terminal.get_frame();
        let area = frame.area();
        let shown = {
            let mut app = self.door.lock();
            app.update(Message::Log(lines));
            if app.size() != (area.width, area.height) {
                app.update(Message::Input(Event::Resize(area.width, area.height)));
            }
            app.update(Message::Time(self.clock.now_ns()));
            let shown = app.version();
            if version == Some(shown) {
                return Ok(None);
            }
            view::draw(&mut frame, &app);
            app.update(Message::Drawn);
            shown
        };
        terminal.flush().map_err(fault)?;
        terminal.swap_buffers();
        terminal.backend_mut().flush().map_err(fault)?;
        Ok(Some(shown))
    }
}

fn clear<B>(terminal: &mut Terminal<B>) -> Result<(), DashboardError>
where
    B: Backend,
    B::Error: Into<io::Error>,
{
    // Not `Terminal::clear`: that asks the terminal where its cursor is, and waits for the answer among the keys.
    let area = terminal.get_frame().area();
    terminal
        .resize(area)
        .map_err(|error| DashboardError::Terminal(error.into()))
}
