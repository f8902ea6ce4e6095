//! What can be typed: subcommands, options, help with examples. Absent: what they do.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};
use ingest::replay::Pace;
use windowing::shard::Shard;

use crate::metrics;

/// Puts streams on one clock and says what is true between them.
#[derive(Debug, Parser)]
#[command(
    name = "lockstep",
    version,
    after_help = "\
Examples:
  lockstep                                   everything at once, over imitated exchanges
  lockstep up --source live                  the same with the real exchanges
  lockstep replay examples/two-venues.capture --out spreads.jsonl
  lockstep window --from ticks.jsonl --out spreads.jsonl --late late.jsonl
  lockstep config --config my.toml

Exit codes: 0 done, 1 failed, 2 wrong use, 3 bad input, 4 fenced (another process has taken over), 130 interrupted.
Data goes to stdout, talk to stderr. LOCKSTEP_LOG=debug shows more of it."
)]
pub(crate) struct Cli {
    /// Settings that differ from the defaults (see `lockstep config`).
    #[arg(long, global = true, value_name = "FILE", env = "LOCKSTEP_CONFIG")]
    pub(crate) config: Option<PathBuf>,
    /// What to do; `demo` where nothing is said.
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
}

/// The subcommands.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Everything at once: imitated exchanges and a simulated headset, all stages, the dashboard, a stand-in for Discord.
    Demo(DemoArgs),
    /// Captures to spreads, without a broker, as fast as it goes.
    Replay(ReplayArgs),
    /// Ticks to spreads: from a file as one partition, or from a broker until stopped.
    Window(WindowArgs),
    /// All stages in one process: a source, a broker, windows, alerts, the dashboard.
    Up(UpArgs),
    /// Raw frames of the live exchanges into a capture file.
    Record(RecordArgs),
    /// Live exchanges to `ticks` on a broker.
    Ingest(IngestArgs),
    /// Spreads and venue states of a broker to `alerts` and Discord.
    Alert(crate::command::alert::AlertArgs),
    /// What stands on a broker's topics, on the terminal.
    Dashboard(crate::command::dashboard::DashboardArgs),
    /// The imitated exchanges and a stand-in for Discord alone, on loopback ports.
    Simulate(crate::command::simulate::SimulateArgs),
    /// EEG: recordings, boards and streams to phases, connectivity, a twin, a report.
    Cerebral(crate::command::cerebral::CerebralArgs),
    /// Shows the topics, compares them with what a broker has, makes them.
    Topics(TopicsArgs),
    /// What could not be read: lists it, shows it, sends it again.
    DeadLetters(crate::command::dead_letters::DeadLettersArgs),
    /// Asks whether the broker answers and has the topics, or whether a stage works; exit code 0 if so.
    Health(HealthArgs),
    /// Prints every setting in force, or the commented defaults.
    Config(ConfigArgs),
    /// Prints a completion script for a shell.
    Completions {
        /// Which shell.
        shell: clap_complete::Shell,
    },
}

impl Default for Command {
    fn default() -> Self {
        Self::Demo(DemoArgs::default())
    }
}

impl Command {
    /// Whether it takes the terminal for the dashboard.
    pub(crate) fn has_dashboard(&self) -> bool {
        match self {
            Self::Demo(args) => !args.headless,
            Self::Up(args) => !args.headless,
            Self::Dashboard(_) => true,
            Self::Cerebral(args) => args.has_dashboard(),
            _ => false,
        }
    }
}

/// Which symbols become pairs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Pairs {
    /// Those that the configuration names; others are counted and listed.
    Configured,
    /// Those, and every other symbol as a pair of its own.
    All,
}

/// Reads a time above zero.
pub(crate) fn duration(text: &str) -> Result<Duration, String> {
    let fault = || "expected a time above zero such as `30s`, `5m` or `1h30m`".to_owned();
    let signed: jiff::SignedDuration = text.parse().map_err(|_| fault())?;
    match Duration::try_from(signed) {
        Ok(duration) if !duration.is_zero() => Ok(duration),
        _ => Err(fault()),
    }
}

/// What `replay` takes.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  lockstep replay examples/two-venues.capture --out spreads.jsonl
  lockstep replay coinbase.capture.zst binance.capture.gz > spreads.jsonl
  lockstep replay day.capture.gz --speed 10x --broker 127.0.0.1:9092")]
pub(crate) struct ReplayArgs {
    /// Capture files (plain, .gz, .zst), merged by their receive stamps; `-` is standard input.
    #[arg(required = true, value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
    /// Where the spreads go, one JSON record a line; `-` is standard output.
    #[arg(long, value_name = "FILE", default_value = "-")]
    pub(crate) out: PathBuf,
    /// Where late ticks go.
    #[arg(long, value_name = "FILE", conflicts_with = "broker")]
    pub(crate) late: Option<PathBuf>,
    /// Where unreadable frames and records go, untouched, one a line.
    #[arg(long, value_name = "FILE", conflicts_with = "broker")]
    pub(crate) dead_letters: Option<PathBuf>,
    /// Which symbols become pairs.
    #[arg(long, value_enum, default_value_t = Pairs::Configured)]
    pub(crate) pairs: Pairs,
    /// How fast: `max`, or `1x`, `10x`, `0.5x` of the recorded pace.
    #[arg(long, default_value = "max")]
    pub(crate) speed: Pace,
    /// Publishes `ticks` to this broker instead of making spreads here.
    #[arg(long, value_name = "HOST:PORT", conflicts_with = "out")]
    pub(crate) broker: Option<String>,
    /// Worker threads; the same spreads with any number.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=64))]
    pub(crate) workers: Option<u16>,
    /// Prints the closing figures as one line of JSON on standard output (needs --out FILE or --broker).
    #[arg(long)]
    pub(crate) json: bool,
}

/// What `window` takes.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  lockstep window --from ticks.jsonl --out spreads.jsonl --late late.jsonl --dead-letters bad.txt
  lockstep window --broker 127.0.0.1:9092 --shard 1/2 --workers 3
  lockstep window --broker 127.0.0.1:9092 --delivery at-least-once --start end")]
pub(crate) struct WindowArgs {
    /// Records as they stand on `ticks`, one per line, taken as one partition; `-` is standard input.
    #[arg(long, value_name = "FILE")]
    pub(crate) from: Option<PathBuf>,
    /// Where the spreads go; `-` is standard output.
    #[arg(long, value_name = "FILE", default_value = "-", requires = "from")]
    pub(crate) out: PathBuf,
    /// Where late ticks go.
    #[arg(long, value_name = "FILE", requires = "from")]
    pub(crate) late: Option<PathBuf>,
    /// Where unreadable records go, untouched, one a line.
    #[arg(long, value_name = "FILE", requires = "from")]
    pub(crate) dead_letters: Option<PathBuf>,
    /// The broker; its `ticks` are read and its `spreads` written. Default: `kafka.brokers` of the settings.
    #[arg(long, value_name = "HOST:PORT", conflicts_with = "from")]
    pub(crate) broker: Option<String>,
    /// Where in `ticks` to start; exactly-once goes on from where it was, and starts here only the first time.
    #[arg(long, value_enum, default_value_t = StartAt::Beginning, conflicts_with = "from")]
    pub(crate) start: StartAt,
    /// What a crash may do to the output. Default: `windowing.delivery` of the settings.
    #[arg(long, value_enum, conflicts_with = "from")]
    pub(crate) delivery: Option<DeliveryArg>,
    /// Forgets what was committed and starts anew, writing again what was written before.
    #[arg(long, conflicts_with = "from")]
    pub(crate) from_start: bool,
    /// The share of the partitions that is this process's: the second of three is 2/3. Each share needs a process of its own.
    #[arg(long, value_name = "I/N", default_value_t = Shard::ALL, conflicts_with = "from")]
    pub(crate) shard: Shard,
    /// Worker threads; the same spreads with any number.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=64))]
    pub(crate) workers: Option<u16>,
    /// Serves /metrics and /healthz here; a port alone is of this machine alone. Default: `metrics.listen` of the settings.
    #[arg(long, value_name = "HOST:PORT", value_parser = metrics::listen, conflicts_with = "from")]
    pub(crate) metrics: Option<String>,
    /// Prints the closing figures as one line of JSON on standard output (needs --out FILE or a broker).
    #[arg(long)]
    pub(crate) json: bool,
}

/// What a crash may do to the output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum DeliveryArg {
    /// Readers of what is committed see each record once; needs Apache Kafka.
    ExactlyOnce,
    /// Records may be written twice, none is lost.
    AtLeastOnce,
}

/// Where in a topic to start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum StartAt {
    /// With the oldest record there is: nothing is lost, spreads that were written before are written again.
    Beginning,
    /// With what comes from now on.
    End,
}

/// What `demo` takes.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  lockstep demo
  lockstep demo --headless --for 30s
  LOCKSTEP_ALERTER__WEBHOOK_URL_FILE=webhook.txt lockstep demo      alerts go to your own Discord

Nothing is read from the network: the exchanges are imitated on this machine, and so is Discord unless a webhook is set.")]
pub(crate) struct DemoArgs {
    /// Without the dashboard: runs, and ends with a summary.
    #[arg(long)]
    pub(crate) headless: bool,
    /// Stops after this time, e.g. `30s`.
    #[arg(long = "for", value_name = "TIME", value_parser = duration)]
    pub(crate) run_for: Option<Duration>,
    /// Where the spreads go; `-` is standard output.
    #[arg(long, value_name = "FILE", requires = "headless")]
    pub(crate) out: Option<PathBuf>,
    /// The same seed gives the same market.
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(crate) seed: u64,
    /// Serves /metrics and /healthz here; a port alone is of this machine alone. Default: `metrics.listen` of the settings.
    #[arg(long, value_name = "HOST:PORT", value_parser = metrics::listen)]
    pub(crate) metrics: Option<String>,
    /// Prints the closing figures as one line of JSON on standard output.
    #[arg(long, requires = "headless")]
    pub(crate) json: bool,
}

impl Default for DemoArgs {
    /// As when nothing is said.
    fn default() -> Self {
        Self {
            headless: false,
            run_for: None,
            out: None,
            seed: 1,
            metrics: None,
            json: false,
        }
    }
}

/// What `up` takes.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  lockstep up --source live
  lockstep up --source live --headless --for 10m --out spreads.jsonl
  lockstep up --source day.capture.zst --speed 10x
  lockstep up --source examples/two-venues.capture --headless")]
pub(crate) struct UpArgs {
    /// Capture files to play, `live` for the exchanges, or `sim` for imitated ones.
    #[arg(long, required = true, num_args = 1.., value_name = "FILE|live|sim")]
    pub(crate) source: Vec<PathBuf>,
    /// `embedded` for a broker inside this process, or the address of one.
    #[arg(long, value_name = "embedded|HOST:PORT", default_value = "embedded")]
    pub(crate) broker: String,
    /// Without the dashboard: spreads as lines of JSON.
    #[arg(long)]
    pub(crate) headless: bool,
    /// Stops after this time, e.g. `30s`.
    #[arg(long = "for", value_name = "TIME", value_parser = duration)]
    pub(crate) run_for: Option<Duration>,
    /// Where the spreads go, read back from the broker; `-`, the default, is standard output.
    #[arg(long, value_name = "FILE", requires = "headless")]
    pub(crate) out: Option<PathBuf>,
    /// Which symbols become pairs.
    #[arg(long, value_enum, default_value_t = Pairs::Configured)]
    pub(crate) pairs: Pairs,
    /// How fast files play: `max`, or `1x`, `10x`, `0.5x` of the recorded pace [default: `1x` on the dashboard, else `max`].
    #[arg(long)]
    pub(crate) speed: Option<Pace>,
    /// Worker threads; the same spreads with any number.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=64))]
    pub(crate) workers: Option<u16>,
    /// Seed of `sim`.
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(crate) seed: u64,
    /// Records the raw frames of `live` or `sim` beside, into a new .capture, .capture.gz or .capture.zst.
    #[arg(long, value_name = "FILE")]
    pub(crate) record: Option<PathBuf>,
    /// Serves /metrics and /healthz here; a port alone is of this machine alone. Default: `metrics.listen` of the settings.
    #[arg(long, value_name = "HOST:PORT", value_parser = metrics::listen)]
    pub(crate) metrics: Option<String>,
    /// Prints the closing figures as one line of JSON on standard output (needs --out FILE).
    #[arg(long, requires = "headless")]
    pub(crate) json: bool,
}

/// What `record` takes.
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  lockstep record --out today.capture.zst --for 10m")]
pub(crate) struct RecordArgs {
    /// The capture to write; its ending says how it is packed: .capture, .capture.gz, .capture.zst.
    #[arg(long, value_name = "FILE")]
    pub(crate) out: PathBuf,
    /// Only these venues of the settings.
    #[arg(long, value_name = "NAME")]
    pub(crate) venue: Vec<String>,
    /// Stops after this time, e.g. `10m`.
    #[arg(long = "for", value_name = "TIME", value_parser = duration)]
    pub(crate) run_for: Option<Duration>,
}

/// What `ingest` takes.
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  lockstep ingest --broker 127.0.0.1:9092 --venue binance --venue coinbase
  lockstep ingest --record today.capture.zst")]
pub(crate) struct IngestArgs {
    /// The broker. Default: `kafka.brokers` of the settings.
    #[arg(long, value_name = "HOST:PORT")]
    pub(crate) broker: Option<String>,
    /// Only these venues of the settings.
    #[arg(long, value_name = "NAME")]
    pub(crate) venue: Vec<String>,
    /// Stops after this time, e.g. `10m`.
    #[arg(long = "for", value_name = "TIME", value_parser = duration)]
    pub(crate) run_for: Option<Duration>,
    /// Records the raw frames beside, into a new .capture, .capture.gz or .capture.zst.
    #[arg(long, value_name = "FILE")]
    pub(crate) record: Option<PathBuf>,
    /// Serves /metrics and /healthz here; a port alone is of this machine alone. Default: `metrics.listen` of the settings.
    #[arg(long, value_name = "HOST:PORT", value_parser = metrics::listen)]
    pub(crate) metrics: Option<String>,
}

/// What `topics` takes.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  lockstep topics
  lockstep topics --broker 127.0.0.1:9092 --check
  lockstep topics --broker 127.0.0.1:9092 --create")]
pub(crate) struct TopicsArgs {
    /// The broker. Default: `kafka.brokers` of the settings.
    #[arg(long, value_name = "HOST:PORT")]
    pub(crate) broker: Option<String>,
    /// Compares what the broker has with what is expected; exit code 1 where they differ.
    #[arg(long)]
    pub(crate) check: bool,
    /// Makes what is missing, then compares.
    #[arg(long, conflicts_with = "check")]
    pub(crate) create: bool,
    /// As JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

/// What `health` takes.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  lockstep health --broker 127.0.0.1:9092
  lockstep health --url http://127.0.0.1:9464/healthz      a stage that runs with --metrics 9464")]
pub(crate) struct HealthArgs {
    /// The broker. Default: `kafka.brokers` of the settings.
    #[arg(long, value_name = "HOST:PORT", conflicts_with = "url")]
    pub(crate) broker: Option<String>,
    /// Asks a running stage instead, at the place where it serves its metrics.
    #[arg(long, value_name = "URL", value_parser = crate::command::health::url)]
    pub(crate) url: Option<hyper::Uri>,
    /// How long to wait for an answer.
    #[arg(long, value_name = "TIME", value_parser = duration, default_value = "5s")]
    pub(crate) timeout: Duration,
    /// As JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

/// What `config` takes.
#[derive(Debug, Args)]
pub(crate) struct ConfigArgs {
    /// The commented defaults, to start a file of your own from.
    #[arg(long)]
    pub(crate) defaults: bool,
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn times_are_above_zero() {
        assert_eq!(duration("30s"), Ok(Duration::from_secs(30)));
        assert_eq!(duration("1h30m"), Ok(Duration::from_secs(5_400)));
        for text in ["", "30", "-5s", "0s", "soon"] {
            assert!(duration(text).is_err(), "{text}");
        }
    }
}
