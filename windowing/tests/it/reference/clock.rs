//! The watermark of a partition, in the order of its records (section 5).
//!
//! In: marks, ticks and statuses as they are read. Out: up to when windows may close. Absent: windows.

use std::collections::BTreeMap;

use contract::tick::VenueStatus;

/// What the log has said of the venues so far.
#[derive(Debug, Default)]
pub(crate) struct Clock {
    venues: BTreeMap<String, Venue>,
    watermark: Option<i128>,
}

#[derive(Debug, Default)]
struct Venue {
    up: bool,
    /// Stamps of all marks since the last status.
    marks: Vec<i128>,
    /// Stamps of all ticks since the last status.
    ticks: Vec<i128>,
}

impl Clock {
    /// A mark or a tick makes an unknown venue up; one that is down or silent stays so.
    fn speaks(&mut self, venue: &str) -> &mut Venue {
        self.venues.entry(venue.to_owned()).or_insert(Venue {
            up: true,
            ..Venue::default()
        })
    }

    /// Takes a mark.
    pub(crate) fn mark(&mut self, venue: &str, stamp: i128) {
        self.speaks(venue).marks.push(stamp);
        self.advance();
    }

    /// Takes a tick, late ones included.
    pub(crate) fn tick(&mut self, venue: &str, stamp: i128) {
        self.speaks(venue).ticks.push(stamp);
        self.advance();
    }

    /// Takes a status: whatever it says, marks and ticks count from it anew; down and silent take the venue out at once,
    /// only `up` brings it back.
    pub(crate) fn status(&mut self, venue: &str, status: VenueStatus) {
        let said = Venue {
            up: status == VenueStatus::Up,
            ..Venue::default()
        };
        self.venues.insert(venue.to_owned(), said);
        self.advance();
    }

    /// The watermark; `None` before there was one.
    pub(crate) fn watermark(&self) -> Option<i128> {
        self.watermark
    }

    fn advance(&mut self) {
        let up = || self.venues.values().filter(|venue| venue.up);
        // An up venue with neither mark nor tick holds the watermark.
        if up().any(|venue| venue.passed().is_none()) {
            return;
        }
        // The least over the venues that are up; with none up it stands still.
        if let Some(least) = up().filter_map(Venue::passed).min() {
            // It never goes back.
            self.watermark = self.watermark.max(Some(least));
        }
    }
}

impl Venue {
    /// The highest mark since the last status; where none came, the highest tick since then.
    fn passed(&self) -> Option<i128> {
        let highest_mark = self.marks.iter().max();
        let highest_tick = self.ticks.iter().max();
        highest_mark.or(highest_tick).copied()
    }
}
