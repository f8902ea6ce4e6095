//! What only a real Kafka can show: settings of topics, transactions, retention, and no duplicates over a restart.
//!
//! `TEST_KAFKA_BROKERS=HOST:PORT` names one that may be written to; each test makes topics of its own there.
//! `TEST_KAFKA_RESTART` is a command that kills and starts it. Without them these tests say so and pass.

use std::hash::{BuildHasher, RandomState};
use std::io::Write;
use std::ops::Deref;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{PoisonError, RwLock, RwLockReadGuard};
use std::time::{Duration, Instant};

use kafka_io::{
    Broker, ConsumerOptions, KafkaError, KafkaSettings, ProducerOptions, Record, Start, State,
    TopicDifference, TopicSpec,
};
use rdkafka::ClientConfig;
use rdkafka::admin::{AdminClient, AdminOptions};
use rdkafka::client::DefaultClientContext;
use rdkafka::producer::{BaseProducer, BaseRecord, Producer as _};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};

use crate::support::{PATIENCE, collect, eventually};

#[expect(
    clippy::disallowed_methods,
    reason = "where a test broker is, is no setting of the product"
)]
fn variable(name: &str) -> Option<String> {
    let value = std::env::var(name).ok().filter(|value| !value.is_empty());
    if value.is_none() {
        // Not `eprintln!`: the test harness would keep that to itself while the test passes.
        let _ = writeln!(
            std::io::stderr(),
            "SKIPPED: needs a real Kafka, {name} is not set"
        );
    }
    value
}

/// One test kills the broker; the others take place before or after that.
static PEACE: RwLock<()> = RwLock::new(());

/// The broker, for as long as this is held.
pub(crate) struct Cluster<G> {
    broker: Broker,
    _turn: G,
}

impl<G> Deref for Cluster<G> {
    type Target = Broker;

    fn deref(&self) -> &Broker {
        &self.broker
    }
}

fn broker() -> Option<Broker> {
    variable("TEST_KAFKA_BROKERS").map(|brokers| Broker::Cluster(KafkaSettings::new(brokers)))
}

/// The broker, in peace.
pub(crate) fn cluster() -> Option<Cluster<RwLockReadGuard<'static, ()>>> {
    Some(Cluster {
        broker: broker()?,
        _turn: PEACE.read().unwrap_or_else(PoisonError::into_inner),
    })
}

/// A topic that no other run uses.
pub(crate) fn topic(broker: &Broker, partitions: i32) -> String {
    let name = format!("kafka-io-test-{:016x}", RandomState::new().hash_one(0));
    broker
        .ensure_topics(&[TopicSpec::new(&name, partitions)], PATIENCE)
        .unwrap();
    name
}

fn write(broker: &Broker, topic: &str, values: std::ops::Range<usize>) {
    let writer = broker.producer(ProducerOptions::new("test")).unwrap();
    for n in values {
        let value = n.to_string();
        writer
            .send(Record::new(topic, 0, b"key", value.as_bytes()))
            .unwrap();
    }
    writer.flush(PATIENCE).unwrap();
}

fn admin(broker: &Broker) -> AdminClient<DefaultClientContext> {
    ClientConfig::new()
        .set("bootstrap.servers", broker.address())
        .create()
        .unwrap()
}

fn block_on<F: Future>(future: F) -> F::Output {
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    let mut future = std::pin::pin!(future);
    loop {
        if let std::task::Poll::Ready(output) = future.as_mut().poll(&mut context) {
            return output;
        }
        std::thread::yield_now();
    }
}

#[test]
fn a_real_kafka_gets_topics_with_their_settings_and_differences_are_found() {
    let Some(broker) = cluster() else { return };
    let name = format!("kafka-io-test-{:016x}", RandomState::new().hash_one(0));
    let mut spec = TopicSpec::new(&name, 2);
    spec.retention_ms = Some(86_400_000);
    let made = broker
        .ensure_topics(std::slice::from_ref(&spec), PATIENCE)
        .unwrap();
    assert_eq!(made.created, std::slice::from_ref(&name));
    let again = broker
        .ensure_topics(std::slice::from_ref(&spec), PATIENCE)
        .unwrap();
    assert_eq!(again.existing, std::slice::from_ref(&name));
    let mut other = TopicSpec::new(&name, 3);
    other.compacted = true;
    let error = broker.ensure_topics(&[other], PATIENCE).unwrap_err();
    let KafkaError::Topics(differences) = error else {
        panic!("{error}");
    };
    assert_eq!(differences.len(), 2, "{differences:?}");
    spec.retention_ms = Some(1);
    assert_eq!(
        broker.check_topics(&[spec], PATIENCE).unwrap(),
        [TopicDifference::Setting {
            topic: name,
            setting: "retention.ms".to_owned(),
            expected: "1".to_owned(),
            found: "86400000".to_owned(),
        }]
    );
    assert!(broker.supports_transactions());
}

#[test]
fn a_real_kafka_gives_back_what_was_written_in_order() {
    const N: usize = 100_000;
    let Some(broker) = cluster() else { return };
    let name = topic(&broker, 1);
    write(&broker, &name, 0..N);
    let reader = broker
        .consumer(ConsumerOptions::new("test").topic(&name, 1, Start::Beginning))
        .unwrap();
    reader.stop_at_end();
    let collected = collect(&reader, usize::MAX);
    assert!(collected.ended);
    let expected: Vec<String> = (0..N).map(|n| n.to_string()).collect();
    assert_eq!(collected.values(0), expected);
}

#[test]
fn a_real_kafka_hides_aborted_records_and_the_end_behind_them_is_reached() {
    let Some(broker) = cluster() else { return };
    let name = topic(&broker, 1);
    let writer: BaseProducer = ClientConfig::new()
        .set("bootstrap.servers", broker.address())
        .set("transactional.id", &name)
        .create()
        .unwrap();
    writer.init_transactions(PATIENCE).unwrap();
    let write = |value: &str| {
        writer
            .send(
                BaseRecord::<str, str>::to(&name)
                    .partition(0)
                    .payload(value),
            )
            .unwrap();
    };
    for (values, commit) in [
        (["a", "b"], true),
        (["c", "d"], false),
        (["e", "f"], true),
        (["g", "h"], false),
    ] {
        writer.begin_transaction().unwrap();
        values.into_iter().for_each(write);
        writer.flush(PATIENCE).unwrap();
        if commit {
            writer.commit_transaction(PATIENCE).unwrap();
        } else {
            writer.abort_transaction(PATIENCE).unwrap();
        }
    }
    let ends = broker.end_offsets(&name, PATIENCE).unwrap();
    assert_eq!(ends[&0], 12, "eight records and four marks");
    for (start, expected) in [(0, vec!["a", "b", "e", "f"]), (7, vec!["f"]), (8, vec![])] {
        let reader = broker
            .consumer(ConsumerOptions::new("test").partition(&name, 0, Start::At(start)))
            .unwrap();
        reader.stop_at([(name.as_str(), 0, 12)]).unwrap();
        let collected = collect(&reader, usize::MAX);
        assert!(collected.ended, "{reader:?}");
        assert_eq!(collected.values(0), expected);
        assert_eq!(reader.positions()[&(name.clone(), 0)], 12);
    }
    // What is not committed yet is neither read nor passed.
    writer.begin_transaction().unwrap();
    write("open");
    writer.flush(PATIENCE).unwrap();
    let reader = broker
        .consumer(ConsumerOptions::new("test").topic(&name, 1, Start::At(12)))
        .unwrap();
    assert!(reader.recv(Duration::from_millis(500)).is_none());
    assert_eq!(broker.end_offsets(&name, PATIENCE).unwrap()[&0], 12);
    writer.commit_transaction(PATIENCE).unwrap();
    assert_eq!(collect(&reader, 1).values(0), ["open"]);
}

#[test]
fn a_real_kafka_that_has_dropped_the_next_record_says_so_at_the_start_and_in_the_middle() {
    let Some(broker) = cluster() else { return };
    let name = topic(&broker, 1);
    write(&broker, &name, 0..100_000);
    let slow = ConsumerOptions {
        batch_records: 10,
        queue_batches: 1,
        ..ConsumerOptions::new("slow").topic(&name, 1, Start::Beginning)
    };
    let Broker::Cluster(settings) = &*broker else {
        panic!("a cluster");
    };
    let settings = settings
        .clone()
        .with("queued.min.messages", "10")
        .with("fetch.message.max.bytes", "1000");
    let reader = Broker::Cluster(settings).consumer(slow).unwrap();
    assert_eq!(collect(&reader, 10).n, 10);
    let mut before = TopicPartitionList::new();
    before
        .add_partition_offset(&name, 0, Offset::Offset(99_000))
        .unwrap();
    block_on(admin(&broker).delete_records(&before, &AdminOptions::new())).unwrap();
    let rest = collect(&reader, usize::MAX);
    let Some(KafkaError::DataLost { expected, low, .. }) = rest.failed else {
        panic!("{:?}", rest.failed);
    };
    assert_eq!(low, 99_000);
    assert_eq!(usize::try_from(expected).unwrap(), 10 + rest.n);
    let late = broker
        .consumer(ConsumerOptions::new("late").topic(&name, 1, Start::At(5)))
        .unwrap();
    assert!(matches!(
        collect(&late, 1).failed,
        Some(KafkaError::DataLost {
            expected: 5,
            low: 99_000,
            ..
        })
    ));
    let fresh = broker
        .consumer(ConsumerOptions::new("fresh").topic(&name, 1, Start::Beginning))
        .unwrap();
    assert_eq!(collect(&fresh, 1_000).records[&0][0].0, 99_000);
}

#[test]
fn a_real_kafka_whose_topic_is_deleted_and_made_anew_is_waited_for_and_then_told() {
    let Some(broker) = cluster() else { return };
    let name = topic(&broker, 1);
    write(&broker, &name, 0..100);
    let reader = broker
        .consumer(ConsumerOptions::new("test").topic(&name, 1, Start::Beginning))
        .unwrap();
    assert_eq!(collect(&reader, 100).n, 100);
    block_on(admin(&broker).delete_topics(&[&name], &AdminOptions::new())).unwrap();
    let deleted = Instant::now();
    eventually(
        "it says what is missing",
        || matches!(reader.state(), State::Waiting { reason, .. } if reason.contains("does not exist")),
    );
    println!(
        "told {:.1} s after the deletion",
        deleted.elapsed().as_secs_f64()
    );
    eventually("it is gone", || {
        !broker.health(PATIENCE).unwrap().topics.contains_key(&name)
    });
    broker
        .ensure_topics(&[TopicSpec::new(&name, 1)], PATIENCE)
        .unwrap();
    assert!(matches!(
        collect(&reader, 1).failed,
        Some(KafkaError::BeyondEnd {
            expected: 100,
            high: 0,
            ..
        })
    ));
}

#[test]
fn a_real_kafka_killed_and_started_again_holds_every_record_once() {
    const N: usize = 200_000;
    let Some(broker) = broker() else { return };
    let Some(restart) = variable("TEST_KAFKA_RESTART") else {
        return;
    };
    let _alone = PEACE.write().unwrap_or_else(PoisonError::into_inner);
    let name = topic(&broker, 1);
    let reader = broker
        .consumer(ConsumerOptions::new("test").topic(&name, 1, Start::Beginning))
        .unwrap();
    let writer = broker.producer(ProducerOptions::new("test")).unwrap();
    let was_away = AtomicBool::new(false);
    let collected = std::thread::scope(|scope| {
        scope.spawn(|| {
            for n in 0..N {
                was_away.fetch_or(n > N / 4 && !writer.connected(), Ordering::AcqRel);
                if n == N / 4 {
                    let status = Command::new("sh").args(["-c", &restart]).spawn().unwrap();
                    drop(status);
                }
                let value = n.to_string();
                writer
                    .send(Record::new(&name, 0, b"key", value.as_bytes()))
                    .unwrap();
                // Slow enough that the kill falls into the middle.
                if n % 50 == 0 {
                    let (_keep, never) = crossbeam_channel::bounded::<()>(0);
                    assert!(never.recv_timeout(Duration::from_millis(3)).is_err());
                }
            }
            writer.flush(PATIENCE).unwrap();
        });
        collect(&reader, N)
    });
    let expected: Vec<String> = (0..N).map(|n| n.to_string()).collect();
    assert!(
        was_away.into_inner(),
        "the broker was never away: nothing is shown"
    );
    assert_eq!(collected.failed, None);
    assert!(
        collected.values(0) == expected,
        "a record is missing, twice or out of order"
    );
    reader.stop_at_end();
    let rest = collect(&reader, usize::MAX);
    assert_eq!((rest.n, rest.ended), (0, true));
}
