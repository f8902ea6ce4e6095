//! The protocols as a client sees them: what must be asked, how it is answered, which rules are kept.

use std::time::Duration;

use futures_util::SinkExt;
use simulator::exchange::{Dialect, ExchangesSettings, Limits};
use tokio_tungstenite::tungstenite::{Bytes, Message};

use crate::client::{Client, is_data, serve};
use crate::four_dialects;

const SEED: u64 = 5;

fn with_limits(limits: Limits) -> ExchangesSettings {
    ExchangesSettings {
        limits,
        ..four_dialects(SEED)
    }
}

#[tokio::test]
async fn each_dialect_serves_several_clients_at_once_from_one_market() {
    let exchanges = serve(four_dialects(SEED)).await;
    for dialect in Dialect::ALL {
        let mut first = Client::subscribed(&exchanges, dialect).await;
        let mut second = Client::subscribed(&exchanges, dialect).await;
        for client in [&mut first, &mut second] {
            for _ in 0..5 {
                client.text_with(is_data).await;
            }
        }
        let report = exchanges.handle().report(dialect);
        assert_eq!((report.connections(), report.connections_ever), (2, 2));
        assert!(report.subscriptions.values().all(|asked| asked.len() == 2));
    }
    exchanges.stop().await;
}

#[tokio::test]
async fn coinbase_advanced_gives_data_before_the_acknowledgement_and_numbers_everything() {
    let exchanges = serve(four_dialects(SEED)).await;
    let mut client = Client::connect(&exchanges.url(Dialect::CoinbaseAdvanced))
        .await
        .unwrap();
    client
        .say(r#"{"type":"subscribe","channel":"heartbeats"}"#)
        .await;
    client
        .say(
            r#"{"type":"subscribe","product_ids":["ETH-USD","BTC-USD"],"channel":"market_trades"}"#,
        )
        .await;
    let mut texts = Vec::new();
    while !texts
        .iter()
        .any(|text: &String| text.contains("heartbeat_counter"))
    {
        texts.push(client.text().await);
    }
    for (number, text) in texts.iter().enumerate() {
        assert!(
            text.contains(&format!(r#""sequence_num":{number},"#)),
            "{number}: {text}"
        );
    }
    assert!(texts[0].ends_with(r#""events":[{"subscriptions":{"heartbeats":["heartbeats"]}}]}"#));
    for (text, product) in texts[1..3].iter().zip(["ETH-USD", "BTC-USD"]) {
        assert!(
            text.contains(r#"{"type":"snapshot","trades":[{"product_id":""#),
            "{text}"
        );
        assert_eq!(text.matches(product).count(), 100);
    }
    let both = r#"[{"subscriptions":{"heartbeats":["heartbeats"],"market_trades":["ETH-USD","BTC-USD"]}}]}"#;
    assert!(texts[3].ends_with(both), "{}", texts[3]);
    exchanges.stop().await;
}

#[tokio::test]
async fn coinbase_advanced_refuses_what_it_does_not_take() {
    let exchanges = serve(four_dialects(SEED)).await;
    let mut client = Client::connect(&exchanges.url(Dialect::CoinbaseAdvanced))
        .await
        .unwrap();
    for (asked, word) in [
        ("{", "parse"),
        (
            r#"{"type":"subscribe","product_ids":["BTC-USD"],"channels":["ticker"]}"#,
            "one per message",
        ),
        (
            r#"{"type":"subscribe","product_ids":["BTC-USD"],"channel":"tickers"}"#,
            "authentication failure",
        ),
        (r#"{"type":"subscribe","channel":"ticker"}"#, "product_ids"),
        (
            r#"{"type":"subscribe","product_ids":["NO-USD"],"channel":"ticker"}"#,
            "NO-USD is not a valid product",
        ),
        (r#"{"type":"hello"}"#, "subscribe"),
    ] {
        client.say(asked).await;
        let text = client.text().await;
        assert!(text.starts_with(r#"{"type":"error","message":""#), "{text}");
        assert!(text.contains(word), "{text}");
    }
    let heard = exchanges.handle().report(Dialect::CoinbaseAdvanced).heard;
    assert_eq!(heard.len(), 6);
    assert_eq!(heard[5].text, r#"{"type":"hello"}"#);
    exchanges.stop().await;
}

#[tokio::test]
async fn coinbase_exchange_opens_with_what_was_last() {
    let exchanges = serve(four_dialects(SEED)).await;
    let mut client = Client::connect(&exchanges.url(Dialect::CoinbaseExchange))
        .await
        .unwrap();
    client
        .say(r#"{"type":"subscribe","channels":[{"name":"ticker","product_ids":["BTC-USD"]},{"name":"matches","product_ids":["BTC-USD"]},{"name":"heartbeat","product_ids":["BTC-USD","USDT-USD"]}]}"#)
        .await;
    assert!(
        client
            .text()
            .await
            .starts_with(r#"{"type":"ticker","sequence":"#)
    );
    assert!(
        client
            .text()
            .await
            .starts_with(r#"{"type":"last_match","trade_id":"#)
    );
    assert_eq!(
        client.text().await,
        r#"{"type":"subscriptions","channels":[{"name":"ticker","product_ids":["BTC-USD"]},{"name":"matches","product_ids":["BTC-USD"]},{"name":"heartbeat","product_ids":["BTC-USD","USDT-USD"]}]}"#
    );
    // A match and its ticker share what they should, and tell opposite sides.
    let matched = client
        .text_with(|text| text.starts_with(r#"{"type":"match""#))
        .await;
    let id = matched
        .split_once(r#""trade_id":"#)
        .unwrap()
        .1
        .split_once(',')
        .unwrap()
        .0
        .to_owned();
    let of_it = format!(r#""trade_id":{id},"last_size""#);
    let is_next = |text: &str| text.starts_with(r#"{"type":"ticker""#);
    let ticker = client.text_with(is_next).await;
    if ticker.contains(&of_it) {
        let side = |text: &str| text.contains(r#""side":"buy""#);
        assert_ne!(side(&matched), side(&ticker), "{matched} {ticker}");
    }
    client
        .text_with(|text| text.starts_with(r#"{"type":"heartbeat""#))
        .await;
    for (asked, word) in [
        (
            r#"{"type":"subscribe","product_ids":["BTC-USD"],"channels":["level2"]}"#,
            "require authentication",
        ),
        (
            r#"{"type":"subscribe","product_ids":["BTC-USD"],"channels":["tick"]}"#,
            "tick is not a valid channel",
        ),
        (
            r#"{"type":"subscribe","channels":["ticker"]}"#,
            "product_ids",
        ),
        ("rubbish", "Malformed JSON"),
    ] {
        client.say(asked).await;
        let text = client
            .text_with(|text| text.contains(r#""type":"error""#))
            .await;
        assert!(text.contains(word), "{text}");
    }
    exchanges.stop().await;
}

#[tokio::test]
async fn a_client_of_coinbase_that_asks_for_nothing_is_closed() {
    let exchanges = serve(with_limits(Limits {
        subscribe_within_ms: 60,
        ..Limits::default()
    }))
    .await;
    for dialect in [Dialect::CoinbaseAdvanced, Dialect::CoinbaseExchange] {
        let client = Client::connect(&exchanges.url(dialect)).await.unwrap();
        assert!(client.end().await.starts_with("close 1008 no subscription"));
        let ended = exchanges.handle().report(dialect).ended;
        assert!(
            ended[0].reason.contains("no subscription in time"),
            "{ended:?}"
        );
    }
    exchanges.stop().await;
}

#[tokio::test]
async fn binance_is_asked_in_the_address_or_by_messages_and_answers_them() {
    let exchanges = serve(four_dialects(SEED)).await;
    let url = exchanges.url(Dialect::Binance);
    let mut client = Client::connect(&format!("{url}/ws")).await.unwrap();
    let answers = [
        (
            r#"{"method":"SUBSCRIBE","params":["btcusdt@aggTrade","nothing@here"],"id":7}"#,
            r#"{"result":null,"id":7}"#,
        ),
        (
            r#"{"method":"LIST_SUBSCRIPTIONS","id":"x"}"#,
            r#"{"result":["btcusdt@aggTrade","nothing@here"],"id":"x"}"#,
        ),
    ];
    for (asked, answer) in answers {
        client.say(asked).await;
        let is_answer = |text: &str| !text.contains("aggTrade\",\"E\"");
        assert_eq!(client.text_with(is_answer).await, answer);
    }
    client.say("{").await;
    let text = client.text_with(|text| text.contains("code")).await;
    assert!(
        text.starts_with(r#"{"code":3,"msg":"Invalid JSON"#),
        "{text}"
    );
    // Raw streams stand bare, combined ones in an envelope.
    let text = client.text_with(|text| text.contains("aggTrade")).await;
    assert!(text.starts_with(r#"{"e":"aggTrade","E":"#), "{text}");
    let mut combined = Client::connect(&format!(
        "{url}/stream?streams=ethusdt@trade&timeUnit=MICROSECOND"
    ))
    .await
    .unwrap();
    let text = combined.text().await;
    assert!(
        text.starts_with(r#"{"stream":"ethusdt@trade","data":{"e":"trade","E":1"#),
        "{text}"
    );
    let sent = text
        .split_once(r#""E":"#)
        .unwrap()
        .1
        .split_once(',')
        .unwrap()
        .0
        .len();
    assert_eq!(sent, 16, "{text}");
    // An address that is none.
    let error = Client::connect(&format!("{url}/nowhere"))
        .await
        .err()
        .unwrap();
    assert!(error.to_string().contains("404"), "{error}");
    exchanges.stop().await;
}

#[tokio::test]
async fn binance_ends_a_connection_that_says_too_much() {
    let exchanges = serve(four_dialects(SEED)).await;
    let url = format!("{}/ws", exchanges.url(Dialect::Binance));
    let mut client = Client::connect(&url).await.unwrap();
    for _ in 0..5 {
        client
            .say(r#"{"method":"LIST_SUBSCRIPTIONS","id":1}"#)
            .await;
    }
    // Pings count like anything else.
    let ping = Message::Ping(Bytes::from_static(b"1"));
    client.socket.send(ping).await.unwrap();
    assert_eq!(client.end().await, "close 1008 Too many requests");
    let report = exchanges.handle().report(Dialect::Binance);
    assert_eq!((report.heard.len(), report.pings_received), (5, 1));
    exchanges.stop().await;
}

#[tokio::test]
async fn coinbase_answers_a_client_that_says_too_much_with_an_error() {
    let exchanges = serve(four_dialects(SEED)).await;
    let mut client = Client::connect(&exchanges.url(Dialect::CoinbaseAdvanced))
        .await
        .unwrap();
    for _ in 0..9 {
        client
            .say(r#"{"type":"subscribe","channel":"heartbeats"}"#)
            .await;
    }
    client
        .text_with(|text| text.contains("rate limit exceeded"))
        .await;
    exchanges.stop().await;
}

#[tokio::test]
async fn binance_pings_and_ends_a_connection_that_does_not_answer() {
    let exchanges = serve(with_limits(Limits {
        ping_every_ms: 40,
        pong_within_ms: 400,
        binance_messages_per_s: 1_000,
        ..Limits::default()
    }))
    .await;
    // This one answers, since the library does while it reads.
    let mut polite = Client::subscribed(&exchanges, Dialect::Binance).await;
    let reading = tokio::spawn(async move {
        assert!(polite.is_quiet(Duration::from_secs(2), |_| false).await);
    });
    // This one does not read, so it does not answer either.
    let mute = Client::subscribed(&exchanges, Dialect::Binance).await;
    reading.await.unwrap();
    let report = exchanges.handle().report(Dialect::Binance);
    assert_eq!(report.connections(), 1, "{:?}", report.ended);
    assert!(
        report.ended[0].reason.contains("pong timeout"),
        "{:?}",
        report.ended
    );
    assert!(report.pongs_received > 3 && report.pings_sent > report.pongs_received);
    drop(mute);
    exchanges.stop().await;
}

#[tokio::test]
async fn binance_ends_connections_after_a_day() {
    let exchanges = serve(with_limits(Limits {
        longest_connection_ms: 200,
        ..Limits::default()
    }))
    .await;
    let client = Client::subscribed(&exchanges, Dialect::Binance).await;
    assert_eq!(client.end().await, "close 1001 connection lasted 24 hours");
    exchanges.stop().await;
}

#[tokio::test]
async fn a_client_that_does_not_keep_up_is_cut_off_and_no_other() {
    let exchanges = serve(with_limits(Limits {
        waiting_frames: 2_000,
        ..Limits::default()
    }))
    .await;
    let slow = Client::subscribed(&exchanges, Dialect::Binance).await;
    let mut fast = Client::subscribed(&exchanges, Dialect::Binance).await;
    let handle = exchanges.handle();
    let reading = tokio::spawn(async move {
        loop {
            fast.text().await;
        }
    });
    for _ in 0..600 {
        handle.fault(
            Dialect::Binance,
            simulator::exchange::Fault::Flood { per_s: 20_000 },
        );
        tokio::time::sleep(Duration::from_millis(50)).await;
        if handle.report(Dialect::Binance).too_slow > 0 {
            break;
        }
    }
    handle.clear(Dialect::Binance);
    let report = handle.report(Dialect::Binance);
    assert_eq!((report.too_slow, report.connections()), (1, 1));
    assert!(!reading.is_finished());
    reading.abort();
    drop(slow);
    exchanges.stop().await;
}

#[tokio::test]
async fn a_stopped_server_leaves_its_port_and_a_port_that_is_taken_is_told() {
    let exchanges = serve(four_dialects(SEED)).await;
    let url = exchanges.url(Dialect::Binance);
    let port = url.rsplit_once(':').unwrap().1.parse().unwrap();
    let mut settings = four_dialects(SEED);
    settings.servers.get_mut(&Dialect::Binance).unwrap().port = port;
    let clock = std::sync::Arc::new(contract::time::SystemClock);
    let again = simulator::exchange::Exchanges::start(settings.clone(), clock, None).await;
    let error = again.err().unwrap();
    assert_eq!(
        error.to_string(),
        format!("could not listen on 127.0.0.1:{port} for binance")
    );
    exchanges.stop().await;
    let exchanges = serve(settings).await;
    assert_eq!(exchanges.url(Dialect::Binance), url);
    exchanges.stop().await;
}
