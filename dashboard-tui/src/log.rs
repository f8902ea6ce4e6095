//! The log lines of this process, kept for the view *Log* instead of scribbling over the screen.
//!
//! In come events of `tracing`, from any thread; out go the newest lines. What when full: the oldest line goes, and the
//! reader is told how many it missed. Absent: files, formats, and levels other than the filter of the subscriber.

use std::collections::VecDeque;
use std::fmt::{self, Write as _};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use contract::time::Clock;
use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::layer::{Context, Layer};

/// Characters of a line that are kept; a frame or a record in a log line must not fill the memory.
const MAX_CHARS: usize = 1_000;

/// One line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogLine {
    /// When it was written, nanoseconds since 1970.
    pub at_ns: i64,
    /// How grave it is.
    pub level: Level,
    /// The module it comes from.
    pub target: String,
    /// The message, then the fields as `name=value`.
    pub text: String,
}

/// A bounded ring of lines; clones share it.
///
/// ```
/// use std::sync::Arc;
/// use contract::time::SystemClock;
/// use dashboard_tui::log::LogBuffer;
/// use tracing_subscriber::layer::SubscriberExt;
///
/// let logs = LogBuffer::new(2_000);
/// let subscriber = tracing_subscriber::registry().with(logs.layer(Arc::new(SystemClock)));
/// tracing::subscriber::with_default(subscriber, || tracing::warn!(venue = "binance", "silent"));
/// assert_eq!(logs.since(0).lines[0].text, "silent venue=binance");
/// ```
#[derive(Debug, Clone)]
pub struct LogBuffer {
    ring: Arc<Mutex<Ring>>,
}

#[derive(Debug)]
struct Ring {
    lines: VecDeque<Arc<LogLine>>,
    capacity: usize,
    /// How many lines there have been.
    total: u64,
}

/// What is new to a reader.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct NewLines {
    /// The lines, oldest first.
    pub lines: Vec<Arc<LogLine>>,
    /// How many came and went before they could be read.
    pub missed: u64,
    /// What to ask for next time.
    pub next: u64,
}

impl LogBuffer {
    /// A ring of `capacity` lines, at least one.
    #[must_use]
    pub fn new(capacity: usize) -> Self {
        let ring = Ring {
            lines: VecDeque::new(),
            capacity: capacity.max(1),
            total: 0,
        };
        Self {
            ring: Arc::new(Mutex::new(ring)),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Ring> {
        self.ring.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a line; the oldest goes where there is no room.
    pub fn push(&self, mut line: LogLine) {
        if let Some((at, _)) = line.text.char_indices().nth(MAX_CHARS) {
            line.text.truncate(at);
            line.text.push('…');
        }
        let mut ring = self.lock();
        if ring.lines.len() >= ring.capacity {
            ring.lines.pop_front();
        }
        ring.lines.push_back(Arc::new(line));
        ring.total += 1;
    }

    /// The lines from number `from` on, which is 0 at first and [`NewLines::next`] afterwards.
    #[must_use]
    pub fn since(&self, from: u64) -> NewLines {
        let ring = self.lock();
        let held = u64::try_from(ring.lines.len()).unwrap_or(u64::MAX);
        let first = ring.total - held;
        let skip = usize::try_from(from.saturating_sub(first)).unwrap_or(usize::MAX);
        NewLines {
            lines: ring.lines.iter().skip(skip).cloned().collect(),
            missed: first.saturating_sub(from),
            next: ring.total,
        }
    }

    /// A layer that puts every event it is given here. For the library's own chatter add a filter, as for any layer.
    #[must_use]
    pub fn layer(&self, clock: Arc<dyn Clock>) -> LogLayer {
        LogLayer {
            buffer: self.clone(),
            clock,
        }
    }
}

/// Puts events into a [`LogBuffer`].
pub struct LogLayer {
    buffer: LogBuffer,
    clock: Arc<dyn Clock>,
}

impl fmt::Debug for LogLayer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LogLayer").finish_non_exhaustive()
    }
}

impl<S: Subscriber> Layer<S> for LogLayer {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let mut text = Text::default();
        event.record(&mut text);
        self.buffer.push(LogLine {
            at_ns: self.clock.now_ns(),
            level: *event.metadata().level(),
            target: event.metadata().target().to_owned(),
            text: text.line(),
        });
    }
}

/// Message and fields of an event as one line.
#[derive(Debug, Default)]
struct Text {
    message: String,
    fields: String,
}

impl Text {
    fn put(&mut self, field: &Field, value: fmt::Arguments<'_>) {
        // Writing to a text does not fail.
        let _ = match field.name() {
            "message" => self.message.write_fmt(value),
            // What a bridge from the crate `log` adds: the event's own metadata again.
            name if name.starts_with("log.") => Ok(()),
            name => write!(self.fields, " {name}={value}"),
        };
    }

    fn line(mut self) -> String {
        self.message.push_str(&self.fields);
        self.message.trim_start().replace(['\r', '\n'], " ")
    }
}

impl Visit for Text {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.put(field, format_args!("{value}"));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.put(field, format_args!("{value:?}"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tracing_subscriber::layer::SubscriberExt;

    struct Noon;
    impl Clock for Noon {
        fn now_ns(&self) -> i64 {
            12
        }
    }

    fn line(n: u64) -> LogLine {
        LogLine {
            at_ns: 0,
            level: Level::INFO,
            target: "test".to_owned(),
            text: format!("line {n}"),
        }
    }

    #[test]
    fn a_reader_gets_each_line_once_and_is_told_what_it_missed() {
        let logs = LogBuffer::new(3);
        (0..2).for_each(|n| logs.push(line(n)));
        let first = logs.since(0);
        assert_eq!((first.lines.len(), first.missed, first.next), (2, 0, 2));
        assert_eq!(logs.since(first.next).lines, Vec::new());
        (2..7).for_each(|n| logs.push(line(n)));
        let second = logs.since(first.next);
        let texts: Vec<&str> = second.lines.iter().map(|line| line.text.as_str()).collect();
        assert_eq!(texts, ["line 4", "line 5", "line 6"]);
        assert_eq!((second.missed, second.next), (2, 7));
    }

    #[test]
    fn events_become_lines_with_their_fields() {
        let logs = LogBuffer::new(10);
        let subscriber = tracing_subscriber::registry().with(logs.layer(Arc::new(Noon)));
        tracing::subscriber::with_default(subscriber, || {
            tracing::warn!(venue = "binance", after_s = 12, "no data\nfrom it");
        });
        let told = logs.since(0).lines;
        assert_eq!(told[0].text, "no data from it venue=binance after_s=12");
        assert_eq!((told[0].level, told[0].at_ns), (Level::WARN, 12));
    }

    #[test]
    fn an_endless_line_is_cut() {
        let logs = LogBuffer::new(1);
        logs.push(LogLine {
            text: "ä".repeat(5_000),
            ..line(0)
        });
        assert_eq!(logs.since(0).lines[0].text.chars().count(), MAX_CHARS + 1);
    }
}
