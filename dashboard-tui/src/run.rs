//! The dashboard on a terminal, or one frame as text.

use std::io::{self, BufWriter, IsTerminal};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use contract::time::Clock;
use crossbeam_channel::bounded;
use crossterm::event::Event;
use kafka_io::Broker;
use ratatui::Terminal;
use ratatui::backend::CrosstermBackend;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::app::App;
use crate::config::{self, Settings, ViewName};
use crate::door::Door;
use crate::error::DashboardError;
use crate::feed::Feed;
use crate::log::LogBuffer;
use crate::message::Message;
use crate::orders::Orders;
use crate::print::{self, Codes};
use crate::screen::{Screen, TerminalKeys};
use crate::{terminal, view};

/// What is written to the terminal at once, bytes.
const WRITE: usize = 64 * 1024;

/// How the dashboard ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Somebody pressed `q` or Ctrl-C in it.
    Quit,
    /// The stop flag was set: by a signal, or by the rest of the program.
    Stopped,
}

/// Takes the terminal and shows what comes on the topics of `broker`, until somebody quits or `stop` is set. The
/// terminal is given back whatever happens, a panic of this thread included. Logs must go to `logs` meanwhile, not to
/// the terminal.
///
/// # Errors
/// [`DashboardError`]; a broker that is away is shown and waited for.
pub fn run(
    broker: &Broker,
    settings: &Settings,
    clock: Arc<dyn Clock>,
    stop: &AtomicBool,
    logs: &LogBuffer,
) -> Result<Outcome, DashboardError> {
    if !io::stdout().is_terminal() {
        return Err(DashboardError::NoTerminal);
    }
    let door = Door::new(App::new(settings));
    let feed = Feed::start(broker, settings.history_records, Arc::clone(&clock), &door)?;
    let orders = (settings.orders == config::Orders::Sent)
        .then(|| Orders::start(broker, &door))
        .transpose()?;
    let taken = terminal::take().map_err(DashboardError::Terminal)?;
    let backend = CrosstermBackend::new(BufWriter::with_capacity(WRITE, io::stdout()));
    let mut on = Terminal::new(backend).map_err(DashboardError::Terminal)?;
    let screen = Screen {
        keys: TerminalKeys::start().map_err(DashboardError::Terminal)?,
        door: &door,
        clock: clock.as_ref(),
        logs,
        stop,
        orders: orders.as_ref(),
        suspend: terminal::suspend,
    };
    let outcome = screen.run(&mut on);
    drop(on);
    drop(taken);
    drop(orders);
    drop(feed);
    outcome
}

/// How one frame is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OnceOptions {
    /// Columns and rows.
    pub size: (u16, u16),
    /// The longest to wait for data.
    pub wait: Duration,
    /// Whether escape codes may stand in it.
    pub codes: Codes,
}

/// One frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Once {
    /// The frame, line by line.
    pub frame: String,
    /// Whether there was anything to show; if not, the frame says what is missing.
    pub has_data: bool,
}

/// Reads until there is something to show and nothing more comes for a moment, then gives one frame.
///
/// # Errors
/// [`DashboardError`]; a broker that does not answer is none, the frame says so.
pub fn once(
    broker: &Broker,
    settings: &Settings,
    clock: Arc<dyn Clock>,
    stop: &AtomicBool,
    logs: &LogBuffer,
    options: OnceOptions,
) -> Result<Once, DashboardError> {
    /// What is there has been read when nothing comes for so long.
    const QUIET: Duration = Duration::from_millis(300);
    /// So long after the start what is unread is known.
    const CAUGHT_UP: Duration = Duration::from_secs(3);
    const LOOK: Duration = Duration::from_millis(20);
    // Nobody is at the keyboard.
    let settings = &Settings {
        orders: config::Orders::ReadOnly,
        ..settings.clone()
    };
    let door = Door::new(App::new(settings));
    let (width, height) = options.size;
    door.take([Message::Input(Event::Resize(width, height))]);
    let feed = Feed::start(broker, settings.history_records, Arc::clone(&clock), &door)?;
    let (_keep, nothing) = bounded::<()>(0);
    let began = Instant::now();
    let mut seen = (0, began);
    let has_data = |app: &App| match settings.view {
        ViewName::Spreads => app.windows() > 0,
        ViewName::Venues | ViewName::Alerts | ViewName::Log => app.records() > 0,
        ViewName::Brain | ViewName::Twin => app.has_session(settings.session.as_deref()),
    };
    while began.elapsed() < options.wait && !stop.load(Ordering::SeqCst) {
        // Nobody sends: this is a wait that needs no sleep.
        let _ = nothing.recv_timeout(LOOK);
        let app = door.lock();
        // Blocks of samples come all the time.
        let settling = app.records() - app.blocks();
        if settling != seen.0 {
            seen = (settling, Instant::now());
        } else if has_data(&app) && seen.1.elapsed() >= QUIET {
            break;
        }
        // Where windows of many sessions come all the time it is never quiet; then all that was there has been read.
        if has_data(&app) && app.unread() == Some(0) && began.elapsed() >= CAUGHT_UP {
            break;
        }
    }
    drop(feed);
    let mut app = door.lock();
    app.update(Message::Log(logs.since(0)));
    app.update(Message::Time(clock.now_ns()));
    let area = Rect::new(0, 0, width, height);
    let mut buffer = Buffer::empty(area);
    view::render(&mut buffer, area, &app);
    Ok(Once {
        frame: print::text(&buffer, options.codes),
        has_data: has_data(&app),
    })
}
