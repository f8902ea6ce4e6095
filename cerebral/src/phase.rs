//! Phases and frequencies of band-limited channels.
//!
//! In: `(n_channels, n_samples)`, filtered, any unit. Out: analytic signals (the same unit, complex), phases in radians,
//! frequencies in hertz. A phase means something in a narrow band alone, and nothing near the ends of a segment: trim them.
//! Absent: filters, windows, pairs of channels.

mod analytic;
mod causal;
mod fourier;
mod frequency;
mod welch;

pub use analytic::{analytic_signal, phase, trimmed};
pub use causal::{CausalPhase, CausalPhaseStream, PhaseNow};
pub use frequency::{Frequencies, frequencies, instantaneous_frequency_hz};
pub use welch::{Spectrum, welch};

pub(crate) use analytic::{Hilbert, one_sided_weight};
pub(crate) use causal::mean_of_now;
pub(crate) use fourier::{forward, inverse, real_inverse};

#[cfg(test)]
mod tests;
