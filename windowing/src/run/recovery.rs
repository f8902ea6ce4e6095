//! Where a run begins under exactly-once: takes over, and brings back what was known.
//!
//! ```text
//! fence -> committed positions -> take over -> checkpoints -> partitions, and where to read them from
//! ```
//!
//! Whoever committed under another `transactional.id` (other shards) is fenced first, so that nobody adds to what is read
//! here. Taking over commits the same positions with a note of this run, by which a fenced process tells a successor from a
//! time-out. What was committed and cannot be gone on with is an error, never a gap.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use contract::checkpoint::{Gathering, PositionNote};
use contract::topic;
use kafka_io::{
    Broker, Consumer, ConsumerOptions, Event, KafkaError, Position, Start, State,
    TransactionOptions, TransactionalProducer, Watermarks,
};

use super::standing::{Identity, Standing};
use super::{ExactlyOnce, JobOptions};
use crate::dataflow::BoxError;
use crate::error::WindowingError;
use crate::work::Work;

/// How long one question to the broker may take before it is asked again.
const ASK: Duration = Duration::from_secs(5);
/// How long a position behind the end is taken for a leader that has just changed and lags.
const BEYOND_GRACE: Duration = Duration::from_secs(10);
/// How long the records of checkpoints may stay away, beyond what a transaction may last that hides them.
const PATIENCE: Duration = Duration::from_secs(60);
/// One wait for them.
const POLL: Duration = Duration::from_millis(100);

/// What a run goes on from.
pub(super) struct Recovered<W: Work> {
    pub(super) producer: TransactionalProducer,
    pub(super) standings: BTreeMap<i32, Standing>,
    pub(super) restored: BTreeMap<i32, W::Machine>,
}

/// Why a checkpoint cannot be used, besides what its parts tell.
#[derive(Debug, thiserror::Error)]
enum Unusable {
    #[error("`checkpoints` ends before its last part; was the topic emptied or made anew?")]
    Missing,
    #[error("its records did not come within {} s", .0.as_secs())]
    Late(Duration),
}

/// Everything before the first record. The runs that worked on the partitions until now are added to `predecessors`.
pub(super) fn recover<W: Work>(
    work: &Arc<W>,
    broker: &Broker,
    options: &JobOptions,
    exactly: &ExactlyOnce,
    identity: &Identity,
    predecessors: &mut BTreeSet<String>,
) -> Result<Recovered<W>, WindowingError> {
    let producer = |id: &str| {
        broker.transactional_producer(TransactionOptions {
            name: W::NAME.to_owned(),
            id: id.to_owned(),
            group: identity.job.clone(),
            timeout: exactly.transaction_timeout,
            stop: Arc::clone(&options.stop),
        })
    };
    let mut ours = producer(&identity.id)?;
    let partitions = options.shard.partitions(&W::INPUT);
    let mut committed = ours.committed(W::INPUT.name, &partitions)?;
    if exactly.from_start {
        tracing::warn!("beginning anew: what was written before is written again");
    }
    let others = others(&committed, identity);
    for id in &others {
        tracing::info!(id, "taking over from another shard");
        drop(producer(id)?);
    }
    if !others.is_empty() {
        committed = ours.committed(W::INPUT.name, &partitions)?;
    }
    let notes = committed.values().filter_map(note);
    predecessors.extend(notes.map(|note| note.run.into_owned()));
    if exactly.from_start {
        committed.clear();
    }
    let standings = stand(W::INPUT.name, broker, options, &partitions, &committed)?;
    let positions: Vec<Position> = standings
        .iter()
        .map(|(&partition, standing)| standing.position(W::INPUT.name, partition, identity))
        .collect();
    ours.begin()?;
    ours.commit(&positions)?;
    let texts = read_checkpoints(broker, options, exactly, &identity.job, &standings)?;
    let mut restored = BTreeMap::new();
    for (partition, (offset, text)) in texts {
        let machine = work
            .restore(partition, &text)
            .map_err(|error| unusable(partition, offset, error))?;
        restored.insert(partition, machine);
    }
    Ok(Recovered {
        producer: ours,
        standings,
        restored,
    })
}

/// Under which other ids positions were committed.
fn others(committed: &BTreeMap<i32, Position>, identity: &Identity) -> BTreeSet<String> {
    let notes = committed.values().filter_map(note);
    notes
        .map(|note| note.by.into_owned())
        .filter(|by| *by != identity.id)
        .collect()
}

/// The note of a position; one that cannot be read is told later, if it is needed.
fn note(position: &Position) -> Option<PositionNote<'_>> {
    Standing::read(position).ok().map(|(_, note)| note)
}

/// Where each partition stands, if the topic still has what is needed from there on.
fn stand(
    topic: &'static str,
    broker: &Broker,
    options: &JobOptions,
    partitions: &[i32],
    committed: &BTreeMap<i32, Position>,
) -> Result<BTreeMap<i32, Standing>, WindowingError> {
    let since = Instant::now();
    loop {
        let ends = ends(topic, broker, options)?;
        let stand = |&partition: &i32| {
            let end = ends
                .get(&partition)
                .ok_or_else(|| KafkaError::UnknownTopic {
                    topic: topic.to_owned(),
                })?;
            let standing = match committed.get(&partition) {
                Some(position) => Standing::read(position)?.0,
                None => Standing::at(match options.start {
                    Start::End => end.high,
                    Start::At(offset) => offset,
                    Start::Beginning | Start::Back(_) => end.low,
                }),
            };
            judge(topic, partition, &standing, end)?;
            Ok((partition, standing))
        };
        match partitions.iter().map(stand).collect() {
            Err(WindowingError::Beyond { .. })
                if since.elapsed() < BEYOND_GRACE && !options.stop.load(Ordering::Acquire) =>
            {
                broker_settles();
            }
            other => return other,
        }
    }
}

fn judge(
    topic: &'static str,
    partition: i32,
    standing: &Standing,
    end: &Watermarks,
) -> Result<(), WindowingError> {
    if standing.from < end.low {
        return Err(WindowingError::Gone {
            topic,
            partition,
            from: standing.from,
            low: end.low,
        });
    }
    if standing.next > end.high {
        return Err(WindowingError::Beyond {
            topic,
            partition,
            next: standing.next,
            high: end.high,
        });
    }
    Ok(())
}

/// A pause in which a new leader may learn how far its partition is.
fn broker_settles() {
    let (_keep, never) = crossbeam_channel::bounded::<()>(0);
    let _ = never.recv_timeout(Duration::from_millis(500));
}

/// The ends of a topic, waited for.
fn ends(
    topic: &str,
    broker: &Broker,
    options: &JobOptions,
) -> Result<BTreeMap<i32, Watermarks>, KafkaError> {
    answered(options, || broker.watermarks(topic, ASK))
}

/// What a broker answers, waited for.
fn answered<T>(
    options: &JobOptions,
    ask: impl Fn() -> Result<T, KafkaError>,
) -> Result<T, KafkaError> {
    loop {
        match ask() {
            Err(error) if error.is_retryable() && !options.stop.load(Ordering::Acquire) => {
                tracing::warn!(%error, "waiting for the broker");
            }
            other => return other,
        }
    }
}

/// The texts of the checkpoints that the standings name, with the offset of each one's first part.
///
/// They are committed, and yet a transaction that some other job has open, even one that is dead, hides them until the brokers
/// abort it. So it is read up to the end as it is with open transactions.
fn read_checkpoints(
    broker: &Broker,
    options: &JobOptions,
    exactly: &ExactlyOnce,
    job: &str,
    standings: &BTreeMap<i32, Standing>,
) -> Result<BTreeMap<i32, (i64, String)>, WindowingError> {
    let mut gatherings: BTreeMap<i32, (i64, Gathering)> = standings
        .iter()
        .filter_map(|(&partition, standing)| {
            let offset = standing.checkpoint?;
            Some((
                partition,
                (offset, Gathering::new(job, partition, standing.from)),
            ))
        })
        .collect();
    let mut texts = BTreeMap::new();
    let first = gatherings.iter().min_by_key(|(_, (offset, _))| *offset);
    let Some((&first, &(start, _))) = first else {
        return Ok(texts);
    };
    let topic = topic::CHECKPOINTS.name;
    let end = answered(options, || broker.end_with_open(topic, 0, ASK))?;
    let consumer = || -> Result<Consumer, KafkaError> {
        let wanted = ConsumerOptions::new("checkpoints").partition(topic, 0, Start::At(start));
        let consumer = broker.consumer(wanted)?;
        consumer.stop_at([(topic, 0, end)])?;
        Ok(consumer)
    };
    let mut reading = consumer()?;
    let patience = exactly.transaction_timeout + PATIENCE;
    let mut waited = Duration::ZERO;
    while let Some((&partition, &(offset, _))) = gatherings.first_key_value() {
        if options.stop.load(Ordering::Acquire) {
            return Err(KafkaError::Stopped("reading checkpoints").into());
        }
        match reading.recv(POLL) {
            Some(Event::Batch(batch)) => {
                for message in batch.messages() {
                    let mut done = None;
                    for (&partition, (offset, gathering)) in &mut gatherings {
                        if message.offset < *offset {
                            continue;
                        }
                        let taken = gathering.take(message.key, message.value);
                        if let Some(text) =
                            taken.map_err(|error| unusable(partition, *offset, error))?
                        {
                            texts.insert(partition, (*offset, text));
                            done = Some(partition);
                        }
                    }
                    if let Some(partition) = done {
                        gatherings.remove(&partition);
                    }
                }
            }
            Some(Event::End) => return Err(unusable(partition, offset, Unusable::Missing)),
            // Hidden still: the committed end is before the checkpoint, the end is not.
            Some(Event::Failed(KafkaError::BeyondEnd { .. }))
                if end > start && waited < patience =>
            {
                waited += BEYOND_GRACE;
                reading = consumer()?;
            }
            Some(Event::Failed(error)) => return Err(unusable(first, start, error)),
            // Time without a broker does not count.
            None if matches!(reading.state(), State::Running) => {
                waited += POLL;
                if waited >= patience {
                    return Err(unusable(partition, offset, Unusable::Late(waited)));
                }
            }
            None => {}
        }
    }
    Ok(texts)
}

fn unusable(partition: i32, offset: i64, reason: impl Into<BoxError>) -> WindowingError {
    WindowingError::Checkpoint {
        partition,
        offset,
        reason: reason.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_standing_needs_its_records_from_the_checkpoint_to_the_position() {
        let standing = Standing {
            next: 90,
            from: 30,
            ..Standing::at(0)
        };
        let judged = |low, high| judge("ticks", 3, &standing, &Watermarks { low, high });
        assert!(judged(30, 90).is_ok() && judged(0, 1_000).is_ok());
        let gone = judged(31, 90).unwrap_err();
        assert!(matches!(
            gone,
            WindowingError::Gone {
                from: 30,
                low: 31,
                ..
            }
        ));
        let beyond = judged(0, 89).unwrap_err();
        assert!(matches!(
            beyond,
            WindowingError::Beyond {
                next: 90,
                high: 89,
                ..
            }
        ));
        for error in [gone, beyond] {
            assert!(error.to_string().contains("--from-start"), "{error}");
        }
    }
}
