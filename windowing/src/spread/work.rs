//! Spreads as the work of a job: `ticks` in, [`Emitted`](super::Emitted) and [`Side`](super::Side) out.

use std::sync::Arc;

use contract::topic::{self, Topic};

use super::{Counters, Settings, SpreadLogic, Tally};
use crate::dataflow::{BoxError, Results};
use crate::error::WindowingError;
use crate::lines::{Partition, too_many_open};
use crate::state::PartitionState;
use crate::window::Shape;
use crate::windows::{TooManyOpen, Windows};
use crate::work::Work;

impl Work for Settings {
    const NAME: &'static str = "window";
    const INPUT: Topic = topic::TICKS;
    type Machine = Windows<SpreadLogic>;
    type Seen = Counters;
    type State = PartitionState;
    type Tally = Tally;

    fn shape(&self) -> Result<Shape, WindowingError> {
        Self::shape(self)
    }

    fn machine(self: &Arc<Self>, shape: Shape, partition: i32) -> Windows<SpreadLogic> {
        let logic = SpreadLogic::new(Arc::clone(self), partition);
        Windows::new(shape, self.max_gap_ms, self.max_open_records, logic)
    }

    fn restore(
        self: &Arc<Self>,
        partition: i32,
        text: &str,
    ) -> Result<Windows<SpreadLogic>, BoxError> {
        let state = PartitionState::from_text(text)?;
        let (_, windows) = Partition::restore(Arc::clone(self), partition, state)?.into_parts();
        Ok(windows)
    }

    fn state(machine: &Windows<SpreadLogic>) -> PartitionState {
        PartitionState::of(machine)
    }

    fn text(state: &PartitionState) -> String {
        state.to_text()
    }

    fn closed_ns(machine: &Windows<SpreadLogic>) -> Option<i64> {
        machine.boundary_ns()
    }

    fn seen(machine: &Windows<SpreadLogic>) -> Counters {
        machine.logic().counters()
    }

    fn heard_of(machine: &mut Windows<SpreadLogic>) -> Vec<String> {
        machine.logic_mut().new_venues()
    }

    fn refused(
        partition: i32,
        machine: &Windows<SpreadLogic>,
        full: TooManyOpen,
    ) -> WindowingError {
        too_many_open(partition, machine, full)
    }

    fn count(tally: &mut Tally, results: &Results) -> Vec<String> {
        tally.add(results)
    }

    fn total(tally: &Tally) -> Counters {
        tally.counters()
    }
}
