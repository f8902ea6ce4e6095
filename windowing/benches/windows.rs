//! Question: what does windowing cost beside decoding, and does that cost grow with the number of pairs?
//!
//! Records come from memory, as bytes. Per number of pairs: decoding each and dropping it (the floor), windowing through the
//! pure machine, and windowing through timely. Each pair gets about ten quotes per window and venue, so that a tick's share
//! of an emitted record is the same at 10 and at 10,000 pairs. The ratios to the floor are printed at the end.

#![expect(clippy::unwrap_used, reason = "a benchmark that cannot run shall stop")]

use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use contract::tick::decode;
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use windowing::Settings;
use windowing::dataflow::{self, BoxError, Outlet, Polled, Results, Source, Task};
use windowing::lines::Partition;
use windowing::work::Input;

mod made_up;

/// At least so many ticks; more where pairs are many, so that each sees six windows.
const TICKS: usize = 400_000;

fn ticks(n_pairs: usize) -> usize {
    TICKS.max(n_pairs * 120)
}

fn records(n_pairs: usize) -> Vec<Vec<u8>> {
    made_up::records(n_pairs, ticks(n_pairs))
        .into_iter()
        .map(|(_, line)| line)
        .collect()
}

fn decode_all(records: &[Vec<u8>]) {
    for bytes in records {
        // A consumer owns what it is handed, so the floor pays for the copy as well.
        let owned = bytes.clone();
        black_box(decode(&owned).unwrap());
    }
}

fn machine(records: &[Vec<u8>], settings: &Arc<Settings>) -> usize {
    let mut partition = Partition::new(Arc::clone(settings), 0).unwrap();
    let (mut out, mut side, mut emitted) = (Vec::new(), Vec::new(), 0);
    for (offset, bytes) in (0_i64..).zip(records) {
        let input = Input {
            offset,
            bytes: bytes.clone(),
        };
        partition.push(input, &mut out, &mut side).unwrap();
        emitted += out.len();
        black_box(out.drain(..).count());
    }
    partition.finish(&mut out);
    emitted + out.len()
}

struct Memory {
    records: Arc<Vec<Vec<u8>>>,
    next: usize,
}

impl Source for Memory {
    fn poll(&mut self, batch: &mut Vec<(i32, Input)>) -> Result<Polled, BoxError> {
        const BATCH: usize = 2_000;
        let end = (self.next + BATCH).min(self.records.len());
        batch.extend((self.next..end).map(|at| {
            let offset = i64::try_from(at).unwrap();
            let bytes = self.records[at].clone();
            (0, Input { offset, bytes })
        }));
        self.next = end;
        Ok(if batch.is_empty() {
            Polled::End
        } else {
            Polled::More
        })
    }
}

struct Drop;

impl Outlet for Drop {
    fn accept(&mut self, results: &mut Results) -> Result<(), BoxError> {
        black_box(results.closed.drain(..).count());
        Ok(())
    }

    fn finish(&mut self) -> Result<(), BoxError> {
        Ok(())
    }
}

fn timely(records: &Arc<Vec<Vec<u8>>>, settings: &Settings) {
    let source = Memory {
        records: Arc::clone(records),
        next: 0,
    };
    let task = Task {
        partitions: vec![0],
        source: Box::new(source),
        outlet: Box::new(Drop),
    };
    dataflow::run(&Arc::new(settings.clone()), vec![task]).unwrap();
}

/// The least of several turns: what the work costs when nobody else is in the way.
fn least(mut turn: impl FnMut()) -> Duration {
    (0..7)
        .map(|_| {
            let started = Instant::now();
            turn();
            started.elapsed()
        })
        .min()
        .unwrap()
}

fn windows(criterion: &mut Criterion) {
    let settings = Arc::new(Settings::default());
    let mut table = Vec::new();
    let mut group = criterion.benchmark_group("window");
    group.sample_size(10);
    for n_pairs in [10, 1_000, 10_000] {
        let records = Arc::new(records(n_pairs));
        group.throughput(Throughput::Elements(u64::try_from(ticks(n_pairs)).unwrap()));
        group.bench_function(BenchmarkId::new("decode and drop", n_pairs), |b| {
            b.iter(|| decode_all(&records))
        });
        group.bench_function(BenchmarkId::new("pure machine", n_pairs), |b| {
            b.iter(|| machine(&records, &settings))
        });
        group.bench_function(BenchmarkId::new("through timely", n_pairs), |b| {
            b.iter(|| timely(&records, &settings))
        });
        let emitted = machine(&records, &settings);
        let floor = least(|| decode_all(&records));
        let pure = least(|| {
            machine(&records, &settings);
        });
        let whole = least(|| timely(&records, &settings));
        table.push((n_pairs, emitted, records.len(), floor, pure, whole));
    }
    group.finish();
    eprintln!(
        "\n  pairs  records out  decode ns  machine ns  timely ns  machine/decode  timely/decode  timely ns per (tick + record out)"
    );
    for (n_pairs, emitted, n, floor, pure, whole) in table {
        let per = |time: Duration, n: usize| {
            time.as_secs_f64() * 1e9 / f64::from(u32::try_from(n).unwrap())
        };
        eprintln!(
            "{n_pairs:>7}  {emitted:>11}  {:>9.0}  {:>10.0}  {:>9.0}  {:>14.2}  {:>13.2}  {:>33.0}",
            per(floor, n),
            per(pure, n),
            per(whole, n),
            pure.as_secs_f64() / floor.as_secs_f64(),
            whole.as_secs_f64() / floor.as_secs_f64(),
            per(whole, ticks(n_pairs) + emitted),
        );
    }
}

fn decode_one(criterion: &mut Criterion) {
    let quote = records(1)
        .into_iter()
        .find(|bytes| bytes.starts_with(br#"{"v":1,"kind":"quote""#))
        .unwrap();
    let mark = records(1)
        .into_iter()
        .find(|bytes| bytes.starts_with(br#"{"v":1,"kind":"mark""#))
        .unwrap();
    let mut group = criterion.benchmark_group("decode");
    group.bench_function("quote", |b| {
        b.iter(|| black_box(decode(black_box(&quote)).unwrap()))
    });
    group.bench_function("mark", |b| {
        b.iter(|| black_box(decode(black_box(&mark)).unwrap()))
    });
    group.finish();
}

criterion_group!(benches, decode_one, windows);
criterion_main!(benches);
