//! What a loaded recording is.

use std::ops::Range;

use ndarray::Array2;
use serde::Serialize;

use super::ids::Numbering;
use super::quality::Quality;

/// Least sampling rate taken, hertz.
pub(crate) const MIN_RATE_HZ: f64 = 1.0;
/// Greatest sampling rate taken, hertz.
pub(crate) const MAX_RATE_HZ: f64 = 100_000.0;

/// How a file is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Dialect {
    /// OpenBCI text of 2014 to 2016: no stamps.
    OpenbciV3,
    /// OpenBCI text with a clock time, and perhaps epoch milliseconds, at the end of a row.
    OpenbciV4,
    /// OpenBCI GUI 5 and 6: a row of names, 25 fields for eight channels.
    OpenbciGui,
    /// OpenBCI's Python recorder: time first, then the id.
    OpenbciPython,
    /// BrainFlow: tabs, no header.
    Brainflow,
    /// Any table with a row of names.
    Csv,
    /// European Data Format, 16 bits.
    Edf,
    /// BioSemi's 24-bit kin of EDF.
    Bdf,
}

/// Something that the recording says happened.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Marker {
    /// Seconds from the first sample.
    pub at_s: f64,
    /// How long it lasts, seconds; 0 for an instant.
    pub duration_s: f64,
    /// What it says.
    pub text: String,
}

/// Readings at which a channel's amplifier or converter ends.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Rails {
    /// Full scale at either end, microvolts; several where the gain is not known, none where the file does not tell.
    pub values_uv: Vec<f64>,
    /// How near a reading must be to count, microvolts.
    pub tolerance_uv: f64,
}

impl Rails {
    /// Whether a reading is at full scale: no signal, whatever its number.
    pub fn hold(&self, value_uv: f64) -> bool {
        self.values_uv
            .iter()
            .any(|rail| (value_uv - rail).abs() <= self.tolerance_uv)
    }
}

/// Channels of microvolts on one clock.
#[derive(Debug, Clone, PartialEq)]
pub struct Recording {
    /// How the file is written.
    pub dialect: Dialect,
    /// Samples a second.
    pub sample_rate_hz: f64,
    /// Names of the channels, as the file has them, else `1`, `2` and so on.
    pub channels: Vec<String>,
    /// Shape `(n_channels, n_samples)`, microvolts. A sample that is missing is NaN in every channel.
    pub samples_uv: Array2<f64>,
    /// Where each channel's readings end.
    pub rails: Vec<Rails>,
    /// Per sample the number that the file has for it; empty where it has none at all.
    pub ids: Vec<Option<u64>>,
    /// Per sample the file's stamp, nanoseconds since 1970; empty where it has none at all.
    pub stamps_ns: Vec<Option<i64>>,
    /// What the recording says happened, by time.
    pub markers: Vec<Marker>,
    /// Where samples are missing and where the numbering begins anew.
    pub numbering: Numbering,
    /// What is wrong with it.
    pub quality: Quality,
}

impl Recording {
    /// Number of channels.
    pub fn n_channels(&self) -> usize {
        self.samples_uv.nrows()
    }

    /// Number of samples, missing ones included.
    pub fn n_samples(&self) -> usize {
        self.samples_uv.ncols()
    }

    /// The gap-free pieces, in samples, by time: without a missing sample, and not across a restart.
    pub fn stretches(&self) -> Vec<Range<usize>> {
        let missing = |at: usize| self.samples_uv[(0, at)].is_nan();
        let mut pieces = Vec::new();
        let mut start = 0;
        for at in 0..=self.n_samples() {
            let over = at == self.n_samples() || missing(at);
            if over || self.numbering.boundaries.binary_search(&at).is_ok() {
                if at > start {
                    pieces.push(start..at);
                }
                start = if over { at + 1 } else { at };
            }
        }
        pieces
    }

    /// The longest gap-free piece; the first of equals.
    pub fn longest_stretch(&self) -> Range<usize> {
        let longest = self.stretches().into_iter().rev().max_by_key(Range::len);
        longest.unwrap_or(0..0)
    }
}
