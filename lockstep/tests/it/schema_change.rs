//! A newer writer, and readers of today: a field that they do not know is passed over, a major version that they do not know
//! goes untouched to `dead-letters`, and they go on.

use contract::topic;
use serde_json::Value;

use crate::fixture::run_well;
use crate::world::{Kept, World};

/// A record with a field that nobody knows yet, at its end.
fn added(line: &str) -> String {
    let open = line.strip_suffix('}').unwrap();
    format!(r#"{open},"of_a_later_version":{{"list":[1,null,"x"]}}}}"#)
}

/// The same of a major version that nobody knows yet.
fn newer(line: &str) -> String {
    line.replacen(r#""v":1"#, r#""v":2"#, 1)
}

/// What must stand on `dead-letters` of it.
fn is_letter_of(letter: &Kept, stage: &str, topic: &str, value: &str) -> bool {
    letter.value == value.as_bytes()
        && letter.header("topic") == Some(topic)
        && letter.header("stage") == Some(stage)
        && letter
            .header("error")
            .is_some_and(|error| error.contains("version 2"))
}

fn quote(venue: &str, ms: i64, bid: &str, ask: &str) -> String {
    let ns = ms * 1_000_000;
    format!(
        r#"{{"v":1,"kind":"quote","venue":"{venue}","symbol":"BTC-USD","currency":"USD","pair":"BTC-USD","event_ns":{ns},"event_from":"venue","exchange_ns":{ns},"received_ns":{ns},"seq":null,"bid":"{bid}","bid_size":"1","ask":"{ask}","ask_size":"1"}}"#
    )
}

fn mark(venue: &str, ms: i64) -> String {
    let ns = ms * 1_000_000;
    format!(r#"{{"v":1,"kind":"mark","venue":"{venue}","event_ns":{ns}}}"#)
}

fn window(pair: &str, start_ms: i64, net_bps: f64) -> String {
    let end_ms = start_ms + 1_000;
    let at_ns = start_ms * 1_000_000;
    format!(
        r#"{{"v":1,"pair":"{pair}","start_ms":{start_ms},"end_ms":{end_ms},"quality":"ok","late":0,"legs":[],"routes":[{{"buy":"binance","sell":"coinbase","quality":"ok","end":{{"gross_bps":90.0,"net_bps":{net_bps:?}}},"best":{{"gross_bps":90.0,"net_bps":{net_bps:?},"size":"0.7","at_ns":{at_ns}}},"positive_ns":1000000000}}]}}"#
    )
}

const START_MS: i64 = 1_723_161_254_000;

#[test]
fn windowing_passes_over_an_added_field_and_keeps_a_new_major_version() {
    let world = World::embedded();
    let known = [
        quote("binance", START_MS + 100, "100.1", "100.2"),
        quote("coinbase", START_MS + 200, "100.4", "100.5"),
        mark("binance", START_MS + 1_000),
        mark("coinbase", START_MS + 1_000),
    ];
    let unknown = newer(&quote("binance", START_MS + 300, "1.1", "1.2"));
    let partition = topic::TICKS.partition_of(b"BTC-USD");
    let ticks = (&topic::TICKS, partition);
    world.send(ticks, "BTC-USD", added(&known[0]).as_bytes(), &[]);
    world.send(ticks, "BTC-USD", unknown.as_bytes(), &[]);
    for line in &known[1..] {
        world.send(ticks, "", added(line).as_bytes(), &[]);
    }
    let mut stage = world.start(&["window", "--delivery", "at-least-once"]);
    let spreads = world.until(&topic::SPREADS, &mut stage, |all| !all.is_empty());
    let spread: Value = serde_json::from_slice(&spreads[0].value).unwrap();
    assert_eq!(spread["quality"], "ok");
    assert_eq!(
        spread["legs"][0]["bid"], "100.1",
        "the newer quote changes nothing"
    );
    assert_eq!(spread["legs"][0]["quotes"], 1);
    let letters = world.until(&topic::DEAD_LETTERS, &mut stage, |all| !all.is_empty());
    assert_eq!(letters.len(), 1);
    assert!(
        is_letter_of(&letters[0], "windowing", "ticks", &unknown),
        "{letters:?}"
    );
    assert_eq!(
        letters[0].header("partition"),
        Some(&*partition.to_string())
    );
    assert_eq!(letters[0].header("offset"), Some("1"));
}

#[test]
fn the_alerter_passes_over_an_added_field_and_keeps_a_new_major_version() {
    let world = World::embedded();
    let send = |line: &str| world.send_keyed(&topic::SPREADS, "BTC-USD", line);
    let unknown = newer(&window("BTC-USD", START_MS + 1_000, 500.0));
    send(&added(&window("BTC-USD", START_MS, 20.0)));
    send(&unknown);
    let health = r#"{"v":1,"venue":"binance","status":"up","at_ns":1,"frames_per_s":1.0,"data_age_ms":12,"skew_ms":0.0,"gaps":0,"reconnects":0,"parse_errors":0,"queue":0}"#;
    world.send_keyed(&topic::VENUES, "binance", &added(health));
    world.send_keyed(&topic::VENUES, "coinbase", &newer(health));
    send(&added(&window("BTC-USD", START_MS + 2_000, 30.0)));
    send(&window("BTC-USD", START_MS + 3_000, -30.0));
    let mut stage = world.start(&["alert", "--start", "beginning"]);
    let closed = |all: &[Kept]| {
        all.iter()
            .any(|kept| String::from_utf8_lossy(&kept.value).contains(r#""state":"closed""#))
    };
    let alerts = world.until(&topic::ALERTS, &mut stage, closed);
    let last: Value = serde_json::from_slice(&alerts.last().unwrap().value).unwrap();
    assert_eq!(
        last["peak_net_bps"], 30.0,
        "the window of the newer version is not counted"
    );
    let letters = world.until(&topic::DEAD_LETTERS, &mut stage, |all| all.len() >= 2);
    assert_eq!(letters.len(), 2);
    for (topic, value) in [("spreads", unknown), ("venues", newer(health))] {
        let found = letters
            .iter()
            .any(|letter| is_letter_of(letter, "alert", topic, &value));
        assert!(found, "{topic}: {letters:?}");
    }
}

#[test]
fn the_dashboard_passes_over_an_added_field_and_counts_a_new_major_version() {
    let world = World::embedded();
    let send = |line: &str| world.send_keyed(&topic::SPREADS, "BTC-USD", line);
    send(&added(&window("BTC-USD", START_MS, 12.25)));
    send(&newer(&window("ETH-USD", START_MS, 500.0)));
    let args = [
        "dashboard",
        "--once",
        "--size",
        "120x40",
        "--wait",
        "60s",
        "--broker",
    ];
    let shown = run_well(args.into_iter().chain([world.broker.address()]));
    let shown = String::from_utf8_lossy(&shown.stdout).into_owned();
    assert!(
        shown.contains("BTC-USD") && shown.contains("12.2"),
        "{shown}"
    );
    assert!(!shown.contains("ETH-USD"), "{shown}");
    assert!(shown.contains("1 unreadable"), "{shown}");
}

#[test]
fn dead_letters_show_headers_of_a_later_version_and_bytes_of_any() {
    let world = World::embedded();
    let record = newer(&window("BTC-USD", START_MS, 20.0));
    let headers = [
        ("of_a_later_version", "x"),
        ("topic", "spreads"),
        ("partition", "2"),
        ("offset", "7"),
        ("stage", "alert"),
        ("error", "version 2 is not 1"),
    ];
    world.send(
        (&topic::DEAD_LETTERS, 0),
        "spreads",
        record.as_bytes(),
        &headers,
    );
    world.send(
        (&topic::DEAD_LETTERS, 0),
        "spreads",
        b"",
        &[("of_a_later_version", "x")],
    );
    let at = world.broker.address();
    let listed = run_well(["dead-letters", "list", "--json", "--broker", at]);
    let listed: Vec<Value> = String::from_utf8_lossy(&listed.stdout)
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(listed.len(), 1, "the other record is none of today's");
    assert_eq!(listed[0]["source"]["partition"], 2);
    let shown = run_well(["dead-letters", "show", "0", "--raw", "--broker", at]);
    assert_eq!(shown.stdout, record.as_bytes());
}
