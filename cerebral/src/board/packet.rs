//! The 33 bytes of a Cyton's packet.
//!
//! ```text
//! A0 | id | 8 channels, 24 bits each, big-endian, two's complement | 6 auxiliary bytes | C0..C6
//! ```
//!
//! Source: OpenBCI's documentation, "Cyton Data Format".

/// Length of a packet, bytes.
pub const LENGTH: usize = 33;
/// First byte.
pub const START: u8 = 0xa0;
/// Channels of one board.
pub const N_CHANNELS: usize = 8;
/// Volts of the converter's reference.
const REFERENCE_UV: f64 = 4.5e6;
/// Highest count.
const HIGHEST: i32 = 0x7f_ffff;
/// Acceleration of one count, in g.
const G_PER_COUNT: f64 = 0.002 / 16.0;

/// What the auxiliary bytes hold, by the last byte of the packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Aux {
    /// C0: acceleration along three axes, counts; all zero between two readings of the accelerometer.
    Acceleration([i16; 3]),
    /// C1: three readings of the analog or digital pins.
    Pins([u16; 3]),
    /// C2: whatever the user's firmware puts there.
    User([u8; 6]),
    /// C3 (`time_set`) and C4: one axis of the acceleration and the board's clock, milliseconds.
    StampedAcceleration {
        /// `x`, `y` or `z`, in capitals where the reading is new.
        axis: u8,
        /// The reading of that axis, one byte.
        reading: u8,
        /// Milliseconds since the board was started.
        board_ms: u32,
        /// Whether the board's time was just set.
        time_set: bool,
    },
    /// C5 (`time_set`) and C6: two raw bytes and the board's clock, milliseconds.
    Stamped {
        /// As they are.
        raw: [u8; 2],
        /// Milliseconds since the board was started.
        board_ms: u32,
        /// Whether the board's time was just set.
        time_set: bool,
    },
}

/// One packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Packet {
    /// Number of the packet, 0..=255, then 0 again.
    pub id: u8,
    /// One reading per channel, counts, -8388608..=8388607.
    pub counts: [i32; N_CHANNELS],
    /// The rest.
    pub aux: Aux,
}

/// Whether a byte may end a packet.
#[must_use]
pub fn is_stop(byte: u8) -> bool {
    (0xc0..=0xc6).contains(&byte)
}

impl Packet {
    /// Reads a packet; `None` where the first or last byte cannot be one's.
    #[must_use]
    pub fn read(bytes: &[u8; LENGTH]) -> Option<Self> {
        let [START, id, channels @ .., _, _, _, _, _, _, stop] = bytes else {
            return None;
        };
        let stop = *stop;
        let a = &bytes[26..32];
        let pair = |at: usize| [a[at], a[at + 1]];
        let board_ms = u32::from_be_bytes([a[2], a[3], a[4], a[5]]);
        let aux = match stop {
            0xc0 => Aux::Acceleration([0, 2, 4].map(|at| i16::from_be_bytes(pair(at)))),
            0xc1 => Aux::Pins([0, 2, 4].map(|at| u16::from_be_bytes(pair(at)))),
            0xc2 => Aux::User([a[0], a[1], a[2], a[3], a[4], a[5]]),
            0xc3 | 0xc4 => Aux::StampedAcceleration {
                axis: a[0],
                reading: a[1],
                board_ms,
                time_set: stop == 0xc3,
            },
            0xc5 | 0xc6 => Aux::Stamped {
                raw: pair(0),
                board_ms,
                time_set: stop == 0xc5,
            },
            _ => return None,
        };
        let mut counts = [0; N_CHANNELS];
        for (count, bytes) in counts.iter_mut().zip(channels.chunks_exact(3)) {
            // The sign stands in the highest of the 24 bits: shifted up and down again it fills the upper eight.
            *count = i32::from_be_bytes([bytes[0], bytes[1], bytes[2], 0]) >> 8;
        }
        Some(Self {
            id: *id,
            counts,
            aux,
        })
    }

    /// Writes a packet. Counts beyond 24 bits are cut to the nearest that fits, as the converter does.
    #[must_use]
    pub fn write(&self) -> [u8; LENGTH] {
        let mut bytes = [0; LENGTH];
        bytes[0] = START;
        bytes[1] = self.id;
        for (count, out) in self.counts.iter().zip(bytes[2..26].chunks_exact_mut(3)) {
            let count = (*count).clamp(-HIGHEST - 1, HIGHEST);
            out.copy_from_slice(&count.to_be_bytes()[1..]);
        }
        let triple = |readings: [[u8; 2]; 3]| {
            let [x, y, z] = readings;
            [x[0], x[1], y[0], y[1], z[0], z[1]]
        };
        let stamped = |first: u8, second: u8, board_ms: u32| {
            let [b, c, d, e] = board_ms.to_be_bytes();
            [first, second, b, c, d, e]
        };
        let (stop, aux) = match self.aux {
            Aux::Acceleration(axes) => (0xc0, triple(axes.map(i16::to_be_bytes))),
            Aux::Pins(pins) => (0xc1, triple(pins.map(u16::to_be_bytes))),
            Aux::User(bytes) => (0xc2, bytes),
            Aux::StampedAcceleration {
                axis,
                reading,
                board_ms,
                time_set,
            } => (
                if time_set { 0xc3 } else { 0xc4 },
                stamped(axis, reading, board_ms),
            ),
            Aux::Stamped {
                raw,
                board_ms,
                time_set,
            } => (
                if time_set { 0xc5 } else { 0xc6 },
                stamped(raw[0], raw[1], board_ms),
            ),
        };
        bytes[26..32].copy_from_slice(&aux);
        bytes[LENGTH - 1] = stop;
        bytes
    }
}

/// Amplification of a channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Gain(u8);

impl Gain {
    /// The board's own choice after a reset.
    pub const DEFAULT: Self = Self(24);

    /// One of 1, 2, 4, 6, 8, 12 and 24; `None` for any other.
    #[must_use]
    pub fn new(factor: u8) -> Option<Self> {
        Self::FACTORS.contains(&factor).then_some(Self(factor))
    }

    /// The factors there are, in the order of their codes 0..=6.
    pub const FACTORS: [u8; 7] = [1, 2, 4, 6, 8, 12, 24];

    /// The factor.
    #[must_use]
    pub fn factor(self) -> u8 {
        self.0
    }

    /// Microvolts of one count: `4.5 V / gain / (2^23 - 1)`.
    #[must_use]
    pub fn uv_per_count(self) -> f64 {
        REFERENCE_UV / f64::from(self.0) / f64::from(HIGHEST)
    }

    /// Microvolts of a reading.
    #[must_use]
    pub fn microvolts(self, count: i32) -> f64 {
        f64::from(count) * self.uv_per_count()
    }
}

/// Acceleration of a count, in g.
#[must_use]
pub fn acceleration_g(count: i16) -> f64 {
    f64::from(count) * G_PER_COUNT
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_big_endian_in_twos_complement() {
        let mut bytes = [0; LENGTH];
        (bytes[0], bytes[1], bytes[32]) = (START, 7, 0xc0);
        bytes[2..8].copy_from_slice(&[0x7f, 0xff, 0xff, 0x80, 0x00, 0x00]);
        bytes[8..14].copy_from_slice(&[0xff, 0xff, 0xff, 0x00, 0x00, 0x01]);
        bytes[26..28].copy_from_slice(&[0xff, 0xfe]);
        let packet = Packet::read(&bytes).unwrap();
        assert_eq!(packet.counts[..4], [8_388_607, -8_388_608, -1, 1]);
        assert_eq!(packet.aux, Aux::Acceleration([-2, 0, 0]));
        assert_eq!(packet.write(), bytes);
    }

    #[test]
    fn every_kind_of_packet_reads_back() {
        let auxes = [
            Aux::Acceleration([1, -2, i16::MIN]),
            Aux::Pins([1, 2, u16::MAX]),
            Aux::User([1, 2, 3, 4, 5, 6]),
            Aux::StampedAcceleration {
                axis: b'X',
                reading: 3,
                board_ms: 70_000,
                time_set: true,
            },
            Aux::StampedAcceleration {
                axis: b'y',
                reading: 3,
                board_ms: u32::MAX,
                time_set: false,
            },
            Aux::Stamped {
                raw: [9, 8],
                board_ms: 1,
                time_set: true,
            },
            Aux::Stamped {
                raw: [9, 8],
                board_ms: 1,
                time_set: false,
            },
        ];
        for aux in auxes {
            let packet = Packet {
                id: 255,
                counts: [1, -1, 0, 5, 6, 7, 8, -8_388_608],
                aux,
            };
            assert_eq!(Packet::read(&packet.write()), Some(packet));
        }
        let mut bytes = Packet {
            id: 0,
            counts: [0; 8],
            aux: Aux::User([0; 6]),
        }
        .write();
        for stop in (0..=255).filter(|stop| !is_stop(*stop)) {
            bytes[32] = stop;
            assert_eq!(Packet::read(&bytes), None);
        }
    }

    #[test]
    fn full_scale_is_what_recordings_show() {
        let gain = Gain::DEFAULT;
        assert!((gain.uv_per_count() - 0.022_351_7).abs() < 1e-7);
        assert!((gain.microvolts(HIGHEST) - 187_500.0).abs() < 1e-6);
        assert!((gain.microvolts(-HIGHEST - 1) + 187_500.022_351_744).abs() < 1e-6);
        assert_eq!(Gain::new(24), Some(gain));
        assert_eq!(Gain::new(3), None);
    }
}
