//! A broker that is away is waited for, and Ctrl-C is heard meanwhile.

use std::net::TcpListener;
use std::process::Stdio;
use std::time::Duration;

use crate::fixture::{Room, binance_capture, command, run, stderr};

/// An address of this machine where nobody listens.
fn nobody() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().to_string()
}

#[test]
fn health_says_where_nobody_answered() {
    let address = nobody();
    let output = run(["health", "--timeout", "2s", "--broker", &address]);
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains(&address), "{}", stderr(&output));
}

#[test]
#[cfg(unix)]
fn a_broker_away_at_the_start_is_waited_for_until_interrupted() {
    let address = nobody();
    let child = command()
        .args(["window", "--broker", &address])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let (_never, waiter) = std::sync::mpsc::channel::<()>();
    // Long enough for the first word of waiting; the test does not depend on how long.
    let _ = waiter.recv_timeout(Duration::from_secs(8));
    let interrupted = std::process::Command::new("kill")
        .args(["-INT", &child.id().to_string()])
        .status()
        .unwrap();
    assert!(interrupted.success());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130), "{}", stderr(&output));
    assert!(
        stderr(&output).contains("waiting for the broker"),
        "{}",
        stderr(&output)
    );
}

#[test]
#[cfg(unix)]
fn an_interrupted_replay_keeps_what_was_done() {
    let room = Room::new();
    let capture = room.write("a.capture", binance_capture(4_000));
    let out = room.path("spreads.jsonl");
    let child = command()
        .args([
            "replay".as_ref(),
            capture.as_os_str(),
            "--speed".as_ref(),
            "10x".as_ref(),
            "--out".as_ref(),
        ])
        .arg(&out)
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let (_never, waiter) = std::sync::mpsc::channel::<()>();
    let _ = waiter.recv_timeout(Duration::from_secs(4));
    assert!(
        std::process::Command::new("kill")
            .args(["-INT", &child.id().to_string()])
            .status()
            .unwrap()
            .success()
    );
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130), "{}", stderr(&output));
    let written = room.read("spreads.jsonl");
    let n = written.lines().count();
    assert!(
        (1..199).contains(&n),
        "{n} windows of 200 seconds at ten times the pace"
    );
    assert!(
        written
            .lines()
            .all(|line| serde_json::from_str::<serde_json::Value>(line).is_ok())
    );
}
