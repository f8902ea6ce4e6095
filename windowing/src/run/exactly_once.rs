//! A run under exactly-once: takes over, reads again, and hands everything to one committer; begins again where a
//! transaction had to be aborted.
//!
//! A failed transaction leaves the workers ahead of what is committed, so they are thrown away with it: the next attempt goes
//! on from the last commit, as the next process would. Whoever finds that another run has taken over meanwhile ends; a fenced
//! run whom nobody has succeeded was away for longer than its transaction could last, and comes back.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use contract::config::Config;
use contract::timings::Timings;
use crossbeam_channel::{Receiver, Sender, bounded};
use kafka_io::{Broker, ConsumerOptions, KafkaError, Start};

use super::committer::{Captured, Committer, Handed, QUEUE, keep};
use super::hand_over::{CommitterEnded, HandOver, ReadAgain};
use super::outlet::Publish;
use super::recovery::{Recovered, recover};
use super::source::KafkaSource;
use super::standing::{Identity, Standing};
use super::{JobOptions, Shared, deal};
use crate::dataflow::{self, Polled, Task};
use crate::error::WindowingError;
use crate::tally::{SharedTally, Tallied};
use crate::work::Work;

/// How long a fenced run waits for its successor to say that it has taken over.
const SUCCESSION: Duration = Duration::from_secs(2);
/// The pause before another attempt where a transaction has failed.
const PAUSE: Duration = Duration::from_secs(1);

/// How exactly-once goes about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExactlyOnce {
    /// Under which name positions, checkpoints and transactions are kept.
    pub deployment: String,
    /// Least time between two commits.
    pub commit_interval: Duration,
    /// Time between two checkpoints of a partition.
    pub checkpoint_interval: Duration,
    /// After so long without a commit the brokers abort what is open.
    pub transaction_timeout: Duration,
    /// Forget what was committed, and begin where [`JobOptions::start`] says.
    pub from_start: bool,
}

impl From<&Config> for ExactlyOnce {
    fn from(config: &Config) -> Self {
        let windowing = &config.windowing;
        Self {
            deployment: windowing.deployment.clone(),
            commit_interval: Duration::from_millis(windowing.commit_interval_ms),
            checkpoint_interval: Duration::from_millis(windowing.checkpoint_interval_ms),
            transaction_timeout: Duration::from_millis(windowing.transaction_timeout_ms),
            from_start: false,
        }
    }
}

/// What exactly-once has done so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Delivered {
    /// Transactions committed.
    pub commits: u64,
    /// How long the last one took to commit.
    pub last_commit: Duration,
    /// How long the slowest took.
    pub slowest_commit: Duration,
    /// How long all of them took.
    pub commit_times: Timings,
    /// Batches of results that waited for the committer when it last committed.
    pub queued: usize,
    /// Checkpoints written.
    pub checkpoints: u64,
    /// Bytes of the last one.
    pub last_checkpoint_bytes: usize,
    /// Records that had to be read again at the start.
    pub read_again: u64,
    /// How long it took at the start until records were read.
    pub recovery: Duration,
    /// How often it began again.
    pub restarts: u64,
}

/// What an attempt works with.
pub(super) struct Attempt<'a, W: Work> {
    pub(super) work: &'a Arc<W>,
    pub(super) broker: &'a Broker,
    pub(super) options: &'a JobOptions,
    pub(super) exactly: &'a ExactlyOnce,
    pub(super) tally: &'a SharedTally<W>,
    pub(super) shared: &'a Arc<Shared>,
}

impl<W: Publish> Attempt<'_, W> {
    /// Until the job is stopped, or fails in a way that another attempt would not cure.
    pub(super) fn run(&self) -> Result<W::Seen, WindowingError> {
        let job = format!("{}-{}", self.exactly.deployment, W::NAME);
        let identity = Identity {
            id: self.options.shard.transactional_id(&job),
            run: format!("{:016x}", RandomState::new().hash_one(std::process::id())),
            job,
        };
        let mut exactly = self.exactly.clone();
        let mut predecessors = BTreeSet::new();
        let mut commits_before = 0;
        loop {
            let error = match self.once(&mut exactly, &identity, &mut predecessors) {
                Err(WindowingError::Kafka(KafkaError::Stopped(doing))) => {
                    return Ok(self.stopped(doing));
                }
                Err(WindowingError::Kafka(error)) => error,
                other => return other,
            };
            let mut commits = 0;
            self.shared
                .delivered(|delivered| commits = delivered.commits);
            let has_committed = commits > std::mem::replace(&mut commits_before, commits);
            let wait = match &error {
                KafkaError::MustAbort { .. } => PAUSE,
                // Brokers that die make a client give up, and a new one cures it; one that never got anywhere is not cured.
                KafkaError::Fatal { .. } if has_committed => PAUSE,
                KafkaError::Fenced { .. } => SUCCESSION,
                _ => return Err(error.into()),
            };
            self.pause(wait);
            // Also a process that only finds its records too old may have been away for so long that it has a successor,
            // from whom it must not take the work back.
            let has_successor = self.has_successor(&identity, &predecessors);
            if self.options.stop.load(Ordering::Acquire) {
                return Ok(self.stopped("going on from the last commit"));
            }
            if has_successor {
                return Err(match error {
                    fenced @ KafkaError::Fenced { .. } => fenced,
                    other => KafkaError::Fenced {
                        id: identity.id,
                        reason: other.to_string(),
                    },
                }
                .into());
            }
            tracing::warn!(%error, "going on from the last commit");
            self.shared.delivered(|delivered| delivered.restarts += 1);
        }
    }

    fn stopped(&self, doing: &str) -> W::Seen {
        tracing::info!(
            doing,
            "stopped; what was not committed comes with the next start"
        );
        W::total(&self.tally.get())
    }

    /// Whether a run has taken over any of our partitions that is not one whom we have taken over from: a start that failed
    /// may not have left its own word yet. Yes, if that cannot be found out.
    fn has_successor(&self, identity: &Identity, predecessors: &BTreeSet<String>) -> bool {
        let partitions = self.options.shard.partitions(&W::INPUT);
        let (group, topic) = (&identity.job, W::INPUT.name);
        let stop = &self.options.stop;
        let Ok(committed) = self.broker.committed(group, topic, &partitions, stop) else {
            return true;
        };
        committed.values().any(|position| {
            let is_known = Standing::read(position).map(|(_, note)| {
                note.run == identity.run || predecessors.contains(note.run.as_ref())
            });
            !is_known.unwrap_or(false)
        })
    }

    fn pause(&self, time: Duration) {
        let (_keep, never) = bounded::<()>(0);
        let since = Instant::now();
        while since.elapsed() < time && !self.options.stop.load(Ordering::Acquire) {
            let _ = never.recv_timeout(Duration::from_millis(50));
        }
    }

    fn once(
        &self,
        exactly: &mut ExactlyOnce,
        identity: &Identity,
        predecessors: &mut BTreeSet<String>,
    ) -> Result<W::Seen, WindowingError> {
        let started = Instant::now();
        self.work.shape()?;
        let Recovered {
            producer,
            standings,
            mut restored,
        } = recover(
            self.work,
            self.broker,
            self.options,
            exactly,
            identity,
            predecessors,
        )?;
        // Where one attempt has begun anew, the next goes on from there.
        exactly.from_start = false;
        let (to_committer, queue) = bounded(QUEUE);
        let (to_keeper, captured) = bounded(standings.len().max(1));
        let ended = Arc::new(AtomicBool::new(false));
        let mut readers = Vec::new();
        let mut tasks = Vec::new();
        for partitions in deal(
            &self.options.shard.partitions(&W::INPUT),
            self.options.workers,
        ) {
            let hand_over = HandOver::new(
                to_committer.clone(),
                to_keeper.clone(),
                &partitions,
                exactly.checkpoint_interval,
                Instant::now(),
            );
            let states = partitions
                .iter()
                .filter_map(|&partition| Some((partition, restored.remove(&partition)?)));
            let source = self.source(&partitions, &standings, states.collect(), &ended)?;
            readers.push((partitions.clone(), Arc::clone(&source.consumer)));
            let to = |(&partition, &to): (&i32, &i64)| {
                (partition, (to, standings[&partition].closed_ns))
            };
            let outlet = ReadAgain {
                to: source.again_to.iter().map(to).collect(),
                since: started,
                inner: Tallied::new(hand_over, self.tally, Arc::clone(&self.options.on_new_name)),
            };
            tasks.push(Task {
                partitions,
                source: Box::new(source),
                outlet: Box::new(outlet),
            });
        }
        let read_again: i64 = standings.values().map(|of| of.next - of.from).sum();
        self.shared.delivered(|delivered| {
            delivered.read_again = u64::try_from(read_again).unwrap_or(0);
            delivered.recovery = started.elapsed();
        });
        let took_ms = started.elapsed().as_millis();
        tracing::info!(id = identity.id, read_again, %took_ms, "taken over");
        self.shared.enter(readers)?;
        let committer = Committer {
            producer,
            queue,
            identity: identity.clone(),
            interval: exactly.commit_interval,
            standings,
            has_moved: false,
            checkpoints: BTreeMap::new(),
            shared: Arc::clone(self.shared),
            ended,
        };
        drop(to_keeper);
        let result = self.conduct(tasks, committer, &captured, to_committer);
        self.shared.leave();
        result
    }

    /// A worker's records, from where its partitions stand.
    fn source(
        &self,
        partitions: &[i32],
        standings: &BTreeMap<i32, Standing>,
        restored: Vec<(i32, W::Machine)>,
        ended: &Arc<AtomicBool>,
    ) -> Result<KafkaSource<W>, KafkaError> {
        let mut wanted = ConsumerOptions::new(W::NAME);
        let mut again_to = BTreeMap::new();
        for &partition in partitions {
            let standing = standings[&partition];
            let start = Start::At(standing.from);
            wanted = wanted.partition(W::INPUT.name, partition, start);
            if standing.from < standing.next {
                again_to.insert(partition, standing.next);
            }
        }
        Ok(KafkaSource {
            consumer: Arc::new(self.broker.consumer(wanted)?),
            stops: vec![Arc::clone(&self.options.stop), Arc::clone(ended)],
            // The log goes on: windows that it has not closed stay open.
            at_end: Polled::Stop,
            restored,
            again_to,
            held: Vec::new(),
        })
    }

    /// Runs workers, keeper and committer until all have ended.
    fn conduct(
        &self,
        tasks: Vec<Task<W>>,
        committer: Committer<W>,
        captured: &Receiver<Captured<W>>,
        to_committer: Sender<Handed<W>>,
    ) -> Result<W::Seen, WindowingError> {
        let job = committer.identity.job.clone();
        std::thread::scope(|scope| {
            let spawn = |name: &'static str| std::thread::Builder::new().name(name.to_owned());
            let no_thread = |name| move |reason| WindowingError::Thread { name, reason };
            let committing = spawn("window-commit")
                .spawn_scoped(scope, || committer.run())
                .map_err(no_thread("window-commit"))?;
            spawn("window-keep")
                .spawn_scoped(scope, move || keep(&job, captured, &to_committer))
                .map_err(no_thread("window-keep"))?;
            let windowed = dataflow::run(self.work, tasks);
            let committed = committing.join().unwrap_or_else(|_| {
                Err(KafkaError::Fatal {
                    reason: "the committing thread panicked; its reason stands above".to_owned(),
                })
            });
            match (windowed, committed) {
                (Err(error), _) if !is_committer_ended(&error) => Err(unwrapped(error)),
                (_, Err(error)) => Err(error.into()),
                (windowed, Ok(())) => windowed,
            }
        })
    }
}

fn is_committer_ended(error: &WindowingError) -> bool {
    matches!(error, WindowingError::Sink(reason) if reason.is::<CommitterEnded>())
}

/// What an outlet says of a partition stands for itself.
fn unwrapped(error: WindowingError) -> WindowingError {
    match error {
        WindowingError::Sink(reason) => match reason.downcast::<WindowingError>() {
            Ok(own) => *own,
            Err(reason) => WindowingError::Sink(reason),
        },
        other => other,
    }
}
