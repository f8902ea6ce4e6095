//! What is shown of any process: which build, since when, how much memory.

use super::page::{Page, float, seconds};

pub(super) fn write(page: &mut Page, started_ns: i64) {
    page.gauge(
        "lockstep_build_info",
        "Always 1; the version is a label.",
        &[("version", env!("CARGO_PKG_VERSION"))],
        1.0,
    );
    page.gauge(
        "process_start_time_seconds",
        "When the process began to serve figures, seconds since 1970.",
        &[],
        seconds(started_ns),
    );
    if let Some(bytes) = resident_bytes() {
        page.gauge(
            "process_resident_memory_bytes",
            "Memory of the process that is in RAM.",
            &[],
            float(bytes),
        );
    }
}

/// As Linux tells it; none elsewhere.
fn resident_bytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    kib.checked_mul(1_024)
}
