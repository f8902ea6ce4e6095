//! Captures through the core: merged, paced, stopped, broken.

use std::io::Cursor;
use std::sync::atomic::{AtomicBool, Ordering};

use contract::tick::{Record, decode};
use ingest::capture::{CaptureReader, CaptureWriter, Compression};
use ingest::core::{Collect, Core};
use ingest::error::IngestError;
use ingest::replay::{Input, Pace, Progress, ReplayReport, ReplaySettings, replay};
use ingest::settings::IngestSettings;
use ingest::venue::Dialect;

const MS: i64 = 1_000_000;
const T0: i64 = 1_723_161_254_000 * MS;

fn trade(symbol: &str, id: u64, at_ms: i64) -> String {
    let ms = T0 / MS + at_ms;
    format!(
        r#"{{"e":"trade","E":{ms},"s":"{symbol}","t":{id},"p":"61700.01","q":"0.1","T":{ms},"m":true,"M":true}}"#
    )
}

fn capture(rows: &[(i64, &str, String)]) -> Vec<u8> {
    let mut writer = CaptureWriter::new(Vec::new(), Compression::Plain).unwrap();
    for (at_ms, venue, frame) in rows {
        writer.frame(T0 + at_ms * MS, venue, frame).unwrap();
    }
    writer.finish().unwrap()
}

fn input(name: &str, bytes: Vec<u8>) -> Input {
    Input {
        name: name.to_owned(),
        size: u64::try_from(bytes.len()).ok(),
        reader: CaptureReader::new(Cursor::new(bytes)).unwrap(),
    }
}

struct Played {
    sink: Collect,
    result: Result<ReplayReport, IngestError>,
    progress: Vec<Progress>,
    core: Core,
}

impl Played {
    fn report(&self) -> &ReplayReport {
        self.result.as_ref().unwrap()
    }

    /// The ids of the trades, in order.
    fn trades(&self) -> Vec<String> {
        let ids =
            self.sink
                .lines
                .iter()
                .filter_map(|line| match decode(line.as_bytes()).unwrap() {
                    Record::Trade(trade) => Some(trade.trade_id.to_string()),
                    _ => None,
                });
        ids.collect()
    }
}

fn play_with(inputs: Vec<Input>, pace: Pace, stop: &AtomicBool) -> Played {
    let mut core = Core::new(IngestSettings {
        all_pairs: true,
        ..IngestSettings::default()
    });
    let mut sink = Collect::default();
    let mut progress = Vec::new();
    let settings = ReplaySettings {
        pace,
        width_ms: 1_000,
    };
    let result = replay(inputs, &mut core, &mut sink, settings, stop, &mut |at| {
        progress.push(at);
    });
    Played {
        sink,
        result,
        progress,
        core,
    }
}

fn play(inputs: Vec<Input>) -> Played {
    play_with(inputs, Pace::Unlimited, &AtomicBool::new(false))
}

#[test]
fn inputs_are_merged_by_receipt_and_of_equals_the_first_named_comes_first() {
    let first = capture(&[
        (0, "binance", trade("AUSDT", 1, 0)),
        (20, "binance", trade("AUSDT", 2, 20)),
        (30, "binance", trade("AUSDT", 3, 30)),
    ]);
    let second = capture(&[
        (10, "binance", trade("BUSDT", 11, 10)),
        (20, "binance", trade("BUSDT", 12, 20)),
        (40, "binance", trade("BUSDT", 13, 40)),
    ]);
    let played = play(vec![input("a", first.clone()), input("b", second.clone())]);
    assert_eq!(played.trades(), ["1", "11", "2", "12", "3", "13"]);
    let played = play(vec![input("b", second), input("a", first)]);
    assert_eq!(played.trades(), ["1", "11", "12", "2", "3", "13"]);
    assert_eq!(played.report().frames_total(), 6);
}

#[test]
fn within_one_input_the_order_of_lines_is_kept_and_stamps_that_go_back_are_counted() {
    let bytes = capture(&[
        (0, "binance", trade("AUSDT", 1, 0)),
        (20, "binance", trade("AUSDT", 2, 20)),
        (10, "binance", trade("AUSDT", 3, 10)),
        (30, "binance", trade("AUSDT", 4, 30)),
    ]);
    let played = play(vec![input("a", bytes)]);
    assert_eq!(played.trades(), ["1", "2", "3", "4"]);
    assert_eq!(played.report().inputs[0].stamps_back, 1);
    assert_eq!(played.report().first_ns, Some(T0));
    assert_eq!(played.report().last_ns, Some(T0 + 30 * MS));
}

#[test]
fn a_replay_ends_with_a_mark_at_the_end_of_the_window_of_the_last_tick() {
    let played = play(vec![input(
        "a",
        capture(&[(0, "binance", trade("AUSDT", 1, 1_250))]),
    )]);
    let last = played.sink.lines.last().unwrap();
    let Record::Mark(mark) = decode(last.as_bytes()).unwrap() else {
        panic!("{last}")
    };
    assert_eq!(mark.event_ns, T0 + 2_000 * MS);
}

#[test]
fn a_venue_without_a_parser_is_refused_by_name_and_the_others_go_on() {
    let bytes = capture(&[
        (0, "okx", "{}".into()),
        (1, "binance", trade("AUSDT", 1, 1)),
        (2, "okx", "{}".into()),
        (3, "kraken", "{}".into()),
    ]);
    let played = play(vec![input("a", bytes)]);
    assert_eq!(played.trades(), ["1"]);
    let report = played.report();
    assert_eq!(report.refused_total(), 3);
    assert_eq!(report.refused["okx"].frames, 2);
    assert_eq!(
        report.refused["kraken"].message,
        "no parser exists yet for venue `kraken`; there are those of coinbase, coinbase-exchange, binance, binance_us"
    );
    assert!(played.sink.dead_letters.is_empty());
}

#[test]
fn names_without_end_are_counted_and_not_kept() {
    let mut writer = CaptureWriter::new(Vec::new(), Compression::Plain).unwrap();
    for at in 0..100 {
        writer
            .frame(at, &format!("{at}{}", "x".repeat(500)), "{}")
            .unwrap();
    }
    writer.frame(T0, "binance", &trade("AUSDT", 1, 1)).unwrap();
    let played = play(vec![input("a", writer.finish().unwrap())]);
    let report = played.report();
    assert_eq!(
        (
            report.refused.len(),
            report.refused_beyond,
            report.refused_total()
        ),
        (32, 68, 100)
    );
    assert!(report.refused.keys().all(|name| name.len() <= 60));
}

#[test]
fn inputs_of_which_nothing_can_be_used_are_an_error_that_says_why() {
    let reason = |bytes: &[u8]| {
        let error = play(vec![input("a.capture", bytes.to_vec())])
            .result
            .unwrap_err();
        assert!(error.is_bad_input());
        error.to_string()
    };
    assert_eq!(
        reason(b"1\tokx\t{}\n"),
        "nothing in `a.capture` could be used: no parser exists yet for venue `okx`; there are those of coinbase, \
         coinbase-exchange, binance, binance_us"
    );
    assert_eq!(
        reason(b""),
        "nothing in `a.capture` could be used: there is not one line in it"
    );
    assert!(reason(b"some text\n").contains("line 1: not `received_ns"));
    let missing = Input::open("no/such/file.capture").unwrap_err();
    assert_eq!(
        missing.to_string(),
        "could not open the capture `no/such/file.capture`"
    );
    assert!(missing.is_bad_input());
}

#[test]
fn broken_lines_and_an_early_end_cost_themselves_alone() {
    let mut writer = CaptureWriter::new(Vec::new(), Compression::Gzip).unwrap();
    for id in 0..2_000_i64 {
        let frame = trade("AUSDT", u64::try_from(id).unwrap(), id);
        writer.frame(T0 + id * MS, "binance", &frame).unwrap();
    }
    let whole = writer.finish().unwrap();
    let cut = whole[..whole.len() / 2].to_vec();
    let plain = b"half a li\n1723161254000000000\tbinance\t{\"e\":\"tra".to_vec();
    let played = play(vec![input("cut", cut), input("plain", plain)]);
    let report = played.report();
    assert!(report.inputs[0].ends_early && !report.inputs[1].ends_early);
    assert_eq!((report.inputs[0].faults, report.inputs[1].faults), (1, 1));
    assert_eq!(report.faults_total, 2);
    let n = played.trades().len();
    assert!(n > 500);
    let fault = report
        .faults
        .iter()
        .find(|(name, _)| name == "cut")
        .unwrap();
    assert_eq!(fault.1.line, u64::try_from(n).unwrap());
    // The half frame is the core's: it goes to the dead letters.
    assert_eq!(played.sink.dead_letters.len(), 1);
}

#[test]
fn the_same_records_come_at_every_pace() {
    let mut rows: Vec<(i64, &str, String)> = Vec::new();
    for at in 0..60_i64 {
        let id = u64::try_from(at).unwrap();
        rows.push((at * 37 - 400, "binance", trade("AUSDT", id, at * 37)));
        rows.push((at * 37 - 400, "binance_us", trade("BUSDT", id, at * 37 + 5)));
    }
    let bytes = capture(&rows);
    let fast = play(vec![input("a", bytes.clone())]);
    for pace in [Pace::Times(5.0), Pace::Times(100.0)] {
        let paced = play_with(
            vec![input("a", bytes.clone())],
            pace,
            &AtomicBool::new(false),
        );
        assert_eq!(paced.sink.lines, fast.sink.lines, "{pace:?}");
        assert_eq!(paced.sink.health, fast.sink.health, "{pace:?}");
    }
    assert!(
        fast.sink
            .lines
            .iter()
            .filter(|line| line.contains(r#""kind":"mark""#))
            .count()
            > 15
    );
}

#[test]
fn a_stop_leaves_windows_open_and_says_so() {
    let rows = [
        (0, "binance", trade("AUSDT", 1, 0)),
        (3_600_000, "binance", trade("AUSDT", 2, 0)),
    ];
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let paced =
            scope.spawn(|| play_with(vec![input("a", capture(&rows))], Pace::Times(1.0), &stop));
        stop.store(true, Ordering::Relaxed);
        let played = paced.join().unwrap();
        assert!(played.report().stopped);
        assert!(
            !played
                .sink
                .lines
                .iter()
                .any(|line| line.contains("1723161255000000000"))
        );
    });
}

#[test]
fn progress_ends_at_the_size_of_all_inputs() {
    let rows: Vec<(i64, &str, String)> = (0..3_000)
        .map(|at| {
            (
                at,
                "binance",
                trade("AUSDT", u64::try_from(at).unwrap(), at),
            )
        })
        .collect();
    let bytes = capture(&rows);
    let size = u64::try_from(bytes.len()).unwrap();
    let played = play(vec![input("a", bytes.clone()), input("b", bytes.clone())]);
    let last = played.progress.last().unwrap();
    assert_eq!(
        (last.bytes_read, last.bytes_total, last.frames),
        (2 * size, Some(2 * size), 6_000)
    );
    assert!(played.progress.len() > 3);
    let mut pipe = input("b", bytes.clone());
    pipe.size = None;
    let played = play(vec![input("a", bytes), pipe]);
    assert_eq!(played.progress.last().unwrap().bytes_total, None);
}

#[test]
fn every_frame_of_the_recordings_is_played_but_those_of_okx() {
    let Some(folder) = crate::recordings() else {
        return;
    };
    let open = |name: &str| {
        Input::open(folder.join(format!("{name}.capture.gz")).to_str().unwrap()).unwrap()
    };
    let names = [
        "binance-btcusdt-20240808",
        "coinbase-exchange-20210417",
        "coinbase-advanced-20260809-excerpt",
        "okx-v5-20220513",
    ];
    let played = play(names.map(open).into());
    let report = played.report();
    assert_eq!(report.faults_total, 0);
    assert_eq!(report.refused["okx"].frames, 410);
    assert_eq!(report.frames[&Dialect::Binance], 41_249);
    assert_eq!(report.frames[&Dialect::CoinbaseExchange], 9_946);
    assert_eq!(report.frames[&Dialect::CoinbaseAdvanced], 120);
    assert_eq!(played.core.report().frames, 41_249 + 9_946 + 120);
    let last = played.progress.last().unwrap();
    assert_eq!(Some(last.bytes_read), last.bytes_total);
    let okx = play(vec![open("okx-v5-20220513")]).result.unwrap_err();
    assert!(
        okx.to_string()
            .contains("no parser exists yet for venue `okx`"),
        "{okx}"
    );
}
