//! Every kind of frame, raw and combined, in any order of keys.

use contract::tick::TakerSide;
use proptest::prelude::*;

use super::parse;
use crate::venue::{Content, FrameError, Item, Kind, Number, Parsed, TradeId};

const BOOK_TICKER: &str = r#"{"u":400900217,"s":"BNBUSDT","b":"25.35190000","B":"31.21000000","a":"25.36520000","A":"40.66000000"}"#;
const TRADE: &str = r#"{"e":"trade","E":1723161255343,"s":"BNBBTC","t":12345,"p":"0.00100000","q":"100","T":1723161255342,"m":true,"M":true}"#;
const OLD_TRADE: &str = r#"{"e":"trade","E":1623161255343,"s":"BNBBTC","t":12345,"p":"0.001","q":"100","b":88,"a":50,"T":1623161255342,"m":false,"M":true}"#;
const AGG_TRADE: &str = r#"{"e":"aggTrade","E":1723161255343,"s":"BNBBTC","a":777,"p":"0.001","q":"100","f":100,"l":105,"T":1723161255342,"m":true,"M":true}"#;
const DEPTH_UPDATE: &str = r#"{"e":"depthUpdate","E":1723161255343,"s":"BNBBTC","U":157,"u":160,"b":[["0.0024","10"]],"a":[["0.0026","100"]]}"#;
const DEPTH: &str = r#"{"lastUpdateId":160,"bids":[["0.0024","10"]],"asks":[["0.0026","100"]]}"#;
const SHUTDOWN: &str = r#"{"e":"serverShutdown","E":1723161255343}"#;

/// Everything that is known, by the word it is counted under.
const KINDS: [(Kind, &str); 19] = [
    (Kind::BookTicker, BOOK_TICKER),
    (Kind::Trade, TRADE),
    (Kind::Trade, OLD_TRADE),
    (Kind::AggTrade, AGG_TRADE),
    (Kind::DepthUpdate, DEPTH_UPDATE),
    (Kind::Depth, DEPTH),
    (Kind::ServerShutdown, SHUTDOWN),
    (
        Kind::Other,
        r#"{"e":"24hrTicker","E":1672515782136,"s":"BNBBTC","b":"0.0024","a":"0.0026"}"#,
    ),
    (
        Kind::Other,
        r#"{"e":"24hrMiniTicker","E":1672515782136,"s":"BNBBTC","c":"0.0025"}"#,
    ),
    (
        Kind::Other,
        r#"{"e":"1hTicker","E":1672515782136,"s":"BNBBTC"}"#,
    ),
    (
        Kind::Other,
        r#"{"e":"kline","E":1672515782136,"s":"BNBBTC","k":{"i":"1m"}}"#,
    ),
    (
        Kind::Other,
        r#"{"e":"avgPrice","E":1693907033000,"s":"BTCUSDT","i":"5m","w":"25776.86","T":1693907032213}"#,
    ),
    (
        Kind::Other,
        r#"{"e":"referencePrice","s":"BAZUSD","r":null,"t":1770967829000}"#,
    ),
    (
        Kind::Other,
        r#"{"e":"blockTrade","E":1770967829000,"s":"BNBBTC"}"#,
    ),
    (
        Kind::Other,
        r#"[{"e":"24hrMiniTicker","s":"BNBBTC"},{"e":"24hrMiniTicker","s":"ETHBTC"}]"#,
    ),
    (Kind::Answer, r#"{"result":null,"id":1}"#),
    (
        Kind::Answer,
        r#"{"result":["btcusdt@trade"],"id":"a text of up to 36"}"#,
    ),
    (
        Kind::Error,
        r#"{"code":2,"msg":"Invalid request: unknown method","id":1}"#,
    ),
    (
        Kind::Error,
        r#"{"error":{"code":-1121,"msg":"Invalid symbol."},"id":null}"#,
    ),
];

fn combined(stream: &str, data: &str) -> String {
    format!(r#"{{"stream":"{stream}","data":{data}}}"#)
}

fn item(parsed: Parsed<'_>) -> Item<'_> {
    match parsed.content {
        Content::One(item) => item.unwrap(),
        other => panic!("{other:?}"),
    }
}

/// The same object with its keys in the reverse order, at the top level only.
fn reversed(frame: &str) -> String {
    let object: serde_json::Map<String, serde_json::Value> = serde_json::from_str(frame).unwrap();
    let fields: Vec<String> = object
        .iter()
        .map(|(key, value)| format!("{}: {value}", serde_json::Value::from(key.as_str())))
        .collect();
    let mut backward = fields.clone();
    backward.sort();
    backward.reverse();
    format!(" {{ {} }} ", backward.join(" , "))
}

#[test]
fn every_documented_kind_is_known_raw_and_combined() {
    for (kind, frame) in KINDS {
        assert_eq!(parse(frame).unwrap().kind, kind, "{frame}");
        let wrapped = combined("bnbbtc@any", frame);
        assert_eq!(parse(&wrapped).unwrap().kind, kind, "{wrapped}");
    }
    let shutdown = combined("!serverShutdown", SHUTDOWN);
    assert_eq!(parse(&shutdown).unwrap().kind, Kind::ServerShutdown);
}

#[test]
fn the_order_of_keys_and_spaces_do_not_matter() {
    for (kind, frame) in KINDS
        .into_iter()
        .filter(|(_, frame)| frame.starts_with('{'))
    {
        let turned = reversed(frame);
        let (plain, turned) = (parse(frame).unwrap(), parse(&turned).unwrap());
        assert_eq!(turned.kind, kind);
        assert_eq!(format!("{turned:?}"), format!("{plain:?}"));
        let wrapped = format!(r#"{{"data":{frame},"stream":"x@depth"}}"#);
        assert_eq!(parse(&wrapped).unwrap().kind, kind, "{wrapped}");
    }
}

#[test]
fn a_book_ticker_is_a_quote_without_a_time() {
    let parsed = parse(BOOK_TICKER).unwrap();
    assert_eq!(parsed.sent, None);
    assert_eq!(
        parsed.number,
        Number::Quote {
            symbol: "BNBUSDT".into(),
            seq: 400_900_217
        }
    );
    let Item::Quote(quote) = item(parsed) else {
        panic!()
    };
    assert_eq!(
        (quote.bid.to_string(), quote.ask.to_string()),
        ("25.35190000".into(), "25.36520000".into())
    );
    assert_eq!(quote.bid_size.unwrap().to_string(), "31.21000000");
    assert_eq!(quote.ask_size.unwrap().to_string(), "40.66000000");
    assert_eq!((quote.seq, quote.stamp_ns), (Some(400_900_217), None));
}

#[test]
fn where_the_buyer_is_the_maker_the_taker_sold() {
    let parsed = parse(TRADE).unwrap();
    assert_eq!(
        parsed.sent,
        Some(Ok(1_723_161_255_343_000_000)),
        "the skew is measured with E"
    );
    assert_eq!(
        parsed.number,
        Number::Trade {
            symbol: "BNBBTC".into(),
            id: 12_345
        }
    );
    let Item::Trade(trade) = item(parsed) else {
        panic!()
    };
    assert_eq!(trade.taker_side, TakerSide::Sell);
    assert_eq!(trade.stamp_ns, 1_723_161_255_342_000_000, "the event is T");
    assert_eq!(
        (trade.price.to_string(), trade.size.to_string()),
        ("0.00100000".into(), "100".into())
    );
    assert_eq!(trade.id, TradeId::Number(12_345));

    let Item::Trade(trade) = item(parse(OLD_TRADE).unwrap()) else {
        panic!()
    };
    assert_eq!(trade.taker_side, TakerSide::Buy);
}

#[test]
fn microseconds_are_told_from_milliseconds_by_their_size() {
    let frame = TRADE
        .replace("1723161255343", "1723161255343007")
        .replace("1723161255342", "1723161255342006");
    let parsed = parse(&frame).unwrap();
    assert_eq!(parsed.sent, Some(Ok(1_723_161_255_343_007_000)));
    let Item::Trade(trade) = item(parsed) else {
        panic!()
    };
    assert_eq!(trade.stamp_ns, 1_723_161_255_342_006_000);
}

#[test]
fn an_aggregate_tells_its_own_number_and_the_last_of_its_trades() {
    let parsed = parse(AGG_TRADE).unwrap();
    assert_eq!(
        parsed.number,
        Number::Aggregate {
            symbol: "BNBBTC".into(),
            id: 777,
            last_trade_id: 105
        }
    );
    assert!(matches!(item(parsed), Item::Trade(trade) if trade.id == TradeId::Number(777)));
}

#[test]
fn the_two_speeds_of_depth_are_numbered_apart() {
    let number = |feed| Number::Depth {
        symbol: "BNBBTC".into(),
        feed,
        first: 157,
        last: 160,
    };
    assert_eq!(parse(DEPTH_UPDATE).unwrap().number, number("depth"));
    assert_eq!(
        parse(&combined("bnbbtc@depth", DEPTH_UPDATE))
            .unwrap()
            .number,
        number("depth")
    );
    assert_eq!(
        parse(&combined("bnbbtc@depth@100ms", DEPTH_UPDATE))
            .unwrap()
            .number,
        number("depth@100ms")
    );
}

#[test]
fn a_refusal_keeps_the_venue_s_words() {
    let parsed = parse(r#"{"code":2,"msg":"Invalid request","id":1}"#).unwrap();
    assert_eq!(parsed.notice.as_deref(), Some("Invalid request (code 2)"));
}

#[test]
fn a_number_that_cannot_be_used_costs_the_tick_and_not_the_numbering() {
    for (frame, error) in [
        (
            BOOK_TICKER.replace("25.35190000", "0.00"),
            "field `b` holds no usable number: price `0.00` is not above zero",
        ),
        (
            BOOK_TICKER.replace("31.21000000", "-1"),
            "field `B` holds no usable number: `-1` is not a decimal of the form digits[.digits]",
        ),
        (
            TRADE.replace("0.00100000", "1e-3"),
            "field `p` holds no usable number: `1e-3` is not a decimal of the form digits[.digits]",
        ),
    ] {
        let parsed = parse(&frame).unwrap();
        assert_ne!(parsed.number, Number::None);
        let Content::One(Err(fault)) = parsed.content else {
            panic!("{frame}")
        };
        assert_eq!(fault.chain(), error);
    }
}

#[test]
fn what_is_not_documented_is_told_from_what_is_broken() {
    assert!(
        matches!(parse(r#"{"e":"newThing","E":1}"#), Err(FrameError::Unknown(kind)) if kind == "newThing")
    );
    assert!(matches!(
        parse(r#"[{"e":"newThing"}]"#),
        Err(FrameError::Unknown(_))
    ));
    for untyped in [
        "{}",
        "[1]",
        "5",
        r#""ping""#,
        r#"{"e":5}"#,
        r#"{"stream":"x","data":5}"#,
        r#"[{}]"#,
        r#"{"id":1}"#,
    ] {
        assert!(
            matches!(parse(untyped), Err(FrameError::Untyped)),
            "{untyped}"
        );
    }
    for broken in [
        "",
        "ping",
        "{",
        &TRADE[..TRADE.len() - 1],
        &format!("{TRADE}x"),
        r#"{"stream":"x","data":{"e":"trade"}"#,
    ] {
        assert!(
            matches!(parse(broken), Err(FrameError::Json(_))),
            "{broken}"
        );
    }
    for misshapen in [
        TRADE.replace("\"t\":12345", "\"t\":\"12345\""),
        TRADE.replace("\"t\":12345", "\"t\":-1"),
        TRADE.replace("\"t\":12345", "\"t\":1.0"),
        TRADE.replace("\"p\":\"0.00100000\",", ""),
        BOOK_TICKER.replace("\"25.35190000\"", "25.35190000"),
        combined("x@trade", r#"{"e":"trade"}"#),
    ] {
        assert!(
            matches!(parse(&misshapen), Err(FrameError::Shape { .. })),
            "{misshapen}"
        );
    }
}

#[test]
fn texts_with_escapes_are_read_as_what_they_mean() {
    let frame = BOOK_TICKER
        .replace("25.35190000", "25.3\\u0035190000")
        .replace("BNBUSDT", "BNB\\u0055SDT");
    let Item::Quote(quote) = item(parse(&frame).unwrap()) else {
        panic!()
    };
    assert_eq!(
        (quote.bid.to_string(), &*quote.symbol),
        ("25.35190000".into(), "BNBUSDT")
    );
}

proptest! {
    #[test]
    fn every_number_is_kept_exactly(
        bid in "[0-9]{1,12}[1-9](\\.[0-9]{1,12})?", ask in "[1-9][0-9]{0,25}(\\.[0-9]{1,25})?",
        size in "[0-9]{1,12}(\\.[0-9]{1,12})?", u in any::<u64>(), sent in 0_i64..90_000_000_000_000,
    ) {
        let frame = format!(r#"{{"u":{u},"s":"X","b":"{bid}","B":"{size}","a":"{ask}","A":"{size}"}}"#);
        let Item::Quote(quote) = item(parse(&frame).unwrap()) else { panic!() };
        prop_assert_eq!((quote.bid.to_string(), quote.ask.to_string(), quote.seq), (bid.clone(), ask, Some(u)));
        prop_assert_eq!(quote.ask_size.unwrap().to_string(), size.clone());
        let frame = format!(r#"{{"e":"trade","E":{sent},"s":"X","t":{u},"p":"{bid}","q":"{size}","T":{sent},"m":false}}"#);
        let Ok(parsed) = parse(&frame) else { panic!() };
        if let Content::One(Ok(Item::Trade(trade))) = parsed.content {
            prop_assert_eq!((trade.price.to_string(), trade.size.to_string()), (bid, size));
            prop_assert_eq!((trade.id, trade.stamp_ns), (TradeId::Number(u), sent * 1_000_000));
        } else {
            prop_assert!(sent.checked_mul(1_000_000).is_none());
        }
    }

    #[test]
    fn no_text_whatever_makes_it_panic(text in any::<String>()) {
        let _ = parse(&text);
    }

    #[test]
    fn a_frame_spoilt_anywhere_is_read_alike_both_ways_and_never_a_panic(
        which in 0..KINDS.len(), wrapped in any::<bool>(), at in any::<prop::sample::Index>(),
        cut in 0_usize..12, put in "[\\PC\\x00-\\x1f]{0,6}",
    ) {
        let frame = if wrapped { combined("x@depth", KINDS[which].1) } else { KINDS[which].1.to_owned() };
        let mut chars: Vec<char> = frame.chars().collect();
        let start = at.index(chars.len());
        let end = (start + cut).min(chars.len());
        chars.splice(start..end, put.chars());
        let spoilt: String = chars.into_iter().collect();
        crate::fuzzing::parse_binance(spoilt.as_bytes());
    }
}
