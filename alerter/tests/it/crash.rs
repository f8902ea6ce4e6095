//! A process that dies at any step, about a thousand times, in virtual time: the core over a log that keeps what was delivered
//! and a Discord that keeps what arrived.
//!
//! The real thing, with a binary that is killed, is a test of `lockstep`; here the same rules meet many more moments, and
//! a failure can be had again by its seed.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use alerter::Settings;
use alerter::answer::Verdict;
use alerter::core::Core;
use alerter::discord::Answer;
use alerter::episode::{Input, Now, Place, Positions};
use alerter::outbox::{Kept, Outgoing, Request};
use alerter::throttle::{Action, Headers};
use contract::alert::Alert;
use serde_json::Value;
use simulator::discord::{Kind, Limiter, Limits, Scope};

use crate::support::{episodes_of, settings, window};

const SEEDS: std::ops::Range<u64> = 0..30;
const STEP_MS: i64 = 10;
/// A second of event time goes by in so much of ours.
const SECOND_MS: i64 = 40;
const PAIRS: usize = 4;
const FED_MS: i64 = 12_000;

/// Splitmix64: the same numbers for the same seed.
struct Chance(u64);

impl Chance {
    fn below(&mut self, n: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % n
    }

    fn one_in(&mut self, n: u64) -> bool {
        self.below(n) == 0
    }
}

/// A process: what dies.
struct Process {
    core: Core,
    read: usize,
    handed_over: usize,
    prepared: Option<(Request, usize)>,
    asked: Option<Asked>,
    safe: Option<(Positions, usize)>,
    commit_at_ms: i64,
}

/// A request that is being made.
struct Asked {
    request: Request,
    arrives_ms: i64,
    answers_ms: i64,
    /// What it is answered with, once it has arrived.
    answer: Option<Answer>,
}

/// What outlives it.
struct World {
    settings: Settings,
    chance: Chance,
    now_ms: i64,
    input: Vec<Vec<u8>>,
    /// Delivered records of `alerts`, and those that the process has handed over since.
    alerts: Vec<Outgoing>,
    on_the_way: VecDeque<Outgoing>,
    delivered: usize,
    committed: Positions,
    limiter: Limiter,
    messages: Vec<Vec<Value>>,
    /// Everything that was kept, in order: the time, what it did, and what it told.
    history: Vec<String>,
    told: Vec<String>,
}

impl World {
    fn new(seed: u64) -> Self {
        let mut settings = settings(Some("http://127.0.0.1:1/x"));
        (settings.update_interval_ms, settings.backoff_ms) = (100, 10);
        (settings.rules.cooldown_ms, settings.rules.stall_after_ms) = (3_000, 0);
        Self {
            settings,
            chance: Chance(seed),
            now_ms: 0,
            input: Vec::new(),
            alerts: Vec::new(),
            on_the_way: VecDeque::new(),
            delivered: 0,
            committed: Positions::new(),
            limiter: Limiter::new(Limits::default().faster(20)),
            messages: Vec::new(),
            history: Vec::new(),
            told: Vec::new(),
        }
    }

    fn now(&self) -> Now {
        Now {
            wall_ms: 2_000_000_000_000 + self.now_ms,
            steady_ms: self.now_ms,
        }
    }

    fn start(&mut self) -> Process {
        let mut newest = BTreeMap::new();
        for record in &self.alerts {
            let alert: Alert<'_> = serde_json::from_slice(&record.line).unwrap();
            let kept = Kept::of(&alert);
            newest.insert(Arc::clone(&kept.episode.id), kept);
        }
        let now = self.now();
        let mut core = Core::new(self.settings.clone(), now);
        core.take_up(&newest, &self.committed, now);
        self.on_the_way.clear();
        self.delivered = 0;
        let from = self
            .committed
            .get(&(Input::Spreads, 0))
            .copied()
            .unwrap_or(0);
        Process {
            core,
            read: usize::try_from(from).unwrap(),
            handed_over: 0,
            prepared: None,
            asked: None,
            safe: None,
            commit_at_ms: self.now_ms,
        }
    }

    /// What the process had handed over arrives up to some record; the rest is gone with it.
    fn kill(&mut self, process: &Process) {
        let n = u64::try_from(self.on_the_way.len()).unwrap();
        for _ in 0..self.chance.below(n + 1) {
            self.alerts.extend(self.on_the_way.pop_front());
        }
        // A request that is on its way arrives without its sender, or does not.
        if let Some(asked) = &process.asked
            && asked.answer.is_none()
            && self.chance.one_in(2)
        {
            self.arrive(&asked.request);
        }
    }

    fn step(&mut self, process: &mut Process) {
        self.now_ms += STEP_MS;
        let now = self.now();
        for _ in 0..self.chance.below(4) {
            if let Some(record) = self.on_the_way.pop_front() {
                self.alerts.push(record);
                self.delivered += 1;
            }
        }
        for _ in 0..self.chance.below(20) {
            let Some(bytes) = self.input.get(process.read) else {
                break;
            };
            let place = Place {
                input: Input::Spreads,
                partition: 0,
                offset: i64::try_from(process.read).unwrap(),
            };
            process.core.record(place, bytes, now);
            process.read += 1;
        }
        if let Some(asked) = &mut process.asked
            && asked.answer.is_none()
            && asked.arrives_ms <= self.now_ms
        {
            asked.answer = Some(self.arrive(&asked.request));
        }
        if let Some(asked) = process
            .asked
            .take_if(|asked| asked.answers_ms <= self.now_ms)
        {
            let (verdict, headers) = asked.answer.unwrap();
            // Now and then the answer is lost on its way.
            let verdict = if self.chance.one_in(12) {
                Verdict::Unclear("lost".to_owned())
            } else {
                verdict
            };
            let chance = self.chance.below(u64::MAX);
            process
                .core
                .answered(&asked.request, &verdict, &headers, now, chance);
        }
        process.core.tick(now);
        self.write(process);
        if process.prepared.is_none()
            && process.asked.is_none()
            && let Some(request) = process.core.request(now, true)
        {
            self.write(process);
            process.prepared = Some((request, process.handed_over));
        }
        if let Some((request, _)) = process
            .prepared
            .take_if(|(_, wanted)| self.delivered >= *wanted)
        {
            let arrives_ms = self.now_ms + i64::try_from(self.chance.below(40)).unwrap();
            let answers_ms = arrives_ms + i64::try_from(self.chance.below(40)).unwrap();
            process.asked = Some(Asked {
                request,
                arrives_ms,
                answers_ms,
                answer: None,
            });
        }
        if process.safe.is_none() && self.now_ms >= process.commit_at_ms {
            process.commit_at_ms = self.now_ms + 100;
            process.safe = Some((process.core.safe_positions(), process.handed_over));
        }
        if let Some((positions, _)) = process
            .safe
            .take_if(|(_, wanted)| self.delivered >= *wanted)
        {
            self.committed = positions;
        }
    }

    fn write(&mut self, process: &mut Process) {
        for record in process.core.take_records() {
            self.on_the_way.push_back(record);
            process.handed_over += 1;
        }
    }

    /// As the stand-in answers, with its limiter and its words.
    fn arrive(&mut self, request: &Request) -> Answer {
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
            let limited = Verdict::Limited {
                wait_ms: ms(wait),
                is_global: scope == Scope::Global,
                is_shared: scope == Scope::Shared,
            };
            return (limited, headers);
        }
        let body: Value = serde_json::from_slice(&request.body).unwrap();
        let number = match &request.message_id {
            None => {
                self.messages.push(Vec::new());
                self.messages.len() - 1
            }
            Some(id) => id.parse().unwrap(),
        };
        self.history.push(format!(
            "{} {kind:?} {number}: {:?}",
            self.now_ms,
            episodes_of(&body)
        ));
        self.told.extend(episodes_of(&body));
        self.messages[number].push(body);
        (Verdict::Kept(Some(number.to_string())), headers)
    }
}

/// Windows of all pairs, and the episodes with their windows that must follow.
fn feed(
    chance: &mut Chance,
    second: i64,
    states: &mut [(u64, Option<i64>)],
    ends: bool,
    expected: &mut BTreeMap<String, u64>,
) -> Vec<Vec<u8>> {
    let mut windows = Vec::new();
    for (n, (left, since)) in states.iter_mut().enumerate() {
        if *left == 0 || ends {
            *since = if since.is_some() || ends {
                None
            } else {
                Some(second)
            };
            *left = 1 + chance.below(if since.is_some() { 4 } else { 8 });
        }
        *left -= 1;
        let pair = format!("P{n}-USD");
        if let Some(since) = since {
            *expected
                .entry(format!("{pair}/binance/coinbase/{}", *since * 1000))
                .or_default() += 1;
        }
        windows.push(window(
            &pair,
            second,
            if since.is_some() { 20.0 } else { -20.0 },
        ));
    }
    windows
}

fn play(seed: u64) -> (usize, usize) {
    let mut world = World::new(seed);
    let mut expected = BTreeMap::new();
    let mut states = vec![(1, None); PAIRS];
    let mut second = 1;
    let mut process = world.start();
    let mut deaths = 0;
    loop {
        if world.now_ms % SECOND_MS == 0 && world.now_ms <= FED_MS {
            let ends = world.now_ms == FED_MS;
            let windows = feed(&mut world.chance, second, &mut states, ends, &mut expected);
            world.input.extend(windows);
            second += 1;
        }
        world.step(&mut process);
        if world.now_ms < FED_MS + 2_000 && world.chance.one_in(40) {
            world.kill(&process);
            process = world.start();
            deaths += 1;
        }
        let is_settled = process.core.is_told()
            && process.read == world.input.len()
            && world.on_the_way.is_empty();
        if world.now_ms > FED_MS + 2_000
            && is_settled
            && process.asked.is_none()
            && process.prepared.is_none()
        {
            break;
        }
        assert!(
            world.now_ms < 300_000,
            "seed {seed}: {:?}",
            process.core.report(world.now())
        );
    }
    judge(seed, &world, &expected);
    let marks = world
        .messages
        .iter()
        .flatten()
        .filter(|body| is_marked(body))
        .count();
    (deaths, marks)
}

fn is_marked(body: &Value) -> bool {
    body["content"]
        .as_str()
        .unwrap()
        .contains("Possible repeat")
}

fn judge(seed: u64, world: &World, expected: &BTreeMap<String, u64>) {
    let mut newest = BTreeMap::<String, Value>::new();
    for record in &world.alerts {
        newest.insert(
            record.key.to_string(),
            serde_json::from_slice(&record.line).unwrap(),
        );
    }
    let history = || world.history.join("\n");
    let ids: BTreeSet<&String> = newest.keys().collect();
    assert_eq!(
        ids,
        expected.keys().collect(),
        "seed {seed}: nothing is lost or made up"
    );
    let mut stands = BTreeMap::<String, Vec<(usize, bool)>>::new();
    for (number, bodies) in world.messages.iter().enumerate() {
        let marked = bodies.iter().any(is_marked);
        for id in episodes_of(bodies.last().unwrap()) {
            stands.entry(id).or_default().push((number, marked));
        }
    }
    for (id, windows) in expected {
        let alert = &newest[id];
        assert_eq!(alert["windows"], *windows, "seed {seed}: {alert}");
        assert_eq!(
            (&alert["state"], &alert["delivery"]),
            (&"closed".into(), &"sent".into()),
            "seed {seed}: {alert}"
        );
        let places = &stands[id];
        let unmarked = places.iter().filter(|(_, marked)| !marked).count();
        assert!(
            unmarked <= 1,
            "seed {seed}: {id} stands twice without a mark: {places:?}\n{}",
            history()
        );
        assert!(
            places.len() == 1 || alert["possible_repeat"] == true,
            "seed {seed}: {alert}"
        );
        let known: usize = alert["message_id"].as_str().unwrap().parse().unwrap();
        let body = world.messages[known].last().unwrap();
        let embed = body["embeds"]
            .as_array()
            .unwrap()
            .iter()
            .find(|embed| embed["footer"]["text"] == **id);
        let description = embed.unwrap()["description"].as_str().unwrap();
        assert!(
            description.starts_with("Over"),
            "seed {seed}: {id}: {description}\n{}",
            history()
        );
    }
    let mut last = BTreeMap::<&str, i64>::new();
    let mut seen = BTreeSet::new();
    for id in world.told.iter().filter(|id| seen.insert(*id)) {
        let (series, opened) = id.rsplit_once('/').unwrap();
        let opened: i64 = opened.parse().unwrap();
        let before = last.insert(series, opened);
        assert!(
            before.is_none_or(|before| before < opened),
            "seed {seed}: {id} told late\n{}",
            history()
        );
    }
}

#[test]
fn whenever_it_dies_nothing_is_lost_and_only_marked_messages_stand_twice() {
    let (mut deaths, mut marks) = (0, 0);
    for seed in SEEDS {
        let (died, marked) = play(seed);
        deaths += died;
        marks += marked;
    }
    assert!(
        deaths > 500 && marks > 10,
        "{deaths} deaths, {marks} marked bodies: it must bite"
    );
}
