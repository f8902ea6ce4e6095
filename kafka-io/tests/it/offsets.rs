//! Positions under a group's name: kept, given back, and waited for.

use std::collections::BTreeMap;
use std::time::Duration;

use kafka_io::testing::{broker_down, broker_up};
use kafka_io::{Broker, KafkaError, KafkaSettings};

use crate::support::{PATIENCE, embedded};

fn at(positions: &[(i32, i64)]) -> BTreeMap<(String, i32), i64> {
    positions
        .iter()
        .map(|(partition, offset)| (("t".to_owned(), *partition), *offset))
        .collect()
}

#[test]
fn a_position_is_kept_for_its_group_alone() {
    let (_, broker) = embedded(3);
    let all = [("t", 0), ("t", 1), ("t", 2)];
    let one = broker.offsets("one").unwrap();
    assert_eq!(one.committed(&all, PATIENCE), Ok(at(&[])));
    one.commit(&at(&[(0, 7), (2, 0)]), PATIENCE).unwrap();
    one.commit(&at(&[(0, 9)]), PATIENCE).unwrap();
    drop(one);
    // As another process would.
    let cluster = Broker::Cluster(KafkaSettings::new(broker.address()));
    let again = cluster.offsets("one").unwrap();
    assert_eq!(again.committed(&all, PATIENCE), Ok(at(&[(0, 9), (2, 0)])));
    let other = cluster.offsets("other").unwrap();
    assert_eq!(other.committed(&all, PATIENCE), Ok(at(&[])));
}

#[test]
fn a_broker_that_is_away_is_waited_for() {
    let (inside, broker) = embedded(1);
    let offsets = broker.offsets("group").unwrap();
    offsets.commit(&at(&[(0, 1)]), PATIENCE).unwrap();
    broker_down(&inside).unwrap();
    let asked = offsets.committed(&[("t", 0)], Duration::from_millis(300));
    assert!(matches!(asked, Err(KafkaError::Away { .. })), "{asked:?}");
    broker_up(&inside).unwrap();
    offsets.commit(&at(&[(0, 2)]), PATIENCE).unwrap();
    assert_eq!(offsets.committed(&[("t", 0)], PATIENCE), Ok(at(&[(0, 2)])));
}
