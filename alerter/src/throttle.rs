//! When the next request may be made, as the answers' headers state it. Pure: time is an argument.
//!
//! In: what each answer says of its limits. Out: the earliest time for a request of a kind. Nothing is assumed before the
//! first answer, and no limit is hard-coded; requests are made one at a time, so that each knows the answer before it.
//! Besides, 10,000 answers of 401, 403 or 429 within ten minutes get an address banned: far below that, requests stop.

use std::collections::VecDeque;

/// What a request does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Posts a message.
    Post,
    /// Edits one.
    Edit,
}

/// What an answer's headers say of limits.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Headers {
    /// `X-RateLimit-Bucket`: requests that share it share the limit.
    pub bucket: Option<String>,
    /// `X-RateLimit-Remaining`.
    pub remaining: Option<u32>,
    /// `X-RateLimit-Reset-After`, milliseconds. The header in seconds since 1970 is not used: clocks differ.
    pub reset_after_ms: Option<i64>,
}

/// Answers that count towards a ban, at most so many in [`BAN_WINDOW_MS`] before requests stop; Discord bans at 10,000.
const INVALID_MOST: usize = 1_000;
/// See [`INVALID_MOST`].
const BAN_WINDOW_MS: i64 = 600_000;

/// Keeps to the limits.
#[derive(Debug, Default)]
pub struct Throttle {
    post: Option<String>,
    edit: Option<String>,
    /// By bucket, until when nothing may be sent.
    closed_until: Vec<(String, i64)>,
    post_until_ms: i64,
    edit_until_ms: i64,
    all_until_ms: i64,
    invalid: VecDeque<i64>,
}

impl Throttle {
    /// The earliest time for this, not before `now_ms`.
    #[must_use]
    pub fn ready_ms(&self, action: Action, now_ms: i64) -> i64 {
        let (own, bucket) = match action {
            Action::Post => (self.post_until_ms, &self.post),
            Action::Edit => (self.edit_until_ms, &self.edit),
        };
        let of_bucket = bucket.as_ref().and_then(|bucket| {
            let closed = self.closed_until.iter().find(|(name, _)| name == bucket);
            closed.map(|(_, until_ms)| *until_ms)
        });
        let banned = match self.invalid.len() {
            n if n >= INVALID_MOST => self.invalid[n - INVALID_MOST] + BAN_WINDOW_MS,
            _ => now_ms,
        };
        now_ms
            .max(own)
            .max(of_bucket.unwrap_or(now_ms))
            .max(self.all_until_ms)
            .max(banned)
    }

    /// Takes in the headers of an answer.
    pub fn learn(&mut self, action: Action, now_ms: i64, headers: &Headers) {
        let until_ms = match (headers.remaining, headers.reset_after_ms) {
            (Some(0), Some(after_ms)) => now_ms.saturating_add(after_ms),
            _ => now_ms,
        };
        let (own, bucket) = match action {
            Action::Post => (&mut self.post_until_ms, &mut self.post),
            Action::Edit => (&mut self.edit_until_ms, &mut self.edit),
        };
        let Some(name) = &headers.bucket else {
            *own = (*own).max(until_ms);
            return;
        };
        *bucket = Some(name.clone());
        match self
            .closed_until
            .iter_mut()
            .find(|(known, _)| known == name)
        {
            Some((_, until)) => *until = until_ms,
            None => self.closed_until.push((name.clone(), until_ms)),
        }
        // Names that neither kind uses any more are of no use.
        let (post, edit) = (self.post.clone(), self.edit.clone());
        self.closed_until
            .retain(|(known, _)| post.as_ref() == Some(known) || edit.as_ref() == Some(known));
    }

    /// A 429: waits as it says, everything if the limit is global.
    pub fn limited(&mut self, action: Action, now_ms: i64, wait_ms: i64, is_global: bool) {
        let until_ms = now_ms.saturating_add(wait_ms);
        let until = match (is_global, action) {
            (true, _) => &mut self.all_until_ms,
            (false, Action::Post) => &mut self.post_until_ms,
            (false, Action::Edit) => &mut self.edit_until_ms,
        };
        *until = (*until).max(until_ms);
    }

    /// An answer that counts towards a ban: 401, 403, and 429 unless its limit is shared.
    pub fn invalid(&mut self, now_ms: i64) {
        self.invalid.push_back(now_ms);
        while self.invalid.front().is_some_and(|&first| {
            first + BAN_WINDOW_MS <= now_ms || self.invalid.len() > INVALID_MOST
        }) {
            self.invalid.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(bucket: &str, remaining: u32, reset_after_ms: i64) -> Headers {
        Headers {
            bucket: Some(bucket.to_owned()),
            remaining: Some(remaining),
            reset_after_ms: Some(reset_after_ms),
        }
    }

    #[test]
    fn the_last_request_of_a_window_closes_its_bucket_alone() {
        let mut throttle = Throttle::default();
        assert_eq!(throttle.ready_ms(Action::Post, 7), 7);
        throttle.learn(Action::Post, 100, &headers("p", 1, 1_900));
        assert_eq!(throttle.ready_ms(Action::Post, 100), 100);
        throttle.learn(Action::Post, 200, &headers("p", 0, 1_800));
        assert_eq!(throttle.ready_ms(Action::Post, 200), 2_000);
        assert_eq!(throttle.ready_ms(Action::Edit, 200), 200);
        throttle.learn(Action::Edit, 300, &headers("p", 4, 1_700));
        assert_eq!(
            throttle.ready_ms(Action::Post, 300),
            300,
            "one bucket for both: its newest word counts"
        );
        assert_eq!(throttle.ready_ms(Action::Post, 3_000), 3_000);
    }

    #[test]
    fn a_429_closes_its_kind_and_a_global_one_everything() {
        let mut throttle = Throttle::default();
        throttle.limited(Action::Post, 1_000, 64_570, false);
        assert_eq!(throttle.ready_ms(Action::Post, 1_000), 65_570);
        assert_eq!(throttle.ready_ms(Action::Edit, 1_000), 1_000);
        throttle.learn(Action::Post, 1_000, &headers("p", 3, 100));
        assert_eq!(
            throttle.ready_ms(Action::Post, 1_000),
            65_570,
            "headers do not shorten a 429"
        );
        throttle.limited(Action::Edit, 2_000, 500, true);
        assert_eq!(throttle.ready_ms(Action::Edit, 2_000), 2_500);
    }

    #[test]
    fn invalid_answers_stop_everything_long_before_the_ban() {
        let mut throttle = Throttle::default();
        for n in 0..5_000 {
            let now_ms = throttle.ready_ms(Action::Post, n * 10);
            throttle.invalid(now_ms);
            let within = throttle
                .invalid
                .iter()
                .filter(|&&at| at > now_ms - BAN_WINDOW_MS);
            assert!(within.count() <= INVALID_MOST);
        }
        assert!(throttle.ready_ms(Action::Post, 0) > 2 * BAN_WINDOW_MS);
        assert!(throttle.invalid.len() <= INVALID_MOST);
    }
}
