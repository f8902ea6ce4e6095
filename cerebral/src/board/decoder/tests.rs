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

/// Packets sent with one fault in every so many; gives how many were lost and how many wrong ones were taken for good, by kind.
fn lost_and_wrong(kind: Kind, n_packets: u32, every: u32, seed: u64) -> (u64, u64, u64) {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut decoder = Decoder::new();
    let mut waiting: VecDeque<Packet> = VecDeque::new();
    let (mut faults, mut lost, mut wrong) = (0, 0, 0);
    for number in 0..n_packets {
        let sent = packet(number, &mut random);
        waiting.push_back(sent);
        let mut bytes = sent.write().to_vec();
        if number % every == every / 2 {
            faults += 1;
            let at = random.random_range(0..LENGTH);
            match kind {
                Kind::Insert => bytes.insert(at, random.random()),
                Kind::Delete => drop(bytes.remove(at)),
                Kind::Flip => bytes[at] ^= 1 << random.random_range(0..8_u32),
            }
        }
        decoder.push(&bytes, |event| {
            let Event::Packet(got) = event else { return };
            match waiting.iter().position(|sent| *sent == got) {
                Some(before) => {
                    lost += u64::try_from(before).unwrap();
                    waiting.drain(..=before);
                }
                None => wrong += 1,
            }
        });
        while waiting.len() > 200 {
            waiting.pop_front();
            lost += 1;
        }
    }
    (faults, lost, wrong)
}

#[test]
fn a_fault_costs_at_most_two_packets_and_only_flips_can_pass() {
    for (kind, seed) in [(Kind::Insert, 11), (Kind::Delete, 12), (Kind::Flip, 13)] {
        let (faults, lost, wrong) = lost_and_wrong(kind, 200_000, 20, seed);
        assert_eq!(faults, 10_000);
        assert!(
            lost <= 2 * faults,
            "{kind:?}: {lost} packets lost by {faults} faults"
        );
        match kind {
            // A flip that hits a reading or an auxiliary byte cannot be seen: 30 of 33 bytes, and the last byte may turn into
            // another that is allowed.
            Kind::Flip => assert!((8_500..=9_700).contains(&wrong), "{wrong}"),
            // An inserted byte can stand for the byte that it repeats (an equal first byte), which changes nothing.
            _ => assert!(
                wrong <= 5,
                "{kind:?}: {wrong} wrong packets were taken for good"
            ),
        }
    }
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
