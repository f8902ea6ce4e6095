//! From microvolts as recorded to microvolts fit for a phase.
//!
//! In: `(n_channels, n_samples)`, microvolts. Out: the same shape. Each step is a pure function of the samples it is given: cut
//! first, then clean, so that a result depends on nothing outside its segment. Absent: reading files, phases.

mod artefact;
mod bad_channel;
mod cut;
mod epoch;
mod filter;
mod montage;
mod reference;
mod robust;
mod trend;

pub use artefact::{Artefact, ArtefactKind, find_artefacts};
pub use bad_channel::{BadChannel, ChannelFault, find_bad_channels};
pub use cut::cut;
pub use epoch::{EpochChoice, EpochLeftOut, Epochs};
pub use filter::{Causal, Section, Sos};
pub use montage::{Montage, standard_position};
pub use reference::Reference;
pub use trend::{remove_mean, remove_trend};

pub(crate) use filter::Lanes;
