//! The operators over a toy logic: which numbers fell into which window of which partition.

use timely::dataflow::operators::core::capture::{Capture, Extract};
use timely::dataflow::operators::{Input, ToStream};

use super::*;
use crate::watermark::SourceId;
use crate::window::{Shape, Window};
use crate::windows::{Density, Item, Late, TooManyOpen, WindowLogic, Windows};

/// Stamps; a negative one is a mark of its size.
struct Stamps;

impl WindowLogic for Stamps {
    type Input = i64;
    type Event = i64;
    type Output = (i64, Vec<i64>);
    type Side = i64;

    fn classify(&mut self, input: &i64, _: &mut Vec<i64>) -> Option<Item<i64>> {
        let source = SourceId(0);
        Some(match *input {
            mark if mark < 0 => Item::Mark {
                source,
                stamp_ns: -mark,
            },
            stamp_ns => Item::Data {
                source,
                stamp_ns,
                event: stamp_ns,
            },
        })
    }

    fn late(&mut self, late: Late<i64, i64>, side: &mut Vec<i64>) {
        side.push(late.event);
    }

    fn ignored(&mut self, _: i64) {}

    fn close(
        &mut self,
        window: Window,
        runs: &[&[(i64, i64)]],
        _: Density,
        out: &mut Vec<(i64, Vec<i64>)>,
    ) {
        let events = runs.concat().into_iter().map(|(_, event)| event).collect();
        out.push((window.start_ns, events));
    }

    fn skip(&mut self, _: &[(i64, i64)]) {}
}

struct Nobody;

impl Watch<char, Windows<Stamps>> for Nobody {
    fn taken(&mut self, _: usize, _: usize, _: usize) {}
    fn seen(&mut self, _: &char, _: &mut Windows<Stamps>) {}
    fn refused(&mut self, key: &char, _: &Windows<Stamps>, _: TooManyOpen) {
        panic!("partition {key} is full");
    }
}

fn fed(records: &[(char, i64)]) -> Vec<(char, Fed<i64>)> {
    records
        .iter()
        .map(|&(key, stamp)| (key, Fed::Record(stamp)))
        .collect()
}

fn machine(shape: Shape, _: &char) -> Windows<Stamps> {
    Windows::new(shape, 1, 100, Stamps)
}

type Closed = Vec<(u64, Vec<(char, (i64, Vec<i64>))>)>;
type Aside = Vec<(u64, Vec<(char, i64)>)>;

#[test]
fn each_partition_has_tumbling_windows_of_its_own_and_late_data_leaves_by_the_side() {
    let mut records = fed(&[
        ('a', 5),
        ('b', 7),
        ('a', -20),
        ('a', 19),
        ('b', 12),
        ('a', 25),
    ]);
    records.push(('a', Fed::End));
    let (closed, side) = timely::example(move |scope| {
        let windowed = records
            .to_stream(scope)
            .tumbling(10, machine, Nobody)
            .unwrap();
        (windowed.closed.capture(), windowed.side.capture())
    });
    let (closed, side): (Closed, Aside) = (closed.extract(), side.extract());
    // Partition b has neither a mark beyond its window nor an end, but its own stamps close what lies before them.
    // What was captured of one timestamp comes out sorted.
    let expected = vec![
        ('a', (0, vec![5])),
        ('a', (10, vec![])),
        ('a', (20, vec![25])),
        ('b', (0, vec![7])),
    ];
    assert_eq!(closed, [(0, expected)]);
    assert_eq!(side, [(0, vec![('a', 19)])]);
}

#[test]
fn hopping_windows_overlap_and_what_a_batch_closes_leaves_under_its_timestamp() {
    let (closed, side) = timely::execute_directly(|worker| {
        let (mut input, closed, side) = worker.dataflow::<u64, _, _>(|scope| {
            let (input, records) = scope.new_input();
            let windowed = records.hopping(10, 5, machine, Nobody).unwrap();
            (input, windowed.closed.capture(), windowed.side.capture())
        });
        for (time, batch) in [
            &[('a', 3), ('a', 7)][..],
            &[('a', -15)],
            &[('a', 9), ('a', 16), ('a', -30)],
        ]
        .into_iter()
        .enumerate()
        {
            input.advance_to(u64::try_from(time).unwrap());
            input.send_batch(&mut fed(batch));
        }
        input.close();
        (closed, side)
    });
    let a = |start: i64, events: &[i64]| ('a', (start, events.to_vec()));
    let closed: Closed = closed.extract();
    let side: Aside = side.extract();
    assert_eq!(
        closed,
        [
            (0, vec![a(-5, &[3])]),
            (1, vec![a(0, &[3, 7]), a(5, &[7])]),
            (2, vec![a(10, &[16]), a(15, &[16]), a(20, &[])]),
        ]
    );
    assert_eq!(side, [(2, vec![('a', 9)])]);
}

#[test]
fn a_shape_that_is_none_makes_no_operator() {
    timely::example(|scope| {
        let none = || fed(&[]).to_stream(scope);
        assert!(none().tumbling(0, machine, Nobody).is_none());
        assert!(none().hopping(5, 6, machine, Nobody).is_none());
    });
}
