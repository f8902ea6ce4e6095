//! Fourier transforms of any length, planned once per length.
//!
//! Scaling: neither direction scales; whoever goes there and back divides by the length, and says so. Lengths with large prime
//! factors go by Bluestein's or Rader's way and cost a few times more, not a square.

use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use realfft::{ComplexToReal, RealFftPlanner, RealToComplex};
use rustfft::{Fft, FftPlanner};

static COMPLEX: LazyLock<Mutex<FftPlanner<f64>>> = LazyLock::new(|| Mutex::new(FftPlanner::new()));
static REAL: LazyLock<Mutex<RealFftPlanner<f64>>> =
    LazyLock::new(|| Mutex::new(RealFftPlanner::new()));

/// Complex forward transform of `n` values, unscaled.
pub(crate) fn forward(n: usize) -> Arc<dyn Fft<f64>> {
    let mut planner = COMPLEX.lock().unwrap_or_else(PoisonError::into_inner);
    planner.plan_fft_forward(n)
}

/// Complex inverse transform of `n` values, unscaled: divide by `n`.
pub(crate) fn inverse(n: usize) -> Arc<dyn Fft<f64>> {
    let mut planner = COMPLEX.lock().unwrap_or_else(PoisonError::into_inner);
    planner.plan_fft_inverse(n)
}

/// `n` real values to the `n / 2 + 1` frequencies from 0 to half the rate, unscaled.
pub(crate) fn real_forward(n: usize) -> Arc<dyn RealToComplex<f64>> {
    let mut planner = REAL.lock().unwrap_or_else(PoisonError::into_inner);
    planner.plan_fft_forward(n)
}

/// Back from `n / 2 + 1` frequencies to `n` real values, unscaled: divide by `n`.
pub(crate) fn real_inverse(n: usize) -> Arc<dyn ComplexToReal<f64>> {
    let mut planner = REAL.lock().unwrap_or_else(PoisonError::into_inner);
    planner.plan_fft_inverse(n)
}
