//! `lockstep cerebral`: EEG recordings and their twins, offline and as they come.

mod analyze;
mod args;
mod calibrate;
mod input;
mod live;
mod output;
mod screen;
mod simulate;
mod stream;
mod what_if;
mod work;

use clap::{Args, Subcommand};
use contract::config::Config;
use dashboard_tui::log::LogBuffer;

use crate::failure::Outcome;
use crate::stop::Stop;

/// What `cerebral` takes.
#[derive(Debug, Args)]
pub(crate) struct CerebralArgs {
    /// What to do.
    #[command(subcommand)]
    command: CerebralCommand,
}

/// The subcommands of `cerebral`.
#[derive(Debug, Subcommand)]
enum CerebralCommand {
    /// A recording to phases, connectivity with its significance, a twin, what-if runs, a report.
    Analyze(Box<analyze::AnalyzeArgs>),
    /// A recording or a board to windows as they come: phases, connectivity, significance.
    Stream(Box<stream::StreamArgs>),
    /// A recording to its twin: natural frequencies and couplings, judged on what it has not seen.
    Calibrate(Box<calibrate::CalibrateArgs>),
    /// A recording to its twin, and what stimulating a node does to it.
    WhatIf(Box<what_if::WhatIfArgs>),
    /// A network of oscillators alone, without a recording.
    Simulate(Box<simulate::SimulateArgs>),
}

impl CerebralArgs {
    /// Whether it takes the terminal for the dashboard.
    pub(crate) fn has_dashboard(&self) -> bool {
        matches!(&self.command, CerebralCommand::Stream(args) if args.has_dashboard())
    }

    /// Whether it runs until somebody stops it.
    pub(crate) fn runs_on(&self) -> bool {
        matches!(self.command, CerebralCommand::Stream(_))
    }
}

/// Runs a subcommand.
pub(crate) fn run(
    args: &CerebralArgs,
    config: &Config,
    logs: Option<&LogBuffer>,
    stop: &Stop,
) -> Outcome {
    match &args.command {
        CerebralCommand::Analyze(args) => analyze::run(args, stop),
        CerebralCommand::Calibrate(args) => calibrate::run(args, stop),
        CerebralCommand::WhatIf(args) => what_if::run(args, config, stop),
        CerebralCommand::Stream(args) => stream::run(args, config, logs, stop),
        CerebralCommand::Simulate(args) => simulate::run(args, stop),
    }
}
