//! Sessions of EEG: the newest window of each, its past, and the newest samples.
//!
//! In: records of `eeg-samples` and `eeg-states`. Out: what the views *Brain* and *Twin* show. What the twin said of a window
//! is held against that window here, when it comes. Bounded: sessions, windows of the past, values of all signals together.

use std::borrow::Cow;
use std::collections::{BTreeMap, VecDeque};
use std::f64::consts::{PI, TAU};
use std::sync::Arc;

use contract::eeg::{Bad, End, Figure, Mark, Matrix, Samples, State, Stimulation};
use contract::time::NS_PER_S;

use super::signals::{MAX_CHANNELS, Signals, Taken};
use crate::text::clean;

/// The most sessions that are kept.
const MAX_SESSIONS: usize = 128;
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

/// A window of the past; NaN where there is no figure.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Point {
    /// Start, seconds from the session's first sample.
    pub(crate) start_s: f64,
    /// From window to window, seconds.
    pub(crate) hop_s: f64,
    pub(crate) r: f64,
    pub(crate) r_5_95: [f64; 2],
    pub(crate) wpli: f64,
    pub(crate) wpli_95: f64,
    /// The order parameter that the twin had said for this window.
    pub(crate) r_said: f64,
    /// How far the phases were from what the twin had said, the mean of absolute differences, radians.
    pub(crate) phase_error_rad: f64,
    /// The same, had every channel gone on at its frequency: no twin at all.
    pub(crate) phase_error_alone_rad: f64,
    /// Mean absolute coupling of pairs, radians a second.
    pub(crate) coupling_rad_s: f64,
    pub(crate) noise_floor_rad_s: f64,
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

    /// Names of the channels, as the newest window or, before there is one, the samples have them.
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

/// What the window before had said of this one, and how far off it was: order parameter, phase errors of twin and of none.
fn said(before: &State<'_>, state: &State<'_>) -> Option<(f64, f64, f64)> {
    let twin = before.twin.as_ref()?;
    if before.stretch_at != state.stretch_at || before.k.checked_add(1) != Some(state.k) {
        return None;
    }
    let phase = |at: usize| state.phase_rad.get(at).map_or(f64::NAN, |phase| phase.0);
    let said = mean(
        twin.phase_next_rad
            .iter()
            .enumerate()
            .map(|(at, said)| distance_rad(phase(at), said.0)),
    );
    let alone = before
        .phase_rad
        .iter()
        .zip(&before.frequency_hz)
        .enumerate();
    let alone = mean(alone.map(|(at, (phase_rad, hz))| {
        distance_rad(phase(at), phase_rad.0 + TAU * hz.0 * before.hop_s)
    }));
    Some((twin.r_next.0, said, alone))
}

/// How far two phases are apart, `0..=pi`.
fn distance_rad(one: f64, other: f64) -> f64 {
    ((one - other + PI).rem_euclid(TAU) - PI).abs()
}

/// The mean of the figures there are; NaN of none.
fn mean(figures: impl Iterator<Item = f64>) -> f64 {
    let (mut sum, mut n) = (0.0, 0_u32);
    for figure in figures.filter(|figure| figure.is_finite()) {
        sum += figure;
        n += 1;
    }
    sum / f64::from(n)
}

fn point(state: &State<'_>, said: Option<(f64, f64, f64)>) -> Point {
    let none = f64::NAN;
    let test = state.surrogates.as_ref();
    let twin = state.twin.as_ref();
    let (r_said, phase_error_rad, phase_error_alone_rad) = said.unwrap_or((none, none, none));
    Point {
        start_s: state.start_s,
        hop_s: state.hop_s,
        r: state.r.0,
        r_5_95: test.map_or([none; 2], |test| test.r_5_95.map(|figure| figure.0)),
        wpli: state.wpli_mean.0,
        wpli_95: test.map_or(none, |test| test.wpli_95.0),
        r_said,
        phase_error_rad,
        phase_error_alone_rad,
        coupling_rad_s: twin.map_or(none, |twin| mean_coupling(&twin.coupling_rad_s)),
        noise_floor_rad_s: twin.map_or(none, |twin| twin.noise_floor_rad_s),
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
    fn place(&mut self, name: &str) -> Result<&mut Session, Refused> {
        let key = name;
        let name: Arc<str> = clean(key).into();
        let is_new = !self.by_name.contains_key(&name);
        if is_new && (self.by_name.len() >= MAX_SESSIONS || key.len() > MAX_KEY) {
            return Err(Refused::BeyondBounds);
        }
        let session = self.by_name.entry(name);
        let new = |name: &Arc<str>| Arc::new(Session::new(Arc::clone(name), key));
        Ok(Arc::make_mut(session.or_insert_with_key(new)))
    }

    /// Takes a block; says whether it lies before those taken already.
    pub(super) fn samples(&mut self, block: &Samples<'_>, at_ns: i64) -> Result<bool, Refused> {
        let most = (MAX_VALUES / self.by_name.len().max(1)).min(MAX_VALUES_EACH);
        let session = self.place(&block.session)?;
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
        Ok(self.place(&state.session)?.window(state, at_ns))
    }

    /// Takes an order for a twin.
    pub(super) fn order(&mut self, order: &Stimulation<'_>) -> Result<(), Refused> {
        self.place(&order.session)?.order = Some(Stimulation {
            session: text(&order.session),
            id: text(&order.id),
            ..*order
        });
        Ok(())
    }

    /// A session has ended.
    pub(super) fn end(&mut self, end: &End<'_>, at_ns: i64) -> Result<(), Refused> {
        self.place(&end.session)?.ended_at_ns = Some(at_ns);
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
