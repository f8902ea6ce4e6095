//! `lockstep simulate`: the imitated outside alone, on loopback ports unless told, to try things against; or its frames as a capture.
//!
//! Addresses go to standard output as lines that a shell understands, what happens to the log.

mod args;
mod words;

use std::collections::BTreeMap;
use std::io::Write;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use ::ingest::capture::CaptureWriter;
use anyhow::Context;
use contract::config::Config;
use contract::time::SystemClock;
use simulator::discord::{Discord, Limits};
use simulator::error::SimulatorError;
use simulator::exchange::{
    Dialect, Exchanges, ExchangesSettings, Handle, Recorded, RecordedSettings, ServerSettings,
};
use simulator::market::DislocationTruth;

use crate::failure::{Failure, Outcome};
use crate::report::{self, Watcher, watch};
use crate::stop::Stop;
use crate::table::Summary;
use crate::{live, simulated};

pub(crate) use args::SimulateArgs;

/// How often what happens is looked at.
const LOOK: Duration = Duration::from_millis(200);

/// Serves until stopped, or writes a capture.
pub(crate) fn run(args: &SimulateArgs, config: &Config, stop: &Stop) -> Outcome {
    let settings = settings(args, config)?;
    match (&args.out, args.run_for) {
        (Some(path), Some(run_for)) => {
            let length_ms = i64::try_from(run_for.as_millis()).unwrap_or(i64::MAX);
            let settings = RecordedSettings {
                our_clock_ms: args.our_clock_ms,
                ..RecordedSettings::new(settings, length_ms)
            };
            write(settings, path, stop)
        }
        (Some(_), None) => Err(Failure::WrongUse(
            "--out needs --for: a capture has an end".to_owned(),
        )),
        (None, _) => serve(args, settings, stop),
    }
}

/// What is to be imitated: the pairs and fees of the configuration, and what the command line adds.
fn settings(args: &SimulateArgs, config: &Config) -> Result<ExchangesSettings, Failure> {
    let wrong = |error: SimulatorError| Failure::WrongUse(error.to_string());
    let mut market = simulated::market_of(args.seed, config)?;
    let moves = args.move_rate.iter().map(|stretch| stretch.0);
    match &mut market.rate {
        Some(rate) => rate.moves.extend(moves),
        None if args.move_rate.is_empty() => {}
        None => {
            return Err(Failure::WrongUse(
                "--move-rate: the settings name no rate".to_owned(),
            ));
        }
    }
    for dislocate in &args.dislocate {
        match dislocate.every_ms {
            None => market.dislocations.push(dislocate.first.clone()),
            Some(every_ms) => market.periodic.push(simulator::market::Periodic {
                first: dislocate.first.clone(),
                every_ms,
            }),
        }
    }
    let mut settings = match args.calm {
        true => ExchangesSettings::new(market),
        false => ExchangesSettings::eventful(market),
    };
    // One server for each of Coinbase's feeds, both of the one book; a capture of both would tell everything twice.
    if args.out.is_none() && settings.servers.contains_key(&Dialect::CoinbaseAdvanced) {
        let server = ServerSettings::default();
        settings.servers.insert(Dialect::CoinbaseExchange, server);
    }
    settings.listen = args.listen;
    settings
        .script
        .extend(args.misbehave.iter().map(|scheduled| scheduled.0.clone()));
    let unserved =
        |dialect: Dialect| Failure::WrongUse(format!("`{}` is not served", dialect.name()));
    for port in &args.port {
        if let Some(dialect) = port.dialect {
            let server = settings.servers.get_mut(&dialect);
            server.ok_or_else(|| unserved(dialect))?.port = port.port;
        }
    }
    for skew in &args.skew {
        let server = settings.servers.get_mut(&skew.dialect);
        server.ok_or_else(|| unserved(skew.dialect))?.skew_ms = skew.ms;
    }
    settings.check().map_err(wrong)?;
    Ok(settings)
}

/// Frames in virtual time, as a recorder would have written them down.
fn write(settings: RecordedSettings, path: &std::path::Path, stop: &Stop) -> Outcome {
    let wrong = |error: SimulatorError| Failure::WrongUse(error.to_string());
    let mut recorded = Recorded::new(settings).map_err(wrong)?;
    let whom = || format!("could not write `{}`", path.display());
    let mut writer = CaptureWriter::create(path).with_context(whom)?;
    for frame in recorded.by_ref() {
        writer
            .frame(frame.received_ns, frame.venue, &frame.frame)
            .with_context(whom)?;
        if stop.is_set() {
            break;
        }
    }
    let (frames, bytes) = (writer.frames(), writer.bytes());
    writer.finish().with_context(whom)?;
    for truth in recorded.truths() {
        tell(truth, "dislocated");
    }
    let mut summary = Summary::default();
    summary.count("frames", frames);
    summary.count("bytes", bytes);
    report::close(&summary, false)?;
    interrupted(stop)
}

fn serve(args: &SimulateArgs, settings: ExchangesSettings, stop: &Stop) -> Outcome {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .thread_name("simulator")
        .enable_all()
        .build()
        .context("could not start the runtime of the imitated exchanges")?;
    let exchanges = runtime
        .block_on(Exchanges::start(settings, Arc::new(SystemClock), None))
        .map_err(|error| match error {
            SimulatorError::Listen { .. } => Failure::Failed(error.into()),
            error => Failure::WrongUse(error.to_string()),
        })?;
    let mut ports = args.port.iter().filter(|port| port.dialect.is_none());
    let port = ports.next().map_or(0, |port| port.port);
    let address = SocketAddr::from((args.listen, port));
    let discord = Discord::start_at(address, Limits::default())
        .with_context(|| format!("could not listen on {address} for Discord"))?;
    print(&exchanges.urls(), &discord)?;
    let told = tell_of(exchanges.handle(), stop);
    let deadline = live::stop_after(args.run_for, stop);
    while !stop.is_set() {
        stop.wait(Duration::from_millis(50));
    }
    drop((told, deadline));
    let summary = summary(&exchanges, &discord);
    runtime.block_on(exchanges.stop());
    report::close(&summary, false)?;
    interrupted(stop)
}

fn interrupted(stop: &Stop) -> Outcome {
    match stop.is_interrupted() {
        true => Err(Failure::Interrupted),
        false => Ok(()),
    }
}

/// The addresses, as settings that lead there.
fn print(urls: &BTreeMap<Dialect, String>, discord: &Discord) -> Outcome {
    let mut out = std::io::stdout().lock();
    for (dialect, url) in urls {
        let venue = dialect.venue().name().to_uppercase();
        if *dialect == Dialect::CoinbaseExchange {
            writeln!(
                out,
                "# or Coinbase's other feed: LOCKSTEP_VENUES__{venue}__DIALECT=exchange LOCKSTEP_VENUES__{venue}__URL={url}"
            )?;
            continue;
        }
        writeln!(out, "export LOCKSTEP_VENUES__{venue}__URL={url}")?;
    }
    // This token opens nothing but the stand-in on this machine.
    writeln!(
        out,
        "export LOCKSTEP_ALERTER__WEBHOOK_URL={}",
        discord.url()
    )?;
    out.flush()?;
    Ok(())
}

/// Says in the log what happens: who comes and goes, what is dislocated.
fn tell_of(handle: Handle, stop: &Stop) -> Watcher {
    let seen = std::sync::Mutex::new((0, BTreeMap::new()));
    watch("simulate", stop, LOOK, move || {
        let mut seen = seen
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        let (begun, connections) = &mut *seen;
        for truth in handle.truths().iter().skip(*begun) {
            *begun += 1;
            tell(truth, "dislocation begins");
        }
        for dialect in Dialect::ALL {
            let report = handle.report(dialect);
            let before = connections.insert(dialect, report.connections_ever);
            if report.connections_ever > before.unwrap_or(0) {
                let (venue, now) = (dialect.name(), report.connections());
                tracing::info!(
                    venue,
                    now,
                    ever = report.connections_ever,
                    "a client connected"
                );
            }
        }
    })
}

fn tell(truth: &DislocationTruth, what: &str) {
    let (buy, sell) = truth.route();
    let seconds =
        Duration::from_nanos((truth.end_ns - truth.start_ns).unsigned_abs()).as_secs_f64();
    tracing::info!(
        pair = truth.dislocation.pair,
        buy = buy.name(),
        sell = sell.name(),
        size = ?truth.dislocation.size,
        from = contract::time::show_ns(truth.start_ns),
        seconds,
        "{what}"
    );
}

/// What was served, for the closing table.
fn summary(exchanges: &Exchanges, discord: &Discord) -> Summary {
    let mut summary = Summary::default();
    let handle = exchanges.handle();
    let reports: Vec<_> = exchanges
        .urls()
        .into_keys()
        .map(|dialect| (dialect.name().to_owned(), handle.report(dialect)))
        .collect();
    let row = |of: fn(&simulator::exchange::ServerReport) -> u64| -> Vec<(String, u64)> {
        reports
            .iter()
            .map(|(name, report)| (name.clone(), of(report)))
            .collect()
    };
    for (name, parts) in [
        ("connections", row(|report| report.connections_ever)),
        ("turned away", row(|report| report.refused)),
        ("too slow", row(|report| report.too_slow)),
    ] {
        summary.count_of(name, parts.iter().map(|(_, count)| count).sum(), &parts);
    }
    let count = |length: usize| u64::try_from(length).unwrap_or(u64::MAX);
    summary.count("dislocations", count(handle.truths().len()));
    summary.count("discord messages", count(discord.messages().len()));
    summary
}
