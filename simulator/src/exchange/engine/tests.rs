use std::collections::BTreeSet;

use super::*;
use crate::exchange::{Scheduled, ServerSettings};
use crate::market::MarketSettings;

/// 2026-03-02T14:30:00Z.
const START_NS: i64 = 1_772_461_800_000 * NS_PER_MS;
const ADVANCED: Dialect = Dialect::CoinbaseAdvanced;
const EXCHANGE: Dialect = Dialect::CoinbaseExchange;
const BINANCE: Dialect = Dialect::Binance;
const BTC: &str = "/stream?streams=btcusdt@bookTicker/btcusdt@trade";

fn settings() -> ExchangesSettings {
    let mut settings = ExchangesSettings::new(MarketSettings::two_venues(9));
    settings.servers.insert(EXCHANGE, ServerSettings::default());
    settings
}

fn engine() -> Engine {
    scripted(Vec::new())
}

fn scripted(script: Vec<Scheduled>) -> Engine {
    let mut settings = settings();
    settings.script = script;
    Engine::new(settings, START_NS).unwrap()
}

/// Seconds since the start, with three decimals.
fn at(ns: i64) -> i64 {
    (ns - START_NS) / NS_PER_MS
}

fn until(engine: &mut Engine, ms: i64) -> Vec<(ConnectionId, i64, Output)> {
    engine.advance(START_NS + ms * NS_PER_MS);
    let told = engine.take();
    told.into_iter()
        .map(|(id, ns, output)| (id, at(ns), output))
        .collect()
}

fn texts(outputs: &[(ConnectionId, i64, Output)]) -> Vec<&str> {
    outputs
        .iter()
        .filter_map(|(_, _, output)| match output {
            Output::Text(text) => Some(text.as_str()),
            _ => None,
        })
        .collect()
}

fn subscribe(engine: &mut Engine, channel: &str) -> ConnectionId {
    let id = engine.connect(ADVANCED, "/").unwrap();
    engine.hear(
        ADVANCED,
        id,
        &format!(r#"{{"type":"subscribe","product_ids":["BTC-USD"],"channel":"{channel}"}}"#),
    );
    id
}

/// The ids of trades in frames of Coinbase Advanced, in order.
fn trade_ids(texts: &[&str]) -> Vec<u64> {
    let after = |text: &&str| -> Vec<u64> {
        let mut ids: Vec<u64> = text
            .split(r#""trade_id":""#)
            .skip(1)
            .map(|rest| rest.split_once('"').unwrap().0.parse().unwrap())
            .collect();
        // Newest first on the wire.
        ids.reverse();
        ids
    };
    texts.iter().flat_map(after).collect()
}

#[test]
fn what_stood_in_a_snapshot_does_not_come_again_and_nothing_is_missing_after_it() {
    let mut engine = engine();
    engine.advance(START_NS + 3_333 * NS_PER_MS);
    subscribe(&mut engine, "market_trades");
    let told = until(&mut engine, 30_000);
    let ids = trade_ids(&texts(&told));
    assert!(ids.len() > 150, "{}", ids.len());
    assert!(ids.windows(2).all(|pair| pair[1] == pair[0] + 1));
}

#[test]
fn a_client_of_coinbase_has_five_seconds_to_ask_for_something() {
    let mut engine = engine();
    engine.advance(START_NS + 1_000 * NS_PER_MS);
    let mute = engine.connect(EXCHANGE, "/").unwrap();
    let told = until(&mut engine, 10_000);
    let [(id, 6_000, Output::Close { code: 1_008, .. })] = &told[..] else {
        panic!("{told:?}")
    };
    assert_eq!(*id, mute);
    assert_eq!(engine.report(EXCHANGE).connections(), 0);
}

#[test]
fn heartbeats_come_each_second_and_count() {
    let mut engine = engine();
    let id = engine.connect(ADVANCED, "/").unwrap();
    engine.hear(
        ADVANCED,
        id,
        r#"{"type":"subscribe","channel":"heartbeats"}"#,
    );
    let told = until(&mut engine, 3_500);
    let times: Vec<i64> = told.iter().map(|(_, at, _)| *at).collect();
    assert_eq!(times, [0, 1_000, 2_000, 3_000]);
    let texts = texts(&told);
    for (text, counter) in texts[1..].iter().zip(41_691..) {
        assert!(
            text.contains(&format!(r#""heartbeat_counter":{counter}"#)),
            "{text}"
        );
    }
    assert!(
        texts[1].contains(r#""current_time":"2026-03-02 14:30:01 +0000 UTC m=+41691.8"#),
        "{}",
        texts[1]
    );
}

#[test]
fn binance_pings_each_twenty_seconds_and_waits_a_minute_for_the_same_payload() {
    let mut engine = engine();
    let good = engine.connect(BINANCE, "/ws").unwrap();
    let bad = engine.connect(BINANCE, "/ws").unwrap();
    let mut ends = Vec::new();
    for second in 1..=100 {
        for (id, at, output) in until(&mut engine, second * 1_000) {
            match output {
                Output::Ping(payload) if id == good => {
                    engine.ponged(BINANCE, id, payload.as_bytes());
                }
                // A pong that was not asked for does not count.
                Output::Ping(_) => engine.ponged(BINANCE, id, b"unasked"),
                Output::Close { .. } => ends.push((id, at)),
                other => panic!("{other:?}"),
            }
        }
    }
    assert_eq!(ends, [(bad, 80_000)]);
    let report = engine.report(BINANCE);
    assert_eq!(
        (
            report.connections(),
            report.pings_sent,
            report.pongs_received
        ),
        (1, 8, 8)
    );
    assert!(report.ended[0].reason.contains("pong timeout"));
}

#[test]
fn subscriptions_can_be_taken_back() {
    let mut engine = engine();
    let id = subscribe(&mut engine, "ticker");
    assert_eq!(
        engine.report(ADVANCED).subscriptions[&id],
        ["ticker:BTC-USD"]
    );
    until(&mut engine, 1_000);
    let stop = r#"{"type":"unsubscribe","product_ids":["BTC-USD"],"channel":"ticker"}"#;
    engine.hear(ADVANCED, id, stop);
    let told = until(&mut engine, 3_000);
    assert_eq!(texts(&told).len(), 1, "{told:?}");
    let id = engine.connect(BINANCE, BTC).unwrap();
    let stop = r#"{"method":"UNSUBSCRIBE","params":["btcusdt@bookTicker"],"id":1}"#;
    engine.hear(BINANCE, id, stop);
    let told = until(&mut engine, 6_000);
    let texts = texts(&told);
    assert!(texts[1..].iter().all(|text| text.contains("@trade")));
    assert!(texts.len() > 10);
}

#[test]
fn faults_of_the_script_come_hold_pass_and_come_again() {
    let mut engine = scripted(vec![Scheduled {
        dialect: BINANCE,
        fault: Fault::Silent,
        at_ms: 2_000,
        for_ms: Some(1_000),
        every_ms: Some(5_000),
    }]);
    engine.connect(BINANCE, BTC).unwrap();
    let told = until(&mut engine, 14_000);
    let seconds: BTreeSet<i64> = told.iter().map(|(_, at, _)| at / 1_000).collect();
    let silent: Vec<i64> = (0..14).filter(|second| !seconds.contains(second)).collect();
    assert_eq!(silent, [2, 7, 12]);
}

#[test]
fn faults_are_those_of_one_server_and_the_newest_counts() {
    let mut engine = engine();
    engine.fault(BINANCE, Fault::Refuse, None);
    assert_eq!(engine.gate(BINANCE), Gate::Refuse);
    let status = Fault::Answer {
        status: 451,
        retry_after_s: None,
    };
    engine.fault(BINANCE, status, Some(NS_PER_S));
    assert_eq!(engine.gate(BINANCE), Gate::Answer(451, None));
    assert_eq!(engine.gate(ADVANCED), Gate::Open);
    until(&mut engine, 1_500);
    assert_eq!(engine.gate(BINANCE), Gate::Refuse);
    engine.clear(BINANCE);
    assert_eq!(engine.gate(BINANCE), Gate::Open);
}

#[test]
fn an_outage_cuts_everybody_off_and_a_frozen_server_says_nothing() {
    let mut engine = engine();
    let cut = engine.connect(BINANCE, BTC).unwrap();
    let frozen = subscribe(&mut engine, "ticker");
    until(&mut engine, 1_000);
    engine.fault(BINANCE, Fault::Outage, None);
    engine.fault(ADVANCED, Fault::Frozen, None);
    assert_eq!(until(&mut engine, 30_000), [(cut, 1_000, Output::Abort)]);
    assert_eq!(engine.report(BINANCE).connections(), 0);
    assert!(engine.report(ADVANCED).subscriptions.contains_key(&frozen));
}

#[test]
fn unknown_frames_are_numbered_like_any_other() {
    let mut engine = engine();
    subscribe(&mut engine, "ticker");
    until(&mut engine, 2_000);
    engine.fault(ADVANCED, Fault::UnknownType, None);
    let told = until(&mut engine, 4_000);
    let number = |text: &str| -> u64 {
        let rest = text.split_once(r#""sequence_num":"#).unwrap().1;
        rest.split_once(',').unwrap().0.parse().unwrap()
    };
    let numbers: Vec<u64> = texts(&told).into_iter().map(number).collect();
    assert!(numbers.windows(2).all(|pair| pair[1] == pair[0] + 1));
}

#[test]
fn a_flood_has_so_many_frames_in_each_dialect_and_can_be_cleared() {
    for (dialect, address) in [(ADVANCED, "/"), (EXCHANGE, "/"), (BINANCE, BTC)] {
        let mut engine = engine();
        let id = engine.connect(dialect, address).unwrap();
        // The venue's first symbol.
        let ask = match dialect {
            ADVANCED => r#"{"type":"subscribe","product_ids":["BTC-USD"],"channel":"ticker"}"#,
            _ => {
                r#"{"type":"subscribe","product_ids":["BTC-USD"],"channels":["ticker","matches"]}"#
            }
        };
        if dialect != BINANCE {
            engine.hear(dialect, id, ask);
        }
        until(&mut engine, 2_000);
        engine.fault(dialect, Fault::Flood { per_s: 50_000 }, Some(10 * NS_PER_S));
        let flood = until(&mut engine, 3_000).len();
        assert!((49_000..51_000).contains(&flood), "{dialect:?}: {flood}");
        engine.clear(dialect);
        let later = until(&mut engine, 4_000).len();
        assert!(later < 2_000, "{dialect:?}: {later}");
    }
}

#[test]
fn what_nobody_serves_is_refused() {
    let mut engine = engine();
    assert_eq!(engine.connect(Dialect::BinanceUs, "/ws"), None);
    assert_eq!(engine.connect(BINANCE, "/elsewhere"), None);
    assert_eq!(engine.report(BINANCE).refused, 1);
    let many: Vec<String> = (0..1_025).map(|at| format!("s{at}@trade")).collect();
    assert_eq!(
        engine.connect(BINANCE, &format!("/stream?streams={}", many.join("/"))),
        None
    );
    // What is said to a connection that is gone is lost.
    engine.hear(BINANCE, 99, "{}");
    engine.gone(BINANCE, 99, "never was");
    let mut settings = settings();
    settings.script.push(Scheduled {
        dialect: Dialect::BinanceUs,
        fault: Fault::Silent,
        at_ms: 0,
        for_ms: None,
        every_ms: None,
    });
    let error = Engine::new(settings, START_NS).unwrap_err();
    assert!(
        error.to_string().contains("`binance_us` is to misbehave"),
        "{error}"
    );
}

#[test]
fn a_venues_clock_is_ahead_in_every_stamp() {
    let mut settings = settings();
    settings.servers.get_mut(&BINANCE).unwrap().skew_ms = 1_300;
    let mut engine = Engine::new(settings, START_NS).unwrap();
    engine.connect(BINANCE, "/ws/btcusdt@trade").unwrap();
    let told = until(&mut engine, 5_000);
    for (_, at, output) in &told {
        let Output::Text(text) = output else {
            panic!("{output:?}")
        };
        let stamp = 1_772_461_800_000 + at + 1_300;
        assert!(text.contains(&format!(r#""E":{stamp},"#)), "{text}");
        assert!(text.contains(&format!(r#""T":{stamp},"#)), "{text}");
    }
    assert!(told.len() > 20);
}
