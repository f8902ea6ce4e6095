//! What a replay has counted.

use std::collections::BTreeMap;

use crate::capture::CaptureFault;
use crate::error::IngestError;
use crate::venue::{Dialect, UnknownVenue};

/// Faulty lines listed one by one; beyond that they are only counted.
pub const MAX_FAULTS_LISTED: usize = 1_000;

/// Unknown venues listed by name; beyond that their frames are only counted.
pub const MAX_REFUSED_LISTED: usize = 32;

/// Faulty lines that go to the log as well.
const FAULTS_LOGGED: usize = 10;

/// What a replay has counted. What the frames were is the core's to report.
#[derive(Debug, Default)]
pub struct ReplayReport {
    /// The inputs, in the order given.
    pub inputs: Vec<InputReport>,
    /// Frames given to the core, by dialect.
    pub frames: BTreeMap<Dialect, u64>,
    /// Venues that no parser exists for, by name.
    pub refused: BTreeMap<String, Refused>,
    /// Frames of such venues beyond the first [`MAX_REFUSED_LISTED`].
    pub refused_beyond: u64,
    /// The first [`MAX_FAULTS_LISTED`] faulty lines, each with the name of its input.
    pub faults: Vec<(String, CaptureFault)>,
    /// Faulty lines, all of them.
    pub faults_total: u64,
    /// Receipt of the first frame given to the core, nanoseconds since 1970.
    pub first_ns: Option<i64>,
    /// The latest receipt.
    pub last_ns: Option<i64>,
    /// Whether it was told to stop before the end.
    pub stopped: bool,
}

/// One input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InputReport {
    /// Its name.
    pub name: String,
    /// Lines, the broken ones too.
    pub lines: u64,
    /// Lines that hold a frame, of whatever venue.
    pub frames: u64,
    /// Lines that were faults, an early end included.
    pub faults: u64,
    /// Lines received before the line above them.
    pub stamps_back: u64,
    /// Whether it breaks off.
    pub ends_early: bool,
    /// Bytes read, as they are stored.
    pub bytes: u64,
}

/// Frames of a venue that no parser exists for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// How many.
    pub frames: u64,
    /// Why, and which venues there are.
    pub message: String,
}

impl InputReport {
    pub(super) fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            lines: 0,
            frames: 0,
            faults: 0,
            stamps_back: 0,
            ends_early: false,
            bytes: 0,
        }
    }
}

impl ReplayReport {
    /// Frames given to the core.
    #[must_use]
    pub fn frames_total(&self) -> u64 {
        self.frames.values().sum()
    }

    /// Frames of venues that no parser exists for.
    #[must_use]
    pub fn refused_total(&self) -> u64 {
        let listed: u64 = self.refused.values().map(|refused| refused.frames).sum();
        listed.saturating_add(self.refused_beyond)
    }

    pub(super) fn played(&mut self, dialect: Dialect, received_ns: i64) {
        *self.frames.entry(dialect).or_default() += 1;
        self.first_ns.get_or_insert(received_ns);
        self.last_ns = self.last_ns.max(Some(received_ns));
    }

    pub(super) fn refuse(&mut self, unknown: &UnknownVenue) {
        if let Some(refused) = self.refused.get_mut(&unknown.name) {
            refused.frames += 1;
        } else if self.refused.len() < MAX_REFUSED_LISTED {
            tracing::warn!(venue = unknown.name, "{unknown}; its frames are left out");
            let refused = Refused {
                frames: 1,
                message: unknown.to_string(),
            };
            self.refused.insert(unknown.name.clone(), refused);
        } else {
            self.refused_beyond += 1;
        }
    }

    pub(super) fn fault(&mut self, name: &str, fault: CaptureFault) {
        self.faults_total += 1;
        if self.faults.len() < FAULTS_LOGGED {
            tracing::warn!(input = name, "{fault}");
        }
        if self.faults.len() < MAX_FAULTS_LISTED {
            self.faults.push((name.to_owned(), fault));
        }
    }

    pub(super) fn nothing_usable(&self) -> IngestError {
        let names: Vec<String> = self
            .inputs
            .iter()
            .map(|input| format!("`{}`", input.name))
            .collect();
        let refused = self.refused.values().next().map(|one| one.message.clone());
        let fault = self.faults.first().map(|(_, fault)| fault.to_string());
        IngestError::NothingUsable {
            inputs: names.join(", "),
            reason: refused
                .or(fault)
                .unwrap_or_else(|| "there is not one line in it".to_owned()),
        }
    }
}
