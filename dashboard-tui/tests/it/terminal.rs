//! The terminal is given back: after an ordinary end, a panic here, a panic elsewhere, and Ctrl-C.
//!
//! Each test runs a part of this very binary as a child on a pseudo-terminal of its own, and looks at what it wrote
//! there and at the terminal's settings before and afterwards.

use std::io::{ErrorKind, Read, Write};
use std::os::fd::OwnedFd;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use contract::time::SystemClock;
use dashboard_tui::config::Settings;
use dashboard_tui::log::LogBuffer;
use dashboard_tui::run::{Outcome, run};
use kafka_io::{Broker, EmbeddedBroker, TopicSpec};
use rustix::fs::{Mode, OFlags};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{LocalModes, tcgetattr};

/// Far longer than anything here takes.
const PATIENCE: Duration = Duration::from_secs(120);
const ENTER: &str = "\u{1b}[?1049h";
const LEAVE: &str = "\u{1b}[?1049l";
const MOUSE_OFF: &str = "\u{1b}[?1000l";
const SHOW: &str = "\u{1b}[?25h";

struct Pty {
    ours: std::fs::File,
    theirs: OwnedFd,
    seen: String,
}

impl Pty {
    fn new() -> Self {
        let ours = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).unwrap();
        grantpt(&ours).unwrap();
        unlockpt(&ours).unwrap();
        let name = ptsname(&ours, Vec::new()).unwrap();
        let theirs = rustix::fs::open(name, OFlags::RDWR | OFlags::NOCTTY, Mode::empty()).unwrap();
        let size = rustix::termios::Winsize {
            ws_row: 24,
            ws_col: 80,
            ws_xpixel: 0,
            ws_ypixel: 0,
        };
        rustix::termios::tcsetwinsize(&theirs, size).unwrap();
        rustix::io::ioctl_fionbio(&ours, true).unwrap();
        Self {
            ours: ours.into(),
            theirs,
            seen: String::new(),
        }
    }

    /// Starts one of the tests below as a child.
    fn child(&self, part: &str) -> Child {
        let end = || Stdio::from(self.theirs.try_clone().unwrap());
        Command::new(std::env::current_exe().unwrap())
            .args([part, "--exact", "--ignored", "--nocapture"])
            .env("RUST_BACKTRACE", "0")
            .stdin(end())
            .stdout(end())
            .stderr(end())
            .spawn()
            .unwrap()
    }

    fn modes(&self) -> LocalModes {
        tcgetattr(&self.theirs).unwrap().local_modes
    }

    fn read(&mut self) {
        let mut bytes = [0; 65_536];
        match self.ours.read(&mut bytes) {
            Ok(n) => self.seen.push_str(&String::from_utf8_lossy(&bytes[..n])),
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            Err(error) => panic!("{error}"),
        }
    }

    fn wait_for(&mut self, text: &str) {
        let since = Instant::now();
        let (_keep, nothing) = crossbeam_channel::bounded::<()>(0);
        while !self.seen.contains(text) {
            assert!(since.elapsed() < PATIENCE, "no {text:?} in {:?}", self.seen);
            let _ = nothing.recv_timeout(Duration::from_millis(10));
            self.read();
        }
    }

    fn type_in(&mut self, text: &str) {
        self.ours.write_all(text.as_bytes()).unwrap();
    }

    /// Reads what comes until the child has ended.
    fn wait_end(&mut self, mut child: Child) -> std::process::ExitStatus {
        let since = Instant::now();
        let (_keep, nothing) = crossbeam_channel::bounded::<()>(0);
        loop {
            self.read();
            if let Some(status) = child.try_wait().unwrap() {
                self.read();
                return status;
            }
            if since.elapsed() > PATIENCE {
                child.kill().unwrap();
                panic!("the child does not end: {:?}", self.seen);
            }
            let _ = nothing.recv_timeout(Duration::from_millis(10));
        }
    }

    /// That the screen was entered and left, the cursor is back, and the mouse is let go.
    fn assert_given_back(&self, before: LocalModes) {
        assert_eq!(self.modes(), before, "raw mode is over");
        assert!(before.contains(LocalModes::ECHO | LocalModes::ICANON));
        let left = self
            .seen
            .rfind(LEAVE)
            .unwrap_or_else(|| panic!("not left: {:?}", self.seen));
        assert!(self.seen.find(ENTER).is_some_and(|entered| entered < left));
        assert!(!self.seen[left..].contains(ENTER), "left for good");
        assert!(self.seen[left..].contains(SHOW), "{:?}", self.seen);
        assert!(self.seen.rfind(MOUSE_OFF).is_some());
    }

    /// What stands on the ordinary screen.
    fn after_leaving(&self) -> &str {
        let left = self.seen.rfind(LEAVE).unwrap();
        &self.seen[left + LEAVE.len()..]
    }
}

/// Set by a part, it ends the dashboard of its process.
static STOP: AtomicBool = AtomicBool::new(false);

fn dashboard() -> Outcome {
    let topics: Vec<TopicSpec> = contract::topic::ALL.iter().map(TopicSpec::from).collect();
    let broker = Broker::Embedded(EmbeddedBroker::start(&topics).unwrap());
    let logs = LogBuffer::new(10);
    let clock = Arc::new(SystemClock);
    run(&broker, &Settings::default(), clock, &STOP, &logs).unwrap()
}

#[test]
#[ignore = "a part of the tests here, which start it on a terminal of its own"]
fn part_dashboard() {
    assert_eq!(dashboard(), Outcome::Quit);
}

#[test]
#[ignore = "a part of the tests here, which start it on a terminal of its own"]
fn part_another_thread_panics() {
    let stage = || {
        let is_ordinary = || {
            tcgetattr(std::io::stdin())
                .unwrap()
                .local_modes
                .contains(LocalModes::ICANON)
        };
        let (_keep, nothing) = crossbeam_channel::bounded::<()>(0);
        while is_ordinary() {
            let _ = nothing.recv_timeout(Duration::from_millis(10));
        }
        let named = std::thread::Builder::new().name("a-stage".to_owned());
        let fallen = named.spawn(|| panic!("a stage fell over")).unwrap().join();
        assert!(fallen.is_err());
        STOP.store(true, Ordering::SeqCst);
    };
    std::thread::scope(|scope| {
        scope.spawn(stage);
        assert_eq!(dashboard(), Outcome::Stopped);
    });
}

#[test]
#[ignore = "a part of the tests here, which start it on a terminal of its own"]
fn part_terminal_is_closed() {
    // What the handler of the signal does when the terminal hangs up.
    let watch = || {
        let (_keep, nothing) = crossbeam_channel::bounded::<()>(0);
        while tcgetattr(std::io::stdin()).is_ok() {
            let _ = nothing.recv_timeout(Duration::from_millis(10));
        }
        STOP.store(true, Ordering::SeqCst);
    };
    std::thread::scope(|scope| {
        scope.spawn(watch);
        dashboard();
    });
}

#[test]
#[ignore = "a part of the tests here, which start it on a terminal of its own"]
fn part_drawing_panics() {
    let _taken = dashboard_tui::terminal::take().unwrap();
    panic!("a view fell over");
}

#[test]
fn leaving_gives_the_terminal_back() {
    for keys in ["q", "\u{3}"] {
        let mut pty = Pty::new();
        let before = pty.modes();
        let child = pty.child("terminal::part_dashboard");
        pty.wait_for("Spreads");
        assert_ne!(pty.modes(), before, "raw while it is shown");
        pty.type_in("2");
        pty.wait_for("Pipeline");
        pty.type_in(keys);
        assert!(pty.wait_end(child).success(), "{:?}", pty.seen);
        pty.assert_given_back(before);
    }
}

#[test]
fn a_closed_terminal_ends_it() {
    let mut pty = Pty::new();
    let mut child = pty.child("terminal::part_terminal_is_closed");
    pty.wait_for("Spreads");
    drop(pty);
    let since = Instant::now();
    let (_keep, nothing) = crossbeam_channel::bounded::<()>(0);
    // How it ends nobody is there to see.
    while child.try_wait().unwrap().is_none() {
        if since.elapsed() > PATIENCE {
            child.kill().unwrap();
            panic!("it goes on without a terminal");
        }
        let _ = nothing.recv_timeout(Duration::from_millis(10));
    }
}

#[test]
fn a_panic_while_drawing_gives_the_terminal_back_and_is_told_there() {
    let mut pty = Pty::new();
    let before = pty.modes();
    let child = pty.child("terminal::part_drawing_panics");
    assert!(!pty.wait_end(child).success());
    pty.assert_given_back(before);
    assert!(
        pty.after_leaving().contains("a view fell over"),
        "{:?}",
        pty.seen
    );
}

#[test]
fn a_panic_of_another_thread_is_told_when_the_terminal_is_back() {
    let mut pty = Pty::new();
    let before = pty.modes();
    let child = pty.child("terminal::part_another_thread_panics");
    assert!(pty.wait_end(child).success(), "{:?}", pty.seen);
    pty.assert_given_back(before);
    let told = pty.after_leaving();
    assert!(
        told.contains("a-stage") && told.contains("a stage fell over"),
        "{told:?}"
    );
}
