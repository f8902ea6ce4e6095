//! Question: what do ten seconds of a thousand densely coupled oscillators cost, by fixed steps of 1 ms and adaptively?
//!
//! One thread; ratios of time on the processor to the project's budgets (RK4 8 s; adaptive 0.5 s at 1e-6 rad) and to NumPy's mat-vec form (26.1 s).

#![expect(clippy::unwrap_used, reason = "a benchmark that cannot run shall stop")]
#![expect(clippy::print_stdout, reason = "the ratios are the answer")]

use cerebral::twin::{Coupling, Method, Network, Run, simulate, simulate_adaptive};
use criterion::{Criterion, criterion_group, criterion_main};
use ndarray::{Array1, Array2};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

mod made_up;

use made_up::least;

const RK4_BUDGET_S: f64 = 8.0;
const ADAPTIVE_BUDGET_S: f64 = 0.5;
const NUMPY_S: f64 = 26.1;
const SECONDS: f64 = 10.0;

/// A network with couplings of `mean_pull` rad/s in sum per node and alpha frequencies.
fn network(n: usize, mean_pull: f64) -> (Network, Vec<f64>) {
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let omega = Array1::from_shape_simple_fn(n, || 62.8 + 8.6 * (rng.random::<f64>() - 0.5));
    let each = 2.0 * mean_pull / f64::from(u32::try_from(n).unwrap());
    let coupling = Array2::from_shape_simple_fn((n, n), || each * rng.random::<f64>());
    let theta0 = (0..n)
        .map(|_| std::f64::consts::TAU * rng.random::<f64>())
        .collect();
    (
        Network::new(omega, Coupling::Constant(coupling)).unwrap(),
        theta0,
    )
}

fn rk4(network: &Network, theta0: &[f64], duration_s: f64) -> Array2<f64> {
    let run = Run {
        method: Method::Rk4,
        duration_s,
        step_s: 1e-3,
        record_every: 1000,
        seed: 1,
    };
    simulate(network, theta0, &run).unwrap().theta
}

/// Each long run once, or thrice: criterion would repeat them ten times at least.
fn long_runs(_: &mut Criterion) {
    let times: Vec<f64> = (0..=10).map(f64::from).collect();
    for mean_pull in [2.0, 4.0, 8.0] {
        let (network, theta0) = network(1000, mean_pull);
        let mut reference = None;
        let cost = least(1, || reference = Some(rk4(&network, &theta0, SECONDS)));
        println!(
            "N 1000, pull {mean_pull} rad/s, {SECONDS} s by RK4 of 1 ms: {:.2} s of one processor ({:.2} s on the clock), {:.2} of the budget, {:.1} x NumPy's speed",
            cost.busy_s,
            cost.wall_s,
            cost.busy_s / RK4_BUDGET_S,
            NUMPY_S / cost.busy_s
        );
        for tolerance in [1e-6, 1e-9] {
            let mut found = None;
            let cost = least(3, || {
                found = Some(simulate_adaptive(&network, &theta0, &times, tolerance).unwrap());
            });
            let (path, effort) = found.unwrap();
            let error = (&path.theta - reference.as_ref().unwrap())
                .iter()
                .fold(0.0_f64, |most, e| most.max(e.abs()));
            println!(
                "  adaptive to {tolerance:e} rad: {:.3} s of one processor ({:.3} s on the clock), {:.2} of the budget; {effort:?}, {error:.1e} rad from RK4",
                cost.busy_s,
                cost.wall_s,
                cost.busy_s / ADAPTIVE_BUDGET_S
            );
        }
    }
    println!(
        "memory at N 1000: 8 MB of coupling (16 MB while it is built); fixed steps 0.1 MB, adaptive 1.2 MB of series"
    );
}

fn short_runs(criterion: &mut Criterion) {
    for n in [8, 64] {
        let (network, theta0) = network(n, 4.0);
        criterion.bench_function(&format!("rk4_1s_N{n}"), |bencher| {
            bencher.iter(|| rk4(&network, &theta0, 1.0))
        });
        criterion.bench_function(&format!("adaptive_1e-6_1s_N{n}"), |bencher| {
            bencher.iter(|| simulate_adaptive(&network, &theta0, &[1.0], 1e-6).unwrap());
        });
    }
}

criterion_group!(benches, long_runs, short_runs);
criterion_main!(benches);
