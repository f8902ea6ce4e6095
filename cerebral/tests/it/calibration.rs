//! Calibration on recordings whose network is known. Settings are the defaults everywhere; only the number of repetitions
//! behind baselines and floor is cut where they are not what is tested.

use std::f64::consts::TAU;

use ndarray::{Array1, Array2};
use ndarray_npy::NpzReader;

use cerebral::calibration::{Calibration, CalibrationSettings, calibrate};
use cerebral::twin::{TwinError, matrix_agreement};
use cerebral::{Band, SampleRate};

struct Known {
    x: Array2<f64>,
    coupling: Array2<f64>,
    omega: Array1<f64>,
}

fn known(name: &str) -> Known {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
        .join(format!("tests/fixtures/calibration_{name}.npz"));
    let mut file = NpzReader::new(std::fs::File::open(path).unwrap()).unwrap();
    let x: Array2<f32> = file.by_name("x").unwrap();
    Known {
        x: x.mapv(f64::from),
        coupling: file.by_name("K").unwrap(),
        omega: file.by_name("omega").unwrap(),
    }
}

fn rate() -> SampleRate {
    SampleRate::new(250.0).unwrap()
}

fn settings() -> CalibrationSettings {
    CalibrationSettings::new(Band::new(8.0, 13.0).unwrap())
}

fn few_repetitions() -> CalibrationSettings {
    CalibrationSettings {
        floor_runs: 1,
        shuffles: 3,
        ..settings()
    }
}

/// Slope of the found couplings over the true ones, off the diagonal.
fn slope(found: &Array2<f64>, known: &Array2<f64>) -> f64 {
    let pairs: Vec<(f64, f64)> = found
        .indexed_iter()
        .zip(known)
        .filter(|(((i, j), _), _)| i != j)
        .map(|((_, a), b)| (*a, *b))
        .collect();
    let n = f64::from(u32::try_from(pairs.len()).unwrap());
    let (a, b) = pairs
        .iter()
        .fold((0.0, 0.0), |(x, y), (a, b)| (x + a / n, y + b / n));
    let product: f64 = pairs.iter().map(|(x, y)| (x - a) * (y - b)).sum();
    product / pairs.iter().map(|(_, y)| (y - b).powi(2)).sum::<f64>()
}

fn errors_hz(found: &Calibration, known: &Known) -> Array1<f64> {
    (&found.omega_rad_s - &known.omega).mapv(|error| error / TAU)
}

fn rms(errors: &Array1<f64>) -> f64 {
    errors.mapv(|error| error * error).mean().unwrap().sqrt()
}

#[test]
fn the_network_behind_a_recording_is_found() {
    for (name, least_correlation, slopes) in [("a", 0.93, 0.85..1.1), ("b", 0.84, 0.75..1.1)] {
        let known = known(name);
        let found = calibrate(known.x.view(), rate(), &few_repetitions()).unwrap();
        let agreement =
            matrix_agreement(found.coupling_rad_s.view(), known.coupling.view()).unwrap();
        assert!(
            agreement.correlation >= least_correlation,
            "{name}: {agreement:?}"
        );
        let slope = slope(&found.coupling_rad_s, &known.coupling);
        assert!(slopes.contains(&slope), "{name}: slope {slope}");
        let error = rms(&errors_hz(&found, &known));
        println!(
            "{name}: correlation {:.3}, slope {slope:.3}, frequencies off by {error:.3} Hz (rms), {} iterations",
            agreement.correlation, found.iterations
        );
        assert!(error < 0.13, "{name}: {error} Hz");
        // Standard errors are honest: estimates before shrinkage miss the truth by about one of them.
        let misses: Vec<f64> = known
            .coupling
            .indexed_iter()
            .filter(|((i, j), _)| i != j)
            .map(|(at, truth)| {
                ((found.unshrunk_rad_s[at] - truth) / found.coupling_sd_rad_s[at]).powi(2)
            })
            .collect();
        let miss = rms(&misses.iter().map(|miss| miss.sqrt()).collect());
        assert!((0.6..1.5).contains(&miss), "{name}: {miss} standard errors");
        // The held-out part prefers the couplings over none, and over the same ones elsewhere.
        let judged = &found.held_out;
        assert!(judged.score > judged.uncoupled, "{name}: {judged:?}");
        assert!(
            judged.score > judged.shuffled_mean + 2.0 * judged.shuffled_sd,
            "{name}: {judged:?}"
        );
        assert!((judged.trained_s - 96.0).abs() < 1e-9 && (judged.judged_s - 24.0).abs() < 1e-9);
        assert!(found.condition_number.is_finite() && found.condition_number > 1.0);
        assert!(
            found
                .noise_rad_sqrt_s
                .iter()
                .all(|sigma| (0.8..1.2).contains(sigma)),
            "{name}"
        );
        assert_eq!(found.network(true).unwrap().n_nodes(), 8);
        assert_eq!(found.windows.len(), 22);
    }
}

#[test]
fn where_there_is_no_coupling_no_edge_is_claimed() {
    let known = known("null");
    let floored = CalibrationSettings {
        shuffles: 2,
        floor_runs: 50,
        ..settings()
    };
    let found = calibrate(known.x.view(), rate(), &floored).unwrap();
    let worst = errors_hz(&found, &known)
        .iter()
        .fold(0.0_f64, |most, error| most.max(error.abs()));
    println!(
        "null: frequencies off by {worst:.3} Hz at most, noise floor {:.2} rad/s",
        found.noise_floor_rad_s
    );
    assert!(worst < 0.1, "{worst} Hz");
    assert!(
        !found.edges.iter().any(|edge| *edge),
        "{:?}",
        found.coupling_rad_s
    );
    assert_eq!(found.floor_largest_rad_s.len(), 50);
    assert!(
        (0.2..0.8).contains(&found.noise_floor_rad_s),
        "{}",
        found.noise_floor_rad_s
    );
    let largest = found
        .coupling_rad_s
        .iter()
        .fold(0.0_f64, |most, value| most.max(value.abs()));
    assert!(largest < found.noise_floor_rad_s, "{largest}");
}

#[test]
fn the_result_depends_on_the_seed_and_not_on_the_threads() {
    let known = known("b");
    let short = known
        .x
        .slice_axis(ndarray::Axis(1), ndarray::Slice::from(..5000));
    let short = short.slice_axis(ndarray::Axis(0), ndarray::Slice::from(..3));
    let quick = CalibrationSettings {
        floor_runs: 4,
        shuffles: 4,
        track_hz: [1.0, 40.0],
        ..settings()
    };
    let with = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .unwrap();
        pool.install(|| calibrate(short, rate(), &quick)).unwrap()
    };
    let one = with(1);
    assert_eq!(one, with(3));
    let other = calibrate(
        short,
        rate(),
        &CalibrationSettings {
            seed: 2,
            ..quick.clone()
        },
    )
    .unwrap();
    assert_ne!(one.floor_largest_rad_s, other.floor_largest_rad_s);
    assert_eq!(one.coupling_rad_s, other.coupling_rad_s);
}

#[test]
fn what_cannot_be_calibrated_is_refused_with_its_reason() {
    let quick = CalibrationSettings {
        floor_runs: 1,
        shuffles: 2,
        ..settings()
    };
    let noise = |n: usize, len: usize| {
        Array2::from_shape_fn((n, len), |(i, t)| {
            let phase = f64::from(u32::try_from(t * (i + 7) * 7919 % 10_007).unwrap());
            (phase * 0.61).sin() * 10.0
        })
    };
    let refused = |x: &Array2<f64>, settings: &CalibrationSettings| {
        calibrate(x.view(), rate(), settings).unwrap_err()
    };
    assert!(matches!(
        refused(&noise(1, 5000), &quick),
        TwinError::Shape { .. }
    ));
    for short in [0, 3, 400] {
        let error = refused(&noise(2, short), &quick);
        assert!(
            matches!(error, TwinError::TooShort { .. } | TwinError::Analysis(_)),
            "{short}: {error}"
        );
    }
    let mut holes = noise(2, 5000);
    holes[[1, 77]] = f64::NAN;
    assert!(matches!(refused(&holes, &quick), TwinError::Range { .. }));
    let mut dead = noise(2, 5000);
    dead.row_mut(1).fill(187_500.0);
    assert!(matches!(
        refused(&dead, &quick),
        TwinError::DeadChannel { channel: 1, .. }
    ));
    let x = noise(2, 5000);
    for bad in [
        CalibrationSettings {
            train_share: 1.0,
            ..quick.clone()
        },
        CalibrationSettings {
            floor_runs: 0,
            ..quick.clone()
        },
        CalibrationSettings {
            track_hz: [9.0, 40.0],
            ..quick.clone()
        },
        CalibrationSettings {
            ridge: f64::NAN,
            ..quick.clone()
        },
    ] {
        assert!(calibrate(x.view(), rate(), &bad).is_err(), "{bad:?}");
    }
}

/// The value of a channel at a sample.
type Course<'a> = Box<dyn Fn(usize, usize) -> f64 + 'a>;

#[test]
fn rubbish_gives_finite_figures() {
    let n_samples = 5000;
    let time = |t: usize| f64::from(u32::try_from(t).unwrap()) / 250.0;
    // Made-up "noise" of a fixed course.
    let noise = |i: usize, t: usize| {
        (f64::from(u32::try_from((t * 7919 + i * 104_729) % 65_537).unwrap()) * 0.61).sin()
    };
    let sine = |hz: f64, t: usize| (TAU * hz * time(t)).sin();
    let cases: [(&str, Course<'_>); 6] = [
        ("no oscillation", Box::new(noise)),
        (
            "sines without noise",
            Box::new(|i, t| sine([9.5, 10.5, 11.0][i], t)),
        ),
        (
            "one channel three times",
            Box::new(|_, t| sine(10.0, t) + 0.3 * noise(0, t)),
        ),
        (
            "opposite channels",
            Box::new(|i, t| (sine(10.0, t) + 0.3 * noise(0, t)) * [1.0, -1.0, 0.5][i]),
        ),
        (
            "huge",
            Box::new(|i, t| 1e12 * (sine(10.0, t) + noise(i, t))),
        ),
        (
            "tiny, with a drift and a jump",
            Box::new(|i, t| {
                1e-12 * (sine(10.0, t) + noise(i, t) + time(t) + if t > 2500 { 50.0 } else { 0.0 })
            }),
        ),
    ];
    for (what, value) in cases {
        let x = Array2::from_shape_fn((3, n_samples), |(i, t)| value(i, t));
        let quick = CalibrationSettings {
            floor_runs: 1,
            shuffles: 2,
            track_hz: [1.0, 60.0],
            ..settings()
        };
        let found = calibrate(x.view(), rate(), &quick).unwrap();
        let figures = found
            .coupling_rad_s
            .iter()
            .chain(&found.omega_rad_s)
            .chain(&found.noise_rad_sqrt_s)
            .chain(&found.phase);
        assert!(figures.clone().all(|figure| figure.is_finite()), "{what}");
        assert!(
            found.held_out.score.is_finite() && found.noise_floor_rad_s.is_finite(),
            "{what}: {:?}",
            found.held_out
        );
        assert!(found.network(false).is_ok(), "{what}");
    }
}
