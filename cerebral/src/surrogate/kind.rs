//! Which null hypothesis, and on what.

use std::fmt;
use std::str::FromStr;

use crate::error::AnalysisError;

/// What a surrogate keeps and what it destroys. Keys name entries of `docs/references.bib`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Kind {
    /// Each channel keeps its spectrum, its phases are random and independent: no coupling at all (`theiler-1992`, for
    /// each channel). The default.
    #[default]
    Independent,
    /// All channels get the same random phases: every cross-spectrum stays, and only what is not linear is destroyed
    /// (`prichard-1994`). It does not test for coupling.
    Common,
    /// Each channel keeps its values and roughly its spectrum (`theiler-1992`).
    Aaft,
    /// Each channel keeps its values and nearly its spectrum (`schreiber-1996`): at most 100 rounds.
    Iaaft,
    /// Each channel is turned round by a random time: everything within a channel stays, save the joint of its ends
    /// (`quiroga-2002`).
    CircularShift,
}

/// What is randomised.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Origin {
    /// The raw segment without its line; the surrogate then goes the whole way that the data went.
    #[default]
    Raw,
    /// The filtered segment; a little liberal for the mean over pairs, since edges are not redone.
    Filtered,
}

/// Which measures are tested.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Tested {
    /// PLI alone: half the work, and no verdict, which is wPLI's.
    Pli,
    /// PLI and wPLI.
    #[default]
    PliAndWpli,
}

impl Kind {
    const ALL: [Self; 5] = [
        Self::Independent,
        Self::Common,
        Self::Aaft,
        Self::Iaaft,
        Self::CircularShift,
    ];

    /// Its name in options and result files.
    pub fn name(self) -> &'static str {
        match self {
            Self::Independent => "independent",
            Self::Common => "common",
            Self::Aaft => "aaft",
            Self::Iaaft => "iaaft",
            Self::CircularShift => "shift",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

impl FromStr for Kind {
    type Err = AnalysisError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|kind| kind.name() == text)
            .ok_or_else(|| {
                let names = Self::ALL.map(Self::name).join(", ");
                AnalysisError::setting("surrogate kind", text, format!("one of {names}"))
            })
    }
}

impl Origin {
    /// Its name in options and result files.
    pub fn name(self) -> &'static str {
        match self {
            Self::Raw => "raw",
            Self::Filtered => "filtered",
        }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

impl FromStr for Origin {
    type Err = AnalysisError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "raw" => Ok(Self::Raw),
            "filtered" => Ok(Self::Filtered),
            _ => Err(AnalysisError::setting(
                "surrogate origin",
                text,
                "raw or filtered",
            )),
        }
    }
}
