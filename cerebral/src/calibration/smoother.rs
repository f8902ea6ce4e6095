//! The backward pass (Rauch, Tung and Striebel), handing each pair of neighbouring steps to whoever sums over them.

use crate::calibration::dense;
use crate::calibration::filter::Filtered;

/// What is known about steps t and t + 1 once the whole recording has been seen.
pub(crate) struct Pair<'a> {
    /// The earlier step.
    pub(crate) t: usize,
    /// Means at t and t + 1.
    pub(crate) mean: [&'a [f64]; 2],
    /// Covariances at t and t + 1.
    pub(crate) spread: [&'a [f64]; 2],
    /// `Cov(theta[t+1]_i, theta[t]_j)`, row-major.
    pub(crate) across: &'a [f64],
}

/// Whoever sums over the smoothed steps. A trait, not a closure: its body must be inlined where the processor's vectors are
/// known.
pub(crate) trait See {
    /// Takes one pair in.
    fn see(&mut self, pair: &Pair<'_>);
}

/// Shows `eye` every pair of neighbouring steps, from the last to the first.
#[inline(always)]
pub(crate) fn smooth(filtered: &Filtered, n: usize, eye: &mut impl See) {
    let n_steps = filtered.mean.len() / n;
    let row = |values: &[f64], t: usize| values[t * n..(t + 1) * n].to_vec();
    let block = |values: &[f64], t: usize| values[t * n * n..(t + 1) * n * n].to_vec();
    let mut later_mean = row(&filtered.mean, n_steps - 1);
    let mut later_spread = block(&filtered.spread, n_steps - 1);
    let mut mean = vec![0.0; n];
    let mut spread = vec![0.0; n * n];
    let mut surprise = vec![0.0; n];
    let (mut across, mut moved, mut scratch) =
        (vec![0.0; n * n], vec![0.0; n * n], vec![0.0; n * n]);
    for t in (0..n_steps - 1).rev() {
        let gain = &filtered.gain[t * n * n..(t + 1) * n * n];
        for ((out, seen), predicted) in surprise
            .iter_mut()
            .zip(&later_mean)
            .zip(&filtered.next_mean[t * n..])
        {
            *out = seen - predicted;
        }
        mean.copy_from_slice(&filtered.mean[t * n..(t + 1) * n]);
        for (surprise, gain) in surprise.iter().zip(gain.chunks_exact(n)) {
            mean.iter_mut()
                .zip(gain)
                .for_each(|(mean, gain)| *mean += gain * surprise);
        }
        for ((moved, later), predicted) in moved
            .iter_mut()
            .zip(&later_spread)
            .zip(&filtered.next_spread[t * n * n..])
        {
            *moved = later - predicted;
        }
        dense::transposed_multiply(gain, &moved, &mut scratch, n);
        dense::multiply(&scratch, gain, &mut spread, n);
        spread
            .iter_mut()
            .zip(&filtered.spread[t * n * n..])
            .for_each(|(s, filtered)| *s += filtered);
        dense::symmetrise(&mut spread, n);
        dense::multiply(&later_spread, gain, &mut across, n);
        eye.see(&Pair {
            t,
            mean: [&mean, &later_mean],
            spread: [&spread, &later_spread],
            across: &across,
        });
        std::mem::swap(&mut mean, &mut later_mean);
        std::mem::swap(&mut spread, &mut later_spread);
    }
}
