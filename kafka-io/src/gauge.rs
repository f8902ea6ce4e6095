//! How far the slowest reader of each partition of the embedded broker is behind, so that publishers wait for it.
//!
//! The embedded broker keeps 5 MiB or 100,000 batches a partition and drops the oldest in silence. So whoever publishes
//! within this process asks here first, and waits while the slowest registered reader is more than [`MAX_BEHIND_BYTES`]
//! or [`MAX_BEHIND_RECORDS`] behind. A partition without a reader lets everybody pass. Absent: any knowledge of the
//! client library, and publishers in other processes, which cannot be held.

use std::collections::{HashMap, VecDeque};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How far a reader may be behind, in bytes: 2 of the 5 MiB, the rest is for what is under way.
pub(crate) const MAX_BEHIND_BYTES: u64 = 2 * 1024 * 1024;
/// The same in records; each may be a batch of its own, of which the broker keeps 100,000.
pub(crate) const MAX_BEHIND_RECORDS: u64 = 20_000;
/// What a record weighs beside its bytes: a batch's header (61) and the record's own, for one alone in its batch.
const OVERHEAD: usize = 80;
/// A mark of offset against bytes is kept for about every so many bytes.
const MARK_EVERY_BYTES: u64 = 16 * 1024;
/// Marks further back than this are dropped: the broker has dropped those records too.
const KEEP_MARKS_BYTES: u64 = 8 * 1024 * 1024;
/// How often a waiting publisher looks whether it shall stop.
const LOOK_EVERY: Duration = Duration::from_millis(50);
/// A wait this long is told in the log.
const LONG_WAIT: Duration = Duration::from_secs(5);

/// The levels of all partitions of one embedded broker.
#[derive(Debug, Default)]
pub(crate) struct Gauge {
    levels: Mutex<Levels>,
    moved: Condvar,
}

/// The bookkeeping, without lock or clock.
#[derive(Debug, Default)]
pub(crate) struct Levels {
    topics: HashMap<String, HashMap<i32, Partition>>,
    next_reader: u64,
    waiting: u32,
}

#[derive(Debug, Default)]
struct Partition {
    /// Bytes and records admitted and not withdrawn.
    sent_bytes: u64,
    sent_records: u64,
    /// Of those, acknowledged.
    acked_bytes: u64,
    acked_records: u64,
    /// One behind the highest acknowledged offset.
    end: i64,
    /// (offset, bytes before it), growing.
    marks: VecDeque<(i64, u64)>,
    /// By reader, the offset it reads next; none while it has no position yet.
    readers: HashMap<u64, Option<i64>>,
}

impl Partition {
    fn bytes_before(&self, offset: i64) -> u64 {
        if offset >= self.end {
            return self.acked_bytes;
        }
        let after = self.marks.partition_point(|&(at, _)| at <= offset);
        after
            .checked_sub(1)
            .and_then(|index| self.marks.get(index))
            .map_or(0, |&(_, bytes)| bytes)
    }

    /// Bytes and records that the slowest reader has not read, what is under way included.
    fn behind(&self) -> (u64, u64) {
        let slowest = self.readers.values().flatten().min();
        slowest.map_or((0, 0), |&offset| {
            let unread = u64::try_from(self.end.saturating_sub(offset)).unwrap_or(0);
            (
                self.sent_bytes.saturating_sub(self.bytes_before(offset)),
                unread + self.sent_records.saturating_sub(self.acked_records),
            )
        })
    }

    fn is_full(&self) -> bool {
        let (bytes, records) = self.behind();
        bytes > MAX_BEHIND_BYTES || records > MAX_BEHIND_RECORDS
    }
}

impl Levels {
    fn partition(&mut self, topic: &str, partition: i32) -> &mut Partition {
        if !self.topics.contains_key(topic) {
            self.topics.insert(topic.to_owned(), HashMap::new());
        }
        self.topics
            .get_mut(topic)
            .expect("it has just been put there")
            .entry(partition)
            .or_default()
    }

    /// Admits a record, unless the slowest reader is too far behind.
    fn admit(&mut self, topic: &str, partition: i32, weight: u64) -> bool {
        let level = self.partition(topic, partition);
        if level.is_full() {
            return false;
        }
        level.sent_bytes += weight;
        level.sent_records += 1;
        true
    }

    fn withdraw(&mut self, topic: &str, partition: i32, weight: u64) {
        let level = self.partition(topic, partition);
        level.sent_bytes = level.sent_bytes.saturating_sub(weight);
        level.sent_records = level.sent_records.saturating_sub(1);
    }

    fn acknowledge(&mut self, topic: &str, partition: i32, offset: i64, weight: u64) {
        let level = self.partition(topic, partition);
        level.acked_bytes += weight;
        level.acked_records += 1;
        level.end = level.end.max(offset.saturating_add(1));
        let last = level.marks.back().map_or(0, |&(_, bytes)| bytes);
        if level.acked_bytes - last >= MARK_EVERY_BYTES {
            level.marks.push_back((level.end, level.acked_bytes));
            while let Some(&(_, bytes)) = level.marks.front() {
                if bytes + KEEP_MARKS_BYTES >= level.acked_bytes {
                    break;
                }
                level.marks.pop_front();
            }
        }
    }

    fn register(&mut self) -> u64 {
        self.next_reader += 1;
        self.next_reader
    }

    fn read(&mut self, reader: u64, topic: &str, partition: i32, next: Option<i64>) {
        self.partition(topic, partition)
            .readers
            .insert(reader, next);
    }

    fn leave(&mut self, reader: u64) {
        for level in self.topics.values_mut().flat_map(HashMap::values_mut) {
            level.readers.remove(&reader);
        }
    }
}

/// What a record weighs on the embedded broker, in bytes.
pub(crate) fn weight(payload_bytes: usize) -> usize {
    payload_bytes.saturating_add(OVERHEAD)
}

fn wide(weight: usize) -> u64 {
    u64::try_from(weight).unwrap_or(u64::MAX)
}

impl Gauge {
    fn lock(&self) -> MutexGuard<'_, Levels> {
        self.levels.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn moved(&self, levels: &MutexGuard<'_, Levels>) {
        if levels.waiting > 0 {
            self.moved.notify_all();
        }
    }

    /// Lets a record pass once the slowest reader is near enough. `Some(waited)`, or `None` when `stop` said so.
    pub(crate) fn admit(
        &self,
        topic: &str,
        partition: i32,
        weight: usize,
        stop: impl Fn() -> bool,
    ) -> Option<bool> {
        let mut levels = self.lock();
        if levels.admit(topic, partition, wide(weight)) {
            return Some(false);
        }
        let since = Instant::now();
        let mut told = false;
        loop {
            if stop() {
                return None;
            }
            levels.waiting += 1;
            levels = self
                .moved
                .wait_timeout(levels, LOOK_EVERY)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
            levels.waiting -= 1;
            if levels.admit(topic, partition, wide(weight)) {
                return Some(true);
            }
            if !told && since.elapsed() >= LONG_WAIT {
                told = true;
                let (bytes, records) = levels.partition(topic, partition).behind();
                tracing::warn!(
                    topic,
                    partition,
                    bytes,
                    records,
                    "publisher waits for the slowest reader"
                );
            }
        }
    }

    /// An admitted record did not reach the log.
    pub(crate) fn withdrawn(&self, topic: &str, partition: i32, weight: usize) {
        let mut levels = self.lock();
        levels.withdraw(topic, partition, wide(weight));
        self.moved(&levels);
    }

    /// An admitted record stands at `offset`; negative where the broker did not say.
    pub(crate) fn acknowledged(&self, topic: &str, partition: i32, offset: i64, weight: usize) {
        self.lock()
            .acknowledge(topic, partition, offset, wide(weight));
    }

    /// A reader of its own number.
    pub(crate) fn register(&self) -> u64 {
        self.lock().register()
    }

    /// Reader `reader` reads `next` next, or has no position yet.
    pub(crate) fn read(&self, reader: u64, topic: &str, partition: i32, next: Option<i64>) {
        let mut levels = self.lock();
        levels.read(reader, topic, partition, next);
        self.moved(&levels);
    }

    /// The reader is gone.
    pub(crate) fn leave(&self, reader: u64) {
        let mut levels = self.lock();
        levels.leave(reader);
        self.moved(&levels);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KIB: u64 = 1024;

    fn publish(levels: &mut Levels, n: i64, weight: u64) -> i64 {
        let from = levels.partition("t", 0).end;
        for offset in from..from + n {
            if !levels.admit("t", 0, weight) {
                return offset - from;
            }
            levels.acknowledge("t", 0, offset, weight);
        }
        n
    }

    #[test]
    fn without_a_reader_everything_passes() {
        let mut levels = Levels::default();
        assert_eq!(publish(&mut levels, 10_000, 4 * KIB), 10_000);
    }

    #[test]
    fn the_slowest_reader_decides() {
        let mut levels = Levels::default();
        let (fast, slow) = (levels.register(), levels.register());
        levels.read(fast, "t", 0, Some(0));
        levels.read(slow, "t", 0, Some(0));
        let passed = publish(&mut levels, 10_000, 4 * KIB);
        assert_eq!(passed, 513, "2 MiB, and the one that crosses the limit");
        levels.read(fast, "t", 0, Some(passed));
        assert!(!levels.admit("t", 0, KIB));
        levels.read(slow, "t", 0, Some(100));
        assert!(levels.admit("t", 0, KIB));
        levels.leave(slow);
        assert!(publish(&mut levels, 200, 4 * KIB) == 200);
    }

    #[test]
    fn small_records_are_bounded_by_their_number() {
        let mut levels = Levels::default();
        let reader = levels.register();
        levels.read(reader, "t", 0, Some(0));
        assert_eq!(publish(&mut levels, 50_000, 90), 20_001);
    }

    #[test]
    fn a_reader_without_a_position_holds_nobody_and_one_at_the_end_is_not_behind() {
        let mut levels = Levels::default();
        let reader = levels.register();
        levels.read(reader, "t", 0, None);
        assert_eq!(publish(&mut levels, 5_000, 4 * KIB), 5_000);
        levels.read(reader, "t", 0, Some(5_000));
        assert_eq!(levels.partition("t", 0).behind(), (0, 0));
        assert_eq!(publish(&mut levels, 5_000, 4 * KIB), 513);
    }

    #[test]
    fn what_a_reader_is_behind_is_never_shown_too_small() {
        let mut levels = Levels::default();
        publish(&mut levels, 4_000, 1_000);
        let reader = levels.register();
        for offset in (2_500..=4_000).step_by(7) {
            levels.read(reader, "t", 0, Some(offset));
            let (bytes, records) = levels.partition("t", 0).behind();
            let exact = u64::try_from(4_000 - offset).unwrap();
            assert_eq!(records, exact);
            assert!(bytes >= exact * 1_000, "{offset}: {bytes}");
            assert!(
                bytes <= exact * 1_000 + MARK_EVERY_BYTES + 1_000,
                "{offset}: {bytes}"
            );
        }
    }

    #[test]
    fn withdrawn_records_weigh_nothing() {
        let mut levels = Levels::default();
        let reader = levels.register();
        levels.read(reader, "t", 0, Some(0));
        while levels.admit("t", 0, 100 * KIB) {}
        levels.withdraw("t", 0, 100 * KIB);
        assert!(levels.admit("t", 0, KIB));
    }

    #[test]
    fn a_waiting_publisher_can_be_stopped() {
        let gauge = Gauge::default();
        let reader = gauge.register();
        gauge.read(reader, "t", 0, Some(0));
        while gauge.admit("t", 0, 1 << 20, || true) == Some(false) {}
        assert_eq!(gauge.admit("t", 0, 1, || true), None);
        gauge.leave(reader);
        assert_eq!(gauge.admit("t", 0, 1, || true), Some(false));
    }
}
