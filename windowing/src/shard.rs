//! Which partitions are one process's, where several processes share the work. Static: nobody is asked, nothing moves.

use std::fmt;
use std::str::FromStr;

use contract::topic::{self, Topic};

/// One of several equal shares of the partitions of a topic; all topics that jobs read have as many.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shard {
    index: u32,
    count: u32,
}

/// A text that names no share.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no shard; the second of three is written 2/3, and there are at most as many as partitions ({max})", max = topic::TICKS.partitions)]
pub struct NoShard(String);

impl Shard {
    /// All of it.
    pub const ALL: Self = Self { index: 1, count: 1 };

    /// Its partitions of a topic.
    #[must_use]
    pub fn partitions(self, of: &Topic) -> Vec<i32> {
        (0..of.partitions)
            .zip((1..=self.count).cycle())
            .filter(|(_, owner)| *owner == self.index)
            .map(|(partition, _)| partition)
            .collect()
    }

    /// The `transactional.id` of a job's work on it: the same for each process that does this work.
    #[must_use]
    pub fn transactional_id(self, job: &str) -> String {
        format!("{job}-{}-of-{}", self.index, self.count)
    }
}

impl Default for Shard {
    fn default() -> Self {
        Self::ALL
    }
}

impl FromStr for Shard {
    type Err = NoShard;

    /// `2/3` is the second of three.
    fn from_str(text: &str) -> Result<Self, NoShard> {
        let no_shard = || NoShard(text.to_owned());
        let number = |text: &str| text.parse::<u32>().map_err(|_| no_shard());
        let (index, count) = text.split_once('/').ok_or_else(no_shard)?;
        let (index, count) = (number(index)?, number(count)?);
        let most = topic::TICKS.partitions.unsigned_abs();
        if (1..=count).contains(&index) && count <= most {
            Ok(Self { index, count })
        } else {
            Err(no_shard())
        }
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.index, self.count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shards_divide_the_partitions_without_rest_or_overlap() {
        for count in 1..=6 {
            let mut all: Vec<i32> = (1..=count)
                .flat_map(|index| {
                    let shard: Shard = format!("{index}/{count}").parse().unwrap();
                    assert!(!shard.partitions(&topic::TICKS).is_empty());
                    shard.partitions(&topic::TICKS)
                })
                .collect();
            all.sort_unstable();
            assert_eq!(all, (0..6).collect::<Vec<_>>());
        }
        assert_eq!(Shard::ALL.partitions(&topic::TICKS).len(), 6);
    }

    #[test]
    fn topics_that_jobs_read_have_the_same_number_of_partitions() {
        assert_eq!(topic::TICKS.partitions, topic::EEG_SAMPLES.partitions);
    }

    #[test]
    fn what_is_no_shard_is_refused() {
        for text in [
            "", "1", "0/2", "3/2", "1/0", "1/7", "-1/2", "1/2/3", "a/b", "1 / 2",
        ] {
            assert!(text.parse::<Shard>().is_err(), "{text}");
        }
        let shard: Shard = "2/3".parse().unwrap();
        assert_eq!(shard.to_string(), "2/3");
        assert_eq!(shard.transactional_id("x-window"), "x-window-2-of-3");
    }
}
