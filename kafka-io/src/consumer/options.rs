//! What a consumer reads, from where, and how much of it may wait.

/// Where to start in a partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Start {
    /// The oldest record there is. On the embedded broker offset 0: what it has dropped is lost, not old.
    Beginning,
    /// Behind the last committed record at the time the reader gets through; see [`super::Consumer::wait_ready`].
    End,
    /// This offset; it is an error if it no longer exists.
    At(i64),
    /// So many offsets before the end, or the oldest record where there are fewer: for a screen's history. What is older
    /// is not missed, so the embedded broker's forgetting is no loss here.
    Back(i64),
}

/// A partition and where to start in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assignment {
    /// The topic.
    pub topic: String,
    /// The partition.
    pub partition: i32,
    /// Where to start.
    pub start: Start,
}

/// How a consumer is made.
#[derive(Debug, Clone)]
pub struct ConsumerOptions {
    /// For the log and the thread, e.g. `window`.
    pub name: String,
    /// What to read; each partition once.
    pub assignments: Vec<Assignment>,
    /// The most records in a batch.
    pub batch_records: usize,
    /// A batch is handed over when its keys and values reach so many bytes.
    pub batch_bytes: usize,
    /// How many batches may wait in the channel before polling stops.
    pub queue_batches: usize,
}

impl ConsumerOptions {
    /// A consumer of this name that reads nothing yet: batches of 2,000 records or 1 MiB, 4 of them waiting.
    #[must_use]
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            assignments: Vec::new(),
            batch_records: 2_000,
            batch_bytes: 1024 * 1024,
            queue_batches: 4,
        }
    }

    /// Reads this partition too.
    #[must_use]
    pub fn partition(mut self, topic: &str, partition: i32, start: Start) -> Self {
        self.assignments.push(Assignment {
            topic: topic.to_owned(),
            partition,
            start,
        });
        self
    }

    /// Reads all partitions of a topic too, of which there are `partitions`.
    #[must_use]
    pub fn topic(mut self, topic: &str, partitions: i32, start: Start) -> Self {
        for partition in 0..partitions {
            self = self.partition(topic, partition, start);
        }
        self
    }
}
