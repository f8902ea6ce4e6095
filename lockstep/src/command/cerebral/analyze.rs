//! `lockstep cerebral analyze`: a recording through all steps.

use anyhow::Context;
use cerebral::analyze::{Options, StepId, WindowsChoice};
use cerebral::connectivity::{Measure, Method};
use cerebral::preprocess::EpochChoice;
use clap::{Args, ValueEnum};

use super::args::{OutputArgs, PassArg, RecordingArgs, StimulusArgs, TestArgs, parsed, seconds};
use super::work;
use crate::failure::Outcome;
use crate::stop::Stop;

/// What `cerebral analyze` takes.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  lockstep cerebral analyze recording.txt --report report.html
  lockstep cerebral analyze eyes-closed.txt.gz --segment 10000:20000 --band 8-13 --json result.json
  lockstep cerebral analyze night.edf --channels Fp1,Fp2,O1,O2 --band 4-8,8-13 --steps 3
  lockstep cerebral analyze table.csv --rate 256 --reference average --surrogates 1000 --seed 7
  lockstep cerebral analyze events.edf --epochs 'eyes closed:-0.2:1.8' --csv tables

Steps: 1 phases, 1.5 surrogates, 1.6 PLI, 2 wPLI and edges, 3 windows, 4 and 5 the twin, 6 twin beside the recording,
7 and 8 what-if, 9 closed loop, 10 files. Where step 1.5 says \"not significant\", every later step says so too.")]
pub(crate) struct AnalyzeArgs {
    #[command(flatten)]
    recording: RecordingArgs,
    #[command(flatten)]
    test: TestArgs,
    /// Measures whose matrices are printed: pli, wpli, wpli2_debiased, dpli, plv, ciplv, imcoh, ppc, coh, aec, ...
    #[arg(long, value_name = "NAME,..", value_delimiter = ',', default_value = "pli,wpli", value_parser = parsed::<Measure>, help_heading = "Measures")]
    measure: Vec<Measure>,
    /// What the observations are.
    #[arg(long, value_enum, default_value_t = Convention::HilbertSamples, help_heading = "Measures")]
    convention: Convention,
    /// Over epochs about markers instead: what the marker says (`*`: any), and from when to when, in seconds.
    #[arg(long, value_name = "MARKER:FROM:TO", value_parser = parsed::<EpochChoice>, conflicts_with = "convention", help_heading = "Measures")]
    epochs: Option<EpochChoice>,
    /// How windows are made: from the segment filtered as one, or each from its own buffer as a stream does it.
    #[arg(long, value_enum, default_value_t = Windows::Whole, help_heading = "Measures")]
    windows: Windows,
    /// Length of a window.
    #[arg(long, value_name = "TIME", value_parser = seconds, default_value = "2s", help_heading = "Measures")]
    window: f64,
    /// From one window's start to the next.
    #[arg(long, value_name = "TIME", value_parser = seconds, default_value = "1s", help_heading = "Measures")]
    hop: f64,
    /// Beside a window of a buffer, filtered along and dropped.
    #[arg(long, value_name = "TIME", value_parser = seconds, default_value = "1s", help_heading = "Measures")]
    guard: f64,
    /// How the filter goes over a buffer; a segment is always filtered forward and backward.
    #[arg(long, value_enum, default_value_t = PassArg::ZeroPhase, help_heading = "Measures")]
    filter: PassArg,
    /// The last step to run.
    #[arg(long, value_name = "STEP", default_value = "10", value_parser = parsed::<StepId>)]
    steps: StepId,
    #[command(flatten)]
    stimulus: StimulusArgs,
    /// The order parameter that the closed loop is to reach, 0 to 1.
    #[arg(
        long,
        value_name = "R",
        default_value_t = 0.8,
        help_heading = "Stimulation"
    )]
    wanted_r: f64,
    #[command(flatten)]
    output: OutputArgs,
}

/// What the observations of a measure are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Convention {
    /// Each sample of the analytic signals.
    HilbertSamples,
    /// Each epoch of two seconds.
    HilbertEpochs,
    /// As MNE's `spectral_connectivity_epochs`, mode fourier, averaged over the band.
    MneEpochsFourier,
    /// As MNE's `spectral_connectivity_time`, mode cwt_morlet, averaged over the band.
    MneTimeMorlet,
}

/// How windows are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Windows {
    Whole,
    Buffered,
}

impl AnalyzeArgs {
    fn options(&self) -> Result<Options, crate::failure::Failure> {
        let mut options = Options {
            measures: self.measure.clone(),
            method: match self.convention {
                Convention::HilbertSamples => Method::HilbertSamples,
                Convention::HilbertEpochs => Method::HilbertEpochs,
                Convention::MneEpochsFourier => Method::MneEpochsFourier,
                Convention::MneTimeMorlet => Method::MneTimeMorlet,
            },
            epochs: self.epochs.clone(),
            windows: match self.windows {
                Windows::Whole => WindowsChoice::Whole,
                Windows::Buffered => WindowsChoice::Buffered,
            },
            window_s: self.window,
            hop_s: self.hop,
            guard_s: self.guard,
            window_pass: self.filter.into(),
            until: self.steps,
            ..Options::default()
        };
        options.objective.wanted_r = self.wanted_r;
        self.recording.fill(&mut options)?;
        self.test.fill(&mut options);
        self.stimulus.fill(&mut options)?;
        Ok(options)
    }
}

/// Runs the steps, prints them, writes the files.
pub(crate) fn run(args: &AnalyzeArgs, stop: &Stop) -> Outcome {
    let options = args.options()?;
    let shown: Vec<StepId> = StepId::ALL
        .into_iter()
        .filter(|step| *step != StepId::Export && *step <= args.steps)
        .collect();
    let analysis = work::run(
        "analyze",
        &args.recording,
        &args.output,
        options,
        &shown,
        stop,
    )?;
    let json = serde_json::to_value(&analysis).context("could not write JSON")?;
    work::told(&args.output.write(&analysis, &json)?)
}
