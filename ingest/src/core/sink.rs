//! Where the core's records go.

use contract::dead_letter::DeadLetter;
use contract::tick::Record;
use contract::venue::VenueHealth;

use crate::gap::Gap;

/// Takes what the core emits, in order. A shell writes it to topics, a test keeps it.
pub trait Sink {
    /// A quote or trade: to the partition of its pair.
    fn tick(&mut self, record: &Record<'_>);
    /// A rate, mark or status: to every partition.
    fn everywhere(&mut self, record: &Record<'_>);
    /// Health of a venue: topic `venues`. `queue` is 0, the core has none.
    fn health(&mut self, health: &VenueHealth<'_>);
    /// A frame that gave nothing, or not all it should: topic `dead-letters`.
    fn dead_letter(&mut self, letter: DeadLetter);
    /// A hole in a numbering, for logs.
    fn gap(&mut self, gap: &Gap);
}

/// Keeps everything as text, for tests and small replays.
#[derive(Debug, Default)]
pub struct Collect {
    /// Ticks, rates, marks and statuses as they stand on `ticks`, one line each.
    pub lines: Vec<String>,
    /// Health records, one line each.
    pub health: Vec<String>,
    /// Dead letters.
    pub dead_letters: Vec<DeadLetter>,
    /// Gaps.
    pub gaps: Vec<Gap>,
}

impl Collect {
    fn line(&mut self, record: &Record<'_>) {
        let mut line = Vec::with_capacity(320);
        record.write_json(&mut line);
        self.lines
            .push(String::from_utf8(line).expect("JSON is UTF-8"));
    }
}

impl Sink for Collect {
    fn tick(&mut self, record: &Record<'_>) {
        self.line(record);
    }

    fn everywhere(&mut self, record: &Record<'_>) {
        self.line(record);
    }

    fn health(&mut self, health: &VenueHealth<'_>) {
        let line = serde_json::to_string(health);
        self.health
            .push(line.expect("a health record of texts and finite numbers is always JSON"));
    }

    fn dead_letter(&mut self, letter: DeadLetter) {
        self.dead_letters.push(letter);
    }

    fn gap(&mut self, gap: &Gap) {
        self.gaps.push(gap.clone());
    }
}
