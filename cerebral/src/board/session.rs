//! A session with a Cyton: what it is told, what it answers, and what to do when it falls silent. Pure.
//!
//! ```text
//!        port opened                "... $$$"              "... $$$"
//! Away ---- s v ----> Resetting ---- C or c ----> Asking ---- b ----> Streaming
//!   ^                   ^  |  no answer: s v again  |                    |
//!   | port gone         |  +<-----------------------+                    |
//!   +-------------------+<---- nothing, or nothing but rubbish, for long +
//! ```
//!
//! In: the port's bytes, that it is quiet, that it is gone, each with the time. Out: bytes to send, blocks, and what happened, for
//! people. A board that was reset goes on with the same session: its next sample's place is told by the clock, and it does not
//! follow. Gains stay those of a reset board, 24. Absent: the port.
//!
//! Source of the commands: OpenBCI's documentation, "Cyton SDK".

use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use contract::eeg::Samples;
use contract::time::NS_PER_S;

use super::daisy::{N_BOTH, Pair, Pairing};
use super::decoder::{Decoder, Event};
use super::packet::{Gain, N_CHANNELS, Packet};
use super::skew::{Both, Skew};
use crate::feed::add;
use crate::feed::blocks::{Blocks, Place, SessionHead, Stamp};
use crate::feed::place::Placing;
use crate::feed::{FeedCounts, Left};
use crate::units::SampleRate;

/// Packets a second.
const PACKETS_HZ: f64 = 250.0;
/// What the board ends its answers with.
const END: &[u8] = b"$$$";
/// Bytes of an answer that are kept; a greeting has some 150.
const ANSWER: usize = 2_000;
/// How long an answer is waited for. A board behind a radio takes a second or so.
const ANSWER_NS: i64 = 3 * NS_PER_S;
/// How long nothing may come before the board is reset.
const SILENT_NS: i64 = 2 * NS_PER_S;

/// Whether a Daisy is used.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum DaisyUse {
    /// Its channels are put on the Cyton's time, see [`super::skew`].
    #[default]
    Compensated,
    /// The Cyton alone, eight channels at 250 Hz: no pair of channels lies across boards.
    Off,
}

/// What a session does.
#[derive(Debug, Clone, PartialEq)]
pub enum Output {
    /// These bytes are for the board.
    Send(&'static [u8]),
    /// Samples.
    Block(Samples<'static>),
    /// Something happened.
    Note(Note),
}

/// What happened, for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Note {
    /// The board streams.
    Streams {
        /// How many channels.
        n_channels: usize,
    },
    /// It does not answer a reset; it is asked again and again.
    NoAnswer,
    /// Somebody answers, but no board: a dongle whose board is away.
    NoBoard(String),
    /// Another board answers than the session began with.
    Other {
        /// Channels that it has.
        n_channels: usize,
        /// Channels that the session has.
        wanted: usize,
    },
    /// Nothing comes any more.
    Silent,
    /// Bytes come, but no packets.
    Rubbish,
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Streams { n_channels } => write!(f, "the board streams {n_channels} channels"),
            Self::NoAnswer => f.write_str("the board does not answer, it is asked again"),
            Self::NoBoard(said) => write!(f, "no board answers, but `{said}`"),
            Self::Other { n_channels, wanted } => write!(
                f,
                "the board has {n_channels} channels and the session {wanted}, it is asked again"
            ),
            Self::Silent => f.write_str("nothing comes any more, the board is reset"),
            Self::Rubbish => f.write_str("what comes is no packets, the board is reset"),
        }
    }
}

/// Where the talk stands.
#[derive(Debug)]
enum Talk {
    Away,
    Resetting { since_ns: i64, answer: Vec<u8> },
    Asking { since_ns: i64, answer: Vec<u8> },
    Streaming(Box<Stream>),
}

/// A board that streams.
#[derive(Debug)]
struct Stream {
    decoder: Decoder,
    pairing: Pairing,
    /// When the last packet came, or the stream was started.
    packet_ns: i64,
    /// Since when the port is seen to be empty.
    quiet_ns: Option<i64>,
    /// A Daisy's first sample has come: it has nothing to be the mean with, and is no sample.
    is_settled: bool,
}

/// What is kept over resets.
#[derive(Debug)]
struct Kept {
    blocks: Blocks,
    placing: Placing,
    skew: Skew<(Place, Stamp)>,
    /// The next sample that comes out is the first of a numbering.
    anew: bool,
}

/// A session.
#[derive(Debug)]
pub struct BoardSession {
    session: String,
    block: Duration,
    daisy: DaisyUse,
    counts: Arc<FeedCounts>,
    talk: Talk,
    kept: Option<Kept>,
    left: Option<Left>,
    /// The last trouble told; it is not told again until something else happens.
    told: Option<Note>,
}

impl BoardSession {
    /// A session of this name with blocks of about `block` each.
    #[must_use]
    pub fn new(session: &str, block: Duration, daisy: DaisyUse, counts: Arc<FeedCounts>) -> Self {
        Self {
            session: session.to_owned(),
            block,
            daisy,
            counts,
            talk: Talk::Away,
            kept: None,
            left: None,
            told: None,
        }
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.session
    }

    /// An earlier run broke off: the session goes on after it. Before the first sample only.
    pub fn resume(&mut self, left: Left) {
        self.left = Some(left);
    }

    /// Index behind the last sample.
    #[must_use]
    pub fn at(&self) -> u64 {
        let left = self.left.map_or(0, |left| left.at);
        self.kept
            .as_ref()
            .map_or(left, |kept| kept.blocks.next_at())
    }

    /// The port is open.
    pub fn connected(&mut self, now_ns: i64, out: &mut VecDeque<Output>) {
        self.reset(now_ns, out);
    }

    /// The port is gone.
    pub fn lost(&mut self, out: &mut VecDeque<Output>) {
        self.broken_off(out);
        self.talk = Talk::Away;
    }

    /// Nothing more is wanted.
    pub fn stop(&mut self, out: &mut VecDeque<Output>) {
        if !matches!(self.talk, Talk::Away) {
            out.push_back(Output::Send(b"s"));
        }
        self.lost(out);
    }

    /// The port was looked at, and nothing was there.
    pub fn quiet(&mut self, now_ns: i64, out: &mut VecDeque<Output>) {
        match &mut self.talk {
            Talk::Away => {}
            Talk::Resetting { since_ns, .. } | Talk::Asking { since_ns, .. } => {
                if now_ns.saturating_sub(*since_ns) >= ANSWER_NS {
                    self.tell(Note::NoAnswer, out);
                    self.reset(now_ns, out);
                }
            }
            Talk::Streaming(stream) => {
                let since_ns = *stream.quiet_ns.get_or_insert(now_ns);
                if now_ns.saturating_sub(since_ns) >= SILENT_NS {
                    self.again(Note::Silent, now_ns, out);
                }
            }
        }
    }

    /// These bytes came.
    pub fn heard(&mut self, bytes: &[u8], now_ns: i64, out: &mut VecDeque<Output>) {
        match &mut self.talk {
            Talk::Away => {}
            Talk::Resetting { answer, .. } => {
                if let Some(said) = whole(answer, bytes) {
                    self.greeted(&said, now_ns, out);
                }
            }
            Talk::Asking { answer, .. } => {
                if let Some(said) = whole(answer, bytes) {
                    let n_channels = if said.contains("16") {
                        N_BOTH
                    } else {
                        N_CHANNELS
                    };
                    self.start(n_channels, now_ns, out);
                }
            }
            Talk::Streaming(_) => self.streamed(bytes, now_ns, out),
        }
        // Somebody talks, but never to the point.
        if let Talk::Resetting { since_ns, .. } | Talk::Asking { since_ns, .. } = &self.talk
            && now_ns.saturating_sub(*since_ns) >= ANSWER_NS
        {
            self.reset(now_ns, out);
        }
    }

    fn tell(&mut self, note: Note, out: &mut VecDeque<Output>) {
        if self.told.as_ref() != Some(&note) {
            out.push_back(Output::Note(note.clone()));
            self.told = Some(note);
        }
    }

    /// A board that streams still is stopped before it is reset, so that its answer stands alone.
    fn reset(&mut self, now_ns: i64, out: &mut VecDeque<Output>) {
        out.push_back(Output::Send(b"sv"));
        self.talk = Talk::Resetting {
            since_ns: now_ns,
            answer: Vec::new(),
        };
    }

    fn again(&mut self, note: Note, now_ns: i64, out: &mut VecDeque<Output>) {
        self.broken_off(out);
        add(&self.counts.reconnects, 1);
        self.tell(note, out);
        self.reset(now_ns, out);
    }

    fn broken_off(&mut self, out: &mut VecDeque<Output>) {
        if let Some(kept) = &mut self.kept {
            out.extend(kept.blocks.take().map(Output::Block));
            kept.skew.clear();
        }
    }

    fn greeted(&mut self, said: &str, now_ns: i64, out: &mut VecDeque<Output>) {
        if !said.contains("OpenBCI") {
            let said = said.trim().chars().take(100).collect();
            self.tell(Note::NoBoard(said), out);
            return;
        }
        if !said.contains("Daisy") {
            self.start(N_CHANNELS, now_ns, out);
            return;
        }
        out.push_back(Output::Send(match self.daisy {
            DaisyUse::Compensated => b"C",
            DaisyUse::Off => b"c",
        }));
        self.talk = Talk::Asking {
            since_ns: now_ns,
            answer: Vec::new(),
        };
    }

    fn start(&mut self, n_channels: usize, now_ns: i64, out: &mut VecDeque<Output>) {
        let wanted = self.kept.as_ref().map_or(n_channels, Kept::n_channels);
        if wanted != n_channels {
            self.tell(Note::Other { n_channels, wanted }, out);
            // The time-out of the reset asks again.
            self.talk = Talk::Resetting {
                since_ns: now_ns,
                answer: Vec::new(),
            };
            return;
        }
        let kept = self
            .kept
            .get_or_insert_with(|| Kept::new(&self.session, n_channels, self.block, &self.counts));
        if let Some(left) = self.left.take() {
            kept.placing.resume(left.at, left.received_ns);
            kept.blocks.resume(left.at);
        }
        kept.placing.begin_anew();
        kept.skew.clear();
        out.push_back(Output::Send(b"b"));
        self.tell(Note::Streams { n_channels }, out);
        self.talk = Talk::Streaming(Box::new(Stream {
            decoder: Decoder::new(),
            pairing: Pairing::default(),
            packet_ns: now_ns,
            quiet_ns: None,
            is_settled: false,
        }));
    }

    fn streamed(&mut self, bytes: &[u8], now_ns: i64, out: &mut VecDeque<Output>) {
        let (Talk::Streaming(stream), Some(kept)) = (&mut self.talk, &mut self.kept) else {
            return;
        };
        let counts = &self.counts;
        let quiet_ns = stream
            .quiet_ns
            .take()
            .map_or(0, |since_ns| now_ns.saturating_sub(since_ns).max(0));
        let Stream {
            decoder,
            pairing,
            packet_ns,
            is_settled,
            ..
        } = &mut **stream;
        let mut blocks = VecDeque::new();
        decoder.push(bytes, |event| match event {
            Event::Passed(n) => {
                add(&counts.passed_bytes, u64::try_from(n).unwrap_or(0));
            }
            Event::Packet(packet) => {
                *packet_ns = now_ns;
                if kept.n_channels() == N_CHANNELS {
                    kept.packet(&packet, (now_ns, quiet_ns), &mut blocks);
                    return;
                }
                let Some(pair) = pairing.push(packet) else {
                    return;
                };
                if std::mem::replace(is_settled, true) {
                    kept.pair(&pair, (now_ns, quiet_ns), &mut blocks);
                } else {
                    // Half of it came before the first whole one.
                    pairing.unpaired = 0;
                }
            }
        });
        if *is_settled {
            add(&counts.unpaired, std::mem::take(&mut pairing.unpaired));
        }
        let rubbish = now_ns.saturating_sub(*packet_ns) >= 2 * SILENT_NS;
        out.extend(blocks.into_iter().map(Output::Block));
        if rubbish {
            self.again(Note::Rubbish, now_ns, out);
        }
    }
}

impl Kept {
    fn new(session: &str, n_channels: usize, block: Duration, counts: &Arc<FeedCounts>) -> Self {
        let (rate_hz, period) = if n_channels == N_BOTH {
            (PACKETS_HZ / 2.0, 128)
        } else {
            (PACKETS_HZ, 256)
        };
        let rails = [i32::MAX >> 8, i32::MIN >> 8].map(|count| Gain::DEFAULT.microvolts(count));
        let head = SessionHead {
            session: session.to_owned(),
            rate: SampleRate::new(rate_hz).expect("125 or 250"),
            channels: (1..=n_channels).map(|n| n.to_string()).collect(),
            rails_uv: vec![rails.to_vec(); n_channels],
        };
        Self {
            blocks: Blocks::new(head, block, Arc::clone(counts)),
            placing: Placing::new(rate_hz, Some(period)),
            skew: Skew::default(),
            anew: false,
        }
    }

    fn n_channels(&self) -> usize {
        self.blocks.head().channels.len()
    }

    /// A sample of eight channels.
    fn packet(
        &mut self,
        packet: &Packet,
        (now_ns, quiet_ns): (i64, i64),
        out: &mut VecDeque<Samples<'static>>,
    ) {
        let Some((place, stamp)) = self.place(packet.id, now_ns, quiet_ns) else {
            return;
        };
        let uv = packet.counts.map(|count| Gain::DEFAULT.microvolts(count));
        self.blocks.push(place, stamp, uv, out);
    }

    /// A sample of sixteen.
    fn pair(
        &mut self,
        pair: &Pair,
        (now_ns, quiet_ns): (i64, i64),
        out: &mut VecDeque<Samples<'static>>,
    ) {
        let Some(tag) = self.place(pair.id, now_ns, quiet_ns) else {
            return;
        };
        let (place, _) = tag;
        let expected = self.skew.newest().map(|(newest, _)| newest.at + 1);
        if place.anew || expected != Some(place.at) {
            self.skew.clear();
            self.anew |= place.anew;
        }
        let mut uv = [0.0; N_BOTH];
        let counts = pair.cyton.iter().chain(&pair.daisy);
        for (uv, count) in uv.iter_mut().zip(counts) {
            *uv = Gain::DEFAULT.microvolts(*count);
        }
        if let Some(Both { tag, uv }) = self.skew.push(Both { tag, uv }) {
            let (mut place, mut stamp) = tag;
            place.anew |= std::mem::take(&mut self.anew);
            // It is complete when the last that it was made from has come.
            stamp.received_ns = now_ns;
            self.blocks.push(place, stamp, uv, out);
        }
    }

    fn place(&mut self, id: u8, received_ns: i64, quiet_ns: i64) -> Option<(Place, Stamp)> {
        let id = Some(u64::from(id));
        let place = self.placing.place(id, received_ns, quiet_ns, 1)?;
        let stamp = Stamp {
            id,
            stamp_ns: None,
            received_ns,
        };
        Some((place, stamp))
    }
}

/// Adds to an answer; gives it once it is whole.
fn whole(answer: &mut Vec<u8>, bytes: &[u8]) -> Option<String> {
    answer.extend_from_slice(bytes);
    if answer.len() > ANSWER {
        answer.drain(..answer.len() - ANSWER);
    }
    let end = answer.windows(END.len()).position(|three| three == END)?;
    let said = String::from_utf8_lossy(&answer[..end]).into_owned();
    answer.drain(..end + END.len());
    Some(said)
}

#[cfg(test)]
mod tests;
