//! The generic machine of one partition: items in, closed windows and a side stream out. Pure.
//!
//! What an item means is the [`WindowLogic`]'s; when windows close is decided here, from the items' own marks, statuses and
//! stamps ([`crate::watermark`]), never from a clock. Every piece of data lands in all the windows that hold its stamp, or,
//! if one of those was already closed, leaves late by the side stream and changes no window.
//!
//! Memory is bounded by what open windows hold: [`Windows::push`] refuses to go past a limit.

use std::collections::BTreeMap;

use crate::watermark::{SourceId, Watermarks};
use crate::window::{Shape, Window};

mod state;

pub use state::{PaneState, WindowsState};

/// What an input turned out to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Item<E> {
    /// Nothing of this source before the stamp follows.
    Mark {
        /// Whose promise it is.
        source: SourceId,
        /// Event time, nanoseconds.
        stamp_ns: i64,
    },
    /// What windows are made of: it opens windows, and goes the side way when late.
    Data {
        /// Where it comes from.
        source: SourceId,
        /// Event time, nanoseconds.
        stamp_ns: i64,
        /// What is kept of it.
        event: E,
    },
    /// Something that windows need but are not made of (a currency rate): it opens none, and is ignored when late.
    Aside {
        /// Event time, nanoseconds.
        stamp_ns: i64,
        /// What is kept of it.
        event: E,
    },
    /// A source came up or went out. Stamped before the last closed window's end, it counts as stamped on it.
    Status {
        /// Which source.
        source: SourceId,
        /// Whether it is up now.
        up: bool,
        /// Event time, nanoseconds.
        stamp_ns: i64,
        /// What is kept of it.
        event: E,
    },
}

/// How dense the records of closed windows are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Density {
    /// Every key that is known gets a record of every window.
    Every,
    /// More windows than the gap limit closed at once: only keys with data in the window get a record of it.
    WithData,
}

/// Data that came after one of its windows had closed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Late<I, E> {
    /// The input as it came.
    pub input: I,
    /// What would have been kept of it.
    pub event: E,
    /// Its event time, nanoseconds.
    pub stamp_ns: i64,
    /// Up to where windows were closed, nanoseconds.
    pub boundary_ns: i64,
}

/// What windows are for: the part of a job that is not about time.
pub trait WindowLogic {
    /// What comes in.
    type Input;
    /// What is kept of it until its windows close.
    type Event;
    /// What a closed window gives.
    type Output;
    /// What leaves by the side: late and unreadable input.
    type Side;

    /// Reads an input. `None` if it is of no use; then the reason is in `side` or counted.
    fn classify(
        &mut self,
        input: &Self::Input,
        side: &mut Vec<Self::Side>,
    ) -> Option<Item<Self::Event>>;

    /// Data stamped before the boundary, up to where windows are closed.
    fn late(&mut self, late: Late<Self::Input, Self::Event>, side: &mut Vec<Self::Side>);

    /// Something aside came stamped before the boundary and is ignored.
    fn ignored(&mut self, event: Self::Event);

    /// A window closes. `events` holds all that is stamped within it, by (stamp, arrival), in one or more runs.
    fn close(
        &mut self,
        window: Window,
        events: &[&[(i64, Self::Event)]],
        density: Density,
        out: &mut Vec<Self::Output>,
    );

    /// Events without data around them, whose windows get no record; they come by (stamp, arrival), after and before
    /// those of the windows around them.
    fn skip(&mut self, events: &[(i64, Self::Event)]);
}

#[derive(Debug, Clone)]
struct Pane<E> {
    events: Vec<(i64, E)>,
    holds_data: bool,
    sorted: bool,
}

impl<E> Default for Pane<E> {
    fn default() -> Self {
        Self {
            events: Vec::new(),
            holds_data: false,
            sorted: true,
        }
    }
}

/// So many records wait in open windows that no more are taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TooManyOpen {
    /// How many wait.
    pub records: usize,
    /// Which source holds the watermark, if any is up.
    pub holder: Option<SourceId>,
}

/// The state of one partition: marks, open windows, and the logic's own.
#[derive(Debug, Clone)]
pub struct Windows<L: WindowLogic> {
    shape: Shape,
    max_gap_ns: i128,
    max_open: usize,
    logic: L,
    watermarks: Watermarks,
    panes: BTreeMap<i64, Pane<L::Event>>,
    open: usize,
    /// The first window not closed yet, once any is closed.
    next: Option<i64>,
    /// The end of the window before `next`.
    boundary_ns: i128,
    /// The watermark that closing was last judged by; most records do not move it.
    judged_ns: Option<i64>,
    /// Whether a window with data has been closed.
    begun: bool,
    spare: Vec<Vec<(i64, L::Event)>>,
}

impl<L: WindowLogic> Windows<L> {
    /// An empty partition. More than `max_gap_ms` milliseconds of windows closed at once are recorded sparsely; more than
    /// `max_open` waiting records are refused.
    pub fn new(shape: Shape, max_gap_ms: i64, max_open: usize, logic: L) -> Self {
        Self {
            shape,
            max_gap_ns: i128::from(max_gap_ms) * i128::from(contract::time::NS_PER_MS),
            max_open,
            logic,
            watermarks: Watermarks::default(),
            panes: BTreeMap::new(),
            open: 0,
            next: None,
            boundary_ns: i128::MIN,
            judged_ns: None,
            begun: false,
            spare: Vec::new(),
        }
    }

    /// The logic and its state.
    pub fn logic(&self) -> &L {
        &self.logic
    }

    /// The logic and its state, to be reported on.
    pub fn logic_mut(&mut self) -> &mut L {
        &mut self.logic
    }

    /// Where the watermark stands, nanoseconds.
    pub fn watermark_ns(&self) -> Option<i64> {
        self.watermarks.watermark_ns()
    }

    /// Up to where windows are closed, nanoseconds; `None` before any is.
    pub fn boundary_ns(&self) -> Option<i64> {
        self.next.map(|next| self.shape.window(next - 1).end_ns)
    }

    /// Takes one input, and closes what it closes.
    ///
    /// # Errors
    /// [`TooManyOpen`] when the limit of waiting records is reached.
    pub fn push(
        &mut self,
        input: L::Input,
        out: &mut Vec<L::Output>,
        side: &mut Vec<L::Side>,
    ) -> Result<(), TooManyOpen> {
        let Some(item) = self.logic.classify(&input, side) else {
            return Ok(());
        };
        match item {
            Item::Mark { source, stamp_ns } => self.watermarks.mark(source, stamp_ns),
            Item::Data {
                source,
                stamp_ns,
                event,
            } => {
                if i128::from(stamp_ns) < self.boundary_ns {
                    let boundary_ns = self.boundary_ns().unwrap_or(stamp_ns);
                    let late = Late {
                        input,
                        event,
                        stamp_ns,
                        boundary_ns,
                    };
                    self.logic.late(late, side);
                } else {
                    self.keep(stamp_ns, event, true)?;
                }
                self.watermarks.data(source, stamp_ns);
            }
            Item::Aside { stamp_ns, event } => {
                if i128::from(stamp_ns) < self.boundary_ns {
                    self.logic.ignored(event);
                } else {
                    self.keep(stamp_ns, event, false)?;
                }
                return Ok(());
            }
            Item::Status {
                source,
                up,
                stamp_ns,
                event,
            } => {
                let stamp_ns = self
                    .boundary_ns()
                    .map_or(stamp_ns, |boundary_ns| boundary_ns.max(stamp_ns));
                self.keep(stamp_ns, event, false)?;
                if up {
                    self.watermarks.up(source);
                } else {
                    self.watermarks.out(source);
                }
            }
        }
        let watermark_ns = self.watermarks.watermark_ns();
        if watermark_ns != self.judged_ns
            && let Some(reached_ns) = watermark_ns
        {
            self.judged_ns = watermark_ns;
            let last = self.shape.last_closed_by(reached_ns);
            if self.next.is_none_or(|next| last >= next) {
                self.close_up_to(last, out);
            }
        }
        Ok(())
    }

    /// The input is over: closes all windows up to the last one that holds data.
    pub fn finish(&mut self, out: &mut Vec<L::Output>) {
        let last_pane = self
            .panes
            .iter()
            .rev()
            .find(|(_, pane)| pane.holds_data)
            .map(|(&pane, _)| pane);
        if let Some(pane) = last_pane {
            let last = self.shape.last_window_of(pane);
            if self.next.is_none_or(|next| last >= next) {
                self.close_up_to(last, out);
            }
        }
    }

    fn keep(&mut self, stamp_ns: i64, event: L::Event, is_data: bool) -> Result<(), TooManyOpen> {
        if self.open >= self.max_open {
            return Err(TooManyOpen {
                records: self.open,
                holder: self.watermarks.holder(),
            });
        }
        let spare = &mut self.spare;
        let pane = self
            .panes
            .entry(self.shape.pane_of(stamp_ns))
            .or_insert_with(|| Pane {
                events: spare.pop().unwrap_or_default(),
                ..Pane::default()
            });
        pane.sorted &= pane
            .events
            .last()
            .is_none_or(|(newest_ns, _)| *newest_ns <= stamp_ns);
        pane.holds_data |= is_data;
        pane.events.push((stamp_ns, event));
        self.open += 1;
        Ok(())
    }

    /// Closes every window up to and with `last`.
    fn close_up_to(&mut self, last: i64, out: &mut Vec<L::Output>) {
        let first_with_data = self
            .panes
            .iter()
            .find(|(_, pane)| pane.holds_data)
            .map(|(&pane, _)| self.shape.first_window_of(pane));
        // Before anything was closed with data in it, windows begin with the first that holds some.
        let first = match (self.begun, self.next, first_with_data) {
            (true, Some(next), _) => Some(next),
            (_, next, Some(first)) => Some(next.map_or(first, |next| next.max(first))),
            (_, _, None) => None,
        };
        if let Some(first) = first.filter(|&first| first <= last) {
            self.begun = true;
            let closed_ns =
                (i128::from(last) - i128::from(first) + 1) * i128::from(self.shape.hop_ns());
            if closed_ns > self.max_gap_ns {
                self.close_sparsely(first, last, out);
            } else {
                for index in first..=last {
                    self.close(index, Density::Every, out);
                }
            }
        }
        self.next = Some(last.saturating_add(1));
        self.boundary_ns = self.shape.end(last);
        let (before, _) = self.shape.panes(last.saturating_add(1));
        self.forget_before(before);
    }

    /// Closes those windows of `first..=last` that hold data; there may be very many that do not.
    fn close_sparsely(&mut self, first: i64, last: i64, out: &mut Vec<L::Output>) {
        let mut next = first;
        while next <= last {
            let (from, _) = self.shape.panes(next);
            let Some((&pane, _)) = self.panes.range(from..).find(|(_, pane)| pane.holds_data)
            else {
                return;
            };
            let index = self.shape.first_window_of(pane).max(next);
            if index > last {
                return;
            }
            self.close(index, Density::WithData, out);
            next = index + 1;
        }
    }

    fn close(&mut self, index: i64, density: Density, out: &mut Vec<L::Output>) {
        let (from, to) = self.shape.panes(index);
        self.forget_before(from);
        for pane in self
            .panes
            .range_mut(from..to)
            .map(|(_, pane)| pane)
            .filter(|pane| !pane.sorted)
        {
            // Stable: what shares a stamp stays in the order of its arrival.
            pane.events.sort_by_key(|(stamp_ns, _)| *stamp_ns);
            pane.sorted = true;
        }
        let runs: Vec<&[(i64, L::Event)]> = self
            .panes
            .range(from..to)
            .map(|(_, pane)| pane.events.as_slice())
            .collect();
        self.logic
            .close(self.shape.window(index), &runs, density, out);
        let (kept, _) = self.shape.panes(index.saturating_add(1));
        self.drop_before(kept);
    }

    /// Lets go of panes that no window still needs and no closed window has shown to the logic.
    fn forget_before(&mut self, pane: i64) {
        while let Some(entry) = self.panes.first_entry() {
            if *entry.key() >= pane {
                return;
            }
            let mut gone = entry.remove();
            if !gone.sorted {
                gone.events.sort_by_key(|(stamp_ns, _)| *stamp_ns);
            }
            self.logic.skip(&gone.events);
            self.recycle(gone);
        }
    }

    /// Lets go of panes that the logic has seen.
    fn drop_before(&mut self, pane: i64) {
        while let Some(entry) = self.panes.first_entry() {
            if *entry.key() >= pane {
                return;
            }
            let gone = entry.remove();
            self.recycle(gone);
        }
    }

    fn recycle(&mut self, mut pane: Pane<L::Event>) {
        const SPARES: usize = 4;
        self.open -= pane.events.len();
        if self.spare.len() < SPARES {
            pane.events.clear();
            self.spare.push(pane.events);
        }
    }
}

#[cfg(test)]
mod tests;
