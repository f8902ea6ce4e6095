//! From a recording to a result: the steps in their order, each labelled with what step 1.5 says.
//!
//! ```text
//! Recording -> prepare: channels, segment, marks, reference
//!     each band: 1 phases -> 1.5 surrogates -> 1.6, 2 matrices -> 3 windows
//!     first band: 4, 5 twin -> 6 beside the recording -> 7, 8 what-if -> 9 closed loop
//! -> Analysis -> JSON here; pages, tables and lines in `report`
//! ```
//!
//! In: a loaded [`Recording`], [`Options`], a [`Manifest`] (so that no clock is read here). Out: [`Analysis`]. Pure but for threads;
//! the same input gives the same bits on any number of them. Absent: files, screens, the clock.

mod band;
mod error;
mod network;
mod options;
mod over_time;
mod pictures;
mod prepare;
mod result;
mod step;
mod watch;

use std::cell::RefCell;

pub use error::AnalyzeError;
pub use options::{Options, ReferenceChoice, SegmentChoice, Stimulus, WindowsChoice};
pub use result::{
    AgreementInfo, Analysis, AnalysisInfo, ArtefactInfo, BandResult, Baselines, ClosedLoopInfo,
    CriticalityInfo, EpochsInfo, LoopOrder, Manifest, Matrix, OrderInfo, Pair, Pictures,
    QualityInfo, RecordingInfo, SpreadInfo, SurrogateInfo, TestInfo, TwinInfo, VERSION,
    VerdictInfo, WhatIfInfo, WindowInfo, WindowsNull,
};
pub use step::{Label, Status, Step, StepId};
pub use watch::Watch;

use band::BandRun;
use network::Twin;
use prepare::{Prepared, prepare};

use crate::error::AnalysisError;
use crate::source::Recording;

/// More channels than this make no twin: the search takes time with their cube, and a recording's length tells ever fewer
/// couplings.
const MOST_NODES: usize = 32;

/// Runs the steps up to [`Options::until`].
///
/// `file`: the recording's name, for the record. A step that the recording does not allow (too short, not of one piece) is
/// skipped with its reason; what was asked for and cannot be is an error.
///
/// # Errors
/// Any [`AnalyzeError`].
pub fn analyze(
    recording: &Recording,
    file: &str,
    manifest: Manifest,
    options: &Options,
    watch: &dyn Watch,
) -> Result<Analysis, AnalyzeError> {
    let Some(threads) = options.threads else {
        return all_steps(recording, file, manifest, options, watch);
    };
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
    let pool =
        pool.map_err(|error| AnalysisError::setting("threads", threads, error.to_string()))?;
    pool.install(|| all_steps(recording, file, manifest, options, watch))
}

fn all_steps(
    recording: &Recording,
    file: &str,
    manifest: Manifest,
    options: &Options,
    watch: &dyn Watch,
) -> Result<Analysis, AnalyzeError> {
    let Some(first_band) = options.bands.first() else {
        return Err(AnalysisError::setting("band", "none", "at least one").into());
    };
    let prepared = prepare(recording, file, options)?;
    let first = BandRun::new(&prepared, options, *first_band, &recording.markers)?;
    first.check_epochs()?;
    let mut run = Steps {
        options,
        watch,
        so_far: Analysis {
            v: VERSION,
            recording: recording_info(recording, &prepared, file, &manifest),
            manifest,
            steps: Vec::new(),
            band: first.result(),
            further_bands: Vec::new(),
            twin: None,
            what_if: None,
            closed_loop: None,
            notes: prepared.notes.clone(),
            pictures: pictures::of_segment(&prepared),
        },
    };
    run.numbers(&first)?;
    for band in &options.bands[1..] {
        let further = BandRun::new(&prepared, options, *band, &recording.markers)?;
        run.further(&further)?;
    }
    run.twin(&first)?;
    run.step(StepId::Export, |_, _| Ok(Done::Yes))?;
    Ok(run.so_far)
}

fn recording_info(
    recording: &Recording,
    prepared: &Prepared,
    file: &str,
    manifest: &Manifest,
) -> RecordingInfo {
    let of_chosen = |all: &[f64]| prepared.rows.iter().map(|&row| all[row]).collect();
    let mut figures = recording.quality.clone();
    figures.railed = of_chosen(&figures.railed);
    figures.flat = of_chosen(&figures.flat);
    figures.mains_ratio = prepared
        .rows
        .iter()
        .map(|&row| figures.mains_ratio[row])
        .collect();
    RecordingInfo {
        file: file.to_owned(),
        sha256: manifest.file_sha256.clone(),
        dialect: recording.dialect,
        sample_rate_hz: recording.sample_rate_hz,
        channels: prepared.channels.clone(),
        n_samples: recording.n_samples(),
        quality: QualityInfo {
            gaps: recording.numbering.gaps.clone(),
            restarts: recording.numbering.restarts.clone(),
            inserted: recording.numbering.inserted.clone(),
            figures,
        },
        markers: recording.markers.clone(),
    }
}

/// How a step went.
enum Done {
    Yes,
    /// Skipped, and why.
    No(String),
}

/// The steps at work.
struct Steps<'a> {
    options: &'a Options,
    watch: &'a dyn Watch,
    so_far: Analysis,
}

impl Steps<'_> {
    /// Runs one step, and writes down how it ended.
    fn step(
        &mut self,
        step: StepId,
        work: impl FnOnce(&mut Analysis, &dyn Watch) -> Result<Done, AnalyzeError>,
    ) -> Result<(), AnalyzeError> {
        if self.watch.is_stopped() {
            return Err(AnalyzeError::Stopped);
        }
        let done = if step > self.options.until && step != StepId::Export {
            Done::No(format!("stopped after step {}", self.options.until))
        } else if self.options.skip.contains(&step) {
            Done::No("not asked for".to_owned())
        } else {
            self.watch.began(step);
            work(&mut self.so_far, self.watch)?
        };
        let (status, reason) = match done {
            Done::Yes => (Status::Done, None),
            Done::No(reason) => (Status::Skipped, Some(reason)),
        };
        let verdict = self.so_far.band.verdict.as_ref().map(VerdictInfo::label);
        self.so_far.steps.push(Step {
            id: step.number(),
            title: step.title(),
            status,
            label: verdict.filter(|_| step >= StepId::Surrogates),
            reason,
            step,
        });
        self.watch.ended(step, &self.so_far);
        Ok(())
    }

    /// Steps 1 to 3 of the first band.
    fn numbers(&mut self, run: &BandRun<'_>) -> Result<(), AnalyzeError> {
        let fault = || Done::No(run.prepared.segment_fault.clone().unwrap_or_default());
        self.step(StepId::Inversion, |so_far, _| {
            so_far.band.frequency_hz = run.frequencies();
            so_far.band.relative_power = run
                .z
                .as_ref()
                .map(|_| run.relative_power(0..run.prepared.segment.len()));
            Ok(if so_far.band.frequency_hz.is_some() {
                Done::Yes
            } else {
                fault()
            })
        })?;
        self.step(StepId::Surrogates, |so_far, watch| {
            if run.z.is_none() {
                return Ok(fault());
            }
            let (surrogates, verdict) = run.surrogates(watch)?;
            so_far.band.surrogates = Some(surrogates);
            so_far.band.verdict = Some(verdict);
            Ok(Done::Yes)
        })?;
        let network = RefCell::new(None);
        self.step(StepId::Pli, |so_far, _| {
            *network.borrow_mut() = run.network()?;
            let Some(network) = &*network.borrow() else {
                return Ok(fault());
            };
            so_far.band.analysis.n_eff = network.convention().n_eff;
            so_far.band.analysis.convention = network.convention().method.to_string();
            so_far.pictures.convention = Some(network.convention().clone());
            so_far.notes.extend(network.warnings());
            fill(&mut so_far.band, network, run.prepared);
            Ok(Done::Yes)
        })?;
        self.step(StepId::Wpli, |_, _| {
            Ok(if run.z.is_some() { Done::Yes } else { fault() })
        })?;
        self.step(StepId::Windows, |so_far, _| {
            let found = run.over_time()?;
            if found.windows.is_empty() {
                let why = run.prepared.segment_fault.clone();
                let buffered =
                    why.map(|why| format!("{why}; --windows buffered gives the pieces' windows"));
                return Ok(Done::No(buffered.unwrap_or_else(|| {
                    "the segment is shorter than a window".to_owned()
                })));
            }
            so_far.band.windows = Some(found.windows);
            so_far.band.windows_null = found.null;
            Ok(Done::Yes)
        })
    }

    /// Steps 1 to 3 of a further band, told as one.
    fn further(&mut self, run: &BandRun<'_>) -> Result<(), AnalyzeError> {
        if self.watch.is_stopped() {
            return Err(AnalyzeError::Stopped);
        }
        let mut band = run.result();
        let until = self.options.until;
        band.frequency_hz = run.frequencies();
        band.relative_power = run
            .z
            .as_ref()
            .map(|_| run.relative_power(0..run.prepared.segment.len()));
        if run.z.is_some() && until >= StepId::Surrogates {
            let (surrogates, verdict) = run.surrogates(self.watch)?;
            (band.surrogates, band.verdict) = (Some(surrogates), Some(verdict));
        }
        if until >= StepId::Pli
            && let Some(network) = run.network()?
        {
            band.analysis.n_eff = network.convention().n_eff;
            band.analysis.convention = network.convention().method.to_string();
            fill(&mut band, &network, run.prepared);
        }
        if until >= StepId::Windows {
            let found = run.over_time()?;
            band.windows = (!found.windows.is_empty()).then_some(found.windows);
            band.windows_null = found.null;
        }
        self.so_far.further_bands.push(band);
        self.watch.ended_band(&self.so_far);
        Ok(())
    }

    /// Steps 4 to 9.
    fn twin(&mut self, run: &BandRun<'_>) -> Result<(), AnalyzeError> {
        let n_nodes = run.prepared.good.len();
        let fault = if let Some(fault) = &run.prepared.segment_fault {
            Some(fault.clone())
        } else if n_nodes > MOST_NODES {
            Some(format!(
                "a twin of {n_nodes} nodes is too large to be found; choose at most {MOST_NODES} with --channels"
            ))
        } else {
            None
        };
        self.step(StepId::Start, |_, _| {
            Ok(fault.clone().map_or(Done::Yes, Done::No))
        })?;
        let mut twin: Result<Twin, String> = Err("there is no twin".to_owned());
        self.step(StepId::Calibration, |so_far, _| {
            if let Some(fault) = fault {
                twin = Err(fault.clone());
                return Ok(Done::No(fault));
            }
            match run.calibrate() {
                Ok((found, info)) => {
                    if let Some(windows) = &mut so_far.band.windows {
                        run.with_coupling(windows, &found.calibration.windows);
                    }
                    so_far.twin = Some(info);
                    twin = Ok(found);
                    Ok(Done::Yes)
                }
                Err(AnalyzeError::Twin(error)) => {
                    let reason = format!("no twin could be found: {error}");
                    twin = Err(reason.clone());
                    Ok(Done::No(reason))
                }
                Err(error) => Err(error),
            }
        })?;
        let without = |twin: &Result<Twin, String>| {
            Done::No(twin.as_ref().err().cloned().unwrap_or_default())
        };
        self.step(StepId::Simulation, |so_far, _| {
            match (&twin, &mut so_far.twin) {
                (Ok(twin), Some(info)) => run.simulate(twin, info).map(|()| Done::Yes),
                _ => Ok(without(&twin)),
            }
        })?;
        self.step(StepId::WhatIf, |so_far, _| {
            let Ok(twin) = &twin else {
                return Ok(without(&twin));
            };
            let label = so_far.band.verdict.as_ref().map(VerdictInfo::label);
            so_far.what_if = Some(vec![run.stimulate(twin, run.node(twin)?, label)?]);
            Ok(Done::Yes)
        })?;
        self.step(StepId::Scan, |so_far, _| {
            let Ok(twin) = &twin else {
                return Ok(without(&twin));
            };
            let label = so_far.band.verdict.as_ref().map(VerdictInfo::label);
            so_far.what_if = Some(run.scan(twin, label)?);
            Ok(Done::Yes)
        })?;
        self.step(StepId::ClosedLoop, |so_far, _| {
            let (Ok(twin), Some(ranked)) = (&twin, &so_far.what_if) else {
                return Ok(without(&twin));
            };
            let label = so_far.band.verdict.as_ref().map(VerdictInfo::label);
            so_far.closed_loop = Some(run.closed_loop(twin, ranked, label)?);
            Ok(Done::Yes)
        })
    }
}

/// Puts every matrix of a network in.
fn fill(band: &mut BandResult, network: &crate::connectivity::Network, prepared: &Prepared) {
    for measure in network.measures() {
        if let Some(matrix) = network.matrix(measure) {
            band.measures
                .insert(measure, prepared.matrix(&matrix.to_owned()));
        }
    }
}

#[cfg(test)]
#[expect(
    clippy::float_cmp,
    reason = "edges of bands and starts of epochs are the very numbers asked for"
)]
mod tests;
