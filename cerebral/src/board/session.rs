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

use super::arrivals::{Arrivals, Arrived};
use super::daisy::{N_BOTH, Pairing};
use super::decoder::{Decoder, Event};
use super::packet::{Gain, N_CHANNELS};
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
    /// When the last bytes came, or the stream was started.
    heard_ns: i64,
    /// When the last packet came, or the stream was started.
    packet_ns: i64,
    /// Since when the port is seen to be empty.
    quiet_ns: Option<i64>,
    /// A Daisy's first sample has come: it has nothing to be the mean with, and is no sample.
    is_settled: bool,
}

/// Readings of one sample; without a Daisy the last eight are none.
type Counts = [i32; N_BOTH];

/// What is kept over resets.
#[derive(Debug)]
struct Kept {
    blocks: Blocks,
    arrivals: Arrivals<Counts>,
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
                if waited(since_ns, now_ns) >= ANSWER_NS {
                    // Who said that there is no board, or another one, need not be silent besides.
                    if !matches!(self.told, Some(Note::NoBoard(_) | Note::Other { .. })) {
                        self.tell(Note::NoAnswer, out);
                    }
                    self.reset(now_ns, out);
                }
            }
            Talk::Streaming(stream) => {
                let quiet_ns = waited(stream.quiet_ns.get_or_insert(now_ns), now_ns);
                // What came before the quiet shall not wait for what comes behind it.
                self.streamed(None, now_ns, out);
                if let Some(kept) = &mut self.kept {
                    kept.arrivals.quiet(quiet_ns);
                }
                if quiet_ns >= SILENT_NS {
                    self.again(Note::Silent, now_ns, out);
                }
            }
        }
    }

    /// These bytes came.
    pub fn heard(&mut self, bytes: &[u8], now_ns: i64, out: &mut VecDeque<Output>) {
        match &mut self.talk {
            Talk::Away => {}
            Talk::Resetting { answer, .. } | Talk::Asking { answer, .. } => {
                answer.extend_from_slice(bytes);
                self.answered(now_ns, out);
            }
            Talk::Streaming(_) => self.streamed(Some(bytes), now_ns, out),
        }
        // Somebody talks, but never to the point.
        if let Talk::Resetting { since_ns, .. } | Talk::Asking { since_ns, .. } = &mut self.talk
            && waited(since_ns, now_ns) >= ANSWER_NS
        {
            self.reset(now_ns, out);
        }
    }

    /// Goes through the answers that are whole. What came behind one that took the talk further was sent before it did, and is no
    /// answer to what is asked now.
    fn answered(&mut self, now_ns: i64, out: &mut VecDeque<Output>) {
        loop {
            match &mut self.talk {
                Talk::Resetting { answer, .. } => {
                    let Some(said) = whole(answer) else { return };
                    self.greeted(&said, now_ns, out);
                }
                Talk::Asking { answer, .. } => {
                    let Some(said) = whole(answer) else { return };
                    let n_channels = if said.contains("16") {
                        N_BOTH
                    } else {
                        N_CHANNELS
                    };
                    self.start(n_channels, now_ns, out);
                }
                Talk::Away | Talk::Streaming(_) => return,
            }
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

    /// Nothing follows what came.
    fn broken_off(&mut self, out: &mut VecDeque<Output>) {
        if let Some(kept) = &mut self.kept {
            if let Talk::Streaming(stream) = &mut self.talk {
                stream.take(None, kept, &self.counts);
            }
            let placed = kept.arrivals.finish();
            kept.put(placed, out);
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
            kept.arrivals.resume(left.at, left.received_ns);
            kept.blocks.resume(left.at);
        }
        kept.arrivals.begin_anew();
        kept.skew.clear();
        out.push_back(Output::Send(b"b"));
        self.tell(Note::Streams { n_channels }, out);
        self.talk = Talk::Streaming(Box::new(Stream {
            decoder: Decoder::new(),
            pairing: Pairing::default(),
            heard_ns: now_ns,
            packet_ns: now_ns,
            quiet_ns: None,
            is_settled: false,
        }));
    }

    /// These bytes came, or none were there.
    fn streamed(&mut self, bytes: Option<&[u8]>, now_ns: i64, out: &mut VecDeque<Output>) {
        let (Talk::Streaming(stream), Some(kept)) = (&mut self.talk, &mut self.kept) else {
            return;
        };
        if bytes.is_some() {
            stream.heard_ns = now_ns;
            stream.quiet_ns = None;
        }
        stream.take(bytes, kept, &self.counts);
        let placed = kept.arrivals.settle(now_ns);
        kept.put(placed, out);
        if bytes.is_some() && waited(&mut stream.packet_ns, now_ns) >= 2 * SILENT_NS {
            self.again(Note::Rubbish, now_ns, out);
        }
    }
}

impl Stream {
    /// Finds the samples in these bytes, or in what is left of those before.
    fn take(&mut self, bytes: Option<&[u8]>, kept: &mut Kept, counts: &FeedCounts) {
        let Self {
            decoder,
            pairing,
            heard_ns,
            packet_ns,
            is_settled,
            ..
        } = self;
        let received_ns = *heard_ns;
        let n_channels = kept.n_channels();
        let mut push = |id, sample| {
            kept.arrivals.push(Arrived {
                id,
                received_ns,
                sample,
            });
        };
        let on_event = |event| match event {
            Event::Passed(n) => {
                add(&counts.passed_bytes, u64::try_from(n).unwrap_or(0));
            }
            Event::Packet(packet) => {
                *packet_ns = received_ns;
                if n_channels == N_CHANNELS {
                    push(packet.id, sixteen(packet.counts, [0; N_CHANNELS]));
                    return;
                }
                let Some(pair) = pairing.push(packet) else {
                    return;
                };
                if std::mem::replace(is_settled, true) {
                    push(pair.id, sixteen(pair.cyton, pair.daisy));
                } else {
                    // Half of it came before the first whole one.
                    pairing.unpaired = 0;
                }
            }
        };
        match bytes {
            Some(bytes) => decoder.push(bytes, on_event),
            None => decoder.flush(on_event),
        }
        if self.is_settled {
            add(&counts.unpaired, std::mem::take(&mut self.pairing.unpaired));
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
            arrivals: Arrivals::new(Placing::new(rate_hz, Some(period))),
            skew: Skew::default(),
            anew: false,
        }
    }

    fn n_channels(&self) -> usize {
        self.blocks.head().channels.len()
    }

    /// Samples that have their places become blocks.
    fn put(&mut self, placed: Vec<(Place, Arrived<Counts>)>, out: &mut VecDeque<Output>) {
        let mut blocks = VecDeque::new();
        for (place, arrived) in placed {
            let stamp = Stamp {
                id: Some(u64::from(arrived.id)),
                stamp_ns: None,
                received_ns: arrived.received_ns,
            };
            let uv = arrived.sample.map(|count| Gain::DEFAULT.microvolts(count));
            if self.n_channels() == N_CHANNELS {
                self.blocks.push(place, stamp, uv, &mut blocks);
            } else {
                self.put_both(place, stamp, uv, &mut blocks);
            }
        }
        out.extend(blocks.into_iter().map(Output::Block));
    }

    /// A sample of sixteen channels.
    fn put_both(
        &mut self,
        place: Place,
        stamp: Stamp,
        uv: [f64; N_BOTH],
        out: &mut VecDeque<Samples<'static>>,
    ) {
        let expected = self.skew.newest().map(|(newest, _)| newest.at + 1);
        if place.anew || expected != Some(place.at) {
            self.skew.clear();
            self.anew |= place.anew;
        }
        let tag = (place, stamp);
        if let Some(Both { tag, uv }) = self.skew.push(Both { tag, uv }) {
            let (mut place, mut middle) = tag;
            place.anew |= std::mem::take(&mut self.anew);
            // It is complete when the last that it was made from has come.
            middle.received_ns = stamp.received_ns;
            self.blocks.push(place, middle, uv, out);
        }
    }
}

fn sixteen(cyton: [i32; N_CHANNELS], daisy: [i32; N_CHANNELS]) -> Counts {
    let mut counts = [0; N_BOTH];
    let (first, last) = counts.split_at_mut(N_CHANNELS);
    first.copy_from_slice(&cyton);
    last.copy_from_slice(&daisy);
    counts
}

/// How long it has been. Where the clock was set back, the wait begins again, and is not as long as the clock was wrong.
fn waited(since_ns: &mut i64, now_ns: i64) -> i64 {
    *since_ns = now_ns.min(*since_ns);
    now_ns.saturating_sub(*since_ns)
}

/// Takes the first answer that is whole.
fn whole(answer: &mut Vec<u8>) -> Option<String> {
    let Some(end) = answer.windows(END.len()).position(|three| three == END) else {
        answer.drain(..answer.len().saturating_sub(ANSWER));
        return None;
    };
    let said = String::from_utf8_lossy(&answer[..end]).into_owned();
    answer.drain(..end + END.len());
    Some(said)
}

#[cfg(test)]
mod tests;
