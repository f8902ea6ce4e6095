//! The imitated outside: as a capture that replays to what it was told to hold, and as addresses that lead to it.

use crate::fixture::{Room, run, run_well, stderr};

#[test]
fn a_made_up_capture_replays_to_the_dislocation_that_was_asked_for() {
    let room = Room::new();
    let (capture, spreads) = (room.path("a.capture.zst"), room.path("spreads.jsonl"));
    let dislocate = "BTC-USD:binance:coinbase:12@10s+4s";
    let capture = capture.to_str().unwrap();
    let made = run_well([
        "simulate",
        "--calm",
        "--seed",
        "5",
        "--for",
        "30s",
        "--dislocate",
        dislocate,
        "--our-clock",
        "-1300",
        "--out",
        capture,
    ]);
    assert!(made.stdout.is_empty());
    run_well(["replay", capture, "--out", spreads.to_str().unwrap()]);
    let mut windows = Vec::new();
    for line in room.read("spreads.jsonl").lines() {
        let record: serde_json::Value = serde_json::from_str(line).unwrap();
        let start_ms = record["start_ms"].as_i64().unwrap();
        for route in record["routes"].as_array().unwrap() {
            if let Some(net_bps) = route["best"]["net_bps"].as_f64()
                && net_bps > 0.0
            {
                assert_eq!(record["pair"], "BTC-USD");
                assert_eq!(
                    (&route["buy"], &route["sell"]),
                    (&"binance".into(), &"coinbase".into())
                );
                // Of the tick that the price was rounded up to: 0.01 in 61,730.
                assert!((12.0..12.01).contains(&net_bps), "{net_bps}");
                windows.push((start_ms - 1_772_461_800_000) / 1_000);
            }
        }
    }
    // The steps fall on the ends of windows, from which the clock's estimate may be off by some milliseconds.
    let inner = [10, 11, 12, 13];
    assert!(
        inner.iter().all(|second| windows.contains(second)),
        "{windows:?}"
    );
    assert!(
        windows.iter().all(|second| (9..=14).contains(second)),
        "{windows:?}"
    );
}

#[test]
fn what_it_prints_leads_to_it_from_this_machine_also_where_it_listens_everywhere() {
    for listen in ["127.0.0.1", "0.0.0.0"] {
        leads_there(&["simulate", "--for", "300ms", "--listen", listen]);
    }
}

fn leads_there(args: &[&str]) {
    let served = run_well(args);
    let printed = String::from_utf8(served.stdout).unwrap();
    for start in [
        "export LOCKSTEP_VENUES__BINANCE__URL=ws://127.0.0.1:",
        "export LOCKSTEP_VENUES__COINBASE__URL=ws://127.0.0.1:",
        "export LOCKSTEP_ALERTER__WEBHOOK_URL=http://127.0.0.1:",
    ] {
        assert!(
            printed.lines().any(|line| line.starts_with(start)),
            "{printed}"
        );
    }
}

#[test]
fn what_cannot_be_imitated_is_wrong_use() {
    for (option, value, word) in [
        ("--misbehave", "binance:rude@1s", "old-silent"),
        ("--misbehave", "binance_us:silent@1s", "is not served"),
        (
            "--dislocate",
            "BTC-USD:binance:binance:5@1s+1s",
            "two venues",
        ),
        ("--dislocate", "XYZ-USD:binance:coinbase:5@1s+1s", "XYZ-USD"),
        ("--port", "binance_us=0", "is not served"),
        ("--skew", "binance=fast", "milliseconds"),
        ("--listen", "everywhere", "invalid IP address"),
        ("--out", "a.capture", "--for"),
    ] {
        let mut args = vec!["simulate", option, value];
        if option != "--out" {
            args.extend(["--for", "100ms"]);
        }
        let output = run(args);
        assert_eq!(
            output.status.code(),
            Some(2),
            "{option} {value}: {}",
            stderr(&output)
        );
        assert!(
            stderr(&output).contains(word),
            "{option} {value}: {}",
            stderr(&output)
        );
    }
}
