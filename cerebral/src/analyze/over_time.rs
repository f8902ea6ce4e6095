//! Step 3: windows, and what windows give where nothing is coupled.

use std::ops::Range;
use std::sync::Arc;

use ndarray::{Array2, ArrayView2};
use num_complex::Complex64;

use super::band::BandRun;
use super::error::AnalyzeError;
use super::options::WindowsChoice;
use super::result::{WindowInfo, WindowsNull};
use crate::calibration::CouplingWindow;
use crate::connectivity::{Measure, Windows, over_samples};
use crate::number::float;
use crate::phase::welch;
use crate::preprocess::cut;
use crate::stream::record::record;
use crate::stream::session::{Head, Stretch};
use crate::stream::stretch::{Closed, StretchLogic};
use crate::stream::window::WindowSettings;
use crate::surrogate::SurrogateTest;
use crate::units::Band;

/// What the band's power is a share of, hertz: above drift, below the mains.
const WHOLE_HZ: (f64, f64) = (2.0, 40.0);
/// Pieces of spectra, seconds.
const PIECE_S: f64 = 2.0;
/// New surrogates of each window.
const SURROGATES: usize = 20;
/// Windows behind the null of all, at most.
const NULL_WINDOWS: usize = 20;

/// Windows of a segment, and their null.
pub(super) struct OverTime {
    pub(super) windows: Vec<WindowInfo>,
    pub(super) null: Option<WindowsNull>,
}

impl BandRun<'_> {
    /// Step 3.
    pub(super) fn over_time(&self) -> Result<OverTime, AnalyzeError> {
        let options = self.options;
        let windows = Windows::new(
            options.window_s,
            options.hop_s,
            options.guard_s,
            self.prepared.rate,
        )?;
        let found = match options.windows {
            WindowsChoice::Whole => self.whole(windows)?,
            WindowsChoice::Buffered => self.buffered(windows)?,
        };
        let null = self.null(windows, &found)?;
        Ok(OverTime {
            windows: found,
            null,
        })
    }

    fn whole(&self, windows: Windows) -> Result<Vec<WindowInfo>, AnalyzeError> {
        let Some(z) = &self.z else {
            return Ok(Vec::new());
        };
        let n_trim = self.pipeline.n_trim();
        let all = (0..windows.count(z.ncols())).map(|k| {
            let window = windows.window(k);
            let (from, to) = (window.start + n_trim, window.end + n_trim);
            if let Some(reason) = self.left_out(from..to) {
                return Ok(self.without(from, reason));
            }
            self.with(from, cut(z.view(), window))
        });
        all.collect()
    }

    /// The windows that a stream of the recording has within the segment, made as the stream makes them.
    fn buffered(&self, windows: Windows) -> Result<Vec<WindowInfo>, AnalyzeError> {
        let (prepared, recorded) = (self.prepared, &self.prepared.recorded);
        let head = Head::new(prepared.rate, prepared.channels.clone(), &recorded.rails_uv);
        let analyst = Arc::new(head.analyst(&recorded.session, &self.window_settings())?);
        let segment = &prepared.segment;
        let touching = recorded
            .stretches
            .iter()
            .filter(|stretch| stretch.start < segment.end && segment.start < stretch.end);
        let mut found = Vec::new();
        for stretch in touching {
            let uv = cut(recorded.samples_uv.view(), stretch.clone()).to_owned();
            let at = u64::try_from(stretch.start).unwrap_or(u64::MAX);
            let name = Stretch {
                session: recorded.session.as_str().into(),
                number: 0,
                at,
            };
            for closed in StretchLogic::windows_of(&analyst, at, uv) {
                let at = usize::try_from(closed.at).unwrap_or(usize::MAX);
                let Some(from) = at.checked_sub(segment.start) else {
                    continue;
                };
                if from + windows.width() <= segment.len() {
                    let state = record(&name, &head, &analyst, &closed, None);
                    let state = serde_json::to_value(state).ok();
                    let info = self.of_stream(from, windows.width(), closed);
                    found.push(WindowInfo { state, ..info });
                }
            }
        }
        Ok(found)
    }

    /// How a stream of the recording makes its windows.
    fn window_settings(&self) -> WindowSettings {
        let (options, recorded) = (self.options, &self.prepared.recorded);
        WindowSettings {
            window_s: options.window_s,
            hop_s: options.hop_s,
            guard_s: options.guard_s,
            pass: options.window_pass,
            reference: self.prepared.reference.clone(),
            notch_hz: options.notch_hz,
            bad_channels: recorded.named_bad.clone(),
            find_bad_channels: options.find_bad_channels,
            frontal: recorded.frontal.clone(),
            keep_artefacts: options.keep_artefacts,
            kind: options.surrogate_kind,
            origin: options.surrogate_from,
            alpha: options.alpha,
            seed: options.seed,
            ..WindowSettings::new(self.band)
        }
    }

    fn of_stream(&self, from: usize, width: usize, closed: Closed) -> WindowInfo {
        match closed.window.map(|window| window.figures) {
            Ok(Ok(figures)) => WindowInfo {
                start_s: self.prepared.rate.seconds(from),
                pli_mean: figures.pli_mean,
                wpli_mean: figures.wpli_mean,
                r: figures.r,
                wpli_p: figures.significance.wpli.map(|wpli| wpli.p),
                relative_power: self.relative_power(from..from + width),
                state: None,
                coupling_rad_s: None,
                reason: None,
            },
            Ok(Err(reason)) | Err(reason) => self.without(from, reason),
        }
    }

    /// The test of window `k`: its random numbers are its own.
    fn window_test(&self, k: usize) -> SurrogateTest {
        SurrogateTest {
            kind: self.options.surrogate_kind,
            origin: self.options.surrogate_from,
            n: SURROGATES,
            seed: self.options.seed,
            window: u64::try_from(k).unwrap_or(u64::MAX),
            alpha: self.options.alpha,
            ..SurrogateTest::default()
        }
    }

    fn left_out(&self, samples: Range<usize>) -> Option<String> {
        if self.options.keep_artefacts {
            return None;
        }
        let start = self.prepared.segment.start;
        self.prepared
            .touched(&(start + samples.start..start + samples.end))
    }

    /// Power in the band over that of 2 to 40 Hz of samples of the segment, one per channel; pieces of at most two seconds.
    pub(super) fn relative_power(&self, samples: Range<usize>) -> Vec<f64> {
        if self.prepared.good.is_empty() {
            return self.prepared.list(&[]);
        }
        let (rate, band) = (self.prepared.rate, self.band);
        let n_piece = rate.samples(PIECE_S).min(samples.len());
        let low_hz = WHOLE_HZ.0.min(band.low_hz());
        let whole = Band::new(low_hz, WHOLE_HZ.1.max(band.high_hz()));
        let found = welch(cut(self.prepared.good_uv.view(), samples), n_piece, rate)
            .and_then(|spectrum| Ok(spectrum.share(band, whole?)));
        // Too few samples for a spectrum have none.
        let of_good = found.unwrap_or_else(|_| vec![f64::NAN; self.prepared.good.len()]);
        self.prepared.list(&of_good)
    }

    fn without(&self, from: usize, reason: String) -> WindowInfo {
        WindowInfo {
            start_s: self.prepared.rate.seconds(from),
            pli_mean: f64::NAN,
            wpli_mean: f64::NAN,
            r: f64::NAN,
            wpli_p: None,
            relative_power: vec![f64::NAN; self.prepared.channels.len()],
            state: None,
            coupling_rad_s: None,
            reason: Some(reason),
        }
    }

    fn with(&self, from: usize, z: ArrayView2<'_, Complex64>) -> Result<WindowInfo, AnalyzeError> {
        let network = over_samples(z, &[Measure::Pli, Measure::Wpli], self.convention())?;
        let mean = |measure| network.mean(measure).unwrap_or(f64::NAN);
        Ok(WindowInfo {
            start_s: self.prepared.rate.seconds(from),
            pli_mean: mean(Measure::Pli),
            wpli_mean: mean(Measure::Wpli),
            r: mean_of(&synchrony(z)),
            wpli_p: None,
            relative_power: self.relative_power(from..from + z.ncols()),
            state: None,
            coupling_rad_s: None,
            reason: None,
        })
    }

    /// Surrogates of evenly chosen windows, pooled.
    fn null(
        &self,
        windows: Windows,
        found: &[WindowInfo],
    ) -> Result<Option<WindowsNull>, AnalyzeError> {
        if self.prepared.good.len() < 2 {
            return Ok(None);
        }
        let rate = self.prepared.rate;
        let guard = windows.guard();
        let buffers: Vec<Range<usize>> = found
            .iter()
            .filter(|window| window.reason.is_none())
            .filter_map(|window| {
                let from = rate.samples(window.start_s);
                Some(from.checked_sub(guard)?..from + windows.width() + guard)
            })
            .filter(|buffer| buffer.end <= self.prepared.segment.len())
            .collect();
        let stride = buffers.len().div_ceil(NULL_WINDOWS).max(1);
        let pipeline = windows.pipeline(&self.pipeline);
        let (mut pli, mut wpli) = (Vec::new(), Vec::new());
        for (k, buffer) in buffers.into_iter().enumerate().step_by(stride) {
            let raw = cut(self.prepared.good_uv.view(), buffer);
            let significance = self.window_test(k).run(raw, &pipeline)?;
            pli.extend(significance.pli.null_means);
            wpli.extend(
                significance
                    .wpli
                    .into_iter()
                    .flat_map(|test| test.null_means),
            );
        }
        if wpli.is_empty() {
            return Ok(None);
        }
        let (pli, wpli_band) = (quantiles(&mut pli), quantiles(&mut wpli));
        let measured: Vec<f64> = found
            .iter()
            .map(|window| window.wpli_mean)
            .filter(|mean| !mean.is_nan())
            .collect();
        let above = measured.iter().filter(|mean| **mean > wpli_band[1]).count();
        Ok(Some(WindowsNull {
            n: wpli.len(),
            pli,
            wpli: wpli_band,
            above: float(above) / float(measured.len()),
        }))
    }

    /// Puts the calibrated coupling over time to the windows: linear between the middles of the windows it was found in.
    pub(super) fn with_coupling(&self, windows: &mut [WindowInfo], coupling: &[CouplingWindow]) {
        for window in windows {
            let at_s = window.start_s + self.options.window_s / 2.0;
            window.coupling_rad_s = between(coupling, at_s).map(|k| self.prepared.matrix(&k));
        }
    }
}

/// How alike the phases are at each sample: `|mean_i z_i / |z_i||`, 0..=1.
pub(super) fn synchrony(z: ArrayView2<'_, Complex64>) -> Vec<f64> {
    let columns = z.columns().into_iter().map(|column| {
        let sum: Complex64 = column
            .iter()
            .map(|value| value / value.norm().max(f64::MIN_POSITIVE))
            .sum();
        sum.norm() / float(column.len())
    });
    columns.collect()
}

/// The mean; NaN of none.
pub(super) fn mean_of(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / float(values.len())
}

/// The values below which 5 and 95 per cent lie.
fn quantiles(values: &mut [f64]) -> [f64; 2] {
    values.sort_by(f64::total_cmp);
    let last = values.len().saturating_sub(1);
    let at = |share: f64| values[crate::number::samples(float(last), share)];
    [at(0.05), at(0.95)]
}

fn between(coupling: &[CouplingWindow], at_s: f64) -> Option<Array2<f64>> {
    let middle = |window: &CouplingWindow| f64::midpoint(window.span_s[0], window.span_s[1]);
    let after = coupling.iter().position(|window| middle(window) >= at_s);
    match after {
        None => coupling.last().map(|last| last.coupling_rad_s.clone()),
        Some(0) => coupling.first().map(|first| first.coupling_rad_s.clone()),
        Some(after) => {
            let (left, right) = (&coupling[after - 1], &coupling[after]);
            let weight = (at_s - middle(left)) / (middle(right) - middle(left));
            Some(&left.coupling_rad_s * (1.0 - weight) + &right.coupling_rad_s * weight)
        }
    }
}
