//! Signs and sums of the imaginary parts: PLI and wPLI and what is signed among them.

use super::planes::{Guard, Planes, Tile};
use super::{LANES, each_tile, n_pairs};

/// What the imaginary parts `A` of one pair add up to.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Lags {
    /// How many are above 0.
    pub(crate) positive: u32,
    /// How many are below 0.
    pub(crate) negative: u32,
    /// Sum of `A`.
    pub(crate) im: f64,
    /// Sum of `|A|`.
    pub(crate) im_abs: f64,
}

/// [`Lags`] of every pair; zeros for pairs with a dead channel.
pub(crate) fn lags(planes: &Planes) -> Vec<Lags> {
    pulp::Arch::new().dispatch(Every(planes))
}

struct Every<'a>(&'a Planes);

impl pulp::NullaryFnOnce for Every<'_> {
    type Output = Vec<Lags>;

    #[inline(always)]
    fn call(self) -> Vec<Lags> {
        let planes = self.0;
        let mut sums = vec![Lags::default(); n_pairs(planes.n_channels())];
        each_tile(
            planes,
            #[inline(always)]
            |tile, pair, i, j| {
                let (one, other) = (planes.tile(i, tile), planes.tile(j, tile));
                let guard = planes.guard(i, j);
                let sum = unguarded(one, other, guard.bound(planes.peaks(tile, i, j)))
                    .unwrap_or_else(|| guarded(one, other, guard));
                let total = &mut sums[pair];
                total.positive += sum.positive;
                total.negative += sum.negative;
                total.im += sum.im;
                total.im_abs += sum.im_abs;
            },
        );
        sums
    }
}

/// Sums of a tile, lane by lane.
struct Lanes {
    negative: [u64; LANES],
    im: [f64; LANES],
    im_abs: [f64; LANES],
    least: [f64; LANES],
}

/// The sums, if no `|A|` is within `bound`.
#[inline(always)]
fn unguarded(one: Tile<'_, f64>, other: Tile<'_, f64>, bound: f64) -> Option<Lags> {
    let (re_i, im_i, rest_i) = one.lanes::<LANES>();
    let (re_j, im_j, rest_j) = other.lanes::<LANES>();
    let mut negative = [0_u64; LANES];
    let (mut im, mut im_abs) = ([0.0; LANES], [0.0; LANES]);
    let mut least = [f64::INFINITY; LANES];
    for ((re_i, im_i), (re_j, im_j)) in re_i.iter().zip(im_i).zip(re_j.iter().zip(im_j)) {
        for lane in 0..LANES {
            let a = im_i[lane] * re_j[lane] - re_i[lane] * im_j[lane];
            let size = a.abs();
            negative[lane] += a.to_bits() >> 63;
            im[lane] += a;
            im_abs[lane] += size;
            least[lane] = if size < least[lane] {
                size
            } else {
                least[lane]
            };
        }
    }
    let lanes = Lanes {
        negative,
        im,
        im_abs,
        least,
    };
    total(&lanes, rest_i, rest_j, (one.re.len(), bound))
}

/// The lanes and what did not fill them, added up. Were this inlined, the compiler would lay out the loop above for the sums over
/// lanes here, and shuffle at every sample.
#[inline(never)]
fn total(
    lanes: &Lanes,
    one: Tile<'_, f64>,
    other: Tile<'_, f64>,
    (count, bound): (usize, f64),
) -> Option<Lags> {
    let mut negative: u64 = lanes.negative.iter().sum();
    let mut least = lanes.least.into_iter().fold(f64::INFINITY, f64::min);
    let mut sum = Lags {
        im: lanes.im.iter().sum(),
        im_abs: lanes.im_abs.iter().sum(),
        ..Lags::default()
    };
    let samples = one.re.iter().zip(one.im);
    for ((re_i, im_i), (re_j, im_j)) in samples.zip(other.re.iter().zip(other.im)) {
        let a = im_i * re_j - re_i * im_j;
        negative += a.to_bits() >> 63;
        sum.im += a;
        sum.im_abs += a.abs();
        least = least.min(a.abs());
    }
    let few = "a tile has few samples";
    sum.negative = u32::try_from(negative).expect(few);
    sum.positive = u32::try_from(count).expect(few) - sum.negative;
    (least > bound).then_some(sum)
}

/// The sums with every sample looked at.
#[inline(never)]
fn guarded(one: Tile<'_, f64>, other: Tile<'_, f64>, guard: Guard) -> Lags {
    let mut sum = Lags::default();
    let samples = one.re.iter().zip(one.im);
    for ((re_i, im_i), (re_j, im_j)) in samples.zip(other.re.iter().zip(other.im)) {
        let a = guard.imaginary([*re_i, *im_i], [*re_j, *im_j]);
        sum.positive += u32::from(a > 0.0);
        sum.negative += u32::from(a < 0.0);
        sum.im += a;
        sum.im_abs += a.abs();
    }
    sum
}
