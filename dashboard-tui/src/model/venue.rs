//! Venues: the newest health of each, how it was lately, and when its state changed.

use std::borrow::Cow;
use std::collections::{BTreeMap, VecDeque};

use contract::tick::VenueStatus;
use contract::venue::VenueHealth;

use crate::text::clean;

/// The most venues that are kept.
const MAX_VENUES: usize = 256;
/// How many of its newest records a venue's strip is drawn from.
const BEATS: usize = 600;
/// How many changes of state are kept, of all venues together.
const MAX_CHANGES: usize = 200;

/// One venue.
#[derive(Debug, Clone)]
pub(crate) struct Venue {
    /// The newest record.
    pub(crate) health: VenueHealth<'static>,
    /// When it came, nanoseconds since 1970 on our clock.
    pub(crate) at_ns: i64,
    /// Since when it has the status it has, as far as it was seen.
    pub(crate) since_ns: i64,
    /// Status by record, oldest first.
    pub(crate) beats: VecDeque<VenueStatus>,
}

/// A venue's state changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Change {
    /// When we heard, nanoseconds since 1970 on our clock.
    pub(crate) at_ns: i64,
    /// Which venue.
    pub(crate) venue: String,
    /// What it was, and for how long, nanoseconds.
    pub(crate) before: VenueStatus,
    /// For how long it had been that, nanoseconds.
    pub(crate) lasted_ns: i64,
    /// What it is now.
    pub(crate) now: VenueStatus,
}

/// All venues.
#[derive(Debug, Clone, Default)]
pub(crate) struct Venues {
    by_name: BTreeMap<String, Venue>,
    changes: VecDeque<Change>,
}

impl Venues {
    /// Takes a record; false where there is no room for one more venue.
    pub(super) fn take(&mut self, health: &VenueHealth<'_>, at_ns: i64) -> bool {
        let name = clean(&health.venue);
        if let Some(venue) = self.by_name.get_mut(&name) {
            let before = venue.health.status;
            if before != health.status {
                if self.changes.len() >= MAX_CHANGES {
                    self.changes.pop_front();
                }
                self.changes.push_back(Change {
                    at_ns,
                    venue: name.clone(),
                    before,
                    lasted_ns: at_ns.saturating_sub(venue.since_ns),
                    now: health.status,
                });
                venue.since_ns = at_ns;
            }
            if venue.beats.len() >= BEATS {
                venue.beats.pop_front();
            }
            venue.beats.push_back(health.status);
            venue.at_ns = at_ns;
            venue.health = VenueHealth {
                venue: Cow::Owned(name),
                ..*health
            };
            return true;
        }
        if self.by_name.len() >= MAX_VENUES {
            return false;
        }
        let venue = Venue {
            health: VenueHealth {
                venue: Cow::Owned(name.clone()),
                ..*health
            },
            at_ns,
            since_ns: at_ns,
            beats: VecDeque::from([health.status]),
        };
        self.by_name.insert(name, venue);
        true
    }

    /// All of them, by name.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Venue> {
        self.by_name.values()
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.by_name.len()
    }

    /// How many are up.
    pub(crate) fn n_up(&self) -> usize {
        self.iter()
            .filter(|venue| venue.health.status == VenueStatus::Up)
            .count()
    }

    /// Changes of state, newest first.
    pub(crate) fn changes(&self) -> impl Iterator<Item = &Change> {
        self.changes.iter().rev()
    }
}
