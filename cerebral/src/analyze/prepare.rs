//! From a recording to what is analysed: which channels, which samples, against what, and what is marked.
//!
//! In: a recording and the options. Out: [`Prepared`]: the good channels of one segment, and how to put their figures back into
//! matrices over all channels.

use std::ops::Range;
use std::path::Path;

use ndarray::{Array1, Array2, Axis};

use super::error::AnalyzeError;
use super::options::{Options, ReferenceChoice, SegmentChoice, WindowsChoice};
use super::result::{ArtefactInfo, Matrix};
use crate::number::float;
use crate::preprocess::{
    Artefact, BadChannel, ChannelFault, Montage, Reference, cut, find_artefacts, find_bad_channels,
};
use crate::source::{Rails, Recording, useful_runs};
use crate::units::SampleRate;

/// Left out beside a rail, seconds: there the amplifier goes over its end or comes back.
const MARGIN_S: f64 = 2.0;
/// A piece shorter than this is not chosen for want of a longer one, seconds.
const LEAST_PIECE_S: f64 = 4.0;

/// What is analysed.
pub(super) struct Prepared {
    pub(super) rate: SampleRate,
    /// Names of all channels chosen.
    pub(super) channels: Vec<String>,
    /// Which rows of the recording they are.
    pub(super) rows: Vec<usize>,
    pub(super) montage: Option<Montage>,
    pub(super) segment: Range<usize>,
    pub(super) segment_choice: String,
    /// Why the segment as a whole has no figures.
    pub(super) segment_fault: Option<String>,
    /// Gap-free pieces of the segment, in samples of the recording.
    pub(super) pieces: Vec<Range<usize>>,
    pub(super) bad: Vec<BadChannel>,
    pub(super) interpolated: Vec<usize>,
    pub(super) artefacts: Vec<Artefact>,
    pub(super) reference: Reference,
    /// Places of the good channels among all chosen.
    pub(super) good: Vec<usize>,
    /// The segment, good channels alone, referenced: `(n_good, n_samples)`, microvolts.
    pub(super) good_uv: Array2<f64>,
    /// The recording, all channels chosen, as recorded.
    pub(super) recorded: Recorded,
    pub(super) notes: Vec<String>,
}

/// What windows of buffers are made of: each judges its own samples.
pub(super) struct Recorded {
    /// What a stream of it is called.
    pub(super) session: String,
    /// `(n_channels, n_samples)`, microvolts.
    pub(super) samples_uv: Array2<f64>,
    pub(super) rails_uv: Vec<Vec<f64>>,
    /// Gap-free pieces of all of it.
    pub(super) stretches: Vec<Range<usize>>,
    /// Places of channels named as bad.
    pub(super) named_bad: Vec<usize>,
    /// Places of channels over the eyes.
    pub(super) frontal: Vec<usize>,
}

/// The channels of a recording that were asked for.
struct Chosen {
    rows: Vec<usize>,
    names: Vec<String>,
    samples_uv: Array2<f64>,
    rails: Vec<Rails>,
}

/// Chooses, marks, references.
pub(super) fn prepare(
    recording: &Recording,
    file: &str,
    options: &Options,
) -> Result<Prepared, AnalyzeError> {
    let rate = SampleRate::new(recording.sample_rate_hz)?;
    let chosen = choose(recording, &options.channels)?;
    let named_bad = places("--bad-channel", &options.bad_channels, &chosen.names)?;
    let montage = match &options.montage {
        Some(montage) => Some(Montage::named(montage.names(), chosen.names.len())?),
        None => Montage::of_channels(&chosen.names),
    };
    let mut notes = Vec::new();
    let stretches = recording.stretches();
    let longest = recording.longest_stretch();
    let faults = |range: &Range<usize>| bad_channels(&chosen, range, &named_bad, rate, options);
    let marks = |bad: &[BadChannel]| {
        let good = good_places(chosen.names.len(), bad);
        let frontal: Vec<usize> = montage.as_ref().map(Montage::frontal).unwrap_or_default();
        find_artefacts(chosen.samples_uv.view(), &stretches, &good, &frontal, rate)
    };
    let (segment, segment_choice) = match &options.segment {
        SegmentChoice::Samples(range) if range.end > recording.n_samples() => {
            return Err(AnalyzeError::Segment {
                from: range.start,
                to: range.end,
                n_samples: recording.n_samples(),
            });
        }
        SegmentChoice::Samples(range) => (range.clone(), "as asked".to_owned()),
        SegmentChoice::Longest => {
            let few = good_places(chosen.names.len(), &faults(&longest)).len() < 2;
            match few.then(|| longest_with_two(&chosen, &stretches, &named_bad, rate)).flatten() {
                Some(piece) => (
                    piece,
                    "the longest piece in which two channels carry a signal; over the longest stretch fewer do".to_owned(),
                ),
                None if stretches.len() == 1 => {
                    (longest.clone(), "the whole recording, which has no gap".to_owned())
                }
                None => (
                    longest.clone(),
                    format!("the longest of {} stretches without a gap", stretches.len()),
                ),
            }
        }
        SegmentChoice::Clean => {
            let artefacts = marks(&faults(&longest)).unwrap_or_default();
            let clean = longest_between(&stretches, &artefacts);
            (
                clean,
                "the longest stretch without gap and artefact".to_owned(),
            )
        }
    };
    let pieces = within(&stretches, &segment);
    let mut segment_fault =
        (pieces != std::slice::from_ref(&segment)).then(|| fault(recording, &segment));
    let judged = pieces.iter().max_by_key(|piece| piece.len()).cloned();
    let mut bad = faults(&judged.unwrap_or_else(|| segment.clone()));
    // A rate too low for blinks leaves nothing to look for.
    let artefacts = marks(&bad).unwrap_or_else(|error| {
        notes.push(format!("artefacts were not looked for: {error}"));
        Vec::new()
    });
    let mut segment_uv = cut(chosen.samples_uv.view(), segment.clone()).to_owned();
    let mut interpolated = Vec::new();
    if options.interpolate {
        let montage = montage.as_ref().ok_or_else(|| {
            crate::AnalysisError::setting("interpolate", "on", "off where the montage is not known")
        })?;
        interpolated = bad.iter().map(|bad| bad.index).collect();
        montage.interpolate(segment_uv.view_mut(), &interpolated)?;
        if !interpolated.is_empty() {
            notes.push(
                "interpolated channels are mixtures of the others: their pairs are no connections"
                    .to_owned(),
            );
        }
        if options.windows == WindowsChoice::Buffered {
            notes.push(
                "windows of buffers leave bad channels out: nothing is interpolated in them"
                    .to_owned(),
            );
        }
        bad.clear();
    }
    let reference = reference(options, &chosen.names)?;
    let bad_places: Vec<usize> = bad.iter().map(|bad| bad.index).collect();
    let mut good = good_places(chosen.names.len(), &bad);
    if let Reference::Channel { index, .. } = &reference {
        good.retain(|place| place != index);
    }
    if good.len() < 2 {
        let none = AnalyzeError::NoChannels {
            good: good.len(),
            all: chosen.names.len(),
            reasons: reasons(&chosen.names, &bad),
        };
        // Windows of buffers judge their channels by themselves: some may have figures where the whole has none.
        if options.windows == WindowsChoice::Whole {
            return Err(none);
        }
        segment_fault.get_or_insert(none.to_string());
        good.clear();
    }
    reference.apply(segment_uv.view_mut(), &bad_places)?;
    let good_uv = segment_uv.select(Axis(0), &good);
    if matches!(
        options.segment,
        SegmentChoice::Longest | SegmentChoice::Samples(_)
    ) {
        notes.extend(marks_note(&artefacts, &segment, &stretches, rate));
    }
    let frontal = montage.as_ref().map(Montage::frontal).unwrap_or_default();
    Ok(Prepared {
        rate,
        channels: chosen.names,
        rows: chosen.rows,
        montage,
        segment,
        segment_choice,
        segment_fault,
        pieces,
        bad,
        interpolated,
        artefacts,
        reference,
        good,
        good_uv,
        recorded: Recorded {
            session: session_of(file),
            rails_uv: chosen
                .rails
                .into_iter()
                .map(|rails| rails.values_uv)
                .collect(),
            samples_uv: chosen.samples_uv,
            stretches,
            named_bad,
            frontal,
        },
        notes,
    })
}

impl Prepared {
    /// A matrix over all channels from one over the good ones.
    pub(super) fn matrix(&self, of_good: &Array2<f64>) -> Matrix {
        let n = self.channels.len();
        let mut all = Array2::from_elem((n, n), f64::NAN);
        for ((i, j), value) in of_good.indexed_iter() {
            all[[self.good[i], self.good[j]]] = *value;
        }
        Matrix(all)
    }

    /// A list over all channels from one over the good ones.
    pub(super) fn list<'a>(&self, of_good: impl IntoIterator<Item = &'a f64>) -> Vec<f64> {
        let mut all = Array1::from_elem(self.channels.len(), f64::NAN);
        for (place, value) in self.good.iter().zip(of_good) {
            all[*place] = *value;
        }
        all.to_vec()
    }

    /// Marks within the segment, in seconds from its start.
    pub(super) fn artefact_infos(&self) -> Vec<ArtefactInfo> {
        let inside = self.artefacts.iter().filter_map(|artefact| {
            let (start, end) = (
                artefact.samples.start.max(self.segment.start),
                artefact.samples.end.min(self.segment.end),
            );
            (start < end).then(|| ArtefactInfo {
                start_s: self.rate.seconds(start - self.segment.start),
                end_s: self.rate.seconds(end - self.segment.start),
                kind: artefact.kind,
                channels: artefact.channels.clone(),
            })
        });
        inside.collect()
    }

    /// Which share of the segment is marked.
    pub(super) fn marked_share(&self) -> f64 {
        float(n_marked(&self.artefacts, &self.segment)) / float(self.segment.len())
    }

    /// The first mark that samples of the recording touch, as a reason.
    pub(super) fn touched(&self, samples: &Range<usize>) -> Option<String> {
        let touches = |artefact: &&Artefact| {
            artefact.samples.start < samples.end && samples.start < artefact.samples.end
        };
        let artefact = self.artefacts.iter().find(touches)?;
        let seconds = |sample: usize| {
            // A mark may begin before the segment does.
            (float(sample) - float(self.segment.start)) / self.rate.hz()
        };
        Some(format!(
            "{} {:.1}-{:.1} s",
            artefact.kind,
            seconds(artefact.samples.start),
            seconds(artefact.samples.end)
        ))
    }
}

/// The name of a stream of a file: its own, without folders.
fn session_of(file: &str) -> String {
    let name = Path::new(file).file_name();
    name.map_or_else(
        || file.to_owned(),
        |name| name.to_string_lossy().into_owned(),
    )
}

/// Rows by name, else by number from 1.
fn choose(recording: &Recording, wanted: &[String]) -> Result<Chosen, AnalyzeError> {
    let rows = if wanted.is_empty() {
        (0..recording.n_channels()).collect()
    } else {
        places("--channels", wanted, &recording.channels)?
    };
    Ok(Chosen {
        names: rows
            .iter()
            .map(|&row| recording.channels[row].clone())
            .collect(),
        samples_uv: recording.samples_uv.select(Axis(0), &rows),
        rails: rows
            .iter()
            .map(|&row| recording.rails[row].clone())
            .collect(),
        rows,
    })
}

/// Where channels stand: by name, else by number from 1.
pub(super) fn places(
    option: &'static str,
    wanted: &[String],
    names: &[String],
) -> Result<Vec<usize>, AnalyzeError> {
    let mut found = Vec::with_capacity(wanted.len());
    for name in wanted {
        let by_name = names
            .iter()
            .position(|known| known.eq_ignore_ascii_case(name.trim()));
        let by_number = || {
            let number: usize = name.trim().parse().ok()?;
            number.checked_sub(1).filter(|place| *place < names.len())
        };
        let place = by_name
            .or_else(by_number)
            .filter(|place| !found.contains(place));
        found.push(place.ok_or_else(|| AnalyzeError::Channel {
            option,
            name: name.clone(),
            known: format!(
                "{} (or their numbers, 1 to {}), each once",
                names.join(", "),
                names.len()
            ),
        })?);
    }
    Ok(found)
}

fn bad_channels(
    chosen: &Chosen,
    range: &Range<usize>,
    named: &[usize],
    rate: SampleRate,
    options: &Options,
) -> Vec<BadChannel> {
    let mut bad = if options.find_bad_channels {
        find_bad_channels(
            cut(chosen.samples_uv.view(), range.clone()),
            &chosen.rails,
            rate,
        )
    } else {
        Vec::new()
    };
    for &index in named {
        bad.retain(|bad| bad.index != index);
        bad.push(BadChannel {
            index,
            fault: ChannelFault::Named,
        });
    }
    bad.sort_by_key(|bad| bad.index);
    bad
}

fn good_places(n_channels: usize, bad: &[BadChannel]) -> Vec<usize> {
    (0..n_channels)
        .filter(|place| bad.iter().all(|bad| bad.index != *place))
        .collect()
}

fn reference(options: &Options, names: &[String]) -> Result<Reference, AnalyzeError> {
    Ok(match &options.reference {
        ReferenceChoice::Recorded => Reference::Recorded,
        ReferenceChoice::Average => Reference::Average,
        ReferenceChoice::Channel(name) => {
            let index = places("--reference", std::slice::from_ref(name), names)?[0];
            Reference::Channel {
                index,
                name: names[index].clone(),
            }
        }
    })
}

fn reasons(names: &[String], bad: &[BadChannel]) -> String {
    let all: Vec<String> = bad
        .iter()
        .map(|bad| format!("{}: {}", names[bad.index], bad.fault))
        .collect();
    if all.is_empty() {
        "no other channel is there".to_owned()
    } else {
        all.join("; ")
    }
}

/// The parts of stretches that lie in a segment.
fn within(stretches: &[Range<usize>], segment: &Range<usize>) -> Vec<Range<usize>> {
    let parts = stretches
        .iter()
        .map(|piece| piece.start.max(segment.start)..piece.end.min(segment.end));
    parts.filter(|part| part.start < part.end).collect()
}

/// Why a segment has no figures as a whole.
fn fault(recording: &Recording, segment: &Range<usize>) -> String {
    let restarts = recording.numbering.boundaries.iter();
    let restarts = restarts
        .filter(|at| segment.start < **at && **at < segment.end)
        .count();
    let missing = cut(recording.samples_uv.view(), segment.clone());
    let missing = missing.row(0).iter().filter(|value| value.is_nan()).count();
    format!(
        "the segment {}:{} is not of one piece: {missing} missing samples, {restarts} restarts; the longest piece of the recording is {:?}",
        segment.start,
        segment.end,
        recording.longest_stretch()
    )
}

/// The longest piece of a stretch in which two channels are neither railed nor flat, without [`MARGIN_S`] where it ends so and
/// not with the stretch; none below [`LEAST_PIECE_S`].
fn longest_with_two(
    chosen: &Chosen,
    stretches: &[Range<usize>],
    bad: &[usize],
    rate: SampleRate,
) -> Option<Range<usize>> {
    let rows = chosen
        .samples_uv
        .rows()
        .into_iter()
        .zip(&chosen.rails)
        .enumerate();
    let runs: Vec<Vec<Range<usize>>> = rows
        .filter(|(index, _)| !bad.contains(index))
        .map(|(_, (row, rails))| {
            let runs = useful_runs(row, rails);
            stretches
                .iter()
                .flat_map(|stretch| within(&runs, stretch))
                .collect()
        })
        .collect();
    let margin = rate.samples(MARGIN_S);
    let away = |piece: Range<usize>| {
        let begins = stretches.iter().any(|whole| whole.start == piece.start);
        let ends = stretches.iter().any(|whole| whole.end == piece.end);
        let from = piece.start + if begins { 0 } else { margin };
        from..piece.end.saturating_sub(if ends { 0 } else { margin })
    };
    let mut longest = 0..0;
    for (at, one) in runs.iter().enumerate() {
        for other in &runs[at + 1..] {
            let both = one.iter().flat_map(|run| within(other, run)).map(away);
            longest = both.fold(longest, |longest, run| {
                if run.len() > longest.len() {
                    run
                } else {
                    longest
                }
            });
        }
    }
    (longest.len() >= rate.samples(LEAST_PIECE_S)).then_some(longest)
}

/// The longest piece of the stretches without a mark.
fn longest_between(stretches: &[Range<usize>], artefacts: &[Artefact]) -> Range<usize> {
    let mut longest = 0..0;
    for stretch in stretches {
        let mut start = stretch.start;
        let mut keep = |piece: Range<usize>| {
            if piece.len() > longest.len() {
                longest = piece;
            }
        };
        let inside = artefacts.iter().filter(|artefact| {
            artefact.samples.start < stretch.end && stretch.start < artefact.samples.end
        });
        for artefact in inside {
            keep(start..artefact.samples.start.max(start));
            start = start.max(artefact.samples.end);
        }
        keep(start..stretch.end.max(start));
    }
    longest
}

/// How many samples of a segment are marked.
fn n_marked(artefacts: &[Artefact], segment: &Range<usize>) -> usize {
    let mut marked = vec![false; segment.len()];
    for artefact in artefacts {
        let from = artefact.samples.start.max(segment.start);
        let to = artefact.samples.end.min(segment.end);
        if from < to {
            marked[from - segment.start..to - segment.start].fill(true);
        }
    }
    marked.iter().filter(|marked| **marked).count()
}

/// What the marks mean for figures over the whole segment.
fn marks_note(
    artefacts: &[Artefact],
    segment: &Range<usize>,
    stretches: &[Range<usize>],
    rate: SampleRate,
) -> Option<String> {
    let n_marked = n_marked(artefacts, segment);
    let clean = longest_between(stretches, artefacts);
    (n_marked > 0).then(|| {
        format!(
            "{:.1} s of {:.1} s are marked as artefacts; figures over the whole segment include them, windows leave them out; the longest stretch without any is {}:{} ({:.1} s, --segment clean)",
            rate.seconds(n_marked),
            rate.seconds(segment.len()),
            clean.start,
            clean.end,
            rate.seconds(clean.len())
        )
    })
}
