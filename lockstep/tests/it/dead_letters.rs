//! `lockstep dead-letters`: what stands there is listed, shown, and sent again once.

use contract::dead_letter::DeadLetter;
use contract::topic;
use serde_json::Value;

use crate::exactly_once::real_kafka;
use crate::fixture::{run, run_well, stderr};
use crate::topics::Topics;
use crate::world::World;

const TICK: &str = r#"{"v":2,"kind":"quote","venue":"binance","pair":"BTC-USD"}"#;
const SPREAD: &str = r#"{"v":2,"pair":"ETH-USD"}"#;

fn letter(topic: &str, stage: &'static str, error: &str, bytes: &[u8]) -> DeadLetter {
    DeadLetter {
        topic: topic.to_owned(),
        partition: 4,
        offset: 17,
        stage,
        error: error.to_owned(),
        bytes: bytes.to_vec(),
    }
}

fn write(world: &World, letter: DeadLetter) {
    let key = letter.topic.clone();
    let (bytes, headers) = letter.into_record();
    let headers: Vec<(&str, &str)> = headers
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .collect();
    world.send((&topic::DEAD_LETTERS, 0), &key, &bytes, &headers);
}

/// A tick, a frame, a spread and a long record that was cut: offsets 0 to 3.
fn world() -> World {
    let world = World::embedded();
    write(
        &world,
        letter("ticks", "windowing", "version 2 is not 1", TICK.as_bytes()),
    );
    write(
        &world,
        letter(
            "frames/coinbase",
            "ingest",
            "frame is \u{1b}[2J no JSON",
            b"\xff\x00",
        ),
    );
    write(
        &world,
        letter("spreads", "alert", "Version 2 is not 1", SPREAD.as_bytes()),
    );
    write(
        &world,
        letter("ticks", "windowing", "too long", &vec![b'x'; 900_001]),
    );
    world
}

impl World {
    fn letters(&self, args: &[&str]) -> std::process::Output {
        let at = ["dead-letters", "--broker", self.broker.address()];
        run(at.into_iter().chain(args.iter().copied()))
    }

    fn offsets(&self, args: &[&str]) -> Vec<i64> {
        let listed = self.letters(&[&["list", "--json"], args].concat());
        assert!(listed.status.success(), "{}", stderr(&listed));
        let lines = String::from_utf8(listed.stdout).unwrap();
        let offset = |line: &str| serde_json::from_str::<Value>(line).unwrap()["offset"].as_i64();
        lines.lines().map(|line| offset(line).unwrap()).collect()
    }

    fn resend(&self, args: &[&str]) -> Value {
        let sent = self.letters(&[&["resend", "--json"], args].concat());
        assert!(sent.status.success(), "{}", stderr(&sent));
        serde_json::from_slice(&sent.stdout).unwrap()
    }
}

#[test]
fn letters_are_listed_by_every_filter_and_shown_in_full() {
    let world = world();
    assert_eq!(world.offsets(&[]), [0, 1, 2, 3]);
    assert_eq!(world.offsets(&["--topic", "ticks"]), [0, 3]);
    assert_eq!(world.offsets(&["--stage", "alert"]), [2]);
    assert_eq!(world.offsets(&["--reason", "VERSION 2"]), [0, 2]);
    assert_eq!(world.offsets(&["--venue", "coinbase"]), [1]);
    assert_eq!(
        world.offsets(&["--venue", "binance", "--topic", "ticks"]),
        [0]
    );
    assert_eq!(world.offsets(&["--since", "1h"]), [0, 1, 2, 3]);
    assert_eq!(world.offsets(&["--until", "1h"]), [0_i64; 0]);
    assert_eq!(world.offsets(&["--limit", "2"]), [2, 3]);

    let table = world.letters(&["list"]);
    let table = String::from_utf8(table.stdout).unwrap();
    assert_eq!(table.lines().count(), 5, "{table}");
    assert!(
        table.contains("frames/coinbase/4/17") && table.contains("900001"),
        "{table}"
    );
    assert!(
        !table.contains('\u{1b}'),
        "what came from outside steers no terminal"
    );

    assert_eq!(world.letters(&["show", "1", "--raw"]).stdout, b"\xff\x00");
    let shown = world.letters(&["show", "2"]);
    assert!(
        String::from_utf8(shown.stdout)
            .unwrap()
            .ends_with(&format!("\n\n{SPREAD}\n"))
    );
    let shown = world.letters(&["show", "3", "--json"]);
    let shown: Value = serde_json::from_slice(&shown.stdout).unwrap();
    assert_eq!(
        (&shown["bytes"], &shown["cut"]),
        (&900_001.into(), &true.into())
    );
    assert_eq!(shown["text"].as_str().unwrap().len(), 900_000);

    for wrong in ["4", "-1", "99999999"] {
        let absent = world.letters(&["show", "--", wrong]);
        assert_eq!(
            absent.status.code(),
            Some(3),
            "{wrong}: {}",
            stderr(&absent)
        );
    }
    assert_eq!(
        world.letters(&["list", "--since", "soon"]).status.code(),
        Some(2)
    );
    assert_eq!(world.letters(&["resend"]).status.code(), Some(2));
}

#[test]
fn a_letter_is_sent_again_once_and_only_when_that_is_confirmed() {
    let world = world();
    let asked = world.resend(&["--all"]);
    assert_eq!(
        (&asked["sent"], &asked["would_send"]),
        (&0.into(), &2.into())
    );
    assert_eq!(asked["refused"].as_object().unwrap().len(), 2, "{asked}");
    assert!(world.all(&topic::TICKS).is_empty() && world.all(&topic::SPREADS).is_empty());

    assert_eq!(world.resend(&["2", "--yes"])["to"]["spreads"], 1);
    let spreads = world.all(&topic::SPREADS);
    assert_eq!(spreads.len(), 1);
    assert_eq!(
        (spreads[0].partition, &*spreads[0].key),
        (4, &b"ETH-USD"[..])
    );
    assert_eq!(spreads[0].value, SPREAD.as_bytes());
    assert_eq!(spreads[0].header("dead_letter"), Some("2"));

    let rest = world.resend(&["--all", "--yes"]);
    assert_eq!(
        (&rest["sent"], &rest["sent_before"]),
        (&1.into(), &1.into())
    );
    assert_eq!(world.resend(&["--all", "--yes"])["sent"], 0);
    assert_eq!(world.all(&topic::TICKS)[0].value, TICK.as_bytes());
    assert_eq!(world.all(&topic::SPREADS).len(), 1);

    assert_eq!(world.resend(&["2", "--yes", "--again"])["sent"], 1);
    assert_eq!(world.all(&topic::SPREADS).len(), 2);
    let table = run_well(["dead-letters", "list", "--broker", world.broker.address()]);
    let table = String::from_utf8(table.stdout).unwrap();
    assert_eq!(table.matches(" again ").count(), 2, "{table}");
    assert_eq!(table.lines().count(), 5, "marks are no letters: {table}");
}

#[test]
fn on_a_real_kafka_record_and_mark_are_one_transaction() {
    // Others look at what comes on these topics while it is theirs.
    let Some((broker, _turn)) = real_kafka() else {
        return;
    };
    let _made = Topics::new(&broker);
    let world = World::of(broker);
    let chance = std::hash::BuildHasher::hash_one(&std::hash::RandomState::new(), 5);
    let pair = format!("R{chance:x}-USD");
    let venue = format!("v{chance:x}");
    for n in 0..450 {
        let bytes = format!(r#"{{"v":2,"n":{n},"venue":"{venue}","pair":"{pair}"}}"#);
        write(
            &world,
            letter("spreads", "alert", "version 2 is not 1", bytes.as_bytes()),
        );
    }
    let ours = |world: &World| -> Vec<Vec<u8>> {
        let all = world.all(&topic::SPREADS).into_iter();
        let ours = all.filter(|kept| kept.key == pair.as_bytes());
        ours.map(|kept| kept.value).collect()
    };
    let args = ["--all", "--venue", &venue, "--yes"];
    let sent = world.resend(&args);
    assert_eq!(sent["sent"], 450);
    let before = ours(&world);
    assert_eq!(before.len(), 450);
    assert_eq!(world.resend(&args)["sent_before"], 450);
    assert_eq!(ours(&world), before, "none twice");
    // A transaction that somebody left open hides what is committed behind it, marks included, until the brokers abort it.
    let bytes = format!(r#"{{"v":2,"n":450,"venue":"{venue}","pair":"{pair}"}}"#);
    write(
        &world,
        letter("spreads", "alert", "version 2 is not 1", bytes.as_bytes()),
    );
    let options = kafka_io::TransactionOptions {
        name: "foreign".to_owned(),
        id: format!("foreign-{chance:x}"),
        group: format!("foreign-{chance:x}"),
        timeout: std::time::Duration::from_secs(3),
        stop: std::sync::Arc::default(),
    };
    let mut foreign = world.broker.transactional_producer(options).unwrap();
    foreign.begin().unwrap();
    let record = kafka_io::Record::new(topic::DEAD_LETTERS.name, 0, b"foreign", b"{}");
    foreign.send(record).unwrap();
    foreign.deliver().unwrap();
    assert_eq!(world.resend(&args)["sent"], 1);
    assert_eq!(world.resend(&args)["sent"], 0);
    assert_eq!(ours(&world).len(), 451, "none twice");
    drop(foreign);
    // Two at once: one takes over from the other, and still none is sent twice.
    let both: Vec<_> = (0..2)
        .map(|_| {
            let args = [&args[..], &["--again"]].concat();
            let mut child = crate::fixture::command();
            child.args(["dead-letters", "resend"]).args(args);
            child.args(["--broker", world.broker.address()]);
            child.stdout(std::process::Stdio::null()).spawn().unwrap()
        })
        .collect();
    let mut ended_well = 0;
    for mut child in both {
        let code = child.wait().unwrap().code();
        assert!(matches!(code, Some(0 | 1 | 4)), "{code:?}");
        ended_well += usize::from(code == Some(0));
    }
    assert!(ended_well >= 1, "one of them sends");
    let marks = world.all(&topic::DEAD_LETTERS);
    let letters: Vec<String> = world
        .offsets(&["--venue", &venue, "--limit", "1000"])
        .into_iter()
        .map(|offset| offset.to_string())
        .collect();
    let n_marks = marks
        .iter()
        .filter(|kept| {
            kept.header("resent")
                .is_some_and(|of| letters.iter().any(|letter| letter == of))
        })
        .count();
    assert_eq!(
        n_marks,
        ours(&world).len(),
        "a mark for each record, and a record for each mark"
    );
}
