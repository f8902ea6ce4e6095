//! The embedded broker keeps 5 MiB a partition: publishers wait for readers, and what is lost is told loudly.

use std::time::Duration;

use kafka_io::{Broker, ConsumerOptions, KafkaError, KafkaSettings, Record, Start, State};

use crate::support::{
    Collected, PATIENCE, collect, collect_into, consumer, embedded, eventually, producer,
};

/// 1 KiB that begins with its number.
fn block(n: usize) -> String {
    format!("{n:<1024}")
}

#[test]
fn a_publisher_of_20_mib_waits_for_a_slow_reader_and_nothing_is_lost() {
    const N: usize = 20 * 1024;
    let (_embedded, broker) = embedded(1);
    let options = ConsumerOptions {
        batch_records: 200,
        queue_batches: 1,
        ..ConsumerOptions::new("slow").topic("t", 1, Start::Beginning)
    };
    let reader = broker.consumer(options).unwrap();
    let writer = producer(&broker);
    let collected = std::thread::scope(|scope| {
        scope.spawn(|| {
            for n in 0..N {
                let value = block(n);
                writer
                    .send(Record::new("t", 0, b"k", value.as_bytes()))
                    .unwrap();
            }
            writer.flush(PATIENCE).unwrap();
        });
        // The reader takes nothing until the publisher has to wait, then it reads in gulps.
        eventually("the publisher waits", || {
            writer.counts().delivered + writer.counts().in_flight > 1_500
        });
        let (_keep, never) = crossbeam_channel::bounded::<()>(0);
        let mut collected = Collected::default();
        while collected.n < N && collected.failed.is_none() {
            let more = (collected.n + 2_000).min(N);
            collect_into(&mut collected, &reader, more);
            assert!(never.recv_timeout(Duration::from_millis(20)).is_err());
        }
        collected
    });
    assert_eq!(collected.failed, None);
    assert_eq!(collected.n, N);
    for (at, (offset, value)) in collected.records[&0].iter().enumerate() {
        assert_eq!(usize::try_from(*offset).unwrap(), at);
        assert_eq!(*value, block(at));
    }
    assert!(writer.counts().reader_waits > 0, "{:?}", writer.counts());
}

#[test]
fn a_reader_that_comes_after_more_than_was_kept_says_data_lost() {
    let (_embedded, broker) = embedded(1);
    let writer = producer(&broker);
    for n in 0..7 * 1024 {
        let value = block(n);
        writer
            .send(Record::new("t", 0, b"k", value.as_bytes()))
            .unwrap();
    }
    writer.flush(PATIENCE).unwrap();
    assert_eq!(
        writer.counts().reader_waits,
        0,
        "nobody reads, so nobody waits"
    );
    let low = broker.watermarks("t", PATIENCE).unwrap()[&0].low;
    assert!(low > 0);
    let reader = consumer(&broker, 1, Start::Beginning);
    let lost = KafkaError::DataLost {
        topic: "t".to_owned(),
        partition: 0,
        expected: 0,
        low,
    };
    assert_eq!(collect(&reader, 1).failed, Some(lost.clone()));
    assert_eq!(reader.wait_ready(PATIENCE), Err(lost.clone()));
    assert_eq!(reader.state(), State::Failed(lost));
    let reader = consumer(&broker, 1, Start::At(low));
    assert_eq!(collect(&reader, 10).records[&0][0].0, low);
}

#[test]
fn a_reader_overtaken_in_the_middle_says_data_lost_and_hands_on_no_record_behind_the_gap() {
    let (embedded, _) = embedded(1);
    // As an outside process would: nobody holds this publisher back.
    let outside = KafkaSettings::new(embedded.address()).with("compression.type", "none");
    let outside = Broker::Cluster(outside);
    let options = ConsumerOptions {
        batch_records: 100,
        queue_batches: 1,
        ..ConsumerOptions::new("slow").topic("t", 1, Start::Beginning)
    };
    // Prefetching is kept small, so that the records are overtaken on the broker and not kept in memory.
    let small = std::collections::BTreeMap::from(
        [
            ("queued.min.messages", "100"),
            ("queued.max.messages.kbytes", "100"),
            ("fetch.message.max.bytes", "100000"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned())),
    );
    let slow = Broker::Embedded(embedded.clone().with_properties(small));
    let reader = slow.consumer(options).unwrap();
    reader.wait_ready(PATIENCE).unwrap();
    let writer = producer(&outside);
    for n in 0..16 * 1024 {
        let value = block(n);
        writer
            .send(Record::new("t", 0, b"k", value.as_bytes()))
            .unwrap();
    }
    writer.flush(PATIENCE).unwrap();
    let collected = collect(&reader, 16 * 1024);
    let Some(KafkaError::DataLost { expected, low, .. }) = collected.failed else {
        panic!("no loss: {} records, {:?}", collected.n, collected.failed);
    };
    assert!(expected < low);
    let n = collected.records.get(&0).map_or(0, Vec::len);
    assert_eq!(
        usize::try_from(expected).unwrap(),
        n,
        "all before the gap, nothing behind it"
    );
}

#[test]
fn an_offset_behind_the_end_is_refused_after_a_while() {
    let (_embedded, broker) = embedded(1);
    let reader = consumer(&broker, 1, Start::At(5));
    assert!(matches!(
        collect(&reader, 1).failed,
        Some(KafkaError::BeyondEnd {
            expected: 5,
            high: 0,
            ..
        })
    ));
}
