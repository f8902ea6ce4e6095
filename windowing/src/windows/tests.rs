//! The generic machine over a toy logic: sums of numbers, from two sources.

use super::*;
use proptest::prelude::*;

/// Collects what each window holds.
#[derive(Debug, Clone, Default)]
struct Collect {
    skipped: Vec<i64>,
    ignored: Vec<i64>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Closed {
    start_ns: i64,
    density: Density,
    events: Vec<(i64, i64)>,
}

type In = Item<i64>;

impl WindowLogic for Collect {
    type Input = In;
    type Event = i64;
    type Output = Closed;
    type Side = (i64, i64);

    fn classify(&mut self, input: &In, _: &mut Vec<(i64, i64)>) -> Option<Item<i64>> {
        Some(input.clone())
    }

    fn late(&mut self, late: Late<In, i64>, side: &mut Vec<(i64, i64)>) {
        side.push((late.event, late.boundary_ns - late.stamp_ns));
    }

    fn ignored(&mut self, event: i64) {
        self.ignored.push(event);
    }

    fn close(
        &mut self,
        window: Window,
        runs: &[&[(i64, i64)]],
        density: Density,
        out: &mut Vec<Closed>,
    ) {
        out.push(Closed {
            start_ns: window.start_ns,
            density,
            events: runs.concat(),
        });
    }

    fn skip(&mut self, events: &[(i64, i64)]) {
        self.skipped.extend(events.iter().map(|(_, event)| event));
    }
}

const A: SourceId = SourceId(0);
const B: SourceId = SourceId(1);

fn data(source: SourceId, stamp_ns: i64, event: i64) -> In {
    Item::Data {
        source,
        stamp_ns,
        event,
    }
}

fn mark(source: SourceId, stamp_ns: i64) -> In {
    Item::Mark { source, stamp_ns }
}

struct Run {
    windows: Windows<Collect>,
    closed: Vec<Closed>,
    late: Vec<(i64, i64)>,
}

fn run(shape: Shape, items: impl IntoIterator<Item = In>) -> Run {
    // A gap of 1 ms is a million windows of the shapes used here: dense unless a test says otherwise.
    run_with(Windows::new(shape, 1, 1_000_000, Collect::default()), items)
}

fn run_with(mut windows: Windows<Collect>, items: impl IntoIterator<Item = In>) -> Run {
    let (mut closed, mut late) = (Vec::new(), Vec::new());
    for item in items {
        windows.push(item, &mut closed, &mut late).unwrap();
    }
    windows.finish(&mut closed);
    Run {
        windows,
        closed,
        late,
    }
}

fn shape(width: i64, hop: i64) -> Shape {
    Shape::hopping(width, hop).unwrap()
}

#[test]
fn a_late_piece_of_data_goes_to_the_side_and_changes_no_window() {
    let run = run(
        shape(10, 10),
        [data(A, 5, 1), mark(A, 20), data(A, 19, 2), data(A, 20, 3)],
    );
    assert_eq!(run.late, [(2, 1)]);
    let events: Vec<_> = run
        .closed
        .iter()
        .map(|closed| closed.events.clone())
        .collect();
    assert_eq!(events, [vec![(5, 1)], vec![], vec![(20, 3)]]);
}

#[test]
fn windows_begin_with_the_first_that_holds_data() {
    let run = run(
        shape(10, 10),
        [mark(A, 20), data(A, 57, 1), data(A, 43, 2), mark(A, 70)],
    );
    let starts: Vec<_> = run.closed.iter().map(|closed| closed.start_ns).collect();
    assert_eq!(starts, [40, 50, 60]);
}

#[test]
fn the_end_of_input_closes_up_to_the_last_window_with_data() {
    let run = run(
        shape(10, 10),
        [
            data(A, 5, 1),
            Item::Aside {
                stamp_ns: 95,
                event: 9,
            },
            data(B, 31, 2),
        ],
    );
    let starts: Vec<_> = run.closed.iter().map(|closed| closed.start_ns).collect();
    assert_eq!(starts, [0, 10, 20, 30]);
}

#[test]
fn what_is_aside_opens_no_window_and_is_ignored_when_late() {
    let aside = |stamp_ns, event| Item::Aside { stamp_ns, event };
    let run = run(
        shape(10, 10),
        [
            aside(3, 1),
            mark(A, 20),
            aside(19, 2),
            aside(25, 3),
            data(A, 31, 4),
            mark(A, 40),
        ],
    );
    assert_eq!(run.windows.logic().ignored, [2]);
    assert_eq!(run.windows.logic().skipped, [1, 3]);
    assert_eq!(run.closed.len(), 1);
}

#[test]
fn a_status_before_the_boundary_counts_as_stamped_on_it() {
    let down = Item::Status {
        source: A,
        up: false,
        stamp_ns: 3,
        event: 7,
    };
    let run = run(
        shape(10, 10),
        [
            data(A, 5, 1),
            mark(A, 20),
            down,
            data(B, 22, 2),
            mark(B, 30),
        ],
    );
    assert_eq!(run.closed[2].events, [(20, 7), (22, 2)]);
}

#[test]
fn a_long_gap_gives_only_windows_that_hold_data() {
    let windows = Windows::new(shape(10, 10), 0, 100, Collect::default());
    let run = run_with(
        windows,
        [
            data(A, 5, 1),
            mark(A, 0),
            data(A, i64::MAX - 20, 2),
            mark(A, i64::MAX),
        ],
    );
    assert_eq!(run.closed.len(), 2);
    assert!(
        run.closed
            .iter()
            .all(|closed| closed.density == Density::WithData)
    );
    assert_eq!(run.windows.watermark_ns(), Some(i64::MAX));
}

#[test]
fn more_waiting_records_than_allowed_are_refused_by_name() {
    let mut windows = Windows::new(shape(10, 10), 0, 2, Collect::default());
    let (mut closed, mut late) = (Vec::new(), Vec::new());
    windows.push(mark(A, 0), &mut closed, &mut late).unwrap();
    for event in 0..2 {
        windows
            .push(data(B, 5, event), &mut closed, &mut late)
            .unwrap();
    }
    let full = windows
        .push(data(B, 5, 2), &mut closed, &mut late)
        .unwrap_err();
    assert_eq!(
        full,
        TooManyOpen {
            records: 2,
            holder: Some(A)
        }
    );
    windows.push(mark(A, 10), &mut closed, &mut late).unwrap();
    assert!(
        windows.push(data(B, 6, 3), &mut closed, &mut late).is_err(),
        "B's own stamp holds the window open"
    );
    windows.push(mark(B, 10), &mut closed, &mut late).unwrap();
    windows
        .push(data(B, 15, 3), &mut closed, &mut late)
        .unwrap();
}

/// Items of two sources whose marks may or may not be kept.
fn items() -> impl Strategy<Value = Vec<In>> {
    let stamp = -200_i64..400;
    let source = prop_oneof![Just(A), Just(B)];
    let item = prop_oneof![
        6 => (source.clone(), stamp.clone(), 0..1_000_i64).prop_map(|(source, stamp_ns, event)| data(source, stamp_ns, event)),
        2 => (source.clone(), stamp.clone()).prop_map(|(source, stamp_ns)| mark(source, stamp_ns)),
        1 => (source, any::<bool>(), stamp).prop_map(|(source, up, stamp_ns)| Item::Status { source, up, stamp_ns, event: -1 }),
    ];
    proptest::collection::vec(item, 0..80)
}

proptest! {
    #[test]
    fn every_piece_of_data_is_in_all_its_windows_or_late(items in items(), width in 1_i64..40, hop in 1_i64..40) {
        prop_assume!(hop <= width);
        let shape = shape(width, hop);
        // Number the data, so that each piece can be found again.
        let items: Vec<In> = items.into_iter().zip(0..).map(|(item, number)| match item {
            Item::Data { source, stamp_ns, .. } => data(source, stamp_ns, number),
            other => other,
        }).collect();
        let run = run(shape, items.clone());
        for item in &items {
            let Item::Data { stamp_ns, event, .. } = *item else { continue };
            let pane = shape.pane_of(stamp_ns);
            let expected: Vec<i64> =
                (shape.first_window_of(pane)..=shape.last_window_of(pane)).map(|index| shape.window(index).start_ns).collect();
            let found: Vec<i64> = run.closed.iter()
                .filter(|closed| closed.events.contains(&(stamp_ns, event)))
                .map(|closed| closed.start_ns)
                .collect();
            let late = run.late.iter().filter(|(late, _)| *late == event).count();
            if late == 0 {
                prop_assert_eq!(found, expected);
            } else {
                prop_assert_eq!((late, found), (1, vec![]));
            }
        }
    }

    #[test]
    fn windows_close_once_in_order_and_hold_their_events_in_order(items in items(), width in 1_i64..40, hop in 1_i64..40) {
        prop_assume!(hop <= width);
        let run = run(shape(width, hop), items);
        prop_assert!(run.closed.is_sorted_by(|a, b| a.start_ns + hop == b.start_ns));
        for closed in &run.closed {
            prop_assert!(closed.events.is_sorted_by_key(|(stamp_ns, _)| *stamp_ns));
        }
        prop_assert_eq!(run.windows.open, run.windows.panes.values().map(|pane| pane.events.len()).sum::<usize>());
    }

    #[test]
    fn any_arrival_order_that_the_marks_allow_gives_the_same_windows(
        stamps in proptest::collection::vec(0_i64..200, 1..60), seed in any::<u64>(),
    ) {
        let ordered: Vec<In> = stamps.iter().map(|&stamp_ns| data(A, stamp_ns, stamp_ns)).collect();
        let mut shuffled = ordered.clone();
        let mut state = seed | 1;
        for at in (1..shuffled.len()).rev() {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            shuffled.swap(at, usize::try_from(state >> 33).unwrap() % (at + 1));
        }
        let closed = |items: Vec<In>| {
            run(shape(10, 10), [mark(A, 0)].into_iter().chain(items).chain([mark(A, 200)])).closed
        };
        prop_assert_eq!(closed(ordered), closed(shuffled));
    }
}
