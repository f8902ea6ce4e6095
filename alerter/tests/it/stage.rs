//! The whole stage over an embedded broker and the stand-in for Discord.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use alerter::run::{GROUP, Job, JobHandle, JobOptions};
use alerter::{AlerterError, Report, Settings, Standing};
use contract::tick::VenueStatus;
use contract::time::SystemClock;
use contract::topic::{self, Topic};
use kafka_io::{
    Broker, ConsumerOptions, EmbeddedBroker, Event, Producer, ProducerOptions, Record, Start,
    TopicSpec,
};
use serde_json::Value;
use simulator::discord::{Discord, Fault, Limits};

use crate::support::{Alerts, PATIENCE, episodes_of, eventually, health, settings, window};

struct World {
    broker: Broker,
    producer: Producer,
    discord: Discord,
}

struct Running {
    stop: Arc<AtomicBool>,
    handle: JobHandle,
    thread: JoinHandle<Result<Report, AlerterError>>,
}

impl Running {
    fn stop(self) -> Report {
        self.stop.store(true, Ordering::SeqCst);
        self.thread.join().unwrap().unwrap()
    }
}

impl World {
    fn new() -> Self {
        let topics: Vec<TopicSpec> = topic::ALL.iter().map(TopicSpec::from).collect();
        let broker = Broker::Embedded(EmbeddedBroker::start(&topics).unwrap());
        let producer = broker.producer(ProducerOptions::new("test")).unwrap();
        let discord = Discord::start(Limits::default().faster(20)).unwrap();
        Self {
            broker,
            producer,
            discord,
        }
    }

    fn settings(&self) -> Settings {
        let mut settings = settings(Some(&self.discord.url()));
        (
            settings.update_interval_ms,
            settings.backoff_ms,
            settings.answer_timeout_ms,
        ) = (100, 10, 700);
        settings.rules.stall_after_ms = 0;
        settings.rules.cooldown_ms = 0;
        settings
    }

    fn start(&self, settings: &Settings) -> Running {
        let stop = Arc::new(AtomicBool::new(false));
        let options = JobOptions {
            start: Start::Beginning,
            stop: Arc::clone(&stop),
        };
        let job = Job::new(settings, &self.broker, Arc::new(SystemClock), &options).unwrap();
        let handle = job.handle();
        let thread = std::thread::spawn(move || job.run());
        assert!(handle.wait_ready(PATIENCE));
        Running {
            stop,
            handle,
            thread,
        }
    }

    fn send(&self, topic: &Topic, key: &str, value: &[u8]) {
        let partition = topic.partition_of(key.as_bytes());
        self.producer
            .send(Record::new(topic.name, partition, key.as_bytes(), value))
            .unwrap();
    }

    fn window(&self, pair: &str, start_s: i64, net_bps: f64) {
        self.send(&topic::SPREADS, pair, &window(pair, start_s, net_bps));
    }

    fn health(&self, venue: &str, at_s: i64, status: VenueStatus) {
        self.send(&topic::VENUES, venue, &health(venue, at_s, status));
    }

    /// Everything on a topic: keys and values.
    fn all(&self, topic: &Topic) -> Vec<(Arc<str>, Vec<u8>)> {
        let wanted =
            ConsumerOptions::new("look").topic(topic.name, topic.partitions, Start::Beginning);
        let consumer = self.broker.consumer(wanted).unwrap();
        consumer.stop_at_end();
        let mut all = Vec::new();
        loop {
            match consumer.recv(PATIENCE) {
                Some(Event::Batch(batch)) => {
                    for message in batch.messages() {
                        let key = String::from_utf8(message.key.unwrap().to_vec()).unwrap();
                        all.push((key.into(), message.value.unwrap().to_vec()));
                    }
                }
                Some(Event::End) => return all,
                other => panic!("{other:?}"),
            }
        }
    }

    fn alerts(&self) -> Alerts {
        let all = self.all(&topic::ALERTS).into_iter();
        all.map(|(key, value)| (key, serde_json::from_slice(&value).unwrap()))
            .collect()
    }

    /// The newest bodies of all messages.
    fn bodies(&self) -> Vec<Value> {
        self.discord
            .messages()
            .iter()
            .map(|message| message.body())
            .collect()
    }

    fn committed(&self) -> i64 {
        let partition = topic::SPREADS.partition_of(b"BTC-USD");
        let offsets = self.broker.offsets(GROUP).unwrap();
        let found = offsets
            .committed(&[(topic::SPREADS.name, partition)], PATIENCE)
            .unwrap();
        found.values().next().copied().unwrap_or(0)
    }
}

fn over(body: &Value) -> bool {
    body["embeds"][0]["description"]
        .as_str()
        .unwrap()
        .starts_with("Over")
}

#[test]
fn a_spread_is_one_message_from_beginning_to_end_and_offsets_follow() {
    let world = World::new();
    let running = world.start(&world.settings());
    for (s, net) in (0..).zip([-20.0, 20.0, 25.0, 22.0]) {
        world.window("BTC-USD", s, net);
    }
    eventually("told", || world.bodies(), |bodies| bodies.len() == 1);
    world.window("BTC-USD", 4, -20.0);
    let bodies = eventually("over", || world.bodies(), |bodies| over(&bodies[0]));
    assert_eq!(bodies.len(), 1);
    assert_eq!(episodes_of(&bodies[0]), ["BTC-USD/binance/coinbase/1000"]);
    eventually("committed", || world.committed(), |offset| *offset == 5);
    let report = running.stop();
    assert_eq!(
        (report.spreads, report.closed, report.posted, report.windows),
        (1, 1, 1, 5)
    );
    let alert = &world.alerts()["BTC-USD/binance/coinbase/1000"];
    assert_eq!(
        (&alert["state"], &alert["delivery"]),
        (&"closed".into(), &"sent".into())
    );
    assert_eq!(
        (&alert["windows"], &alert["peak_net_bps"]),
        (&3.into(), &25.0.into())
    );
    assert_eq!(alert["message_id"], world.discord.messages()[0].id);
    assert_eq!(alert["possible_repeat"], false);
}

#[test]
fn an_outage_and_its_recovery_are_one_message_and_others_go_on() {
    let world = World::new();
    let running = world.start(&world.settings());
    for s in 0..30 {
        let status = if (5..20).contains(&s) {
            VenueStatus::Silent
        } else {
            VenueStatus::Up
        };
        world.health("binance", s, status);
        world.health("coinbase", s, VenueStatus::Up);
        world.window("BTC-USD", s, if s == 10 { 20.0 } else { -20.0 });
    }
    let bodies = eventually(
        "both told and over",
        || world.bodies(),
        |bodies| {
            bodies.len() == 2
                && bodies
                    .iter()
                    .all(|body| body["content"].as_str().unwrap().contains("after"))
        },
    );
    let mut content: Vec<&str> = bodies
        .iter()
        .map(|body| body["content"].as_str().unwrap())
        .collect();
    content.sort_unstable();
    assert_eq!(
        content,
        [
            "BTC-USD: buy binance, sell coinbase, 20.00 bps net, over after 1 s",
            "binance is back after 15 s"
        ]
    );
    let report = running.stop();
    assert_eq!((report.outages, report.spreads, report.closed), (1, 1, 2));
}

#[test]
fn a_pipeline_that_stands_is_told_and_so_is_its_end() {
    let world = World::new();
    let mut settings = world.settings();
    settings.rules.stall_after_ms = 300;
    let running = world.start(&settings);
    world.window("BTC-USD", 0, -20.0);
    eventually("stalled", || world.bodies(), |bodies| bodies.len() == 1);
    world.window("BTC-USD", 1, -20.0);
    let is_over = |bodies: &Vec<Value>| {
        bodies[0]["content"]
            .as_str()
            .unwrap()
            .starts_with("Windows come again")
    };
    eventually("over", || world.bodies(), is_over);
    assert_eq!(running.stop().stalls, 1);
}

#[test]
fn faults_of_discord_lose_nothing_and_repeat_only_what_they_mark() {
    let world = World::new();
    world.discord.next([
        Fault::Status(500),
        Fault::Cut,
        Fault::Hang,
        Fault::AnswerLost,
        Fault::LimitedAtTheEdge(1),
        Fault::Status(503),
    ]);
    let running = world.start(&world.settings());
    for n in 0..20 {
        world.window(&format!("P{n}-USD"), 0, 20.0);
    }
    let told = || -> Vec<String> { world.bodies().iter().flat_map(episodes_of).collect() };
    let is_all = |told: &Vec<String>| {
        (0..20).all(|n| told.contains(&format!("P{n}-USD/binance/coinbase/0")))
    };
    eventually("all told", told, is_all);
    eventually(
        "answered",
        || running.handle.report(),
        |report| report.waiting == 0 && report.posted > 0,
    );
    let report = running.stop();
    assert!(report.retried >= 4, "{report:?}");
    let mut times = std::collections::BTreeMap::<String, usize>::new();
    for message in world.discord.messages() {
        let is_marked = message.posted["content"]
            .as_str()
            .unwrap()
            .contains("Possible repeat");
        for episode in episodes_of(&message.posted) {
            let n = times.entry(episode).or_default();
            *n += 1;
            assert!(*n == 1 || is_marked, "a repeat must say so");
        }
    }
    assert!(times.values().any(|n| *n > 1), "one answer was lost");
    let alerts = world.alerts();
    assert!(alerts.values().all(|alert| alert["delivery"] == "sent"));
    for (id, n) in &times {
        assert!(
            *n == 1 || alerts[id.as_str()]["possible_repeat"] == true,
            "{id}"
        );
    }
}

#[test]
fn after_404_nothing_is_sent_and_a_start_with_a_working_webhook_tells_everything() {
    let world = World::new();
    let mut running = world.start(&world.settings());
    world.window("BTC-USD", 0, 20.0);
    eventually("told", || world.bodies(), |bodies| bodies.len() == 1);
    world.discord.always(Some(Fault::Status(404)));
    for n in 0..5 {
        world.window(&format!("P{n}-USD"), 0, 20.0);
    }
    let refused =
        |report: &Report| matches!(report.discord, Standing::Refused(_)) && report.refused == 5;
    eventually("refused", || running.handle.report(), refused);
    let asked = world.discord.requests().len();
    for n in 5..9 {
        world.window(&format!("P{n}-USD"), 0, 20.0);
    }
    eventually("kept", || world.alerts().len(), |n| *n == 10);
    assert_eq!(world.discord.requests().len(), asked, "sending has stopped");
    drop(running.stop());
    world.discord.always(None);
    running = world.start(&world.settings());
    let told = || -> usize {
        world
            .bodies()
            .iter()
            .map(|body| episodes_of(body).len())
            .sum()
    };
    eventually("all told", told, |n| *n == 10);
    eventually(
        "recorded",
        || world.alerts(),
        |alerts| alerts.values().all(|alert| alert["delivery"] == "sent"),
    );
    assert_eq!(running.stop().taken_up, 10);
    assert!(
        world
            .alerts()
            .values()
            .all(|alert| alert["possible_repeat"] == false)
    );
}

#[test]
fn a_restart_goes_on_with_the_same_message_and_counts_no_window_twice() {
    let world = World::new();
    let mut running = world.start(&world.settings());
    for s in 0..3 {
        world.window("BTC-USD", s, 20.0);
    }
    eventually(
        "told",
        || world.alerts(),
        |alerts| alerts.values().any(|alert| alert["delivery"] == "sent"),
    );
    drop(running.stop());
    for s in 3..6 {
        world.window("BTC-USD", s, 20.0);
    }
    // What windowing writes again after a restart of its own.
    for s in 0..6 {
        world.window("BTC-USD", s, 20.0);
    }
    world.window("BTC-USD", 6, -20.0);
    running = world.start(&world.settings());
    eventually(
        "over",
        || world.bodies(),
        |bodies| bodies.len() == 1 && over(&bodies[0]),
    );
    let report = running.stop();
    assert_eq!(
        (report.spreads, report.taken_up, report.seen_again),
        (0, 1, 6)
    );
    let alerts = world.alerts();
    assert_eq!(alerts.len(), 1);
    assert_eq!(alerts["BTC-USD/binance/coinbase/0"]["windows"], 6);
}

#[test]
fn what_cannot_be_read_is_kept_and_holds_nothing_up() {
    let world = World::new();
    let running = world.start(&world.settings());
    for rubbish in [&b"rubbish"[..], br#"{"v":2}"#, &[0xff, 0xfe], b""] {
        world.send(&topic::SPREADS, "BTC-USD", rubbish);
        world.send(&topic::VENUES, "binance", rubbish);
    }
    world.window("BTC-USD", 0, 20.0);
    eventually("told", || world.bodies(), |bodies| bodies.len() == 1);
    let report = running.stop();
    assert_eq!(report.unreadable, 8);
    assert_eq!(world.all(&topic::DEAD_LETTERS).len(), 8);
}

#[test]
fn without_a_webhook_alerts_go_to_the_topic_and_a_webhook_later_tells_what_lasts() {
    let world = World::new();
    let mut settings = world.settings();
    let webhook = settings.webhook.take();
    let mut running = world.start(&settings);
    world.window("BTC-USD", 0, 20.0);
    world.window("BTC-USD", 1, -20.0);
    world.window("ETH-USD", 0, 20.0);
    let logged = |alerts: &Alerts| {
        alerts.len() == 2 && alerts.values().all(|alert| alert["delivery"] == "logged")
    };
    eventually("logged", || world.alerts(), logged);
    assert_eq!(running.stop().discord, Standing::NoWebhook);
    settings.webhook = webhook;
    running = world.start(&settings);
    eventually("told", || world.bodies(), |bodies| bodies.len() == 1);
    assert_eq!(
        episodes_of(&world.bodies()[0]),
        ["ETH-USD/binance/coinbase/0"]
    );
    running.stop();
}

#[test]
fn a_stop_tells_what_is_due() {
    let world = World::new();
    world
        .discord
        .next([Fault::Slow(Duration::from_millis(300))]);
    let running = world.start(&world.settings());
    world.window("BTC-USD", 0, 20.0);
    eventually(
        "read",
        || running.handle.report(),
        |report| report.windows == 1,
    );
    let report = running.stop();
    assert_eq!((report.posted, report.waiting), (1, 0));
    assert_eq!(world.bodies().len(), 1);
}
