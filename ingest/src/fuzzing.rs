//! What the fuzz targets do with bytes, here so that ordinary tests can do it with the kept ones. No part of the interface.
//!
//! Comes in: any bytes. Goes out: nothing, or a panic where a promise is broken.

use contract::tick::decode;

use crate::capture::CaptureReader;
use crate::core::{Collect, Core};
use crate::settings::{IngestSettings, VenueSettings};
use crate::venue::{Dialect, binance, coinbase_advanced, coinbase_exchange};
use crate::venue::{FrameError, Parsed};

/// A target's name and what it does.
pub type Target = (&'static str, fn(&[u8]));

/// Every target, named as the file in `fuzz/fuzz_targets` and the folder in `fuzz/seeds`.
pub const TARGETS: [Target; 6] = [
    ("parse_coinbase_advanced", parse_coinbase_advanced),
    ("parse_coinbase_exchange", parse_coinbase_exchange),
    ("parse_binance", parse_binance),
    ("core_frames", core_frames),
    ("decode_record", decode_record),
    ("capture_reader", capture_reader),
];

/// Any bytes as a frame of Coinbase Advanced.
pub fn parse_coinbase_advanced(bytes: &[u8]) {
    both_ways(bytes, coinbase_advanced::parse);
}

/// Any bytes as a frame of Coinbase Exchange.
pub fn parse_coinbase_exchange(bytes: &[u8]) {
    both_ways(bytes, coinbase_exchange::parse);
}

/// Any bytes as a frame of Binance.
pub fn parse_binance(bytes: &[u8]) {
    both_ways(bytes, binance::parse);
}

/// The short way and the thorough one, into which a leading space forces, must read the same.
fn both_ways(bytes: &[u8], parse: for<'a> fn(&'a str) -> Result<Parsed<'a>, FrameError>) {
    let Ok(frame) = std::str::from_utf8(bytes) else {
        return;
    };
    let spaced = format!(" {frame}");
    match (parse(frame), parse(&spaced)) {
        (Ok(short), Ok(thorough)) => {
            assert_eq!(format!("{short:?}"), format!("{thorough:?}"), "{frame}");
        }
        (Err(_), Err(_)) => {}
        (short, thorough) => panic!("{short:?} and {thorough:?} of {frame}"),
    }
}

/// A sequence of happenings on a core. Lines; the first byte of each tells what happens, the next two how much later,
/// the rest is the frame.
pub fn core_frames(bytes: &[u8]) {
    let settings = IngestSettings {
        all_pairs: true,
        default_venue: VenueSettings {
            mark_lag_ms: 400,
            silent_after_ms: 2_000,
        },
        ..IngestSettings::default()
    };
    let (mut core, mut out) = (Core::new(settings), Collect::default());
    let mut now_ns: i64 = 1_723_161_254_000_000_000;
    for line in bytes.split(|&byte| byte == b'\n') {
        let [what, later, finer, frame @ ..] = line else {
            continue;
        };
        let dialect = Dialect::ALL[usize::from(what % 4)];
        // From a millisecond back to some seconds on, and now and then a leap.
        let pause_ns = (i64::from(*later) * 256 + i64::from(*finer) - 256) * 1_000_000 / 16;
        now_ns = match what / 4 {
            63 => now_ns.wrapping_add(pause_ns.wrapping_mul(1 << 40)),
            _ => now_ns.saturating_add(pause_ns),
        };
        match what / 4 % 8 {
            0 => core.connected(dialect, now_ns, &mut out),
            1 => {
                let reason = String::from_utf8_lossy(frame);
                core.disconnected(dialect, now_ns, &reason, &mut out);
            }
            2 => core.advance(now_ns, &mut out),
            _ => {
                if let Ok(frame) = std::str::from_utf8(frame) {
                    core.frame(dialect, now_ns, frame, &mut out);
                }
            }
        }
    }
    core.finish(1_000, &mut out);
    let report = core.report();
    assert_eq!(report.kinds.values().sum::<u64>(), report.frames);
    for line in &out.lines {
        assert!(decode(line.as_bytes()).is_ok(), "{line}");
    }
}

/// Any bytes as a record of `ticks`: what is read is written back and read alike.
pub fn decode_record(bytes: &[u8]) {
    let Ok(record) = decode(bytes) else {
        return;
    };
    let mut line = Vec::new();
    record.write_json(&mut line);
    let again = decode(&line).expect("what was written can be read");
    assert_eq!(format!("{again:?}"), format!("{record:?}"));
}

/// Any bytes as a capture: every line is a frame or a fault, and there is an end.
pub fn capture_reader(bytes: &[u8]) {
    let Ok(reader) = CaptureReader::new(std::io::Cursor::new(bytes.to_vec())) else {
        return;
    };
    let mut reader = reader.max_line_bytes(1 << 16);
    while let Some(next) = reader.next() {
        if let Ok(frame) = next {
            assert!(!frame.venue.is_empty());
        }
    }
}
