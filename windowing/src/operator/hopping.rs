//! `hopping`: windows that overlap.

use std::hash::Hash;

use timely::dataflow::Stream;
use timely::progress::Timestamp;

use super::{Fed, Watch, Windowed, windowed};
use crate::window::Shape;
use crate::windows::{WindowLogic, Windows};

/// Hopping windows over a stream of partitions.
pub trait Hopping<'scope, T: Timestamp, K, L: WindowLogic> {
    /// Windows of `width_ns`, one every `hop_ns`, per partition. `make` gives a new partition's machine from that shape.
    ///
    /// `None` unless both are above zero and the hop is at most the width.
    fn hopping(
        self,
        width_ns: i64,
        hop_ns: i64,
        make: impl FnMut(Shape, &K) -> Windows<L> + 'static,
        watch: impl Watch<K, L> + 'static,
    ) -> Option<Windowed<'scope, T, K, L>>;
}

impl<'scope, T, K, L> Hopping<'scope, T, K, L> for Stream<'scope, T, Vec<(K, Fed<L::Input>)>>
where
    T: Timestamp,
    K: Clone + Eq + Hash + 'static,
    L: WindowLogic + 'static,
    L::Input: Clone + 'static,
    L::Output: 'static,
    L::Side: 'static,
{
    fn hopping(
        self,
        width_ns: i64,
        hop_ns: i64,
        mut make: impl FnMut(Shape, &K) -> Windows<L> + 'static,
        watch: impl Watch<K, L> + 'static,
    ) -> Option<Windowed<'scope, T, K, L>> {
        let shape = Shape::hopping(width_ns, hop_ns)?;
        Some(windowed(
            self,
            "Hopping",
            move |key| make(shape, key),
            watch,
        ))
    }
}
