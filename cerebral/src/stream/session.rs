//! Sessions as their blocks come: which stretch a block belongs to, and what the window machines are fed with.
//!
//! A stretch ends where samples are missing, where the numbering begins anew, and where channels or rate are others than before.
//! A block that came before is passed over, so that a log that holds it twice gives the same windows.

use std::collections::HashMap;
use std::sync::Arc;

use contract::eeg::Samples;
use ndarray::Array2;
use windowing::operator;

use super::stretch::{Block, Fed};
use super::window::{WindowAnalyst, WindowSettings};
use crate::error::AnalysisError;
use crate::preprocess::Montage;
use crate::source::Rails;
use crate::units::SampleRate;

/// A state holds matrices of every channel with every other; of more channels it would be no record any more.
pub const MAX_CHANNELS: usize = 128;

/// How near a reading must be to a rail to be at it, microvolts, where records tell the rails alone.
const AT_RAIL_UV: f64 = 0.05;

/// A stretch of a session.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Stretch {
    /// The session.
    pub session: Arc<str>,
    /// Which of its stretches, from 0.
    pub number: u64,
    /// Index in the session of its first sample.
    pub at: u64,
}

/// What a session is recorded with.
#[derive(Debug, Clone, PartialEq)]
pub struct Head {
    /// Samples a second.
    pub rate: SampleRate,
    /// Names of the channels.
    pub channels: Vec<String>,
    /// Where their readings end.
    pub rails: Vec<Rails>,
}

/// A session that is known.
#[derive(Debug, Clone)]
struct Session {
    head: Arc<Head>,
    analyst: Arc<WindowAnalyst>,
    stretch: Stretch,
    /// The sample that would follow.
    next_at: u64,
}

/// A session and how far it is, to be put back.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Known {
    pub(super) head: Arc<Head>,
    pub(super) stretch: Stretch,
    /// The sample that would follow.
    pub(super) next_at: u64,
}

/// Something for the window machine of a stretch.
pub type ForStretch = (Stretch, operator::Fed<Fed>);

/// All sessions heard of.
#[derive(Debug)]
pub struct Sessions {
    settings: WindowSettings,
    known: HashMap<Arc<str>, Session>,
    seen_again: u64,
}

/// What is wrong with a block: it is of no session that could be gone on with.
#[derive(Debug, thiserror::Error)]
pub enum BlockError {
    /// The lists of its channels do not fit each other, or samples are missing inside.
    #[error("block at sample {at} of session `{session}`: {reason}")]
    Malformed {
        /// Session.
        session: String,
        /// Index of its first sample.
        at: u64,
        /// What.
        reason: String,
    },
    /// What its session is sampled at does not go with the settings.
    #[error("session `{session}`: {source}")]
    Unusable {
        /// Session.
        session: String,
        /// Why.
        source: AnalysisError,
    },
}

/// A block's samples as an array, checked.
fn samples_uv(samples: &Samples<'_>) -> Result<Array2<f64>, BlockError> {
    let fault = |reason: String| BlockError::Malformed {
        session: samples.session.clone().into_owned(),
        at: samples.at,
        reason,
    };
    let n_channels = samples.channels.len();
    if n_channels > MAX_CHANNELS {
        return Err(fault(format!(
            "{n_channels} channels, and a record of `eeg-states` has room for {MAX_CHANNELS}: publish those that matter"
        )));
    }
    if samples.uv.len() != n_channels || samples.rails_uv.len() != n_channels {
        return Err(fault(format!(
            "{n_channels} channels, {} rows of samples, {} of rails",
            samples.uv.len(),
            samples.rails_uv.len()
        )));
    }
    let n_samples = samples.uv.first().map_or(0, Vec::len);
    let mut uv = Array2::zeros((n_channels, n_samples));
    for (channel, (row, mut to)) in samples.uv.iter().zip(uv.rows_mut()).enumerate() {
        if row.len() != n_samples {
            return Err(fault(format!(
                "channel {channel} has {} samples, the first has {n_samples}",
                row.len()
            )));
        }
        for (to, figure) in to.iter_mut().zip(row) {
            *to = figure.0;
        }
    }
    if uv.iter().any(|value| !value.is_finite()) {
        return Err(fault(
            "a sample is missing inside: a gap is told by `at` and `follows`".to_owned(),
        ));
    }
    let told = [
        samples.ids.as_ref().map(Vec::len),
        samples.stamps_ns.as_ref().map(Vec::len),
    ];
    if told.into_iter().flatten().any(|n| n != n_samples) {
        return Err(fault(format!(
            "ids or stamps are not {n_samples}, as samples are"
        )));
    }
    Ok(uv)
}

impl Head {
    /// Channels of these names whose readings end at these values.
    #[must_use]
    pub fn new<'a>(
        rate: SampleRate,
        channels: Vec<String>,
        rails_uv: impl IntoIterator<Item = &'a Vec<f64>>,
    ) -> Self {
        let rails = rails_uv.into_iter().map(|values| Rails {
            values_uv: values.clone(),
            tolerance_uv: AT_RAIL_UV,
        });
        Self {
            rate,
            channels,
            rails: rails.collect(),
        }
    }

    /// Who makes windows of a session of this name.
    ///
    /// # Errors
    /// [`AnalysisError`] where it cannot be analysed with these settings.
    pub fn analyst(
        &self,
        session: &str,
        settings: &WindowSettings,
    ) -> Result<WindowAnalyst, AnalysisError> {
        let mut settings = WindowSettings {
            session: session_key(session),
            ..settings.clone()
        };
        if settings.frontal.is_empty() {
            let montage = Montage::of_channels(&self.channels);
            settings.frontal = montage.as_ref().map(Montage::frontal).unwrap_or_default();
        }
        WindowAnalyst::new(settings, self.rails.clone(), self.rate)
    }

    fn of(samples: &Samples<'_>) -> Result<Self, AnalysisError> {
        let rate = SampleRate::new(samples.sample_rate_hz)?;
        let channels = samples.channels.iter();
        let channels = channels.map(|name| name.clone().into_owned()).collect();
        Ok(Self::new(rate, channels, &samples.rails_uv))
    }
}

impl Sessions {
    /// None is known. `settings` are those of every session, but for [`WindowSettings::session`], which follows from its name.
    #[must_use]
    pub fn new(settings: WindowSettings) -> Self {
        Self {
            settings,
            known: HashMap::new(),
            seen_again: 0,
        }
    }

    /// Blocks passed over because they had come before.
    #[must_use]
    pub fn seen_again(&self) -> u64 {
        self.seen_again
    }

    /// What a session that is known is recorded with, and who makes windows of it.
    #[must_use]
    pub fn session(&self, name: &str) -> Option<(&Arc<Head>, &Arc<WindowAnalyst>)> {
        let session = self.known.get(name)?;
        Some((&session.head, &session.analyst))
    }

    /// The sample that would follow of a session; 0 of one that is not known.
    pub(super) fn next_at(&self, name: &str) -> u64 {
        self.known.get(name).map_or(0, |known| known.next_at)
    }

    /// Puts a session back; gives who makes its windows.
    ///
    /// # Errors
    /// [`AnalysisError`] where it cannot be analysed with these settings.
    pub(super) fn put_back(&mut self, known: Known) -> Result<Arc<WindowAnalyst>, AnalysisError> {
        let analyst = Arc::new(self.analyst(&known.stretch.session, &known.head)?);
        let session = Session {
            head: known.head,
            analyst: Arc::clone(&analyst),
            stretch: known.stretch,
            next_at: known.next_at,
        };
        self.known
            .insert(Arc::clone(&session.stretch.session), session);
        Ok(analyst)
    }

    fn analyst(&self, name: &str, head: &Head) -> Result<WindowAnalyst, AnalysisError> {
        let n_channels = head.channels.len();
        let named = self.settings.bad_channels.iter();
        let absent: Vec<usize> = named
            .filter(|index| **index >= n_channels)
            .map(|index| index + 1)
            .collect();
        if !absent.is_empty() {
            tracing::warn!(
                session = name,
                ?absent,
                n_channels,
                "channels named as bad that there are not"
            );
        }
        head.analyst(name, &self.settings)
    }

    /// Takes a block; gives what follows from it to the window machines.
    ///
    /// # Errors
    /// [`BlockError`]; the session then is as before.
    pub fn take(
        &mut self,
        samples: &Samples<'_>,
        out: &mut Vec<ForStretch>,
    ) -> Result<(), BlockError> {
        let uv = samples_uv(samples)?;
        let n = u64::try_from(uv.ncols()).unwrap_or(u64::MAX);
        let name: &str = &samples.session;
        let unusable = |source| BlockError::Unusable {
            session: name.to_owned(),
            source,
        };
        let head = Head::of(samples).map_err(unusable)?;
        let known = self.known.get(name);
        let is_same = known.is_some_and(|known| *known.head == head);
        if let Some(known) = known.filter(|_| is_same) {
            let goes_back = samples.at < known.next_at && samples.at >= known.stretch.at;
            if goes_back && samples.follows && samples.at.saturating_add(n) <= known.next_at {
                self.seen_again += 1;
                return Ok(());
            }
        }
        let goes_on =
            is_same && samples.follows && known.is_some_and(|known| known.next_at == samples.at);
        if !goes_on {
            let session: Arc<str> = known.map_or_else(
                || Arc::from(name),
                |known| Arc::clone(&known.stretch.session),
            );
            let number = known.map_or(0, |known| known.stretch.number + 1);
            let (head, analyst) = match known.filter(|_| is_same) {
                Some(known) => (Arc::clone(&known.head), Arc::clone(&known.analyst)),
                None => {
                    let analyst = self.analyst(name, &head).map_err(unusable)?;
                    (Arc::new(head), Arc::new(analyst))
                }
            };
            if let Some(known) = known {
                out.push((known.stretch.clone(), operator::Fed::End));
            }
            let stretch = Stretch {
                session: Arc::clone(&session),
                number,
                at: samples.at,
            };
            let session = Session {
                head,
                analyst,
                stretch,
                next_at: samples.at,
            };
            self.known
                .insert(Arc::clone(&session.stretch.session), session);
        }
        let Some(session) = self.known.get_mut(name) else {
            return Ok(());
        };
        let block = Block::new(samples.at - session.stretch.at, uv, samples.received_ns);
        session.next_at = samples.at.saturating_add(n);
        let stretch = &session.stretch;
        out.extend(
            block
                .feed()
                .map(|fed| (stretch.clone(), operator::Fed::Record(fed))),
        );
        Ok(())
    }

    /// A session is over: its stretch ends.
    pub fn end(&mut self, name: &str, out: &mut Vec<ForStretch>) {
        if let Some(session) = self.known.remove(name) {
            out.push((session.stretch, operator::Fed::End));
        }
    }
}

/// The key of a session's random numbers: FNV-1a of its name, 64 bits, the same on every machine.
#[must_use]
pub fn session_key(name: &str) -> u64 {
    name.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests;
