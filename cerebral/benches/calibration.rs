//! Question: how close does calibration come to the network behind a recording, and what does it cost?
//!
//! The three published recordings, then networks made up here with other seeds, sizes, densities, noises and sampling
//! rates, so that nothing is tuned to three files. Settings are the defaults throughout, but for the runs behind the noise
//! floor: the first argument that is a number (`cargo bench --bench calibration -- 60`), 2 where there is none.

#![expect(clippy::unwrap_used, reason = "a benchmark that cannot run shall stop")]
#![expect(clippy::print_stdout, reason = "the figures are the answer")]

use std::f64::consts::TAU;
use std::fs::File;
use std::path::Path;
use std::time::Instant;

use cerebral::calibration::{CalibrationSettings, calibrate};
use cerebral::twin::{Coupling, Method, Network, Run, matrix_agreement, simulate};
use cerebral::{Band, SampleRate};
use ndarray::{Array1, Array2};
use ndarray_npy::NpzReader;
use num_complex::Complex64;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};
use rustfft::FftPlanner;

struct Known {
    name: String,
    x: Array2<f64>,
    rate_hz: f64,
    coupling: Array2<f64>,
    omega: Array1<f64>,
}

fn published(name: &str) -> Known {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join(format!("tests/fixtures/calibration_{name}.npz"));
    let mut file = NpzReader::new(File::open(path).unwrap()).unwrap();
    let x: Array2<f32> = file.by_name("x").unwrap();
    Known {
        name: format!("published {name}"),
        x: x.mapv(f64::from),
        rate_hz: 250.0,
        coupling: file.by_name("K").unwrap(),
        omega: file.by_name("omega").unwrap(),
    }
}

/// What a made-up recording is like.
struct Recipe {
    n: usize,
    seconds: f64,
    rate_hz: f64,
    /// Share of pairs with a coupling.
    density: f64,
    /// Range of couplings, rad/s.
    strength: [f64; 2],
    /// Deviation of the pink noise over the amplitude of the oscillation.
    noise: f64,
    /// Deviation of a slow change of the amplitude.
    swell: f64,
    seed: u64,
}

const PLAIN: Recipe = Recipe {
    n: 8,
    seconds: 120.0,
    rate_hz: 250.0,
    density: 0.4,
    strength: [1.0, 4.0],
    noise: 0.5,
    swell: 0.0,
    seed: 11,
};

fn float(count: usize) -> f64 {
    f64::from(u32::try_from(count).unwrap())
}

fn normal(rng: &mut ChaCha8Rng) -> f64 {
    StandardNormal.sample(rng)
}

/// Noise of deviation 1 whose power falls as `1 / f^exponent`.
fn coloured(n: usize, exponent: f64, rng: &mut ChaCha8Rng) -> Vec<f64> {
    let mut lines: Vec<Complex64> = (0..n)
        .map(|k| {
            if k == 0 || k > n / 2 {
                Complex64::default()
            } else {
                Complex64::new(normal(rng), normal(rng)) * float(k).powf(-exponent / 2.0)
            }
        })
        .collect();
    FftPlanner::new().plan_fft_inverse(n).process(&mut lines);
    let power = lines.iter().map(|line| line.re * line.re).sum::<f64>() / float(n);
    lines.iter().map(|line| line.re / power.sqrt()).collect()
}

fn made_up(name: &str, recipe: &Recipe) -> Known {
    let mut rng = ChaCha8Rng::seed_from_u64(recipe.seed);
    let n = recipe.n;
    let [least, most] = recipe.strength;
    let coupling = Array2::from_shape_fn((n, n), |(i, j)| {
        let strength = least + (most - least) * rng.random::<f64>();
        if i != j && rng.random::<f64>() < recipe.density {
            strength
        } else {
            0.0
        }
    });
    let omega = Array1::from_shape_simple_fn(n, || TAU * (10.0 + 0.4 * normal(&mut rng)));
    let network = Network::new(omega.clone(), Coupling::Constant(coupling.clone())).unwrap();
    let network = network.with_noise(Array1::ones(n)).unwrap();
    let theta0: Vec<f64> = (0..n).map(|_| TAU * rng.random::<f64>()).collect();
    let (per_sample, settle_s) = (4, 2.0);
    let run = Run {
        method: Method::Heun,
        duration_s: recipe.seconds + settle_s,
        step_s: 1.0 / (recipe.rate_hz * float(per_sample)),
        record_every: per_sample,
        seed: recipe.seed,
    };
    let theta = simulate(&network, &theta0, &run)
        .unwrap()
        .after(settle_s - 1e-9)
        .theta;
    let mut x = theta.mapv(f64::cos);
    for mut row in x.outer_iter_mut() {
        let noise = coloured(row.len(), 1.0, &mut rng);
        let swell = coloured(row.len(), 2.0, &mut rng);
        for ((value, noise), swell) in row.iter_mut().zip(noise).zip(swell) {
            *value = 20.0 * (*value * (recipe.swell * swell).exp() + recipe.noise * noise);
        }
    }
    Known {
        name: name.into(),
        x,
        rate_hz: recipe.rate_hz,
        coupling,
        omega,
    }
}

fn report(known: &Known, floor_runs: usize) {
    let settings = CalibrationSettings {
        floor_runs,
        ..CalibrationSettings::new(Band::new(8.0, 13.0).unwrap())
    };
    let start = Instant::now();
    let found = calibrate(
        known.x.view(),
        SampleRate::new(known.rate_hz).unwrap(),
        &settings,
    )
    .unwrap();
    let took = start.elapsed().as_secs_f64();
    let agreement = matrix_agreement(found.coupling_rad_s.view(), known.coupling.view()).unwrap();
    let pairs: Vec<([usize; 2], f64)> = known
        .coupling
        .indexed_iter()
        .filter(|((i, j), _)| i != j)
        .map(|((i, j), k)| ([i, j], *k))
        .collect();
    let mean = |values: Vec<f64>| values.iter().sum::<f64>() / float(values.len());
    let (a, b) = (
        mean(
            pairs
                .iter()
                .map(|(at, _)| found.coupling_rad_s[*at])
                .collect(),
        ),
        mean(pairs.iter().map(|(_, k)| *k).collect()),
    );
    let product: f64 = pairs
        .iter()
        .map(|(at, k)| (found.coupling_rad_s[*at] - a) * (k - b))
        .sum();
    let slope = product / pairs.iter().map(|(_, k)| (k - b).powi(2)).sum::<f64>();
    let missed = mean(
        pairs
            .iter()
            .map(|(at, k)| ((found.unshrunk_rad_s[*at] - k) / found.coupling_sd_rad_s[*at]).powi(2))
            .collect(),
    );
    let errors = (&found.omega_rad_s - &known.omega).mapv(|error| (error / TAU).powi(2));
    let edges = |real: bool| {
        pairs
            .iter()
            .filter(|(at, k)| found.edges[*at] && (*k > 0.0) == real)
            .count()
    };
    let judged = &found.held_out;
    println!(
        "{:24} correlation {:6.3}, slope {:5.2}, omega rmse {:.3} Hz, sigma {:.2}, floor {:.2} rad/s, edges {} of {} and {} false, \
         error over its standard error {:.2}, held out {:+.4} against uncoupled and {:+.4} against shuffled (sd {:.4}), \
         condition {:.0}, {} iterations, {took:.1} s",
        known.name,
        agreement.correlation,
        slope,
        errors.mean().unwrap().sqrt(),
        found.noise_rad_sqrt_s.mean().unwrap(),
        found.noise_floor_rad_s,
        edges(true),
        pairs.iter().filter(|(_, k)| *k > 0.0).count(),
        edges(false),
        missed.sqrt(),
        judged.score - judged.uncoupled,
        judged.score - judged.shuffled_mean,
        judged.shuffled_sd,
        found.condition_number,
        found.iterations,
    );
}

fn main() {
    let floor_runs = std::env::args()
        .find_map(|argument| argument.parse().ok())
        .unwrap_or(2);
    ["a", "b", "null"]
        .iter()
        .for_each(|name| report(&published(name), floor_runs));
    for (name, recipe) in [
        ("another seed", PLAIN),
        ("a third seed", Recipe { seed: 12, ..PLAIN }),
        ("a fourth seed", Recipe { seed: 13, ..PLAIN }),
        (
            "noise 1.0",
            Recipe {
                noise: 1.0,
                seed: 14,
                ..PLAIN
            },
        ),
        (
            "noise 0.1",
            Recipe {
                noise: 0.1,
                seed: 15,
                ..PLAIN
            },
        ),
        (
            "every pair, weak",
            Recipe {
                density: 1.0,
                strength: [0.2, 1.0],
                seed: 16,
                ..PLAIN
            },
        ),
        (
            "few, strong",
            Recipe {
                density: 0.1,
                strength: [2.0, 5.0],
                seed: 17,
                ..PLAIN
            },
        ),
        (
            "none",
            Recipe {
                density: 0.0,
                seed: 18,
                ..PLAIN
            },
        ),
        (
            "4 channels, 60 s",
            Recipe {
                n: 4,
                seconds: 60.0,
                seed: 19,
                ..PLAIN
            },
        ),
        (
            "125 Hz",
            Recipe {
                rate_hz: 125.0,
                seed: 20,
                ..PLAIN
            },
        ),
        (
            "swelling amplitudes",
            Recipe {
                swell: 0.5,
                seed: 21,
                ..PLAIN
            },
        ),
        (
            "16 channels",
            Recipe {
                n: 16,
                density: 0.2,
                seed: 22,
                ..PLAIN
            },
        ),
    ] {
        report(&made_up(name, &recipe), floor_runs);
    }
}
