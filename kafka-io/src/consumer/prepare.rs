//! Before the first record: finds the partitions and settles where to start, however long the brokers take.
//!
//! In come the assignments; out go [`Tracks`] whose next offsets exist or can still come. What passes by itself (a broker
//! away, a topic not made yet) is tried again and shown; what does not is an error.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use crossbeam_channel::RecvTimeoutError;
use rdkafka::consumer::Consumer as _;
use rdkafka::error::{KafkaError as RdError, RDKafkaErrorCode as Code};

use super::reader::{PAUSE, Reader};
use super::track::{Track, Tracks};
use super::{Phase, Start};
use crate::error::{KafkaError, code_is_retryable, code_is_unknown, code_of};
use crate::health::serve_callbacks;

/// The longest single request while preparing.
const ATTEMPT: Duration = Duration::from_millis(500);
/// How long a position behind the end is taken for a leader that has just changed and lags.
const BEYOND_GRACE: Duration = Duration::from_secs(10);

/// A failure while preparing.
pub(super) enum Hitch {
    /// Tried again, with this reason shown meanwhile.
    Again(String),
    Final(KafkaError),
}

impl Reader {
    /// Waits until every partition is found and its start is settled. None when asked to quit.
    pub(super) fn prepare(&mut self) -> Result<Option<Tracks>, KafkaError> {
        let since = Instant::now();
        let mut beyond_since: Option<Instant> = None;
        loop {
            match self.try_prepare() {
                Ok(tracks) => return Ok(Some(tracks)),
                Err(Hitch::Final(error @ KafkaError::BeyondEnd { .. })) => {
                    let first = *beyond_since.get_or_insert_with(Instant::now);
                    if first.elapsed() >= BEYOND_GRACE {
                        return Err(error);
                    }
                    self.show_waiting(since, error.to_string());
                }
                Err(Hitch::Final(error)) => return Err(error),
                Err(Hitch::Again(reason)) => self.show_waiting(since, reason),
            }
            serve_callbacks(&self.client);
            if self.ends.quit.recv_timeout(PAUSE) != Err(RecvTimeoutError::Timeout) {
                return Ok(None);
            }
        }
    }

    fn show_waiting(&self, since: Instant, reason: String) {
        let reason = self.shared.link.last_reason().unwrap_or(reason);
        self.shared.enter(Phase::Preparing { since, reason });
    }

    fn try_prepare(&self) -> Result<Tracks, Hitch> {
        self.find_topics()?;
        let mut tracks = Vec::new();
        for assignment in &self.options.assignments {
            let (topic, partition) = (assignment.topic.as_str(), assignment.partition);
            let (low, high) = self.watermarks(topic, partition)?;
            let expected = match assignment.start {
                Start::Beginning if self.registration.is_some() => 0,
                Start::Beginning => low,
                Start::End => high,
                Start::At(offset) => offset,
                Start::Back(offsets) => high.saturating_sub(offsets.max(0)).max(low),
            };
            judge_position(topic, partition, expected, low, high).map_err(Hitch::Final)?;
            if let Some(of) = &self.registration {
                of.gauge.read(of.reader, topic, partition, Some(expected));
            }
            tracks.push(Track {
                topic: topic.into(),
                partition,
                next: expected,
                stop: None,
            });
        }
        Ok(Tracks::new(tracks, self.registration.is_some()))
    }

    pub(super) fn find_topics(&self) -> Result<(), Hitch> {
        let topics: BTreeSet<&str> = self
            .options
            .assignments
            .iter()
            .map(|assignment| assignment.topic.as_str())
            .collect();
        topics
            .into_iter()
            .try_for_each(|topic| self.find_topic(topic))
    }

    /// Whether the topic is there with all partitions that are asked for.
    fn find_topic(&self, topic: &str) -> Result<(), Hitch> {
        let metadata = self
            .client
            .fetch_metadata(Some(topic), ATTEMPT)
            .map_err(|error| self.hitch("the topic", &error))?;
        let unknown = || KafkaError::UnknownTopic {
            topic: topic.to_owned(),
        };
        let Some(found) = metadata.topics().iter().find(|found| found.name() == topic) else {
            return Err(Hitch::Again(unknown().to_string()));
        };
        if let Some(error) = found.error() {
            let code = Code::from(error);
            return Err(match code {
                // It may be created while we wait: stages start in any order.
                code if code_is_unknown(code) => Hitch::Again(unknown().to_string()),
                code if code_is_retryable(code) => Hitch::Again(code.to_string()),
                code => Hitch::Final(self.answer(format!("topic `{topic}`"), code)),
            });
        }
        let partitions = found.partitions().len();
        for assignment in &self.options.assignments {
            let there = usize::try_from(assignment.partition).is_ok_and(|n| n < partitions);
            if assignment.topic == topic && !there {
                return Err(Hitch::Final(KafkaError::UnknownPartition {
                    topic: topic.to_owned(),
                    partition: assignment.partition,
                    partitions,
                }));
            }
        }
        Ok(())
    }

    pub(super) fn watermarks(&self, topic: &str, partition: i32) -> Result<(i64, i64), Hitch> {
        self.client
            .fetch_watermarks(topic, partition, ATTEMPT)
            .map_err(|error| self.hitch("offsets", &error))
    }

    fn hitch(&self, what: &str, error: &RdError) -> Hitch {
        match code_of(error) {
            Some(code) if code_is_retryable(code) || code_is_unknown(code) => {
                Hitch::Again(format!("asking for {what}: {code}"))
            }
            _ => Hitch::Final(KafkaError::of_request(what, &self.brokers, error)),
        }
    }

    pub(super) fn answer(&self, what: String, code: Code) -> KafkaError {
        KafkaError::Answer {
            what,
            brokers: self.brokers.clone(),
            reason: code.to_string(),
            retryable: false,
        }
    }
}

/// Whether a record at `expected` exists or can still come.
pub(super) fn judge_position(
    topic: &str,
    partition: i32,
    expected: i64,
    low: i64,
    high: i64,
) -> Result<(), KafkaError> {
    if expected < low {
        return Err(KafkaError::DataLost {
            topic: topic.to_owned(),
            partition,
            expected,
            low,
        });
    }
    if expected > high {
        return Err(KafkaError::BeyondEnd {
            topic: topic.to_owned(),
            partition,
            expected,
            high,
        });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_position_is_good_from_the_oldest_record_to_the_end() {
        for good in [10, 15, 20] {
            assert_eq!(judge_position("t", 0, good, 10, 20), Ok(()));
        }
        assert!(matches!(
            judge_position("t", 0, 9, 10, 20),
            Err(KafkaError::DataLost {
                expected: 9,
                low: 10,
                ..
            })
        ));
        assert!(matches!(
            judge_position("t", 0, 21, 10, 20),
            Err(KafkaError::BeyondEnd {
                expected: 21,
                high: 20,
                ..
            })
        ));
    }
}
