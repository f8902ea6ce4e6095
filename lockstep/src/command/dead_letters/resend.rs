//! Letters sent again to where they came from, and the marks that say so.
//!
//! ```text
//! dead-letters --letter--> its topic and partition     one transaction on Apache Kafka,
//!      ^--- mark: resent ----/                         else one after the other
//! ```
//!
//! Before anything is read, the transaction's name is taken over: of two that send at once the earlier is fenced, and what
//! it had committed carries its marks. Without transactions a process that dies between the two leaves a letter that was
//! sent and is not marked.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::sync::Arc;
use std::time::Duration;

use contract::config::Config;
use contract::dead_letter;
use contract::topic::DEAD_LETTERS;
use kafka_io::{
    KafkaError, Producer, ProducerOptions, Record, TransactionOptions, TransactionalProducer,
};
use serde_json::json;

use super::letter::{self, Filter, Row, destination};
use super::{ResendArgs, absent, read};
use crate::failure::{Failure, Outcome};
use crate::stop::Stop;

/// Letters of one transaction.
const LETTERS: usize = 200;
/// Bytes of one transaction, after which it ends.
const BYTES: usize = 4 << 20;
/// How long the last records may take.
const FLUSH: Duration = Duration::from_secs(60);
/// The header that a record sent again carries: its offset on `dead-letters`.
const FROM: &str = "dead_letter";

/// Sends, or says what it would send.
pub(super) fn run(args: &ResendArgs, config: &Config, topic: &read::Topic<'_>) -> Outcome {
    let mut way = match args.yes {
        true => Some(Way::open(config, topic)?),
        false => None,
    };
    if matches!(way, Some(Way::Transactions { .. })) {
        topic.settle()?;
    }
    let filter = args.filter.filter();
    // Letters that are named must stand there, whatever the filter says.
    let listed = if args.all {
        filter.clone()
    } else {
        Filter::default()
    };
    let asked: BTreeSet<i64> = args.offsets.iter().copied().collect();
    let is_meant = |row: &Row| (args.all || asked.contains(&row.at)) && filter.lets_through(row);
    let found = topic.rows(&listed, usize::MAX)?;
    let standing: BTreeSet<i64> = found.rows.iter().map(|row| row.at).collect();
    if let Some(offset) = asked.iter().find(|offset| !standing.contains(*offset)) {
        return Err(absent(*offset));
    }
    let last = found.rows.back().map(|row| row.at);
    let mut done = Done::default();
    let result = topic.letters(|headers, message| {
        let bytes = message.value.unwrap_or_default();
        let row = Row::of(message.offset, message.timestamp_ms, headers, bytes);
        // Letters that came since are for another time.
        if last.is_none_or(|last| row.at > last) || !is_meant(&row) {
            return Ok(());
        }
        if found.resent.contains_key(&row.at) && !args.again {
            done.before += 1;
            return Ok(());
        }
        let there = match destination(&row, bytes) {
            Ok(there) => there,
            Err(why) => {
                *done.refused.entry(why).or_default() += 1;
                return Ok(());
            }
        };
        *done.to.entry(row.topic.clone()).or_default() += 1;
        let Some(way) = &mut way else {
            return Ok(());
        };
        let from = row.at.to_string();
        let headers = [(FROM, from.as_bytes())];
        let record = Record::new(there.topic.name, there.partition, &there.key, bytes);
        let (name, value) = dead_letter::resent(row.at);
        let mark = [(name, value.as_bytes())];
        let key = row.topic.as_bytes();
        let marked = Record::new(DEAD_LETTERS.name, 0, key, &[]).headers(&mark);
        way.send(record.headers(&headers), marked, bytes.len())
    });
    let finished = way.map_or(Ok(()), |way| way.finish(result.is_ok()));
    if topic.stop.is_interrupted() {
        return Err(Failure::Interrupted);
    }
    match result.and(finished) {
        Err(Failure::Failed(error)) => Err(Failure::Failed(error.context(
            "not all were sent again; those that were are marked, so the same command sends the rest",
        ))),
        other => other.and_then(|()| done.tell(args)),
    }
}

/// What became of the letters.
#[derive(Default)]
struct Done {
    /// Sent, or to be sent, by topic.
    to: BTreeMap<String, u64>,
    /// Sent again before.
    before: u64,
    /// Not to be sent, by reason.
    refused: BTreeMap<String, u64>,
}

impl Done {
    fn tell(&self, args: &ResendArgs) -> Outcome {
        let sent: u64 = self.to.values().sum();
        if args.json {
            let told = json!({
                "sent": if args.yes { sent } else { 0 },
                "would_send": if args.yes { 0 } else { sent },
                "to": self.to,
                "sent_before": self.before,
                "refused": self.refused,
            });
            return Ok(writeln!(std::io::stdout().lock(), "{told}")?);
        }
        let mut stdout = std::io::stdout().lock();
        let verb = if args.yes { "sent" } else { "would send" };
        for (topic, count) in &self.to {
            writeln!(stdout, "{verb} {count} to `{topic}`")?;
        }
        if self.before > 0 {
            let count = self.before;
            writeln!(
                stdout,
                "left out {count} that were sent again before; --again sends them too"
            )?;
        }
        for (why, count) in &self.refused {
            writeln!(stdout, "left out {count}: {}", letter::printable(why))?;
        }
        if sent == 0 {
            writeln!(stdout, "nothing to send")?;
        } else if !args.yes {
            writeln!(stdout, "nothing was sent: add --yes")?;
        }
        Ok(())
    }
}

/// How records are sent.
enum Way<'a> {
    /// Record and mark at once.
    Transactions {
        producer: Box<TransactionalProducer>,
        letters: usize,
        bytes: usize,
        stop: &'a Stop,
    },
    /// One after the other.
    Plain(Producer),
}

impl<'a> Way<'a> {
    fn open(config: &Config, topic: &read::Topic<'a>) -> Result<Self, Failure> {
        // A broker that does not answer at all is told at once, not waited for.
        topic.broker.health(topic.timeout)?;
        let name = format!("{}-dead-letters", config.windowing.deployment);
        let options = TransactionOptions {
            name: "dead-letters".to_owned(),
            id: name.clone(),
            group: name,
            timeout: Duration::from_millis(config.windowing.transaction_timeout_ms),
            stop: Arc::clone(&topic.stop.flag),
        };
        match topic.broker.transactional_producer(options) {
            Ok(producer) => Ok(Self::Transactions {
                producer: Box::new(producer),
                letters: 0,
                bytes: 0,
                stop: topic.stop,
            }),
            Err(KafkaError::NoTransactions) => {
                tracing::warn!(
                    "this broker has no transactions: if this breaks off, a letter may be sent that is not marked as sent"
                );
                let options = ProducerOptions::new("dead-letters").stop(&topic.stop.flag);
                Ok(Self::Plain(topic.broker.producer(options)?))
            }
            Err(error) => Err(error.into()),
        }
    }

    fn send(&mut self, record: Record<'_>, mark: Record<'_>, length: usize) -> Outcome {
        match self {
            Self::Plain(producer) => {
                producer.send(record)?;
                // The mark must not be there before the record.
                producer.flush(FLUSH)?;
                Ok(producer.send(mark)?)
            }
            Self::Transactions {
                producer,
                letters,
                bytes,
                stop,
            } => {
                if !producer.is_open() {
                    producer.begin().map_err(failure)?;
                }
                producer.send(record).map_err(failure)?;
                producer.send(mark).map_err(failure)?;
                *letters += 1;
                *bytes += length;
                if *letters >= LETTERS || *bytes >= BYTES {
                    if stop.is_interrupted() {
                        return Err(Failure::Interrupted);
                    }
                    producer.commit(&[]).map_err(failure)?;
                    (*letters, *bytes) = (0, 0);
                }
                Ok(())
            }
        }
    }

    /// Commits what is open, or throws it away.
    fn finish(self, is_well: bool) -> Outcome {
        match self {
            Self::Plain(producer) => Ok(producer.flush(FLUSH)?),
            Self::Transactions { mut producer, .. } if producer.is_open() => {
                if is_well {
                    producer.commit(&[]).map_err(failure)
                } else {
                    Ok(producer.abort()?)
                }
            }
            Self::Transactions { .. } => Ok(()),
        }
    }
}

/// Two that send at once are told apart by it.
fn failure(error: KafkaError) -> Failure {
    match error {
        KafkaError::Fenced { .. } => Failure::Fenced(error.into()),
        other => other.into(),
    }
}
