//! `lockstep health`: does the broker answer, and has it the topics?

use std::io::Write;

use contract::config::Config;
use contract::topic;
use serde_json::json;

use crate::cli::HealthArgs;
use crate::failure::{Failure, Outcome};
use crate::settings;

/// Exit code 0 if the broker answers and has every topic with its partitions.
pub(crate) fn run(args: &HealthArgs, config: &Config) -> Outcome {
    let broker = settings::cluster(config, args.broker.as_deref())?;
    let health = broker.health(args.timeout)?;
    let missing: Vec<&str> = topic::ALL
        .iter()
        .filter(|topic| health.topics.get(topic.name).copied() != Some(topic.partition_count()))
        .map(|topic| topic.name)
        .collect();
    let mut stdout = std::io::stdout().lock();
    if args.json {
        let told = json!({ "broker": broker.address(), "brokers": health.brokers.len(), "topics": health.topics.len(), "missing": missing });
        writeln!(stdout, "{told}")?;
    } else {
        writeln!(
            stdout,
            "{}: {} broker(s), {} topic(s)",
            broker.address(),
            health.brokers.len(),
            health.topics.len()
        )?;
    }
    if missing.is_empty() {
        return Ok(());
    }
    Err(Failure::Failed(anyhow::anyhow!(
        "the broker lacks topics or partitions of them: {}; make them with `lockstep topics --create`",
        missing.join(", ")
    )))
}
