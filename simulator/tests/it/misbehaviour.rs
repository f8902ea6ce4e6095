//! Every misbehaviour as a plain client sees it, and that it passes.

use std::time::{Duration, Instant};

use ingest::venue::{Content, Dialect as Parser, Kind};
use simulator::exchange::{Dialect, Exchanges, Fault, Handle};
use simulator::market::{Dislocation, RateMove, Size, Venue};

use crate::client::{Client, PATIENCE, is_data, serve};
use crate::four_dialects;

/// Long enough for dozens of frames of every dialect.
const QUIET: Duration = Duration::from_millis(1_200);

async fn served() -> (Exchanges, Handle) {
    let exchanges = serve(four_dialects(8)).await;
    let handle = exchanges.handle();
    (exchanges, handle)
}

/// A client that has had data.
async fn delivered(exchanges: &Exchanges, dialect: Dialect) -> Client {
    let mut client = Client::subscribed(exchanges, dialect).await;
    client.text_with(is_data).await;
    client
}

/// Reads what was on its way.
async fn drain(client: &mut Client) {
    let _ = client.is_quiet(Duration::from_millis(50), |_| false).await;
}

#[tokio::test]
async fn silent_servers_send_no_data_and_answer_pings() {
    use futures_util::SinkExt;
    use tokio_tungstenite::tungstenite::{Bytes, Message};
    let (exchanges, handle) = served().await;
    for dialect in Dialect::ALL {
        let mut client = delivered(&exchanges, dialect).await;
        handle.fault(dialect, Fault::Silent);
        drain(&mut client).await;
        assert!(client.is_quiet(QUIET, is_data).await, "{dialect:?}");
        let ping = Message::Ping(Bytes::from_static(b"still there?"));
        client.socket.send(ping.clone()).await.unwrap();
        loop {
            match client.next().await {
                Some(Ok(Message::Pong(payload))) => {
                    assert_eq!(&payload[..], b"still there?");
                    break;
                }
                Some(Ok(_)) => {}
                other => panic!("{dialect:?}: {other:?}"),
            }
        }
        handle.clear(dialect);
        client.text_with(is_data).await;
    }
    exchanges.stop().await;
}

#[tokio::test]
async fn a_symbol_may_be_silent_alone_and_for_a_time() {
    let (exchanges, handle) = served().await;
    let url = exchanges.url(Dialect::Binance);
    let address = format!("{url}/stream?streams=btcusdt@bookTicker/ethusdt@bookTicker");
    let mut client = Client::connect(&address).await.unwrap();
    let symbol = "BTCUSDT".to_owned();
    handle.fault_for(
        Dialect::Binance,
        Fault::SilentSymbol(symbol),
        Duration::from_secs(3),
    );
    drain(&mut client).await;
    assert!(
        client
            .is_quiet(QUIET, |text| text.contains("BTCUSDT"))
            .await
    );
    client.text_with(|text| text.contains("ETHUSDT")).await;
    // It passes by itself.
    client.text_with(|text| text.contains("BTCUSDT")).await;
    exchanges.stop().await;
}

#[tokio::test]
async fn frozen_servers_move_no_byte() {
    use futures_util::SinkExt;
    use tokio_tungstenite::tungstenite::{Bytes, Message};
    let (exchanges, handle) = served().await;
    for dialect in [Dialect::CoinbaseAdvanced, Dialect::Binance] {
        let mut client = delivered(&exchanges, dialect).await;
        handle.fault(dialect, Fault::Frozen);
        drain(&mut client).await;
        client
            .socket
            .send(Message::Ping(Bytes::from_static(b"?")))
            .await
            .unwrap();
        let next = tokio::time::timeout(QUIET, client.next()).await;
        assert!(next.is_err(), "{dialect:?}: {next:?}");
        handle.clear(dialect);
        client.text_with(is_data).await;
    }
    exchanges.stop().await;
}

#[tokio::test]
async fn an_outage_ends_every_connection_and_lets_nobody_in() {
    let (exchanges, handle) = served().await;
    for dialect in Dialect::ALL {
        let client = delivered(&exchanges, dialect).await;
        handle.fault(dialect, Fault::Outage);
        let end = client.end().await;
        assert!(end.starts_with("error") || end == "end", "{end}");
        // The listener is gone within a tick or two.
        let began = Instant::now();
        loop {
            match Client::connect(&exchanges.url(dialect)).await {
                Err(_) => break,
                Ok(_) => assert!(began.elapsed() < PATIENCE, "{dialect:?} still listens"),
            }
        }
        handle.clear(dialect);
        reconnected(&exchanges, dialect).await;
    }
    exchanges.stop().await;
}

async fn reconnected(exchanges: &Exchanges, dialect: Dialect) {
    let began = Instant::now();
    while Client::connect(&exchanges.url(dialect)).await.is_err() {
        assert!(began.elapsed() < PATIENCE, "{dialect:?} does not come back");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    delivered(exchanges, dialect).await;
}

#[tokio::test]
async fn refusals_leave_connections_that_stand_alone() {
    let (exchanges, handle) = served().await;
    let dialect = Dialect::Binance;
    let url = exchanges.url(dialect);
    let mut client = delivered(&exchanges, dialect).await;
    for (fault, word) in [
        (Fault::Refuse, "refused"),
        (
            Fault::Answer {
                status: 451,
                retry_after_s: None,
            },
            "451",
        ),
        (
            Fault::Answer {
                status: 403,
                retry_after_s: None,
            },
            "403",
        ),
        (
            Fault::Answer {
                status: 503,
                retry_after_s: Some(7),
            },
            "503",
        ),
    ] {
        handle.clear(dialect);
        handle.fault(dialect, fault);
        let began = Instant::now();
        loop {
            match Client::connect(&url).await {
                Err(error) if error.to_string().contains(word) => break,
                _ => assert!(began.elapsed() < PATIENCE, "never {word}"),
            }
        }
        client.text_with(is_data).await;
    }
    let error = Client::connect(&url).await.err().unwrap();
    let tokio_tungstenite::tungstenite::Error::Http(answer) = error else {
        panic!("{error}")
    };
    assert_eq!(answer.headers()["retry-after"], "7");
    assert!(handle.report(dialect).refused >= 3);
    handle.clear(dialect);
    reconnected(&exchanges, dialect).await;
    exchanges.stop().await;
}

#[tokio::test]
async fn a_handshake_may_never_be_answered() {
    let (exchanges, handle) = served().await;
    handle.fault(Dialect::Binance, Fault::Hang);
    let url = exchanges.url(Dialect::Binance);
    let connecting = tokio::spawn(async move { Client::connect(&url).await.err() });
    tokio::time::sleep(Duration::from_millis(400)).await;
    assert!(!connecting.is_finished());
    handle.clear(Dialect::Binance);
    assert!(connecting.await.unwrap().is_some());
    exchanges.stop().await;
}

#[tokio::test]
async fn connections_end_as_they_are_told_to() {
    let (exchanges, handle) = served().await;
    for dialect in Dialect::ALL {
        let close = Fault::Close {
            code: 1_012,
            reason: "service restart".to_owned(),
        };
        for (fault, expected) in [
            (close, "close 1012 service restart"),
            (Fault::DayIsOver, "close 1001 connection lasted 24 hours"),
            (Fault::Cut, "error"),
            (Fault::Abort, "error"),
        ] {
            let client = delivered(&exchanges, dialect).await;
            handle.fault(dialect, fault.clone());
            let end = client.end().await;
            assert!(end.starts_with(expected), "{dialect:?} {fault:?}: {end}");
        }
        assert_eq!(handle.report(dialect).connections(), 0);
        assert_eq!(handle.report(dialect).ended.len(), 4);
    }
    exchanges.stop().await;
}

#[tokio::test]
async fn a_stall_is_that_of_old_connections_alone() {
    let (exchanges, handle) = served().await;
    let mut old = delivered(&exchanges, Dialect::Binance).await;
    handle.fault(Dialect::Binance, Fault::Stall);
    let mut new = delivered(&exchanges, Dialect::Binance).await;
    drain(&mut old).await;
    assert!(old.is_quiet(QUIET, is_data).await);
    new.text_with(is_data).await;
    exchanges.stop().await;
}

#[tokio::test]
async fn old_connections_fall_silent_once_a_new_one_has_data() {
    let (exchanges, handle) = served().await;
    handle.fault(Dialect::Binance, Fault::OldFallSilent);
    let mut old = delivered(&exchanges, Dialect::Binance).await;
    old.text_with(is_data).await;
    let mut new = delivered(&exchanges, Dialect::Binance).await;
    drain(&mut old).await;
    assert!(old.is_quiet(QUIET, is_data).await);
    new.text_with(is_data).await;
    exchanges.stop().await;
}

#[tokio::test]
async fn an_enormous_frame_is_a_well_formed_book() {
    let (exchanges, handle) = served().await;
    for (dialect, parser, kind) in [
        (
            Dialect::CoinbaseAdvanced,
            Parser::CoinbaseAdvanced,
            Kind::L2Data,
        ),
        (
            Dialect::CoinbaseExchange,
            Parser::CoinbaseExchange,
            Kind::Snapshot,
        ),
        (Dialect::Binance, Parser::Binance, Kind::Depth),
    ] {
        let mut client = delivered(&exchanges, dialect).await;
        handle.fault(dialect, Fault::Huge { bytes: 5_079_379 });
        let text = client.text_with(|text| text.len() > 1_000_000).await;
        assert!(
            (5_079_379..5_200_000).contains(&text.len()),
            "{}",
            text.len()
        );
        assert_eq!(parser.parse(&text).unwrap().kind, kind);
        client.text_with(is_data).await;
    }
    exchanges.stop().await;
}

#[tokio::test]
async fn frames_that_nobody_knows_and_frames_that_are_none_come_between_good_ones() {
    let (exchanges, handle) = served().await;
    for (dialect, parser) in [
        (Dialect::CoinbaseAdvanced, Parser::CoinbaseAdvanced),
        (Dialect::CoinbaseExchange, Parser::CoinbaseExchange),
        (Dialect::Binance, Parser::Binance),
    ] {
        let mut client = delivered(&exchanges, dialect).await;
        handle.fault(dialect, Fault::UnknownType);
        let text = client.text_with(|text| text.contains("cheerful")).await;
        // Advanced numbers its frames whatever they tell: there the frame is known and what it tells is not.
        let error = match parser.parse(&text) {
            Err(error) => error,
            Ok(parsed) => match parsed.content {
                Content::One(Err(error)) => error,
                other => panic!("{other:?}"),
            },
        };
        assert!(
            error.to_string().to_lowercase().contains("weather"),
            "{error}"
        );
        handle.fault(dialect, Fault::BrokenJson);
        let text = client.text_with(|text| !text.ends_with('}')).await;
        assert!(parser.parse(&text).is_err(), "{text}");
        client.text_with(is_data).await;
    }
    exchanges.stop().await;
}

#[tokio::test]
async fn books_may_be_crossed() {
    let (exchanges, handle) = served().await;
    let mut client = delivered(&exchanges, Dialect::Binance).await;
    handle.fault(Dialect::Binance, Fault::Crossed(Some("BTCUSDT".to_owned())));
    drain(&mut client).await;
    let bid_ask = |text: &str| -> (f64, f64) {
        let of = |key: &str| {
            text.split_once(key)
                .unwrap()
                .1
                .split_once('"')
                .unwrap()
                .0
                .parse()
                .unwrap()
        };
        (of(r#""b":""#), of(r#""a":""#))
    };
    let is_quote = |text: &str| text.contains("bookTicker");
    let (bid, ask) = bid_ask(&client.text_with(is_quote).await);
    assert!(bid > ask, "{bid} {ask}");
    handle.clear(Dialect::Binance);
    drain(&mut client).await;
    let (bid, ask) = bid_ask(&client.text_with(is_quote).await);
    assert!(bid < ask, "{bid} {ask}");
    exchanges.stop().await;
}

#[tokio::test]
async fn a_shutdown_is_announced_and_kept() {
    let (exchanges, handle) = served().await;
    let mut client = delivered(&exchanges, Dialect::Binance).await;
    handle.fault(
        Dialect::Binance,
        Fault::Shutdown {
            close_after_ms: 300,
        },
    );
    let text = client
        .text_with(|text| text.contains("serverShutdown"))
        .await;
    assert!(text.starts_with(r#"{"stream":"!serverShutdown","data":{"e":"serverShutdown","E":1"#));
    // Data goes on until the end.
    client.text_with(is_data).await;
    assert_eq!(client.end().await, "close 1001 server shutdown");
    let client = delivered(&exchanges, Dialect::CoinbaseAdvanced).await;
    handle.fault(
        Dialect::CoinbaseAdvanced,
        Fault::Shutdown { close_after_ms: 0 },
    );
    assert_eq!(client.end().await, "close 1001 server shutdown");
    exchanges.stop().await;
}

#[tokio::test]
async fn a_venues_clock_may_go_wrong() {
    let (exchanges, handle) = served().await;
    let mut client = delivered(&exchanges, Dialect::Binance).await;
    handle.fault(Dialect::Binance, Fault::Skew(90_000));
    drain(&mut client).await;
    let text = client.text_with(|text| text.contains("@trade")).await;
    let stamp_ms: i64 = text
        .split_once(r#""E":"#)
        .unwrap()
        .1
        .split_once(',')
        .unwrap()
        .0
        .parse()
        .unwrap();
    let now_ms = contract::time::Clock::now_ns(&contract::time::SystemClock) / 1_000_000;
    assert!(
        (50_000..90_001).contains(&(stamp_ms - now_ms)),
        "{stamp_ms} {now_ms}"
    );
    exchanges.stop().await;
}

#[tokio::test]
async fn a_flood_is_as_fast_as_it_was_asked_for() {
    let (exchanges, handle) = served().await;
    let mut client = delivered(&exchanges, Dialect::Binance).await;
    handle.fault(Dialect::Binance, Fault::Flood { per_s: 50_000 });
    let mut frames = 0;
    let began = Instant::now();
    while frames < 40_000 {
        client.text().await;
        frames += 1;
        assert!(began.elapsed() < PATIENCE, "{frames}");
    }
    assert_eq!(handle.report(Dialect::Binance).too_slow, 0);
    exchanges.stop().await;
}

#[tokio::test]
async fn the_market_obeys_while_it_runs_and_tells_the_truth_from_any_thread() {
    let (exchanges, handle) = served().await;
    let of = Dislocation::new("BTC-USD", Venue::Binance, Venue::Coinbase, Size::Net(30.0));
    let told = handle.clone();
    // No runtime stands behind this thread.
    let thread = std::thread::spawn(move || {
        told.dislocate(of.clone().at(0, 400)).unwrap();
        told.move_rate(RateMove {
            start_ms: 0,
            length_ms: 1_000,
            centibps: 100,
        })
        .unwrap();
        told.dislocate(of.at(0, 400)).unwrap_err().to_string()
    });
    let overlap = thread.join().unwrap();
    assert!(
        overlap.starts_with("pair `BTC-USD` is dislocated already"),
        "{overlap}"
    );
    let began = Instant::now();
    while !handle.truths().iter().any(|truth| truth.is_over) {
        assert!(began.elapsed() < PATIENCE);
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let truth = &handle.truths()[0];
    assert_eq!(truth.end_ns - truth.start_ns, 400_000_000);
    assert!((30.0..30.01).contains(&truth.peak().unwrap().net_bps));
    exchanges.stop().await;
}
