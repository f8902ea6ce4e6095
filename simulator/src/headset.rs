//! An OpenBCI Cyton, with or without a Daisy, whose brain is a known network of oscillators.
//!
//! ```text
//! Brain (pure)   Kuramoto phases, noise, blinks, mains, offsets  ->  microvolts, 250 a second
//! Board (pure)   commands in, replies and packets out             ->  bytes, as a Cyton says them
//! Line  (pure)   loses, flips and gains bytes, by a seed          ->  bytes, as a radio delivers them
//! Headset        the three at the pace of a clock on a pseudo-terminal
//! ```
//!
//! Source of what the board says: OpenBCI's documentation, "Cyton Data Format" and "Cyton SDK".

pub mod board;
pub mod brain;
pub mod line;
#[cfg(unix)]
pub mod terminal;

pub use board::Board;
pub use brain::{Brain, BrainSettings};
pub use line::{Line, LineFaults};
#[cfg(unix)]
pub use terminal::{Headset, HeadsetSettings};
