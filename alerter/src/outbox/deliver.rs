//! One request at a time: what is sent next, and what its answer changes.

use std::time::Duration;

use super::{
    Action, Arc, EMBEDS_MOST, Entry, KEEP_MS, MERGE_ABOVE, MERGE_AFTER_MS, Message, Now, Outbox,
    Part, Request, Sending, Throttle, Told, Verdict, Way, message,
};

/// How many latencies the percentiles are taken from.
const LATENCIES: usize = 512;

impl Outbox {
    /// The next request, if one is due and the limits let it through; then [`Self::answered`] must follow. The records it
    /// leaves in [`Self::take_records`] must be safe before it is made. With `with_updates` false only new episodes and ends
    /// are told. `is_quiet` makes a new message silent.
    pub fn next(
        &mut self,
        now: Now,
        throttle: &Throttle,
        is_quiet: bool,
        with_updates: bool,
    ) -> Option<Request> {
        if self.sending.is_some() || self.way != Way::Discord {
            return None;
        }
        self.join(now.steady_ms);
        let is_ready = |action| throttle.ready_ms(action, now.steady_ms) <= now.steady_ms;
        if is_ready(Action::Edit) && self.messages.values().any(|message| message.has_newcomer) {
            return self.edit(now.steady_ms, with_updates);
        }
        if is_ready(Action::Post) && self.waiting.front().is_some_and(|id| self.may_post(id)) {
            return Some(self.post(now.steady_ms, is_quiet));
        }
        if is_ready(Action::Edit) {
            return self.edit(now.steady_ms, with_updates);
        }
        None
    }

    /// Episodes that come within the cooldown of the one before them go into its message.
    fn join(&mut self, now_ms: i64) {
        while let Some(id) = self.waiting.front() {
            let Some(message) = self.entries.get(id).and_then(|entry| self.joinable(entry)) else {
                return;
            };
            let Some(id) = self.waiting.pop_front() else {
                return;
            };
            if let (Some(entry), Some(into)) =
                (self.entries.get_mut(&id), self.messages.get_mut(&message))
            {
                entry.message = Some(message);
                into.episodes.push(id);
                into.old_since_ms.get_or_insert(now_ms);
                (into.is_urgent, into.has_newcomer) = (true, true);
                into.finished_ms = None;
                self.report.joined += 1;
            }
        }
    }

    /// Whether the episode before it in its series has been told, or waits as well, and so comes before it.
    fn may_post(&self, id: &Arc<str>) -> bool {
        let before = self
            .entries
            .get(id)
            .and_then(|entry| self.entries.get(entry.before.as_ref()?));
        before.is_none_or(|before| before.told != Told::Never || before.message.is_none())
    }

    /// The message that this episode may join.
    fn joinable(&self, entry: &Entry) -> Option<u64> {
        let before = self.entries.get(entry.before.as_ref()?)?;
        let apart_ms = entry
            .episode
            .opened_ms
            .saturating_sub(before.episode.closed_ms?);
        let message = before.message?;
        let into = self.messages.get(&message)?;
        let has_room = into.id.is_some() && !into.is_over && into.episodes.len() < EMBEDS_MOST;
        (has_room && !entry.repeat && apart_ms < self.cooldown_ms).then_some(message)
    }

    fn post(&mut self, now_ms: i64, is_quiet: bool) -> Request {
        let came_ms = |id: &Arc<str>| self.entries.get(id).map_or(now_ms, |entry| entry.came_ms);
        let waited_ms = self.waiting.front().map_or(0, |id| now_ms - came_ms(id));
        let is_late = self.waiting.len() > MERGE_ABOVE || waited_ms >= MERGE_AFTER_MS;
        let together = self.waiting.iter().take_while(|id| self.may_post(id));
        let n = if is_late {
            together.take(EMBEDS_MOST).count()
        } else {
            1
        };
        let episodes: Vec<Arc<str>> = self.waiting.drain(..n).collect();
        if n > 1 {
            self.report.merged += u64::try_from(n).unwrap_or(0);
        }
        let number = self.next_message;
        self.next_message += 1;
        for id in &episodes {
            if let Some(entry) = self.entries.get_mut(id) {
                entry.message = Some(number);
            }
        }
        self.messages.insert(
            number,
            Message {
                episodes,
                ..Message::default()
            },
        );
        self.send(number, Action::Post, is_quiet)
    }

    fn edit(&mut self, now_ms: i64, with_updates: bool) -> Option<Request> {
        let interval_ms = self.update_interval_ms;
        let due = self.messages.iter().filter_map(|(number, message)| {
            let since_ms = message.old_since_ms.filter(|_| message.id.is_some())?;
            let at_ms = if message.is_urgent {
                since_ms
            } else {
                since_ms.max(message.sent_ms.saturating_add(interval_ms))
            };
            let is_due = message.is_urgent || (with_updates && at_ms <= now_ms);
            is_due.then_some((!message.has_newcomer, !message.is_urgent, at_ms, *number))
        });
        let (.., number) = due.min()?;
        Some(self.send(number, Action::Edit, false))
    }

    /// Puts a message on its way, as it stands now.
    fn send(&mut self, number: u64, action: Action, is_quiet: bool) -> Request {
        let Some(message) = self.messages.get_mut(&number) else {
            unreachable!("it was found or made by the caller");
        };
        let was_urgent = std::mem::take(&mut message.is_urgent);
        let had_newcomer = std::mem::take(&mut message.has_newcomer);
        message.old_since_ms = None;
        let message_id = message.id.clone();
        let ids = message.episodes.clone();
        let mut versions = Vec::new();
        for id in &ids {
            if let Some(entry) = self.entries.get_mut(id) {
                entry.sending_from = entry.untold_from.take();
                versions.push((Arc::clone(id), entry.version));
            }
        }
        self.sending = Some(Sending {
            message: number,
            action,
            versions,
            was_urgent,
            had_newcomer,
        });
        // Whoever takes over must know of it before Discord does: where it may be posted, and whose message it joins.
        for id in &ids {
            let is_new = self
                .entries
                .get(id)
                .is_some_and(|entry| entry.told == Told::Never);
            if is_new {
                self.write(id);
            }
        }
        let parts: Vec<Part<'_>> = ids
            .iter()
            .filter_map(|id| self.entries.get(id))
            .map(|entry| Part {
                episode: &entry.episode,
                possible_repeat: entry.repeat,
            })
            .collect();
        Request {
            message_id,
            body: message::body(&parts, &self.label, is_quiet),
            episodes: parts.len(),
        }
    }

    /// Takes what became of the request.
    pub fn answered(&mut self, now: Now, verdict: &Verdict) {
        let Some(sending) = self.sending.take() else {
            return;
        };
        match verdict {
            Verdict::Kept(id) => self.kept(&sending, id.as_deref(), now.steady_ms),
            Verdict::Limited { .. } => {
                self.report.limited += 1;
                self.again(&sending, now.steady_ms, false);
            }
            Verdict::NotSent(_) => {
                self.report.retried += 1;
                self.again(&sending, now.steady_ms, false);
            }
            Verdict::Unclear(_) => {
                self.report.retried += 1;
                self.again(&sending, now.steady_ms, true);
            }
            Verdict::Deleted => self.deleted(&sending, now.steady_ms),
            Verdict::Faulty(_) => self.given_up(&sending, now.steady_ms),
            Verdict::Dead(reason) => {
                self.again(&sending, now.steady_ms, false);
                self.refuse(reason);
            }
        }
    }

    fn kept(&mut self, sending: &Sending, id: Option<&str>, now_ms: i64) {
        let Some(message) = self.messages.get_mut(&sending.message) else {
            return;
        };
        message.sent_ms = now_ms;
        message.is_inherited = false;
        match sending.action {
            Action::Post => {
                message.id = id.map(Into::into);
                message.is_over = id.is_none();
                self.report.posted += 1;
            }
            Action::Edit => self.report.edited += 1,
        }
        let is_over = message.is_over;
        if is_over {
            message.old_since_ms = None;
        }
        let mut is_repeat = false;
        for (id, version) in &sending.versions {
            let Some(entry) = self.entries.get_mut(id) else {
                continue;
            };
            entry.sending_from = None;
            let is_first = entry.told == Told::Never;
            is_repeat |= is_first && entry.repeat;
            if is_first {
                let took_ms = now_ms - entry.came_ms;
                self.latencies_ms.push_back(took_ms);
                let took = Duration::from_millis(u64::try_from(took_ms).unwrap_or(0));
                self.report.latencies.add(took);
            }
            let is_newest = entry.version == *version;
            let before = entry.told;
            // An overtaken state was an open one: nothing follows an end.
            entry.told = if is_newest || is_over {
                entry.newest()
            } else {
                Told::Open
            };
            if is_over {
                entry.untold_from = None;
            }
            if entry.told != before || is_first {
                self.write(id);
            }
        }
        self.report.possible_repeats += u64::from(is_repeat);
        let too_many = self.latencies_ms.len().saturating_sub(LATENCIES);
        self.latencies_ms.drain(..too_many);
    }

    /// Back to where it was: nothing was kept, or nobody knows.
    fn again(&mut self, sending: &Sending, now_ms: i64, is_unclear: bool) {
        for (id, _) in &sending.versions {
            if let Some(entry) = self.entries.get_mut(id) {
                entry.untold_from = entry.sending_from.take().or(entry.untold_from);
            }
        }
        if sending.action == Action::Edit {
            if let Some(message) = self.messages.get_mut(&sending.message) {
                message.old_since_ms.get_or_insert(now_ms);
                message.is_urgent |= sending.was_urgent;
                message.has_newcomer |= sending.had_newcomer;
            }
            return;
        }
        self.messages.remove(&sending.message);
        for (id, _) in sending.versions.iter().rev() {
            if let Some(entry) = self.entries.get_mut(id) {
                entry.message = None;
                entry.repeat |= is_unclear;
                self.waiting.push_front(Arc::clone(id));
            }
        }
        for (id, _) in &sending.versions {
            self.write(id);
        }
    }

    /// Somebody deleted the message: the episode goes on without one. A message of an earlier process may also belong to
    /// another webhook than today's, so what it has not told is posted anew.
    fn deleted(&mut self, sending: &Sending, now_ms: i64) {
        let Some(message) = self.messages.get_mut(&sending.message) else {
            return;
        };
        let is_inherited = std::mem::take(&mut message.is_inherited);
        message.is_over = true;
        message.old_since_ms = None;
        message.sent_ms = now_ms;
        let mut anew = Vec::new();
        for (id, _) in &sending.versions {
            let Some(entry) = self.entries.get_mut(id) else {
                continue;
            };
            let from = entry.sending_from.take().or(entry.untold_from);
            if is_inherited && (entry.episode.is_open() || entry.told != Told::Closed) {
                entry.untold_from = from;
                entry.message = None;
                entry.told = Told::Never;
                anew.push(Arc::clone(id));
            } else {
                entry.untold_from = None;
                entry.told = entry.newest();
            }
            self.write(id);
        }
        if let Some(message) = self.messages.get_mut(&sending.message) {
            message.episodes.retain(|id| !anew.contains(id));
        }
        self.report.deleted += u64::from(anew.is_empty());
        for id in anew.into_iter().rev() {
            self.waiting.push_front(id);
        }
    }

    /// Discord will never take this body: what it should have told is kept as refused, and nothing waits for it.
    fn given_up(&mut self, sending: &Sending, now_ms: i64) {
        if let Some(message) = self.messages.get_mut(&sending.message) {
            message.is_over = true;
            message.old_since_ms = None;
            message.sent_ms = now_ms;
        }
        for (id, _) in &sending.versions {
            let Some(entry) = self.entries.get_mut(id) else {
                continue;
            };
            (entry.sending_from, entry.untold_from) = (None, None);
            if entry.told != Told::Closed {
                entry.told = Told::Refused;
                self.report.refused += 1;
            }
            self.write(id);
        }
    }

    /// The webhook is dead: everything that is not told is kept as refused.
    fn refuse(&mut self, reason: &str) {
        self.way = Way::Refused(reason.to_owned());
        self.waiting.clear();
        let ids: Vec<Arc<str>> = self.entries.keys().cloned().collect();
        for id in ids {
            let Some(entry) = self.entries.get_mut(&id) else {
                continue;
            };
            (entry.sending_from, entry.untold_from) = (None, None);
            let is_untold = entry.told != entry.newest();
            let is_closed = !entry.episode.is_open();
            if is_untold {
                self.report.refused += 1;
                self.write(&id);
            }
            if is_closed {
                self.forget(&id);
            }
        }
    }

    /// Lets go of what is finished and can no longer be joined.
    pub fn tidy(&mut self, now: Now) {
        let keep_ms = self.cooldown_ms.saturating_add(KEEP_MS);
        let entries = &self.entries;
        let mut gone = Vec::new();
        for (number, message) in &mut self.messages {
            let is_finished = |id: &Arc<str>| {
                entries.get(id).is_none_or(|entry| {
                    !entry.episode.is_open()
                        && entry.told != Told::Never
                        && entry.sending_from.is_none()
                })
            };
            if message.old_since_ms.is_some() || !message.episodes.iter().all(is_finished) {
                message.finished_ms = None;
            } else {
                let since_ms = *message.finished_ms.get_or_insert(now.steady_ms);
                if now.steady_ms.saturating_sub(since_ms) >= keep_ms {
                    gone.push(*number);
                }
            }
        }
        for message in gone
            .iter()
            .filter_map(|number| self.messages.remove(number))
            .collect::<Vec<_>>()
        {
            for id in &message.episodes {
                self.forget(id);
            }
        }
    }
}
