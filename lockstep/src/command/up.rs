//! `lockstep up` and `lockstep demo`: all stages in one process, over the embedded broker or another.
//!
//! ```text
//! captures, exchanges or their imitation -> ingest -> [ticks] -> windowing -> [spreads] -> alerter -> Discord
//!                                                                                  \-> dashboard, or lines of JSON
//! ```

use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use ::ingest::replay::{Input, Pace};
use contract::config::Config;
use dashboard_tui::log::LogBuffer;
use kafka_io::Broker;
use windowing::run::JobHandle;

use crate::cli::{DemoArgs, Pairs, UpArgs};
use crate::command::ingest;
use crate::command::replay::{Play, Played};
use crate::failure::{Failure, Outcome};
use crate::files;
use crate::front::{self, Copy, Firsts};
use crate::metrics::Metrics;
use crate::simulated::{Simulated, SimulatedHeadset};
use crate::source::{self, Source};
use crate::stages::{self, Plan};
use crate::stop::Stop;
use crate::table::Summary;
use crate::{eeg, live, report, settings};

/// What is asked for, by either command.
struct Request {
    source: Source,
    broker: String,
    headless: bool,
    run_for: Option<Duration>,
    /// Where the spreads go without a dashboard, if anywhere.
    out: Option<PathBuf>,
    pairs: Pairs,
    pace: Pace,
    workers: Option<u16>,
    json: bool,
    seed: u64,
    /// Where the frames go beside, if anywhere.
    record: Option<PathBuf>,
    /// Where metrics are served, if that was said.
    metrics: Option<String>,
    /// Whether the simulated headset goes along.
    with_eeg: bool,
}

/// `up`: checks what is asked for, and runs it.
pub(crate) fn run(
    args: &UpArgs,
    config: &Config,
    logs: Option<&LogBuffer>,
    stop: &Stop,
) -> Outcome {
    let pace = match args.speed {
        Some(pace) => pace,
        // On a screen a recording is watched, in a file it is used.
        None if args.headless => Pace::Unlimited,
        None => Pace::Times(1.0),
    };
    let request = Request {
        source: Source::of(&args.source)?,
        broker: args.broker.clone(),
        headless: args.headless,
        run_for: args.run_for,
        out: Some(args.out.clone().unwrap_or_else(|| PathBuf::from("-"))),
        pairs: args.pairs,
        pace,
        workers: args.workers,
        json: args.json,
        seed: args.seed,
        record: args.record.clone(),
        metrics: args.metrics.clone(),
        with_eeg: false,
    };
    if !args.headless && args.out.is_some() {
        return Err(Failure::WrongUse(
            "--out takes the place of the dashboard: add --headless".to_owned(),
        ));
    }
    request.run(config, logs, stop)
}

/// `demo`: the same with the imitated exchanges, and the simulated headset beside them.
pub(crate) fn demo(
    args: &DemoArgs,
    config: &Config,
    logs: Option<&LogBuffer>,
    stop: &Stop,
) -> Outcome {
    let request = Request {
        source: Source::Simulated,
        broker: "embedded".to_owned(),
        headless: args.headless,
        run_for: args.run_for,
        out: args.out.clone(),
        pairs: Pairs::Configured,
        pace: Pace::Unlimited,
        workers: None,
        json: args.json,
        seed: args.seed,
        record: None,
        metrics: args.metrics.clone(),
        with_eeg: true,
    };
    request.run(config, logs, stop)
}

impl Request {
    fn run(&self, config: &Config, logs: Option<&LogBuffer>, stop: &Stop) -> Outcome {
        let started = Instant::now();
        let spreads_on_stdout = self.headless && self.out.as_deref().is_some_and(files::is_stdout);
        if self.json && spreads_on_stdout {
            return Err(Failure::WrongUse(
                "--json prints to standard output, so --out must name a file".to_owned(),
            ));
        }
        if self.json && !self.headless {
            return Err(Failure::WrongUse(
                "--json is for --headless: the dashboard has the terminal".to_owned(),
            ));
        }
        if !self.headless && !std::io::stdout().is_terminal() {
            return Err(Failure::WrongUse(
                "the dashboard needs a terminal, and standard output is none; add --headless"
                    .to_owned(),
            ));
        }
        if let Source::Recorded(files) = &self.source {
            if self.record.is_some() {
                return Err(Failure::WrongUse(
                    "--record is for `live` and `sim`: captures are recorded already".to_owned(),
                ));
            }
            let inputs: Vec<&Path> = files.iter().map(PathBuf::as_path).collect();
            files::keep_apart(&inputs, &[("--out", self.out.as_deref())])?;
        }
        let metrics = Metrics::serve(self.metrics.as_deref(), config)?;
        let mut config = config.clone();
        let mut alerts =
            alerter::Settings::of(&config).map_err(|error| Failure::WrongUse(error.to_string()))?;
        // What can be wrong with the input is told before anything is started or made.
        let play = self.play();
        let inputs = match &self.source {
            Source::Recorded(_) => play.open()?,
            _ => Vec::new(),
        };
        let simulated = match &self.source {
            Source::Simulated => Some(Simulated::start(self.seed, &mut config, &mut alerts)?),
            _ => None,
        };
        if matches!(self.source, Source::Recorded(_)) && alerts.webhook.take().is_some() {
            tracing::warn!(
                "what a recording would have alerted goes to the log and the topic, not to Discord"
            );
        }
        let headset = self
            .with_eeg
            .then(|| SimulatedHeadset::start(self.seed, 1.0))
            .transpose()?;
        let broker = settings::broker(&config, &self.broker)?;
        tracing::info!(broker = broker.describe(), "up");
        let out = match &self.out {
            Some(path) if self.headless => Some(files::create(path)?),
            _ => None,
        };
        report::await_topics(&broker, &metrics, stop)?;
        let plan = Plan {
            metrics: &metrics,
            config: &config,
            broker: &broker,
            workers: self.workers.map_or(config.windowing.workers, usize::from),
            alerts: &alerts,
            stop,
        };
        let copy = self
            .headless
            .then(|| Copy::new(&broker, out, started))
            .transpose()?;
        let deadline = live::stop_after(self.run_for, stop);
        let spreads = || {
            stages::run(
                &plan,
                |windows| self.publish((&play, inputs), &plan, windows),
                |view| match (copy, logs) {
                    (Some(copy), _) => copy.run(view),
                    (None, Some(logs)) => {
                        let shown = front::dashboard_settings(&config, self.describe(&broker));
                        front::dashboard(&broker, &shown, logs, stop).map(|()| Firsts::default())
                    }
                    (None, None) => unreachable!("main keeps the log where a dashboard is shown"),
                },
            )
        };
        let (ended, eeg) = match &headset {
            Some(headset) => {
                let done = eeg::run(self.eeg(headset, &plan)?, |_| {
                    let ended = spreads();
                    // The headset goes on for ever.
                    stop.set();
                    ended
                })?;
                (done.front, done.tally)
            }
            None => (spreads()?, None),
        };
        drop(deadline);
        // Before the broker, which its last words are for.
        drop(headset);
        if self.headless {
            let mut summary = ended.source.rows();
            report::windowing_rows(&mut summary, &ended.tally);
            report::alert_rows(&mut summary, &ended.alerts);
            if let Some(messages) = simulated.as_ref().and_then(Simulated::messages) {
                summary.count("kept by the stand-in for Discord", messages);
            }
            report::first_rows(&mut summary, ended.front);
            if let Some(tally) = eeg {
                eeg::window_rows(&mut summary, &tally.total());
            }
            ended.source.finish(&mut summary, started.elapsed());
            report::dead_examples(&ended.tally);
            report::close(&summary, self.json)?;
        }
        if stop.is_interrupted() {
            Err(Failure::Interrupted)
        } else {
            Ok(())
        }
    }

    /// The headset's samples and their windows.
    fn eeg<'a>(
        &self,
        headset: &SimulatedHeadset,
        plan: &Plan<'a>,
    ) -> Result<eeg::Plan<'a>, Failure> {
        let workers = plan.config.cerebral.workers;
        Ok(eeg::Plan {
            broker: plan.broker,
            feeding: Some(eeg::Feeding::of_headset(headset)?),
            windowing: Some(eeg::Windowing::of_demo(self.seed, workers)?),
            metrics: plan.metrics,
            stop: plan.stop,
        })
    }

    fn play(&self) -> Play<'_> {
        let files = match &self.source {
            Source::Recorded(files) => files.as_slice(),
            _ => &[],
        };
        Play {
            files,
            pairs: self.pairs,
            pace: self.pace,
            out: self.out.as_deref(),
            bar: self.headless,
        }
    }

    /// For the dashboard's header.
    fn describe(&self, broker: &Broker) -> String {
        let source = match &self.source {
            Source::Recorded(files) => match files.as_slice() {
                [one] => one.display().to_string(),
                several => format!("{} recordings", several.len()),
            },
            Source::Live => "live".to_owned(),
            Source::Simulated if self.with_eeg => "simulated exchanges and headset".to_owned(),
            Source::Simulated => "simulated exchanges".to_owned(),
        };
        format!("{source}, {}", broker.describe())
    }

    fn publish(
        &self,
        play: (&Play<'_>, Vec<Input>),
        plan: &Plan<'_>,
        windows: &JobHandle,
    ) -> Result<Published, Failure> {
        let Plan { config, stop, .. } = *plan;
        if matches!(self.source, Source::Recorded(_)) {
            let played = source::publish_captures(play, plan, windows)?;
            return Ok(Published::Recorded(Box::new(played)));
        }
        let mut connections = live::connections(config, &[])?;
        connections.record.clone_from(&self.record);
        let onto = (plan.broker, plan.metrics);
        let summary = ingest::publish(config, connections, self.pairs, onto, stop);
        // It ends when it was told to, or when it failed.
        stop.set();
        Ok(Published::Live(summary?))
    }
}

/// What the source did.
enum Published {
    Recorded(Box<Played>),
    Live(Summary),
}

impl Published {
    fn rows(&self) -> Summary {
        match self {
            Self::Recorded(played) => {
                let mut summary = Summary::default();
                report::ingest_rows(&mut summary, played);
                summary
            }
            Self::Live(summary) => summary.clone(),
        }
    }

    fn finish(&self, summary: &mut Summary, elapsed: Duration) {
        if let Self::Recorded(played) = self {
            summary.pace(elapsed, played.core.frames, "frames");
            report::notes(played);
        }
    }
}
