//! What the tests share: a broker, records that carry their number, and patience bounded by one generous limit.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use kafka_io::{
    Broker, Consumer, ConsumerOptions, EmbeddedBroker, Event, KafkaError, Producer,
    ProducerOptions, Record, Start, TopicSpec,
};

/// Far longer than anything here takes, even on a loaded machine; only a hang reaches it.
pub(crate) const PATIENCE: Duration = Duration::from_secs(120);

/// An embedded broker with one topic `t`.
pub(crate) fn embedded(partitions: i32) -> (EmbeddedBroker, Broker) {
    let embedded = EmbeddedBroker::start(&[TopicSpec::new("t", partitions)]).unwrap();
    let broker = Broker::Embedded(embedded.clone());
    (embedded, broker)
}

/// The same, with one property for its clients.
pub(crate) fn embedded_with(partitions: i32, name: &str, value: &str) -> (EmbeddedBroker, Broker) {
    let (embedded, _) = embedded(partitions);
    let embedded = embedded.with_properties(BTreeMap::from([(name.to_owned(), value.to_owned())]));
    let broker = Broker::Embedded(embedded.clone());
    (embedded, broker)
}

pub(crate) fn producer(broker: &Broker) -> Producer {
    broker.producer(ProducerOptions::new("test")).unwrap()
}

/// Reads all partitions of `t`.
pub(crate) fn consumer(broker: &Broker, partitions: i32, start: Start) -> Consumer {
    broker
        .consumer(ConsumerOptions::new("test").topic("t", partitions, start))
        .unwrap()
}

pub(crate) fn send(producer: &Producer, partition: i32, value: &str) {
    producer
        .send(Record::new("t", partition, b"key", value.as_bytes()))
        .unwrap();
}

/// What a consumer gave out.
#[derive(Debug, Default)]
pub(crate) struct Collected {
    /// By partition, offsets and values in the order of arrival.
    pub(crate) records: BTreeMap<i32, Vec<(i64, String)>>,
    pub(crate) n: usize,
    pub(crate) largest_batch: usize,
    pub(crate) ended: bool,
    pub(crate) failed: Option<KafkaError>,
}

impl Collected {
    pub(crate) fn values(&self, partition: i32) -> Vec<&str> {
        self.records
            .get(&partition)
            .into_iter()
            .flatten()
            .map(|(_, value)| value.as_str())
            .collect()
    }
}

/// Takes events until `n` records are there, the reading ends or fails, or patience does.
pub(crate) fn collect(consumer: &Consumer, n: usize) -> Collected {
    let mut collected = Collected::default();
    collect_into(&mut collected, consumer, n);
    collected
}

pub(crate) fn collect_into(collected: &mut Collected, consumer: &Consumer, n: usize) {
    let since = Instant::now();
    while collected.n < n {
        let left = PATIENCE.checked_sub(since.elapsed());
        let left = left.unwrap_or_else(|| panic!("{} of {n} records, {consumer:?}", collected.n));
        match consumer.recv(left.min(Duration::from_millis(200))) {
            None => assert!(
                !matches!(consumer.state(), kafka_io::State::Stopped),
                "{consumer:?}"
            ),
            Some(Event::End) => {
                collected.ended = true;
                return;
            }
            Some(Event::Failed(error)) => {
                collected.failed = Some(error);
                return;
            }
            Some(Event::Batch(batch)) => {
                collected.largest_batch = collected.largest_batch.max(batch.len());
                for message in batch.messages() {
                    let value = String::from_utf8(message.value.unwrap().to_vec()).unwrap();
                    collected.n += 1;
                    collected
                        .records
                        .entry(message.partition)
                        .or_default()
                        .push((message.offset, value));
                }
            }
        }
    }
}

/// Waits until something holds, else panics.
pub(crate) fn eventually(what: &str, holds: impl Fn() -> bool) {
    let since = Instant::now();
    let (_keep, never) = crossbeam_channel::bounded::<()>(0);
    while !holds() {
        assert!(since.elapsed() < PATIENCE, "never: {what}");
        assert!(never.recv_timeout(Duration::from_millis(5)).is_err());
    }
}
