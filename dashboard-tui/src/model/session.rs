//! Sessions of EEG: the newest window of each, its past, and the newest samples.
//!
//! In: records of `eeg-samples` and `eeg-states`. Out: what the views *Brain* and *Twin* show. What the twin said of a window
//! is held against that window here, when it comes. Bounded: sessions, windows of the past, values of all signals together.

use std::borrow::Cow;
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use contract::eeg::{Bad, End, Figure, Mark, Matrix, Samples, State, Stimulation, Twin};
use contract::time::NS_PER_S;

use super::signals::{MAX_CHANNELS, Signals, Taken};
use crate::text::{clean, fit, width};

mod past;

pub(crate) use past::Point;
use past::{mean, point, said};

/// The most sessions that are kept.
const MAX_SESSIONS: usize = 128;
/// After so long without a record a session may make room for a new one.
const FORGOTTEN_NS: i64 = 60 * NS_PER_S;
/// The longest name of a session, bytes.
const MAX_KEY: usize = 4_096;
/// The most windows of a session's past.
pub(crate) const MAX_PAST: usize = 600;
/// The most values of all signals together, and of one session.
const MAX_VALUES: usize = 4_000_000;
const MAX_VALUES_EACH: usize = 160_000;

/// What a window says about coupling.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// The window has no figures.
    NoFigures,
    /// There are no surrogates to judge by.
    Untested,
    /// The surrogates are not of these data.
    Refused,
    /// More than independent channels give.
    Significant,
    /// No more than that.
    NotSignificant,
}

impl Verdict {
    /// Of a window.
    pub(crate) fn of(state: &State<'_>) -> Self {
        match (&state.reason, &state.surrogates) {
            (Some(_), _) => Self::NoFigures,
            (None, None) => Self::Untested,
            (None, Some(test)) if test.refused => Self::Refused,
            (None, Some(test)) if test.significant => Self::Significant,
            (None, Some(_)) => Self::NotSignificant,
        }
    }
}

/// One session.
#[derive(Debug, Clone)]
pub(crate) struct Session {
    pub(crate) name: Arc<str>,
    /// The name as records have it, which may hold what no screen should show.
    pub(crate) key: Arc<str>,
    pub(crate) signals: Signals,
    /// The newest window.
    pub(crate) newest: Option<State<'static>>,
    /// When it came, nanoseconds since 1970 on our clock.
    pub(crate) newest_at_ns: Option<i64>,
    /// When the newest block came.
    pub(crate) samples_at_ns: Option<i64>,
    /// Windows, oldest first.
    pub(crate) past: VecDeque<Point>,
    /// The newest order for its twin.
    pub(crate) order: Option<Stimulation<'static>>,
    /// When it ended.
    pub(crate) ended_at_ns: Option<i64>,
}

impl Session {
    fn new(name: Arc<str>, key: &str) -> Self {
        Self {
            name,
            key: key.into(),
            signals: Signals::default(),
            newest: None,
            newest_at_ns: None,
            samples_at_ns: None,
            past: VecDeque::new(),
            order: None,
            ended_at_ns: None,
        }
    }

    /// The twin of the newest window.
    pub(crate) fn twin(&self) -> Option<&Twin> {
        self.newest.as_ref()?.twin.as_ref()
    }

    /// What the newest window says about coupling.
    pub(crate) fn verdict(&self) -> Option<Verdict> {
        self.newest.as_ref().map(Verdict::of)
    }

    /// How many channels there are, by the newest window or, before there is one, the samples.
    pub(crate) fn n_channels(&self) -> usize {
        self.newest
            .as_ref()
            .map_or(self.signals.channels.len(), |state| state.channels.len())
    }

    /// A channel's name.
    pub(crate) fn channel(&self, at: usize) -> &str {
        let of_state = self
            .newest
            .as_ref()
            .and_then(|state| state.channels.get(at))
            .map(AsRef::as_ref);
        of_state
            .or_else(|| self.signals.channels.get(at).map(String::as_str))
            .unwrap_or("?")
    }

    /// A channel's name within so many columns: where it is longer, without what all names begin with.
    pub(crate) fn short(&self, at: usize, columns: usize) -> Cow<'_, str> {
        let name = self.channel(at);
        if width(name) <= columns || self.n_channels() < 2 {
            return fit(name, columns);
        }
        let mut common = name.len();
        for other in (0..self.n_channels()).map(|other| self.channel(other)) {
            let same = name.char_indices().zip(other.chars());
            let parts = same.take_while(|((_, one), other)| one == other);
            let shared = parts.map(|((at, one), _)| at + one.len_utf8()).last();
            if other != name {
                common = common.min(shared.unwrap_or(0));
            }
        }
        let tail = &name[common..];
        fit(if tail.is_empty() { name } else { tail }, columns)
    }

    /// When something last came of it.
    fn heard_ns(&self) -> i64 {
        let heard_ns = self.newest_at_ns.max(self.samples_at_ns);
        heard_ns.unwrap_or(i64::MIN)
    }

    /// For how long no window came, where that is too long and the session has not ended.
    pub(crate) fn quiet_ns(&self, now_ns: i64) -> Option<i64> {
        let quiet_ns = now_ns.saturating_sub(self.newest_at_ns?);
        (self.ended_at_ns.is_none() && quiet_ns > self.patience_ns()).then_some(quiet_ns)
    }

    /// How long no window may come before it is said.
    fn patience_ns(&self) -> i64 {
        let hop_s = self.newest.as_ref().map_or(1.0, |state| state.hop_s);
        // Hops of more than a minute are nobody's; a mad figure must not silence the warning for ever.
        let hops = [1, 2, 5, 10, 30]
            .into_iter()
            .find(|at| hop_s <= f64::from(*at));
        3 * NS_PER_S * i64::from(hops.unwrap_or(60))
    }

    fn window(&mut self, state: &State<'_>, at_ns: i64) -> bool {
        let rewound = self
            .newest
            .as_ref()
            .is_some_and(|before| state.at < before.at);
        if rewound {
            self.past.clear();
            self.newest = None;
        }
        let said = self.newest.as_ref().and_then(|before| said(before, state));
        self.past.push_back(point(state, said));
        self.past.drain(..self.past.len().saturating_sub(MAX_PAST));
        self.newest = Some(owned(state));
        self.newest_at_ns = Some(at_ns);
        rewound
    }
}

/// Mean absolute value of the pairs of a matrix.
pub(crate) fn mean_coupling(matrix: &Matrix) -> f64 {
    let pairs = matrix.iter().enumerate().flat_map(|(i, row)| {
        row.iter()
            .enumerate()
            .filter(move |(j, _)| i != *j)
            .map(|(_, value)| value.0.abs())
    });
    mean(pairs)
}

/// The figure of a pair; NaN where there is none.
pub(crate) fn figure(matrix: &[Vec<Figure>], i: usize, j: usize) -> f64 {
    matrix
        .get(i)
        .and_then(|row| row.get(j))
        .map_or(f64::NAN, |figure| figure.0)
}

fn text(text: &str) -> Cow<'static, str> {
    Cow::Owned(clean(text))
}

/// A window that outlives its record, with texts that may be shown.
fn owned(state: &State<'_>) -> State<'static> {
    State {
        session: text(&state.session),
        channels: state.channels.iter().map(|name| text(name)).collect(),
        reason: state.reason.as_deref().map(text),
        bad_channels: state
            .bad_channels
            .iter()
            .map(|bad| Bad {
                index: bad.index,
                reason: text(&bad.reason),
            })
            .collect(),
        artefacts: state
            .artefacts
            .iter()
            .map(|mark| Mark {
                start_s: mark.start_s,
                end_s: mark.end_s,
                kind: text(&mark.kind),
            })
            .collect(),
        quality: state.quality.clone(),
        frequency_hz: state.frequency_hz.clone(),
        band_power_uv2: state.band_power_uv2.clone(),
        phase_rad: state.phase_rad.clone(),
        pli: state.pli.clone(),
        wpli: state.wpli.clone(),
        surrogates: state.surrogates.clone(),
        twin: state.twin.clone().map(|mut twin| {
            if let Some(running) = &mut twin.stimulation {
                for word in [&mut running.id, &mut running.objective, &mut running.effect] {
                    *word = clean(word);
                }
            }
            twin
        }),
        ..*state
    }
}

/// All sessions, by name.
#[derive(Debug, Clone, Default)]
pub(crate) struct Sessions {
    by_name: BTreeMap<Arc<str>, Arc<Session>>,
}

/// A record could not be taken, and why.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refused {
    /// Too many sessions or channels.
    BeyondBounds,
    /// Its parts do not fit together.
    Senseless,
}

impl Sessions {
    /// The session of this name; a new one takes the place of the one that was heard of longest ago, if that is long enough.
    fn place(&mut self, name: &str, at_ns: i64) -> Result<&mut Session, Refused> {
        let key = name;
        let name: Arc<str> = clean(key).into();
        let is_new = !self.by_name.contains_key(&name);
        if is_new && key.len() > MAX_KEY {
            return Err(Refused::BeyondBounds);
        }
        if is_new && self.by_name.len() >= MAX_SESSIONS {
            let sessions = self.by_name.values();
            let oldest = sessions.min_by_key(|session| session.heard_ns());
            let oldest = oldest.filter(|session| {
                session.ended_at_ns.is_some()
                    || session.heard_ns().saturating_add(FORGOTTEN_NS) < at_ns
            });
            let forgotten = Arc::clone(&oldest.ok_or(Refused::BeyondBounds)?.name);
            self.by_name.remove(&forgotten);
        }
        let session = self.by_name.entry(name);
        let new = |name: &Arc<str>| Arc::new(Session::new(Arc::clone(name), key));
        Ok(Arc::make_mut(session.or_insert_with_key(new)))
    }

    /// Takes a block; says whether it lies before those taken already.
    pub(super) fn samples(&mut self, block: &Samples<'_>, at_ns: i64) -> Result<bool, Refused> {
        let most = (MAX_VALUES / self.by_name.len().max(1)).min(MAX_VALUES_EACH);
        let session = self.place(&block.session, at_ns)?;
        let taken = session.signals.take(block, most);
        match taken {
            Taken::Senseless => return Err(Refused::Senseless),
            Taken::TooWide => return Err(Refused::BeyondBounds),
            Taken::Follows | Taken::Rewound => {}
        }
        session.samples_at_ns = Some(at_ns);
        session.ended_at_ns = None;
        Ok(taken == Taken::Rewound)
    }

    /// Takes a window; says whether it lies before the one taken last.
    pub(super) fn window(&mut self, state: &State<'_>, at_ns: i64) -> Result<bool, Refused> {
        if state.channels.len() > MAX_CHANNELS {
            return Err(Refused::BeyondBounds);
        }
        Ok(self.place(&state.session, at_ns)?.window(state, at_ns))
    }

    /// Takes an order for a twin.
    pub(super) fn order(&mut self, order: &Stimulation<'_>) -> Result<(), Refused> {
        // For an order alone nobody makes room.
        self.place(&order.session, i64::MIN)?.order = Some(Stimulation {
            session: text(&order.session),
            id: text(&order.id),
            ..*order
        });
        Ok(())
    }

    /// A session has ended.
    pub(super) fn end(&mut self, end: &End<'_>, at_ns: i64) -> Result<(), Refused> {
        self.place(&end.session, i64::MIN)?.ended_at_ns = Some(at_ns);
        Ok(())
    }

    /// All of them, by name.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Arc<Session>> + Clone {
        self.by_name.values()
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.by_name.len()
    }
}

#[cfg(test)]
mod tests;
