//! Steps 1 to 2 of one band: phases, the surrogate test, matrices.

use ndarray::Array2;
use num_complex::Complex64;

use super::error::AnalyzeError;
use super::options::{Options, WindowsChoice};
use super::prepare::Prepared;
use super::result::{AnalysisInfo, BandResult, EpochsInfo, SurrogateInfo, TestInfo, VerdictInfo};
use super::step::StepId;
use super::watch::Watch;
use crate::connectivity::{
    Convention, Measure, Method, Network, Pipeline, mne_epochs_fourier, mne_time_morlet,
    over_epochs, over_samples,
};
use crate::error::AnalysisError;
use crate::phase::{Frequencies, frequencies};
use crate::preprocess::{Epochs, cut};
use crate::source::Marker;
use crate::surrogate::{MeasureTest, Significance, SurrogateTest, Verdict, is_off};
use crate::units::Band;

/// Artefacts in more than this share of a segment are warned of beside its verdict.
const MUCH_MARKED: f64 = 0.1;
/// Length of an epoch where none is given, seconds.
const EPOCH_S: f64 = 2.0;

/// One band at work.
pub(super) struct BandRun<'a> {
    pub(super) prepared: &'a Prepared,
    pub(super) options: &'a Options,
    pub(super) band: Band,
    pub(super) pipeline: Pipeline,
    /// Analytic signals of the good channels, trimmed; none where the segment is not of one piece.
    pub(super) z: Option<Array2<Complex64>>,
    epochs: Option<Epochs>,
}

impl<'a> BandRun<'a> {
    /// Filters and transforms.
    pub(super) fn new(
        prepared: &'a Prepared,
        options: &'a Options,
        band: Band,
        markers: &[Marker],
    ) -> Result<Self, AnalyzeError> {
        let rate = prepared.rate;
        let pipeline = Pipeline::with_notch(band, options.notch_hz, rate, options.trim_s)?;
        let z = match prepared.segment_fault {
            None => Some(pipeline.analytic(prepared.good_uv.view())?),
            Some(_) => None,
        };
        let epochs = options.epochs.as_ref().map(|choice| {
            let usable = prepared.segment.start + pipeline.n_trim()
                ..prepared.segment.end.saturating_sub(pipeline.n_trim());
            let marked = if options.keep_artefacts {
                &[][..]
            } else {
                &prepared.artefacts
            };
            let marked: Vec<_> = marked
                .iter()
                .map(|artefact| {
                    (
                        artefact.samples.clone(),
                        format!("touches a {}", artefact.kind),
                    )
                })
                .collect();
            choice.cut(markers, &usable, &marked, rate)
        });
        Ok(Self {
            prepared,
            options,
            band,
            pipeline,
            z,
            epochs,
        })
    }

    /// What the figures are about, before any is there.
    pub(super) fn result(&self) -> BandResult {
        let (prepared, options) = (self.prepared, self.options);
        let convention = self.convention();
        BandResult {
            analysis: AnalysisInfo {
                band_hz: self.band.into(),
                segment: [prepared.segment.start, prepared.segment.end],
                segment_choice: prepared.segment_choice.clone(),
                segment_fault: prepared.segment_fault.clone(),
                trim_s: options.trim_s,
                reference: prepared.reference.to_string(),
                convention: options.method.to_string(),
                n_eff: convention.n_eff,
                measured_s: convention.window_s,
                window_s: options.window_s,
                hop_s: options.hop_s,
                guard_s: (options.windows == WindowsChoice::Buffered).then_some(options.guard_s),
                filter: convention.filter,
                bad_channels: prepared.bad.iter().map(|bad| bad.index).collect(),
                bad_channel_faults: prepared.bad.clone(),
                interpolated: prepared.interpolated.clone(),
                artefacts: prepared.artefact_infos(),
                artefacts_kept: options.keep_artefacts,
                montage: prepared
                    .montage
                    .as_ref()
                    .map(|montage| montage.names().to_vec()),
                epochs: self.epochs_info(),
            },
            frequency_hz: None,
            relative_power: None,
            measures: std::collections::BTreeMap::new(),
            surrogates: None,
            verdict: None,
            windows: None,
            windows_null: None,
        }
    }

    fn epochs_info(&self) -> Option<EpochsInfo> {
        let (choice, epochs) = (self.options.epochs.as_ref()?, self.epochs.as_ref()?);
        let start = |samples: &std::ops::Range<usize>| {
            self.prepared
                .rate
                .seconds(samples.start - self.prepared.segment.start)
        };
        Some(EpochsInfo {
            choice: choice.to_string(),
            start_s: epochs.samples.iter().map(start).collect(),
            left_out: epochs.left_out.clone(),
        })
    }

    /// How figures over the samples of the whole segment are made.
    pub(super) fn convention(&self) -> Convention {
        let kept = self
            .prepared
            .segment
            .len()
            .saturating_sub(2 * self.pipeline.n_trim());
        self.pipeline.convention(&self.prepared.reference, kept)
    }

    /// Step 1: observed frequencies over all channels.
    pub(super) fn frequencies(&self) -> Option<Frequencies> {
        let found = frequencies(self.z.as_ref()?.view(), self.prepared.rate);
        let list = |of_good: &[f64]| self.prepared.list(of_good);
        Some(Frequencies {
            mean: list(&found.mean),
            median: list(&found.median),
            power_weighted: list(&found.power_weighted),
            slope: list(&found.slope),
            negative_fraction: list(&found.negative_fraction),
        })
    }

    /// Step 1.5: the surrogate test.
    pub(super) fn surrogates(
        &self,
        watch: &dyn Watch,
    ) -> Result<(SurrogateInfo, VerdictInfo), AnalyzeError> {
        let options = self.options;
        let test = SurrogateTest {
            kind: options.surrogate_kind,
            origin: options.surrogate_from,
            n: options.surrogates,
            seed: options.seed,
            alpha: options.alpha,
            ..SurrogateTest::default()
        };
        let done = std::sync::atomic::AtomicUsize::new(0);
        let count = || {
            let done = done.fetch_add(1, std::sync::atomic::Ordering::Relaxed) + 1;
            watch.advanced(StepId::Surrogates, done, options.surrogates);
        };
        let found = test.run_with(self.prepared.good_uv.view(), &self.pipeline, &count)?;
        Ok(self.significance(&found))
    }

    fn significance(&self, found: &Significance) -> (SurrogateInfo, VerdictInfo) {
        let wpli = found.wpli.as_ref().expect("wPLI is tested always");
        let verdict = VerdictInfo {
            significant: found.verdict.is_significant(),
            measure: "wpli",
            p: wpli.p,
            alpha: found.alpha,
            disagreements: found.disagreements.clone(),
            refused: found.verdict == Verdict::Refused,
        };
        let mut warnings = found.warnings.clone();
        if found.verdict == Verdict::Refused {
            warnings.insert(1, self.off(&found.band_sd_ratio));
        }
        let marked = self.prepared.marked_share();
        if marked > MUCH_MARKED {
            warnings.push(format!(
                "{:.0} % of the segment are marked as artefacts: what is found may be theirs; see --segment clean",
                100.0 * marked
            ));
        }
        let info = SurrogateInfo {
            kind: found.kind.name(),
            from: found.origin.name(),
            n: found.n,
            seed: found.seed,
            alpha: found.alpha,
            formula: found.formula,
            band_sd_ratio: self.prepared.list(&found.band_sd_ratio),
            warning: (!warnings.is_empty()).then(|| warnings.join("; ")),
            pli: self.test(&found.pli, found),
            wpli: self.test(wpli, found),
        };
        (info, verdict)
    }

    /// The channels whose surrogates are of something else.
    fn off(&self, band_sd_ratio: &[f64]) -> String {
        let of_good = self.prepared.good.iter().zip(band_sd_ratio);
        let off: Vec<String> = of_good
            .filter(|(_, ratio)| is_off(**ratio))
            .map(|(place, ratio)| format!("{} ({ratio:.2})", self.prepared.channels[*place]))
            .collect();
        format!("which is so in {}", off.join(", "))
    }

    fn test(&self, test: &MeasureTest, found: &Significance) -> TestInfo {
        let places = &self.prepared.good;
        TestInfo {
            observed_mean: test.observed_mean,
            null_mean: test.null_mean,
            null_sd: test.null_sd,
            z: test.z,
            b: test.b,
            p: test.p,
            pairs_p: self.prepared.matrix(&test.pairs_p),
            pairs_q_bh: self.prepared.matrix(&test.pairs_q_bh),
            pairs_p_max: self.prepared.matrix(&test.pairs_p_max),
            edges: if found.verdict == Verdict::Refused {
                Vec::new()
            } else {
                let edges = test.edges(found.alpha).into_iter();
                edges.map(|(i, j)| [places[i], places[j]]).collect()
            },
            null_means: test.null_means.clone(),
        }
    }

    /// Steps 1.6 and 2: every matrix, by the convention asked for.
    pub(super) fn network(&self) -> Result<Option<Network>, AnalyzeError> {
        let Some(z) = &self.z else {
            return Ok(None);
        };
        let (prepared, rate) = (self.prepared, self.prepared.rate);
        let raw = prepared.good_uv.view();
        let over_cross_spectra: Vec<Measure> = Measure::REPORTED
            .into_iter()
            .filter(|measure| *measure != Measure::Aec)
            .collect();
        if let Some(epochs) = &self.epochs {
            let length = self
                .options
                .epochs
                .as_ref()
                .map_or(0, |choice| choice.n_samples(rate));
            let joined = self.joined(z, epochs);
            return Ok(Some(over_epochs(
                joined.view(),
                length,
                &over_cross_spectra,
                self.convention(),
            )?));
        }
        let n_epoch = rate.samples(EPOCH_S);
        Ok(Some(match self.options.method {
            Method::HilbertSamples => over_samples(z.view(), &self.measures(), self.convention())?,
            Method::HilbertEpochs => {
                over_epochs(z.view(), n_epoch, &over_cross_spectra, self.convention())?
            }
            Method::MneEpochsFourier => mne_epochs_fourier(
                raw,
                n_epoch,
                self.band,
                &over_cross_spectra,
                rate,
                &prepared.reference,
            )?,
            Method::MneTimeMorlet => mne_time_morlet(
                raw,
                self.band,
                self.options.trim_s,
                &over_cross_spectra,
                rate,
                &prepared.reference,
            )?,
        }))
    }

    /// Those of a result file, and what was asked for besides.
    fn measures(&self) -> Vec<Measure> {
        let mut measures = Measure::REPORTED.to_vec();
        for measure in &self.options.measures {
            if !measures.contains(measure) {
                measures.push(*measure);
            }
        }
        measures
    }

    /// Epochs of analytic signals one after the other.
    fn joined(&self, z: &Array2<Complex64>, epochs: &Epochs) -> Array2<Complex64> {
        let first = self.prepared.segment.start + self.pipeline.n_trim();
        let pieces: Vec<_> = epochs
            .samples
            .iter()
            .map(|samples| cut(z.view(), samples.start - first..samples.end - first))
            .collect();
        ndarray::concatenate(ndarray::Axis(1), &pieces)
            .unwrap_or_else(|_| Array2::default((z.nrows(), 0)))
    }

    /// Whether there are epochs to be had, where they were asked for.
    ///
    /// # Errors
    /// [`AnalysisError::TooShort`] below two.
    pub(super) fn check_epochs(&self) -> Result<(), AnalyzeError> {
        match &self.epochs {
            Some(epochs) if epochs.samples.len() < 2 => Err(AnalysisError::TooShort {
                what: "connectivity over epochs (their number)",
                least: 2,
                found: epochs.samples.len(),
            }
            .into()),
            _ => Ok(()),
        }
    }
}
