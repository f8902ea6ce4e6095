//! A broker in this process, what stands on its topics, and stages that run against it.

use std::fs::File;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use contract::topic::Topic;
use kafka_io::{
    Broker, ConsumerOptions, EmbeddedBroker, Event, Producer, ProducerOptions, Record, Start,
    TopicSpec,
};

use crate::fixture::{Room, command};

/// Only a hang reaches it.
pub(crate) const PATIENCE: Duration = Duration::from_secs(120);

/// A record as it stands on a topic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Kept {
    pub(crate) partition: i32,
    pub(crate) offset: i64,
    pub(crate) key: Vec<u8>,
    pub(crate) value: Vec<u8>,
    pub(crate) headers: Vec<(String, String)>,
}

impl Kept {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }
}

fn specs() -> Vec<TopicSpec> {
    contract::topic::ALL.iter().map(TopicSpec::from).collect()
}

/// A broker and a way to write to it.
pub(crate) struct World {
    pub(crate) broker: Broker,
    producer: Producer,
}

impl World {
    /// Over a broker inside this process.
    pub(crate) fn embedded() -> Self {
        Self::of(Broker::Embedded(EmbeddedBroker::start(&specs()).unwrap()))
    }

    /// Over another, with its topics.
    pub(crate) fn of(broker: Broker) -> Self {
        broker.ensure_topics(&specs(), PATIENCE).unwrap();
        let producer = broker.producer(ProducerOptions::new("test")).unwrap();
        Self { broker, producer }
    }

    /// Writes a record and waits until it stands there.
    pub(crate) fn send(
        &self,
        (topic, partition): (&Topic, i32),
        key: &str,
        value: &[u8],
        headers: &[(&str, &str)],
    ) {
        let headers: Vec<(&str, &[u8])> = headers
            .iter()
            .map(|(name, value)| (*name, value.as_bytes()))
            .collect();
        let record = Record::new(topic.name, partition, key.as_bytes(), value);
        self.producer.send(record.headers(&headers)).unwrap();
        self.producer.flush(PATIENCE).unwrap();
    }

    /// Writes a record to the partition of its key.
    pub(crate) fn send_keyed(&self, topic: &Topic, key: &str, value: &str) {
        let partition = topic.partition_of(key.as_bytes());
        self.send((topic, partition), key, value.as_bytes(), &[]);
    }

    /// All that stands on a topic, as whoever reads what is committed sees it.
    pub(crate) fn all(&self, topic: &Topic) -> Vec<Kept> {
        let wanted =
            ConsumerOptions::new("look").topic(topic.name, topic.partitions, Start::Beginning);
        let consumer = self.broker.consumer(wanted).unwrap();
        consumer.stop_at_end();
        let mut all = Vec::new();
        loop {
            match consumer.recv(PATIENCE) {
                Some(Event::Batch(batch)) => all.extend(batch.messages().map(|message| {
                    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
                    let headers = message.headers.iter().map(|(name, value)| {
                        (name.clone(), text(value.as_deref().unwrap_or_default()))
                    });
                    Kept {
                        partition: message.partition,
                        offset: message.offset,
                        key: message.key.unwrap_or_default().to_vec(),
                        value: message.value.unwrap_or_default().to_vec(),
                        headers: headers.collect(),
                    }
                })),
                Some(Event::End) => return all,
                other => panic!("{}: {other:?}", topic.name),
            }
        }
    }

    /// Waits until a topic holds what `is_enough`.
    pub(crate) fn until(
        &self,
        topic: &Topic,
        stage: &mut Running,
        is_enough: impl Fn(&[Kept]) -> bool,
    ) -> Vec<Kept> {
        let since = Instant::now();
        loop {
            let all = self.all(topic);
            if is_enough(&all) {
                return all;
            }
            assert!(
                since.elapsed() < PATIENCE && stage.runs(),
                "`{}` holds {all:?}; the stage says: {}",
                topic.name,
                stage.log()
            );
            let (_keep, never) = std::sync::mpsc::channel::<()>();
            let _ = never.recv_timeout(Duration::from_millis(100));
        }
    }

    /// Starts a stage against it.
    pub(crate) fn start(&self, args: &[&str]) -> Running {
        let room = Room::new();
        let log = File::create(room.path("log")).unwrap();
        let child = command()
            .args(args)
            .args(["--broker", self.broker.address()])
            .stdout(Stdio::null())
            .stderr(Stdio::from(log))
            .spawn()
            .unwrap();
        Running { child, room }
    }
}

/// A stage; killed when the test is over.
pub(crate) struct Running {
    child: Child,
    room: Room,
}

impl Running {
    fn runs(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    fn log(&self) -> String {
        self.room.read("log")
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
