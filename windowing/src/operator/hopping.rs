//! `hopping`: windows that overlap.

use std::hash::Hash;

use timely::dataflow::Stream;
use timely::progress::Timestamp;

use super::{Fed, Watch, Windowed, windowed};
use crate::window::Shape;
use crate::work::Machine;

/// Hopping windows over a stream of partitions.
pub trait Hopping<'scope, T: Timestamp, K, M: Machine> {
    /// Windows of `width_ns`, one every `hop_ns`, per partition. `make` gives a new partition's machine from that shape.
    ///
    /// `None` unless both are above zero and the hop is at most the width.
    fn hopping(
        self,
        width_ns: i64,
        hop_ns: i64,
        make: impl FnMut(Shape, &K) -> M + 'static,
        watch: impl Watch<K, M> + 'static,
    ) -> Option<Windowed<'scope, T, K, M>>;
}

impl<'scope, T, K, M> Hopping<'scope, T, K, M> for Stream<'scope, T, Vec<(K, Fed<M::Input>)>>
where
    T: Timestamp,
    K: Clone + Eq + Hash + 'static,
    M: Machine + 'static,
    M::Input: Clone + 'static,
    M::Output: 'static,
    M::Side: 'static,
{
    fn hopping(
        self,
        width_ns: i64,
        hop_ns: i64,
        mut make: impl FnMut(Shape, &K) -> M + 'static,
        watch: impl Watch<K, M> + 'static,
    ) -> Option<Windowed<'scope, T, K, M>> {
        let shape = Shape::hopping(width_ns, hop_ns)?;
        Some(windowed(
            self,
            "Hopping",
            move |key| make(shape, key),
            watch,
        ))
    }
}
