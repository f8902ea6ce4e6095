//! The shell around a stream: found by its name, read in chunks, found again when its source comes back.
//!
//! Stamps are the sender's, put on this machine's clock by the layer's own measurement of the offset between the two. Nothing is
//! lost on the way (the layer resends); what is missing is what the sender did not send or this side was too slow to take, and both
//! show as stamps half a second or more apart, or as a count of the inlet's: a gap as long as the stamps say.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use contract::eeg::Samples;
use contract::time::NS_PER_MS;
use labstream::{Buffer, Chunk, Inlet, Post, Query};

use super::super::blocks::{Blocks, SessionHead, Stamp};
use super::super::place::Placing;
use super::super::{FeedError, FeedOptions, Left, Next, Source};
use crate::units::SampleRate;

/// How long a stream is looked for, and waited for once found.
const FIND: Duration = Duration::from_secs(10);
/// What waits for us at most, seconds.
const BUFFER_S: f64 = 60.0;
/// Samples taken at once.
const CHUNK: usize = 1_024;
/// Stamps so much apart have a gap between them.
const PAUSE_NS: i64 = 500 * NS_PER_MS;

/// A stream of the lab.
pub struct LslSource {
    inlet: Inlet,
    chunk: Chunk<f64>,
    blocks: Blocks,
    placing: Placing,
    /// Per channel microvolts of its unit.
    scales_uv: Vec<f64>,
    /// Our clock less the layer's, nanoseconds.
    offset_ns: i64,
    stamp_ns: Option<i64>,
    dropped: u64,
    options: FeedOptions,
    ready: VecDeque<Samples<'static>>,
}

impl std::fmt::Debug for LslSource {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LslSource")
            .field("head", self.blocks.head())
            .finish_non_exhaustive()
    }
}

/// Seconds of the layer's clock in nanoseconds.
#[expect(
    clippy::as_conversions,
    reason = "clocks of machines are far below 2^63 ns; NaN gives 0"
)]
fn ns(seconds: f64) -> i64 {
    (seconds * 1e9).round() as i64
}

/// Microvolts of a unit as senders write them; what is not known is taken for microvolts, as the GUI and most boards send.
fn scale_uv(unit: &str) -> f64 {
    match unit.to_ascii_lowercase().as_str() {
        "v" | "volt" | "volts" => 1e6,
        "mv" | "millivolt" | "millivolts" => 1e3,
        "nv" | "nanovolt" | "nanovolts" => 1e-3,
        _ => 1.0,
    }
}

impl LslSource {
    /// Finds a stream by its name and opens it.
    ///
    /// # Errors
    /// [`FeedError::NoStream`] with the names there are, [`FeedError::Stream`] where it cannot be opened, and
    /// [`FeedError::Setting`] where neither stream nor options say a rate.
    pub fn open(name: &str, session: &str, options: &FeedOptions) -> Result<Self, FeedError> {
        let fault = |source| FeedError::Stream {
            name: name.to_owned(),
            source: Box::new(source),
        };
        let found = labstream::resolve_first(&Query::name(name), FIND).map_err(fault)?;
        let Some(found) = found else {
            let all = labstream::resolve_all(&Query::all(), Duration::from_secs(1));
            let all = all.unwrap_or_default();
            return Err(FeedError::NoStream {
                name: name.to_owned(),
                known: all.iter().map(|info| info.name().to_owned()).collect(),
            });
        };
        // Names and units of channels are no part of an answer to a search.
        let info = found.fetch(FIND).map_err(fault)?;
        let inlet = Inlet::builder(&info)
            .buffer(Buffer::Seconds(BUFFER_S))
            .postprocess(Post::CLOCK_SYNC)
            .open(FIND)
            .map_err(fault)?;
        let rate = options.sample_rate_hz.unwrap_or(info.rate());
        let rate = SampleRate::new(rate)?;
        let channels = info.channels();
        let head = SessionHead {
            session: session.to_owned(),
            rate,
            channels: channels
                .iter()
                .map(|channel| channel.label.clone())
                .collect(),
            rails_uv: vec![Vec::new(); channels.len()],
        };
        Ok(Self {
            chunk: Chunk::new(channels.len(), CHUNK),
            scales_uv: channels
                .iter()
                .map(|channel| scale_uv(&channel.unit))
                .collect(),
            blocks: Blocks::new(head, options.block, options.counts.clone()),
            placing: Placing::new(rate.hz(), None),
            offset_ns: options
                .clock
                .now_ns()
                .saturating_sub(ns(labstream::clock())),
            inlet,
            stamp_ns: None,
            dropped: 0,
            options: options.clone(),
            ready: VecDeque::new(),
        })
    }

    /// Takes what lies in the chunk.
    fn take(&mut self) {
        let received_ns = self.options.clock.now_ns();
        let dropped = self.inlet.dropped();
        if dropped > std::mem::replace(&mut self.dropped, dropped) {
            tracing::warn!(dropped, "the stream was read too late, samples are lost");
            self.placing.begin_anew();
        }
        for (stamp_s, sample) in self.chunk.iter() {
            let stamp_ns = ns(stamp_s).saturating_add(self.offset_ns);
            let before_ns = self.stamp_ns.replace(stamp_ns).unwrap_or(stamp_ns);
            if stamp_ns.saturating_sub(before_ns) >= PAUSE_NS {
                self.placing.begin_anew();
            }
            // A reading that is none is no sample; the next one's stamp tells that it is missing.
            if sample.iter().any(|reading| !reading.is_finite()) {
                self.placing.begin_anew();
                continue;
            }
            let Some(place) = self.placing.place(None, stamp_ns, 0, 1) else {
                continue;
            };
            let stamp = Stamp {
                id: None,
                stamp_ns: Some(stamp_ns),
                received_ns,
            };
            let readings = sample.iter().zip(&self.scales_uv);
            let readings = readings.map(|(reading, scale)| reading * scale);
            self.blocks.push(place, stamp, readings, &mut self.ready);
        }
        self.chunk.clear();
    }
}

impl Source for LslSource {
    fn session(&self) -> &str {
        &self.blocks.head().session
    }

    fn sample_rate(&self) -> Option<SampleRate> {
        Some(self.blocks.head().rate)
    }

    fn next(&mut self, wait: Duration) -> Result<Next, FeedError> {
        let began = Instant::now();
        loop {
            if let Some(block) = self.ready.pop_front() {
                return Ok(Next::Block(block));
            }
            let left = wait.saturating_sub(began.elapsed());
            if left.is_zero() {
                return Ok(Next::Nothing);
            }
            match self.inlet.pull_chunk(&mut self.chunk, left) {
                Ok(0) if self.inlet.is_finished() => {
                    return Ok(self.blocks.take().map_or(Next::End, Next::Block));
                }
                Ok(0) | Err(labstream::Error::Timeout) => {}
                Ok(_) => self.take(),
                Err(source) => {
                    return Err(FeedError::Stream {
                        name: self.inlet.info().name().to_owned(),
                        source: Box::new(source),
                    });
                }
            }
        }
    }

    fn resume(&mut self, left: Left) -> bool {
        self.placing.resume(left.at, left.received_ns);
        self.blocks.resume(left.at);
        true
    }

    fn stop(&mut self) -> Option<Samples<'static>> {
        self.ready.pop_front().or_else(|| self.blocks.take())
    }

    fn at(&self) -> u64 {
        self.blocks.next_at()
    }
}

#[cfg(test)]
mod tests {
    use contract::eeg::Figure;
    use labstream::{Channel, Format, Outlet, StreamInfo};

    use super::*;

    #[test]
    fn a_stream_is_found_by_its_name_and_a_pause_of_its_stamps_is_a_gap() {
        let name = format!("lockstep-{}", std::process::id());
        let channels = [
            Channel::new("Fp1").unit("microvolts"),
            Channel::new("Fp2").unit("mV"),
        ];
        let info = StreamInfo::builder(&name, "EEG", Format::Float32)
            .rate(250.0)
            .source_id(&name)
            .channels(channels)
            .build()
            .unwrap();
        let outlet = Outlet::new(info).unwrap();
        let options = FeedOptions::default();
        let mut source = LslSource::open(&name, "s", &options).unwrap();
        assert!(outlet.wait_for_consumers(FIND));
        let start_s = labstream::clock();
        for n in (0..20_u8).chain(220..240) {
            let stamp_s = start_s + f64::from(n) / 250.0;
            outlet.push_at(&[f32::from(n), 0.5], stamp_s).unwrap();
        }
        let (began, mut blocks) = (Instant::now(), Vec::new());
        while blocks.len() < 4 {
            assert!(began.elapsed() < Duration::from_secs(60));
            if let Next::Block(block) = source.next(Duration::from_millis(100)).unwrap() {
                blocks.push(block);
            }
        }
        let told: Vec<(u64, bool)> = blocks
            .iter()
            .map(|block| (block.at, block.follows))
            .collect();
        assert_eq!(told, [(0, false), (10, true), (220, false), (230, true)]);
        assert_eq!(blocks[0].channels, ["Fp1", "Fp2"]);
        assert_eq!(blocks[2].uv[0][3], Figure(223.0));
        assert_eq!(blocks[2].uv[1][3], Figure(500.0));
        assert_eq!(blocks[0].stamps_ns.as_ref().map(Vec::len), Some(10));
    }

    #[test]
    fn a_stream_that_is_not_there_is_told_with_those_that_are() {
        let error = FeedError::NoStream {
            name: "a".to_owned(),
            known: vec!["b".to_owned()],
        };
        assert!(error.to_string().contains("there are b"), "{error}");
    }
}
