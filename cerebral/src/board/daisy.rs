//! Sixteen channels: a Cyton and its Daisy take turns in one stream of packets.
//!
//! Packets of odd number come from the Cyton (channels 1 to 8), packets of even number from the Daisy (9 to 16). An odd packet
//! and the even one behind it make a sample; the rate is half that of the packets. The two halves are taken one packet
//! interval apart (each the mean of its board's two latest readings), 4 ms at 250 packets a second: 0.25 rad at 10 Hz, which fakes
//! a phase lag between the boards. Absent: that skew's removal, which needs the samples before and after.
//!
//! Source: OpenBCI's documentation, "Cyton Data Format", 16 channels; the skew follows from the order given there.

use super::packet::{N_CHANNELS, Packet};

/// Channels of both boards.
pub const N_BOTH: usize = 2 * N_CHANNELS;

/// One sample of both boards, or what is missing of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pair {
    /// Number of the sample, 0..=127, then 0 again: that of its odd packet, halved.
    pub id: u8,
    /// Channels 1 to 8, counts.
    pub cyton: [i32; N_CHANNELS],
    /// Channels 9 to 16, counts.
    pub daisy: [i32; N_CHANNELS],
}

/// Puts packets together.
#[derive(Debug, Clone, Default)]
pub struct Pairing {
    waiting: Option<Packet>,
    /// Packets that found no other half.
    pub unpaired: u64,
}

impl Pairing {
    /// Takes the next packet; gives a sample when its second half has come. A half whose other half was lost is counted.
    pub fn push(&mut self, packet: Packet) -> Option<Pair> {
        let is_cyton = packet.id % 2 == 1;
        if is_cyton {
            self.unpaired += u64::from(self.waiting.replace(packet).is_some());
            return None;
        }
        let Some(first) = self.waiting.take() else {
            self.unpaired += 1;
            return None;
        };
        if packet.id != first.id.wrapping_add(1) {
            self.unpaired += 2;
            return None;
        }
        Some(Pair {
            id: first.id / 2,
            cyton: first.counts,
            daisy: packet.counts,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::packet::Aux;
    use super::*;

    fn packet(id: u8) -> Packet {
        Packet {
            id,
            counts: [i32::from(id); N_CHANNELS],
            aux: Aux::User([0; 6]),
        }
    }

    #[test]
    fn an_odd_packet_and_the_even_one_behind_it_make_a_sample() {
        let mut pairing = Pairing::default();
        let ids = [0, 1, 2, 3, 4, 253, 254, 255, 0, 1];
        let pairs: Vec<(u8, i32, i32)> = ids
            .into_iter()
            .filter_map(|id| pairing.push(packet(id)))
            .map(|pair| (pair.id, pair.cyton[0], pair.daisy[7]))
            .collect();
        assert_eq!(
            pairs,
            [(0, 1, 2), (1, 3, 4), (126, 253, 254), (127, 255, 0)]
        );
        assert_eq!(pairing.unpaired, 1);
    }

    #[test]
    fn halves_of_different_samples_are_never_put_together() {
        let mut pairing = Pairing::default();
        for id in [1, 4, 5, 7, 10, 11] {
            assert_eq!(pairing.push(packet(id)), None, "{id}");
        }
        assert_eq!(pairing.unpaired, 5);
    }
}
