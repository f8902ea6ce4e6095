//! Signs of the imaginary parts alone: all that PLI needs.
//!
//! With 24 bits twice as many samples go side by side. A sign is sure where `|A|` is above what rounding can have moved it by:
//! with `u = 2^-24`, each part is off by `u`, each product by `3u`, the difference by `4u` of `|z_i||z_j|` in all. Tiles with
//! a less certain sample are done again with 53 bits and the guard.

use super::planes::{Guard, Planes, Tile};
use super::{each_tile, n_pairs};
use crate::number::single;

/// How often one channel leads the other.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Signs {
    /// Samples at which `i` leads.
    pub(crate) positive: u32,
    /// Samples at which `j` leads.
    pub(crate) negative: u32,
}

/// Rounding of a 24-bit imaginary part, as a share of the amplitudes' product; half as much again as the bound above.
const ROUNDING: f64 = 6.0 / 16_777_216.0;

/// Samples side by side: of half the size, twice as many.
const LANES: usize = 2 * super::LANES;

/// [`Signs`] of every pair; zeros for pairs with a dead channel.
pub(crate) fn signs(planes: &Planes) -> Vec<Signs> {
    pulp::Arch::new().dispatch(Every(planes))
}

struct Every<'a>(&'a Planes);

impl pulp::NullaryFnOnce for Every<'_> {
    type Output = Vec<Signs>;

    #[inline(always)]
    fn call(self) -> Vec<Signs> {
        let planes = self.0;
        let mut counts = vec![Signs::default(); n_pairs(planes.n_channels())];
        each_tile(
            planes,
            #[inline(always)]
            |tile, pair, i, j| {
                let guard = planes.guard(i, j);
                // The 24-bit parts are over the rms; so is their bound.
                let peaks = planes.peaks(tile, i, j);
                let bound = (ROUNDING * peaks).max(guard.bound(peaks)) / planes.scale(i, j);
                let count = certain(
                    planes.tile_single(i, tile),
                    planes.tile_single(j, tile),
                    bound,
                )
                .unwrap_or_else(|| guarded(planes.tile(i, tile), planes.tile(j, tile), guard));
                counts[pair].positive += count.positive;
                counts[pair].negative += count.negative;
            },
        );
        counts
    }
}

/// The counts, if no `|A|` is within `bound`.
#[inline(always)]
fn certain(one: Tile<'_, f32>, other: Tile<'_, f32>, bound: f64) -> Option<Signs> {
    let (re_i, im_i, rest_i) = one.lanes::<LANES>();
    let (re_j, im_j, rest_j) = other.lanes::<LANES>();
    let mut negative = [0_u32; LANES];
    let mut least = [f32::INFINITY; LANES];
    for ((re_i, im_i), (re_j, im_j)) in re_i.iter().zip(im_i).zip(re_j.iter().zip(im_j)) {
        for lane in 0..LANES {
            let a = im_i[lane] * re_j[lane] - re_i[lane] * im_j[lane];
            let size = a.abs();
            negative[lane] += a.to_bits() >> 31;
            least[lane] = if size < least[lane] {
                size
            } else {
                least[lane]
            };
        }
    }
    let mut least = least.into_iter().fold(f32::INFINITY, f32::min);
    let mut negative: u32 = negative.iter().sum();
    let rest = rest_i.re.iter().zip(rest_i.im);
    for ((re_i, im_i), (re_j, im_j)) in rest.zip(rest_j.re.iter().zip(rest_j.im)) {
        let a = im_i * re_j - re_i * im_j;
        negative += a.to_bits() >> 31;
        least = least.min(a.abs());
    }
    let count = u32::try_from(one.re.len()).expect("a tile has few samples");
    (least > single(bound)).then_some(Signs {
        positive: count - negative,
        negative,
    })
}

/// The counts with every sample looked at.
#[inline(never)]
fn guarded(one: Tile<'_, f64>, other: Tile<'_, f64>, guard: Guard) -> Signs {
    let mut count = Signs::default();
    let samples = one.re.iter().zip(one.im);
    for ((re_i, im_i), (re_j, im_j)) in samples.zip(other.re.iter().zip(other.im)) {
        let a = guard.imaginary([*re_i, *im_i], [*re_j, *im_j]);
        count.positive += u32::from(a > 0.0);
        count.negative += u32::from(a < 0.0);
    }
    count
}
