//! A session against a board that is played by hand.

use std::fmt::Write as _;

use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::super::packet::{Aux, Packet};
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
            self.hear(&bytes([number]));
        }
        // The byte behind the last one.
        self.hear(&[0xa0]);
    }

    /// Packets with these numbers as a board sends them, each heard at once.
    fn live(&mut self, numbers: impl IntoIterator<Item = i32>) {
        for number in numbers {
            self.now_ns += 4 * MS;
            self.hear(&bytes([number]));
        }
    }

    /// Of every sample the number of its (first) packet and its place.
    fn numbered(&mut self) -> Vec<(i32, u64)> {
        self.act(|session, _, out| session.stop(out));
        let one = Gain::DEFAULT.microvolts(1);
        let mut numbered = Vec::new();
        for block in &self.blocks {
            for (place, uv) in (block.at..).zip(&block.uv[0]) {
                numbered.push((format!("{:.0}", uv.0 / one).parse().unwrap(), place));
            }
        }
        numbered
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

/// Packets with these numbers, whose readings are their numbers.
fn bytes(numbers: impl IntoIterator<Item = i32>) -> Vec<u8> {
    let packets = numbers.into_iter().map(|number| Packet {
        id: u8::try_from(number % 256).unwrap(),
        counts: [number; N_CHANNELS],
        aux: Aux::Acceleration([0; 3]),
    });
    packets.flat_map(|packet| packet.write()).collect()
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
fn a_dongle_without_its_board_is_told_of_once() {
    let mut stage = Stage::new(DaisyUse::Compensated);
    for _ in 0..5 {
        stage.hear(b"Failure: Communications timeout - Device failed to poll Host$$$");
        stage.quiet(4_000);
    }
    assert_eq!(stage.notes.len(), 1, "{:?}", stage.notes);
}

#[test]
fn a_clock_that_is_set_back_keeps_nobody_waiting() {
    let mut stage = Stage::streaming(DaisyUse::Compensated, GREETING);
    stage.packets(0..20);
    stage.quiet(1_000);
    stage.now_ns -= 3_600 * NS_PER_S;
    stage.quiet(3_000);
    assert!(stage.said(b"sv"));
    stage.now_ns -= 3_600 * NS_PER_S;
    stage.sent.clear();
    stage.quiet(4_000);
    assert!(stage.said(b"sv"));
    stage.hear(GREETING);
    stage.packets(0..10);
    assert_eq!(stage.runs(), [(0, 20), (20, 10)]);
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

/// Every (pause, packets that come together behind it).
fn pauses() -> impl Iterator<Item = (i64, i32)> {
    let pauses = [300, 600, 700, 1_200, 2_000];
    pauses
        .into_iter()
        .flat_map(|ms| [1, 4, 120].map(|n| (ms, n)))
}

#[test]
fn what_was_lost_in_a_pause_is_told_however_many_packets_come_behind_it() {
    for (ms, n) in pauses() {
        let sent = i32::try_from(ms / 4).unwrap();
        let n = n.min(sent - 1);
        let mut stage = Stage::streaming(DaisyUse::Off, GREETING);
        stage.live(0..100);
        stage.quiet(ms);
        let next = 100 + sent;
        stage.hear(&bytes(next - n..next));
        stage.live(next..next + 300);
        let behind = usize::try_from(n + 300).unwrap();
        let at = u64::try_from(next - n).unwrap();
        assert_eq!(stage.runs(), [(0, 100), (at, behind)], "{ms} ms, {n}");
        let tally = stage.counts.tally();
        assert_eq!((tally.gaps, tally.missing), (1, at - 100), "{ms} ms, {n}");
        assert_eq!(tally.reconnects, 0);
    }
}

#[test]
fn a_loss_within_what_was_kept_over_a_pause_is_one_gap_there() {
    for (ms, n) in pauses().filter(|(_, n)| *n > 1) {
        let next = 100 + i32::try_from(ms / 4).unwrap();
        let kept = n.min(next - 110);
        let lost = 100 + kept / 2..next - kept / 2;
        let mut stage = Stage::streaming(DaisyUse::Off, GREETING);
        stage.live(0..100);
        stage.quiet(ms);
        stage.hear(&bytes((100..next).filter(|number| !lost.contains(number))));
        stage.live(next..next + 300);
        let numbered = stage.numbered();
        let astray = numbered
            .iter()
            .find(|(number, at)| u64::try_from(*number) != Ok(*at));
        assert_eq!(astray, None, "{ms} ms, {n}");
        assert_eq!(stage.counts.tally().gaps, 1, "{ms} ms, {n}");
    }
}

#[test]
fn a_pause_behind_which_all_comes_that_was_sent_loses_nothing() {
    for (ms, n) in pauses() {
        let next = 100 + i32::try_from(ms / 4).unwrap();
        let mut stage = Stage::streaming(DaisyUse::Off, GREETING);
        stage.live(0..100);
        stage.quiet(ms);
        let kept = bytes(100..next);
        for piece in kept.chunks(33 * usize::try_from(n).unwrap()) {
            stage.hear(piece);
        }
        stage.live(next..next + 100);
        let all = usize::try_from(next + 100).unwrap();
        assert_eq!(stage.runs(), [(0, all)], "{ms} ms, {n} at once");
        assert_eq!(stage.counts.tally().gaps, 0);
    }
}

#[test]
fn a_board_that_stood_still_has_lost_no_more_than_there_was_time_for() {
    for (ms, n) in pauses() {
        let mut stage = Stage::streaming(DaisyUse::Off, GREETING);
        stage.live(0..100);
        stage.quiet(ms);
        stage.hear(&bytes(100..100 + n));
        stage.live(100 + n..400 + n);
        stage.runs();
        let tally = stage.counts.tally();
        // Ids that follow are ids that follow a period later, where the time is that of a period.
        let periods = (ms / 4 - i64::from(n) + 32) / 256;
        let told = (tally.gaps, tally.missing);
        let one = u64::from(periods > 0);
        assert_eq!(
            told,
            (one, u64::try_from(periods).unwrap() * 256),
            "{ms} ms, {n}"
        );
        assert_eq!(tally.samples, u64::try_from(400 + n).unwrap());
    }
}

#[test]
fn who_looks_late_has_lost_nothing_that_the_ids_do_not_tell() {
    let mut stage = Stage::streaming(DaisyUse::Off, GREETING);
    stage.live(0..100);
    stage.now_ns += 8_000 * MS;
    // Much was kept, little of it is read at once; one is missing.
    let kept = bytes((100..2_100).filter(|number| *number != 1_000));
    for piece in kept.chunks(4_000) {
        stage.hear(piece);
    }
    stage.live(2_100..2_200);
    assert_eq!(stage.runs(), [(0, 1_000), (1_001, 1_199)]);
}

#[test]
fn a_packet_in_pieces_does_not_hide_the_pause_before_it() {
    let mut stage = Stage::streaming(DaisyUse::Off, GREETING);
    stage.live(0..100);
    stage.quiet(1_020);
    let behind = bytes(356..500);
    stage.now_ns += 4 * MS;
    stage.hear(&behind[..20]);
    stage.hear(&behind[20..33]);
    stage.live(357..600);
    assert_eq!(stage.runs(), [(0, 100), (356, 244)]);
}

#[test]
fn the_packet_before_a_pause_is_not_held_until_after_it() {
    let mut stage = Stage::streaming(DaisyUse::Off, GREETING);
    stage.live(0..100);
    let heard_ns = stage.now_ns;
    stage.quiet(1_000);
    assert_eq!(stage.blocks.len(), 10);
    assert_eq!(stage.blocks[9].received_ns, heard_ns);
}

/// Pauses, losses and pieces as they come: gives of every sample its number and its place, and the numbers that were not lost.
fn random_stream(
    stage: &mut Stage,
    random: &mut impl Rng,
    story: &mut String,
) -> (Vec<(i32, u64)>, Vec<i32>) {
    let mut next = 0;
    let mut heard = Vec::new();
    for _ in 0..6 {
        // In time, some packets at once, so that pieces end anywhere.
        let until = next + random.random_range(260..400);
        let at_once = random.random_range(1..8);
        let mut rest = Vec::new();
        while next < until {
            rest.extend(bytes(next..next + at_once));
            heard.extend(next..next + at_once);
            next += at_once;
            stage.now_ns += i64::from(at_once) * 4 * MS;
            let n = random.random_range(0..=rest.len());
            let piece: Vec<u8> = rest.drain(..n).collect();
            stage.hear(&piece);
        }
        stage.hear(&rest);
        // A pause; what was sent meanwhile was lost, or comes behind it in pieces.
        let ms = 20 * random.random_range(0..95);
        let sent = i32::try_from(ms / 4).unwrap();
        let lost = if random.random_bool(0.3) {
            0
        } else {
            random.random_range(0..=sent)
        };
        // Where a whole period was lost within what was kept, nobody can tell.
        let from = if (250..=260).contains(&lost) {
            next
        } else {
            next + random.random_range(0..=sent - lost)
        };
        write!(story, " {next}: {ms} ms, {lost} lost from {from};").unwrap();
        stage.quiet(ms);
        let kept = (next..next + sent).filter(|number| !(from..from + lost).contains(number));
        let kept: Vec<i32> = kept.collect();
        let size = random.random_range(1..5_000);
        for piece in bytes(kept.iter().copied()).chunks(size) {
            stage.hear(piece);
        }
        heard.extend(kept);
        next += sent;
    }
    stage.live(next..next + 300);
    heard.extend(next..next + 300);
    (stage.numbered(), heard)
}

#[test]
fn every_sample_has_its_place_whatever_the_pauses_losses_and_pieces() {
    for seed in 0..200 {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let mut stage = Stage::streaming(DaisyUse::Off, GREETING);
        let mut story = format!("seed {seed}:");
        let (numbered, heard) = random_stream(&mut stage, &mut random, &mut story);
        let numbers: Vec<i32> = numbered.iter().map(|(number, _)| *number).collect();
        assert!(numbers == heard, "{story}");
        for (number, at) in numbered {
            assert_eq!(u64::try_from(number), Ok(at), "{story}");
        }
    }
}

#[test]
fn every_sample_of_both_boards_has_its_place_whatever_the_pauses_losses_and_pieces() {
    for seed in 0..200 {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let mut stage = Stage::streaming(DaisyUse::Compensated, WITH_DAISY);
        let mut story = format!("seed {seed}:");
        let (numbered, heard) = random_stream(&mut stage, &mut random, &mut story);
        // Of each stretch 15 have no neighbours enough.
        assert!(numbered.len() + 7 * 16 > heard.len() / 2, "{story}");
        for (number, at) in numbered {
            // The first pair, packets 1 and 2, is none.
            assert_eq!(u64::try_from((number - 3) / 2), Ok(at), "{story}");
        }
    }
}

#[test]
fn of_two_answers_in_one_piece_both_are_taken() {
    let mut stage = Stage::new(DaisyUse::Compensated);
    stage.hear(&[b"Failure: busy$$$", GREETING].concat());
    assert!(stage.said(b"b"), "{:?}", stage.notes);
    assert!(
        matches!(&stage.notes[..], [Note::NoBoard(said), Note::Streams { .. }] if said == "Failure: busy")
    );
    stage.packets(0..20);
    assert_eq!(stage.runs(), [(0, 20)]);
    // And in the middle of the second.
    let mut stage = Stage::new(DaisyUse::Compensated);
    let both = [b"$$$Failure: busy$$$", WITH_DAISY].concat();
    stage.hear(&both[..30]);
    stage.hear(&both[30..]);
    assert!(stage.said(b"C"), "{:?}", stage.notes);
}

#[test]
fn what_was_said_before_a_question_is_no_answer_to_it() {
    let mut stage = Stage::new(DaisyUse::Off);
    // It says 16, but not that both boards stream.
    stage.hear(&[WITH_DAISY, WITH_DAISY].concat());
    assert!(stage.said(b"c"));
    stage.hear(b"daisy removed$$$");
    assert!(stage.said(b"b"));
    stage.packets(0..5);
    assert_eq!(stage.blocks.first().map(|block| block.channels.len()), None);
    stage.packets(5..20);
    assert_eq!(stage.blocks[0].channels.len(), 8);
}
