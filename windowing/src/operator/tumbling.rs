//! `tumbling`: windows that follow one another.

use std::hash::Hash;

use timely::dataflow::Stream;
use timely::progress::Timestamp;

use super::{Fed, Watch, Windowed, windowed};
use crate::window::Shape;
use crate::windows::{WindowLogic, Windows};

/// Tumbling windows over a stream of partitions.
pub trait Tumbling<'scope, T: Timestamp, K, L: WindowLogic> {
    /// Windows of `width_ns` per partition. `make` gives a new partition's machine from that shape.
    ///
    /// `None` unless the width is above zero.
    fn tumbling(
        self,
        width_ns: i64,
        make: impl FnMut(Shape, &K) -> Windows<L> + 'static,
        watch: impl Watch<K, L> + 'static,
    ) -> Option<Windowed<'scope, T, K, L>>;
}

impl<'scope, T, K, L> Tumbling<'scope, T, K, L> for Stream<'scope, T, Vec<(K, Fed<L::Input>)>>
where
    T: Timestamp,
    K: Clone + Eq + Hash + 'static,
    L: WindowLogic + 'static,
    L::Input: Clone + 'static,
    L::Output: 'static,
    L::Side: 'static,
{
    fn tumbling(
        self,
        width_ns: i64,
        mut make: impl FnMut(Shape, &K) -> Windows<L> + 'static,
        watch: impl Watch<K, L> + 'static,
    ) -> Option<Windowed<'scope, T, K, L>> {
        let shape = Shape::tumbling(width_ns)?;
        Some(windowed(
            self,
            "Tumbling",
            move |key| make(shape, key),
            watch,
        ))
    }
}
