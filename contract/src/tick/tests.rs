//! The examples of the contract, and what is refused.

use super::*;

const EXAMPLES: [&str; 5] = [
    r#"{"v":1,"kind":"quote","venue":"binance","symbol":"BTCUSDT","currency":"USDT","pair":"BTC-USD","event_ns":1723161254937000000,"event_from":"estimated","exchange_ns":null,"received_ns":1723161253667000000,"seq":50311273,"bid":"61700.01","bid_size":"1.5","ask":"61700.02","ask_size":"0.7"}"#,
    r#"{"v":1,"kind":"trade","venue":"coinbase","symbol":"BTC-USD","currency":"USD","pair":"BTC-USD","event_ns":1723161254940000000,"event_from":"venue","exchange_ns":1723161254940000000,"received_ns":1723161254961000000,"trade_id":"1068572091","price":"61702.5","size":"0.01","taker_side":"buy"}"#,
    r#"{"v":1,"kind":"rate","venue":"coinbase","symbol":"USDT-USD","from":"USDT","to":"USD","event_ns":1723161254900000000,"bid":"0.99931","ask":"0.99933"}"#,
    r#"{"v":1,"kind":"mark","venue":"binance","event_ns":1723161255000000000}"#,
    r#"{"v":1,"kind":"status","venue":"coinbase","status":"up","event_ns":1723161250000000000,"detail":""}"#,
];

fn rewritten(line: &str) -> String {
    let mut bytes = Vec::new();
    decode(line.as_bytes()).unwrap().write_json(&mut bytes);
    String::from_utf8(bytes).unwrap()
}

#[test]
fn every_example_reads_and_writes_back_to_the_same_bytes() {
    for example in EXAMPLES {
        assert_eq!(rewritten(example), example);
    }
}

#[test]
fn key_order_white_space_and_unknown_fields_do_not_matter() {
    for example in EXAMPLES {
        let value: serde_json::Value = serde_json::from_str(example).unwrap();
        let object = value.as_object().unwrap();
        let mut reversed: Vec<String> = object
            .iter()
            .map(|(key, value)| format!("{}: {value}", serde_json::to_string(key).unwrap()))
            .collect();
        reversed.reverse();
        reversed.push(r#""colour" : {"deep": [1, null]}"#.to_owned());
        assert_eq!(
            rewritten(&format!(" {{ {} }}\r", reversed.join(" , "))),
            example
        );
    }
}

#[test]
fn a_mark_may_carry_unknown_fields_that_other_kinds_know() {
    let line = r#"{"v":1,"kind":"mark","venue":"a","event_ns":5,"bid":7,"pair":[],"detail":null}"#;
    assert!(matches!(decode(line.as_bytes()), Ok(Record::Mark(_))));
}

#[test]
fn version_kind_and_shape_are_told_apart() {
    let error = |line: &str| decode(line.as_bytes()).unwrap_err();
    assert!(matches!(
        error(r#"{"v":2,"kind":"mark","venue":"a","event_ns":5}"#),
        DecodeError::Version(2)
    ));
    assert!(matches!(
        error(r#"{"kind":{"new":"way"},"v":3}"#),
        DecodeError::Version(3)
    ));
    assert!(
        matches!(error(r#"{"v":1,"kind":"candle"}"#), DecodeError::Kind(kind) if kind == "candle")
    );
    assert!(matches!(error(r#"{"v":1}"#), DecodeError::Kind(_)));
    for broken in [
        "",
        "{",
        "null",
        "[]",
        r#"{"kind":"mark","venue":"a","event_ns":5}"#,
        r#"{"v":1,"kind":"mark"}"#,
    ] {
        assert!(matches!(error(broken), DecodeError::Shape(_)), "{broken}");
    }
    assert!(matches!(
        decode(b"{\"v\":1,\"kind\":\"mark\",\"venue\":\"\xff\"}"),
        Err(DecodeError::NotUtf8(_))
    ));
}

#[test]
fn a_field_given_twice_is_refused() {
    let line = r#"{"v":1,"kind":"mark","venue":"a","event_ns":5,"kind":"mark"}"#;
    assert!(matches!(
        decode(line.as_bytes()),
        Err(DecodeError::Shape(_))
    ));
}

#[test]
fn decimals_outside_the_contract_make_a_record_unreadable() {
    for (from, to) in [
        (r#""bid":"61700.01""#, r#""bid":"-1""#),
        (r#""bid":"61700.01""#, r#""bid":"0.0""#),
        (r#""bid":"61700.01""#, r#""bid":61700.01"#),
        (r#""ask":"61700.02""#, r#""ask":"6.17e4""#),
        (r#""bid_size":"1.5""#, r#""bid_size":"""#),
        (r#""event_ns":1723161254937000000"#, r#""event_ns":1e30"#),
        (r#""pair":"BTC-USD""#, r#""pair":"BTCUSD""#),
    ] {
        let line = EXAMPLES[0].replace(from, to);
        assert_ne!(line, EXAMPLES[0]);
        assert!(decode(line.as_bytes()).is_err(), "{to}");
    }
    let without_sizes = EXAMPLES[0]
        .replace(r#""1.5""#, "null")
        .replace(r#""0.7""#, "null")
        .replace("50311273", "null");
    assert_eq!(rewritten(&without_sizes), without_sizes);
    let nothing_at_the_bid = EXAMPLES[0].replace(r#""1.5""#, r#""0.00""#);
    assert_eq!(rewritten(&nothing_at_the_bid), nothing_at_the_bid);
}

#[test]
fn the_accounting_currency_is_the_text_after_the_last_dash() {
    assert_eq!(accounting_currency("BTC-USD"), Some("USD"));
    assert_eq!(accounting_currency("BTC-PERP-EUR"), Some("EUR"));
    for pair in ["BTC", "-USD", "BTC-", "", "-"] {
        assert_eq!(accounting_currency(pair), None);
    }
}

#[test]
fn a_late_tick_keeps_its_tick_as_it_was() {
    let line = format!(
        r#"{{"v":1,"kind":"late","boundary_ns":1723161255000000000,"late_ns":63000000,"tick":{}}}"#,
        EXAMPLES[0]
    );
    let late: Late<'_> = serde_json::from_str(&line).unwrap();
    assert_eq!(late.tick.get(), EXAMPLES[0]);
    assert_eq!(serde_json::to_string(&late).unwrap(), line);
}
