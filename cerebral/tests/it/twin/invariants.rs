//! What no right-hand side may break.

use ndarray::Array2;
use proptest::prelude::*;

use cerebral::twin::{
    Coupling, Drive, DriveKind, Method, Network, Run, Target, TwinError, simulate,
    simulate_adaptive,
};

use super::{float, golden_ten, run};

fn symmetric(n: usize, values: &[f64]) -> Array2<f64> {
    Array2::from_shape_fn((n, n), |(i, j)| {
        if i == j {
            0.0
        } else {
            values[i.min(j) * n + i.max(j)]
        }
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn symmetric_coupling_leaves_the_mean_phase_alone(
        omega in prop::collection::vec(-5.0..5.0, 5),
        values in prop::collection::vec(-2.0..4.0, 25),
        theta0 in prop::collection::vec(-3.0..3.0, 5),
    ) {
        let network = Network::new(omega.clone().into(), Coupling::Constant(symmetric(5, &values))).unwrap();
        let path = simulate(&network, &theta0, &run(Method::Rk4, 1.0, 0.01)).unwrap();
        let start: f64 = theta0.iter().sum();
        let speed: f64 = omega.iter().sum();
        for (t, theta) in path.t_s.iter().zip(path.theta.columns()) {
            prop_assert!((theta.sum() - start - speed * t).abs() < 1e-10);
        }
    }

    #[test]
    fn a_shift_of_all_phases_or_frequencies_shifts_the_solution_alone(
        shift in -3.0..3.0_f64, faster in -20.0..20.0_f64, seed in any::<u64>(),
    ) {
        let (network, theta0) = golden_ten();
        let network = network.with_noise(ndarray::Array1::from_elem(10, 0.5)).unwrap();
        let noisy = Run { seed, ..run(Method::Heun, 0.5, 0.005) };
        let plain = simulate(&network, &theta0, &noisy).unwrap();
        let moved: Vec<f64> = theta0.iter().map(|theta| theta + shift).collect();
        let fast = Network::new(network.omega_rad_s() + faster, network.coupling().clone()).unwrap();
        let fast = fast.with_noise(network.noise().clone()).unwrap();
        let shifted = simulate(&fast, &moved, &noisy).unwrap();
        for (c, t) in plain.t_s.iter().enumerate() {
            for i in 0..10 {
                let difference: f64 = shifted.theta[[i, c]] - plain.theta[[i, c]] - shift - faster * t;
                prop_assert!(difference.abs() < 1e-9);
            }
        }
    }

    #[test]
    fn equal_frequencies_and_positive_coupling_only_go_downhill(
        values in prop::collection::vec(0.0..3.0, 36),
        theta0 in prop::collection::vec(-3.0..3.0, 6),
    ) {
        let k = symmetric(6, &values);
        let network = Network::new(ndarray::Array1::from_elem(6, 7.0), Coupling::Constant(k.clone())).unwrap();
        let path = simulate(&network, &theta0, &run(Method::Rk4, 2.0, 0.01)).unwrap();
        let energy = |theta: ndarray::ArrayView1<'_, f64>| -> f64 {
            k.indexed_iter().map(|((i, j), k)| -0.5 * k * (theta[i] - theta[j]).cos()).sum()
        };
        let energies: Vec<f64> = path.theta.columns().into_iter().map(energy).collect();
        prop_assert!(energies.windows(2).all(|pair| pair[1] <= pair[0] + 1e-9));
    }
}

#[test]
fn a_run_depends_on_its_seed_alone() {
    let (network, theta0) = golden_ten();
    let network = network.with_noise(ndarray::Array1::ones(10)).unwrap();
    let with = |seed| {
        simulate(
            &network,
            &theta0,
            &Run {
                seed,
                ..run(Method::Heun, 0.5, 0.01)
            },
        )
        .unwrap()
    };
    assert_eq!(with(3), with(3));
    assert_ne!(with(3), with(4));
}

#[test]
fn what_cannot_be_integrated_is_refused_by_name() {
    let (network, theta0) = golden_ten();
    let noisy = network
        .clone()
        .with_noise(ndarray::Array1::ones(10))
        .unwrap();
    let refused = simulate(&noisy, &theta0, &run(Method::Rk4, 1.0, 0.01));
    assert!(matches!(refused, Err(TwinError::Unsupported { .. })));
    let refused = simulate_adaptive(&noisy, &theta0, &[1.0], 1e-6);
    assert!(matches!(refused, Err(TwinError::Unsupported { .. })));
    let field = DriveKind::ClosedLoop {
        amplitude_rad_s: 1.0,
        delta_rad: 0.0,
        target: Target::MeanField,
    };
    let driven = network.clone().with_drive(Drive::always(0, field)).unwrap();
    assert!(matches!(
        simulate_adaptive(&driven, &theta0, &[1.0], 1e-6),
        Err(TwinError::Unsupported { .. })
    ));
    for (duration_s, step_s) in [
        (1.0, 0.0),
        (1.0, -0.1),
        (1.0, f64::NAN),
        (-1.0, 0.1),
        (1.05, 0.1),
        (f64::INFINITY, 0.1),
    ] {
        let refused = simulate(&network, &theta0, &run(Method::Heun, duration_s, step_s));
        assert!(
            matches!(refused, Err(TwinError::Range { .. })),
            "{duration_s} s by {step_s} s"
        );
    }
    assert!(matches!(
        simulate(&network, &theta0[1..], &run(Method::Heun, 1.0, 0.1)),
        Err(TwinError::Shape { .. })
    ));
    assert!(
        network
            .clone()
            .with_drive(Drive::always(10, field))
            .is_err()
    );
    assert!(
        network
            .clone()
            .with_inertia(ndarray::Array1::zeros(10))
            .is_err()
    );
    assert!(
        Network::new(
            ndarray::Array1::zeros(0),
            Coupling::Constant(Array2::zeros((0, 0)))
        )
        .is_err()
    );
    let nan = Array2::from_elem((2, 2), f64::NAN);
    assert!(Network::new(ndarray::Array1::zeros(2), Coupling::Constant(nan)).is_err());
    let knots = Coupling::Scaled {
        matrix: Array2::zeros((2, 2)),
        t_s: vec![1.0, 1.0],
        factor: vec![0.0, 1.0],
    };
    assert!(Network::new(ndarray::Array1::zeros(2), knots).is_err());
    assert!(
        simulate(&network, &[float(0); 10], &run(Method::Heun, 0.0, 0.1))
            .unwrap()
            .t_s
            .len()
            == 1
    );
}
