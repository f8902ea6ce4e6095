//! Results as records of `spreads`, `ticks-late` and `dead-letters`; and the outlet that writes them at least once.

use std::time::Duration;

use contract::topic;
use kafka_io::{KafkaError, Producer, Record};

use crate::dataflow::{BoxError, Outlet, Results};
use crate::spread::Side;

/// How long the end of a job waits for its last records to be acknowledged.
const FLUSH: Duration = Duration::from_secs(60);

/// A record in the partition that its key belongs to.
pub(super) fn record<'a>(topic: &topic::Topic, key: &'a [u8], value: &'a [u8]) -> Record<'a> {
    Record::new(topic.name, topic.partition_of(key), key, value)
}

/// Hands every record of the results to `send`, per partition in their order.
pub(super) fn send_all(
    results: &mut Results,
    mut send: impl FnMut(Record<'_>) -> Result<(), KafkaError>,
) -> Result<(), KafkaError> {
    for (_, emitted) in results.spreads.drain(..) {
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
            Side::Dead(letter) => {
                let key = letter.topic.clone();
                let (bytes, headers) = letter.into_record();
                let headers: Vec<(&str, &[u8])> = headers
                    .iter()
                    .map(|(name, value)| (*name, value.as_bytes()))
                    .collect();
                send(record(&topic::DEAD_LETTERS, key.as_bytes(), &bytes).headers(&headers))?;
            }
        }
    }
    Ok(())
}

/// Writes results as they come.
pub(super) struct AtLeastOnceOutlet(pub(super) Producer);

impl Outlet for AtLeastOnceOutlet {
    fn accept(&mut self, results: &mut Results) -> Result<(), BoxError> {
        send_all(results, |record| self.0.send(record))?;
        results.ended.clear();
        Ok(())
    }

    fn finish(&mut self) -> Result<(), BoxError> {
        Ok(self.0.flush(FLUSH)?)
    }
}
