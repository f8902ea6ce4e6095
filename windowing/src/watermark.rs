//! The watermark of one partition, from the marks, statuses and stamps of its sources, in the order of its records.
//!
//! It is the least, over the sources that are up, of the highest mark since the source's last status, or where none came,
//! the highest stamp of its data since then. It never goes back. An up source with neither holds it; with no source up it
//! stands still.
//!
//! In: what each record says of its source. Out: how far event time has surely come. No records, no clock.

use serde::{Deserialize, Serialize};

/// A source by its place in the order of first mention.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SourceId(pub u32);

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum State {
    #[default]
    Unknown,
    Up,
    Out,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Source {
    state: State,
    mark_ns: Option<i64>,
    data_ns: Option<i64>,
}

impl Source {
    fn reached_ns(&self) -> Option<i64> {
        self.mark_ns.or(self.data_ns)
    }
}

/// The watermark and what it follows from.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Watermarks {
    sources: Vec<Source>,
    watermark_ns: Option<i64>,
}

impl Watermarks {
    /// How far event time has surely come, nanoseconds; `None` before the first word of it.
    #[must_use]
    pub fn watermark_ns(&self) -> Option<i64> {
        self.watermark_ns
    }

    /// "Nothing of this source before `stamp_ns` follows." Makes an unknown source up.
    pub fn mark(&mut self, id: SourceId, stamp_ns: i64) {
        let source = self.source(id);
        if source.state == State::Unknown {
            source.state = State::Up;
        }
        source.mark_ns = Some(
            source
                .mark_ns
                .map_or(stamp_ns, |highest| highest.max(stamp_ns)),
        );
        self.advance();
    }

    /// Data of this source, late or not. Makes an unknown source up; its stamp counts while the source gives no marks.
    pub fn data(&mut self, id: SourceId, stamp_ns: i64) {
        let source = self.source(id);
        if source.mark_ns.is_some() {
            return;
        }
        if source.state == State::Unknown {
            source.state = State::Up;
        } else if source.data_ns.is_some_and(|highest| highest >= stamp_ns) {
            return;
        }
        source.data_ns = Some(
            source
                .data_ns
                .map_or(stamp_ns, |highest| highest.max(stamp_ns)),
        );
        self.advance();
    }

    /// The source came up: its marks and stamps are forgotten and it holds the watermark until it gives new ones.
    pub fn up(&mut self, id: SourceId) {
        *self.source(id) = Source {
            state: State::Up,
            ..Source::default()
        };
    }

    /// The source went down or silent: it is out at once, and only [`Watermarks::up`] brings it back.
    pub fn out(&mut self, id: SourceId) {
        *self.source(id) = Source {
            state: State::Out,
            ..Source::default()
        };
        self.advance();
    }

    /// The source that holds the watermark back: an up one that has said nothing since its last status, else the one that
    /// has come least far.
    #[must_use]
    pub fn holder(&self) -> Option<SourceId> {
        let up = self
            .sources
            .iter()
            .enumerate()
            .filter(|(_, source)| source.state == State::Up);
        let (index, _) = up.min_by_key(|(_, source)| source.reached_ns())?;
        u32::try_from(index).ok().map(SourceId)
    }

    fn source(&mut self, id: SourceId) -> &mut Source {
        let index = usize::try_from(id.0).expect("a source's number fits the address space");
        if index >= self.sources.len() {
            self.sources.resize(index + 1, Source::default());
        }
        &mut self.sources[index]
    }

    fn advance(&mut self) {
        let mut least = None;
        for source in self
            .sources
            .iter()
            .filter(|source| source.state == State::Up)
        {
            match source.reached_ns() {
                None => return,
                Some(reached) => {
                    least = Some(least.map_or(reached, |least: i64| least.min(reached)))
                }
            }
        }
        if let Some(least) = least {
            self.watermark_ns = Some(
                self.watermark_ns
                    .map_or(least, |watermark| watermark.max(least)),
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: SourceId = SourceId(0);
    const B: SourceId = SourceId(1);

    #[test]
    fn it_is_the_least_of_the_highest_marks() {
        let mut marks = Watermarks::default();
        assert_eq!(marks.watermark_ns(), None);
        marks.mark(A, 10);
        assert_eq!(marks.watermark_ns(), Some(10));
        marks.mark(B, 5);
        assert_eq!(marks.watermark_ns(), Some(10), "it never goes back");
        marks.mark(A, 30);
        marks.mark(B, 20);
        marks.mark(B, 15);
        assert_eq!(marks.watermark_ns(), Some(20));
        assert_eq!(marks.holder(), Some(B));
    }

    #[test]
    fn stamps_of_data_count_only_where_no_mark_has_come() {
        let mut marks = Watermarks::default();
        marks.data(A, 7);
        marks.data(A, 3);
        assert_eq!(marks.watermark_ns(), Some(7));
        marks.mark(A, 4);
        marks.data(A, 90);
        marks.mark(A, 8);
        assert_eq!(marks.watermark_ns(), Some(8));
    }

    #[test]
    fn a_source_without_a_word_since_it_came_up_holds_the_watermark() {
        let mut marks = Watermarks::default();
        marks.mark(A, 10);
        marks.up(B);
        marks.mark(A, 50);
        assert_eq!(marks.watermark_ns(), Some(10));
        assert_eq!(marks.holder(), Some(B));
        marks.mark(B, 40);
        assert_eq!(marks.watermark_ns(), Some(40));
        marks.up(B);
        marks.mark(A, 60);
        assert_eq!(
            marks.watermark_ns(),
            Some(40),
            "a second `up` forgets the marks before it"
        );
    }

    #[test]
    fn a_source_that_is_out_does_not_hold_and_only_up_brings_it_back() {
        let mut marks = Watermarks::default();
        marks.mark(A, 10);
        marks.mark(B, 5);
        marks.mark(A, 50);
        marks.out(B);
        assert_eq!(marks.watermark_ns(), Some(50));
        marks.mark(B, 1);
        marks.data(B, 1);
        marks.mark(A, 60);
        assert_eq!(marks.watermark_ns(), Some(60));
        marks.out(A);
        marks.mark(A, 99);
        assert_eq!(
            marks.watermark_ns(),
            Some(60),
            "with no source up it stands still"
        );
        assert_eq!(marks.holder(), None);
        marks.up(A);
        marks.data(A, 70);
        assert_eq!(marks.watermark_ns(), Some(70));
    }
}
