//! What is in a recording besides the brain: blinks, clenched jaws, bad contacts, movement.
//!
//! ```text
//! 1-7 Hz, beyond 5.5 robust deviations --> deflections -> merged over channels -> blink | electrode | movement | step
//! 30-45 Hz, level beyond 2.5 medians ---> muscle
//! ```
//!
//! In: a recording in microvolts. Out: marks with start, end and kind. The thresholds are relative to each channel's own quiet
//! level, so units and gains do not matter; what fills more than half of a recording is its quiet level and is not found. Absent:
//! taking artefacts out of a signal; windows that touch one are left out instead.
//!
//! Source: the bands are those by which MNE-Python finds eye blinks (from 1 Hz up) and muscle (key `gramfort-2013` in
//! `docs/references.bib`), moved below the mains. The upper limit of 7 Hz keeps bursts of alpha from counting as blinks.

mod classify;
mod level;

use std::fmt;
use std::ops::Range;

use ndarray::{ArrayView2, Axis};
use serde::{Serialize, Serializer};

use super::{Sos, cut, remove_mean};
use crate::error::AnalysisError;
use crate::units::{Band, SampleRate};

/// Where eyes and contacts show, hertz.
const SLOW_HZ: (f64, f64) = (1.0, 7.0);
/// Where muscles show, hertz: above the brain's rhythms, below the mains.
const FAST_HZ: (f64, f64) = (30.0, 45.0);
/// Robust standard deviations from which a slow deflection is none of the brain's; rest stays below 4.
const DEFLECTION: f64 = 5.5;
/// Times its median from which the fast level is muscle; rest stays below 2.
const MUSCLE: f64 = 2.5;
/// Over how long the fast level is taken, seconds.
const LEVEL_S: f64 = 0.3;
/// Marks nearer to each other than this are one, seconds.
const MERGED_S: f64 = 0.25;
/// What is added to a mark at either end, seconds: the flank below the threshold.
const FLANK_S: f64 = 0.1;
/// Stretches shorter than this are not looked at, seconds: there is no quiet level in them.
const LEAST_S: f64 = 2.0;

/// What an artefact is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ArtefactKind {
    /// A deflection of few channels together, or of frontal ones: a blink or a movement of the eyes.
    Blink,
    /// Fast activity of a clenched jaw, a swallow, a frown.
    Muscle,
    /// A level that jumps and stays.
    Step,
    /// A deflection of one channel alone: a contact.
    Electrode,
    /// A deflection of more than half of the channels.
    Movement,
    /// A deflection where too few channels tell what it is.
    Deflection,
}

impl ArtefactKind {
    /// Its name in results.
    pub fn name(self) -> &'static str {
        match self {
            Self::Blink => "blink",
            Self::Muscle => "muscle",
            Self::Step => "step",
            Self::Electrode => "electrode",
            Self::Movement => "movement",
            Self::Deflection => "deflection",
        }
    }
}

impl fmt::Display for ArtefactKind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

impl Serialize for ArtefactKind {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

/// One mark.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Artefact {
    /// The samples it covers, from the recording's first.
    pub samples: Range<usize>,
    /// What it is.
    pub kind: ArtefactKind,
    /// The channels that show it, from 0.
    pub channels: Vec<usize>,
}

impl Artefact {
    /// Whether this is a step that a burst of fast activity is part of.
    fn explains(&self, burst: &Self) -> bool {
        self.kind == ArtefactKind::Step
            && self.samples.start <= burst.samples.end
            && burst.samples.start <= self.samples.end
            && burst
                .channels
                .iter()
                .all(|channel| self.channels.contains(channel))
    }
}

/// The artefacts of a recording, by start.
///
/// `samples_uv`: `(n_channels, n_samples)`, as recorded, any offset. `stretches`: its gap-free pieces. `good`: the channels to look
/// at. `frontal`: those of them that lie over the eyes, where the montage is known; else empty, and deflections of two channels
/// up to half of them count as blinks.
///
/// # Errors
/// [`AnalysisError::Setting`] if the sampling rate is too low for blinks (16 Hz); below 100 Hz muscles are not looked for.
pub fn find_artefacts(
    samples_uv: ArrayView2<'_, f64>,
    stretches: &[Range<usize>],
    good: &[usize],
    frontal: &[usize],
    rate: SampleRate,
) -> Result<Vec<Artefact>, AnalysisError> {
    let slow = Sos::butterworth_band_pass(4, Band::new(SLOW_HZ.0, SLOW_HZ.1)?, rate)?;
    let fast = if rate.nyquist_hz() > FAST_HZ.1 + 4.0 {
        let band = Band::new(FAST_HZ.0, FAST_HZ.1)?;
        Some(Sos::butterworth_band_pass(4, band, rate)?)
    } else {
        None
    };
    let stretches: Vec<Range<usize>> = stretches
        .iter()
        .filter(|stretch| stretch.len() > rate.samples(LEAST_S))
        .cloned()
        .collect();
    let (mut deflections, mut muscle) = (Vec::new(), Vec::new());
    for &channel in good {
        let pieces = |filter: &Sos| -> Result<Vec<Vec<f64>>, AnalysisError> {
            let filtered = stretches.iter().map(|stretch| {
                let raw = cut(samples_uv, stretch.clone());
                let mut raw = raw.row(channel).insert_axis(Axis(0)).to_owned();
                remove_mean(raw.view_mut());
                Ok(filter.zero_phase(raw.view())?.into_iter().collect())
            });
            filtered.collect()
        };
        let found = level::deflections(&pieces(&slow)?, DEFLECTION);
        deflections.extend(classify::marks(found, &stretches, channel));
        if let Some(fast) = &fast {
            let found = level::bursts(&pieces(fast)?, rate.samples(LEVEL_S), MUSCLE);
            muscle.extend(classify::marks(found, &stretches, channel));
        }
    }
    let (gap, flank) = (rate.samples(MERGED_S), rate.samples(FLANK_S));
    let at = classify::Surroundings {
        samples_uv,
        stretches: &stretches,
        n_good: good.len(),
        frontal,
        rate,
    };
    let mut artefacts: Vec<Artefact> = classify::merged(deflections, gap)
        .into_iter()
        .map(|event| {
            let kind = at.kind(&event);
            at.artefact(event, kind, flank)
        })
        .collect();
    let muscle = classify::merged(muscle, gap)
        .into_iter()
        .map(|event| at.artefact(event, ArtefactKind::Muscle, flank));
    // A step has some of every frequency.
    let muscle: Vec<Artefact> = muscle
        .filter(|burst| !artefacts.iter().any(|step| step.explains(burst)))
        .collect();
    artefacts.extend(muscle);
    artefacts.sort_by_key(|artefact| (artefact.samples.start, artefact.kind));
    Ok(artefacts)
}

#[cfg(test)]
mod tests;
