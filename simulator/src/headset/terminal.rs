//! The headset on a pseudo-terminal, at the pace of life.

use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender, unbounded};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{Mode, OFlags, fcntl_setfl};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{OptionalActions, tcgetattr, tcsetattr};

use super::brain::RATE_HZ;
use super::{Board, Brain, BrainSettings, Line, LineFaults};
use crate::error::SimulatorError;

/// What is imitated.
#[derive(Debug, Clone, PartialEq)]
pub struct HeadsetSettings {
    /// The brain under it; 16 channels make a Daisy.
    pub brain: BrainSettings,
    /// What the line does to bytes.
    pub line: LineFaults,
    /// How many times as fast as life it goes.
    pub speed: f64,
}

/// Orders to a headset that runs.
#[derive(Debug)]
enum Order {
    Unplug,
    PlugIn,
    Faults(LineFaults),
}

/// A headset that runs until it is dropped.
#[derive(Debug)]
pub struct Headset {
    path: PathBuf,
    orders: Sender<Order>,
    stop: Arc<AtomicBool>,
    life: Option<JoinHandle<()>>,
    /// Held open, so that the terminal lives when its reader goes and comes again.
    _held: OwnedFd,
}

fn terminal(source: io::Error) -> SimulatorError {
    SimulatorError::Terminal { source }
}

impl Headset {
    /// Starts it.
    ///
    /// # Errors
    /// [`SimulatorError::Setting`], and [`SimulatorError::Terminal`] where the system gives no pseudo-terminal.
    pub fn start(settings: HeadsetSettings) -> Result<Self, SimulatorError> {
        let brain = Brain::new(settings.brain)?;
        if !matches!(brain.n_channels(), 8 | 16) {
            return Err(SimulatorError::Setting(format!(
                "a Cyton has 8 channels, 16 with a Daisy, not {}",
                brain.n_channels()
            )));
        }
        if !(settings.speed > 0.0 && settings.speed.is_finite()) {
            return Err(SimulatorError::Setting(
                "a headset's speed is above 0".to_owned(),
            ));
        }
        let os = |error: rustix::io::Errno| terminal(error.into());
        let controller = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).map_err(os)?;
        grantpt(&controller).map_err(os)?;
        unlockpt(&controller).map_err(os)?;
        let name = ptsname(&controller, Vec::new()).map_err(os)?;
        let name = name
            .into_string()
            .map_err(|error| terminal(io::Error::other(error)))?;
        let held =
            rustix::fs::open(&name, OFlags::RDWR | OFlags::NOCTTY, Mode::empty()).map_err(os)?;
        let mut modes = tcgetattr(&held).map_err(os)?;
        modes.make_raw();
        tcsetattr(&held, OptionalActions::Now, &modes).map_err(os)?;
        fcntl_setfl(&controller, OFlags::RDWR | OFlags::NONBLOCK).map_err(os)?;
        let (orders, ordered) = unbounded();
        let stop = Arc::new(AtomicBool::new(false));
        let mut life = Life {
            line: Line::new(settings.line, brain.n_channels().try_into().unwrap_or(0)),
            board: Board::new(brain.n_channels() == 16),
            brain,
            port: File::from(controller),
            speed: settings.speed,
            is_plugged: true,
            stop: Arc::clone(&stop),
        };
        Ok(Self {
            path: PathBuf::from(name),
            orders,
            stop,
            life: Some(std::thread::spawn(move || life.run(&ordered))),
            _held: held,
        })
    }

    /// The terminal's name: what stands behind `serial:`.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Takes the battery out: nothing comes and nothing is heard, though the port is there.
    pub fn unplug(&self) {
        let _ = self.orders.send(Order::Unplug);
    }

    /// Puts the battery in: the board starts as from the beginning.
    pub fn plug_in(&self) {
        let _ = self.orders.send(Order::PlugIn);
    }

    /// Changes what the line does to bytes.
    pub fn faults(&self, faults: LineFaults) {
        let _ = self.orders.send(Order::Faults(faults));
    }
}

impl Drop for Headset {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        if let Some(life) = self.life.take() {
            let _ = life.join();
        }
    }
}

/// A radio gives what it has collected every few milliseconds.
const PACE: Timespec = Timespec {
    tv_sec: 0,
    tv_nsec: 8_000_000,
};

struct Life {
    brain: Brain,
    board: Board,
    line: Line,
    port: File,
    speed: f64,
    is_plugged: bool,
    stop: Arc<AtomicBool>,
}

impl Life {
    fn run(&mut self, ordered: &Receiver<Order>) {
        let sample = Duration::from_secs_f64(1.0 / RATE_HZ / self.speed);
        let began = Instant::now();
        let mut n_samples = 0_u32;
        let (mut bytes, mut out) = (Vec::new(), Vec::new());
        while !self.stop.load(Ordering::SeqCst) {
            bytes.clear();
            self.hear(&mut bytes);
            for order in ordered.try_iter() {
                match order {
                    Order::Unplug => self.is_plugged = false,
                    Order::PlugIn => {
                        self.is_plugged = true;
                        self.board.told(b"v");
                    }
                    Order::Faults(faults) => self.line = Line::new(faults, u64::from(n_samples)),
                }
            }
            while sample * n_samples < began.elapsed() {
                n_samples = n_samples.saturating_add(1);
                let sample_uv = self.brain.sample_uv();
                if !self.is_plugged {
                    continue;
                }
                if let Some(packet) = self.board.packet(&sample_uv) {
                    bytes.extend(packet.write());
                }
            }
            out.clear();
            self.line.pass(&bytes, &mut out);
            if !self.say(&out) {
                return;
            }
        }
    }

    /// Waits a little for what a host says; puts the replies to `bytes`.
    fn hear(&mut self, bytes: &mut Vec<u8>) {
        let mut wanted = [PollFd::new(&self.port, PollFlags::IN)];
        let _ = poll(&mut wanted, Some(&PACE));
        let mut told = [0; 256];
        while let Ok(n @ 1..) = self.port.read(&mut told) {
            if self.is_plugged {
                bytes.extend(self.board.told(&told[..n]));
            }
        }
    }

    /// Says it; what a host does not take away is lost, as it is on the air. False when the terminal is gone.
    fn say(&mut self, mut bytes: &[u8]) -> bool {
        while !bytes.is_empty() {
            match self.port.write(bytes) {
                Ok(n) => bytes = &bytes[n..],
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return true,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => return false,
            }
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use cerebral::board::decoder::{Decoder, Event};

    use super::*;

    #[test]
    fn a_host_finds_every_packet_on_the_terminal_and_none_after_the_stop() {
        let headset = Headset::start(HeadsetSettings {
            brain: BrainSettings::new(8, 1),
            line: LineFaults::default(),
            speed: 4.0,
        })
        .unwrap();
        let mut port = File::options()
            .read(true)
            .write(true)
            .open(headset.path())
            .unwrap();
        port.write_all(b"vb").unwrap();
        let (mut decoder, mut ids, mut passed) = (Decoder::new(), Vec::new(), 0);
        let mut bytes = [0; 512];
        while ids.len() < 600 {
            let n = port.read(&mut bytes).unwrap();
            decoder.push(&bytes[..n], |event| match event {
                Event::Packet(packet) => ids.push(packet.id),
                Event::Passed(n) => passed += n,
            });
        }
        // The greeting alone is no packet.
        assert_eq!(passed, Board::new(false).greeting().len());
        assert_eq!(ids[0], 0);
        assert!(ids.windows(2).all(|two| two[1] == two[0].wrapping_add(1)));
    }
}
