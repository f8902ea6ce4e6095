//! What is written is what is read, in order, promptly, and no faster than it is taken.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use kafka_io::{
    ConsumerOptions, Event, KafkaError, ProducerOptions, Record, Start, State, testing,
};

use crate::support::{
    PATIENCE, collect, consumer, embedded, embedded_with, eventually, producer, send,
};

#[test]
fn a_hundred_thousand_records_over_six_partitions_arrive_once_and_in_order() {
    const N: usize = 100_000;
    let (_embedded, broker) = embedded(6);
    let reader = consumer(&broker, 6, Start::Beginning);
    let writer = producer(&broker);
    let collected = std::thread::scope(|scope| {
        scope.spawn(|| {
            for n in 0..N {
                let partition = i32::try_from(n % 6).unwrap();
                send(&writer, partition, &format!("{n}"));
            }
            writer.flush(PATIENCE).unwrap();
        });
        collect(&reader, N)
    });
    assert_eq!(collected.n, N);
    for (partition, records) in &collected.records {
        let first = usize::try_from(*partition).unwrap();
        for (at, (offset, value)) in records.iter().enumerate() {
            assert_eq!(usize::try_from(*offset).unwrap(), at);
            assert_eq!(
                *value,
                (first + 6 * at).to_string(),
                "partition {partition}"
            );
        }
    }
    assert!(collected.largest_batch <= 2_000);
    let counts = writer.counts();
    assert_eq!(
        (counts.delivered, counts.failed, counts.in_flight),
        (100_000, 0, 0)
    );
    // A reader counts a batch once it has handed it over, so the last one may be counted a moment later.
    eventually("all are counted", || reader.counts().records == 100_000);
    assert_eq!(reader.counts().seen_again, 0);
}

#[test]
fn key_value_headers_and_deletions_arrive_as_they_were_sent() {
    let (_embedded, broker) = embedded(1);
    let reader = consumer(&broker, 1, Start::Beginning);
    let writer = producer(&broker);
    let headers: [(&str, &[u8]); 2] = [("stage", b"ingest"), ("error", b"\xff\x00")];
    writer
        .send(Record::new("t", 0, b"a", b"\x00\xfe").headers(&headers))
        .unwrap();
    writer
        .send(Record {
            value: None,
            ..Record::new("t", 0, b"b", b"")
        })
        .unwrap();
    writer
        .send(Record {
            key: None,
            ..Record::new("t", 0, b"", b"")
        })
        .unwrap();
    let mut seen = 0;
    while seen < 3 {
        let Some(Event::Batch(batch)) = reader.recv(PATIENCE) else {
            panic!("no batch: {reader:?}");
        };
        for message in batch.messages() {
            match seen {
                0 => {
                    assert_eq!(message.key, Some(b"a".as_slice()));
                    assert_eq!(message.value, Some(b"\x00\xfe".as_slice()));
                    assert_eq!(
                        message.headers,
                        [
                            ("stage".to_owned(), Some(b"ingest".to_vec())),
                            ("error".to_owned(), Some(b"\xff\x00".to_vec()))
                        ]
                    );
                    assert!(message.timestamp_ms.is_some());
                }
                1 => assert_eq!((message.key, message.value), (Some(b"b".as_slice()), None)),
                _ => assert_eq!((message.key, message.value), (None, Some(b"".as_slice()))),
            }
            seen += 1;
        }
    }
}

#[test]
fn a_lone_record_does_not_wait_for_a_batch_to_fill() {
    let (_embedded, broker) = embedded(1);
    let reader = consumer(&broker, 1, Start::End);
    reader.wait_ready(PATIENCE).unwrap();
    let writer = producer(&broker);
    send(&writer, 0, "warm");
    assert_eq!(collect(&reader, 1).n, 1);
    let mut fastest = Duration::MAX;
    for n in 0..10 {
        let since = Instant::now();
        send(&writer, 0, &n.to_string());
        assert_eq!(collect(&reader, 1).values(0), [n.to_string()]);
        fastest = fastest.min(since.elapsed());
    }
    eprintln!("a lone record took {fastest:?} at best");
    assert!(fastest < Duration::from_millis(300), "{fastest:?}");
}

#[test]
fn a_full_queue_makes_the_sender_wait_and_loses_nothing() {
    const N: usize = 5_000;
    let (_embedded, broker) = embedded_with(1, "queue.buffering.max.messages", "100");
    let reader = consumer(&broker, 1, Start::Beginning);
    let writer = producer(&broker);
    for n in 0..N {
        send(&writer, 0, &n.to_string());
        assert!(writer.counts().in_flight <= 100);
    }
    writer.flush(PATIENCE).unwrap();
    assert!(
        writer.counts().queue_full_waits > 0,
        "{:?}",
        writer.counts()
    );
    let collected = collect(&reader, N);
    let expected: Vec<String> = (0..N).map(|n| n.to_string()).collect();
    assert_eq!(collected.values(0), expected);
}

#[test]
fn a_stop_ends_the_wait_for_room() {
    let (embedded, broker) = embedded_with(1, "queue.buffering.max.messages", "10");
    testing::broker_down(&embedded).unwrap();
    let stop = Arc::new(AtomicBool::new(false));
    let writer = broker
        .producer(ProducerOptions::new("test").stop(&stop))
        .unwrap();
    let result = std::thread::scope(|scope| {
        let sending = scope.spawn(|| {
            loop {
                if let Err(error) = writer.send(Record::new("t", 0, b"", b"x")) {
                    return error;
                }
            }
        });
        eventually("the sender waits", || writer.counts().queue_full_waits > 0);
        stop.store(true, Ordering::Release);
        sending.join().unwrap()
    });
    assert!(matches!(result, KafkaError::Stopped(_)), "{result}");
    let flushed = writer.flush(PATIENCE).unwrap_err();
    assert!(matches!(flushed, KafkaError::Stopped(_)), "{flushed}");
    assert_eq!(
        writer.counts().in_flight,
        10,
        "what was taken is still counted"
    );
}

#[test]
fn a_full_channel_stops_the_polling() {
    let (_embedded, broker) = embedded(1);
    let options = ConsumerOptions {
        batch_records: 10,
        queue_batches: 2,
        ..ConsumerOptions::new("test").topic("t", 1, Start::Beginning)
    };
    let reader = broker.consumer(options).unwrap();
    let writer = producer(&broker);
    for n in 0..1_000 {
        send(&writer, 0, &n.to_string());
    }
    writer.flush(PATIENCE).unwrap();
    eventually("the channel is full", || reader.counts().full_waits > 0);
    assert!(reader.counts().records <= 20, "{:?}", reader.counts());
    let collected = collect(&reader, 1_000);
    assert!(collected.largest_batch <= 10);
    assert_eq!(collected.n, 1_000);
}

#[test]
fn each_partition_starts_where_it_was_told() {
    let (_embedded, broker) = embedded(2);
    let writer = producer(&broker);
    for n in 0..100 {
        send(&writer, 0, &n.to_string());
        send(&writer, 1, &n.to_string());
    }
    writer.flush(PATIENCE).unwrap();
    let options = ConsumerOptions::new("test")
        .partition("t", 0, Start::At(90))
        .partition("t", 1, Start::End);
    let reader = broker.consumer(options).unwrap();
    reader.wait_ready(PATIENCE).unwrap();
    send(&writer, 1, "new");
    let collected = collect(&reader, 11);
    assert_eq!(collected.values(0).first(), Some(&"90"));
    assert_eq!(collected.values(0).len(), 10);
    assert_eq!(collected.values(1), ["new"]);
    eventually("the position follows the batch", || {
        reader.positions()[&("t".to_owned(), 1)] == 101
    });
    eventually("it reads", || reader.state() == State::Running);
}

#[test]
fn two_clusters_in_one_process_know_nothing_of_each_other() {
    let (_a, one) = embedded(1);
    let (_b, other) = embedded(1);
    assert_ne!(one.address(), other.address());
    let reader = consumer(&other, 1, Start::Beginning);
    let (here, there) = (producer(&one), producer(&other));
    send(&here, 0, "here");
    send(&there, 0, "there");
    assert_eq!(collect(&reader, 1).values(0), ["there"]);
    assert!(!one.supports_transactions());
}

#[test]
fn a_dropped_consumer_ends_even_when_nobody_takes_its_batches() {
    let (_embedded, broker) = embedded(1);
    let options = ConsumerOptions {
        batch_records: 1,
        queue_batches: 1,
        ..ConsumerOptions::new("test").topic("t", 1, Start::Beginning)
    };
    let reader = broker.consumer(options).unwrap();
    let writer = producer(&broker);
    for n in 0..100 {
        send(&writer, 0, &n.to_string());
    }
    eventually("the channel is full", || reader.counts().full_waits > 0);
    let since = Instant::now();
    drop(reader);
    assert!(since.elapsed() < PATIENCE);
}

#[test]
fn a_dropped_producer_delivers_what_it_took() {
    let (_embedded, broker) = embedded(1);
    let reader = consumer(&broker, 1, Start::Beginning);
    let writer = producer(&broker);
    send(&writer, 0, "warm");
    writer.flush(PATIENCE).unwrap();
    for n in 0..500 {
        send(&writer, 0, &n.to_string());
    }
    drop(writer);
    assert_eq!(collect(&reader, 501).n, 501);
}

#[test]
fn a_reader_may_begin_so_many_records_before_the_end() {
    let (_embedded, broker) = embedded(1);
    let writer = producer(&broker);
    (0..100).for_each(|n| send(&writer, 0, &n.to_string()));
    writer.flush(PATIENCE).unwrap();
    let newest = consumer(&broker, 1, Start::Back(3));
    assert_eq!(collect(&newest, 3).values(0), ["97", "98", "99"]);
    let all = consumer(&broker, 1, Start::Back(1_000));
    assert_eq!(
        collect(&all, 100).n,
        100,
        "as far back as there is anything"
    );
}

#[test]
fn lag_is_told_by_partition_with_the_age_of_what_was_read() {
    const N: usize = 15_000;
    let (_embedded, broker) = embedded(2);
    let writer = producer(&broker);
    send(&writer, 0, "alone");
    for n in 0..N {
        send(&writer, 1, &format!("{n}"));
    }
    writer.flush(PATIENCE).unwrap();
    let reader = consumer(&broker, 2, Start::Beginning);
    // Nobody takes anything, so the reader stops when its channel is full.
    let lag_of = |partition| {
        reader
            .lags()
            .into_iter()
            .find(|lag| lag.partition == partition)
    };
    eventually("records wait", || {
        let behind = lag_of(1).is_some_and(|lag| lag.records.is_some_and(|records| records > 0));
        behind && reader.counts().full_waits > 0
    });
    let behind = lag_of(1).unwrap();
    let newest_ms = behind.newest_ms.unwrap();
    assert_eq!(behind.behind_ms(newest_ms + 1_500), Some(1_500));
    assert_eq!(
        behind.behind_ms(newest_ms - 1),
        Some(0),
        "clocks may differ"
    );
    assert_eq!(collect(&reader, N + 1).n, N + 1);
    eventually("all is read", || reader.lag() == Some(0));
    let lags = reader.lags();
    assert_eq!(lags.len(), 2);
    assert!(lags.iter().all(|lag| lag.newest_ms.is_some()), "{lags:?}");
    assert!(
        lags.iter().all(|lag| lag.behind_ms(i64::MAX) == Some(0)),
        "{lags:?}"
    );
}
