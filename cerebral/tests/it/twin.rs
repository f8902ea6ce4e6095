//! The twin against closed forms, invariants and reference trajectories.

mod analytic;
mod control;
mod golden;
mod invariants;

use std::fs::File;
use std::path::Path;

use ndarray::{Array, Array1, Array2, Dimension};
use ndarray_npy::NpzReader;

use cerebral::twin::{Coupling, Method, Network, Run};

/// One array of a fixture.
pub(crate) fn fixture<D: Dimension>(file: &str, name: &str) -> Array<f64, D> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fixtures")
        .join(file);
    NpzReader::new(File::open(path).unwrap())
        .unwrap()
        .by_name(name)
        .unwrap()
}

pub(crate) fn float(count: usize) -> f64 {
    f64::from(u32::try_from(count).unwrap())
}

pub(crate) fn run(method: Method, duration_s: f64, step_s: f64) -> Run {
    Run {
        method,
        duration_s,
        step_s,
        record_every: 1,
        seed: 1,
    }
}

/// Two oscillators `difference` apart that pull each other with `k`.
pub(crate) fn pair(difference: f64, k: f64) -> Network {
    let coupling = Array2::from_shape_fn((2, 2), |(i, j)| if i == j { 0.0 } else { k });
    Network::new(
        Array1::from(vec![difference, 0.0]),
        Coupling::Constant(coupling),
    )
    .unwrap()
}

/// The N = 10 network of the golden trajectories, and its initial phases.
pub(crate) fn golden_ten() -> (Network, Vec<f64>) {
    let file = "kuramoto_N10_rk4.npz";
    let network = Network::new(
        fixture(file, "omega"),
        Coupling::Constant(fixture(file, "K")),
    )
    .unwrap();
    (network, fixture::<ndarray::Ix1>(file, "theta0").to_vec())
}

pub(crate) fn largest_difference(a: &Array2<f64>, b: &Array2<f64>) -> f64 {
    assert_eq!(a.dim(), b.dim());
    a.iter()
        .zip(b)
        .fold(0.0, |most, (a, b)| most.max((a - b).abs()))
}
