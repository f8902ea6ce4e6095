//! `lockstep cerebral stream`: a recording, a board or the simulated headset, window by window as it comes.

mod copy;
mod options;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context;
use cerebral::SampleRate;
use cerebral::board::session::DaisyUse;
use cerebral::feed::{FeedError, FeedOptions, FeedSpec};
use cerebral::source::Board;
use cerebral::stream::twin::Pool;
use cerebral::stream::window::WindowAnalyst;
use cerebral::stream::work::StreamSettings;
use clap::{Args, ValueEnum};
use contract::config::{Config, Delivery as Settled};
use dashboard_tui::config::ViewName;
use dashboard_tui::log::LogBuffer;
use ingest::replay::Pace;
use kafka_io::{Broker, KafkaError, Start};
use windowing::run::{Delivery, ExactlyOnce};
use windowing::shard::Shard;

use super::args::board;
use crate::cli::{self, DeliveryArg};
use crate::eeg::{self, Done, Feeding, View, Windowing};
use crate::failure::{Failure, Outcome};
use crate::files;
use crate::metrics::{self, Metrics};
use crate::simulated::SimulatedHeadset;
use crate::stop::Stop;
use crate::table::Summary;
use crate::{front, live, report, settings};
use copy::StateCopy;
use options::{TwinArgs, WindowsArgs, wrong_use};

/// What a Cyton sends.
const CYTON_HZ: f64 = 250.0;

/// What `cerebral stream` takes.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  lockstep cerebral stream --source sim                                the simulated headset on the dashboard
  lockstep cerebral stream --source eyes-closed.txt                    a recording at its own pace
  lockstep cerebral stream --source eyes-closed.txt.gz --speed max --headless --json states.jsonl
  lockstep cerebral stream --source serial:/dev/ttyUSB0 --notch 50     an OpenBCI Cyton, with its Daisy if there is one
  lockstep cerebral stream --source udp:12345                          what the OpenBCI GUI sends
  lockstep cerebral stream --broker 127.0.0.1:9092                     windows of all sessions on a broker, until stopped
  lockstep cerebral stream --source sim --broker 127.0.0.1:9092 --feed-only

Windows of 2 s every second: phases, frequencies, PLI and wPLI with their significance against surrogates of the last ten
windows. They are those of `lockstep cerebral analyze --windows buffered`, bit for bit.")]
pub(crate) struct StreamArgs {
    /// Where samples come from: FILE, serial:DEVICE, udp:PORT, lsl:NAME or sim. Default: what stands on the broker.
    #[arg(long, value_name = "SOURCE", required_unless_present = "broker")]
    source: Option<FeedSpec>,
    /// Name of the session. Default: that of the file or device.
    #[arg(long, value_name = "NAME", requires = "source")]
    session: Option<String>,
    /// How fast a recording or the simulated headset goes: `1x`, `10x`, `0.5x` of life; a recording also `max`.
    #[arg(long, default_value = "1x", requires = "source")]
    speed: Pace,
    /// Samples a second, where the source does not say, or a file says it wrongly: this one holds, with a warning (EDF and BDF: the
    /// file's). A Cyton says its own.
    #[arg(long, value_name = "HZ", requires = "source", help_heading = "Source")]
    rate: Option<f64>,
    /// The board of a BrainFlow file.
    #[arg(long, value_parser = board, requires = "source", help_heading = "Source")]
    board: Option<Board>,
    /// The second eight channels of a Daisy: moved onto the Cyton's time, or left out.
    #[arg(long, value_enum, default_value_t = Daisy::Compensated, requires = "source", help_heading = "Source")]
    daisy: Daisy,
    /// How long a block of samples is: less is sooner, more is cheaper.
    #[arg(long, value_name = "TIME", value_parser = cli::duration, default_value = "40ms", requires = "source", help_heading = "Source")]
    block: Duration,
    /// `embedded`, or a cluster. Default: embedded where there is a source.
    #[arg(long, value_name = "embedded|HOST:PORT")]
    broker: Option<String>,
    /// Publishes samples alone; windows are made by who runs this without --source.
    #[arg(long, requires = "source", conflicts_with = "json")]
    feed_only: bool,
    /// Without the dashboard: runs, and ends with a summary.
    #[arg(long)]
    headless: bool,
    /// One state a line as windows close; `-` is standard output (needs --headless).
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Stops after this time, e.g. `30s`.
    #[arg(long = "for", value_name = "TIME", value_parser = cli::duration)]
    run_for: Option<Duration>,
    #[command(flatten)]
    windows: WindowsArgs,
    #[command(flatten)]
    twin: TwinArgs,
    #[command(flatten)]
    job: JobArgs,
}

/// How the work is done on a cluster.
#[derive(Debug, Args)]
#[command(next_help_heading = "Work")]
struct JobArgs {
    /// Worker threads; the same states with any number. Default: `cerebral.workers` of the settings.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=64))]
    workers: Option<u16>,
    /// What a crash may do to the output on a cluster. Default: `cerebral.delivery` of the settings.
    #[arg(long, value_enum)]
    delivery: Option<DeliveryArg>,
    /// Forgets what was committed and starts anew, writing again what was written before.
    #[arg(long)]
    from_start: bool,
    /// The share of the partitions that is this process's: the second of three is 2/3. Each share needs a process of its own.
    #[arg(long, value_name = "I/N", default_value_t = Shard::ALL)]
    shard: Shard,
    /// Serves /metrics and /healthz here; a port alone is of this machine alone. Default: `metrics.listen` of the settings.
    #[arg(long, value_name = "HOST:PORT", value_parser = metrics::listen)]
    metrics: Option<String>,
}

/// What is done with a Daisy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Daisy {
    /// Sixteen channels at 125 Hz on one time.
    Compensated,
    /// The Cyton's eight alone.
    Off,
}

/// Runs until the source ends or somebody stops it.
pub(crate) fn run(
    args: &StreamArgs,
    config: &Config,
    logs: Option<&LogBuffer>,
    stop: &Stop,
) -> Outcome {
    args.check()?;
    let started = Instant::now();
    let metrics = Metrics::serve(args.job.metrics.as_deref(), config)?;
    // What can be wrong with the source is told before anything is started or made.
    let headset = match &args.source {
        Some(FeedSpec::Sim) => Some(SimulatedHeadset::start(args.windows.seed, args.times()?)?),
        _ => None,
    };
    let feeding = args.feeding(headset.as_ref())?;
    args.check_rate(feeding.as_ref())?;
    let broker = match &args.broker {
        Some(address) => settings::broker(config, address)?,
        None => settings::broker(config, "embedded")?,
    };
    let states = args.json.as_deref().map(files::create).transpose()?;
    tracing::info!(broker = broker.describe(), "cerebral");
    report::await_topics(&broker, &metrics, stop)?;
    let windowing = (!args.feed_only)
        .then(|| args.windowing(&broker, config))
        .transpose()?;
    let copy = states.map(|out| StateCopy::new(&broker, out)).transpose()?;
    let plan = eeg::Plan {
        broker: &broker,
        feeding,
        windowing,
        metrics: &metrics,
        stop,
    };
    let deadline = live::stop_after(args.run_for, stop);
    let done = eeg::run(plan, |view| {
        std::thread::scope(|scope| {
            let copying = copy
                .map(|copy| crate::stages::named(scope, "states", stop, move || copy.run(view)));
            let shown = match logs {
                Some(logs) => {
                    let mut shown = front::dashboard_settings(config, args.describe(&broker));
                    shown.view = ViewName::Brain;
                    front::dashboard(&broker, &shown, logs, stop)
                }
                None => {
                    args.watch(view, stop);
                    Ok(())
                }
            };
            let copied = copying.map(|thread| crate::stages::join(thread, "copying states"));
            shown?;
            copied.transpose().map(|_| ())
        })
    });
    drop(deadline);
    let done = done?;
    if logs.is_none() {
        args.close(&done, started.elapsed())?;
    }
    if stop.is_interrupted() {
        Err(Failure::Interrupted)
    } else {
        Ok(())
    }
}

impl StreamArgs {
    /// Whether it takes the terminal for the dashboard.
    pub(crate) fn has_dashboard(&self) -> bool {
        self.source.is_some() && !self.headless && !self.feed_only
    }

    fn check(&self) -> Outcome {
        let wrong = |text: &str| Err(Failure::WrongUse(text.to_owned()));
        if self.has_dashboard() && !std::io::IsTerminal::is_terminal(&std::io::stdout()) {
            return wrong(
                "the dashboard needs a terminal, and standard output is none; add --headless",
            );
        }
        if self.has_dashboard() && self.json.as_deref().is_some_and(files::is_stdout) {
            return wrong(
                "--json - prints to standard output, which the dashboard has: add --headless",
            );
        }
        if self.speed == Pace::Unlimited && !matches!(self.source, Some(FeedSpec::File(_)) | None) {
            return wrong("--speed max is for recordings: a board goes at its own pace");
        }
        let is_embedded = self.broker.as_deref().is_none_or(|name| name == "embedded");
        if is_embedded && (self.feed_only || self.source.is_none()) {
            return wrong(
                "nobody else sees the embedded broker: name a cluster with --broker HOST:PORT",
            );
        }
        if let (Some(FeedSpec::File(recording)), Some(states)) = (&self.source, &self.json) {
            files::keep_apart(
                &[recording.as_path()],
                &[("--json", Some(states.as_path()))],
            )?;
        }
        if !self.feed_only {
            let window = self.windows.settings();
            window.check().map_err(|error| wrong_use(&error))?;
            self.twin.settings(&window)?;
        }
        Ok(())
    }

    /// Refuses windows that cannot be made of what comes at a rate that is known before it comes.
    fn check_rate(&self, feeding: Option<&Feeding>) -> Outcome {
        let rate = match &self.source {
            // Half of it with a Daisy, which tells itself only once it is asked.
            Some(FeedSpec::Sim | FeedSpec::Serial(_)) => SampleRate::new(CYTON_HZ).ok(),
            _ => feeding.and_then(|feeding| feeding.source.sample_rate()),
        };
        let Some(rate) = rate.filter(|_| !self.feed_only) else {
            return Ok(());
        };
        let analyst = WindowAnalyst::new(self.windows.settings(), Vec::new(), rate);
        analyst.map(drop).map_err(|error| wrong_use(&error))
    }

    /// How many times as fast as life; none for as fast as it goes.
    fn speed(&self) -> Option<f64> {
        match self.speed {
            Pace::Unlimited => None,
            Pace::Times(times) => Some(times),
        }
    }

    fn times(&self) -> Result<f64, Failure> {
        self.speed()
            .ok_or_else(|| Failure::WrongUse("--speed max is for recordings".to_owned()))
    }

    fn feeding(&self, headset: Option<&SimulatedHeadset>) -> Result<Option<Feeding>, Failure> {
        let Some(source) = &self.source else {
            return Ok(None);
        };
        let options = FeedOptions {
            session: Some(self.session.clone().unwrap_or_else(|| source.session())),
            speed: self.speed(),
            sample_rate_hz: self.rate,
            board: self.board,
            block: self.block,
            daisy: match self.daisy {
                Daisy::Compensated => DaisyUse::Compensated,
                Daisy::Off => DaisyUse::Off,
            },
            ..FeedOptions::default()
        };
        let opened = match headset {
            Some(headset) => FeedSpec::Serial(headset.path().to_owned()).open(&options),
            None => source.open(&options),
        };
        let source = opened.map_err(|error| match error {
            FeedError::Setting(_) | FeedError::NoLsl(_) => Failure::WrongUse(error.to_string()),
            other => Failure::BadInput(other.into()),
        })?;
        Ok(Some(Feeding { source, options }))
    }

    fn windowing(&self, broker: &Broker, config: &Config) -> Result<Windowing, Failure> {
        let delivery = match broker {
            Broker::Embedded(_) if self.job.delivery == Some(DeliveryArg::ExactlyOnce) => {
                return Err(Failure::WrongUse(format!(
                    "{}: `--delivery at-least-once`",
                    KafkaError::NoTransactions
                )));
            }
            Broker::Embedded(_) => Settled::AtLeastOnce,
            Broker::Cluster(_) => match self.job.delivery {
                Some(DeliveryArg::ExactlyOnce) => Settled::ExactlyOnce,
                Some(DeliveryArg::AtLeastOnce) => Settled::AtLeastOnce,
                None => config.cerebral.delivery,
            },
        };
        if delivery == Settled::AtLeastOnce && self.job.from_start {
            return Err(Failure::WrongUse(
                "--from-start is for exactly-once; at-least-once keeps no place to forget"
                    .to_owned(),
            ));
        }
        let settings = StreamSettings::new(self.windows.settings());
        let settings = match self.twin.settings(&settings.window)? {
            Some(twin) => {
                // Beside the windows, which are what must be in time.
                let pool = Pool::new(1).context("could not start a thread to calibrate on")?;
                StreamSettings {
                    max_twins: usize::from(self.twin.twins),
                    ..settings.with_twin(twin, Arc::new(pool))
                }
            }
            None => settings,
        };
        let is_own = matches!(broker, Broker::Embedded(_));
        Ok(Windowing {
            settings: Arc::new(settings),
            workers: self
                .job
                .workers
                .map_or(config.cerebral.workers, usize::from),
            shard: self.job.shard,
            start: if is_own || delivery == Settled::AtLeastOnce && self.source.is_some() {
                Start::End
            } else {
                Start::Beginning
            },
            delivery: match delivery {
                Settled::AtLeastOnce => Delivery::AtLeastOnce,
                Settled::ExactlyOnce => Delivery::ExactlyOnce(ExactlyOnce {
                    from_start: self.job.from_start,
                    checkpoint_interval: Duration::from_millis(
                        config.cerebral.checkpoint_interval_ms,
                    ),
                    ..ExactlyOnce::from(config)
                }),
            },
        })
    }

    /// For the dashboard's header.
    fn describe(&self, broker: &Broker) -> String {
        match &self.source {
            Some(FeedSpec::Sim) => format!("simulated headset, {}", broker.describe()),
            Some(source) => format!("{source}, {}", broker.describe()),
            None => broker.describe(),
        }
    }

    /// Says something every so often until it is over.
    fn watch(&self, view: &View, stop: &Stop) {
        const LOOK: Duration = Duration::from_millis(50);
        const SAY: Duration = Duration::from_secs(10);
        let mut said = Instant::now();
        while !view.is_ended() && !stop.is_set() {
            let _ = stop.wait(LOOK);
            if said.elapsed() < SAY {
                continue;
            }
            said = Instant::now();
            let fed = view.counts.tally();
            match &view.windows {
                Some(windows) => match windows.waiting() {
                    Some(reason) => tracing::warn!(reason, "waiting for the broker"),
                    None => {
                        let seen = windows.tally().total();
                        tracing::info!(
                            sessions = seen.sessions,
                            samples = seen.samples,
                            windows = seen.windows,
                            significant = seen.significant,
                            without_figures = seen.without_figures,
                            dead = seen.dead,
                            lag = windows.lag(),
                            "cerebral"
                        );
                    }
                },
                None => tracing::info!(
                    blocks = fed.published,
                    samples = fed.samples,
                    gaps = fed.gaps,
                    reconnects = fed.reconnects,
                    "feeding"
                ),
            }
        }
    }

    /// The closing table.
    fn close(&self, done: &Done<()>, elapsed: Duration) -> Outcome {
        let mut summary = Summary::default();
        if let Some(fed) = done.fed {
            eeg::source_rows(&mut summary, &fed);
        }
        if let Some(tally) = &done.tally {
            let seen = tally.total();
            eeg::window_rows(&mut summary, &seen);
            summary.count("stretches without a gap", seen.stretches);
            summary.count("dead letters", tally.dead);
            for (offset, error) in &tally.dead_examples {
                tracing::warn!(record = offset, error, "not a record of `eeg-samples`");
            }
            summary.pace(elapsed, seen.samples, "samples");
        }
        report::close(&summary, false)
    }
}
