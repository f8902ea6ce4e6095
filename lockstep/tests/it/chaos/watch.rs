//! How far windows have come, as a reader of what is committed sees it; and how long each fault kept them away.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use contract::time::{Clock, NS_PER_MS, SystemClock};
use contract::topic;
use kafka_io::{Broker, ConsumerOptions, Event, Start};
use serde_json::Value;

/// Reads along until it is dropped.
pub(super) struct Watch {
    newest_end_ms: Arc<AtomicI64>,
    end: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
    /// Faults behind which no window has come yet.
    waiting: Vec<(&'static str, i64, Instant)>,
    /// By fault, how long it took until a window was there that ended behind it.
    pub(super) took: BTreeMap<&'static str, Vec<Duration>>,
}

impl Watch {
    pub(super) fn start(broker: &Broker) -> Self {
        let wanted = ConsumerOptions::new("watch").topic(
            topic::SPREADS.name,
            topic::SPREADS.partitions,
            Start::Beginning,
        );
        let consumer = broker.consumer(wanted).unwrap();
        let newest_end_ms = Arc::new(AtomicI64::new(0));
        let end = Arc::new(AtomicBool::new(false));
        let (newest, ended) = (Arc::clone(&newest_end_ms), Arc::clone(&end));
        let thread = std::thread::spawn(move || {
            while !ended.load(Ordering::Acquire) {
                match consumer.recv(Duration::from_millis(100)) {
                    Some(Event::Batch(batch)) => {
                        for message in batch.messages() {
                            let value: Value =
                                serde_json::from_slice(message.value.unwrap()).unwrap();
                            newest.fetch_max(value["end_ms"].as_i64().unwrap(), Ordering::AcqRel);
                        }
                    }
                    None => {}
                    other => panic!("{other:?}"),
                }
            }
        });
        Self {
            newest_end_ms,
            end,
            thread: Some(thread),
            waiting: Vec::new(),
            took: BTreeMap::new(),
        }
    }

    /// Something was done to the pipeline just now.
    pub(super) fn fault(&mut self, what: &'static str) {
        let now_ms = SystemClock.now_ns().div_euclid(NS_PER_MS);
        self.waiting.push((what, now_ms, Instant::now()));
    }

    /// Looks which faults are overcome; whether all are.
    pub(super) fn look(&mut self) -> bool {
        let newest_end_ms = self.newest_end_ms.load(Ordering::Acquire);
        self.waiting.retain(|(what, at_ms, at)| {
            let is_overcome = newest_end_ms > *at_ms;
            if is_overcome {
                self.took.entry(what).or_default().push(at.elapsed());
            }
            !is_overcome
        });
        self.waiting.is_empty()
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.end.store(true, Ordering::Release);
        if let Some(thread) = self.thread.take() {
            let joined = thread.join();
            assert!(joined.is_ok() || std::thread::panicking());
        }
    }
}
