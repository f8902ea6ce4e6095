//! What an analysis found, as it is written to JSON.
//!
//! Matrices are `(n_channels, n_channels)` over all channels of the recording, `[i][j]` from `z_i conj z_j` (of a coupling: `j`
//! acting on `i`); a channel that was left out is NaN, which is null in JSON. Shares are 0..=1; times are seconds from the start
//! of the segment. Fields may be added; none is taken away where its step ran.

use std::collections::BTreeMap;

use ndarray::Array2;
use serde::ser::{Serialize, SerializeSeq, Serializer};

use super::step::{Label, Step};
use crate::connectivity::{Convention, Measure};
use crate::phase::Frequencies;
use crate::preprocess::{ArtefactKind, BadChannel, EpochLeftOut};
use crate::source::{Dialect, Gap, Marker, Quality};

/// The version of the JSON.
pub const VERSION: u32 = 1;

/// A matrix that is written as rows of rows.
#[derive(Debug, Clone, PartialEq)]
pub struct Matrix(pub Array2<f64>);

impl Serialize for Matrix {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut rows = serializer.serialize_seq(Some(self.0.nrows()))?;
        for row in self.0.rows() {
            rows.serialize_element(&row.to_vec())?;
        }
        rows.end()
    }
}

/// Everything that an analysis found; what did not run is null, matrices and lists of it are empty.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct Analysis {
    /// [`VERSION`].
    pub v: u32,
    /// How this result came to be.
    pub manifest: Manifest,
    /// The steps and how each ended.
    pub steps: Vec<Step>,
    /// The recording.
    pub recording: RecordingInfo,
    /// The first band.
    #[serde(flatten)]
    pub band: BandResult,
    /// Further bands, without a twin.
    pub further_bands: Vec<BandResult>,
    /// The calibrated network.
    pub twin: Option<TwinInfo>,
    /// Stimulation of single nodes, the strongest effect first.
    pub what_if: Option<Vec<WhatIfInfo>>,
    /// The best closed loop.
    pub closed_loop: Option<ClosedLoopInfo>,
    /// What to know before believing the figures.
    pub notes: Vec<String>,
    /// What the report draws besides.
    #[serde(skip)]
    pub pictures: Pictures,
}

/// How a result came to be; whoever has the same file and these has the same result.
#[derive(Debug, Clone, Default, PartialEq, serde::Serialize)]
pub struct Manifest {
    /// `analyze`, `calibrate` or `what-if`.
    pub command: String,
    /// Version of this program.
    pub version: String,
    /// Seed of all random numbers.
    pub seed: u64,
    /// SHA-256 of the file as it lies on the disk.
    pub file_sha256: String,
    /// When it was started, RFC 3339.
    pub started: String,
    /// Every option in force, by its name.
    pub options: BTreeMap<String, serde_json::Value>,
}

/// What step 1.5 says.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct VerdictInfo {
    /// Whether coupling is claimed.
    pub significant: bool,
    /// The measure that decides.
    pub measure: &'static str,
    /// Its rank p.
    pub p: f64,
    /// The level.
    pub alpha: f64,
    /// Tests that say otherwise.
    pub disagreements: Vec<String>,
    /// Whether the test was refused because the surrogates are not of these data.
    pub refused: bool,
}

impl VerdictInfo {
    /// What later steps are labelled with.
    pub fn label(&self) -> Label {
        if self.significant {
            Label::Significant
        } else {
            Label::NotSignificant
        }
    }
}

/// The recording as it was loaded.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct RecordingInfo {
    /// The file's name.
    pub file: String,
    /// SHA-256 of the file as it lies on the disk.
    pub sha256: String,
    /// How it is written.
    pub dialect: Dialect,
    /// Samples a second.
    pub sample_rate_hz: f64,
    /// Names of the channels.
    pub channels: Vec<String>,
    /// Samples, missing ones included.
    pub n_samples: usize,
    /// What is wrong with it.
    pub quality: QualityInfo,
    /// What it says happened.
    pub markers: Vec<Marker>,
}

/// What is wrong with a recording.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct QualityInfo {
    /// Losses.
    pub gaps: Vec<Gap>,
    /// Rows of numbers, from 0, after which the numbering began anew.
    pub restarts: Vec<usize>,
    /// Rows of numbers, from 0, that were left out as inserted.
    pub inserted: Vec<usize>,
    /// The other figures.
    #[serde(flatten)]
    pub figures: Quality,
}

/// One band of a segment.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct BandResult {
    /// What the figures are about.
    pub analysis: AnalysisInfo,
    /// Observed frequencies, one per channel.
    pub frequency_hz: Option<Frequencies>,
    /// Power in the band over that of 2 to 40 Hz, one per channel: how much of a rhythm there is.
    pub relative_power: Option<Vec<f64>>,
    /// Matrices by measure.
    pub measures: BTreeMap<Measure, Matrix>,
    /// The surrogate test.
    pub surrogates: Option<SurrogateInfo>,
    /// What step 1.5 says; the first band's travels with every later step.
    pub verdict: Option<VerdictInfo>,
    /// Figures over time.
    pub windows: Option<Vec<WindowInfo>>,
    /// What windows give without coupling.
    pub windows_null: Option<WindowsNull>,
}

/// What figures are about and how they were made.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct AnalysisInfo {
    /// The band, hertz.
    pub band_hz: [f64; 2],
    /// First sample and the one after the last, after loading.
    pub segment: [usize; 2],
    /// How the segment came about.
    pub segment_choice: String,
    /// Why the segment as a whole has no figures.
    pub segment_fault: Option<String>,
    /// Dropped at both ends after filtering, seconds.
    pub trim_s: f64,
    /// What voltages are against.
    pub reference: String,
    /// What the observations are.
    pub convention: String,
    /// Independent observations per pair, estimated.
    pub n_eff: f64,
    /// What was measured after trims, seconds.
    pub measured_s: f64,
    /// Length of a window of step 3, seconds.
    pub window_s: f64,
    /// From one window's start to the next, seconds.
    pub hop_s: f64,
    /// Samples beside each window that were filtered along and dropped, seconds; none where the segment was filtered whole.
    pub guard_s: Option<f64>,
    /// The filter.
    pub filter: String,
    /// Channels left out, from 0.
    pub bad_channels: Vec<usize>,
    /// The same with their reasons.
    pub bad_channel_faults: Vec<BadChannel>,
    /// Channels replaced by what the others say at their place.
    pub interpolated: Vec<usize>,
    /// Marks within the segment.
    pub artefacts: Vec<ArtefactInfo>,
    /// Whether windows that touch a mark are kept.
    pub artefacts_kept: bool,
    /// Electrodes, one per channel, where the montage is known.
    pub montage: Option<Vec<String>>,
    /// The epochs, where figures are over epochs about markers.
    pub epochs: Option<EpochsInfo>,
}

/// A mark within the segment.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct ArtefactInfo {
    /// Start, seconds from the start of the segment.
    pub start_s: f64,
    /// End.
    pub end_s: f64,
    /// What it is.
    pub kind: ArtefactKind,
    /// The channels that show it, from 0.
    pub channels: Vec<usize>,
}

/// Epochs about markers.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct EpochsInfo {
    /// `MARKER:FROM:TO`.
    pub choice: String,
    /// Starts, seconds from the start of the segment.
    pub start_s: Vec<f64>,
    /// Markers whose epoch was left out.
    pub left_out: Vec<EpochLeftOut>,
}

/// A surrogate test.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct SurrogateInfo {
    /// Which null.
    pub kind: &'static str,
    /// What was randomised.
    pub from: &'static str,
    /// How many.
    pub n: usize,
    /// The seed.
    pub seed: u64,
    /// The level.
    pub alpha: f64,
    /// How p is made.
    pub formula: &'static str,
    /// Standard deviation in the band over that of the data, per channel.
    pub band_sd_ratio: Vec<f64>,
    /// What to know before believing the figures.
    pub warning: Option<String>,
    /// PLI.
    pub pli: TestInfo,
    /// wPLI.
    pub wpli: TestInfo,
}

/// The test of one measure.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct TestInfo {
    /// Mean over pairs.
    pub observed_mean: f64,
    /// Mean over surrogates of that mean.
    pub null_mean: f64,
    /// Its standard deviation over surrogates.
    pub null_sd: f64,
    /// An effect size.
    pub z: f64,
    /// Surrogates that reach the observed mean.
    pub b: usize,
    /// Rank p of the mean.
    pub p: f64,
    /// Rank p of each pair by itself.
    pub pairs_p: Matrix,
    /// Adjusted by Benjamini and Hochberg.
    pub pairs_q_bh: Matrix,
    /// Among the surrogates' greatest pairs.
    pub pairs_p_max: Matrix,
    /// Edges by max-T, each `[i, j]` with `i < j`.
    pub edges: Vec<[usize; 2]>,
    /// The mean of each surrogate.
    #[serde(skip)]
    pub null_means: Vec<f64>,
}

/// One window.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct WindowInfo {
    /// Start, seconds from the start of the segment.
    pub start_s: f64,
    /// Mean PLI over pairs.
    pub pli_mean: f64,
    /// Mean wPLI over pairs.
    pub wpli_mean: f64,
    /// Mean order parameter.
    pub r: f64,
    /// Rank p of the mean wPLI among surrogates of this window and the nine before it; of buffered windows alone.
    pub wpli_p: Option<f64>,
    /// Power in the band over that of 2 to 40 Hz, one per channel.
    pub relative_power: Vec<f64>,
    /// The record that a stream gives of it (`contract::eeg::State`), received at time 0; of buffered windows alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<serde_json::Value>,
    /// The coupling then, rad/s, once step 5 has found one.
    pub coupling_rad_s: Option<Matrix>,
    /// Why there is no figure.
    pub reason: Option<String>,
}

/// What windows give where nothing is coupled: 5 and 95 per cent of surrogate windows lie below.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct WindowsNull {
    /// Surrogate windows behind it.
    pub n: usize,
    /// Quantiles of the mean PLI.
    pub pli: [f64; 2],
    /// Quantiles of the mean wPLI.
    pub wpli: [f64; 2],
    /// Share of the data's windows above the upper quantile of wPLI; 0.05 is nothing.
    pub above: f64,
}

/// The calibrated network.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct TwinInfo {
    /// Natural frequencies, hertz.
    pub omega_hz: Vec<f64>,
    /// Coupling, rad/s.
    pub coupling_rad_s: Matrix,
    /// Its standard errors, rad/s.
    pub coupling_sd_rad_s: Option<Matrix>,
    /// Couplings at or below are not claimed, rad/s.
    pub noise_floor_rad_s: f64,
    /// Claimed couplings, each `[i, j]`: `j` acts on `i`.
    pub edges: Vec<[usize; 2]>,
    /// The worst node's.
    pub condition_number: f64,
    /// Of the fitted coupling on the held-out rest.
    pub score: f64,
    /// Of what it must beat.
    pub baselines: Baselines,
    /// What the scores are.
    pub score_name: &'static str,
    /// Whether the coupling beats both.
    pub beats_baselines: bool,
    /// Noise of the phases, rad/sqrt(s).
    pub noise_rad_sqrt_s: Vec<f64>,
    /// Uncertainty of each phase at one instant, rad; above 1 the rhythm is not seen under its noise.
    pub phase_sd_rad: Vec<f64>,
    /// Amplitude, microvolts.
    pub amplitude_uv: Vec<f64>,
    /// Synchrony over time.
    pub order_parameter: Option<OrderInfo>,
    /// Standard deviation of synchrony over time.
    pub metastability: Option<Pair>,
    /// Measured and simulated PLI and wPLI.
    pub agreement: Option<AgreementInfo>,
    /// How close to synchrony.
    pub criticality: Option<CriticalityInfo>,
}

/// Scores of couplings that know nothing.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize)]
pub struct Baselines {
    /// No coupling.
    pub uncoupled: f64,
    /// Mean over shuffled couplings.
    pub shuffled_mean: f64,
    /// Standard deviation over them.
    pub shuffled_sd: f64,
}

/// Synchrony over time.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct OrderInfo {
    /// Seconds from the start of the segment.
    pub t_s: Vec<f64>,
    /// Of the recording.
    pub measured: Vec<f64>,
    /// Of the twin, through the same filter.
    pub simulated: Vec<f64>,
}

/// A figure of the recording and of the twin.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize)]
pub struct Pair {
    /// Of the recording.
    pub measured: f64,
    /// Of the twin.
    pub simulated: f64,
}

/// How alike twin and recording are, over pairs.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct AgreementInfo {
    /// Correlation of PLI over pairs.
    pub pli_correlation: f64,
    /// Mean absolute error of PLI.
    pub pli_mean_absolute_error: f64,
    /// Correlation of wPLI.
    pub wpli_correlation: f64,
    /// Mean absolute error of wPLI.
    pub wpli_mean_absolute_error: f64,
    /// Of phase relations, -1..=1.
    pub phase_relations: f64,
    /// Mean over channels of the correlation of spectra within the band, decibels.
    pub spectra_correlation: f64,
    /// Simulated PLI.
    pub simulated_pli: Matrix,
}

/// How close a network is to synchrony; estimates of different reach, no verdict.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct CriticalityInfo {
    /// Critical coupling of infinitely many such oscillators, all to all with K/N, rad/s.
    pub mean_field_critical_rad_s: f64,
    /// Factor on all couplings at which synchrony sets in, by the largest eigenvalue.
    pub spectral_critical_scale: f64,
    /// Least factor at which a stable locked state exists, without noise.
    pub locking_factor: Option<f64>,
    /// Whether such a state exists at the fitted coupling.
    pub locked: bool,
    /// Largest real part of the Jacobian's eigenvalues in that state, 1/s.
    pub jacobian_largest_per_s: Option<f64>,
    /// Least share of neighbours.
    pub minimum_connectivity: f64,
    /// Couplings above this made an edge, rad/s.
    pub connectivity_threshold_rad_s: f64,
    /// What the share is compared with, for identical frequencies on unweighted symmetric graphs alone.
    pub connectivity_critical: f64,
}

/// The effect of a stimulus on one node.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct WhatIfInfo {
    /// Which channel, from 0.
    pub node: usize,
    /// Its name.
    pub channel: String,
    /// `entrain`, `constant` or `pulses`.
    pub kind: &'static str,
    /// Strength: rad/s, of pulses rad.
    pub amplitude_rad_s: f64,
    /// Of the stimulus; none of a constant.
    pub frequency_hz: Option<f64>,
    /// Runs behind the figures.
    pub seeds: usize,
    /// Change of synchrony.
    pub delta_r: SpreadInfo,
    /// Change of each pair's PLI.
    pub delta_pli: Matrix,
    /// Change of each frequency, hertz.
    pub delta_omega_hz: Vec<f64>,
    /// `raises`, `lowers` or `unclear`: beyond three standard errors over seeds.
    pub effect: &'static str,
    /// What step 1.5 said of the recording.
    pub verdict: Option<Label>,
}

/// Mean and spread over seeds.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize)]
pub struct SpreadInfo {
    /// Mean.
    pub mean: f64,
    /// Standard deviation.
    pub sd: f64,
}

/// Mean synchrony of the twin without and with a closed loop.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize)]
pub struct LoopOrder {
    /// Left alone.
    pub without: f64,
    /// Stimulated.
    pub with: f64,
}

/// The best closed loop.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct ClosedLoopInfo {
    /// What was minimised.
    pub objective: String,
    /// At the first guess.
    pub start: f64,
    /// At the end.
    pub end: f64,
    /// Without stimulation.
    pub baseline: f64,
    /// How often it was computed.
    pub evaluations: usize,
    /// Which channel is driven, from 0.
    pub node: usize,
    /// Its name.
    pub channel: String,
    /// Strength.
    pub amplitude_rad_s: f64,
    /// Offset to the mean field's phase.
    pub delta_rad: f64,
    /// Mean synchrony of the twin.
    pub order: LoopOrder,
    /// What step 1.5 said of the recording.
    pub verdict: Option<Label>,
}

/// What the report draws besides.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Pictures {
    /// Signals between 1 and 40 Hz, microvolts, thinned to what a picture shows; all channels.
    pub signals_uv: Vec<Vec<f64>>,
    /// Seconds from one value of them to the next.
    pub signals_step_s: f64,
    /// Frequencies of the spectra, hertz.
    pub spectrum_hz: Vec<f64>,
    /// Power per hertz, uV^2/Hz, all channels.
    pub spectra: Vec<Vec<f64>>,
    /// Positions of electrodes, where the montage is known.
    pub positions: Vec<Option<[f64; 3]>>,
    /// How the measures were made, as one line.
    pub convention: Option<Convention>,
}
