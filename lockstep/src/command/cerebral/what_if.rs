//! `lockstep cerebral what-if`: a recording's twin, stimulated.

use anyhow::Context;
use cerebral::analyze::{Options, StepId};
use clap::Args;
use contract::config::Config;

use super::args::{OutputArgs, RecordingArgs, StimulusArgs, TestArgs};
use super::live::{self, LiveArgs};
use super::work;
use crate::failure::Outcome;
use crate::stop::Stop;

/// What `cerebral what-if` takes.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  lockstep cerebral what-if recording.txt                                    every node, ranked
  lockstep cerebral what-if recording.txt --node 3 --kind entrain --amplitude 5 --frequency 10
  lockstep cerebral what-if recording.txt --node Cz --kind pulses --amplitude 0.5 --json effect.json
  lockstep cerebral what-if sim --live --broker 127.0.0.1:9092 --node 3 --kind locked --delta 3.14 --for 60s

The twin is found first, so this takes as long as `calibrate`. Effects are differences between runs with and without the
stimulus under the same noise; they are statements about the twin. With --live the twin of a running session is stimulated,
window by window.")]
pub(crate) struct WhatIfArgs {
    #[command(flatten)]
    recording: RecordingArgs,
    #[command(flatten)]
    test: TestArgs,
    #[command(flatten)]
    stimulus: StimulusArgs,
    #[command(flatten)]
    live: LiveArgs,
    #[command(flatten)]
    output: OutputArgs,
}

/// Finds the twin, stimulates it, prints and writes what happens.
pub(crate) fn run(args: &WhatIfArgs, config: &Config, stop: &Stop) -> Outcome {
    if args.live.live {
        let session = args.recording.file.to_string_lossy();
        let json = args.output.json.as_ref();
        return live::run(&session, &args.live, &args.stimulus, json, config, stop);
    }
    let until = if args.stimulus.node.is_some() {
        StepId::WhatIf
    } else {
        StepId::Scan
    };
    let mut options = Options {
        until,
        skip: vec![
            StepId::Pli,
            StepId::Wpli,
            StepId::Windows,
            StepId::Simulation,
        ],
        ..Options::default()
    };
    args.recording.fill(&mut options)?;
    args.test.fill(&mut options);
    args.stimulus.fill(&mut options)?;
    let shown = [StepId::Surrogates, StepId::Calibration, until];
    let analysis = work::run(
        "what-if",
        &args.recording,
        &args.output,
        options,
        &shown,
        stop,
    )?;
    work::must_have(&analysis, until)?;
    let json = serde_json::to_value(&analysis).context("could not write JSON")?;
    work::told(&args.output.write(&analysis, &json)?)
}
