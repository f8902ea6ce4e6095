//! What an earlier process has left: its alerts, and how far it has read.
//!
//! A broker that is away is waited for until the stop flag is set.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use contract::alert::Alert;
use contract::topic::{self, Topic};
use kafka_io::{Broker, Consumer, ConsumerOptions, Event, KafkaError, Start, Watermarks};

use super::books::Books;
use crate::episode::{Input, Positions};
use crate::error::AlerterError;
use crate::outbox::Kept;

/// One attempt at an answer.
pub(super) const ATTEMPT: Duration = Duration::from_secs(2);

/// Everything needed to go on.
pub(super) struct Left {
    /// The newest record of each episode.
    pub(super) alerts: BTreeMap<Arc<str>, Kept>,
    /// The offsets that reading begins at, where they are known.
    pub(super) positions: Positions,
    /// Reads from there.
    pub(super) consumer: Consumer,
}

/// Finds it all. None when the stop flag was set meanwhile.
pub(super) fn take_up(
    broker: &Broker,
    books: &mut Books,
    committed: &Positions,
    start: Start,
    stop: &AtomicBool,
) -> Result<Option<Left>, AlerterError> {
    let mut positions = Positions::new();
    let mut new = Positions::new();
    let mut wanted = ConsumerOptions::new("alert");
    for input in [Input::Spreads, Input::Venues] {
        let topic = input.topic();
        let Some(ends) =
            patiently(stop, || broker.watermarks(topic.name, ATTEMPT)).map_err(read(topic))?
        else {
            return Ok(None);
        };
        for partition in 0..topic.partitions {
            let end = ends.get(&partition);
            let known = committed.get(&(input, partition));
            let from = match (known, start, end) {
                (Some(known), _, end) => Start::At(still_kept(topic, partition, *known, end)),
                (None, Start::End, Some(end)) => {
                    new.insert((input, partition), end.high);
                    Start::At(end.high)
                }
                (None, Start::Beginning, Some(end)) => Start::At(end.low),
                (None, start, _) => start,
            };
            if let Start::At(offset) = from {
                positions.insert((input, partition), offset);
            }
            wanted = wanted.partition(topic.name, partition, from);
        }
    }
    // Whoever begins at the end must find it again after a crash: what came between would be lost.
    if !books.begin(&positions, &new, stop)? {
        return Ok(None);
    }
    let Some(alerts) = alerts(broker, stop)? else {
        return Ok(None);
    };
    let consumer = broker.consumer(wanted).map_err(read(topic::SPREADS))?;
    let ready = patiently(stop, || consumer.wait_ready(ATTEMPT)).map_err(read(topic::SPREADS))?;
    Ok(ready.map(|()| Left {
        alerts,
        positions,
        consumer,
    }))
}

fn read(topic: Topic) -> impl Fn(KafkaError) -> AlerterError {
    move |source| AlerterError::Read {
        topic: topic.name,
        source,
    }
}

/// The position, or the oldest record where what follows it is gone: alerts of it can never be told any more.
fn still_kept(topic: Topic, partition: i32, position: i64, ends: Option<&Watermarks>) -> i64 {
    let low = ends.map_or(position, |ends| ends.low);
    if low > position {
        tracing::error!(
            topic = topic.name,
            partition,
            lost = low - position,
            "records were deleted before they were read: this stage stood still for longer than they are kept"
        );
    }
    position.max(low)
}

/// Tries until it works, fails for good, or the stop flag is set.
pub(super) fn patiently<T>(
    stop: &AtomicBool,
    mut attempt: impl FnMut() -> Result<T, KafkaError>,
) -> Result<Option<T>, KafkaError> {
    loop {
        if stop.load(Ordering::Acquire) {
            return Ok(None);
        }
        match attempt() {
            Ok(value) => return Ok(Some(value)),
            Err(error) if error.is_retryable() => tracing::warn!(%error, "waiting for the broker"),
            Err(error) => return Err(error),
        }
    }
}

/// The newest record of each episode. None when the stop flag was set meanwhile.
fn alerts(
    broker: &Broker,
    stop: &AtomicBool,
) -> Result<Option<BTreeMap<Arc<str>, Kept>>, AlerterError> {
    let topic = topic::ALERTS;
    let wanted =
        ConsumerOptions::new("alert-history").topic(topic.name, topic.partitions, Start::Beginning);
    let consumer = broker.consumer(wanted).map_err(read(topic))?;
    consumer.stop_at_end();
    let mut alerts = BTreeMap::new();
    while !stop.load(Ordering::Acquire) {
        match consumer.recv(Duration::from_millis(100)) {
            Some(Event::Batch(batch)) => {
                for message in batch.messages() {
                    let key = String::from_utf8_lossy(message.key.unwrap_or_default());
                    let Some(bytes) = message.value else {
                        alerts.remove(key.as_ref());
                        continue;
                    };
                    match serde_json::from_slice::<Alert<'_>>(bytes) {
                        Ok(alert) => {
                            let kept = Kept::of(&alert);
                            alerts.insert(Arc::clone(&kept.episode.id), kept);
                        }
                        // Whoever wrote it knows more than we do; it stays where it is.
                        Err(error) => {
                            tracing::warn!(offset = message.offset, %error, "a record of `alerts` cannot be read");
                        }
                    }
                }
            }
            Some(Event::End) => return Ok(Some(alerts)),
            Some(Event::Failed(source)) => return Err(read(topic)(source)),
            None => {}
        }
    }
    Ok(None)
}
