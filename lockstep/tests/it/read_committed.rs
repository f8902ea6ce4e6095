//! Those who read `spreads` on a real Kafka see what is committed and nothing else.

use std::process::{Child, Stdio};
use std::time::Duration;

use contract::topic;
use kafka_io::{Broker, Record, TransactionOptions, TransactionalProducer};

use crate::alerter_killed::window;
use crate::exactly_once::{eventually, take_turn};
use crate::fixture::{command, pause, run};
use crate::told;
use crate::topics::{Topics, cluster, prove_isolation};

/// Dropped, it is killed.
struct Alerter(Child);

impl Drop for Alerter {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn alerter(broker: &Broker) -> Alerter {
    let mut command = command();
    command.args(["alert", "--start", "end", "--broker", broker.address()]);
    let command = command.stdout(Stdio::null()).stderr(Stdio::null());
    Alerter(command.spawn().unwrap())
}

/// Two windows that are worth an alert.
fn send(producer: &mut TransactionalProducer, pair: &str, start_s: i64) {
    for start_s in [start_s, start_s + 1] {
        let line = window(pair, start_s, true);
        let partition = topic::SPREADS.partition_of(pair.as_bytes());
        let record = Record::new(topic::SPREADS.name, partition, pair.as_bytes(), &line);
        producer.send(record).unwrap();
    }
    producer.deliver().unwrap();
}

#[test]
fn on_a_real_kafka_alerter_and_dashboard_see_nothing_that_was_aborted_or_is_not_committed() {
    let Some(broker) = cluster() else { return };
    let _turn = take_turn();
    prove_isolation(&broker);
    let topics = Topics::new(&broker);
    let start_s = i64::try_from(topics.after_ns() / 1_000_000_000).unwrap();
    let run_of = std::hash::BuildHasher::hash_one(&std::hash::RandomState::new(), 0);
    let pair = |what: &str| format!("{what}{run_of:x}-USD");
    let _alerter = alerter(&broker);
    let producer = |name: &str| {
        let options = TransactionOptions {
            name: "test".to_owned(),
            id: format!("test-{name}-{run_of:x}"),
            group: "test".to_owned(),
            timeout: Duration::from_secs(60),
            stop: std::sync::Arc::default(),
        };
        broker.transactional_producer(options).unwrap()
    };
    let mut first = producer("first");
    // So that it is known to be reading: before, it may begin behind whatever is written.
    eventually("the alerter tells what is committed", || {
        first.begin().unwrap();
        send(&mut first, &pair("KEPT"), start_s);
        first.commit(&[]).unwrap();
        has_alert(&broker, &pair("KEPT"))
    });
    first.begin().unwrap();
    send(&mut first, &pair("ABORTED"), start_s);
    first.abort().unwrap();
    let mut second = producer("second");
    second.begin().unwrap();
    send(&mut second, &pair("OPEN"), start_s);
    // Another partition than that of the open one, behind which nothing is read.
    let open_in = topic::SPREADS.partition_of(pair("OPEN").as_bytes());
    let behind = (0..)
        .map(|n| pair(&format!("BEHIND{n}")))
        .find(|pair| topic::SPREADS.partition_of(pair.as_bytes()) != open_in)
        .unwrap();
    first.begin().unwrap();
    send(&mut first, &behind, start_s);
    first.commit(&[]).unwrap();
    eventually("what follows is told", || has_alert(&broker, &behind));
    assert!(!has_alert(&broker, &pair("ABORTED")));
    assert!(!has_alert(&broker, &pair("OPEN")));
    let mut shown = String::new();
    eventually("the dashboard shows what is committed", || {
        let args = ["dashboard", "--once", "--broker", broker.address()];
        let more = ["--pair", &behind, "--size", "200x60"];
        shown = String::from_utf8(run(args.into_iter().chain(more)).stdout).unwrap();
        assert!(
            !shown.contains("ABORTED") && !shown.contains("OPEN"),
            "{shown}"
        );
        shown.contains("BEHIND")
    });
    second.commit(&[]).unwrap();
    eventually("what was open is told once it is committed", || {
        has_alert(&broker, &pair("OPEN"))
    });
    assert!(!has_alert(&broker, &pair("ABORTED")));
}

#[test]
fn on_a_real_kafka_a_second_alerter_ends_the_first() {
    let Some(broker) = cluster() else { return };
    let _turn = take_turn();
    let topics = Topics::new(&broker);
    let start_s = i64::try_from(topics.after_ns() / 1_000_000_000).unwrap();
    let mut first = alerter(&broker);
    pause(Duration::from_secs(2));
    assert_eq!(first.0.try_wait().unwrap(), None);
    let mut second = alerter(&broker);
    // Positions move with windows, and whoever would keep them finds that somebody else does.
    let producer = broker
        .producer(kafka_io::ProducerOptions::new("test"))
        .unwrap();
    let mut code = None;
    let mut seconds = 0..;
    eventually("the first ends", || {
        let line = window("QUIET-USD", start_s + seconds.next().unwrap(), false);
        let partition = topic::SPREADS.partition_of(b"QUIET-USD");
        let record = Record::new(topic::SPREADS.name, partition, b"QUIET-USD", &line);
        producer.send(record).unwrap();
        code = first.0.try_wait().unwrap();
        code.is_some()
    });
    assert_eq!(code.unwrap().code(), Some(4));
    assert_eq!(second.0.try_wait().unwrap(), None);
}

fn has_alert(broker: &Broker, pair: &str) -> bool {
    let alerts = told::alerts(broker);
    alerts.values().any(|alert| alert["pair"] == pair)
}
