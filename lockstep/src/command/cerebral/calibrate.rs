//! `lockstep cerebral calibrate`: a recording's twin and what it is worth.

use anyhow::Context;
use cerebral::analyze::{Options, StepId};
use clap::Args;
use serde_json::Value;

use super::args::{OutputArgs, RecordingArgs, TestArgs};
use super::work;
use crate::failure::Outcome;
use crate::stop::Stop;

/// What `cerebral calibrate` takes.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  lockstep cerebral calibrate recording.txt --json twin.json
  lockstep cerebral calibrate eyes-closed.edf --channels O1,O2,Pz --segment clean --band 8-13

Natural frequencies and couplings are found from the recording alone, trained on the first four fifths and judged on the
rest against no coupling and shuffled coupling. Couplings below the noise floor are not claimed.")]
pub(crate) struct CalibrateArgs {
    #[command(flatten)]
    recording: RecordingArgs,
    #[command(flatten)]
    test: TestArgs,
    #[command(flatten)]
    output: OutputArgs,
}

/// Steps that a twin does not need.
const NOT_NEEDED: [StepId; 3] = [StepId::Pli, StepId::Wpli, StepId::Windows];
/// What stands in the JSON.
const WRITTEN: [&str; 8] = [
    "v",
    "manifest",
    "steps",
    "verdict",
    "recording",
    "analysis",
    "frequency_hz",
    "twin",
];

/// Finds the twin, prints it, writes the files.
pub(crate) fn run(args: &CalibrateArgs, stop: &Stop) -> Outcome {
    let mut options = Options {
        until: StepId::Simulation,
        skip: NOT_NEEDED.to_vec(),
        ..Options::default()
    };
    args.recording.fill(&mut options)?;
    args.test.fill(&mut options);
    let shown = [
        StepId::Inversion,
        StepId::Surrogates,
        StepId::Calibration,
        StepId::Simulation,
    ];
    let analysis = work::run(
        "calibrate",
        &args.recording,
        &args.output,
        options,
        &shown,
        stop,
    )?;
    work::must_have(&analysis, StepId::Calibration)?;
    let mut json = serde_json::to_value(&analysis).context("could not write JSON")?;
    if let Value::Object(fields) = &mut json {
        fields.retain(|name, _| WRITTEN.contains(&name.as_str()));
    }
    work::told(&args.output.write(&analysis, &json)?)
}
