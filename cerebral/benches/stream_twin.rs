//! Question: what does the twin cost a stream: a window, a calibration, and the state that is stored?
//!
//! Made-up alpha of 250 Hz on the grid of a Cyton, the settings of the stream; time on the processor, one thread.

#![expect(clippy::unwrap_used, reason = "a benchmark that cannot run shall stop")]
#![expect(clippy::print_stdout, reason = "the figures are the answer")]

use std::sync::Arc;

use cerebral::board::packet::Gain;
use cerebral::source::Rails;
use cerebral::stream::stretch::{Block, StretchLogic};
use cerebral::stream::twin::{Calibrate, SessionTwin, Task, TwinSettings};
use cerebral::stream::window::{WindowAnalyst, WindowSettings};
use cerebral::twin::{Coupling, Method, Network, Run, signals, simulate};
use cerebral::{Band, SampleRate};
use contract::eeg::{DriveKind, Order, Stimulation, tags};
use criterion::{Criterion, criterion_group, criterion_main};
use ndarray::{Array1, Array2, Axis, Slice};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};

mod made_up;

use made_up::least;

const SECONDS: usize = 130;
const RATE: usize = 250;

fn float(count: usize) -> f64 {
    f64::from(u32::try_from(count).unwrap())
}

/// Alpha under noise, in whole counts of the board.
fn alpha(n: usize) -> Array2<f64> {
    let is_edge = |i: usize, j: usize| i != j && (i * 7 + j * 3).is_multiple_of(9);
    let coupling = Array2::from_shape_fn((n, n), |(i, j)| if is_edge(i, j) { 3.0 } else { 0.0 });
    let omega = (0..n).map(|i| 62.8 + 0.5 * (float(i) - float(n) / 2.0));
    let network = Network::new(omega.collect(), Coupling::Constant(coupling)).unwrap();
    let run = Run {
        method: Method::Heun,
        duration_s: float(SECONDS),
        step_s: 2e-3,
        record_every: 2,
        seed: 1,
    };
    let network = network.with_noise(Array1::ones(n)).unwrap();
    let path = simulate(&network, &vec![0.0; n], &run).unwrap();
    let mut rng = ChaCha8Rng::seed_from_u64(2);
    let noise = Array2::from_shape_simple_fn(path.theta.dim(), || {
        let normal: f64 = StandardNormal.sample(&mut rng);
        6.0 * normal + 5_000.0
    });
    let x = signals(path.theta.view(), &vec![20.0; n], Some(noise.view())).unwrap();
    let uv = Gain::DEFAULT.uv_per_count();
    x.mapv(|x| (x / uv).round() * uv)
}

/// Does each calibration when it is asked for, and says what it cost.
#[derive(Debug)]
struct Told;

impl Calibrate for Told {
    fn start(&self, task: &Arc<Task>) {
        let cost = least(1, || task.run());
        println!("  a calibration: {:.2} s of one processor", cost.busy_s);
    }
}

fn twins(_: &mut Criterion) {
    rayon::ThreadPoolBuilder::new()
        .num_threads(1)
        .build_global()
        .unwrap();
    for n in [8, 16] {
        println!("{n} channels:");
        let x = alpha(n);
        let band = Band::new(8.0, 13.0).unwrap();
        let settings = WindowSettings {
            surrogates: 1,
            ..WindowSettings::new(band)
        };
        let rate = SampleRate::new(250.0).unwrap();
        let analyst =
            Arc::new(WindowAnalyst::new(settings, vec![Rails::default(); n], rate).unwrap());
        let told: Arc<dyn Calibrate> = Arc::new(Told);
        let mut twin = SessionTwin::new(TwinSettings::new(band), &analyst, 0, &told).unwrap();
        let mut machine = StretchLogic::machine(&analyst, 0);
        let mut costs: [Vec<f64>; 3] = Default::default();
        let mut before = None;
        for second in 0..SECONDS {
            let at = u64::try_from(second * RATE).unwrap();
            let block = x.slice_axis(Axis(1), Slice::from(second * RATE..(second + 1) * RATE));
            twin.samples(at, block);
            let mut closed = Vec::new();
            for fed in Block::new(at, block.to_owned(), 0).feed() {
                machine.push(fed, &mut closed, &mut Vec::new()).unwrap();
            }
            if second == 95 {
                twin.order(&locked()).unwrap();
            }
            for closed in closed {
                let mut said = None;
                let cost = least(1, || said = twin.window(&closed));
                let until = said.as_ref().map(|said| said.calibrated_until);
                let is_new = until != before;
                before = until;
                let Some(said) = said else { continue };
                let kind = if is_new {
                    2
                } else {
                    usize::from(said.stimulation.is_some())
                };
                costs[kind].push(cost.busy_s);
            }
        }
        for (what, costs) in [
            "a window",
            "with a locked stimulation",
            "with a new calibration",
        ]
        .iter()
        .zip(&mut costs)
        {
            costs.sort_by(f64::total_cmp);
            println!(
                "  {what}: {:.2} ms (median of {})",
                costs[costs.len() / 2] * 1e3,
                costs.len()
            );
        }
        let stored = serde_json::to_string(&twin.state()).unwrap();
        let cost = least(3, || serde_json::to_string(&twin.state()).unwrap());
        println!(
            "  a state: {} kB, made in {:.1} ms",
            stored.len() / 1000,
            cost.wall_s * 1e3
        );
    }
}

fn locked() -> Stimulation<'static> {
    Stimulation {
        v: tags::V1,
        kind: tags::StimulationKind,
        session: "made-up".into(),
        id: "locked".into(),
        order: Order::Start,
        node: 0,
        drive: DriveKind::Locked,
        amplitude_rad_s: 6.0,
        frequency_hz: None,
        delta_rad: 0.0,
        target: None,
        at_ns: 0,
    }
}

criterion_group!(benches, twins);
criterion_main!(benches);
