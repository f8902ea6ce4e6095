//! `lockstep alert` killed at fifty random moments: nothing is lost, and what stands twice says so.
//!
//! This process is the broker and Discord; windows keep coming while the alerter is killed and started again. Answers of
//! Discord come late, so that many of the kills fall between a message being kept and its record.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::Write;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use contract::decimal::Decimal;
use contract::spread::{Best, Figures, Quality, Route, Spread};
use contract::topic;
use kafka_io::{Broker, EmbeddedBroker, Producer, ProducerOptions, Record, TopicSpec};
use serde_json::Value;
use simulator::discord::{Discord, Fault, Limits, Request};

use crate::fixture::{Chance, Room, command, pause};
use crate::told;

const SEED: u64 = 20_241_121;
const KILLS: u64 = 50;
const PAIRS: i64 = 6;
/// A second of event time goes by in so much of ours.
const SECOND: Duration = Duration::from_millis(40);
/// Only a hang reaches it.
const PATIENCE: Duration = Duration::from_secs(120);
const FIRST_S: i64 = 1_723_161_254;

/// A record of `spreads` of one route.
pub(crate) fn window(pair: &str, start_s: i64, is_above: bool) -> Vec<u8> {
    let net_bps = if is_above { 20.0 } else { -20.0 };
    let spread = Spread {
        v: Default::default(),
        pair: pair.into(),
        start_ms: start_s * 1000,
        end_ms: (start_s + 1) * 1000,
        quality: Quality::Ok,
        late: 0,
        legs: Vec::new(),
        routes: vec![Route {
            buy: "binance".into(),
            sell: "coinbase".into(),
            quality: Quality::Ok,
            end: Some(Figures {
                gross_bps: net_bps + 70.0,
                net_bps,
            }),
            best: Some(Best {
                gross_bps: net_bps + 70.0,
                net_bps,
                size: Some(Decimal::parse("0.7").unwrap()),
                at_ns: start_s * 1_000_000_000,
            }),
            positive_ns: if is_above { 1_000_000_000 } else { 0 },
        }],
    };
    serde_json::to_vec(&spread).unwrap()
}

/// Publishes windows of all pairs, a second of event time after the other, until told to end; gives the episodes that must
/// follow, with how many windows each has.
fn feed(producer: &Producer, end: &AtomicBool) -> BTreeMap<String, u64> {
    let mut chance = Chance(SEED);
    let mut expected = BTreeMap::new();
    // By pair: for how long it stays as it is, and since when it is above, if it is.
    let mut states: Vec<(u64, Option<i64>)> = vec![(1, None); usize::try_from(PAIRS).unwrap()];
    let mut second = FIRST_S;
    while !end.load(Ordering::SeqCst) || states.iter().any(|(_, since)| since.is_some()) {
        for (n, (left, since)) in states.iter_mut().enumerate() {
            if *left == 0 {
                *since = match since {
                    Some(_) => None,
                    None if end.load(Ordering::SeqCst) => None,
                    None => Some(second),
                };
                *left = 1 + chance.next(if since.is_some() { 5 } else { 20 });
            }
            *left -= 1;
            let pair = format!("P{n}-USD");
            if let Some(since) = since {
                *expected
                    .entry(format!("{pair}/binance/coinbase/{}", *since * 1000))
                    .or_insert(0) += 1;
            }
            let key = pair.as_bytes();
            let line = window(&pair, second, since.is_some());
            let partition = topic::SPREADS.partition_of(key);
            producer
                .send(Record::new(topic::SPREADS.name, partition, key, &line))
                .unwrap();
        }
        second += 1;
        pause(SECOND);
    }
    for n in 0..PAIRS {
        let pair = format!("P{n}-USD");
        let partition = topic::SPREADS.partition_of(pair.as_bytes());
        let line = window(&pair, second, false);
        producer
            .send(Record::new(
                topic::SPREADS.name,
                partition,
                pair.as_bytes(),
                &line,
            ))
            .unwrap();
    }
    producer.flush(PATIENCE).unwrap();
    expected
}

fn start(broker: &Broker, discord: &Discord, log: &File) -> Child {
    let mut command: Command = command();
    command
        .args([
            "alert",
            "--start",
            "beginning",
            "--broker",
            broker.address(),
        ])
        .env("LOCKSTEP_ALERTER__WEBHOOK_URL", discord.url())
        .env("LOCKSTEP_ALERTER__UPDATE_INTERVAL_MS", "100")
        .env("LOCKSTEP_ALERTER__COOLDOWN_MS", "3000")
        .env("LOCKSTEP_LOG", "trace")
        .stdout(Stdio::from(log.try_clone().unwrap()))
        .stderr(Stdio::from(log.try_clone().unwrap()));
    command.spawn().unwrap()
}

/// What the log says above trace, its last lines.
fn last_words(log: &str) -> String {
    let lines: Vec<&str> = log.lines().filter(|line| !line.contains("TRACE")).collect();
    lines[lines.len().saturating_sub(20)..].join("\n")
}

#[test]
#[cfg(unix)]
fn killed_at_fifty_random_moments_nothing_is_lost_and_repeats_are_marked() {
    let topics: Vec<TopicSpec> = topic::ALL.iter().map(TopicSpec::from).collect();
    let inside = EmbeddedBroker::start(&topics).unwrap();
    let broker = Broker::Embedded(inside);
    let discord = Discord::start(Limits::default().faster(20)).unwrap();
    discord.always(Some(Fault::Late(Duration::from_millis(30))));
    let room = Room::new();
    let log = File::create(room.path("log")).unwrap();
    let end = Arc::new(AtomicBool::new(false));
    let feeding = {
        let (broker, end) = (broker.clone(), Arc::clone(&end));
        std::thread::spawn(move || {
            let producer = broker.producer(ProducerOptions::new("feed")).unwrap();
            feed(&producer, &end)
        })
    };

    let mut chance = Chance(SEED + 1);
    for _ in 0..KILLS {
        let mut child = start(&broker, &discord, &log);
        pause(Duration::from_millis(150 + chance.next(900)));
        child.kill().unwrap();
        assert_eq!(
            child.wait().unwrap().code(),
            None,
            "it was killed, and had not ended before"
        );
    }
    end.store(true, Ordering::SeqCst);
    let expected = feeding.join().unwrap();
    assert!(expected.len() > 100, "{} episodes", expected.len());

    let child = start(&broker, &discord, &log);
    let since = Instant::now();
    let told = loop {
        let alerts = told::alerts(&broker);
        let is_done = |alert: &Value| alert["state"] == "closed" && alert["delivery"] == "sent";
        if alerts.len() >= expected.len() && alerts.values().all(is_done) {
            break alerts;
        }
        assert!(
            since.elapsed() < PATIENCE,
            "seed {SEED}: {} of {} episodes, {:?}; the log ends with\n{}",
            alerts.len(),
            expected.len(),
            alerts.values().find(|alert| !is_done(alert)),
            last_words(&room.read("log"))
        );
        pause(Duration::from_millis(100));
    };
    let interrupted = Command::new("kill")
        .args(["-INT", &child.id().to_string()])
        .status()
        .unwrap();
    assert!(interrupted.success());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130));

    // Nothing is lost, nothing is made up, and every window counts once.
    let ids: BTreeSet<&String> = told.keys().collect();
    assert_eq!(ids, expected.keys().collect(), "seed {SEED}");
    for (id, windows) in &expected {
        assert_eq!(told[id]["windows"], *windows, "seed {SEED}: {}", told[id]);
    }

    // What stands twice says so in the message and on the topic.
    let (repeats, marks) = told::once_or_marked(&told, &discord).unwrap_or_else(|fault| {
        panic!("seed {SEED}: {fault}");
    });
    let mut last_opened = BTreeMap::<String, i64>::new();
    // In order per pair, by their first telling.
    let mut seen = BTreeSet::new();
    let mut history = BTreeMap::<String, Vec<String>>::new();
    let kept = |request: &&Request| request.status == Some(200) || request.status.is_none();
    for request in discord.requests().iter().filter(kept) {
        for id in told::footers(&request.body) {
            let (series, opened) = id.rsplit_once('/').unwrap();
            let history = history.entry(series.to_owned()).or_default();
            history.push(format!(
                "{:?} {:?} {opened} in {:?}",
                request.at, request.kind, request.message_id
            ));
            if seen.insert(id.clone()) {
                let opened: i64 = opened.parse().unwrap();
                let before = last_opened.insert(series.to_owned(), opened);
                assert!(
                    before.is_none_or(|before| before < opened),
                    "seed {SEED}: {id} was told late\n{}",
                    history.join("\n")
                );
            }
        }
    }
    drop(log);
    let log = room.read("log");
    assert!(
        !log.contains(discord.token()),
        "the token stands in the log"
    );
    let _ = writeln!(
        std::io::stderr(),
        "{} episodes in {} messages, {KILLS} kills: {repeats} repeats, {marks} marked",
        told.len(),
        discord.messages().len()
    );
}

#[test]
fn a_test_message_arrives_or_says_why_not_and_never_shows_the_token() {
    let discord = Discord::start(Limits::default()).unwrap();
    let run = |url: &str| {
        command()
            .args(["alert", "--test"])
            .env("LOCKSTEP_ALERTER__WEBHOOK_URL", url)
            .env("LOCKSTEP_LOG", "trace")
            .output()
            .unwrap()
    };
    let arrived = run(&discord.url());
    assert!(arrived.status.success());
    assert_eq!(discord.messages().len(), 1);
    discord.next([Fault::Status(404)]);
    let refused = run(&discord.url());
    discord.next([Fault::Cut]);
    let cut = run(&discord.url());
    let nobody = format!("http://127.0.0.1:1/api/webhooks/1/{}", discord.token());
    let away = run(&nobody);
    let wrong = run(&format!("ftp://127.0.0.1/{}", discord.token()));
    for (output, code) in [(&refused, 1), (&cut, 1), (&away, 1), (&wrong, 2)] {
        assert_eq!(output.status.code(), Some(code), "{output:?}");
        assert!(!output.stderr.is_empty());
    }
    assert_eq!(run("").status.code(), Some(2), "no webhook is set");
    for output in [&arrived, &refused, &cut, &away, &wrong] {
        let shown = [output.stdout.as_slice(), &output.stderr].concat();
        assert!(!String::from_utf8_lossy(&shown).contains(discord.token()));
    }
}
