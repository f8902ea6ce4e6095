//! Where each partition is read next and where it shall end. Pure: no client, no clock.
//!
//! In come offsets as they are polled; out goes what to do with each record. An offset below the next one was seen before
//! and is skipped; one at or behind the stop ends its partition.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::error::KafkaError;
use crate::watch::Seen;

/// What to do with a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Step {
    /// Hand it on.
    Deliver(Arc<str>),
    /// It came before.
    Seen,
    /// It lies at or behind the stop.
    PastStop,
}

/// One partition.
#[derive(Debug, Clone)]
pub(crate) struct Track {
    pub(crate) topic: Arc<str>,
    pub(crate) partition: i32,
    pub(crate) next: i64,
    pub(crate) stop: Option<i64>,
}

impl Track {
    fn is_done(&self) -> bool {
        self.stop.is_some_and(|stop| self.next >= stop)
    }
}

/// All partitions of a consumer.
#[derive(Debug)]
pub(crate) struct Tracks {
    all: Vec<Track>,
    /// Whether a jump of the offset means loss. So on the embedded broker; a cluster jumps over control records,
    /// aborted transactions and what compaction removed.
    gapless: bool,
    latest: usize,
    /// Number of the statistics at which all unfinished partitions were first seen to be fetched up to their stops.
    at_stop: Option<u64>,
}

impl Tracks {
    pub(crate) fn new(all: Vec<Track>, gapless: bool) -> Self {
        Self {
            all,
            gapless,
            latest: 0,
            at_stop: None,
        }
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Track> {
        self.all.iter()
    }

    fn find(&mut self, topic: &str, partition: i32) -> Option<&mut Track> {
        let is = |track: &Track| track.partition == partition && *track.topic == *topic;
        if !self.all.get(self.latest).is_some_and(is) {
            self.latest = self.all.iter().position(is)?;
        }
        self.all.get_mut(self.latest)
    }

    /// A record was polled.
    ///
    /// # Errors
    /// [`KafkaError::DataLost`] where offsets have no gaps and this one leaves some out, [`KafkaError::NotAssigned`].
    pub(crate) fn take(
        &mut self,
        topic: &str,
        partition: i32,
        offset: i64,
    ) -> Result<Step, KafkaError> {
        let gapless = self.gapless;
        let Some(track) = self.find(topic, partition) else {
            return Err(KafkaError::NotAssigned {
                topic: topic.to_owned(),
                partition,
            });
        };
        if offset < track.next {
            return Ok(Step::Seen);
        }
        if let Some(stop) = track.stop.filter(|stop| offset >= *stop) {
            track.next = track.next.max(stop);
            return Ok(Step::PastStop);
        }
        if gapless && offset > track.next {
            return Err(KafkaError::DataLost {
                topic: topic.to_owned(),
                partition,
                expected: track.next,
                low: offset,
            });
        }
        track.next = offset + 1;
        let topic = Arc::clone(&track.topic);
        self.at_stop = None;
        Ok(Step::Deliver(topic))
    }

    /// The client's own position, which passes offsets that hold no record for us.
    pub(crate) fn advance(&mut self, topic: &str, partition: i32, position: i64) {
        if let Some(track) = self.find(topic, partition) {
            track.next = track.next.max(position);
        }
    }

    /// A stop behind the last record that compaction left: no record comes and the position stays. Two statistics in a
    /// row must show that fetching is at the stop or past it and that nothing is queued, and no record may come in
    /// between; then nothing below the stop is left. `seen` gives the number of the newest statistics.
    pub(crate) fn catch_up(&mut self, seen: impl Fn(&Track) -> (u64, Option<Seen>)) {
        let mut newest = 0;
        for track in self.all.iter().filter(|track| !track.is_done()) {
            let Some(stop) = track.stop else { continue };
            let (number, seen) = seen(track);
            newest = number;
            if !seen.is_some_and(|seen| seen.next_offset >= stop && seen.queued == 0) {
                self.at_stop = None;
                return;
            }
        }
        match self.at_stop {
            None => self.at_stop = Some(newest),
            Some(first) if newest > first => {
                for track in &mut self.all {
                    track.next = track.next.max(track.stop.unwrap_or(track.next));
                }
            }
            Some(_) => {}
        }
    }

    pub(crate) fn stop_at(&mut self, topic: &str, partition: i32, stop: i64) {
        if let Some(track) = self.find(topic, partition) {
            track.stop = Some(stop);
        }
    }

    /// Whether any partition has a stop that it has not reached.
    pub(crate) fn awaits_stop(&self) -> bool {
        self.all
            .iter()
            .any(|track| track.stop.is_some() && !track.is_done())
    }

    /// Whether every partition has reached its stop.
    pub(crate) fn all_done(&self) -> bool {
        self.all.iter().all(Track::is_done)
    }

    pub(crate) fn positions(&self) -> BTreeMap<(String, i32), i64> {
        self.all
            .iter()
            .map(|track| ((track.topic.to_string(), track.partition), track.next))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tracks(gapless: bool) -> Tracks {
        let track = |partition, next| Track {
            topic: "t".into(),
            partition,
            next,
            stop: None,
        };
        Tracks::new(vec![track(0, 0), track(1, 10)], gapless)
    }

    #[test]
    fn records_are_handed_on_once_and_in_order() {
        let mut tracks = tracks(false);
        let deliver = Step::Deliver("t".into());
        assert_eq!(tracks.take("t", 0, 0), Ok(deliver.clone()));
        assert_eq!(tracks.take("t", 0, 0), Ok(Step::Seen));
        assert_eq!(tracks.take("t", 1, 9), Ok(Step::Seen));
        assert_eq!(tracks.take("t", 1, 10), Ok(deliver.clone()));
        assert_eq!(tracks.take("t", 0, 5), Ok(deliver), "a cluster has gaps");
        assert!(matches!(
            tracks.take("t", 2, 0),
            Err(KafkaError::NotAssigned { partition: 2, .. })
        ));
    }

    #[test]
    fn a_gap_is_a_loss_where_there_are_none() {
        let mut tracks = tracks(true);
        assert_eq!(
            tracks.take("t", 1, 12),
            Err(KafkaError::DataLost {
                topic: "t".to_owned(),
                partition: 1,
                expected: 10,
                low: 12
            })
        );
    }

    #[test]
    fn the_end_is_reached_when_all_partitions_have_reached_theirs() {
        let mut tracks = tracks(false);
        assert!(!tracks.all_done());
        tracks.stop_at("t", 0, 2);
        assert!(tracks.awaits_stop() && !tracks.all_done());
        tracks.stop_at("t", 1, 10);
        assert_eq!(tracks.take("t", 0, 1), Ok(Step::Deliver("t".into())));
        assert!(tracks.all_done());
        assert_eq!(tracks.take("t", 0, 2), Ok(Step::PastStop));
    }

    #[test]
    fn control_records_count_by_the_clients_position() {
        let mut tracks = tracks(false);
        tracks.stop_at("t", 0, 5);
        tracks.stop_at("t", 1, 0);
        assert_eq!(tracks.take("t", 0, 3), Ok(Step::Deliver("t".into())));
        assert!(!tracks.all_done());
        tracks.advance("t", 0, 5);
        assert!(tracks.all_done());
        tracks.advance("t", 0, 4);
        assert!(tracks.all_done(), "a position never goes back");
    }

    #[test]
    fn a_jump_over_the_stop_ends_the_partition() {
        let mut tracks = tracks(false);
        tracks.stop_at("t", 0, 5);
        tracks.stop_at("t", 1, 10);
        assert_eq!(tracks.take("t", 0, 8), Ok(Step::PastStop));
        assert!(tracks.all_done());
        assert_eq!(tracks.positions()[&("t".to_owned(), 0)], 5);
    }

    #[test]
    fn a_stop_behind_the_last_record_is_reached_by_two_statistics_without_a_record_between() {
        let seen = |number, next_offset, queued| {
            move |_: &Track| {
                let seen = Seen {
                    next_offset,
                    end: 20,
                    queued,
                };
                (number, Some(seen))
            }
        };
        let mut tracks = tracks(false);
        tracks.stop_at("t", 0, 5);
        tracks.catch_up(seen(1, 4, 0));
        tracks.catch_up(seen(2, 5, 1));
        tracks.catch_up(seen(3, 5, 0));
        tracks.catch_up(seen(3, 5, 0));
        assert!(
            tracks.awaits_stop(),
            "the same statistics do not count twice"
        );
        assert_eq!(tracks.take("t", 0, 1), Ok(Step::Deliver("t".into())));
        tracks.catch_up(seen(4, 5, 0));
        assert!(tracks.awaits_stop(), "a record came in between");
        tracks.catch_up(seen(5, 5, 0));
        assert!(!tracks.awaits_stop());
        assert_eq!(tracks.positions()[&("t".to_owned(), 0)], 5);
        assert_eq!(
            tracks.positions()[&("t".to_owned(), 1)],
            10,
            "it has no stop"
        );
    }
}
