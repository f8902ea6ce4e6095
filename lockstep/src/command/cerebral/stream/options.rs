//! What windows and twins of a stream are told on the command line.

use cerebral::preprocess::Reference;
use cerebral::stream::twin::TwinSettings;
use cerebral::stream::window::WindowSettings;
use cerebral::{AnalysisError, Band};
use clap::{Args, ValueEnum};

use super::super::args::{PassArg, parsed, seconds};
use crate::failure::Failure;

/// How windows are made.
#[derive(Debug, Args)]
#[command(next_help_heading = "Windows")]
pub(super) struct WindowsArgs {
    /// The band, hertz.
    #[arg(long, value_name = "LOW-HIGH", default_value = "8-13")]
    band: Band,
    /// Length of a window.
    #[arg(long, value_name = "TIME", value_parser = seconds, default_value = "2s")]
    window: f64,
    /// From one window's start to the next.
    #[arg(long, value_name = "TIME", value_parser = seconds, default_value = "1s")]
    hop: f64,
    /// Beside a window, filtered along and dropped: the delay of its figures.
    #[arg(long, value_name = "TIME", value_parser = seconds, default_value = "1s")]
    guard: f64,
    /// How the filter goes over a window and its guards.
    #[arg(long, value_enum, default_value_t = PassArg::ZeroPhase)]
    filter: PassArg,
    /// What voltages are measured against.
    #[arg(long, value_enum, default_value_t = ReferenceArg::Recorded)]
    reference: ReferenceArg,
    /// Take the mains and its harmonics out, hertz (50 or 60).
    #[arg(long, value_name = "HZ")]
    notch: Option<f64>,
    /// Leave this channel out, by its number from 1; may be given again.
    #[arg(long, value_name = "N,..", value_delimiter = ',', value_parser = clap::value_parser!(u16).range(1..))]
    bad_channel: Vec<u16>,
    /// Keep channels that look bad (railed, flat, dead, noisy).
    #[arg(long)]
    keep_bad_channels: bool,
    /// Give windows with a blink, a clenched jaw, a step or a movement figures too.
    #[arg(long)]
    keep_artefacts: bool,
    /// New surrogates of each window.
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u16).range(1..=10_000))]
    surrogates: u16,
    /// Windows whose surrogates make the null of one, itself among them.
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u16).range(1..=10_000))]
    rolling: u16,
    /// Which null: independent, common, aaft, iaaft or shift.
    #[arg(long, value_name = "KIND", default_value = "independent", value_parser = parsed::<cerebral::surrogate::Kind>)]
    surrogate_kind: cerebral::surrogate::Kind,
    /// What is randomised: the raw signal, which then goes the whole way, or the filtered one.
    #[arg(long, value_name = "raw|filtered", default_value = "raw", value_parser = parsed::<cerebral::surrogate::Origin>)]
    surrogate_from: cerebral::surrogate::Origin,
    /// Level of the verdict and of the edges.
    #[arg(long, value_name = "P", default_value_t = 0.05)]
    alpha: f64,
    /// Seed of all random numbers, of the simulated headset too.
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(super) seed: u64,
}

/// The twin that goes along.
#[derive(Debug, Args)]
#[command(next_help_heading = "Twin")]
pub(super) struct TwinArgs {
    /// Windows alone, without a twin.
    #[arg(long)]
    no_twin: bool,
    /// At most so many sessions of a partition have a twin: those that began first. One processor calibrates some 25 of 8 channels in
    /// time, or five of 16.
    #[arg(long, value_name = "N", default_value_t = 4, value_parser = clap::value_parser!(u16).range(1..=256))]
    pub(super) twins: u16,
    /// The twin is calibrated on the last so many seconds without a gap, 20 to 600.
    #[arg(long, value_name = "TIME", value_parser = seconds, default_value = "60s")]
    twin_over: f64,
    /// From one calibration to the next.
    #[arg(long, value_name = "TIME", value_parser = seconds, default_value = "30s")]
    twin_every: f64,
    /// A calibration is used from so long after its start on, so that when it was done makes no difference; a window that needs
    /// one that is not done waits for it.
    #[arg(long, value_name = "TIME", value_parser = seconds, default_value = "20s")]
    twin_after: f64,
}

/// What voltages are measured against.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum ReferenceArg {
    /// As they come.
    Recorded,
    /// The mean of the good channels.
    Average,
}

/// A setting that was asked for and cannot be, by the option that says it.
pub(super) fn wrong_use(error: &AnalysisError) -> Failure {
    let option = |name| match name {
        "band" => Some("--band"),
        "window_s" => Some("--window"),
        "hop_s" => Some("--hop"),
        "guard_s" => Some("--guard"),
        "notch frequency" => Some("--notch"),
        "alpha" => Some("--alpha"),
        "calibrate_over_s" => Some("--twin-over"),
        "calibrate_every_s" => Some("--twin-every"),
        "use_after_s" => Some("--twin-after"),
        _ => None,
    };
    Failure::WrongUse(match error {
        AnalysisError::Setting { name, value, range } => match option(name) {
            Some(option) => format!("`{option}` is {value}; it must be {range}"),
            None => error.to_string(),
        },
        AnalysisError::TooShort { .. } => format!("`--window` and twice `--guard`: {error}"),
        _ => error.to_string(),
    })
}

impl WindowsArgs {
    /// As the stream takes them.
    pub(super) fn settings(&self) -> WindowSettings {
        WindowSettings {
            window_s: self.window,
            hop_s: self.hop,
            guard_s: self.guard,
            pass: self.filter.into(),
            reference: match self.reference {
                ReferenceArg::Recorded => Reference::Recorded,
                ReferenceArg::Average => Reference::Average,
            },
            notch_hz: self.notch,
            bad_channels: self
                .bad_channel
                .iter()
                .map(|number| usize::from(number - 1))
                .collect(),
            find_bad_channels: !self.keep_bad_channels,
            keep_artefacts: self.keep_artefacts,
            kind: self.surrogate_kind,
            origin: self.surrogate_from,
            surrogates: usize::from(self.surrogates),
            rolling: usize::from(self.rolling),
            alpha: self.alpha,
            seed: self.seed,
            ..WindowSettings::new(self.band)
        }
    }
}

impl TwinArgs {
    /// None where there shall be none.
    pub(super) fn settings(
        &self,
        window: &WindowSettings,
    ) -> Result<Option<TwinSettings>, Failure> {
        if self.no_twin {
            return Ok(None);
        }
        let settings = TwinSettings {
            calibrate_over_s: self.twin_over,
            calibrate_every_s: self.twin_every,
            use_after_s: self.twin_after,
            ..TwinSettings::new(window.band)
        };
        let checked = settings.check(window.hop_s);
        checked.map_err(|error| wrong_use(&error))?;
        Ok(Some(settings))
    }
}
