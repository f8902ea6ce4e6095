//! Everything pure, put together: records, answers and time in; records of `alerts`, requests and safe positions out.
//!
//! ```text
//! spreads, venues, time -> episodes -> outbox --request--> (the shell) --answer--> throttle, backoff, outbox
//! ```
//!
//! Absent: sockets, clocks, threads, chance: each is an argument.

use std::collections::BTreeMap;
use std::sync::Arc;

use contract::dead_letter::DeadLetter;
use contract::spread::Spread;
use contract::topic;
use contract::venue::VenueHealth;

use crate::answer::Verdict;
use crate::backoff::Backoff;
use crate::config::Settings;
use crate::episode::outage::Venues;
use crate::episode::route::Routes;
use crate::episode::stall::Stall;
use crate::episode::{Episode, Input, Now, Place, Positions};
use crate::outbox::{Kept, Outbox, Outgoing, Request, Way};
use crate::report::{Report, Standing};
use crate::throttle::{Action, Headers, Throttle};

/// The alerter without its sockets.
#[derive(Debug)]
pub struct Core {
    settings: Settings,
    routes: Routes,
    venues: Venues,
    stall: Stall,
    outbox: Outbox,
    throttle: Throttle,
    backoff: Backoff,
    away: Option<String>,
    asleep_until_ms: i64,
    next: Positions,
    dead_letters: Vec<DeadLetter>,
    changed: Vec<(Episode, Place)>,
    news: Vec<Episode>,
    windows: u64,
    healths: u64,
    unreadable: u64,
}

impl Core {
    /// Nothing has been read yet.
    #[must_use]
    pub fn new(settings: Settings, now: Now) -> Self {
        let rules = Arc::new(settings.rules.clone());
        let way = if settings.webhook.is_some() {
            Way::Discord
        } else {
            Way::Log
        };
        Self {
            venues: Venues::new(rules.outage_after_ms),
            stall: Stall::new(rules.stall_after_ms, now),
            outbox: Outbox::new(way, settings.update_interval_ms, rules.cooldown_ms)
                .labelled(settings.label.clone()),
            routes: Routes::new(rules),
            throttle: Throttle::default(),
            backoff: Backoff::new(settings.backoff_ms),
            settings,
            away: None,
            asleep_until_ms: i64::MIN,
            next: BTreeMap::new(),
            dead_letters: Vec::new(),
            changed: Vec::new(),
            news: Vec::new(),
            windows: 0,
            healths: 0,
            unreadable: 0,
        }
    }

    /// Takes up where an earlier process left off: the newest record of each episode, and the positions read up to.
    pub fn take_up(&mut self, alerts: &BTreeMap<Arc<str>, Kept>, positions: &Positions, now: Now) {
        for kept in alerts.values() {
            self.routes.take_up(&kept.episode);
            self.venues.take_up(&kept.episode);
            self.stall.take_up(&kept.episode);
        }
        self.outbox.take_up(alerts, now);
        self.next.clone_from(positions);
    }

    /// Takes a record of `spreads` or `venues`.
    pub fn record(&mut self, place: Place, bytes: &[u8], now: Now) {
        self.next
            .insert((place.input, place.partition), place.offset + 1);
        let read = match place.input {
            Input::Spreads => serde_json::from_slice::<Spread<'_>>(bytes).map(|spread| {
                self.windows += 1;
                self.routes.window(&spread, place, &mut self.changed);
                let ended = self.stall.window(now);
                self.put_own(ended, now);
            }),
            Input::Venues => serde_json::from_slice::<VenueHealth<'_>>(bytes).map(|health| {
                self.healths += 1;
                self.venues.health(&health, place, &mut self.changed);
                if self.venues.none_is_up() {
                    self.stall.explained(now);
                }
            }),
        };
        if let Err(error) = read {
            self.unreadable += 1;
            self.dead_letters.push(DeadLetter {
                topic: place.input.topic().name.to_owned(),
                partition: place.partition,
                offset: place.offset,
                stage: "alert",
                error: error.to_string(),
                bytes: bytes.to_vec(),
            });
        }
        for (episode, place) in std::mem::take(&mut self.changed) {
            self.put(episode, Some(place), now);
        }
    }

    /// Lets time pass.
    pub fn tick(&mut self, now: Now) {
        let stalled = self.stall.tick(now);
        self.put_own(stalled, now);
        self.outbox.tidy(now);
    }

    fn put_own(&mut self, episode: Option<Episode>, now: Now) {
        if let Some(episode) = episode {
            self.put(episode, None, now);
        }
    }

    fn put(&mut self, episode: Episode, place: Option<Place>, now: Now) {
        if self.outbox.put(episode.clone(), place, now) {
            self.news.push(episode);
        }
    }

    /// The next request, if one is due. Its records must be safe before it is made.
    pub fn request(&mut self, now: Now, with_updates: bool) -> Option<Request> {
        if now.steady_ms < self.asleep_until_ms {
            return None;
        }
        let is_quiet = self.settings.is_quiet(now.wall_ms);
        self.outbox
            .next(now, &self.throttle, is_quiet, with_updates)
    }

    /// Takes what became of a request; `chance` is any number, all equally likely.
    pub fn answered(
        &mut self,
        request: &Request,
        verdict: &Verdict,
        headers: &Headers,
        now: Now,
        chance: u64,
    ) {
        let action = request.action();
        self.throttle.learn(action, now.steady_ms, headers);
        match verdict {
            Verdict::Limited {
                wait_ms,
                is_global,
                is_shared,
            } => {
                self.throttle
                    .limited(action, now.steady_ms, *wait_ms, *is_global);
                if !is_shared {
                    self.throttle.invalid(now.steady_ms);
                }
            }
            Verdict::Dead(_) => self.throttle.invalid(now.steady_ms),
            Verdict::NotSent(reason) | Verdict::Unclear(reason) => {
                let pause_ms = self.backoff.failed(chance);
                self.asleep_until_ms = now.steady_ms.saturating_add(pause_ms);
                self.away = Some(reason.clone());
            }
            Verdict::Kept(_) | Verdict::Deleted | Verdict::Faulty(_) => {}
        }
        if !matches!(verdict, Verdict::NotSent(_) | Verdict::Unclear(_)) {
            self.backoff.succeeded();
            self.away = None;
        }
        self.outbox.answered(now, verdict);
    }

    /// The records to be written to `alerts`, in order.
    pub fn take_records(&mut self) -> Vec<Outgoing> {
        self.outbox.take_records()
    }

    /// What could not be read.
    pub fn take_dead_letters(&mut self) -> Vec<DeadLetter> {
        std::mem::take(&mut self.dead_letters)
    }

    /// Episodes that began or ended since the last call, for the log.
    pub fn take_news(&mut self) -> Vec<Episode> {
        std::mem::take(&mut self.news)
    }

    /// For each partition the offset of the first record that must be read again after a restart. True once all records
    /// taken so far are safe on `alerts`.
    #[must_use]
    pub fn safe_positions(&self) -> Positions {
        let mut safe = self.next.clone();
        let holds = self.outbox.holds().chain(self.routes.holds());
        for hold in holds.chain(self.venues.holds()) {
            if let Some(offset) = safe.get_mut(&(hold.input, hold.partition)) {
                *offset = (*offset).min(hold.offset);
            }
        }
        safe
    }

    /// Whether reading should pause, since too many episodes wait to be told.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.outbox.is_full()
    }

    /// Whether everything but updates has been told, or cannot be.
    #[must_use]
    pub fn is_told(&self) -> bool {
        self.outbox.is_told()
    }

    /// Where alerts go now.
    #[must_use]
    pub fn way(&self) -> &Way {
        self.outbox.way()
    }

    /// The figures.
    #[must_use]
    pub fn report(&self, now: Now) -> Report {
        let ready = |action| self.throttle.ready_ms(action, now.steady_ms) > now.steady_ms;
        let discord = match (self.outbox.way(), &self.away) {
            (Way::Log, _) => Standing::NoWebhook,
            (Way::Refused(reason), _) => Standing::Refused(reason.clone()),
            (Way::Discord, Some(reason)) => Standing::Away(reason.clone()),
            (Way::Discord, None) if ready(Action::Post) => Standing::Limited,
            (Way::Discord, None) => Standing::Fine,
        };
        Report {
            windows: self.windows,
            healths: self.healths,
            seen_again: self.routes.seen_again(),
            unreadable: self.unreadable,
            discord,
            ..self.outbox.report()
        }
    }
}

impl Input {
    /// The topic that it is read from.
    #[must_use]
    pub fn topic(self) -> topic::Topic {
        match self {
            Self::Spreads => topic::SPREADS,
            Self::Venues => topic::VENUES,
        }
    }
}
