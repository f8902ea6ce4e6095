//! What commands say alike: closing tables, warnings, regular words of a running stage.

use std::io::Write;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use alerter::Standing;
use contract::config::Config;
use ingest::gap::Gap;
use kafka_io::Broker;
use windowing::spread::Tally;

use crate::command::replay::Played;
use crate::failure::{Failure, Outcome};
use crate::front::Firsts;
use crate::metrics::Metrics;
use crate::settings;
use crate::stop::Stop;
use crate::table::Summary;

/// One warning for each venue whose fee nobody gave.
pub(crate) fn warn_of_missing_fee(config: &Config) -> Arc<dyn Fn(&str) + Send + Sync> {
    let known: Vec<String> = config
        .venues
        .keys()
        .filter(|venue| config.fee(venue).is_some())
        .cloned()
        .collect();
    Arc::new(move |venue| {
        if !known.iter().any(|known| known == venue) {
            tracing::warn!(
                venue,
                "no fee is set for this venue: its net figures assume 0; set `venues.{venue}.taker_fee_bps`"
            );
        }
    })
}

/// What windowing saw and gave.
pub(crate) fn windowing_rows(summary: &mut Summary, tally: &Tally) {
    let seen = tally.counters();
    summary.count_of(
        "ticks",
        seen.quotes + seen.trades,
        &[
            ("quotes".to_owned(), seen.quotes),
            ("trades".to_owned(), seen.trades),
        ],
    );
    summary.count("windows", tally.windows);
    let by_quality: Vec<(String, u64)> = tally
        .spreads
        .iter()
        .rev()
        .map(|(quality, count)| (quality.as_str().to_owned(), *count))
        .collect();
    summary.count_of("spreads", tally.records(), &by_quality);
    summary.count("late", tally.late);
    summary.count("late rates", seen.rates_ignored);
    summary.count("dead letters", tally.dead);
}

/// What the alerter made of the spreads, and how it stands with Discord.
pub(crate) fn alert_rows(summary: &mut Summary, alerts: &alerter::Report) {
    let parts = [
        ("spreads", alerts.spreads),
        ("outages", alerts.outages),
        ("stalls", alerts.stalls),
    ];
    summary.count_of(
        "episodes",
        parts.iter().map(|(_, count)| count).sum(),
        &parts.map(|(name, count)| (name.to_owned(), count)),
    );
    summary.count_of(
        "messages",
        alerts.posted,
        &[
            ("edits".to_owned(), alerts.edited),
            ("merged".to_owned(), alerts.merged),
            ("waiting".to_owned(), alerts.waiting),
            ("refused".to_owned(), alerts.refused),
        ],
    );
    let standing = match &alerts.discord {
        Standing::NoWebhook => "no webhook is set: alerts go to the log and the topic".to_owned(),
        Standing::Fine => "fine".to_owned(),
        Standing::Limited => "asked to wait".to_owned(),
        Standing::Away(why) => format!("away: {why}"),
        Standing::Refused(why) => format!("refused, nothing more is sent: {why}"),
    };
    summary.say("discord", &standing);
}

/// When things first came.
pub(crate) fn first_rows(summary: &mut Summary, firsts: Firsts) {
    summary.after("first spread", firsts.spread);
    summary.after("first alert", firsts.alert);
}

/// The first dead letters with their reasons.
pub(crate) fn dead_examples(tally: &Tally) {
    for (offset, error) in &tally.dead_examples {
        tracing::warn!(record = offset, error, "not a record of `ticks`");
    }
}

/// The closing table to stderr, or as JSON to stdout.
pub(crate) fn close(summary: &Summary, json: bool) -> Outcome {
    if json {
        Ok(writeln!(std::io::stdout().lock(), "{}", summary.json())?)
    } else {
        Ok(writeln!(std::io::stderr().lock(), "{}", summary.table())?)
    }
}

/// Compares or makes the topics, waiting as long as the broker is away.
pub(crate) fn await_topics(broker: &Broker, metrics: &Metrics, stop: &Stop) -> Outcome {
    const TRY: Duration = Duration::from_secs(5);
    loop {
        match broker.ensure_topics(&settings::topic_specs(), TRY) {
            Ok(_) => return Ok(()),
            Err(error) if error.is_retryable() => {
                metrics.starting(format!("starting: {error}"));
                tracing::warn!(broker = broker.address(), %error, "waiting for the broker");
                if stop.wait(Duration::from_secs(1)) {
                    return Err(Failure::Interrupted);
                }
            }
            Err(error) => return Err(error.into()),
        }
    }
}

/// A thread that says something every so often until the stop flag is set.
pub(crate) struct Watcher(Option<JoinHandle<()>>, crossbeam_channel::Sender<()>);

/// Starts one.
pub(crate) fn watch(
    name: &str,
    stop: &Stop,
    every: Duration,
    say: impl Fn() + Send + 'static,
) -> Watcher {
    let (end, ended) = crossbeam_channel::bounded::<()>(0);
    let stop = stop.clone();
    let thread = std::thread::Builder::new()
        .name(format!("{name}-watch"))
        .spawn(move || {
            while ended.recv_timeout(every) == Err(crossbeam_channel::RecvTimeoutError::Timeout)
                && !stop.is_set()
            {
                say();
            }
        });
    Watcher(thread.ok(), end)
}

impl Drop for Watcher {
    fn drop(&mut self) {
        let (end, _) = crossbeam_channel::bounded(0);
        drop(std::mem::replace(&mut self.1, end));
        if let Some(thread) = self.0.take() {
            let _ = thread.join();
        }
    }
}

/// A hole in a numbering.
pub(crate) fn gap(gap: &Gap) {
    tracing::warn!(
        venue = gap.venue,
        feed = gap.feed,
        symbol = gap.symbol.as_deref().unwrap_or("-"),
        missing = gap.missing,
        expected = gap.expected,
        "gap"
    );
}

/// What was played, and what ingest made of it.
pub(crate) fn ingest_rows(summary: &mut Summary, played: &Played) {
    let core = &played.core;
    let by_venue: Vec<(String, u64)> = core
        .venues
        .iter()
        .map(|venue| (venue.venue.to_owned(), venue.frames))
        .collect();
    summary.count_of("frames", core.frames, &by_venue);
    let dropped = [
        ("history", core.history),
        ("duplicates", core.duplicates),
        ("old quotes", core.old_quotes),
        ("aggregates", core.aggregated),
        ("trades of rates", core.rate_trades),
        (
            "symbols of no pair",
            core.unnamed.iter().map(|symbol| symbol.ticks).sum::<u64>() + core.unnamed_beyond,
        ),
        ("faulty frames", core.faults.values().sum()),
        ("broken lines", played.replay.faults_total),
        ("venues without parser", played.replay.refused_total()),
    ];
    let dropped: Vec<(String, u64)> = dropped
        .iter()
        .map(|(name, count)| ((*name).to_owned(), *count))
        .collect();
    summary.count_of(
        "dropped",
        dropped.iter().map(|(_, count)| count).sum(),
        &dropped,
    );
    summary.count("rates", core.rates);
    summary.count("gaps", core.gaps_total);
}

/// What people should know of a replay beyond its figures.
pub(crate) fn notes(played: &Played) {
    let unnamed = &played.core.unnamed;
    if !unnamed.is_empty() {
        let shown: Vec<String> = unnamed
            .iter()
            .take(12)
            .map(|symbol| format!("{} {} ({})", symbol.venue, symbol.symbol, symbol.ticks))
            .collect();
        let more = if unnamed.len() > shown.len() {
            ", ..."
        } else {
            ""
        };
        tracing::warn!(
            "{} symbols stand in no pair of the settings: {}{more}; `--pairs all` makes a pair of each",
            unnamed.len(),
            shown.join(", ")
        );
    }
    for (reason, count) in &played.core.faults {
        tracing::warn!(count, "faulty frames: {reason}");
    }
}
