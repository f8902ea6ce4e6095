//! Why windowing stopped.

use contract::time::show_ns;
use kafka_io::KafkaError;

use crate::dataflow::BoxError;

/// The way out where nothing can be gone on with.
const ANEW: &str = "`--from-start` begins anew, writing again what was written before";

/// Why windowing stopped. Bad records do not stop it: they leave as dead letters.
#[derive(Debug, thiserror::Error)]
pub enum WindowingError {
    /// Windows could not close for so long that their records no longer fit.
    #[error(
        "{records} records wait in the open windows of partition {partition}, more than `windowing.max_open_records`: {}",
        holder_text(.holder.as_deref(), *.watermark_ns)
    )]
    TooManyOpen {
        /// Which partition.
        partition: i32,
        /// How many records waited.
        records: usize,
        /// The venue that holds the watermark back, if any is up.
        holder: Option<String>,
        /// Where the watermark stands, nanoseconds since 1970.
        watermark_ns: Option<i64>,
    },
    /// A setting that the arithmetic cannot work with.
    #[error("setting `{name}` is {value}; it must be {range}")]
    Setting {
        /// Which.
        name: &'static str,
        /// What it was.
        value: String,
        /// What it may be.
        range: &'static str,
    },
    /// Where records come from failed.
    #[error("could not read records to window")]
    Source(#[source] BoxError),
    /// Where results go failed.
    #[error("could not pass on what windowing found")]
    Sink(#[source] BoxError),
    /// What the broker, or the client, has against it.
    #[error(transparent)]
    Kafka(#[from] KafkaError),
    /// Results were committed, and the state that they go with cannot be had.
    #[error(
        "partition {partition} cannot be gone on with: its checkpoint at offset {offset} of `checkpoints` cannot be used; {ANEW}"
    )]
    Checkpoint {
        /// Which partition.
        partition: i32,
        /// Where the checkpoint should stand.
        offset: i64,
        /// What is the matter with it.
        #[source]
        reason: BoxError,
    },
    /// Results were committed, and the records from the checkpoint on are no longer there.
    #[error(
        "partition {partition} cannot be gone on with: its checkpoint needs the records of `{topic}` from offset {from} on, and \
         the oldest kept is {low}; {ANEW}"
    )]
    Gone {
        /// Which topic.
        topic: &'static str,
        /// Which of its partitions.
        partition: i32,
        /// Where reading would have to begin.
        from: i64,
        /// The oldest offset there is.
        low: i64,
    },
    /// A committed position lies behind the end of the log.
    #[error(
        "partition {partition} cannot be gone on with: the records of `{topic}` up to offset {next} were worked off, and it ends at \
         {high}; was it made anew? {ANEW}"
    )]
    Beyond {
        /// Which topic.
        topic: &'static str,
        /// Which of its partitions.
        partition: i32,
        /// The committed position.
        next: i64,
        /// Where the partition ends.
        high: i64,
    },
    /// The group has a position that this program did not commit.
    #[error(
        "partition {partition} cannot be gone on with: the note beside its committed position is not this program's; {ANEW}"
    )]
    Note {
        /// Which partition.
        partition: i32,
        /// What is the matter with it.
        #[source]
        reason: serde_json::Error,
    },
    /// Read again, the records close other windows than they did.
    #[error(
        "partition {partition} cannot be gone on with: read again up to offset {next}, its records close windows up to {}, but up \
         to {} were committed; was `{topic}` made anew? {ANEW}",
        show(*.found_ns), show(*.committed_ns)
    )]
    Diverged {
        /// Which topic.
        topic: &'static str,
        /// Which of its partitions.
        partition: i32,
        /// The committed position.
        next: i64,
        /// Up to where windows were closed there, nanoseconds since 1970.
        committed_ns: Option<i64>,
        /// Up to where they are closed now.
        found_ns: Option<i64>,
    },
    /// A thread could not be started.
    #[error("starting the thread `{name}`")]
    Thread {
        /// Its name.
        name: &'static str,
        /// What the system said.
        #[source]
        reason: std::io::Error,
    },
    /// timely could not start, or a worker died.
    #[error("a timely worker ended: {0}")]
    Worker(String),
}

fn show(ns: Option<i64>) -> String {
    ns.map_or_else(|| "no time".to_owned(), show_ns)
}

fn holder_text(holder: Option<&str>, watermark_ns: Option<i64>) -> String {
    let reached = watermark_ns.map_or_else(
        || "at no time yet".to_owned(),
        |ns| format!("at {}", show_ns(ns)),
    );
    match holder {
        Some(venue) => format!(
            "venue `{venue}` is up and holds the watermark {reached}; is its feed sending marks?"
        ),
        None => format!("no venue is up and the watermark stands {reached}"),
    }
}

/// An error and what lies behind it, as one line.
#[must_use]
pub fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(inner) = source {
        let inner_text = inner.to_string();
        if !text.ends_with(&inner_text) {
            text.push_str(": ");
            text.push_str(&inner_text);
        }
        source = inner.source();
    }
    text
}
