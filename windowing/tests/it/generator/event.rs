//! The abstract events of a stream and how often each comes.
//!
//! In: proptest's choices. Out: events of small numbers, each of which shrinks towards 0: no time passes, the plainest
//! writing, the first venue.

use proptest::option;
use proptest::prelude::*;

use super::writing::Number;

/// When something happens: so many steps after the event before, and stamped so many steps earlier than that.
#[derive(Debug, Clone, Copy)]
pub(crate) struct When {
    pub(crate) after: i64,
    pub(crate) back: i64,
}

/// One thing that happens. Venues and pairs are counted modulo how many the stream has.
#[derive(Debug, Clone)]
pub(crate) enum Event {
    Quote {
        when: When,
        venue: usize,
        pair: usize,
        bid: Number,
        ask: Number,
        bid_size: Option<Number>,
        ask_size: Option<Number>,
    },
    Trade {
        when: When,
        venue: usize,
        pair: usize,
        price: Number,
        size: Number,
    },
    Rate {
        when: When,
        venue: usize,
        from: usize,
        to: usize,
        bid: Number,
        ask: Number,
    },
    Mark {
        when: When,
        venue: usize,
    },
    /// A mark of every venue.
    Marks {
        when: When,
    },
    Status {
        when: When,
        venue: usize,
        said: usize,
    },
    /// Nothing for so many windows.
    Silence {
        windows: i64,
    },
    /// A tick with another symbol, or with another currency.
    Alien {
        when: When,
        venue: usize,
        pair: usize,
        other_currency: bool,
    },
    /// A line that cannot be read.
    Broken {
        how: usize,
    },
}

/// Any event.
pub(crate) fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        40 => quote(),
        10 => (when(), venue(), pair(), price(), size())
            .prop_map(|(when, venue, pair, price, size)| Event::Trade { when, venue, pair, price, size }),
        8 => (when(), venue(), 0..3_usize, 0..3_usize, rate(), rate())
            .prop_map(|(when, venue, from, to, bid, ask)| Event::Rate { when, venue, from, to, bid, ask }),
        12 => (when(), venue()).prop_map(|(when, venue)| Event::Mark { when, venue }),
        12 => when().prop_map(|when| Event::Marks { when }),
        8 => (when(), venue(), prop_oneof![3 => Just(0_usize), 2 => 0..3_usize])
            .prop_map(|(when, venue, said)| Event::Status { when, venue, said }),
        3 => prop_oneof![8 => 1..8_i64, 1 => 1..60_i64, 1 => Just(1_000_i64)]
            .prop_map(|windows| Event::Silence { windows }),
        2 => (when(), venue(), pair(), any::<bool>())
            .prop_map(|(when, venue, pair, other_currency)| Event::Alien { when, venue, pair, other_currency }),
        2 => (0..8_usize).prop_map(|how| Event::Broken { how }),
    ]
}

fn quote() -> impl Strategy<Value = Event> {
    let ask_above_bid = prop_oneof![6 => 0..4_i64, 1 => -2..0_i64];
    let sizes = (option::weighted(0.8, size()), option::weighted(0.8, size()));
    let figures = (price(), ask_above_bid, 0..7_usize, sizes);
    (when(), venue(), pair(), figures).prop_map(
        |(when, venue, pair, (bid, above, writing, (bid_size, ask_size)))| Event::Quote {
            when,
            venue,
            pair,
            bid,
            ask: Number {
                hundredths: bid.hundredths + above,
                writing,
            },
            bid_size,
            ask_size,
        },
    )
}

fn when() -> impl Strategy<Value = When> {
    let after = prop_oneof![4 => Just(0_i64), 5 => 0..4_i64, 1 => 0..16_i64];
    let back = prop_oneof![5 => Just(0_i64), 3 => 0..4_i64, 1 => 0..24_i64, 1 => -8..0_i64];
    (after, back).prop_map(|(after, back)| When { after, back })
}

fn venue() -> impl Strategy<Value = usize> {
    0..4_usize
}

fn pair() -> impl Strategy<Value = usize> {
    0..4_usize
}

/// Around 100.00, near enough to each other that routes pay now and then.
fn price() -> impl Strategy<Value = Number> {
    (10_000..10_006_i64, writing()).prop_map(|(hundredths, writing)| Number {
        hundredths,
        writing,
    })
}

/// Around 1.00, too far from it at times to pay.
fn rate() -> impl Strategy<Value = Number> {
    (99..102_i64, writing()).prop_map(|(hundredths, writing)| Number {
        hundredths,
        writing,
    })
}

/// Zero now and then.
fn size() -> impl Strategy<Value = Number> {
    (0..5_i64, writing()).prop_map(|(hundredths, writing)| Number {
        hundredths,
        writing,
    })
}

fn writing() -> impl Strategy<Value = usize> {
    prop_oneof![8 => Just(0_usize), 4 => 0..7_usize, 1 => 7..9_usize]
}
