//! Power spectra by averaged, overlapping pieces.

use std::f64::consts::TAU;

use ndarray::{Array2, ArrayView1, ArrayView2, Axis, Slice};

use super::fourier;
use crate::error::AnalysisError;
use crate::number::float;
use crate::units::{Band, SampleRate};

/// Power of every channel over frequency.
#[derive(Debug, Clone, PartialEq)]
pub struct Spectrum {
    /// Frequencies, hertz, from 0 to half the rate.
    pub frequency_hz: Vec<f64>,
    /// Shape `(n_channels, n_frequencies)`: power per hertz, one-sided, in the square of the signal's unit.
    pub density: Array2<f64>,
}

impl Spectrum {
    /// The frequency of greatest power within `band` (edges included), hertz, for each channel; NaN where none is positive.
    pub fn peak_hz(&self, band: Band) -> Vec<f64> {
        self.density
            .rows()
            .into_iter()
            .map(|row| {
                let mut peak = (0.0, f64::NAN);
                for (power, hz) in row.iter().zip(&self.frequency_hz) {
                    if band.contains(*hz) && *power > peak.0 {
                        peak = (*power, *hz);
                    }
                }
                peak.1
            })
            .collect()
    }

    /// Power within `band` as a share of that within `of`, which holds it (edges included), in `0..=1`, for each channel; NaN where
    /// there is none.
    pub fn share(&self, band: Band, of: Band) -> Vec<f64> {
        let within = |row: ArrayView1<'_, f64>, band: Band| -> f64 {
            let bins = row.into_iter().zip(&self.frequency_hz);
            bins.filter(|(_, hz)| band.contains(**hz))
                .map(|(power, _)| power)
                .sum()
        };
        let rows = self.density.rows().into_iter();
        rows.map(|row| within(row, band) / within(row, of))
            .collect()
    }
}

/// Welch's power spectrum: pieces of `n_piece` samples overlapping by half, each without its mean, periodic Hann taper.
///
/// `x`: `(n_channels, n_samples)`, any unit; a piece of two seconds tells frequencies half a hertz apart.
///
/// # Errors
/// [`AnalysisError::Setting`] for pieces below two samples; [`AnalysisError::TooShort`] below one piece.
///
/// Source: key `welch-1967` in `docs/references.bib`.
pub fn welch(
    x: ArrayView2<'_, f64>,
    n_piece: usize,
    rate: SampleRate,
) -> Result<Spectrum, AnalysisError> {
    if n_piece < 2 {
        return Err(AnalysisError::setting(
            "welch piece",
            n_piece,
            "at least 2 samples",
        ));
    }
    if x.ncols() < n_piece {
        return Err(AnalysisError::TooShort {
            what: "a power spectrum",
            least: n_piece,
            found: x.ncols(),
        });
    }
    let taper: Vec<f64> = (0..n_piece)
        .map(|t| 0.5 - 0.5 * (TAU * float(t) / float(n_piece)).cos())
        .collect();
    let taper_power: f64 = taper.iter().map(|weight| weight * weight).sum();
    let starts: Vec<usize> = (0..=x.ncols() - n_piece)
        .step_by(n_piece - n_piece / 2)
        .collect();
    let plan = fourier::real_forward(n_piece);
    let (mut input, mut output) = (plan.make_input_vec(), plan.make_output_vec());
    let mut density = Array2::zeros((x.nrows(), output.len()));
    for (row, mut power) in x.rows().into_iter().zip(density.rows_mut()) {
        for &start in &starts {
            let piece = row.slice_axis(Axis(0), Slice::from(start..start + n_piece));
            let mean = piece.sum() / float(n_piece);
            for ((out, value), weight) in input.iter_mut().zip(piece).zip(&taper) {
                *out = (value - mean) * weight;
            }
            plan.process(&mut input, &mut output)
                .expect("lengths are those of the plan");
            for (at, (sum, bin)) in power.iter_mut().zip(&output).enumerate() {
                let sides = if at == 0 || 2 * at == n_piece {
                    1.0
                } else {
                    2.0
                };
                *sum += sides * bin.norm_sqr();
            }
        }
    }
    density /= float(starts.len()) * rate.hz() * taper_power;
    Ok(Spectrum {
        frequency_hz: (0..output.len())
            .map(|at| float(at) * rate.hz() / float(n_piece))
            .collect(),
        density,
    })
}
