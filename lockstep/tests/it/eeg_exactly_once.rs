//! `lockstep cerebral stream` on a real Kafka, killed again and again: every window once, with the bits of an undisturbed run.
//!
//! As `exactly_once`: without `TEST_KAFKA_BROKERS` it says so and passes.

use std::fs::File;
use std::path::Path;
use std::process::{Child, Stdio};
use std::time::Duration;

use contract::topic;
use kafka_io::{Broker, ConsumerOptions, Event, Start};
use serde_json::Value;

use crate::cerebral::table;
use crate::exactly_once::{eventually, real_kafka};
use crate::fixture::{Chance, Room, command, number, pause, run_well};

/// The settings of all runs here; a twin as early as it can be.
const SETTINGS: [&str; 8] = [
    "--twin-over",
    "20s",
    "--twin-after",
    "5s",
    "--surrogates",
    "5",
    "--seed",
    "3",
];
const RATE: [&str; 2] = ["--rate", "125"];

/// A process of ours; dropped, it is killed.
struct Running(Child);

impl Running {
    fn start(args: &[&str], stderr: &Path, deployment: &str) -> Self {
        let file = File::options().create(true).append(true).open(stderr);
        let child = command()
            .args(["cerebral", "stream", "--headless"])
            .args(args)
            .env("LOCKSTEP_WINDOWING__DEPLOYMENT", deployment)
            .env("LOCKSTEP_CEREBRAL__CHECKPOINT_INTERVAL_MS", "300")
            .env("LOCKSTEP_WINDOWING__TRANSACTION_TIMEOUT_MS", "3000")
            .stdout(Stdio::null())
            .stderr(Stdio::from(file.unwrap()))
            .spawn()
            .unwrap();
        Self(child)
    }

    fn kill(mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A state without the time of its receipt.
fn without_receipt(line: &[u8]) -> Value {
    let mut state: Value = serde_json::from_slice(line).unwrap();
    state["received_ns"] = Value::from(0);
    state
}

/// What a stream without anybody else gives of a file.
fn undisturbed(file: &str, session: &str) -> Vec<Value> {
    let fixed = [
        "cerebral",
        "stream",
        "--headless",
        "--json",
        "-",
        "--source",
    ];
    let own = [file, "--session", session, "--speed", "max"];
    let output = run_well([&fixed[..], &own, &RATE, &SETTINGS].concat());
    let lines = output.stdout.split(|byte| *byte == b'\n');
    lines
        .filter(|line| !line.is_empty())
        .map(without_receipt)
        .collect()
}

/// The committed states of a session.
fn committed(broker: &Broker, session: &str) -> Vec<Value> {
    let topic = topic::EEG_STATES;
    let partition = topic.partition_of(session.as_bytes());
    let wanted = ConsumerOptions::new("test").partition(topic.name, partition, Start::Beginning);
    let consumer = broker.consumer(wanted).unwrap();
    consumer.stop_at_end();
    let mut states = Vec::new();
    loop {
        match consumer.recv(Duration::from_secs(60)) {
            Some(Event::Batch(batch)) => states.extend(
                batch
                    .messages()
                    .filter(|message| message.key == Some(session.as_bytes()))
                    .map(|message| without_receipt(message.value.unwrap())),
            ),
            Some(Event::End) => return states,
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn on_a_real_kafka_windows_of_eeg_killed_at_random_moments_come_once_with_the_same_bits() {
    let Some((broker, _turn)) = real_kafka() else {
        return;
    };
    let room = Room::new();
    let seed = number("LOCKSTEP_TEST_SEED", 1);
    let kills = number("LOCKSTEP_TEST_KILLS", 10).min(20);
    let mut chance = Chance(seed);
    let name = format!("{seed}-{:08x}", std::process::id());
    let stderr = room.path("stderr");
    let said = || std::fs::read_to_string(&stderr).unwrap_or_default();
    let file = room.write("rhythm.csv", table(4, 125 * 40, true));
    let file = file.to_str().unwrap();
    let windows = || {
        let args = ["--broker", broker.address(), "--workers", "2"];
        let deployment = format!("test-eeg-{name}");
        Running::start(&[&args[..], &SETTINGS].concat(), &stderr, &deployment)
    };
    let mut job = windows();
    let sessions: Vec<String> = (0..3).map(|number| format!("{name}-{number}")).collect();
    let feeders: Vec<Running> = sessions
        .iter()
        .map(|session| {
            let own = ["--source", file, "--session", session, "--speed", "3x"];
            let rest = ["--broker", broker.address(), "--feed-only"];
            let args = [&own[..], &rest, &RATE].concat();
            Running::start(&args, &room.path("stderr-feed"), "none")
        })
        .collect();
    for _ in 0..kills {
        pause(Duration::from_millis(500 + chance.next(1_500)));
        assert!(job.0.try_wait().unwrap().is_none(), "{}", said());
        std::mem::replace(&mut job, windows()).kill();
    }
    for mut feeder in feeders {
        assert!(
            feeder.0.wait().unwrap().success(),
            "{}",
            room.read("stderr-feed")
        );
    }
    for session in &sessions {
        let expected = undisturbed(file, session);
        assert!(expected.len() > 30 && expected.iter().any(|state| !state["twin"].is_null()));
        let mut found = Vec::new();
        eventually("all windows are committed", || {
            found = committed(&broker, session);
            found.len() >= expected.len()
        });
        assert_eq!(
            found.len(),
            expected.len(),
            "{session}, seed {seed}\n{}",
            said()
        );
        for (found, expected) in found.iter().zip(&expected) {
            assert_eq!(found, expected, "{session}, seed {seed}\n{}", said());
        }
    }
    assert!(
        said().contains("read again up to"),
        "no kill hurt:\n{}",
        said()
    );
}
