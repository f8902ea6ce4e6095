//! Analytic signals with real and imaginary parts apart, and what the zero-lag guard needs to know of them.

use ndarray::ArrayView2;
use num_complex::Complex64;

use super::{LANES, TILE, ZERO_LAG, ZERO_LAG_FLOOR};
use crate::number::{float, single};

/// Which parts are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Parts {
    /// 53 bits: 16 bytes a sample.
    Exact,
    /// And 24 bits, for counting signs alone: 24 bytes a sample.
    ExactAndShort,
}

/// Analytic signals of some channels.
#[derive(Debug, Clone)]
pub(crate) struct Planes {
    n_channels: usize,
    n_samples: usize,
    re: Vec<f64>,
    im: Vec<f64>,
    /// Both parts over the rms, rounded to 24 bits, for counting signs.
    re_single: Vec<f32>,
    im_single: Vec<f32>,
    /// Per channel and tile: the largest amplitude.
    peak: Vec<f64>,
    rms: Vec<f64>,
    band_sd: Vec<f64>,
    alive: Vec<bool>,
}

/// One channel's samples within one tile.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Tile<'a, T> {
    pub(crate) re: &'a [T],
    pub(crate) im: &'a [T],
}

impl<'a, T> Tile<'a, T> {
    /// The part that fills whole lanes, and the rest.
    #[inline(always)]
    pub(crate) fn lanes<const N: usize>(self) -> (&'a [[T; N]], &'a [[T; N]], Tile<'a, T>) {
        let (re, re_rest) = self.re.as_chunks();
        let (im, im_rest) = self.im.as_chunks();
        let rest = Tile {
            re: re_rest,
            im: im_rest,
        };
        (re, im, rest)
    }
}

impl Planes {
    /// Room for that many channels and samples; every channel is dead until set.
    pub(crate) fn new(n_channels: usize, n_samples: usize, parts: Parts) -> Self {
        let size = n_channels * n_samples;
        let short = match parts {
            Parts::Exact => 0,
            Parts::ExactAndShort => size,
        };
        Self {
            n_channels,
            n_samples,
            re: vec![0.0; size],
            im: vec![0.0; size],
            re_single: vec![0.0; short],
            im_single: vec![0.0; short],
            peak: vec![0.0; n_channels * n_samples.div_ceil(TILE)],
            rms: vec![0.0; n_channels],
            band_sd: vec![0.0; n_channels],
            alive: vec![false; n_channels],
        }
    }

    /// The channels of `z`, `(n_channels, n_observations)`.
    pub(crate) fn of(z: ArrayView2<'_, Complex64>, parts: Parts) -> Self {
        let mut planes = Self::new(z.nrows(), z.ncols(), parts);
        for (channel, row) in z.rows().into_iter().enumerate() {
            planes.set(channel, row.iter().copied());
        }
        planes
    }

    /// Puts one channel in. It is dead where it is 0 throughout or any sample is not finite.
    pub(crate) fn set(&mut self, channel: usize, z: impl Iterator<Item = Complex64>) {
        let range = channel * self.n_samples..(channel + 1) * self.n_samples;
        let (re, im) = (&mut self.re[range.clone()], &mut self.im[range.clone()]);
        for ((re, im), value) in re.iter_mut().zip(im.iter_mut()).zip(z) {
            (*re, *im) = (value.re, value.im);
        }
        let n_tiles = self.n_samples.div_ceil(TILE);
        let (rms, band_sd) = pulp::Arch::new().dispatch(Prepare {
            parts: [re, im],
            singles: [
                self.re_single.get_mut(range.clone()).unwrap_or_default(),
                self.im_single.get_mut(range).unwrap_or_default(),
            ],
            peaks: &mut self.peak[channel * n_tiles..(channel + 1) * n_tiles],
        });
        self.rms[channel] = rms;
        self.band_sd[channel] = band_sd;
        self.alive[channel] = rms > 0.0 && rms.is_finite();
    }

    pub(crate) fn n_channels(&self) -> usize {
        self.n_channels
    }

    pub(crate) fn n_samples(&self) -> usize {
        self.n_samples
    }

    pub(crate) fn n_tiles(&self) -> usize {
        self.n_samples.div_ceil(TILE)
    }

    /// Which channels carry anything.
    pub(crate) fn alive(&self) -> &[bool] {
        &self.alive
    }

    /// Mean of `|z|^2` of a channel.
    pub(crate) fn power(&self, channel: usize) -> f64 {
        self.rms[channel] * self.rms[channel]
    }

    /// Standard deviation of a channel's real part: of the band's signal itself.
    pub(crate) fn band_sd(&self, channel: usize) -> f64 {
        self.band_sd[channel]
    }

    /// How alike the phases of the living channels are, `|mean_i z_i / |z_i||` at each sample, the mean over samples.
    pub(crate) fn synchrony(&self) -> f64 {
        let living: Vec<usize> = (0..self.n_channels)
            .filter(|&channel| self.alive[channel])
            .collect();
        let at = |t: usize| {
            let (mut re, mut im) = (0.0, 0.0);
            for channel in &living {
                let place = channel * self.n_samples + t;
                let (x, y) = (self.re[place], self.im[place]);
                let scale = 1.0 / (x * x + y * y).sqrt().max(f64::MIN_POSITIVE);
                re += x * scale;
                im += y * scale;
            }
            (re * re + im * im).sqrt()
        };
        let total: f64 = (0..self.n_samples).map(at).sum();
        total / float(living.len()) / float(self.n_samples)
    }

    #[inline(always)]
    pub(crate) fn tile(&self, channel: usize, tile: usize) -> Tile<'_, f64> {
        let start = channel * self.n_samples + tile * TILE;
        let end = (start + TILE).min((channel + 1) * self.n_samples);
        Tile {
            re: &self.re[start..end],
            im: &self.im[start..end],
        }
    }

    #[inline(always)]
    pub(crate) fn tile_single(&self, channel: usize, tile: usize) -> Tile<'_, f32> {
        let start = channel * self.n_samples + tile * TILE;
        let end = (start + TILE).min((channel + 1) * self.n_samples);
        Tile {
            re: &self.re_single[start..end],
            im: &self.im_single[start..end],
        }
    }

    /// The product of the largest amplitudes of two channels in a tile.
    #[inline(always)]
    pub(crate) fn peaks(&self, tile: usize, i: usize, j: usize) -> f64 {
        let n_tiles = self.n_tiles();
        self.peak[i * n_tiles + tile] * self.peak[j * n_tiles + tile]
    }

    /// The product of two channels' rms.
    #[inline(always)]
    pub(crate) fn scale(&self, i: usize, j: usize) -> f64 {
        self.rms[i] * self.rms[j]
    }

    /// The zero-lag guard of a pair.
    #[inline(always)]
    pub(crate) fn guard(&self, i: usize, j: usize) -> Guard {
        Guard {
            floor: ZERO_LAG_FLOOR * self.scale(i, j),
        }
    }
}

/// Up to where an imaginary part counts as 0.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Guard {
    floor: f64,
}

impl Guard {
    /// The bound for the product `amplitudes` of two amplitudes.
    #[inline(always)]
    pub(crate) fn bound(self, amplitudes: f64) -> f64 {
        ZERO_LAG
            * if amplitudes > self.floor {
                amplitudes
            } else {
                self.floor
            }
    }

    /// `Im(z_i conj z_j)`, or 0 within the bound.
    #[inline(always)]
    pub(crate) fn imaginary(self, [re_i, im_i]: [f64; 2], [re_j, im_j]: [f64; 2]) -> f64 {
        let a = im_i * re_j - re_i * im_j;
        let power = (re_i * re_i + im_i * im_i) * (re_j * re_j + im_j * im_j);
        if a.abs() <= self.bound(power.sqrt()) {
            0.0
        } else {
            a
        }
    }
}

/// What a channel needs besides its samples.
struct Prepare<'a> {
    parts: [&'a [f64]; 2],
    singles: [&'a mut [f32]; 2],
    peaks: &'a mut [f64],
}

impl pulp::NullaryFnOnce for Prepare<'_> {
    type Output = (f64, f64);

    /// The rms, and the standard deviation of the real part.
    #[inline(always)]
    fn call(self) -> (f64, f64) {
        let [re, im] = self.parts;
        let mut total = Power::default();
        let tiles = re.chunks(TILE).zip(im.chunks(TILE));
        for (peak, (re, im)) in self.peaks.iter_mut().zip(tiles) {
            let here = tile_power(Tile { re, im });
            total.square += here.square;
            total.re += here.re;
            total.re_square += here.re_square;
            *peak = here.most.sqrt();
        }
        let n = float(re.len().max(1));
        let rms = (total.square / n).sqrt();
        // The band's signal has hardly a mean, so the difference loses nothing.
        let variance = total.re_square / n - (total.re / n).powi(2);
        let scale = 1.0 / rms;
        for (singles, part) in self.singles.into_iter().zip([re, im]) {
            for (single_value, value) in singles.iter_mut().zip(part) {
                *single_value = single(value * scale);
            }
        }
        (rms, variance.max(0.0).sqrt())
    }
}

/// Sums over a tile, and the greatest `|z|^2`.
#[derive(Debug, Clone, Copy, Default)]
struct Power {
    square: f64,
    re: f64,
    re_square: f64,
    most: f64,
}

/// [`Power`] of a tile; a sample that is not finite makes the sum so.
#[inline(always)]
fn tile_power(tile: Tile<'_, f64>) -> Power {
    let (re, im, rest) = tile.lanes::<LANES>();
    let mut lanes = [[0.0_f64; LANES]; 4];
    for (re, im) in re.iter().zip(im) {
        for lane in 0..LANES {
            let re_square = re[lane] * re[lane];
            let square = re_square + im[lane] * im[lane];
            lanes[0][lane] += square;
            lanes[1][lane] += re[lane];
            lanes[2][lane] += re_square;
            let most = &mut lanes[3][lane];
            *most = if square > *most { square } else { *most };
        }
    }
    add_lanes(&lanes, rest)
}

/// Kept out of the loop above, which would else be laid out for these sums.
#[inline(never)]
fn add_lanes(lanes: &[[f64; LANES]; 4], rest: Tile<'_, f64>) -> Power {
    let mut sum = Power {
        square: lanes[0].iter().sum(),
        re: lanes[1].iter().sum(),
        re_square: lanes[2].iter().sum(),
        most: lanes[3].iter().copied().fold(0.0, f64::max),
    };
    for (re, im) in rest.re.iter().zip(rest.im) {
        let square = re * re + im * im;
        sum.square += square;
        sum.re += re;
        sum.re_square += re * re;
        sum.most = sum.most.max(square);
    }
    sum
}
