//! Random streams of `ticks`, made of small abstract events so that a failing one shrinks to a few lines.
//!
//! In: proptest's choices. Out: settings and the lines of one partition. Time is counted in fractions of a window, so that
//! equal stamps, window ends and expiries meet often; everything that numbers can be (crossed, nearly equal, zero, 25
//! digits) is among the writings. Absent: any idea of what should come out.

mod event;
mod render;
mod writing;

use std::collections::BTreeMap;

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

pub(crate) use event::{Event, event};
pub(crate) use render::render;

use crate::agreement::Case;

/// Venues, not in alphabetical order.
pub(crate) const VENUES: [&str; 4] = ["kraken", "a", "a2", "Z"];
/// Pairs, not in alphabetical order.
pub(crate) const PAIRS: [&str; 4] = ["ETH-USD", "BTC-USD", "BTC-EUR", "X-PERP-USDT"];
/// Currencies that a symbol may really trade in.
pub(crate) const CURRENCIES: [&str; 3] = ["USD", "USDT", "EUR"];

/// One random stream.
#[derive(Debug, Clone)]
pub(crate) struct Stream {
    pub(crate) case: Case,
    pub(crate) world: World,
    pub(crate) events: Vec<Event>,
}

/// What the events of one stream share.
#[derive(Debug, Clone)]
pub(crate) struct World {
    /// How many venues and pairs there are at most, 1 to 4.
    pub(crate) venues: usize,
    pub(crate) pairs: usize,
    /// Where the stream begins, nanoseconds since 1970.
    pub(crate) base_ns: i64,
    /// What one step of time is, nanoseconds.
    pub(crate) step_ns: i64,
    /// Ticks and rates are not stamped before their venue's last mark.
    pub(crate) keeps_its_marks: bool,
    /// There are no marks at all.
    pub(crate) no_marks: bool,
    /// There are no statuses at all.
    pub(crate) no_statuses: bool,
    /// An `up` is followed at once by a mark, as ingest does it.
    pub(crate) marks_after_up: bool,
    /// By venue and pair: 0 for the pair's own currency, else one of [`CURRENCIES`].
    pub(crate) currencies: Vec<usize>,
}

/// Streams of up to `longest` events.
pub(crate) fn stream(longest: usize) -> impl Strategy<Value = Stream> {
    case().prop_flat_map(move |case| {
        let width_ns = case.width_ms * 1_000_000;
        (Just(case), world(width_ns), vec(event(), 0..=longest)).prop_map(
            |(case, world, events)| Stream {
                case,
                world,
                events,
            },
        )
    })
}

/// Settings with windows of 1 to 1000 ms and ages of a few windows at most.
fn case() -> impl Strategy<Value = Case> {
    let width_ms = prop_oneof![
        Just(1_000_i64),
        Just(1),
        Just(2),
        Just(7),
        Just(100),
        1..1_000_i64
    ];
    width_ms.prop_flat_map(|width_ms| {
        let age = move || {
            prop_oneof![
                4 => Just(2 * width_ms),
                2 => 0..=3 * width_ms,
                1 => Just(0_i64),
                1 => Just(width_ms),
                1 => Just(100 * width_ms),
            ]
        };
        let gap = prop_oneof![
            4 => Just(50 * width_ms),
            1 => Just(0_i64),
            1 => Just(width_ms),
            1 => Just(3 * width_ms),
            1 => 1..10 * width_ms + 1,
        ];
        let fee = prop_oneof![
            3 => Just("0"), 1 => Just("1"), 1 => Just("9.5"), 1 => Just("-0.5"),
            1 => Just("0.000001"), 1 => Just("100")
        ];
        let rules = option::of((fee.prop_map(str::to_owned), option::weighted(0.3, age())));
        (age(), age(), gap, vec(rules, VENUES.len())).prop_map(
            move |(quote_max_age_ms, rate_max_age_ms, max_gap_ms, rules)| {
                let venues: BTreeMap<_, _> = VENUES
                    .iter()
                    .zip(rules)
                    .filter_map(|(venue, rules)| Some(((*venue).to_owned(), rules?)))
                    .collect();
                Case {
                    width_ms,
                    quote_max_age_ms,
                    rate_max_age_ms,
                    max_gap_ms,
                    venues,
                }
            },
        )
    })
}

fn world(width_ns: i64) -> impl Strategy<Value = World> {
    let base_ns = prop_oneof![
        3 => Just(1_723_161_254_000_000_000_i64),
        2 => Just(0),
        1 => Just(-3 * width_ns),
        1 => Just(-1),
        1 => -2_000_000_000_000_000_000..2_000_000_000_000_000_000_i64,
    ];
    let step_ns = prop_oneof![
        4 => Just(width_ns / 8), 1 => Just(width_ns / 3), 1 => Just(width_ns),
        1 => Just(width_ns / 2 + 1), 1 => Just(1_000_000), 1 => Just(width_ns / 50)
    ];
    (
        prop_oneof![4 => Just(2_usize), 1 => Just(1), 2 => Just(3), 1 => Just(4)],
        prop_oneof![4 => Just(1_usize), 3 => Just(2), 1 => Just(4)],
        base_ns,
        step_ns,
        any::<bool>(),
        prop::bool::weighted(0.2),
        prop::bool::weighted(0.3),
        any::<bool>(),
        vec(
            prop_oneof![4 => Just(0_usize), 1 => 0..4_usize],
            VENUES.len() * PAIRS.len(),
        ),
    )
        .prop_map(
            |(
                venues,
                pairs,
                base_ns,
                step_ns,
                keeps_its_marks,
                no_marks,
                no_statuses,
                marks_after_up,
                currencies,
            )| World {
                venues,
                pairs,
                base_ns,
                step_ns,
                keeps_its_marks,
                no_marks,
                no_statuses,
                marks_after_up,
                currencies,
            },
        )
}
