//! Question: what does windowing cost beside a consumer of `ticks` that decodes each record and drops it?
//!
//! The same records are written to the embedded broker, then read three ways: dropped as they come (nothing at all), decoded
//! and dropped (the floor), and windowed with the spreads dropped. Time runs from the first batch to the last, so connecting is
//! left out. The ways take turns; medians and their ratios are printed. The broker shares the machine with its reader, so
//! the rates are lower bounds; processor time of the reading thread is what the ratio of the last column compares.

#![expect(clippy::unwrap_used, reason = "a benchmark that cannot run shall stop")]

use std::collections::BTreeMap;
use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use contract::tick::decode;
use contract::topic;
use kafka_io::{
    Broker, Consumer, ConsumerOptions, EmbeddedBroker, Event, ProducerOptions, Record, Start,
    TopicSpec,
};
use windowing::Settings;
use windowing::lines::Partition;
use windowing::work::Input;

mod made_up;

/// As many as six partitions of 5 MiB keep.
const TICKS: usize = 60_000;
const TURNS: usize = 15;

#[derive(Clone, Copy, Debug)]
enum Way {
    Nothing,
    Decode,
    Window,
}

fn main() {
    for n_pairs in [10, 1_000] {
        let broker =
            Broker::Embedded(EmbeddedBroker::start(&[TopicSpec::from(&topic::TICKS)]).unwrap());
        let n = fill(&broker, n_pairs);
        let mut times: [Vec<Duration>; 3] = Default::default();
        for _ in 0..TURNS {
            for (way, times) in [Way::Nothing, Way::Decode, Way::Window]
                .into_iter()
                .zip(&mut times)
            {
                times.push(read(&broker, way, n));
            }
        }
        let median = times.map(|mut times| {
            times.sort();
            times[TURNS / 2].as_secs_f64()
        });
        let rate = |seconds: f64| f64::from(u32::try_from(n).unwrap()) / seconds / 1e6;
        eprintln!(
            "{n_pairs:>6} pairs, {n} records: nothing {:.2} M/s, decode {:.2} M/s, window {:.2} M/s; \
             window/decode {:.2}, window/nothing {:.2}",
            rate(median[0]),
            rate(median[1]),
            rate(median[2]),
            median[2] / median[1],
            median[2] / median[0],
        );
    }
}

fn fill(broker: &Broker, n_pairs: usize) -> usize {
    let producer = broker.producer(ProducerOptions::new("fill")).unwrap();
    let mut n = 0;
    // Dealt out in turn, not by hash, so that no partition outgrows what the broker keeps.
    let mut seats: BTreeMap<String, i32> = BTreeMap::new();
    for (pair, line) in made_up::records(n_pairs, TICKS) {
        let partitions = match &pair {
            Some(pair) => {
                let next = i32::try_from(seats.len()).unwrap() % topic::TICKS.partitions;
                let seat = *seats.entry(pair.clone()).or_insert(next);
                seat..seat + 1
            }
            None => 0..topic::TICKS.partitions,
        };
        for partition in partitions {
            let key = pair.as_deref().unwrap_or("venue").as_bytes();
            producer
                .send(Record::new(topic::TICKS.name, partition, key, &line))
                .unwrap();
            n += 1;
        }
    }
    producer.flush(Duration::from_secs(60)).unwrap();
    n
}

fn read(broker: &Broker, way: Way, n: usize) -> Duration {
    let options = ConsumerOptions::new("read").topic(
        topic::TICKS.name,
        topic::TICKS.partitions,
        Start::Beginning,
    );
    let consumer: Consumer = broker.consumer(options).unwrap();
    let settings = Arc::new(Settings::default());
    let mut windows: Vec<Partition> = (0..topic::TICKS.partitions)
        .map(|partition| Partition::new(Arc::clone(&settings), partition).unwrap())
        .collect();
    let (mut out, mut side) = (Vec::new(), Vec::new());
    let (mut started, mut seen) = (None, 0);
    while seen < n {
        match consumer.recv(Duration::from_secs(10)) {
            Some(Event::Batch(batch)) => {
                started.get_or_insert_with(Instant::now);
                seen += batch.len();
                for message in batch.messages() {
                    let value = message.value.unwrap_or_default();
                    match way {
                        Way::Nothing => {
                            black_box(value);
                        }
                        Way::Decode => {
                            black_box(decode(value).unwrap());
                        }
                        Way::Window => {
                            let input = Input {
                                offset: message.offset,
                                bytes: value.to_vec(),
                            };
                            let partition = usize::try_from(message.partition).unwrap();
                            windows[partition].push(input, &mut out, &mut side).unwrap();
                            black_box(out.drain(..).count());
                        }
                    }
                }
            }
            other => panic!("{seen} of {n} records, then {other:?}"),
        }
    }
    started.unwrap().elapsed()
}
