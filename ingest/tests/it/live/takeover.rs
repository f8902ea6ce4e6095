//! A second connection beside the first: when the first is old, announced to end, or quiet where it should not be.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use ingest::core::Collect;
use ingest::live::{ConnectionReport, LiveReport, LiveSettings};
use ingest::venue::Dialect;
use tokio::time::sleep;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;

use super::server::{Peer, Server, refuse};
use super::{PATIENCE, connection, live, now_ms, run_with, settings, statuses, trade};
use crate::live::Shared;

/// A market that goes on whoever listens: the id of the newest trade.
#[derive(Clone, Default)]
struct Market(Arc<AtomicU64>);

impl Market {
    fn start() -> Self {
        let market = Self::default();
        let ids = Arc::clone(&market.0);
        tokio::spawn(async move {
            loop {
                ids.fetch_add(1, Ordering::SeqCst);
                sleep(Duration::from_millis(4)).await;
            }
        });
        market
    }

    /// Sends every trade from now on, until the client goes or `ends` says so.
    async fn tell(&self, peer: &mut Peer, ends: impl Fn(u64) -> bool) {
        let mut told = self.0.load(Ordering::SeqCst);
        let mut sent = 0;
        loop {
            let newest = self.0.load(Ordering::SeqCst);
            while told < newest {
                told += 1;
                sent += 1;
                let message = Message::text(trade(told));
                if futures_util::SinkExt::send(&mut peer.socket, message)
                    .await
                    .is_err()
                    || ends(sent)
                {
                    return;
                }
            }
            tokio::select! {
                () = sleep(Duration::from_millis(2)) => {}
                message = peer.next() => if message.is_none() { return },
            }
        }
    }
}

fn quick(urls: &[&str]) -> LiveSettings {
    LiveSettings {
        overlap: Duration::from_millis(100),
        takeover_within: Duration::from_secs(2),
        ..live(vec![connection(Dialect::Binance, urls)])
    }
}

fn of(told: &LiveReport) -> ConnectionReport {
    told.connections
        .get(&Dialect::Binance)
        .cloned()
        .unwrap_or_default()
}

fn ids(kept: &Collect) -> Vec<u64> {
    let ids = kept.lines.iter().filter_map(|line| {
        let (_, rest) = line.split_once(r#""trade_id":""#)?;
        rest.split('"').next()?.parse().ok()
    });
    let mut ids: Vec<u64> = ids.collect();
    ids.sort_unstable();
    ids
}

/// Every id between the first and the last, once.
fn assert_whole(kept: &Collect) {
    let ids = ids(kept);
    let (Some(first), Some(last)) = (ids.first(), ids.last()) else {
        panic!("no trades")
    };
    assert_eq!(ids, (*first..=*last).collect::<Vec<u64>>());
}

#[tokio::test]
async fn an_old_connection_is_replaced_without_a_gap_a_repeat_or_an_outage() {
    let market = Market::start();
    let server = Server::start(move |_, stream| {
        let market = market.clone();
        async move {
            let mut peer = Peer::accept(stream).await;
            market.tell(&mut peer, |_| false).await;
        }
    })
    .await;
    let old_soon = LiveSettings {
        rotate_after: Duration::from_millis(300),
        ..quick(&[&server.url])
    };
    let running = run_with(old_soon, settings(), Shared::default());
    running
        .until("three takeovers", |_, told| of(told).takeovers >= 3)
        .await;
    let ended = running.stop().await;
    let kept = ended.sink.kept.lock().unwrap();
    assert_whole(&kept);
    assert_eq!(statuses(&kept), ["Up ", "Down stopped"]);
    assert_eq!((ended.report.gaps_total, ended.report.restarts), (0, 0));
    assert_eq!(ended.report.missed_between_connections, 0);
    assert!(ended.report.duplicates > 0, "there was an overlap");
    let one = of(&ended.live);
    assert_eq!(one.failed_attempts, 0);
    assert!(one.connections >= 4);
}

#[tokio::test]
async fn an_announced_shutdown_is_followed_by_another_connection_at_once_and_no_outage() {
    let market = Market::start();
    let server = Server::start(move |n, stream| {
        let market = market.clone();
        async move {
            let mut peer = Peer::accept(stream).await;
            if n > 0 {
                return market.tell(&mut peer, |_| false).await;
            }
            market.tell(&mut peer, |sent| sent == 5).await;
            let ms = now_ms();
            peer.text(format!(
                r#"{{"stream":"!serverShutdown","data":{{"e":"serverShutdown","E":{ms}}}}}"#
            ))
            .await;
            market.tell(&mut peer, |_| false).await;
        }
    })
    .await;
    let mut slow = quick(&[&server.url]);
    // Whoever waited for this would fail the test.
    slow.backoff.first = PATIENCE * 1_000_000;
    slow.backoff.cap = PATIENCE * 1_000_000;
    let running = run_with(slow, settings(), Shared::default());
    running
        .until("a takeover", |_, told| {
            of(told).takeovers == 1 && of(told).last_ending.is_some()
        })
        .await;
    let ended = running.stop().await;
    assert_eq!(server.connections(), 2);
    let kept = ended.sink.kept.lock().unwrap();
    assert_eq!(statuses(&kept), ["Up ", "Down stopped"]);
}

#[tokio::test]
async fn a_venue_that_closes_right_after_its_announcement_is_up_again_without_waiting() {
    let server = Server::start(|n, stream| async move {
        let mut peer = Peer::accept(stream).await;
        peer.text(trade(u64::try_from(n).unwrap())).await;
        if n == 0 {
            let ms = now_ms();
            peer.text(format!(r#"{{"e":"serverShutdown","E":{ms}}}"#))
                .await;
            let frame = CloseFrame {
                code: 1_012.into(),
                reason: "restart".into(),
            };
            peer.send(Message::Close(Some(frame))).await;
        }
        peer.stay().await;
    })
    .await;
    let mut slow = quick(&[&server.url]);
    slow.backoff.first = PATIENCE * 1_000_000;
    slow.backoff.cap = PATIENCE * 1_000_000;
    let running = run_with(slow, settings(), Shared::default());
    running
        .until("two trades", |kept, _| ids(kept).len() == 2)
        .await;
    running.stop().await;
}

#[tokio::test]
async fn where_no_second_connection_can_be_made_the_first_is_kept_as_long_as_it_lives() {
    let market = Market::start();
    let refused = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&refused);
    let server = Server::start(move |n, stream| {
        let (market, refused) = (market.clone(), Arc::clone(&count));
        async move {
            if n > 0 {
                refused.fetch_add(1, Ordering::SeqCst);
                return refuse(stream, "503 Service Unavailable").await;
            }
            let mut peer = Peer::accept(stream).await;
            market.tell(&mut peer, |_| false).await;
        }
    })
    .await;
    let old_soon = LiveSettings {
        rotate_after: Duration::from_millis(50),
        ..quick(&[&server.url])
    };
    let running = run_with(old_soon, settings(), Shared::default());
    running
        .until("several refusals", |_, told| of(told).failed_attempts >= 4)
        .await;
    let before = ids(&running.sink.kept.lock().unwrap()).len();
    running
        .until("more trades", |kept, _| ids(kept).len() > before + 5)
        .await;
    let ended = running.stop().await;
    let kept = ended.sink.kept.lock().unwrap();
    assert_whole(&kept);
    assert_eq!(statuses(&kept), ["Up ", "Down stopped"]);
    assert_eq!(of(&ended.live).connections, 1);
}

#[tokio::test]
async fn a_second_connection_that_does_not_deliver_what_the_first_does_is_given_up() {
    let market = Market::start();
    let server = Server::start(move |n, stream| {
        let market = market.clone();
        async move {
            let mut peer = Peer::accept(stream).await;
            if n == 1 {
                // Another symbol than the one that is wanted.
                while peer.socket.get_ref().peer_addr().is_ok() {
                    let other = trade(1).replace("BTCUSDT", "DOGEUSDT");
                    peer.text(other.replace("btcusdt", "dogeusdt")).await;
                    tokio::select! {
                        () = sleep(Duration::from_millis(5)) => {}
                        message = peer.next() => if message.is_none() { return },
                    }
                }
            }
            market.tell(&mut peer, |_| false).await;
        }
    })
    .await;
    let old_soon = LiveSettings {
        rotate_after: Duration::from_millis(50),
        takeover_within: Duration::from_millis(400),
        ..quick(&[&server.url])
    };
    let mut wanting = settings();
    wanting.all_pairs = false;
    wanting.pairs = [(
        "BTC-USD".to_owned(),
        [("binance".to_owned(), "BTCUSDT".to_owned())].into(),
    )]
    .into();
    let running = run_with(old_soon, wanting, Shared::default());
    running
        .until("the third connection takes over", |_, told| {
            of(told).takeovers >= 1 && of(told).connections >= 3
        })
        .await;
    let ended = running.stop().await;
    let kept = ended.sink.kept.lock().unwrap();
    assert_whole(&kept);
    assert_eq!(statuses(&kept), ["Up ", "Down stopped"]);
}

/// Sends book tickers of the symbols that `flows` allows, every few milliseconds.
async fn quote(mut peer: Peer, flows: impl Fn(&str) -> bool) {
    for u in 1_u64.. {
        for symbol in ["BTCUSDT", "ETHUSDT"] {
            if flows(symbol) {
                peer.text(format!(
                    r#"{{"u":{u},"s":"{symbol}","b":"1.0","B":"1","a":"1.1","A":"1"}}"#
                ))
                .await;
            }
        }
        tokio::select! {
            () = sleep(Duration::from_millis(5)) => {}
            message = peer.next() => if message.is_none() { return },
        }
    }
}

fn two_symbols(url: &str) -> LiveSettings {
    let mut quotes = quick(&[url]);
    // As rates: quotes alone.
    quotes.connections[0].symbols = Vec::new();
    quotes.connections[0].rate_symbols = ["BTCUSDT", "ETHUSDT"].map(str::to_owned).into();
    quotes.connections[0].symbol_silent_after = Duration::from_millis(250);
    quotes
}

#[tokio::test]
async fn a_symbol_that_stalls_among_lively_ones_is_found_on_another_connection() {
    let stalled = Arc::new(AtomicBool::new(false));
    let stall = Arc::clone(&stalled);
    let server = Server::start(move |n, stream| {
        let stalled = Arc::clone(&stall);
        async move {
            let peer = Peer::accept(stream).await;
            quote(peer, |symbol| {
                n > 0 || symbol != "ETHUSDT" || !stalled.load(Ordering::SeqCst)
            })
            .await;
        }
    })
    .await;
    let running = run_with(two_symbols(&server.url), settings(), Shared::default());
    running
        .until("quotes", |_, told| of(told).frames > 50)
        .await;
    stalled.store(true, Ordering::SeqCst);
    running
        .until("a takeover", |_, told| of(told).takeovers == 1)
        .await;
    let ended = running.stop().await;
    assert_eq!(
        statuses(&ended.sink.kept.lock().unwrap()),
        ["Up ", "Down stopped"]
    );
    let one = of(&ended.live);
    assert_eq!((one.quiet, one.connections), (1, 2));
}

#[tokio::test]
async fn a_symbol_that_nobody_trades_costs_ever_fewer_connections_and_no_takeover() {
    let server = Server::start(|_, stream| async {
        let peer = Peer::accept(stream).await;
        quote(peer, |symbol| symbol != "ETHUSDT").await;
    })
    .await;
    let mut quiet = two_symbols(&server.url);
    quiet.connections[0].symbol_silent_after = Duration::from_millis(60);
    quiet.takeover_within = Duration::from_millis(120);
    let running = run_with(quiet, settings(), Shared::default());
    running
        .until("an alarm", |_, told| of(told).quiet >= 1)
        .await;
    running
        .until("some time", |_, told| of(told).quiet >= 3)
        .await;
    let ended = running.stop().await;
    assert_eq!(
        statuses(&ended.sink.kept.lock().unwrap()),
        ["Up ", "Down stopped"]
    );
    assert_eq!(of(&ended.live).takeovers, 0);
}
