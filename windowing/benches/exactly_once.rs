//! Question: what does exactly-once cost, in latency, in checkpoints of many pairs, in windows held up by them?
//!
//! Checkpoints are taken and read in memory. The rest needs a real Kafka, named by `TEST_KAFKA_BROKERS` (`scripts/kafka with
//! cargo bench -p windowing --bench exactly_once`): a record is timed from handing the mark that closes its window to a
//! producer until a reader of committed records has it, so both deliveries pay for the same two hops.

#![expect(clippy::unwrap_used, reason = "a benchmark that cannot run shall stop")]

use std::collections::BTreeMap;
use std::hash::{BuildHasher, RandomState};
use std::ops::Range;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use contract::{checkpoint, topic};
use kafka_io::{
    Broker, ConsumerOptions, Event, KafkaSettings, Producer, ProducerOptions, Record, Start,
    TopicSpec,
};
use windowing::Settings;
use windowing::lines::Partition;
use windowing::run::{Delivered, Delivery, ExactlyOnce, Job, JobOptions};
use windowing::shard::Shard;
use windowing::state::PartitionState;
use windowing::work::Input;

mod made_up;

const PATIENCE: Duration = Duration::from_secs(60);
const SECOND_NS: i64 = 1_000_000_000;

#[expect(
    clippy::disallowed_methods,
    reason = "where a broker is, is no setting of the product"
)]
fn main() {
    for n_pairs in [10_000 / 6, 10_000] {
        checkpoint_of(n_pairs);
    }
    let Ok(brokers) = std::env::var("TEST_KAFKA_BROKERS") else {
        eprintln!("latencies are left out: TEST_KAFKA_BROKERS names no real Kafka");
        return;
    };
    let broker = Broker::Cluster(KafkaSettings::new(brokers));
    let topics: Vec<TopicSpec> = topic::ALL.iter().map(TopicSpec::from).collect();
    broker.ensure_topics(&topics, PATIENCE).unwrap();
    for (what, gap_ms) in [
        ("3 windows a second", 250..350),
        ("30 windows a second", 5..60),
    ] {
        let run = Run {
            n_pairs: 1,
            windows: 300,
            gap_ms,
        };
        let usual = exactly_once(Duration::from_secs(10));
        for (name, delivery) in [
            ("at least once", Delivery::AtLeastOnce),
            ("exactly once", usual),
        ] {
            say(&format!("{what}, {name}"), run.time(&broker, delivery).0);
        }
    }
    let run = Run {
        n_pairs: 10_000,
        windows: 40,
        gap_ms: 1_000..1_001,
    };
    for (name, seconds) in [("none", 3_600), ("every 2 s", 2)] {
        let (times, delivered) = run.time(&broker, exactly_once(Duration::from_secs(seconds)));
        let Delivered {
            checkpoints,
            last_checkpoint_bytes,
            ..
        } = delivered;
        say(
            &format!(
                "10,000 pairs, a window a second, checkpoints: {name} ({checkpoints} of {last_checkpoint_bytes} bytes)"
            ),
            times,
        );
    }
}

fn exactly_once(checkpoint_interval: Duration) -> Delivery {
    Delivery::ExactlyOnce(ExactlyOnce {
        deployment: format!("bench-{:016x}", RandomState::new().hash_one(0)),
        commit_interval: Duration::from_millis(100),
        checkpoint_interval,
        transaction_timeout: Duration::from_secs(10),
        from_start: false,
    })
}

fn say(what: &str, mut times: Vec<Duration>) {
    times.sort();
    let ms = |at: usize| times[at].as_secs_f64() * 1e3;
    eprintln!(
        "{what}: median {:.1} ms, 99th percentile {:.1} ms, of {}",
        ms(times.len() / 2),
        ms(times.len() * 99 / 100),
        times.len()
    );
}

/// One partition with so many pairs, in the middle of a window.
fn checkpoint_of(n_pairs: usize) {
    let settings = Arc::new(Settings::default());
    let mut partition = Partition::new(Arc::clone(&settings), 0).unwrap();
    let (mut out, mut side) = (Vec::new(), Vec::new());
    for (offset, (_, bytes)) in (0_i64..).zip(made_up::records(n_pairs, n_pairs * 60)) {
        partition
            .push(Input { offset, bytes }, &mut out, &mut side)
            .unwrap();
        out.clear();
    }
    let state = partition.state();
    let text = state.to_text();
    let parts = checkpoint::cut("bench", 0, 0, &text).len();
    let capture = median(|| drop(partition.state()));
    let write = median(|| drop(checkpoint::cut("bench", 0, 0, &state.to_text())));
    let read = median(|| {
        let state = PartitionState::from_text(&text).unwrap();
        drop(Partition::restore(Arc::clone(&settings), 0, state).unwrap());
    });
    eprintln!(
        "checkpoint of {n_pairs} pairs with their open window: captured in {capture:.1} ms (the worker waits), written in \
         {write:.1} ms (nobody waits), {} bytes in {parts} parts, restored in {read:.1} ms",
        text.len()
    );
}

/// Milliseconds.
fn median(mut turn: impl FnMut()) -> f64 {
    let mut times: Vec<Duration> = (0..15)
        .map(|_| {
            let started = Instant::now();
            turn();
            started.elapsed()
        })
        .collect();
    times.sort();
    times[7].as_secs_f64() * 1e3
}

/// What is sent, and how fast.
struct Run {
    n_pairs: usize,
    windows: usize,
    gap_ms: Range<u64>,
}

impl Run {
    /// For each window the time until its last record has come.
    fn time(&self, broker: &Broker, delivery: Delivery) -> (Vec<Duration>, Delivered) {
        let (name, partitions) = (topic::SPREADS.name, topic::SPREADS.partitions);
        let wanted = ConsumerOptions::new("read").topic(name, partitions, Start::End);
        let spreads = broker.consumer(wanted).unwrap();
        spreads.wait_ready(PATIENCE).unwrap();
        let stop = Arc::new(AtomicBool::new(false));
        let options = JobOptions {
            start: Start::End,
            workers: 1,
            shard: Shard::ALL,
            delivery,
            stop: Arc::clone(&stop),
            on_new_name: Arc::new(|_| {}),
        };
        let job = Job::new(&Arc::new(Settings::default()), broker, &options).unwrap();
        let handle = job.handle();
        let running = std::thread::spawn(move || job.run());
        handle.wait_ready(PATIENCE).unwrap();
        let sent: Mutex<BTreeMap<i64, Instant>> = Mutex::default();
        let mut came: BTreeMap<i64, (usize, Duration)> = BTreeMap::new();
        std::thread::scope(|scope| {
            scope.spawn(|| self.send(broker, &sent));
            while came.values().filter(|(n, _)| *n == self.n_pairs).count() < self.windows {
                let Some(Event::Batch(batch)) = spreads.recv(PATIENCE) else {
                    panic!("{} windows came", came.len());
                };
                let now = Instant::now();
                for message in batch.messages() {
                    let start_ms = start_ms(message.value.unwrap());
                    let Some(sent) = sent.lock().unwrap().get(&start_ms).copied() else {
                        continue;
                    };
                    let (n, time) = came.entry(start_ms).or_default();
                    (*n, *time) = (*n + 1, now - sent);
                }
            }
        });
        stop.store(true, Ordering::SeqCst);
        running.join().unwrap().unwrap();
        let times = came.into_values().map(|(_, time)| time).collect();
        (times, handle.delivered())
    }

    fn send(&self, broker: &Broker, sent: &Mutex<BTreeMap<i64, Instant>>) {
        let producer = broker.producer(ProducerOptions::new("ticks")).unwrap();
        let (_keep, never) = crossbeam_channel::bounded::<()>(0);
        let mut state = 7_u64;
        for window in 0..i64::try_from(self.windows).unwrap() {
            let began = Instant::now();
            let start_ns = (1_723_161_254 + window) * SECOND_NS;
            for pair in 0..self.n_pairs {
                let pair = format!("P{pair}-USD");
                let partition = topic::TICKS.partition_of(pair.as_bytes());
                send(&producer, partition, &quote(&pair, start_ns));
            }
            // The quotes have gone through before the mark is sent.
            producer.flush(PATIENCE).unwrap();
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            let gap_ms = self.gap_ms.start + (state >> 33) % (self.gap_ms.end - self.gap_ms.start);
            let gap = Duration::from_millis(gap_ms).saturating_sub(began.elapsed());
            let _ = never.recv_timeout(gap);
            let start_ms = start_ns / 1_000_000;
            sent.lock().unwrap().insert(start_ms, Instant::now());
            let end_ns = start_ns + SECOND_NS;
            let mark = format!(r#"{{"v":1,"kind":"mark","venue":"a","event_ns":{end_ns}}}"#);
            for partition in 0..topic::TICKS.partitions {
                send(&producer, partition, &mark);
            }
        }
        producer.flush(PATIENCE).unwrap();
    }
}

fn send(producer: &Producer, partition: i32, line: &str) {
    let record = Record::new(topic::TICKS.name, partition, b"key", line.as_bytes());
    producer.send(record).unwrap();
}

fn quote(pair: &str, event_ns: i64) -> String {
    format!(
        r#"{{"v":1,"kind":"quote","venue":"a","symbol":"X","currency":"USD","pair":"{pair}","event_ns":{event_ns},"event_from":"venue","exchange_ns":{event_ns},"received_ns":{event_ns},"seq":null,"bid":"1","bid_size":null,"ask":"2","ask_size":null}}"#
    )
}

fn start_ms(line: &[u8]) -> i64 {
    let value: serde_json::Value = serde_json::from_slice(line).unwrap();
    value["start_ms"].as_i64().unwrap()
}
