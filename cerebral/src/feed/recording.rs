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
