//! The one binary: reads the command line and the settings, starts the log, and calls a stage.

mod cli;
mod command;
mod eeg;
mod failure;
mod files;
mod front;
mod live;
mod metrics;
mod pipe;
mod progress;
mod report;
mod settings;
mod simulated;
mod source;
mod stages;
mod stop;
mod table;

use std::io::{IsTerminal, Write};
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use clap::{CommandFactory, Parser};
use cli::{Cli, Command};
use contract::time::SystemClock;
use dashboard_tui::log::LogBuffer;
use failure::Outcome;
use stop::Stop;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

/// Lines of the log that the dashboard keeps.
const LOG_LINES: usize = 5_000;

fn main() -> ExitCode {
    let cli = Cli::parse();
    let command = cli.command.unwrap_or_default();
    let logs = start_log(&command);
    match run(&command, cli.config.as_deref(), logs.as_ref()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            if let Some(text) = failure.text() {
                let _ = writeln!(std::io::stderr(), "lockstep: {text}");
            }
            ExitCode::from(failure.code())
        }
    }
}

fn run(command: &Command, file: Option<&Path>, logs: Option<&LogBuffer>) -> Outcome {
    match command {
        Command::Config(args) => return command::config::run(args, file),
        Command::Completions { shell } => {
            clap_complete::generate(
                *shell,
                &mut Cli::command(),
                "lockstep",
                &mut std::io::stdout(),
            );
            return Ok(());
        }
        _ => {}
    }
    let config = settings::load(file)?;
    let stop = Stop::on_signals()?;
    match command {
        Command::Demo(args) => command::up::demo(args, &config, logs, &stop),
        Command::Up(args) => command::up::run(args, &config, logs, &stop),
        Command::Replay(args) => command::replay::run(args, &config, &stop),
        Command::Window(args) => command::window::run(args, &config, &stop),
        Command::Simulate(args) => command::simulate::run(args, &config, &stop),
        Command::Cerebral(args) => command::cerebral::run(args, &config, logs, &stop),
        Command::Topics(args) => command::topics::run(args, &config),
        Command::DeadLetters(args) => command::dead_letters::run(args, &config, &stop),
        Command::Health(args) => command::health::run(args, &config),
        Command::Record(args) => command::record::run(args, &config, &stop),
        Command::Ingest(args) => command::ingest::run(args, &config, &stop),
        Command::Alert(args) => command::alert::run(args, &config, &stop),
        Command::Dashboard(args) => command::dashboard::run(args, &config, logs, &stop),
        Command::Config(_) | Command::Completions { .. } => unreachable!("they were run above"),
    }
}

/// Talk goes to stderr: much of it from what runs on, little from what ends by itself. Where the dashboard has the
/// terminal, the log is kept for its view instead.
fn start_log(command: &Command) -> Option<LogBuffer> {
    let level = match command {
        Command::Window(args) if args.from.is_none() => "info",
        Command::Alert(_) | Command::Ingest(_) | Command::Record(_) | Command::Simulate(_) => {
            "info"
        }
        Command::Cerebral(args) if args.runs_on() => "info",
        command if command.has_dashboard() => "info",
        _ => "warn",
    };
    #[expect(
        clippy::disallowed_methods,
        reason = "the log starts before the settings are read"
    )]
    let wanted =
        std::env::var("LOCKSTEP_LOG").unwrap_or_else(|_| format!("{level},librdkafka=off"));
    let filter = EnvFilter::try_new(wanted).unwrap_or_else(|_| EnvFilter::new(level));
    if command.has_dashboard() {
        let logs = LogBuffer::new(LOG_LINES);
        tracing_subscriber::registry()
            .with(filter)
            .with(logs.layer(Arc::new(SystemClock)))
            .init();
        return Some(logs);
    }
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .with_target(false)
        .init();
    None
}
