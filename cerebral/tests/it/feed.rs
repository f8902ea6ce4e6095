//! Sources onto a broker: what stands on the topic is what the source gave, ended once, and gone on with after a kill.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::net::UdpSocket;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use cerebral::feed::recording::RecordingSource;
use cerebral::feed::udp::UdpSource;
use cerebral::feed::{Ended, FeedError, FeedOptions, Left, publish};
use cerebral::source::{LoadOptions, Recording, load};
use contract::eeg::{End, Record, Samples, decode};
use contract::time::{Clock, NS_PER_S, SystemClock};
use contract::topic::EEG_SAMPLES;
use kafka_io::{
    Broker, ConsumerOptions, EmbeddedBroker, Event, ProducerOptions, Record as KafkaRecord, Start,
    TopicSpec,
};

/// Far longer than anything here takes, even on a loaded machine; only a hang reaches it.
const PATIENCE: Duration = Duration::from_secs(120);

fn broker() -> Broker {
    Broker::Embedded(EmbeddedBroker::start(&[TopicSpec::from(&EEG_SAMPLES)]).unwrap())
}

fn recording(rows: usize) -> Recording {
    let mut text = String::from("id,a,b\n");
    for row in 0..rows {
        writeln!(text, "{row},{row}.5,{}", 2 * row + 1).unwrap();
    }
    let options = LoadOptions {
        sample_rate_hz: Some(250.0),
        board: None,
    };
    load(text.as_bytes(), &options).unwrap()
}

fn at_once() -> FeedOptions {
    FeedOptions {
        speed: None,
        ..FeedOptions::default()
    }
}

/// What stands on the topic for a session, in the order of the log.
fn stands(broker: &Broker, session: &str) -> Vec<String> {
    let partition = EEG_SAMPLES.partition_of(session.as_bytes());
    let options =
        ConsumerOptions::new("test").partition(EEG_SAMPLES.name, partition, Start::Beginning);
    let consumer = broker.consumer(options).unwrap();
    consumer.stop_at_end();
    let (began, mut lines) = (Instant::now(), Vec::new());
    loop {
        assert!(began.elapsed() < PATIENCE);
        match consumer.recv(Duration::from_millis(100)) {
            None => {}
            Some(Event::End) => return lines,
            Some(Event::Failed(error)) => panic!("{error}"),
            Some(Event::Batch(batch)) => {
                for message in batch.messages() {
                    assert_eq!(message.key, Some(session.as_bytes()));
                    lines.push(String::from_utf8(message.value.unwrap().to_vec()).unwrap());
                }
            }
        }
    }
}

fn samples(line: &str) -> Samples<'_> {
    match decode(line.as_bytes()) {
        Ok(Record::Samples(samples)) => samples,
        other => panic!("{other:?}"),
    }
}

fn end(line: &str) -> End<'_> {
    match decode(line.as_bytes()) {
        Ok(Record::End(end)) => end,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_recording_stands_on_the_topic_as_it_was_loaded_and_ends() {
    let (broker, options) = (broker(), at_once());
    let recording = recording(1_003);
    let mut source = RecordingSource::new(recording.clone(), "r", &options).unwrap();
    let ended = publish(&mut source, &broker, &options, &Arc::default()).unwrap();
    assert_eq!(
        ended,
        Ended {
            at: 1_003,
            left: None
        }
    );
    let lines = stands(&broker, "r");
    assert_eq!(lines.len(), 102);
    let mut at = 0;
    for line in &lines[..101] {
        let block = samples(line);
        assert_eq!(
            (usize::try_from(block.at).unwrap(), block.follows),
            (at, at > 0)
        );
        for place in 0..block.uv[0].len() {
            for (row, loaded) in block.uv.iter().zip(recording.samples_uv.column(at)) {
                assert_eq!(row[place].0.to_bits(), loaded.to_bits());
            }
            at += 1;
        }
    }
    assert_eq!((at, end(&lines[101]).at), (1_003, 1_003));
    let tally = options.counts.tally();
    assert_eq!(
        (tally.blocks, tally.published, tally.samples),
        (101, 101, 1_003)
    );
}

/// Leaves a session without an end, as a kill does: one block until sample 40, then an order, then half a record.
fn broken_off(broker: &Broker, session: &str, received_ns: i64) {
    let mut source = RecordingSource::new(recording(40), session, &at_once()).unwrap();
    let cerebral::feed::Next::Block(mut block) =
        cerebral::feed::Source::next(&mut source, PATIENCE).unwrap()
    else {
        panic!("no block");
    };
    block.session = Cow::Owned(session.to_owned());
    block.at = 30;
    block.received_ns = received_ns;
    let producer = broker.producer(ProducerOptions::new("test")).unwrap();
    let partition = EEG_SAMPLES.partition_of(session.as_bytes());
    let block = serde_json::to_string(&block).unwrap();
    for line in [&block, "{\"v\":1,\"kind\":\"sam"] {
        let record = KafkaRecord::new(
            EEG_SAMPLES.name,
            partition,
            session.as_bytes(),
            line.as_bytes(),
        );
        producer.send(record).unwrap();
    }
    producer.flush(PATIENCE).unwrap();
}

#[test]
fn a_recording_that_broke_off_is_ended_and_begins_anew() {
    let (broker, options) = (broker(), at_once());
    broken_off(&broker, "r", 5);
    let mut source = RecordingSource::new(recording(20), "r", &options).unwrap();
    let ended = publish(&mut source, &broker, &options, &Arc::default()).unwrap();
    let left = Left {
        at: 40,
        received_ns: 5,
    };
    assert_eq!(
        ended,
        Ended {
            at: 20,
            left: Some(left)
        }
    );
    let lines = stands(&broker, "r");
    assert_eq!(end(&lines[2]).at, 40);
    assert_eq!(
        (samples(&lines[3]).at, samples(&lines[3]).follows),
        (0, false)
    );
    assert_eq!(end(lines.last().unwrap()).at, 20);
}

#[test]
fn a_live_session_that_broke_off_goes_on_by_the_clock_and_ends_when_it_is_stopped() {
    let broker = broker();
    let options = FeedOptions::default();
    broken_off(&broker, "u", SystemClock.now_ns() - 20 * NS_PER_S);
    let mut source = UdpSource::bind("127.0.0.1", 0, "u", &options).unwrap();
    let address = source.address().to_owned();
    let stop: Arc<AtomicBool> = Arc::default();
    let publisher = {
        let (broker, options, stop) = (broker.clone(), options.clone(), Arc::clone(&stop));
        std::thread::spawn(move || publish(&mut source, &broker, &options, &stop))
    };
    let sender = UdpSocket::bind("127.0.0.1:0").unwrap();
    let five = br#"{"type":"timeSeriesRaw","data":[[1,2,3,4,5],[6,7,8,9,10]]}"#;
    let began = Instant::now();
    while options.counts.tally().published < 3 {
        assert!(began.elapsed() < PATIENCE, "{:?}", options.counts.tally());
        sender.send_to(five, &address).unwrap();
        std::thread::park_timeout(Duration::from_millis(20));
    }
    stop.store(true, Ordering::SeqCst);
    let ended = publisher.join().unwrap().unwrap();
    let lines = stands(&broker, "u");
    let block = samples(&lines[2]);
    assert!(!block.follows);
    // 20 s are 5,000 samples; a busy machine is late.
    assert!(
        (5_035..5_040 + 250 * 60).contains(&block.at),
        "{}",
        block.at
    );
    let last = lines.last().unwrap();
    assert_eq!(end(last).at, ended.at);
    let before = samples(&lines[lines.len() - 2]);
    let n = u64::try_from(before.uv[0].len()).unwrap();
    assert_eq!(
        before.at + n,
        ended.at,
        "the last block is told though it is not full"
    );
}

#[test]
fn a_session_that_somebody_publishes_is_refused_to_a_second_and_the_first_goes_on() {
    let broker = broker();
    let options = FeedOptions {
        speed: Some(1.0),
        ..FeedOptions::default()
    };
    let stop: Arc<AtomicBool> = Arc::default();
    let first = {
        let (broker, options, stop) = (broker.clone(), options.clone(), Arc::clone(&stop));
        // Ten minutes of it: it ends when it is told.
        let mut source = RecordingSource::new(recording(150_000), "r", &options).unwrap();
        std::thread::spawn(move || publish(&mut source, &broker, &options, &stop))
    };
    let began = Instant::now();
    while options.counts.tally().published < 3 {
        assert!(began.elapsed() < PATIENCE, "{:?}", options.counts.tally());
        std::thread::park_timeout(Duration::from_millis(20));
    }
    let at_once = at_once();
    let second = |session: &str| {
        let mut source = RecordingSource::new(recording(20), session, &at_once).unwrap();
        publish(&mut source, &broker, &at_once, &Arc::default())
    };
    let error = second("r").unwrap_err();
    assert!(matches!(error, FeedError::Busy { .. }), "{error}");
    assert!(error.to_string().contains("--session"), "{error}");
    assert_eq!(second("s").unwrap().at, 20, "another name is free");
    stop.store(true, Ordering::SeqCst);
    let ended = first.join().unwrap().unwrap();
    assert_eq!(second("r").unwrap().at, 20, "and so is this one, now");
    let lines = stands(&broker, "r");
    let ends: Vec<u64> = lines
        .iter()
        .filter(|line| line.contains("\"kind\":\"end\""))
        .map(|line| end(line).at)
        .collect();
    assert_eq!(ends, [ended.at, 20], "the refused one wrote nothing");
}
