//! A calibration under way: since when, of which samples, and from which window on it is used.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::calibrator::Task;
use super::history::History;

/// A calibration under way.
#[derive(Debug)]
pub(super) struct Pending {
    /// The window of its stretch at which it was begun.
    pub(super) begun: u64,
    /// That stretch, where it is over.
    pub(super) before: Option<Before>,
    pub(super) task: Arc<Task>,
}

/// A stretch that is over, and the samples of it that a calibration is made from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Before {
    /// Index in the session of its first sample.
    pub(super) stretch_at: u64,
    /// The window of the stretch now from which on the calibration is used.
    pub(super) due: u64,
    pub(super) history: History,
}

impl Pending {
    /// The window of the stretch now from which on it is used.
    pub(super) fn due(&self, use_after: u64) -> u64 {
        match &self.before {
            Some(before) => before.due,
            None => self.begun.saturating_add(use_after),
        }
    }
}
