//! Making topics, and comparing those of a broker with what the code expects.
//!
//! In comes a list of [`TopicSpec`]s; out go the names that were created, and every difference at once with what to do.
//! What exists is never changed or deleted. Absent: the list itself, which stands in `contract::topic`.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use contract::topic::{Retention, Topic};

use crate::config::KafkaSettings;
use crate::error::KafkaError;
use crate::health::Asker;

mod admin;

pub(crate) use admin::Admin;

/// What a topic shall be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TopicSpec {
    /// Its name.
    pub name: String,
    /// How many partitions, at least 1.
    pub partitions: i32,
    /// How long records stay, in milliseconds; none leaves the broker's default. Of no effect on a compacted topic.
    pub retention_ms: Option<i64>,
    /// Whether the newest record of each key is kept, instead of all for a time.
    pub compacted: bool,
    /// On how many brokers each record is kept; none leaves the broker's default.
    pub replication: Option<i32>,
}

impl TopicSpec {
    /// A topic that is neither compacted nor given a retention.
    #[must_use]
    pub fn new(name: impl Into<String>, partitions: i32) -> Self {
        Self {
            name: name.into(),
            partitions,
            retention_ms: None,
            compacted: false,
            replication: None,
        }
    }

    fn policy(&self) -> &'static str {
        if self.compacted { "compact" } else { "delete" }
    }

    /// The settings that are given to and compared with the broker.
    fn settings(&self) -> Vec<(&'static str, String)> {
        let mut settings = vec![("cleanup.policy", self.policy().to_owned())];
        if let (Some(ms), false) = (self.retention_ms, self.compacted) {
            settings.push(("retention.ms", ms.to_string()));
        }
        settings
    }
}

/// A day in milliseconds.
const DAY_MS: i64 = 24 * 60 * 60 * 1_000;

impl From<&Topic> for TopicSpec {
    fn from(topic: &Topic) -> Self {
        let (retention_ms, compacted) = match topic.kept {
            Retention::Days(days) => (Some(i64::from(days) * DAY_MS), false),
            Retention::Compacted => (None, true),
        };
        Self {
            retention_ms,
            compacted,
            ..Self::new(topic.name, topic.partitions)
        }
    }
}

/// One way in which a broker's topic is not as expected.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TopicDifference {
    /// There is none of this name.
    #[error("`{topic}` does not exist; `lockstep topics` creates it")]
    Missing {
        /// Its name.
        topic: String,
    },
    /// It has another number of partitions.
    #[error(
        "`{topic}` has {found} partitions, expected {expected}; partitions hold whole keys in order, so they cannot be added \
         to: delete the topic and let `lockstep topics` make it anew, or use another cluster"
    )]
    Partitions {
        /// The topic.
        topic: String,
        /// How many it should have.
        expected: i32,
        /// How many it has.
        found: usize,
    },
    /// A setting has another value.
    #[error(
        "`{topic}` has {setting} {found}, expected {expected}; set it with \
         `kafka-configs.sh --alter --entity-type topics --entity-name {topic} --add-config {setting}={expected}`"
    )]
    Setting {
        /// The topic.
        topic: String,
        /// The setting's name.
        setting: String,
        /// What it should be.
        expected: String,
        /// What it is.
        found: String,
    },
}

/// What was done about topics.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TopicReport {
    /// Names of those made now.
    pub created: Vec<String>,
    /// Names of those that were there.
    pub existing: Vec<String>,
}

/// Compares the expected topics with the partitions and settings a broker has. Settings of a topic may be unknown
/// (the embedded broker has none), then only partitions are compared.
fn compare(
    specs: &[TopicSpec],
    partitions: &BTreeMap<String, usize>,
    settings: &BTreeMap<String, BTreeMap<String, String>>,
) -> Vec<TopicDifference> {
    let mut differences = Vec::new();
    for spec in specs {
        let topic = spec.name.clone();
        let Some(&found) = partitions.get(&topic) else {
            differences.push(TopicDifference::Missing { topic });
            continue;
        };
        if usize::try_from(spec.partitions) != Ok(found) {
            differences.push(TopicDifference::Partitions {
                topic,
                expected: spec.partitions,
                found,
            });
        }
        let Some(known) = settings.get(&spec.name) else {
            continue;
        };
        for (setting, expected) in spec.settings() {
            let found = known.get(setting).map_or("unset", String::as_str);
            if found != expected {
                differences.push(TopicDifference::Setting {
                    topic: spec.name.clone(),
                    setting: setting.to_owned(),
                    expected,
                    found: found.to_owned(),
                });
            }
        }
    }
    differences
}

/// Makes what is missing, waits until it is there, and compares everything.
pub(crate) fn ensure(
    settings: &KafkaSettings,
    specs: &[TopicSpec],
    timeout: Duration,
    make: impl Fn(&[TopicSpec], Duration) -> Result<(), KafkaError>,
    with_settings: bool,
) -> Result<TopicReport, KafkaError> {
    let since = Instant::now();
    let left = || timeout.saturating_sub(since.elapsed());
    let asker = Asker::new(settings)?;
    let there = asker.partitions(left())?;
    let (existing, missing): (Vec<TopicSpec>, Vec<TopicSpec>) = specs
        .iter()
        .cloned()
        .partition(|spec| there.contains_key(&spec.name));
    if !missing.is_empty() {
        make(&missing, left())?;
        // A controller says yes before every broker has heard of it.
        while let Some(topic) = {
            let there = asker.partitions(left())?;
            missing.iter().find(|spec| !there.contains_key(&spec.name))
        } {
            if left().is_zero() {
                return Err(KafkaError::UnknownTopic {
                    topic: topic.name.clone(),
                });
            }
            asker.pause();
        }
    }
    let differences = check(
        settings,
        specs,
        left().max(Duration::from_secs(1)),
        with_settings,
    )?;
    if !differences.is_empty() {
        return Err(KafkaError::Topics(differences));
    }
    let names = |specs: Vec<TopicSpec>| specs.into_iter().map(|spec| spec.name).collect();
    Ok(TopicReport {
        created: names(missing),
        existing: names(existing),
    })
}

/// Compares without changing anything.
pub(crate) fn check(
    settings: &KafkaSettings,
    specs: &[TopicSpec],
    timeout: Duration,
    with_settings: bool,
) -> Result<Vec<TopicDifference>, KafkaError> {
    let asker = Asker::new(settings)?;
    let partitions = asker.partitions(timeout)?;
    let known = if with_settings && !asker.is_embedded(timeout) {
        let there: Vec<&str> = specs
            .iter()
            .map(|spec| spec.name.as_str())
            .filter(|name| partitions.contains_key(*name))
            .collect();
        Admin::new(settings)?.describe(&there, timeout)?
    } else {
        BTreeMap::new()
    };
    Ok(compare(specs, &partitions, &known))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs
            .iter()
            .map(|&(name, value)| (name.to_owned(), value.to_owned()))
            .collect()
    }

    #[test]
    fn every_difference_is_told_at_once_with_what_to_do() {
        let mut ticks = TopicSpec::new("ticks", 6);
        ticks.retention_ms = Some(86_400_000);
        let mut alerts = TopicSpec::new("alerts", 1);
        alerts.compacted = true;
        let specs = [ticks, alerts, TopicSpec::new("spreads", 6)];
        let partitions = BTreeMap::from([("ticks".to_owned(), 3), ("alerts".to_owned(), 1)]);
        let settings = BTreeMap::from([
            (
                "ticks".to_owned(),
                text(&[("cleanup.policy", "delete"), ("retention.ms", "604800000")]),
            ),
            ("alerts".to_owned(), text(&[("cleanup.policy", "delete")])),
        ]);
        let found = compare(&specs, &partitions, &settings);
        let error = KafkaError::Topics(found.clone()).to_string();
        assert_eq!(found.len(), 4, "{error}");
        for part in [
            "`ticks` has 3 partitions, expected 6",
            "--add-config retention.ms=86400000",
            "`alerts` has cleanup.policy delete, expected compact",
            "`spreads` does not exist",
        ] {
            assert!(error.contains(part), "{part} not in: {error}");
        }
    }

    #[test]
    fn where_settings_are_unknown_only_partitions_are_compared() {
        let mut alerts = TopicSpec::new("alerts", 1);
        alerts.compacted = true;
        let partitions = BTreeMap::from([("alerts".to_owned(), 1)]);
        assert_eq!(
            compare(&[alerts], &partitions, &BTreeMap::new()),
            Vec::new()
        );
    }

    #[test]
    fn what_is_as_expected_gives_no_difference() {
        let mut ticks = TopicSpec::new("ticks", 6);
        ticks.retention_ms = Some(86_400_000);
        let partitions = BTreeMap::from([("ticks".to_owned(), 6), ("other".to_owned(), 9)]);
        let settings = BTreeMap::from([(
            "ticks".to_owned(),
            text(&[("cleanup.policy", "delete"), ("retention.ms", "86400000")]),
        )]);
        assert_eq!(compare(&[ticks], &partitions, &settings), Vec::new());
    }

    #[test]
    fn the_contracts_topics_are_taken_over() {
        let ticks = TopicSpec::from(&contract::topic::TICKS);
        assert_eq!(
            (ticks.partitions, ticks.retention_ms),
            (6, Some(86_400_000))
        );
        assert_eq!(ticks.settings()[0].1, "delete");
        let alerts = TopicSpec::from(&contract::topic::ALERTS);
        assert_eq!(
            alerts.settings(),
            [("cleanup.policy", "compact".to_owned())]
        );
    }
}
