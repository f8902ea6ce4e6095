//! The records of one poll, laid end to end.
//!
//! In come records in the order they were polled; out go views of them. All bytes of a batch lie in one buffer, so that
//! a record costs no allocation of its own. Absent: what the bytes mean.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

/// A record's header: name and bytes; none is Kafka's null.
pub type Header = (String, Option<Vec<u8>>);

/// Records in the order they were polled: within a partition that of the log.
#[derive(Debug, Clone, Default)]
pub struct Batch {
    entries: Vec<Entry>,
    bytes: Vec<u8>,
}

#[derive(Debug, Clone)]
struct Entry {
    topic: Arc<str>,
    partition: i32,
    offset: i64,
    timestamp_ms: Option<i64>,
    key: Option<Range<usize>>,
    value: Option<Range<usize>>,
    headers: Vec<Header>,
}

/// One record of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Message<'a> {
    /// The topic it stands on.
    pub topic: &'a str,
    /// Its partition.
    pub partition: i32,
    /// Its offset.
    pub offset: i64,
    /// When it was written, in milliseconds since 1970, if the broker says so. Not event time.
    pub timestamp_ms: Option<i64>,
    /// Its key.
    pub key: Option<&'a [u8]>,
    /// Its bytes; none deletes the key on a compacted topic.
    pub value: Option<&'a [u8]>,
    /// Its headers.
    pub headers: &'a [Header],
}

impl Batch {
    /// How many records it holds.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether it holds none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Bytes of all keys and values.
    #[must_use]
    pub fn byte_len(&self) -> usize {
        self.bytes.len()
    }

    /// Its records, in order.
    pub fn messages(&self) -> impl ExactSizeIterator<Item = Message<'_>> + DoubleEndedIterator {
        self.entries.iter().map(|entry| Message {
            topic: &entry.topic,
            partition: entry.partition,
            offset: entry.offset,
            timestamp_ms: entry.timestamp_ms,
            key: self.slice(entry.key.as_ref()),
            value: self.slice(entry.value.as_ref()),
            headers: &entry.headers,
        })
    }

    fn slice(&self, range: Option<&Range<usize>>) -> Option<&[u8]> {
        range.map(|range| {
            self.bytes
                .get(range.clone())
                .expect("ranges are made where the bytes are put")
        })
    }

    /// For each partition in it, the offset to read next once the batch is worked off.
    #[must_use]
    pub fn next_offsets(&self) -> BTreeMap<(Arc<str>, i32), i64> {
        self.entries
            .iter()
            .map(|entry| {
                (
                    (Arc::clone(&entry.topic), entry.partition),
                    entry.offset + 1,
                )
            })
            .collect()
    }

    /// How many records of each partition it holds.
    pub(crate) fn counts(&self) -> BTreeMap<(Arc<str>, i32), u64> {
        let mut counts = BTreeMap::new();
        for entry in &self.entries {
            let of = (Arc::clone(&entry.topic), entry.partition);
            *counts.entry(of).or_default() += 1;
        }
        counts
    }

    /// For each partition in it, when the last of its records was written that says so, in milliseconds since 1970.
    pub(crate) fn newest_ms(&self) -> BTreeMap<(Arc<str>, i32), i64> {
        // Records of a partition mostly follow each other: the map is looked into where they change.
        let mut newest = BTreeMap::new();
        let mut entries = self.entries.iter().peekable();
        while let Some(entry) = entries.next() {
            let is_last = entries.peek().is_none_or(|next| {
                next.partition != entry.partition || !Arc::ptr_eq(&next.topic, &entry.topic)
            });
            if is_last && let Some(ms) = entry.timestamp_ms {
                newest.insert((Arc::clone(&entry.topic), entry.partition), ms);
            }
        }
        newest
    }

    /// Adds a record at the end.
    pub fn push(&mut self, topic: &Arc<str>, message: Message<'_>, headers: Vec<Header>) {
        let key = message.key.map(|bytes| self.put(bytes));
        let value = message.value.map(|bytes| self.put(bytes));
        self.entries.push(Entry {
            topic: Arc::clone(topic),
            partition: message.partition,
            offset: message.offset,
            timestamp_ms: message.timestamp_ms,
            key,
            value,
            headers,
        });
    }

    fn put(&mut self, bytes: &[u8]) -> Range<usize> {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(bytes);
        start..self.bytes.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_come_out_as_they_went_in() {
        let topic: Arc<str> = "ticks".into();
        let headers = vec![("stage".to_owned(), Some(b"ingest".to_vec()))];
        let message = |offset, value| Message {
            topic: "ticks",
            partition: 2,
            offset,
            timestamp_ms: Some(5),
            key: Some(b"BTC-USD".as_slice()),
            value,
            headers: &[],
        };
        let mut batch = Batch::default();
        assert!(batch.is_empty());
        batch.push(&topic, message(7, Some(b"one")), Vec::new());
        batch.push(&topic, message(9, None), headers.clone());
        batch.push(&topic, message(10, Some(b"")), Vec::new());
        let out: Vec<Message<'_>> = batch.messages().collect();
        assert_eq!(out[0], message(7, Some(b"one")));
        assert_eq!(out[1].value, None, "a deletion is not an empty record");
        assert_eq!(out[1].headers, headers);
        assert_eq!(out[2].value, Some(b"".as_slice()));
        assert_eq!(
            batch.next_offsets(),
            BTreeMap::from([((Arc::clone(&topic), 2), 11)])
        );
        let other = Message {
            partition: 3,
            timestamp_ms: Some(8),
            ..message(1, None)
        };
        batch.push(&topic, other, Vec::new());
        let later = Message {
            timestamp_ms: Some(6),
            ..message(11, None)
        };
        batch.push(&topic, later, Vec::new());
        let newest = [((Arc::clone(&topic), 2), 6), ((topic, 3), 8)];
        assert_eq!(batch.newest_ms(), BTreeMap::from(newest));
        assert_eq!(batch.counts().into_values().collect::<Vec<_>>(), [4, 1]);
        assert_eq!((batch.len(), batch.byte_len()), (5, 38));
    }
}
