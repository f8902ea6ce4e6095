//! The same records give the same bytes, whatever carries them.

use std::sync::mpsc;

use super::*;
use crate::lines::Partition;
use crate::spread::Counters;

/// A made-up partition: two venues, a few pairs, marks, a late tick, a broken line.
fn records(partition: i32) -> Vec<Vec<u8>> {
    let mut lines = Vec::new();
    for step in 0..200_i64 {
        let event_ns = 1_723_161_254_000_000_000 + step * 37_000_000;
        for (venue, bid) in [("left", 100 + step % 7), ("right", 101 - step % 5)] {
            let pair = format!("P{partition}{}-USD", step % 3);
            lines.push(format!(
                r#"{{"v":1,"kind":"quote","venue":"{venue}","symbol":"{pair}","currency":"USD","pair":"{pair}","event_ns":{event_ns},"event_from":"venue","exchange_ns":null,"received_ns":0,"seq":null,"bid":"{bid}","bid_size":"1","ask":"{}","ask_size":"2"}}"#,
                bid + 1
            ));
            if step % 5 == 0 {
                lines.push(format!(
                    r#"{{"v":1,"kind":"mark","venue":"{venue}","event_ns":{}}}"#,
                    event_ns
                        - if step % 50 == 0 {
                            -1_500_000_000
                        } else {
                            400_000_000
                        }
                ));
            }
        }
        if step == 77 {
            lines.push("{half a fra".to_owned());
        }
    }
    lines.into_iter().map(String::into_bytes).collect()
}

type Waiting = std::vec::IntoIter<(i64, Vec<u8>)>;

/// Hands out the records of some partitions in batches of a given size, taking turns.
struct Memory {
    waiting: Vec<(i32, Waiting)>,
    batch: usize,
    end: Polled,
}

impl Source for Memory {
    fn poll(&mut self, batch: &mut Vec<(i32, Input)>) -> Result<Polled, BoxError> {
        for (partition, records) in &mut self.waiting {
            batch.extend(
                records
                    .by_ref()
                    .take(self.batch)
                    .map(|(offset, bytes)| (*partition, Input { offset, bytes })),
            );
        }
        Ok(if batch.is_empty() {
            self.end
        } else {
            Polled::More
        })
    }
}

struct Keep(mpsc::Sender<(i32, String)>, mpsc::Sender<i32>);

impl Outlet for Keep {
    fn accept(&mut self, results: &mut Results) -> Result<(), BoxError> {
        for (partition, emitted) in results.closed.drain(..) {
            self.0.send((partition, String::from_utf8(emitted.line)?))?;
        }
        for (partition, side) in results.side.drain(..) {
            self.0.send((partition, format!("{side:?}")))?;
        }
        for partition in results.ended.drain(..) {
            self.1.send(partition)?;
        }
        Ok(())
    }

    fn finish(&mut self) -> Result<(), BoxError> {
        Ok(())
    }
}

type PerPartition = BTreeMap<i32, Vec<String>>;

fn on_workers(n_workers: i32, batch: usize, end: Polled) -> (PerPartition, Vec<i32>, Counters) {
    let (send, receive) = mpsc::channel();
    let (send_end, ended) = mpsc::channel();
    let tasks = (0..n_workers)
        .map(|worker| {
            let partitions: Vec<i32> = (0..6)
                .filter(|partition| partition % n_workers == worker)
                .collect();
            let waiting = partitions
                .iter()
                .map(|&partition| {
                    let records: Vec<_> = (0_i64..).zip(records(partition)).collect();
                    (partition, records.into_iter())
                })
                .collect();
            Task {
                partitions,
                source: Box::new(Memory {
                    waiting,
                    batch,
                    end,
                }),
                outlet: Box::new(Keep(send.clone(), send_end.clone())),
            }
        })
        .collect();
    drop((send, send_end));
    let counters = run(&Arc::new(Settings::default()), tasks).unwrap();
    let mut found = PerPartition::new();
    for (partition, line) in receive {
        found.entry(partition).or_default().push(line);
    }
    let mut ended: Vec<i32> = ended.iter().collect();
    ended.sort_unstable();
    (found, ended, counters)
}

/// What the pure machine says, without timely: spreads and side, each in order.
fn expected() -> PerPartition {
    let mut all = PerPartition::new();
    for partition in 0..6 {
        let mut machine = Partition::new(Arc::new(Settings::default()), partition).unwrap();
        let (mut out, mut side) = (Vec::new(), Vec::new());
        for (offset, bytes) in (0_i64..).zip(records(partition)) {
            machine
                .push(Input { offset, bytes }, &mut out, &mut side)
                .unwrap();
        }
        machine.finish(&mut out);
        let lines = out
            .into_iter()
            .map(|emitted| String::from_utf8(emitted.line).unwrap());
        all.insert(
            partition,
            lines
                .chain(side.iter().map(|side| format!("{side:?}")))
                .collect(),
        );
    }
    all
}

/// Spreads and side come interleaved by batch; apart, each is in order.
fn spreads_then_side(mut found: PerPartition) -> PerPartition {
    for lines in found.values_mut() {
        lines.sort_by_key(|line| !line.starts_with(r#"{"v":1,"pair""#));
    }
    found
}

#[test]
fn one_two_and_four_workers_give_the_bytes_of_the_pure_machine_at_any_batch_size() {
    let expected = expected();
    assert!(expected.values().all(|lines| lines.len() > 20));
    assert!(
        expected
            .values()
            .flatten()
            .any(|line| line.contains("Late"))
    );
    assert!(
        expected
            .values()
            .flatten()
            .any(|line| line.contains("Dead"))
    );
    for n_workers in [1, 2, 4, 8] {
        for batch in [1, 7, 1_000] {
            let (found, ended, counters) = on_workers(n_workers, batch, Polled::End);
            assert_eq!(
                spreads_then_side(found),
                expected,
                "{n_workers} workers, batches of {batch}"
            );
            assert_eq!(ended, [0, 1, 2, 3, 4, 5]);
            assert_eq!((counters.quotes, counters.dead), (6 * 400, 6));
        }
    }
}

#[test]
fn a_stop_closes_nothing_that_the_log_has_not_closed() {
    let (all, ..) = on_workers(1, 7, Polled::End);
    let (found, ended, _) = on_workers(1, 7, Polled::Stop);
    assert!(ended.is_empty());
    for (partition, lines) in &found {
        let lines_of_all = &all[partition];
        assert!(lines.len() < lines_of_all.len());
        assert_eq!(lines[..], lines_of_all[..lines.len()]);
    }
}

#[test]
fn too_many_waiting_records_stop_the_job_and_say_who_holds_the_watermark() {
    let line = |kind: &str, venue: &str| {
        format!(r#"{{"v":1,"kind":"{kind}","venue":"{venue}","status":"up","event_ns":1723161254000000000,"detail":""}}"#).into_bytes()
    };
    let mut lines = vec![line("status", "deaf")];
    lines.extend(records(0));
    let lines: Vec<_> = (0_i64..).zip(lines).collect();
    let (send, _receive) = mpsc::channel();
    let (send_end, _ended) = mpsc::channel();
    let task = Task {
        partitions: vec![0],
        source: Box::new(Memory {
            waiting: vec![(0, lines.into_iter())],
            batch: 10,
            end: Polled::End,
        }),
        outlet: Box::new(Keep(send, send_end)),
    };
    let settings = Settings {
        max_open_records: 100,
        ..Settings::default()
    };
    let error = run(&Arc::new(settings), vec![task])
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("more than `windowing.max_open_records`: venue `deaf` is up"),
        "{error}"
    );
}

#[test]
fn a_failing_source_or_outlet_ends_the_job_with_its_reason() {
    struct Broken;
    impl Source for Broken {
        fn poll(&mut self, _: &mut Vec<(i32, Input)>) -> Result<Polled, BoxError> {
            Err("the disk is gone".into())
        }
    }
    let (send, _) = mpsc::channel();
    let (send_end, _) = mpsc::channel();
    let broken = Task {
        partitions: vec![0],
        source: Box::new(Broken),
        outlet: Box::new(Keep(send.clone(), send_end.clone())),
    };
    let error = run(&Arc::new(Settings::default()), vec![broken]).unwrap_err();
    assert!(
        matches!(&error, WindowingError::Source(reason) if reason.to_string() == "the disk is gone"),
        "{error:?}"
    );

    let lines: Vec<_> = (0_i64..).zip(records(0)).collect();
    let deaf = Task {
        partitions: vec![0],
        source: Box::new(Memory {
            waiting: vec![(0, lines.into_iter())],
            batch: 10,
            end: Polled::End,
        }),
        outlet: Box::new(Keep(send, send_end)),
    };
    assert!(matches!(
        run(&Arc::new(Settings::default()), vec![deaf]),
        Err(WindowingError::Sink(_))
    ));
}

/// Hands on and asks for the state of partition 0, once it has had records.
struct Looks {
    states: mpsc::Sender<(i32, usize)>,
    had: bool,
    told: bool,
}

impl Outlet for Looks {
    fn accept(&mut self, results: &mut Results) -> Result<(), BoxError> {
        self.had |= results.next.contains_key(&0);
        for (partition, state) in std::mem::take(&mut results.states) {
            self.told = true;
            assert!(!results.next.contains_key(&partition), "nothing came of it");
            self.states
                .send((partition, Settings::text(&state).len()))?;
        }
        Ok(())
    }

    fn wants_look(&mut self) -> Vec<i32> {
        if self.had && !self.told {
            vec![0]
        } else {
            Vec::new()
        }
    }

    fn finish(&mut self) -> Result<(), BoxError> {
        Ok(())
    }
}

#[test]
fn the_state_of_a_partition_that_is_quiet_can_be_had_while_others_go_on() {
    let (states, told) = mpsc::channel();
    let records = |partition: i32, n: usize| {
        let records: Vec<_> = (0_i64..).zip(records(partition)).take(n).collect();
        (partition, records.into_iter())
    };
    let task = Task {
        partitions: vec![0, 1],
        source: Box::new(Memory {
            waiting: vec![records(0, 5), records(1, 200)],
            batch: 10,
            end: Polled::Stop,
        }),
        outlet: Box::new(Looks {
            states,
            had: false,
            told: false,
        }),
    };
    run(&Arc::new(Settings::default()), vec![task]).unwrap();
    let told: Vec<(i32, usize)> = told.iter().collect();
    assert!(matches!(told[..], [(0, length)] if length > 50), "{told:?}");
}

#[test]
fn a_worker_that_panics_ends_the_others_too() {
    struct Panics;
    impl Outlet for Panics {
        fn accept(&mut self, _: &mut Results) -> Result<(), BoxError> {
            panic!("as the test wants it");
        }
        fn finish(&mut self) -> Result<(), BoxError> {
            Ok(())
        }
    }
    let task = |partition: i32, outlet: Box<dyn Outlet + Send>| {
        let records: Vec<_> = (0_i64..).zip(records(partition)).collect();
        Task {
            partitions: vec![partition],
            source: Box::new(Memory {
                waiting: vec![(partition, records.into_iter())],
                batch: 10,
                // It would go on for ever.
                end: Polled::More,
            }),
            outlet,
        }
    };
    let (send, _receive) = mpsc::channel();
    let (send_end, _ended) = mpsc::channel();
    let tasks = vec![
        task(0, Box::new(Keep(send, send_end))),
        task(1, Box::new(Panics)),
    ];
    let error = run(&Arc::new(Settings::default()), tasks).unwrap_err();
    assert!(matches!(error, WindowingError::Worker(_)), "{error:?}");
}
