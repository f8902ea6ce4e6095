//! A line that loses, flips and gains bytes, by a seed.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// How often, per byte, `0..=1`.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct LineFaults {
    /// A byte is lost.
    pub lose: f64,
    /// One of its bits is another.
    pub flip: f64,
    /// A byte of chance comes before it.
    pub gain: f64,
}

/// The line.
#[derive(Debug, Clone)]
pub struct Line {
    faults: LineFaults,
    chance: ChaCha8Rng,
    /// Bytes lost, flipped, gained so far.
    pub done: [u64; 3],
}

impl Line {
    /// A line with faults.
    #[must_use]
    pub fn new(faults: LineFaults, seed: u64) -> Self {
        Self {
            faults,
            chance: ChaCha8Rng::seed_from_u64(seed),
            done: [0; 3],
        }
    }

    /// What comes out at the other end.
    pub fn pass(&mut self, bytes: &[u8], out: &mut Vec<u8>) {
        for &byte in bytes {
            if self.happens(self.faults.gain) {
                self.done[2] += 1;
                out.push(self.chance.random());
            }
            if self.happens(self.faults.lose) {
                self.done[0] += 1;
                continue;
            }
            let mut byte = byte;
            if self.happens(self.faults.flip) {
                self.done[1] += 1;
                byte ^= 1_u8 << self.chance.random_range(0..8_u32);
            }
            out.push(byte);
        }
    }

    fn happens(&mut self, share: f64) -> bool {
        share > 0.0 && self.chance.random_bool(share.min(1.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_come_as_often_as_they_were_asked_for_and_none_without() {
        let bytes = vec![0xa0; 100_000];
        let mut out = Vec::new();
        Line::new(LineFaults::default(), 1).pass(&bytes, &mut out);
        assert_eq!(out, bytes);
        let faults = LineFaults {
            lose: 0.01,
            flip: 0.02,
            gain: 0.005,
        };
        let mut line = Line::new(faults, 1);
        out.clear();
        line.pass(&bytes, &mut out);
        let [lost, flipped, gained] = line.done;
        assert!((900..1_100).contains(&lost), "{lost}");
        assert!((1_800..2_200).contains(&flipped), "{flipped}");
        assert!((400..600).contains(&gained), "{gained}");
        let length = u64::try_from(out.len()).unwrap();
        assert_eq!(length, 100_000 - lost + gained);
    }
}
