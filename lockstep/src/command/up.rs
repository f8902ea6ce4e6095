//! `lockstep up`: all stages in one process, over the embedded broker or another.
//!
//! ```text
//! captures -> ingest core -> [ticks] -> windowing -> [spreads] -> lines of JSON
//! ```

use std::collections::BTreeMap;
use std::io::Write;
use std::sync::Arc;
use std::time::{Duration, Instant};

use ::ingest::publish::KafkaSink;
use ::ingest::replay::Input;
use anyhow::Context;
use contract::config::Config;
use contract::topic;
use kafka_io::{Broker, Consumer, ConsumerOptions, Event, ProducerOptions, Start};
use windowing::Settings;
use windowing::run::{Job, JobHandle, JobOptions};
use windowing::tally::Tally;

use crate::cli::UpArgs;
use crate::command::ingest;
use crate::command::replay::{Play, Played};
use crate::failure::{Failure, Outcome};
use crate::files::{self, Output};
use crate::stop::Stop;
use crate::table::Summary;
use crate::{live, report, settings};

/// How long to wait for the readers to find their partitions.
const READY: Duration = Duration::from_secs(30);
/// How long one question to the broker may take.
const ASK: Duration = Duration::from_secs(30);

/// Checks what is asked for, and runs it.
pub(crate) fn run(args: &UpArgs, config: &Config, stop: &Stop) -> Outcome {
    if !args.headless {
        return Err(Failure::WrongUse(
            "the dashboard is not built yet; add --headless".to_owned(),
        ));
    }
    if args.json && files::is_stdout(&args.out) {
        return Err(Failure::WrongUse(
            "--json prints to standard output, so --out must name a file".to_owned(),
        ));
    }
    if args.source.iter().any(|source| source.as_os_str() == "sim") {
        return Err(Failure::WrongUse(
            "the simulator is not built yet; give capture files, or `live`".to_owned(),
        ));
    }
    let live = args
        .source
        .iter()
        .any(|source| source.as_os_str() == "live");
    if live && args.source.len() > 1 {
        return Err(Failure::WrongUse(
            "`live` cannot be mixed with capture files".to_owned(),
        ));
    }
    let play = Play {
        files: &args.source,
        pairs: args.pairs,
        pace: args.speed,
        out: Some(&args.out),
    };
    let inputs = if live { Vec::new() } else { play.open()? };
    let broker = settings::broker(config, &args.broker)?;
    tracing::info!(broker = broker.describe(), "up");
    let mut out = files::create(&args.out)?;
    report::await_topics(&broker, stop)?;
    let summary = if live {
        exchanges(args, config, &broker, &mut out, stop)?
    } else {
        recorded(args, (&play, inputs), config, &broker, &mut out, stop)?
    };
    report::close(&summary, args.json)?;
    if stop.is_interrupted() {
        Err(Failure::Interrupted)
    } else {
        Ok(())
    }
}

/// Captures: ends when they do.
fn recorded(
    args: &UpArgs,
    (play, inputs): (&Play<'_>, Vec<Input>),
    config: &Config,
    broker: &Broker,
    out: &mut Output,
    stop: &Stop,
) -> Result<Summary, Failure> {
    let started = Instant::now();
    let (played, tally) = through(args, config, broker, out, stop, |windows| {
        publish((play, inputs), config, broker, windows, stop)
    })?;
    let mut summary = Summary::default();
    report::ingest_rows(&mut summary, &played);
    report::windowing_rows(&mut summary, &tally);
    summary.pace(started.elapsed(), played.core.frames, "frames");
    report::notes(&played);
    report::dead_examples(&tally);
    Ok(summary)
}

/// Live exchanges: ends when it is stopped or its time is over.
fn exchanges(
    args: &UpArgs,
    config: &Config,
    broker: &Broker,
    out: &mut Output,
    stop: &Stop,
) -> Result<Summary, Failure> {
    let connections = live::connections(config, &[])?;
    let publish = |_: &JobHandle| {
        let published = ingest::publish(config, connections, args.pairs, broker, stop);
        stop.set();
        published
    };
    let (mut summary, tally) = through(args, config, broker, out, stop, publish)?;
    report::windowing_rows(&mut summary, &tally);
    report::dead_examples(&tally);
    Ok(summary)
}

/// Windowing and the copying of spreads around whatever publishes ticks; all three end together.
fn through<T>(
    args: &UpArgs,
    config: &Config,
    broker: &Broker,
    out: &mut Output,
    stop: &Stop,
    publish: impl FnOnce(&JobHandle) -> Result<T, Failure>,
) -> Result<(T, Tally), Failure> {
    let spreads = broker.consumer(ConsumerOptions::new("up").topic(
        topic::SPREADS.name,
        topic::SPREADS.partitions,
        Start::End,
    ))?;
    let options = JobOptions {
        start: Start::End,
        workers: args.workers.map_or(config.windowing.workers, usize::from),
        stop: Arc::clone(&stop.flag),
        on_new_venue: report::warn_of_missing_fee(config),
    };
    let job = Job::new(&Settings::from(config), broker, &options)?;
    let handle = job.handle();
    handle.wait_ready(READY)?;
    spreads.wait_ready(READY)?;
    let deadline = live::stop_after(args.run_for, stop);
    let (published, windowed, copied) = std::thread::scope(|scope| {
        let spreads = &spreads;
        let windows = scope.spawn(move || {
            let result = job.run();
            if result.is_err() {
                stop.set();
            }
            // Everything windowing gave is on the broker: what stands there now is all there is to copy.
            spreads.stop_at_end();
            result
        });
        let copy = scope.spawn(|| copy(spreads, out, stop));
        let published = publish(&handle);
        if published.is_err() {
            stop.set();
        }
        (published, windows.join(), copy.join())
    });
    drop(deadline);
    let panicked =
        |stage| Failure::Failed(anyhow::anyhow!("{stage} panicked; its reason stands above"));
    windowed.map_err(|_| panicked("windowing"))??;
    copied.map_err(|_| panicked("copying"))??;
    Ok((published?, handle.tally()))
}

/// Plays the captures onto `ticks` and tells windowing where they end.
fn publish(
    (play, inputs): (&Play<'_>, Vec<Input>),
    config: &Config,
    broker: &Broker,
    windows: &JobHandle,
    stop: &Stop,
) -> Result<Played, Failure> {
    let producer = broker.producer(ProducerOptions::new("ingest").stop(&stop.flag))?;
    let mut sink = KafkaSink::new(producer, Arc::clone(&stop.flag));
    let played = play.run(inputs, &mut sink, config, stop);
    let finished = sink.finish();
    let played = played?;
    if !stop.is_set() {
        finished?;
        let ends: BTreeMap<i32, i64> = broker.end_offsets(topic::TICKS.name, ASK)?;
        windows.finish_at(&ends)?;
    }
    Ok(played)
}

/// Spreads as lines, as they come.
fn copy(spreads: &Consumer, out: &mut Output, stop: &Stop) -> Outcome {
    let result = copy_lines(spreads, out);
    if result.is_err() {
        stop.set();
    }
    result
}

fn copy_lines(spreads: &Consumer, out: &mut Output) -> Outcome {
    loop {
        match spreads.recv(Duration::from_millis(100)) {
            Some(Event::Batch(batch)) => {
                for message in batch.messages() {
                    out.write_all(message.value.unwrap_or_default())
                        .context("could not write spreads")?;
                    out.write_all(b"\n").context("could not write spreads")?;
                }
                out.flush().context("could not write spreads")?;
            }
            Some(Event::End) => return Ok(()),
            Some(Event::Failed(error)) => return Err(error.into()),
            None => {}
        }
    }
}
