//! `lockstep replay`: captures to spreads without a broker, or captures to `ticks` on one.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use anyhow::Context;
use contract::config::Config;
use contract::topic::TICKS;
use ingest::core::{Core, Report, Sink};
use ingest::error::IngestError;
use ingest::publish::KafkaSink;
use ingest::replay::{Input, Pace, ReplayReport, ReplaySettings, replay};
use kafka_io::ProducerOptions;
use windowing::Settings;
use windowing::dataflow::{self, Task};
use windowing::tally::{SharedTally, Tallied};

use crate::cli::{Pairs, ReplayArgs};
use crate::failure::{Failure, Outcome};
use crate::files::{self, Files};
use crate::metrics::Metrics;
use crate::pipe::pipe;
use crate::stop::Stop;
use crate::table::Summary;
use crate::{progress, report, settings};

/// Into files, or onto a broker.
pub(crate) fn run(args: &ReplayArgs, config: &Config, stop: &Stop) -> Outcome {
    if args.json && args.broker.is_none() && files::is_stdout(&args.out) {
        return Err(Failure::WrongUse(
            "--json prints to standard output, so --out must name a file".to_owned(),
        ));
    }
    match &args.broker {
        None => into_files(args, config, stop),
        Some(address) => onto_broker(args, address, config, stop),
    }
}

/// Captures and how they are to be played.
pub(crate) struct Play<'a> {
    pub(crate) files: &'a [PathBuf],
    pub(crate) pairs: Pairs,
    pub(crate) pace: Pace,
    /// Where the spreads go, if anywhere: a bar must not be drawn among them.
    pub(crate) out: Option<&'a Path>,
    /// Whether a bar may be drawn at all.
    pub(crate) bar: bool,
}

impl Play<'_> {
    /// Opens the captures: before any output is made, so that a wrong name costs nobody an earlier result.
    pub(crate) fn open(&self) -> Result<Vec<Input>, Failure> {
        self.files
            .iter()
            .map(|path| Input::open(&path.to_string_lossy()))
            .collect::<Result<Vec<_>, _>>()
            .map_err(bad_input)
    }

    /// Plays opened captures into a sink, with a progress bar.
    pub(crate) fn run(
        &self,
        inputs: Vec<Input>,
        sink: &mut impl Sink,
        config: &Config,
        stop: &Stop,
    ) -> Result<Played, Failure> {
        let total = inputs.iter().map(|input| input.size).sum::<Option<u64>>();
        let bar = if self.bar {
            progress::bytes(total, "replaying", self.out)
        } else {
            progress::none()
        };
        let mut core = Core::new(settings::ingest(config, self.pairs));
        let how = ReplaySettings {
            pace: self.pace,
            width_ms: config.windowing.width_ms,
        };
        let result = replay(inputs, &mut core, sink, how, &stop.flag, &mut |at| {
            bar.set_position(at.bytes_read)
        });
        bar.finish_and_clear();
        Ok(Played {
            replay: result.map_err(bad_input)?,
            core: core.report(),
        })
    }
}

/// What was played.
pub(crate) struct Played {
    pub(crate) replay: ReplayReport,
    pub(crate) core: Report,
}

fn bad_input(error: IngestError) -> Failure {
    match error {
        IngestError::Open { .. } | IngestError::NothingUsable { .. } => {
            Failure::BadInput(error.into())
        }
        other => other.into(),
    }
}

fn into_files(args: &ReplayArgs, config: &Config, stop: &Stop) -> Outcome {
    let started = Instant::now();
    let play = Play {
        files: &args.files,
        pairs: args.pairs,
        pace: args.speed,
        out: Some(&args.out),
        bar: true,
    };
    let inputs: Vec<&Path> = args.files.iter().map(PathBuf::as_path).collect();
    let outputs = [
        ("--out", Some(args.out.as_path())),
        ("--late", args.late.as_deref()),
        ("--dead-letters", args.dead_letters.as_deref()),
    ];
    files::keep_apart(&inputs, &outputs)?;
    let inputs = play.open()?;
    let workers = args.workers.map_or(config.windowing.workers, usize::from);
    let files = Files::create(
        0..TICKS.partitions,
        &args.out,
        args.late.as_deref(),
        args.dead_letters.as_deref(),
    )?;
    let tally = SharedTally::default();
    let eager = args.speed != Pace::Unlimited;
    let (mut sink, ends) = pipe(workers, eager, &stop.flag, files.clone());
    let warn = report::warn_of_missing_fee(config);
    let tasks = ends
        .into_iter()
        .map(|(partitions, source)| Task {
            partitions,
            source: Box::new(source),
            outlet: Box::new(Tallied::new(files.clone(), &tally, Arc::clone(&warn))),
        })
        .collect();
    let windowing = Arc::new(Settings::from(config));
    let (played, windowed) = std::thread::scope(|scope| {
        let windows = scope.spawn(|| dataflow::run(&windowing, tasks));
        let played = play.run(inputs, &mut sink, config, stop);
        if played.is_err() {
            // Nothing came or not all of it: what is open stays open.
            stop.set();
        }
        sink.finish();
        (played, windows.join())
    });
    let written = files.finish().context("could not write the results");
    match windowed {
        Ok(result) => result?,
        Err(_) => {
            return Err(Failure::Failed(anyhow::anyhow!(
                "windowing panicked; its reason stands above"
            )));
        }
    };
    let played = played?;
    written?;
    let tally = tally.get();
    let mut summary = Summary::default();
    report::ingest_rows(&mut summary, &played);
    report::windowing_rows(&mut summary, &tally);
    summary.pace(started.elapsed(), played.core.frames, "frames");
    report::notes(&played);
    report::dead_examples(&tally);
    report::close(&summary, args.json)?;
    ended(stop)
}

fn onto_broker(args: &ReplayArgs, address: &str, config: &Config, stop: &Stop) -> Outcome {
    let started = Instant::now();
    let play = Play {
        files: &args.files,
        pairs: args.pairs,
        pace: args.speed,
        out: None,
        bar: true,
    };
    let inputs = play.open()?;
    let broker = settings::cluster(config, Some(address))?;
    report::await_topics(&broker, &Metrics::nowhere(), stop)?;
    let producer = broker.producer(ProducerOptions::new("replay").stop(&stop.flag))?;
    let mut sink = KafkaSink::new(producer, Arc::clone(&stop.flag));
    let played = play.run(inputs, &mut sink, config, stop);
    // An interrupted replay still delivers what it has handed over.
    sink.finish()?;
    let played = played?;
    let mut summary = Summary::default();
    report::ingest_rows(&mut summary, &played);
    summary.pace(started.elapsed(), played.core.frames, "frames");
    report::notes(&played);
    report::close(&summary, args.json)?;
    ended(stop)
}

/// Interrupted, or well.
fn ended(stop: &Stop) -> Outcome {
    if stop.is_interrupted() {
        Err(Failure::Interrupted)
    } else {
        Ok(())
    }
}
