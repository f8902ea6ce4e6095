//! A stimulation while it runs: two copies of the twin per seed, the same noise, one driven, from its start on.
//!
//! The copies begin at the phases of the window at which the stimulation begins. At every window with phases both are moved alike,
//! by what the recording did beside what the undriven one said: the recording's own noise, which the driven one is given too. So the
//! undriven copies stay with the recording, the driven ones keep their distance from them, and what a stimulus does adds up. Where
//! they were let go, a drive locked to the recording's phase would soon follow another course than theirs.
//!
//! A locked drive follows the recording itself: the phase of its target as the causal estimator has it, asked anew every [`HELD_S`]
//! and carried forward by its frequency in between.

use std::f64::consts::TAU;

use contract::eeg::{self, DriveKind as Kind, Figure, Stimulation};
use ndarray::{Array1, Array2};
use serde::{Deserialize, Serialize};

use super::run::{Hop, Nodes, Ran, run};
use crate::control::{Effect, Spread, effect};
use crate::number::float;
use crate::surrogate::Key;
use crate::twin::order::mean;
use crate::twin::{Drive, DriveKind, TwinError};

/// How long an estimate of the target's phase is used, seconds.
pub(super) const HELD_S: f64 = 0.02;

/// A stronger drive turns its node within one step of a run.
const MOST_RAD_S: f64 = 100.0;
/// No oscillation that is found follows a faster tone.
const MOST_HZ: f64 = 100.0;
/// Steps of a run to a cycle of a tone, at least.
const STEPS_A_CYCLE: f64 = 8.0;

/// Why an order is none.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum OrderError {
    /// A channel that the session does not have.
    #[error("channel {channel} is none of the {n_channels} of the session")]
    Channel {
        /// As ordered.
        channel: u64,
        /// How many there are.
        n_channels: usize,
    },
    /// A figure that means nothing.
    #[error("{what} is {value}, not {range}")]
    Figure {
        /// Which.
        what: &'static str,
        /// As ordered.
        value: f64,
        /// What it may be.
        range: &'static str,
    },
    /// The copies stand at phases that are late by the filter, the target's is that of now.
    #[error(
        "a locked drive needs phases without the filter's delay: make the windows with --filter zero-phase"
    )]
    Delayed,
}

/// A stimulation that was ordered, and how far it is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Running {
    pub(super) id: String,
    node: usize,
    drive: Kind,
    amplitude_rad_s: f64,
    frequency_hz: Option<f64>,
    delta_rad: f64,
    pub(super) target: Option<usize>,
    begun: Option<Begun>,
    /// What the last hop came to.
    #[serde(skip)]
    last: Option<Change>,
}

/// The copies.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Begun {
    /// The window it began at, and that at whose end the copies are.
    k: u64,
    until_k: u64,
    /// Frequency of a tone, hertz.
    tone_hz: f64,
    /// Phases, radians, `(seeds, n_channels)`; NaN of channels that never had one.
    #[serde(with = "crate::bits::matrix")]
    with: Array2<f64>,
    #[serde(with = "crate::bits::matrix")]
    without: Array2<f64>,
}

/// With less without, over one hop.
#[derive(Debug, Clone, PartialEq)]
struct Change {
    r: f64,
    r_without: f64,
    delta: Spread,
    frequency_hz: Vec<f64>,
    pli: Array2<f64>,
}

/// The phase of the target at a time after the hop's start.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Followed {
    pub(super) at_s: f64,
    pub(super) phase_rad: f64,
    pub(super) frequency_hz: f64,
}

impl Running {
    pub(super) fn new(order: &Stimulation<'_>, n_channels: usize) -> Result<Self, OrderError> {
        let channel = |channel: u64| {
            let found = usize::try_from(channel).ok().filter(|at| *at < n_channels);
            found.ok_or(OrderError::Channel {
                channel,
                n_channels,
            })
        };
        let figure = |what, value: f64, range, legal: bool| {
            let fault = OrderError::Figure { what, value, range };
            if legal { Ok(value) } else { Err(fault) }
        };
        let amplitude = order.amplitude_rad_s;
        let legal = (0.0..=MOST_RAD_S).contains(&amplitude);
        let tone = |hz: f64| {
            figure(
                "frequency (Hz)",
                hz,
                "0 to 100",
                (0.0..=MOST_HZ).contains(&hz),
            )
        };
        Ok(Self {
            id: order.id.clone().into_owned(),
            node: channel(order.node)?,
            drive: order.drive,
            amplitude_rad_s: figure("amplitude (rad/s)", amplitude, "0 to 100", legal)?,
            frequency_hz: order.frequency_hz.map(tone).transpose()?,
            delta_rad: figure(
                "offset (rad)",
                order.delta_rad,
                "finite",
                order.delta_rad.is_finite(),
            )?,
            target: order.target.map(channel).transpose()?,
            begun: None,
            last: None,
        })
    }

    /// The same order, to begin anew: behind a gap nobody knows where the copies would be.
    pub(super) fn anew(self) -> Self {
        Self {
            begun: None,
            last: None,
            ..self
        }
    }

    /// Whether the recording's own phases are needed for the hop that ends with window `k`.
    pub(super) fn follows(&self) -> bool {
        self.drive == Kind::Locked && self.begun.is_some()
    }

    /// Figures are of the hop just run and of no other.
    pub(super) fn forget_last(&mut self) {
        self.last = None;
    }

    pub(super) fn is_locked(&self) -> bool {
        self.drive == Kind::Locked
    }

    /// Seconds from the start to the end of window `k`.
    fn running_s(&self, k: u64, hop_s: f64) -> f64 {
        let hops = self.begun.as_ref().map_or(0, |begun| k - begun.k.min(k));
        float(usize::try_from(hops).unwrap_or(usize::MAX)) * hop_s
    }

    /// Which channels have a phase to go on from.
    pub(super) fn has(&self, channel: usize) -> bool {
        let phase = |begun: &Begun| begun.with[[0, channel]].is_finite();
        self.begun.as_ref().is_some_and(phase)
    }

    /// Begins at window `k` if it has not yet and its node is among those that have phases. Moves the copies along with the recording;
    /// channels that have got a phase only now join in. `phase_rad`: per channel. `omega_hz`: of the node.
    pub(super) fn join(&mut self, k: u64, seeds: usize, phase_rad: &[f64], omega_hz: Option<f64>) {
        let n = phase_rad.len();
        if self.begun.is_none() {
            let Some(omega_hz) = omega_hz.filter(|_| phase_rad[self.node].is_finite()) else {
                return;
            };
            let none = Array2::from_elem((seeds, n), f64::NAN);
            self.begun = Some(Begun {
                k,
                until_k: k,
                tone_hz: self.frequency_hz.unwrap_or(omega_hz),
                with: none.clone(),
                without: none,
            });
        }
        let Some(begun) = &mut self.begun else { return };
        for (channel, phase) in phase_rad.iter().enumerate().filter(|(_, p)| p.is_finite()) {
            let with = begun.with.column_mut(channel);
            for (with, without) in with.into_iter().zip(begun.without.column_mut(channel)) {
                let apart = *with - *without;
                *with = phase + if apart.is_nan() { 0.0 } else { apart };
                *without = *phase;
            }
        }
    }

    pub(super) fn node(&self) -> usize {
        self.node
    }

    /// Runs the copies on to the end of window `k`.
    pub(super) fn advance(
        &mut self,
        k: u64,
        nodes: &Nodes,
        hop: Hop,
        followed: &[Followed],
        key: impl Fn(usize) -> Key,
    ) -> Result<(), TwinError> {
        let since_s = self.running_s(k, hop.hop_s) - hop.hop_s;
        let drives = self.drives(since_s, hop.hop_s, followed);
        let Some(begun) = self.begun.as_mut().filter(|begun| begun.until_k < k) else {
            return Ok(());
        };
        begun.until_k = k;
        let mut hop = hop;
        if self.drive == Kind::Tone && begun.tone_hz > 0.0 {
            hop.step_s = hop.step_s.min(1.0 / (STEPS_A_CYCLE * begun.tone_hz));
        }
        let (driven, free) = (nodes.driven(&drives)?, nodes.free());
        let n = nodes.channels.len();
        let (mut with_r, mut without_r, mut delta_r) = (Vec::new(), Vec::new(), Vec::new());
        let (mut frequency_hz, mut pli) = (Array1::zeros(n), Array2::zeros((n, n)));
        for seed in 0..begun.with.nrows() {
            let noise = key(seed).seed();
            let on = |from: ndarray::ArrayViewMut1<'_, f64>, network| -> Result<Ran, TwinError> {
                let mut from = from;
                let start: Vec<f64> = nodes.channels.iter().map(|at| from[*at]).collect();
                let ran = run(network, &start, hop, noise)?;
                for (channel, last) in nodes.channels.iter().zip(&ran.last) {
                    from[*channel] = *last;
                }
                Ok(ran)
            };
            let with = on(begun.with.row_mut(seed), &driven)?;
            let without = on(begun.without.row_mut(seed), free)?;
            with_r.push(with.r);
            without_r.push(without.r);
            delta_r.push(with.r - without.r);
            pli += &(&with.pli - &without.pli);
            let pairs = with.frequency_hz.iter().zip(&without.frequency_hz);
            frequency_hz += &pairs.map(|(a, b)| a - b).collect::<Array1<f64>>();
        }
        let seeds = float(delta_r.len());
        self.last = Some(Change {
            r: mean(&with_r),
            r_without: mean(&without_r),
            delta: Spread::of(&delta_r),
            frequency_hz: nodes.list(&(frequency_hz / seeds).to_vec()),
            pli: nodes.matrix(&(pli / seeds)),
        });
        Ok(())
    }

    /// The drive during a hop that begins `since_s` after the start; its node is a channel.
    fn drives(&self, since_s: f64, hop_s: f64, followed: &[Followed]) -> Vec<Drive> {
        let Some(begun) = &self.begun else {
            return Vec::new();
        };
        let amplitude_rad_s = self.amplitude_rad_s;
        let always = |kind| vec![Drive::always(self.node, kind)];
        match self.drive {
            Kind::Torque => always(DriveKind::Constant {
                torque_rad_s: amplitude_rad_s,
            }),
            Kind::Tone => always(DriveKind::Entrain {
                amplitude_rad_s,
                frequency_rad_s: TAU * begun.tone_hz,
                phase_rad: TAU * (begun.tone_hz * since_s).fract(),
            }),
            Kind::Locked => {
                let ends = followed.iter().skip(1).map(|next| next.at_s).chain([hop_s]);
                let piece = |(now, to_s): (&Followed, f64)| Drive {
                    node: self.node,
                    kind: DriveKind::Entrain {
                        amplitude_rad_s,
                        frequency_rad_s: TAU * now.frequency_hz,
                        phase_rad: now.phase_rad + self.delta_rad
                            - TAU * now.frequency_hz * now.at_s,
                    },
                    from_s: now.at_s,
                    to_s: to_s.min(now.at_s + 1.5 * HELD_S),
                };
                followed.iter().zip(ends).map(piece).collect()
            }
        }
    }

    /// The record of window `k`.
    pub(super) fn record(
        &self,
        k: u64,
        hop_s: f64,
        seeds: usize,
        n_channels: usize,
        delay_s: f64,
    ) -> eeg::Stimulated {
        let change = self.last.as_ref();
        let figure = |of: fn(&Change) -> f64| Figure(change.map_or(f64::NAN, of));
        let none = || Array2::from_elem((n_channels, n_channels), f64::NAN);
        let pli = change.map_or_else(none, |change| change.pli.clone());
        let frequency = change.map_or_else(
            || vec![f64::NAN; n_channels],
            |change| change.frequency_hz.clone(),
        );
        let tone_hz = self.begun.as_ref().map(|begun| begun.tone_hz);
        let verdict = change.map_or(Effect::Unclear, |change| effect(change.delta, seeds));
        eeg::Stimulated {
            id: self.id.clone(),
            node: u64::try_from(self.node).unwrap_or(u64::MAX),
            drive: self.drive,
            amplitude_rad_s: self.amplitude_rad_s,
            frequency_hz: Figure(match self.drive {
                Kind::Tone => tone_hz.or(self.frequency_hz).unwrap_or(f64::NAN),
                _ => f64::NAN,
            }),
            delta_rad: self.delta_rad,
            target: self.target.and_then(|target| u64::try_from(target).ok()),
            delay_s: Figure(if self.is_locked() { delay_s } else { f64::NAN }),
            running_s: self.running_s(k, hop_s),
            seeds: u64::try_from(seeds).unwrap_or(u64::MAX),
            objective: format!("mean r over the last {hop_s} s, driven less not, same noise"),
            r: figure(|change| change.r),
            r_without: figure(|change| change.r_without),
            r_change_sd: figure(|change| change.delta.sd),
            effect: match verdict {
                Effect::Raises => "raises",
                Effect::Lowers => "lowers",
                Effect::Unclear => "unclear",
            }
            .to_owned(),
            frequency_change_hz: frequency.into_iter().map(Figure).collect(),
            pli_change: super::rows(&pli),
        }
    }

    /// Whether what was stored fits a session of `n_channels`.
    pub(super) fn is_whole(&self, n_channels: usize, seeds: usize) -> bool {
        let fits = |begun: &Begun| {
            let shape = (seeds, n_channels);
            begun.with.dim() == shape && begun.without.dim() == shape && begun.k <= begun.until_k
        };
        self.node < n_channels
            && self.target.is_none_or(|target| target < n_channels)
            && self.begun.as_ref().is_none_or(fits)
    }
}
