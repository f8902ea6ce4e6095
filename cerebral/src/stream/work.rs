//! EEG windows as the work of a job: `eeg-samples` in, `eeg-states` out.

use std::ops::AddAssign;
use std::sync::Arc;

use contract::dead_letter::DeadLetter;
use contract::topic::{self, Topic};
use kafka_io::{KafkaError, Record};
use windowing::WindowingError;
use windowing::dataflow::{BoxError, Results};
use windowing::run::{Publish, publish_dead, record};
use windowing::window::Shape;
use windowing::work::Work;

use super::checkpoint::PartitionState;
use super::partition::SessionWindows;
use super::session::Stretch;
use super::twin::{Calibrate, SessionTwin, TwinSettings};
use super::window::{WindowAnalyst, WindowSettings};

/// How sessions become windows.
#[derive(Debug, Clone)]
pub struct StreamSettings {
    /// Windows of every session.
    pub window: WindowSettings,
    /// Twins of every session, and who calibrates them; none where there shall be none.
    pub twin: Option<(TwinSettings, Arc<dyn Calibrate>)>,
    /// Sessions of one partition that have a twin, at most: a calibration takes seconds of a processor. Those that began first
    /// have one.
    pub max_twins: usize,
    /// Sessions kept of one partition, at most; beyond it the one unheard for longest ends.
    pub max_sessions: usize,
}

impl StreamSettings {
    /// As many sessions a partition as fit comfortably: one of 16 channels at 250 Hz takes about half a megabyte.
    pub const MAX_SESSIONS: usize = 256;

    /// As many twins, over six partitions, as one processor calibrates in time, for 8 channels.
    pub const MAX_TWINS: usize = 4;

    /// Of these windows, without twins.
    #[must_use]
    pub fn new(window: WindowSettings) -> Self {
        Self {
            window,
            twin: None,
            max_twins: Self::MAX_TWINS,
            max_sessions: Self::MAX_SESSIONS,
        }
    }
}

impl StreamSettings {
    /// With twins, calibrated by these threads.
    #[must_use]
    pub fn with_twin(self, settings: TwinSettings, calibrator: Arc<dyn Calibrate>) -> Self {
        Self {
            twin: Some((settings, calibrator)),
            ..self
        }
    }

    /// The twin of a stretch, where there shall be one and its windows allow one.
    pub(super) fn twin_of(
        &self,
        analyst: &Arc<WindowAnalyst>,
        stretch: &Stretch,
    ) -> Option<SessionTwin> {
        let (settings, calibrator) = self.twin.as_ref()?;
        let twin = SessionTwin::new(settings.clone(), analyst, stretch.at, calibrator);
        // Once: it is the same in each of a session's stretches.
        if let (Err(error), 0) = (&twin, stretch.number) {
            tracing::warn!(session = %stretch.session, %error, "the session gets no twin");
        }
        twin.ok()
    }
}

/// A record for `eeg-states`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Emitted {
    /// Its key.
    pub session: Arc<str>,
    /// When the block came that completed its window, nanoseconds since 1970 by the clock of who took it.
    pub received_ns: i64,
    /// The record, one line of JSON without line break.
    pub line: Vec<u8>,
}

/// What a partition has seen so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Seen {
    /// Blocks of samples, those seen before included.
    pub blocks: u64,
    /// Samples.
    pub samples: u64,
    /// Blocks that had come before.
    pub seen_again: u64,
    /// Gap-free stretches begun.
    pub stretches: u64,
    /// Windows closed.
    pub windows: u64,
    /// Those of them without figures.
    pub without_figures: u64,
    /// Those that are significant.
    pub significant: u64,
    /// Windows that a twin had a word on.
    pub with_twin: u64,
    /// Orders for twins.
    pub orders: u64,
    /// Sessions that ended.
    pub ends: u64,
    /// Sessions that were let go of because there were too many.
    pub forgotten: u64,
    /// Records that could not be used.
    pub dead: u64,
    /// Sessions that are known now.
    pub sessions: u64,
}

impl AddAssign for Seen {
    fn add_assign(&mut self, other: Self) {
        self.blocks += other.blocks;
        self.samples += other.samples;
        self.seen_again += other.seen_again;
        self.stretches += other.stretches;
        self.windows += other.windows;
        self.without_figures += other.without_figures;
        self.significant += other.significant;
        self.with_twin += other.with_twin;
        self.orders += other.orders;
        self.ends += other.ends;
        self.forgotten += other.forgotten;
        self.dead += other.dead;
        self.sessions += other.sessions;
    }
}

/// What a job gave so far.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tally {
    /// What each partition has seen.
    pub seen: std::collections::BTreeMap<i32, Seen>,
    /// By partition, when the block came that completed its newest closed window, nanoseconds since 1970.
    pub closed_ns: std::collections::BTreeMap<i32, i64>,
    /// Records for `eeg-states`.
    pub records: u64,
    /// Dead letters.
    pub dead: u64,
    /// Offset and reason of the first of them.
    pub dead_examples: Vec<(i64, String)>,
}

impl Tally {
    /// How many dead letters are kept as examples.
    const EXAMPLES: usize = 5;

    /// What all partitions have seen together.
    #[must_use]
    pub fn total(&self) -> Seen {
        let mut total = Seen::default();
        for seen in self.seen.values() {
            total += *seen;
        }
        total
    }
}

impl Work for StreamSettings {
    const NAME: &'static str = "cerebral";
    const INPUT: Topic = topic::EEG_SAMPLES;
    type Machine = SessionWindows;
    type Seen = Seen;
    type State = PartitionState;
    type Tally = Tally;

    /// Buffers and hops in time; every session counts them in samples of its own rate.
    fn shape(&self) -> Result<Shape, WindowingError> {
        let window = &self.window;
        let ns = |seconds: f64| crate::number::nanoseconds(seconds);
        let length = ns(window.window_s + 2.0 * window.guard_s);
        Shape::hopping(length, ns(window.hop_s)).ok_or_else(|| WindowingError::Setting {
            name: "windows",
            value: format!(
                "{} s every {} s, guards of {} s",
                window.window_s, window.hop_s, window.guard_s
            ),
            range: "above 0, and the hop no longer than a window with both its guards",
        })
    }

    fn machine(self: &Arc<Self>, _: Shape, partition: i32) -> SessionWindows {
        SessionWindows::new(self, partition)
    }

    fn restore(self: &Arc<Self>, partition: i32, text: &str) -> Result<SessionWindows, BoxError> {
        Ok(PartitionState::restore(text, self, partition)?)
    }

    fn state(machine: &SessionWindows) -> PartitionState {
        PartitionState::of(machine)
    }

    fn text(state: &PartitionState) -> String {
        state.to_text()
    }

    fn closed_ns(machine: &SessionWindows) -> Option<i64> {
        machine.closed_ns()
    }

    fn seen(machine: &SessionWindows) -> Seen {
        machine.seen()
    }

    fn heard_of(machine: &mut SessionWindows) -> Vec<String> {
        machine.new_sessions()
    }

    fn refused(_: i32, _: &SessionWindows, refusal: std::convert::Infallible) -> WindowingError {
        match refusal {}
    }

    fn count(tally: &mut Tally, results: &Results<Self>) -> Vec<String> {
        tally.records += u64::try_from(results.closed.len()).unwrap_or(u64::MAX);
        for (_, letter) in &results.side {
            tally.dead += 1;
            if tally.dead_examples.len() < Tally::EXAMPLES {
                let example = (letter.offset, letter.error.clone());
                tally.dead_examples.push(example);
            }
        }
        for (&partition, &(closed_ns, seen)) in &results.seen {
            tally.seen.insert(partition, seen);
            if let Some(closed_ns) = closed_ns {
                tally.closed_ns.insert(partition, closed_ns);
            }
        }
        // A session lives in one partition, so nobody else has heard of it.
        results.heard_of.clone()
    }

    fn total(tally: &Tally) -> Seen {
        tally.total()
    }
}

impl Publish for StreamSettings {
    fn publish(
        results: &mut Results<Self>,
        send: &mut dyn FnMut(Record<'_>) -> Result<(), KafkaError>,
    ) -> Result<(), KafkaError> {
        for (_, emitted) in results.closed.drain(..) {
            let key = emitted.session.as_bytes();
            send(record(&topic::EEG_STATES, key, &emitted.line))?;
        }
        let dead: Vec<DeadLetter> = results.side.drain(..).map(|(_, letter)| letter).collect();
        for letter in dead {
            publish_dead(letter, send)?;
        }
        Ok(())
    }
}
