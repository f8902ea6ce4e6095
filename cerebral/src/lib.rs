//! EEG -> phase -> connectivity -> significance -> twin -> what-if.
//!
//! Arrays are `(n_channels, n_samples)`: microvolts in, radians and hertz out.
//!
//! Reading order: `source` (recordings), `board` (packets of a headset) -> `preprocess` (filters, artefacts) -> `phase`
//! (analytic signal, frequencies) -> `connectivity` (PLI, wPLI and their kin) -> `surrogate` (what noise alone would give) ->
//! `twin` (the Kuramoto network) -> `calibration` (its coupling from a recording) -> `control` (what-if, closed loop) ->
//! `analyze` (all of it in steps) -> `report`; `feed` (sources become blocks on a topic); `stream` (windows of a session as it comes, on the window machine of `windowing`).
//! What the figures mean, and what they do not, stands in `docs/eeg.md`.

pub mod analyze;
mod bits;
pub mod board;
pub mod calibration;
pub mod connectivity;
pub mod control;
mod error;
pub mod feed;
#[doc(hidden)]
pub mod fuzzing;
mod number;
pub mod phase;
pub mod preprocess;
pub mod report;
pub mod source;
pub mod stream;
pub mod surrogate;
pub mod twin;
mod units;

pub use error::AnalysisError;
pub use units::{Band, SampleRate};
