//! A made-up log of `ticks`: seeded, with everything that windowing meets in it, written at a pace.

use std::time::{Duration, Instant};

use contract::topic;
use kafka_io::{Broker, ProducerOptions, Record};

use crate::fixture::{Chance, pause};

/// A second of event time goes by in so much of ours.
const SECOND: Duration = Duration::from_millis(40);
const NS: u64 = 1_000_000_000;
const VENUES: [&str; 3] = ["binance", "coinbase", "kraken"];
const PAIRS: u64 = 24;

/// Where a line goes.
enum To {
    /// The partition of this pair.
    Pair(String),
    /// Every partition.
    All,
}

/// Lines by the second in which they are written.
pub(super) struct Log(Vec<Vec<(To, String)>>);

impl Log {
    /// So many seconds of event time, from the first whole one at or behind `after_ns`. The last marks close all of it.
    pub(super) fn made_up(seed: u64, after_ns: u64, seconds: u64) -> Self {
        let mut chance = Chance(seed);
        let base_ns = after_ns.div_ceil(NS) * NS;
        let mut log: Vec<_> = (0..seconds)
            .map(|second| one_second(&mut chance, base_ns + second * NS, second))
            .collect();
        let end_ns = base_ns + seconds * NS;
        let up = VENUES.map(|venue| (To::All, status(venue, "up", end_ns)));
        let marks = VENUES.map(|venue| (To::All, mark(venue, end_ns)));
        log.push(up.into_iter().chain(marks).collect());
        Self(log)
    }

    /// Writes it, second by second.
    pub(super) fn write(&self, broker: &Broker) {
        let producer = broker.producer(ProducerOptions::new("test")).unwrap();
        let started = Instant::now();
        for (lines, n) in self.0.iter().zip(1_u32..) {
            for (to, line) in lines {
                let (key, partitions) = match to {
                    To::Pair(pair) => {
                        let partition = topic::TICKS.partition_of(pair.as_bytes());
                        (pair.as_str(), partition..partition + 1)
                    }
                    To::All => ("venue", 0..topic::TICKS.partitions),
                };
                for partition in partitions {
                    let ticks = topic::TICKS.name;
                    let record = Record::new(ticks, partition, key.as_bytes(), line.as_bytes());
                    producer.send(record).unwrap();
                }
            }
            pause((SECOND * n).saturating_sub(started.elapsed()));
        }
        producer.flush(super::PATIENCE).unwrap();
    }
}

fn one_second(chance: &mut Chance, start_ns: u64, second: u64) -> Vec<(To, String)> {
    let mut lines = Vec::new();
    for step in 0..5 {
        let now_ns = start_ns + step * NS / 5;
        for venue in VENUES {
            lines.push((To::All, mark(venue, now_ns - 400_000_000)));
        }
        for _ in 0..12 {
            let pair = format!("P{}-USD", chance.next(PAIRS));
            let mut event_ns = now_ns + chance.next(NS / 5);
            if chance.next(40) == 0 {
                event_ns -= 3 * NS;
            }
            let line = tick(chance, &pair, event_ns);
            lines.push((To::Pair(pair), line));
        }
    }
    if second.is_multiple_of(2) {
        let cents = 20 + chance.next(60);
        lines.push((To::All, format!(
            r#"{{"v":1,"kind":"rate","venue":"coinbase","symbol":"USDT-USD","from":"USDT","to":"USD","event_ns":{start_ns},"bid":"0.99{cents}","ask":"0.99{}"}}"#,
            cents + 1
        )));
    }
    if chance.next(4) == 0 {
        let pair = format!("P{}-USD", chance.next(PAIRS));
        lines.push((To::Pair(pair), format!("no record, number {second}")));
    }
    match chance.next(12) {
        0 => lines.push((To::All, status("kraken", "down", start_ns + NS / 2))),
        1 => {
            lines.push((To::All, status("kraken", "up", start_ns + NS / 2)));
            lines.push((To::All, mark("kraken", start_ns + NS / 2)));
        }
        _ => {}
    }
    lines
}

fn tick(chance: &mut Chance, pair: &str, event_ns: u64) -> String {
    let venue = VENUES[usize::try_from(chance.next(3)).unwrap()];
    let currency = if venue == "binance" { "USDT" } else { "USD" };
    let symbol = pair.replace("USD", currency);
    let head = format!(
        r#""venue":"{venue}","symbol":"{symbol}","currency":"{currency}","pair":"{pair}","event_ns":{event_ns},"event_from":"venue","exchange_ns":{event_ns},"received_ns":{event_ns}"#
    );
    let cents = 1_000 + chance.next(40);
    if chance.next(5) == 0 {
        return format!(
            r#"{{"v":1,"kind":"trade",{head},"trade_id":"7","price":"{cents}.5","size":"0.0{}","taker_side":"buy"}}"#,
            1 + chance.next(9)
        );
    }
    format!(
        r#"{{"v":1,"kind":"quote",{head},"seq":null,"bid":"{cents}.10","bid_size":"1.5","ask":"{}.20","ask_size":null}}"#,
        cents + chance.next(3)
    )
}

fn mark(venue: &str, event_ns: u64) -> String {
    format!(r#"{{"v":1,"kind":"mark","venue":"{venue}","event_ns":{event_ns}}}"#)
}

fn status(venue: &str, status: &str, event_ns: u64) -> String {
    format!(
        r#"{{"v":1,"kind":"status","venue":"{venue}","status":"{status}","event_ns":{event_ns},"detail":""}}"#
    )
}
