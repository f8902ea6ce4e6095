//! The state of [`Windows`] as plain data, to be kept and gone on from. What can be worked out again is left out.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Pane, WindowLogic, Windows};
use crate::watermark::Watermarks;
use crate::window::Shape;

/// All that a partition's windows know, besides their logic.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WindowsState<E> {
    /// Marks and statuses.
    pub watermarks: Watermarks,
    /// The first window not closed yet.
    pub next: Option<i64>,
    /// The end of the window before it, nanoseconds; exact where it lies beyond 64 bits.
    pub boundary_ns: Option<i128>,
    /// The watermark that closing was last judged by.
    pub judged_ns: Option<i64>,
    /// Whether a window with data has been closed.
    pub begun: bool,
    /// Open windows, in order.
    pub panes: Vec<PaneState<E>>,
}

/// What waits in a pane: its number, whether that is data, and events by arrival.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaneState<E>(pub i64, pub bool, pub Vec<(i64, E)>);

impl<E> WindowsState<E> {
    /// The same with other events, made of each one's stamp and itself.
    pub fn map<F>(self, mut event: impl FnMut(i64, E) -> F) -> WindowsState<F> {
        let mut pane = |PaneState(number, holds_data, events): PaneState<E>| {
            let events = events.into_iter();
            let mapped = events.map(|(stamp_ns, old)| (stamp_ns, event(stamp_ns, old)));
            PaneState(number, holds_data, mapped.collect())
        };
        WindowsState {
            watermarks: self.watermarks,
            next: self.next,
            boundary_ns: self.boundary_ns,
            judged_ns: self.judged_ns,
            begun: self.begun,
            panes: self.panes.into_iter().map(&mut pane).collect(),
        }
    }
}

impl<L: WindowLogic> Windows<L> {
    /// The state without that of the logic.
    pub fn state(&self) -> WindowsState<L::Event>
    where
        L::Event: Clone,
    {
        let pane = |(&number, pane): (&i64, &Pane<L::Event>)| {
            PaneState(number, pane.holds_data, pane.events.clone())
        };
        WindowsState {
            watermarks: self.watermarks.clone(),
            next: self.next,
            boundary_ns: self.next.map(|_| self.boundary_ns),
            judged_ns: self.judged_ns,
            begun: self.begun,
            panes: self.panes.iter().map(pane).collect(),
        }
    }

    /// Goes on from a state, with the logic's own.
    pub fn restore(
        shape: Shape,
        max_gap_ms: i64,
        max_open: usize,
        logic: L,
        state: WindowsState<L::Event>,
    ) -> Self {
        let pane = |PaneState(number, holds_data, events)| {
            let sorted = events.is_sorted_by_key(|(stamp_ns, _)| *stamp_ns);
            let pane = Pane {
                events,
                holds_data,
                sorted,
            };
            (number, pane)
        };
        let panes: BTreeMap<i64, Pane<L::Event>> = state.panes.into_iter().map(pane).collect();
        Self {
            open: panes.values().map(|pane| pane.events.len()).sum(),
            panes,
            watermarks: state.watermarks,
            next: state.next,
            boundary_ns: state.boundary_ns.unwrap_or(i128::MIN),
            judged_ns: state.judged_ns,
            begun: state.begun,
            ..Self::new(shape, max_gap_ms, max_open, logic)
        }
    }
}
