//! Machines ([`Machine`], above all [`crate::windows::Windows`]) as timely operators: `tumbling` and `hopping`.
//!
//! Many partitions share one stream; each is a machine of its own, made on first sight. Whoever feeds the stream keeps a
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

use crate::work::Machine;

/// What flows into a windowed stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fed<I> {
    /// The next record of the partition.
    Record(I),
    /// Nothing came; its state is looked at.
    Look,
    /// The partition is over.
    End,
}

/// A stream of many partitions' records.
pub type FedStream<'scope, T, K, M> = Stream<'scope, T, Vec<(K, Fed<<M as Machine>::Input>)>>;

/// What flows out: closed windows, and what left by the side, each with its partition.
pub struct Windowed<'scope, T: Timestamp, K, M: Machine> {
    /// Closed windows.
    pub closed: Stream<'scope, T, Vec<(K, M::Output)>>,
    /// Late and unreadable input.
    pub side: Stream<'scope, T, Vec<(K, M::Side)>>,
}

/// What the operator tells its driver after each batch that touched a partition.
pub trait Watch<K, M: Machine> {
    /// So many inputs were taken, and gave so many closed windows' records and so much for the side; those are on their way.
    fn taken(&mut self, inputs: usize, closed: usize, side: usize);
    /// The partition's state after the batch.
    fn seen(&mut self, key: &K, machine: &mut M);
    /// The partition can take no more; what else comes for it is dropped, so the driver must stop.
    fn refused(&mut self, key: &K, machine: &M, refusal: M::Refusal);
}

/// Builds the operator that both traits stand on.
fn windowed<'scope, T, K, M>(
    stream: FedStream<'scope, T, K, M>,
    name: &str,
    mut make: impl FnMut(&K) -> M + 'static,
    mut watch: impl Watch<K, M> + 'static,
) -> Windowed<'scope, T, K, M>
where
    T: Timestamp,
    K: Clone + Eq + Hash + 'static,
    M: Machine + 'static,
    M::Input: 'static,
    M::Output: 'static,
    M::Side: 'static,
{
    let mut builder = OperatorBuilder::new(name.to_owned(), stream.scope());
    let mut input = builder.new_input(stream, Pipeline);
    let (closed, closed_stream) = builder.new_output();
    let (side, side_stream) = builder.new_output();
    let mut closed = OutputBuilder::from(closed);
    let mut side = OutputBuilder::from(side);
    builder.build(move |_capabilities| {
        let mut partitions: FxHashMap<K, M> = FxHashMap::default();
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
                    let machine = partitions.get_mut(&key).expect("it was made just now");
                    match fed {
                        Fed::Record(record) => {
                            if let Err(refusal) = machine.push(record, &mut out, &mut aside) {
                                watch.refused(&key, machine, refusal);
                            }
                        }
                        Fed::Look => {}
                        Fed::End => machine.finish(&mut out),
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
                let machine = partitions.get_mut(&key).expect("what was touched was made");
                watch.seen(&key, machine);
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
