//! Closed forms that any implementation must meet.

use std::f64::consts::{PI, TAU};

use ndarray::{Array1, Array2};
use num_complex::Complex64;

use cerebral::twin::{
    Coupling, Drive, DriveKind, Method, Network, Run, all_to_all, arnold_tongue, density_at_mean,
    locked_state, locked_states, locking_threshold, mean_field_critical_coupling,
    minimum_connectivity, order_parameter, simulate, simulate_adaptive, spectral_critical_scale,
};

use super::{float, golden_ten, pair, run};

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / float(values.len())
}

#[test]
fn two_oscillators_lock_at_the_angle_of_adler_or_beat() {
    let locked = simulate(&pair(3.0, 2.0), &[0.0, 0.0], &run(Method::Rk4, 20.0, 5e-3))
        .unwrap()
        .last();
    assert!((locked[0] - locked[1] - (3.0_f64 / 4.0).asin()).abs() < 1e-9);
    let state = locked_state(&pair(3.0, 2.0), &[0.0, 0.0]).unwrap().unwrap();
    assert!((state.theta[0] - state.theta[1] - 0.848_062).abs() < 1e-6 && state.stable);
    assert!((state.eigenvalues[0].re + 4.0 * (0.75_f64).asin().cos()).abs() < 1e-9);
    assert!((state.frequency_rad_s - 1.5).abs() < 1e-9);
    // The other state of the pair is unstable, and both are found from random starts.
    let states = locked_states(&pair(3.0, 2.0), 40, 1).unwrap();
    assert_eq!(
        states.iter().map(|state| state.stable).collect::<Vec<_>>(),
        [true, false]
    );
    // Beyond 2K the pair beats with sqrt(dw^2 - 4 K^2) = 3 rad/s: after 10 beats the difference has turned 10 times.
    let beats = 10.0;
    let end_s = beats * TAU / 3.0;
    let turned = simulate_adaptive(&pair(5.0, 2.0), &[0.0, 0.0], &[end_s], 1e-10)
        .unwrap()
        .0
        .theta;
    assert!((turned[[0, 0]] - turned[[1, 0]] - beats * TAU).abs() < 1e-8);
    assert!(
        locked_state(&pair(5.0, 2.0), &[0.0, 0.0])
            .unwrap()
            .is_none()
    );
    let threshold = locking_threshold(&pair(5.0, 2.0)).unwrap().unwrap();
    assert!((threshold - 1.25).abs() < 1e-3, "{threshold}");
}

/// A finite network of quantiles agrees with infinitely many oscillators to 0.02.
#[test]
fn a_lorentzian_network_has_the_transition_of_theory() {
    let n = 600;
    let quantile = |k: usize| (PI * ((float(k) + 0.5) / float(n) - 0.5)).tan();
    let omega: Array1<f64> = (0..n).map(quantile).collect();
    let theta0: Vec<f64> = (0..n)
        .map(|k| TAU * ((float(k) * 0.618_034) % 1.0))
        .collect();
    assert!((mean_field_critical_coupling(1.0 / PI) - 2.0).abs() < 1e-12);
    let order = |k: f64| {
        let network = Network::new(omega.clone(), all_to_all(n, k)).unwrap();
        // The fastest tails turn several times in a step: their share in the field averages out all the same.
        let run = Run {
            method: Method::Rk4,
            duration_s: 50.0,
            step_s: 0.02,
            record_every: 25,
            seed: 1,
        };
        mean(&order_parameter(
            simulate(&network, &theta0, &run)
                .unwrap()
                .after(29.9)
                .theta
                .view(),
        ))
    };
    for k in [3.0_f64, 4.0] {
        let (found, theory) = (order(k), (1.0 - 2.0 / k).sqrt());
        assert!(
            (found - theory).abs() < 0.02,
            "K {k}: r {found}, theory {theory}"
        );
    }
    let below = order(1.0);
    assert!(below < 0.1, "K 1: r {below}");
}

#[test]
fn a_normal_distribution_has_its_critical_coupling() {
    assert!((mean_field_critical_coupling(1.0 / TAU.sqrt()) - 1.596).abs() < 1e-3);
    // Quantiles of a uniform distribution of width 2: density 1/2 at its mean; the kernel widens the edges alone.
    let omega: Array1<f64> = (0..2000)
        .map(|k| 2.0 * (float(k) + 0.5) / 2000.0 - 1.0)
        .collect();
    assert!((density_at_mean(omega.view()) - 0.5).abs() < 1e-3);
    let Coupling::Constant(coupling) = all_to_all(50, 4.0) else {
        panic!("all to all is constant")
    };
    let omega: Array1<f64> = (0..50)
        .map(|k| 2.0 * (float(k) + 0.5) / 50.0 - 1.0)
        .collect();
    // lambda = 4 * 49 / 50, Kc = 4 / pi.
    let scale = spectral_critical_scale(omega.view(), coupling.view()).unwrap();
    assert!((scale - 4.0 / PI / 3.92).abs() < 0.02, "{scale}");
}

#[test]
fn small_differences_lock_where_the_laplacian_says() {
    let n = 6;
    let k = Array2::from_shape_fn((n, n), |(i, j)| {
        if i == j {
            0.0
        } else {
            1.0 + 0.3 * float(i.abs_diff(j))
        }
    });
    let base = [0.2, -0.5, 0.4, 0.1, -0.3, 0.1];
    let error_at = |size: f64| {
        let omega: Array1<f64> = base.iter().map(|w| 10.0 + size * w).collect();
        let state = locked_state(
            &Network::new(omega, Coupling::Constant(k.clone())).unwrap(),
            &[0.0; 6],
        )
        .unwrap()
        .unwrap();
        let laplacian =
            nalgebra::DMatrix::from_fn(
                n,
                n,
                |i, j| if i == j { k.row(i).sum() } else { -k[[i, j]] },
            );
        let mean = base.iter().sum::<f64>() / 6.0;
        let differences =
            nalgebra::DVector::from_iterator(n, base.iter().map(|w| size * (w - mean)));
        let linear = laplacian.pseudo_inverse(1e-9).unwrap() * differences;
        let theta_mean = state.theta.mean().unwrap();
        (0..n)
            .map(|i| (state.theta[i] - theta_mean - linear[i]).abs())
            .fold(0.0, f64::max)
    };
    let (large, small) = (error_at(1.0), error_at(0.5));
    assert!(
        (large / small).log2() > 2.8,
        "third order: {large:e} to {small:e}"
    );
}

#[test]
fn a_free_phase_spreads_with_sigma_squared_times_time() {
    let n = 4000;
    let free = Network::new(Array1::zeros(n), Coupling::Constant(Array2::zeros((n, n)))).unwrap();
    let network = free.with_noise(Array1::from_elem(n, 0.7)).unwrap();
    for method in [Method::Euler, Method::Heun] {
        let last = simulate(&network, &vec![0.0; n], &run(method, 0.5, 0.05))
            .unwrap()
            .last();
        let variance = mean(&last.iter().map(|theta| theta * theta).collect::<Vec<_>>());
        // The standard error of a variance from 4000 is 2.2 %.
        assert!(
            (variance / (0.49 * 0.5) - 1.0).abs() < 0.09,
            "{method:?}: {variance}"
        );
    }
}

#[test]
fn a_noisy_pair_locks_as_the_bessel_functions_say() {
    // Stationary density of the difference: exp(k cos d), k = 2K / sigma^2, mean cosine I1(k) / I0(k).
    let (coupling, sigma) = (1.0, 1.0);
    let bessel = |order: usize, k: f64| {
        mean(
            &(0..2000)
                .map(|m| {
                    let angle = PI * (float(m) + 0.5) / 2000.0;
                    (k * angle.cos()).exp() * (float(order) * angle).cos()
                })
                .collect::<Vec<_>>(),
        )
    };
    let k = 2.0 * coupling / (sigma * sigma);
    let theory = bessel(1, k) / bessel(0, k);
    // 200 pairs in one network, so that the mean is over 200 x 40 s.
    let n = 400;
    let partner = |i: usize| i ^ 1;
    let matrix = Array2::from_shape_fn(
        (n, n),
        |(i, j)| if j == partner(i) { coupling } else { 0.0 },
    );
    let network = Network::new(Array1::zeros(n), Coupling::Constant(matrix)).unwrap();
    let network = network.with_noise(Array1::from_elem(n, sigma)).unwrap();
    let long = Run {
        method: Method::Heun,
        duration_s: 45.0,
        step_s: 0.02,
        record_every: 10,
        seed: 5,
    };
    let path = simulate(&network, &vec![0.0; n], &long).unwrap().after(5.0);
    let cosines: Vec<Complex64> = (0..n / 2)
        .flat_map(|p| {
            path.theta
                .row(2 * p)
                .iter()
                .zip(path.theta.row(2 * p + 1))
                .map(|(a, b)| Complex64::cis(a - b))
                .collect::<Vec<_>>()
        })
        .collect();
    let locking = (cosines.iter().sum::<Complex64>() / float(cosines.len())).norm();
    assert!((locking - theory).abs() < 0.02, "{locking} for {theory}");
}

#[test]
fn noise_has_a_critical_coupling_of_sigma_squared() {
    let n = 300;
    let order = |k: f64| {
        let network = Network::new(Array1::zeros(n), all_to_all(n, k)).unwrap();
        let network = network.with_noise(Array1::ones(n)).unwrap();
        let long = Run {
            method: Method::Heun,
            duration_s: 40.0,
            step_s: 0.05,
            record_every: 10,
            seed: 2,
        };
        let theta0 = vec![0.0; n];
        mean(&order_parameter(
            simulate(&network, &theta0, &long)
                .unwrap()
                .after(20.0)
                .theta
                .view(),
        ))
    };
    let (below, above) = (order(0.5), order(2.0));
    // r = I1(2 K r) / I0(2 K r) at sigma 1 gives 0.833 at K 2; without order r is about 1 / sqrt(N (1 - K)).
    assert!(below < 0.2, "r {below} at half the critical coupling");
    assert!(
        (above - 0.833).abs() < 0.05,
        "r {above} at twice the critical coupling"
    );
}

#[test]
fn a_delayed_pair_turns_with_the_frequency_of_yeung_and_strogatz() {
    let (omega, k, tau) = (10.0, 1.5, 0.1);
    let mut frequency: f64 = omega;
    for _ in 0..200 {
        frequency = omega - k * (frequency * tau).sin();
    }
    assert!(
        k * (frequency * tau).cos() > 0.0,
        "the in-phase state is stable"
    );
    let network =
        Network::new(Array1::from_elem(2, omega), pair(0.0, k).coupling().clone()).unwrap();
    let network = network.with_delays(Array2::from_elem((2, 2), tau)).unwrap();
    for (method, tolerance) in [(Method::Rk4, 1e-7), (Method::Heun, 1e-3)] {
        let path = simulate(&network, &[0.0, 0.3], &run(method, 20.0, 0.01)).unwrap();
        let last = path.t_s.len() - 1;
        let turned = (path.theta[[0, last]] - path.theta[[0, last - 100]])
            / (path.t_s[last] - path.t_s[last - 100]);
        assert!(
            (turned - frequency).abs() < tolerance,
            "{method:?}: {turned} for {frequency}"
        );
        assert!((path.theta[[0, last]] - path.theta[[1, last]]).abs() < 1e-3);
    }
    // Delayed by more than a quarter of a turn each pushes the other away: K cos(Omega tau) is below 0.
    let network =
        Network::new(Array1::from_elem(2, omega), pair(0.0, k).coupling().clone()).unwrap();
    let network = network
        .with_delays(Array2::from_elem((2, 2), 0.25))
        .unwrap();
    let apart = simulate(&network, &[0.0, 0.01], &run(Method::Rk4, 20.0, 0.01))
        .unwrap()
        .last();
    let apart = lead(apart[0], apart[1]).abs();
    assert!((apart - PI).abs() < 1e-3, "{apart}");
}

#[test]
fn a_driven_oscillator_locks_inside_its_tongue_alone() {
    let network = Network::new(
        Array1::from(vec![10.0]),
        Coupling::Constant(Array2::zeros((1, 1))),
    )
    .unwrap();
    let kind = DriveKind::Entrain {
        amplitude_rad_s: 2.0,
        frequency_rad_s: 9.0,
        phase_rad: 0.0,
    };
    let driven = network.clone().with_drive(Drive::always(0, kind)).unwrap();
    let end_s = 30.0;
    let leads = lead(
        simulate(&driven, &[0.0], &run(Method::Rk4, end_s, 5e-3))
            .unwrap()
            .last()[0],
        9.0 * end_s,
    );
    assert!((leads - 0.5_f64.asin()).abs() < 1e-8, "{leads}");
    let (adaptive, _) = simulate_adaptive(&driven, &[0.0], &[end_s], 1e-10).unwrap();
    assert!((lead(adaptive.theta[[0, 0]], 9.0 * end_s) - 0.5_f64.asin()).abs() < 1e-8);
    let (amplitudes, frequencies) = ([0.5, 1.0, 2.0], [7.5, 8.5, 9.75, 10.9, 12.5]);
    let slips = arnold_tongue(
        &network,
        0,
        &amplitudes,
        &frequencies,
        &[0.0],
        &run(Method::Rk4, 200.0, 0.02),
    )
    .unwrap();
    for (i, a) in amplitudes.iter().enumerate() {
        for (j, frequency) in frequencies.iter().enumerate() {
            let difference: f64 = 10.0 - frequency;
            let (slip, inside) = (slips[[i, j]], difference.abs() <= *a);
            assert_eq!(
                slip.abs() < 1e-3,
                inside,
                "A {a}, Omega {frequency}: {slip}"
            );
            if !inside {
                // Outside it beats with sqrt(dw^2 - A^2); a half run holds a whole number of beats but for one.
                let beat = (difference * difference - a * a).sqrt();
                assert!(
                    (slip.abs() - beat).abs() < 0.07,
                    "A {a}, Omega {frequency}: {slip} for {beat}"
                );
            }
        }
    }
}

/// Lead over a reference, in (-pi, pi].
fn lead(theta: f64, reference: f64) -> f64 {
    Complex64::cis(theta - reference).arg()
}

#[test]
fn inertia_swings_about_the_locked_state() {
    // Near its locked state a heavy pair is a damped spring: m x'' + x' + 2 K x = 0, x the difference of the phases.
    let (m, k) = (0.5, 4.0);
    let network = pair(0.0, k).with_inertia(Array1::from_elem(2, m)).unwrap();
    let start = 1e-3;
    let times: Vec<f64> = (0..=40).map(|t| 0.05 * float(t)).collect();
    let decay = 1.0 / (2.0 * m);
    let swing = (2.0 * k / m - decay * decay).sqrt();
    let exact = |t: f64| {
        start * (-decay * t).exp() * ((swing * t).cos() + decay / swing * (swing * t).sin())
    };
    let fixed = simulate(
        &network,
        &[start, 0.0],
        &Run {
            record_every: 50,
            ..run(Method::Rk4, 2.0, 1e-3)
        },
    )
    .unwrap();
    let (adaptive, _) = simulate_adaptive(&network, &[start, 0.0], &times, 1e-10).unwrap();
    for (c, t) in times.iter().enumerate() {
        for path in [&fixed, &adaptive] {
            let difference = path.theta[[0, c]] - path.theta[[1, c]];
            assert!(
                (difference - exact(*t)).abs() < 1e-8,
                "at {t} s: {difference} for {}",
                exact(*t)
            );
        }
    }
}

#[test]
fn the_minimum_connectivity_is_that_of_the_thresholded_graph() {
    let ring = Array2::from_shape_fn((6, 6), |(i, j)| if (i + 1) % 6 == j { 2.0 } else { 0.1 });
    let found = minimum_connectivity(ring.view(), 1.0);
    assert!((found.ratio - 0.4).abs() < 1e-12 && (found.critical - 0.6838).abs() < 1e-12);
    assert!((minimum_connectivity(ring.view(), 0.05).ratio - 1.0).abs() < 1e-12);
}

#[test]
fn both_ways_through_time_agree_on_lags_and_stimuli() {
    let (network, theta0) = golden_ten();
    let lag = Array2::from_shape_fn((10, 10), |(i, j)| 0.05 * float(i) - 0.03 * float(j));
    let kinds = [
        DriveKind::Entrain {
            amplitude_rad_s: 3.0,
            frequency_rad_s: 62.0,
            phase_rad: 0.4,
        },
        DriveKind::Constant { torque_rad_s: -2.0 },
        DriveKind::ClosedLoop {
            amplitude_rad_s: 2.0,
            delta_rad: 1.0,
            target: cerebral::twin::Target::Node(7),
        },
        DriveKind::Pulses {
            strength_rad: 0.3,
            period_s: 0.25,
        },
    ];
    let mut driven = network.with_lags(lag).unwrap();
    for (node, kind) in kinds.into_iter().enumerate() {
        driven = driven
            .with_drive(Drive {
                node,
                kind,
                from_s: 0.5,
                to_s: 1.5,
            })
            .unwrap();
    }
    let fixed = simulate(&driven, &theta0, &run(Method::Rk4, 2.0, 5e-4))
        .unwrap()
        .last();
    let (adaptive, _) = simulate_adaptive(&driven, &theta0, &[2.0], 1e-10).unwrap();
    for (i, fixed) in fixed.iter().enumerate() {
        let error = (fixed - adaptive.theta[[i, 0]]).abs();
        assert!(error < 1e-7, "node {i}: {error:e} rad");
    }
}
