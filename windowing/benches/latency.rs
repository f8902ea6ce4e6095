//! Question: how long after the mark that closes a window does its record stand on `spreads`?
//!
//! A job runs over the embedded broker; one venue sends a quote and then the mark that closes its window, again and again. Time
//! runs from handing the mark to a producer until a consumer has the record: two hops over the broker, two producers' linger of
//! 5 ms, and the job between them. The same two hops without a job (a record sent on by hand) are the floor beside it.

#![expect(clippy::unwrap_used, reason = "a benchmark that cannot run shall stop")]

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use contract::topic;
use kafka_io::{
    Broker, Consumer, ConsumerOptions, EmbeddedBroker, Event, Producer, ProducerOptions, Record,
    Start, TopicSpec,
};
use windowing::Settings;
use windowing::run::{Delivery, Job, JobOptions};
use windowing::shard::Shard;

const TURNS: usize = 300;
const PATIENCE: Duration = Duration::from_secs(30);

fn main() {
    let topics = [
        topic::TICKS,
        topic::SPREADS,
        topic::TICKS_LATE,
        topic::DEAD_LETTERS,
    ]
    .map(|topic| TopicSpec::from(&topic));
    let broker = Broker::Embedded(EmbeddedBroker::start(&topics).unwrap());
    let spreads = reader(&broker, &topic::SPREADS);
    let producer = broker.producer(ProducerOptions::new("ticks")).unwrap();
    let job = median_and_p99(|| with_job(&broker, &producer, &spreads));
    let floor = median_and_p99(|| two_hops(&broker, &producer, &spreads));
    eprintln!(
        "mark to record: median {:.1} ms, 99th percentile {:.1} ms",
        job.0, job.1
    );
    eprintln!(
        "two hops alone: median {:.1} ms, 99th percentile {:.1} ms",
        floor.0, floor.1
    );
    eprintln!("the job adds:   median {:.1} ms", job.0 - floor.0);
}

fn median_and_p99(turns: impl FnOnce() -> Vec<Duration>) -> (f64, f64) {
    let mut times = turns();
    times.sort();
    let ms = |at: usize| times[at].as_secs_f64() * 1e3;
    (ms(times.len() / 2), ms(times.len() * 99 / 100))
}

fn reader(broker: &Broker, topic: &contract::topic::Topic) -> Consumer {
    let options = ConsumerOptions::new("read").topic(topic.name, topic.partitions, Start::End);
    let consumer = broker.consumer(options).unwrap();
    consumer.wait_ready(PATIENCE).unwrap();
    consumer
}

fn with_job(broker: &Broker, producer: &Producer, spreads: &Consumer) -> Vec<Duration> {
    let stop = Arc::new(AtomicBool::new(false));
    let options = JobOptions {
        start: Start::End,
        workers: 1,
        shard: Shard::ALL,
        delivery: Delivery::AtLeastOnce,
        stop: Arc::clone(&stop),
        on_new_name: Arc::new(|_| {}),
    };
    let job = Job::new(&Arc::new(Settings::default()), broker, &options).unwrap();
    job.handle().wait_ready(PATIENCE).unwrap();
    let running = std::thread::spawn(move || job.run());
    let times = (0..TURNS)
        .map(|turn| {
            let start_ns = 1_723_161_254_000_000_000 + i64::try_from(turn).unwrap() * 1_000_000_000;
            send(producer, &topic::TICKS, &quote(start_ns));
            // The quote has gone through before the mark is sent.
            producer.flush(PATIENCE).unwrap();
            let sent = Instant::now();
            send(
                producer,
                &topic::TICKS,
                &format!(
                    r#"{{"v":1,"kind":"mark","venue":"a","event_ns":{}}}"#,
                    start_ns + 1_000_000_000
                ),
            );
            receive(spreads);
            sent.elapsed()
        })
        .collect();
    stop.store(true, Ordering::SeqCst);
    running.join().unwrap().unwrap();
    times
}

fn two_hops(broker: &Broker, producer: &Producer, spreads: &Consumer) -> Vec<Duration> {
    let ticks = reader(broker, &topic::TICKS);
    let onward = broker.producer(ProducerOptions::new("onward")).unwrap();
    (0..TURNS)
        .map(|_| {
            let sent = Instant::now();
            send(
                producer,
                &topic::TICKS,
                "a mark's worth of bytes, to be sent on as they are",
            );
            receive(&ticks);
            send(&onward, &topic::SPREADS, &"x".repeat(600));
            receive(spreads);
            sent.elapsed()
        })
        .collect()
}

fn quote(event_ns: i64) -> String {
    format!(
        r#"{{"v":1,"kind":"quote","venue":"a","symbol":"X-USD","currency":"USD","pair":"X-USD","event_ns":{event_ns},"event_from":"venue","exchange_ns":{event_ns},"received_ns":{event_ns},"seq":null,"bid":"1","bid_size":null,"ask":"2","ask_size":null}}"#
    )
}

fn send(producer: &Producer, topic: &contract::topic::Topic, line: &str) {
    producer
        .send(Record::new(topic.name, 0, b"X-USD", line.as_bytes()))
        .unwrap();
}

fn receive(consumer: &Consumer) {
    match consumer.recv(PATIENCE) {
        Some(Event::Batch(batch)) => assert_eq!(batch.len(), 1),
        other => panic!("{other:?}"),
    }
}
