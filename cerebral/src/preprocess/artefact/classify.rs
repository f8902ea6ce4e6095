//! From runs of single channels to artefacts with a name.

use std::ops::Range;

use ndarray::ArrayView2;

use super::level::Run;
use super::{Artefact, ArtefactKind};
use crate::number::float;
use crate::units::SampleRate;

/// A run of one channel, in samples of the recording.
#[derive(Debug, Clone)]
pub(super) struct Mark {
    samples: Range<usize>,
    channel: usize,
    peak: f64,
}

/// Runs of several channels that belong together.
#[derive(Debug)]
pub(super) struct Event {
    samples: Range<usize>,
    /// Channel and peak, each channel once.
    peaks: Vec<(usize, f64)>,
}

/// What a name depends on.
pub(super) struct Surroundings<'a> {
    pub(super) samples_uv: ArrayView2<'a, f64>,
    pub(super) stretches: &'a [Range<usize>],
    pub(super) n_good: usize,
    pub(super) frontal: &'a [usize],
    pub(super) rate: SampleRate,
}

/// Fewer channels than this tell no blink from movement.
const LEAST_TOLD: usize = 4;
/// Over how long the level before and after an instant is taken, seconds: whole periods of 50 and 60 Hz.
const STEP_S: f64 = 0.1;
/// A level that comes back by more than this share did not step.
const COMES_BACK: f64 = 0.4;

/// Runs of one channel as marks of the recording.
pub(super) fn marks(
    runs: Vec<Run>,
    stretches: &[Range<usize>],
    channel: usize,
) -> impl Iterator<Item = Mark> {
    runs.into_iter().map(move |run| {
        let start = stretches[run.piece].start;
        Mark {
            samples: start + run.start..start + run.end,
            channel,
            peak: run.peak,
        }
    })
}

/// Marks less than `gap` samples apart become one event.
pub(super) fn merged(mut marks: Vec<Mark>, gap: usize) -> Vec<Event> {
    marks.sort_by_key(|mark| mark.samples.start);
    let mut events: Vec<Event> = Vec::new();
    for mark in marks {
        match events.last_mut() {
            Some(event) if mark.samples.start < event.samples.end + gap => {
                event.samples.end = event.samples.end.max(mark.samples.end);
                match event
                    .peaks
                    .iter_mut()
                    .find(|(channel, _)| *channel == mark.channel)
                {
                    Some((_, peak)) => *peak = peak.max(mark.peak),
                    None => event.peaks.push((mark.channel, mark.peak)),
                }
            }
            _ => events.push(Event {
                samples: mark.samples,
                peaks: vec![(mark.channel, mark.peak)],
            }),
        }
    }
    events
}

impl Surroundings<'_> {
    /// The name of a slow event.
    pub(super) fn kind(&self, event: &Event) -> ArtefactKind {
        let strongest = event.peaks.iter().max_by(|a, b| a.1.total_cmp(&b.1));
        let Some(&(strongest, _)) = strongest else {
            return ArtefactKind::Deflection;
        };
        if self.steps(strongest, &event.samples) {
            return ArtefactKind::Step;
        }
        let shown = event.peaks.len();
        if self.frontal.contains(&strongest) {
            ArtefactKind::Blink
        } else if self.n_good < LEAST_TOLD {
            ArtefactKind::Deflection
        } else if 2 * shown > self.n_good {
            ArtefactKind::Movement
        } else if shown == 1 || !self.frontal.is_empty() {
            ArtefactKind::Electrode
        } else {
            ArtefactKind::Blink
        }
    }

    /// Whether the level of a channel jumps within an event and stays.
    fn steps(&self, channel: usize, samples: &Range<usize>) -> bool {
        let Some(stretch) = self.stretch(samples.start) else {
            return false;
        };
        let length = self.rate.samples(STEP_S).max(1);
        let row = self.samples_uv.row(channel);
        let mean = |from: usize| -> f64 {
            (from..from + length).map(|at| row[at]).sum::<f64>() / float(length)
        };
        // Three lengths past the end a deflection has come back.
        let first = samples.start.max(stretch.start + length);
        let last = (samples.end + 3 * length).min(stretch.end.saturating_sub(length));
        let jumps = (first..last).map(|at| mean(at) - mean(at - length));
        let (down, up) = jumps.fold((0.0_f64, 0.0_f64), |(down, up), jump| {
            (down.min(jump), up.max(jump))
        });
        let (less, more) = (up.min(-down), up.max(-down));
        more > 0.0 && less < COMES_BACK * more
    }

    fn stretch(&self, sample: usize) -> Option<&Range<usize>> {
        self.stretches
            .iter()
            .find(|stretch| stretch.contains(&sample))
    }

    /// The event as it is told, `flank` samples longer on both sides but within its stretch.
    pub(super) fn artefact(&self, event: Event, kind: ArtefactKind, flank: usize) -> Artefact {
        let bounds = self.stretch(event.samples.start).cloned();
        let bounds = bounds.unwrap_or(0..self.samples_uv.ncols());
        let start = event.samples.start.saturating_sub(flank).max(bounds.start);
        let end = (event.samples.end + flank).min(bounds.end.max(event.samples.end));
        let mut channels: Vec<usize> = event
            .peaks
            .into_iter()
            .map(|(channel, _)| channel)
            .collect();
        channels.sort_unstable();
        Artefact {
            samples: start..end,
            kind,
            channels,
        }
    }
}
