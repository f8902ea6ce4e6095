//! Running the binary, and made-up captures.

use std::fmt::Write;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::Duration;

/// A folder that goes when the test does.
pub(crate) struct Room(tempfile::TempDir);

impl Room {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        std::fs::write(&path, bytes).unwrap();
        path
    }

    pub(crate) fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap()
    }
}

/// The binary with the settings of nobody's environment.
pub(crate) fn command() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lockstep"));
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("LOCKSTEP_") {
            command.env_remove(name);
        }
    }
    command
}

pub(crate) fn run<A: AsRef<std::ffi::OsStr>>(args: impl IntoIterator<Item = A>) -> Output {
    command().args(args).output().unwrap()
}

/// Runs, and wants exit code 0.
pub(crate) fn run_well<A: AsRef<std::ffi::OsStr>>(args: impl IntoIterator<Item = A>) -> Output {
    let output = run(args);
    assert!(
        output.status.success(),
        "{:?}: {}",
        output.status,
        stderr(&output)
    );
    output
}

pub(crate) fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// The capture that the README plays.
pub(crate) fn example() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/two-venues.capture")
}

/// A recording that is not part of the tree; says loudly where it is absent.
pub(crate) fn recording(name: &str) -> Option<PathBuf> {
    let folder = std::env::var_os("LOCKSTEP_TEST_DATA").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared"),
        PathBuf::from,
    );
    let path = folder.join("data/exchange").join(name);
    if path.exists() {
        return Some(path);
    }
    // Not `eprintln!`: the test harness would keep that to itself while the test passes.
    let _ = writeln!(
        std::io::stderr(),
        "SKIPPED: no recording `{}`; set LOCKSTEP_TEST_DATA to the folder that holds data/exchange",
        path.display()
    );
    None
}

/// A made-up capture of one Binance connection: quotes and trades of BTCUSDT every 50 ms.
pub(crate) fn binance_capture(n_frames: u32) -> String {
    let mut capture = String::new();
    for n in 0..n_frames {
        let event_ms = 1_723_161_254_000 + u64::from(n) * 50;
        let received_ns = (event_ms + 7) * 1_000_000;
        let cents = 10 + n * 7 % 80;
        let frame = if n % 3 == 0 {
            format!(
                r#"{{"stream":"btcusdt@trade","data":{{"e":"trade","E":{event_ms},"s":"BTCUSDT","t":{},"p":"61837.{cents}000000","q":"0.02000000","T":{event_ms},"m":true,"M":true}}}}"#,
                3_735_683_000 + n / 3
            )
        } else {
            format!(
                r#"{{"stream":"btcusdt@bookTicker","data":{{"u":{},"s":"BTCUSDT","b":"61837.{cents}000000","B":"3.78826000","a":"61838.{cents}000000","A":"1.54698000"}}}}"#,
                50_093_239_212_u64 + u64::from(n)
            )
        };
        writeln!(capture, "{received_ns}\tbinance\t{frame}").unwrap();
    }
    capture
}

/// The lines, sorted: for results whose order between pairs is free.
pub(crate) fn sorted(text: &str) -> Vec<String> {
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    lines.sort_unstable();
    lines
}

/// Splitmix64: the same numbers for the same seed, and no dependency.
pub(crate) struct Chance(pub(crate) u64);

impl Chance {
    pub(crate) fn next(&mut self, below: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % below
    }
}

pub(crate) fn pause(time: Duration) {
    let (_keep, never) = crossbeam_channel::bounded::<()>(0);
    let _ = never.recv_timeout(time);
}

/// A number from the environment.
#[expect(
    clippy::disallowed_methods,
    reason = "how much a test does is no setting of the product"
)]
pub(crate) fn number(variable: &str, otherwise: u64) -> u64 {
    match std::env::var(variable) {
        Ok(text) => text.parse().unwrap(),
        Err(_) => otherwise,
    }
}
