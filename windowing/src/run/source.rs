//! Batches of records from a consumer, for one worker.
//!
//! What is read again after a crash is told apart from what is new: no batch holds records of a partition from both sides of
//! its committed position, so that whole results can be left out.

use std::collections::BTreeMap;
use std::mem;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use kafka_io::{Consumer, Event};

use crate::dataflow::{BoxError, Polled, Source};
use crate::work::{Input, Work};

/// How long a poll waits for records before it looks at the stop flags.
const POLL: Duration = Duration::from_millis(100);

/// One worker's records.
pub(super) struct KafkaSource<W: Work> {
    pub(super) consumer: Arc<Consumer>,
    /// Any of them, once set, ends the polling.
    pub(super) stops: Vec<Arc<AtomicBool>>,
    /// What the end of the reading means: the end of the input, or only of this program.
    pub(super) at_end: Polled,
    /// Partitions that go on from a state.
    pub(super) restored: Vec<(i32, W::Machine)>,
    /// Partitions that are read again, and up to which offset.
    pub(super) again_to: BTreeMap<i32, i64>,
    /// What came behind those offsets, for the next batch.
    pub(super) held: Vec<(i32, Input)>,
}

impl<W: Work> KafkaSource<W> {
    /// Adds a record to the batch, or keeps it for the next one.
    fn take(&mut self, partition: i32, input: Input, batch: &mut Vec<(i32, Input)>) {
        match self.again_to.get(&partition) {
            Some(&to) if input.offset >= to => self.held.push((partition, input)),
            _ => batch.push((partition, input)),
        }
    }

    /// The held records become the next batch; their partitions are through with what is read again.
    fn release(&mut self, batch: &mut Vec<(i32, Input)>) {
        for (partition, _) in &self.held {
            self.again_to.remove(partition);
        }
        batch.append(&mut self.held);
    }
}

impl<W: Work> Source<W> for KafkaSource<W> {
    fn poll(&mut self, batch: &mut Vec<(i32, Input)>) -> Result<Polled, BoxError> {
        if self.stops.iter().any(|stop| stop.load(Ordering::Relaxed)) {
            return Ok(Polled::Stop);
        }
        if !self.held.is_empty() {
            self.release(batch);
            return Ok(Polled::More);
        }
        match self.consumer.recv(POLL) {
            Some(Event::Batch(records)) => {
                for message in records.messages() {
                    let input = Input {
                        offset: message.offset,
                        bytes: message.value.unwrap_or_default().to_vec(),
                    };
                    self.take(message.partition, input, batch);
                }
                if batch.is_empty() {
                    self.release(batch);
                }
                Ok(Polled::More)
            }
            Some(Event::End) => Ok(self.at_end),
            Some(Event::Failed(error)) => Err(Box::new(error)),
            None => Ok(Polled::More),
        }
    }

    fn restored(&mut self) -> Vec<(i32, W::Machine)> {
        mem::take(&mut self.restored)
    }
}
