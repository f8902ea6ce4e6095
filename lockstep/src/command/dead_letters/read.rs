//! The topic `dead-letters` from its beginning to what is its end when it is asked for.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use contract::dead_letter::{Entry, Headers};
use contract::topic::DEAD_LETTERS;
use kafka_io::{Broker, Consumer, ConsumerOptions, Event, Message, Start};

use super::letter::{Filter, Row};
use crate::failure::{Failure, Outcome};
use crate::stop::Stop;

/// How long a poll waits before it looks whether to stop.
const POLL: Duration = Duration::from_millis(50);

/// The pause before it is asked again whether a transaction has ended.
const SETTLE: Duration = Duration::from_millis(500);

// An offset alone names a letter.
const _: () = assert!(DEAD_LETTERS.partitions == 1);

/// Where the letters stand.
pub(super) struct Topic<'a> {
    pub(super) broker: &'a Broker,
    /// How long the first answer may take.
    pub(super) timeout: Duration,
    pub(super) stop: &'a Stop,
}

/// What was found.
#[derive(Default)]
pub(super) struct Found {
    /// The newest that are meant, the oldest of them first.
    pub(super) rows: VecDeque<Row>,
    /// How many are meant.
    pub(super) matching: usize,
    /// Which letters were sent again, and when.
    pub(super) resent: BTreeMap<i64, Option<i64>>,
    /// How many letters stand there.
    pub(super) letters: usize,
    /// Records that are not ours.
    pub(super) foreign: usize,
}

impl Topic<'_> {
    /// Waits until every transaction that is open there now has ended: what is committed behind one, marks included, cannot be read
    /// before.
    pub(super) fn settle(&self) -> Outcome {
        let end = self
            .broker
            .end_with_open(DEAD_LETTERS.name, 0, self.timeout)?;
        let mut told = false;
        loop {
            let ends = self.broker.end_offsets(DEAD_LETTERS.name, self.timeout)?;
            let committed = ends.get(&0).copied().unwrap_or(end);
            if committed >= end {
                return Ok(());
            }
            if !std::mem::replace(&mut told, true) {
                tracing::warn!(
                    offset = committed,
                    "waiting for a transaction that is open on `dead-letters`: what stands behind it cannot be read yet"
                );
            }
            if self.stop.wait(SETTLE) {
                return Err(Failure::Interrupted);
            }
        }
    }

    fn consumer(&self, start: Start) -> Result<Consumer, Failure> {
        let wanted = ConsumerOptions::new("dead-letters").partition(DEAD_LETTERS.name, 0, start);
        let consumer = self.broker.consumer(wanted)?;
        consumer.wait_ready(self.timeout)?;
        consumer.stop_at_end();
        Ok(consumer)
    }

    fn each(
        &self,
        consumer: &Consumer,
        mut take: impl FnMut(&Message<'_>, Option<Entry<'_>>) -> Result<Next, Failure>,
    ) -> Outcome {
        loop {
            if self.stop.is_interrupted() {
                return Err(Failure::Interrupted);
            }
            match consumer.recv(POLL) {
                Some(Event::Batch(batch)) => {
                    for message in batch.messages() {
                        let headers = message.headers.iter();
                        let entry = Entry::of(headers.map(|(name, value)| {
                            (name.as_str(), value.as_deref().unwrap_or_default())
                        }));
                        if let Next::Enough = take(&message, entry)? {
                            return Ok(());
                        }
                    }
                }
                Some(Event::End) => return Ok(()),
                Some(Event::Failed(error)) => return Err(error.into()),
                None => {}
            }
        }
    }

    /// Letters with their bytes, and which were sent again, as they come.
    pub(super) fn letters(
        &self,
        mut take: impl FnMut(&Headers<'_>, &Message<'_>) -> Outcome,
    ) -> Outcome {
        let consumer = self.consumer(Start::Beginning)?;
        self.each(&consumer, |message, entry| {
            if let Some(Entry::Letter(headers)) = entry {
                take(&headers, message)?;
            }
            Ok(Next::More)
        })
    }

    /// The newest `limit` letters that are meant.
    pub(super) fn rows(&self, filter: &Filter, limit: usize) -> Result<Found, Failure> {
        let mut found = Found::default();
        let consumer = self.consumer(Start::Beginning)?;
        self.each(&consumer, |message, entry| {
            match entry {
                Some(Entry::Letter(headers)) => {
                    found.letters += 1;
                    let bytes = message.value.unwrap_or_default();
                    let row = Row::of(message.offset, message.timestamp_ms, &headers, bytes);
                    if filter.lets_through(&row) {
                        found.matching += 1;
                        found.rows.push_back(row);
                        if found.rows.len() > limit {
                            found.rows.pop_front();
                        }
                    }
                }
                Some(Entry::Resent(offset)) => {
                    found.resent.insert(offset, message.timestamp_ms);
                }
                None => found.foreign += 1,
            }
            Ok(Next::More)
        })?;
        Ok(found)
    }

    /// One letter, handed to `take` with its bytes. False where none stands there.
    pub(super) fn one(
        &self,
        offset: i64,
        mut take: impl FnMut(&Row, &[u8], &Headers<'_>) -> Outcome,
    ) -> Result<bool, Failure> {
        let ends = self.broker.watermarks(DEAD_LETTERS.name, self.timeout)?;
        let stands = ends
            .get(&0)
            .is_some_and(|ends| (ends.low..ends.high).contains(&offset));
        if !stands {
            return Ok(false);
        }
        let consumer = self.consumer(Start::At(offset))?;
        let mut found = false;
        self.each(&consumer, |message, entry| {
            if let Some(Entry::Letter(headers)) = entry.filter(|_| message.offset == offset) {
                let bytes = message.value.unwrap_or_default();
                let row = Row::of(offset, message.timestamp_ms, &headers, bytes);
                take(&row, bytes, &headers)?;
                found = true;
            }
            Ok(Next::Enough)
        })?;
        Ok(found)
    }
}

/// Whether to read on.
enum Next {
    More,
    Enough,
}
