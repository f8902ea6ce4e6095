//! Every kind of frame, in any order of keys.

use contract::tick::TakerSide;
use contract::time::StampError;
use proptest::prelude::*;

use super::parse;
use crate::venue::{Content, FrameError, Item, Kind, LastTrade, Number, Parsed, TradeId};

const TICKER: &str = r#"{"type":"ticker","sequence":37475248783,"product_id":"ETH-USD","price":"1285.22","open_24h":"1310.79","volume_24h":"245532.79269678","low_24h":"1280.52","high_24h":"1313.8","volume_30d":"9788783.60117027","best_bid":"1285.04","best_bid_size":"0.46688654","best_ask":"1285.27","best_ask_size":"1.56637040","side":"buy","time":"2022-10-19T23:28:22.061769Z","trade_id":370843401,"last_size":"11.4396987"}"#;
const OLD_TICKER: &str = r#"{"type":"ticker","sequence":7,"product_id":"ETH-EUR","price":"2.50","best_bid":"2.49","best_ask":"2.51","side":"sell","time":"2021-04-17T16:43:30.5Z","trade_id":9,"last_size":"1"}"#;
const MATCH: &str = r#"{"type":"match","trade_id":10,"sequence":50,"maker_order_id":"ac928c66","taker_order_id":"132fb6ae","time":"2022-10-19T23:28:22.028459Z","product_id":"BTC-USD","size":"5.23512000","price":"400.230","side":"sell"}"#;

const KINDS: [(Kind, &str); 14] = [
    (Kind::Ticker, TICKER),
    (Kind::Ticker, OLD_TICKER),
    (
        Kind::TickerBatch,
        r#"{"type":"ticker_batch","sequence":7,"product_id":"ETH-EUR","price":"2.50","best_bid":"2.49","best_ask":"2.51","side":"sell","time":"2021-04-17T16:43:30.5Z","trade_id":9,"last_size":"1"}"#,
    ),
    (Kind::Match, MATCH),
    (
        Kind::LastMatch,
        r#"{"type":"last_match","trade_id":10,"sequence":50,"maker_order_id":"a","taker_order_id":"b","time":"2022-10-19T23:28:22.028459Z","product_id":"BTC-USD","size":"5.2","price":"400.2","side":"buy"}"#,
    ),
    (
        Kind::Heartbeat,
        r#"{"type":"heartbeat","sequence":90,"last_trade_id":20,"product_id":"BTC-USD","time":"2022-10-19T23:28:23.464459Z"}"#,
    ),
    (
        Kind::Snapshot,
        r#"{"type":"snapshot","product_id":"BTC-USD","bids":[["10101.10","0.45054140"]],"asks":[["10102.55","0.57753524"]]}"#,
    ),
    (
        Kind::L2Update,
        r#"{"type":"l2update","product_id":"BTC-USD","changes":[["buy","22356.270000","0.00000000"]],"time":"2022-08-04T15:25:05.010758Z"}"#,
    ),
    (
        Kind::Subscriptions,
        r#"{"type":"subscriptions","channels":[{"name":"level2_50","product_ids":["ETH-USD"],"account_ids":null}]}"#,
    ),
    (
        Kind::Status,
        r#"{"type":"status","products":[{"id":"BTC-USD"}],"currencies":[]}"#,
    ),
    (
        Kind::Error,
        r#"{"type":"error","message":"Failed to subscribe","reason":"level2 requires authentication"}"#,
    ),
    (
        Kind::Other,
        r#"{"type":"received","time":"2014-11-07T08:19:27.028459Z","product_id":"BTC-USD","sequence":10}"#,
    ),
    (
        Kind::Other,
        r#"{"type":"auction","product_id":"LTC-USD","sequence":3262786978}"#,
    ),
    (
        Kind::Other,
        r#"{"type":"done","product_id":"BTC-USD","sequence":10,"price":"200.2"}"#,
    ),
];

fn item(parsed: Parsed<'_>) -> Item<'_> {
    match parsed.content {
        Content::One(item) => item.unwrap(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn every_documented_kind_is_known_in_any_order_of_keys() {
    for (kind, frame) in KINDS {
        let plain = parse(frame).unwrap();
        assert_eq!(plain.kind, kind, "{frame}");
        let value: serde_json::Value = serde_json::from_str(frame).unwrap();
        let sorted = format!(" {value}");
        assert_eq!(
            format!("{:?}", parse(&sorted).unwrap()),
            format!("{plain:?}")
        );
    }
}

#[test]
fn a_ticker_is_a_quote_and_its_side_is_the_taker_s() {
    let parsed = parse(TICKER).unwrap();
    assert_eq!(parsed.sent, Some(Ok(1_666_222_102_061_769_000)));
    assert_eq!(
        parsed.number,
        Number::Quote {
            symbol: "ETH-USD".into(),
            seq: 37_475_248_783
        }
    );
    let Item::Quote(quote) = item(parsed) else {
        panic!()
    };
    assert_eq!(
        (quote.bid.to_string(), quote.ask.to_string()),
        ("1285.04".into(), "1285.27".into())
    );
    assert_eq!(quote.bid_size.unwrap().to_string(), "0.46688654");
    assert_eq!(quote.ask_size.unwrap().to_string(), "1.56637040");
    assert_eq!(quote.stamp_ns, Some(1_666_222_102_061_769_000));
    assert_eq!(
        quote.last_trade,
        Some(LastTrade {
            id: 370_843_401,
            taker_side: TakerSide::Buy
        })
    );

    let Item::Quote(quote) = item(parse(OLD_TICKER).unwrap()) else {
        panic!()
    };
    assert_eq!(
        (quote.bid_size, quote.ask_size),
        (None, None),
        "sizes came after 2021"
    );
}

#[test]
fn the_side_of_a_match_is_the_maker_s() {
    let parsed = parse(MATCH).unwrap();
    assert_eq!(
        parsed.number,
        Number::Trade {
            symbol: "BTC-USD".into(),
            id: 10
        }
    );
    let Item::Trade(trade) = item(parsed) else {
        panic!()
    };
    assert_eq!(trade.taker_side, TakerSide::Buy, "the maker sold");
    assert_eq!(
        (trade.price.to_string(), trade.size.to_string()),
        ("400.230".into(), "5.23512000".into())
    );
    assert_eq!(trade.id, TradeId::Number(10));
    let bought = MATCH.replace("sell", "buy");
    assert!(
        matches!(item(parse(&bought).unwrap()), Item::Trade(trade) if trade.taker_side == TakerSide::Sell)
    );
}

#[test]
fn a_last_match_is_history_and_says_nothing_about_the_clock() {
    let parsed = parse(KINDS[4].1).unwrap();
    assert_eq!(parsed.sent, None);
    assert_eq!(
        parsed.number,
        Number::LastTrade {
            symbol: "BTC-USD".into(),
            id: 10
        }
    );
    assert!(
        matches!(parsed.content, Content::Many { live, history } if live.is_empty() && history.len() == 1)
    );
}

#[test]
fn a_heartbeat_tells_the_last_trade() {
    let parsed = parse(KINDS[5].1).unwrap();
    assert_eq!(
        parsed.number,
        Number::Heartbeat {
            symbol: "BTC-USD".into(),
            last_trade_id: 20
        }
    );
    assert!(parsed.sent.unwrap().is_ok());
}

#[test]
fn a_refusal_keeps_the_venue_s_words() {
    let notice = parse(KINDS[10].1).unwrap().notice;
    assert_eq!(
        notice.as_deref(),
        Some("Failed to subscribe: level2 requires authentication")
    );
    let notice = parse(r#"{"type":"error","message":"no"}"#).unwrap().notice;
    assert_eq!(notice.as_deref(), Some("no"));
}

#[test]
fn a_value_that_cannot_be_used_costs_the_tick_and_not_the_numbering() {
    for (frame, reason) in [
        (TICKER.replace("1285.04", "0"), "unusable number"),
        (TICKER.replace("\"buy\"", "\"both\""), "unknown side"),
        (TICKER.replace("\"time\"", "\"tim\""), "undocumented shape"),
        (
            MATCH.replace("2022-10-19T23:28:22.028459Z", "0001-01-01T00:00:00.000000Z"),
            "unreadable stamp",
        ),
        (MATCH.replace("sell", ""), "unknown side"),
        (MATCH.replace("5.23512000", "+5"), "unusable number"),
    ] {
        let parsed = parse(&frame).unwrap();
        assert_ne!(parsed.number, Number::None);
        let Content::One(Err(fault)) = parsed.content else {
            panic!("{frame}")
        };
        assert_eq!(fault.reason(), reason, "{frame}");
    }
    let year_1 = MATCH.replace("2022-10-19T23:28:22.028459Z", "0001-01-01T00:00:00.000000Z");
    assert!(matches!(
        parse(&year_1).unwrap().sent,
        Some(Err(StampError::Text(_)))
    ));
}

#[test]
fn what_is_not_documented_is_told_from_what_is_broken() {
    assert!(
        matches!(parse(r#"{"type":"novelty"}"#), Err(FrameError::Unknown(kind)) if kind == "novelty")
    );
    for untyped in ["{}", "[]", r#"{"type":null}"#, r#"{"type":7}"#, "7"] {
        assert!(
            matches!(parse(untyped), Err(FrameError::Untyped)),
            "{untyped}"
        );
    }
    for broken in [
        "",
        "pong",
        r#"{"type":"status""#,
        r#"{"type":"ticker","#,
        &MATCH[1..],
    ] {
        assert!(
            matches!(parse(broken), Err(FrameError::Json(_))),
            "{broken}"
        );
    }
    for misshapen in [
        MATCH.replace("10,", "\"10\","),
        TICKER.replace("best_ask\"", "best\""),
        r#"{"type":"l2update"}"#.to_owned(),
    ] {
        assert!(
            matches!(parse(&misshapen), Err(FrameError::Shape { .. })),
            "{misshapen}"
        );
    }
}

proptest! {
    #[test]
    fn every_number_is_kept_exactly(
        price in "[1-9][0-9]{0,25}(\\.[0-9]{1,25})?", size in "[0-9]{1,12}(\\.[0-9]{1,12})?", id in any::<u64>(), seq in any::<u64>(),
    ) {
        let frame = format!(r#"{{"type":"match","trade_id":{id},"sequence":{seq},"time":"2022-10-19T23:28:22.028459Z","product_id":"A-B","size":"{size}","price":"{price}","side":"sell"}}"#);
        let Item::Trade(trade) = item(parse(&frame).unwrap()) else { panic!() };
        prop_assert_eq!((trade.price.to_string(), trade.size.to_string(), trade.id), (price.clone(), size.clone(), TradeId::Number(id)));
        let frame = format!(r#"{{"type":"ticker","sequence":{seq},"product_id":"A-B","best_bid":"{price}","best_ask":"{price}","best_ask_size":"{size}","time":"2022-10-19T23:28:22Z"}}"#);
        let Item::Quote(quote) = item(parse(&frame).unwrap()) else { panic!() };
        prop_assert_eq!((quote.bid.to_string(), quote.ask_size.unwrap().to_string(), quote.seq), (price, size, Some(seq)));
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
        crate::fuzzing::parse_coinbase_exchange(spoilt.as_bytes());
    }
}
