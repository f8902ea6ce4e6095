//! Rotation, announced ends and quiet symbols: a second connection takes over, and nobody downstream notices.

use std::time::Duration;

use contract::tick::{Record, decode};
use ingest::core::{Collect, Core};
use ingest::replay::{Input, Pace, ReplaySettings, replay};
use ingest::settings::IngestSettings;
use simulator::exchange::{Dialect, Fault};

use super::world::{Ended, World};

const ADVANCED: Dialect = Dialect::CoinbaseAdvanced;
const EXCHANGE: Dialect = Dialect::CoinbaseExchange;

/// Ids of a symbol's trades are whole from the first to the last.
fn assert_whole(lines: &[String]) {
    for (venue, symbol) in [
        ("binance", "BTCUSDT"),
        ("binance", "ETHUSDT"),
        ("coinbase", "BTC-USD"),
        ("coinbase", "ETH-USD"),
    ] {
        let ids = lines
            .iter()
            .filter_map(|line| match decode(line.as_bytes()) {
                Ok(Record::Trade(trade)) if trade.venue == venue && trade.symbol == symbol => {
                    trade.trade_id.parse().ok()
                }
                _ => None,
            });
        let mut ids: Vec<u64> = ids.collect();
        ids.sort_unstable();
        let (first, last) = (*ids.first().unwrap(), *ids.last().unwrap());
        assert_eq!(
            ids,
            (first..=last).collect::<Vec<u64>>(),
            "{venue} {symbol}"
        );
    }
}

fn assert_unnoticed(ended: &Ended) {
    assert_whole(&ended.kept.lines);
    assert!(ended.kept.gaps.is_empty(), "{:?}", ended.kept.gaps);
    assert!(ended.kept.dead_letters.is_empty());
    let core = &ended.ingested.report;
    assert_eq!((core.missed_between_connections, core.restarts), (0, 0));
    for venue in ["binance", "coinbase"] {
        ended.assert_no_outage(venue);
        for pair in ["BTC-USD", "ETH-USD"] {
            ended.assert_not_held_up(venue, pair);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rotation_goes_unnoticed_and_a_capture_taken_across_it_replays_to_the_same_trades() {
    for coinbase in [ADVANCED, EXCHANGE] {
        let folder = tempfile::tempdir().unwrap();
        let capture = folder.path().join("across.capture");
        let world = World::with(coinbase, |_, live| {
            live.rotate_after = Duration::from_millis(600);
            live.record = Some(capture.clone());
        })
        .await;
        world
            .until("two takeovers at each venue", |_, report| {
                report.connections.values().all(|one| one.takeovers >= 2)
            })
            .await;
        let ended = world.stop().await;
        assert_unnoticed(&ended);
        assert!(ended.ingested.report.duplicates > 0, "they overlapped");

        let recording = ended.ingested.live.recording.clone().unwrap();
        assert_eq!(recording.error, None);
        assert!(recording.frames > 0);
        let mut core = Core::new(IngestSettings {
            pairs: [
                pair("BTC-USD", "BTCUSDT", "BTC-USD"),
                pair("ETH-USD", "ETHUSDT", "ETH-USD"),
            ]
            .into(),
            ..IngestSettings::default()
        });
        let mut again = Collect::default();
        let how = ReplaySettings {
            pace: Pace::Unlimited,
            width_ms: 200,
        };
        let input = Input::open(capture.to_str().unwrap()).unwrap();
        let stop = std::sync::atomic::AtomicBool::new(false);
        replay(vec![input], &mut core, &mut again, how, &stop, &mut |_| {}).unwrap();
        assert_whole(&again.lines);
        assert_eq!(trades(&again.lines), trades(&ended.kept.lines));
        assert!(again.gaps.is_empty(), "{:?}", again.gaps);
        assert_eq!(core.report().missed_between_connections, 0);
    }
}

fn pair(
    name: &str,
    binance: &str,
    coinbase: &str,
) -> (String, std::collections::BTreeMap<String, String>) {
    let symbols = [("binance", binance), ("coinbase", coinbase)];
    let symbols = symbols.map(|(venue, symbol)| (venue.to_owned(), symbol.to_owned()));
    (name.to_owned(), symbols.into())
}

/// Venue, symbol, id and price of every trade, sorted.
fn trades(lines: &[String]) -> Vec<(String, String, u64, String)> {
    let trades = lines
        .iter()
        .filter_map(|line| match decode(line.as_bytes()) {
            Ok(Record::Trade(trade)) => Some((
                trade.venue.to_string(),
                trade.symbol.to_string(),
                trade.trade_id.parse().unwrap(),
                trade.price.to_string(),
            )),
            _ => None,
        });
    let mut trades: Vec<_> = trades.collect();
    trades.sort_unstable();
    trades
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_announced_shutdown_goes_unnoticed() {
    let world = World::new().await;
    let shutdown = Fault::Shutdown {
        close_after_ms: 5_000,
    };
    world.exchange.fault(Dialect::Binance, shutdown);
    world
        .until("a takeover", |_, report| {
            report.connections[&ingest::venue::Dialect::Binance].takeovers == 1
        })
        .await;
    world.flows("binance", 100).await;
    let ended = world.stop().await;
    assert_unnoticed(&ended);
    let binance = ended.connection("binance");
    assert_eq!((binance.connections, binance.failed_attempts), (2, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_old_connection_that_falls_silent_once_a_younger_one_has_data_is_not_missed() {
    let world = World::with(ADVANCED, |settings, live| {
        live.rotate_after = Duration::from_millis(600);
        settings.script.push(simulator::exchange::Scheduled {
            dialect: Dialect::Binance,
            fault: Fault::OldFallSilent,
            at_ms: 0,
            for_ms: None,
            every_ms: None,
        });
    })
    .await;
    world
        .until("two takeovers", |_, report| {
            report.connections[&ingest::venue::Dialect::Binance].takeovers >= 2
        })
        .await;
    let ended = world.stop().await;
    assert_unnoticed(&ended);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_no_second_connection_can_be_made_the_first_goes_on() {
    let world = World::with(ADVANCED, |_, live| {
        live.rotate_after = Duration::from_millis(1_500);
    })
    .await;
    let refusing = world.misbehaving(Dialect::Binance, Fault::Refuse);
    world
        .until("attempts", |_, report| {
            report.connections[&ingest::venue::Dialect::Binance].failed_attempts >= 3
        })
        .await;
    world.flows("binance", 60).await;
    drop(refusing);
    world
        .until("a takeover", |_, report| {
            report.connections[&ingest::venue::Dialect::Binance].takeovers >= 1
        })
        .await;
    assert_unnoticed(&world.stop().await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_symbol_that_is_silent_among_lively_ones_is_looked_for_and_disturbs_no_other() {
    let world = World::with(ADVANCED, |_, live| {
        for connection in &mut live.connections {
            connection.symbol_limits = [("ETHUSDT".to_owned(), Duration::from_secs(1))].into();
        }
        live.takeover_within = Duration::from_secs(1);
    })
    .await;
    let silent = world.misbehaving(Dialect::Binance, Fault::SilentSymbol("ETHUSDT".to_owned()));
    world
        .until("an alarm that comes to nothing", |_, report| {
            let binance = &report.connections[&ingest::venue::Dialect::Binance];
            let ending = binance.last_ending.as_deref().unwrap_or_default();
            binance.quiet >= 1 && ending.starts_with("not needed")
        })
        .await;
    drop(silent);
    world.flows("binance", 100).await;
    let ended = world.stop().await;
    let binance = ended.connection("binance");
    assert_eq!(binance.takeovers, 0, "{binance:?}");
    assert!(binance.quiet <= 3, "{binance:?}");
    for venue in ["binance", "coinbase"] {
        ended.assert_no_outage(venue);
        ended.assert_not_held_up(venue, "BTC-USD");
    }
    ended.assert_not_held_up("coinbase", "ETH-USD");
    // What the venue left out is missing, and only that.
    let is_left_out = |gap: &ingest::gap::Gap| gap.symbol.as_deref() == Some("ETHUSDT");
    assert!(
        ended.kept.gaps.iter().all(is_left_out),
        "{:?}",
        ended.kept.gaps
    );
}
