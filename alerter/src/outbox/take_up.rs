//! From the records of `alerts` to where an earlier process left off.

use std::collections::BTreeMap;

use contract::alert::{Alert, Delivery};

use super::{Arc, Entry, Message, Now, Outbox, Told, Way};
use crate::episode::Episode;

/// A record of `alerts`, taken apart.
#[derive(Debug, Clone)]
pub struct Kept {
    /// The episode.
    pub episode: Episode,
    message_id: Option<Arc<str>>,
    delivery: Delivery,
    possible_repeat: bool,
}

impl Kept {
    /// Takes a record apart.
    #[must_use]
    pub fn of(alert: &Alert<'_>) -> Self {
        let (message_id, delivery, possible_repeat) = match alert {
            Alert::Spread(it) => (&it.message_id, it.delivery, it.possible_repeat),
            Alert::Outage(it) => (&it.message_id, it.delivery, it.possible_repeat),
            Alert::Stall(it) => (&it.message_id, it.delivery, it.possible_repeat),
        };
        // It will stand in a path.
        let usable = |id: &str| !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_digit());
        Self {
            episode: Episode::of_record(alert),
            message_id: message_id
                .as_deref()
                .filter(|id| usable(id))
                .map(Into::into),
            delivery,
            possible_repeat,
        }
    }

    /// Whether something is still to be done about it.
    fn is_unfinished(&self) -> bool {
        self.episode.is_open() || matches!(self.delivery, Delivery::Pending | Delivery::Refused)
    }
}

impl Outbox {
    /// Takes up the newest states of all episodes: what waits to be told, what lasts, what may be joined. Everything else
    /// is left on the topic.
    pub fn take_up(&mut self, all: &BTreeMap<Arc<str>, Kept>, now: Now) {
        let mut in_order: Vec<&Kept> = all.values().collect();
        in_order.sort_by_key(|kept| (kept.episode.opened_ms, Arc::clone(&kept.episode.id)));
        let recent_ms = now.wall_ms.saturating_sub(self.cooldown_ms);
        let is_wanted = |kept: &Kept| {
            kept.is_unfinished()
                || kept
                    .episode
                    .closed_ms
                    .is_some_and(|closed_ms| closed_ms >= recent_ms)
        };
        let mut messages: BTreeMap<Arc<str>, Option<u64>> = BTreeMap::new();
        for kept in in_order.iter().filter(|kept| is_wanted(kept)) {
            self.report.taken_up += u64::from(kept.is_unfinished());
            if let Some(id) = &kept.message_id {
                messages.insert(Arc::clone(id), None);
            }
        }
        for kept in in_order {
            let message = kept.message_id.as_ref().and_then(|id| messages.get_mut(id));
            if !is_wanted(kept) && message.is_none() {
                continue;
            }
            let number = message.map(|number| *number.get_or_insert_with(|| self.inherit(kept)));
            self.enter_kept(kept, number, now.steady_ms);
        }
    }

    fn inherit(&mut self, kept: &Kept) -> u64 {
        let number = self.next_message;
        self.next_message += 1;
        self.messages.insert(
            number,
            Message {
                id: kept.message_id.clone(),
                is_inherited: true,
                ..Message::default()
            },
        );
        number
    }

    fn enter_kept(&mut self, kept: &Kept, number: Option<u64>, now_ms: i64) {
        let episode = &kept.episode;
        let (id, series) = (Arc::clone(&episode.id), episode.series());
        let before = self.newest.insert(series.clone(), Arc::clone(&id));
        let mut entry = Entry {
            episode: episode.clone(),
            series,
            before,
            message: number,
            told: Told::Never,
            repeat: kept.possible_repeat,
            version: 0,
            untold_from: None,
            sending_from: None,
            came_ms: now_ms,
        };
        let is_told = kept.delivery == Delivery::Sent;
        let is_closed = !episode.is_open();
        // Whether a message tells its beginning at least is not on the topic: then it is taken for a newcomer there.
        if is_told {
            entry.told = entry.newest();
        }
        let has_lost_its_message = is_told && number.is_none();
        let told = entry.told;
        self.entries.insert(Arc::clone(&id), entry);
        if let Some(message) = number.and_then(|number| self.messages.get_mut(&number)) {
            message.episodes.push(Arc::clone(&id));
            if !is_told {
                message.has_newcomer = true;
                message.old_since_ms = Some(now_ms);
                message.is_urgent = true;
            }
        } else if has_lost_its_message {
            // Told by a message without an id: it cannot be edited, and is not to be posted again.
            let number = self.inherit(kept);
            if let Some(message) = self.messages.get_mut(&number) {
                message.is_over = true;
                message.episodes.push(Arc::clone(&id));
            }
            if let Some(entry) = self.entries.get_mut(&id) {
                entry.message = Some(number);
            }
        } else if told == Told::Never {
            match self.way {
                Way::Discord if kept.delivery == Delivery::Logged && is_closed => self.forget(&id),
                Way::Discord => self.waiting.push_back(id),
                Way::Log | Way::Refused(_) => {
                    self.write(&id);
                    if is_closed {
                        self.forget(&id);
                    }
                }
            }
        }
    }
}
