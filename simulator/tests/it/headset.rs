//! The imitated headset as a serial source: what was read is what the brain gave, whatever happens to the line, the plug and the
//! program, and what was not read is a gap.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use cerebral::board::packet::Gain;
use cerebral::feed::serial::SerialSource;
use cerebral::feed::{FeedCounts, FeedOptions, Left, Next, Source};
use contract::eeg::Samples;
use contract::time::Clock;
use simulator::headset::{Brain, BrainSettings, Headset, HeadsetSettings, LineFaults};

/// Times life.
const SPEED: u32 = 10;
/// Far longer than anything here takes, even on a loaded machine; only a hang reaches it.
const PATIENCE: Duration = Duration::from_secs(120);

/// A clock that goes as fast as the headset.
struct Fast(Instant);

impl Fast {
    fn start() -> Arc<Self> {
        Arc::new(Self(Instant::now()))
    }

    /// Whole seconds that no headset started since the clock has lived for.
    fn seconds(&self) -> usize {
        usize::try_from((self.0.elapsed() * SPEED).as_secs()).unwrap() + 2
    }
}

impl Clock for Fast {
    fn now_ns(&self) -> i64 {
        let since = self.0.elapsed() * SPEED;
        1_700_000_000_000_000_000 + i64::try_from(since.as_nanos()).unwrap()
    }
}

fn options(clock: &Arc<Fast>) -> FeedOptions {
    let clock: Arc<dyn Clock> = clock.clone();
    FeedOptions {
        clock,
        ..FeedOptions::default()
    }
}

fn headset(n_channels: u8, seed: u64) -> Headset {
    Headset::start(HeadsetSettings {
        brain: BrainSettings::new(n_channels, seed),
        line: LineFaults::default(),
        speed: f64::from(SPEED),
    })
    .unwrap()
}

fn source(path: &Path, options: &FeedOptions) -> SerialSource {
    SerialSource::open(path, "head", options).unwrap()
}

/// Reads until so many samples more have come.
fn read(source: &mut SerialSource, n_samples: usize, blocks: &mut Vec<Samples<'static>>) {
    let (began, mut n) = (Instant::now(), 0);
    while n < n_samples {
        assert!(began.elapsed() < PATIENCE, "{n} samples of {n_samples}");
        match source.next(Duration::from_millis(100)).unwrap() {
            Next::Block(block) => {
                n += block.uv[0].len();
                blocks.push(block);
            }
            Next::Nothing => {}
            Next::End => panic!("a board has no end"),
        }
    }
}

/// Reads until a counter shows something.
fn read_until(
    source: &mut SerialSource,
    blocks: &mut Vec<Samples<'static>>,
    counts: &FeedCounts,
    is_so: impl Fn(&cerebral::feed::Tally) -> bool,
) {
    let began = Instant::now();
    while !is_so(&counts.tally()) {
        assert!(began.elapsed() < PATIENCE, "{:?}", counts.tally());
        if let Next::Block(block) = source.next(Duration::from_millis(20)).unwrap() {
            blocks.push(block);
        }
    }
}

/// What the brain gave, as the board tells it: its samples as they are, or means of two that follow each other.
struct Truth(Vec<Vec<f64>>);

impl Truth {
    fn of(n_channels: u8, seed: u64, seconds: usize) -> Self {
        let mut brain = Brain::new(BrainSettings::new(n_channels, seed)).unwrap();
        let samples: Vec<Vec<f64>> = (0..250 * seconds).map(|_| brain.sample_uv()).collect();
        if n_channels == 8 {
            return Self(samples);
        }
        let mean = |two: &[Vec<f64>]| {
            let pairs = two[0].iter().zip(&two[1]);
            pairs.map(|(a, b)| f64::midpoint(*a, *b)).collect()
        };
        Self(samples.windows(2).map(mean).collect())
    }

    /// Which of the brain's samples, from `from` on, a column of a block is.
    fn find(&self, block: &Samples<'_>, column: usize, from: usize) -> Option<usize> {
        // Half a count, and a little for the float's last bits.
        let near = Gain::DEFAULT.uv_per_count() / 2.0 + 1e-6;
        let is_it = |sample: &Vec<f64>| {
            // The Daisy's channels are not as they were read.
            let pairs = sample.iter().zip(&block.uv).take(8);
            pairs
                .into_iter()
                .all(|(brain, row)| (brain - row[column].0).abs() <= near)
        };
        let rest = self.0.get(from..)?;
        rest.iter().position(is_it).map(|place| from + place)
    }

    /// Checks that every sample of the blocks is one of the brain's, `step` apart within a stretch, later ones later, and gives of
    /// each stretch where it begins in the session and in the brain, and its length.
    fn check(&self, blocks: &[Samples<'_>], step: usize) -> Vec<(u64, usize, usize)> {
        let mut stretches: Vec<(u64, usize, usize)> = Vec::new();
        let mut before: Option<usize> = None;
        let mut next_at = 0;
        for block in blocks {
            let n = block.uv[0].len();
            assert!(block.at >= next_at, "samples are told twice");
            for column in 0..n {
                let follows = block.follows || column > 0;
                let from = before.map_or(0, |before| before + step);
                let found = self.find(block, column, from);
                let found = found.unwrap_or_else(|| panic!("sample {} is nobody's", block.at));
                if follows {
                    assert_eq!(found, from, "a gap was closed up at {}", block.at);
                    stretches.last_mut().unwrap().2 += 1;
                } else {
                    let at = block.at + u64::try_from(column).unwrap();
                    stretches.push((at, found, 1));
                }
                before = Some(found);
            }
            if block.follows {
                assert_eq!(block.at, next_at);
            }
            next_at = block.at + u64::try_from(n).unwrap();
        }
        stretches
    }
}

/// The gap before the last stretch is as long in the session as it was in the brain, as well as clocks tell on a busy machine.
fn assert_gap(stretches: &[(u64, usize, usize)], least: usize) {
    let [.., (at, brain, n), (next_at, next_brain, _)] = stretches else {
        panic!("no gap: {stretches:?}");
    };
    let told = usize::try_from(next_at - at).unwrap() - n;
    let true_gap = next_brain - brain - n;
    assert!(true_gap >= least, "{stretches:?}");
    assert!(
        told.abs_diff(true_gap) <= true_gap / 2 + 500,
        "{told} samples missing, truly {true_gap}"
    );
}

#[test]
fn a_board_that_is_unplugged_and_plugged_in_goes_on_in_the_same_session_a_gap_later() {
    let clock = Fast::start();
    let headset = headset(8, 3);
    let options = options(&clock);
    let mut source = source(headset.path(), &options);
    let mut blocks = Vec::new();
    read(&mut source, 500, &mut blocks);
    headset.unplug();
    read_until(&mut source, &mut blocks, &options.counts, |tally| {
        tally.reconnects >= 1
    });
    headset.plug_in();
    read(&mut source, 500, &mut blocks);
    blocks.extend(std::iter::from_fn(|| source.stop()));
    assert!(blocks.iter().all(|block| block.session == "head"));
    let stretches = Truth::of(8, 3, clock.seconds()).check(&blocks, 1);
    assert_gap(&stretches, 500);
    assert!(options.counts.tally().restarts >= 1);
}

#[test]
fn a_line_that_fails_costs_samples_and_gives_none_of_its_own() {
    let clock = Fast::start();
    let headset = headset(8, 4);
    let options = options(&clock);
    let mut source = source(headset.path(), &options);
    let mut blocks = Vec::new();
    read(&mut source, 250, &mut blocks);
    let lose = |lose| LineFaults {
        lose,
        ..LineFaults::default()
    };
    headset.faults(lose(0.004));
    read_until(&mut source, &mut blocks, &options.counts, |tally| {
        tally.gaps >= 20
    });
    headset.faults(lose(1.0));
    read_until(&mut source, &mut blocks, &options.counts, |tally| {
        tally.reconnects >= 1
    });
    headset.faults(lose(0.0));
    read(&mut source, 500, &mut blocks);
    let stretches = Truth::of(8, 4, clock.seconds()).check(&blocks, 1);
    assert!(stretches.len() > 20, "{stretches:?}");
    assert_gap(&stretches, 250);
    assert!(options.counts.tally().passed_bytes > 20);
}

#[test]
fn a_daisys_board_keeps_the_cytons_samples_and_a_program_that_was_killed_goes_on_a_gap_later() {
    let clock = Fast::start();
    let headset = headset(16, 5);
    let mut blocks = Vec::new();
    let mut first = source(headset.path(), &options(&clock));
    read(&mut first, 300, &mut blocks);
    // Killed: no stop, no end, and the board streams on.
    drop(first);
    let last = blocks.last().unwrap();
    let left = Left {
        at: last.at + u64::try_from(last.uv[0].len()).unwrap(),
        received_ns: last.received_ns,
    };
    let mut second = source(headset.path(), &options(&clock));
    assert!(second.resume(left));
    read(&mut second, 300, &mut blocks);
    let block = &blocks[0];
    assert_eq!((block.channels.len(), block.sample_rate_hz), (16, 125.0));
    let truth = Truth::of(16, 5, clock.seconds());
    let stretches = truth.check(&blocks, 2);
    assert!(stretches.len() >= 2, "{stretches:?}");
    assert!(
        blocks
            .iter()
            .any(|block| block.at >= left.at && !block.follows)
    );
}

#[test]
fn a_port_that_goes_is_found_again_when_it_comes() {
    let folder = tempfile::tempdir().unwrap();
    let name = folder.path().join("board");
    let plug = |headset: &Headset| {
        let _ = std::fs::remove_file(&name);
        std::os::unix::fs::symlink(headset.path(), &name).unwrap();
    };
    let clock = Fast::start();
    let options = options(&clock);
    let one = headset(8, 6);
    plug(&one);
    let mut source = source(&name, &options);
    let mut blocks = Vec::new();
    read(&mut source, 300, &mut blocks);
    drop(one);
    // Nothing is there; whoever asks is told so, and told no lie.
    for _ in 0..5 {
        if let Next::Block(block) = source.next(Duration::from_millis(50)).unwrap() {
            blocks.push(block);
        }
    }
    let other = headset(8, 7);
    plug(&other);
    let of_the_first = blocks.len();
    read(&mut source, 300, &mut blocks);
    Truth::of(8, 6, clock.seconds()).check(&blocks[..of_the_first], 1);
    let stretches = Truth::of(8, 7, clock.seconds()).check(&blocks[of_the_first..], 1);
    assert!(!blocks[of_the_first].follows);
    assert_eq!(blocks[of_the_first].session, "head");
    assert!(!stretches.is_empty());
    assert!(options.counts.tally().reconnects >= 1);
}

#[test]
fn a_port_that_is_none_is_refused_with_those_that_there_are() {
    let error = SerialSource::open(Path::new("/nowhere/tty"), "s", &FeedOptions::default());
    let error = error.unwrap_err().to_string();
    assert!(
        error.contains("/nowhere/tty") && error.contains("there "),
        "{error}"
    );
}
