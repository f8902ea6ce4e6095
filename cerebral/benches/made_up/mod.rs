//! Made-up recordings of the size that the reference figures are for.

#![allow(
    dead_code,
    clippy::unwrap_used,
    reason = "each benchmark takes its part, and one that cannot run shall stop"
)]

use std::time::{Duration, Instant};

use cerebral::connectivity::Pipeline;
use cerebral::{Band, SampleRate};
use ndarray::Array2;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use rand_distr::{Distribution, StandardNormal};

/// A minute at 250 Hz.
pub(crate) const SAMPLES: usize = 15_000;

/// The alpha band, one second trimmed at both ends.
pub(crate) fn pipeline(trim_s: f64) -> Pipeline {
    let rate = SampleRate::new(250.0).unwrap();
    Pipeline::new(Band::new(8.0, 13.0).unwrap(), rate, trim_s).unwrap()
}

/// White noise of 20 uV.
pub(crate) fn noise(n_channels: usize) -> Array2<f64> {
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    Array2::from_shape_simple_fn((n_channels, SAMPLES), || {
        let value: f64 = StandardNormal.sample(&mut rng);
        20.0 * value
    })
}

/// What a run cost.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Cost {
    /// By the wall clock, seconds.
    pub(crate) wall_s: f64,
    /// On processors, all threads together, seconds: what the wall clock would say of one thread on a machine that nobody else
    /// uses. 0 where the system does not tell.
    pub(crate) busy_s: f64,
}

/// The shortest of several runs by the clock, and their mean on processors: the system counts in ticks of milliseconds. Threads
/// that the work uses must live longer than it.
pub(crate) fn least<T>(runs: u32, mut work: impl FnMut() -> T) -> Cost {
    let busy = busy_ns();
    let wall = (0..runs).map(|_| {
        let start = Instant::now();
        std::hint::black_box(work());
        start.elapsed().as_secs_f64()
    });
    let wall_s = wall.fold(f64::INFINITY, f64::min);
    let busy = Duration::from_nanos(busy_ns() - busy).as_secs_f64();
    Cost {
        wall_s,
        busy_s: busy / f64::from(runs),
    }
}

/// Time that the threads of this process have had a processor, as Linux counts it.
fn busy_ns() -> u64 {
    let Ok(threads) = std::fs::read_dir("/proc/self/task") else {
        return 0;
    };
    threads
        .filter_map(|thread| std::fs::read_to_string(thread.ok()?.path().join("schedstat")).ok())
        .filter_map(|text| text.split(' ').next()?.parse::<u64>().ok())
        .sum()
}
