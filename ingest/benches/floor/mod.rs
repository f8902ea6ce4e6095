//! The floor: serde_json into borrowed structs of the fields that the parser reads, prices and times left as text.

#![expect(
    dead_code,
    reason = "the fields are only filled, which is what is measured"
)]

use serde::Deserialize;
use serde::de::IgnoredAny;

/// A function that reads a frame as one type and nothing more.
macro_rules! floor {
    ($($shape:tt)*) => {
        |frame: &str| {
            let read: Result<$($shape)*, serde_json::Error> = serde_json::from_str(frame);
            assert!(std::hint::black_box(&read).is_ok(), "a made-up frame is a good one");
        }
    };
}
pub(crate) use floor;

/// Declares a borrowed struct.
macro_rules! shape {
    ($name:ident { $($field:ident $(as $wire:literal)?: $kind:ty),* $(,)? }) => {
        #[derive(Deserialize)]
        pub(crate) struct $name<'a> {
            $($(#[serde(rename = $wire)])? $field: $kind,)*
        }
    };
}

#[derive(Deserialize)]
pub(crate) struct Combined<'a, T> {
    stream: &'a str,
    data: T,
}

#[derive(Deserialize)]
pub(crate) struct Envelope<'a, E> {
    timestamp: &'a str,
    sequence_num: u64,
    events: E,
}

shape!(BookTicker { u: u64, s: &'a str, bid as "b": &'a str, bid_size as "B": &'a str, ask as "a": &'a str, ask_size as "A": &'a str });
shape!(Trade { e: &'a str, sent as "E": i64, s: &'a str, t: u64, p: &'a str, q: &'a str, happened as "T": i64, m: bool });
shape!(AggTrade { e: &'a str, sent as "E": i64, s: &'a str, a: u64, p: &'a str, q: &'a str, l: u64, happened as "T": i64, m: bool });
shape!(DepthUpdate { e: &'a str, sent as "E": i64, s: &'a str, first as "U": u64, last as "u": u64, b: IgnoredAny, a: IgnoredAny });
shape!(ExchangeTicker { sequence: u64, product_id: &'a str, best_bid: &'a str, best_bid_size: Option<&'a str>, best_ask: &'a str, best_ask_size: Option<&'a str>, side: Option<&'a str>, time: Option<&'a str>, trade_id: Option<u64> });
shape!(Match { trade_id: u64, side: &'a str, size: &'a str, price: &'a str, product_id: &'a str, time: Option<&'a str> });
shape!(Heartbeat { last_trade_id: u64, product_id: &'a str, time: &'a str });
shape!(L2Update { product_id: &'a str, changes: IgnoredAny, time: &'a str });

#[derive(Deserialize)]
pub(crate) struct TickerEvent<'a> {
    #[serde(rename = "type")]
    kind: &'a str,
    #[serde(borrow)]
    tickers: Vec<Ticker<'a>>,
}
shape!(Ticker { product_id: &'a str, best_bid: Option<&'a str>, best_ask: Option<&'a str>, best_bid_quantity: Option<&'a str>, best_ask_quantity: Option<&'a str> });

#[derive(Deserialize)]
pub(crate) struct TradesEvent<'a> {
    #[serde(rename = "type")]
    kind: &'a str,
    #[serde(borrow)]
    trades: Vec<AdvancedTrade<'a>>,
}
shape!(AdvancedTrade { product_id: &'a str, trade_id: &'a str, price: &'a str, size: &'a str, time: &'a str, side: &'a str });
