//! `lockstep window` on a real Kafka, killed, paused and divided: every record once, and the bytes that a file would give.
//!
//! `TEST_KAFKA_BROKERS=HOST:PORT` names a broker that may be written to (`scripts/kafka with cargo test` starts one); without
//! it these tests say so and pass. Each first makes sure that the broker isolates transactions. `LOCKSTEP_TEST_KILLS` sets how
//! often is killed (10), `LOCKSTEP_TEST_SEED` when (1). They share the topics, so they take turns, and each looks only at
//! what came after it began.

mod log;

use std::collections::BTreeMap;
use std::fs::File;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use contract::topic;
use kafka_io::Broker;

use crate::expected::{expected, same};
use crate::fixture::{Chance, Room, command, number, pause};
use crate::topics::{Topics, cluster, prove_isolation};
use log::Log;

/// Only a hang reaches it.
const PATIENCE: Duration = Duration::from_secs(120);
/// The shortest that the settings allow.
const TRANSACTION_TIMEOUT: Duration = Duration::from_secs(3);

static TURN: Mutex<()> = Mutex::new(());

/// A broker that isolates transactions, for other tests; they have its topics for themselves while they hold the turn.
pub(crate) fn real_kafka() -> Option<(Broker, MutexGuard<'static, ()>)> {
    let broker = cluster()?;
    let turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    prove_isolation(&broker);
    Some((broker, turn))
}

/// Tests with brokers and many processes come one after the other.
pub(crate) fn take_turn() -> MutexGuard<'static, ()> {
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

pub(crate) fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    let since = Instant::now();
    while !holds() {
        assert!(since.elapsed() < PATIENCE, "never: {what}");
        pause(Duration::from_millis(50));
    }
}

/// One test's view of the broker, and its name for the job.
struct Scene {
    broker: Broker,
    topics: Topics,
    deployment: String,
    room: Room,
    seed: u64,
    _turn: MutexGuard<'static, ()>,
}

impl Scene {
    /// Waits for its turn; none without a broker.
    fn new(name: &str) -> Option<Self> {
        let broker = cluster()?;
        let turn = take_turn();
        prove_isolation(&broker);
        let topics = Topics::new(&broker);
        let chance = std::hash::BuildHasher::hash_one(&std::hash::RandomState::new(), name);
        Some(Self {
            broker,
            topics,
            deployment: format!("test-{name}-{chance:016x}"),
            room: Room::new(),
            seed: number("LOCKSTEP_TEST_SEED", 1),
            _turn: turn,
        })
    }

    fn window(&self, args: &[&str]) -> Window {
        let stderr = self.room.path(&format!("stderr-{}", self.deployment));
        let file = File::options()
            .create(true)
            .append(true)
            .open(&stderr)
            .unwrap();
        let child = command()
            .args(["window", "--broker", self.broker.address()])
            .args(args)
            .env("LOCKSTEP_WINDOWING__DEPLOYMENT", &self.deployment)
            .env("LOCKSTEP_WINDOWING__CHECKPOINT_INTERVAL_MS", "300")
            .env(
                "LOCKSTEP_WINDOWING__TRANSACTION_TIMEOUT_MS",
                TRANSACTION_TIMEOUT.as_millis().to_string(),
            )
            .stdout(Stdio::null())
            .stderr(Stdio::from(file))
            .spawn()
            .unwrap();
        Window(child)
    }

    fn stderr(&self) -> String {
        self.room.read(&format!("stderr-{}", self.deployment))
    }

    /// Where the job stands, by partition.
    fn committed(&self) -> BTreeMap<i32, i64> {
        let group = format!("{}-window", self.deployment);
        let partitions: Vec<i32> = (0..topic::TICKS.partitions).collect();
        let stop = std::sync::Arc::new(AtomicBool::new(false));
        let committed = self
            .broker
            .committed(&group, topic::TICKS.name, &partitions, &stop);
        let next = |(partition, position): (i32, kafka_io::Position)| (partition, position.next);
        committed.unwrap().into_iter().map(next).collect()
    }

    /// Waits until the job knows where it begins, so that nothing written later is before that.
    fn await_beginning(&self) {
        eventually("every partition has a position", || {
            self.committed().len() == topic::TICKS.partition_count()
        });
    }

    /// Waits until the job has committed all that stands on `ticks`.
    fn await_end(&self) {
        let ends = self
            .broker
            .end_offsets(topic::TICKS.name, PATIENCE)
            .unwrap();
        let since = Instant::now();
        loop {
            let committed = self.committed();
            if committed == ends {
                return;
            }
            assert!(
                since.elapsed() < PATIENCE,
                "seed {}: stands at {committed:?} of {ends:?}\n{}",
                self.seed,
                self.stderr()
            );
            pause(Duration::from_millis(100));
        }
    }

    /// Waits until a successor would have nothing to read again: also what has become quiet is in a checkpoint.
    fn await_checkpoints(&self) {
        let group = format!("{}-window", self.deployment);
        let partitions: Vec<i32> = (0..topic::TICKS.partitions).collect();
        let stop = std::sync::Arc::new(AtomicBool::new(false));
        eventually("everything is in a checkpoint", || {
            let committed = self
                .broker
                .committed(&group, topic::TICKS.name, &partitions, &stop);
            committed.unwrap().values().all(|position| {
                let note: serde_json::Value = serde_json::from_str(&position.note).unwrap();
                note["from"] == position.next
            })
        });
    }

    /// Holds what stands on the topics to what `lockstep window --from` makes of each partition of `ticks`.
    fn check(&self) {
        let found = self.topics.read(&self.broker);
        let mut n = [0; 3];
        for partition in 0..topic::TICKS.partitions {
            let expected = expected(&self.room, partition, &found.ticks[&partition]);
            for (what, (expected, found)) in ["spreads", "late", "dead letters"].iter().zip([
                (&expected.spreads, &found.spreads[&partition]),
                (&expected.late, &found.late[&partition]),
                (&expected.dead, &found.dead[&partition]),
            ]) {
                same(expected, found).unwrap_or_else(|difference| {
                    panic!(
                        "{what} of partition {partition}, seed {}: {difference}\n{}",
                        self.seed,
                        self.stderr()
                    )
                });
            }
            for (n, lines) in n
                .iter_mut()
                .zip([&expected.spreads, &expected.late, &expected.dead])
            {
                *n += lines.len();
            }
        }
        assert!(
            n.iter().all(|n| *n > 5),
            "too tame: {n:?} spreads, late ticks and dead letters"
        );
    }
}

/// A running `lockstep window`; dropped, it is killed.
struct Window(Child);

impl Window {
    fn signal(&self, name: &str) {
        let sent = Command::new("kill")
            .args([name, &self.0.id().to_string()])
            .status();
        assert!(sent.unwrap().success());
    }

    fn kill(mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }

    fn is_over(&mut self) -> Option<ExitStatus> {
        self.0.try_wait().unwrap()
    }

    /// Ctrl-C, and the exit code for it.
    fn interrupt(mut self) {
        self.signal("-INT");
        assert_eq!(self.0.wait().unwrap().code(), Some(130));
    }
}

impl Drop for Window {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Writes the log at its pace while `meanwhile` goes on until it is told that all is written.
fn while_written(scene: &Scene, log: &Log, meanwhile: impl FnOnce(&AtomicBool)) {
    let written = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            log.write(&scene.broker);
            written.store(true, Ordering::Release);
        });
        meanwhile(&written);
    });
}

#[test]
fn on_a_real_kafka_killed_at_random_moments_it_gives_every_record_once() {
    let Some(scene) = Scene::new("killed") else {
        return;
    };
    let kills = number("LOCKSTEP_TEST_KILLS", 10);
    let args = ["--start", "end", "--workers", "2"];
    let mut window = scene.window(&args);
    scene.await_beginning();
    let mut chance = Chance(scene.seed);
    // About a kill a second, and time to catch up.
    let log = Log::made_up(scene.seed, scene.topics.after_ns(), kills * 30 + 60);
    while_written(&scene, &log, |_| {
        for _ in 0..kills {
            pause(Duration::from_millis(200 + chance.next(1_500)));
            assert_eq!(window.is_over(), None, "{}", scene.stderr());
            std::mem::replace(&mut window, scene.window(&args)).kill();
        }
    });
    scene.await_end();
    scene.await_checkpoints();
    window.interrupt();
    scene.check();
    assert!(
        scene.stderr().contains("read again up to"),
        "no kill hurt:\n{}",
        scene.stderr()
    );
}

#[test]
fn on_a_real_kafka_a_process_that_was_paused_is_fenced_by_its_successor() {
    let Some(scene) = Scene::new("zombie") else {
        return;
    };
    let args = ["--start", "end"];
    let mut paused = scene.window(&args);
    scene.await_beginning();
    let log = Log::made_up(scene.seed, scene.topics.after_ns(), 300);
    let mut successor = None;
    while_written(&scene, &log, |_| {
        pause(Duration::from_millis(1_500));
        paused.signal("-STOP");
        pause(TRANSACTION_TIMEOUT + Duration::from_secs(2));
        successor = Some(scene.window(&args));
        pause(Duration::from_secs(2));
        paused.signal("-CONT");
        let mut code = None;
        eventually("the paused process ends", || {
            code = paused.is_over();
            code.is_some()
        });
        assert_eq!(code.unwrap().code(), Some(4), "{}", scene.stderr());
    });
    scene.await_end();
    successor.unwrap().interrupt();
    scene.check();
    assert!(
        scene
            .stderr()
            .contains("fenced: another process has taken over"),
        "{}",
        scene.stderr()
    );
}

#[test]
fn on_a_real_kafka_a_process_that_was_paused_and_has_no_successor_goes_on() {
    let Some(scene) = Scene::new("paused") else {
        return;
    };
    let mut window = scene.window(&["--start", "end"]);
    scene.await_beginning();
    let log = Log::made_up(scene.seed, scene.topics.after_ns(), 300);
    while_written(&scene, &log, |_| {
        for _ in 0..2 {
            pause(Duration::from_millis(1_500));
            window.signal("-STOP");
            pause(TRANSACTION_TIMEOUT + Duration::from_secs(2));
            window.signal("-CONT");
        }
    });
    scene.await_end();
    assert_eq!(window.is_over(), None, "{}", scene.stderr());
    window.interrupt();
    scene.check();
}

#[test]
fn on_a_real_kafka_shards_give_together_what_one_process_gives_and_may_be_dealt_anew() {
    let Some(scene) = Scene::new("shards") else {
        return;
    };
    let shard = |shard| scene.window(&["--start", "end", "--shard", shard]);
    let (first, second) = (shard("1/2"), shard("2/2"));
    scene.await_beginning();
    let log = Log::made_up(scene.seed, scene.topics.after_ns(), 400);
    let mut running = Vec::new();
    while_written(&scene, &log, |_| {
        pause(Duration::from_secs(2));
        second.kill();
        // It comes back with other workers, as it would on another machine.
        let second = scene.window(&["--start", "end", "--shard", "2/2", "--workers", "3"]);
        pause(Duration::from_secs(2));
        second.kill();
        // The first still runs: whoever takes over its partitions fences it.
        running.push(shard("1/1"));
        let mut first = first;
        eventually("the first shard ends", || first.is_over().is_some());
        assert_eq!(
            first.is_over().unwrap().code(),
            Some(4),
            "{}",
            scene.stderr()
        );
    });
    scene.await_end();
    running.into_iter().for_each(Window::interrupt);
    scene.check();
}

#[test]
fn on_a_real_kafka_a_transaction_that_somebody_left_open_delays_a_start_and_nothing_else() {
    let Some(scene) = Scene::new("open") else {
        return;
    };
    let window = scene.window(&["--start", "end"]);
    scene.await_beginning();
    let stop = std::sync::Arc::new(AtomicBool::new(false));
    let options = kafka_io::TransactionOptions {
        name: "foreign".to_owned(),
        id: format!("{}-foreign", scene.deployment),
        group: format!("{}-foreign", scene.deployment),
        timeout: TRANSACTION_TIMEOUT,
        stop,
    };
    let mut foreign = scene.broker.transactional_producer(options).unwrap();
    foreign.begin().unwrap();
    let checkpoints = topic::CHECKPOINTS.name;
    let record = kafka_io::Record::new(checkpoints, 0, b"foreign/0/0", b"{}");
    foreign.send(record).unwrap();
    foreign.deliver().unwrap();
    // Every checkpoint now stands behind it, committed and out of sight.
    Log::made_up(scene.seed, scene.topics.after_ns(), 40).write(&scene.broker);
    scene.await_end();
    scene.await_checkpoints();
    window.kill();
    let window = scene.window(&["--start", "end"]);
    eventually("it has taken over again", || {
        scene.stderr().matches("taken over").count() >= 2
    });
    window.interrupt();
    scene.check();
}

#[test]
fn on_a_real_kafka_at_least_once_loses_nothing() {
    let Some(scene) = Scene::new("least") else {
        return;
    };
    let args = ["--delivery", "at-least-once"];
    let mut window = scene.window(&args);
    let mut chance = Chance(scene.seed);
    let log = Log::made_up(scene.seed, scene.topics.after_ns(), 150);
    while_written(&scene, &log, |_| {
        for _ in 0..3 {
            pause(Duration::from_millis(500 + chance.next(1_500)));
            std::mem::replace(&mut window, scene.window(&args)).kill();
        }
    });
    let whole = scene.topics.at_the_beginning().read(&scene.broker);
    let mut n = 0;
    for partition in 0..topic::TICKS.partitions {
        let expected = expected(&scene.room, partition, &whole.ticks[&partition]);
        n += expected.spreads.len();
        let missing = || -> Vec<String> {
            let found = scene.topics.read(&scene.broker).spreads;
            let missing = expected
                .spreads
                .iter()
                .filter(|line| !found[&partition].contains(line));
            missing
                .map(|line| String::from_utf8_lossy(line).into_owned())
                .collect()
        };
        eventually("every spread stands there", || missing().is_empty());
    }
    assert!(n > 500, "too tame: {n} spreads");
    window.interrupt();
}

#[test]
fn on_a_real_kafka_what_cannot_be_gone_on_with_is_told_with_the_way_out() {
    let Some(scene) = Scene::new("way-out") else {
        return;
    };
    let window = scene.window(&["--start", "end"]);
    scene.await_beginning();
    Log::made_up(scene.seed, scene.topics.after_ns(), 40).write(&scene.broker);
    scene.await_end();
    window.interrupt();
    scene.check();
    let fails = |variable: (&str, &str)| {
        let mut window = command();
        window
            .args(["window", "--broker", scene.broker.address()])
            .env("LOCKSTEP_WINDOWING__DEPLOYMENT", &scene.deployment)
            .env(variable.0, variable.1);
        let output = window.output().unwrap();
        assert_eq!(output.status.code(), Some(1));
        crate::fixture::stderr(&output)
    };
    let told = fails(("LOCKSTEP_WINDOWING__WIDTH_MS", "500"));
    assert!(
        told.contains("is of windows of 1000 ms") && told.contains("--from-start"),
        "{told}"
    );
    // Somebody else writes over the checkpoints: what stands at their place is none.
    scene.topics.break_checkpoints(
        &scene.broker,
        &format!("{}-window", scene.deployment),
        &scene.committed(),
    );
    let told = fails(("LOCKSTEP_LOG", "warn"));
    assert!(
        told.contains("cannot be used") && told.contains("--from-start"),
        "{told}"
    );
    let mut anew = scene.window(&["--from-start", "--start", "end"]);
    eventually("it begins anew", || {
        scene.stderr().contains("beginning anew")
    });
    pause(Duration::from_secs(2));
    assert_eq!(anew.is_over(), None, "{}", scene.stderr());
    anew.interrupt();
}

#[test]
fn exactly_once_is_refused_on_the_embedded_broker() {
    let topics: Vec<kafka_io::TopicSpec> =
        topic::ALL.iter().map(kafka_io::TopicSpec::from).collect();
    let embedded = kafka_io::EmbeddedBroker::start(&topics).unwrap();
    let output = crate::fixture::run(["window", "--broker", embedded.address()]);
    assert_eq!(output.status.code(), Some(2));
    let told = crate::fixture::stderr(&output);
    assert!(
        told.contains("isolates no transaction") && told.contains("--delivery at-least-once"),
        "{told}"
    );
}
