//! Reference trajectories.

use ndarray::{Array1, Array2};

use cerebral::twin::{Coupling, Method, Network, Run, simulate, simulate_adaptive};

use super::{fixture, float, golden_ten, largest_difference, run};

/// The references are good to 1e-9; see the README of the goldens.
const TOLERANCE_RAD: f64 = 1e-8;

#[test]
fn rk4_with_one_millisecond_follows_the_golden_trajectories() {
    for n in [2, 10, 64] {
        let file = format!("kuramoto_N{n}_rk4.npz");
        let t: Array1<f64> = fixture(&file, "t");
        let expected: Array2<f64> = fixture(&file, "theta");
        let network = Network::new(
            fixture(&file, "omega"),
            Coupling::Constant(fixture(&file, "K")),
        )
        .unwrap();
        let theta0: Array1<f64> = fixture(&file, "theta0");
        let every_s = t[1] - t[0];
        let record_every = (1..=1000)
            .min_by_key(|k| ((f64::from(*k) * 1e-3 - every_s).abs() * 1e12).to_bits())
            .unwrap();
        let whole = Run {
            method: Method::Rk4,
            duration_s: *t.last().unwrap(),
            step_s: 1e-3,
            record_every: usize::try_from(record_every).unwrap(),
            seed: 1,
        };
        let found = simulate(&network, theta0.as_slice().unwrap(), &whole).unwrap();
        let error = largest_difference(&found.theta, &expected);
        assert!(error < TOLERANCE_RAD, "N {n}: {error:e} rad");
        let (adaptive, effort) = simulate_adaptive(
            &network,
            theta0.as_slice().unwrap(),
            t.as_slice().unwrap(),
            1e-9,
        )
        .unwrap();
        let error = largest_difference(&adaptive.theta, &expected);
        assert!(
            error < TOLERANCE_RAD,
            "adaptive, N {n}: {error:e} rad, {effort:?}"
        );
    }
}

#[test]
fn coupling_that_changes_over_time_is_followed() {
    let file = "kuramoto_timevarying.npz";
    let t: Array1<f64> = fixture(file, "t");
    let expected: Array2<f64> = fixture(file, "theta");
    let (omega, k0): (Array1<f64>, Array2<f64>) = (fixture(file, "omega"), fixture(file, "K0"));
    let theta0: Array1<f64> = fixture(file, "theta0");
    let end_s = *t.last().unwrap();
    // Straight lines of 1 ms through the sine would cost 2.6e-6 rad, those of 0.25 ms cost 2e-7; the reference itself is
    // off by 5.5e-7.
    let knots: Vec<f64> = (0..=40_000).map(|k| end_s * f64::from(k) / 4e4).collect();
    let factor = knots
        .iter()
        .map(|t| 1.0 + 0.5 * (std::f64::consts::TAU * 0.2 * t).sin())
        .collect();
    let scaled = Coupling::Scaled {
        matrix: k0.clone(),
        t_s: knots,
        factor,
    };
    let network = Network::new(omega.clone(), scaled).unwrap();
    let steps = end_s / 1e-3;
    let found = simulate(
        &network,
        theta0.as_slice().unwrap(),
        &run(Method::Rk4, end_s, 1e-3),
    )
    .unwrap();
    for (k, t) in t.iter().enumerate() {
        let nearest = found.t_s.partition_point(|at| *at < t - 1e-9);
        let error = (0..10)
            .map(|i| (found.theta[[i, nearest]] - expected[[i, k]]).abs())
            .fold(0.0, f64::max);
        assert!(error < 1e-6, "at {t} s of {steps} steps: {error:e} rad");
    }
    // Matrices at knots of 10 ms give the same by both ways through time.
    let knots: Vec<f64> = (0..=200).map(|k| end_s * f64::from(k) / 200.0).collect();
    let matrices = knots
        .iter()
        .map(|t| &k0 * (1.0 + 0.5 * (std::f64::consts::TAU * 0.2 * t).sin()))
        .collect();
    let network = Network::new(
        omega,
        Coupling::Piecewise {
            t_s: knots,
            matrices,
        },
    )
    .unwrap();
    let fixed = simulate(
        &network,
        theta0.as_slice().unwrap(),
        &run(Method::Rk4, end_s, 1e-3),
    )
    .unwrap();
    let (adaptive, _) =
        simulate_adaptive(&network, theta0.as_slice().unwrap(), &[end_s], 1e-9).unwrap();
    for i in 0..10 {
        let error = (fixed.last()[i] - adaptive.theta[[i, 0]]).abs();
        assert!(error < TOLERANCE_RAD, "node {i}: {error:e} rad");
    }
}

/// Errors in rad at 10 s for steps of 20, 10, 5 and 2.5 ms, as published with the reference trajectories.
#[test]
fn every_method_has_its_order_of_accuracy() {
    let (network, theta0) = golden_ten();
    let expected: Array2<f64> = fixture("kuramoto_N10_rk4.npz", "theta");
    let error_of = |method, step_s: f64| {
        let path = simulate(&network, &theta0, &run(method, 10.0, step_s)).unwrap();
        let last = path.last();
        let end = expected.column(expected.ncols() - 1);
        last.iter()
            .zip(end)
            .fold(0.0_f64, |most, (a, b)| most.max((a - b).abs()))
    };
    for (method, order, at_10_ms) in [
        (Method::Euler, 1, 0.069),
        (Method::Heun, 2, 5.3e-3),
        (Method::Rk4, 4, 4.7e-7),
    ] {
        let errors: Vec<f64> = [20e-3, 10e-3, 5e-3]
            .into_iter()
            .map(|step_s| error_of(method, step_s))
            .collect();
        for pair in errors.windows(2) {
            let found = (pair[0] / pair[1]).log2();
            assert!(
                (found - f64::from(order)).abs() < 0.35,
                "{method:?}: order {found} from {errors:?}"
            );
        }
        // The published figures are the largest error over the run, ours is that at the end.
        assert!(
            errors[1] < 1.2 * at_10_ms && errors[1] > at_10_ms / 20.0,
            "{method:?}: {errors:?}"
        );
    }
}

#[test]
fn the_adaptive_method_keeps_its_tolerance_and_works_less_for_a_loose_one() {
    let (network, theta0) = golden_ten();
    let times: Vec<f64> = (0..=100).map(|k| 0.1 * float(k)).collect();
    let (reference, most) = simulate_adaptive(&network, &theta0, &times, 1e-12).unwrap();
    let mut before = most.evaluations;
    for tolerance in [1e-9, 1e-6, 1e-3] {
        let (found, effort) = simulate_adaptive(&network, &theta0, &times, tolerance).unwrap();
        let error = largest_difference(&found.theta, &reference.theta);
        assert!(error < tolerance, "{tolerance:e}: {error:e} rad");
        assert!(
            effort.evaluations < before,
            "{tolerance:e}: {effort:?}, before {before}"
        );
        before = effort.evaluations;
    }
}
