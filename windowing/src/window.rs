//! Windows in event time, as arithmetic. No records, no state.
//!
//! Window `k` of a shape covers `[k * hop, k * hop + width)`, aligned to 1970. A tumbling window is one whose hop is its
//! width. A **pane** is the longest stretch that no window boundary cuts; every window is a run of whole panes.
//!
//! ```text
//! width 4, hop 2:   |--k=0--|         panes: |0 |1 |2 |3 |
//!                       |--k=1--|
//! ```

/// Width and hop of windows, both in nanoseconds, both above zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shape {
    width_ns: i64,
    hop_ns: i64,
    pane_ns: i64,
}

/// The window of a shape that begins at `index * hop`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Window {
    /// Which window, counted from the one that begins in 1970.
    pub index: i64,
    /// First instant inside, nanoseconds; held at the ends of the 64-bit range.
    pub start_ns: i64,
    /// First instant after it, nanoseconds; held at the ends of the 64-bit range.
    pub end_ns: i64,
}

impl Shape {
    /// Windows that follow one another: each instant lies in exactly one. `None` unless the width is above zero.
    #[must_use]
    pub fn tumbling(width_ns: i64) -> Option<Self> {
        Self::hopping(width_ns, width_ns)
    }

    /// Windows of `width_ns` that begin every `hop_ns`. `None` unless both are above zero and the hop is at most the width.
    #[must_use]
    pub fn hopping(width_ns: i64, hop_ns: i64) -> Option<Self> {
        if width_ns <= 0 || hop_ns <= 0 || hop_ns > width_ns {
            return None;
        }
        let (mut a, mut b) = (width_ns, hop_ns);
        while b != 0 {
            (a, b) = (b, a % b);
        }
        Some(Self {
            width_ns,
            hop_ns,
            pane_ns: a,
        })
    }

    /// Length of a window, nanoseconds.
    #[must_use]
    pub fn width_ns(self) -> i64 {
        self.width_ns
    }

    /// Nanoseconds from one window's start to the next one's.
    #[must_use]
    pub fn hop_ns(self) -> i64 {
        self.hop_ns
    }

    /// The pane that holds an instant.
    #[must_use]
    pub fn pane_of(self, stamp_ns: i64) -> i64 {
        stamp_ns.div_euclid(self.pane_ns)
    }

    /// The window of an index.
    #[must_use]
    pub fn window(self, index: i64) -> Window {
        Window {
            index,
            start_ns: clamp(self.start(index)),
            end_ns: clamp(self.end(index)),
        }
    }

    /// First pane of a window, and the first pane after it.
    #[must_use]
    pub fn panes(self, index: i64) -> (i64, i64) {
        let pane = i128::from(self.pane_ns);
        (
            clamp(self.start(index).div_euclid(pane)),
            clamp(self.end(index).div_euclid(pane)),
        )
    }

    /// The first window that holds anything of a pane.
    #[must_use]
    pub fn first_window_of(self, pane: i64) -> i64 {
        let start = i128::from(pane) * i128::from(self.pane_ns);
        clamp((start - i128::from(self.width_ns)).div_euclid(i128::from(self.hop_ns)) + 1)
    }

    /// The last window that holds anything of a pane.
    #[must_use]
    pub fn last_window_of(self, pane: i64) -> i64 {
        let start = i128::from(pane) * i128::from(self.pane_ns);
        clamp(start.div_euclid(i128::from(self.hop_ns)))
    }

    /// The last window whose end is at or below a watermark.
    #[must_use]
    pub fn last_closed_by(self, watermark_ns: i64) -> i64 {
        clamp(
            (i128::from(watermark_ns) - i128::from(self.width_ns))
                .div_euclid(i128::from(self.hop_ns)),
        )
    }

    /// The end of a window, exactly.
    pub(crate) fn end(self, index: i64) -> i128 {
        self.start(index) + i128::from(self.width_ns)
    }

    fn start(self, index: i64) -> i128 {
        i128::from(index) * i128::from(self.hop_ns)
    }
}

fn clamp(value: i128) -> i64 {
    i64::try_from(value).unwrap_or(if value < 0 { i64::MIN } else { i64::MAX })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_window_holds_its_start_and_not_its_end() {
        let shape = Shape::tumbling(1_000).unwrap();
        for (stamp, index) in [
            (0, 0),
            (999, 0),
            (1_000, 1),
            (-1, -1),
            (-1_000, -1),
            (-1_001, -2),
        ] {
            assert_eq!(shape.last_window_of(shape.pane_of(stamp)), index, "{stamp}");
            assert_eq!(
                shape.first_window_of(shape.pane_of(stamp)),
                index,
                "{stamp}"
            );
        }
    }

    #[test]
    fn shapes_without_extent_or_with_holes_are_none() {
        assert!(Shape::tumbling(0).is_none());
        assert!(Shape::hopping(10, 0).is_none());
        assert!(Shape::hopping(10, 11).is_none());
    }

    #[test]
    fn the_ends_of_time_do_not_overflow() {
        for shape in [
            Shape::tumbling(1).unwrap(),
            Shape::hopping(i64::MAX, 3).unwrap(),
        ] {
            for stamp in [i64::MIN, -1, 0, i64::MAX] {
                let index = shape.last_window_of(shape.pane_of(stamp));
                let _ = (
                    shape.window(index),
                    shape.panes(index),
                    shape.last_closed_by(stamp),
                );
            }
        }
    }

    proptest! {
        #[test]
        fn every_instant_lies_in_the_windows_named_and_in_no_other(
            stamp in -10_000_i64..10_000, width in 1_i64..50, hop in 1_i64..50,
        ) {
            prop_assume!(hop <= width);
            let shape = Shape::hopping(width, hop).unwrap();
            let pane = shape.pane_of(stamp);
            let (first, last) = (shape.first_window_of(pane), shape.last_window_of(pane));
            for index in first - 2..=last + 2 {
                let window = shape.window(index);
                let inside = window.start_ns <= stamp && stamp < window.end_ns;
                prop_assert_eq!(inside, (first..=last).contains(&index));
                let (from, to) = shape.panes(index);
                prop_assert_eq!(inside, (from..to).contains(&pane));
            }
        }

        #[test]
        fn a_watermark_closes_exactly_the_windows_that_end_at_or_below_it(
            watermark in -10_000_i64..10_000, width in 1_i64..50, hop in 1_i64..50,
        ) {
            prop_assume!(hop <= width);
            let shape = Shape::hopping(width, hop).unwrap();
            let last = shape.last_closed_by(watermark);
            prop_assert!(shape.window(last).end_ns <= watermark);
            prop_assert!(shape.window(last + 1).end_ns > watermark);
        }
    }
}
