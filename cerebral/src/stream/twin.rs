//! The twin of a stretch, as its windows come.
//!
//! ```text
//! samples -> the last minute -> calibration (a task, used a fixed time later) -> network
//!               \-> the last hop's scores -> how far the last seconds depart -> network now
//! a window's phases -> network now, run one hop ahead -> what the next window should say
//! an order -> two copies per seed on from there, one driven                   -> what it does
//! ```
//!
//! What a window says is a function of the samples and orders before its end and of nothing else: not of how samples came in
//! blocks, nor of when a calibration was done, nor of a restart in between ([`SessionTwin::state`]). Behind a short gap the twin goes
//! on with the network it had ([`SessionTwin::go_on_from`]).
//!
//! Reading order: `settings` -> `history`, `calibrated`, `calibrator` -> `pending` -> `run`, `stimulate` -> here. Absent: windows and their figures
//! ([`super::window`]), threads but for those of a [`Pool`], clocks.

mod batch;
mod calibrated;
mod calibrator;
mod history;
mod packed;
mod pending;
mod run;
mod settings;
mod state;
mod stimulate;

use std::collections::VecDeque;
use std::sync::Arc;

use contract::eeg::{self, DriveKind, Figure, Order, Stimulation};
use ndarray::{Array2, ArrayView2, Axis};

use super::stretch::Closed;
use super::window::{WindowAnalyst, WindowFigures};
use crate::calibration::{CalibrationSettings, Follower, Now, Scores};
use crate::connectivity::Pass;
use crate::error::AnalysisError;
use crate::phase::CausalPhase;
use crate::surrogate::Key;
use calibrated::{Calibrated, Input};
use history::History;
use pending::{Before, Pending};
use run::{Hop, Nodes, ahead};
use settings::Hops;
use stimulate::{Followed, HELD_S, Running};

pub use batch::over_stretch;
pub use calibrator::{Calibrate, Inline, Pool, Task};
pub use settings::TwinSettings;
pub use state::{StateError, TwinState};
pub use stimulate::OrderError;

/// What the random numbers of a window are for, beside its surrogates.
#[derive(Debug, Clone, Copy)]
enum Draws {
    Ahead,
    Stimulation,
    Calibration,
}

/// Names of stimulations that are remembered, so that an order that comes again changes nothing.
const KNOWN: usize = 64;

/// The twin of one stretch of a session.
#[derive(Debug)]
pub struct SessionTwin {
    settings: TwinSettings,
    hops: Hops,
    analyst: Arc<WindowAnalyst>,
    calibrator: Arc<dyn Calibrate>,
    causal: CausalPhase,
    /// Index in the session of the stretch's first sample.
    stretch_at: u64,
    history: History,
    current: Option<Calibrated>,
    pending: Option<Pending>,
    /// Scores by `current` of the last hops' samples, by window; none of those that there are not samples enough for. They are
    /// functions of `history` and `current`, kept to be made once.
    pieces: VecDeque<(u64, Option<Scores>)>,
    stimulation: Option<Running>,
    known: VecDeque<String>,
    /// Calibrations that came to nothing.
    failed: u64,
}

impl SessionTwin {
    /// Of the stretch that begins at sample `stretch_at` of its session; `analyst` is that of its windows.
    ///
    /// # Errors
    /// [`AnalysisError::Setting`].
    pub fn new(
        settings: TwinSettings,
        analyst: &Arc<WindowAnalyst>,
        stretch_at: u64,
        calibrator: &Arc<dyn Calibrate>,
    ) -> Result<Self, AnalysisError> {
        let hop_s = analyst.rate().seconds(analyst.windows().hop());
        Ok(Self {
            hops: settings.in_hops(hop_s)?,
            causal: CausalPhase::new(analyst.settings().band, analyst.rate())?,
            history: History::new(analyst.n_channels()),
            settings,
            analyst: Arc::clone(analyst),
            calibrator: Arc::clone(calibrator),
            stretch_at,
            current: None,
            pending: None,
            pieces: VecDeque::new(),
            stimulation: None,
            known: VecDeque::new(),
            failed: 0,
        })
    }

    /// Takes samples of the stretch from its sample `at` on, `(n_channels, n_samples)`, microvolts as recorded. Those that are here
    /// already are passed over, and so is a block of other channels. They must be here before the windows that they complete.
    pub fn samples(&mut self, at: u64, uv: ArrayView2<'_, f64>) {
        if uv.nrows() == self.history.n_channels() {
            self.history.push(at, uv);
        }
    }

    /// Takes an order: it counts from the next window on.
    ///
    /// # Errors
    /// [`OrderError`]; nothing changes then.
    pub fn order(&mut self, order: &Stimulation<'_>) -> Result<(), OrderError> {
        match order.order {
            Order::Stop => {
                self.stimulation.take_if(|running| running.id == *order.id);
                // A start that comes behind its own stop is over.
                self.know(&order.id);
            }
            Order::Start => {
                let is_delayed = self.analyst.settings().pass == Pass::Causal;
                if order.drive == DriveKind::Locked && is_delayed {
                    return Err(OrderError::Delayed);
                }
                let running = Running::new(order, self.history.n_channels())?;
                if self.know(&order.id) {
                    self.stimulation = Some(running);
                }
            }
        }
        Ok(())
    }

    /// Whether an order of this name is new.
    fn know(&mut self, id: &str) -> bool {
        if self.known.iter().any(|known| known == id) {
            return false;
        }
        if self.known.len() == KNOWN {
            self.known.pop_front();
        }
        self.known.push_back(id.to_owned());
        true
    }

    /// Calibrations that came to nothing; the one before is gone on with.
    #[must_use]
    pub fn failed_calibrations(&self) -> u64 {
        self.failed
    }

    /// Takes the next window of the stretch, in order, those without figures included. The twin's word on it: none before the
    /// first calibration, nor where the window has no figures.
    ///
    /// Waits for a calibration that is needed and not done.
    pub fn window(&mut self, closed: &Closed) -> Option<eeg::Twin> {
        let k = closed.k;
        let figures = closed.window.as_ref().ok();
        let figures = figures.and_then(|window| window.figures.as_ref().ok());
        self.adopt(k);
        self.begin(k);
        let now = self.now(k);
        if let Some(now) = &now {
            self.stimulate(k, now, figures);
        }
        let said = match (&now, figures) {
            (Some(now), Some(figures)) => self.say(k, now, figures),
            _ => None,
        };
        self.forget(k);
        said
    }

    fn samples_in(&self, seconds: f64) -> u64 {
        u64::try_from(self.analyst.rate().samples(seconds)).unwrap_or(u64::MAX)
    }

    fn hop(&self) -> u64 {
        u64::try_from(self.analyst.windows().hop()).unwrap_or(u64::MAX)
    }

    fn timing(&self) -> Hop {
        Hop {
            hop_s: self.analyst.rate().seconds(self.analyst.windows().hop()),
            step_s: self.settings.step_s,
        }
    }

    /// Index in the stretch behind the last sample of window `k`, its guard not counted.
    fn window_end(&self, k: u64) -> u64 {
        let width = u64::try_from(self.analyst.windows().width()).unwrap_or(u64::MAX);
        k.saturating_mul(self.hop()).saturating_add(width)
    }

    /// Index behind the sample that completes window `k`.
    fn buffer_end(&self, k: u64) -> u64 {
        let guard = u64::try_from(self.analyst.windows().guard()).unwrap_or(u64::MAX);
        self.window_end(k).saturating_add(guard)
    }

    /// Of window `k` of the stretch that begins at sample `stretch_at`.
    fn key(&self, draws: Draws, stretch_at: u64, k: u64, seed: usize) -> Key {
        let settings = self.analyst.settings();
        let seed = u32::try_from(seed).unwrap_or(u32::MAX) & 0x0fff_ffff;
        // Surrogates are fewer than 2^28.
        let what = match draws {
            Draws::Ahead => 0x1000_0000,
            Draws::Stimulation => 0x2000_0000,
            Draws::Calibration => 0x3000_0000,
        };
        Key {
            seed: settings.seed,
            session: settings.session,
            window: stretch_at.saturating_add(k.saturating_mul(self.hop())),
            surrogate: what | seed,
        }
    }

    /// A calibration that was begun long enough ago is gone on with from here.
    fn adopt(&mut self, k: u64) {
        let use_after = self.hops.use_after;
        let is_due = |pending: &mut Pending| k >= pending.due(use_after);
        if let Some(pending) = self.pending.take_if(is_due) {
            match pending.task.wait() {
                Some(Ok(found)) => {
                    self.current = Some(Calibrated {
                        used_from: k,
                        ..*found
                    });
                    self.pieces.clear();
                }
                _ => self.failed += 1,
            }
        }
    }

    /// Begins a calibration where one is due at window `k`.
    fn begin(&mut self, k: u64) {
        let over = self.samples_in(self.settings.calibrate_over_s);
        // The first window that so many samples lie before.
        let first = over.saturating_sub(self.buffer_end(0)).div_ceil(self.hop());
        let is_due = k >= first && (k - first).is_multiple_of(self.hops.every);
        if is_due && self.pending.is_none() {
            self.pending = self.pending(k, None);
        }
    }

    /// The calibration begun at window `begun` of this stretch, or of the one before; its samples must be there.
    fn pending(&self, begun: u64, before: Option<Before>) -> Option<Pending> {
        let (stretch_at, history) = match &before {
            Some(before) => (before.stretch_at, &before.history),
            None => (self.stretch_at, &self.history),
        };
        let until = self.buffer_end(begun);
        let from = until.checked_sub(self.samples_in(self.settings.calibrate_over_s))?;
        let settings = self.analyst.settings();
        let earlier = self.current.as_ref();
        let input = Input {
            raw_uv: history.cut(from, until)?,
            rails: self.analyst.rails().to_vec(),
            rate: self.analyst.rate(),
            reference: settings.reference.clone(),
            named_bad: settings.bad_channels.clone(),
            settings: CalibrationSettings {
                seed: self.key(Draws::Calibration, stretch_at, begun, 0).seed(),
                ..self.settings.calibration.clone()
            },
            floor_runs: self.settings.floor_runs,
            earlier: earlier.map(|found| (found.good.clone(), found.largest_rad_s().to_vec())),
            until: stretch_at.saturating_add(until),
        };
        let task = Task::new(input);
        self.calibrator.start(&task);
        Some(Pending {
            begun,
            before,
            task,
        })
    }

    /// Goes on from the twin of the stretch before: with the network it had, with the calibration it had under way, which is used as
    /// long after its samples as it would have been, and with the orders it knew; a stimulation begins anew. Nothing is taken over where the numbering went back, where more is missing than a calibration is made of, or where channels differ.
    ///
    /// To be called before the first sample.
    pub fn go_on_from(&mut self, before: Self) {
        let ended = before.stretch_at.saturating_add(before.history.end());
        let longest = self.samples_in(self.settings.calibrate_over_s);
        let missing = self.stretch_at.checked_sub(ended);
        let is_same = self.analyst.rate() == before.analyst.rate()
            && self.history.n_channels() == before.history.n_channels();
        if !is_same || missing.is_none_or(|missing| missing > longest) {
            return;
        }
        self.known = before.known;
        self.failed = before.failed;
        self.stimulation = before.stimulation.map(Running::anew);
        self.current = before.current.map(|found| Calibrated {
            used_from: 0,
            ..found
        });
        self.pending = before.pending.map(|mut pending| {
            let due = pending.due(before.hops.use_after);
            let due_at = before.stretch_at.saturating_add(self.buffer_end(due));
            let first_at = self.stretch_at.saturating_add(self.buffer_end(0));
            let due = due_at.saturating_sub(first_at).div_ceil(self.hop());
            let of = pending.before.take().unwrap_or_else(|| {
                let mut history = before.history;
                let from = self.buffer_end(pending.begun).saturating_sub(longest);
                history.forget_before(from);
                history.compact();
                Before {
                    stretch_at: before.stretch_at,
                    history,
                    due,
                }
            });
            pending.before = Some(Before { due, ..of });
            pending
        });
    }

    /// Samples `[from, to)` against the reference, all channels; `bad` ones are left out of an average.
    fn referenced(&self, from: u64, to: u64, bad: &[usize]) -> Option<Array2<f64>> {
        let mut uv = self.history.cut(from, to)?;
        let reference = &self.analyst.settings().reference;
        reference.apply(uv.view_mut(), bad).ok()?;
        Some(uv)
    }

    /// The network at window `k`.
    fn now(&mut self, k: u64) -> Option<Now> {
        let current = self.current.as_ref()?;
        let last = u64::try_from(self.hops.coupling).unwrap_or(u64::MAX);
        // From its own first window on: no window pays for those before it.
        let from = (k + 1).saturating_sub(last).max(current.used_from);
        self.pieces.retain(|(of, _)| (from..=k).contains(of));
        let next = self.pieces.back().map_or(from, |(of, _)| of + 1);
        for of in next..=k {
            let scores = self.scores(current, of);
            self.pieces.push_back((of, scores));
        }
        let pieces = self.pieces.iter().filter_map(|(_, scores)| scores.as_ref());
        Some(current.follower.now(pieces))
    }

    /// The scores of the hop before the end of window `k`'s buffer.
    fn scores(&self, current: &Calibrated, k: u64) -> Option<Scores> {
        let to = self.buffer_end(k);
        let beside = self.samples_in(Follower::beside_s(&self.settings.calibration));
        let from = to.checked_sub(self.hop() + beside)?;
        let referenced = self.referenced(from, to, &current.bad)?;
        let x = referenced.select(Axis(0), &current.good);
        current.follower.scores(x.view(), self.analyst.rate()).ok()
    }

    /// Runs a stimulation on to the end of window `k`, or begins it there.
    fn stimulate(&mut self, k: u64, now: &Now, figures: Option<&WindowFigures>) {
        let Some(mut running) = self.stimulation.take() else {
            return;
        };
        running.forget_last();
        if let Some(current) = &self.current {
            let noise = current.follower.noise_rad_sqrt_s().to_vec();
            let n = self.history.n_channels();
            let nodes = Nodes::new(now, &noise, &current.good, n, |at| running.has(at));
            if let Some(nodes) = nodes {
                let followed = if running.follows() {
                    self.followed(k, running.target, current)
                } else {
                    Vec::new()
                };
                let key = |seed| self.key(Draws::Stimulation, self.stretch_at, k, seed);
                // Where the copies cannot be run on there are no figures.
                let _ = running.advance(k, &nodes, self.timing(), &followed, key);
            }
            if let Some(figures) = figures {
                let node = running.node();
                let place = current.good.iter().position(|channel| *channel == node);
                let omega_hz = place.map(|node| now.omega_rad_s[node] / std::f64::consts::TAU);
                running.join(k, self.settings.seeds, &figures.phase_rad, omega_hz);
            }
        }
        self.stimulation = Some(running);
    }

    /// The target's phase during the hop that ends with window `k`, as it was known then.
    fn followed(&self, k: u64, target: Option<usize>, current: &Calibrated) -> Vec<Followed> {
        let rate = self.analyst.rate();
        let (end, hop) = (self.window_end(k), self.hop());
        let memory = u64::try_from(self.causal.memory()).unwrap_or(u64::MAX);
        // The hop begins at the last sample of the window before.
        let Some(start) = end.checked_sub(hop + 1) else {
            return Vec::new();
        };
        let from = (start + 1).saturating_sub(memory);
        let Some(x) = self.referenced(from, end - 1, &current.bad) else {
            return Vec::new();
        };
        let first = usize::try_from(start - from).unwrap_or(usize::MAX);
        let stride = rate.samples(HELD_S).max(1);
        let channels = target.map_or_else(|| current.good.clone(), |target| vec![target]);
        let along: Vec<_> = channels
            .iter()
            .map(|channel| self.causal.along(&x.row(*channel).to_vec(), first, stride))
            .collect();
        let n = along.first().map_or(0, Vec::len);
        let at = |place: usize| {
            let seen = along
                .iter()
                .filter_map(|of| of.get(place).copied().flatten());
            let (phase_rad, frequency_hz) = crate::phase::mean_of_now(seen)?;
            Some(Followed {
                at_s: rate.seconds(place * stride),
                phase_rad,
                frequency_hz,
            })
        };
        (0..n).filter_map(at).collect()
    }

    fn say(&self, k: u64, now: &Now, figures: &WindowFigures) -> Option<eeg::Twin> {
        let current = self.current.as_ref()?;
        let n = self.history.n_channels();
        let good = &current.good;
        let noise = current.follower.noise_rad_sqrt_s().to_vec();
        let has = |channel: usize| figures.phase_rad[channel].is_finite();
        let nodes = Nodes::new(now, &noise, good, n, has);
        let next = nodes.as_ref().and_then(|nodes| {
            let from: Vec<f64> = nodes
                .channels
                .iter()
                .map(|at| figures.phase_rad[*at])
                .collect();
            let key = |seed| self.key(Draws::Ahead, self.stretch_at, k, seed);
            ahead(nodes, &from, self.timing(), self.settings.seeds, key).ok()
        });
        let (mut coupling, mut omega_hz) = (none(n), vec![f64::NAN; n]);
        for ((i, j), value) in now.coupling_rad_s.indexed_iter() {
            coupling[[good[i], good[j]]] = *value;
        }
        for (channel, omega) in good.iter().zip(&now.omega_rad_s) {
            omega_hz[*channel] = omega / std::f64::consts::TAU;
        }
        let pair = nodes.as_ref().zip(next.as_ref());
        let phase = pair.map_or_else(
            || vec![f64::NAN; n],
            |(nodes, next)| nodes.list(&next.phase_rad),
        );
        let pli = pair.map_or_else(|| none(n), |(nodes, next)| nodes.matrix(&next.pli));
        let hop_s = self.timing().hop_s;
        let band = self.analyst.settings().band;
        let delay_s = self.causal.delay_s(band.centre_hz()) + HELD_S;
        let seeds = self.settings.seeds;
        let stimulation = self.stimulation.as_ref();
        Some(eeg::Twin {
            calibrated_until: current.until,
            calibrated_s: current.seconds,
            omega_hz: omega_hz.into_iter().map(Figure).collect(),
            coupling_rad_s: rows(&coupling),
            noise_floor_rad_s: current.noise_floor_rad_s,
            edges: current.edges.clone(),
            score: Figure(current.score),
            score_uncoupled: Figure(current.score_uncoupled),
            score_shuffled: Figure(current.score_shuffled),
            r_next: Figure(next.as_ref().map_or(f64::NAN, |next| next.r)),
            phase_next_rad: phase.into_iter().map(Figure).collect(),
            pli_next: rows(&pli),
            stimulation: stimulation.map(|running| running.record(k, hop_s, seeds, n, delay_s)),
        })
    }

    /// Lets go of samples that no later window needs.
    fn forget(&mut self, k: u64) {
        let over = self.samples_in(self.settings.calibrate_over_s);
        let own = self.pending.as_ref().filter(|of| of.before.is_none());
        let oldest = own.map_or(k + 1, |pending| pending.begun);
        let end = self.buffer_end(oldest);
        self.history.forget_before(end.saturating_sub(over));
    }
}

fn none(n: usize) -> Array2<f64> {
    Array2::from_elem((n, n), f64::NAN)
}

fn rows(matrix: &Array2<f64>) -> eeg::Matrix {
    let rows = matrix.rows().into_iter();
    rows.map(|row| row.iter().copied().map(Figure).collect())
        .collect()
}

#[cfg(test)]
mod tests;
