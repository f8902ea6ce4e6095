//! One million decoded windows a second at the door, for some seconds: how many are taken, how many frames are drawn, how
//! long a key waits for its frame, and how much memory it takes. The floor: how fast the door takes them while nothing is
//! drawn. Run alone, since the figures are those of the whole process:
//!
//! ```text
//! cargo bench -p dashboard-tui --bench door
//! cargo bench -p dashboard-tui --bench door -- 20 10000     20 s, 10,000 pairs
//! ```

use std::io::{self, Write};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use contract::spread::Spread;
use contract::time::{Clock, SystemClock};
use crossbeam_channel::{Receiver, Sender, bounded};
use crossterm::event::{Event, KeyCode};
use dashboard_tui::app::App;
use dashboard_tui::config::{Settings, Thresholds};
use dashboard_tui::door::Door;
use dashboard_tui::log::LogBuffer;
use dashboard_tui::message::{Feed, Link, Message};
use dashboard_tui::screen::{Keys, Screen};
use dashboard_tui::testing::{BEGIN_MS, Fares, WIDTH_MS, spread};
use ratatui::Terminal;
use ratatui::backend::{Backend, CrosstermBackend, TestBackend, WindowSize};
use ratatui::buffer::Cell;
use ratatui::layout::{Position, Size};

const SIZE: (u16, u16) = (200, 60);
const PER_SECOND: u64 = 1_000_000;
/// Windows handed over at once, as a poll of Kafka would.
const POLLED: usize = 2_000;

/// A terminal of a size that swallows what is written, as bytes, and tells when a frame is complete.
struct Swallow {
    bytes: CrosstermBackend<io::Sink>,
    shape: TestBackend,
    frames: Sender<Instant>,
    count: &'static AtomicU64,
}

impl Backend for Swallow {
    type Error = io::Error;
    fn draw<'a, I>(&mut self, content: I) -> io::Result<()>
    where
        I: Iterator<Item = (u16, u16, &'a Cell)>,
    {
        self.bytes.draw(content)
    }
    fn hide_cursor(&mut self) -> io::Result<()> {
        Ok(())
    }
    fn show_cursor(&mut self) -> io::Result<()> {
        Ok(())
    }
    fn get_cursor_position(&mut self) -> io::Result<Position> {
        Ok(Position::ORIGIN)
    }
    fn set_cursor_position<P: Into<Position>>(&mut self, _: P) -> io::Result<()> {
        Ok(())
    }
    fn clear(&mut self) -> io::Result<()> {
        Ok(())
    }
    fn clear_region(&mut self, _: ratatui::backend::ClearType) -> io::Result<()> {
        Ok(())
    }
    fn size(&self) -> io::Result<Size> {
        self.shape.size().map_err(|never| match never {})
    }
    fn window_size(&mut self) -> io::Result<WindowSize> {
        self.shape.window_size().map_err(|never| match never {})
    }
    fn flush(&mut self) -> io::Result<()> {
        self.count.fetch_add(1, Ordering::SeqCst);
        let _ = self.frames.try_send(Instant::now());
        Ok(())
    }
}

/// Keys from a channel.
struct Typed(Receiver<Event>);

impl Keys for Typed {
    fn next(&mut self, at_most: Duration) -> io::Result<Option<Event>> {
        Ok(self.0.recv_timeout(at_most).ok())
    }
}

/// A poll of decoded windows, handed over again and again under the names of all pairs in turn; their stamps move on.
struct Market<'a> {
    names: &'a [String],
    polled: Vec<Spread<'a>>,
    at: usize,
    round: i64,
}

impl<'a> Market<'a> {
    fn new(names: &'a [String]) -> Self {
        let polled = (0..POLLED)
            .map(|number| spread(u32::try_from(number % 50).unwrap_or(0), "", 0, Fares::Well))
            .collect();
        Self {
            names,
            polled,
            at: 0,
            round: 0,
        }
    }

    /// Hands over the next windows.
    fn poll(&mut self, door: &Door, now_ns: i64) {
        for window in &mut self.polled {
            window.pair = self.names[self.at].as_str().into();
            window.start_ms = BEGIN_MS + self.round * WIDTH_MS;
            window.end_ms = window.start_ms + WIDTH_MS;
            self.at = (self.at + 1) % self.names.len();
            self.round += i64::from(self.at == 0);
        }
        door.take(
            self.polled
                .iter()
                .map(|window| Message::Spread(window, now_ns)),
        );
    }
}

fn app() -> App {
    let mut app = App::new(&Settings {
        thresholds: Thresholds {
            default_bps: Some(10.0),
            ..Thresholds::default()
        },
        ..Settings::default()
    });
    app.update(Message::Feed(Feed {
        link: Link::Up,
        lag: Some(0),
        restarts: 0,
    }));
    app
}

/// Peak memory of this process in MB, where the system tells.
fn peak_mb() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    let kib: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kib / 1_000)
}

fn percentile(sorted: &[Duration], share: usize) -> Duration {
    let at = sorted.len() * share / 100;
    sorted
        .get(at.min(sorted.len().saturating_sub(1)))
        .copied()
        .unwrap_or_default()
}

fn main() -> io::Result<()> {
    static FRAMES: AtomicU64 = AtomicU64::new(0);
    let numbers: Vec<u64> = std::env::args()
        .filter_map(|arg| arg.parse().ok())
        .collect();
    let seconds = numbers.first().copied().unwrap_or(5);
    let pairs = numbers.get(1).copied().unwrap_or(10_000);
    let pairs = usize::try_from(pairs).unwrap_or(1).max(1);
    let mut out = io::stdout();

    let names: Vec<String> = (0..pairs)
        .map(|pair| format!("PAIR{pair:05}-USD"))
        .collect();
    let mut market = Market::new(&names);
    let floor = Door::new(app());
    let began = Instant::now();
    let mut taken = 0_u64;
    while began.elapsed() < Duration::from_secs(2) {
        market.poll(&floor, SystemClock.now_ns());
        taken += u64::try_from(POLLED).unwrap_or(0);
    }
    let per_s = taken * 1_000
        / u64::try_from(began.elapsed().as_millis())
            .unwrap_or(1)
            .max(1);
    writeln!(
        out,
        "floor       {per_s} windows/s taken while nothing is drawn, {pairs} pairs"
    )?;
    drop(floor);

    let door = Door::new(app());
    let stop = AtomicBool::new(false);
    let (typing, typed) = bounded(64);
    let (frames_to, frames) = bounded(4_096);
    let latencies = Mutex::new(Vec::<Duration>::new());
    let logs = LogBuffer::new(10);
    let mut behind = Duration::ZERO;
    let mut given = 0_u64;
    let before = FRAMES.load(Ordering::SeqCst);
    std::thread::scope(|scope| {
        let (door, stop, logs, latencies) = (&door, &stop, &logs, &latencies);
        scope.spawn(move || {
            let backend = Swallow {
                bytes: CrosstermBackend::new(io::sink()),
                shape: TestBackend::new(SIZE.0, SIZE.1),
                frames: frames_to,
                count: &FRAMES,
            };
            let mut terminal = Terminal::new(backend).expect("the terminal swallows everything");
            let screen = Screen {
                keys: Typed(typed),
                door,
                clock: &SystemClock,
                logs,
                stop,
                orders: None,
                suspend: || Ok(()),
            };
            screen
                .run(&mut terminal)
                .expect("the terminal swallows everything");
        });
        scope.spawn(move || {
            // A key at odd moments; the first frame that is complete after it may not show it yet, if it was being laid
            // out already, so the second one counts.
            let keys = [
                KeyCode::Down,
                KeyCode::Char('s'),
                KeyCode::PageDown,
                KeyCode::Char('-'),
                KeyCode::Up,
            ];
            for n in 0_u64.. {
                let pause = Duration::from_millis(60 + n * 37 % 90);
                let (_keep, nothing) = bounded::<()>(0);
                let _ = nothing.recv_timeout(pause);
                if stop.load(Ordering::SeqCst) {
                    break;
                }
                while frames.try_recv().is_ok() {}
                let pressed = Instant::now();
                let key = keys[usize::try_from(n).unwrap_or(0) % keys.len()];
                if typing.send(Event::Key(key.into())).is_err() {
                    break;
                }
                let first = frames.recv_timeout(Duration::from_secs(2));
                let shown = match first {
                    // Less than a frame's work after the key: it was under way.
                    Ok(at) if at.duration_since(pressed) < Duration::from_millis(5) => {
                        frames.recv_timeout(Duration::from_secs(2))
                    }
                    first => first,
                };
                if let Ok(at) = shown {
                    latencies
                        .lock()
                        .expect("nobody panics here")
                        .push(at.duration_since(pressed));
                }
            }
        });
        let began = Instant::now();
        let (_keep, nothing) = bounded::<()>(0);
        while began.elapsed() < Duration::from_secs(seconds) {
            market.poll(door, SystemClock.now_ns());
            given += u64::try_from(POLLED).unwrap_or(0);
            let due = Duration::from_micros(given * 1_000_000 / PER_SECOND);
            match due.checked_sub(began.elapsed()) {
                Some(early) if early > Duration::from_micros(200) => {
                    let _ = nothing.recv_timeout(early);
                }
                Some(_) => {}
                None => behind = behind.max(began.elapsed() - due),
            }
        }
        let took_ms = u64::try_from(began.elapsed().as_millis())
            .unwrap_or(1)
            .max(1);
        let drawn = FRAMES.load(Ordering::SeqCst) - before;
        stop.store(true, Ordering::SeqCst);
        let rate = given * 1_000 / took_ms;
        let _ = writeln!(
            out,
            "taken       {rate} windows/s of {PER_SECOND} asked for, at most {behind:?} behind"
        );
        let _ = writeln!(
            out,
            "frames      {:.1}/s (limit 30), {}x{}",
            rate_of(drawn, took_ms),
            SIZE.0,
            SIZE.1
        );
    });
    let mut latencies = latencies.into_inner().expect("nobody panics here");
    latencies.sort_unstable();
    writeln!(
        out,
        "key         p50 {:?}, p99 {:?}, most {:?} of {} (limit 50 ms)",
        percentile(&latencies, 50),
        percentile(&latencies, 99),
        latencies.last().copied().unwrap_or_default(),
        latencies.len()
    )?;
    if let Some(mb) = peak_mb() {
        writeln!(
            out,
            "memory      {mb} MB at most (limit 150 MB), the made-up windows included"
        )?;
    }
    Ok(())
}

fn rate_of(count: u64, ms: u64) -> f64 {
    let small = |n: u64| f64::from(u32::try_from(n).unwrap_or(u32::MAX));
    small(count) * 1_000.0 / small(ms)
}
