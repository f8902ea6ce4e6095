//! A pipeline that gives no windows, as an episode, by our own clock: a dead ingest cannot say that it is dead.
//!
//! Silence has an explanation while `venues` says that no venue is up: then the outages are the news, and windows are not
//! missed. Silence of `venues` too is none.

use super::{Episode, Now, What};

/// Watches that windows keep coming.
#[derive(Debug)]
pub struct Stall {
    after_ms: i64,
    /// When the last window, or the last explanation of there being none, came.
    last: Now,
    open: Option<Episode>,
}

impl Stall {
    /// Watches from now on; a stall is told after `after_ms` of silence, with 0 never.
    #[must_use]
    pub fn new(after_ms: i64, now: Now) -> Self {
        Self {
            after_ms,
            last: now,
            open: None,
        }
    }

    /// Takes up a stall that an earlier process has told of.
    pub fn take_up(&mut self, episode: &Episode) {
        if episode.what == What::Stall && episode.is_open() {
            self.open = Some(episode.clone());
        }
    }

    /// A window came.
    pub fn window(&mut self, now: Now) -> Option<Episode> {
        self.last = now;
        let mut episode = self.open.take()?;
        episode.updated_ms = now.wall_ms;
        episode.closed_ms = Some(now.wall_ms);
        Some(episode)
    }

    /// A venue said that it is away, and so is every other.
    pub fn explained(&mut self, now: Now) {
        self.last = now;
    }

    /// Time has passed.
    pub fn tick(&mut self, now: Now) -> Option<Episode> {
        let silent_ms = now.steady_ms.saturating_sub(self.last.steady_ms);
        if self.after_ms == 0 || self.open.is_some() || silent_ms < self.after_ms {
            return None;
        }
        let opened_ms = self.last.wall_ms;
        let episode = Episode {
            id: format!("stall/{opened_ms}").into(),
            what: What::Stall,
            opened_ms,
            updated_ms: now.wall_ms,
            closed_ms: None,
            ending: None,
        };
        self.open = Some(episode.clone());
        Some(episode)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(s: i64) -> Now {
        Now {
            wall_ms: 1_000_000 + s * 1000,
            steady_ms: s * 1000,
        }
    }

    #[test]
    fn silence_is_told_once_and_so_is_its_end() {
        let mut stall = Stall::new(15_000, at(0));
        assert_eq!(stall.window(at(10)), None);
        assert_eq!(stall.tick(at(24)), None);
        let told = stall.tick(at(25)).unwrap();
        assert_eq!((&*told.id, told.opened_ms), ("stall/1010000", 1_010_000));
        assert_eq!(stall.tick(at(60)), None);
        assert_eq!(stall.window(at(61)).unwrap().closed_ms, Some(1_061_000));
        assert_eq!(stall.window(at(62)), None);
        assert!(stall.tick(at(77)).is_some());
    }

    #[test]
    fn outages_of_every_venue_explain_the_silence() {
        let mut stall = Stall::new(15_000, at(0));
        for s in 1..100 {
            stall.explained(at(s));
            assert_eq!(stall.tick(at(s)), None);
        }
        assert!(stall.tick(at(114)).is_some(), "venues fell silent too");
    }

    #[test]
    fn it_may_be_switched_off_and_taken_up() {
        assert_eq!(Stall::new(0, at(0)).tick(at(1_000_000)), None);
        let told = Stall::new(1_000, at(0)).tick(at(5)).unwrap();
        let mut next = Stall::new(1_000, at(10));
        next.take_up(&told);
        assert_eq!(next.tick(at(100)), None, "it is told already");
        assert_eq!(next.window(at(101)).unwrap().id, told.id);
    }
}
