//! Which channels go together, and with what lag.
//!
//! ```text
//! raw -> Pipeline -> analytic signals -> over samples | over epochs | over windows -> Network
//! raw -> MNE's own conventions: Fourier epochs, Morlet time --------------------------^
//! ```
//!
//! In: `(n_channels, n_samples)`. Out: [`Network`], one matrix per [`Measure`] with the [`Convention`] it was made by: the same
//! name by another convention is another number. Element `[i][j]` comes from `z_i conj z_j`; a positive imaginary part means
//! that `i` leads. Absent: significance (`surrogate`), fitted coupling (`calibration`).

mod convention;
mod envelope;
mod epochs;
mod kernel;
mod measure;
mod mne;
mod network;
mod pipeline;
mod samples;
mod windows;

pub use convention::{Convention, Method, independent_observations};
pub use envelope::envelope_correlation;
pub use epochs::over_epochs;
pub use measure::Measure;
pub use mne::{mne_epochs_fourier, mne_time_morlet};
pub use network::Network;
pub use pipeline::{Pass, Pipeline};
pub use samples::over_samples;
pub use windows::{WindowedNetwork, Windows, over_windows};

pub(crate) use kernel::{Parts, Planes, lags, pairs, signs};
pub(crate) use network::Symmetric;
