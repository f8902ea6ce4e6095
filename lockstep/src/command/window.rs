//! `lockstep window`: a file of ticks as one partition, or `ticks` of a broker until stopped.

use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use anyhow::Context;
use contract::config::{Config, Delivery as Settled};
use indicatif::ProgressBar;
use kafka_io::{KafkaError, Start};
use windowing::dataflow::{self, BoxError, Polled, Source, Task};
use windowing::run::{Delivery, ExactlyOnce, Job, JobOptions};
use windowing::spread::Tally;
use windowing::tally::{SharedTally, Tallied};
use windowing::work::Input;
use windowing::{Settings, WindowingError};

use crate::cli::{DeliveryArg, StartAt, WindowArgs};
use crate::failure::{Failure, Outcome};
use crate::files::{self, Files};
use crate::metrics::Metrics;
use crate::metrics::window::WindowStage;
use crate::stop::Stop;
use crate::table::Summary;
use crate::{progress, report, settings};

/// Lines handed over at once.
const BATCH: usize = 2_048;

/// From a file or from a broker.
pub(crate) fn run(args: &WindowArgs, config: &Config, stop: &Stop) -> Outcome {
    let workers = args.workers.map_or(config.windowing.workers, usize::from);
    match &args.from {
        Some(path) => from_file(args, path, config, stop),
        None => from_broker(args, config, workers, stop),
    }
}

fn from_file(args: &WindowArgs, path: &Path, config: &Config, stop: &Stop) -> Outcome {
    if args.json && files::is_stdout(&args.out) {
        return Err(Failure::WrongUse(
            "--json prints to standard output, so --out must name a file".to_owned(),
        ));
    }
    let started = Instant::now();
    let outputs = [
        ("--out", Some(args.out.as_path())),
        ("--late", args.late.as_deref()),
        ("--dead-letters", args.dead_letters.as_deref()),
    ];
    files::keep_apart(&[path], &outputs)?;
    let (reader, length) = open(path)?;
    let files = Files::create(
        [0],
        &args.out,
        args.late.as_deref(),
        args.dead_letters.as_deref(),
    )?;
    let bar = progress::bytes(length, "windowing", Some(&args.out));
    let tally = SharedTally::default();
    let source = FileLines {
        reader,
        line: 0,
        stop: stop.clone(),
        bar: bar.clone(),
    };
    // One partition is one worker's, however many there are; the rest have nothing to do.
    let task = Task {
        partitions: vec![0],
        source: Box::new(source),
        outlet: Box::new(Tallied::new(
            files.clone(),
            &tally,
            report::warn_of_missing_fee(config),
        )),
    };
    let result = dataflow::run(&Arc::new(Settings::from(config)), vec![task]);
    bar.finish_and_clear();
    let written = files.finish().context("could not write the results");
    result.map_err(failure)?;
    written?;
    let tally = tally.get();
    close(&tally, started.elapsed(), args.json)?;
    if stop.is_interrupted() {
        return Err(Failure::Interrupted);
    }
    let seen = tally.counters();
    let admitted = seen.quotes + seen.trades + seen.marks + seen.rates + seen.statuses;
    if admitted == 0 && tally.dead > 0 {
        return Err(Failure::BadInput(anyhow::anyhow!(
            "no line of `{}` is a record of `ticks`; the first: {}",
            path.display(),
            tally
                .dead_examples
                .first()
                .map_or("", |(_, error)| error.as_str())
        )));
    }
    Ok(())
}

fn from_broker(args: &WindowArgs, config: &Config, workers: usize, stop: &Stop) -> Outcome {
    let started = Instant::now();
    let broker = settings::cluster(config, args.broker.as_deref())?;
    let metrics = Metrics::serve(args.metrics.as_deref(), config)?;
    report::await_topics(&broker, &metrics, stop)?;
    let delivery = delivery(args, config)?;
    tracing::info!(
        broker = broker.address(),
        workers,
        shard = %args.shard,
        delivery = match delivery {
            Delivery::AtLeastOnce => "at-least-once",
            Delivery::ExactlyOnce(_) => "exactly-once",
        },
        start = ?args.start,
        "windowing"
    );
    let options = JobOptions {
        start: match args.start {
            StartAt::Beginning => Start::Beginning,
            StartAt::End => Start::End,
        },
        workers,
        shard: args.shard,
        delivery,
        stop: Arc::clone(&stop.flag),
        on_new_name: report::warn_of_missing_fee(config),
    };
    let transaction = match &options.delivery {
        Delivery::ExactlyOnce(exactly) => Some(exactly.transaction_timeout),
        Delivery::AtLeastOnce => None,
    };
    let job = Job::new(&Arc::new(Settings::from(config)), &broker, &options)?;
    metrics.enter(WindowStage::new(job.handle(), transaction));
    let handle = job.handle();
    let watcher = report::watch("window", stop, Duration::from_secs(10), move || {
        let tally = handle.tally();
        match handle.waiting() {
            Some(reason) => tracing::warn!(reason, "waiting for the broker"),
            None => tracing::info!(
                windows = tally.windows,
                spreads = tally.records(),
                late = tally.late,
                dead = tally.dead,
                commits = handle.delivered().commits,
                checkpoints = handle.delivered().checkpoints,
                lag = handle.lag(),
                "windowing"
            ),
        }
    });
    let handle = job.handle();
    let result = job.run();
    stop.flag.store(true, Ordering::SeqCst);
    drop(watcher);
    result.map_err(failure)?;
    close(&handle.tally(), started.elapsed(), args.json)?;
    if stop.is_interrupted() {
        Err(Failure::Interrupted)
    } else {
        Ok(())
    }
}

/// What was asked for, else what the settings say.
fn delivery(args: &WindowArgs, config: &Config) -> Result<Delivery, Failure> {
    let asked = match args.delivery {
        Some(DeliveryArg::ExactlyOnce) => Settled::ExactlyOnce,
        Some(DeliveryArg::AtLeastOnce) => Settled::AtLeastOnce,
        None => config.windowing.delivery,
    };
    match asked {
        Settled::AtLeastOnce if args.from_start => Err(Failure::WrongUse(
            "--from-start is for exactly-once; at-least-once keeps no place to forget".to_owned(),
        )),
        Settled::AtLeastOnce => Ok(Delivery::AtLeastOnce),
        Settled::ExactlyOnce => Ok(Delivery::ExactlyOnce(ExactlyOnce {
            from_start: args.from_start,
            ..ExactlyOnce::from(config)
        })),
    }
}

/// The closing table.
fn close(tally: &Tally, elapsed: Duration, json: bool) -> Outcome {
    let seen = tally.counters();
    let mut summary = Summary::default();
    let records = seen.quotes + seen.trades + seen.rates + seen.marks + seen.statuses + seen.dead;
    summary.count("records", records);
    report::windowing_rows(&mut summary, tally);
    summary.pace(elapsed, records, "records");
    report::dead_examples(tally);
    report::close(&summary, json)
}

/// Bad lines are not an error; running out of room is one of the input.
fn failure(error: WindowingError) -> Failure {
    match error {
        WindowingError::TooManyOpen { .. } => Failure::BadInput(error.into()),
        WindowingError::Kafka(KafkaError::Fenced { .. }) => Failure::Fenced(error.into()),
        WindowingError::Kafka(KafkaError::NoTransactions) => {
            Failure::WrongUse(format!("{error}: `--delivery at-least-once`"))
        }
        other => other.into(),
    }
}

fn open(path: &Path) -> Result<(Box<dyn BufRead + Send>, Option<u64>), Failure> {
    const BUFFER: usize = 1 << 16;
    if path.as_os_str() == "-" {
        return Ok((
            Box::new(BufReader::with_capacity(BUFFER, io::stdin())),
            None,
        ));
    }
    let file = File::open(path)
        .with_context(|| format!("could not open `{}`", path.display()))
        .map_err(Failure::BadInput)?;
    let length = file.metadata().ok().map(|metadata| metadata.len());
    Ok((Box::new(BufReader::with_capacity(BUFFER, file)), length))
}

/// Lines as records of partition 0.
struct FileLines {
    reader: Box<dyn BufRead + Send>,
    line: i64,
    stop: Stop,
    bar: ProgressBar,
}

impl Source for FileLines {
    fn poll(&mut self, batch: &mut Vec<(i32, Input)>) -> Result<Polled, BoxError> {
        if self.stop.is_set() {
            return Ok(Polled::Stop);
        }
        let mut read_bytes = 0;
        for _ in 0..BATCH {
            let mut bytes = Vec::with_capacity(400);
            let read = self.reader.read_until(b'\n', &mut bytes)?;
            if read == 0 {
                return Ok(Polled::End);
            }
            read_bytes += read;
            if bytes.last() == Some(&b'\n') {
                bytes.pop();
            }
            batch.push((
                0,
                Input {
                    offset: self.line,
                    bytes,
                },
            ));
            self.line += 1;
        }
        self.bar.inc(u64::try_from(read_bytes).unwrap_or(0));
        Ok(Polled::More)
    }
}
