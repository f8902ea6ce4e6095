//! Reading up to an offset and no further.

use kafka_io::{ConsumerOptions, KafkaError, Start, State};

use crate::support::{PATIENCE, collect, consumer, embedded, eventually, producer, send};

#[test]
fn reading_ends_exactly_at_the_offsets_that_were_set() {
    let (_embedded, broker) = embedded(2);
    let writer = producer(&broker);
    for n in 0..1_000 {
        send(&writer, 0, &n.to_string());
        send(&writer, 1, &n.to_string());
    }
    writer.flush(PATIENCE).unwrap();
    let reader = consumer(&broker, 2, Start::Beginning);
    reader.stop_at([("t", 0, 700), ("t", 1, 1)]).unwrap();
    let collected = collect(&reader, usize::MAX);
    assert!(collected.ended, "{collected:?}");
    assert_eq!(collected.values(0).len(), 700);
    assert_eq!(collected.values(0).last(), Some(&"699"));
    assert_eq!(collected.values(1), ["0"]);
    assert_eq!(reader.state(), State::Ended);
    assert!(reader.events().recv().is_err(), "nothing follows the end");
}

#[test]
fn the_stop_may_be_set_when_everything_has_been_read() {
    let (_embedded, broker) = embedded(1);
    let reader = consumer(&broker, 1, Start::Beginning);
    let writer = producer(&broker);
    for n in 0..100 {
        send(&writer, 0, &n.to_string());
    }
    writer.flush(PATIENCE).unwrap();
    assert_eq!(collect(&reader, 100).n, 100);
    let ends = broker.end_offsets("t", PATIENCE).unwrap();
    assert_eq!(ends[&0], 100);
    reader.stop_at([("t", 0, ends[&0])]).unwrap();
    let rest = collect(&reader, usize::MAX);
    assert!(rest.ended && rest.n == 0, "{rest:?}");
}

#[test]
fn an_empty_topic_read_to_its_end_ends_at_once() {
    let (_embedded, broker) = embedded(3);
    let reader = consumer(&broker, 3, Start::Beginning);
    reader.stop_at_end();
    let all = collect(&reader, usize::MAX);
    assert!(all.ended && all.n == 0, "{all:?}");
}

#[test]
fn reading_to_the_end_of_now_leaves_what_comes_later() {
    let (_embedded, broker) = embedded(1);
    let writer = producer(&broker);
    for n in 0..100 {
        send(&writer, 0, &n.to_string());
    }
    writer.flush(PATIENCE).unwrap();
    let reader = consumer(&broker, 1, Start::Beginning);
    reader.stop_at_end();
    let all = collect(&reader, usize::MAX);
    assert!(all.ended);
    assert_eq!(all.n, 100);
}

#[test]
fn one_partition_without_a_stop_keeps_the_reader_going() {
    let (_embedded, broker) = embedded(2);
    let reader = consumer(&broker, 2, Start::Beginning);
    let writer = producer(&broker);
    reader.stop_at([("t", 0, 1)]).unwrap();
    send(&writer, 0, "in");
    send(&writer, 0, "out");
    send(&writer, 1, "one");
    writer.flush(PATIENCE).unwrap();
    let first = collect(&reader, 2);
    assert_eq!(
        (first.values(0), first.values(1)),
        (vec!["in"], vec!["one"])
    );
    send(&writer, 1, "two");
    assert_eq!(collect(&reader, 1).values(1), ["two"]);
    reader.stop_at([("t", 1, 2)]).unwrap();
    assert!(collect(&reader, usize::MAX).ended);
}

#[test]
fn a_stop_for_a_partition_that_is_not_read_is_refused() {
    let (_embedded, broker) = embedded(2);
    let reader = broker
        .consumer(ConsumerOptions::new("test").partition("t", 1, Start::Beginning))
        .unwrap();
    let error = reader.stop_at([("t", 1, 0), ("t", 0, 5)]).unwrap_err();
    assert_eq!(
        error,
        KafkaError::NotAssigned {
            topic: "t".to_owned(),
            partition: 0
        }
    );
    reader.wait_ready(PATIENCE).unwrap();
    eventually("it reads on, since nothing was set", || {
        reader.state() == State::Running
    });
}
