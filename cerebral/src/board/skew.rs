//! Takes away the half sample by which the Daisy's readings are later than the Cyton's. Pure.
//!
//! Both are means of their board's two latest readings, the Daisy's one reading (4 ms) later: half a sample at 125 Hz, 0.25 rad
//! at 10 Hz. What the Daisy would have read with the Cyton lies midway between two of its samples, and is taken from the 16
//! around by a sinc under a Blackman taper:
//!
//! ```text
//! y[k] = sum_i h(M - 1/2 - i) d[k - M + i],  i = 0..2M,  h(x) = sinc(x) w(x / M),  M = 8
//! ```
//!
//! Its weights lie evenly about the middle, so its delay is exactly half a sample at every frequency: nothing of the lag remains but
//! rounding. Its amplitude is true to 0.1 % up to 35 Hz and falls towards 62.5 Hz. The first 8 and last 7 samples of a
//! stretch have no neighbours enough and are left out; nothing is ever taken across a gap.

use std::collections::VecDeque;
use std::f64::consts::PI;

use super::daisy::N_BOTH;
use super::packet::N_CHANNELS;
use crate::number::float;

/// Samples before and from the middle on.
pub const HALF: usize = 8;

/// One sample of both boards, microvolts.
#[derive(Debug, Clone, PartialEq)]
pub struct Both<T> {
    /// Whatever is to come out with it.
    pub tag: T,
    /// Channels 1 to 16.
    pub uv: [f64; N_BOTH],
}

/// Puts both boards on the Cyton's time.
#[derive(Debug, Clone)]
pub struct Skew<T> {
    weights: [f64; 2 * HALF],
    held: VecDeque<Both<T>>,
}

impl<T> Default for Skew<T> {
    fn default() -> Self {
        let mut weights = [0.0; 2 * HALF];
        let half = float(HALF);
        for (i, weight) in weights.iter_mut().enumerate() {
            let x = half - 0.5 - float(i);
            let taper = 0.42 + 0.5 * (PI * x / half).cos() + 0.08 * (2.0 * PI * x / half).cos();
            *weight = (PI * x).sin() / (PI * x) * taper;
        }
        let sum: f64 = weights.iter().sum();
        weights.iter_mut().for_each(|weight| *weight /= sum);
        Self {
            weights,
            held: VecDeque::with_capacity(2 * HALF),
        }
    }
}

impl<T: Clone> Skew<T> {
    /// Nothing that comes follows what came.
    pub fn clear(&mut self) {
        self.held.clear();
    }

    /// What came last, if anything did that the next may follow.
    pub fn newest(&self) -> Option<&T> {
        self.held.back().map(|sample| &sample.tag)
    }

    /// Takes the sample that follows; gives the one 7 before it, once there are enough around that.
    pub fn push(&mut self, sample: Both<T>) -> Option<Both<T>> {
        if self.held.len() == 2 * HALF {
            self.held.pop_front();
        }
        self.held.push_back(sample);
        if self.held.len() < 2 * HALF {
            return None;
        }
        let mut middle = self.held.get(HALF)?.clone();
        middle.uv[N_CHANNELS..].fill(0.0);
        for (weight, sample) in self.weights.iter().zip(&self.held) {
            let daisy = middle.uv[N_CHANNELS..].iter_mut();
            for (to, reading) in daisy.zip(&sample.uv[N_CHANNELS..]) {
                *to += weight * reading;
            }
        }
        Some(middle)
    }
}

#[cfg(test)]
mod tests {
    use std::f64::consts::TAU;

    use num_complex::Complex64;

    use super::*;

    /// What may remain of the lag, radians.
    const REMAINS_RAD: f64 = 0.005;

    /// Phase of the Daisy against the Cyton and ratio of amplitudes for a sine that both see, as the boards read it: each the mean of
    /// its two latest readings, the Daisy's one reading later.
    fn lag(frequency_hz: f64, is_compensated: bool) -> (f64, f64) {
        let read = |n: usize| 50.0 * (TAU * frequency_hz * float(n) / 250.0 + 0.3).sin();
        let mean = |n: usize| f64::midpoint(read(n), read(n - 1));
        let mut skew = Skew::default();
        let (mut cyton, mut daisy) = (Complex64::ZERO, Complex64::ZERO);
        // Whole seconds: a whole number of periods of every whole frequency.
        let mut n_taken = 0;
        for k in 1..1_200 {
            let mut uv = [0.0; N_BOTH];
            uv[..N_CHANNELS].fill(mean(2 * k + 1));
            uv[N_CHANNELS..].fill(mean(2 * k + 2));
            let sample = Both { tag: k, uv };
            let out = if is_compensated {
                skew.push(sample)
            } else {
                Some(sample)
            };
            let Some(out) = out.filter(|_| n_taken < 1_000) else {
                continue;
            };
            n_taken += 1;
            let turn = Complex64::from_polar(1.0, -TAU * frequency_hz * float(out.tag) / 125.0);
            cyton += turn * out.uv[0];
            daisy += turn * out.uv[15];
        }
        assert_eq!(n_taken, 1_000);
        let ratio = daisy / cyton;
        (ratio.arg(), ratio.norm())
    }

    #[test]
    fn half_a_sample_is_a_quarter_radian_at_10_hz_and_nothing_once_compensated() {
        let (before_rad, _) = lag(10.0, false);
        assert!(
            (before_rad - TAU * 10.0 * 0.004).abs() < 1e-9,
            "{before_rad}"
        );
        for hz in 4..=30 {
            let (rad, ratio) = lag(f64::from(hz), true);
            assert!(rad.abs() < REMAINS_RAD, "{hz} Hz: {rad} rad");
            assert!(rad.abs() < 1e-9, "{hz} Hz: {rad} rad");
            assert!((ratio - 1.0).abs() < 1e-3, "{hz} Hz: {ratio}");
        }
    }

    #[test]
    fn what_stands_still_stands_still_and_the_first_comes_eight_in() {
        let mut skew = Skew::default();
        let mut tags = Vec::new();
        for tag in 0..40 {
            if tag == 20 {
                skew.clear();
            }
            let out = skew.push(Both {
                tag,
                uv: [187_500.0; N_BOTH],
            });
            if let Some(out) = out {
                assert!(out.uv.iter().all(|uv| (uv - 187_500.0).abs() < 1e-6));
                tags.push(out.tag);
            }
        }
        // 0..20 and 20..40, each without its first 8 and last 7.
        let expected: Vec<i32> = (8..13).chain(28..33).collect();
        assert_eq!(tags, expected);
    }
}
