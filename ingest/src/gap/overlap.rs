//! Numbers that two connections deliver at once, while one takes over from the other.
//!
//! ```text
//! older    10 11    12 13 14          closed
//! newer          12 13    14 15 16 ...
//! taken    10 11 12    13 14 15 16    whichever brings a number first
//! ```
//!
//! A number above what has come opens a hole that the other connection may still fill; only what is open when one
//! connection is left was lost. Below the newer connection's first number that was the older one's alone to bring: missed
//! between connections. From there on both should have brought it: a gap of the feed.

use super::{Numbers, Step};

/// Holes kept open; a further one is a gap at once.
const MAX_HOLES: usize = 64;

/// What is known while two connections deliver.
#[derive(Debug, Clone, Default)]
pub(super) struct Overlap {
    holes: Vec<Hole>,
    /// The first number of the newer connection.
    newer_from: Option<u64>,
}

/// Numbers that have not come.
#[derive(Debug, Clone, Copy)]
struct Hole {
    first: u64,
    last: u64,
    /// Whether it was told already: it opened before the older connection had brought anything.
    is_told: bool,
}

impl Overlap {
    /// Whether `first..=last` lies in a hole; if so, that is filled.
    fn fill(&mut self, first: u64, last: u64) -> bool {
        let holds = |hole: &Hole| hole.first <= first && last <= hole.last;
        let Some(at) = self.holes.iter().position(holds) else {
            return false;
        };
        let hole = self.holes.swap_remove(at);
        if hole.first < first {
            let last = first - 1;
            self.holes.push(Hole { last, ..hole });
        }
        if last < hole.last {
            let first = last + 1;
            self.holes.push(Hole { first, ..hole });
        }
        true
    }
}

impl Numbers {
    /// A second connection brings the same numbers from now on.
    pub fn overlap(&mut self) {
        self.overlap.get_or_insert_default();
    }

    /// The newer connection has told where it begins, before its first message.
    pub(super) fn newer_from(&mut self, first: u64) {
        let overlap = self.overlap.get_or_insert_default();
        overlap.newer_from.get_or_insert(first);
    }

    /// Judges the numbers `first..=last` of one message while two connections live; `is_newer` tells of which it came.
    /// [`Step::Old`] is what came before; everything else is new.
    pub fn beside(&mut self, first: u64, last: u64, is_newer: bool) -> Step {
        let overlap = self.overlap.get_or_insert_default();
        if is_newer {
            let from = overlap.newer_from.get_or_insert(first);
            *from = first.min(*from);
        }
        let Some(before) = self.last else {
            self.last = Some(last);
            return Step::Next;
        };
        if last <= before {
            return match overlap.fill(first, last) {
                true => Step::Next,
                false => Step::Old,
            };
        }
        self.last = Some(last);
        self.run = None;
        let is_told = std::mem::take(&mut self.reconnected);
        let expected = before + 1;
        let missing = first.saturating_sub(expected);
        if missing == 0 {
            return Step::Next;
        }
        let is_kept = overlap.holes.len() < MAX_HOLES;
        if is_kept {
            overlap.holes.push(Hole {
                first: expected,
                last: first - 1,
                is_told,
            });
        }
        match (is_told, is_kept) {
            (true, _) => Step::Missed(missing),
            (false, true) => Step::Next,
            (false, false) => Step::Gap { expected, missing },
        }
    }

    /// Takes in a number of a feed whose numbers rise with holes, while two connections live.
    pub fn newest(&mut self, number: u64) -> Step {
        if self.last >= Some(number) {
            return Step::Old;
        }
        self.last = Some(number);
        self.run = None;
        Step::Next
    }

    /// One connection is left: what is still missing, in order. `newer_is_left` tells which. Where it has brought nothing
    /// yet, its first number is where it begins: what is missing before was the other's.
    pub fn settle(&mut self, newer_is_left: bool) -> Vec<Step> {
        let Some(overlap) = self.overlap.take() else {
            return Vec::new();
        };
        self.reconnected |= newer_is_left && overlap.newer_from.is_none();
        let mut holes = overlap.holes;
        holes.retain(|hole| !hole.is_told);
        holes.sort_unstable_by_key(|hole| hole.first);
        // Where the newer one brought nothing, nobody took over.
        let newer_from = overlap.newer_from.unwrap_or(0);
        let mut steps = Vec::new();
        for Hole { first, last, .. } in holes {
            let expected = first.max(newer_from);
            if first < expected {
                steps.push(Step::Missed(expected.min(last + 1) - first));
            }
            if expected <= last {
                let missing = last - expected + 1;
                steps.push(Step::Gap { expected, missing });
            }
        }
        let expected = self.last.map_or(newer_from, |last| last + 1);
        if newer_is_left && expected < newer_from {
            steps.push(Step::Missed(newer_from - expected));
            self.last = Some(newer_from - 1);
        }
        steps
    }

    pub(super) fn is_overlapping(&self) -> bool {
        self.overlap.is_some()
    }
}
