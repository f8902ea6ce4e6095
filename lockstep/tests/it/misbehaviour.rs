//! Exchanges that misbehave, as windows and alerts see it: a venue that is out takes nobody with it, no window waits for it,
//! and somebody is told once.
//!
//! What ingest itself says to each misbehaviour is held to in `ingest/tests/it/misbehaviour`.

use std::time::Duration;

use alerter::episode::Episode;
use contract::spread::{Quality, Spread};
use simulator::exchange::{BadStamp, Fault};
use tokio::time::sleep;

use self::world::{BINANCE, COINBASE, OUTAGE, Seen, of_pair, seen, story, without_the_ends};

mod world;

/// Both pairs' windows have a venue there all the time.
fn assert_undisturbed(seen: &Seen, venue: &str, what: &Fault) {
    for pair in ["BTC-USD", "ETH-USD"] {
        let spreads = of_pair(&seen.windows, pair);
        let story = without_the_ends(story(&spreads, venue));
        assert_eq!(story, [Quality::Ok], "{what:?}: {pair} {venue}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_venue_that_is_out_is_out_in_its_own_legs_alone_and_told_once_with_its_recovery() {
    let forbidden = |status| Fault::Answer {
        status,
        retry_after_s: None,
    };
    // What stops new connections alone comes together with the end of those that stand.
    for (fault, ends) in [
        (Fault::Silent, false),
        (Fault::Frozen, false),
        (Fault::Outage, false),
        (Fault::Refuse, true),
        (forbidden(451), true),
        (forbidden(503), true),
        (Fault::Hang, true),
    ] {
        let what = fault.clone();
        let seen = seen(
            |_| {},
            |world| async move {
                world.exchange.fault(BINANCE, fault);
                if ends {
                    world.exchange.fault(BINANCE, Fault::Abort);
                }
                world.statuses("binance", false, 1).await;
                sleep(OUTAGE + OUTAGE / 2).await;
                world.flows("coinbase", 60).await;
                world.exchange.clear(BINANCE);
                world.statuses("binance", true, 2).await;
                world.flows("binance", 60).await;
            },
        )
        .await;
        for pair in ["BTC-USD", "ETH-USD"] {
            let spreads = of_pair(&seen.windows, pair);
            let binance = without_the_ends(story(&spreads, "binance"));
            let out_and_back = [Quality::Ok, Quality::VenueDown, Quality::Ok];
            assert_eq!(binance, out_and_back, "{what:?}: {pair}");
        }
        assert_undisturbed(&seen, "coinbase", &what);
        let [outage] = &seen.episodes[..] else {
            panic!("{what:?}: {:?}", seen.episodes);
        };
        assert_eq!(outage.series(), "outage/binance", "{what:?}");
        let closed_ms = outage.closed_ms.expect("it is over");
        let length_ms = u128::try_from(closed_ms - outage.opened_ms).unwrap();
        assert!(length_ms >= OUTAGE.as_millis(), "{what:?}: {length_ms} ms");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_passes_by_itself_alarms_nobody_and_the_other_venue_does_not_feel_it() {
    let closed = Fault::Close {
        code: 1012,
        reason: "restarting".to_owned(),
    };
    for fault in [
        closed,
        Fault::Cut,
        Fault::Abort,
        Fault::Huge { bytes: 5_079_379 },
        Fault::UnknownType,
        Fault::BrokenJson,
        Fault::Skip(5),
        Fault::Shutdown {
            close_after_ms: 300,
        },
        Fault::DayIsOver,
        Fault::Stamps(BadStamp::YearOne),
        Fault::Skew(1_300),
        Fault::Crossed(None),
        Fault::SilentSymbol("ETHUSDT".to_owned()),
    ] {
        let what = fault.clone();
        let seen = seen(
            |_| {},
            |world| async move {
                world
                    .exchange
                    .fault_for(BINANCE, fault, Duration::from_millis(500));
                sleep(Duration::from_millis(600)).await;
                world.flows("coinbase", 60).await;
                world.flows("binance", 60).await;
            },
        )
        .await;
        assert!(seen.episodes.is_empty(), "{what:?}: {:?}", seen.episodes);
        assert_undisturbed(&seen, "coinbase", &what);
        for pair in ["BTC-USD", "ETH-USD"] {
            let spreads = of_pair(&seen.windows, pair);
            let binance = without_the_ends(story(&spreads, "binance"));
            assert_eq!(binance.last(), Some(&Quality::Ok), "{what:?}: {pair}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_both_venues_out_windows_wait_and_then_none_is_missing() {
    let seen = seen(
        |_| {},
        |world| async move {
            for dialect in [BINANCE, COINBASE] {
                world.exchange.fault(dialect, Fault::Outage);
            }
            world.statuses("binance", false, 1).await;
            world.statuses("coinbase", false, 1).await;
            sleep(OUTAGE + OUTAGE / 2).await;
            for dialect in [BINANCE, COINBASE] {
                world.exchange.clear(dialect);
            }
            world.statuses("binance", true, 2).await;
            world.statuses("coinbase", true, 2).await;
            world.flows("binance", 120).await;
            world.flows("coinbase", 120).await;
        },
    )
    .await;
    let spreads = of_pair(&seen.windows, "BTC-USD");
    for venue in ["binance", "coinbase"] {
        let story = without_the_ends(story(&spreads, venue));
        assert_eq!(
            story,
            [Quality::Ok, Quality::VenueDown, Quality::Ok],
            "{venue}"
        );
    }
    let mut told: Vec<String> = seen.episodes.iter().map(Episode::series).collect();
    told.sort();
    assert_eq!(told, ["outage/binance", "outage/coinbase"]);
    assert!(!seen.episodes.iter().any(Episode::is_open));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_crossed_book_is_a_crossed_leg_and_no_route_of_its_pair_alone() {
    let seen = seen(
        |_| {},
        |world| async move {
            let crossed = Fault::Crossed(Some("BTC-USD".to_owned()));
            world.exchange.fault(COINBASE, crossed);
            world.flows("coinbase", 200).await;
            world.exchange.clear(COINBASE);
            world.flows("coinbase", 120).await;
        },
    )
    .await;
    let spreads = of_pair(&seen.windows, "BTC-USD");
    let crossed = spreads.iter().filter(|spread| {
        let leg = spread.legs.iter().find(|leg| leg.venue == "coinbase");
        leg.is_some_and(|leg| leg.state == Quality::Crossed)
    });
    let crossed: Vec<&Spread<'_>> = crossed.collect();
    assert!(!crossed.is_empty());
    for spread in crossed {
        assert!(
            spread.routes.iter().all(|route| route.end.is_none()),
            "{spread:?}"
        );
    }
    let eth = of_pair(&seen.windows, "ETH-USD");
    assert_eq!(without_the_ends(story(&eth, "coinbase")), [Quality::Ok]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rotation_is_seen_in_no_window() {
    let seen = seen(
        |live| live.rotate_after = Duration::from_millis(700),
        |world| async move {
            world
                .until("two takeovers each", || world.takeovers() >= 2)
                .await;
            world.flows("binance", 60).await;
        },
    )
    .await;
    for pair in ["BTC-USD", "ETH-USD"] {
        let spreads = of_pair(&seen.windows, pair);
        for venue in ["binance", "coinbase"] {
            assert_eq!(
                without_the_ends(story(&spreads, venue)),
                [Quality::Ok],
                "{pair} {venue}"
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flood_of_one_symbol_closes_no_window_late_and_loses_no_pair() {
    let seen = seen(
        |_| {},
        |world| async move {
            let flood = Fault::Flood { per_s: 50_000 };
            world
                .exchange
                .fault_for(BINANCE, flood, Duration::from_millis(500));
            let flood = || world.frames(ingest::venue::Dialect::Binance) > 25_000;
            world.until("the flood", flood).await;
            world.flows("coinbase", 60).await;
        },
    )
    .await;
    for pair in ["BTC-USD", "ETH-USD"] {
        let spreads = of_pair(&seen.windows, pair);
        assert_eq!(
            without_the_ends(story(&spreads, "coinbase")),
            [Quality::Ok],
            "{pair}"
        );
    }
}
