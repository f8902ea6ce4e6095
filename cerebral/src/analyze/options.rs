//! What may be asked of an analysis.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;
use std::str::FromStr;

use serde_json::{Value, json};

use super::step::StepId;
use crate::connectivity::{Measure, Method, Pass};
use crate::control::{Objective, Trials};
use crate::error::AnalysisError;
use crate::preprocess::{EpochChoice, Montage};
use crate::surrogate::{Kind, Origin};
use crate::twin::DriveKind;
use crate::units::Band;

/// Which samples.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum SegmentChoice {
    /// The longest stretch without a gap or a restart.
    #[default]
    Longest,
    /// The longest stretch without a gap, a restart or an artefact.
    Clean,
    /// These samples.
    Samples(Range<usize>),
}

impl FromStr for SegmentChoice {
    type Err = AnalysisError;

    /// `longest`, `clean` or `FROM:TO` in samples.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let fault = || {
            AnalysisError::setting(
                "segment",
                text,
                "FROM:TO in samples with FROM below TO, `longest` or `clean`",
            )
        };
        match text {
            "longest" => Ok(Self::Longest),
            "clean" => Ok(Self::Clean),
            _ => {
                let (from, to) = text.split_once(':').ok_or_else(fault)?;
                let from: usize = from.trim().parse().map_err(|_| fault())?;
                let to: usize = to.trim().parse().map_err(|_| fault())?;
                (from < to)
                    .then_some(Self::Samples(from..to))
                    .ok_or_else(fault)
            }
        }
    }
}

impl fmt::Display for SegmentChoice {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Longest => formatter.write_str("longest"),
            Self::Clean => formatter.write_str("clean"),
            Self::Samples(range) => write!(formatter, "{}:{}", range.start, range.end),
        }
    }
}

/// What voltages are measured against.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum ReferenceChoice {
    /// As recorded.
    #[default]
    Recorded,
    /// The mean of the good channels.
    Average,
    /// A channel by its name.
    Channel(String),
}

/// How windows are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum WindowsChoice {
    /// The segment is filtered as one.
    #[default]
    Whole,
    /// Each window from its own buffer, as a stream does it.
    Buffered,
}

/// What is done to one node.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Stimulus {
    /// Steered towards an oscillation; at the mean natural frequency where none is given.
    Entrain {
        /// Strength, rad/s.
        amplitude_rad_s: f64,
        /// Hertz.
        frequency_hz: Option<f64>,
    },
    /// Driven faster (or slower, below 0).
    Constant {
        /// rad/s.
        torque_rad_s: f64,
    },
    /// Kicked towards phase 0 again and again, at the mean natural frequency where none is given.
    Pulses {
        /// rad.
        strength_rad: f64,
        /// Hertz.
        frequency_hz: Option<f64>,
    },
}

impl Stimulus {
    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Entrain { .. } => "entrain",
            Self::Constant { .. } => "constant",
            Self::Pulses { .. } => "pulses",
        }
    }

    /// The drive where `own_hz` is taken if no frequency is given; its strength, and its frequency in hertz.
    pub(super) fn drive(self, own_hz: f64) -> (DriveKind, f64, Option<f64>) {
        use std::f64::consts::TAU;
        match self {
            Self::Entrain {
                amplitude_rad_s,
                frequency_hz,
            } => {
                let hz = frequency_hz.unwrap_or(own_hz);
                let kind = DriveKind::Entrain {
                    amplitude_rad_s,
                    frequency_rad_s: TAU * hz,
                    phase_rad: 0.0,
                };
                (kind, amplitude_rad_s, Some(hz))
            }
            Self::Constant { torque_rad_s } => {
                (DriveKind::Constant { torque_rad_s }, torque_rad_s, None)
            }
            Self::Pulses {
                strength_rad,
                frequency_hz,
            } => {
                let hz = frequency_hz.unwrap_or(own_hz);
                let kind = DriveKind::Pulses {
                    strength_rad,
                    period_s: 1.0 / hz,
                };
                (kind, strength_rad, Some(hz))
            }
        }
    }
}

/// Everything that may be asked. [`Options::default`] is what is done where nothing is said.
#[derive(Debug, Clone, PartialEq)]
pub struct Options {
    /// Names of the channels to use, in this order; none: all.
    pub channels: Vec<String>,
    /// The bands; the twin is made in the first.
    pub bands: Vec<Band>,
    /// Which samples.
    pub segment: SegmentChoice,
    /// Dropped at both ends after filtering, seconds.
    pub trim_s: f64,
    /// What voltages are measured against.
    pub reference: ReferenceChoice,
    /// The electrodes, one per channel used.
    pub montage: Option<Montage>,
    /// Channels to leave out whatever they look like, by name.
    pub bad_channels: Vec<String>,
    /// Whether channels are left out for what they look like.
    pub find_bad_channels: bool,
    /// Whether bad channels are replaced by what the others say at their place; needs a montage.
    pub interpolate: bool,
    /// Whether windows and epochs that touch an artefact are kept.
    pub keep_artefacts: bool,
    /// The mains' frequency to notch out, with its harmonics, hertz.
    pub notch_hz: Option<f64>,
    /// Epochs about markers instead of the whole segment.
    pub epochs: Option<EpochChoice>,
    /// What the observations of the measures are.
    pub method: Method,
    /// Measures to show.
    pub measures: Vec<Measure>,
    /// Surrogates.
    pub surrogates: usize,
    /// Which null.
    pub surrogate_kind: Kind,
    /// What is randomised.
    pub surrogate_from: Origin,
    /// Level of verdict and edges.
    pub alpha: f64,
    /// How windows are made.
    pub windows: WindowsChoice,
    /// Length of a window, seconds.
    pub window_s: f64,
    /// From one window's start to the next, seconds.
    pub hop_s: f64,
    /// Beside a window of a buffer, seconds.
    pub guard_s: f64,
    /// How the filter goes over the buffer of a window; segments are always filtered forward and backward.
    pub window_pass: Pass,
    /// Seed of all random numbers.
    pub seed: u64,
    /// Worker threads; none: as many as there are processors. The result does not depend on it.
    pub threads: Option<usize>,
    /// The last step to run.
    pub until: StepId,
    /// Steps that are not wanted.
    pub skip: Vec<StepId>,
    /// What is done in steps 7 and 8.
    pub stimulus: Stimulus,
    /// Which node in step 7, by name; none: the one with the strongest couplings onto others.
    pub node: Option<String>,
    /// Runs behind a what-if.
    pub trials: Trials,
    /// What the closed loop is for.
    pub objective: Objective,
    /// Whether the twin is run without the couplings below its noise floor.
    pub only_edges: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            channels: Vec::new(),
            bands: vec![Band::new(8.0, 13.0).expect("8 is below 13")],
            segment: SegmentChoice::default(),
            trim_s: 1.0,
            reference: ReferenceChoice::default(),
            montage: None,
            bad_channels: Vec::new(),
            find_bad_channels: true,
            interpolate: false,
            keep_artefacts: false,
            notch_hz: None,
            epochs: None,
            method: Method::HilbertSamples,
            measures: vec![Measure::Pli, Measure::Wpli],
            surrogates: 200,
            surrogate_kind: Kind::default(),
            surrogate_from: Origin::default(),
            alpha: 0.05,
            windows: WindowsChoice::default(),
            window_s: 2.0,
            hop_s: 1.0,
            guard_s: 1.0,
            window_pass: Pass::default(),
            seed: 1,
            threads: None,
            until: StepId::Export,
            skip: Vec::new(),
            stimulus: Stimulus::Entrain {
                amplitude_rad_s: 5.0,
                frequency_hz: None,
            },
            node: None,
            trials: Trials::default(),
            objective: Objective {
                wanted_r: 0.8,
                cost: 1e-3,
            },
            only_edges: false,
        }
    }
}

impl Options {
    /// Every option that a result depends on, by the name to type.
    pub fn record(&self) -> BTreeMap<String, Value> {
        let texts = |all: &[String]| json!(all.join(","));
        let names = |measures: &[Measure]| {
            let names: Vec<&str> = measures.iter().map(|measure| measure.name()).collect();
            json!(names.join(","))
        };
        let bands: Vec<String> = self
            .bands
            .iter()
            .map(|band| format!("{}-{}", band.low_hz(), band.high_hz()))
            .collect();
        let (amplitude, hz) = match self.stimulus {
            Stimulus::Entrain {
                amplitude_rad_s,
                frequency_hz,
            } => (amplitude_rad_s, frequency_hz),
            Stimulus::Constant { torque_rad_s } => (torque_rad_s, None),
            Stimulus::Pulses {
                strength_rad,
                frequency_hz,
            } => (strength_rad, frequency_hz),
        };
        let montage = self
            .montage
            .as_ref()
            .map(|montage| montage.names().join(","));
        let reference = match &self.reference {
            ReferenceChoice::Recorded => "recorded".to_owned(),
            ReferenceChoice::Average => "average".to_owned(),
            ReferenceChoice::Channel(name) => name.clone(),
        };
        let windows = match self.windows {
            WindowsChoice::Whole => "whole",
            WindowsChoice::Buffered => "buffered",
        };
        let pass = match self.window_pass {
            Pass::ZeroPhase => "zero-phase",
            Pass::Causal => "causal",
        };
        let all = [
            ("filter", json!(pass)),
            ("channels", texts(&self.channels)),
            ("band", json!(bands.join(","))),
            ("segment", json!(self.segment.to_string())),
            ("trim", json!(self.trim_s)),
            ("reference", json!(reference)),
            ("montage", json!(montage)),
            ("bad-channel", texts(&self.bad_channels)),
            ("keep-bad-channels", json!(!self.find_bad_channels)),
            ("interpolate", json!(self.interpolate)),
            ("keep-artefacts", json!(self.keep_artefacts)),
            ("notch", json!(self.notch_hz)),
            (
                "epochs",
                json!(self.epochs.as_ref().map(ToString::to_string)),
            ),
            ("convention", json!(self.method.name())),
            ("measure", names(&self.measures)),
            ("surrogates", json!(self.surrogates)),
            ("surrogate-kind", json!(self.surrogate_kind.name())),
            ("surrogate-from", json!(self.surrogate_from.name())),
            ("alpha", json!(self.alpha)),
            ("windows", json!(windows)),
            ("window", json!(self.window_s)),
            ("hop", json!(self.hop_s)),
            ("guard", json!(self.guard_s)),
            ("seed", json!(self.seed)),
            ("steps", json!(self.until.number())),
            ("kind", json!(self.stimulus.name())),
            ("amplitude", json!(amplitude)),
            ("frequency", json!(hz)),
            ("node", json!(self.node)),
            ("seeds", json!(self.trials.seeds)),
            ("wanted-r", json!(self.objective.wanted_r)),
            ("only-edges", json!(self.only_edges)),
        ];
        all.into_iter()
            .map(|(name, value)| (name.to_owned(), value))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_segment_is_read_as_it_is_written() {
        for text in ["longest", "clean", "10000:20000"] {
            assert_eq!(text.parse::<SegmentChoice>().unwrap().to_string(), text);
        }
        for text in ["", "5", "9:3", "3:3", "-1:4", "a:b"] {
            assert!(text.parse::<SegmentChoice>().is_err(), "{text}");
        }
    }
}
