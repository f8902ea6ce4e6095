//! What a job is for: records of a partition to results, as one pure value per partition.
//!
//! [`Work`] is what differs between jobs; moving records ([`crate::dataflow`]), reading them from Kafka and delivering results
//! exactly once ([`crate::run`]) are the same for all. Spreads are one such work ([`crate::spread`]), EEG windows are another.

use std::ops::AddAssign;
use std::sync::Arc;

use contract::topic::Topic;

use crate::dataflow::{BoxError, Results};
use crate::error::WindowingError;
use crate::window::Shape;
use crate::windows::{TooManyOpen, WindowLogic, Windows};

/// A record as it stands on its topic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Input {
    /// Its offset; in a file the line, counted from 0.
    pub offset: i64,
    /// Its value.
    pub bytes: Vec<u8>,
}

/// The state of a partition and what moves it: inputs in, closed windows and a side stream out. Pure.
pub trait Machine {
    /// What comes in.
    type Input;
    /// What closed windows give.
    type Output;
    /// What leaves by the side: late and unreadable input.
    type Side;
    /// Why it can take no more.
    type Refusal;

    /// Takes one input, and closes what it closes.
    ///
    /// # Errors
    /// When it can take no more; whoever drives it then stops.
    fn push(
        &mut self,
        input: Self::Input,
        out: &mut Vec<Self::Output>,
        side: &mut Vec<Self::Side>,
    ) -> Result<(), Self::Refusal>;

    /// The input is over: closes what is open.
    fn finish(&mut self, out: &mut Vec<Self::Output>);
}

impl<L: WindowLogic> Machine for Windows<L> {
    type Input = L::Input;
    type Output = L::Output;
    type Side = L::Side;
    type Refusal = TooManyOpen;

    fn push(
        &mut self,
        input: L::Input,
        out: &mut Vec<L::Output>,
        side: &mut Vec<L::Side>,
    ) -> Result<(), TooManyOpen> {
        Self::push(self, input, out, side)
    }

    fn finish(&mut self, out: &mut Vec<L::Output>) {
        Self::finish(self, out);
    }
}

/// What a work's windows give.
pub type Output<W> = <<W as Work>::Machine as Machine>::Output;
/// What a work lets leave by the side.
pub type Side<W> = <<W as Work>::Machine as Machine>::Side;

/// What a job makes of its records. What a value of it holds are the settings.
pub trait Work: Send + Sync + Sized + 'static {
    /// Its name, under which positions, checkpoints and transactions are kept.
    const NAME: &'static str;
    /// Where its records stand.
    const INPUT: Topic;
    /// The state of a partition.
    type Machine: Machine<Input = Input, Output: Send + 'static, Side: Send + 'static>
        + Send
        + 'static;
    /// Counts of what a partition has seen.
    type Seen: Copy + Default + AddAssign + Send + Sync + 'static;
    /// A machine's state as one plain value: what a checkpoint holds.
    type State: Send + 'static;
    /// Counts of what the whole job gave.
    type Tally: Clone + Default + Send + 'static;

    /// The windows' width and hop.
    ///
    /// # Errors
    /// [`WindowingError::Setting`] for settings that windows cannot be made with.
    fn shape(&self) -> Result<Shape, WindowingError>;

    /// A partition of which nothing is known yet.
    fn machine(self: &Arc<Self>, shape: Shape, partition: i32) -> Self::Machine;

    /// A partition that goes on from a state, given as text.
    ///
    /// # Errors
    /// Whatever keeps it from going on with these settings.
    fn restore(self: &Arc<Self>, partition: i32, text: &str) -> Result<Self::Machine, BoxError>;

    /// A partition's state now.
    fn state(machine: &Self::Machine) -> Self::State;

    /// A state as text; equal states give equal text.
    fn text(state: &Self::State) -> String;

    /// Up to where a partition's windows are closed, nanoseconds since 1970.
    fn closed_ns(machine: &Self::Machine) -> Option<i64>;

    /// What a partition has seen.
    fn seen(machine: &Self::Machine) -> Self::Seen;

    /// Names that a partition heard of since it was last asked: venues, sessions.
    fn heard_of(machine: &mut Self::Machine) -> Vec<String>;

    /// The error of a machine that can take no more.
    fn refused(
        partition: i32,
        machine: &Self::Machine,
        refusal: <Self::Machine as Machine>::Refusal,
    ) -> WindowingError;

    /// Counts results. Gives the names among [`Results::heard_of`] that no partition had heard of before.
    fn count(tally: &mut Self::Tally, results: &Results<Self>) -> Vec<String>;

    /// What all partitions have seen together.
    fn total(tally: &Self::Tally) -> Self::Seen;
}
