//! Laws that stimulation must obey.

use std::f64::consts::PI;

use ndarray::{Array1, Array2};

use cerebral::control::{Effect, Objective, Search, Trials, optimise, rank_nodes, what_if};
use cerebral::twin::{Coupling, DriveKind, Network, Target};

use super::float;

/// Six nodes, weakly coupled and noisy, not in step by themselves.
fn loose() -> Network {
    let omega: Array1<f64> = (0..6).map(|k| 62.0 + 0.8 * float(k)).collect();
    let coupling = Array2::from_shape_fn((6, 6), |(i, j)| if i == j { 0.0 } else { 0.4 });
    let network = Network::new(omega, Coupling::Constant(coupling)).unwrap();
    network.with_noise(Array1::from_elem(6, 0.8)).unwrap()
}

fn trials() -> Trials {
    Trials {
        settle_s: 2.0,
        measure_s: 6.0,
        step_s: 5e-3,
        seeds: 20,
        seed: 7,
    }
}

#[test]
fn a_torque_on_one_node_moves_a_locked_network_by_an_nth() {
    let n = 5;
    let coupling = Array2::from_shape_fn((n, n), |(i, j)| if i == j { 0.0 } else { 3.0 });
    let omega = Array1::from(vec![60.0, 60.5, 61.0, 60.2, 60.9]);
    let network = Network::new(omega, Coupling::Constant(coupling)).unwrap();
    let quick = Trials {
        settle_s: 20.0,
        measure_s: 4.0,
        step_s: 0.01,
        seeds: 3,
        seed: 1,
    };
    let found = what_if(
        &network,
        2,
        DriveKind::Constant { torque_rad_s: 2.0 },
        &quick,
    )
    .unwrap();
    for delta_hz in &found.delta_omega_hz {
        let delta = delta_hz * std::f64::consts::TAU;
        assert!((delta - 2.0 / 5.0).abs() < 1e-9, "{delta} rad/s");
    }
}

#[test]
fn a_loop_in_phase_raises_the_coherence_and_one_against_it_lowers_it() {
    let with = |delta_rad: f64| {
        let kind = DriveKind::ClosedLoop {
            amplitude_rad_s: 4.0,
            delta_rad,
            target: Target::MeanField,
        };
        what_if(&loose(), 2, kind, &trials()).unwrap()
    };
    let (raised, lowered) = (with(0.0), with(PI));
    assert_eq!(raised.effect, Effect::Raises, "{:?}", raised.delta_r);
    assert_eq!(lowered.effect, Effect::Lowers, "{:?}", lowered.delta_r);
    assert_eq!(raised.seeds, 20);
}

#[test]
fn no_stimulus_has_no_effect_at_all() {
    let found = what_if(
        &loose(),
        0,
        DriveKind::Constant { torque_rad_s: 0.0 },
        &trials(),
    )
    .unwrap();
    assert_eq!(found.effect, Effect::Unclear);
    assert!(
        found.delta_r.mean.abs() < 1e-15 && found.delta_pli.iter().all(|delta| delta.abs() < 1e-15)
    );
}

#[test]
fn the_hub_of_a_star_ranks_first() {
    // Everybody listens to node 3, nobody to the others.
    let omega: Array1<f64> = (0..6).map(|k| 62.0 + 0.5 * float(k)).collect();
    let coupling = Array2::from_shape_fn((6, 6), |(i, j)| if j == 3 && i != 3 { 1.2 } else { 0.0 });
    let network = Network::new(omega, Coupling::Constant(coupling)).unwrap();
    let network = network.with_noise(Array1::from_elem(6, 0.5)).unwrap();
    let kind = DriveKind::Constant { torque_rad_s: 12.0 };
    let ranked = rank_nodes(&network, kind, &trials()).unwrap();
    assert_eq!(ranked.len(), 6);
    assert_eq!(
        ranked[0].node,
        3,
        "{:?}",
        ranked
            .iter()
            .map(|w| (w.node, w.delta_r))
            .collect::<Vec<_>>()
    );
    assert_eq!(ranked[0].effect, Effect::Lowers);
    assert!(
        ranked
            .windows(2)
            .all(|pair| pair[0].delta_r.mean.abs() >= pair[1].delta_r.mean.abs())
    );
}

#[test]
fn pulses_at_the_own_pace_gather_phases() {
    // theta <- theta - eps sin(theta) pulls towards 0 at the moments of the pulses.
    let omega = Array1::from_elem(3, 62.0);
    let network = Network::new(omega, Coupling::Constant(Array2::zeros((3, 3)))).unwrap();
    let mut both = network;
    for node in 0..2 {
        let kind = DriveKind::Pulses {
            strength_rad: 0.3,
            period_s: std::f64::consts::TAU / 62.0,
        };
        both = both
            .with_drive(cerebral::twin::Drive::always(node, kind))
            .unwrap();
    }
    let (path, _) =
        cerebral::twin::simulate_adaptive(&both, &[1.0, -2.0, 2.0], &[20.0], 1e-8).unwrap();
    let apart = |i: usize, j: usize| (path.theta[[i, 0]] - path.theta[[j, 0]]).sin().abs();
    assert!(
        apart(0, 1) < 1e-6 && apart(0, 2) > 0.5,
        "{} {}",
        apart(0, 1),
        apart(0, 2)
    );
}

#[test]
fn a_search_ends_better_than_it_began_and_than_doing_nothing() {
    let quick = Trials {
        settle_s: 1.0,
        measure_s: 3.0,
        step_s: 0.01,
        seeds: 6,
        seed: 3,
    };
    for (wanted_r, sign) in [(0.95, 1.0), (0.05, -1.0)] {
        let objective = Objective {
            wanted_r,
            cost: 1e-4,
        };
        let search = Search {
            nodes: vec![0, 4],
            most_rad_s: 8.0,
            start_rad_s: 1.0,
            iterations: 12,
            trials: quick,
        };
        let found = optimise(&loose(), objective, &search).unwrap();
        assert!(
            found.end < found.baseline && found.end <= found.start,
            "{found:?}"
        );
        assert!(
            (found.order - found.baseline_order) * sign > 0.0,
            "{found:?}"
        );
        assert!(found.amplitude_rad_s <= 8.0 && found.evaluations > 10);
        assert_eq!(found, optimise(&loose(), objective, &search).unwrap());
    }
    let bad = Search {
        nodes: vec![],
        most_rad_s: 8.0,
        start_rad_s: 1.0,
        iterations: 1,
        trials: quick,
    };
    assert!(
        optimise(
            &loose(),
            Objective {
                wanted_r: 0.5,
                cost: 0.0
            },
            &bad
        )
        .is_err()
    );
    let bad = Search {
        nodes: vec![0],
        start_rad_s: 9.0,
        ..bad
    };
    assert!(
        optimise(
            &loose(),
            Objective {
                wanted_r: 0.5,
                cost: 0.0
            },
            &bad
        )
        .is_err()
    );
}
