//! Ingest from the outside: captures, replay, live connections, the recordings.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod capture;
mod core_driver;
mod core_numbers;
mod core_takeover;
mod core_ticks;
mod core_time;
mod example_capture;
mod fuzz_seeds;
mod live;
mod misbehaviour;
mod recordings;
mod replay;

use std::io::Write;
use std::path::PathBuf;

/// The folder of the exchange recordings, or nothing, said aloud, where it is absent.
fn recordings() -> Option<PathBuf> {
    let data = std::env::var_os("LOCKSTEP_TEST_DATA").map_or_else(
        || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared"),
        PathBuf::from,
    );
    let folder = data.join("data/exchange");
    if !folder.is_dir() {
        // Not `eprintln!`: the test harness would keep that to itself while the test passes.
        let _ = writeln!(
            std::io::stderr(),
            "SKIPPED: no recordings in {}; LOCKSTEP_TEST_DATA names the folder that holds `data`",
            folder.display()
        );
        return None;
    }
    Some(folder)
}
