//! The twin: a network of oscillators that can be run, stimulated, measured and compared with the recording.
//!
//! Reading order: `network` (what is integrated), `coupling`, `drive` -> `field` (its right-hand side), `matvec`,
//! `history` (delays) -> `integrate` (fixed steps), `taylor` (adaptive) -> `order` (synchrony), `locked` and `criticality`
//! (what the network could do) -> `compare` (twin against recording). `jansen_rit` is another model: potentials, not phases.
//!
//! Absent on purpose: where parameters come from (`calibration`) and what stimulation is worth (`control`).

mod compare;
mod coupling;
mod criticality;
mod drive;
mod eigen;
pub(crate) mod error;
mod field;
mod history;
mod integrate;
pub mod jansen_rit;
mod locked;
mod matvec;
mod network;
pub(crate) mod number;
pub(crate) mod order;
mod taylor;

pub use compare::{
    Agreement, agreement, matrix_agreement, phase_agreement, phase_lag_index, phase_relations,
    signals, spectrum_agreement,
};
pub use coupling::Coupling;
pub use criticality::{
    CRITICAL_CONNECTIVITY, Connectivity, SweepPoint, all_to_all, coupling_sweep, density_at_mean,
    locking_threshold, mean_field_critical_coupling, minimum_connectivity, spectral_critical_scale,
};
pub use drive::{Drive, DriveKind, Target};
pub use error::TwinError;
pub use integrate::{Method, Run, Trajectory, simulate};
pub use locked::{LockedState, arnold_tongue, jacobian, locked_state, locked_states};
pub use network::Network;
pub use order::{mean_field, metastability, order_parameter};
pub use taylor::{Effort, simulate_adaptive};
