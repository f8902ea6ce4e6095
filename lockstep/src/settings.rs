//! The configuration from its file and the environment, and what the stages are given of it.

use std::path::Path;

use anyhow::Context;
use contract::config::Config;
use contract::topic;
use ingest::settings::IngestSettings;
use kafka_io::{Broker, EmbeddedBroker, KafkaSettings, TopicSpec};

use crate::cli::Pairs;
use crate::failure::Failure;

/// Reads the configuration: defaults, then the file, then `LOCKSTEP_...` variables.
pub(crate) fn load(file: Option<&Path>) -> Result<Config, Failure> {
    let text = match file {
        None => None,
        Some(path) => {
            let text = std::fs::read_to_string(path)
                .with_context(|| format!("could not read the settings file `{}`", path.display()))
                .map_err(Failure::BadInput)?;
            Some((path.display().to_string(), text))
        }
    };
    let file = text
        .as_ref()
        .map(|(name, text)| (name.as_str(), text.as_str()));
    let env = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
    Config::load(file, env).map_err(|error| Failure::WrongUse(error.to_string()))
}

/// A cluster by its address, else that of the settings.
pub(crate) fn cluster(config: &Config, address: Option<&str>) -> Result<Broker, Failure> {
    let broker = Broker::Cluster(KafkaSettings {
        brokers: address.unwrap_or(&config.kafka.brokers).to_owned(),
        properties: properties(config),
    });
    broker
        .check_settings()
        .map_err(|error| Failure::WrongUse(error.to_string()))?;
    Ok(broker)
}

/// `embedded` or a cluster's address.
pub(crate) fn broker(config: &Config, name: &str) -> Result<Broker, Failure> {
    if name == "embedded" {
        let broker =
            EmbeddedBroker::start(&topic_specs()).context("could not start the embedded broker")?;
        return Ok(Broker::Embedded(broker));
    }
    cluster(config, Some(name))
}

fn properties(config: &Config) -> std::collections::BTreeMap<String, String> {
    config
        .kafka
        .properties
        .iter()
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}

/// What ingest's core is told, with or without a pair for each symbol.
pub(crate) fn ingest(config: &Config, pairs: Pairs) -> IngestSettings {
    IngestSettings {
        all_pairs: pairs == Pairs::All,
        ..IngestSettings::from(config)
    }
}

/// The topics as the broker is asked for them.
pub(crate) fn topic_specs() -> Vec<TopicSpec> {
    topic::ALL.iter().map(TopicSpec::from).collect()
}
