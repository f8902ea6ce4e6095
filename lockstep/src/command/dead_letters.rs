//! `lockstep dead-letters`: what could not be read, as a list, one by one, and sent again to where it came from.

mod letter;
mod read;
mod resend;
mod show;

use std::io::Write;
use std::time::Duration;

use clap::{Args, Subcommand};
use comfy_table::{Table, presets};
use contract::config::Config;
use contract::time::{Clock, SystemClock};
use serde_json::json;

use crate::cli::duration;
use crate::failure::{Failure, Outcome};
use crate::settings;
use crate::stop::Stop;
use letter::{Filter, Moment, Row};

/// What `dead-letters` takes.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  lockstep dead-letters list --since 2h
  lockstep dead-letters list --topic spreads --reason version --json
  lockstep dead-letters show 4711
  lockstep dead-letters show 4711 --raw > frame.json
  lockstep dead-letters resend 4711                   says what it would do
  lockstep dead-letters resend --all --topic spreads --stage alert --yes

A letter is named by its offset on the topic `dead-letters`, where it stays for 30 days. Sent again, it goes to the
partition it came from, behind what stands there by now: a spread that an older alerter could not read is read by the newer
one; a tick mostly comes late and goes to `ticks-late`. On Apache Kafka the record and the mark that it was sent are one
transaction, so that none is sent twice.")]
pub(crate) struct DeadLettersArgs {
    /// The broker. Default: `kafka.brokers` of the settings.
    #[arg(long, value_name = "HOST:PORT", global = true)]
    broker: Option<String>,
    /// How long to wait for the broker's first answer.
    #[arg(long, value_name = "TIME", value_parser = duration, default_value = "10s", global = true)]
    timeout: Duration,
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Lists letters, the oldest first.
    List(ListArgs),
    /// Shows one letter in full.
    Show(ShowArgs),
    /// Sends letters again to where they came from; without --yes it only says which.
    Resend(ResendArgs),
}

/// Which letters.
#[derive(Debug, Clone, Default, Args)]
struct FilterArgs {
    /// Only of this source: a topic, or `frames/VENUE`.
    #[arg(long, value_name = "NAME")]
    topic: Option<String>,
    /// Only what this stage refused: ingest, windowing, alert.
    #[arg(long, value_name = "NAME")]
    stage: Option<String>,
    /// Only where the reason holds this text, in whatever case.
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
    /// Only of this venue, where the letter tells one.
    #[arg(long, value_name = "NAME")]
    venue: Option<String>,
    /// Only those refused since: a time such as 2026-11-21T17:00:00Z, or so long ago, such as 2h.
    #[arg(long, value_name = "TIME")]
    since: Option<Moment>,
    /// Only those refused before.
    #[arg(long, value_name = "TIME")]
    until: Option<Moment>,
}

#[derive(Debug, Args)]
struct ListArgs {
    #[command(flatten)]
    filter: FilterArgs,
    /// How many at most, the newest of them.
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..))]
    limit: u32,
    /// One letter a line, as JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
struct ShowArgs {
    /// Which: its offset on `dead-letters`.
    #[arg(value_name = "OFFSET")]
    offset: i64,
    /// Its bytes alone, as they came.
    #[arg(long, conflicts_with = "json")]
    raw: bool,
    /// As one line of JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
struct ResendArgs {
    /// Which: their offsets on `dead-letters`.
    #[arg(value_name = "OFFSET", required_unless_present = "all")]
    offsets: Vec<i64>,
    /// All that the filter lets through.
    #[arg(long, conflicts_with = "offsets")]
    all: bool,
    #[command(flatten)]
    filter: FilterArgs,
    /// Really sends.
    #[arg(long)]
    yes: bool,
    /// Those too that were sent again before.
    #[arg(long)]
    again: bool,
    /// The figures as one line of JSON.
    #[arg(long)]
    json: bool,
}

impl FilterArgs {
    fn filter(&self) -> Filter {
        let now_ns = SystemClock.now_ns();
        Filter {
            topic: self.topic.clone(),
            stage: self.stage.clone(),
            reason: self.reason.as_ref().map(|reason| reason.to_lowercase()),
            venue: self.venue.clone(),
            since_ms: self.since.map(|moment| moment.ms(now_ns)),
            until_ms: self.until.map(|moment| moment.ms(now_ns)),
        }
    }
}

/// Lists, shows or sends.
pub(crate) fn run(args: &DeadLettersArgs, config: &Config, stop: &Stop) -> Outcome {
    let broker = settings::cluster(config, args.broker.as_deref())?;
    let topic = read::Topic {
        broker: &broker,
        timeout: args.timeout,
        stop,
    };
    match &args.what {
        What::List(args) => list(args, &topic),
        What::Show(args) => show::run(args, &topic),
        What::Resend(args) => resend::run(args, config, &topic),
    }
}

fn list(args: &ListArgs, topic: &read::Topic<'_>) -> Outcome {
    let limit = usize::try_from(args.limit).unwrap_or(usize::MAX);
    let found = topic.rows(&args.filter.filter(), limit)?;
    let mut stdout = std::io::stdout().lock();
    if args.json {
        for row in &found.rows {
            writeln!(stdout, "{}", json(row, found.resent.get(&row.at)))?;
        }
    } else if !found.rows.is_empty() {
        writeln!(stdout, "{}", table(&found))?;
    }
    drop(stdout);
    let mut stderr = std::io::stderr().lock();
    let left_out = found.matching - found.rows.len();
    if left_out > 0 {
        writeln!(
            stderr,
            "{left_out} older ones are left out; --limit N shows more"
        )?;
    }
    if found.rows.is_empty() {
        writeln!(
            stderr,
            "no such letter among the {} that stand there",
            found.letters
        )?;
    }
    if found.foreign > 0 {
        writeln!(
            stderr,
            "{} records of `dead-letters` have no headers of ours",
            found.foreign
        )?;
    }
    Ok(())
}

fn table(found: &read::Found) -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_header([
        "offset", "when", "from", "stage", "venue", "bytes", "sent", "reason",
    ]);
    for row in &found.rows {
        table.add_row([
            row.at.to_string(),
            letter::when(row.refused_ms),
            letter::printable(&row.source()),
            letter::printable(&row.stage),
            letter::printable(row.venue.as_deref().unwrap_or("-")),
            row.full_length.to_string(),
            if found.resent.contains_key(&row.at) {
                "again".to_owned()
            } else {
                "-".to_owned()
            },
            letter::printable(&row.error),
        ]);
    }
    table
}

fn json(row: &Row, resent_ms: Option<&Option<i64>>) -> serde_json::Value {
    json!({
        "offset": row.at,
        "refused_ms": row.refused_ms,
        "source": { "topic": row.topic, "partition": row.partition, "offset": row.offset },
        "stage": row.stage,
        "venue": row.venue,
        "bytes": row.full_length,
        "cut": row.is_cut,
        "resent": resent_ms.is_some(),
        "resent_ms": resent_ms.copied().flatten(),
        "error": row.error,
    })
}

/// A letter that does not stand on the topic.
fn absent(offset: i64) -> Failure {
    Failure::BadInput(anyhow::anyhow!(
        "no letter stands at offset {offset} of `dead-letters`; `lockstep dead-letters list` shows those that do"
    ))
}
