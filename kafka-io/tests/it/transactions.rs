//! Transactions, on a real Kafka since the embedded broker isolates nothing; and that it is refused for that.

use std::time::Duration;

use kafka_io::{
    Broker, ConsumerOptions, KafkaError, KafkaSettings, Position, Record, Start,
    TransactionOptions, TransactionalProducer,
};

use crate::real_kafka::{cluster, topic};
use crate::support::{PATIENCE, collect, embedded};

fn options(id: &str) -> TransactionOptions {
    TransactionOptions {
        name: "test".to_owned(),
        id: id.to_owned(),
        group: format!("{id}-group"),
        timeout: Duration::from_secs(10),
        stop: std::sync::Arc::default(),
    }
}

fn start(broker: &Broker, id: &str) -> TransactionalProducer {
    broker.transactional_producer(options(id)).unwrap()
}

fn send(producer: &mut TransactionalProducer, topic: &str, value: &str) {
    producer
        .send(Record::new(topic, 0, b"key", value.as_bytes()))
        .unwrap();
}

/// What a reader of committed records finds.
fn read(broker: &Broker, topic: &str) -> Vec<String> {
    let options = ConsumerOptions::new("test").topic(topic, 1, Start::Beginning);
    let reader = broker.consumer(options).unwrap();
    let end = broker.end_offsets(topic, PATIENCE).unwrap()[&0];
    reader.stop_at([(topic, 0, end)]).unwrap();
    let collected = collect(&reader, usize::MAX);
    assert!(collected.ended, "{reader:?}");
    collected.values(0).into_iter().map(str::to_owned).collect()
}

fn position(topic: &str, next: i64, note: &str) -> Position {
    Position {
        topic: topic.to_owned(),
        partition: 0,
        next,
        note: note.to_owned(),
    }
}

#[test]
fn the_embedded_broker_is_refused_whichever_way_it_is_reached() {
    let (_keep, broker) = embedded(1);
    let refused = broker.transactional_producer(options("a")).unwrap_err();
    assert_eq!(refused, KafkaError::NoTransactions);
    let by_address = Broker::Cluster(KafkaSettings::new(broker.address()));
    let refused = by_address.transactional_producer(options("a")).unwrap_err();
    assert_eq!(refused, KafkaError::NoTransactions);
    assert!(!refused.is_retryable());
}

#[test]
fn a_stop_ends_the_wait_for_a_broker_that_is_away() {
    let (keep, broker) = embedded(1);
    let nobody = Broker::Cluster(KafkaSettings::new(broker.address()));
    kafka_io::testing::broker_down(&keep).unwrap();
    let options = options("a");
    options
        .stop
        .store(true, std::sync::atomic::Ordering::Release);
    let stopped = nobody.transactional_producer(options).unwrap_err();
    assert!(matches!(stopped, KafkaError::Stopped(_)), "{stopped}");
}

#[test]
fn a_real_kafka_commits_records_and_positions_together_or_not_at_all() {
    let Some(broker) = cluster() else { return };
    let name = topic(&broker, 1);
    let mut producer = start(&broker, &name);
    assert!(producer.committed(&name, &[0]).unwrap().is_empty());
    producer.begin().unwrap();
    send(&mut producer, &name, "a");
    let ticket = producer
        .send_with_ticket(Record::new(&name, 0, b"key", b"b"))
        .unwrap();
    producer.deliver().unwrap();
    assert_eq!(producer.offset_of(ticket), Some(1));
    let first = position(&name, 7, r#"{"closed_ns":null}"#);
    producer.commit(std::slice::from_ref(&first)).unwrap();
    assert_eq!(producer.committed(&name, &[0]).unwrap()[&0], first);

    producer.begin().unwrap();
    send(&mut producer, &name, "thrown away");
    producer.deliver().unwrap();
    producer.abort().unwrap();
    assert_eq!(producer.committed(&name, &[0]).unwrap()[&0], first);

    producer.begin().unwrap();
    send(&mut producer, &name, "c");
    let second = position(&name, 9, "");
    producer.commit(std::slice::from_ref(&second)).unwrap();
    assert_eq!(producer.committed(&name, &[0]).unwrap()[&0], second);
    assert_eq!(read(&broker, &name), ["a", "b", "c"]);
}

#[test]
fn a_real_kafka_fences_the_earlier_of_two_with_one_id_and_aborts_what_it_left_open() {
    let Some(broker) = cluster() else { return };
    let name = topic(&broker, 1);
    let mut earlier = start(&broker, &name);
    earlier.begin().unwrap();
    send(&mut earlier, &name, "of the earlier");
    earlier.deliver().unwrap();
    let mut later = start(&broker, &name);
    later.begin().unwrap();
    send(&mut later, &name, "of the later");
    later.commit(&[position(&name, 1, "")]).unwrap();
    send(&mut earlier, &name, "too late");
    let fenced = earlier.commit(&[position(&name, 2, "")]).unwrap_err();
    assert!(matches!(fenced, KafkaError::Fenced { .. }), "{fenced}");
    assert!(matches!(
        earlier.serve().unwrap_err(),
        KafkaError::Fenced { .. }
    ));
    assert_eq!(later.committed(&name, &[0]).unwrap()[&0].next, 1);
    assert_eq!(read(&broker, &name), ["of the later"]);
}

#[test]
fn a_real_kafka_that_refuses_a_record_leaves_a_transaction_that_can_only_be_aborted() {
    let Some(broker) = cluster() else { return };
    let name = topic(&broker, 1);
    let mut producer = start(&broker, &name);
    producer.begin().unwrap();
    send(&mut producer, &name, "before");
    producer
        .send(Record::new("no-such-topic", 0, b"key", b"value"))
        .unwrap();
    let failed = producer.commit(&[]).unwrap_err();
    assert!(matches!(failed, KafkaError::MustAbort { .. }), "{failed}");
    producer.abort().unwrap();
    producer.begin().unwrap();
    send(&mut producer, &name, "after");
    producer.commit(&[]).unwrap();
    assert_eq!(read(&broker, &name), ["after"]);
}
