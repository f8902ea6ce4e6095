//! States of `eeg-states` as lines of a file, as they come.

use std::time::Duration;

use anyhow::Context;
use contract::topic;
use kafka_io::{Broker, ConsumerOptions, Event, Start};

use crate::eeg::View;
use crate::failure::{Failure, Outcome};
use crate::files::Output;
use crate::stages::READY;

/// Copies states as they come, until everything is written.
pub(super) struct StateCopy {
    states: kafka_io::Consumer,
    out: Output,
}

impl StateCopy {
    /// Reads from what comes from now on.
    pub(super) fn new(broker: &Broker, out: Output) -> Result<Self, Failure> {
        let topic = topic::EEG_STATES;
        let wanted = ConsumerOptions::new("states").topic(topic.name, topic.partitions, Start::End);
        let states = broker.consumer(wanted)?;
        states.wait_ready(READY)?;
        Ok(Self { states, out })
    }

    /// Until the windows have ended and all that they gave is copied.
    pub(super) fn run(mut self, view: &View) -> Outcome {
        const POLL: Duration = Duration::from_millis(50);
        let mut ending = false;
        loop {
            match self.states.recv(POLL) {
                Some(Event::Batch(batch)) => {
                    for value in batch.messages().filter_map(|message| message.value) {
                        self.write(value)?;
                    }
                    self.out.flush().context("could not write states")?;
                }
                Some(Event::End) => return Ok(()),
                Some(Event::Failed(error)) => return Err(error.into()),
                None => {}
            }
            if !ending && view.is_ended() {
                self.states.stop_at_end();
                ending = true;
            }
        }
    }

    fn write(&mut self, value: &[u8]) -> Outcome {
        let context = "could not write states";
        self.out.write_all(value).context(context)?;
        Ok(self.out.write_all(b"\n").context(context)?)
    }
}
