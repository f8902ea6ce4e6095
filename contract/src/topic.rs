//! The topics: names, keys, partitions and retention stand here and nowhere else.

/// How long a topic keeps its records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retention {
    /// Deleted after so many days.
    Days(u32),
    /// The newest record of each key is kept.
    Compacted,
}

/// One topic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Topic {
    /// Its name.
    pub name: &'static str,
    /// What its records are keyed by, for people.
    pub key: &'static str,
    /// What one record is, for people.
    pub holds: &'static str,
    /// How many partitions it has.
    pub partitions: i32,
    /// How long records stay.
    pub kept: Retention,
}

/// Quotes, trades, marks, rates and venue statuses, normalised.
pub const TICKS: Topic = Topic {
    name: "ticks",
    key: "pair",
    holds: "quote, trade, mark, rate or venue status",
    partitions: 6,
    kept: Retention::Days(1),
};
/// Ticks that came after their window had closed.
pub const TICKS_LATE: Topic = Topic {
    name: "ticks-late",
    key: "pair",
    holds: "late tick",
    partitions: 1,
    kept: Retention::Days(7),
};
/// Closed windows.
pub const SPREADS: Topic = Topic {
    name: "spreads",
    key: "pair",
    holds: "closed window of one pair",
    partitions: 6,
    kept: Retention::Days(7),
};
/// Alert episodes.
pub const ALERTS: Topic = Topic {
    name: "alerts",
    key: "episode id",
    holds: "newest state of an episode",
    partitions: 1,
    kept: Retention::Compacted,
};
/// Venue health.
pub const VENUES: Topic = Topic {
    name: "venues",
    key: "venue",
    holds: "connection state and health",
    partitions: 1,
    kept: Retention::Compacted,
};
/// Blocks of EEG samples.
pub const EEG_SAMPLES: Topic = Topic {
    name: "eeg-samples",
    key: "session",
    holds: "block of samples, stimulation of the twin, or end",
    partitions: 6,
    kept: Retention::Days(1),
};
/// Analysed EEG windows.
pub const EEG_STATES: Topic = Topic {
    name: "eeg-states",
    key: "session",
    holds: "analysed window",
    partitions: 6,
    kept: Retention::Days(7),
};
/// States of input partitions.
pub const CHECKPOINTS: Topic = Topic {
    name: "checkpoints",
    key: "job and partition",
    holds: "state and position",
    partitions: 1,
    kept: Retention::Compacted,
};
/// What could not be read.
pub const DEAD_LETTERS: Topic = Topic {
    name: "dead-letters",
    key: "source topic",
    holds: "untouched bytes",
    partitions: 1,
    kept: Retention::Days(30),
};

/// Every topic, in the order of the data's way.
pub const ALL: [Topic; 9] = [
    TICKS,
    TICKS_LATE,
    SPREADS,
    ALERTS,
    VENUES,
    EEG_SAMPLES,
    EEG_STATES,
    CHECKPOINTS,
    DEAD_LETTERS,
];

impl Topic {
    /// The partition of a key: murmur2 as Apache Kafka's own default partitioner has it, so that other producers agree.
    #[must_use]
    pub fn partition_of(&self, key: &[u8]) -> i32 {
        let positive = i64::from(murmur2(key) & 0x7fff_ffff);
        i32::try_from(positive % i64::from(self.partitions.max(1)))
            .expect("a remainder is below the number of partitions")
    }

    /// The number of partitions as a count.
    #[must_use]
    pub fn partition_count(&self) -> usize {
        usize::try_from(self.partitions).unwrap_or(0)
    }
}

/// MurmurHash2, 32 bits, with the seed of Apache Kafka's clients (`org.apache.kafka.common.utils.Utils.murmur2`).
fn murmur2(data: &[u8]) -> u32 {
    const M: u32 = 0x5bd1_e995;
    const SEED: u32 = 0x9747_b28c;
    let length = u32::try_from(data.len()).unwrap_or(u32::MAX);
    let mut hash = SEED ^ length;
    let mut chunks = data.chunks_exact(4);
    for chunk in &mut chunks {
        let mut k =
            u32::from_le_bytes(chunk.try_into().expect("chunks hold four bytes")).wrapping_mul(M);
        k ^= k >> 24;
        hash = hash.wrapping_mul(M) ^ k.wrapping_mul(M);
    }
    let rest = chunks.remainder();
    if !rest.is_empty() {
        for (at, &byte) in rest.iter().enumerate().rev() {
            hash ^= u32::from(byte) << (8 * at);
        }
        hash = hash.wrapping_mul(M);
    }
    hash ^= hash >> 13;
    hash = hash.wrapping_mul(M);
    hash ^ (hash >> 15)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_hash_as_in_apache_kafkas_own_tests() {
        for (key, expected) in [
            ("21", -973_932_308_i32),
            ("foobar", -790_332_482),
            ("a-little-bit-long-string", -985_981_536),
            ("a-little-bit-longer-string", -1_486_304_829),
            (
                "lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8",
                -58_897_971,
            ),
            ("abc", 479_470_107),
        ] {
            assert_eq!(murmur2(key.as_bytes()), expected.cast_unsigned(), "{key}");
        }
    }

    #[test]
    fn partitions_are_in_range_and_pairs_spread_over_them() {
        let mut seen = std::collections::BTreeSet::new();
        for n in 0..100 {
            let partition = TICKS.partition_of(format!("P{n}-USD").as_bytes());
            assert!((0..TICKS.partitions).contains(&partition));
            seen.insert(partition);
        }
        assert_eq!(seen.len(), TICKS.partition_count());
    }

    #[test]
    fn names_are_unique() {
        let names: std::collections::BTreeSet<_> = ALL.iter().map(|topic| topic.name).collect();
        assert_eq!(names.len(), ALL.len());
    }
}
