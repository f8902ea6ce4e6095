//! A consumer group as the keeper of positions: it has no members, only offsets with notes.
//!
//! In come partitions; out go the positions that were last committed for them. Offsets of transactions that are still open
//! are waited for. Absent: committing, which is [`crate::transaction`]'s.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rdkafka::config::FromClientConfigAndContext;
use rdkafka::consumer::{BaseConsumer, Consumer as _, ConsumerGroupMetadata};
use rdkafka::error::RDKafkaErrorCode as Code;
use rdkafka::topic_partition_list::{Offset, TopicPartitionList, TopicPartitionListElem};

use crate::config::{KafkaSettings, Role};
use crate::error::{KafkaError, code_is_retryable, code_of};
use crate::health::serve_callbacks;
use crate::link::LinkWatch;
use crate::transaction::Position;
use crate::watch::ConsumerWatch;

/// The longest single call; it is repeated until it is answered.
const CALL: Duration = Duration::from_millis(500);
/// The pause before positions of an open transaction are asked for again.
const PAUSE: Duration = Duration::from_millis(100);

/// A client of a group.
pub(crate) struct Group {
    client: BaseConsumer<ConsumerWatch>,
    brokers: String,
    stop: Arc<AtomicBool>,
}

impl Group {
    pub(crate) fn new(
        settings: &KafkaSettings,
        group: &str,
        stop: &Arc<AtomicBool>,
    ) -> Result<Self, KafkaError> {
        let fixed = [
            ("group.id", group),
            ("enable.auto.commit", "false"),
            ("isolation.level", "read_committed"),
            ("allow.auto.create.topics", "false"),
        ];
        let config = settings.client(Role::Consumer, &[], &fixed)?;
        let link = Arc::new(LinkWatch::new(format!("group {group}"), &settings.brokers));
        let client = BaseConsumer::from_config_and_context(&config, ConsumerWatch::new(link))
            .map_err(|error| KafkaError::Start {
                what: "group client",
                brokers: settings.brokers.clone(),
                reason: error.to_string(),
            })?;
        Ok(Self {
            client,
            brokers: settings.brokers.clone(),
            stop: Arc::clone(stop),
        })
    }

    /// What a transaction is told of the group.
    pub(crate) fn metadata(&self) -> Result<ConsumerGroupMetadata, KafkaError> {
        self.client.group_metadata().ok_or(KafkaError::Fatal {
            reason: "the client knows no group".to_owned(),
        })
    }

    pub(crate) fn committed(
        &self,
        topic: &str,
        partitions: &[i32],
    ) -> Result<BTreeMap<i32, Position>, KafkaError> {
        let mut asked = TopicPartitionList::new();
        for &partition in partitions {
            asked.add_partition(topic, partition);
        }
        let answer = loop {
            match self.client.committed_offsets(asked.clone(), CALL) {
                // Of a transaction whose end is not settled: librdkafka gives up asking after two attempts.
                Ok(answer) if answer.elements().iter().any(is_unsettled) => {
                    serve_callbacks(&self.client);
                    if self.stop.load(Ordering::Acquire) {
                        return Err(KafkaError::Stopped("asking for committed positions"));
                    }
                    pause();
                }
                Ok(answer) => break answer,
                Err(error) if code_of(&error).is_some_and(code_is_retryable) => {
                    serve_callbacks(&self.client);
                    if self.stop.load(Ordering::Acquire) {
                        return Err(KafkaError::Stopped("asking for committed positions"));
                    }
                }
                Err(error) => {
                    let what = "committed positions";
                    return Err(KafkaError::of_request(what, &self.brokers, &error));
                }
            }
        };
        let mut found = BTreeMap::new();
        for element in answer.elements() {
            let partition = element.partition();
            element.error().map_err(|error| {
                let what = format!("the committed position of partition {partition}");
                KafkaError::of_request(&what, &self.brokers, &error)
            })?;
            if let Offset::Offset(next) = element.offset() {
                let position = Position {
                    topic: topic.to_owned(),
                    partition,
                    next,
                    note: element.metadata().to_owned(),
                };
                found.insert(partition, position);
            }
        }
        Ok(found)
    }
}

/// Whether a position is that of a transaction that is still open.
fn is_unsettled(element: &TopicPartitionListElem<'_>) -> bool {
    let code = element.error().err().and_then(|error| code_of(&error));
    code.is_some_and(|code| code == Code::UnstableOffsetCommit || code_is_retryable(code))
}

fn pause() {
    let (_keep, never) = crossbeam_channel::bounded::<()>(0);
    let _ = never.recv_timeout(PAUSE);
}
