//! What a Cyton says to what it is told.
//!
//! In: bytes of a host, and samples. Out: replies, each ended by `$$$` where the board ends them so, and packets while it streams.
//! With a Daisy each packet carries one board's half of a sample, odd numbers the Cyton's; each value is the mean of the two latest
//! samples. Absent: time; a packet is due with every sample.

use cerebral::board::packet::{Aux, Gain, N_CHANNELS, Packet};

/// A Cyton, perhaps with a Daisy.
#[derive(Debug, Clone)]
pub struct Board {
    has_daisy: bool,
    uses_daisy: bool,
    is_streaming: bool,
    id: u8,
    off: [bool; 2 * N_CHANNELS],
    gains: [Gain; 2 * N_CHANNELS],
    /// Between `x` and `X`.
    setting: Option<Vec<u8>>,
    before_uv: Vec<f64>,
}

const OFF: &[u8] = b"12345678qwertyui";
const ON: &[u8] = b"!@#$%^&*QWERTYUI";
/// Full scale of the converter, counts.
const FULL: f64 = 8_388_607.0;

impl Board {
    /// A board that was just switched on: it says so.
    #[must_use]
    pub fn new(has_daisy: bool) -> Self {
        Self {
            has_daisy,
            uses_daisy: has_daisy,
            is_streaming: false,
            id: 0,
            off: [false; 2 * N_CHANNELS],
            gains: [Gain::DEFAULT; 2 * N_CHANNELS],
            setting: None,
            before_uv: Vec::new(),
        }
    }

    /// Whether packets come.
    #[must_use]
    pub fn is_streaming(&self) -> bool {
        self.is_streaming
    }

    /// What it says when it starts.
    #[must_use]
    pub fn greeting(&self) -> Vec<u8> {
        let daisy = if self.has_daisy {
            "On Daisy ADS1299 Device ID: 0x3E\r\n"
        } else {
            ""
        };
        let channels = if self.has_daisy { "16" } else { "8-16" };
        format!(
            "OpenBCI V3 {channels} channel\r\nOn Board ADS1299 Device ID: 0x3E\r\n{daisy}LIS3DH Device ID: 0x33\r\nFirmware: v3.1.2\r\n$$$"
        )
        .into_bytes()
    }

    /// Takes what a host says; gives the replies.
    pub fn told(&mut self, bytes: &[u8]) -> Vec<u8> {
        let mut replies = Vec::new();
        for &byte in bytes {
            if let Some(mut setting) = self.setting.take() {
                if byte == b'X' {
                    replies.extend(self.set(&setting));
                } else if setting.len() < 8 {
                    setting.push(byte);
                    self.setting = Some(setting);
                }
                continue;
            }
            match byte {
                b'v' => {
                    *self = Self::new(self.has_daisy);
                    replies.extend(self.greeting());
                }
                b'b' => {
                    self.is_streaming = true;
                    self.id = 0;
                    self.before_uv.clear();
                }
                b's' => self.is_streaming = false,
                b'C' => {
                    self.uses_daisy = self.has_daisy;
                    let reply: &[u8] = if self.has_daisy {
                        b"16$$$"
                    } else {
                        b"no daisy to attach!8$$$"
                    };
                    replies.extend_from_slice(reply);
                }
                b'c' => {
                    self.uses_daisy = false;
                    replies.extend_from_slice(b"daisy removed$$$");
                }
                b'x' => self.setting = Some(Vec::new()),
                b'?' => replies.extend_from_slice(b"Board ADS Registers\r\nADS_ID, 00, 3E\r\n$$$"),
                b'd' => {
                    self.gains = [Gain::DEFAULT; 2 * N_CHANNELS];
                    replies.extend_from_slice(b"updating channel settings to default$$$");
                }
                other => {
                    for (commands, off) in [(OFF, true), (ON, false)] {
                        if let Some(channel) = commands.iter().position(|byte| *byte == other) {
                            self.off[channel] = off;
                        }
                    }
                }
            }
        }
        replies
    }

    /// `x CHANNEL POWER GAIN TYPE BIAS SRB2 SRB1 X`.
    fn set(&mut self, setting: &[u8]) -> Vec<u8> {
        let &[channel, power, gain, _, _, _, _] = setting else {
            return b"Failure: too few chars$$$".to_vec();
        };
        let names = b"12345678QWERTYUI";
        let factor = gain
            .checked_sub(b'0')
            .and_then(|code| Gain::FACTORS.get(usize::from(code)));
        let place = names.iter().position(|name| *name == channel);
        let (Some(place), Some(gain)) = (place, factor.and_then(|factor| Gain::new(*factor)))
        else {
            return b"Failure: Err: wrong channel or gain$$$".to_vec();
        };
        self.gains[place] = gain;
        self.off[place] = power == b'1';
        format!("Success: Channel set for {}$$$", place + 1).into_bytes()
    }

    /// The packet of the next sample, one reading per channel in microvolts; none while it does not stream.
    pub fn packet(&mut self, sample_uv: &[f64]) -> Option<Packet> {
        if !self.is_streaming {
            return None;
        }
        let id = self.id;
        self.id = self.id.wrapping_add(1);
        let first = if self.uses_daisy && id.is_multiple_of(2) {
            N_CHANNELS
        } else {
            0
        };
        let mut counts = [0; N_CHANNELS];
        for (place, count) in counts.iter_mut().enumerate() {
            let channel = first + place;
            let now = sample_uv.get(channel).copied().unwrap_or(0.0);
            let before = self.before_uv.get(channel).copied().unwrap_or(now);
            let uv = if self.uses_daisy {
                f64::midpoint(now, before)
            } else {
                now
            };
            *count = if self.off[channel] {
                0
            } else {
                counted(uv, self.gains[channel])
            };
        }
        self.before_uv = sample_uv.to_vec();
        Some(Packet {
            id,
            counts,
            // Nothing moves: one g downwards, at every tenth packet as the accelerometer has it.
            aux: Aux::Acceleration(if id.is_multiple_of(10) {
                [0, 0, 8_000]
            } else {
                [0; 3]
            }),
        })
    }
}

/// The converter's reading: as near as it gets, and its end beyond that.
#[expect(
    clippy::as_conversions,
    reason = "held within 24 bits just before; NaN gives 0"
)]
fn counted(uv: f64, gain: Gain) -> i32 {
    (uv / gain.uv_per_count()).round().clamp(-FULL - 1.0, FULL) as i32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_board_says_who_it_is_and_streams_between_b_and_s() {
        let mut board = Board::new(false);
        let said = String::from_utf8(board.told(b"v")).unwrap();
        assert!(
            said.starts_with("OpenBCI V3 8-16 channel") && said.ends_with("$$$"),
            "{said}"
        );
        assert_eq!(board.packet(&[0.0; 8]), None);
        assert!(board.told(b"b").is_empty());
        let uv = 100.0 * Gain::DEFAULT.uv_per_count();
        let ids: Vec<u8> = (0..300)
            .map(|_| {
                let packet = board.packet(&[uv; 8]).unwrap();
                assert_eq!(packet.counts, [100; 8]);
                packet.id
            })
            .collect();
        assert_eq!((ids[0], ids[255], ids[256]), (0, 255, 0));
        board.told(b"s");
        assert_eq!(board.packet(&[uv; 8]), None);
    }

    #[test]
    fn channels_are_switched_off_gains_are_set_and_rails_are_the_end() {
        let mut board = Board::new(false);
        let said = board.told(b"3x2000110X4xb");
        assert_eq!(
            String::from_utf8(said).unwrap(),
            "Success: Channel set for 2$$$"
        );
        assert!(board.setting.is_some(), "an unfinished setting waits");
        let refused = board.told(b"X");
        assert!(String::from_utf8(refused).unwrap().starts_with("Failure"));
        board.told(b"b");
        let mut sample = [24.0 * Gain::DEFAULT.uv_per_count(); 8];
        sample[7] = f64::INFINITY;
        let packet = board.packet(&sample).unwrap();
        // Channel 2 at gain 1 has a 24th of the counts.
        assert_eq!(packet.counts, [24, 1, 0, 0, 24, 24, 24, 8_388_607]);
    }

    #[test]
    fn with_a_daisy_boards_take_turns_and_values_are_means_of_two() {
        let mut board = Board::new(true);
        assert_eq!(board.told(b"C"), b"16$$$");
        board.told(b"b");
        let unit = Gain::DEFAULT.uv_per_count();
        let packets: Vec<Packet> = (0..4)
            .map(|n| {
                let sample: Vec<f64> = (0..16)
                    .map(|channel| unit * (10.0 * f64::from(n) + f64::from(channel)))
                    .collect();
                board.packet(&sample).unwrap()
            })
            .collect();
        let firsts: Vec<i32> = packets.iter().map(|packet| packet.counts[0]).collect();
        // Even: channel 9; odd: channel 1; each the mean of this sample and the one before.
        assert_eq!(firsts, [8, 5, 23, 25]);
    }
}
