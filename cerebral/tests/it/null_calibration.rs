//! Does the test reject as often as it says where there is nothing to find?
//!
//! 400 recordings of white noise, 8 channels of 1024 samples at 250 Hz, 8 to 13 Hz, 64 samples trimmed, 99 surrogates from raw. With
//! independent stationary channels data and surrogates are exchangeable, so every p is exact: one in twenty at most 0.05.

use cerebral::connectivity::Pipeline;
use cerebral::surrogate::{SurrogateTest, Verdict};
use ndarray::Array2;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use rand_distr::{Distribution, StandardNormal};

use crate::signals::{alpha, rate};

const RECORDINGS: u32 = 400;
const SEED: u64 = 20_260;

#[test]
fn four_hundred_recordings_of_noise_are_called_coupled_as_rarely_as_the_level_says() {
    let pipeline = Pipeline::new(alpha(), rate(), 64.0 / 250.0).unwrap();
    let (mut pairs, mut mean_pli, mut mean_wpli, mut any) = ([0, 0], 0, 0, [0, 0]);
    for recording in 0..RECORDINGS {
        let seed = SEED + u64::from(recording);
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let raw = Array2::from_shape_simple_fn((8, 1024), || {
            let value: f64 = StandardNormal.sample(&mut rng);
            20.0 * value
        });
        let test = SurrogateTest {
            n: 99,
            seed,
            ..SurrogateTest::default()
        };
        let found = test.run(raw.view(), &pipeline).unwrap();
        let wpli = found.wpli.as_ref().unwrap();
        for (measure, test) in [&found.pli, wpli].into_iter().enumerate() {
            let upper = test.pairs_p.indexed_iter().filter(|((i, j), _)| i < j);
            pairs[measure] += upper.filter(|(_, p)| **p <= 0.05).count();
            any[measure] += usize::from(!test.edges(0.05).is_empty());
        }
        mean_pli += u32::from(found.pli.p <= 0.05);
        mean_wpli += u32::from(found.verdict == Verdict::Significant);
    }
    let share = |count: usize, of: u32| f64::from(u32::try_from(count).unwrap()) / f64::from(of);
    let per_pair = pairs.map(|count| share(count, 28 * RECORDINGS));
    let any_pair = any.map(|count| share(count, RECORDINGS));
    let means = [mean_pli, mean_wpli].map(|count| f64::from(count) / f64::from(RECORDINGS));
    let line = format!(
        "seed {SEED}, pli and wpli: per pair {per_pair:.4?}, mean {means:.4?}, any pair by max-T {any_pair:.4?}"
    );
    println!("{line}");
    for rate in per_pair {
        assert!((0.03..=0.07).contains(&rate), "{line}");
    }
    for rate in means.into_iter().chain(any_pair) {
        // Never would be as wrong as too often.
        assert!((0.015..=0.08).contains(&rate), "{line}");
    }
}
