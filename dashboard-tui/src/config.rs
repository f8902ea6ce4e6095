//! What the caller decides: plain data, no environment, no clock.

use std::collections::BTreeMap;

/// Whether colours may be used. Without them nothing is lost: words and signs say the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Colour {
    /// Colours.
    #[default]
    On,
    /// Bold, dim and reversed at most.
    Off,
}

/// The views there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ViewName {
    /// Pairs, and one of them over time.
    #[default]
    Spreads,
    /// Venues, and how far windows and readers are behind.
    Venues,
    /// Alert episodes.
    Alerts,
    /// EEG: signals, connectivity, whether it is more than chance.
    Brain,
    /// The calibrated network of a session, held against what came.
    Twin,
    /// The log of this process.
    Log,
}

impl ViewName {
    /// All of them, in the order of the tabs.
    pub const ALL: [Self; 6] = [
        Self::Spreads,
        Self::Venues,
        Self::Alerts,
        Self::Brain,
        Self::Twin,
        Self::Log,
    ];

    /// As typed on the command line.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Spreads => "spreads",
            Self::Venues => "venues",
            Self::Alerts => "alerts",
            Self::Brain => "brain",
            Self::Twin => "twin",
            Self::Log => "log",
        }
    }
}

/// From which net on a spread is worth an alert, basis points: a line in the chart, nothing is decided here.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Thresholds {
    /// Of pairs that have none of their own.
    pub default_bps: Option<f64>,
    /// By pair.
    pub by_pair: BTreeMap<String, f64>,
}

impl Thresholds {
    /// That of `pair`.
    #[must_use]
    pub fn of(&self, pair: &str) -> Option<f64> {
        self.by_pair.get(pair).copied().or(self.default_bps)
    }
}

/// Whether orders for twins may be given at the keyboard.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Orders {
    /// They are sent.
    #[default]
    Sent,
    /// The screen is for looking alone; the keys say so.
    ReadOnly,
}

/// How the dashboard is made.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// Colours or none.
    pub colour: Colour,
    /// The view shown first.
    pub view: ViewName,
    /// The pair chosen first; the first of the list where none is given.
    pub pair: Option<String>,
    /// The EEG session chosen first; the first by name where none is given.
    pub session: Option<String>,
    /// Whether orders for twins may be given.
    pub orders: Orders,
    /// Lines in the charts.
    pub thresholds: Thresholds,
    /// Length of a window, milliseconds: older than a few of them and the header says that none came.
    pub window_width_ms: i64,
    /// How many records of each partition of `spreads` are read back at the start, for history.
    pub history_records: i64,
    /// For the header: where the records come from, e.g. `embedded broker`.
    pub source: String,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            colour: Colour::On,
            view: ViewName::Spreads,
            pair: None,
            session: None,
            orders: Orders::Sent,
            thresholds: Thresholds::default(),
            window_width_ms: 1_000,
            history_records: 20_000,
            source: String::new(),
        }
    }
}
