//! The sums over observations from which every pair measure follows. Nothing here knows a band, a window or a unit.
//!
//! In: [`Planes`], real and imaginary parts apart. Out: one value per pair `i < j`, in the order (0,1), (0,2), .. (1,2), ..
//!
//! `A = Im(z_i conj z_j)`; above zero, `i` leads. Rounding makes a coin toss of the sign of an `A` that should be 0, so
//! `|A| <= 1e-9 max(|z_i||z_j|, 0.1 rms_i rms_j)` counts as 0. Looking at that bound for every sample would double the cost.
//! Samples are therefore taken in tiles: where the least `|A|` of a tile is above the bound of the tile's largest amplitudes, no
//! sample of it can be below its own bound. Tiles that fail are done again sample by sample, so the result is the same.
//!
//! Tiles of all channels also stay in the cache while each channel meets every other.
//!
//! The loops are compiled once more for wider vectors, chosen at run time. What is dispatched is a type of its own: a closure
//! goes through a call that is not inlined, and its loops stay narrow.

mod all;
mod lags;
mod planes;
mod signs;

pub(crate) use all::{PairSums, pair_sums};
pub(crate) use lags::lags;
pub(crate) use planes::{Parts, Planes};
pub(crate) use signs::signs;

/// Share of the amplitudes' product up to which an imaginary part is rounding. Filtering a mixture with an offset of 65 mV leaves
/// about 1e-10; 1e-12 is enough only for mixtures that were never filtered.
pub(crate) const ZERO_LAG: f64 = 1e-9;

/// Share of the mean amplitudes below which the product of two small amplitudes does not lower the bound. Where amplitudes pass
/// near 0 rounding does not shrink with them: at 1e-3 one sample in five thousand of a mixture of 0.03 uV on 65 mV still got a
/// sign. No converter resolves 1e-10 of its signal, so nothing measured is lost.
pub(crate) const ZERO_LAG_FLOOR: f64 = 0.1;

/// Samples in a tile: of 64 channels, 512 KiB, half of a usual second cache.
const TILE: usize = 512;

/// Samples side by side in the inner loops; sums are kept apart per lane, so that their order does not depend on the machine.
const LANES: usize = 8;

/// The number of pairs of `n_channels`.
pub(crate) fn n_pairs(n_channels: usize) -> usize {
    n_channels * n_channels.saturating_sub(1) / 2
}

/// The pairs `i < j`, in the order of the results.
pub(crate) fn pairs(n_channels: usize) -> impl Iterator<Item = (usize, usize)> {
    (0..n_channels).flat_map(move |i| (i + 1..n_channels).map(move |j| (i, j)))
}

/// Calls `work(tile, pair, i, j)` for every tile and, within it, every pair of live channels.
#[inline(always)]
fn each_tile(planes: &Planes, mut work: impl FnMut(usize, usize, usize, usize)) {
    for tile in 0..planes.n_tiles() {
        let mut pair = 0;
        for i in 0..planes.n_channels() {
            if !planes.alive()[i] {
                pair += planes.n_channels() - 1 - i;
                continue;
            }
            for j in i + 1..planes.n_channels() {
                if planes.alive()[j] {
                    work(tile, pair, i, j);
                }
                pair += 1;
            }
        }
    }
}

#[cfg(test)]
mod tests;
