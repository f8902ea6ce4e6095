//! What stimulation does to a twin: single stimuli (`what_if`), and the closed loop that serves an aim best (`closed_loop`).
//!
//! A network comes in; differences between runs with and without the stimulus, under the same noise and from the same
//! phases, go out, with their spread over seeds. Whether the network deserves trust is not known here: verdicts of earlier
//! steps travel with it.

mod closed_loop;
mod what_if;

pub use closed_loop::{ClosedLoop, Objective, Search, optimise};
pub(crate) use what_if::effect;
pub use what_if::{Effect, Spread, Trials, WhatIf, rank_nodes, what_if};
