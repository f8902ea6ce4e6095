//! What the fuzz targets do with bytes, here so that ordinary tests can do it with the kept ones. No part of the interface.
//!
//! Comes in: any bytes. Goes out: nothing, or a panic where a promise is broken.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use contract::eeg::Samples;

use crate::board::decoder::{Decoder, Event};
use crate::board::packet::LENGTH;
use crate::board::session::{BoardSession, DaisyUse, Output};
use crate::feed::udp::read_datagram;
use crate::source::{Board, LoadOptions, load};

/// A target's name and what it does.
pub type Target = (&'static str, fn(&[u8]));

/// Every target, named as the file in `fuzz/fuzz_targets` and the folder in `fuzz/seeds`.
pub const TARGETS: [Target; 3] = [
    ("load_recording", load_recording),
    ("board_line", board_line),
    ("gui_datagram", gui_datagram),
];

/// Any bytes as what comes from a board: no byte is lost sight of, the pieces it comes in do not matter, and a session makes of
/// it blocks that do not overlap.
pub fn board_line(bytes: &[u8]) {
    let decode = |size: usize| {
        let mut decoder = Decoder::new();
        let mut events = Vec::new();
        for piece in bytes.chunks(size) {
            decoder.push(piece, |event| events.push(event));
        }
        events
    };
    let events = decode(1);
    assert_eq!(events, decode(33));
    assert_eq!(events, decode(bytes.len().max(1)));
    let length = |event: &Event| match event {
        Event::Packet(_) => LENGTH,
        Event::Passed(n) => *n,
    };
    assert!(events.iter().map(length).sum::<usize>() <= bytes.len());
    for daisy in [DaisyUse::Compensated, DaisyUse::Off] {
        session(bytes, daisy);
    }
}

/// A board that greets with these bytes, and streams them.
fn session(bytes: &[u8], daisy: DaisyUse) {
    let block = Duration::from_millis(40);
    let mut session = BoardSession::new("s", block, daisy, Arc::default());
    let mut out = VecDeque::new();
    let mut now_ns = 1_700_000_000_000_000_000;
    session.connected(now_ns, &mut out);
    let greeting: &[u8] = b"OpenBCI V3 16 channel Daisy$$$16$$$";
    for piece in [greeting].into_iter().chain(bytes.chunks(40)) {
        // What comes says how long it took, so that bursts and pauses are tried.
        now_ns += i64::from(piece[0]) * 30_000_000;
        session.quiet(now_ns, &mut out);
        session.heard(piece, now_ns, &mut out);
    }
    session.stop(&mut out);
    let mut next_at = 0;
    for output in out {
        if let Output::Block(block) = output {
            next_at = check(&block, next_at);
        }
    }
    assert_eq!(next_at, session.at());
}

/// Looks at a block behind `next_at`; gives the index behind it.
fn check(block: &Samples<'_>, next_at: u64) -> u64 {
    let n = block.uv[0].len();
    assert!(n > 0 && block.uv.iter().all(|row| row.len() == n));
    assert!(block.uv.iter().flatten().all(|figure| figure.0.is_finite()));
    assert_eq!(block.ids.as_ref().map(Vec::len), Some(n));
    assert!(block.at >= next_at);
    assert!(!block.follows || block.at == next_at);
    block.at + u64::try_from(n).unwrap_or(u64::MAX)
}

/// Any bytes as a datagram of the GUI: as many samples of every channel, all of them numbers, or a reason.
pub fn gui_datagram(bytes: &[u8]) {
    match read_datagram(bytes) {
        Ok(data) => {
            assert!(!data.is_empty() && !data[0].is_empty());
            assert!(data.iter().all(|channel| channel.len() == data[0].len()));
            assert!(data.iter().flatten().all(|value| value.is_finite()));
        }
        Err(error) => assert!(!error.to_string().is_empty()),
    }
}

/// Any bytes as a recording, with and without what a file may not say itself: a reason, or arrays that belong together.
pub fn load_recording(bytes: &[u8]) {
    let every = [
        LoadOptions::default(),
        LoadOptions {
            sample_rate_hz: Some(250.0),
            board: None,
        },
        LoadOptions {
            sample_rate_hz: None,
            board: Some(Board::Ganglion),
        },
    ];
    for options in every {
        let recording = match load(bytes, &options) {
            Ok(recording) => recording,
            Err(error) => {
                assert!(!error.to_string().is_empty());
                continue;
            }
        };
        let (n_channels, n_samples) = recording.samples_uv.dim();
        assert!(n_channels > 0 && n_samples > 0);
        assert!(recording.sample_rate_hz.is_finite() && recording.sample_rate_hz > 0.0);
        assert_eq!(recording.channels.len(), n_channels);
        assert_eq!(recording.rails.len(), n_channels);
        let quality = &recording.quality;
        assert_eq!(
            [
                quality.railed.len(),
                quality.flat.len(),
                quality.mains_ratio.len()
            ],
            [n_channels; 3]
        );
        assert!(
            quality
                .railed
                .iter()
                .chain(&quality.flat)
                .all(|share| (0.0..=1.0).contains(share))
        );
        let mut covered = 0;
        for stretch in recording.stretches() {
            assert!(stretch.start < stretch.end && stretch.end <= n_samples);
            covered += stretch.len();
        }
        let missing = recording.samples_uv.columns().into_iter();
        let missing = missing
            .filter(|sample| sample.iter().any(|value| value.is_nan()))
            .count();
        assert_eq!(covered + missing, n_samples);
        assert!(
            recording
                .samples_uv
                .iter()
                .all(|value| !value.is_infinite())
        );
        assert!(
            recording
                .markers
                .iter()
                .all(|marker| marker.at_s.is_finite())
        );
    }
}
