//! Every sum that any measure takes.

use num_complex::Complex64;

use super::planes::{Guard, Planes, Tile};
use super::{LANES, each_tile, n_pairs};
use crate::number::float;

/// What the observations `S = z_i conj z_j` of one pair add up to; `A = Im S`, 0 within the zero-lag guard.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct PairSums {
    /// How many observations.
    pub(crate) n: f64,
    /// How many `A` are above 0.
    pub(crate) positive: f64,
    /// How many `A` are below 0.
    pub(crate) negative: f64,
    /// Sum of `S`.
    pub(crate) cross: Complex64,
    /// Sum of `|A|`.
    pub(crate) im_abs: f64,
    /// Sum of `A^2`.
    pub(crate) im_square: f64,
    /// Sum of `S / |S|`, 0 where `S` is 0.
    pub(crate) unit: Complex64,
    /// Sum of `|A| / |S|`.
    pub(crate) unit_im_abs: f64,
    /// Sum of `|z_i|^2`.
    pub(crate) power_i: f64,
    /// Sum of `|z_j|^2`.
    pub(crate) power_j: f64,
}

impl PairSums {
    /// Adds one observation, a cross-spectrum `S` of channels with powers `power`.
    pub(crate) fn observe(&mut self, cross: Complex64, power: [f64; 2]) {
        self.n += 1.0;
        self.positive += f64::from(u8::from(cross.im > 0.0));
        self.negative += f64::from(u8::from(cross.im < 0.0));
        self.cross += cross;
        self.im_abs += cross.im.abs();
        self.im_square += cross.im * cross.im;
        let size = cross.norm();
        if size > 0.0 {
            self.unit += cross / size;
            self.unit_im_abs += cross.im.abs() / size;
        }
        self.power_i += power[0];
        self.power_j += power[1];
    }

    /// The same pair seen from the other side.
    pub(crate) fn reversed(self) -> Self {
        Self {
            positive: self.negative,
            negative: self.positive,
            cross: self.cross.conj(),
            unit: self.unit.conj(),
            power_i: self.power_j,
            power_j: self.power_i,
            ..self
        }
    }
}

/// [`PairSums`] of every pair; zeros for pairs with a dead channel.
pub(crate) fn pair_sums(planes: &Planes) -> Vec<PairSums> {
    pulp::Arch::new().dispatch(Every(planes))
}

struct Every<'a>(&'a Planes);

impl pulp::NullaryFnOnce for Every<'_> {
    type Output = Vec<PairSums>;

    #[inline(always)]
    fn call(self) -> Vec<PairSums> {
        let planes = self.0;
        let n = float(planes.n_samples());
        let mut sums = vec![PairSums::default(); n_pairs(planes.n_channels())];
        each_tile(
            planes,
            #[inline(always)]
            |tile, pair, i, j| {
                let total = &mut sums[pair];
                let guard = planes.guard(i, j);
                add(total, planes.tile(i, tile), planes.tile(j, tile), guard);
                total.n = n;
                total.power_i = n * planes.power(i);
                total.power_j = n * planes.power(j);
            },
        );
        sums
    }
}

#[inline(always)]
fn add(total: &mut PairSums, one: Tile<'_, f64>, other: Tile<'_, f64>, guard: Guard) {
    let (re_i, im_i, rest_i) = one.lanes::<LANES>();
    let (re_j, im_j, rest_j) = other.lanes::<LANES>();
    let mut sums = [[0.0; LANES]; SUMS];
    for ((re_i, im_i), (re_j, im_j)) in re_i.iter().zip(im_i).zip(re_j.iter().zip(im_j)) {
        for lane in 0..LANES {
            let values = terms([re_i[lane], im_i[lane]], [re_j[lane], im_j[lane]], guard);
            for (sum, value) in sums.iter_mut().zip(values) {
                sum[lane] += value;
            }
        }
    }
    let mut sums = add_lanes(&sums);
    let rest = rest_i.re.iter().zip(rest_i.im);
    for ((re_i, im_i), (re_j, im_j)) in rest.zip(rest_j.re.iter().zip(rest_j.im)) {
        let values = terms([*re_i, *im_i], [*re_j, *im_j], guard);
        for (sum, value) in sums.iter_mut().zip(values) {
            *sum += value;
        }
    }
    let [
        positive,
        negative,
        re,
        im,
        im_abs,
        im_square,
        unit_re,
        unit_im,
        unit_im_abs,
    ] = sums;
    total.positive += positive;
    total.negative += negative;
    total.cross += Complex64::new(re, im);
    total.im_abs += im_abs;
    total.im_square += im_square;
    total.unit += Complex64::new(unit_re, unit_im);
    total.unit_im_abs += unit_im_abs;
}

/// Kept out of the loop above, which would else be laid out for these sums.
#[inline(never)]
fn add_lanes(sums: &[[f64; LANES]; SUMS]) -> [f64; SUMS] {
    sums.map(|lanes| lanes.iter().sum())
}

/// Sums kept per pair.
const SUMS: usize = 9;

/// What one observation adds to each.
#[inline(always)]
fn terms([re_i, im_i]: [f64; 2], [re_j, im_j]: [f64; 2], guard: Guard) -> [f64; SUMS] {
    let re = re_i * re_j + im_i * im_j;
    let raw = im_i * re_j - re_i * im_j;
    let amplitudes = ((re_i * re_i + im_i * im_i) * (re_j * re_j + im_j * im_j)).sqrt();
    let im = if raw.abs() <= guard.bound(amplitudes) {
        0.0
    } else {
        raw
    };
    let inverse = if amplitudes > 0.0 {
        1.0 / amplitudes
    } else {
        0.0
    };
    [
        if im > 0.0 { 1.0 } else { 0.0 },
        if im < 0.0 { 1.0 } else { 0.0 },
        re,
        im,
        im.abs(),
        im * im,
        re * inverse,
        im * inverse,
        im.abs() * inverse,
    ]
}
