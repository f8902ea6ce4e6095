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

/// The least of several runs, on a machine that others use too.
pub(crate) fn least<T>(runs: usize, mut work: impl FnMut() -> T) -> Duration {
    (0..runs)
        .map(|_| {
            let start = Instant::now();
            std::hint::black_box(work());
            start.elapsed()
        })
        .min()
        .unwrap()
}
