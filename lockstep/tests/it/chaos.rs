//! All stages on three real brokers, killed, paused, cut off and slowed at random moments: nothing is lost, nothing comes
//! twice, and every stage comes back by itself.
//!
//! ```text
//! imitated exchanges --> ingest --> [ticks] --> window --> [spreads] --> alert --> [alerts], stand-in for Discord
//!        (here)              \________ all by proxies before the brokers ________/          (here)
//! ```
//!
//! `TEST_KAFKA_BROKERS` says that there is a Kafka to be had (`scripts/kafka with cargo test`); the brokers of these tests
//! are their own. `LOCKSTEP_TEST_CHAOS_KILLS` sets how often is killed (30), `LOCKSTEP_TEST_CHAOS_AWAY_S` for how many seconds
//! all brokers are away (15), `LOCKSTEP_TEST_SEED` when (1).

mod check;
mod cluster;
mod outside;
mod proxy;
mod stage;
mod watch;

use std::collections::BTreeMap;
use std::io::Write;
use std::time::{Duration, Instant};

use contract::topic;
use kafka_io::{Broker, ProducerOptions, Record};
use serde_json::Value;

use crate::exactly_once::take_turn;
use crate::fixture::{Chance, Room, number, pause, run_well};
use crate::told;
use crate::topics::{self, Topics, prove_isolation};
use cluster::{BROKERS, Cluster};
use outside::Outside;
use stage::Stage;
use watch::Watch;

/// Only a hang reaches it.
const PATIENCE: Duration = Duration::from_secs(180);
/// How long a transaction of windowing may last.
const TRANSACTION_TIMEOUT: Duration = Duration::from_secs(4);
/// How often the supervisor looks.
const LOOK: Duration = Duration::from_millis(50);
/// How long each piece of the network is held back while it is slow.
const DELAY: Duration = Duration::from_millis(40);

const INGEST: usize = 0;
const WINDOW: usize = 1;
const ALERT: usize = 2;

/// The whole pipeline, and whoever keeps it up.
struct Suite {
    seed: u64,
    chance: Chance,
    // In this order they are gone: stages before what they stand on.
    stages: [Stage; 3],
    watch: Watch,
    topics: Topics,
    broker: Broker,
    cluster: Cluster,
    outside: Outside,
    room: Room,
    kills: BTreeMap<&'static str, u64>,
    /// A broker that is down on purpose, and when it is to come back.
    broker_away: Option<Instant>,
}

impl Suite {
    fn start(seed: u64) -> Self {
        let cluster = Cluster::start();
        let broker = cluster.direct();
        prove_isolation(&broker);
        let topics = Topics::new(&broker);
        let outside = Outside::start(seed);
        let room = Room::new();
        let mut settings = outside.settings();
        let more = [
            ("KAFKA__BROKERS", cluster.address()),
            ("WINDOWING__CHECKPOINT_INTERVAL_MS", "1000".to_owned()),
            (
                "WINDOWING__TRANSACTION_TIMEOUT_MS",
                TRANSACTION_TIMEOUT.as_millis().to_string(),
            ),
            ("ALERTER__UPDATE_INTERVAL_MS", "500".to_owned()),
            ("ALERTER__COOLDOWN_MS", "3000".to_owned()),
        ];
        settings.extend(more.map(|(name, value)| (format!("LOCKSTEP_{name}"), value)));
        let stage = |name, args: &[&str]| Stage::start(name, args, &settings, &room);
        let start = ["--start", "beginning"];
        let stages = [
            stage("ingest", &[]),
            stage("window", &["--start", "beginning", "--workers", "2"]),
            stage("alert", &start),
        ];
        Self {
            seed,
            chance: Chance(seed),
            stages,
            watch: Watch::start(&broker),
            topics,
            broker,
            cluster,
            outside,
            room,
            kills: BTreeMap::new(),
            broker_away: None,
        }
    }

    /// What the stages said last, for whoever must find out why.
    fn words(&self) -> String {
        let last = |stage: &Stage| {
            let ends = stage.ends.join("\n");
            let name = stage.name;
            format!(
                "--- {name}\n{}\n{name} ended by itself: {ends}\n",
                stage.last_words(25)
            )
        };
        let words: Vec<String> = self.stages.iter().map(last).collect();
        format!("seed {}\n{}", self.seed, words.join(""))
    }

    /// The supervisor's round: what has ended is started again.
    fn look(&mut self) {
        self.stages.iter_mut().for_each(Stage::keep_up);
        if self
            .broker_away
            .is_some_and(|until| Instant::now() >= until)
        {
            self.broker_away = None;
            self.cluster.bring_back();
        }
        self.watch.look();
        pause(LOOK);
    }

    fn go_on(&mut self, time: Duration) {
        let since = Instant::now();
        while since.elapsed() < time {
            self.look();
        }
    }

    fn until(&mut self, what: &str, mut holds: impl FnMut(&mut Self) -> bool) {
        let since = Instant::now();
        while !holds(self) {
            assert!(
                since.elapsed() < PATIENCE,
                "never: {what}\n{}",
                self.words()
            );
            self.look();
        }
    }

    /// Until windows come that ended behind everything that was done.
    fn overcome(&mut self) {
        self.until("windows come again", |suite| {
            suite.brokers_are_whole() && suite.watch.look()
        });
    }

    fn brokers_are_whole(&mut self) -> bool {
        self.broker_away.is_none() && self.cluster.is_whole()
    }

    fn kill(&mut self, stage: usize) {
        self.stages[stage].kill();
        *self.kills.entry(self.stages[stage].name).or_default() += 1;
    }

    /// Kills something; gives how many processes.
    fn kill_something(&mut self) -> u64 {
        match self.chance.next(100) {
            0..38 => {
                self.kill(WINDOW);
                self.watch.fault("window killed");
            }
            38..58 => {
                self.kill(INGEST);
                self.watch.fault("ingest killed");
            }
            // Windows do not wait for it.
            58..78 => self.kill(ALERT),
            78..90 => {
                let spared = self.chance.next(4);
                let killed = [INGEST, WINDOW, ALERT]
                    .into_iter()
                    .zip(0..)
                    .filter(|(_, number)| *number != spared);
                let killed: Vec<usize> = killed.map(|(stage, _)| stage).collect();
                killed.iter().for_each(|&stage| self.kill(stage));
                self.watch.fault("several killed");
                return u64::try_from(killed.len()).unwrap();
            }
            _ if self.brokers_are_whole() => {
                let id = 1 + u16::try_from(self.chance.next(BROKERS.into())).unwrap();
                self.cluster.kill(id);
                *self.kills.entry("broker").or_default() += 1;
                let away = Duration::from_millis(500 + self.chance.next(3_000));
                self.broker_away = Some(Instant::now() + away);
                self.watch.fault("a broker killed");
            }
            _ => return 0,
        }
        1
    }

    /// Kills at random moments until so many processes have died of it.
    fn kill_up_to(&mut self, kills: u64) {
        while self.kills.values().sum::<u64>() < kills {
            let wait = 200 + self.chance.next(2_800);
            self.go_on(Duration::from_millis(wait));
            self.kill_something();
        }
    }

    /// A stage is paused for so long that another takes over; woken, it must see that and end.
    fn pause_and_succeed(&mut self, stage: usize) {
        self.overcome();
        self.stages[stage].process().signal("-STOP");
        self.watch.fault("paused and succeeded");
        self.go_on(TRANSACTION_TIMEOUT + Duration::from_secs(2));
        let mut paused = self.stages[stage].succeed().unwrap();
        self.go_on(Duration::from_secs(3));
        paused.signal("-CONT");
        let mut code = None;
        self.until("the paused process ends", |_| {
            code = paused.has_ended();
            code.is_some()
        });
        assert_eq!(code.unwrap().code(), Some(4), "{}", self.words());
        self.overcome();
    }

    /// A stage is paused for so long, and goes on.
    fn pause_and_wake(&mut self, stage: usize) {
        self.overcome();
        self.stages[stage].process().signal("-STOP");
        self.watch.fault("paused and woken");
        self.go_on(TRANSACTION_TIMEOUT + Duration::from_secs(2));
        self.stages[stage].process().signal("-CONT");
        self.overcome();
    }

    fn all_brokers_away(&mut self, time: Duration) {
        self.overcome();
        self.cluster.stop();
        self.watch.fault("all brokers stopped");
        self.go_on(time);
        self.cluster.bring_back();
        self.overcome();
    }

    fn slow_network(&mut self, kills: u64) {
        self.overcome();
        self.cluster.proxies.delay(DELAY);
        self.watch.fault("slow network");
        self.kill_up_to(kills);
        self.overcome();
        self.cluster.proxies.delay(Duration::ZERO);
    }

    /// The disk of a broker fills up; it is given room again and started again. False where no such disk can be had.
    fn full_disk(&mut self) -> bool {
        self.overcome();
        let Some(id) = self.cluster.fill_disk() else {
            let _ = writeln!(
                std::io::stderr(),
                "SKIPPED: a full disk needs the right to mount one"
            );
            return false;
        };
        self.watch.fault("full disk of a broker");
        self.until("the broker with the full disk ends", |suite| {
            !suite.cluster.runs(id)
        });
        self.go_on(Duration::from_secs(2));
        self.cluster.clear_disk();
        self.cluster.bring_back();
        self.overcome();
        true
    }

    /// Whoever looks now sees windows, be they old on a busy machine.
    fn look_at_the_dashboard(&self) {
        let address = self.cluster.address();
        let args = ["dashboard", "--once", "--wait", "30s", "--broker", &address];
        let shown = String::from_utf8(run_well(args).stdout).unwrap();
        assert!(shown.contains("-USD"), "{shown}");
    }

    /// Ends ingest, and closes what is open by marks of the time behind all.
    fn close(&mut self) {
        self.overcome();
        self.stages[INGEST].finish();
        let newest_ns = |record: &Vec<u8>| {
            let record: Value = serde_json::from_slice(record).ok()?;
            record["event_ns"].as_i64()
        };
        let ticks = self.topics.at_the_beginning().read(&self.broker).ticks;
        let newest_ns = ticks
            .values()
            .flatten()
            .filter_map(newest_ns)
            .max()
            .unwrap();
        let end_ns = (newest_ns / 1_000_000_000 + 2) * 1_000_000_000;
        let venues = ["binance", "coinbase"];
        let up = |venue| {
            format!(
                r#"{{"v":1,"kind":"status","venue":"{venue}","status":"up","event_ns":{end_ns},"detail":""}}"#
            )
        };
        let mark =
            |venue| format!(r#"{{"v":1,"kind":"mark","venue":"{venue}","event_ns":{end_ns}}}"#);
        let lines = venues.map(up).into_iter().chain(venues.map(mark));
        let producer = self.broker.producer(ProducerOptions::new("test")).unwrap();
        for line in lines {
            for partition in 0..topic::TICKS.partitions {
                let record = Record::new(topic::TICKS.name, partition, b"venue", line.as_bytes());
                producer.send(record).unwrap();
            }
        }
        producer.flush(PATIENCE).unwrap();
        let ends = self
            .broker
            .end_offsets(topic::TICKS.name, PATIENCE)
            .unwrap();
        let partitions: Vec<i32> = (0..topic::TICKS.partitions).collect();
        let since = Instant::now();
        loop {
            let (group, stop) = ("lockstep-window", std::sync::Arc::default());
            let committed = self
                .broker
                .committed(group, topic::TICKS.name, &partitions, &stop)
                .unwrap();
            let stands: BTreeMap<i32, i64> = committed
                .into_iter()
                .map(|(partition, position)| (partition, position.next))
                .collect();
            if stands == ends {
                return;
            }
            assert!(
                since.elapsed() < PATIENCE,
                "windowing stands at {stands:?} of {ends:?}\n{}",
                self.words()
            );
            self.stages[WINDOW].keep_up();
            self.stages[ALERT].keep_up();
            pause(LOOK);
        }
    }

    fn check(&mut self) {
        let found = self.topics.at_the_beginning().read(&self.broker);
        let compared = check::spreads(&found, &self.room)
            .unwrap_or_else(|fault| panic!("{fault}\n{}", self.words()));
        let ups = check::ticks(&found).unwrap_or_else(|fault| panic!("{fault}\n{}", self.words()));
        let expected = check::episodes(&found);
        let since = Instant::now();
        let told = loop {
            let told = told::alerts(&self.broker);
            match check::alerts(&expected, &told) {
                Ok(()) => break told,
                Err(fault) => {
                    assert!(since.elapsed() < PATIENCE, "{fault}\n{}", self.words());
                }
            }
            self.stages[ALERT].keep_up();
            pause(LOOK);
        };
        let (repeats, marks) = told::once_or_marked(&told, &self.outside.discord)
            .unwrap_or_else(|fault| panic!("{fault}\n{}", self.words()));
        for stage in &mut self.stages[WINDOW..] {
            stage.finish();
        }
        assert!(
            compared.spreads > 100 && expected.len() > 5 && ups > 2,
            "too tame: {compared:?}, {} episodes, {ups} times up",
            expected.len()
        );
        let mut told_of = format!(
            "seed {}: {} kills {:?}; compared {} ticks, {} spreads, {} late ticks; a venue came up {ups} times; {} alerts, of \
             them {} of spreads; {repeats} repeats, {marks} marked\n",
            self.seed,
            self.kills.values().sum::<u64>(),
            self.kills,
            compared.ticks,
            compared.spreads,
            compared.late,
            told.len(),
            expected.len()
        );
        for (what, took) in &mut self.watch.took {
            took.sort_unstable();
            let middle = took[took.len() / 2].as_secs_f64();
            let longest = took[took.len() - 1].as_secs_f64();
            told_of += &format!(
                "{what}: {} times; until a window was there that ended later, {middle:.1} s in the middle, {longest:.1} s at most\n",
                took.len()
            );
        }
        // Not `eprintln!`: the test harness would keep that to itself while the test passes.
        let _ = write!(std::io::stderr(), "{told_of}");
        for stage in &self.stages {
            assert!(
                stage.ends.is_empty(),
                "{} ended by itself\n{}",
                stage.name,
                self.words()
            );
        }
    }
}

#[test]
#[cfg(unix)]
fn on_a_real_kafka_whatever_is_killed_nothing_is_lost_nothing_comes_twice_and_all_come_back() {
    if topics::cluster().is_none() {
        return;
    }
    let _turn = take_turn();
    let kills = number("LOCKSTEP_TEST_CHAOS_KILLS", 30);
    let away = Duration::from_secs(number("LOCKSTEP_TEST_CHAOS_AWAY_S", 15));
    let mut suite = Suite::start(number("LOCKSTEP_TEST_SEED", 1));
    suite.watch.fault("first start");
    suite.overcome();
    suite.look_at_the_dashboard();
    suite.kill_up_to(kills / 3);
    suite.pause_and_succeed(WINDOW);
    suite.pause_and_succeed(ALERT);
    suite.slow_network(kills / 2);
    suite.pause_and_wake(WINDOW);
    suite.pause_and_wake(INGEST);
    suite.kill_up_to(kills * 2 / 3);
    suite.all_brokers_away(away);
    suite.kill_up_to(kills * 5 / 6);
    suite.full_disk();
    suite.kill_up_to(kills);
    suite.overcome();
    suite.look_at_the_dashboard();
    suite.close();
    suite.check();
}
