//! The same frames give the same spreads, whatever carries them.

use crate::fixture::{Room, binance_capture, example, run_well, sorted};

fn replay(room: &Room, name: &str, more: &[&str]) -> String {
    let (capture, out) = (example(), room.path(name));
    let mut args = vec![
        "replay",
        capture.to_str().unwrap(),
        "--out",
        out.to_str().unwrap(),
    ];
    args.extend(more);
    run_well(args);
    room.read(name)
}

#[test]
fn the_example_shows_spreads_of_both_venues_and_one_that_pays() {
    let room = Room::new();
    let spreads = replay(&room, "spreads.jsonl", &[]);
    let records: Vec<serde_json::Value> = spreads
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert!(records.len() > 60, "{}", records.len());
    let pays = |record: &serde_json::Value| {
        record["routes"]
            .as_array()
            .unwrap()
            .iter()
            .any(|route| route["positive_ns"].as_i64() > Some(0))
    };
    let paying: Vec<_> = records.iter().filter(|record| pays(record)).collect();
    assert!(
        (3..=5).contains(&paying.len()),
        "a dislocation of three seconds, {} windows pay",
        paying.len()
    );
    for record in paying {
        assert_eq!(record["pair"], "BTC-USD");
        assert_eq!(record["legs"].as_array().unwrap().len(), 2);
    }
    assert!(
        records
            .iter()
            .any(|record| record["pair"] == "ETH-USD" && record["quality"] == "stale")
    );
}

#[test]
fn workers_and_speed_do_not_change_a_byte() {
    let room = Room::new();
    let expected = replay(&room, "one", &[]);
    for workers in ["2", "4"] {
        assert_eq!(
            replay(&room, workers, &["--workers", workers]),
            expected,
            "{workers} workers"
        );
    }
    assert_eq!(replay(&room, "paced", &["--speed", "40x"]), expected);
}

#[test]
fn the_embedded_broker_gives_the_same_set() {
    let room = Room::new();
    let expected = replay(&room, "replayed", &[]);
    for workers in ["1", "4"] {
        let out = room.path(workers);
        run_well([
            "up".as_ref(),
            "--source".as_ref(),
            example().as_os_str(),
            "--headless".as_ref(),
            "--workers".as_ref(),
            workers.as_ref(),
            "--out".as_ref(),
            out.as_os_str(),
        ]);
        assert_eq!(
            sorted(&room.read(workers)),
            sorted(&expected),
            "{workers} workers"
        );
    }
}

#[test]
fn standard_output_holds_the_data_and_nothing_else() {
    let room = Room::new();
    let expected = replay(&room, "file", &[]);
    let output = run_well(["replay".as_ref(), example().as_os_str()]);
    assert_eq!(String::from_utf8(output.stdout).unwrap(), expected);
    let output = run_well([
        "up".as_ref(),
        "--source".as_ref(),
        example().as_os_str(),
        "--headless".as_ref(),
    ]);
    assert_eq!(
        sorted(&String::from_utf8(output.stdout).unwrap()),
        sorted(&expected)
    );
}

#[test]
fn closing_figures_come_as_json_when_asked_for() {
    let room = Room::new();
    let capture = room.write("a.capture", binance_capture(300));
    let out = room.path("spreads.jsonl");
    let output = run_well([
        "replay".as_ref(),
        capture.as_os_str(),
        "--out".as_ref(),
        out.as_os_str(),
        "--json".as_ref(),
    ]);
    let figures: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(figures["frames"], 300);
    assert_eq!(
        figures["ticks_by"],
        serde_json::json!({"quotes": 200, "trades": 100})
    );
    assert_eq!(
        figures["spreads"],
        room.read("spreads.jsonl").lines().count()
    );
}

#[test]
fn one_book_played_as_two_venues_never_pays_even_without_fees() {
    let room = Room::new();
    assert_never_pays(&room, &binance_capture(2_000));
}

/// Plays one venue's frames as two venues of one pair in one currency, without fees.
pub(crate) fn assert_never_pays(room: &Room, capture: &str) {
    let doubled: String = capture
        .lines()
        .flat_map(|line| {
            [
                line.to_owned(),
                line.replacen("\tbinance\t", "\tbinance_us\t", 1),
            ]
        })
        .map(|line| line + "\n")
        .collect();
    let capture = room.write("doubled.capture", doubled);
    let settings = room.write(
        "settings.toml",
        "[venues.binance]\ntaker_fee_bps = 0\n[venues.binance_us]\ntaker_fee_bps = 0\n\
         [pairs]\n\"BTC-USD\" = false\n\"ETH-USD\" = false\n[pairs.\"BTC-USDT\"]\nbinance = \"BTCUSDT\"\nbinance_us = \"BTCUSDT\"\n",
    );
    let out = room.path("spreads.jsonl");
    run_well([
        "--config".as_ref(),
        settings.as_os_str(),
        "replay".as_ref(),
        capture.as_os_str(),
        "--out".as_ref(),
        out.as_os_str(),
    ]);
    let mut live = 0;
    for line in room.read("spreads.jsonl").lines() {
        let record: serde_json::Value = serde_json::from_str(line).unwrap();
        for route in record["routes"].as_array().unwrap() {
            for figures in [&route["end"], &route["best"]] {
                if let Some(gross_bps) = figures["gross_bps"].as_f64() {
                    live += 1;
                    assert!(gross_bps <= 0.0, "{line}");
                }
            }
            assert_eq!(route["positive_ns"], 0);
        }
    }
    assert!(
        live > 100,
        "the routes must have been live, not merely silent: {live}"
    );
}
