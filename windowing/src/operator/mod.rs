//! The machine of [`crate::windows`] as timely operators: `tumbling` and `hopping`.
//!
//! Many partitions share one stream; each is a [`Windows`] of its own, made on first sight. Whoever feeds the stream keeps a
//! partition's records in order and on one worker, so nothing is exchanged. A timely timestamp is one batch of input,
//! however coarse: event time stays in the records, and whatever an input closes leaves under that input's timestamp. No
//! capability is held back, so a silent partition holds up nobody.

mod hopping;
mod tumbling;

use std::hash::Hash;

use rustc_hash::FxHashMap;
use timely::dataflow::Stream;
use timely::dataflow::channels::pact::Pipeline;
use timely::dataflow::operators::generic::OutputBuilder;
use timely::dataflow::operators::generic::builder_rc::OperatorBuilder;
use timely::progress::Timestamp;

pub use hopping::Hopping;
pub use tumbling::Tumbling;

use crate::windows::{TooManyOpen, WindowLogic, Windows};

/// What flows into a windowed stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fed<I> {
    /// The next record of the partition.
    Record(I),
    /// The partition is over.
    End,
}

/// A stream of many partitions' records.
pub type FedStream<'scope, T, K, L> = Stream<'scope, T, Vec<(K, Fed<<L as WindowLogic>::Input>)>>;

/// What flows out: closed windows, and what left by the side, each with its partition.
pub struct Windowed<'scope, T: Timestamp, K, L: WindowLogic> {
    /// Closed windows.
    pub closed: Stream<'scope, T, Vec<(K, L::Output)>>,
    /// Late and unreadable input.
    pub side: Stream<'scope, T, Vec<(K, L::Side)>>,
}

/// What the operator tells its driver after each batch that touched a partition.
pub trait Watch<K, L: WindowLogic> {
    /// So many inputs were taken, and gave so many closed windows' records and so much for the side; those are on their way.
    fn taken(&mut self, inputs: usize, closed: usize, side: usize);
    /// The partition's state after the batch.
    fn seen(&mut self, key: &K, windows: &Windows<L>);
    /// The partition is full; what else comes for it is dropped, so the driver must stop.
    fn full(&mut self, key: &K, windows: &Windows<L>, full: TooManyOpen);
}

/// Builds the operator that both traits stand on.
fn windowed<'scope, T, K, L>(
    stream: FedStream<'scope, T, K, L>,
    name: &str,
    mut make: impl FnMut(&K) -> Windows<L> + 'static,
    mut watch: impl Watch<K, L> + 'static,
) -> Windowed<'scope, T, K, L>
where
    T: Timestamp,
    K: Clone + Eq + Hash + 'static,
    L: WindowLogic + 'static,
    L::Input: 'static,
    L::Output: 'static,
    L::Side: 'static,
{
    let mut builder = OperatorBuilder::new(name.to_owned(), stream.scope());
    let mut input = builder.new_input(stream, Pipeline);
    let (closed, closed_stream) = builder.new_output();
    let (side, side_stream) = builder.new_output();
    let mut closed = OutputBuilder::from(closed);
    let mut side = OutputBuilder::from(side);
    builder.build(move |_capabilities| {
        let mut partitions: FxHashMap<K, Windows<L>> = FxHashMap::default();
        let mut touched: Vec<K> = Vec::new();
        let (mut out, mut aside) = (Vec::new(), Vec::new());
        move |_frontiers| {
            let mut closed = closed.activate();
            let mut side = side.activate();
            input.for_each_time(|time, data| {
                let mut closed = closed.session(&time);
                let mut side = side.session(&time);
                let (mut inputs, mut n_closed, mut n_side) = (0, 0, 0);
                for (key, fed) in data.flat_map(|records| records.drain(..)) {
                    if touched.last() != Some(&key) && !touched.contains(&key) {
                        touched.push(key.clone());
                    }
                    if !partitions.contains_key(&key) {
                        partitions.insert(key.clone(), make(&key));
                    }
                    let windows = partitions.get_mut(&key).expect("it was made just now");
                    match fed {
                        Fed::Record(record) => {
                            if let Err(full) = windows.push(record, &mut out, &mut aside) {
                                watch.full(&key, windows, full);
                            }
                        }
                        Fed::End => windows.finish(&mut out),
                    }
                    inputs += 1;
                    n_closed += out.len();
                    n_side += aside.len();
                    for output in out.drain(..) {
                        closed.give((key.clone(), output));
                    }
                    for item in aside.drain(..) {
                        side.give((key.clone(), item));
                    }
                }
                watch.taken(inputs, n_closed, n_side);
            });
            for key in touched.drain(..) {
                watch.seen(&key, &partitions[&key]);
            }
        }
    });
    Windowed {
        closed: closed_stream,
        side: side_stream,
    }
}

#[cfg(test)]
mod tests;
