//! A session against a board that is played by hand.

use super::super::packet::Aux;
use super::*;

const MS: i64 = 1_000_000;
const GREETING: &[u8] = b"OpenBCI V3 8-16 channel\r\nOn Board ADS1299 Device ID: 0x3E\r\n$$$";
const WITH_DAISY: &[u8] = b"OpenBCI V3 16 channel\r\nOn Daisy ADS1299 Device ID: 0x3E\r\n$$$";

/// A session, its time, and what it said.
struct Stage {
    session: BoardSession,
    now_ns: i64,
    counts: Arc<FeedCounts>,
    sent: Vec<u8>,
    notes: Vec<Note>,
    blocks: Vec<Samples<'static>>,
}

impl Stage {
    fn new(daisy: DaisyUse) -> Self {
        let counts: Arc<FeedCounts> = Arc::default();
        let block = Duration::from_millis(40);
        let mut stage = Self {
            session: BoardSession::new("s", block, daisy, Arc::clone(&counts)),
            now_ns: 1_700_000_000 * NS_PER_S,
            counts,
            sent: Vec::new(),
            notes: Vec::new(),
            blocks: Vec::new(),
        };
        stage.act(BoardSession::connected);
        stage
    }

    /// A board that streams, greeted so.
    fn streaming(daisy: DaisyUse, greeting: &[u8]) -> Self {
        let mut stage = Self::new(daisy);
        stage.hear(greeting);
        if stage.said(b"C") {
            stage.hear(b"16$$$");
        } else if stage.said(b"c") {
            stage.hear(b"daisy removed$$$");
        }
        assert!(stage.said(b"b"), "{:?}", stage.notes);
        stage
    }

    fn act(&mut self, act: impl FnOnce(&mut BoardSession, i64, &mut VecDeque<Output>)) {
        let mut out = VecDeque::new();
        act(&mut self.session, self.now_ns, &mut out);
        for output in out {
            match output {
                Output::Send(bytes) => self.sent = bytes.to_vec(),
                Output::Block(block) => self.blocks.push(block),
                Output::Note(note) => self.notes.push(note),
            }
        }
    }

    fn hear(&mut self, bytes: &[u8]) {
        self.act(|session, now_ns, out| session.heard(bytes, now_ns, out));
    }

    /// Nothing comes for so long, looked at every 20 ms.
    fn quiet(&mut self, ms: i64) {
        for _ in 0..ms / 20 {
            self.now_ns += 20 * MS;
            self.act(BoardSession::quiet);
        }
    }

    /// Packets with these numbers, 4 ms apart.
    fn packets(&mut self, numbers: impl IntoIterator<Item = i32>) {
        for number in numbers {
            self.now_ns += 4 * MS;
            let packet = Packet {
                id: u8::try_from(number % 256).unwrap(),
                counts: [number; N_CHANNELS],
                aux: Aux::Acceleration([0; 3]),
            };
            self.hear(&packet.write());
        }
        // The byte behind the last one.
        self.hear(&[0xa0]);
    }

    fn said(&self, bytes: &[u8]) -> bool {
        self.sent == bytes
    }

    /// `at`, number of samples, `follows` of every run of blocks that follow each other.
    fn runs(&mut self) -> Vec<(u64, usize)> {
        self.act(|session, _, out| session.stop(out));
        let mut runs: Vec<(u64, usize)> = Vec::new();
        for block in &self.blocks {
            let n = block.uv[0].len();
            match runs.last_mut() {
                Some((at, length)) if block.follows => {
                    assert_eq!(*at + u64::try_from(*length).unwrap(), block.at);
                    *length += n;
                }
                _ => runs.push((block.at, n)),
            }
        }
        runs
    }
}

#[test]
fn a_board_is_stopped_reset_and_started_and_its_counts_are_microvolts() {
    let mut stage = Stage::new(DaisyUse::Compensated);
    assert!(stage.said(b"sv"));
    // Left over from a stream that was still running.
    stage.hear(&[0xa0, 7, 1, 2, 3]);
    stage.hear(&GREETING[..30]);
    stage.hear(&GREETING[30..]);
    assert!(stage.said(b"b"));
    stage.packets(0..25);
    // The last one waits for the byte behind it, which is there.
    assert_eq!(stage.runs(), [(0, 25)]);
    assert!(stage.said(b"s"));
    let block = &stage.blocks[1];
    assert_eq!(
        (block.at, block.follows, block.channels.len()),
        (10, true, 8)
    );
    assert_eq!(block.ids, Some((10..20).collect()));
    let uv = Gain::DEFAULT.microvolts(13);
    assert!((block.uv[7][3].0 - uv).abs() < f64::EPSILON);
    assert!(
        block.rails_uv[0].contains(&187_500.0),
        "{:?}",
        block.rails_uv
    );
}

#[test]
fn a_lost_packet_is_a_gap_and_a_burst_longer_than_the_ids_is_told_by_time() {
    let mut stage = Stage::streaming(DaisyUse::Compensated, GREETING);
    stage.packets((0..20).chain(23..30));
    // 600 packets: the ids alone say 88.
    stage.quiet(1_000);
    stage.now_ns += 1_396 * MS;
    stage.packets(630..640);
    assert_eq!(stage.runs(), [(0, 20), (23, 7), (630, 10)]);
    let tally = stage.counts.tally();
    assert_eq!((tally.gaps, tally.missing), (2, 603));
    assert_eq!(tally.reconnects, 0);
}

#[test]
fn a_silent_board_is_asked_until_it_is_plugged_in_and_the_session_goes_on_by_the_clock() {
    let mut stage = Stage::streaming(DaisyUse::Compensated, GREETING);
    stage.packets(0..100);
    let left_ns = stage.now_ns;
    stage.quiet(12_000);
    assert!(stage.said(b"sv"));
    let told = [Note::Silent, Note::NoAnswer];
    assert_eq!(stage.notes[1..], told, "trouble is told once");
    stage.hear(GREETING);
    stage.packets(0..100);
    // The first packet waits for the byte behind it, so that the clock sees it one packet late.
    let missing = u64::try_from((stage.now_ns - left_ns) / (4 * MS)).unwrap() - 99;
    assert_eq!(stage.runs(), [(0, 100), (100 + missing, 100)]);
    let tally = stage.counts.tally();
    assert_eq!((tally.gaps, tally.restarts, tally.reconnects), (1, 1, 1));
    assert_eq!(tally.missing, missing);
}

#[test]
fn a_port_that_goes_and_comes_makes_a_gap_in_the_same_session() {
    let mut stage = Stage::streaming(DaisyUse::Compensated, GREETING);
    stage.packets(0..15);
    stage.act(|session, _, out| session.lost(out));
    stage.quiet(1_000);
    stage.hear(b"nobody is asked");
    stage.act(BoardSession::connected);
    stage.hear(GREETING);
    stage.packets(0..15);
    // 250 missing by the clock, and the packet that waits for the byte behind it.
    assert_eq!(stage.runs(), [(0, 15), (266, 15)]);
}

#[test]
fn a_dongle_without_its_board_and_another_board_are_told_and_asked_again() {
    let mut stage = Stage::new(DaisyUse::Compensated);
    stage.hear(b"Failure: Communications timeout - Device failed to poll Host$$$");
    assert!(matches!(&stage.notes[..], [Note::NoBoard(said)] if said.starts_with("Failure")));
    stage.sent.clear();
    stage.quiet(4_000);
    assert!(stage.said(b"sv"));
    stage.hear(GREETING);
    stage.packets(0..5);
    stage.quiet(3_000);
    stage.hear(WITH_DAISY);
    stage.hear(b"16$$$");
    assert!(matches!(
        stage.notes.last(),
        Some(Note::Other {
            n_channels: 16,
            wanted: 8
        })
    ));
    stage.sent.clear();
    stage.quiet(4_000);
    assert!(stage.said(b"sv"));
    stage.hear(GREETING);
    assert!(stage.said(b"b"));
}

#[test]
fn rubbish_for_long_is_no_stream_and_never_a_sample() {
    let mut stage = Stage::streaming(DaisyUse::Compensated, GREETING);
    let mut byte = 7_u8;
    for _ in 0..1_000 {
        stage.now_ns += 5 * MS;
        byte = byte.wrapping_mul(5).wrapping_add(3) & 0x7f;
        stage.hear(&[byte; 10]);
    }
    assert!(stage.notes.contains(&Note::Rubbish));
    assert!(stage.blocks.is_empty());
}

#[test]
fn with_a_daisy_sixteen_channels_come_on_one_time_without_the_ends_of_a_stretch() {
    let mut stage = Stage::streaming(DaisyUse::Compensated, WITH_DAISY);
    // Samples 0..100 are packets 1..=200; the first is none. Then sample 60 loses a half.
    stage.packets((0..=200).filter(|number| *number != 122));
    // Without the first, so samples are counted from the second: 0..59, then 60..99.
    // Of each stretch the first 8 and the last 7 have no neighbours enough.
    assert_eq!(stage.runs(), [(8, 44), (68, 24)]);
    let tally = stage.counts.tally();
    assert_eq!((tally.gaps, tally.unpaired), (1, 1));
    let block = &stage.blocks[0];
    assert_eq!(block.channels.len(), 16);
    assert!((block.sample_rate_hz - 125.0).abs() < f64::EPSILON);
    assert_eq!(block.ids.as_ref().unwrap()[0], 9);
    // A ramp of one count a packet: what the Daisy reads one packet later is one more, and is taken back.
    let (cyton, daisy) = (block.uv[0][0].0, block.uv[15][0].0);
    assert!((cyton - Gain::DEFAULT.microvolts(19)).abs() < 1e-9);
    assert!((daisy - cyton).abs() < 1e-9, "{cyton} {daisy}");
}

#[test]
fn without_its_daisy_a_board_has_eight_channels_and_nothing_to_compensate() {
    let mut stage = Stage::streaming(DaisyUse::Off, WITH_DAISY);
    stage.packets(0..20);
    assert_eq!(stage.runs(), [(0, 20)]);
    assert_eq!(stage.blocks[0].channels.len(), 8);
}

#[test]
fn who_comes_after_a_kill_goes_on_with_the_session() {
    let mut stage = Stage::new(DaisyUse::Compensated);
    let left = Left {
        at: 1_000,
        received_ns: stage.now_ns,
    };
    stage.session.resume(left);
    assert_eq!(stage.session.at(), 1_000);
    stage.now_ns += 996 * MS;
    stage.hear(GREETING);
    stage.packets(0..10);
    assert_eq!(stage.runs(), [(1_250, 10)]);
    assert!(!stage.blocks[0].follows);
}
