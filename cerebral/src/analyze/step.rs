//! The steps of an analysis, numbered as in the original.

use std::fmt;
use std::str::FromStr;

use serde::{Serialize, Serializer};

use crate::error::AnalysisError;

/// A step. They run in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum StepId {
    /// Phases and frequencies from the signals.
    Inversion,
    /// Is there more than chance?
    Surrogates,
    /// Phase lag index.
    Pli,
    /// wPLI and its kin, edges.
    Wpli,
    /// Connectivity over time.
    Windows,
    /// Where the search for a twin begins.
    Start,
    /// The twin's frequencies and couplings.
    Calibration,
    /// The twin left alone, beside the recording.
    Simulation,
    /// One node stimulated.
    WhatIf,
    /// Every node stimulated, ranked.
    Scan,
    /// The best closed loop.
    ClosedLoop,
    /// Files.
    Export,
}

impl StepId {
    /// All of them, in order.
    pub const ALL: [Self; 12] = [
        Self::Inversion,
        Self::Surrogates,
        Self::Pli,
        Self::Wpli,
        Self::Windows,
        Self::Start,
        Self::Calibration,
        Self::Simulation,
        Self::WhatIf,
        Self::Scan,
        Self::ClosedLoop,
        Self::Export,
    ];

    /// Its number.
    pub fn number(self) -> &'static str {
        match self {
            Self::Inversion => "1",
            Self::Surrogates => "1.5",
            Self::Pli => "1.6",
            Self::Wpli => "2",
            Self::Windows => "3",
            Self::Start => "4",
            Self::Calibration => "5",
            Self::Simulation => "6",
            Self::WhatIf => "7",
            Self::Scan => "8",
            Self::ClosedLoop => "9",
            Self::Export => "10",
        }
    }

    /// What it does.
    pub fn title(self) -> &'static str {
        match self {
            Self::Inversion => "Signal inversion: phases and frequencies",
            Self::Surrogates => "Surrogates: is it more than chance?",
            Self::Pli => "Phase lag index",
            Self::Wpli => "Weighted PLI, direction, edges",
            Self::Windows => "Connectivity over time",
            Self::Start => "Twin: where the search begins",
            Self::Calibration => "Twin: natural frequencies and coupling",
            Self::Simulation => "Twin beside the recording",
            Self::WhatIf => "What if one node is stimulated?",
            Self::Scan => "Which node matters most?",
            Self::ClosedLoop => "Closed loop",
            Self::Export => "Export",
        }
    }
}

impl fmt::Display for StepId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.number())
    }
}

impl FromStr for StepId {
    type Err = AnalysisError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|step| step.number() == text)
            .ok_or_else(|| {
                let numbers = Self::ALL.map(Self::number).join(", ");
                AnalysisError::setting("steps", text, format!("one of {numbers}"))
            })
    }
}

/// What a step's figures are worth, by step 1.5.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Label {
    /// More than chance.
    Significant,
    /// No more than chance: whatever is built on it describes noise as well.
    NotSignificant,
}

impl Label {
    /// As it is written.
    pub fn text(self) -> &'static str {
        match self {
            Self::Significant => "significant",
            Self::NotSignificant => "not significant",
        }
    }
}

impl Serialize for Label {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.text())
    }
}

/// How a step ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// Its figures stand in the result.
    Done,
    /// It did not run.
    Skipped,
}

/// A step of a result.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Step {
    /// Its number.
    pub id: &'static str,
    /// What it does.
    pub title: &'static str,
    /// How it ended.
    pub status: Status,
    /// What its figures are worth; none before step 1.5.
    pub label: Option<Label>,
    /// Why it was skipped.
    pub reason: Option<String>,
    /// Which step it is.
    #[serde(skip)]
    pub step: StepId,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_read_by_their_numbers() {
        for step in StepId::ALL {
            assert_eq!(step.to_string().parse(), Ok(step));
        }
        assert!("1.7".parse::<StepId>().is_err());
    }
}
