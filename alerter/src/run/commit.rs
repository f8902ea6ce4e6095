//! Offsets to the broker, on a thread of their own: a broker that is away must not hold up alerts.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use crossbeam_channel::{Receiver, Sender, TrySendError, bounded};
use kafka_io::{KafkaError, Offsets};

use crate::episode::Positions;
use crate::error::AlerterError;

const NAME: &str = "alert-offsets";
/// How long one attempt goes on.
const ATTEMPT: Duration = Duration::from_secs(10);

/// Takes positions; while one commit is under way the newest of those that follow waits.
pub(super) struct Committer {
    jobs: Option<Sender<Positions>>,
    results: Receiver<Result<(), KafkaError>>,
    offsets: Arc<Offsets>,
    last: Positions,
}

impl Committer {
    /// Starts the thread. `committed` is what the broker has.
    pub(super) fn start(offsets: Offsets, committed: &Positions) -> Result<Self, AlerterError> {
        let (jobs, queue) = bounded::<Positions>(1);
        let (done, results) = bounded(1);
        let offsets = Arc::new(offsets);
        let theirs = Arc::clone(&offsets);
        std::thread::Builder::new()
            .name(NAME.to_owned())
            .spawn(move || {
                let mut last = Ok(());
                for positions in queue {
                    last = theirs.commit(&named(&positions), ATTEMPT);
                    if let Err(error) = &last {
                        tracing::warn!(%error, "offsets are not committed; it is tried again");
                    }
                }
                // Nobody may be waiting any more.
                let _ = done.try_send(last);
            })
            .map_err(|source| AlerterError::Thread { name: NAME, source })?;
        Ok(Self {
            jobs: Some(jobs),
            results,
            offsets,
            last: committed.clone(),
        })
    }

    /// The door to the broker, for whoever must wait for an answer.
    pub(super) fn offsets(&self) -> &Offsets {
        &self.offsets
    }

    /// Commits, unless they are committed or a commit is under way: then the next call has newer ones.
    pub(super) fn commit(&mut self, positions: Positions) {
        if positions == self.last {
            return;
        }
        let Some(jobs) = &self.jobs else { return };
        match jobs.try_send(positions.clone()) {
            Ok(()) => self.last = positions,
            Err(TrySendError::Full(_)) => {}
            Err(TrySendError::Disconnected(_)) => {
                tracing::error!("the thread of the offsets ended")
            }
        }
    }

    /// Commits the last ones, and waits for it.
    pub(super) fn finish(
        mut self,
        positions: Positions,
        timeout: Duration,
    ) -> Result<(), AlerterError> {
        let away =
            || AlerterError::Offsets(KafkaError::Stopped("waiting for offsets to be committed"));
        if let Some(jobs) = self.jobs.take() {
            jobs.send_timeout(positions, timeout).map_err(|_| away())?;
        }
        let result = self.results.recv_timeout(timeout).map_err(|_| away())?;
        result.map_err(AlerterError::Offsets)
    }
}

/// As the broker calls them.
pub(super) fn named(positions: &Positions) -> BTreeMap<(String, i32), i64> {
    positions
        .iter()
        .map(|((input, partition), offset)| ((input.topic().name.to_owned(), *partition), *offset))
        .collect()
}
