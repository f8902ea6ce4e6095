//! Every kind of frame, in any order of keys.

use contract::tick::TakerSide;
use proptest::prelude::*;

use super::parse;
use crate::venue::{Content, FrameError, Item, Kind, Number, Parsed, TradeId};

const TICKER: &str = r#"{"channel":"ticker","client_id":"","timestamp":"2026-02-09T20:30:37.167359596Z","sequence_num":4,"events":[{"type":"update","tickers":[{"type":"ticker","product_id":"BTC-USD","price":"21932.98","volume_24_h":"16038.28770938","low_24_h":"21835.29","high_24_h":"23011.18","low_52_w":"15460","high_52_w":"48240","price_percent_chg_24_h":"-4.15","best_bid":"21931.980","best_bid_quantity":"8000.21","best_ask":"21933.98","best_ask_quantity":"8038.07770938"}]}]}"#;
const TRADES: &str = r#"{"channel":"market_trades","client_id":"","timestamp":"2026-02-09T20:19:35.39625135Z","sequence_num":5,"events":[{"type":"update","trades":[{"trade_id":"12","product_id":"ETH-USD","price":"1260.01","size":"0.30","side":"BUY","time":"2026-02-09T20:19:35.2Z"},{"trade_id":"11","product_id":"ETH-USD","price":"1260","size":"0.3","side":"SELL","time":"2026-02-09T20:19:35.1Z"}]}]}"#;

const KINDS: [(Kind, &str); 11] = [
    (Kind::Ticker, TICKER),
    (
        Kind::TickerBatch,
        r#"{"channel":"ticker_batch","timestamp":"2026-02-09T20:30:37.167359596Z","sequence_num":0,"events":[{"type":"update","tickers":[{"type":"ticker","product_id":"BTC-USD","price":"1"}]}]}"#,
    ),
    (Kind::MarketTrades, TRADES),
    (
        Kind::Heartbeats,
        r#"{"channel":"heartbeats","timestamp":"2026-06-23T20:31:26.122969572Z","sequence_num":0,"events":[{"current_time":"2026-06-23 20:31:56.121961769 +0000 UTC m=+91717.525857105","heartbeat_counter":3049}]}"#,
    ),
    (
        Kind::Subscriptions,
        r#"{"channel":"subscriptions","timestamp":"2026-06-23T20:31:26.122969572Z","sequence_num":3,"events":[{"subscriptions":{"ticker":["BTC-USD"]}}]}"#,
    ),
    (
        Kind::Candles,
        r#"{"channel":"candles","timestamp":"2026-06-09T20:19:35.39625135Z","sequence_num":0,"events":[{"type":"snapshot","candles":[{"start":"1688998200","product_id":"ETH-USD"}]}]}"#,
    ),
    (
        Kind::Status,
        r#"{"channel":"status","timestamp":"2026-02-09T20:29:49.753424311Z","sequence_num":0,"events":[{"type":"snapshot","products":[{"id":"BTC-USD"}]}]}"#,
    ),
    (
        Kind::L2Data,
        r#"{"channel":"l2_data","timestamp":"2026-02-09T20:32:50.714964855Z","sequence_num":0,"events":[{"type":"snapshot","product_id":"BTC-USD","updates":[{"side":"bid","event_time":"1970-01-01T00:00:00Z","price_level":"21921.73","new_quantity":"0.06317902"}]}]}"#,
    ),
    (
        Kind::Other,
        r#"{"channel":"user","timestamp":"2026-02-09T20:33:57.609931463Z","sequence_num":0,"events":[{"type":"snapshot","orders":[]}]}"#,
    ),
    (
        Kind::Error,
        r#"{"type":"error","message":"authentication failure"}"#,
    ),
    (
        Kind::Error,
        r#"{"message":"authentication failure","type":"error"}"#,
    ),
];

fn content(parsed: Parsed<'_>) -> Vec<Item<'_>> {
    match parsed.content {
        Content::Nothing => Vec::new(),
        Content::One(item) => vec![item.unwrap()],
        Content::Many { live, .. } => live.into_iter().map(Result::unwrap).collect(),
    }
}

#[test]
fn every_documented_kind_is_known_in_any_order_of_keys() {
    for (kind, frame) in KINDS {
        let plain = parse(frame).unwrap();
        assert_eq!(plain.kind, kind, "{frame}");
        assert_eq!(
            matches!(plain.number, Number::Connection(_)),
            kind != Kind::Error
        );
        let value: serde_json::Value = serde_json::from_str(frame).unwrap();
        let sorted = format!("\n{value}");
        assert_eq!(
            format!("{:?}", parse(&sorted).unwrap()),
            format!("{plain:?}")
        );
    }
}

#[test]
fn a_ticker_is_a_quote_at_the_time_of_its_envelope() {
    let parsed = parse(TICKER).unwrap();
    assert_eq!(parsed.sent, Some(Ok(1_770_669_037_167_359_596)));
    assert_eq!(parsed.number, Number::Connection(4));
    let items = content(parsed);
    let [Item::Quote(quote)] = &items[..] else {
        panic!()
    };
    assert_eq!(
        (quote.bid.to_string(), quote.ask.to_string()),
        ("21931.980".into(), "21933.98".into())
    );
    assert_eq!(quote.bid_size.as_ref().unwrap().to_string(), "8000.21");
    assert_eq!(
        quote.ask_size.as_ref().unwrap().to_string(),
        "8038.07770938"
    );
    assert_eq!(quote.stamp_ns, Some(1_770_669_037_167_359_596));
}

#[test]
fn trades_come_as_they_happened_and_their_side_is_the_maker_s() {
    let items = content(parse(TRADES).unwrap());
    let [Item::Trade(first), Item::Trade(second)] = &items[..] else {
        panic!()
    };
    assert_eq!(
        (&first.id, first.taker_side),
        (&TradeId::Text("11".into()), TakerSide::Buy)
    );
    assert_eq!(
        (&second.id, second.taker_side),
        (&TradeId::Text("12".into()), TakerSide::Sell)
    );
    assert_eq!(
        second.stamp_ns, 1_770_668_375_200_000_000,
        "the trade's own time"
    );
    assert_eq!(
        (second.price.to_string(), second.size.to_string()),
        ("1260.01".into(), "0.30".into())
    );
}

#[test]
fn a_snapshot_is_history() {
    for frame in [TICKER, TRADES] {
        let frame = frame.replace("\"update\"", "\"snapshot\"");
        let Content::Many { live, history } = parse(&frame).unwrap().content else {
            panic!()
        };
        assert!(live.is_empty());
        assert!(!history.is_empty() && history.iter().all(Result::is_ok));
    }
}

#[test]
fn a_batch_without_a_quote_is_no_fault_but_a_ticker_without_one_is() {
    assert!(matches!(
        parse(KINDS[1].1).unwrap().content,
        Content::Nothing
    ));
    let frame = KINDS[1].1.replace("ticker_batch", "ticker");
    assert!(matches!(
        parse(&frame).unwrap().content,
        Content::One(Err(FrameError::Missing {
            field: "best_bid",
            ..
        }))
    ));
}

#[test]
fn one_trade_that_cannot_be_used_leaves_the_others() {
    let frame = TRADES.replace("\"1260\"", "\"0\"");
    let Content::Many { live, .. } = parse(&frame).unwrap().content else {
        panic!()
    };
    assert_eq!(live.iter().filter(|item| item.is_ok()).count(), 1);
    assert_eq!(live.iter().filter(|item| item.is_err()).count(), 1);
}

#[test]
fn an_envelope_without_a_usable_time_keeps_its_number() {
    let frame = TICKER.replace("2026-02-09T20:30:37.167359596Z", "0001-01-01T00:00:00Z");
    let parsed = parse(&frame).unwrap();
    assert_eq!(parsed.number, Number::Connection(4));
    assert!(matches!(parsed.sent, Some(Err(_))));
    assert!(matches!(parsed.content, Content::Nothing));
}

#[test]
fn an_event_of_an_unknown_type_is_a_fault_of_its_own() {
    let frame = TICKER.replace("\"update\"", "\"novelty\"");
    assert!(matches!(
        parse(&frame).unwrap().content,
        Content::One(Err(FrameError::Unknown(_)))
    ));
}

#[test]
fn what_is_not_documented_is_told_from_what_is_broken() {
    let novelty = KINDS[3].1.replace("heartbeats", "novelty");
    let parsed = parse(&novelty).unwrap();
    assert_eq!(
        parsed.number,
        Number::Connection(0),
        "it is counted all the same"
    );
    assert!(
        matches!(parsed.content, Content::One(Err(FrameError::Unknown(kind))) if kind == "novelty")
    );
    let bare = r#"{"channel":"novelty"}"#;
    assert!(matches!(parse(bare), Err(FrameError::Unknown(kind)) if kind == "novelty"));
    assert!(matches!(
        parse(r#"{"type":"novelty"}"#),
        Err(FrameError::Unknown(_))
    ));
    for untyped in ["{}", "[]", r#"{"channel":7}"#, "null"] {
        assert!(
            matches!(parse(untyped), Err(FrameError::Untyped)),
            "{untyped}"
        );
    }
    for broken in ["", "x", &TICKER[..TICKER.len() - 2], &KINDS[7].1[..60]] {
        assert!(
            matches!(parse(broken), Err(FrameError::Json(_))),
            "{broken}"
        );
    }
    for misshapen in [
        TICKER.replace("\"tickers\"", "\"tick\""),
        TRADES.replace("sequence_num\":5", "sequence_num\":\"5\""),
        r#"{"type":"error"}"#.to_owned(),
    ] {
        assert!(
            matches!(parse(&misshapen), Err(FrameError::Shape { .. })),
            "{misshapen}"
        );
    }
}

#[test]
fn five_megabytes_of_levels_are_read_past() {
    let level = r#"{"side":"offer","event_time":"2026-02-09T20:32:50.714964855Z","price_level":"21921.73","new_quantity":"0.06317902"}"#;
    let frame = format!(
        r#"{{"channel":"l2_data","timestamp":"2026-02-09T20:32:50.714964855Z","sequence_num":9,"events":[{{"type":"snapshot","product_id":"BTC-USD","updates":[{}]}}]}}"#,
        vec![level; 46_000].join(",")
    );
    assert!(frame.len() > 5_000_000);
    let parsed = parse(&frame).unwrap();
    assert_eq!(
        (parsed.kind, parsed.number),
        (Kind::L2Data, Number::Connection(9))
    );
    assert!(
        matches!(parse(&frame[..frame.len() / 2]), Err(FrameError::Json(_))),
        "half of it is noticed"
    );
}

proptest! {
    #[test]
    fn every_number_is_kept_exactly(
        price in "[1-9][0-9]{0,25}(\\.[0-9]{1,25})?", size in "[0-9]{1,12}(\\.[0-9]{1,12})?", id in any::<u64>(), seq in any::<u64>(),
    ) {
        let frame = format!(r#"{{"channel":"market_trades","timestamp":"2026-02-09T20:19:35.39625135Z","sequence_num":{seq},"events":[{{"type":"update","trades":[{{"product_id":"A-B","trade_id":"{id}","price":"{price}","size":"{size}","time":"2026-02-09T20:19:35Z","side":"SELL"}}]}}]}}"#);
        let parsed = parse(&frame).unwrap();
        prop_assert_eq!(&parsed.number, &Number::Connection(seq));
        let items = content(parsed);
        let [Item::Trade(trade)] = &items[..] else { panic!() };
        prop_assert_eq!((trade.price.to_string(), trade.size.to_string(), trade.id.number()), (price.clone(), size.clone(), Some(id)));
        let frame = format!(r#"{{"channel":"ticker","timestamp":"2026-02-09T20:19:35.39625135Z","sequence_num":{seq},"events":[{{"type":"update","tickers":[{{"product_id":"A-B","best_bid":"{price}","best_ask":"{price}","best_bid_quantity":"{size}"}}]}}]}}"#);
        let items = content(parse(&frame).unwrap());
        let [Item::Quote(quote)] = &items[..] else { panic!() };
        prop_assert_eq!((quote.ask.to_string(), quote.bid_size.as_ref().unwrap().to_string()), (price, size));
    }

    #[test]
    fn no_text_whatever_makes_it_panic(text in any::<String>()) {
        let _ = parse(&text);
    }

    #[test]
    fn a_frame_spoilt_anywhere_is_read_alike_both_ways_and_never_a_panic(
        which in 0..KINDS.len(), at in any::<prop::sample::Index>(), cut in 0_usize..12, put in "[\\PC\\x00-\\x1f]{0,6}",
    ) {
        let mut chars: Vec<char> = KINDS[which].1.chars().collect();
        let start = at.index(chars.len());
        let end = (start + cut).min(chars.len());
        chars.splice(start..end, put.chars());
        let spoilt: String = chars.into_iter().collect();
        crate::fuzzing::parse_coinbase_advanced(spoilt.as_bytes());
    }
}
