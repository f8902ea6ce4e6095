//! What a pair's best route gave over time: fine for the last minutes, coarser for hours and days.
//!
//! In: one figure a window. Out: the points of a stretch of time at the finest level that still has it. Each level holds
//! a bounded number of points; a point of level k spans 8^k windows and keeps the highest net among them with the gross of
//! the same instant. How many points a level may hold depends on the number of pairs, so that all of them together stay
//! within [`TOTAL_POINTS`].

use std::collections::VecDeque;

use contract::spread::Quality;

/// Levels of coarseness.
pub(crate) const LEVELS: usize = 4;
/// Windows of one level in a point of the next.
const COARSER: i64 = 8;
/// Points that all pairs together may hold: 16 bytes each, 42 MB.
const TOTAL_POINTS: usize = 5 << 19;
/// Bounds of a level.
const LEAST: usize = 32;
const MOST: usize = 512;

/// How many points a level may hold where there are so many pairs; a power of two, as the rings grow.
pub(crate) fn capacity(n_pairs: usize) -> usize {
    let fair = (TOTAL_POINTS / LEVELS / n_pairs.max(1)).clamp(LEAST, MOST);
    let up = fair.next_power_of_two();
    if up > fair { up / 2 } else { up }
}

/// One stretch of time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Point {
    /// Which stretch, counted from the base in widths of the level.
    slot: i32,
    /// Highest net, basis points; NaN where no route was live.
    pub(crate) net: f32,
    /// Gross of the same instant.
    pub(crate) gross: f32,
    /// The worst quality of a window in it.
    pub(crate) quality: Quality,
}

/// Points of one coarseness.
#[derive(Debug, Clone, Default)]
struct Level {
    /// All but the newest, oldest first.
    points: VecDeque<Point>,
    /// The newest, which may still grow. Apart, so that most windows touch one ring and not four.
    newest: Option<Point>,
    /// Whether points have been dropped at the old end.
    cut: bool,
}

/// A pair's past.
#[derive(Debug, Clone, Default)]
pub(crate) struct History {
    base_ms: i64,
    width_ms: i64,
    levels: [Level; LEVELS],
}

/// A point with the time it spans.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Span {
    /// Its beginning, event time in milliseconds.
    pub(crate) start_ms: i64,
    /// Its end.
    pub(crate) end_ms: i64,
    /// The figures.
    pub(crate) point: Point,
}

impl History {
    /// Takes a window. One stamped before the newest makes an end of what lies behind it: the log is the truth, and what it
    /// goes back over comes again.
    pub(crate) fn take(
        &mut self,
        (start_ms, width_ms): (i64, i64),
        figures: Option<(f64, f64)>,
        quality: Quality,
        most: usize,
    ) {
        let width_ms = width_ms.max(1);
        if self.width_ms != width_ms || self.slot(start_ms, 0).is_none() {
            *self = Self {
                base_ms: start_ms,
                width_ms,
                levels: Default::default(),
            };
        }
        let (net, gross) = figures.map_or((f32::NAN, f32::NAN), |(net, gross)| {
            (narrow(net), narrow(gross))
        });
        for at in 0..LEVELS {
            let Some(slot) = self.slot(start_ms, at) else {
                continue;
            };
            let point = Point {
                slot,
                net,
                gross,
                quality,
            };
            self.levels[at].take(point, most, at > 0);
        }
    }

    fn level_width_ms(&self, level: usize) -> i64 {
        let times = u32::try_from(level).map_or(i64::MAX, |level| COARSER.saturating_pow(level));
        self.width_ms.saturating_mul(times).max(1)
    }

    fn slot(&self, start_ms: i64, level: usize) -> Option<i32> {
        let since = start_ms.checked_sub(self.base_ms)?;
        i32::try_from(since.div_euclid(self.level_width_ms(level))).ok()
    }

    /// The points that touch `[from_ms, to_ms)`, oldest first, of the finest level that reaches back to `from_ms`.
    pub(crate) fn between(&self, from_ms: i64, to_ms: i64) -> impl Iterator<Item = Span> {
        let reaches = |&at: &usize| {
            let level = &self.levels[at];
            !level.cut
                || level
                    .oldest()
                    .is_some_and(|first| self.span(at, first).start_ms <= from_ms)
        };
        let at = (0..LEVELS).find(reaches).unwrap_or(LEVELS - 1);
        let level = &self.levels[at];
        let first = level
            .points
            .partition_point(|point| self.span(at, *point).end_ms <= from_ms);
        let newest = level.newest.as_ref();
        level
            .points
            .range(first..)
            .chain(newest.filter(|point| self.span(at, **point).end_ms > from_ms))
            .map(move |point| self.span(at, *point))
            .take_while(move |span| span.start_ms < to_ms)
    }

    /// The newest windows, at most `n`, oldest first.
    pub(crate) fn newest(&self, n: usize) -> impl Iterator<Item = Point> {
        let level = &self.levels[0];
        let skip = level.len().saturating_sub(n);
        level.points.iter().chain(&level.newest).skip(skip).copied()
    }

    /// When the oldest point kept begins.
    pub(crate) fn begins_ms(&self) -> Option<i64> {
        let of_level = |at: usize| Some(self.span(at, self.levels[at].oldest()?).start_ms);
        (0..LEVELS).filter_map(of_level).min()
    }

    fn span(&self, level: usize, point: Point) -> Span {
        let width_ms = self.level_width_ms(level);
        let start_ms = i64::from(point.slot)
            .saturating_mul(width_ms)
            .saturating_add(self.base_ms);
        Span {
            start_ms,
            end_ms: start_ms.saturating_add(width_ms),
            point,
        }
    }
}

impl Level {
    fn len(&self) -> usize {
        self.points.len() + usize::from(self.newest.is_some())
    }

    fn oldest(&self) -> Option<Point> {
        self.points.front().copied().or(self.newest)
    }

    fn take(&mut self, point: Point, most: usize, merge: bool) {
        match &mut self.newest {
            Some(newest) if newest.slot == point.slot && merge => newest.merge(point),
            Some(newest) if newest.slot == point.slot => *newest = point,
            Some(newest) if newest.slot < point.slot => {
                let before = std::mem::replace(newest, point);
                self.points.push_back(before);
            }
            None => self.newest = Some(point),
            Some(_) => self.rewind(point, merge),
        }
        if self.len() > most {
            self.points.drain(..self.len() - most);
            self.cut = true;
            if self.points.capacity() > 2 * most {
                self.points.shrink_to(most);
            }
        }
    }

    /// Takes a point from before the newest: what lies behind it goes.
    fn rewind(&mut self, point: Point, merge: bool) {
        let behind = self.points.partition_point(|it| it.slot < point.slot);
        let same = self.points.get(behind).copied();
        self.points.truncate(behind);
        let mut newest = same
            .filter(|same| same.slot == point.slot && merge)
            .unwrap_or(point);
        newest.merge(point);
        self.newest = Some(newest);
    }
}

impl Point {
    fn merge(&mut self, other: Self) {
        if self.net.is_nan() || other.net > self.net {
            self.net = other.net;
            self.gross = other.gross;
        }
        self.quality = self.quality.min(other.quality);
    }
}

/// For a screen: seven digits are plenty.
#[expect(
    clippy::as_conversions,
    reason = "rounding to the nearest f32 is meant; beyond its range it is infinite"
)]
fn narrow(value: f64) -> f32 {
    value as f32
}

#[cfg(test)]
mod tests {
    use super::*;

    const S: i64 = 1_000;

    fn filled(n: i64, most: usize) -> History {
        let mut history = History::default();
        for at in 0..n {
            let net = f64::from(i32::try_from(at % 8).unwrap());
            history.take((at * S, S), Some((net, net + 70.0)), Quality::Ok, most);
        }
        history
    }

    #[test]
    fn a_short_stretch_is_fine_and_a_long_one_coarse() {
        let history = filled(1_000, 64);
        let fine: Vec<Span> = history.between(990 * S, 1_000 * S).collect();
        assert_eq!(fine.len(), 10);
        assert_eq!((fine[0].start_ms, fine[0].end_ms), (990 * S, 991 * S));
        let coarse: Vec<Span> = history.between(600 * S, 1_000 * S).collect();
        assert_eq!(coarse.len(), 50);
        assert!(
            coarse
                .iter()
                .all(|span| (span.point.net, span.point.gross) == (7.0, 77.0))
        );
        assert_eq!(coarse[0].end_ms - coarse[0].start_ms, 8 * S);
        assert_eq!(history.begins_ms(), Some(0));
    }

    #[test]
    fn no_level_holds_more_than_its_bound() {
        let mut history = filled(10_000, 512);
        history.take((10_000 * S, S), None, Quality::Stale, 32);
        for level in &history.levels {
            assert!(level.len() <= 32 && level.points.capacity() <= 64);
        }
    }

    #[test]
    fn going_back_in_time_takes_up_there() {
        let mut history = filled(100, 512);
        history.take((50 * S, S), None, Quality::Stale, 512);
        let left: Vec<Span> = history.between(0, 100 * S).collect();
        assert_eq!(left.len(), 51);
        assert!(left[50].point.net.is_nan() && left[50].point.quality == Quality::Stale);
    }

    #[test]
    fn rings_agree_with_a_plain_list_whatever_comes() {
        // The slow reference: the list of windows, each rewind cutting it.
        let mut seed = 7_u64;
        let mut next = |below: u64| {
            seed = seed
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            i64::try_from((seed >> 33) % below).unwrap()
        };
        let mut history = History::default();
        let mut plain: Vec<(i64, f64)> = Vec::new();
        let mut at = 0;
        history.take((0, S), Some((0.0, 0.0)), Quality::Ok, 512);
        plain.push((0, 0.0));
        for _ in 0..2_000 {
            at = if next(10) == 0 {
                (at - next(20)).max(0)
            } else {
                at + 1 + next(2)
            };
            let net = f64::from(i32::try_from(next(1_000)).unwrap());
            plain.retain(|(start, _)| *start < at);
            plain.push((at, net));
            history.take((at * S, S), Some((net, net)), Quality::Ok, 512);
        }
        let newest: Vec<(i64, f64)> = history
            .between((at - 100) * S, (at + 1) * S)
            .map(|span| (span.start_ms / S, f64::from(span.point.net)))
            .collect();
        plain.retain(|(start, _)| *start >= at - 100);
        assert_eq!(newest, plain);
    }

    #[test]
    fn other_windows_and_far_times_begin_anew() {
        let mut history = filled(100, 512);
        history.take((0, 2 * S), None, Quality::Ok, 512);
        assert_eq!(history.between(i64::MIN, i64::MAX).count(), 1);
        history.take((i64::MAX - 5, 2 * S), None, Quality::Ok, 512);
        history.take((i64::MIN, 2 * S), None, Quality::Ok, 512);
        assert_eq!(history.between(i64::MIN, i64::MAX).count(), 1);
    }

    #[test]
    fn a_window_that_comes_twice_counts_once() {
        let mut history = filled(10, 512);
        history.take((9 * S, S), Some((1.0, 2.0)), Quality::Ok, 512);
        let newest: Vec<Point> = history.newest(100).collect();
        assert_eq!((newest.len(), newest[9].net), (10, 1.0));
    }

    #[test]
    fn all_pairs_together_stay_within_the_bound() {
        assert_eq!(capacity(1), 512);
        for n in [1, 2, 1_000, 1_281, 10_000, 20_000] {
            let points = capacity(n) * LEVELS * n;
            assert!(points <= TOTAL_POINTS, "{n} pairs: {points}");
        }
        assert!(size_of::<Point>() <= 16);
    }
}
