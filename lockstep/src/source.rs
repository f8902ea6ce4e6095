//! Where the frames of `up` and `demo` come from.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use contract::topic;
use ingest::publish::KafkaSink;
use ingest::replay::Input;
use kafka_io::ProducerOptions;
use windowing::run::JobHandle;

use crate::command::replay::{Play, Played};
use crate::failure::Failure;
use crate::metrics::ingest::IngestStage;
use crate::stages::Plan;

/// How long one question to the broker may take.
const ASK: Duration = Duration::from_secs(30);

/// What `--source` names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Source {
    /// Captures.
    Recorded(Vec<PathBuf>),
    /// The exchanges.
    Live,
    /// The imitated exchanges.
    Simulated,
}

impl Source {
    /// Reads the words given to `--source`.
    pub(crate) fn of(words: &[PathBuf]) -> Result<Self, Failure> {
        let named = |name: &str| words.iter().any(|word| word.as_os_str() == name);
        for (name, source) in [("live", Self::Live), ("sim", Self::Simulated)] {
            if named(name) {
                return if words.len() == 1 {
                    Ok(source)
                } else {
                    Err(Failure::WrongUse(format!(
                        "`{name}` cannot be mixed with another source"
                    )))
                };
            }
        }
        Ok(Self::Recorded(words.to_vec()))
    }
}

/// Plays captures onto `ticks` and tells windowing where they end.
pub(crate) fn publish_captures(
    (play, inputs): (&Play<'_>, Vec<Input>),
    plan: &Plan<'_>,
    windows: &JobHandle,
) -> Result<Played, Failure> {
    let Plan {
        config,
        broker,
        stop,
        ..
    } = *plan;
    let producer = broker.producer(ProducerOptions::new("ingest").stop(&stop.flag))?;
    let mut sink = KafkaSink::new(producer.clone(), Arc::clone(&stop.flag));
    plan.metrics.enter(IngestStage {
        published: sink.published(),
        producer,
        words: None,
    });
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn live_and_sim_stand_alone() {
        let of = |words: &[&str]| Source::of(&words.iter().map(PathBuf::from).collect::<Vec<_>>());
        assert_eq!(of(&["live"]).unwrap(), Source::Live);
        assert_eq!(of(&["sim"]).unwrap(), Source::Simulated);
        assert_eq!(
            of(&["a", "b"]).unwrap(),
            Source::Recorded(vec!["a".into(), "b".into()])
        );
        for words in [["live", "a"], ["a", "sim"], ["live", "sim"]] {
            assert!(matches!(of(&words), Err(Failure::WrongUse(_))), "{words:?}");
        }
    }
}
