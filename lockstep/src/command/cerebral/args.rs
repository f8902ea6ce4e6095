//! Options that several subcommands share, and how they become the analysis' own.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use cerebral::Band;
use cerebral::analyze::{Options, ReferenceChoice, SegmentChoice, Stimulus};
use cerebral::connectivity::Pass;
use cerebral::preprocess::Montage;
use cerebral::source::{Board, LoadOptions};
use clap::{Args, ValueEnum};

use crate::failure::Failure;

/// Which recording, and which part of it.
#[derive(Debug, Args)]
pub(crate) struct RecordingArgs {
    /// The recording: OpenBCI text, BrainFlow, CSV, EDF, BDF; plain, .gz or .zst; `-` is standard input.
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    /// Samples a second, where the file does not say it or says it wrongly: this one holds, with a warning (EDF and BDF: the file's).
    #[arg(long, value_name = "HZ", help_heading = "Recording")]
    rate: Option<f64>,
    /// The board of a BrainFlow file.
    #[arg(long, value_parser = board, help_heading = "Recording")]
    board: Option<Board>,
    /// The channels to use, by name or by number from 1, in this order. Default: all.
    #[arg(
        long,
        value_name = "NAME,..",
        value_delimiter = ',',
        help_heading = "Recording"
    )]
    channels: Vec<String>,
    /// The electrodes of these channels: one 10-20 or 10-10 name each, `-` for none. Default: the channels' own names, where
    /// all are such names.
    #[arg(
        long,
        value_name = "Fp1,Fp2,..",
        value_delimiter = ',',
        allow_hyphen_values = true,
        help_heading = "Recording"
    )]
    montage: Vec<String>,
    /// Which samples: FROM:TO, `longest` (stretch without a gap) or `clean` (without an artefact either).
    #[arg(long, default_value = "longest", help_heading = "Recording")]
    segment: SegmentChoice,
    /// The band, hertz; several give several results, the twin is made in the first.
    #[arg(
        long,
        value_name = "LOW-HIGH",
        value_delimiter = ',',
        default_value = "8-13",
        help_heading = "Recording"
    )]
    band: Vec<Band>,
    /// Dropped at both ends after filtering, e.g. `1s`, `500ms`.
    #[arg(long, value_name = "TIME", value_parser = seconds, default_value = "1s", help_heading = "Recording")]
    trim: f64,
    /// What voltages are measured against: `recorded`, `average` or a channel.
    #[arg(
        long,
        value_name = "recorded|average|NAME",
        default_value = "recorded",
        help_heading = "Recording"
    )]
    reference: String,
    /// Leave this channel out; may be given again.
    #[arg(
        long,
        value_name = "NAME",
        value_delimiter = ',',
        help_heading = "Recording"
    )]
    bad_channel: Vec<String>,
    /// Keep channels that look bad (railed, flat, dead, noisy).
    #[arg(long, help_heading = "Recording")]
    keep_bad_channels: bool,
    /// Replace bad channels by what the others say at their place (spherical splines); needs the electrodes.
    #[arg(long, help_heading = "Recording")]
    interpolate: bool,
    /// Take the mains and its harmonics out, hertz (50 or 60).
    #[arg(long, value_name = "HZ", help_heading = "Recording")]
    notch: Option<f64>,
    /// Keep windows and epochs that touch a blink, a clenched jaw, a step or a movement.
    #[arg(long, help_heading = "Recording")]
    keep_artefacts: bool,
}

/// Surrogates, seed and threads.
#[derive(Debug, Args)]
pub(crate) struct TestArgs {
    /// How many surrogates.
    #[arg(long, value_name = "N", default_value_t = 200, value_parser = clap::value_parser!(u32).range(1..=1_000_000), help_heading = "Significance")]
    surrogates: u32,
    /// Which null: independent, common, aaft, iaaft or shift.
    #[arg(long, value_name = "KIND", default_value = "independent", value_parser = parsed::<cerebral::surrogate::Kind>, help_heading = "Significance")]
    surrogate_kind: cerebral::surrogate::Kind,
    /// What is randomised: the raw signal, which then goes the whole way, or the filtered one.
    #[arg(long, value_name = "raw|filtered", default_value = "raw", value_parser = parsed::<cerebral::surrogate::Origin>, help_heading = "Significance")]
    surrogate_from: cerebral::surrogate::Origin,
    /// Level of the verdict and of the edges.
    #[arg(
        long,
        value_name = "P",
        default_value_t = 0.05,
        help_heading = "Significance"
    )]
    alpha: f64,
    /// Seed of all random numbers.
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(crate) seed: u64,
    /// Worker threads; the result is the same with any number. Default: one per processor.
    #[arg(long, value_name = "N")]
    pub(crate) threads: Option<NonZeroUsize>,
}

/// How a filter goes over a window.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum PassArg {
    /// Forward, then backward: no shift of phase.
    ZeroPhase,
    /// Forward alone: nothing of what comes later, and its delay is stated.
    Causal,
}

impl From<PassArg> for Pass {
    fn from(arg: PassArg) -> Self {
        match arg {
            PassArg::ZeroPhase => Self::ZeroPhase,
            PassArg::Causal => Self::Causal,
        }
    }
}

/// What a stimulus does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum StimulusKind {
    /// Steers the node towards an oscillation.
    Entrain,
    /// Drives it faster, or slower below 0.
    Constant,
    /// Kicks it again and again.
    Pulses,
    /// Steers it towards the measured phase of another channel, or of all (with --live).
    Locked,
}

/// A stimulus and the runs behind its effect.
#[derive(Debug, Args)]
pub(crate) struct StimulusArgs {
    /// What is done to a node of the twin.
    #[arg(long, value_enum, default_value_t = StimulusKind::Entrain, help_heading = "Stimulation")]
    pub(crate) kind: StimulusKind,
    /// How strong: rad/s, of pulses rad.
    #[arg(
        long,
        value_name = "RAD_S",
        default_value_t = 5.0,
        allow_hyphen_values = true,
        help_heading = "Stimulation"
    )]
    pub(crate) amplitude: f64,
    /// Of the stimulus, hertz. Default: the mean natural frequency.
    #[arg(long, value_name = "HZ", help_heading = "Stimulation")]
    pub(crate) frequency: Option<f64>,
    /// The node to stimulate, by name or number.
    #[arg(long, value_name = "NAME", help_heading = "Stimulation")]
    pub(crate) node: Option<String>,
    /// Runs, each with its own noise, the same with and without the stimulus.
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u16).range(2..=10_000), help_heading = "Stimulation")]
    seeds: u16,
    /// Run the twin without the couplings below its noise floor.
    #[arg(long, help_heading = "Stimulation")]
    only_edges: bool,
}

/// Where results go.
#[derive(Debug, Args)]
pub(crate) struct OutputArgs {
    /// The result as JSON; `-` is standard output, then nothing else is printed there.
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    pub(crate) json: Option<PathBuf>,
    /// A page with pictures, one HTML file without anything from outside.
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    pub(crate) report: Option<PathBuf>,
    /// Tables into this folder.
    #[arg(long, value_name = "DIR", help_heading = "Output")]
    pub(crate) csv: Option<PathBuf>,
    /// Arrays as one NPZ file.
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    pub(crate) npz: Option<PathBuf>,
}

impl RecordingArgs {
    /// What the loader is told.
    pub(crate) fn load_options(&self) -> LoadOptions {
        LoadOptions {
            sample_rate_hz: self.rate,
            board: self.board,
        }
    }

    /// Puts these options into an analysis'.
    pub(crate) fn fill(&self, options: &mut Options) -> Result<(), Failure> {
        options.channels.clone_from(&self.channels);
        options.bands.clone_from(&self.band);
        options.segment = self.segment.clone();
        options.trim_s = self.trim;
        options.reference = match self.reference.as_str() {
            "recorded" => ReferenceChoice::Recorded,
            "average" => ReferenceChoice::Average,
            name => ReferenceChoice::Channel(name.to_owned()),
        };
        options.bad_channels.clone_from(&self.bad_channel);
        options.find_bad_channels = !self.keep_bad_channels;
        options.interpolate = self.interpolate;
        options.notch_hz = self.notch;
        options.keep_artefacts = self.keep_artefacts;
        if !self.montage.is_empty() {
            let montage = Montage::named(&self.montage, self.montage.len());
            options.montage = Some(montage.map_err(|error| Failure::WrongUse(error.to_string()))?);
        }
        Ok(())
    }
}

impl TestArgs {
    /// Puts these options into an analysis'.
    pub(crate) fn fill(&self, options: &mut Options) {
        options.surrogates = usize::try_from(self.surrogates).unwrap_or(usize::MAX);
        options.surrogate_kind = self.surrogate_kind;
        options.surrogate_from = self.surrogate_from;
        options.alpha = self.alpha;
        options.seed = self.seed;
        options.trials.seed = self.seed;
        options.threads = self.threads.map(NonZeroUsize::get);
    }
}

impl StimulusArgs {
    /// Refuses what no stimulus can be.
    pub(crate) fn check(&self) -> Result<(), Failure> {
        let at_least_zero = self.amplitude >= 0.0 || self.kind == StimulusKind::Constant;
        if !self.amplitude.is_finite() || !at_least_zero {
            return Err(Failure::WrongUse(format!(
                "`--amplitude` is {}; it must be 0 or above",
                self.amplitude
            )));
        }
        if let Some(hz) = self.frequency.filter(|hz| !(*hz > 0.0 && hz.is_finite())) {
            return Err(Failure::WrongUse(format!(
                "`--frequency` is {hz}; it must be above 0"
            )));
        }
        if self.frequency.is_some()
            && matches!(self.kind, StimulusKind::Constant | StimulusKind::Locked)
        {
            return Err(Failure::WrongUse(
                "a constant or locked stimulus has no --frequency".to_owned(),
            ));
        }
        Ok(())
    }

    /// Puts these options into an analysis'.
    pub(crate) fn fill(&self, options: &mut Options) -> Result<(), Failure> {
        self.check()?;
        options.stimulus = match self.kind {
            StimulusKind::Locked => {
                return Err(Failure::WrongUse(
                    "--kind locked follows what is measured now: with --live; the best closed loop of a recording is step 9 of \
                     `lockstep cerebral analyze`"
                        .to_owned(),
                ));
            }
            StimulusKind::Entrain => Stimulus::Entrain {
                amplitude_rad_s: self.amplitude,
                frequency_hz: self.frequency,
            },
            StimulusKind::Constant => Stimulus::Constant {
                torque_rad_s: self.amplitude,
            },
            StimulusKind::Pulses => Stimulus::Pulses {
                strength_rad: self.amplitude,
                frequency_hz: self.frequency,
            },
        };
        options.node.clone_from(&self.node);
        options.trials.seeds = usize::from(self.seeds);
        options.only_edges = self.only_edges;
        Ok(())
    }
}

/// Reads seconds: `1s`, `500ms`, or a bare number.
pub(crate) fn seconds(text: &str) -> Result<f64, String> {
    let text = text.trim();
    let (number, scale) = match text.strip_suffix("ms") {
        Some(number) => (number, 1e-3),
        None => (text.strip_suffix('s').unwrap_or(text), 1.0),
    };
    match number.trim().parse::<f64>() {
        Ok(value) if value.is_finite() && value >= 0.0 => Ok(value * scale),
        _ => Err("expected a time of 0 or more such as `1s`, `0.5s` or `500ms`".to_owned()),
    }
}

/// Reads by `FromStr`, with the error's own words.
pub(crate) fn parsed<T: std::str::FromStr<Err = cerebral::AnalysisError>>(
    text: &str,
) -> Result<T, String> {
    text.parse()
        .map_err(|error: cerebral::AnalysisError| error.to_string())
}

pub(crate) fn board(text: &str) -> Result<Board, String> {
    let names = Board::ALL.map(Board::name).join(", ");
    Board::ALL
        .into_iter()
        .find(|board| board.name() == text)
        .ok_or_else(|| format!("expected one of {names}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_with_and_without_a_unit() {
        for (text, expected) in [("1s", 1.0), ("500ms", 0.5), ("0", 0.0), ("2.5", 2.5)] {
            assert!((seconds(text).unwrap() - expected).abs() < 1e-12, "{text}");
        }
        for text in ["", "-1s", "soon", "1h", "inf"] {
            assert!(seconds(text).is_err(), "{text}");
        }
    }
}
