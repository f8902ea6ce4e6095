//! What a report draws besides the figures: the signals and their spectra.

use ndarray::{Array2, Axis, Slice};

use super::prepare::Prepared;
use super::result::Pictures;
use crate::phase::welch;
use crate::preprocess::{Montage, Sos, cut, remove_mean};
use crate::units::Band;

/// Values per channel in a picture.
const POINTS: usize = 1_200;
/// Pieces of spectra, seconds.
const PIECE_S: f64 = 2.0;
/// What of the signals is shown, hertz.
const SHOWN_HZ: (f64, f64) = (1.0, 40.0);
/// The highest frequency shown of spectra, hertz.
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
    for (row, place) in shown(prepared).rows().into_iter().zip(&prepared.good) {
        pictures.signals_uv[*place] = thinned(&row.to_vec(), stride);
    }
    let piece = prepared.pieces.iter().max_by_key(|piece| piece.len());
    let Some(piece) = piece else {
        return pictures;
    };
    let offset = prepared.segment.start;
    let whole: Array2<f64> = cut(
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

/// The good channels between 1 and 40 Hz, as far as the rate allows: without drift and mains. Missing samples stay missing.
fn shown(prepared: &Prepared) -> Array2<f64> {
    let mut out = Array2::from_elem(prepared.good_uv.dim(), f64::NAN);
    let high_hz = SHOWN_HZ.1.min(0.9 * prepared.rate.nyquist_hz());
    let Ok(filter) = Band::new(SHOWN_HZ.0, high_hz)
        .and_then(|band| Sos::butterworth_band_pass(2, band, prepared.rate))
    else {
        return out;
    };
    for piece in &prepared.pieces {
        let range = piece.start - prepared.segment.start..piece.end - prepared.segment.start;
        let mut raw = cut(prepared.good_uv.view(), range.clone()).to_owned();
        remove_mean(raw.view_mut());
        if let Ok(filtered) = filter.zero_phase(raw.view()) {
            out.slice_axis_mut(Axis(1), Slice::from(range))
                .assign(&filtered);
        }
    }
    out
}

/// Of each `stride` values the least and the greatest in turn, so that no peak is lost.
fn thinned(row: &[f64], stride: usize) -> Vec<f64> {
    let extreme = |(k, chunk): (usize, &[f64])| {
        let pick: fn(f64, f64) -> f64 = if k % 2 == 0 { f64::max } else { f64::min };
        chunk.iter().copied().fold(f64::NAN, pick)
    };
    row.chunks(stride).enumerate().map(extreme).collect()
}
