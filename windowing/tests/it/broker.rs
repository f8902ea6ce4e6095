//! The same records over the embedded broker and timely, against the pure machine: any number of workers, a broker that goes
//! away in the middle, the end of a finite input.

#![expect(
    clippy::unwrap_used,
    reason = "a test whose broker does not start has failed"
)]

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use contract::topic::{self, Topic};
use kafka_io::{
    Broker, ConsumerOptions, EmbeddedBroker, Event, Producer, ProducerOptions, Record, Start,
    TopicSpec,
};
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use windowing::run::{Delivery, Job, JobOptions};
use windowing::shard::Shard;
use windowing::{Settings, window_lines};

use crate::generator::{render, stream};

const PATIENCE: Duration = Duration::from_secs(120);

fn broker() -> EmbeddedBroker {
    let topics = [
        topic::TICKS,
        topic::SPREADS,
        topic::TICKS_LATE,
        topic::DEAD_LETTERS,
    ]
    .map(|topic| TopicSpec::from(&topic));
    EmbeddedBroker::start(&topics).unwrap()
}

/// Random records for each partition of `ticks`.
fn records(seed: u8) -> Vec<Vec<String>> {
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &[seed; 32]);
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    (0..topic::TICKS.partition_count())
        .map(|_| {
            // Several streams on end: the later ones find state, late ticks and symbols of those before.
            (0..4)
                .flat_map(|_| render(&stream(60).new_tree(&mut runner).unwrap().current()))
                .collect()
        })
        .collect()
}

fn settings() -> Settings {
    // Stamps of random streams lie close together.
    Settings {
        width_ms: 50,
        quote_max_age_ms: 120,
        ..Settings::default()
    }
}

/// What the pure machine makes of the partitions: sorted lines by topic.
fn expected(partitions: &[Vec<String>]) -> BTreeMap<&'static str, Vec<Vec<u8>>> {
    let mut all: BTreeMap<_, Vec<Vec<u8>>> = BTreeMap::new();
    for lines in partitions {
        let lines = window_lines(&settings(), lines.iter().map(|line| line.as_bytes())).unwrap();
        all.entry(topic::SPREADS.name)
            .or_default()
            .extend(lines.spreads);
        all.entry(topic::TICKS_LATE.name)
            .or_default()
            .extend(lines.late);
        all.entry(topic::DEAD_LETTERS.name)
            .or_default()
            .extend(lines.dead.into_iter().map(|letter| letter.bytes));
    }
    for lines in all.values_mut() {
        lines.sort();
    }
    all
}

fn publish(
    producer: &Producer,
    partitions: &[Vec<String>],
    range: impl Fn(usize) -> std::ops::Range<usize>,
) {
    for (partition, lines) in (0_i32..).zip(partitions) {
        for line in &lines[range(lines.len())] {
            producer
                .send(Record::new(
                    topic::TICKS.name,
                    partition,
                    b"key",
                    line.as_bytes(),
                ))
                .unwrap();
        }
    }
}

fn read(broker: &Broker, topic: &Topic) -> Vec<Vec<u8>> {
    let options =
        ConsumerOptions::new("test").topic(topic.name, topic.partitions, Start::Beginning);
    let consumer = broker.consumer(options).unwrap();
    consumer.stop_at_end();
    let mut values = Vec::new();
    loop {
        match consumer.recv(PATIENCE) {
            Some(Event::Batch(batch)) => {
                values.extend(
                    batch
                        .messages()
                        .map(|message| message.value.unwrap_or_default().to_vec()),
                );
            }
            Some(Event::End) => break,
            other => panic!("{other:?}"),
        }
    }
    values.sort();
    values
}

/// Runs a job over what `fill` publishes, and compares all it gave with the pure machine.
fn check(
    partitions: &[Vec<String>],
    workers: usize,
    fill: impl FnOnce(&EmbeddedBroker, &Producer),
) {
    let embedded = broker();
    let broker = Broker::Embedded(embedded.clone());
    let options = JobOptions {
        start: Start::Beginning,
        workers,
        shard: Shard::ALL,
        delivery: Delivery::AtLeastOnce,
        stop: Arc::new(AtomicBool::new(false)),
        on_new_name: Arc::new(|_| {}),
    };
    let job = Job::new(&Arc::new(settings()), &broker, &options).unwrap();
    let handle = job.handle();
    handle.wait_ready(PATIENCE).unwrap();
    let running = std::thread::spawn(move || job.run());
    let producer = broker.producer(ProducerOptions::new("test")).unwrap();
    fill(&embedded, &producer);
    producer.flush(PATIENCE).unwrap();
    handle
        .finish_at(&broker.end_offsets(topic::TICKS.name, PATIENCE).unwrap())
        .unwrap();
    running.join().unwrap().unwrap();
    let expected = expected(partitions);
    for topic in [topic::SPREADS, topic::TICKS_LATE, topic::DEAD_LETTERS] {
        let found = read(&broker, &topic);
        assert_eq!(found.len(), expected[topic.name].len(), "{}", topic.name);
        assert!(found == expected[topic.name], "{} differs", topic.name);
    }
    assert_eq!(
        usize::try_from(handle.tally().records()).unwrap(),
        expected[topic::SPREADS.name].len()
    );
}

#[test]
fn the_broker_and_any_number_of_workers_give_what_the_pure_machine_gives() {
    for (seed, workers) in [(1, 1), (2, 2), (3, 4), (4, 9)] {
        let partitions = records(seed);
        let expected = expected(&partitions);
        assert!(
            expected.values().all(|lines| !lines.is_empty()),
            "seed {seed} is too tame"
        );
        check(&partitions, workers, |_, producer| {
            publish(producer, &partitions, |n| 0..n)
        });
    }
}

#[test]
fn a_broker_away_in_the_middle_is_waited_for_and_nothing_is_lost() {
    let partitions = records(5);
    check(&partitions, 2, |embedded, producer| {
        publish(producer, &partitions, |n| 0..n / 2);
        // Nothing may be under way when the broker goes: it cannot tell a repeated record from a new one.
        producer.flush(PATIENCE).unwrap();
        kafka_io::testing::broker_down(embedded).unwrap();
        publish(producer, &partitions, |n| n / 2..n);
        let (_never, waiter) = std::sync::mpsc::channel::<()>();
        let _ = waiter.recv_timeout(Duration::from_secs(2));
        kafka_io::testing::broker_up(embedded).unwrap();
    });
}

#[test]
fn a_job_whose_results_could_not_be_delivered_ends_at_once_and_not_at_its_end() {
    let partitions = records(6);
    let embedded = broker();
    let broker = Broker::Embedded(embedded.clone());
    let producer = broker.producer(ProducerOptions::new("test")).unwrap();
    publish(&producer, &partitions, |n| 0..n);
    producer.flush(PATIENCE).unwrap();
    // The next to write is the job.
    let fault = kafka_io::testing::Fault::InvalidRecord;
    let request = kafka_io::testing::Request::Produce;
    kafka_io::testing::request_errors(&embedded, request, &[fault]).unwrap();
    let stop = Arc::new(AtomicBool::new(false));
    let options = JobOptions {
        start: Start::Beginning,
        workers: 2,
        shard: Shard::ALL,
        delivery: Delivery::AtLeastOnce,
        stop: Arc::clone(&stop),
        on_new_name: Arc::new(|_| {}),
    };
    let job = Job::new(&Arc::new(settings()), &broker, &options).unwrap();
    let running = std::thread::spawn(move || job.run());
    // Nobody says that the input ends: the log goes on.
    let began = std::time::Instant::now();
    let (_never, waiter) = std::sync::mpsc::channel::<()>();
    while !running.is_finished() && began.elapsed() < PATIENCE {
        let _ = waiter.recv_timeout(Duration::from_millis(200));
        publish(&producer, &partitions, |n| 0..n.min(5));
    }
    let ended = running.is_finished();
    stop.store(true, std::sync::atomic::Ordering::SeqCst);
    let error = running.join().unwrap().unwrap_err().to_string();
    assert!(ended, "it went on: {error}");
}
