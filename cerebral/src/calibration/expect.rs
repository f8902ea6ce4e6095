//! One pass over the recording with given parameters: the E step.

use ndarray::{Array1, Array2};
use num_complex::Complex64;

use crate::calibration::baseband::Baseband;
use crate::calibration::filter::{Amplitude, Filtered, Keep, filter};
use crate::calibration::model::{Parameters, Transition, per_sample};
use crate::calibration::regress::Sums;
use crate::calibration::smoother::{Pair, See, smooth};
use crate::number::float;

/// What the recording says about the hidden phases, summed as the M step needs it.
pub(crate) struct Expectation {
    /// Sums over blocks of [`BLOCK_S`] seconds, in order of time.
    pub(crate) blocks: Vec<Sums>,
    /// `E[Re z exp(-i theta)]` of every sample, `(n_steps, n)`.
    pub(crate) along: Array2<f64>,
    /// Smoothed phases, rad, wrapped, `(n_steps, n)`.
    pub(crate) phase: Array2<f64>,
    /// Mean variance of the smoothed phases, rad^2, `(n)`.
    pub(crate) variance: Array1<f64>,
    /// Mean predictive log density, nats per sample and channel.
    pub(crate) log_likelihood: f64,
}

/// Blocks whose scores are taken as independent: long beside the filter's memory (0.1 s), short beside a recording.
pub(crate) const BLOCK_S: f64 = 1.0;

/// How long a filter may look for the phases before its predictions count, seconds.
pub(crate) const SETTLE_S: f64 = 0.5;

/// The same phase in (-pi, pi].
fn wrapped(phase: f64) -> f64 {
    Complex64::cis(phase).arg()
}

/// Steps in `seconds`, at least one.
pub(crate) fn steps(seconds: f64, step_s: f64) -> usize {
    crate::twin::number::whole((seconds / step_s).round())
        .unwrap_or(1)
        .max(1)
}

/// One pass; `filtered` is its memory. Compiled for the widest vectors that the processor has.
pub(crate) fn expect(
    p: &Parameters,
    base: &Baseband,
    amplitude: &Array2<f64>,
    filtered: &mut Filtered,
) -> Expectation {
    // The common numbers of channels get loops of known length.
    pulp::Arch::new().dispatch(|| match p.n() {
        4 => pass(4, p, base, amplitude, filtered),
        8 => pass(8, p, base, amplitude, filtered),
        16 => pass(16, p, base, amplitude, filtered),
        n => pass(n, p, base, amplitude, filtered),
    })
}

#[inline(always)]
fn pass(
    n: usize,
    p: &Parameters,
    base: &Baseband,
    amplitude: &Array2<f64>,
    filtered: &mut Filtered,
) -> Expectation {
    let n_steps = base.z.nrows();
    let skip = steps(SETTLE_S, base.step_s).min(n_steps / 2);
    filter(
        n,
        p,
        base,
        Amplitude::Given(amplitude),
        skip,
        Keep::Everything,
        filtered,
    );
    let length = steps(BLOCK_S, base.step_s);
    let mut tally = Tally {
        n,
        p,
        base,
        length,
        blocks: vec![Sums::new(n); n_steps.div_ceil(length)],
        along: Array2::zeros((n_steps, n)),
        phase: Array2::zeros((n_steps, n)),
        variance: Array1::zeros(n),
        transition: Transition::new(n),
    };
    smooth(filtered, n, &mut tally);
    let Tally {
        blocks,
        mut along,
        mut phase,
        variance,
        ..
    } = tally;
    // The pairs of neighbours end one step before the last, which the filter alone knows as well as the smoother.
    for c in 0..n {
        let last = filtered.mean[(n_steps - 1) * n + c];
        let variance = filtered.spread[(n_steps - 1) * n * n + c * n + c];
        phase[[n_steps - 1, c]] = wrapped(last);
        along[[n_steps - 1, c]] =
            (base.z[[n_steps - 1, c]] * Complex64::cis(-last)).re * (-variance / 2.0).exp();
    }
    Expectation {
        blocks,
        along,
        phase,
        variance: variance / float(n_steps.max(2) - 1),
        log_likelihood: per_sample(filtered.log_likelihood, n_steps - skip, n),
    }
}

/// What is gathered from the smoother, pair by pair.
struct Tally<'a> {
    n: usize,
    p: &'a Parameters,
    base: &'a Baseband,
    /// Steps in a block.
    length: usize,
    blocks: Vec<Sums>,
    along: Array2<f64>,
    phase: Array2<f64>,
    variance: Array1<f64>,
    transition: Transition,
}

impl See for Tally<'_> {
    #[inline(always)]
    fn see(&mut self, pair: &Pair<'_>) {
        let (n, t) = (self.n, pair.t);
        self.blocks[t / self.length].add(n, self.p, self.base.step_s, pair, &mut self.transition);
        for c in 0..n {
            let variance = pair.spread[0][c * n + c];
            let damped = (-variance / 2.0).exp();
            self.variance[c] += variance;
            self.phase[[t, c]] = wrapped(pair.mean[0][c]);
            self.along[[t, c]] =
                (self.base.z[[t, c]] * Complex64::cis(-pair.mean[0][c])).re * damped;
        }
    }
}

impl Expectation {
    /// The sums of all blocks.
    pub(crate) fn total(&self) -> Sums {
        let mut total = self.blocks[0].clone();
        self.blocks[1..].iter().for_each(|block| total.merge(block));
        total
    }

    /// The amplitude around every sample: the mean of `along` over `window_steps`, never below a twentieth of the whole
    /// mean, so that a phase is never undefined.
    pub(crate) fn amplitude(&self, window_steps: usize) -> (Array1<f64>, Array2<f64>) {
        let (n_steps, n) = self.along.dim();
        let mut local = Array2::zeros((n_steps, n));
        let mut overall = Array1::zeros(n);
        let half = window_steps / 2;
        for c in 0..n {
            let mut sums = vec![0.0; n_steps + 1];
            for (t, along) in self.along.column(c).iter().enumerate() {
                sums[t + 1] = sums[t] + along;
            }
            let mean = sums[n_steps] / float(n_steps);
            overall[c] = mean;
            for t in 0..n_steps {
                let (from, to) = (t.saturating_sub(half), (t + half + 1).min(n_steps));
                local[[t, c]] = ((sums[to] - sums[from]) / float(to - from)).max(mean / 20.0);
            }
        }
        (overall, local)
    }

    /// Variance of one component of the noise that is left beside this amplitude.
    pub(crate) fn noise(&self, z: &Array2<Complex64>, amplitude: &Array2<f64>) -> Array1<f64> {
        let (n_steps, n) = z.dim();
        Array1::from_shape_fn(n, |c| {
            let rest = |t: usize| {
                let a = amplitude[[t, c]];
                z[[t, c]].norm_sqr() - 2.0 * a * self.along[[t, c]] + a * a
            };
            (0..n_steps).map(rest).sum::<f64>() / float(2 * n_steps)
        })
    }
}
