//! The capture that the tree ships: made by its generator, whole, and with the scenes it promises.

use std::path::Path;
use std::sync::atomic::AtomicBool;

use contract::tick::{Record, decode};
use contract::time::NS_PER_MS;
use ingest::capture::CaptureReader;
use ingest::core::{Collect, Core};
use ingest::replay::{Input, Pace, ReplaySettings, replay};
use ingest::settings::IngestSettings;
use ingest::venue::Kind;

#[path = "../../examples/make_capture.rs"]
#[expect(dead_code, reason = "an example has a main of its own")]
mod make_capture;

/// 2026-03-02T14:30:00Z, nanoseconds.
const START_NS: i64 = 1_772_461_800_000 * NS_PER_MS;

fn played() -> (Core, Collect) {
    let table = |rows: &[(&str, &str, &str)]| {
        let mut table = std::collections::BTreeMap::new();
        for (name, venue, symbol) in rows {
            let symbols: &mut std::collections::BTreeMap<String, String> =
                table.entry((*name).to_owned()).or_default();
            symbols.insert((*venue).to_owned(), (*symbol).to_owned());
        }
        table
    };
    let mut core = Core::new(IngestSettings {
        pairs: table(&[
            ("BTC-USD", "binance", "BTCUSDT"),
            ("BTC-USD", "coinbase", "BTC-USD"),
            ("ETH-USD", "binance", "ETHUSDT"),
            ("ETH-USD", "coinbase", "ETH-USD"),
        ]),
        rates: table(&[("USDT-USD", "coinbase", "USDT-USD")]),
        ..IngestSettings::default()
    });
    let mut sink = Collect::default();
    let input = Input {
        name: "two-venues".to_owned(),
        reader: CaptureReader::new(std::io::Cursor::new(make_capture::capture())).unwrap(),
        size: None,
    };
    let settings = ReplaySettings {
        pace: Pace::Unlimited,
        width_ms: 1_000,
    };
    let stop = AtomicBool::new(false);
    replay(
        vec![input],
        &mut core,
        &mut sink,
        settings,
        &stop,
        &mut |_| {},
    )
    .unwrap();
    (core, sink)
}

/// Stamps of the quotes of one symbol, milliseconds from the start.
fn quotes(sink: &Collect, symbol: &str) -> Vec<i64> {
    let stamps = sink
        .lines
        .iter()
        .filter_map(|line| match decode(line.as_bytes()).unwrap() {
            Record::Quote(quote) if quote.symbol == symbol => {
                Some((quote.event_ns - START_NS) / NS_PER_MS)
            }
            _ => None,
        });
    stamps.collect()
}

#[test]
fn the_file_in_the_tree_is_what_its_generator_makes() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/two-venues.capture");
    let shipped = std::fs::read(path).unwrap();
    assert!(shipped.len() < 400_000, "{} bytes", shipped.len());
    assert!(
        shipped == make_capture::capture(),
        "make it anew: cargo run -p ingest --example make_capture examples/two-venues.capture"
    );
}

#[test]
fn every_frame_of_it_is_known_and_nothing_is_missing() {
    let (core, sink) = played();
    let report = core.report();
    assert!(report.faults.is_empty(), "{:?}", report.faults);
    assert_eq!(
        (report.gaps_total, report.restarts, report.behind_mark),
        (0, 0, 0)
    );
    assert!(report.unnamed.is_empty(), "{:?}", report.unnamed);
    assert!(sink.dead_letters.is_empty());
    for kind in [
        Kind::Subscriptions,
        Kind::Heartbeats,
        Kind::Ticker,
        Kind::MarketTrades,
        Kind::BookTicker,
        Kind::Trade,
    ] {
        let frames: u64 = report
            .kinds
            .iter()
            .filter(|((_, known), _)| *known == kind)
            .map(|(_, frames)| frames)
            .sum();
        assert!(frames > 2, "{}: {frames}", kind.as_str());
    }
}

#[test]
fn our_clock_is_four_tenths_of_a_second_behind_both_venues() {
    for venue in played().0.report().venues {
        let skew_ms = venue.skew_ns / NS_PER_MS;
        assert!(
            (365..=395).contains(&skew_ms),
            "{}: {skew_ms} ms",
            venue.venue
        );
    }
}

#[test]
fn one_leg_grows_stale_for_four_seconds_and_no_other_does() {
    let (_, sink) = played();
    for symbol in ["BTC-USD", "ETH-USD", "BTCUSDT", "ETHUSDT"] {
        let stamps = quotes(&sink, symbol);
        let holes: Vec<(i64, i64)> = stamps
            .windows(2)
            .filter(|pair| pair[1] - pair[0] > 2_000)
            .map(|pair| (pair[0], pair[1]))
            .collect();
        if symbol == "ETH-USD" {
            assert_eq!(holes.len(), 1, "{holes:?}");
            assert!(holes[0].0 < 29_000 && holes[0].1 >= 33_000, "{holes:?}");
        } else {
            assert!(holes.is_empty(), "{symbol}: {holes:?}");
        }
    }
}

#[test]
fn for_three_seconds_coinbase_buys_btc_more_than_a_hundred_bps_above_what_binance_asks() {
    let (_, sink) = played();
    let cents = |price: &str| price.parse::<f64>().unwrap() * 100.0;
    let (mut ask, mut above) = (None, Vec::new());
    for line in &sink.lines {
        let Record::Quote(quote) = decode(line.as_bytes()).unwrap() else {
            continue;
        };
        if quote.symbol == "BTCUSDT" {
            ask = Some(cents(&quote.ask.to_string()) * 0.999_32);
        } else if quote.symbol == "BTC-USD"
            && let Some(ask) = ask
        {
            let bps = (cents(&quote.bid.to_string()) / ask - 1.0) * 1e4;
            above.push(((quote.event_ns - START_NS) / NS_PER_MS, bps));
        }
    }
    let off: Vec<i64> = above
        .iter()
        .filter(|(_, bps)| *bps > 100.0)
        .map(|(at, _)| *at)
        .collect();
    assert!(off.len() > 5, "{off:?}");
    assert!((18_000..18_050).contains(&off[0]), "{off:?}");
    assert!(
        off.iter().all(|at| (18_000..21_000).contains(at)),
        "{off:?}"
    );
    let others = above.iter().filter(|(_, bps)| *bps <= 100.0);
    assert!(others.clone().count() > 80);
    assert!(others.into_iter().all(|(_, bps)| bps.abs() < 5.0));
}
