//! Records of `alerts` and positions, kept in one of two ways behind one door: in transactions on a cluster ([`Ledger`]),
//! as they come on the embedded broker, which serves one process.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use contract::topic;
use kafka_io::{Broker, KafkaError, Offsets, Producer, Record};

use super::commit::{Committer, named};
use super::ledger::Ledger;
use super::start::{ATTEMPT, patiently};
use crate::episode::{Input, Positions};
use crate::error::AlerterError;
use crate::outbox::Outgoing;

/// What has been handed over is counted, so that others can wait for its delivery.
pub(super) struct Books {
    way: Way,
    handed_over: u64,
}

enum Way {
    InTransactions(Ledger),
    AsTheyCome {
        alerts: Producer,
        committer: Committer,
    },
}

impl Books {
    /// Takes over on a cluster; gives also what is committed. None when the stop flag was set meanwhile.
    pub(super) fn open(
        broker: &Broker,
        alerts: Producer,
        offsets: Offsets,
        stop: &Arc<AtomicBool>,
    ) -> Result<Option<(Self, Positions)>, AlerterError> {
        if broker.supports_transactions() {
            match Ledger::open(broker, stop) {
                // Somebody else's embedded broker.
                Err(AlerterError::Write(KafkaError::NoTransactions)) => {}
                Err(error) => return Err(error),
                Ok(opened) => {
                    return Ok(opened.map(|(ledger, committed)| {
                        let way = Way::InTransactions(ledger);
                        (
                            Self {
                                way,
                                handed_over: 0,
                            },
                            committed,
                        )
                    }));
                }
            }
        }
        let inputs = [Input::Spreads, Input::Venues];
        let partitions: Vec<(Input, i32)> = inputs
            .into_iter()
            .flat_map(|input| (0..input.topic().partitions).map(move |at| (input, at)))
            .collect();
        let asked: Vec<(&str, i32)> = partitions
            .iter()
            .map(|(input, partition)| (input.topic().name, *partition))
            .collect();
        let found = patiently(stop, || offsets.committed(&asked, ATTEMPT))
            .map_err(AlerterError::Offsets)?;
        let Some(found) = found else { return Ok(None) };
        let place = |(input, partition): (Input, i32)| {
            let offset = found.get(&(input.topic().name.to_owned(), partition))?;
            Some(((input, partition), *offset))
        };
        let committed: Positions = partitions.into_iter().filter_map(place).collect();
        let committer = Committer::start(offsets, &committed)?;
        let way = Way::AsTheyCome { alerts, committer };
        Ok(Some((
            Self {
                way,
                handed_over: 0,
            },
            committed,
        )))
    }

    /// Hands a record over.
    pub(super) fn send(&mut self, record: Outgoing) -> Result<(), AlerterError> {
        self.handed_over += 1;
        match &self.way {
            Way::InTransactions(ledger) => ledger.send(record),
            Way::AsTheyCome { alerts, .. } => {
                let key = record.key.as_bytes();
                let partition = topic::ALERTS.partition_of(key);
                let record = Record::new(topic::ALERTS.name, partition, key, &record.line);
                alerts.send(record).map_err(AlerterError::Write)
            }
        }
    }

    /// Keeps these positions soon.
    pub(super) fn commit(&mut self, positions: Positions) -> Result<(), AlerterError> {
        match &mut self.way {
            Way::InTransactions(ledger) => {
                self.handed_over += u64::from(ledger.commit(positions)?);
            }
            Way::AsTheyCome { committer, .. } => committer.commit(positions),
        }
        Ok(())
    }

    /// What is handed over so far is to be followed by a word on whether somebody has taken over; see [`Self::is_fresh`].
    pub(super) fn confirm(&mut self) -> Result<(), AlerterError> {
        if let Way::InTransactions(ledger) = &self.way {
            self.handed_over += 1;
            ledger.confirm()?;
        }
        Ok(())
    }

    /// Whether nobody had taken over a moment ago.
    pub(super) fn is_fresh(&self) -> bool {
        match &self.way {
            Way::InTransactions(ledger) => ledger.is_fresh(),
            Way::AsTheyCome { .. } => true,
        }
    }

    /// Keeps the positions that a start begins with, and waits for it. False when the stop flag was set meanwhile.
    pub(super) fn begin(
        &mut self,
        positions: &Positions,
        new: &Positions,
        stop: &AtomicBool,
    ) -> Result<bool, AlerterError> {
        let kept = match &mut self.way {
            Way::InTransactions(ledger) => {
                self.handed_over += u64::from(ledger.commit(positions.clone())?);
                return self.is_delivered_soon(stop);
            }
            Way::AsTheyCome { committer, .. } => {
                let new = named(new);
                patiently(stop, || committer.offsets().commit(&new, ATTEMPT))
            }
        };
        Ok(kept.map_err(AlerterError::Offsets)?.is_some())
    }

    fn is_delivered_soon(&self, stop: &AtomicBool) -> Result<bool, AlerterError> {
        let (_keep, never) = crossbeam_channel::bounded::<()>(0);
        while self.delivered()? < self.handed_over {
            if stop.load(std::sync::atomic::Ordering::Acquire) {
                return Ok(false);
            }
            let _ = never.recv_timeout(Duration::from_millis(5));
        }
        Ok(true)
    }

    /// How much was handed over.
    pub(super) fn handed_over(&self) -> u64 {
        self.handed_over
    }

    /// How much of it is kept for good.
    pub(super) fn delivered(&self) -> Result<u64, AlerterError> {
        match &self.way {
            Way::InTransactions(ledger) => ledger.delivered(),
            Way::AsTheyCome { alerts, .. } => {
                let counts = alerts.counts();
                if counts.failed > 0 {
                    alerts.flush(Duration::ZERO).map_err(AlerterError::Write)?;
                }
                Ok(counts.delivered)
            }
        }
    }

    /// Keeps the last positions behind everything else, and waits for it.
    pub(super) fn finish(
        self,
        positions: Positions,
        timeout: Duration,
    ) -> Result<(), AlerterError> {
        match self.way {
            Way::InTransactions(ledger) => ledger.finish(positions, timeout),
            Way::AsTheyCome { alerts, committer } => {
                alerts.flush(timeout).map_err(AlerterError::Write)?;
                committer.finish(positions, timeout)
            }
        }
    }
}
