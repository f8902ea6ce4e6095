//! What stands on the topics of a real Kafka from some point on, sorted by the partition of `ticks` it came from.

use std::collections::BTreeMap;
use std::io::Write;
use std::sync::Arc;
use std::time::Duration;

use contract::checkpoint;
use contract::topic::{self, Topic};
use kafka_io::{
    Batch, Broker, ConsumerOptions, Event, KafkaSettings, Position, ProducerOptions, Record, Start,
    TopicSpec, TransactionOptions,
};
use serde_json::Value;

/// Only a hang reaches it.
const PATIENCE: Duration = Duration::from_secs(120);

/// The broker that the environment names.
#[expect(
    clippy::disallowed_methods,
    reason = "where a test broker is, is no setting of the product"
)]
pub(crate) fn cluster() -> Option<Broker> {
    match std::env::var("TEST_KAFKA_BROKERS") {
        Ok(brokers) if !brokers.is_empty() => Some(Broker::Cluster(KafkaSettings::new(brokers))),
        _ => {
            // Not `eprintln!`: the test harness would keep that to itself while the test passes.
            let _ = writeln!(
                std::io::stderr(),
                "SKIPPED: needs a real Kafka, TEST_KAFKA_BROKERS is not set"
            );
            None
        }
    }
}

/// On a broker that shows what was aborted the tests here would prove nothing.
pub(crate) fn prove_isolation(broker: &Broker) {
    let chance = std::hash::BuildHasher::hash_one(&std::hash::RandomState::new(), 0);
    let name = format!("lockstep-test-{chance:016x}");
    broker
        .ensure_topics(&[TopicSpec::new(&name, 1)], PATIENCE)
        .unwrap();
    let options = TransactionOptions {
        name: "test".to_owned(),
        id: name.clone(),
        group: name.clone(),
        timeout: Duration::from_secs(10),
        stop: Arc::default(),
    };
    let mut producer = broker.transactional_producer(options).unwrap();
    for (value, is_kept) in [("aborted", false), ("kept", true), ("aborted too", false)] {
        producer.begin().unwrap();
        producer
            .send(Record::new(&name, 0, b"key", value.as_bytes()))
            .unwrap();
        producer.deliver().unwrap();
        if is_kept {
            producer.commit(&[])
        } else {
            producer.abort()
        }
        .unwrap();
    }
    let topic = Topic {
        name: "",
        key: "",
        holds: "",
        partitions: 1,
        kept: topic::Retention::Compacted,
    };
    let mut values = Vec::new();
    read(broker, &name, &topic, &BTreeMap::from([(0, 0)]), |batch| {
        values.extend(
            batch
                .messages()
                .map(|message| message.value.unwrap().to_vec()),
        );
    });
    assert_eq!(
        values,
        [b"kept".to_vec()],
        "this broker isolates no transaction"
    );
}

fn read(
    broker: &Broker,
    name: &str,
    topic: &Topic,
    from: &BTreeMap<i32, i64>,
    mut take: impl FnMut(&Batch),
) {
    let mut options = ConsumerOptions::new("test");
    for partition in 0..topic.partitions {
        options = options.partition(name, partition, Start::At(from[&partition]));
    }
    let consumer = broker.consumer(options).unwrap();
    let ends = broker.end_offsets(name, PATIENCE).unwrap();
    consumer
        .stop_at(ends.iter().map(|(&partition, &end)| (name, partition, end)))
        .unwrap();
    loop {
        match consumer.recv(PATIENCE) {
            Some(Event::Batch(batch)) => take(&batch),
            Some(Event::End) => return,
            other => panic!("{name}: {other:?}"),
        }
    }
}

type Lines = BTreeMap<i32, Vec<Vec<u8>>>;

/// Values by partition of `ticks`.
pub(crate) struct Found {
    pub(crate) ticks: Lines,
    pub(crate) spreads: Lines,
    pub(crate) late: Lines,
    pub(crate) dead: Lines,
}

/// Where each topic ended when a test began.
pub(crate) struct Topics {
    from: BTreeMap<&'static str, BTreeMap<i32, i64>>,
    after_ns: u64,
}

const READ: [Topic; 4] = [
    topic::TICKS,
    topic::SPREADS,
    topic::TICKS_LATE,
    topic::DEAD_LETTERS,
];

impl Topics {
    pub(crate) fn new(broker: &Broker) -> Self {
        let specs: Vec<TopicSpec> = topic::ALL.iter().map(TopicSpec::from).collect();
        broker.ensure_topics(&specs, PATIENCE).unwrap();
        let ends = |topic: &Topic| {
            (
                topic.name,
                broker.end_offsets(topic.name, PATIENCE).unwrap(),
            )
        };
        let mut topics = Self {
            from: READ.iter().map(ends).collect(),
            after_ns: 1_723_161_254_000_000_000,
        };
        let event_ns = |line: &Vec<u8>| -> Option<u64> {
            serde_json::from_slice::<Value>(line)
                .ok()?
                .get("event_ns")?
                .as_u64()
        };
        let before = topics.at_the_beginning().read(broker).ticks;
        if let Some(last_ns) = before.values().flatten().filter_map(event_ns).max() {
            topics.after_ns = last_ns + 10_000_000_000;
        }
        topics
    }

    /// Later than all that others have written to `ticks`.
    pub(crate) fn after_ns(&self) -> u64 {
        self.after_ns
    }

    pub(crate) fn at_the_beginning(&self) -> Self {
        let zero = |(&name, ends): (&&'static str, &BTreeMap<i32, i64>)| {
            (name, ends.keys().map(|&partition| (partition, 0)).collect())
        };
        Self {
            from: self.from.iter().map(zero).collect(),
            after_ns: self.after_ns,
        }
    }

    /// What is committed by now.
    pub(crate) fn read(&self, broker: &Broker) -> Found {
        let empty: Lines = (0..topic::TICKS.partitions)
            .map(|partition| (partition, Vec::new()))
            .collect();
        let mut found: BTreeMap<&str, Lines> = READ
            .iter()
            .map(|topic| (topic.name, empty.clone()))
            .collect();
        for topic in &READ {
            let lines = found.get_mut(topic.name).unwrap();
            read(broker, topic.name, topic, &self.from[topic.name], |batch| {
                for message in batch.messages() {
                    let partition = match topic.name {
                        "ticks-late" => topic::TICKS.partition_of(message.key.unwrap()),
                        "dead-letters" => {
                            let header = |wanted: &str| {
                                let mut headers = message.headers.iter();
                                let (_, value) = headers.find(|(name, _)| name == wanted)?;
                                Some(String::from_utf8_lossy(value.as_ref()?).into_owned())
                            };
                            // Letters of other topics, and marks of letters sent again, are other tests'.
                            if header("topic").as_deref() != Some(topic::TICKS.name) {
                                continue;
                            }
                            header("partition").unwrap().parse().unwrap()
                        }
                        _ => message.partition,
                    };
                    lines
                        .get_mut(&partition)
                        .unwrap()
                        .push(message.value.unwrap().to_vec());
                }
            });
        }
        let mut take = |topic: Topic| found.remove(topic.name).unwrap();
        Found {
            ticks: take(topic::TICKS),
            spreads: take(topic::SPREADS),
            late: take(topic::TICKS_LATE),
            dead: take(topic::DEAD_LETTERS),
        }
    }

    /// Commits positions of a job whose checkpoints have no last part.
    pub(crate) fn break_checkpoints(&self, broker: &Broker, job: &str, next: &BTreeMap<i32, i64>) {
        let topic = topic::CHECKPOINTS;
        let at = broker.end_offsets(topic.name, PATIENCE).unwrap()[&0];
        let producer = broker.producer(ProducerOptions::new("test")).unwrap();
        let (key, value) = checkpoint::cut(job, 0, next[&0], &"x".repeat(1_000_000)).remove(0);
        producer
            .send(Record::new(topic.name, 0, key.as_bytes(), &value))
            .unwrap();
        producer.flush(PATIENCE).unwrap();
        let id = format!("{job}-1-of-1");
        let options = TransactionOptions {
            name: "test".to_owned(),
            id: id.clone(),
            group: job.to_owned(),
            timeout: Duration::from_secs(10),
            stop: Arc::default(),
        };
        let note = |next| {
            format!(
                r#"{{"v":1,"kind":"position","by":"{id}","run":"","closed_ns":null,"from":{next},"checkpoint":{at}}}"#
            )
        };
        let position = Position {
            topic: topic::TICKS.name.to_owned(),
            partition: 0,
            next: next[&0],
            note: note(next[&0]),
        };
        let mut producer = broker.transactional_producer(options).unwrap();
        producer.begin().unwrap();
        producer.commit(&[position]).unwrap();
    }
}
