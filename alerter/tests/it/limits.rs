//! A thousand episodes against Discord's real limits, in virtual time: the core and the limiter without a socket between.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::time::Duration;

use alerter::answer::Verdict;
use alerter::core::Core;
use alerter::episode::{Input, Now, Place};
use alerter::outbox::Request;
use alerter::throttle::{Action, Headers};
use serde_json::Value;
use simulator::discord::{Kind, Limiter, Limits, Scope};

use crate::support::{episodes_of, settings, window};

/// A world in which an answer takes 100 ms.
struct World {
    core: Core,
    limiter: Limiter,
    now_ms: i64,
    asked: Option<(Request, i64)>,
    /// Each message's bodies with their times, the post first.
    messages: Vec<Vec<(i64, Value)>>,
    refused: u64,
    asked_n: u64,
}

const ANSWER_MS: i64 = 100;
const STEP_MS: i64 = 20;

impl World {
    fn new(limits: Limits) -> Self {
        let now = Now {
            wall_ms: 0,
            steady_ms: 0,
        };
        Self {
            core: Core::new(settings(Some("http://127.0.0.1:1/x")), now),
            limiter: Limiter::new(limits),
            now_ms: 0,
            asked: None,
            messages: Vec::new(),
            refused: 0,
            asked_n: 0,
        }
    }

    fn now(&self) -> Now {
        Now {
            wall_ms: self.now_ms,
            steady_ms: self.now_ms,
        }
    }

    fn window(&mut self, offset: i64, pair: &str, start_s: i64, net_bps: f64) {
        let place = Place {
            input: Input::Spreads,
            partition: 0,
            offset,
        };
        let now = self.now();
        self.core
            .record(place, &window(pair, start_s, net_bps), now);
    }

    fn step(&mut self) {
        self.now_ms += STEP_MS;
        let now = self.now();
        self.core.tick(now);
        if let Some((request, _)) = self.asked.take_if(|(_, at_ms)| *at_ms <= self.now_ms) {
            let (verdict, headers) = self.answer(&request);
            self.core.answered(&request, &verdict, &headers, now, 7);
        }
        if self.asked.is_none()
            && let Some(request) = self.core.request(now, true)
        {
            self.asked_n += 1;
            self.asked = Some((request, self.now_ms + ANSWER_MS));
        }
        drop(self.core.take_records());
    }

    /// As the stand-in answers, with its limiter and its words.
    fn answer(&mut self, request: &Request) -> (Verdict, Headers) {
        let at = Duration::from_millis(self.now_ms.unsigned_abs());
        let (kind, bucket) = match request.action() {
            Action::Post => (Kind::Post, "post"),
            Action::Edit => (Kind::Edit, "edit"),
        };
        let verdict = self.limiter.ask(at, kind);
        let ms = |time: Duration| i64::try_from(time.as_millis()).unwrap() + 1;
        let headers = Headers {
            bucket: Some(bucket.to_owned()),
            remaining: Some(verdict.remaining),
            reset_after_ms: Some(ms(verdict.reset_after)),
        };
        if let Some((wait, scope)) = verdict.limited {
            self.refused += 1;
            let limited = Verdict::Limited {
                wait_ms: ms(wait),
                is_global: scope == Scope::Global,
                is_shared: scope == Scope::Shared,
            };
            return (limited, headers);
        }
        let body = serde_json::from_slice(&request.body).unwrap();
        let id = match &request.message_id {
            None => {
                self.messages.push(vec![(self.now_ms, body)]);
                (self.messages.len() - 1).to_string()
            }
            Some(id) => {
                let number: usize = id.parse().unwrap();
                self.messages[number].push((self.now_ms, body));
                id.to_string()
            }
        };
        (Verdict::Kept(Some(id)), headers)
    }

    /// When each episode was first told, in the order of telling.
    fn told(&self) -> Vec<(String, i64)> {
        let mut seen = BTreeSet::new();
        let mut told = Vec::new();
        let mut bodies: Vec<&(i64, Value)> = self.messages.iter().flatten().collect();
        bodies.sort_by_key(|(at_ms, _)| *at_ms);
        for (at_ms, body) in bodies {
            for episode in episodes_of(body) {
                if seen.insert(episode.clone()) {
                    told.push((episode, *at_ms));
                }
            }
        }
        told
    }
}

/// Messages that the limits let through from 0 until `ms`, at best and with what one at a time costs: with 30 a minute and
/// 5 in 2 s, 30 within the first 12 s of each minute.
fn let_through_by(ms: i64) -> i64 {
    let (minutes, rest_ms) = (ms / 60_000, ms % 60_000);
    minutes * 30 + (rest_ms / 2_000 * 5).min(30)
}

#[test]
fn a_thousand_episodes_all_arrive_once_in_order_and_no_later_than_the_limits_force() {
    let mut world = World::new(Limits::default());
    // 100 pairs, 10 episodes of each, all within 100 s: 10 new episodes a second, twenty times what the limits let through
    // one by one. 40 s lie between two of a pair, beyond the cooldown, in two of three cases.
    let mut opened_ms = BTreeMap::new();
    let mut offset = 0;
    let mut episodes = 0;
    while episodes < 1_000 || !world.core.is_told() {
        assert!(
            world.now_ms < 3_600_000,
            "an hour is enough: {:?}",
            world.core.report(world.now())
        );
        if world.now_ms % 1_000 == 0 {
            let s = world.now_ms / 1_000;
            for n in 0..100 {
                // A pair's episodes last 3 of 10 seconds, and pairs take turns.
                let phase = (s + n) % 10;
                let is_above = phase < 3 && s < 100;
                let pair = format!("P{n:02}-USD");
                world.window(offset, &pair, s, if is_above { 20.0 } else { -20.0 });
                offset += 1;
                if is_above && (phase == 0 || s == 0) {
                    opened_ms.insert(
                        format!("{pair}/binance/coinbase/{}", s * 1000),
                        world.now_ms,
                    );
                    episodes += 1;
                }
            }
        }
        world.step();
    }
    let told = world.told();
    let ids: BTreeSet<&String> = told.iter().map(|(id, _)| id).collect();
    assert!(opened_ms.len() >= 1_000);
    assert_eq!(ids.len(), opened_ms.len(), "all arrive");
    assert!(opened_ms.keys().all(|id| ids.contains(id)));

    // None twice: an episode stands in one message alone.
    let mut in_messages = BTreeMap::<String, usize>::new();
    for message in &world.messages {
        let (_, newest) = message.last().unwrap();
        let here = episodes_of(newest);
        assert_eq!(
            here.iter().collect::<BTreeSet<_>>().len(),
            here.len(),
            "not twice in one message"
        );
        for episode in here {
            *in_messages.entry(episode).or_default() += 1;
        }
    }
    assert!(in_messages.values().all(|n| *n == 1));

    // In order per pair.
    let mut last = BTreeMap::<String, i64>::new();
    for (id, _) in &told {
        let (series, opened) = id.rsplit_once('/').unwrap();
        let opened: i64 = opened.parse().unwrap();
        assert!(
            last.insert(series.to_owned(), opened)
                .is_none_or(|before| before < opened),
            "{id}"
        );
    }

    // None later than the limits force: by any time, what has been told is what ten in each message that the limits let
    // through could tell of what had come. What one waits for besides: being merged (1 s), the answer, the step, and the
    // one burst of a window that opens when it is first used.
    const SLACK_MS: i64 = 1_000 + 2 * ANSWER_MS + 2 * STEP_MS + 2_000;
    let mut came: Vec<i64> = opened_ms.values().copied().collect();
    came.sort_unstable();
    let first_ms = came[0];
    let mut latest = 0;
    for (position, (id, told_ms)) in told.iter().enumerate() {
        // The messages needed for all up to this one, ten in each, and when the limits have let so many through.
        let needed = i64::try_from(position / 10 + 1).unwrap();
        let mut forced_ms = first_ms;
        while let_through_by(forced_ms - first_ms) < needed {
            forced_ms += 100;
        }
        let bound_ms = forced_ms.max(opened_ms[id]) + SLACK_MS;
        assert!(
            *told_ms <= bound_ms,
            "{id} told at {told_ms}, later than {bound_ms}"
        );
        latest = latest.max(*told_ms);
    }
    // Every message shows the end of all its episodes.
    for message in &world.messages {
        let (_, newest) = message.last().unwrap();
        for embed in newest["embeds"].as_array().unwrap() {
            let description = embed["description"].as_str().unwrap();
            assert!(description.starts_with("Over after"), "{embed}");
        }
    }
    // The limits are learned from headers: refusals are the hidden limit's alone, at most two for each of its minutes.
    let minutes = u64::try_from(world.now_ms / 60_000 + 1).unwrap();
    assert!(
        world.refused <= 2 * minutes,
        "{} refused in {minutes} minutes",
        world.refused
    );
    let latest_ms = told
        .iter()
        .map(|(id, told_ms)| told_ms - opened_ms[id])
        .max()
        .unwrap();
    let _ = writeln!(
        std::io::stderr(),
        "{} episodes in {} messages and {} requests, {} of them refused; all told after {} s, none later than {latest_ms} ms",
        told.len(),
        world.messages.len(),
        world.asked_n,
        world.refused,
        latest / 1_000
    );
    let report = world.core.report(world.now());
    assert!(report.merged > 0 && report.waiting == 0 && report.open == 0);
}

#[test]
fn a_single_episode_is_told_as_fast_as_one_answer_takes() {
    let mut world = World::new(Limits::default());
    world.step();
    let came_ms = world.now_ms;
    world.window(0, "BTC-USD", 5, 20.0);
    while world.messages.is_empty() {
        world.step();
    }
    assert!(
        world.now_ms - came_ms <= ANSWER_MS + 2 * STEP_MS,
        "{}",
        world.now_ms - came_ms
    );
    assert_eq!(world.asked_n, 1);
}
