//! Question: how soon does a window's record stand on `eeg-states`, and how many sessions keep up with life on this machine?
//!
//! ```sh
//! cargo bench -p cerebral --bench stream -- 1 20 100      # this many sessions, one run each
//! ```
//!
//! Sessions of 16 channels at 250 Hz come in blocks of 40 ms at life's pace onto an embedded broker; two workers make windows of
//! 2 s every second with 20 new surrogates each, at least once. Sessions begin at different moments, as people do. Time runs
//! from the block that brings a window's last sample of guard being complete (its `received_ns`) until a consumer has the record.
//! `TWIN=1` lets a twin go along; `SECONDS` sets the length of a run (30).

#![expect(clippy::unwrap_used, reason = "a benchmark that cannot run shall stop")]

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use cerebral::Band;
use cerebral::stream::twin::{Pool, TwinSettings};
use cerebral::stream::window::WindowSettings;
use cerebral::stream::work::StreamSettings;
use contract::eeg::tags::{SamplesKind, V1};
use contract::eeg::{Figure, Samples, State};
use contract::time::{Clock, SystemClock};
use contract::topic;
use kafka_io::{
    Broker, ConsumerOptions, EmbeddedBroker, Event, ProducerOptions, Record, Start, TopicSpec,
};
use windowing::run::{Delivery, Job, JobOptions};
use windowing::shard::Shard;

const CHANNELS: usize = 16;
const RATE_HZ: f64 = 250.0;
const BLOCK: usize = 10;
const WORKERS: usize = 2;
const PATIENCE: Duration = Duration::from_secs(30);

fn main() {
    let counts: Vec<usize> = std::env::args()
        .filter_map(|arg| arg.parse().ok())
        .collect();
    let counts = if counts.is_empty() {
        vec![1, 20, 100]
    } else {
        counts
    };
    for sessions in counts {
        run(sessions);
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "how a benchmark runs is no setting of the product"
)]
fn setting(name: &str, otherwise: u64) -> u64 {
    let text = std::env::var(name).ok();
    text.and_then(|text| text.parse().ok()).unwrap_or(otherwise)
}

/// A rhythm with some noise for every channel, long enough to be played round and round.
fn signal() -> Vec<[f64; CHANNELS]> {
    let mut x = 1_u64;
    let mut noise = move || {
        x = x
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        f64::from(u32::try_from(x >> 33).unwrap()) / f64::from(1_u32 << 31) - 0.5
    };
    (0..5_000_u32)
        .map(|t| {
            std::array::from_fn(|channel| {
                let channel = f64::from(u32::try_from(channel).unwrap());
                let phase = std::f64::consts::TAU * 10.0 * f64::from(t) / RATE_HZ;
                // As a converter gives them: whole counts.
                let uv = 15.0 * (phase + 0.3 * channel).cos() + 40.0 * noise();
                (uv / 0.022_351_741).round() * 0.022_351_741
            })
        })
        .collect()
}

fn block(session: &str, at: usize, signal: &[[f64; CHANNELS]], received_ns: i64) -> Vec<u8> {
    let uv = (0..CHANNELS).map(|channel| {
        let samples = (at..at + BLOCK).map(|t| Figure(signal[t % signal.len()][channel]));
        samples.collect()
    });
    let samples = Samples {
        v: V1,
        kind: SamplesKind,
        session: session.into(),
        sample_rate_hz: RATE_HZ,
        channels: (1..=CHANNELS)
            .map(|number| number.to_string().into())
            .collect(),
        rails_uv: vec![vec![187_500.0, -187_500.02]; CHANNELS],
        at: u64::try_from(at).unwrap(),
        follows: at > 0,
        ids: None,
        stamps_ns: None,
        received_ns,
        uv: uv.collect(),
    };
    serde_json::to_vec(&samples).unwrap()
}

fn settings() -> StreamSettings {
    let window = WindowSettings::new(Band::new(8.0, 13.0).unwrap());
    let twin = TwinSettings::new(window.band);
    let settings = StreamSettings::new(window);
    if setting("TWIN", 0) == 0 {
        return settings;
    }
    settings.with_twin(twin, Arc::new(Pool::new(1).unwrap()))
}

/// Seconds that this process has computed for.
fn processor_s() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields: Vec<&str> = stat
        .rsplit(')')
        .next()
        .unwrap_or("")
        .split_whitespace()
        .collect();
    let ticks = |at: usize| fields.get(at).and_then(|text| text.parse::<f64>().ok());
    (ticks(11).unwrap_or(f64::NAN) + ticks(12).unwrap_or(f64::NAN)) / 100.0
}

fn run(n_sessions: usize) {
    let topics = [topic::EEG_SAMPLES, topic::EEG_STATES, topic::DEAD_LETTERS]
        .map(|topic| TopicSpec::from(&topic));
    let broker = Broker::Embedded(EmbeddedBroker::start(&topics).unwrap());
    let topic = topic::EEG_STATES;
    let wanted = ConsumerOptions::new("read").topic(topic.name, topic.partitions, Start::End);
    let states = broker.consumer(wanted).unwrap();
    states.wait_ready(PATIENCE).unwrap();
    let stop = Arc::new(AtomicBool::new(false));
    let options = JobOptions {
        start: Start::End,
        workers: WORKERS,
        shard: Shard::ALL,
        delivery: Delivery::AtLeastOnce,
        stop: Arc::clone(&stop),
        on_new_name: Arc::new(|_| {}),
    };
    let job = Job::new(&Arc::new(settings()), &broker, &options).unwrap();
    let handle = job.handle();
    handle.wait_ready(PATIENCE).unwrap();
    let windows = std::thread::spawn(move || job.run());
    let signal = signal();
    let seconds = setting("SECONDS", 30);
    let (computed, started) = (processor_s(), Instant::now());
    let fed = Arc::new(AtomicBool::new(false));
    let feeding = {
        let (broker, fed) = (broker.clone(), Arc::clone(&fed));
        std::thread::spawn(move || {
            let producer = broker.producer(ProducerOptions::new("feed")).unwrap();
            let names: Vec<String> = (0..n_sessions).map(|number| format!("s{number}")).collect();
            let interval =
                Duration::from_secs_f64(f64::from(u32::try_from(BLOCK).unwrap()) / RATE_HZ);
            let (_keep, never) = crossbeam_channel::bounded::<()>(0);
            let mut behind = Duration::ZERO;
            for turn in 0.. {
                let due = interval * turn;
                let early = due.saturating_sub(started.elapsed());
                if early.is_zero() {
                    behind = behind.max(started.elapsed() - due);
                } else {
                    let _ = never.recv_timeout(early);
                }
                if due >= Duration::from_secs(seconds) {
                    break;
                }
                for (number, name) in names.iter().enumerate() {
                    // Spread over a second, so that windows do not close all at once.
                    let Some(own) = usize::try_from(turn).unwrap().checked_sub(number % 25) else {
                        continue;
                    };
                    let line = block(name, own * BLOCK, &signal, SystemClock.now_ns());
                    let partition = topic::EEG_SAMPLES.partition_of(name.as_bytes());
                    let record =
                        Record::new(topic::EEG_SAMPLES.name, partition, name.as_bytes(), &line);
                    producer.send(record).unwrap();
                }
            }
            producer.flush(PATIENCE).unwrap();
            fed.store(true, Ordering::SeqCst);
            behind
        })
    };
    let mut latencies = Vec::new();
    let mut figured = 0_usize;
    let mut last = Instant::now();
    while !fed.load(Ordering::SeqCst) || last.elapsed() < Duration::from_secs(2) {
        match states.recv(Duration::from_millis(100)) {
            Some(Event::Batch(batch)) => {
                let now_ns = SystemClock.now_ns();
                last = Instant::now();
                for message in batch.messages() {
                    let state: State<'_> = serde_json::from_slice(message.value.unwrap()).unwrap();
                    figured += usize::from(state.reason.is_none());
                    let late_ns = now_ns.saturating_sub(state.received_ns);
                    latencies.push(u64::try_from(late_ns).unwrap_or(0));
                }
            }
            None => {}
            other => panic!("{other:?}"),
        }
    }
    let behind = feeding.join().unwrap();
    let computed = processor_s() - computed;
    let elapsed = started.elapsed().as_secs_f64();
    stop.store(true, Ordering::SeqCst);
    windows.join().unwrap().unwrap();
    latencies.sort_unstable();
    let ms = |share: usize| {
        let at = (latencies.len() * share / 1_000).min(latencies.len() - 1);
        Duration::from_nanos(latencies[at]).as_secs_f64() * 1e3
    };
    let expected = n_sessions * usize::try_from(seconds.saturating_sub(4)).unwrap();
    eprintln!(
        "{n_sessions:4} sessions: {} windows ({figured} with figures; at least {expected} belong there), latency median {:.1} ms, \
         99 % {:.1} ms, most {:.1} ms; {:.2} cores; the feed was at most {:.0} ms late",
        latencies.len(),
        ms(500),
        ms(990),
        ms(1_000),
        computed / elapsed,
        behind.as_secs_f64() * 1e3,
    );
    let lag = handle.lag().unwrap_or(0);
    assert_eq!(lag, 0, "{lag} records were not read");
}
