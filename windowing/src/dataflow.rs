//! Partitions on timely workers: records in from a [`Source`], results out to an [`Outlet`], the state in between.
//!
//! ```text
//! Source::poll --batch--> input -> Hopping -> closed -> Outlet::accept
//!   (blocks)                           \-----> side --/
//! ```
//!
//! Each worker has a source and an outlet of its own and owns whole partitions. One polled batch is one timely timestamp; a
//! batch is handed over as soon as the source has nothing more at once, so a mark never waits for a batch to fill. A
//! worker's outlet has taken all that a batch gave before the next batch is polled: that is the back-pressure.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::mem;
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use timely::dataflow::Scope;
use timely::dataflow::channels::pact::Pipeline;
use timely::dataflow::operators::generic::Operator;
use timely::dataflow::operators::vec::input::{Handle, Input as _};
use timely::worker::Worker;

use crate::error::WindowingError;
use crate::operator::{Fed, Hopping, Watch};
use crate::spread::Settings;
use crate::window::Shape;
use crate::work::{Input, Machine, Output, Side, Work};

/// An error of a source or an outlet.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// How often a worker that is done looks whether another has panicked.
const CLOSING: Duration = Duration::from_millis(100);

/// What a poll found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Polled {
    /// Records, or none for now; ask again.
    More,
    /// Nothing will follow.
    End,
    /// Stop without closing what is open: the records go on, this program does not.
    Stop,
}

/// Where a worker's records come from.
pub trait Source<W: Work = Settings> {
    /// Appends the next records with their partitions, in order per partition, a few thousand at most. Waits a little while
    /// when there are none.
    ///
    /// # Errors
    /// Whatever keeps records from coming for good.
    fn poll(&mut self, batch: &mut Vec<(i32, Input)>) -> Result<Polled, BoxError>;

    /// Partitions that go on from a state; asked for once, before the first poll. The others begin empty.
    fn restored(&mut self) -> Vec<(i32, W::Machine)> {
        Vec::new()
    }
}

/// What one batch gave.
pub struct Results<W: Work = Settings> {
    /// What closed windows gave, per partition in its order: spreads by window, then pair.
    pub closed: Vec<(i32, Output<W>)>,
    /// What left by the side: late ticks and dead letters.
    pub side: Vec<(i32, Side<W>)>,
    /// Partitions touched: up to where their windows are closed (nanoseconds since 1970), and what they have seen in all.
    pub seen: BTreeMap<i32, (Option<i64>, W::Seen)>,
    /// Partitions of the batch, and the offset behind their last record in it.
    pub next: BTreeMap<i32, i64>,
    /// States after the batch, where [`Outlet::wants_state`] asked for them.
    pub states: BTreeMap<i32, W::State>,
    /// Partitions that are over.
    pub ended: Vec<i32>,
    /// Names that a partition heard of for the first time: venues, sessions.
    pub heard_of: Vec<String>,
}

impl<W: Work> Default for Results<W> {
    fn default() -> Self {
        Self {
            closed: Vec::new(),
            side: Vec::new(),
            seen: BTreeMap::new(),
            next: BTreeMap::new(),
            states: BTreeMap::new(),
            ended: Vec::new(),
            heard_of: Vec::new(),
        }
    }
}

/// Where a worker's results go.
pub trait Outlet<W: Work = Settings> {
    /// Takes what a batch gave; waits while there is no room for it.
    ///
    /// # Errors
    /// Whatever keeps results from going out for good.
    fn accept(&mut self, results: &mut Results<W>) -> Result<(), BoxError>;

    /// Whether the state of this partition is wanted with what the next batch gives; asked for partitions of that batch.
    fn wants_state(&mut self, partition: i32) -> bool {
        let _ = partition;
        false
    }

    /// Partitions whose state is wanted though nothing comes of them; asked for with every poll.
    fn wants_look(&mut self) -> Vec<i32> {
        Vec::new()
    }

    /// Nothing follows: everything accepted must be safe when this returns.
    ///
    /// # Errors
    /// Whatever keeps results from going out for good.
    fn finish(&mut self) -> Result<(), BoxError>;
}

/// What a worker is given to do.
pub struct Task<W: Work = Settings> {
    /// Its partitions, to be closed when their input ends.
    pub partitions: Vec<i32>,
    /// Where their records come from.
    pub source: Box<dyn Source<W> + Send>,
    /// Where their results go.
    pub outlet: Box<dyn Outlet<W> + Send>,
}

/// Runs one timely worker per task until every source has ended or is stopped. Returns what was seen.
///
/// # Errors
/// The first [`WindowingError`] of any worker; the others then stop at their next batch.
pub fn run<W: Work>(work: &Arc<W>, tasks: Vec<Task<W>>) -> Result<W::Seen, WindowingError> {
    work.shape()?;
    let work = Arc::clone(work);
    let n_workers = tasks.len().max(1);
    let config = if n_workers == 1 {
        timely::Config::thread()
    } else {
        timely::Config::process(n_workers)
    };
    let tasks: Vec<Mutex<Option<Task<W>>>> = tasks
        .into_iter()
        .map(|task| Mutex::new(Some(task)))
        .collect();
    let faults = Arc::new(Faults::default());
    let guards = timely::execute(config, move |worker| {
        let task = tasks
            .get(worker.index())
            .and_then(|task| task.lock().ok()?.take());
        let Some(task) = task else {
            return Ok(W::Seen::default());
        };
        let alarm = Alarm(&faults);
        let result = drive(worker, &work, task, &faults.any);
        if result.is_err() {
            faults.any.store(true, Ordering::Release);
        }
        // timely would wait for ever for a worker that has panicked.
        while worker.has_dataflows() {
            if faults.panic.load(Ordering::Acquire) {
                for dataflow in worker.installed_dataflows() {
                    worker.drop_dataflow(dataflow);
                }
            } else {
                worker.step_or_park(Some(CLOSING));
            }
        }
        drop(alarm);
        result
    })
    .map_err(WindowingError::Worker)?;
    let mut counters = W::Seen::default();
    let mut first_error = None;
    for result in guards.join() {
        match result.map_err(WindowingError::Worker).flatten() {
            Ok(seen) => counters += seen,
            Err(error) => first_error = first_error.or(Some(error)),
        }
    }
    first_error.map_or(Ok(counters), Err)
}

/// What has gone wrong on any worker.
#[derive(Default)]
struct Faults {
    any: AtomicBool,
    panic: AtomicBool,
}

/// Tells the others of a panic: half of the partitions must not stand still while the rest goes on.
struct Alarm<'a>(&'a Faults);

impl Drop for Alarm<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.any.store(true, Ordering::Release);
            self.0.panic.store(true, Ordering::Release);
        }
    }
}

/// What the operators leave for the driver between two batches.
struct Collected<W: Work> {
    results: Results<W>,
    /// Partitions whose state is wanted with this batch.
    wanted: BTreeSet<i32>,
    refused: Option<WindowingError>,
    /// What the operator has taken and given, to know when all of it has arrived here.
    taken: usize,
    closed: usize,
    side: usize,
}

impl<W: Work> Default for Collected<W> {
    fn default() -> Self {
        Self {
            results: Results::default(),
            wanted: BTreeSet::new(),
            refused: None,
            taken: 0,
            closed: 0,
            side: 0,
        }
    }
}

impl<W: Work> Collected<W> {
    fn is_complete(&self, sent: usize) -> bool {
        self.taken == sent
            && self.results.closed.len() == self.closed
            && self.results.side.len() == self.side
    }
}

struct Collector<W: Work>(Rc<RefCell<Collected<W>>>);

impl<W: Work> Watch<i32, W::Machine> for Collector<W> {
    fn taken(&mut self, inputs: usize, closed: usize, side: usize) {
        let mut collected = self.0.borrow_mut();
        collected.taken += inputs;
        collected.closed += closed;
        collected.side += side;
    }

    fn seen(&mut self, key: &i32, machine: &mut W::Machine) {
        let Collected {
            results, wanted, ..
        } = &mut *self.0.borrow_mut();
        results.heard_of.extend(W::heard_of(machine));
        if wanted.contains(key) {
            // Should the batch come in several pieces, the state after the last of them is the one that stays.
            results.states.insert(*key, W::state(machine));
        }
        results
            .seen
            .insert(*key, (W::closed_ns(machine), W::seen(machine)));
    }

    fn refused(
        &mut self,
        key: &i32,
        machine: &W::Machine,
        refusal: <W::Machine as Machine>::Refusal,
    ) {
        let error = W::refused(*key, machine, refusal);
        self.0.borrow_mut().refused.get_or_insert(error);
    }
}

type Fill = Handle<u64, (i32, Fed<Input>)>;

/// One worker's loop.
fn drive<W: Work>(
    worker: &mut Worker,
    work: &Arc<W>,
    mut task: Task<W>,
    failed: &AtomicBool,
) -> Result<W::Seen, WindowingError> {
    let shape = work.shape()?;
    let collected = Rc::new(RefCell::new(Collected::default()));
    let restored = task.source.restored();
    let mut input =
        worker.dataflow::<u64, _, _>(|scope| build(scope, work, shape, restored, &collected));
    let mut batch: Vec<(i32, Input)> = Vec::new();
    let mut counters: BTreeMap<i32, W::Seen> = BTreeMap::new();
    let mut time = 0_u64;
    let mut step = |input: &mut Fill, fed: &mut Vec<(i32, Fed<Input>)>, ended: &[i32]| {
        let next = next_offsets(fed);
        let mut wanted: BTreeSet<i32> = next
            .keys()
            .copied()
            .filter(|&partition| task.outlet.wants_state(partition))
            .collect();
        if ended.is_empty() {
            let quiet = task.outlet.wants_look().into_iter();
            for partition in quiet.filter(|partition| !next.contains_key(partition)) {
                fed.push((partition, Fed::Look));
                wanted.insert(partition);
            }
        }
        if fed.is_empty() {
            return Ok(());
        }
        let sent = fed.len();
        collected.borrow_mut().wanted = wanted;
        input.send_batch(fed);
        input.flush();
        time += 1;
        input.advance_to(time);
        // The dataflow is a local pipeline: when the operator has taken the batch and all it gave lies here, the batch is
        // done, whatever the other workers do. A probe would wait for the slowest of them.
        while !collected.borrow().is_complete(sent) {
            worker.step();
        }
        let Collected {
            mut results,
            refused,
            ..
        } = mem::take(&mut *collected.borrow_mut());
        if let Some(refused) = refused {
            return Err(refused);
        }
        results.next = next;
        results.ended.extend(ended);
        for (&partition, (_, seen)) in &results.seen {
            counters.insert(partition, *seen);
        }
        task.outlet
            .accept(&mut results)
            .map_err(WindowingError::Sink)
    };
    let mut fed = Vec::new();
    let mut outcome = Polled::More;
    while outcome == Polled::More && !failed.load(Ordering::Acquire) {
        outcome = task
            .source
            .poll(&mut batch)
            .map_err(WindowingError::Source)?;
        fed.extend(
            batch
                .drain(..)
                .map(|(partition, record)| (partition, Fed::Record(record))),
        );
        step(&mut input, &mut fed, &[])?;
    }
    if outcome == Polled::End {
        fed.extend(
            task.partitions
                .iter()
                .map(|&partition| (partition, Fed::End)),
        );
        step(&mut input, &mut fed, &task.partitions)?;
    }
    input.close();
    task.outlet.finish().map_err(WindowingError::Sink)?;
    let mut total = W::Seen::default();
    for seen in counters.into_values() {
        total += seen;
    }
    Ok(total)
}

/// For each partition the offset behind its last record.
fn next_offsets(fed: &[(i32, Fed<Input>)]) -> BTreeMap<i32, i64> {
    let runs = fed.chunk_by(|a, b| a.0 == b.0);
    runs.filter_map(|run| match run.last() {
        Some((partition, Fed::Record(input))) => Some((*partition, input.offset + 1)),
        _ => None,
    })
    .collect()
}

fn build<W: Work>(
    scope: Scope<'_, u64>,
    work: &Arc<W>,
    shape: Shape,
    restored: Vec<(i32, W::Machine)>,
    collected: &Rc<RefCell<Collected<W>>>,
) -> Fill {
    let (input, records) = scope.new_input();
    let of_partition = Arc::clone(work);
    let mut restored: BTreeMap<i32, W::Machine> = restored.into_iter().collect();
    let windowed = records
        .hopping(
            shape.width_ns(),
            shape.hop_ns(),
            move |shape, &partition: &i32| {
                restored
                    .remove(&partition)
                    .unwrap_or_else(|| of_partition.machine(shape, partition))
            },
            Collector(Rc::clone(collected)),
        )
        .expect("it is the width and hop of a shape");
    let closed = Rc::clone(collected);
    windowed.closed.sink(Pipeline, "Closed", move |(input, _)| {
        input.for_each_time(|_, data| {
            closed
                .borrow_mut()
                .results
                .closed
                .extend(data.flat_map(|records| records.drain(..)));
        });
    });
    let side = Rc::clone(collected);
    windowed.side.sink(Pipeline, "Side", move |(input, _)| {
        input.for_each_time(|_, data| {
            side.borrow_mut()
                .results
                .side
                .extend(data.flat_map(|records| records.drain(..)));
        });
    });
    input
}

#[cfg(test)]
mod tests;
