//! `tumbling`: windows that follow one another.

use std::hash::Hash;

use timely::dataflow::Stream;
use timely::progress::Timestamp;

use super::{Fed, Watch, Windowed, windowed};
use crate::window::Shape;
use crate::work::Machine;

/// Tumbling windows over a stream of partitions.
pub trait Tumbling<'scope, T: Timestamp, K, M: Machine> {
    /// Windows of `width_ns` per partition. `make` gives a new partition's machine from that shape.
    ///
    /// `None` unless the width is above zero.
    fn tumbling(
        self,
        width_ns: i64,
        make: impl FnMut(Shape, &K) -> M + 'static,
        watch: impl Watch<K, M> + 'static,
    ) -> Option<Windowed<'scope, T, K, M>>;
}

impl<'scope, T, K, M> Tumbling<'scope, T, K, M> for Stream<'scope, T, Vec<(K, Fed<M::Input>)>>
where
    T: Timestamp,
    K: Clone + Eq + Hash + 'static,
    M: Machine + 'static,
    M::Input: Clone + 'static,
    M::Output: 'static,
    M::Side: 'static,
{
    fn tumbling(
        self,
        width_ns: i64,
        mut make: impl FnMut(Shape, &K) -> M + 'static,
        watch: impl Watch<K, M> + 'static,
    ) -> Option<Windowed<'scope, T, K, M>> {
        let shape = Shape::tumbling(width_ns)?;
        Some(windowed(
            self,
            "Tumbling",
            move |key| make(shape, key),
            watch,
        ))
    }
}
