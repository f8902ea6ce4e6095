//! Positions kept by the broker under a group's name, where Kafka's own tools show them.
//!
//! In come positions; out go those committed last. The group has no members: partitions are assigned, never balanced, and
//! whoever reads says when a position is safe. Two processes that commit under one name overwrite each other, as two
//! readers of the same partitions would. Absent: reading.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use rdkafka::consumer::{CommitMode, Consumer as _};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};

use crate::config::KafkaSettings;
use crate::error::KafkaError;
use crate::health::Asker;

/// The committed positions of one group.
pub struct Offsets {
    group: String,
    asker: Asker,
}

impl fmt::Debug for Offsets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Offsets")
            .field("group", &self.group)
            .finish_non_exhaustive()
    }
}

impl Offsets {
    pub(crate) fn new(settings: &KafkaSettings, group: &str) -> Result<Self, KafkaError> {
        Ok(Self {
            group: group.to_owned(),
            asker: Asker::of_group(settings, group)?,
        })
    }

    /// The position committed last for each of these partitions; those without one are left out.
    ///
    /// # Errors
    /// [`KafkaError::Away`] when nobody answers within `timeout`, or what the broker said.
    pub fn committed(
        &self,
        partitions: &[(&str, i32)],
        timeout: Duration,
    ) -> Result<BTreeMap<(String, i32), i64>, KafkaError> {
        let what = format!("the offsets of the group `{}`", self.group);
        let mut asked = TopicPartitionList::new();
        for (topic, partition) in partitions {
            asked.add_partition(topic, *partition);
        }
        let found = self.asker.until(&what, timeout, |attempt| {
            self.asker.client.committed_offsets(asked.clone(), attempt)
        })?;
        let elements = found.elements();
        let known = elements
            .iter()
            .filter_map(|element| match element.offset() {
                Offset::Offset(offset) => {
                    Some(((element.topic().to_owned(), element.partition()), offset))
                }
                _ => None,
            });
        Ok(known.collect())
    }

    /// Commits these positions (the first offset not worked off), and waits for the broker to have them.
    ///
    /// # Errors
    /// As [`Self::committed`]. A single attempt may take longer than `timeout` while brokers are away.
    pub fn commit(
        &self,
        positions: &BTreeMap<(String, i32), i64>,
        timeout: Duration,
    ) -> Result<(), KafkaError> {
        if positions.is_empty() {
            return Ok(());
        }
        let what = format!("new offsets of the group `{}`", self.group);
        let mut list = TopicPartitionList::new();
        for ((topic, partition), offset) in positions {
            list.add_partition_offset(topic, *partition, Offset::Offset(*offset))
                .map_err(|error| KafkaError::Answer {
                    what: what.clone(),
                    brokers: self.asker.brokers.clone(),
                    reason: error.to_string(),
                    retryable: false,
                })?;
        }
        self.asker.until(&what, timeout, |_| {
            self.asker.client.commit(&list, CommitMode::Sync)
        })
    }
}
