//! Question: what does windowing cost beside decoding, and does that cost grow with the number of pairs?
//!
//! Records come from memory, as bytes. Per number of pairs: decoding each and dropping it (the floor), windowing through the
//! pure machine, and windowing through timely. Each pair gets about ten quotes per window and venue, so that a tick's share
//! of an emitted record is the same at 10 and at 10,000 pairs. The ratios to the floor are printed at the end.

#![expect(clippy::unwrap_used, reason = "a benchmark that cannot run shall stop")]
#![expect(
    missing_docs,
    reason = "criterion's macros make undocumented functions"
)]

use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use contract::tick::decode;
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use windowing::Settings;
use windowing::dataflow::{self, BoxError, Outlet, Polled, Results, Source, Task};
use windowing::lines::Partition;
use windowing::spread::Input;

const TICKS: usize = 400_000;
const PER_WINDOW_AND_PAIR: usize = 20;

/// Quotes of two venues, marks every 200 ms, a rate every 500 ms; seeded.
fn records(n_pairs: usize) -> Vec<Vec<u8>> {
    let mut state = 7_u64;
    let mut random = |below: u64| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % below
    };
    let step_ns = 1_000_000_000 / i64::try_from(n_pairs * PER_WINDOW_AND_PAIR).unwrap();
    let mut event_ns = 1_723_161_254_000_000_000_i64;
    let (mut mark_ns, mut rate_ns) = (event_ns, event_ns);
    let mut lines = Vec::with_capacity(TICKS + TICKS / 8);
    for seq in 0..TICKS {
        event_ns += step_ns;
        if event_ns >= mark_ns {
            mark_ns += 200_000_000;
            for venue in ["binance", "coinbase"] {
                lines.push(format!(
                    r#"{{"v":1,"kind":"mark","venue":"{venue}","event_ns":{}}}"#,
                    event_ns - 400_000_000
                ));
            }
        }
        if event_ns >= rate_ns {
            rate_ns += 500_000_000;
            lines.push(format!(
                r#"{{"v":1,"kind":"rate","venue":"coinbase","symbol":"USDT-USD","from":"USDT","to":"USD","event_ns":{event_ns},"bid":"0.99931","ask":"0.99933"}}"#
            ));
        }
        let pair = random(u64::try_from(n_pairs).unwrap());
        let (venue, symbol, currency) = match random(2) {
            0 => ("binance", format!("A{pair}USDT"), "USDT"),
            _ => ("coinbase", format!("A{pair}-USD"), "USD"),
        };
        // Nine of ten messages change a size only, as on the wire.
        let cents = if random(10) == 0 { random(400) } else { 200 };
        lines.push(format!(
            r#"{{"v":1,"kind":"quote","venue":"{venue}","symbol":"{symbol}","currency":"{currency}","pair":"A{pair}-USD","event_ns":{event_ns},"event_from":"venue","exchange_ns":{event_ns},"received_ns":{event_ns},"seq":{seq},"bid":"{}.{:02}000000","bid_size":"1.5{}","ask":"{}.{:02}000000","ask_size":"0.7{}"}}"#,
            61_700 + cents / 100,
            cents % 100,
            random(1_000),
            61_701 + cents / 100,
            cents % 100,
            random(1_000),
        ));
    }
    lines.into_iter().map(String::into_bytes).collect()
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
        black_box(results.spreads.drain(..).count());
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
    dataflow::run(settings, vec![task]).unwrap();
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
        group.throughput(Throughput::Elements(u64::try_from(TICKS).unwrap()));
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
            per(whole, TICKS + emitted),
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
