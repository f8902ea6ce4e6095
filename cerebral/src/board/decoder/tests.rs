//! The decoder against streams that lose, gain and flip bytes.

use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::super::packet::{Aux, N_CHANNELS};
use super::*;

/// A packet whose readings say which it is, so that a wrong one shows.
fn packet(number: u32, random: &mut impl Rng) -> Packet {
    let mut counts = [0; N_CHANNELS];
    for count in &mut counts {
        *count = random.random_range(-8_388_608..=8_388_607);
    }
    Packet {
        id: u8::try_from(number % 256).unwrap(),
        counts,
        aux: Aux::Acceleration([1, -2, 300]),
    }
}

fn decode(stream: &[u8], pieces: usize) -> (Vec<Packet>, usize) {
    let mut decoder = Decoder::new();
    let (mut packets, mut passed) = (Vec::new(), 0);
    let mut take = |event| match event {
        Event::Packet(packet) => packets.push(packet),
        Event::Passed(n) => passed += n,
    };
    for piece in stream.chunks(pieces) {
        decoder.push(piece, &mut take);
    }
    decoder.flush(&mut take);
    (packets, passed)
}

#[test]
fn a_clean_stream_gives_every_packet_whatever_the_pieces() {
    let mut random = ChaCha8Rng::seed_from_u64(1);
    let sent: Vec<Packet> = (0..600).map(|number| packet(number, &mut random)).collect();
    let stream: Vec<u8> = sent.iter().flat_map(Packet::write).collect();
    for pieces in [1, 7, 33, 1_000] {
        assert_eq!(decode(&stream, pieces), (sent.clone(), 0));
    }
}

#[test]
fn a_stream_entered_in_the_middle_is_found() {
    let mut random = ChaCha8Rng::seed_from_u64(2);
    let sent: Vec<Packet> = (250..300)
        .map(|number| packet(number, &mut random))
        .collect();
    let stream: Vec<u8> = sent.iter().flat_map(Packet::write).collect();
    let (packets, passed) = decode(&stream[20..], 5);
    assert_eq!(packets, sent[1..]);
    // The bytes before the first packet are told with it.
    assert_eq!(passed, 13);
}

#[test]
fn a_packet_lost_on_the_radio_is_a_jump_of_the_id() {
    let mut random = ChaCha8Rng::seed_from_u64(3);
    let sent: Vec<Packet> = (0..50).map(|number| packet(number, &mut random)).collect();
    let left: Vec<Packet> = sent
        .iter()
        .filter(|packet| !(20..23).contains(&packet.id))
        .copied()
        .collect();
    let stream: Vec<u8> = left.iter().flat_map(Packet::write).collect();
    assert_eq!(decode(&stream, 3), (left, 0));
}

/// What a fault does to the stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Insert,
    Delete,
    Flip,
}

/// Faults that lie so many packets apart: what each costs can be told.
const APART: std::ops::Range<u64> = 8..40;
/// Faults that hardly leave a packet whole.
const DENSE: std::ops::Range<u64> = 1..6;

/// A packet on its way.
struct Sent {
    number: u64,
    packet: Packet,
    /// Kind and byte.
    fault: Option<(Kind, usize)>,
}

/// What became of a stream with faults.
#[derive(Debug, Default)]
struct Outcome {
    faults: u64,
    /// Packets that did not come out.
    lost: u64,
    /// By how many packets a fault cost: none, one, two, more.
    cost: [u64; 4],
    /// Packets taken with a flipped reading, auxiliary byte or kind: nobody can see it.
    unseeable: u64,
    /// Packets taken with a flipped id.
    wrong_id: u64,
    /// Other packets taken that nobody sent.
    beyond: u64,
}

impl Outcome {
    /// A packet came out: takes away what was sent up to it; gives the numbers of those that were lost.
    fn take(&mut self, got: &Packet, waiting: &mut VecDeque<Sent>) -> Vec<u64> {
        let bytes = got.write();
        let differing = |sent: &Sent| {
            let pairs = bytes.into_iter().zip(sent.packet.write());
            pairs
                .enumerate()
                .filter(|(_, (a, b))| a != b)
                .map(|(at, _)| at)
                .collect::<Vec<_>>()
        };
        let is_it = |sent: &Sent| match (differing(sent).as_slice(), sent.fault) {
            ([], _) => true,
            ([at], Some((Kind::Flip, hit))) => *at == hit,
            _ => false,
        };
        let Some(place) = waiting.iter().position(is_it) else {
            self.beyond += 1;
            return Vec::new();
        };
        match differing(&waiting[place]).as_slice() {
            [] => {}
            [1] => self.wrong_id += 1,
            _ => self.unseeable += 1,
        }
        let lost = waiting.drain(..=place).map(|sent| sent.number);
        let lost: Vec<u64> = lost.collect();
        lost[..place].to_vec()
    }
}

/// Packets with faults of all kinds at random.
fn spoilt(n_packets: u64, apart: &std::ops::Range<u64>, seed: u64) -> Outcome {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut decoder = Decoder::new();
    let mut waiting: VecDeque<Sent> = VecDeque::new();
    let mut outcome = Outcome::default();
    let mut next_fault = random.random_range(apart.clone());
    // The packet hit and what it cost, of faults that may still cost something.
    let mut costs: VecDeque<(u64, usize)> = VecDeque::new();
    for number in 0..n_packets {
        let packet = packet(u32::try_from(number % 256).unwrap(), &mut random);
        let mut bytes = packet.write().to_vec();
        let mut fault = None;
        if number == next_fault {
            next_fault += random.random_range(apart.clone());
            let at = random.random_range(0..LENGTH);
            let kind = [Kind::Insert, Kind::Delete, Kind::Flip][random.random_range(0..3)];
            match kind {
                Kind::Insert => bytes.insert(at, random.random()),
                Kind::Delete => drop(bytes.remove(at)),
                Kind::Flip => bytes[at] ^= 1 << random.random_range(0..8_u32),
            }
            fault = Some((kind, at));
            outcome.faults += 1;
            costs.push_back((number, 0));
        }
        waiting.push_back(Sent {
            number,
            packet,
            fault,
        });
        decoder.push(&bytes, |event| {
            let Event::Packet(got) = event else { return };
            for lost in outcome.take(&got, &mut waiting) {
                let nearest = costs.iter_mut().min_by_key(|(hit, _)| hit.abs_diff(lost));
                nearest.expect("a loss without a fault").1 += 1;
                outcome.lost += 1;
            }
        });
        assert!(waiting.len() < 100, "the stream is never found again");
        while costs.front().is_some_and(|(hit, _)| hit + 200 < number) {
            let (_, cost) = costs.pop_front().unwrap();
            outcome.cost[cost.min(3)] += 1;
        }
    }
    outcome
}

#[test]
fn in_ten_million_packets_a_fault_costs_at_most_two_and_nothing_wrong_is_taken_that_could_be_seen()
{
    let (n_packets, seed) = (10_000_000, 11);
    let outcome = spoilt(n_packets, &APART, seed);
    eprintln!("seed {seed}, {n_packets} packets: {outcome:?}");
    assert!(outcome.faults > n_packets / 30);
    assert_eq!(outcome.cost[3], 0, "a fault cost more than two packets");
    // Of the flips 24 bytes in 33 hit readings, 6 auxiliary bytes, and the last byte may become another kind's.
    assert!(outcome.unseeable < outcome.faults / 3 * 32 / 33);
    assert_eq!(outcome.wrong_id, 0);
    assert_eq!(outcome.beyond, 0, "packets that nobody sent");
}

#[test]
fn where_faults_hardly_leave_a_packet_whole_each_costs_at_most_two_all_the_same() {
    let (n_packets, seed) = (1_000_000, 12);
    let outcome = spoilt(n_packets, &DENSE, seed);
    eprintln!("seed {seed}, {n_packets} packets: {outcome:?}");
    assert!(outcome.lost <= 2 * outcome.faults);
    // Two faults next to each other can agree with each other: some 80 of 330,000 do, mostly two ids.
    assert!(outcome.wrong_id + outcome.beyond < outcome.faults / 2_000);
}

#[test]
fn noise_alone_gives_hardly_any_packet_and_ends_with_the_first_good_ones() {
    let mut random = ChaCha8Rng::seed_from_u64(4);
    let mut stream = vec![0_u8; 100_000];
    random.fill_bytes(&mut stream);
    let sent: Vec<Packet> = (0..20).map(|number| packet(number, &mut random)).collect();
    stream.extend(sent.iter().flat_map(Packet::write));
    let (packets, _) = decode(&stream, 64);
    assert!(packets.len() <= 22, "{}", packets.len());
    assert_eq!(packets[packets.len() - 18..], sent[2..]);
}
