//! Question: what do the pair measures cost from analytic signals, and what do the steps before them?
//!
//! A minute at 250 Hz, 8, 16 and 64 channels, one thread. Ratios at the end are to the budget of the project (64 channels, PLI and
//! wPLI in 15 ms) and to the reference's figure for row-vectorised NumPy on the same shapes (another machine: read them as
//! orders of magnitude).

#![expect(clippy::unwrap_used, reason = "a benchmark that cannot run shall stop")]
#![expect(clippy::print_stdout, reason = "the ratios are the answer")]

use cerebral::connectivity::{Measure, over_samples};
use cerebral::phase::analytic_signal;
use cerebral::preprocess::Reference;
use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};

mod made_up;

use made_up::{least, noise, pipeline};

/// Channels, and milliseconds of NumPy for PLI and wPLI of all pairs.
const NUMPY_MS: [(usize, f64); 3] = [(8, 0.82), (16, 3.7), (64, 76.0)];
/// Milliseconds allowed for 64 channels.
const BUDGET_MS: f64 = 15.0;

fn measures(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("a minute at 250 Hz");
    group.sample_size(10);
    for (n_channels, _) in NUMPY_MS {
        let raw = noise(n_channels);
        let pipeline = pipeline(0.0);
        let filtered = pipeline.filtered(raw.view()).unwrap();
        let z = analytic_signal(filtered.view());
        let convention = pipeline.convention(&Reference::Recorded, z.ncols());
        let sets: [(&str, &[Measure]); 3] = [
            ("pli and wpli", &[Measure::Pli, Measure::Wpli]),
            ("all but aec", &Measure::ALL[..13]),
            ("aec", &[Measure::Aec]),
        ];
        for (name, measures) in sets {
            group.bench_function(BenchmarkId::new(name, n_channels), |bencher| {
                bencher.iter(|| over_samples(z.view(), measures, convention.clone()).unwrap());
            });
        }
        group.bench_function(BenchmarkId::new("filter", n_channels), |bencher| {
            bencher.iter(|| pipeline.filtered(raw.view()).unwrap());
        });
        group.bench_function(BenchmarkId::new("hilbert", n_channels), |bencher| {
            bencher.iter(|| analytic_signal(filtered.view()));
        });
    }
    group.finish();
    for (n_channels, numpy_ms) in NUMPY_MS {
        let z = analytic_signal(
            pipeline(0.0)
                .filtered(noise(n_channels).view())
                .unwrap()
                .view(),
        );
        let convention = pipeline(0.0).convention(&Reference::Recorded, z.ncols());
        let time = least(50, || {
            over_samples(z.view(), &[Measure::Pli, Measure::Wpli], convention.clone()).unwrap()
        });
        let (wall_ms, ms) = (time.wall_s * 1e3, time.busy_s * 1e3);
        println!(
            "{n_channels} channels, PLI and wPLI: {ms:.2} ms of one processor ({wall_ms:.2} ms on the clock), {:.2} of NumPy's, {:.2} of the budget for 64; memory {:.1} MB",
            ms / numpy_ms,
            ms / BUDGET_MS,
            // Planes: two parts of 8 bytes per sample.
            16e-6 * f64::from(u32::try_from(z.len()).unwrap()),
        );
    }
}

criterion_group!(benches, measures);
criterion_main!(benches);
