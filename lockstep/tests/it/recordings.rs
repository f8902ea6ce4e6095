//! Real recordings, where they are at hand.

use std::io::Read;

use crate::fixture::{Room, command, recording, run, run_well, sorted, stderr};
use crate::same_bytes::assert_never_pays;

const BINANCE: &str = "binance-btcusdt-20240808.capture.gz";

fn unzipped(path: &std::path::Path) -> String {
    let mut text = String::new();
    let file = std::fs::File::open(path).unwrap();
    flate2::read::MultiGzDecoder::new(file)
        .read_to_string(&mut text)
        .unwrap();
    text
}

#[test]
fn the_binance_recording_gives_the_same_spreads_with_and_without_the_broker() {
    let Some(capture) = recording(BINANCE) else {
        return;
    };
    let room = Room::new();
    let (replayed, through) = (room.path("replayed"), room.path("through"));
    let output = run_well([
        "replay".as_ref(),
        capture.as_os_str(),
        "--out".as_ref(),
        replayed.as_os_str(),
        "--json".as_ref(),
    ]);
    let figures: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(figures["frames"], 41_249);
    assert_eq!(
        figures["ticks_by"],
        serde_json::json!({"quotes": 28_040, "trades": 9_757})
    );
    assert_eq!(
        (&figures["gaps"], &figures["late"], &figures["dead_letters"]),
        (&0.into(), &0.into(), &0.into())
    );
    run_well([
        "up".as_ref(),
        "--source".as_ref(),
        capture.as_os_str(),
        "--headless".as_ref(),
        "--out".as_ref(),
        through.as_os_str(),
    ]);
    assert_eq!(
        sorted(&room.read("through")),
        sorted(&room.read("replayed"))
    );
    assert!(room.read("replayed").lines().count() >= 345);
}

#[test]
fn the_binance_recording_played_as_two_venues_never_pays() {
    let Some(capture) = recording(BINANCE) else {
        return;
    };
    assert_never_pays(&Room::new(), &unzipped(&capture));
}

#[test]
fn every_symbol_of_a_recording_can_be_made_a_pair() {
    let Some(capture) = recording("coinbase-exchange-20210417.capture.gz") else {
        return;
    };
    let room = Room::new();
    let out = room.path("spreads.jsonl");
    let output = run_well([
        "replay".as_ref(),
        capture.as_os_str(),
        "--out".as_ref(),
        out.as_os_str(),
    ]);
    assert!(
        stderr(&output).contains("8 symbols stand in no pair"),
        "{}",
        stderr(&output)
    );
    assert_eq!(room.read("spreads.jsonl"), "");
    run_well([
        "replay".as_ref(),
        capture.as_os_str(),
        "--pairs".as_ref(),
        "all".as_ref(),
        "--out".as_ref(),
        out.as_os_str(),
    ]);
    let pairs: std::collections::BTreeSet<String> = room
        .read("spreads.jsonl")
        .lines()
        .map(|line| {
            serde_json::from_str::<serde_json::Value>(line).unwrap()["pair"]
                .as_str()
                .unwrap()
                .to_owned()
        })
        .collect();
    assert!(pairs.len() >= 8 && pairs.contains("SKL-USD"), "{pairs:?}");
}

#[test]
fn a_venue_without_parser_is_refused_by_name() {
    let Some(capture) = recording("okx-v5-20220513.capture.gz") else {
        return;
    };
    let output = run(["replay".as_ref(), capture.as_os_str()]);
    assert_eq!(output.status.code(), Some(3));
    assert!(
        stderr(&output).contains("okx") && stderr(&output).contains("binance"),
        "{}",
        stderr(&output)
    );
}

#[test]
fn a_recording_cut_off_in_the_middle_is_used_up_to_there() {
    let Some(capture) = recording(BINANCE) else {
        return;
    };
    let room = Room::new();
    let bytes = std::fs::read(capture).unwrap();
    let cut = room.write("cut.capture.gz", &bytes[..bytes.len() / 2]);
    let out = room.path("spreads.jsonl");
    let output = command()
        .args(["replay"])
        .arg(&cut)
        .arg("--out")
        .arg(&out)
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert!(
        stderr(&output).contains("cut.capture.gz"),
        "{}",
        stderr(&output)
    );
    assert!(room.read("spreads.jsonl").lines().count() > 100);
}
