//! The whole state of a partition as one plain value, and as text: what a checkpoint holds.
//!
//! In: a partition, or text with the settings of today. Out: text, the same for the same state, or the partition again, which
//! goes on as the first would have. Absent: the topic it stands on ([`contract::checkpoint`]) and the position it goes with.

use std::sync::Arc;

use contract::tick::tags::V1;
use serde::{Deserialize, Serialize};

use crate::error::WindowingError;
use crate::spread::event::Event;
use crate::spread::state::{BookState, Misfit};
use crate::spread::{Settings, SpreadLogic};
use crate::windows::{PaneState, Windows, WindowsState};

/// The state of a partition: marks, statuses, rates, last quotes, legs, open windows, late counts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartitionState {
    /// Version, always 1.
    pub v: V1,
    /// Width of the windows; others cannot go on from here.
    pub width_ms: i64,
    /// Watermark and open windows.
    pub windows: WindowsState<Event>,
    /// Venues, rates, pairs, legs.
    pub book: BookState,
}

/// Why a state cannot be gone on from.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    /// Not a state of this version.
    #[error("it does not match its documented shape")]
    Shape(#[source] serde_json::Error),
    /// A state no partition can have.
    #[error(transparent)]
    Misfit(#[from] Misfit),
    /// The windows had another width.
    #[error("it is of windows of {was} ms, and `windowing.width_ms` is {now} now")]
    Width {
        /// What it was.
        was: i64,
        /// What it is.
        now: i64,
    },
    /// A setting that the arithmetic cannot work with.
    #[error(transparent)]
    Setting(#[from] Box<WindowingError>),
}

impl PartitionState {
    /// The state of a partition now.
    #[must_use]
    pub(crate) fn of(windows: &Windows<SpreadLogic>) -> Self {
        let logic = windows.logic();
        Self {
            v: V1,
            width_ms: logic.settings().width_ms,
            windows: windows.state(),
            book: logic.book().state(),
        }
    }

    /// As text; equal states give equal text.
    #[must_use]
    pub fn to_text(&self) -> String {
        serde_json::to_string(self).expect("a state of texts and integers is always JSON")
    }

    /// From text.
    ///
    /// # Errors
    /// [`StateError::Shape`].
    pub fn from_text(text: &str) -> Result<Self, StateError> {
        serde_json::from_str(text).map_err(StateError::Shape)
    }

    /// The partition that goes on from it.
    pub(crate) fn restore(
        self,
        settings: Arc<Settings>,
        partition: i32,
    ) -> Result<Windows<SpreadLogic>, StateError> {
        if self.width_ms != settings.width_ms {
            return Err(StateError::Width {
                was: self.width_ms,
                now: settings.width_ms,
            });
        }
        let shape = settings.shape().map_err(Box::new)?;
        let (max_gap_ms, max_open) = (settings.max_gap_ms, settings.max_open_records);
        let logic = SpreadLogic::restore(settings, partition, self.book)?;
        for PaneState(_, _, events) in &self.windows.panes {
            for (_, event) in events {
                logic.book().knows(event)?;
            }
        }
        Ok(Windows::restore(
            shape,
            max_gap_ms,
            max_open,
            logic,
            self.windows,
        ))
    }
}
