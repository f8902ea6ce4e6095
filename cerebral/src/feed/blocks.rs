//! Samples with their places become blocks. Pure.
//!
//! A block ends when it has its size, and before a sample that does not follow: one behind a gap, or the first of a numbering begun
//! anew. Absent: how places are found, which is [`super::place`]'s.

use std::borrow::Cow;
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use contract::eeg::tags::{SamplesKind, V1};
use contract::eeg::{Figure, Samples};

use super::counts::{FeedCounts, add};
use crate::units::SampleRate;

/// Readings that a block holds at most, all channels together: some 600 kB of JSON, where a record may have 900.
const MOST_READINGS: usize = 30_000;

/// What a session is recorded with.
#[derive(Debug, Clone, PartialEq)]
pub struct SessionHead {
    /// Its name.
    pub session: String,
    /// Samples a second.
    pub rate: SampleRate,
    /// Names of the channels.
    pub channels: Vec<String>,
    /// Per channel the readings at which it ends, microvolts; none where nobody knows.
    pub rails_uv: Vec<Vec<f64>>,
}

/// Where a sample belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// Its index in the session.
    pub at: u64,
    /// Whether the numbering begins anew with it: then it does not follow, wherever it stands.
    pub anew: bool,
}

/// What is known of a sample beside its readings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stamp {
    /// The board's own number.
    pub id: Option<u64>,
    /// The source's own stamp, nanoseconds since 1970.
    pub stamp_ns: Option<i64>,
    /// When it came, nanoseconds since 1970 by our clock.
    pub received_ns: i64,
}

/// Makes blocks.
#[derive(Debug)]
pub struct Blocks {
    head: SessionHead,
    size: usize,
    counts: Arc<FeedCounts>,
    /// Index behind the last sample; none before the first.
    next_at: Option<u64>,
    /// Index of the first sample in hand.
    at: u64,
    /// Whether the block in hand follows the one before.
    follows: bool,
    stamps: Vec<Stamp>,
    uv: Vec<Vec<Figure>>,
}

impl Blocks {
    /// Of a session, of about `block` each.
    #[must_use]
    pub fn new(head: SessionHead, block: Duration, counts: Arc<FeedCounts>) -> Self {
        let n_channels = head.channels.len();
        let most = (MOST_READINGS / n_channels.max(1)).max(1);
        Self {
            size: head.rate.samples(block.as_secs_f64()).clamp(1, most),
            counts,
            next_at: None,
            at: 0,
            follows: false,
            stamps: Vec::new(),
            uv: vec![Vec::new(); n_channels],
            head,
        }
    }

    /// What the session is recorded with.
    #[must_use]
    pub fn head(&self) -> &SessionHead {
        &self.head
    }

    /// Samples that a whole block has.
    #[must_use]
    pub fn size(&self) -> usize {
        self.size
    }

    /// Index behind the last sample taken.
    #[must_use]
    pub fn next_at(&self) -> u64 {
        self.next_at.unwrap_or(0)
    }

    /// An earlier run came to `at`: what comes now goes on there, and does not follow.
    pub fn resume(&mut self, at: u64) {
        self.next_at = Some(at);
    }

    /// Takes a sample, one reading per channel in microvolts; gives what is complete by then.
    pub fn push(
        &mut self,
        place: Place,
        stamp: Stamp,
        readings_uv: impl IntoIterator<Item = f64>,
        out: &mut VecDeque<Samples<'static>>,
    ) {
        if place.anew || self.next_at != Some(place.at) || self.follows_nothing() {
            out.extend(self.take());
            self.count_break(place);
            self.follows = false;
            self.at = place.at;
        }
        self.stamps.push(stamp);
        for (row, reading) in self.uv.iter_mut().zip(readings_uv) {
            row.push(Figure(reading));
        }
        self.next_at = Some(place.at.saturating_add(1));
        if self.stamps.len() >= self.size {
            out.extend(self.take());
        }
    }

    /// Whether this is the first sample of this run.
    fn follows_nothing(&self) -> bool {
        self.stamps.is_empty() && !self.follows
    }

    fn count_break(&self, place: Place) {
        let Some(next_at) = self.next_at else { return };
        if place.anew {
            add(&self.counts.restarts, 1);
        }
        if place.at > next_at {
            add(&self.counts.gaps, 1);
            add(&self.counts.missing, place.at - next_at);
        }
    }

    /// What is in hand, be it less than a block.
    pub fn take(&mut self) -> Option<Samples<'static>> {
        let last = self.stamps.last()?;
        let received_ns = last.received_ns;
        let stamps = std::mem::take(&mut self.stamps);
        let n = u64::try_from(stamps.len()).unwrap_or(u64::MAX);
        let uv = self.uv.iter_mut().map(std::mem::take).collect();
        let block = Samples {
            v: V1,
            kind: SamplesKind,
            session: Cow::Owned(self.head.session.clone()),
            sample_rate_hz: self.head.rate.hz(),
            channels: self.head.channels.iter().cloned().map(Cow::Owned).collect(),
            rails_uv: self.head.rails_uv.clone(),
            at: self.at,
            follows: self.follows,
            ids: stamps.iter().map(|stamp| stamp.id).collect(),
            stamps_ns: stamps.iter().map(|stamp| stamp.stamp_ns).collect(),
            received_ns,
            uv,
        };
        self.at = self.at.saturating_add(n);
        self.follows = true;
        add(&self.counts.blocks, 1);
        add(&self.counts.samples, n);
        Some(block)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn blocks(block_ms: u64) -> Blocks {
        let head = SessionHead {
            session: "s".to_owned(),
            rate: SampleRate::new(250.0).unwrap(),
            channels: vec!["a".to_owned(), "b".to_owned()],
            rails_uv: vec![vec![], vec![]],
        };
        Blocks::new(head, Duration::from_millis(block_ms), Arc::default())
    }

    /// Blocks of these places: `at`, number of samples, `follows`.
    fn made(blocks: &mut Blocks, places: &[(u64, bool)]) -> Vec<(u64, usize, bool)> {
        let mut out = VecDeque::new();
        for &(at, anew) in places {
            let stamp = Stamp {
                id: Some(at % 256),
                stamp_ns: None,
                received_ns: 1,
            };
            let reading = f64::from(u32::try_from(at).unwrap());
            blocks.push(Place { at, anew }, stamp, [reading, -reading], &mut out);
        }
        out.extend(blocks.take());
        for block in &out {
            let ids = block.ids.as_ref().unwrap();
            for (place, id) in ids.iter().enumerate() {
                let at = block.at + u64::try_from(place).unwrap();
                assert_eq!(*id, at % 256);
                let reading = f64::from(u32::try_from(at).unwrap());
                assert_eq!(block.uv[0][place], Figure(reading));
                assert_eq!(block.uv[1][place], Figure(-reading));
            }
        }
        out.iter()
            .map(|block| (block.at, block.uv[0].len(), block.follows))
            .collect()
    }

    #[test]
    fn samples_in_a_row_make_blocks_of_the_size_that_follow_each_other() {
        let places: Vec<_> = (0..25).map(|at| (at, false)).collect();
        let mut blocks = blocks(40);
        assert_eq!(
            made(&mut blocks, &places),
            [(0, 10, false), (10, 10, true), (20, 5, true)]
        );
        let tally = blocks.counts.tally();
        assert_eq!((tally.blocks, tally.samples, tally.gaps), (3, 25, 0));
    }

    #[test]
    fn a_gap_ends_a_block_and_is_counted_but_never_filled() {
        let mut blocks = blocks(40);
        let places = [(0, false), (1, false), (5, false), (6, false)];
        assert_eq!(made(&mut blocks, &places), [(0, 2, false), (5, 2, false)]);
        let tally = blocks.counts.tally();
        assert_eq!((tally.gaps, tally.missing, tally.restarts), (1, 3, 0));
    }

    #[test]
    fn a_numbering_begun_anew_does_not_follow_even_where_nothing_is_missing() {
        let mut blocks = blocks(40);
        let places = [(0, false), (1, false), (2, true), (3, false)];
        assert_eq!(made(&mut blocks, &places), [(0, 2, false), (2, 2, false)]);
        let tally = blocks.counts.tally();
        assert_eq!((tally.gaps, tally.restarts), (0, 1));
    }

    #[test]
    fn a_gap_on_the_edge_of_a_block_is_one_all_the_same() {
        let mut blocks = blocks(8);
        let places = [(0, false), (1, false), (3, false), (4, false), (5, false)];
        assert_eq!(
            made(&mut blocks, &places),
            [(0, 2, false), (3, 2, false), (5, 1, true)]
        );
    }

    #[test]
    fn who_goes_on_after_an_earlier_run_does_not_follow_it() {
        let mut blocks = blocks(40);
        blocks.resume(100);
        assert_eq!(
            made(&mut blocks, &[(100, true), (101, false)]),
            [(100, 2, false)]
        );
    }

    #[test]
    fn a_block_has_a_sample_at_least_and_fits_a_record() {
        assert_eq!(blocks(0).size(), 1);
        assert_eq!(blocks(1_000_000).size(), 15_000);
    }
}
