//! Whoever watches an analysis: bars, lines on a screen, a way to stop.

use super::result::Analysis;
use super::step::StepId;

/// Is told how an analysis goes on, from whichever thread. `()` watches nothing.
pub trait Watch: Sync {
    /// A step begins.
    fn began(&self, _step: StepId) {}

    /// So much of a step is done.
    fn advanced(&self, _step: StepId, _done: usize, _of: usize) {}

    /// A step has ended; what it found stands in `so_far`.
    fn ended(&self, _step: StepId, _so_far: &Analysis) {}

    /// Steps 1 to 3 of a further band have ended; it is the last in `so_far`.
    fn ended_band(&self, _so_far: &Analysis) {}

    /// Whether to stop before the next step.
    fn is_stopped(&self) -> bool {
        false
    }
}

impl Watch for () {}
