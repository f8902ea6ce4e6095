//! Results as records of topics, those of spreads of `spreads`, `ticks-late` and `dead-letters`; and the outlet that writes
//! them at least once.

use std::time::Duration;

use contract::dead_letter::DeadLetter;
use contract::topic;
use kafka_io::{KafkaError, Producer, Record};

use crate::dataflow::{BoxError, Outlet, Results};
use crate::spread::{Settings, Side};
use crate::work::Work;

/// How long the end of a job waits for its last records to be acknowledged.
const FLUSH: Duration = Duration::from_secs(60);

/// A record in the partition that its key belongs to.
pub fn record<'a>(topic: &topic::Topic, key: &'a [u8], value: &'a [u8]) -> Record<'a> {
    Record::new(topic.name, topic.partition_of(key), key, value)
}

/// A work whose results stand on topics.
pub trait Publish: Work {
    /// Hands every record of the results to `send`, per partition in their order, and takes it out of them.
    ///
    /// # Errors
    /// What `send` says.
    fn publish(
        results: &mut Results<Self>,
        send: &mut dyn FnMut(Record<'_>) -> Result<(), KafkaError>,
    ) -> Result<(), KafkaError>;
}

/// Hands a dead letter to `send`.
///
/// # Errors
/// What `send` says.
pub fn publish_dead(
    letter: DeadLetter,
    send: &mut dyn FnMut(Record<'_>) -> Result<(), KafkaError>,
) -> Result<(), KafkaError> {
    let key = letter.topic.clone();
    let (bytes, headers) = letter.into_record();
    let headers: Vec<(&str, &[u8])> = headers
        .iter()
        .map(|(name, value)| (*name, value.as_bytes()))
        .collect();
    send(record(&topic::DEAD_LETTERS, key.as_bytes(), &bytes).headers(&headers))
}

impl Publish for Settings {
    fn publish(
        results: &mut Results,
        send: &mut dyn FnMut(Record<'_>) -> Result<(), KafkaError>,
    ) -> Result<(), KafkaError> {
        for (_, emitted) in results.closed.drain(..) {
            send(record(
                &topic::SPREADS,
                emitted.pair.as_bytes(),
                &emitted.line,
            ))?;
        }
        for (_, side) in results.side.drain(..) {
            match side {
                Side::Late { pair, line } => {
                    send(record(&topic::TICKS_LATE, pair.as_bytes(), &line))?;
                }
                Side::Dead(letter) => publish_dead(letter, send)?,
            }
        }
        Ok(())
    }
}

/// Writes results as they come.
pub(super) struct AtLeastOnceOutlet(pub(super) Producer);

impl<W: Publish> Outlet<W> for AtLeastOnceOutlet {
    fn accept(&mut self, results: &mut Results<W>) -> Result<(), BoxError> {
        W::publish(results, &mut |record| self.0.send(record))?;
        // What could not be delivered is lost to this run: it ends, and the next one reads again.
        if self.0.counts().failed > 0 {
            self.0.flush(Duration::ZERO)?;
        }
        results.ended.clear();
        Ok(())
    }

    fn finish(&mut self) -> Result<(), BoxError> {
        Ok(self.0.flush(FLUSH)?)
    }
}
