//! The one binary: reads the command line and the settings, starts the log, and calls a stage.

mod cli;
mod command;
mod failure;
mod files;
mod live;
mod pipe;
mod progress;
mod report;
mod settings;
mod stop;
mod table;

use std::io::{IsTerminal, Write};
use std::process::ExitCode;

use clap::{CommandFactory, Parser};
use cli::{Cli, Command};
use failure::Outcome;
use stop::Stop;
use tracing_subscriber::EnvFilter;

fn main() -> ExitCode {
    let cli = Cli::parse();
    start_log(&cli.command);
    match run(&cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            if let Some(text) = failure.text() {
                let _ = writeln!(std::io::stderr(), "lockstep: {text}");
            }
            ExitCode::from(failure.code())
        }
    }
}

fn run(cli: &Cli) -> Outcome {
    let file = cli.config.as_deref();
    match &cli.command {
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
    match &cli.command {
        Command::Replay(args) => command::replay::run(args, &config, &stop),
        Command::Up(args) => command::up::run(args, &config, &stop),
        Command::Window(args) => command::window::run(args, &config, &stop),
        Command::Topics(args) => command::topics::run(args, &config),
        Command::Health(args) => command::health::run(args, &config),
        Command::Record(args) => command::record::run(args, &config, &stop),
        Command::Ingest(args) => command::ingest::run(args, &config, &stop),
        Command::Config(_) | Command::Completions { .. } => unreachable!("they were run above"),
    }
}

/// Talk goes to stderr: much of it from what runs on, little from what ends by itself.
fn start_log(command: &Command) {
    let level = match command {
        Command::Window(args) if args.from.is_none() => "info",
        Command::Ingest(_) | Command::Record(_) => "info",
        _ => "warn",
    };
    #[expect(
        clippy::disallowed_methods,
        reason = "the log starts before the settings are read"
    )]
    let wanted =
        std::env::var("LOCKSTEP_LOG").unwrap_or_else(|_| format!("{level},librdkafka=off"));
    tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::try_new(wanted).unwrap_or_else(|_| EnvFilter::new(level)))
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .with_target(false)
        .init();
}
