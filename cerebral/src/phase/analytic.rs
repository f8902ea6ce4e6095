//! The analytic signal: the channel itself as real part, its Hilbert transform as imaginary part.

use std::sync::Arc;

use ndarray::{Array2, ArrayView2};
use num_complex::Complex64;
use realfft::RealToComplex;
use rustfft::Fft;

use super::fourier;
use crate::number::float;
use crate::preprocess::cut;

/// Plans and workspace for analytic signals of one length: about `56 n` bytes.
pub(crate) struct Hilbert {
    n_samples: usize,
    to_frequencies: Arc<dyn RealToComplex<f64>>,
    to_samples: Arc<dyn Fft<f64>>,
    input: Vec<f64>,
    spectrum: Vec<Complex64>,
    scratch: Vec<Complex64>,
}

impl Hilbert {
    pub(crate) fn new(n_samples: usize) -> Self {
        let to_frequencies = fourier::real_forward(n_samples.max(1));
        let to_samples = fourier::inverse(n_samples.max(1));
        let scratch = to_frequencies
            .get_scratch_len()
            .max(to_samples.get_inplace_scratch_len());
        Self {
            n_samples,
            input: to_frequencies.make_input_vec(),
            spectrum: to_frequencies.make_output_vec(),
            scratch: vec![Complex64::default(); scratch],
            to_frequencies,
            to_samples,
        }
    }

    /// Frequencies 0 to half the rate of `x`, unscaled, at `n / 2 + 1` places.
    pub(crate) fn spectrum(&mut self, x: &[f64]) -> &[Complex64] {
        self.input.copy_from_slice(x);
        self.to_frequencies
            .process_with_scratch(&mut self.input, &mut self.spectrum, &mut self.scratch)
            .expect("lengths are those of the plan");
        &self.spectrum
    }

    /// The analytic signal of `x` into `z`, both of the planned length.
    pub(crate) fn of_samples(&mut self, x: &[f64], z: &mut [Complex64]) {
        if self.n_samples == 0 {
            return;
        }
        self.spectrum(x);
        let weight = one_sided_weight(self.n_samples);
        for (at, (out, bin)) in z.iter_mut().zip(&self.spectrum).enumerate() {
            *out = bin * weight(at);
        }
        self.finish(z);
    }

    /// From the first `n / 2 + 1` places of `z`, already weighted one-sidedly, to the analytic signal, in place.
    pub(crate) fn finish(&mut self, z: &mut [Complex64]) {
        z[self.n_samples / 2 + 1..].fill(Complex64::default());
        self.to_samples.process_with_scratch(z, &mut self.scratch);
    }
}

/// What the frequency at a place between 0 and half the rate is multiplied by: twice for what its negative twin carried, once
/// at 0 and at half the rate, and the inverse transform's `1/n`.
pub(crate) fn one_sided_weight(n_samples: usize) -> impl Fn(usize) -> f64 {
    let once = 1.0 / float(n_samples);
    move |at| {
        if at == 0 || 2 * at == n_samples {
            once
        } else {
            2.0 * once
        }
    }
}

/// The analytic signal of every channel.
///
/// `x`: `(n_channels, n_samples)`, band-limited and without its mean, any unit and any length. Returns the same shape and unit:
/// real part `x`, imaginary part its Hilbert transform, as of a signal that repeats itself: within about a second of both
/// ends it is bent. A channel with a missing sample (NaN) is NaN throughout.
///
/// Source: key `marple-1999` in `docs/references.bib`.
pub fn analytic_signal(x: ArrayView2<'_, f64>) -> Array2<Complex64> {
    let n_samples = x.ncols();
    let mut z = Array2::default(x.dim());
    let mut hilbert = Hilbert::new(n_samples);
    let mut samples = vec![0.0; n_samples];
    for (row, mut out) in x.rows().into_iter().zip(z.rows_mut()) {
        for (sample, value) in samples.iter_mut().zip(row) {
            *sample = *value;
        }
        if let Some(out) = out.as_slice_mut() {
            hilbert.of_samples(&samples, out);
        }
    }
    z
}

/// The wrapped phase of every channel: `(n_channels, n_samples)`, radians in `(-pi, pi]`.
pub fn phase(z: ArrayView2<'_, Complex64>) -> Array2<f64> {
    z.mapv(|value| {
        let angle = value.arg();
        if angle <= -std::f64::consts::PI {
            std::f64::consts::PI
        } else {
            angle
        }
    })
}

/// `x` without `n_trim` samples at either end; empty where nothing remains.
pub fn trimmed<T>(x: ArrayView2<'_, T>, n_trim: usize) -> ArrayView2<'_, T> {
    let end = x.ncols().saturating_sub(n_trim);
    cut(x, n_trim..end)
}
