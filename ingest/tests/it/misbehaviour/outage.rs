//! Venues that go silent, close, refuse or cannot be reached: one outage, one recovery, the other venue undisturbed.

use std::time::Duration;

use ingest::core::BEGINNING;
use simulator::exchange::{Dialect, Fault};
use tokio::time::sleep;

use super::world::{Ended, SILENT_MS, World};

const BINANCE: Dialect = Dialect::Binance;

/// Nothing of Coinbase suffers from what Binance does.
fn assert_coinbase_undisturbed(ended: &Ended) {
    ended.assert_no_outage("coinbase");
    assert_eq!(ended.connection("coinbase").connections, 1);
    for pair in ["BTC-USD", "ETH-USD"] {
        ended.assert_not_held_up("coinbase", pair);
    }
}

/// Whether this tells of an outage, and not of a beginning.
fn is_out(line: &str) -> bool {
    let out = [r#""status":"silent""#, r#""status":"down""#];
    out.iter().any(|out| line.contains(out)) && !line.contains(BEGINNING)
}

/// Binance misbehaves until it is out, for a while longer, and then no more. Gives what the outage was called.
async fn outage_by(fault: Fault) -> (String, Ended) {
    let world = World::soon_silent().await;
    let misbehaving = world.misbehaving(BINANCE, fault);
    world
        .until("an outage", |kept, _| {
            kept.lines.iter().any(|line| is_out(line))
        })
        .await;
    // The other venue goes on, and so do its windows.
    world.flows("coinbase", 60).await;
    drop(misbehaving);
    world.status("binance", "up").await;
    world.flows("binance", 60).await;
    let ended = world.stop().await;
    let out = ended.assert_one_outage("binance");
    assert_coinbase_undisturbed(&ended);
    ended.assert_not_held_up("binance", "BTC-USD");
    (out, ended)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_venue_that_is_silent_and_answers_pings_is_out_once_and_back_once() {
    let (out, ended) = outage_by(Fault::Silent).await;
    assert!(
        out.ends_with(&format!("no data for {SILENT_MS} ms")),
        "{out}"
    );
    let binance = ended.connection("binance");
    assert!(
        binance.connections >= 2,
        "a new socket was tried: {binance:?}"
    );
    assert_eq!(ended.ingested.report.gaps_total, 0, "{:?}", ended.kept.gaps);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn dead_sockets_are_a_silence_too() {
    let (out, _) = outage_by(Fault::Frozen).await;
    assert!(
        out.ends_with(&format!("no data for {SILENT_MS} ms")),
        "{out}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_stalled_connection_is_replaced_while_the_venue_is_well() {
    let world = World::soon_silent().await;
    world.exchange.fault(BINANCE, Fault::Stall);
    world
        .until("an outage", |kept, _| {
            kept.lines.iter().any(|line| is_out(line))
        })
        .await;
    world.status("binance", "up").await;
    world.flows("binance", 60).await;
    let ended = world.stop().await;
    ended.assert_one_outage("binance");
    assert_coinbase_undisturbed(&ended);
    assert_eq!(ended.connection("binance").connections, 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_venue_that_is_away_for_a_while_is_tried_again_until_it_is_back() {
    let (out, ended) = outage_by(Fault::Outage).await;
    assert!(out.starts_with("down: "), "{out}");
    assert!(ended.connection("binance").failed_attempts > 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_venue_that_closes_is_down_with_its_reason_and_back() {
    for (fault, reason) in [
        (
            Fault::Close {
                code: 1_000,
                reason: "deprecated hostname".to_owned(),
            },
            "down: closed by the venue with code 1000: deprecated hostname",
        ),
        (Fault::Cut, "down: "),
        (Fault::Abort, "down: "),
        (Fault::DayIsOver, "down: closed by the venue"),
    ] {
        let world = World::soon_silent().await;
        world.exchange.fault(BINANCE, fault.clone());
        world
            .until("a second connection", |kept, _| {
                let ups = kept
                    .lines
                    .iter()
                    .filter(|line| line.contains(r#""status":"up""#));
                ups.count() == 3
            })
            .await;
        world.flows("binance", 60).await;
        let ended = world.stop().await;
        let out = ended.assert_one_outage("binance");
        assert!(out.starts_with(reason), "{fault:?}: {out}");
        assert_coinbase_undisturbed(&ended);
        // What is cut within a frame is no frame.
        assert!(
            ended.kept.dead_letters.is_empty(),
            "{:?}",
            ended.kept.dead_letters
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_venue_that_refuses_is_asked_again_and_the_log_names_the_variable() {
    for (fault, told) in [
        (
            Fault::Answer {
                status: 451,
                retry_after_s: None,
            },
            "LOCKSTEP_VENUES__BINANCE__URL",
        ),
        (Fault::Hang, "did not answer within 500 ms"),
        (Fault::Refuse, "could not connect to"),
    ] {
        let world = World::soon_silent().await;
        let misbehaving = world.misbehaving(BINANCE, fault.clone());
        let abort = Fault::Close {
            code: 1_001,
            reason: String::new(),
        };
        world.exchange.fault(BINANCE, abort);
        world
            .until("refusals", |_, report| {
                let binance = &report.connections[&ingest::venue::Dialect::Binance];
                let ending = binance.last_ending.as_deref().unwrap_or_default();
                binance.failed_attempts >= 2 && ending.contains(told)
            })
            .await;
        drop(misbehaving);
        world.status("binance", "up").await;
        world.flows("binance", 40).await;
        let ended = world.stop().await;
        ended.assert_one_outage("binance");
        assert_coinbase_undisturbed(&ended);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn both_venues_out_at_once_come_back_each_by_itself() {
    let world = World::soon_silent().await;
    let coinbase = world.misbehaving(Dialect::CoinbaseAdvanced, Fault::Outage);
    let binance = world.misbehaving(BINANCE, Fault::Outage);
    world.status("binance", "down").await;
    world.status("coinbase", "down").await;
    sleep(Duration::from_millis(300)).await;
    drop(binance);
    world.status("binance", "up").await;
    drop(coinbase);
    world.status("coinbase", "up").await;
    world.flows("coinbase", 40).await;
    let ended = world.stop().await;
    ended.assert_one_outage("binance");
    ended.assert_one_outage("coinbase");
}
