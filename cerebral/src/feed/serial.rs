//! A Cyton on a serial port: 115200 baud, 8N1. The shell around [`BoardSession`].
//!
//! The port is opened at once or not at all, since a wrong name shall be told; afterwards one that goes is waited for, and opened
//! again when it comes. Waits are for the port's bytes, so that a stop is noticed as soon as a wait of the caller ends.

use std::collections::VecDeque;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use contract::eeg::Samples;
use contract::time::Clock;
use serial2::SerialPort;

use super::counts::{FeedCounts, add};
use super::{FeedError, FeedOptions, Left, Next, Source};
use crate::board::session::{BoardSession, Note, Output};

/// Baud of a Cyton's dongle.
const BAUD: u32 = 115_200;
/// One look at the port.
const LOOK: Duration = Duration::from_millis(20);
/// How long a command may take to be written.
const WRITE: Duration = Duration::from_millis(500);
/// How often a port that is gone is looked for.
const AGAIN: Duration = Duration::from_millis(250);

/// A board on a serial port.
pub struct SerialSource {
    device: PathBuf,
    session: BoardSession,
    port: Option<SerialPort>,
    has_begun: bool,
    tried: Instant,
    clock: Arc<dyn Clock>,
    counts: Arc<FeedCounts>,
    out: VecDeque<Output>,
    ready: VecDeque<Samples<'static>>,
}

impl std::fmt::Debug for SerialSource {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SerialSource")
            .field("device", &self.device)
            .field("session", &self.session)
            .field("is_open", &self.port.is_some())
            .finish_non_exhaustive()
    }
}

fn open(device: &Path) -> io::Result<SerialPort> {
    let mut port = SerialPort::open(device, BAUD)?;
    port.set_read_timeout(LOOK)?;
    port.set_write_timeout(WRITE)?;
    Ok(port)
}

impl SerialSource {
    /// Opens a port and resets the board on it.
    ///
    /// # Errors
    /// [`FeedError::Port`].
    pub fn open(device: &Path, session: &str, options: &FeedOptions) -> Result<Self, FeedError> {
        let port = open(device).map_err(|source| FeedError::Port {
            device: device.display().to_string(),
            known: SerialPort::available_ports()
                .unwrap_or_default()
                .iter()
                .map(|port| port.display().to_string())
                .collect(),
            source,
        })?;
        let counts = Arc::clone(&options.counts);
        Ok(Self {
            device: device.to_owned(),
            session: BoardSession::new(session, options.block, options.daisy, Arc::clone(&counts)),
            port: Some(port),
            has_begun: false,
            tried: Instant::now(),
            clock: Arc::clone(&options.clock),
            counts,
            out: VecDeque::new(),
            ready: VecDeque::new(),
        })
    }

    /// Does what the session says.
    fn settle(&mut self) {
        while let Some(output) = self.out.pop_front() {
            match output {
                Output::Block(block) => self.ready.push_back(block),
                Output::Note(note @ Note::Streams { .. }) => {
                    tracing::info!(device = %self.device.display(), "{note}");
                }
                Output::Note(note) => tracing::warn!(device = %self.device.display(), "{note}"),
                Output::Send(bytes) => {
                    let written = self.port.as_ref().map(|port| port.write_all(bytes));
                    if let Some(Err(error)) = written {
                        self.lose(&error);
                    }
                }
            }
        }
    }

    fn lose(&mut self, error: &io::Error) {
        if self.port.take().is_some() {
            tracing::warn!(device = %self.device.display(), %error, "the port is gone, it is looked for");
            self.session.lost(&mut self.out);
        }
    }

    /// Looks for a port that is gone.
    fn find(&mut self) {
        self.tried = Instant::now();
        if let Ok(port) = open(&self.device) {
            tracing::info!(device = %self.device.display(), "the port is there again");
            add(&self.counts.reconnects, 1);
            self.port = Some(port);
            self.session.connected(self.clock.now_ns(), &mut self.out);
        }
    }

    /// One look at the port.
    fn look(&mut self) {
        let Some(port) = &self.port else { return };
        let mut bytes = [0; 4_096];
        let read = port.read(&mut bytes);
        let now_ns = self.clock.now_ns();
        match read {
            // A port never ends but when it is pulled out.
            Ok(0) => self.lose(&ErrorKind::UnexpectedEof.into()),
            Ok(n) => self.session.heard(&bytes[..n], now_ns, &mut self.out),
            Err(error) => match error.kind() {
                ErrorKind::TimedOut | ErrorKind::WouldBlock => {
                    self.session.quiet(now_ns, &mut self.out);
                }
                ErrorKind::Interrupted => {}
                _ => self.lose(&error),
            },
        }
    }
}

impl Source for SerialSource {
    fn session(&self) -> &str {
        self.session.name()
    }

    fn next(&mut self, wait: Duration) -> Result<Next, FeedError> {
        let began = Instant::now();
        // Not before: whoever resumes a session has done so by now.
        if !std::mem::replace(&mut self.has_begun, true) {
            self.session.connected(self.clock.now_ns(), &mut self.out);
        }
        loop {
            self.settle();
            if let Some(block) = self.ready.pop_front() {
                return Ok(Next::Block(block));
            }
            let left = wait.saturating_sub(began.elapsed());
            if left.is_zero() {
                return Ok(Next::Nothing);
            }
            if self.port.is_some() {
                self.look();
                continue;
            }
            let early = AGAIN.saturating_sub(self.tried.elapsed());
            if early.is_zero() {
                self.find();
            } else {
                std::thread::park_timeout(early.min(left));
            }
        }
    }

    fn resume(&mut self, left: Left) -> bool {
        self.session.resume(left);
        true
    }

    fn stop(&mut self) -> Option<Samples<'static>> {
        self.session.stop(&mut self.out);
        self.settle();
        self.ready.pop_front()
    }

    fn at(&self) -> u64 {
        self.session.at()
    }
}
