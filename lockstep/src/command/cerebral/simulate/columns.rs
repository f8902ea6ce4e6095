//! Columns of Jansen and Rit's instead of phases: potentials, and how alike they swing.

use std::fmt::Write as _;

use anyhow::Context;
use cerebral::SampleRate;
use cerebral::analyze::Matrix;
use cerebral::phase::{analytic_signal, phase, welch};
use cerebral::preprocess::remove_mean;
use cerebral::twin::jansen_rit::{Column, simulate_columns};
use cerebral::twin::{metastability, order_parameter};
use ndarray::{Array1, Array2, Axis, Slice};
use ndarray_npy::NpzWriter;
use serde_json::json;

use super::{SimulateArgs, Simulated, float, matrix, settings_with, whole, wrong};
use crate::command::cerebral::work::beside;
use crate::failure::Failure;
use crate::stop::Stop;

/// Step of the integrator where none is asked for.
const STEP_S: f64 = 5e-4;
/// Left out of every figure: columns start at rest and need this long to find their rhythm.
const SETTLE_S: f64 = 2.0;
/// Pieces of spectra, seconds.
const PIECE_S: f64 = 2.0;

pub(super) fn run(args: &SimulateArgs, stop: &Stop) -> Result<Simulated, Failure> {
    let step_s = args.step.unwrap_or(STEP_S);
    let run = settings_with(args, step_s)?;
    let weights = weights(args)?;
    let column = Column {
        input_noise: args.noise,
        ..Column::PUBLISHED
    };
    let columns = vec![column; weights.nrows()];
    let n_steps = whole(run.duration_s / run.step_s);
    let (weights, potential_mv) = beside(stop, move || {
        let path = simulate_columns(
            &columns,
            &weights,
            n_steps,
            run.step_s,
            run.record_every,
            run.seed,
        );
        (weights, path)
    })?;
    let potential_mv = potential_mv.map_err(wrong)?;
    let kept_hz = 1.0 / (run.step_s * float(run.record_every));
    told(args, step_s, kept_hz, &weights, &potential_mv)
}

fn weights(args: &SimulateArgs) -> Result<Array2<f64>, Failure> {
    if let Some(file) = &args.coupling_file {
        return matrix(file);
    }
    let n = usize::try_from(args.nodes).unwrap_or(usize::MAX);
    let each = args.coupling / float(n);
    Ok(Array2::from_shape_fn((n, n), |(i, j)| {
        if i == j { 0.0 } else { each }
    }))
}

fn told(
    args: &SimulateArgs,
    step_s: f64,
    kept_hz: f64,
    weights: &Array2<f64>,
    potential_mv: &Array2<f64>,
) -> Result<Simulated, Failure> {
    let wrong_rate = |error: cerebral::AnalysisError| Failure::WrongUse(error.to_string());
    let rate = SampleRate::new(kept_hz).map_err(wrong_rate)?;
    let skip = rate.samples(SETTLE_S).min(potential_mv.ncols() / 2);
    let later = potential_mv.slice_axis(Axis(1), Slice::from(skip..));
    let n_piece = rate.samples(PIECE_S).min(later.ncols());
    let spectrum = welch(later, n_piece, rate).map_err(wrong_rate)?;
    let peak_hz: Vec<f64> = spectrum
        .density
        .rows()
        .into_iter()
        .map(|row| {
            let peak = row
                .iter()
                .enumerate()
                .skip(1)
                .max_by(|a, b| a.1.total_cmp(b.1));
            peak.map_or(f64::NAN, |(bin, _)| spectrum.frequency_hz[bin])
        })
        .collect();
    let mut swings = later.to_owned();
    remove_mean(swings.view_mut());
    let order = order_parameter(phase(analytic_signal(swings.view()).view()).view());
    let r_mean = Array1::from(order.clone()).mean().unwrap_or(f64::NAN);
    let sd = later.std_axis(Axis(1), 0.0);
    let mean = later.mean_axis(Axis(1)).unwrap_or_default();
    let t_s: Vec<f64> = (0..potential_mv.ncols())
        .map(|at| rate.seconds(at))
        .collect();
    let mut text = String::new();
    let _ = writeln!(
        text,
        "{} columns of Jansen and Rit's, {} s, seed {}, the first {} s left out:",
        weights.nrows(),
        t_s.last().copied().unwrap_or(0.0),
        args.seed,
        rate.seconds(skip)
    );
    let average = |values: &[f64]| values.iter().sum::<f64>() / float(values.len());
    let _ = writeln!(
        text,
        "potential {:.3} mV, sd {:.3} mV; spectral peak {:.2} Hz; r of the potentials' phases {r_mean:.4}, metastability (sd of r) {:.4}",
        average(&mean.to_vec()),
        average(&sd.to_vec()),
        average(&peak_hz),
        metastability(&order)
    );
    let json = json!({
        "v": 1,
        "model": "jansen-rit",
        "n": weights.nrows(),
        "seed": args.seed,
        "step_s": step_s,
        "weights": Matrix(weights.clone()),
        "input_noise": args.noise,
        "left_out_s": rate.seconds(skip),
        "peak_hz": peak_hz,
        "potential_mv": {"mean": mean.to_vec(), "sd": sd.to_vec()},
        "order_parameter": {"t_s": t_s[skip..], "r": order},
        "r_mean": r_mean,
        "metastability": metastability(&order),
    });
    Ok(Simulated {
        text,
        json,
        table: table(&t_s, potential_mv),
        arrays: arrays(&t_s, weights, potential_mv).context("could not write NPZ")?,
    })
}

fn table(t_s: &[f64], potential_mv: &Array2<f64>) -> String {
    let mut text = String::from("t_s");
    for node in 1..=potential_mv.nrows() {
        let _ = write!(text, ",potential_mv_{node}");
    }
    text.push('\n');
    for (t, column) in t_s.iter().zip(potential_mv.columns()) {
        let _ = write!(text, "{t}");
        for value in column {
            let _ = write!(text, ",{value}");
        }
        text.push('\n');
    }
    text
}

fn arrays(
    t_s: &[f64],
    weights: &Array2<f64>,
    potential_mv: &Array2<f64>,
) -> anyhow::Result<Vec<u8>> {
    let mut file = NpzWriter::new_compressed(std::io::Cursor::new(Vec::new()));
    file.add_array("t_s", &Array1::from(t_s.to_vec()))?;
    file.add_array("potential_mv", potential_mv)?;
    file.add_array("weights", weights)?;
    Ok(file.finish()?.into_inner())
}
