//! What ingest makes of the frames: everything is known, nothing is missing, and the clock is found.

use contract::tick::Record;
use contract::time::NS_PER_MS;
use ingest::core::{Collect, Core, Report};
use ingest::settings::IngestSettings;
use ingest::venue::Dialect;
use simulator::exchange::{
    BadStamp, Dialect as Spoken, ExchangesSettings, Fault, Recorded, RecordedFrame,
    RecordedSettings, Scheduled,
};

use crate::four_dialects;

const SEED: u64 = 11;

/// Ingest's account of a minute, each dialect in a core of its own: two dialects of one venue would tell everything twice.
fn play(settings: RecordedSettings, only: Spoken) -> (Report, Collect) {
    let mut core = Core::new(IngestSettings {
        all_pairs: true,
        ..IngestSettings::default()
    });
    let mut out = Collect::default();
    for RecordedFrame {
        received_ns,
        venue,
        frame,
    } in Recorded::new(settings).unwrap()
    {
        if venue == only.name() {
            let dialect = Dialect::of_capture(venue).unwrap();
            core.frame(dialect, received_ns, &frame, &mut out);
        }
    }
    (core.report(), out)
}

fn minute(exchanges: ExchangesSettings) -> RecordedSettings {
    RecordedSettings::new(exchanges, 60_000)
}

#[test]
fn every_frame_is_known_and_none_is_missing() {
    for dialect in Spoken::ALL {
        let (report, out) = play(minute(four_dialects(SEED)), dialect);
        let name = dialect.name();
        assert!(report.faults.is_empty(), "{name}: {:?}", report.faults);
        assert!(out.dead_letters.is_empty() && out.gaps.is_empty(), "{name}");
        assert_eq!(
            (
                report.duplicates,
                report.old_quotes,
                report.restarts,
                report.behind_mark
            ),
            (0, 0, 0, 0),
            "{name}"
        );
        assert!(
            report.quotes > 100 && report.trades > 50,
            "{name}: {report:?}"
        );
        let kinds: Vec<&str> = report.kinds.keys().map(|(_, kind)| kind.as_str()).collect();
        let expected: &[&str] = match dialect {
            Spoken::CoinbaseAdvanced => &["heartbeats", "market_trades", "subscriptions", "ticker"],
            Spoken::CoinbaseExchange => &[
                "heartbeat",
                "last_match",
                "match",
                "subscriptions",
                "ticker",
            ],
            Spoken::Binance | Spoken::BinanceUs => &["bookTicker", "trade"],
        };
        let mut kinds = kinds;
        kinds.sort_unstable();
        assert_eq!(kinds, expected, "{name}");
    }
}

#[test]
fn a_recorder_that_is_late_sees_the_venues_clocks_ahead() {
    let settings = RecordedSettings {
        our_clock_ms: -1_300,
        ..minute(four_dialects(SEED))
    };
    for dialect in [Spoken::CoinbaseAdvanced, Spoken::Binance] {
        let (report, out) = play(settings.clone(), dialect);
        let skew_ms = report.venues[0].skew_ns / NS_PER_MS;
        // 1.3 s, less some milliseconds of way and what Binance cuts off its stamps.
        assert!((1_290..1_300).contains(&skew_ms), "{skew_ms} ms");
        assert!(report.faults.is_empty() && out.gaps.is_empty());
    }
}

#[test]
fn the_same_seed_gives_the_same_capture() {
    let run = |seed| {
        let settings = RecordedSettings::new(ExchangesSettings::demo(seed), 20_000);
        Recorded::new(settings).unwrap().collect::<Vec<_>>()
    };
    let first = run(1);
    assert_eq!(first, run(1));
    assert_ne!(first, run(2));
    let in_order = first
        .windows(2)
        .all(|pair| pair[0].received_ns <= pair[1].received_ns);
    assert!(in_order && first.len() > 1_000, "{}", first.len());
}

#[test]
fn what_is_left_out_is_one_gap_and_trades_that_are_left_out_are_counted() {
    for dialect in Spoken::ALL {
        let mut exchanges = four_dialects(SEED);
        exchanges.script.push(Scheduled {
            dialect,
            fault: Fault::Skip(3),
            at_ms: 20_000,
            for_ms: None,
            every_ms: None,
        });
        let (report, out) = play(minute(exchanges), dialect);
        let missing: u64 = out.gaps.iter().map(|gap| gap.missing).sum();
        assert_eq!(missing, 3, "{}: {:?}", dialect.name(), out.gaps);
        assert!(report.faults.is_empty());
    }
}

#[test]
fn stamps_without_sense_are_faults_and_pass() {
    for (dialect, bad) in [
        (Spoken::CoinbaseAdvanced, BadStamp::YearOne),
        (Spoken::CoinbaseExchange, BadStamp::Epoch),
        (Spoken::Binance, BadStamp::Epoch),
        (Spoken::Binance, BadStamp::YearOne),
    ] {
        let mut exchanges = four_dialects(SEED);
        exchanges.script.push(Scheduled {
            dialect,
            fault: Fault::Stamps(bad),
            at_ms: 20_000,
            for_ms: Some(5_000),
            every_ms: None,
        });
        let (report, out) = play(minute(exchanges), dialect);
        assert!(!out.dead_letters.is_empty(), "{dialect:?}");
        let sane = |record: &String| match contract::tick::decode(record.as_bytes()).unwrap() {
            Record::Quote(quote) => quote.event_ns > 1_772_461_800_000 * NS_PER_MS,
            _ => true,
        };
        assert!(out.lines.iter().all(sane));
        assert!(report.quotes > 100);
    }
}

#[test]
fn dislocations_stand_in_the_frames_as_the_truth_has_them() {
    let mut recorded =
        Recorded::new(RecordedSettings::new(ExchangesSettings::demo(SEED), 15_000)).unwrap();
    let frames: Vec<RecordedFrame> = recorded.by_ref().collect();
    let [truth] = recorded.truths() else {
        panic!("{:?}", recorded.truths())
    };
    let peak = truth.peak().unwrap();
    assert!((25.0..25.01).contains(&peak.net_bps), "{peak:?}");
    // Coinbase's bid of the plateau stands in its tickers, and nowhere before or after.
    let bid = |frame: &RecordedFrame| -> Option<f64> {
        let is_btc = frame.frame.contains(r#""product_id":"BTC-USD""#);
        let (_, rest) = frame
            .frame
            .split_once(r#""best_bid":""#)
            .filter(|_| is_btc)?;
        rest.split_once('"')?.0.parse().ok()
    };
    let highest = frames.iter().filter_map(bid).fold(0.0, f64::max);
    let at_highest: Vec<i64> = frames
        .iter()
        .filter(|frame| bid(frame).is_some_and(|bid| bid >= highest))
        .map(|frame| frame.received_ns)
        .collect();
    assert!(at_highest.len() > 20, "{}", at_highest.len());
    let (from_ns, to_ns) = truth.above(peak.net_bps).unwrap();
    let way_ns = 20 * NS_PER_MS;
    assert!(
        at_highest
            .iter()
            .all(|&ns| ns >= from_ns && ns < to_ns + way_ns)
    );
}
