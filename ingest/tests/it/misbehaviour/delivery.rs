//! Frames that are missing, clocks that are wrong, more frames than can be worked off, and what clients may send.

use std::time::Duration;

use simulator::exchange::{Dialect, Fault};

use super::world::World;

const ADVANCED: Dialect = Dialect::CoinbaseAdvanced;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn skipped_numbers_are_one_gap_with_its_size_in_every_dialect() {
    for (dialect, venue, feed) in [
        (Dialect::Binance, "binance", "trade"),
        (ADVANCED, "coinbase", "sequence_num"),
        (Dialect::CoinbaseExchange, "coinbase", "matches"),
    ] {
        let coinbase = match dialect {
            Dialect::Binance => ADVANCED,
            coinbase => coinbase,
        };
        let world = World::with(coinbase, |_, _| {}).await;
        world.exchange.fault(dialect, Fault::Skip(3));
        world.until("a gap", |kept, _| !kept.gaps.is_empty()).await;
        world.flows(venue, 100).await;
        let ended = world.stop().await;
        let missing: u64 = ended.kept.gaps.iter().map(|gap| gap.missing).sum();
        assert!(
            ended
                .kept
                .gaps
                .iter()
                .all(|gap| (gap.venue, gap.feed) == (venue, feed)),
            "{:?}",
            ended.kept.gaps
        );
        assert_eq!(missing, 3, "{:?}", ended.kept.gaps);
        assert_eq!(ended.health(venue)["gaps"], ended.kept.gaps.len());
        ended.assert_no_outage(venue);
        assert!(ended.kept.dead_letters.is_empty());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_venue_whose_clock_is_ahead_is_known_to_be_and_windows_close_by_its_time() {
    const SKEW_MS: i64 = 1_300;
    let world = World::with(ADVANCED, |settings, _| {
        for server in settings.servers.values_mut() {
            server.skew_ms = SKEW_MS;
        }
    })
    .await;
    world.flows("binance", 200).await;
    world.flows("coinbase", 200).await;
    let ended = world.stop().await;
    for venue in ["binance", "coinbase"] {
        ended.assert_no_outage(venue);
        ended.assert_not_held_up(venue, "BTC-USD");
        let skew_ms = ended.health(venue)["skew_ms"].as_f64().unwrap();
        assert!((1_000.0..=1_301.0).contains(&skew_ms), "{venue}: {skew_ms}");
    }
    assert!(ended.kept.dead_letters.is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flood_is_worked_off_and_the_other_venue_does_not_wait() {
    let world = World::new().await;
    let flood = Fault::Flood { per_s: 50_000 };
    let before = world.connection("binance").frames;
    world
        .exchange
        .fault_for(Dialect::Binance, flood, Duration::from_secs(1));
    world
        .until("the flood", |_, report| {
            report.connections[&ingest::venue::Dialect::Binance].frames > before + 50_000
        })
        .await;
    world.flows("coinbase", 60).await;
    let ended = world.stop().await;
    for venue in ["binance", "coinbase"] {
        ended.assert_no_outage(venue);
        assert_eq!(ended.connection(venue).connections, 1);
        ended.assert_not_held_up(venue, "ETH-USD");
    }
    let core = &ended.ingested.report;
    assert_eq!((core.gaps_total, core.faults.len()), (0, 0));
    assert!(core.quotes > 50_000);
    assert_eq!(core.duplicates, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn under_a_flood_that_the_sink_cannot_follow_quotes_are_conflated_and_trades_are_not() {
    let world = World::with(ADVANCED, |_, live| live.conflate_above = 200).await;
    world.delay(Duration::from_micros(200));
    let before = world.connection("binance").frames;
    let flood = Fault::Flood { per_s: 50_000 };
    world
        .exchange
        .fault_for(Dialect::Binance, flood, Duration::from_millis(500));
    world
        .until("the flood", |_, report| {
            report.connections[&ingest::venue::Dialect::Binance].frames > before + 25_000
        })
        .await;
    world.delay(Duration::ZERO);
    world.flows("coinbase", 60).await;
    let ended = world.stop().await;
    let (core, live) = (&ended.ingested.report, &ended.ingested.live);
    assert!(live.conflated > 1_000, "{}", live.conflated);
    let told = |kind: &str| {
        let start = format!(r#"{{"v":1,"kind":"{kind}""#);
        let lines = ended.kept.lines.iter();
        u64::try_from(lines.filter(|line| line.starts_with(&start)).count()).unwrap()
    };
    assert_eq!(
        told("quote") + live.conflated,
        core.quotes,
        "each is sent or counted"
    );
    assert_eq!(told("trade"), core.trades);
    assert_eq!(core.gaps_total, 0);
    for venue in ["binance", "coinbase"] {
        ended.assert_no_outage(venue);
        ended.assert_not_held_up(venue, "BTC-USD");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clients_say_no_more_than_venues_permit() {
    let world = World::with(ADVANCED, |settings, _| {
        settings.limits.ping_every_ms = 250;
        settings.limits.pong_within_ms = 5_000;
    })
    .await;
    world.flows("binance", 400).await;
    let (binance, coinbase) = (
        world.exchange.report(Dialect::Binance),
        world.exchange.report(ADVANCED),
    );
    assert!(
        binance.heard.is_empty(),
        "streams stand in the address: {:?}",
        binance.heard
    );
    assert!(binance.pings_sent >= 2 && binance.pongs_received + 1 >= binance.pings_sent);
    assert_eq!(binance.pings_received, 0);
    assert_eq!(coinbase.heard.len(), 3, "{:?}", coinbase.heard);
    for channel in ["heartbeats", "ticker", "market_trades"] {
        assert!(
            coinbase
                .heard
                .iter()
                .any(|heard| heard.text.contains(channel))
        );
    }
    let ended = world.stop().await;
    ended.assert_no_outage("binance");
}
