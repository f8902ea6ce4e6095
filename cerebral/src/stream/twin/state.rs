//! A twin put away and gone on with: everything that later windows depend on, bit for bit.
//!
//! Samples of the last minute and the calibrated model are most of it. A calibration under way is stored as the window it was begun
//! at, and is begun again: its samples are among those kept. Absent: settings and channels, which whoever restores has; where the
//! state is stored.

use std::collections::VecDeque;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::calibrated::Calibrated;
use super::calibrator::Calibrate;
use super::history::History;
use super::pending::Before;
use super::settings::TwinSettings;
use super::stimulate::Running;
use super::{SessionTwin, WindowAnalyst};
use crate::error::AnalysisError;

/// What a twin is gone on with from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TwinState {
    history: History,
    current: Option<Calibrated>,
    /// The window at which the calibration under way was begun.
    pending: Option<u64>,
    /// The stretch it was begun in, where that is over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    before: Option<Before>,
    stimulation: Option<Running>,
    known: Vec<String>,
    failed: u64,
}

/// Why a state is none of a twin of this session.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    /// The settings do not make sense.
    #[error("a stored twin cannot be gone on with")]
    Settings(#[from] AnalysisError),
    /// It was stored with other channels or settings, or its parts do not fit each other.
    #[error("a stored twin is of other channels or settings: {0} does not fit")]
    Other(&'static str),
}

impl SessionTwin {
    /// Everything that later windows depend on, as it is between two windows.
    #[must_use]
    pub fn state(&self) -> TwinState {
        TwinState {
            history: self.history.clone(),
            current: self.current.clone(),
            pending: self.pending.as_ref().map(|pending| pending.begun),
            before: self
                .pending
                .as_ref()
                .and_then(|pending| pending.before.clone()),
            stimulation: self.stimulation.clone(),
            known: self.known.iter().cloned().collect(),
            failed: self.failed,
        }
    }

    /// The twin that was put away, with the settings and channels it had.
    ///
    /// # Errors
    /// [`StateError`] where it does not fit them.
    pub fn restore(
        settings: TwinSettings,
        analyst: &Arc<WindowAnalyst>,
        stretch_at: u64,
        calibrator: &Arc<dyn Calibrate>,
        state: TwinState,
    ) -> Result<Self, StateError> {
        let mut twin = Self::new(settings, analyst, stretch_at, calibrator)?;
        let n = analyst.n_channels();
        if state.history.n_channels() != n {
            return Err(StateError::Other("its samples"));
        }
        if !state.current.as_ref().is_none_or(|found| found.is_whole(n)) {
            return Err(StateError::Other("its model"));
        }
        let seeds = twin.settings.seeds;
        let mut running = state.stimulation.iter();
        if !running.all(|running| running.is_whole(n, seeds)) {
            return Err(StateError::Other("its stimulation"));
        }
        twin.history = state.history;
        twin.current = state.current;
        twin.stimulation = state.stimulation;
        twin.known = VecDeque::from(state.known);
        twin.failed = state.failed;
        if let Some(before) = &state.before
            && before.history.n_channels() != n
        {
            return Err(StateError::Other("its samples before a gap"));
        }
        if let Some(begun) = state.pending {
            let pending = twin.pending(begun, state.before);
            twin.pending = Some(pending.ok_or(StateError::Other("its calibration under way"))?);
        }
        Ok(twin)
    }
}
