//! A recording at its own pace, or as fast as it goes.
//!
//! Blocks hold exactly the microvolts that the loader gives: holes of the recording are gaps, a numbering begun anew does not
//! follow, though its index does: how much time passed there nobody knows. So a block's index is the sample's in the loaded
//! recording, and windows of the stream are windows of the file.

use std::collections::VecDeque;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use contract::eeg::Samples;
use contract::time::Clock;

use super::blocks::{Blocks, Place, SessionHead, Stamp};
use super::{FeedError, FeedOptions, Left, Next, Source};
use crate::error::AnalysisError;
use crate::source::{LoadOptions, Recording, load};
use crate::units::SampleRate;

/// A recording that is played.
pub struct RecordingSource {
    recording: Recording,
    rate: SampleRate,
    blocks: Blocks,
    clock: Arc<dyn Clock>,
    /// Times life; none for as fast as it goes.
    speed: Option<f64>,
    began: Option<Instant>,
    /// The sample that is next.
    next: usize,
    ready: VecDeque<Samples<'static>>,
}

impl std::fmt::Debug for RecordingSource {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RecordingSource")
            .field("head", self.blocks.head())
            .field("n_samples", &self.recording.n_samples())
            .field("next", &self.next)
            .finish_non_exhaustive()
    }
}

impl RecordingSource {
    /// Reads a file.
    ///
    /// # Errors
    /// [`FeedError::File`], [`FeedError::Recording`], and [`FeedError::Setting`] for a speed or rate that cannot be.
    pub fn open(path: &Path, session: &str, options: &FeedOptions) -> Result<Self, FeedError> {
        let bytes = std::fs::read(path).map_err(|source| FeedError::File {
            path: path.to_owned(),
            source,
        })?;
        let said = LoadOptions {
            sample_rate_hz: options.sample_rate_hz,
            board: options.board,
        };
        let recording = load(&bytes, &said).map_err(|source| FeedError::Recording {
            path: path.to_owned(),
            source,
        })?;
        Self::new(recording, session, options)
    }

    /// Plays a recording that is loaded.
    ///
    /// # Errors
    /// [`FeedError::Setting`] for a speed or rate that cannot be.
    pub fn new(
        recording: Recording,
        session: &str,
        options: &FeedOptions,
    ) -> Result<Self, FeedError> {
        if let Some(speed) = options
            .speed
            .filter(|speed| !(speed.is_finite() && *speed > 0.0))
        {
            return Err(AnalysisError::setting("speed", speed, "finite and above 0").into());
        }
        let rate = SampleRate::new(recording.sample_rate_hz)?;
        let rails = recording.rails.iter();
        let head = SessionHead {
            session: session.to_owned(),
            rate,
            channels: recording.channels.clone(),
            rails_uv: rails.map(|rails| rails.values_uv.clone()).collect(),
        };
        Ok(Self {
            blocks: Blocks::new(head, options.block, Arc::clone(&options.counts)),
            recording,
            rate,
            clock: Arc::clone(&options.clock),
            speed: options.speed,
            began: None,
            next: 0,
            ready: VecDeque::new(),
        })
    }

    /// How many samples it has, missing ones included.
    #[must_use]
    pub fn n_samples(&self) -> usize {
        self.recording.n_samples()
    }

    /// When a sample has been recorded, counted from the start of the playing.
    fn due(&self, sample: usize) -> Duration {
        let speed = self.speed.unwrap_or(f64::INFINITY);
        // A recording of centuries is due never.
        Duration::try_from_secs_f64(self.rate.seconds(sample + 1) / speed).unwrap_or(Duration::MAX)
    }

    /// Takes the next sample.
    fn advance(&mut self) {
        let at = self.next;
        self.next += 1;
        let readings = self.recording.samples_uv.column(at);
        if readings.iter().any(|reading| reading.is_nan()) {
            return;
        }
        let boundaries = &self.recording.numbering.boundaries;
        let place = Place {
            at: u64::try_from(at).unwrap_or(u64::MAX),
            anew: boundaries.binary_search(&at).is_ok(),
        };
        let stamp = Stamp {
            id: self.recording.ids.get(at).copied().flatten(),
            stamp_ns: self.recording.stamps_ns.get(at).copied().flatten(),
            received_ns: self.clock.now_ns(),
        };
        let readings = readings.iter().copied();
        self.blocks.push(place, stamp, readings, &mut self.ready);
    }
}

impl Source for RecordingSource {
    fn session(&self) -> &str {
        &self.blocks.head().session
    }

    fn sample_rate(&self) -> Option<SampleRate> {
        Some(self.rate)
    }

    fn next(&mut self, wait: Duration) -> Result<Next, FeedError> {
        let began = *self.began.get_or_insert_with(Instant::now);
        let until = Instant::now().checked_add(wait);
        loop {
            if let Some(block) = self.ready.pop_front() {
                return Ok(Next::Block(block));
            }
            if self.next >= self.recording.n_samples() {
                return Ok(self.blocks.take().map_or(Next::End, Next::Block));
            }
            let early = self.due(self.next).saturating_sub(began.elapsed());
            if !early.is_zero() {
                let left = until.map_or(wait, |until| {
                    until.saturating_duration_since(Instant::now())
                });
                if left.is_zero() {
                    return Ok(Next::Nothing);
                }
                std::thread::park_timeout(early.min(left));
                continue;
            }
            self.advance();
        }
    }

    /// A recording is played from its beginning.
    fn resume(&mut self, _: Left) -> bool {
        false
    }

    fn stop(&mut self) -> Option<Samples<'static>> {
        self.next = self.recording.n_samples();
        self.ready.pop_front().or_else(|| self.blocks.take())
    }

    fn at(&self) -> u64 {
        self.blocks.next_at()
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use super::*;

    /// A recording of eight channels with these ids; a reading tells row and channel.
    fn file(ids: &[u64]) -> Vec<u8> {
        let mut text = "%OpenBCI Raw EEG Data\n%Number of channels = 8\n%Sample Rate = 250 Hz\n%Board = OpenBCI_GUI$BoardCytonSerial\nSample Index".to_owned();
        for channel in 0..8 {
            write!(text, ", EXG Channel {channel}").unwrap();
        }
        text.push_str(", Timestamp\n");
        for (row, id) in ids.iter().enumerate() {
            write!(text, "{id}").unwrap();
            for channel in 1..=8 {
                write!(text, ",{}.25", 10 * row + channel).unwrap();
            }
            writeln!(
                text,
                ",{}",
                1_700_000_000_000_u64 + 4 * u64::try_from(row).unwrap()
            )
            .unwrap();
        }
        text.into_bytes()
    }

    fn source(ids: &[u64], options: &FeedOptions) -> RecordingSource {
        let recording = load(&file(ids), &LoadOptions::default()).unwrap();
        RecordingSource::new(recording, "file.txt", options).unwrap()
    }

    fn all(source: &mut RecordingSource) -> Vec<Samples<'static>> {
        let mut blocks = Vec::new();
        loop {
            match source.next(Duration::from_secs(60)).unwrap() {
                Next::Block(block) => blocks.push(block),
                Next::Nothing => {}
                Next::End => return blocks,
            }
        }
    }

    fn at_once(block_ms: u64) -> FeedOptions {
        FeedOptions {
            speed: None,
            block: Duration::from_millis(block_ms),
            ..FeedOptions::default()
        }
    }

    #[test]
    fn blocks_hold_the_loaded_microvolts_ids_and_stamps_whatever_their_size() {
        // A loss of three, then a numbering begun anew.
        let ids: Vec<u64> = (240..256).chain(0..10).chain(13..40).chain(0..20).collect();
        let recording = load(&file(&ids), &LoadOptions::default()).unwrap();
        let anew = 16 + 10 + 3 + 27;
        assert_eq!(recording.numbering.boundaries, [anew]);
        for block_ms in [4, 28, 1_000, 1_000_000] {
            let options = at_once(block_ms);
            let blocks = all(&mut source(&ids, &options));
            let mut next_at = None;
            let mut stretches = Vec::new();
            for block in &blocks {
                assert_eq!(
                    block.follows,
                    next_at == Some(block.at) && usize::try_from(block.at).unwrap() != anew
                );
                if !block.follows {
                    stretches.push(block.at);
                }
                for place in 0..block.uv[0].len() {
                    let at = usize::try_from(block.at).unwrap() + place;
                    for channel in 0..8 {
                        let loaded = recording.samples_uv[(channel, at)];
                        assert_eq!(block.uv[channel][place].0.to_bits(), loaded.to_bits());
                    }
                    assert_eq!(
                        block.ids.as_ref().unwrap()[place],
                        recording.ids[at].unwrap()
                    );
                    let stamp = block.stamps_ns.as_ref().unwrap()[place];
                    assert_eq!(Some(stamp), recording.stamps_ns[at]);
                }
                next_at = Some(block.at + u64::try_from(block.uv[0].len()).unwrap());
            }
            assert_eq!(next_at, u64::try_from(recording.n_samples()).ok());
            assert_eq!(stretches, [0, 29, u64::try_from(anew).unwrap()]);
            let tally = options.counts.tally();
            assert_eq!((tally.samples, tally.gaps, tally.missing), (73, 1, 3));
            assert_eq!(tally.restarts, 1);
        }
    }

    #[test]
    fn a_recording_goes_at_its_pace_and_stops_where_it_is_stopped() {
        let ids: Vec<u64> = (0..200).collect();
        let options = FeedOptions {
            speed: Some(2.0),
            ..FeedOptions::default()
        };
        let mut source = source(&ids, &options);
        let began = Instant::now();
        assert_eq!(source.next(Duration::ZERO).unwrap(), Next::Nothing);
        let mut n = 0;
        while n < 100 {
            match source.next(Duration::from_millis(10)).unwrap() {
                Next::Block(block) => n += block.uv[0].len(),
                Next::Nothing => {}
                Next::End => panic!("too early"),
            }
        }
        // 100 samples at twice 250 a second; a busy machine is late, never early.
        assert!(began.elapsed() >= Duration::from_millis(200));
        let rest = std::iter::from_fn(|| source.stop()).count();
        assert!(rest <= 1, "{rest}");
        assert_eq!(source.next(Duration::ZERO).unwrap(), Next::End);
        assert!(source.at() < 200);
    }

    #[test]
    fn a_speed_that_is_none_is_refused() {
        for speed in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            let options = FeedOptions {
                speed: Some(speed),
                ..FeedOptions::default()
            };
            let ids: Vec<u64> = (0..20).collect();
            let recording = load(&file(&ids), &LoadOptions::default()).unwrap();
            assert!(RecordingSource::new(recording, "s", &options).is_err());
        }
    }
}
