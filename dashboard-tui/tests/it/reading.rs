//! What the dashboard reads from a broker, by one frame as text.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use contract::alert::EpisodeState;
use contract::tick::VenueStatus;
use contract::time::SystemClock;
use contract::topic::{ALERTS, ALL, EEG_SAMPLES, EEG_STATES, SPREADS, Topic, VENUES};
use dashboard_tui::config::{Settings, ViewName};
use dashboard_tui::log::LogBuffer;
use dashboard_tui::print::Codes;
use dashboard_tui::run::{Once, OnceOptions, once};
use dashboard_tui::testing::eeg::{self, Made};
use dashboard_tui::testing::{Fares, episode, health, spread};
use kafka_io::{
    Broker, EmbeddedBroker, KafkaSettings, Producer, ProducerOptions, Record, TopicSpec,
};

use crate::scene::settings;

/// Far longer than anything here takes.
const PATIENCE: Duration = Duration::from_secs(120);

fn embedded() -> (Broker, Producer) {
    let topics: Vec<TopicSpec> = ALL.iter().map(TopicSpec::from).collect();
    let broker = Broker::Embedded(EmbeddedBroker::start(&topics).unwrap());
    let producer = broker.producer(ProducerOptions::new("test")).unwrap();
    (broker, producer)
}

fn send(producer: &Producer, topic: Topic, key: &str, value: Option<&[u8]>) {
    let record = Record {
        value,
        ..Record::new(
            topic.name,
            topic.partition_of(key.as_bytes()),
            key.as_bytes(),
            b"",
        )
    };
    producer.send(record).unwrap();
}

fn send_json(producer: &Producer, topic: Topic, key: &str, record: &impl serde::Serialize) {
    send(
        producer,
        topic,
        key,
        Some(&serde_json::to_vec(record).unwrap()),
    );
}

fn frame(broker: &Broker, settings: &Settings, wait: Duration) -> Once {
    let options = OnceOptions {
        size: (120, 40),
        wait,
        codes: Codes::None,
    };
    let logs = LogBuffer::new(10);
    let stop = AtomicBool::new(false);
    once(
        broker,
        settings,
        Arc::new(SystemClock),
        &stop,
        &logs,
        options,
    )
    .unwrap()
}

#[test]
fn history_health_and_alerts_are_read_back_and_rubbish_is_counted() {
    let (broker, producer) = embedded();
    for window in 0..200 {
        for (number, pair) in [(0, "BTC-USD"), (1, "ETH-USD")] {
            send_json(
                &producer,
                SPREADS,
                pair,
                &spread(number, pair, window, Fares::Well),
            );
        }
        send_json(
            &producer,
            VENUES,
            "binance",
            &health("binance", window, VenueStatus::Up),
        );
    }
    send(&producer, SPREADS, "BTC-USD", Some(b"{\"v\":2}"));
    send(&producer, SPREADS, "BTC-USD", Some(b"\xff\x00"));
    send(&producer, VENUES, "x", None);
    for (key, windows) in [("kept", 3), ("gone", 9)] {
        send_json(
            &producer,
            ALERTS,
            key,
            &episode(key, windows, 7, EpisodeState::Open),
        );
    }
    // Deleted by the id, which is what the topic is keyed by.
    let gone = format!(
        "gone/binance/coinbase/{}",
        dashboard_tui::testing::BEGIN_MS + 9_000
    );
    send(&producer, ALERTS, &gone, None);
    producer.flush(PATIENCE).unwrap();

    let spreads = frame(&broker, &settings(ViewName::Spreads), PATIENCE);
    assert!(spreads.has_data);
    for part in [
        "BTC-USD",
        "ETH-USD",
        "event time 2024-08-08 23:53:20",
        "3 unreadable",
    ] {
        assert!(
            spreads.frame.contains(part),
            "no `{part}` in\n{}",
            spreads.frame
        );
    }
    let venues = frame(&broker, &settings(ViewName::Venues), PATIENCE);
    assert!(venues.frame.contains("binance"), "{}", venues.frame);
    assert!(venues.frame.contains("400 of 2 pairs"), "{}", venues.frame);
    let alerts = frame(&broker, &settings(ViewName::Alerts), PATIENCE);
    assert!(alerts.frame.contains("1 of 1"), "{}", alerts.frame);
    assert!(
        alerts.frame.contains("kept binance → coinbase"),
        "{}",
        alerts.frame
    );
}

#[test]
fn sessions_are_read_back_with_their_samples_and_rubbish_is_counted() {
    let (broker, producer) = embedded();
    let sessions = [
        Made::default(),
        Made {
            session: "headset-2",
            n_channels: 16,
            ..Made::default()
        },
    ];
    for made in &sessions {
        for k in 0..130 {
            send_json(&producer, EEG_STATES, made.session, &eeg::state(made, k));
        }
        for block in 3_000..3_250 {
            send_json(
                &producer,
                EEG_SAMPLES,
                made.session,
                &eeg::samples(made, block),
            );
        }
    }
    send(
        &producer,
        EEG_SAMPLES,
        "cyton-1",
        Some(b"{\"v\":1,\"kind\":\"impedance\"}"),
    );
    send(&producer, EEG_STATES, "cyton-1", Some(b"{\"v\":2}"));
    let mut ragged = eeg::samples(&sessions[0], 3_250);
    ragged.uv[0].clear();
    send_json(&producer, EEG_SAMPLES, "cyton-1", &ragged);
    producer.flush(PATIENCE).unwrap();
    let wanted = Settings {
        session: Some("headset-2".to_owned()),
        ..settings(ViewName::Brain)
    };
    let brain = frame(&broker, &wanted, PATIENCE);
    assert!(brain.has_data);
    for part in [
        "headset-2  2 of 2",
        "16 channels",
        "signals ±",
        "3 unreadable",
        " P4 ",
    ] {
        assert!(
            brain.frame.contains(part),
            "no `{part}` in\n{}",
            brain.frame
        );
    }
    let twin = frame(&broker, &settings(ViewName::Twin), PATIENCE);
    for part in [
        "cyton-1  1 of 2",
        "better than both baselines",
        "read-only: no orders",
    ] {
        assert!(twin.frame.contains(part), "no `{part}` in\n{}", twin.frame);
    }
    let other = Settings {
        session: Some("nobody".to_owned()),
        ..settings(ViewName::Brain)
    };
    let none = frame(&broker, &other, Duration::from_millis(1_500));
    assert!(
        !none.has_data,
        "another session than the one asked for is no data"
    );
}

#[test]
fn history_goes_back_as_far_as_asked() {
    let (broker, producer) = embedded();
    for window in 0..100 {
        send_json(
            &producer,
            SPREADS,
            "BTC-USD",
            &spread(0, "BTC-USD", window, Fares::Well),
        );
    }
    producer.flush(PATIENCE).unwrap();
    let short = Settings {
        history_records: 10,
        ..settings(ViewName::Venues)
    };
    let frame = frame(&broker, &short, PATIENCE).frame;
    assert!(frame.contains("10 of 1 pairs"), "{frame}");
}

#[test]
fn windows_written_long_ago_do_not_look_new() {
    let (broker, producer) = embedded();
    send_json(
        &producer,
        SPREADS,
        "BTC-USD",
        &spread(0, "BTC-USD", 0, Fares::Well),
    );
    producer.flush(PATIENCE).unwrap();
    let (_keep, nothing) = crossbeam_channel::bounded::<()>(0);
    let _ = nothing.recv_timeout(Duration::from_millis(3_500));
    let frame = frame(&broker, &settings(ViewName::Spreads), PATIENCE).frame;
    assert!(frame.contains("NO WINDOWS FOR"), "{frame}");
}

#[test]
fn a_broker_that_is_away_is_shown_and_is_no_error() {
    let away = Broker::Cluster(KafkaSettings::new("127.0.0.1:1"));
    let began = Instant::now();
    let once = frame(&away, &settings(ViewName::Spreads), Duration::from_secs(4));
    assert!(!once.has_data);
    assert!(began.elapsed() < PATIENCE);
    assert!(once.frame.contains("BROKER AWAY FOR"), "{}", once.frame);
}

#[test]
fn no_data_is_said_once_the_time_is_over() {
    let (broker, _producer) = embedded();
    let once = frame(
        &broker,
        &settings(ViewName::Spreads),
        Duration::from_millis(1_500),
    );
    assert!(!once.has_data);
    assert!(once.frame.contains("no windows yet"), "{}", once.frame);
}
