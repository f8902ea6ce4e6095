//! The twin: a network of oscillators that can be run, stimulated, measured and compared with the recording.
//!
//! Reading order: `network` (what is integrated), `coupling`, `drive` -> `field` (its right-hand side), `matvec`,
//! `history` (delays) -> `integrate` (fixed steps), `taylor` (adaptive) -> `order` (synchrony).
//!
//! Absent on purpose: where parameters come from (`calibration`) and what stimulation is worth (`control`).

mod coupling;
mod drive;
pub(crate) mod error;
mod field;
mod history;
mod integrate;
mod matvec;
mod network;
pub(crate) mod number;
mod order;
mod taylor;

pub use coupling::Coupling;
pub use drive::{Drive, DriveKind, Target};
pub use error::TwinError;
pub use integrate::{Method, Run, Trajectory, simulate};
pub use network::Network;
pub use order::{mean_field, metastability, order_parameter};
pub use taylor::{Effort, simulate_adaptive};
