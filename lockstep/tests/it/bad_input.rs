//! Any byte may come from outside: no panic, no silence, no loss of what was good.

use std::process::Output;

use crate::fixture::{Room, binance_capture, command, run, run_well, stderr};

fn code(output: &Output) -> Option<i32> {
    assert!(!stderr(output).contains("panicked"), "{}", stderr(output));
    output.status.code()
}

#[test]
fn wrong_use_is_told_with_code_2() {
    for args in [
        &["replay"][..],
        &["replay", "a", "--speed", "fast"],
        &["replay", "a", "--workers", "0"],
        &["up", "--source", "a"],
        &["up", "--source", "live", "a", "--headless"],
        &["window", "--late", "x"],
        &["window", "--from", "a", "--broker", "b:1"],
        &["replay", "a", "--json"],
        &["nonsense"],
    ] {
        assert_eq!(code(&run(args)), Some(2), "{args:?}");
    }
}

#[test]
fn a_file_that_is_read_is_never_written() {
    let room = Room::new();
    let capture = room.write("in.capture", binance_capture(40));
    let ticks = room.write("ticks.jsonl", "{}\n");
    let before = (
        std::fs::read(&capture).unwrap(),
        std::fs::read(&ticks).unwrap(),
    );
    let (capture, ticks) = (capture.to_str().unwrap(), ticks.to_str().unwrap());
    for args in [
        &["replay", capture, "--out", capture][..],
        &["replay", capture, "--out", "/dev/null", "--late", capture],
        &["replay", capture, "--out", ticks, "--dead-letters", ticks],
        &["window", "--from", ticks, "--out", ticks],
        &["up", "--source", capture, "--headless", "--out", capture],
        &[
            "up",
            "--source",
            capture,
            "--headless",
            "--record",
            "new.capture",
        ],
    ] {
        let output = run(args);
        assert_eq!(code(&output), Some(2), "{args:?}: {}", stderr(&output));
        let after = (
            std::fs::read(capture).unwrap(),
            std::fs::read(ticks).unwrap(),
        );
        assert_eq!(after, before, "{args:?}");
    }
}

#[test]
fn an_authority_that_cannot_be_read_is_refused_before_the_broker_is_waited_for() {
    let output = command()
        .args(["ingest", "--broker", "127.0.0.1:1"])
        .env("LOCKSTEP_INGEST__CA_FILE", "not/there.pem")
        .output()
        .unwrap();
    assert_eq!(code(&output), Some(2));
    let told = "could not use `ingest.ca_file` = `not/there.pem`";
    assert!(stderr(&output).contains(told), "{}", stderr(&output));
}

#[test]
fn every_fault_of_the_settings_is_told_at_once() {
    let room = Room::new();
    let settings = room.write(
        "my.toml",
        "[windowing]\nwidth_ms = 0\nwith_ms = 5\n[colour]\nred = 1\n",
    );
    let output = command()
        .args(["--config".as_ref(), settings.as_os_str(), "config".as_ref()])
        .env("LOCKSTEP_INGEST__MARK_INTERVAL_MS", "often")
        .output()
        .unwrap();
    assert_eq!(code(&output), Some(2));
    for told in [
        "width_ms",
        "1..=3600000",
        "with_ms",
        "colour",
        "MARK_INTERVAL_MS",
        "my.toml:2",
    ] {
        assert!(
            stderr(&output).contains(told),
            "{told}: {}",
            stderr(&output)
        );
    }
}

#[test]
fn files_that_are_not_there_or_hold_nothing_usable_are_bad_input() {
    let room = Room::new();
    let empty = room.write("empty.capture", "");
    let prose = room.write(
        "prose.capture",
        "It was a dark and stormy night.\nNothing was recorded.\n",
    );
    let noise = room.write(
        "noise.capture.gz",
        [0x1f, 0x8b, 8, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9],
    );
    for path in [room.path("none.capture"), empty, prose.clone(), noise] {
        let output = run(["replay".as_ref(), path.as_os_str()]);
        assert_eq!(
            code(&output),
            Some(3),
            "{}: {}",
            path.display(),
            stderr(&output)
        );
    }
    for path in [room.path("none.jsonl"), prose] {
        let output = run(["window".as_ref(), "--from".as_ref(), path.as_os_str()]);
        assert_eq!(
            code(&output),
            Some(3),
            "{}: {}",
            path.display(),
            stderr(&output)
        );
    }
}

#[test]
fn broken_lines_and_frames_are_counted_and_the_rest_is_used() {
    let room = Room::new();
    let good = binance_capture(600);
    let mut lines: Vec<String> = good.lines().map(str::to_owned).collect();
    let half = lines[100].len() / 2;
    let at = 1_723_161_256_000_000_000_i64;
    lines.insert(100, lines[100][..half].to_owned());
    lines.insert(200, "no tabs here".to_owned());
    lines.insert(
        300,
        format!("{at}\tbinance\t{{\"e\":\"neverSeen\",\"E\":1}}"),
    );
    lines.insert(350, format!("{at}\tbinance\tnot json"));
    lines.insert(
        360,
        format!("{at}\tbinance\t{{\"x\":\"{}\"}}", "y".repeat(5 << 20)),
    );
    // Year 1 in a trade's stamp, and a price below zero.
    lines.insert(370, format!(r#"{at}	binance	{{"stream":"btcusdt@trade","data":{{"e":"trade","E":-62135596800000,"s":"ETHUSDT","t":3735683900,"p":"61837.1","q":"1","T":-62135596800000,"m":true,"M":true}}}}"#));
    lines.insert(380, format!(r#"{at}	binance	{{"stream":"btcusdt@bookTicker","data":{{"u":1,"s":"ETHUSDT","b":"-5","B":"1","a":"6","A":"1"}}}}"#));
    let capture = room.write("bad.capture", lines.join("\n") + "\n");
    let (out, dead) = (room.path("spreads.jsonl"), room.path("dead"));
    let output = run_well([
        "replay".as_ref(),
        capture.as_os_str(),
        "--out".as_ref(),
        out.as_os_str(),
        "--dead-letters".as_ref(),
        dead.as_os_str(),
        "--json".as_ref(),
    ]);
    assert_eq!(code(&output), Some(0));
    let figures: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(figures["ticks"], 600, "{figures}");
    let dropped = &figures["dropped_by"];
    assert_eq!(
        dropped["broken lines"].as_u64().unwrap() + dropped["faulty frames"].as_u64().unwrap(),
        7,
        "{figures}"
    );
    let dead = room.read("dead");
    assert!(
        dead.contains("neverSeen") && dead.contains("not json") && dead.contains("-62135596800000")
    );
    assert!(
        dead.lines().any(|line| line.len() > 5 << 20),
        "the large frame is kept whole"
    );
}

#[test]
fn records_of_ticks_that_cannot_be_read_leave_untouched_and_the_rest_is_used() {
    let room = Room::new();
    let tick = |n: i64| {
        format!(
            r#"{{"v":1,"kind":"quote","venue":"a","symbol":"X-USD","currency":"USD","pair":"X-USD","event_ns":{},"event_from":"venue","exchange_ns":null,"received_ns":0,"seq":null,"bid":"1","bid_size":null,"ask":"2","ask_size":null}}"#,
            n * 500_000_000
        )
    };
    let bad = [
        "",
        "{",
        r#"{"v":2,"kind":"quote"}"#,
        r#"{"v":1,"kind":"candle"}"#,
        r#"{"v":1,"kind":"mark","venue":"a","event_ns":"soon"}"#,
    ];
    let mut lines: Vec<String> = (0..10).map(tick).collect();
    for (at, line) in bad.iter().enumerate() {
        lines.insert(at * 2, (*line).to_owned());
    }
    let from = room.write("ticks.jsonl", lines.join("\n") + "\n");
    let (out, dead) = (room.path("out"), room.path("dead"));
    let output = run_well([
        "window".as_ref(),
        "--from".as_ref(),
        from.as_os_str(),
        "--out".as_ref(),
        out.as_os_str(),
        "--dead-letters".as_ref(),
        dead.as_os_str(),
    ]);
    assert_eq!(room.read("dead").split('\n').collect::<Vec<_>>()[..5], bad);
    assert_eq!(room.read("out").lines().count(), 5);
    assert!(
        stderr(&output).contains("no fee is set for this venue"),
        "{}",
        stderr(&output)
    );
    assert_eq!(stderr(&output).matches("no fee is set").count(), 1);
}

#[test]
fn a_reader_that_has_enough_is_no_failure() {
    use std::process::Stdio;
    let room = Room::new();
    let capture = room.write("a.capture", binance_capture(20_000));
    let mut child = command()
        .arg("replay")
        .arg(capture)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!(code(&output), Some(0), "{}", stderr(&output));
}

#[test]
fn a_line_of_any_length_is_one_record() {
    let room = Room::new();
    let long = "x".repeat(17 << 20);
    let from = room.write(
        "ticks.jsonl",
        format!("{long}\n{{\"v\":1,\"kind\":\"mark\",\"venue\":\"a\",\"event_ns\":5}}\n"),
    );
    let (out, dead) = (room.path("out"), room.path("dead"));
    run_well([
        "window".as_ref(),
        "--from".as_ref(),
        from.as_os_str(),
        "--out".as_ref(),
        out.as_os_str(),
        "--dead-letters".as_ref(),
        dead.as_os_str(),
    ]);
    assert!(
        room.read("dead") == long + "\n",
        "the line is kept whole and once"
    );
}

#[test]
fn a_wrong_name_costs_nobody_an_earlier_result() {
    let room = Room::new();
    let (missing, out) = (
        room.path("none.capture"),
        room.write("spreads.jsonl", "earlier\n"),
    );
    for command in [&["replay"][..], &["up", "--headless", "--source"]] {
        let mut args: Vec<&std::ffi::OsStr> = command.iter().map(|arg| (*arg).as_ref()).collect();
        args.extend([missing.as_os_str(), "--out".as_ref(), out.as_os_str()]);
        assert_eq!(code(&run(args)), Some(3));
        assert_eq!(room.read("spreads.jsonl"), "earlier\n", "{command:?}");
    }
}
