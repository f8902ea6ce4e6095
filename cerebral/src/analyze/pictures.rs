//! What a report draws besides the figures: the signals and their spectra.

use ndarray::Array2;

use super::prepare::Prepared;
use super::result::Pictures;
use crate::number::float;
use crate::phase::welch;
use crate::preprocess::Montage;

/// Values per channel in a picture.
const POINTS: usize = 1_200;
/// Pieces of spectra, seconds.
const PIECE_S: f64 = 2.0;
/// The highest frequency shown, hertz.
const HIGHEST_HZ: f64 = 70.0;

/// Pictures of the good channels; others are empty.
pub(super) fn of_segment(prepared: &Prepared) -> Pictures {
    let n_channels = prepared.channels.len();
    let n_samples = prepared.good_uv.ncols();
    let positions = prepared
        .montage
        .as_ref()
        .map_or(&[][..], Montage::positions)
        .to_vec();
    let stride = n_samples.div_ceil(POINTS).max(1);
    let mut pictures = Pictures {
        signals_uv: vec![Vec::new(); n_channels],
        signals_step_s: prepared.rate.seconds(stride),
        spectra: vec![Vec::new(); n_channels],
        positions,
        ..Pictures::default()
    };
    for (row, place) in prepared.good_uv.rows().into_iter().zip(&prepared.good) {
        let row = row.to_vec();
        pictures.signals_uv[*place] = thinned(&level(&row, prepared), stride);
    }
    let piece = prepared.pieces.iter().max_by_key(|piece| piece.len());
    let Some(piece) = piece else {
        return pictures;
    };
    let offset = prepared.segment.start;
    let whole: Array2<f64> = crate::preprocess::cut(
        prepared.good_uv.view(),
        piece.start - offset..piece.end - offset,
    )
    .to_owned();
    let n_piece = prepared.rate.samples(PIECE_S).min(piece.len());
    if let Ok(spectrum) = welch(whole.view(), n_piece, prepared.rate) {
        let shown = spectrum
            .frequency_hz
            .iter()
            .filter(|hz| **hz <= HIGHEST_HZ)
            .count();
        pictures.spectrum_hz = spectrum.frequency_hz[..shown].to_vec();
        for (row, place) in spectrum.density.rows().into_iter().zip(&prepared.good) {
            pictures.spectra[*place] = row.iter().take(shown).copied().collect();
        }
    }
    pictures
}

/// A channel without its drift: each sample less the mean of the second around it.
fn level(row: &[f64], prepared: &Prepared) -> Vec<f64> {
    let half = prepared.rate.samples(0.5).max(1);
    let mut sums = Vec::with_capacity(row.len() + 1);
    sums.push((0.0, 0_usize));
    for value in row {
        let (sum, n) = sums.last().copied().unwrap_or_default();
        sums.push(if value.is_nan() {
            (sum, n)
        } else {
            (sum + value, n + 1)
        });
    }
    (0..row.len())
        .map(|at| {
            let (from, to) = (at.saturating_sub(half), (at + half + 1).min(row.len()));
            let (sum, n) = (sums[to].0 - sums[from].0, sums[to].1 - sums[from].1);
            row[at] - sum / float(n)
        })
        .collect()
}

/// Of each `stride` values the least and the greatest in turn, so that no peak is lost.
fn thinned(row: &[f64], stride: usize) -> Vec<f64> {
    let extreme = |(k, chunk): (usize, &[f64])| {
        let pick: fn(f64, f64) -> f64 = if k % 2 == 0 { f64::max } else { f64::min };
        chunk.iter().copied().fold(f64::NAN, pick)
    };
    row.chunks(stride).enumerate().map(extreme).collect()
}
