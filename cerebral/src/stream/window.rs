//! What one window says: a pure function of the raw samples of its buffer and of what it is told, the same bits live and from a
//! file.
//!
//! ```text
//! buffer -> channels without signal, artefacts -> reference -> filter, Hilbert, guard dropped -> figures
//!                                             \-> surrogates of the same buffer -> Nulls -> Rolling -> Significance
//! ```
//!
//! Everything is judged by the buffer alone: which channels carry a signal, what is an artefact. Nothing is known of the rest of
//! the session but the surrogates of the windows just before ([`Rolling`]).

use std::collections::VecDeque;

use ndarray::{Array1, Array2, ArrayView2, Axis};
use num_complex::Complex64;

use crate::connectivity::{Measure, Parts, Pass, Pipeline, Planes, Windows, over_samples};
use crate::error::AnalysisError;
use crate::number::{float, nanoseconds};
use crate::phase::frequencies;
use crate::preprocess::{
    Artefact, BadChannel, ChannelFault, Reference, find_artefacts, find_bad_channels,
};
use crate::source::{Rails, mains};
use crate::surrogate::{Kind, Nulls, Observed, Origin, Significance, SurrogateTest};
use crate::units::{Band, SampleRate};

/// How windows are made and judged.
#[derive(Debug, Clone, PartialEq)]
pub struct WindowSettings {
    /// Band, hertz.
    pub band: Band,
    /// Length of a window, seconds.
    pub window_s: f64,
    /// From window to window, seconds.
    pub hop_s: f64,
    /// Filtered along and dropped on both sides, seconds.
    pub guard_s: f64,
    /// What voltages are measured against.
    pub reference: Reference,
    /// How the filter goes over a buffer.
    pub pass: Pass,
    /// A notch at the mains' frequency before the band-pass, hertz.
    pub notch_hz: Option<f64>,
    /// Channels that are known to be bad, from 0; those that a session does not have say nothing of it.
    pub bad_channels: Vec<usize>,
    /// Whether others are looked for.
    pub find_bad_channels: bool,
    /// Channels over the eyes, from 0; where there are none, they are told from the channels' names.
    pub frontal: Vec<usize>,
    /// Whether windows with artefacts have figures too.
    pub keep_artefacts: bool,
    /// Which null.
    pub kind: Kind,
    /// What is randomised.
    pub origin: Origin,
    /// New surrogates of each window.
    pub surrogates: usize,
    /// Windows whose surrogates make a window's null, itself among them.
    pub rolling: usize,
    /// Level of the verdict and of the edges.
    pub alpha: f64,
    /// Seed of the surrogates.
    pub seed: u64,
    /// Which session the surrogates are of.
    pub session: u64,
}

impl WindowSettings {
    /// Windows of 2 s every second with a guard of 1 s, 20 new surrogates each, ten windows' worth of null.
    #[must_use]
    pub fn new(band: Band) -> Self {
        Self {
            band,
            window_s: 2.0,
            hop_s: 1.0,
            guard_s: 1.0,
            reference: Reference::Recorded,
            pass: Pass::default(),
            notch_hz: None,
            bad_channels: Vec::new(),
            find_bad_channels: true,
            frontal: Vec::new(),
            keep_artefacts: false,
            kind: Kind::default(),
            origin: Origin::default(),
            surrogates: 20,
            rolling: 10,
            alpha: 0.05,
            seed: 1,
            session: 0,
        }
    }

    /// What can be told without a rate.
    ///
    /// # Errors
    /// [`AnalysisError::Setting`] with what it may be.
    pub fn check(&self) -> Result<(), AnalysisError> {
        let above_0 = |value: f64| value > 0.0 && value.is_finite();
        let refuse =
            |name, value: f64, range: &str| Err(AnalysisError::setting(name, value, range));
        if !above_0(self.window_s) {
            return refuse("window_s", self.window_s, "above 0");
        }
        if !(self.guard_s >= 0.0 && self.guard_s.is_finite()) {
            return refuse("guard_s", self.guard_s, "0 or above");
        }
        if !above_0(self.hop_s) || nanoseconds(self.hop_s) > nanoseconds(self.buffer_s()) {
            return Err(self.no_hop());
        }
        if let Some(hz) = self.notch_hz.filter(|hz| !above_0(*hz)) {
            return refuse("notch frequency", hz, "above 0");
        }
        if !(self.alpha > 0.0 && self.alpha < 1.0) {
            return refuse("alpha", self.alpha, "above 0 and below 1");
        }
        if self.rolling < 1 {
            return refuse("rolling windows", 0.0, "1 or more");
        }
        if self.surrogates < 1 {
            return refuse("surrogates", 0.0, "1 or more");
        }
        Ok(())
    }

    /// A hop that is none. Buffers must touch: the window machine cuts what comes into them, and has no place for what would lie
    /// between.
    fn no_hop(&self) -> AnalysisError {
        let most_s = (self.buffer_s() * 1e9).round() / 1e9;
        let range = format!("above 0 to {most_s} s, which is a window with both its guards");
        AnalysisError::setting("hop_s", self.hop_s, range)
    }

    /// A window with both its guards, seconds.
    fn buffer_s(&self) -> f64 {
        self.window_s + 2.0 * self.guard_s
    }
}

/// What makes windows of one rate and set of channels: everything that does not change from window to window.
#[derive(Debug, Clone)]
pub struct WindowAnalyst {
    settings: WindowSettings,
    rate: SampleRate,
    rails: Vec<Rails>,
    windows: Windows,
    pipeline: Pipeline,
}

/// A window's figures. Matrices and lists are over all channels of the buffer, NaN where a channel is left out.
#[derive(Debug, Clone, PartialEq)]
pub struct WindowFigures {
    /// Per channel the median frequency, hertz.
    pub frequency_hz: Vec<f64>,
    /// Per channel the mean power in the band, square microvolts.
    pub band_power_uv2: Vec<f64>,
    /// Per channel the phase at the last sample, radians, `-pi..=pi`.
    pub phase_rad: Vec<f64>,
    /// PLI.
    pub pli: Array2<f64>,
    /// wPLI.
    pub wpli: Array2<f64>,
    /// Mean PLI over pairs.
    pub pli_mean: f64,
    /// Mean wPLI over pairs.
    pub wpli_mean: f64,
    /// Mean order parameter, `0..=1`.
    pub r: f64,
    /// The window against its rolling null.
    pub significance: Significance,
    /// Mean order parameters below which 5 and 95 per cent of the null lie.
    pub r_5_95: [f64; 2],
}

/// How good an electrode is, by the window's buffer.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Electrode {
    /// Standard deviation of the raw readings, microvolts.
    pub sd_uv: f64,
    /// Share of readings at a rail, `0..=1`.
    pub railed: f64,
    /// Power about the mains' frequency over that beside it; none where the rate is too low for it, or nothing is there.
    pub mains_ratio: Option<f64>,
}

/// What a window's buffer holds and what was made of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Window {
    /// Every channel's electrode.
    pub electrodes: Vec<Electrode>,
    /// Channels left out.
    pub bad: Vec<BadChannel>,
    /// Places of the others.
    pub good: Vec<usize>,
    /// Artefacts, in samples of the buffer.
    pub artefacts: Vec<Artefact>,
    /// The figures, or why there are none.
    pub figures: Result<WindowFigures, String>,
}

/// The surrogates of the windows just passed, and how strong the data were in each. They are of one set of channels: where that
/// changes, they begin anew.
///
/// Whether surrogates are of these data is judged over all these windows together: a surrogate spreads its buffer's rhythm evenly,
/// and one window holds more or less of it than its buffer.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Rolling {
    good: Vec<usize>,
    nulls: Nulls,
    /// By window, per good channel the standard deviation in the band.
    data_sd: VecDeque<Vec<f64>>,
}

impl Rolling {
    /// Puts them together again: of which channels they are, and what they are.
    pub(super) fn of(good: Vec<usize>, nulls: Nulls, data_sd: Vec<Vec<f64>>) -> Self {
        Self {
            good,
            nulls,
            data_sd: data_sd.into(),
        }
    }

    /// Of which channels they are.
    pub(super) fn good(&self) -> &[usize] {
        &self.good
    }

    /// The surrogates.
    pub(super) fn nulls(&self) -> &Nulls {
        &self.nulls
    }

    /// How strong the data were, window by window.
    pub(super) fn data_sd(&self) -> impl Iterator<Item = &[f64]> {
        self.data_sd.iter().map(Vec::as_slice)
    }

    /// Takes a window's; forgets all but those of the last `windows`, each of `surrogates`.
    fn put(
        &mut self,
        good: &[usize],
        nulls: Nulls,
        observed: &Observed,
        (windows, surrogates): (usize, usize),
    ) {
        if self.good != good {
            *self = Self {
                good: good.to_vec(),
                ..Self::default()
            };
        }
        self.nulls.append(nulls);
        self.nulls.keep_last(windows * surrogates);
        self.data_sd.push_back(observed.band_sd().to_vec());
        while self.data_sd.len() > windows {
            self.data_sd.pop_front();
        }
    }

    /// Per good channel the standard deviation in the band over all these windows, root mean square.
    fn whole_sd(&self) -> Vec<f64> {
        let n = float(self.data_sd.len());
        let of = |channel: usize| {
            let squares = self.data_sd.iter().map(|sd| sd[channel].powi(2));
            (squares.sum::<f64>() / n).sqrt()
        };
        (0..self.good.len()).map(of).collect()
    }
}

impl WindowAnalyst {
    /// Of channels whose readings end at `rails`, sampled at `rate`.
    ///
    /// # Errors
    /// [`AnalysisError::Setting`] for a band, window, hop, guard or number of surrogates that does not fit;
    /// [`AnalysisError::TooShort`] where a window and its guards are too short to be filtered.
    pub fn new(
        settings: WindowSettings,
        rails: Vec<Rails>,
        rate: SampleRate,
    ) -> Result<Self, AnalysisError> {
        settings.check()?;
        let windows = Windows::new(settings.window_s, settings.hop_s, settings.guard_s, rate)?;
        // In samples too: each of the three is rounded.
        if windows.hop() > windows.width() + 2 * windows.guard() {
            return Err(settings.no_hop());
        }
        let whole = Pipeline::with_notch(settings.band, settings.notch_hz, rate, 0.0)?;
        let pipeline = windows.pipeline(&whole).with_pass(settings.pass);
        pipeline.check_length(windows.width() + 2 * windows.guard())?;
        let mut settings = settings;
        settings.bad_channels.retain(|index| *index < rails.len());
        Ok(Self {
            settings,
            rate,
            rails,
            windows,
            pipeline,
        })
    }

    /// What it goes by.
    pub fn settings(&self) -> &WindowSettings {
        &self.settings
    }

    /// Width, hop and guard in samples.
    pub fn windows(&self) -> Windows {
        self.windows
    }

    /// How late the filter shows what it passes, seconds, beside the guard.
    pub fn filter_delay_s(&self) -> f64 {
        self.pipeline.delay_s()
    }

    /// Samples a second.
    pub fn rate(&self) -> SampleRate {
        self.rate
    }

    /// Where the channels' readings end.
    pub(super) fn rails(&self) -> &[Rails] {
        &self.rails
    }

    /// How many channels a buffer has.
    pub fn n_channels(&self) -> usize {
        self.rails.len()
    }

    /// Window `k` of the stretch that begins at sample `stretch_at` of the session.
    ///
    /// `buffer_uv`: `(n_channels, width + 2 guard)`, as recorded, every sample present. `rolling`: that of the window before in
    /// the same stretch; empty for the first.
    ///
    /// # Errors
    /// [`AnalysisError::Shape`] for a buffer of another size.
    pub fn window(
        &self,
        buffer_uv: ArrayView2<'_, f64>,
        stretch_at: u64,
        k: u64,
        rolling: &mut Rolling,
    ) -> Result<Window, AnalysisError> {
        let guard = self.windows.guard();
        let expected = [self.rails.len(), self.windows.width() + 2 * guard];
        if buffer_uv.shape() != expected {
            return Err(AnalysisError::Shape {
                what: "the buffer of a window",
                expected: expected.to_vec(),
                found: buffer_uv.shape().to_vec(),
            });
        }
        let bad = self.bad_channels(buffer_uv);
        let mut good: Vec<usize> = (0..self.rails.len())
            .filter(|channel| bad.iter().all(|bad| bad.index != *channel))
            .collect();
        // A rate too low for blinks leaves nothing to look for.
        let whole = 0..buffer_uv.ncols();
        let artefacts = find_artefacts(
            buffer_uv,
            std::slice::from_ref(&whole),
            &good,
            &self.settings.frontal,
            self.rate,
        )
        .unwrap_or_default();
        if let Reference::Channel { index, .. } = &self.settings.reference {
            good.retain(|channel| channel != index);
        }
        let figures = self.figures(buffer_uv, &bad, &good, &artefacts, (stretch_at, k), rolling)?;
        Ok(Window {
            electrodes: self.electrodes(buffer_uv),
            bad,
            good,
            artefacts,
            figures,
        })
    }

    fn electrodes(&self, buffer_uv: ArrayView2<'_, f64>) -> Vec<Electrode> {
        let (_, ratios) = mains(buffer_uv, self.rate.hz());
        let channels = buffer_uv.rows().into_iter().zip(&self.rails).zip(ratios);
        channels
            .map(|((readings, rails), mains_ratio)| {
                let railed = readings.iter().filter(|value| rails.hold(**value)).count();
                Electrode {
                    sd_uv: readings.std(0.0),
                    railed: float(railed) / float(readings.len()),
                    mains_ratio,
                }
            })
            .collect()
    }

    fn bad_channels(&self, buffer_uv: ArrayView2<'_, f64>) -> Vec<BadChannel> {
        let mut bad = match self.settings.find_bad_channels {
            true => find_bad_channels(buffer_uv, &self.rails, self.rate),
            false => Vec::new(),
        };
        for &index in &self.settings.bad_channels {
            bad.retain(|bad| bad.index != index);
            bad.push(BadChannel {
                index,
                fault: ChannelFault::Named,
            });
        }
        bad.sort_by_key(|bad| bad.index);
        bad
    }

    /// Why a window has no figures, if it has none.
    fn fault(&self, good: &[usize], artefacts: &[Artefact]) -> Option<String> {
        if good.len() < 2 {
            return Some(format!(
                "{} of {} channels carry a signal in it",
                good.len(),
                self.rails.len()
            ));
        }
        if self.settings.keep_artefacts {
            return None;
        }
        let (guard, width) = (self.windows.guard(), self.windows.width());
        let touching = artefacts.iter().find(|artefact| {
            artefact.samples.start < guard + width && guard < artefact.samples.end
        })?;
        Some(format!("it holds an artefact: {}", touching.kind))
    }

    fn figures(
        &self,
        buffer_uv: ArrayView2<'_, f64>,
        bad: &[BadChannel],
        good: &[usize],
        artefacts: &[Artefact],
        (stretch_at, k): (u64, u64),
        rolling: &mut Rolling,
    ) -> Result<Result<WindowFigures, String>, AnalysisError> {
        if let Some(fault) = self.fault(good, artefacts) {
            return Ok(Err(fault));
        }
        let mut referenced = buffer_uv.to_owned();
        let bad: Vec<usize> = bad.iter().map(|bad| bad.index).collect();
        if let Err(error) = self.settings.reference.apply(referenced.view_mut(), &bad) {
            return Ok(Err(error.to_string()));
        }
        let raw = referenced.select(Axis(0), good);
        let z = self.pipeline.analytic(raw.view())?;
        let test = self.test(stretch_at, k);
        let observed = match test.observe_analytic(z.view()) {
            Ok(observed) => observed,
            Err(error) => return Ok(Err(error.to_string())),
        };
        let nulls = test.nulls(raw.view(), &self.pipeline)?;
        let most = (self.settings.rolling, self.settings.surrogates);
        rolling.put(good, nulls, &observed, most);
        let observed = observed.with_band_sd(rolling.whole_sd());
        Ok(Ok(self.of(
            z.view(),
            good,
            &test,
            &observed,
            rolling.nulls(),
        )?))
    }

    /// The test of a window: its random numbers are its own.
    fn test(&self, stretch_at: u64, k: u64) -> SurrogateTest {
        let hop = u64::try_from(self.windows.hop()).unwrap_or(u64::MAX);
        SurrogateTest {
            kind: self.settings.kind,
            origin: self.settings.origin,
            order: true,
            n: self.settings.surrogates,
            seed: self.settings.seed,
            session: self.settings.session,
            // Where the window begins in the session: no two windows share it.
            window: stretch_at.saturating_add(k.saturating_mul(hop)),
            alpha: self.settings.alpha,
            ..SurrogateTest::default()
        }
    }

    fn of(
        &self,
        z: ArrayView2<'_, Complex64>,
        good: &[usize],
        test: &SurrogateTest,
        observed: &Observed,
        null: &Nulls,
    ) -> Result<WindowFigures, AnalysisError> {
        let n = self.rails.len();
        let convention = self
            .windows
            .convention(&self.pipeline, &self.settings.reference);
        let network = over_samples(z, &[Measure::Pli, Measure::Wpli], convention)?;
        let matrix = |measure| {
            let mut all = Array2::from_elem((n, n), f64::NAN);
            if let Some(of_good) = network.matrix(measure) {
                for ((i, j), value) in of_good.indexed_iter() {
                    all[[good[i], good[j]]] = *value;
                }
            }
            all
        };
        let list = |of_good: &[f64]| {
            let mut all = Array1::from_elem(n, f64::NAN);
            for (place, value) in good.iter().zip(of_good) {
                all[*place] = *value;
            }
            all.to_vec()
        };
        let power = |row: ndarray::ArrayView1<'_, Complex64>| {
            // An analytic signal carries its real part's power twice.
            row.iter().map(Complex64::norm_sqr).sum::<f64>() / float(row.len()) / 2.0
        };
        let powers: Vec<f64> = z.rows().into_iter().map(power).collect();
        let last = z.index_axis(Axis(1), z.ncols() - 1);
        let phases: Vec<f64> = last.iter().map(|value| value.arg()).collect();
        let mut orders: Vec<f64> = null.orders().collect();
        Ok(WindowFigures {
            frequency_hz: list(&frequencies(z, self.rate).median),
            band_power_uv2: list(&powers),
            phase_rad: list(&phases),
            pli: matrix(Measure::Pli),
            wpli: matrix(Measure::Wpli),
            pli_mean: network.mean(Measure::Pli).unwrap_or(f64::NAN),
            wpli_mean: network.mean(Measure::Wpli).unwrap_or(f64::NAN),
            r: Planes::of(z, Parts::Exact).synchrony(),
            significance: test.assess(observed, null),
            r_5_95: [0.05, 0.95].map(|share| quantile(&mut orders, share)),
        })
    }
}

/// The value below which a share of the values lies; NaN of none.
pub(crate) fn quantile(values: &mut [f64], share: f64) -> f64 {
    values.sort_by(f64::total_cmp);
    let last = values.len().saturating_sub(1);
    values
        .get(crate::number::samples(float(last), share))
        .copied()
        .unwrap_or(f64::NAN)
}
