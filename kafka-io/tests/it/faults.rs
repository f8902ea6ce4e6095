//! Brokers that are away, at the start and in the middle, and errors that they answer.

use std::collections::BTreeSet;
use std::time::Duration;

use kafka_io::testing::{self, Fault, Request};
use kafka_io::{
    Broker, ConsumerOptions, KafkaError, KafkaSettings, Link, ProducerOptions, Record, Start, State,
};

use crate::support::{
    PATIENCE, collect, consumer, embedded, embedded_with, eventually, producer, send,
};

#[test]
fn a_broker_away_in_the_middle_is_waited_for_and_nothing_is_lost_or_twice() {
    let (embedded, broker) = embedded(2);
    let reader = consumer(&broker, 2, Start::Beginning);
    let writer = producer(&broker);
    let both = |from: usize, to: usize| {
        for n in from..to {
            send(&writer, i32::try_from(n % 2).unwrap(), &n.to_string());
        }
    };
    both(0, 1_000);
    // Nothing is under way when it goes: this broker knows no duplicates, see `kafka_io::embedded`.
    writer.flush(PATIENCE).unwrap();
    assert_eq!(collect(&reader, 1_000).n, 1_000);
    testing::broker_down(&embedded).unwrap();
    eventually("the producer shows it", || !writer.connected());
    eventually("the consumer shows it", || {
        matches!(reader.state(), State::Waiting { .. })
    });
    let Link::Waiting { reason, .. } = writer.link() else {
        panic!("shown as up");
    };
    assert!(!reason.is_empty());
    both(1_000, 3_000);
    assert_eq!(writer.counts().in_flight, 2_000);
    let away = writer.flush(Duration::from_millis(50)).unwrap_err();
    assert!(
        matches!(
            away,
            KafkaError::Remaining {
                remaining: 2_000,
                ..
            }
        ) && away.is_retryable(),
        "{away}"
    );
    testing::broker_up(&embedded).unwrap();
    writer.flush(PATIENCE).unwrap();
    let collected = collect(&reader, 2_000);
    for partition in [0, 1] {
        let expected: Vec<String> = (1_000..3_000)
            .filter(|n| n % 2 == partition)
            .map(|n| n.to_string())
            .collect();
        assert_eq!(collected.values(partition), expected);
    }
    assert!(writer.connected());
    eventually("the consumer shows it", || reader.state() == State::Running);
    assert!(
        reader.recv(Duration::from_millis(100)).is_none(),
        "nothing twice"
    );
}

#[test]
fn a_broker_that_comes_and_goes_while_records_flow_loses_none() {
    const N: usize = 20_000;
    let (embedded, broker) = embedded(1);
    let reader = consumer(&broker, 1, Start::Beginning);
    let writer = producer(&broker);
    let seen = std::thread::scope(|scope| {
        scope.spawn(|| {
            for n in 0..N {
                send(&writer, 0, &n.to_string());
                if n % 5_000 == 2_500 {
                    testing::broker_down(&embedded).unwrap();
                }
                if n % 5_000 == 4_999 {
                    testing::broker_up(&embedded).unwrap();
                }
            }
            writer.flush(PATIENCE).unwrap();
        });
        // This broker may hold a retried record twice; what matters here is that every one arrives.
        let mut seen = BTreeSet::new();
        let mut n = 0;
        while seen.len() < N {
            let collected = collect(&reader, 1);
            assert_eq!(collected.failed, None);
            n += collected.n;
            seen.extend(
                collected
                    .values(0)
                    .iter()
                    .map(|value| value.parse::<usize>().unwrap()),
            );
        }
        eprintln!(
            "{} of {N} stood twice on the embedded broker",
            n - seen.len()
        );
        seen
    });
    assert_eq!(seen, (0..N).collect());
    assert_eq!(writer.counts().failed, 0);
}

#[test]
fn a_broker_away_at_the_start_is_waited_for() {
    let (embedded, broker) = embedded(1);
    testing::broker_down(&embedded).unwrap();
    let reader = consumer(&broker, 1, Start::Beginning);
    let writer = producer(&broker);
    for n in 0..100 {
        send(&writer, 0, &n.to_string());
    }
    eventually("both say why", || {
        let shown = |reason: &str| reason.contains("refused") || reason.contains("down");
        matches!(reader.state(), State::Waiting { reason, .. } if shown(&reason))
            && matches!(writer.link(), Link::Waiting { reason, .. } if shown(&reason))
    });
    let error = reader.wait_ready(Duration::from_millis(20)).unwrap_err();
    assert!(matches!(error, KafkaError::Away { .. }), "{error}");
    testing::broker_up(&embedded).unwrap();
    assert_eq!(collect(&reader, 100).n, 100);
    eventually("it reads", || reader.state() == State::Running);
}

#[test]
fn a_topic_that_is_not_there_yet_is_waited_for() {
    let (_embedded, broker) = embedded(1);
    let reader = broker
        .consumer(ConsumerOptions::new("test").topic("later", 1, Start::Beginning))
        .unwrap();
    eventually(
        "it says what is missing",
        || matches!(reader.state(), State::Waiting { reason, .. } if reason.contains("topic `later` does not exist")),
    );
    broker
        .ensure_topics(&[kafka_io::TopicSpec::new("later", 1)], PATIENCE)
        .unwrap();
    let writer = producer(&broker);
    writer.send(Record::new("later", 0, b"", b"x")).unwrap();
    assert_eq!(collect(&reader, 1).n, 1);
}

#[test]
fn a_record_for_a_topic_that_is_not_there_fails_and_creates_none() {
    let (_embedded, broker) = embedded_with(1, "topic.metadata.propagation.max.ms", "100");
    let writer = producer(&broker);
    let sent = writer.send(Record::new("misspelt", 0, b"", b"x"));
    let error = sent.and_then(|()| writer.flush(PATIENCE)).unwrap_err();
    assert!(
        matches!(error, KafkaError::Undelivered { count: 1, .. }),
        "{error}"
    );
    assert!(
        !broker
            .health(PATIENCE)
            .unwrap()
            .topics
            .contains_key("misspelt")
    );
}

#[test]
fn a_partition_that_is_not_there_is_an_error() {
    let (_embedded, broker) = embedded(2);
    let reader = consumer(&broker, 3, Start::Beginning);
    assert_eq!(
        collect(&reader, 1).failed,
        Some(KafkaError::UnknownPartition {
            topic: "t".to_owned(),
            partition: 2,
            partitions: 2
        })
    );
    let writer = producer(&broker);
    // The library may find out at once or only when the topic's partitions are known.
    let sent = writer.send(Record::new("t", 7, b"", b"x"));
    let outcome = sent.and_then(|()| writer.flush(PATIENCE));
    assert!(outcome.is_err());
}

#[test]
fn passing_errors_of_the_broker_are_retried() {
    let (embedded, broker) = embedded(1);
    let reader = consumer(&broker, 1, Start::Beginning);
    let writer = producer(&broker);
    testing::request_errors(
        &embedded,
        Request::Produce,
        &[Fault::NotLeader, Fault::Storage],
    )
    .unwrap();
    testing::request_errors(
        &embedded,
        Request::Fetch,
        &[Fault::NotLeader, Fault::Storage],
    )
    .unwrap();
    for n in 0..100 {
        send(&writer, 0, &n.to_string());
    }
    writer.flush(PATIENCE).unwrap();
    let collected = collect(&reader, 100);
    assert_eq!(collected.failed, None);
    assert_eq!(collected.n, 100);
}

#[test]
fn a_record_that_the_broker_refuses_is_counted_kept_and_told_once() {
    let (embedded, broker) = embedded_with(1, "linger.ms", "0");
    let writer = producer(&broker);
    testing::request_errors(&embedded, Request::Produce, &[Fault::NotAuthorized]).unwrap();
    send(&writer, 0, "x");
    let error = writer.flush(PATIENCE).unwrap_err();
    let KafkaError::Undelivered { count: 1, last } = &error else {
        panic!("{error}");
    };
    assert!(last.contains("`t` partition 0"), "{last}");
    assert_eq!(writer.counts().failed, 1);
    assert_eq!(writer.last_failure().as_ref(), Some(last));
    writer.flush(PATIENCE).unwrap();
}

#[test]
fn a_record_that_is_too_large_is_an_error_and_not_silence() {
    let (_embedded, broker) = embedded(1);
    let writer = producer(&broker);
    let large = vec![b'x'; 2_000_000];
    let error = writer
        .send(Record::new("t", 0, b"key", &large))
        .unwrap_err();
    assert_eq!(
        error,
        KafkaError::TooLarge {
            topic: "t".to_owned(),
            bytes: 2_000_003
        }
    );
    assert_eq!(writer.counts(), kafka_io::ProducerCounts::default());
}

#[test]
fn nobody_at_the_address_is_said_with_the_address_and_the_reason() {
    // Port 9 of loopback: nobody listens there.
    let broker = Broker::Cluster(KafkaSettings::new("127.0.0.1:9"));
    let error = broker.health(Duration::from_millis(500)).unwrap_err();
    let text = error.to_string();
    assert!(error.is_retryable(), "{text}");
    assert!(text.contains("127.0.0.1:9"), "{text}");
    assert!(text.contains("refused"), "{text}");
}

#[test]
fn refused_settings_start_nothing() {
    let settings = KafkaSettings::new("127.0.0.1:9")
        .with("acks", "1")
        .with("isolation.level", "read_uncommitted");
    let broker = Broker::Cluster(settings);
    for error in [
        broker.producer(ProducerOptions::new("test")).unwrap_err(),
        broker.consumer(ConsumerOptions::new("test")).unwrap_err(),
        broker.health(Duration::from_millis(10)).unwrap_err(),
        broker.check_settings().unwrap_err(),
    ] {
        let text = error.to_string();
        assert!(
            text.contains("`acks`") && text.contains("`isolation.level`"),
            "{text}"
        );
    }
}
