//! Oscillators that pull at each other, seen through an amplifier: the truth is known.
//!
//! ```text
//! d theta_i = (omega_i + sum_j K_ij sin(theta_j - theta_i)) dt + sigma dW_i
//! x_i = offset_i + a_i(t) cos theta_i + coloured and white noise + mains + blinks, or a rail
//! ```
//!
//! Source of the equation: key `kuramoto-chemical` in `docs/references.bib`, with noise. Integrated by Euler-Maruyama in [`SUBSTEPS`]
//! steps per sample. The seed gives everything; looking more often changes nothing, since a sample is a step.

use std::f64::consts::TAU;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::StandardNormal;

use crate::error::SimulatorError;

/// Steps of the integration between two samples: 1 ms each.
pub const SUBSTEPS: u32 = 4;
/// Samples a second.
pub const RATE_HZ: f64 = 250.0;
/// How much of itself coloured noise keeps from sample to sample.
const COLOUR: f64 = 0.95;
/// Length of a blink, seconds.
const BLINK_S: f64 = 0.35;

/// What the brain and the amplifier are like. Channels are as many as there are frequencies.
#[derive(Debug, Clone, PartialEq)]
pub struct BrainSettings {
    /// Seed of all chance.
    pub seed: u64,
    /// Natural frequencies, hertz.
    pub frequency_hz: Vec<f64>,
    /// `[i][j]`: action of channel j on channel i, radians a second; the diagonal says nothing.
    pub coupling_rad_s: Vec<Vec<f64>>,
    /// Noise of the phases, rad/sqrt(s).
    pub phase_noise: f64,
    /// Mean amplitude of the oscillations, microvolts.
    pub amplitude_uv: f64,
    /// Share by which amplitudes wax and wane over seconds, `0..1`.
    pub waxing: f64,
    /// Coloured noise, microvolts, standard deviation.
    pub coloured_uv: f64,
    /// White noise, microvolts, standard deviation.
    pub white_uv: f64,
    /// Mains, microvolts and hertz.
    pub mains: (f64, f64),
    /// Blinks a minute; they show in the first two channels.
    pub blinks_per_min: f64,
    /// Height of a blink, microvolts.
    pub blink_uv: f64,
    /// Offset of the electrodes, microvolts; each channel has some share of it.
    pub offset_uv: f64,
    /// Channels at full scale, from 0.
    pub railed: Vec<usize>,
}

impl BrainSettings {
    /// `n` channels around 10 Hz without coupling, at rest, eyes closed: no blink, some mains.
    #[must_use]
    pub fn new(n: u8, seed: u64) -> Self {
        let middle = f64::from(n.saturating_sub(1)) / 2.0;
        Self {
            seed,
            frequency_hz: (0..n)
                .map(|i| 10.0 + 0.25 * (f64::from(i) - middle))
                .collect(),
            coupling_rad_s: vec![vec![0.0; usize::from(n)]; usize::from(n)],
            phase_noise: 1.0,
            amplitude_uv: 20.0,
            waxing: 0.3,
            coloured_uv: 5.0,
            white_uv: 1.5,
            mains: (3.0, 50.0),
            blinks_per_min: 0.0,
            blink_uv: 150.0,
            offset_uv: 2_000.0,
            railed: Vec::new(),
        }
    }

    /// The same with a coupling between two channels in both directions, radians a second.
    #[must_use]
    pub fn coupled(mut self, i: usize, j: usize, rad_s: f64) -> Self {
        for (to, from) in [(i, j), (j, i)] {
            if let Some(value) = self
                .coupling_rad_s
                .get_mut(to)
                .and_then(|row| row.get_mut(from))
            {
                *value = rad_s;
            }
        }
        self
    }

    fn check(&self) -> Result<(), SimulatorError> {
        let n = self.frequency_hz.len();
        let fault = |what: String| Err(SimulatorError::Setting(what));
        if n == 0 {
            return fault("a headset needs a channel".to_owned());
        }
        if self.coupling_rad_s.len() != n || self.coupling_rad_s.iter().any(|row| row.len() != n) {
            return fault(format!("the coupling of {n} channels is {n} rows of {n}"));
        }
        let numbers = [
            self.phase_noise,
            self.amplitude_uv,
            self.waxing,
            self.coloured_uv,
            self.white_uv,
            self.mains.0,
            self.mains.1,
            self.blinks_per_min,
            self.blink_uv,
            self.offset_uv,
        ];
        let couplings = self.coupling_rad_s.iter().flatten();
        if !couplings
            .chain(&self.frequency_hz)
            .chain(&numbers)
            .all(|x| x.is_finite())
            || numbers.iter().any(|x| *x < 0.0)
        {
            return fault("figures of a headset are finite, and those but frequencies and couplings at least 0".to_owned());
        }
        match self.railed.iter().find(|channel| **channel >= n) {
            Some(channel) => fault(format!("channel {channel} cannot be railed: there are {n}")),
            None => Ok(()),
        }
    }
}

/// A brain under electrodes.
#[derive(Debug, Clone)]
pub struct Brain {
    settings: BrainSettings,
    chance: ChaCha8Rng,
    phase_rad: Vec<f64>,
    coloured: Vec<f64>,
    waxing: Vec<f64>,
    offset_uv: Vec<f64>,
    samples: u64,
    /// Samples since the blink that is on began.
    blink: Option<u32>,
}

impl Brain {
    /// A brain whose phases are anywhere.
    ///
    /// # Errors
    /// [`SimulatorError::Setting`].
    pub fn new(settings: BrainSettings) -> Result<Self, SimulatorError> {
        settings.check()?;
        let mut chance = ChaCha8Rng::seed_from_u64(settings.seed);
        let n = settings.frequency_hz.len();
        let mut each = |low: f64, high: f64| -> Vec<f64> {
            (0..n).map(|_| chance.random_range(low..high)).collect()
        };
        let phase_rad = each(0.0, TAU);
        let share = each(-1.0, 1.0);
        let offset_uv = share
            .iter()
            .map(|share| share * settings.offset_uv)
            .collect();
        Ok(Self {
            coloured: vec![0.0; n],
            waxing: vec![0.0; n],
            offset_uv,
            phase_rad,
            chance,
            settings,
            samples: 0,
            blink: None,
        })
    }

    /// Phases now, radians.
    #[must_use]
    pub fn phases_rad(&self) -> &[f64] {
        &self.phase_rad
    }

    /// Channels.
    #[must_use]
    pub fn n_channels(&self) -> usize {
        self.phase_rad.len()
    }

    fn normal(&mut self) -> f64 {
        self.chance.sample(StandardNormal)
    }

    /// The next sample, a 250th of a second after the last: one reading per channel, microvolts; railed ones infinite.
    pub fn sample_uv(&mut self) -> Vec<f64> {
        let n = self.n_channels();
        let dt_s = 1.0 / RATE_HZ / f64::from(SUBSTEPS);
        for _ in 0..SUBSTEPS {
            let before = self.phase_rad.clone();
            for i in 0..n {
                let pull: f64 = self.settings.coupling_rad_s[i]
                    .iter()
                    .zip(&before)
                    .enumerate()
                    .filter(|(j, _)| *j != i)
                    .map(|(_, (k, theta))| k * (theta - before[i]).sin())
                    .sum();
                let drift = TAU * self.settings.frequency_hz[i] + pull;
                let kick = self.settings.phase_noise * dt_s.sqrt() * self.normal();
                self.phase_rad[i] = (before[i] + drift * dt_s + kick).rem_euclid(TAU);
            }
        }
        self.samples += 1;
        let t_s = self.seconds();
        let (mains_uv, mains_hz) = self.settings.mains;
        let mains = mains_uv * (TAU * mains_hz * t_s).sin();
        let blink = self.blink_uv();
        (0..n)
            .map(|i| {
                // Amplitudes wander over some four seconds, coloured noise over some 80 ms.
                let (kick, slow) = (self.normal(), self.normal());
                self.coloured[i] =
                    COLOUR * self.coloured[i] + (1.0 - COLOUR * COLOUR).sqrt() * kick;
                self.waxing[i] = 0.999 * self.waxing[i] + (1.0_f64 - 0.999 * 0.999).sqrt() * slow;
                let amplitude = self.settings.amplitude_uv
                    * (1.0 + self.settings.waxing * self.waxing[i]).max(0.05);
                let white = self.settings.white_uv * self.normal();
                if self.settings.railed.contains(&i) {
                    return f64::INFINITY;
                }
                self.offset_uv[i]
                    + amplitude * self.phase_rad[i].cos()
                    + self.settings.coloured_uv * self.coloured[i]
                    + white
                    + mains
                    + if i < 2 { blink } else { 0.0 }
            })
            .collect()
    }

    fn seconds(&self) -> f64 {
        // Far below 2^53 samples.
        f64::from(u32::try_from(self.samples % u64::from(u32::MAX)).unwrap_or(0)) / RATE_HZ
    }

    fn blink_uv(&mut self) -> f64 {
        let chance = self.settings.blinks_per_min / 60.0 / RATE_HZ;
        let begins = self.chance.random_bool(chance.min(1.0));
        self.blink = match self.blink {
            None if begins => Some(0),
            on => on.map(|since| since + 1),
        };
        let Some(since) = self.blink else { return 0.0 };
        let part = f64::from(since) / RATE_HZ / BLINK_S;
        if part >= 1.0 {
            self.blink = None;
            return 0.0;
        }
        self.settings.blink_uv * (std::f64::consts::PI * part).sin().powi(2)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_gives_the_same_brain_and_another_seed_another() {
        let first = |seed| Brain::new(BrainSettings::new(8, seed)).unwrap().sample_uv();
        assert_eq!(first(7), first(7));
        assert_ne!(first(7), first(8));
    }

    #[test]
    fn coupled_channels_keep_their_phases_together_and_others_do_not() {
        let settings = BrainSettings {
            phase_noise: 0.3,
            ..BrainSettings::new(4, 3)
        }
        .coupled(0, 1, 6.0);
        let mut brain = Brain::new(settings).unwrap();
        let mut sums = [(0.0, 0.0); 2];
        for _ in 0..15_000 {
            brain.sample_uv();
            let theta = brain.phases_rad();
            for (sum, (i, j)) in sums.iter_mut().zip([(0, 1), (0, 3)]) {
                let lag: f64 = theta[i] - theta[j];
                *sum = (sum.0 + lag.cos(), sum.1 + lag.sin());
            }
        }
        let [coupled, alone] = sums.map(|(re, im)| f64::hypot(re, im) / 15_000.0);
        assert!(coupled > 0.9, "{coupled}");
        assert!(alone < 0.3, "{alone}");
    }

    #[test]
    fn blinks_show_in_the_first_two_channels_and_rails_are_endless() {
        let settings = BrainSettings {
            blinks_per_min: 30.0,
            offset_uv: 0.0,
            railed: vec![3],
            ..BrainSettings::new(4, 1)
        };
        let mut brain = Brain::new(settings).unwrap();
        let most = (0..5_000)
            .map(|_| brain.sample_uv())
            .fold([0.0_f64; 4], |most, sample| {
                let mut most = most;
                for (most, value) in most.iter_mut().zip(sample) {
                    *most = most.max(value);
                }
                most
            });
        assert!(
            most[0] > 120.0 && most[1] > 120.0 && most[2] < 120.0,
            "{most:?}"
        );
        assert!(most[3].is_infinite());
    }

    #[test]
    fn settings_that_make_no_sense_are_refused() {
        let refused = |change: fn(&mut BrainSettings)| {
            let mut settings = BrainSettings::new(4, 1);
            change(&mut settings);
            Brain::new(settings).is_err()
        };
        assert!(refused(|settings| settings.frequency_hz.clear()));
        assert!(refused(|settings| settings.coupling_rad_s[1].truncate(2)));
        assert!(refused(|settings| settings.railed.push(4)));
        assert!(refused(|settings| settings.mains.0 = f64::NAN));
        assert!(refused(|settings| settings.white_uv = -1.0));
    }
}
