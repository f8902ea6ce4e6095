//! `lockstep ingest`: live exchanges to `ticks` on a broker.

use std::sync::Arc;
use std::time::Instant;

use contract::config::Config;
use contract::time::SystemClock;
use ingest::publish::KafkaSink;
use kafka_io::{Broker, ProducerOptions};

use crate::cli::{IngestArgs, Pairs};
use crate::failure::{Failure, Outcome};
use crate::live::{self, Words};
use crate::metrics::Metrics;
use crate::metrics::ingest::IngestStage;
use crate::stop::Stop;
use crate::table::Summary;
use crate::{report, settings};

/// Runs until stopped.
pub(crate) fn run(args: &IngestArgs, config: &Config, stop: &Stop) -> Outcome {
    let mut connections = live::connections(config, &args.venue)?;
    connections.record.clone_from(&args.record);
    let broker = settings::cluster(config, args.broker.as_deref())?;
    let metrics = Metrics::serve(args.metrics.as_deref(), config)?;
    report::await_topics(&broker, &metrics, stop)?;
    let deadline = live::stop_after(args.run_for, stop);
    let result = publish(
        config,
        connections,
        Pairs::Configured,
        (&broker, &metrics),
        stop,
    );
    stop.set();
    drop(deadline);
    report::close(&result?, false)?;
    if stop.is_interrupted() {
        Err(Failure::Interrupted)
    } else {
        Ok(())
    }
}

/// The connections onto the broker's topics, until the stop flag is set. Gives the closing figures.
pub(crate) fn publish(
    config: &Config,
    connections: ingest::live::LiveSettings,
    pairs: Pairs,
    (broker, metrics): (&Broker, &Metrics),
    stop: &Stop,
) -> Result<Summary, Failure> {
    let started = Instant::now();
    let producer = broker.producer(ProducerOptions::new("ingest"))?;
    let sink = KafkaSink::new(producer.clone(), Arc::clone(&stop.flag));
    let words = Words::default();
    metrics.enter(IngestStage {
        published: sink.published(),
        producer,
        words: Some(words.clone()),
    });
    let watcher = words.tell(stop);
    let running = ingest::run::ingest(
        settings::ingest(config, pairs),
        connections,
        Arc::new(SystemClock),
        sink,
        Arc::clone(&stop.flag),
        words.take_all(),
    );
    let result = live::block_on(running)?;
    stop.set();
    drop(watcher);
    let ended = result?;
    ended.sink.finish()?;
    let mut summary = Summary::default();
    live::rows(&mut summary, &ended.live);
    let core = &ended.report;
    summary.count_of(
        "published",
        core.quotes + core.trades,
        &[
            ("quotes".to_owned(), core.quotes),
            ("trades".to_owned(), core.trades),
        ],
    );
    summary.count("rates", core.rates);
    summary.count("gaps", core.gaps_total);
    summary.count("faulty frames", core.faults.values().sum());
    summary.pace(started.elapsed(), core.frames, "frames");
    match ended.live.recording.and_then(|recording| recording.error) {
        Some(error) => Err(Failure::Failed(anyhow::anyhow!(error))),
        None => Ok(summary),
    }
}
