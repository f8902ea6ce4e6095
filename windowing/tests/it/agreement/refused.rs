//! What is a dead letter and leaves no trace (sections 3 and 5), each case worked out by hand.

use windowing::{Settings, window_lines};

use super::{Case, check, field};
use crate::line::{Tick, btc, mark, ms};

#[test]
fn another_symbol_or_another_currency_is_a_dead_letter_for_that_venue_and_pair_alone() {
    let lines = [
        btc("a", 100).quote("10", "11"),
        btc("a", 200).with_symbol("XBTUSD").quote("12", "13"),
        btc("b", 300).with_symbol("XBTUSD").quote("14", "15"),
        Tick {
            currency: "USDT".to_owned(),
            ..btc("a", 400)
        }
        .quote("16", "17"),
        Tick::at_ns("a", "ETH-USD", ms(500))
            .with_symbol("BTCUSD")
            .trade("1", "1"),
    ];
    let output = check(&lines, &Case::default());
    assert_eq!(output.dead_offsets, [1, 3]);
    assert_eq!(output.dead, [lines[1].clone(), lines[3].clone()]);
    assert_eq!(field(&output.spreads[0], "/legs/0/bid"), "\"10\"");
    assert_eq!(field(&output.spreads[0], "/legs/1/symbol"), "\"XBTUSD\"");
}

#[test]
fn what_cannot_be_read_is_a_dead_letter_untouched() {
    let dead = [
        "",
        " ",
        "{",
        "null",
        r#"{"v":2,"kind":"mark","venue":"a","event_ns":99000000000}"#,
        r#"{"v":1,"kind":"candle","venue":"a","event_ns":99000000000}"#,
        r#"{"v":1,"kind":"mark","venue":"a"}"#,
        r#"{"v":1,"kind":"mark","venue":"a","event_ns":99000000000} x"#,
        r#"{"v":1,"kind":"status","venue":"a","status":"away","event_ns":0,"detail":""}"#,
    ];
    let mut lines: Vec<String> = dead.map(str::to_owned).into();
    for price in ["0", "0.00", "-1", "1e5", ".5", "5.", ""] {
        lines.push(btc("a", 99_000).quote(price, "11"));
    }
    lines.push(btc("a", 99_000).trade("1", "-1"));
    let refused = lines.clone();
    lines.push(btc("a", 100).quote("10", "11"));
    let output = check(&lines, &Case::default());
    assert_eq!(output.dead, refused);
    assert_eq!(output.spreads.len(), 1);
    assert_eq!(field(&output.spreads[0], "/legs/0/quotes"), "1");
}

#[test]
fn white_space_key_order_and_unknown_fields_do_not_matter() {
    let lines = [
        btc("a", 100).quote("10", "11").replace(',', " , ") + "\r",
        r#" {"event_ns":1000000000,"colour":"red","venue":"a","kind":"mark","v":1}"#.to_owned(),
    ];
    let output = check(&lines, &Case::default());
    assert!(output.dead.is_empty());
    assert_eq!(output.spreads.len(), 1);
}

#[test]
fn bytes_that_are_no_text_are_a_dead_letter_of_the_product() {
    // The reference is given texts only.
    let broken = b"{\"v\":1,\"kind\":\"mark\",\"venue\":\"\xff\",\"event_ns\":99000000000}";
    let quote = btc("a", 100).quote("10", "11");
    let lines: [&[u8]; 2] = [broken, quote.as_bytes()];
    let lines = window_lines(&Settings::default(), lines).expect("bad input stops nothing");
    assert_eq!(lines.dead.len(), 1);
    assert_eq!(lines.dead[0].bytes, broken);
    assert_eq!((lines.spreads.len(), lines.late.len()), (1, 0));
}

#[test]
fn texts_with_quotes_and_other_alphabets_come_out_as_they_went_in() {
    let venue = "b\"\\\u{1f}\u{e9}\u{1f600}";
    let lines = [
        Tick::at_ns(venue, "\u{42f}\"-USD", ms(100)).quote("10", "11"),
        mark(venue, 1_000),
    ];
    let output = check(&lines, &Case::default());
    assert_eq!(
        output.spreads[0].split(r#""state""#).next(),
        Some(
            "{\"v\":1,\"pair\":\"\u{42f}\\\"-USD\",\"start_ms\":0,\"end_ms\":1000,\"quality\":\"one_sided\",\"late\":0,\"legs\":[{\"venue\":\"b\\\"\\\\\\u001f\u{e9}\u{1f600}\",\"symbol\":\"\u{42f}\\\"USD\",\"currency\":\"USD\","
        )
    );
}
