//! `lockstep dashboard --once`: a frame for scripts, of what stands on a broker's topics.

use std::time::Duration;

use contract::spread::Spread;
use contract::topic;
use kafka_io::{Broker, EmbeddedBroker, ProducerOptions, Record, TopicSpec};

use crate::fixture::{Room, example, run, run_well, stderr};

fn frame(address: &str, more: &[&str]) -> std::process::Output {
    let mut args = vec!["dashboard", "--once", "--broker", address];
    args.extend(more);
    run(args)
}

/// The windows of the README's capture on a broker.
fn windows() -> (Broker, String) {
    let topics: Vec<TopicSpec> = topic::ALL.iter().map(TopicSpec::from).collect();
    let embedded = EmbeddedBroker::start(&topics).unwrap();
    let address = embedded.address().to_owned();
    let broker = Broker::Embedded(embedded);
    let room = Room::new();
    let (capture, spreads) = (example(), room.path("spreads.jsonl"));
    run_well([
        "replay".as_ref(),
        capture.as_os_str(),
        "--out".as_ref(),
        spreads.as_os_str(),
    ]);
    let producer = broker.producer(ProducerOptions::new("windows")).unwrap();
    for line in room.read("spreads.jsonl").lines() {
        let spread: Spread<'_> = serde_json::from_str(line).unwrap();
        let key = spread.pair.as_bytes();
        let partition = topic::SPREADS.partition_of(key);
        let record = Record::new(topic::SPREADS.name, partition, key, line.as_bytes());
        producer.send(record).unwrap();
    }
    producer.flush(Duration::from_secs(30)).unwrap();
    (broker, address)
}

#[test]
fn one_frame_shows_pairs_with_their_legs_and_ends() {
    let (_broker, address) = windows();
    let output = frame(&address, &["--size", "100x30", "--pair", "BTC-USD"]);
    assert!(output.status.success(), "{}", stderr(&output));
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(text.lines().count(), 30, "{text}");
    assert!(
        !text.contains('\u{1b}'),
        "no codes where there is no terminal"
    );
    for word in ["BTC-USD", "binance", "coinbase", "bps"] {
        assert!(text.contains(word), "{word}: {text}");
    }
    let coloured = frame(&address, &["--size", "100x30", "--color", "always"]);
    assert!(
        String::from_utf8(coloured.stdout)
            .unwrap()
            .contains('\u{1b}')
    );
}

#[test]
fn a_frame_without_data_says_so_and_fails() {
    let embedded = EmbeddedBroker::start(&[]).unwrap();
    let output = frame(embedded.address(), &["--size", "80x24", "--wait", "1s"]);
    assert_eq!(output.status.code(), Some(1));
    let said = stderr(&output);
    assert!(said.contains("nothing to show came within 1.0 s"), "{said}");
    assert_eq!(
        String::from_utf8(output.stdout).unwrap().lines().count(),
        24
    );
}
