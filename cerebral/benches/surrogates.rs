//! Question: what do 200 surrogates of 64 channels cost, from the filtered signal and through the whole chain, and do threads help?
//!
//! A minute at 250 Hz, independent phases. Ratios are to the project's budgets (5 s from filtered and 8 s from raw with PLI, on one
//! thread) and to the reference's figure for numba (22 s).

#![expect(clippy::unwrap_used, reason = "a benchmark that cannot run shall stop")]
#![expect(clippy::print_stdout, reason = "the ratios are the answer")]

use cerebral::surrogate::{Origin, SurrogateTest, Tested};
use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};

mod made_up;

use made_up::{SAMPLES, least, noise, pipeline};

const CHANNELS: usize = 64;
const NUMBA_S: f64 = 22.3;

fn surrogates(criterion: &mut Criterion) {
    let raw = noise(CHANNELS);
    let pipeline = pipeline(1.0);
    let pool = |n_threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(n_threads);
        pool.build().unwrap()
    };
    let n_threads = rayon::current_num_threads();
    let (alone, every) = (pool(1), pool(n_threads));
    let run = |origin, tested, pool: &rayon::ThreadPool, n| {
        let test = SurrogateTest {
            origin,
            tested,
            n,
            ..SurrogateTest::default()
        };
        pool.install(|| test.nulls(raw.view(), &pipeline).unwrap())
    };
    let cases = [
        (Origin::Filtered, Tested::Pli, Some(5.0)),
        (Origin::Raw, Tested::Pli, Some(8.0)),
        (Origin::Filtered, Tested::PliAndWpli, None),
        (Origin::Raw, Tested::PliAndWpli, None),
    ];
    let mut group = criterion.benchmark_group("ten surrogates of 64 channels");
    group.sample_size(10);
    for (origin, tested, _) in cases {
        group.bench_function(BenchmarkId::new(format!("{tested:?}"), origin), |bencher| {
            bencher.iter(|| run(origin, tested, &alone, 10));
        });
    }
    group.finish();
    for (origin, tested, budget) in cases {
        let one = least(1, || run(origin, tested, &alone, 200));
        let all = least(1, || run(origin, tested, &every, 200));
        let of_budget = budget.map_or_else(String::new, |budget| {
            format!(
                ", {:.2} of the budget, {:.2} of numba's",
                one.busy_s / budget,
                one.busy_s / NUMBA_S
            )
        });
        println!(
            "200 surrogates from {origin}, {tested:?}: {:.2} s of one processor ({:.2} s on the clock){of_budget}; on {n_threads} threads {:.2} s of processors, {:.2} s on the clock",
            one.busy_s, one.wall_s, all.busy_s, all.wall_s
        );
    }
    // Planes of 24 bytes a sample and the series of 8; spectra and series of the data, once.
    let megabytes =
        |bytes: usize| f64::from(u32::try_from(bytes * CHANNELS * SAMPLES).unwrap()) / 1e6;
    println!(
        "memory: {:.0} MB for each thread, {:.0} MB for all, figures {:.1} MB",
        megabytes(24 + 8),
        megabytes(8 + 8),
        200.0 * 16e-6 * 2016.0
    );
}

criterion_group!(benches, surrogates);
criterion_main!(benches);
