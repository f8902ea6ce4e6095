//! Making topics, comparing them, and asking who is there.

use kafka_io::{Broker, KafkaError, KafkaSettings, TopicDifference, TopicReport, TopicSpec};

use crate::support::{PATIENCE, embedded};

#[test]
fn topics_are_made_once_and_found_again() {
    let (_embedded, broker) = embedded(2);
    let specs = [TopicSpec::new("t", 2), TopicSpec::new("new", 3)];
    let report = broker.ensure_topics(&specs, PATIENCE).unwrap();
    assert_eq!(
        report,
        TopicReport {
            created: vec!["new".to_owned()],
            existing: vec!["t".to_owned()]
        }
    );
    let report = broker.ensure_topics(&specs, PATIENCE).unwrap();
    assert_eq!(report.created, Vec::<String>::new());
    assert_eq!(broker.check_topics(&specs, PATIENCE).unwrap(), Vec::new());
}

#[test]
fn the_embedded_broker_of_another_process_is_known_for_what_it_is() {
    let (_embedded, broker) = embedded(2);
    let elsewhere = Broker::Cluster(KafkaSettings::new(broker.address()));
    // It has no settings; asking for them would be waiting for nothing.
    let report = elsewhere.ensure_topics(&[TopicSpec::new("t", 2)], PATIENCE);
    assert_eq!(report.unwrap().existing, ["t"]);
}

#[test]
fn another_number_of_partitions_stops_the_start() {
    let (_embedded, broker) = embedded(2);
    let difference = TopicDifference::Partitions {
        topic: "t".to_owned(),
        expected: 6,
        found: 2,
    };
    assert_eq!(
        broker.ensure_topics(&[TopicSpec::new("t", 6)], PATIENCE),
        Err(KafkaError::Topics(vec![difference]))
    );
    let absent = broker
        .check_topics(&[TopicSpec::new("absent", 1)], PATIENCE)
        .unwrap();
    assert_eq!(
        absent,
        [TopicDifference::Missing {
            topic: "absent".to_owned()
        }],
        "looking does not create"
    );
}

#[test]
fn health_names_the_brokers_and_topics() {
    let (_embedded, broker) = embedded(4);
    let health = broker.health(PATIENCE).unwrap();
    assert_eq!(health.asked, broker.address());
    assert_eq!(health.brokers.len(), 1);
    assert_eq!(health.brokers[0].address, broker.address());
    assert_eq!(health.topics["t"], 4);
    assert!(health.leaderless.is_empty());
}

#[test]
fn offsets_of_a_topic_that_is_not_there_are_an_error() {
    let (_embedded, broker) = embedded(1);
    assert_eq!(
        broker.end_offsets("absent", PATIENCE),
        Err(KafkaError::UnknownTopic {
            topic: "absent".to_owned()
        })
    );
}
