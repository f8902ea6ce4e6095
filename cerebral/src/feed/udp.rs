//! What the OpenBCI GUI sends over UDP: `timeSeriesRaw`, one JSON object a datagram.
//!
//! ```text
//! {"type":"timeSeriesRaw","data":[[channel 1: sample, sample, ...],[channel 2: ...]]}
//! ```
//!
//! Microvolts, channel by channel. There are neither numbers nor stamps, so **a datagram that is lost cannot be seen**; that is said
//! once. A pause of half a second or more is seen, and is a gap as long as the clock says. `timeSeriesFilt` is refused by name: a
//! filter of the GUI's choice bends phases. Other kinds are passed over.
//!
//! Source: OpenBCI GUI, the networking widget's output, as read in its code.

use std::collections::{BTreeSet, VecDeque};
use std::io::ErrorKind;
use std::net::UdpSocket;
use std::sync::Arc;
use std::time::{Duration, Instant};

use contract::eeg::Samples;
use contract::time::NS_PER_MS;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::blocks::{Blocks, SessionHead, Stamp};
use super::counts::add;
use super::place::Placing;
use super::{FeedError, FeedOptions, Left, Next, Source};
use crate::source::cyton_rails_uv;
use crate::units::SampleRate;

/// What a Cyton sends, where nobody says another rate.
const USUAL_HZ: f64 = 250.0;
/// A pause of so much is a gap: the GUI sends several times a second.
const PAUSE_NS: i64 = 500 * NS_PER_MS;
/// One look at the socket.
const LOOK: Duration = Duration::from_millis(20);
/// More microvolts than any amplifier's counts come to.
const MOST_UV: f64 = 1e12;
/// How long the rate is measured for before it is complained of, and from which share off on.
const MEASURED_MS: u32 = 20_000;
const OFF: f64 = 0.05;
/// Channels at most: no board of this world sends more in one datagram.
const MOST_CHANNELS: usize = 1_024;

/// Why a datagram was not used.
#[derive(Debug, thiserror::Error)]
pub enum DatagramError {
    /// Not JSON, or not the shape that the GUI documents.
    #[error("datagram does not match the GUI's shape")]
    Shape(#[source] serde_json::Error),
    /// Filtered by the GUI.
    #[error(
        "`timeSeriesFilt` is refused, its filter bends phases: choose TimeSeriesRaw in the GUI's networking widget"
    )]
    Filtered,
    /// Another kind of stream.
    #[error("`{0}` is no time series: choose TimeSeriesRaw in the GUI's networking widget")]
    Kind(String),
    /// Channels of different length, none, or too many.
    #[error("its channels have {0:?} samples")]
    Ragged(Vec<usize>),
    /// Not a voltage.
    #[error("channel {channel}: {value:e} is no voltage")]
    Value {
        /// Which, from 1.
        channel: usize,
        /// What stands there.
        value: f64,
    },
    /// Another number of channels than the session has.
    #[error("{found} channels in a session of {wanted}")]
    Channels {
        /// In the datagram.
        found: usize,
        /// In the session.
        wanted: usize,
    },
}

/// Reads a datagram: per channel its samples, microvolts; all as many, at least one.
///
/// # Errors
/// [`DatagramError`].
pub fn read_datagram(bytes: &[u8]) -> Result<Vec<Vec<f64>>, DatagramError> {
    #[derive(Deserialize)]
    struct Datagram<'a> {
        r#type: String,
        #[serde(borrow)]
        data: &'a RawValue,
    }
    let datagram: Datagram<'_> = serde_json::from_slice(bytes).map_err(DatagramError::Shape)?;
    match datagram.r#type.as_str() {
        "timeSeriesRaw" => {}
        "timeSeriesFilt" | "timeSeriesFiltered" => return Err(DatagramError::Filtered),
        other => return Err(DatagramError::Kind(other.chars().take(60).collect())),
    }
    let data: Vec<Vec<f64>> =
        serde_json::from_str(datagram.data.get()).map_err(DatagramError::Shape)?;
    let n = data.first().map_or(0, Vec::len);
    if n == 0 || data.len() > MOST_CHANNELS || data.iter().any(|channel| channel.len() != n) {
        let lengths = data.iter().map(Vec::len).take(20).collect();
        return Err(DatagramError::Ragged(lengths));
    }
    for (channel, values) in data.iter().enumerate() {
        if let Some(value) = values.iter().find(|value| value.abs() > MOST_UV) {
            return Err(DatagramError::Value {
                channel: channel + 1,
                value: *value,
            });
        }
    }
    Ok(data)
}

/// Compares what comes with the rate that it is taken for.
#[derive(Debug, Default)]
struct Meter {
    /// When the first datagram of a run without a pause came.
    begin: Option<i64>,
    /// Samples behind it.
    n: usize,
    is_told: bool,
}

impl Meter {
    /// Takes so many samples; gives the rate found where it is far off, once.
    fn take(&mut self, n: usize, now_ns: i64, rate: SampleRate) -> Option<f64> {
        let Some(begin_ns) = self.begin else {
            (self.begin, self.n) = (Some(now_ns), 0);
            return None;
        };
        self.n += n;
        let ms = now_ns.saturating_sub(begin_ns) / NS_PER_MS;
        let ms = u32::try_from(ms).ok().filter(|ms| *ms >= MEASURED_MS)?;
        let found_hz = crate::number::float(self.n) / f64::from(ms) * 1e3;
        let is_off = (found_hz / rate.hz() - 1.0).abs() > OFF;
        (is_off && !std::mem::replace(&mut self.is_told, is_off)).then_some(found_hz)
    }
}

/// The GUI's stream.
pub struct UdpSource {
    socket: UdpSocket,
    address: String,
    session: String,
    rate: SampleRate,
    block: Duration,
    placing: Placing,
    /// Once a datagram has told the channels.
    blocks: Option<Blocks>,
    left: Option<Left>,
    /// Since when nothing is seen to come.
    quiet_ns: Option<i64>,
    meter: Meter,
    options: FeedOptions,
    /// Faults told already.
    told: BTreeSet<String>,
    ready: VecDeque<Samples<'static>>,
}

impl std::fmt::Debug for UdpSource {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("UdpSource")
            .field("address", &self.address)
            .field("session", &self.session)
            .finish_non_exhaustive()
    }
}

impl UdpSource {
    /// Listens.
    ///
    /// # Errors
    /// [`FeedError::Socket`], [`FeedError::Setting`] for a rate that cannot be.
    pub fn bind(
        host: &str,
        port: u16,
        session: &str,
        options: &FeedOptions,
    ) -> Result<Self, FeedError> {
        let fault = |source| FeedError::Socket {
            address: format!("{host}:{port}"),
            source,
        };
        let rate = SampleRate::new(options.sample_rate_hz.unwrap_or(USUAL_HZ))?;
        let socket = UdpSocket::bind((host, port)).map_err(fault)?;
        socket.set_read_timeout(Some(LOOK)).map_err(fault)?;
        let address = socket.local_addr().map_err(fault)?.to_string();
        tracing::warn!(
            %address, rate = %rate,
            "the GUI's stream has no numbers: a datagram that is lost cannot be seen, and its rate is taken on trust"
        );
        Ok(Self {
            socket,
            address,
            session: session.to_owned(),
            rate,
            block: options.block,
            placing: Placing::new(rate.hz(), None),
            blocks: None,
            left: None,
            quiet_ns: None,
            meter: Meter::default(),
            options: options.clone(),
            told: BTreeSet::new(),
            ready: VecDeque::new(),
        })
    }

    /// Where it listens, `HOST:PORT`.
    #[must_use]
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Takes a datagram that came.
    fn take(&mut self, bytes: &[u8], now_ns: i64) {
        let taken = read_datagram(bytes).and_then(|data| self.samples(&data, now_ns));
        if let Err(error) = taken {
            add(&self.options.counts.refused, 1);
            // Each kind of fault once: the same one comes sixty times a second.
            let kind = error.to_string();
            if self.told.len() < 16 && self.told.insert(kind) {
                let cause = std::error::Error::source(&error).map(ToString::to_string);
                tracing::warn!(address = %self.address, %error, cause, "datagram refused");
            }
        }
    }

    fn samples(&mut self, data: &[Vec<f64>], now_ns: i64) -> Result<(), DatagramError> {
        let blocks = self.blocks.get_or_insert_with(|| {
            let head = SessionHead {
                session: self.session.clone(),
                rate: self.rate,
                channels: (1..=data.len()).map(|n| n.to_string()).collect(),
                rails_uv: vec![cyton_rails_uv(); data.len()],
            };
            Blocks::new(head, self.block, Arc::clone(&self.options.counts))
        });
        if blocks.head().channels.len() != data.len() {
            return Err(DatagramError::Channels {
                found: data.len(),
                wanted: blocks.head().channels.len(),
            });
        }
        if let Some(left) = self.left.take() {
            self.placing.resume(left.at, left.received_ns);
            blocks.resume(left.at);
        }
        let quiet_ns = self
            .quiet_ns
            .take()
            .map_or(0, |since_ns| now_ns.saturating_sub(since_ns));
        let n = data.first().map_or(0, Vec::len);
        if quiet_ns >= PAUSE_NS {
            self.placing.begin_anew();
            self.meter.begin = None;
        }
        if let Some(found_hz) = self.meter.take(n, now_ns, self.rate) {
            tracing::warn!(
                address = %self.address, rate = %self.rate, found_hz,
                "samples come at another rate than they are taken for: frequencies are off by as much, see --rate"
            );
        }
        for place_in in 0..n {
            let together = u64::try_from(n - place_in).unwrap_or(1);
            if let Some(place) = self.placing.place(None, now_ns, 0, together) {
                let stamp = Stamp {
                    id: None,
                    stamp_ns: None,
                    received_ns: now_ns,
                };
                let readings = data.iter().map(|channel| channel[place_in]);
                blocks.push(place, stamp, readings, &mut self.ready);
            }
        }
        Ok(())
    }
}

impl Source for UdpSource {
    fn session(&self) -> &str {
        &self.session
    }

    fn sample_rate(&self) -> Option<SampleRate> {
        Some(self.rate)
    }

    fn next(&mut self, wait: Duration) -> Result<Next, FeedError> {
        let began = Instant::now();
        let mut bytes = vec![0; 65_536];
        loop {
            if let Some(block) = self.ready.pop_front() {
                return Ok(Next::Block(block));
            }
            if began.elapsed() >= wait {
                return Ok(Next::Nothing);
            }
            let received = self.socket.recv(&mut bytes);
            let now_ns = self.options.clock.now_ns();
            match received {
                Ok(n) => self.take(&bytes[..n], now_ns),
                Err(error) => match error.kind() {
                    ErrorKind::TimedOut | ErrorKind::WouldBlock => {
                        self.quiet_ns.get_or_insert(now_ns);
                    }
                    // Some systems tell so of what was sent from this port before.
                    ErrorKind::Interrupted | ErrorKind::ConnectionReset => {}
                    _ => {
                        return Err(FeedError::Receive {
                            address: self.address.clone(),
                            source: error,
                        });
                    }
                },
            }
        }
    }

    fn resume(&mut self, left: Left) -> bool {
        self.left = Some(left);
        true
    }

    fn stop(&mut self) -> Option<Samples<'static>> {
        let rest = || self.blocks.as_mut().and_then(Blocks::take);
        self.ready.pop_front().or_else(rest)
    }

    fn at(&self) -> u64 {
        let left = self.left.map_or(0, |left| left.at);
        self.blocks.as_ref().map_or(left, Blocks::next_at)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicI64, Ordering};

    use contract::time::Clock;

    use super::*;

    #[test]
    fn what_the_gui_sends_is_read_and_all_else_refused_with_its_reason() {
        let read = |text: &str| read_datagram(text.as_bytes());
        let data = read("{\"type\":\"timeSeriesRaw\",\"data\":[[1.5,-2],[3,4e1]]}\r\n").unwrap();
        assert_eq!(data, [vec![1.5, -2.0], vec![3.0, 40.0]]);
        for (text, reason) in [
            (r#"{"type":"timeSeriesFilt","data":[[1],[2]]}"#, "refused"),
            (
                r#"{"type":"fft","data":[[1],[2]]}"#,
                "`fft` is no time series",
            ),
            (r#"{"type":"focus","data":0.5}"#, "`focus`"),
            (r#"{"type":"timeSeriesRaw","data":[[1,2],[3]]}"#, "[2, 1]"),
            (r#"{"type":"timeSeriesRaw","data":[]}"#, "[]"),
            (r#"{"type":"timeSeriesRaw","data":[[],[]]}"#, "[0, 0]"),
            (r#"{"type":"timeSeriesRaw","data":[[1],[null]]}"#, "shape"),
            (
                r#"{"type":"timeSeriesRaw","data":[[1],[1e300]]}"#,
                "channel 2",
            ),
            (r#"{"type":"timeSeriesRaw"}"#, "shape"),
            ("rubbish", "shape"),
            ("", "shape"),
        ] {
            let error = read(text).unwrap_err().to_string();
            assert!(error.contains(reason), "{text}: {error}");
        }
    }

    /// A clock that is set.
    #[derive(Default)]
    struct Set(AtomicI64);

    impl Clock for Set {
        fn now_ns(&self) -> i64 {
            self.0.load(Ordering::SeqCst)
        }
    }

    #[test]
    fn a_rate_that_is_not_so_is_told_once() {
        let rate = SampleRate::new(250.0).unwrap();
        for (every_ms, told) in [(40_i64, vec![]), (80, vec![125.0]), (41, vec![])] {
            let mut meter = Meter::default();
            let found: Vec<f64> = (0..2_000)
                .filter_map(|k| meter.take(10, k * every_ms * NS_PER_MS, rate))
                .collect();
            assert_eq!(found, told, "every {every_ms} ms");
        }
    }

    #[test]
    fn datagrams_become_blocks_and_a_pause_a_gap() {
        let clock = Arc::new(Set::default());
        let options = FeedOptions {
            clock: clock.clone(),
            ..FeedOptions::default()
        };
        let mut source = UdpSource::bind("127.0.0.1", 0, "s", &options).unwrap();
        let sender = UdpSocket::bind("127.0.0.1:0").unwrap();
        let send = |text: &str| {
            sender.send_to(text.as_bytes(), source.address()).unwrap();
        };
        let five = r#"{"type":"timeSeriesRaw","data":[[1,2,3,4,5],[6,7,8,9,10]]}"#;
        send(five);
        send("rubbish");
        send(r#"{"type":"timeSeriesRaw","data":[[1],[2],[3]]}"#);
        send(five);
        let next = |source: &mut UdpSource| loop {
            match source.next(Duration::from_millis(50)).unwrap() {
                Next::Block(block) => return block,
                Next::Nothing => {}
                Next::End => panic!("a socket has no end"),
            }
        };
        let block = next(&mut source);
        assert_eq!((block.at, block.follows, block.uv.len()), (0, false, 2));
        let row: Vec<f64> = block.uv[1].iter().map(|figure| figure.0).collect();
        assert_eq!(row, [6.0, 7.0, 8.0, 9.0, 10.0, 6.0, 7.0, 8.0, 9.0, 10.0]);
        assert_eq!(options.counts.tally().refused, 2);
        // Nothing is seen to come, then a second has gone: 245 are missing before the five that came together.
        assert_eq!(
            source.next(Duration::from_millis(50)).unwrap(),
            Next::Nothing
        );
        clock.0.store(1_000_000_000, Ordering::SeqCst);
        for _ in 0..2 {
            sender.send_to(five.as_bytes(), source.address()).unwrap();
        }
        let block = next(&mut source);
        assert_eq!((block.at, block.follows), (255, false));
        assert_eq!(options.counts.tally().missing, 245);
    }
}
