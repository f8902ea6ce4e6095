//! `lockstep cerebral simulate`: a network of oscillators alone.

mod columns;

use std::f64::consts::TAU;
use std::fmt::Write as _;
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::Context;
use cerebral::analyze::Matrix;
use cerebral::twin::{
    Coupling, Method, Network, Run, Trajectory, TwinError, all_to_all, density_at_mean,
    mean_field_critical_coupling, metastability, order_parameter, simulate, simulate_adaptive,
};
use clap::{Args, ValueEnum};
use ndarray::{Array1, Array2, Axis};
use ndarray_npy::NpzWriter;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Cauchy, Distribution, Normal, Uniform};
use serde_json::json;

use super::args::seconds;
use super::output::put;
use super::work::beside;
use crate::failure::{Failure, Outcome};
use crate::files;
use crate::stop::Stop;

/// What `cerebral simulate` takes.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  lockstep cerebral simulate --nodes 100 --coupling 5 --csv order.csv
  lockstep cerebral simulate --nodes 8 --omega 10 --spread 0.4 --noise 1 --seconds 60 --npz phases.npz
  lockstep cerebral simulate --coupling-file k.csv --omega 9.5,10,10.4 --json -
  lockstep cerebral simulate --model jansen-rit --nodes 4 --coupling 60 --npz potentials.npz

Kuramoto: dtheta_i = omega_i + sum_j K_ij sin(theta_j(t - delay) - theta_i) + noise. --coupling K is all to all, K / N each.
Jansen and Rit: cortical columns with the published constants, whose potentials oscillate near 10 Hz by themselves; a column gets
K_ij pulses per pulse of column j, and --noise is that of its input. Frequencies, delay, inertia and method are Kuramoto's alone.")]
pub(crate) struct SimulateArgs {
    /// What an oscillator is.
    #[arg(long, value_enum, default_value_t = Model::Kuramoto)]
    model: Model,
    /// How many oscillators.
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=20_000))]
    nodes: u32,
    /// All-to-all coupling K, rad/s; each pair has K / N.
    #[arg(
        long,
        value_name = "RAD_S",
        default_value_t = 2.0,
        allow_hyphen_values = true,
        conflicts_with = "coupling_file"
    )]
    coupling: f64,
    /// A table of K_ij in rad/s instead, one row per oscillator acted on, without names.
    #[arg(long, value_name = "FILE")]
    coupling_file: Option<PathBuf>,
    /// Natural frequency, hertz: the centre of all, or one per oscillator.
    #[arg(
        long,
        value_name = "HZ,..",
        value_delimiter = ',',
        default_value = "10"
    )]
    omega: Vec<f64>,
    /// Spread of the natural frequencies about the centre, hertz.
    #[arg(long, value_name = "HZ", default_value_t = 0.5)]
    spread: f64,
    /// How natural frequencies are spread.
    #[arg(long, value_enum, default_value_t = Distributed::Normal)]
    distribution: Distributed,
    /// Noise of the phases, rad/sqrt(s).
    #[arg(long, value_name = "SIGMA", default_value_t = 0.0)]
    noise: f64,
    /// Delay between any two, e.g. `10ms`.
    #[arg(long, value_name = "TIME", value_parser = seconds, default_value = "0s")]
    delay: f64,
    /// Inertia of each phase, e.g. `50ms`: m theta'' + theta' = the velocity above.
    #[arg(long, value_name = "TIME", value_parser = seconds, default_value = "0s")]
    inertia: f64,
    /// Simulated time, e.g. `10s`.
    #[arg(long, value_name = "TIME", value_parser = seconds, default_value = "10s")]
    seconds: f64,
    /// Step of the integrator, e.g. `1ms`. Default: 2 ms, of columns 0.5 ms.
    #[arg(long, value_name = "TIME", value_parser = seconds)]
    step: Option<f64>,
    /// Kept values a second.
    #[arg(long, value_name = "HZ", default_value_t = 100.0)]
    rate: f64,
    /// How a step is taken. Default: rk4 without noise, heun with it.
    #[arg(long, value_enum)]
    method: Option<Steps>,
    /// Error aimed at by the adaptive method in any phase.
    #[arg(long, value_name = "RAD", default_value_t = 1e-6)]
    tolerance: f64,
    /// Seed of frequencies, first phases and noise.
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// Time, order parameter and phases as a table; `-` is standard output.
    #[arg(long, value_name = "FILE")]
    csv: Option<PathBuf>,
    /// `t_s`, `theta`, `r`, `omega_rad_s`, `coupling_rad_s` as arrays.
    #[arg(long, value_name = "FILE")]
    npz: Option<PathBuf>,
    /// The summary and the order parameter as JSON; `-` is standard output.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
}

/// What an oscillator is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Model {
    /// A phase.
    Kuramoto,
    /// A cortical column of Jansen and Rit's.
    JansenRit,
}

/// How natural frequencies are spread.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Distributed {
    /// Gaussian; the spread is its standard deviation.
    Normal,
    /// Cauchy's; the spread is its half width at half height.
    Lorentzian,
    /// Even; the spread is half its width.
    Uniform,
}

/// How a step is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Steps {
    /// First order (with noise Euler-Maruyama).
    Euler,
    /// Second order.
    Heun,
    /// Fourth order, without noise.
    Rk4,
    /// Taylor series in the rotating frame with steps of their own, without noise and delays.
    Adaptive,
}

/// Simulates, prints a summary, writes the files.
pub(crate) fn run(args: &SimulateArgs, stop: &Stop) -> Outcome {
    let outputs = [
        ("--csv", args.csv.as_deref()),
        ("--npz", args.npz.as_deref()),
        ("--json", args.json.as_deref()),
    ];
    let inputs: Vec<&Path> = args.coupling_file.iter().map(PathBuf::as_path).collect();
    files::keep_apart(&inputs, &outputs)?;
    let result = match args.model {
        Model::Kuramoto => phases(args, stop)?,
        Model::JansenRit => columns::run(args, stop)?,
    };
    if outputs
        .iter()
        .all(|(_, path)| !path.is_some_and(files::is_stdout))
    {
        std::io::stdout().write_all(result.text.as_bytes())?;
    }
    if let Some(file) = &args.csv {
        put(file, result.table.as_bytes())?;
    }
    if let Some(file) = &args.npz {
        put(file, &result.arrays)?;
    }
    if let Some(file) = &args.json {
        let mut bytes = serde_json::to_vec(&result.json).context("could not write JSON")?;
        bytes.push(b'\n');
        put(file, &bytes)?;
    }
    Ok(())
}

/// What a simulation is told and written as.
struct Simulated {
    text: String,
    json: serde_json::Value,
    table: String,
    arrays: Vec<u8>,
}

fn phases(args: &SimulateArgs, stop: &Stop) -> Result<Simulated, Failure> {
    let network = network(args)?;
    let run = settings(args)?;
    let theta0 = first_phases(network.n_nodes(), args.seed);
    let tolerance = (args.method == Some(Steps::Adaptive)).then_some(args.tolerance);
    let (network, path) = beside(stop, move || {
        let path = match tolerance {
            None => simulate(&network, &theta0, &run),
            Some(tolerance) => {
                simulate_adaptive(&network, &theta0, &times(&run), tolerance).map(|(path, _)| path)
            }
        };
        (network, path)
    })?;
    let path = path.map_err(wrong)?;
    let order = order_parameter(path.theta.view());
    let Summary { text, json } = summary(args, &network, &path, &order);
    Ok(Simulated {
        text,
        json,
        table: table(&path, &order),
        arrays: arrays(&network, &path, &order).context("could not write NPZ")?,
    })
}

/// The instants that are kept.
fn times(run: &Run) -> Vec<f64> {
    let every_s = run.step_s * float(run.record_every);
    let last = whole(run.duration_s / run.step_s) / run.record_every;
    (0..=last).map(|at| every_s * float(at)).collect()
}

fn wrong(error: TwinError) -> Failure {
    match error {
        TwinError::Diverged { .. } => Failure::Failed(error.into()),
        _ => Failure::WrongUse(error.to_string()),
    }
}

fn network(args: &SimulateArgs) -> Result<Network, Failure> {
    let file = args.coupling_file.as_deref().map(matrix).transpose()?;
    let n = match (&file, args.omega.len()) {
        (Some(matrix), _) => matrix.nrows(),
        (None, 0 | 1) => usize::try_from(args.nodes).unwrap_or(usize::MAX),
        (None, several) => several,
    };
    let coupling = file.map_or_else(|| all_to_all(n, args.coupling), Coupling::Constant);
    let omega = natural(args, n)?;
    let network = Network::new(omega, coupling).map_err(wrong)?;
    let network = network
        .with_noise(Array1::from_elem(n, args.noise))
        .map_err(wrong)?;
    let network = if args.inertia > 0.0 {
        let inertia = Array1::from_elem(n, args.inertia);
        network.with_inertia(inertia).map_err(wrong)?
    } else {
        network
    };
    if args.delay > 0.0 {
        let delays = Array2::from_elem((n, n), args.delay);
        return network.with_delays(delays).map_err(wrong);
    }
    Ok(network)
}

/// Natural frequencies, rad/s.
fn natural(args: &SimulateArgs, n: usize) -> Result<Array1<f64>, Failure> {
    let spread = args.spread;
    if !(spread >= 0.0 && spread.is_finite()) {
        return Err(Failure::WrongUse(format!(
            "`--spread` is {spread}; it must be 0 or above"
        )));
    }
    if args.omega.len() > 1 {
        if args.omega.len() != n {
            return Err(Failure::WrongUse(format!(
                "`--omega` has {} frequencies for {n} oscillators",
                args.omega.len()
            )));
        }
        return Ok(args.omega.iter().map(|hz| TAU * hz).collect());
    }
    let centre = args.omega.first().copied().unwrap_or(10.0);
    let mut random = ChaCha8Rng::seed_from_u64(args.seed);
    // Stream 0 is the noise's, 1 that of the first phases.
    random.set_stream(2);
    let mut draw = || -> Option<f64> {
        if spread <= 0.0 {
            return Some(centre);
        }
        Some(match args.distribution {
            Distributed::Normal => Normal::new(centre, spread).ok()?.sample(&mut random),
            Distributed::Lorentzian => Cauchy::new(centre, spread).ok()?.sample(&mut random),
            Distributed::Uniform => Uniform::new_inclusive(centre - spread, centre + spread)
                .ok()?
                .sample(&mut random),
        })
    };
    let drawn: Option<Vec<f64>> = (0..n).map(|_| draw()).collect();
    let drawn = drawn
        .ok_or_else(|| Failure::WrongUse("`--omega` must be a finite frequency".to_owned()))?;
    Ok(drawn.into_iter().map(|hz| TAU * hz).collect())
}

fn first_phases(n: usize, seed: u64) -> Vec<f64> {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    random.set_stream(1);
    let Ok(circle) = Uniform::new(0.0, TAU) else {
        return vec![0.0; n];
    };
    (0..n).map(|_| circle.sample(&mut random)).collect()
}

/// The nearest count; of what is none, 0.
#[expect(
    clippy::as_conversions,
    reason = "saturates, and NaN and what is below 0 give 0"
)]
fn whole(value: f64) -> usize {
    value.round() as usize
}

fn float(count: usize) -> f64 {
    u32::try_from(count).map_or(f64::INFINITY, f64::from)
}

/// Step of the integrator where none is asked for.
const STEP_S: f64 = 2e-3;

fn settings(args: &SimulateArgs) -> Result<Run, Failure> {
    settings_with(args, args.step.unwrap_or(STEP_S))
}

fn settings_with(args: &SimulateArgs, step_s: f64) -> Result<Run, Failure> {
    let above = |name: &str, value: f64| {
        if value > 0.0 && value.is_finite() {
            Ok(value)
        } else {
            Err(Failure::WrongUse(format!(
                "`--{name}` is {value}; it must be above 0"
            )))
        }
    };
    let (step_s, seconds, rate) = (
        above("step", step_s)?,
        above("seconds", args.seconds)?,
        above("rate", args.rate)?,
    );
    let record_every = whole(1.0 / (rate * step_s)).max(1);
    let method = match args.method {
        Some(Steps::Euler) => Method::Euler,
        Some(Steps::Heun) => Method::Heun,
        Some(Steps::Rk4 | Steps::Adaptive) => Method::Rk4,
        None if args.noise > 0.0 => Method::Heun,
        None => Method::Rk4,
    };
    Ok(Run {
        method,
        // A whole number of steps, the nearest.
        duration_s: (seconds / step_s).round() * step_s,
        step_s,
        record_every,
        seed: args.seed,
    })
}

/// A square table of numbers.
fn matrix(path: &Path) -> Result<Array2<f64>, Failure> {
    let text = std::fs::read_to_string(path)
        .with_context(|| format!("could not read `{}`", path.display()))
        .map_err(Failure::BadInput)?;
    let mut values = Vec::new();
    let mut width = None;
    let mut rows = 0;
    for (at, line) in text
        .lines()
        .enumerate()
        .filter(|(_, line)| !line.trim().is_empty())
    {
        let fault = |what: String| {
            Failure::BadInput(anyhow::anyhow!(
                "`{}`, row {}: {what}",
                path.display(),
                at + 1
            ))
        };
        let fields: Vec<&str> = line.split([',', ';', '\t']).map(str::trim).collect();
        if *width.get_or_insert(fields.len()) != fields.len() {
            return Err(fault(format!(
                "{} fields of {}",
                fields.len(),
                width.unwrap_or(0)
            )));
        }
        for field in fields {
            let value: f64 = field
                .parse()
                .map_err(|_| fault(format!("`{field}` is not a number")))?;
            values.push(value);
        }
        rows += 1;
    }
    let columns = width.unwrap_or(0);
    if rows != columns || rows == 0 {
        return Err(Failure::BadInput(anyhow::anyhow!(
            "`{}` has {rows} rows of {columns}; a coupling has as many rows as columns",
            path.display()
        )));
    }
    Array2::from_shape_vec((rows, columns), values).map_err(|error| Failure::BadInput(error.into()))
}

struct Summary {
    text: String,
    json: serde_json::Value,
}

fn summary(args: &SimulateArgs, network: &Network, path: &Trajectory, order: &[f64]) -> Summary {
    let half = order.len() / 2;
    let later = &order[half..];
    let mean = Array1::from(later.to_vec()).mean().unwrap_or(f64::NAN);
    let spread = metastability(later);
    let seconds = path.t_s.last().copied().unwrap_or(f64::NAN);
    let turned: Vec<f64> = path
        .theta
        .axis_iter(Axis(0))
        .map(|row| (row[row.len() - 1] - row[0]) / seconds / TAU)
        .collect();
    let mut text = String::new();
    let _ = writeln!(
        text,
        "{} oscillators, {seconds} s, seed {}: r {mean:.4} over the second half, metastability (sd of r) {spread:.4}",
        network.n_nodes(),
        args.seed
    );
    let observed = Array1::from(turned.clone());
    let _ = writeln!(
        text,
        "natural frequencies {:.3} +- {:.3} Hz, observed {:.3} +- {:.3} Hz",
        network.omega_rad_s().mean().unwrap_or(f64::NAN) / TAU,
        network.omega_rad_s().std(0.0) / TAU,
        observed.mean().unwrap_or(f64::NAN),
        observed.std(0.0)
    );
    let critical = mean_field_critical_coupling(density_at_mean(network.omega_rad_s().view()));
    if args.coupling_file.is_none() {
        let _ = writeln!(
            text,
            "coupling {} rad/s all to all; the transition of infinitely many lies near {critical:.2} rad/s",
            args.coupling
        );
    }
    let json = json!({
        "v": 1,
        "n": network.n_nodes(),
        "seed": args.seed,
        "seconds": seconds,
        "model": "kuramoto",
        "step_s": args.step.unwrap_or(STEP_S),
        "omega_hz": network.omega_rad_s().iter().map(|omega| omega / TAU).collect::<Vec<f64>>(),
        "coupling_rad_s": Matrix(network.coupling().at(0.0)),
        "noise_rad_sqrt_s": args.noise,
        "delay_s": args.delay,
        "inertia_s": args.inertia,
        "order_parameter": {"t_s": path.t_s, "r": order},
        "r_mean": mean,
        "metastability": spread,
        "observed_hz": turned,
        "mean_field_critical_rad_s": critical,
    });
    Summary { text, json }
}

fn table(path: &Trajectory, order: &[f64]) -> String {
    let mut text = String::from("t_s,r");
    for node in 1..=path.theta.nrows() {
        let _ = write!(text, ",theta_{node}");
    }
    text.push('\n');
    for ((t, r), phases) in path.t_s.iter().zip(order).zip(path.theta.columns()) {
        let _ = write!(text, "{t},{r}");
        for phase in phases {
            let _ = write!(text, ",{phase}");
        }
        text.push('\n');
    }
    text
}

fn arrays(network: &Network, path: &Trajectory, order: &[f64]) -> anyhow::Result<Vec<u8>> {
    let mut file = NpzWriter::new_compressed(std::io::Cursor::new(Vec::new()));
    file.add_array("t_s", &Array1::from(path.t_s.clone()))?;
    file.add_array("theta", &path.theta)?;
    file.add_array("r", &Array1::from(order.to_vec()))?;
    file.add_array("omega_rad_s", network.omega_rad_s())?;
    file.add_array("coupling_rad_s", &network.coupling().at(0.0))?;
    Ok(file.finish()?.into_inner())
}
