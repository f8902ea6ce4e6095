//! Venues that are silent or down, as episodes.
//!
//! Time is the venue's own, as the records of `venues` carry it. An outage begins with the first record that does not say
//! `up`, is told once it has lasted long enough, and ends with the first that says `up`. So a venue that goes from silent
//! to down and back has one outage. A dead ingest sends no records: [`super::stall`] sees that.

use std::collections::BTreeMap;
use std::sync::Arc;

use contract::tick::VenueStatus;
use contract::venue::VenueHealth;

use super::{Episode, Place, What};

/// Every venue heard of.
#[derive(Debug)]
pub struct Venues {
    after_ms: i64,
    venues: BTreeMap<Arc<str>, Venue>,
}

#[derive(Debug)]
struct Venue {
    /// Records up to here were counted by an earlier process, milliseconds; none once a newer one has come.
    counted_until_ms: Option<i64>,
    away: Option<Away>,
}

#[derive(Debug)]
struct Away {
    first: Place,
    is_open: bool,
    episode: Episode,
}

impl Venues {
    /// No venue has been heard of. An outage is told once it has lasted `after_ms`.
    #[must_use]
    pub fn new(after_ms: i64) -> Self {
        Self {
            after_ms,
            venues: BTreeMap::new(),
        }
    }

    /// Takes up what an earlier process has told of a venue.
    pub fn take_up(&mut self, episode: &Episode) {
        let What::Outage { venue, .. } = &episode.what else {
            return;
        };
        let until_ms = episode
            .closed_ms
            .unwrap_or(i64::MIN)
            .max(episode.updated_ms);
        let away = episode.is_open().then(|| Away {
            first: Place {
                input: super::Input::Venues,
                partition: 0,
                offset: i64::MAX,
            },
            is_open: true,
            episode: episode.clone(),
        });
        let known = self.venues.entry(Arc::clone(venue)).or_insert(Venue {
            counted_until_ms: None,
            away: None,
        });
        known.counted_until_ms = known.counted_until_ms.max(Some(until_ms));
        known.away = away.or(known.away.take());
    }

    /// Counts a record; gives the outage that it changed.
    pub fn health(
        &mut self,
        health: &VenueHealth<'_>,
        place: Place,
        out: &mut Vec<(Episode, Place)>,
    ) {
        let at_ms = health.at_ns.div_euclid(contract::time::NS_PER_MS);
        if !self.venues.contains_key(health.venue.as_ref()) {
            self.venues.insert(
                health.venue.as_ref().into(),
                Venue {
                    counted_until_ms: None,
                    away: None,
                },
            );
        }
        let Some((name, venue)) = self.venues.get_key_value(health.venue.as_ref()) else {
            return;
        };
        if venue
            .counted_until_ms
            .is_some_and(|until_ms| at_ms <= until_ms)
        {
            return;
        }
        let name = Arc::clone(name);
        let Some(venue) = self.venues.get_mut(&name) else {
            return;
        };
        venue.counted_until_ms = None;
        if health.status == VenueStatus::Up {
            if let Some(mut away) = venue.away.take().filter(|away| away.is_open) {
                away.episode.updated_ms = at_ms;
                away.episode.closed_ms = Some(at_ms);
                out.push((away.episode, place));
            }
            return;
        }
        let away = venue.away.get_or_insert_with(|| Away {
            first: place,
            is_open: false,
            episode: Episode {
                id: format!("outage/{name}/{at_ms}").into(),
                what: What::Outage {
                    venue: Arc::clone(&name),
                    status: Some(health.status),
                },
                opened_ms: at_ms,
                updated_ms: at_ms,
                closed_ms: None,
                ending: None,
            },
        });
        away.episode.updated_ms = away.episode.updated_ms.max(at_ms);
        let mut is_news = false;
        if let What::Outage { status, .. } = &mut away.episode.what {
            is_news = away.is_open && status.replace(health.status) != Some(health.status);
        }
        let mut place = place;
        if !away.is_open && at_ms.saturating_sub(away.episode.opened_ms) >= self.after_ms {
            (away.is_open, is_news, place) = (true, true, away.first);
        }
        if is_news {
            out.push((away.episode.clone(), place));
        }
    }

    /// Whether venues are known and each of them is away: then no windows are to be expected.
    #[must_use]
    pub fn none_is_up(&self) -> bool {
        !self.venues.is_empty() && self.venues.values().all(|venue| venue.away.is_some())
    }

    /// Records that must be read again after a restart, since what they began is on no topic yet.
    pub fn holds(&self) -> impl Iterator<Item = Place> {
        let away = self.venues.values().filter_map(|venue| venue.away.as_ref());
        away.filter(|away| !away.is_open).map(|away| away.first)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::episode::Input;

    fn place(offset: i64) -> Place {
        Place {
            input: Input::Venues,
            partition: 0,
            offset,
        }
    }

    /// What a venue's records, one a second from the given one on, lead to.
    fn play(venues: &mut Venues, from_s: i64, statuses: &[VenueStatus]) -> Vec<(Episode, Place)> {
        let mut out = Vec::new();
        for (n, status) in (from_s..).zip(statuses) {
            let health = VenueHealth {
                v: Default::default(),
                venue: "binance".into(),
                status: *status,
                at_ns: n * 1_000_000_000,
                frames_per_s: 0.0,
                data_age_ms: 0,
                skew_ms: 0.0,
                gaps: 0,
                reconnects: 0,
                parse_errors: 0,
                queue: 0,
            };
            venues.health(&health, place(n), &mut out);
        }
        out
    }

    use VenueStatus::{Down, Silent, Up};

    #[test]
    fn an_outage_is_one_episode_whatever_kind_of_away_it_is() {
        let mut venues = Venues::new(2_000);
        let told = play(
            &mut venues,
            100,
            &[Up, Silent, Silent, Silent, Down, Down, Up, Up],
        );
        let shown: Vec<_> = told
            .iter()
            .map(|(it, place)| (it.opened_ms, it.closed_ms, place.offset))
            .collect();
        assert_eq!(
            shown,
            [
                (101_000, None, 101),
                (101_000, None, 104),
                (101_000, Some(106_000), 106)
            ]
        );
        assert!(
            told.iter()
                .all(|(it, _)| *it.id == *"outage/binance/101000")
        );
    }

    #[test]
    fn a_reconnect_is_no_outage() {
        let mut venues = Venues::new(2_000);
        assert!(play(&mut venues, 1, &[Up, Down, Up, Down, Up, Down, Down, Up]).is_empty());
        assert_eq!(venues.holds().count(), 0);
    }

    #[test]
    fn what_is_not_told_yet_is_read_again() {
        let mut venues = Venues::new(2_000);
        assert!(play(&mut venues, 10, &[Up, Down, Down]).is_empty());
        assert_eq!(venues.holds().collect::<Vec<_>>(), [place(11)]);
        assert!(venues.none_is_up());
        assert_eq!(play(&mut venues, 13, &[Down])[0].1, place(11));
        assert_eq!(venues.holds().count(), 0);
    }

    #[test]
    fn an_outage_taken_up_ends_once_and_records_before_it_count_no_more() {
        let mut before = Venues::new(0);
        let opened = play(&mut before, 100, &[Down]).remove(0).0;
        let mut after = Venues::new(0);
        after.take_up(&opened);
        assert!(
            play(&mut after, 99, &[Up, Down]).is_empty(),
            "they were counted"
        );
        let told = play(&mut after, 101, &[Down, Down, Up, Up]);
        let ends: Vec<_> = told.iter().filter(|(it, _)| !it.is_open()).collect();
        assert_eq!(ends.len(), 1);
        assert_eq!(
            (&ends[0].0.id, ends[0].0.closed_ms),
            (&opened.id, Some(103_000))
        );
        let mut later = Venues::new(0);
        later.take_up(&ends[0].0);
        assert!(play(&mut later, 100, &[Down, Down, Down, Up]).is_empty());
        assert_eq!(play(&mut later, 104, &[Down]).len(), 1);
    }
}
