//! A file of `ticks` records, one per line, as one partition: pure, from lines to lines.

use std::sync::Arc;

use contract::dead_letter::DeadLetter;

use crate::error::WindowingError;
use crate::spread::{Counters, Emitted, Settings, Side, SpreadLogic};
use crate::state::{PartitionState, StateError};
use crate::windows::{TooManyOpen, Windows};
use crate::work::{Input, Work};

/// What a file gives.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Lines {
    /// Records of `spreads`, by window, then pair.
    pub spreads: Vec<Vec<u8>>,
    /// Records of `ticks-late`, as they came.
    pub late: Vec<Vec<u8>>,
    /// What could not be read.
    pub dead: Vec<DeadLetter>,
    /// What was seen.
    pub counters: Counters,
}

/// Windows of the lines, in their order, as one partition of `ticks`; the end of the lines is the end of the input.
///
/// # Errors
/// [`WindowingError::Setting`] for a width that is none, [`WindowingError::TooManyOpen`] past `max_open_records`.
pub fn window_lines<'a>(
    settings: &Settings,
    lines: impl IntoIterator<Item = &'a [u8]>,
) -> Result<Lines, WindowingError> {
    let mut partition = Partition::new(Arc::new(settings.clone()), 0)?;
    let (mut out, mut side) = (Vec::new(), Vec::new());
    for (offset, line) in (0_i64..).zip(lines) {
        let input = Input {
            offset,
            bytes: line.to_vec(),
        };
        partition.push(input, &mut out, &mut side)?;
    }
    partition.finish(&mut out);
    let mut lines = Lines {
        spreads: out.into_iter().map(|emitted| emitted.line).collect(),
        counters: partition.counters(),
        ..Lines::default()
    };
    for side in side {
        match side {
            Side::Late { line, .. } => lines.late.push(line),
            Side::Dead(letter) => lines.dead.push(letter),
        }
    }
    Ok(lines)
}

/// One partition of `ticks`.
#[derive(Debug, Clone)]
pub struct Partition {
    partition: i32,
    windows: Windows<SpreadLogic>,
}

impl Partition {
    /// A partition of which nothing is known yet.
    ///
    /// # Errors
    /// [`WindowingError::Setting`] for a width that is none.
    pub fn new(settings: Arc<Settings>, partition: i32) -> Result<Self, WindowingError> {
        let shape = settings.shape()?;
        Ok(Self {
            partition,
            windows: settings.machine(shape, partition),
        })
    }

    /// Goes on from a state.
    ///
    /// # Errors
    /// [`StateError`] where that cannot be gone on from with these settings.
    pub fn restore(
        settings: Arc<Settings>,
        partition: i32,
        state: PartitionState,
    ) -> Result<Self, StateError> {
        Ok(Self {
            partition,
            windows: state.restore(settings, partition)?,
        })
    }

    /// Its state now.
    #[must_use]
    pub fn state(&self) -> PartitionState {
        PartitionState::of(&self.windows)
    }

    pub(crate) fn into_parts(self) -> (i32, Windows<SpreadLogic>) {
        (self.partition, self.windows)
    }

    /// Takes the next record.
    ///
    /// # Errors
    /// [`WindowingError::TooManyOpen`] past `max_open_records`.
    pub fn push(
        &mut self,
        input: Input,
        out: &mut Vec<Emitted>,
        side: &mut Vec<Side>,
    ) -> Result<(), WindowingError> {
        self.windows
            .push(input, out, side)
            .map_err(|full| too_many_open(self.partition, &self.windows, full))
    }

    /// The input is over.
    pub fn finish(&mut self, out: &mut Vec<Emitted>) {
        self.windows.finish(out);
    }

    /// Up to where windows are closed, nanoseconds since 1970.
    #[must_use]
    pub fn boundary_ns(&self) -> Option<i64> {
        self.windows.boundary_ns()
    }

    /// What was seen so far.
    #[must_use]
    pub fn counters(&self) -> Counters {
        self.windows.logic().counters()
    }
}

/// The error with the names that only the logic knows.
pub(crate) fn too_many_open(
    partition: i32,
    windows: &Windows<SpreadLogic>,
    full: TooManyOpen,
) -> WindowingError {
    WindowingError::TooManyOpen {
        partition,
        records: full.records,
        holder: full
            .holder
            .and_then(|id| windows.logic().venue_name(id))
            .map(str::to_owned),
        watermark_ns: windows.watermark_ns(),
    }
}
