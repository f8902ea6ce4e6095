//! One surrogate of one channel.

use std::sync::Arc;

use ndarray::{Array2, ArrayView2};
use num_complex::Complex64;
use realfft::ComplexToReal;

use super::draw::{has_no_phase, turn};
use super::kind::Kind;
use super::random::{Key, below};
use super::remap::{aaft, iaaft};
use crate::error::AnalysisError;
use crate::number::float;
use crate::phase::{Hilbert, one_sided_weight, real_inverse};

/// A channel and what its surrogates keep of it, worked out once.
#[derive(Debug, Clone)]
pub(crate) struct Material {
    series: Vec<f64>,
    spectrum: Vec<Complex64>,
    amplitudes: Vec<f64>,
    sorted: Vec<f64>,
}

impl Material {
    pub(crate) fn new(series: Vec<f64>, kind: Kind, work: &mut Workspace) -> Self {
        let spectrum = work.spectrum(&series).to_vec();
        let mut material = Self {
            series,
            spectrum,
            amplitudes: Vec::new(),
            sorted: Vec::new(),
        };
        if matches!(kind, Kind::Aaft | Kind::Iaaft) {
            material.amplitudes = material.spectrum.iter().map(|bin| bin.norm()).collect();
            material.sorted.clone_from(&material.series);
            material.sorted.sort_by(f64::total_cmp);
        }
        material
    }
}

/// Plans and buffers of one thread, for series of one length: about `80 n` bytes.
pub(crate) struct Workspace {
    n_samples: usize,
    hilbert: Hilbert,
    back: Arc<dyn ComplexToReal<f64>>,
    bins: Vec<Complex64>,
    scratch: Vec<Complex64>,
}

impl Workspace {
    pub(crate) fn new(n_samples: usize) -> Self {
        let back = real_inverse(n_samples.max(1));
        Self {
            n_samples,
            hilbert: Hilbert::new(n_samples),
            bins: Vec::new(),
            scratch: back.make_scratch_vec(),
            back,
        }
    }

    pub(crate) fn hilbert(&mut self) -> &mut Hilbert {
        &mut self.hilbert
    }

    /// Frequencies 0 to half the rate, unscaled.
    pub(crate) fn spectrum(&mut self, x: &[f64]) -> &[Complex64] {
        self.hilbert.spectrum(x)
    }

    /// The real series of a spectrum from 0 to half the rate, scaled back; `spectrum` is used up.
    pub(crate) fn series(&mut self, spectrum: &mut [Complex64], out: &mut [f64]) {
        let last = spectrum.len() - 1;
        spectrum[0].im = 0.0;
        if has_no_phase(last, self.n_samples) {
            spectrum[last].im = 0.0;
        }
        self.back
            .process_with_scratch(spectrum, out, &mut self.scratch)
            .expect("lengths are those of the plan, and what must be real is");
        let scale = 1.0 / float(self.n_samples);
        for value in out {
            *value *= scale;
        }
    }

    /// A surrogate of `material` into `out`.
    pub(crate) fn surrogate(
        &mut self,
        material: &Material,
        kind: Kind,
        (key, channel): (Key, usize),
        out: &mut [f64],
    ) {
        let mut rng = generator(kind, key, channel);
        match kind {
            Kind::Independent | Kind::Common => {
                let mut bins = std::mem::take(&mut self.bins);
                bins.clone_from(&material.spectrum);
                turn(&mut bins, self.n_samples, &mut rng);
                self.series(&mut bins, out);
                self.bins = bins;
            }
            Kind::Aaft => aaft(&material.series, &material.sorted, self, out, &mut rng),
            Kind::Iaaft => iaaft(&material.amplitudes, &material.sorted, self, out, &mut rng),
            Kind::CircularShift => {
                let start = below(material.series.len(), &mut rng);
                let (before, after) = material.series.split_at(start);
                out[..after.len()].copy_from_slice(after);
                out[after.len()..].copy_from_slice(before);
            }
        }
    }

    /// The analytic signal of a surrogate into `z`. For random phases that is one inverse transform: the weights that make a
    /// signal analytic and the random phasors multiply the same frequencies.
    pub(crate) fn analytic_surrogate(
        &mut self,
        material: &Material,
        kind: Kind,
        (key, channel): (Key, usize),
        z: &mut [Complex64],
    ) {
        if matches!(kind, Kind::Independent | Kind::Common) {
            let weight = one_sided_weight(self.n_samples);
            let bins = &mut z[..material.spectrum.len()];
            for (at, (out, bin)) in bins.iter_mut().zip(&material.spectrum).enumerate() {
                *out = bin * weight(at);
            }
            turn(bins, self.n_samples, &mut generator(kind, key, channel));
            self.hilbert.finish(z);
        } else {
            let mut series = vec![0.0; self.n_samples];
            self.surrogate(material, kind, (key, channel), &mut series);
            self.hilbert.of_samples(&series, z);
        }
    }
}

fn generator(kind: Kind, key: Key, channel: usize) -> rand_chacha::ChaCha8Rng {
    if kind == Kind::Common {
        key.shared()
    } else {
        key.channel(channel)
    }
}

/// One surrogate of every channel.
///
/// `x`: `(n_channels, n_samples)`, any unit, finite. Returns the same shape and unit. Mean and spectrum of each channel stay, for
/// [`Kind::Aaft`], [`Kind::Iaaft`] and [`Kind::CircularShift`] its values too. The same key gives the same bits.
pub fn surrogate(x: ArrayView2<'_, f64>, kind: Kind, key: Key) -> Array2<f64> {
    let mut out = Array2::zeros(x.dim());
    if x.ncols() == 0 {
        return out;
    }
    let mut work = Workspace::new(x.ncols());
    for (channel, (row, mut out)) in x.rows().into_iter().zip(out.rows_mut()).enumerate() {
        let material = Material::new(row.to_vec(), kind, &mut work);
        if let Some(out) = out.as_slice_mut() {
            work.surrogate(&material, kind, (key, channel), out);
        }
    }
    out
}

/// Adds given phases to those of every channel: the inverse transform of `X exp(i phase)`.
///
/// `x`: `(n_channels, n_samples)`; `phase`: `(n_channels, n_samples / 2 + 1)`, radians, for the frequencies from 0 to half the rate,
/// of which those two have none to give and are kept. Returns the shape of `x`.
///
/// # Errors
/// [`AnalysisError::Shape`] if the phases do not fit.
///
/// Source: keys `theiler-1992`, `prichard-1994` (where all channels get the same) in `docs/references.bib`.
pub fn add_phases(
    x: ArrayView2<'_, f64>,
    phase: ArrayView2<'_, f64>,
) -> Result<Array2<f64>, AnalysisError> {
    with_phases(x, phase, |bin, phase| bin * Complex64::cis(phase))
}

/// Replaces the phases of every channel by given ones: the inverse transform of `|X| exp(i phase)`. Shapes as in [`add_phases`].
///
/// # Errors
/// [`AnalysisError::Shape`] if the phases do not fit.
pub fn replace_phases(
    x: ArrayView2<'_, f64>,
    phase: ArrayView2<'_, f64>,
) -> Result<Array2<f64>, AnalysisError> {
    with_phases(x, phase, |bin, phase| {
        Complex64::from_polar(bin.norm(), phase)
    })
}

fn with_phases(
    x: ArrayView2<'_, f64>,
    phase: ArrayView2<'_, f64>,
    apply: impl Fn(Complex64, f64) -> Complex64,
) -> Result<Array2<f64>, AnalysisError> {
    let n_samples = x.ncols();
    let expected = [x.nrows(), n_samples / 2 + 1];
    if n_samples == 0 || phase.shape() != expected {
        return Err(AnalysisError::Shape {
            what: "an array of phases",
            expected: expected.to_vec(),
            found: phase.shape().to_vec(),
        });
    }
    let mut work = Workspace::new(n_samples);
    let mut out = Array2::zeros(x.dim());
    for ((row, phase), mut out) in x.rows().into_iter().zip(phase.rows()).zip(out.rows_mut()) {
        let mut bins = work.spectrum(&row.to_vec()).to_vec();
        for (at, (bin, phase)) in bins.iter_mut().zip(phase).enumerate() {
            if !has_no_phase(at, n_samples) {
                *bin = apply(*bin, *phase);
            }
        }
        if let Some(out) = out.as_slice_mut() {
            work.series(&mut bins, out);
        }
    }
    Ok(out)
}
