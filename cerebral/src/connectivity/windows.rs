//! Connectivity over time: the same measures in windows that overlap.
//!
//! Two ways. *Whole segment*: filter everything once, cut the analytic signals. *Buffered*: each window from its own buffer of raw
//! samples, window and a guard on both sides; that is what a stream can do, and it gives the same bits there and here.

use std::ops::Range;

use ndarray::{Array2, ArrayView2};
use num_complex::Complex64;

use super::convention::{Convention, independent_observations};
use super::measure::Measure;
use super::network::Network;
use super::pipeline::Pipeline;
use super::samples::over_samples;
use crate::error::AnalysisError;
use crate::preprocess::{Reference, cut};
use crate::units::SampleRate;

/// Windows of a gap-free stretch, in samples: window `k` is `[k hop, k hop + width)`, its buffer a guard more on both sides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Windows {
    width: usize,
    hop: usize,
    guard: usize,
}

impl Windows {
    /// Windows of `width_s` every `hop_s`, with `guard_s` filtered along and dropped on both sides.
    ///
    /// # Errors
    /// [`AnalysisError::Setting`] if the width is below two samples, the hop below one, or the guard negative.
    pub fn new(
        width_s: f64,
        hop_s: f64,
        guard_s: f64,
        rate: SampleRate,
    ) -> Result<Self, AnalysisError> {
        let windows = Self {
            width: rate.samples(width_s),
            hop: rate.samples(hop_s),
            guard: rate.samples(guard_s),
        };
        if windows.width < 2 {
            return Err(AnalysisError::setting(
                "window_s",
                width_s,
                "two samples or more",
            ));
        }
        if windows.hop < 1 {
            return Err(AnalysisError::setting("hop_s", hop_s, "one sample or more"));
        }
        if !(guard_s >= 0.0 && guard_s.is_finite()) {
            return Err(AnalysisError::setting("guard_s", guard_s, "0 or above"));
        }
        Ok(windows)
    }

    /// Samples in a window.
    pub fn width(self) -> usize {
        self.width
    }

    /// Samples from one window's start to the next.
    pub fn hop(self) -> usize {
        self.hop
    }

    /// Samples of guard on either side: the delay of a live result beyond its window.
    pub fn guard(self) -> usize {
        self.guard
    }

    /// The samples of window `k`, counted from the start of the stretch.
    pub fn window(self, k: usize) -> Range<usize> {
        k * self.hop..k * self.hop + self.width
    }

    /// The raw samples that window `k` is a function of; `None` where it would begin before the stretch does.
    pub fn buffer(self, k: usize) -> Option<Range<usize>> {
        let window = self.window(k);
        Some(window.start.checked_sub(self.guard)?..window.end + self.guard)
    }

    /// How many windows lie within `n_samples`.
    pub fn count(self, n_samples: usize) -> usize {
        n_samples
            .checked_sub(self.width)
            .map_or(0, |room| room / self.hop + 1)
    }

    /// The analytic signals of one window from its own buffer, a pure function of those samples: the mean taken away, filtered
    /// forward and backward, Hilbert, the guard dropped at both ends.
    ///
    /// `buffer_uv`: `(n_channels, width + 2 guard)`, raw. Returns `(n_channels, width)`. The pipeline's own trim is not used.
    ///
    /// # Errors
    /// [`AnalysisError::Shape`] if the buffer has another length, [`AnalysisError::TooShort`] if it is too short to be filtered.
    pub fn buffered(
        self,
        buffer_uv: ArrayView2<'_, f64>,
        pipeline: &Pipeline,
    ) -> Result<Array2<Complex64>, AnalysisError> {
        let expected = self.width + 2 * self.guard;
        if buffer_uv.ncols() != expected {
            return Err(AnalysisError::Shape {
                what: "the buffer of a window",
                expected: vec![buffer_uv.nrows(), expected],
                found: buffer_uv.shape().to_vec(),
            });
        }
        self.pipeline(pipeline).analytic(buffer_uv)
    }

    /// `pipeline` with the guard as its trim: what a window's buffer goes through, its surrogates too.
    pub fn pipeline(self, pipeline: &Pipeline) -> Pipeline {
        pipeline.clone().with_trim(self.guard)
    }

    /// How figures of one buffered window are made.
    pub fn convention(self, pipeline: &Pipeline, reference: &Reference) -> Convention {
        let rate = pipeline.filter().rate();
        Convention {
            hop_s: Some(rate.seconds(self.hop)),
            guard_s: Some(rate.seconds(self.guard)),
            trim_s: 0.0,
            ..pipeline.convention(reference, self.width)
        }
    }

    /// The network of one window from its own buffer.
    ///
    /// # Errors
    /// As [`Windows::buffered`] and [`over_samples`].
    pub fn network(
        self,
        buffer_uv: ArrayView2<'_, f64>,
        pipeline: &Pipeline,
        reference: &Reference,
        measures: &[Measure],
    ) -> Result<Network, AnalysisError> {
        let z = self.buffered(buffer_uv, pipeline)?;
        over_samples(z.view(), measures, self.convention(pipeline, reference))
    }
}

/// The network of one window of a segment.
#[derive(Debug, Clone, PartialEq)]
pub struct WindowedNetwork {
    /// The window, in samples of what was cut.
    pub window: Range<usize>,
    /// Its network.
    pub network: Network,
}

/// The whole-segment way: windows of analytic signals that were filtered, transformed and trimmed as one.
///
/// `z`: `(n_channels, n_samples)`, analytic, trimmed; `convention`: that of `z`. The guard of `windows` is not used. Windows that
/// do not fit at the end are left out.
///
/// # Errors
/// As [`over_samples`].
pub fn over_windows(
    z: ArrayView2<'_, Complex64>,
    windows: Windows,
    measures: &[Measure],
    convention: &Convention,
) -> Result<Vec<WindowedNetwork>, AnalysisError> {
    let convention = Convention {
        window_s: convention.rate.seconds(windows.width),
        hop_s: Some(convention.rate.seconds(windows.hop)),
        n_observations: windows.width,
        n_eff: independent_observations(convention.band_hz, convention.rate, windows.width),
        ..convention.clone()
    };
    (0..windows.count(z.ncols()))
        .map(|k| {
            let window = windows.window(k);
            let network = over_samples(cut(z, window.clone()), measures, convention.clone())?;
            Ok(WindowedNetwork { window, network })
        })
        .collect()
}
