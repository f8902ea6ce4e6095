//! Packet numbers: where samples are missing, inserted, or counted anew.
//!
//! In: the id of each row as the file has it. Out: [`Numbering`] and where each row's sample goes. A jump to 0 is a numbering
//! begun anew, since boards restart at 0; any other jump is a loss of as many packets as the ids say, which is the truth modulo
//! the counter's period. A row after which the ids go on as if it were not there was inserted (or came late), and is left out.

use serde::Serialize;

/// Samples that never arrived.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Gap {
    /// The row of numbers, from 0, after which they are missing.
    pub row: usize,
    /// How many; with a counter of 256 a loss of 256 more looks the same.
    pub missing: usize,
}

/// What the packet numbers say.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Numbering {
    /// Losses.
    pub gaps: Vec<Gap>,
    /// Rows of numbers, from 0, after which the numbering began anew: how much time passed there is not known.
    pub restarts: Vec<usize>,
    /// Rows of numbers, from 0, that stand between two that follow each other; left out.
    pub inserted: Vec<usize>,
    /// First sample after each restart, in samples of the loaded array.
    #[serde(skip)]
    pub boundaries: Vec<usize>,
}

/// Where each row's sample goes: `None` for a row that is left out.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Placed {
    pub(super) at: Vec<Option<usize>>,
    pub(super) n_samples: usize,
    pub(super) numbering: Numbering,
}

/// A counter that goes up by `step` and wraps at `period` (`None`: it never does).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Counter {
    pub(super) step: u64,
    pub(super) period: Option<u64>,
}

/// A loss of more samples than this is not filled with holes: it is a boundary with a gap on record.
const LONGEST_FILLED: usize = 100_000;
/// Values of holes that any recording may have, all channels together; beyond, ten times its readings.
const FILLED_VALUES: usize = 1 << 24;

/// How many samples of holes may still be made: a file of a few bytes must not claim the memory of the machine.
#[derive(Debug, Clone, Copy)]
pub(super) struct HoleBudget(usize);

impl HoleBudget {
    /// For a recording of so many samples and channels.
    pub(super) fn new(n_samples: usize, n_channels: usize) -> Self {
        Self((FILLED_VALUES / n_channels.max(1)).max(n_samples.saturating_mul(10)))
    }

    /// Whether a loss becomes a hole; else it is a boundary.
    pub(super) fn fills(&mut self, missing: usize) -> bool {
        let fills = missing <= LONGEST_FILLED && missing <= self.0;
        if fills {
            self.0 -= missing;
        }
        fills
    }
}

impl Counter {
    /// The counter that these ids follow: the commonest step, and the board's `period`, or a shorter one that shows (a Ganglion
    /// counts to 100 or 200). `None` where they are no counter at all: then nothing can be said of losses.
    pub(super) fn of(ids: &[Option<u64>], period: Option<u64>) -> Option<Self> {
        let pairs = || ids.windows(2).filter_map(|pair| Some((pair[0]?, pair[1]?)));
        let steps = |step: u64| pairs().filter(|(a, b)| b.wrapping_sub(*a) == step).count();
        let (by_one, by_two) = (steps(1), steps(2));
        let step = if by_two > by_one { 2 } else { 1 };
        if 10 * by_one.max(by_two) < 7 * pairs().count() {
            return None;
        }
        let highest = ids.iter().flatten().max().copied().unwrap_or(0);
        let wraps = pairs().filter(|&(a, b)| a == highest && b < step).count();
        let shorter = Some(highest + step).filter(|shown| wraps >= 2 && Some(*shown) < period);
        Some(Self {
            step,
            period: shorter.or(period),
        })
    }

    /// How many samples lie from `a` to `b`: 1 where `b` follows `a`. `None` where that is no whole number of steps.
    fn distance(self, a: u64, b: u64) -> Option<u64> {
        let difference = match self.period {
            Some(period) => (b % period + period - a % period) % period,
            None => b.checked_sub(a)?,
        };
        (difference % self.step == 0).then_some(difference / self.step)
    }

    /// Rows one after the other, for ids that are no counter.
    pub(super) fn place_blindly(n_rows: usize) -> Placed {
        let at = (0..n_rows).map(Some).collect();
        Placed {
            at,
            n_samples: n_rows,
            numbering: Numbering::default(),
        }
    }

    fn follows(self, a: u64, b: u64) -> bool {
        self.distance(a, b) == Some(1)
    }

    /// Places rows on the clock of the ids. A row without an id follows the one before it.
    pub(super) fn place(self, ids: &[Option<u64>], mut budget: HoleBudget) -> Placed {
        let mut at = vec![None; ids.len()];
        let mut numbering = Numbering::default();
        let mut next = 0_usize;
        let mut last: Option<u64> = None;
        for (row, id) in ids.iter().enumerate() {
            let (Some(before), Some(id)) = (last, *id) else {
                last = id.or_else(|| last.map(|last| last + self.step));
                at[row] = Some(next);
                next += 1;
                continue;
            };
            if !self.follows(before, id) {
                let after = ids.get(row + 1).copied().flatten();
                if after.is_some_and(|after| self.follows(before, after)) {
                    numbering.inserted.push(row);
                    continue;
                }
                match self.distance(before, id) {
                    Some(distance) if id != 0 && distance > 1 => {
                        let missing = distance - 1;
                        let missing_here = usize::try_from(missing).unwrap_or(usize::MAX);
                        numbering.gaps.push(Gap {
                            row: row - 1,
                            missing: missing_here,
                        });
                        if budget.fills(missing_here) {
                            next += missing_here;
                        } else {
                            numbering.boundaries.push(next);
                        }
                    }
                    // To 0, backwards, or the same id again and again: a numbering of its own.
                    _ => {
                        numbering.restarts.push(row - 1);
                        numbering.boundaries.push(next);
                    }
                }
            }
            last = Some(id);
            at[row] = Some(next);
            next += 1;
        }
        Placed {
            at,
            n_samples: next,
            numbering,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CYTON: Counter = Counter {
        step: 1,
        period: Some(256),
    };

    const BUDGET: HoleBudget = HoleBudget(1_000_000);

    fn place(ids: &[u64]) -> Placed {
        let ids: Vec<Option<u64>> = ids.iter().copied().map(Some).collect();
        CYTON.place(&ids, BUDGET)
    }

    #[test]
    fn a_counter_that_wraps_loses_nothing() {
        let placed = place(&[254, 255, 0, 1]);
        assert_eq!(placed.numbering, Numbering::default());
        assert_eq!(placed.at, [Some(0), Some(1), Some(2), Some(3)]);
    }

    #[test]
    fn a_loss_leaves_a_hole_of_its_length_also_over_the_wrap() {
        let placed = place(&[253, 254, 2, 3]);
        assert_eq!(placed.numbering.gaps, [Gap { row: 1, missing: 3 }]);
        assert_eq!(placed.at, [Some(0), Some(1), Some(5), Some(6)]);
        assert_eq!(placed.n_samples, 7);
    }

    #[test]
    fn a_jump_to_zero_is_a_numbering_begun_anew() {
        let placed = place(&[10, 11, 0, 1]);
        assert_eq!(placed.numbering.restarts, [1]);
        assert_eq!(placed.numbering.boundaries, [2]);
        assert!(placed.numbering.gaps.is_empty());
    }

    #[test]
    fn a_row_between_two_that_follow_each_other_was_inserted() {
        for strange in [99, 11, 0] {
            let placed = place(&[10, 11, strange, 12, 13]);
            assert_eq!(placed.numbering.inserted, [2], "{strange}");
            assert_eq!(placed.at, [Some(0), Some(1), None, Some(2), Some(3)]);
            assert!(placed.numbering.gaps.is_empty() && placed.numbering.restarts.is_empty());
        }
    }

    #[test]
    fn a_counter_that_goes_up_by_two_is_seen() {
        let ids: Vec<Option<u64>> = [0, 2, 4, 8, 10].into_iter().map(Some).collect();
        let counter = Counter::of(&ids, Some(256)).unwrap();
        assert_eq!(counter.step, 2);
        assert_eq!(
            counter.place(&ids, BUDGET).numbering.gaps,
            [Gap { row: 2, missing: 1 }]
        );
    }

    #[test]
    fn a_shorter_period_shows_and_ids_that_are_no_counter_are_told() {
        let ids: Vec<Option<u64>> = (0..700).map(|at| Some(at % 201)).collect();
        let counter = Counter::of(&ids, Some(256)).unwrap();
        assert_eq!(counter.period, Some(201));
        assert_eq!(counter.place(&ids, BUDGET).numbering, Numbering::default());
        let each_twice: Vec<Option<u64>> = (0..700).map(|at| Some(at / 2 % 101)).collect();
        assert_eq!(Counter::of(&each_twice, Some(256)), None);
    }

    #[test]
    fn a_row_without_an_id_follows_the_one_before() {
        let placed = CYTON.place(&[Some(7), None, Some(9)], BUDGET);
        assert_eq!(placed.numbering, Numbering::default());
        assert_eq!(placed.n_samples, 3);
    }

    #[test]
    fn ids_without_a_period_may_only_rise() {
        let counter = Counter {
            step: 1,
            period: None,
        };
        let placed = counter.place(&[Some(5), Some(9), Some(3), Some(4)], BUDGET);
        assert_eq!(placed.numbering.gaps, [Gap { row: 0, missing: 3 }]);
        assert_eq!(placed.numbering.restarts, [1]);
    }

    #[test]
    fn holes_end_where_they_would_eat_the_memory() {
        let counter = Counter {
            step: 1,
            period: None,
        };
        let ids: Vec<Option<u64>> = (0..100).map(|at| Some(at * 90_000)).collect();
        let placed = counter.place(&ids, HoleBudget::new(100, 1_000));
        assert!(
            placed.n_samples <= 100 + (1 << 24) / 1_000,
            "{}",
            placed.n_samples
        );
        assert_eq!(placed.numbering.gaps.len(), 99);
        assert!(placed.numbering.boundaries.len() >= 98);
    }
}
