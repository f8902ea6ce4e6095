//! What the fuzz targets do with bytes, here so that ordinary tests can do it with the kept ones. No part of the interface.
//!
//! Comes in: any bytes. Goes out: nothing, or a panic where a promise is broken.

use crate::source::{Board, LoadOptions, load};

/// A target's name and what it does.
pub type Target = (&'static str, fn(&[u8]));

/// Every target, named as the file in `fuzz/fuzz_targets` and the folder in `fuzz/seeds`.
pub const TARGETS: [Target; 1] = [("load_recording", load_recording)];

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
