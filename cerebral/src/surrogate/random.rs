//! Random numbers that depend on what they are for, never on who draws them first.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

/// What a run of random numbers is for. Two keys that differ anywhere give unrelated numbers; the whole key is the generator's
/// key, nothing is hashed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Key {
    /// The user's seed.
    pub seed: u64,
    /// Which recording session, in a stream; 0 offline.
    pub session: u64,
    /// Which window of the session; 0 for a whole segment.
    pub window: u64,
    /// Which surrogate.
    pub surrogate: u32,
}

/// Stands for all channels together.
const ALL_CHANNELS: u32 = u32::MAX;

impl Key {
    /// The generator for one channel.
    pub(crate) fn channel(self, channel: usize) -> ChaCha8Rng {
        // 2^32 channels do not fit into memory.
        self.generator(u32::try_from(channel).unwrap_or(ALL_CHANNELS - 1))
    }

    /// The generator for what all channels share.
    pub(crate) fn shared(self) -> ChaCha8Rng {
        self.generator(ALL_CHANNELS)
    }

    /// One number that stands for the key where a seed is asked for.
    pub(crate) fn seed(self) -> u64 {
        self.shared().next_u64()
    }

    fn generator(self, channel: u32) -> ChaCha8Rng {
        let mut bytes = [0; 32];
        bytes[..8].copy_from_slice(&self.seed.to_le_bytes());
        bytes[8..16].copy_from_slice(&self.session.to_le_bytes());
        bytes[16..24].copy_from_slice(&self.window.to_le_bytes());
        bytes[24..28].copy_from_slice(&self.surrogate.to_le_bytes());
        bytes[28..].copy_from_slice(&channel.to_le_bytes());
        ChaCha8Rng::from_seed(bytes)
    }
}

/// A whole number below `end`, each as likely.
pub(crate) fn below(end: usize, rng: &mut impl Rng) -> usize {
    let end = u64::try_from(end).unwrap_or(u64::MAX);
    // The share by which some are likelier is end / 2^64.
    let wide = u128::from(rng.next_u64()) * u128::from(end);
    usize::try_from(wide >> 64).unwrap_or_default()
}
