//! Recording, and playing back what was recorded.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use contract::time::SystemClock;
use ingest::capture::{CaptureReader, CaptureWriter, Compression};
use ingest::core::{Collect, Core};
use ingest::error::IngestError;
use ingest::live::{LiveReport, LiveSettings};
use ingest::record::{Recorded, record, record_into};
use ingest::replay::{Input, Pace, ReplaySettings, replay};
use ingest::venue::Dialect;
use tokio::time::{Instant, sleep, timeout};
use tokio_tungstenite::tungstenite::Message;

use super::server::{Peer, Server};
use super::{PATIENCE, connection, live, settings, trade};

/// Records until `n` frames have come.
async fn record_frames(live: LiveSettings, path: &Path, n: u64) -> Result<Recorded, IngestError> {
    let stop = Arc::new(AtomicBool::new(false));
    let seen = Arc::new(AtomicU64::new(0));
    let (tell, told) = (Arc::clone(&stop), Arc::clone(&seen));
    let path = path.to_owned();
    let task = tokio::spawn(async move {
        record(
            live,
            Arc::new(SystemClock),
            &path,
            stop,
            move |report: &LiveReport| {
                seen.store(report.frames(), Ordering::SeqCst);
            },
        )
        .await
    });
    let began = Instant::now();
    while told.load(Ordering::SeqCst) < n && !task.is_finished() {
        assert!(began.elapsed() < PATIENCE, "{told:?} frames of {n}");
        sleep(std::time::Duration::from_millis(5)).await;
    }
    tell.store(true, Ordering::SeqCst);
    timeout(PATIENCE, task).await.unwrap().unwrap()
}

async fn serve(frames: Vec<String>) -> Server {
    Server::start(move |_, stream| {
        let frames = frames.clone();
        async move {
            let mut peer = Peer::accept(stream).await;
            peer.send(Message::binary(vec![0xff])).await;
            for frame in frames {
                peer.text(frame).await;
            }
            peer.stay().await;
        }
    })
    .await
}

#[tokio::test]
async fn what_is_recorded_from_several_venues_is_read_and_replayed_byte_for_byte() {
    let folder = tempfile::tempdir().unwrap();
    let binance: Vec<String> = (1..=200).map(trade).collect();
    let coinbase: Vec<String> = [
        "\"begins with a quotation mark",
        "tab\tin it",
        "two\r\nlines",
        "",
        "{\"ü\": \"\\u0000\"}",
    ]
    .map(str::to_owned)
    .into();
    for ending in ["capture", "capture.gz", "capture.zst"] {
        let path = folder.path().join(format!("a.{ending}"));
        let (one, other) = (serve(binance.clone()).await, serve(coinbase.clone()).await);
        let connections = vec![
            connection(Dialect::Binance, &[&one.url]),
            connection(Dialect::CoinbaseExchange, &[&other.url]),
        ];
        let recorded = record_frames(live(connections), &path, 205).await.unwrap();
        assert_eq!((recorded.frames, recorded.live.frames()), (205, 205));
        assert_eq!(recorded.live.connections[&Dialect::Binance].not_text, 1);

        let mut reader = CaptureReader::open(&path).unwrap().0;
        let (mut from_binance, mut from_coinbase) = (Vec::new(), Vec::new());
        let mut last_ns = 0;
        while let Some(frame) = reader.next() {
            let frame = frame.unwrap();
            assert!(frame.received_ns > last_ns - 1_000_000_000);
            last_ns = frame.received_ns;
            match frame.venue {
                "binance" => from_binance.push(frame.frame.into_owned()),
                "coinbase-exchange" => from_coinbase.push(frame.frame.into_owned()),
                other => panic!("{other}"),
            }
        }
        assert_eq!(from_binance, binance, "{ending}");
        assert_eq!(from_coinbase, coinbase, "{ending}");

        let mut core = Core::new(settings());
        let mut sink = Collect::default();
        let pace = ReplaySettings {
            pace: Pace::Unlimited,
            width_ms: 1_000,
        };
        let input = Input::open(path.to_str().unwrap()).unwrap();
        let stop = AtomicBool::new(false);
        let report = replay(vec![input], &mut core, &mut sink, pace, &stop, &mut |_| {}).unwrap();
        assert_eq!(report.frames_total(), 205);
        assert_eq!(core.report().trades, 200);
    }
}

#[tokio::test]
async fn a_recording_that_is_there_already_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.capture");
    std::fs::write(&path, "precious").unwrap();
    let connections = vec![connection(Dialect::Binance, &["ws://127.0.0.1:1"])];
    let error = record_frames(live(connections), &path, 1)
        .await
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        format!("could not make the capture `{}`", path.display())
    );
    assert!(!error.is_bad_input());
    assert_eq!(std::fs::read(&path).unwrap(), b"precious");
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_full_disk_ends_the_recording_with_the_name_of_the_file() {
    let server = serve((1..=5_000).map(trade).collect()).await;
    let connections = vec![connection(Dialect::Binance, &[&server.url])];
    let full = std::fs::File::options()
        .write(true)
        .open("/dev/full")
        .unwrap();
    let writer = CaptureWriter::new(full, Compression::Plain).unwrap();
    let stop = Arc::new(AtomicBool::new(false));
    let clock = Arc::new(SystemClock);
    let path = Path::new("full.capture");
    let recording = record_into(
        live(connections),
        clock,
        (writer, path),
        Arc::clone(&stop),
        |_| {},
    );
    let error = timeout(PATIENCE, recording).await.unwrap().unwrap_err();
    assert_eq!(
        error.to_string(),
        "could not write to the capture `full.capture`; what was flushed before can be read"
    );
    assert!(stop.load(Ordering::SeqCst));
}
