//! Why windowing stopped.

use contract::time::show_ns;

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
    Source(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// Where results go failed.
    #[error("could not pass on what windowing found")]
    Sink(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// timely could not start, or a worker died.
    #[error("a timely worker ended: {0}")]
    Worker(String),
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
