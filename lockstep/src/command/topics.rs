//! `lockstep topics`: what the topics are, and whether a broker has them so.

use std::io::Write;
use std::time::Duration;

use comfy_table::{Table, presets};
use contract::config::Config;
use contract::topic::{self, Retention};
use serde_json::json;

use crate::cli::TopicsArgs;
use crate::failure::{Failure, Outcome};
use crate::settings;

const TIMEOUT: Duration = Duration::from_secs(30);

/// Lists, compares or makes the topics.
pub(crate) fn run(args: &TopicsArgs, config: &Config) -> Outcome {
    if args.create {
        let broker = settings::cluster(config, args.broker.as_deref())?;
        let report = broker.ensure_topics(&settings::topic_specs(), TIMEOUT)?;
        if args.json {
            return print(
                &json!({ "created": report.created, "existing": report.existing }).to_string(),
            );
        }
        return print(&format!(
            "made {}: {}; {} were there already",
            report.created.len(),
            report.created.join(", "),
            report.existing.len()
        ));
    }
    if args.check {
        let broker = settings::cluster(config, args.broker.as_deref())?;
        let differences = broker.check_topics(&settings::topic_specs(), TIMEOUT)?;
        if args.json {
            let told: Vec<String> = differences.iter().map(ToString::to_string).collect();
            print(&json!({ "broker": broker.address(), "differences": told }).to_string())?;
        } else if differences.is_empty() {
            print(&format!(
                "{} has all {} topics as expected",
                broker.describe(),
                topic::ALL.len()
            ))?;
        }
        if differences.is_empty() {
            return Ok(());
        }
        let told: Vec<String> = differences
            .iter()
            .map(|difference| format!("  {difference}"))
            .collect();
        return Err(Failure::Failed(anyhow::anyhow!(
            "{} differs from what is expected:\n{}",
            broker.describe(),
            told.join("\n")
        )));
    }
    if args.json {
        let topics: Vec<_> = topic::ALL
            .iter()
            .map(|topic| {
                json!({ "name": topic.name, "key": topic.key, "partitions": topic.partitions, "kept": kept(topic.kept), "holds": topic.holds })
            })
            .collect();
        return print(&serde_json::Value::from(topics).to_string());
    }
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_header([
        "topic",
        "key",
        "partitions",
        "kept",
        "one record is",
    ]);
    for topic in topic::ALL {
        table.add_row([
            topic.name,
            topic.key,
            &topic.partitions.to_string(),
            &kept(topic.kept),
            topic.holds,
        ]);
    }
    print(&table.to_string())
}

fn kept(retention: Retention) -> String {
    match retention {
        Retention::Days(1) => "1 day".to_owned(),
        Retention::Days(days) => format!("{days} days"),
        Retention::Compacted => "compacted".to_owned(),
    }
}

fn print(text: &str) -> Outcome {
    Ok(writeln!(std::io::stdout().lock(), "{text}")?)
}
