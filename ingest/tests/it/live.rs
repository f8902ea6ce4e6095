//! Live connections against a venue on a loopback port.

mod record;
mod server;
mod takeover;
mod tls;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use contract::dead_letter::DeadLetter;
use contract::tick::Record;
use contract::time::{Clock, NS_PER_MS, SystemClock};
use contract::venue::VenueHealth;
use ingest::core::{Collect, Core, Sink};
use ingest::error::IngestError;
use ingest::gap::Gap;
use ingest::live::{BackoffSettings, ConnectionSettings, LiveReport, LiveSettings};
use ingest::run::{Ingested, ingest};
use ingest::settings::{IngestSettings, VenueSettings};
use ingest::venue::Dialect;
use server::{Peer, Server, refuse};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, timeout};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;

/// Far more than any of these tests needs; a test that waits so long has failed.
const PATIENCE: Duration = Duration::from_secs(120);

#[derive(Debug, Clone, Default)]
struct Shared {
    kept: Arc<Mutex<Collect>>,
    /// How long each tick takes.
    delay: Duration,
}

impl Sink for Shared {
    fn tick(&mut self, record: &Record<'_>) {
        if !self.delay.is_zero() {
            std::thread::park_timeout(self.delay);
        }
        self.kept.lock().unwrap().tick(record);
    }

    fn everywhere(&mut self, record: &Record<'_>) {
        self.kept.lock().unwrap().everywhere(record);
    }

    fn health(&mut self, health: &VenueHealth<'_>) {
        self.kept.lock().unwrap().health(health);
    }

    fn dead_letter(&mut self, letter: DeadLetter) {
        self.kept.lock().unwrap().dead_letter(letter);
    }

    fn gap(&mut self, gap: &Gap) {
        self.kept.lock().unwrap().gap(gap);
    }
}

struct Running {
    sink: Shared,
    stop: Arc<AtomicBool>,
    told: Arc<Mutex<LiveReport>>,
    task: JoinHandle<Result<Ingested<Shared>, IngestError>>,
}

impl Running {
    /// Waits until the sink and the report are as wanted.
    async fn until(&self, what: &str, wanted: impl Fn(&Collect, &LiveReport) -> bool) {
        let began = Instant::now();
        while began.elapsed() < PATIENCE {
            if wanted(&self.sink.kept.lock().unwrap(), &self.told.lock().unwrap()) {
                return;
            }
            sleep(Duration::from_millis(3)).await;
        }
        let kept = self.sink.kept.lock().unwrap();
        panic!(
            "never seen: {what}; {:?}; {:?}",
            statuses(&kept),
            self.told.lock().unwrap()
        );
    }

    async fn stop(self) -> Ingested<Shared> {
        self.stop.store(true, Ordering::SeqCst);
        timeout(PATIENCE, self.task)
            .await
            .unwrap()
            .unwrap()
            .unwrap()
    }
}

fn connection(dialect: Dialect, urls: &[&str]) -> ConnectionSettings {
    let symbol = match dialect {
        Dialect::Binance | Dialect::BinanceUs => "BTCUSDT",
        _ => "BTC-USD",
    };
    ConnectionSettings {
        symbols: vec![symbol.to_owned()],
        silent_after: Duration::from_secs(10),
        ..ConnectionSettings::new(dialect, urls.iter().map(|&url| url.to_owned()).collect())
    }
}

fn live(connections: Vec<ConnectionSettings>) -> LiveSettings {
    LiveSettings {
        connect_timeout: Duration::from_secs(5),
        backoff: BackoffSettings {
            first: Duration::from_millis(5),
            cap: Duration::from_millis(40),
            spacing: Duration::from_millis(1),
        },
        ..LiveSettings::new(connections, 7)
    }
}

fn settings() -> IngestSettings {
    IngestSettings {
        mark_interval_ms: 10,
        all_pairs: true,
        default_venue: VenueSettings {
            silent_after_ms: 10_000,
            ..VenueSettings::default()
        },
        ..IngestSettings::default()
    }
}

fn run_with(live: LiveSettings, settings: IngestSettings, sink: Shared) -> Running {
    let stop = Arc::new(AtomicBool::new(false));
    let told = Arc::new(Mutex::new(LiveReport::default()));
    let tell = Arc::clone(&told);
    let task = tokio::spawn(ingest(
        settings,
        live,
        Arc::new(SystemClock),
        sink.clone(),
        Arc::clone(&stop),
        move |report: &LiveReport, _: &Core| report.clone_into(&mut tell.lock().unwrap()),
    ));
    Running {
        sink,
        stop,
        told,
        task,
    }
}

fn run(connections: Vec<ConnectionSettings>) -> Running {
    run_with(live(connections), settings(), Shared::default())
}

fn now_ms() -> i64 {
    SystemClock.now_ns() / NS_PER_MS
}

fn trade(id: u64) -> String {
    let ms = now_ms();
    format!(
        r#"{{"stream":"btcusdt@trade","data":{{"e":"trade","E":{ms},"s":"BTCUSDT","t":{id},"p":"61700.01","q":"0.1","T":{ms},"m":true,"M":true}}}}"#
    )
}

fn trades(kept: &Collect) -> usize {
    kept.lines
        .iter()
        .filter(|line| line.contains(r#""kind":"trade""#))
        .count()
}

/// Statuses in order, as `status detail`.
/// Statuses, but for the one with which each run begins.
fn statuses(kept: &Collect) -> Vec<String> {
    let told = kept.lines.iter().filter_map(|line| {
        match contract::tick::decode(line.as_bytes()).unwrap() {
            Record::Status(status) if status.detail == ingest::core::BEGINNING => None,
            Record::Status(status) => Some(format!("{:?} {}", status.status, status.detail)),
            _ => None,
        }
    });
    told.collect()
}

/// What a client of this dialect asks for: the path, and its messages.
async fn asked(dialect: Dialect, n: usize) -> (String, Vec<String>) {
    let (tell, mut told) = mpsc::unbounded_channel();
    let server = Server::start(move |_, stream| {
        let tell = tell.clone();
        async move {
            let mut peer = Peer::accept(stream).await;
            let mut messages = Vec::new();
            while messages.len() < n {
                let Some(Message::Text(text)) = peer.next().await else {
                    break;
                };
                messages.push(text.to_string());
            }
            tell.send((peer.path.clone(), messages)).unwrap();
            peer.stay().await;
        }
    })
    .await;
    let mut wanted = connection(dialect, &[&server.url]);
    wanted.rate_symbols = vec!["USDT-USD".to_owned()];
    let running = run(vec![wanted]);
    let asked = timeout(PATIENCE, told.recv()).await.unwrap().unwrap();
    running.stop().await;
    asked
}

#[tokio::test]
async fn each_dialect_is_asked_for_its_feeds_in_its_own_way() {
    let (path, messages) = asked(Dialect::Binance, 0).await;
    assert_eq!(
        path,
        "/stream?streams=btcusdt@bookTicker/usdt-usd@bookTicker/btcusdt@trade"
    );
    assert!(messages.is_empty());

    let (path, messages) = asked(Dialect::CoinbaseAdvanced, 3).await;
    assert_eq!(path, "/");
    let channels: Vec<serde_json::Value> = messages
        .iter()
        .map(|message| serde_json::from_str(message).unwrap())
        .collect();
    assert!(
        channels
            .iter()
            .all(|message| message["type"] == "subscribe")
    );
    assert_eq!(channels[0]["channel"], "heartbeats");
    assert_eq!(channels[1]["channel"], "ticker");
    assert_eq!(
        channels[1]["product_ids"],
        serde_json::json!(["BTC-USD", "USDT-USD"])
    );
    assert_eq!(channels[2]["channel"], "market_trades");
    assert_eq!(channels[2]["product_ids"], serde_json::json!(["BTC-USD"]));

    let (_, messages) = asked(Dialect::CoinbaseExchange, 1).await;
    let message: serde_json::Value = serde_json::from_str(&messages[0]).unwrap();
    assert_eq!(message["channels"].as_array().unwrap().len(), 3);
}

#[tokio::test]
async fn frames_become_ticks_and_a_clean_stop_says_that_the_venue_is_down() {
    let (tell, mut told) = mpsc::unbounded_channel();
    let server = Server::start(move |_, stream| {
        let tell = tell.clone();
        async move {
            let mut peer = Peer::accept(stream).await;
            for id in 1..=5 {
                peer.text(trade(id)).await;
            }
            while let Some(message) = peer.next().await {
                tell.send(message).unwrap();
            }
        }
    })
    .await;
    let running = run(vec![connection(Dialect::Binance, &[&server.url])]);
    running
        .until("five trades", |kept, _| trades(kept) == 5)
        .await;
    running
        .until("where it is connected", |_, told| {
            let one = told.connections.get(&Dialect::Binance);
            one.and_then(|one| one.connected_to.as_deref()) == Some(&server.url)
        })
        .await;
    let ended = running.stop().await;
    let told_down = statuses(&ended.sink.kept.lock().unwrap());
    assert_eq!(told_down, ["Up ", "Down stopped"]);
    assert_eq!((ended.report.frames, ended.report.trades), (5, 5));
    let one = &ended.live.connections[&Dialect::Binance];
    assert_eq!(
        (one.connections, one.failed_attempts, one.frames),
        (1, 0, 5)
    );
    assert_eq!(one.connected_to, None);
    let goodbye = timeout(PATIENCE, told.recv()).await.unwrap();
    assert!(matches!(goodbye, Some(Message::Close(_))), "{goodbye:?}");
}

#[tokio::test]
async fn marks_flow_on_the_wall_clock_while_a_venue_says_nothing() {
    let server = Server::start(|_, stream| async {
        let mut peer = Peer::accept(stream).await;
        peer.text(trade(1)).await;
        peer.stay().await;
    })
    .await;
    let running = run(vec![connection(Dialect::Binance, &[&server.url])]);
    let marks = |kept: &Collect| {
        kept.lines
            .iter()
            .filter(|line| line.contains(r#""kind":"mark""#))
            .count()
    };
    running.until("marks", |kept, _| marks(kept) >= 10).await;
    running.stop().await;
}

#[tokio::test]
async fn a_venue_that_closes_is_down_with_its_reason_and_up_again_after_a_while() {
    let server = Server::start(|n, stream| async move {
        let mut peer = Peer::accept(stream).await;
        let id = u64::try_from(n).unwrap();
        peer.text(trade(id)).await;
        if n == 0 {
            let frame = CloseFrame {
                code: 1_000.into(),
                reason: "deprecated hostname".into(),
            };
            peer.send(Message::Close(Some(frame))).await;
        }
        peer.stay().await;
    })
    .await;
    let running = run(vec![connection(Dialect::Binance, &[&server.url])]);
    running
        .until("two trades", |kept, _| trades(kept) == 2)
        .await;
    let ended = running.stop().await;
    assert_eq!(
        statuses(&ended.sink.kept.lock().unwrap()),
        [
            "Up ",
            "Down closed by the venue with code 1000: deprecated hostname",
            "Up ",
            "Down stopped"
        ]
    );
    assert_eq!(ended.live.connections[&Dialect::Binance].connections, 2);
}

#[tokio::test]
async fn a_connection_that_breaks_without_a_word_is_made_again() {
    let server = Server::start(|n, stream| async move {
        let mut peer = Peer::accept(stream).await;
        peer.text(trade(u64::try_from(n).unwrap())).await;
        if n < 2 {
            return;
        }
        peer.stay().await;
    })
    .await;
    let running = run(vec![connection(Dialect::Binance, &[&server.url])]);
    running
        .until("three trades", |kept, _| trades(kept) == 3)
        .await;
    let ended = running.stop().await;
    assert_eq!(server.connections(), 3);
    let downs = statuses(&ended.sink.kept.lock().unwrap());
    assert_eq!(
        downs
            .iter()
            .filter(|status| status.starts_with("Down"))
            .count(),
        3,
        "{downs:?}"
    );
}

#[tokio::test]
async fn http_451_names_the_setting_and_the_next_address_is_tried() {
    let refusing = Server::start(|_, stream| async {
        refuse(stream, "451 Unavailable For Legal Reasons").await;
    })
    .await;
    let serving = Server::start(|_, stream| async {
        let mut peer = Peer::accept(stream).await;
        peer.text(trade(1)).await;
        peer.stay().await;
    })
    .await;
    let running = run(vec![connection(
        Dialect::Binance,
        &[&refusing.url, &serving.url],
    )]);
    running.until("a trade", |kept, _| trades(kept) == 1).await;
    let ended = running.stop().await;
    let told = statuses(&ended.sink.kept.lock().unwrap());
    assert_eq!(told.len(), 3, "{told:?}");
    assert!(told[0].starts_with("Down"));
    assert!(told[0].contains("HTTP 451"), "{told:?}");
    assert!(
        told[0].contains("`venues.binance.url` (LOCKSTEP_VENUES__BINANCE__URL)"),
        "{told:?}"
    );
    assert_eq!(told[1], "Up ");
    assert_eq!(ended.live.connections[&Dialect::Binance].failed_attempts, 1);
}

#[tokio::test]
async fn an_address_where_nobody_listens_is_tried_again_and_a_stop_does_not_wait_for_it() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("ws://{}", listener.local_addr().unwrap());
    drop(listener);
    let running = run(vec![connection(Dialect::CoinbaseAdvanced, &[&url])]);
    running
        .until("several attempts", |_, told| {
            let one = told.connections.get(&Dialect::CoinbaseAdvanced);
            one.is_some_and(|one| one.failed_attempts >= 4)
        })
        .await;
    let ended = running.stop().await;
    let told = statuses(&ended.sink.kept.lock().unwrap());
    assert_eq!(told.len(), 1, "down is told once: {told:?}");
    assert!(
        told[0].starts_with(&format!("Down could not connect to {url}")),
        "{told:?}"
    );
}

#[tokio::test]
async fn an_address_that_accepts_and_never_answers_is_given_up() {
    let server = Server::start(|_, stream| async move {
        sleep(PATIENCE).await;
        drop(stream);
    })
    .await;
    let mut settings_live = live(vec![connection(Dialect::Binance, &[&server.url])]);
    settings_live.connect_timeout = Duration::from_millis(50);
    let running = run_with(settings_live, settings(), Shared::default());
    running
        .until("two failures", |_, told| {
            let one = told.connections.get(&Dialect::Binance);
            one.is_some_and(|one| one.failed_attempts >= 2)
        })
        .await;
    let ended = running.stop().await;
    let told = statuses(&ended.sink.kept.lock().unwrap());
    assert!(told[0].ends_with("did not answer within 50 ms"), "{told:?}");
}

#[tokio::test]
async fn a_venue_that_sends_heartbeats_alone_is_connected_to_anew() {
    let server = Server::start(|n, stream| async move {
        let mut peer = Peer::accept(stream).await;
        for at in 0_u32.. {
            let beat = format!(
                r#"{{"channel":"heartbeats","timestamp":"2026-08-09T21:05:48.854840Z","sequence_num":{at},"events":[{{"current_time":"2026-08-09 21:05:48.854840045 +0000 UTC m=+1.0","heartbeat_counter":{at}}}]}}"#
            );
            let beat = Message::text(beat);
            if n > 0 {
                return peer.stay().await;
            }
            if futures_util::SinkExt::send(&mut peer.socket, beat).await.is_err() {
                return;
            }
            sleep(Duration::from_millis(5)).await;
        }
    })
    .await;
    let mut quick = connection(Dialect::CoinbaseAdvanced, &[&server.url]);
    quick.silent_after = Duration::from_millis(150);
    let running = run(vec![quick]);
    running
        .until("a second connection", |_, told| {
            let one = told.connections.get(&Dialect::CoinbaseAdvanced);
            one.is_some_and(|one| one.connections >= 2)
        })
        .await;
    running
        .until("the reason", |_, told| {
            let one = &told.connections[&Dialect::CoinbaseAdvanced];
            one.last_ending.as_deref() == Some("no data for 150 ms")
        })
        .await;
    let ended = running.stop().await;
    assert!(ended.report.frames >= 5);
}

#[tokio::test]
async fn a_frame_of_5_megabytes_passes_and_one_beyond_the_limit_names_the_setting() {
    let filler = "0123456789".repeat(520_000);
    let server = Server::start(move |n, stream| {
        let filler = filler.clone();
        async move {
            let mut peer = Peer::accept(stream).await;
            let id = u64::try_from(n).unwrap();
            peer.text(trade(id).replace(
                r#""e":"trade""#,
                &format!(r#""filler":"{filler}","e":"trade""#),
            ))
            .await;
            if n == 0 {
                peer.text(format!("{filler}{filler}")).await;
            }
            peer.stay().await;
        }
    })
    .await;
    let mut limited = connection(Dialect::Binance, &[&server.url]);
    limited.max_message_bytes = 8 << 20;
    let running = run(vec![limited]);
    running
        .until("two trades", |kept, _| trades(kept) == 2)
        .await;
    let ended = running.stop().await;
    assert_eq!(
        statuses(&ended.sink.kept.lock().unwrap())[1],
        "Down a message of 10400000 bytes, more than `venues.binance.max_message_bytes` = 8388608"
    );
    assert!(ended.live.connections[&Dialect::Binance].bytes > 10_400_000);
}

#[tokio::test]
async fn rubbish_is_kept_as_dead_letters_and_the_connection_lives_on() {
    let server = Server::start(|_, stream| async {
        let mut peer = Peer::accept(stream).await;
        peer.text("").await;
        peer.text("rubbish \t\n").await;
        peer.text(&trade(1)[..60]).await;
        peer.send(Message::binary(vec![0xff, 0xfe])).await;
        peer.send(Message::binary(trade(1).into_bytes())).await;
        peer.text(trade(2)).await;
        peer.stay().await;
    })
    .await;
    let running = run(vec![connection(Dialect::Binance, &[&server.url])]);
    running
        .until("both trades", |kept, _| trades(kept) == 2)
        .await;
    let ended = running.stop().await;
    assert_eq!(server.connections(), 1);
    let kept = ended.sink.kept.lock().unwrap();
    let letters: Vec<&[u8]> = kept
        .dead_letters
        .iter()
        .map(|letter| &letter.bytes[..])
        .collect();
    assert_eq!(letters.len(), 4);
    assert_eq!(letters[..2], [&b""[..], b"rubbish \t\n"]);
    assert_eq!(letters[3], [0xff, 0xfe]);
    assert_eq!(kept.dead_letters[3].topic, "frames/binance");
    assert_eq!(ended.live.connections[&Dialect::Binance].not_text, 1);
}

#[tokio::test]
async fn pings_are_answered_with_their_own_payload() {
    let (tell, mut told) = mpsc::unbounded_channel();
    let server = Server::start(move |_, stream| {
        let tell = tell.clone();
        async move {
            let mut peer = Peer::accept(stream).await;
            peer.send(Message::Ping(b"1723161254937".to_vec().into()))
                .await;
            while let Some(message) = peer.next().await {
                tell.send(message).unwrap();
            }
        }
    })
    .await;
    let running = run(vec![connection(Dialect::Binance, &[&server.url])]);
    let answer = timeout(PATIENCE, told.recv()).await.unwrap().unwrap();
    assert_eq!(answer, Message::Pong(b"1723161254937".to_vec().into()));
    running.stop().await;
}

#[tokio::test]
async fn pings_that_come_all_at_once_are_answered_no_faster_than_permitted() {
    const PINGS: u8 = 9;
    let (tell, mut told) = mpsc::unbounded_channel();
    let server = Server::start(move |_, stream| {
        let tell = tell.clone();
        async move {
            let mut peer = Peer::accept(stream).await;
            for n in 0..PINGS {
                peer.send(Message::Ping(vec![n].into())).await;
            }
            peer.text(trade(1)).await;
            while let Some(message) = peer.next().await {
                tell.send((message, Instant::now())).unwrap();
            }
        }
    })
    .await;
    let running = run(vec![connection(Dialect::Binance, &[&server.url])]);
    let mut pongs = Vec::new();
    while pongs.len() < usize::from(PINGS) {
        pongs.push(timeout(PATIENCE, told.recv()).await.unwrap().unwrap());
    }
    running.until("a trade", |kept, _| trades(kept) == 1).await;
    running.stop().await;
    for (n, (pong, _)) in (0..PINGS).zip(&pongs) {
        assert_eq!(*pong, Message::Pong(vec![n].into()));
    }
    // Four at once, four after a second, the ninth after another; a busy machine only makes it longer.
    let took = pongs[8].1.duration_since(pongs[0].1);
    assert!(took >= Duration::from_secs(2), "{took:?}");
}

#[tokio::test]
async fn a_pong_that_nobody_asked_for_changes_nothing() {
    let server = Server::start(|_, stream| async {
        let mut peer = Peer::accept(stream).await;
        peer.send(Message::Pong(b"unasked".to_vec().into())).await;
        peer.text(trade(1)).await;
        peer.stay().await;
    })
    .await;
    let running = run(vec![connection(Dialect::Binance, &[&server.url])]);
    running.until("a trade", |kept, _| trades(kept) == 1).await;
    running.stop().await;
    assert_eq!(server.connections(), 1);
}

#[tokio::test]
async fn a_slow_consumer_makes_the_sockets_wait_and_nothing_is_lost() {
    const N: u64 = 300;
    let server = Server::start(|_, stream| async {
        let mut peer = Peer::accept(stream).await;
        for id in 1..=N {
            peer.text(trade(id)).await;
        }
        peer.stay().await;
    })
    .await;
    let mut narrow = live(vec![connection(Dialect::Binance, &[&server.url])]);
    narrow.queue_frames = 4;
    let sink = Shared {
        delay: Duration::from_millis(1),
        ..Shared::default()
    };
    let running = run_with(narrow, settings(), sink);
    let all = usize::try_from(N).unwrap();
    running
        .until("all trades", |kept, _| trades(kept) == all)
        .await;
    let ended = running.stop().await;
    assert_eq!(ended.report.gaps_total, 0);
    assert!(ended.live.connections[&Dialect::Binance].waits > 0);
    assert_eq!(
        server.connections(),
        1,
        "our own delay is not the venue's silence"
    );
}

#[tokio::test]
async fn two_venues_run_side_by_side_and_one_that_fails_does_not_disturb_the_other() {
    let failing = Server::start(|_, stream| async {
        refuse(stream, "503 Service Unavailable").await;
    })
    .await;
    let serving = Server::start(|_, stream| async {
        let mut peer = Peer::accept(stream).await;
        for id in 1..=50 {
            peer.text(trade(id)).await;
        }
        peer.stay().await;
    })
    .await;
    let running = run(vec![
        connection(Dialect::CoinbaseAdvanced, &[&failing.url]),
        connection(Dialect::Binance, &[&serving.url]),
    ]);
    running
        .until("all trades", |kept, _| trades(kept) == 50)
        .await;
    running
        .until("the failure", |_, told| {
            let one = told.connections.get(&Dialect::CoinbaseAdvanced);
            one.is_some_and(|one| one.failed_attempts >= 2)
        })
        .await;
    let ended = running.stop().await;
    assert_eq!(serving.connections(), 1);
    assert_eq!(ended.live.frames(), 50);
}

#[tokio::test]
async fn settings_that_no_connection_can_be_made_with_are_refused_by_name() {
    let refused = |connections| async {
        let running = run(connections);
        timeout(PATIENCE, running.task)
            .await
            .unwrap()
            .unwrap()
            .unwrap_err()
            .to_string()
    };
    assert!(
        live(vec![connection(Dialect::Binance, &["wss://a.example"])])
            .check()
            .is_ok()
    );
    let nothing = ConnectionSettings::new(Dialect::Binance, vec!["wss://a.example".to_owned()]);
    assert_eq!(
        refused(vec![nothing]).await,
        "nothing to connect to: no pair and no rate names a symbol of a venue that has an address"
    );
    for url in [
        "",
        "http://a.example",
        "wss://",
        "not an address",
        "wss://a.example?x=1",
    ] {
        assert_eq!(
            refused(vec![connection(Dialect::Binance, &[url])]).await,
            format!(
                "setting `venues.binance.url` is `{url}`; it must be an address such as `wss://host` or `ws://127.0.0.1:9443`"
            )
        );
    }
}
