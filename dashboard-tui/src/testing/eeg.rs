//! A made-up session of EEG: every sample and every figure follows from its number. The figures are no analysis of the samples;
//! they only look like one.

use std::borrow::Cow;
use std::f64::consts::{PI, TAU};

use contract::eeg::tags::{EndKind, SamplesKind, StimulationKind, V1};
use contract::eeg::{
    Bad, DriveKind, End, Figure, Mark, Matrix, Order, Quality, Samples, State, Stimulated,
    Stimulation, Surrogates, Twin,
};
use contract::time::NS_PER_MS;

use super::{BEGIN_MS, noise};

/// Samples a second.
pub const RATE_HZ: f64 = 250.0;
/// Samples of a block.
pub const BLOCK: u64 = 10;
/// Blocks a second.
pub const BLOCKS_PER_S: u64 = 25;

/// Sites of the first channels, as a board with sixteen has them.
const SITES: [&str; 24] = [
    "Fp1", "Fp2", "C3", "C4", "P7", "P8", "O1", "O2", "F7", "F8", "F3", "F4", "T7", "T8", "P3",
    "P4", "Fz", "Cz", "Pz", "Oz", "FC1", "FC2", "CP1", "CP2",
];

/// What the windows of a session say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Says {
    /// More than independent channels give.
    #[default]
    Significant,
    /// No more than that.
    NotSignificant,
    /// The test was refused.
    Refused,
    /// There are no surrogates.
    Untested,
    /// No figures: a gap.
    NoFigures,
}

/// The session's twin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum MadeTwin {
    /// Not calibrated yet.
    None,
    /// Better than both baselines.
    #[default]
    Good,
    /// Worse than no coupling.
    Bad,
    /// Good, and driven since window 100.
    Driven(DriveKind),
}

/// A made-up session.
#[derive(Debug, Clone, Copy)]
pub struct Made {
    /// Its name.
    pub session: &'static str,
    /// How many channels.
    pub n_channels: usize,
    /// What its windows say.
    pub says: Says,
    /// A channel at its rail, from 0.
    pub railed: Option<usize>,
    /// Its twin.
    pub twin: MadeTwin,
}

impl Default for Made {
    fn default() -> Self {
        Self {
            session: "cyton-1",
            n_channels: 8,
            says: Says::Significant,
            railed: None,
            twin: MadeTwin::Good,
        }
    }
}

fn small(n: usize) -> f64 {
    f64::from(u32::try_from(n).unwrap_or(u32::MAX))
}

fn wide(n: u64) -> f64 {
    f64::from(u32::try_from(n).unwrap_or(u32::MAX))
}

/// The same seemingly irregular number in -1..=1 for the same arguments.
fn odd(channel: usize, at: u64) -> f64 {
    noise(
        u32::try_from(channel).unwrap_or(0),
        i64::try_from(at).unwrap_or(0),
    )
}

fn rounded(value: f64, places: f64) -> Figure {
    Figure((value * places).round() / places)
}

impl Made {
    fn channels(&self) -> Vec<Cow<'static, str>> {
        let name = |at| {
            SITES.get(at).map_or_else(
                || Cow::Owned(format!("E{}", at + 1)),
                |site| Cow::Borrowed(*site),
            )
        };
        (0..self.n_channels).map(name).collect()
    }

    fn is_good(&self, channel: usize) -> bool {
        self.railed != Some(channel)
    }

    fn hz(channel: usize) -> f64 {
        10.0 + 0.35 * (small(channel) * 1.7).sin()
    }

    fn lag_rad(channel: usize) -> f64 {
        0.9 * (small(channel) * 2.3).sin()
    }

    /// A matrix without the channels that are left out.
    fn matrix(&self, pair: impl Fn(usize, usize) -> f64) -> Matrix {
        let row = |i: usize| {
            let cell = |j: usize| match (self.is_good(i) && self.is_good(j), i == j) {
                (false, _) => Figure(f64::NAN),
                (true, true) => Figure(0.0),
                (true, false) => rounded(pair(i, j), 1e4),
            };
            (0..self.n_channels).map(cell).collect()
        };
        (0..self.n_channels).map(row).collect()
    }

    fn per_channel(&self, of: impl Fn(usize) -> f64) -> Vec<Figure> {
        let one = |at| {
            if self.is_good(at) {
                rounded(of(at), 1e4)
            } else {
                Figure(f64::NAN)
            }
        };
        (0..self.n_channels).map(one).collect()
    }

    /// How much a pair has in common, 0..1, the same both ways.
    fn tie(i: usize, j: usize, k: u64) -> f64 {
        let (low, high) = (i.min(j), i.max(j));
        let base = (0.5 + 0.5 * odd(low * 67 + high, 11)).powi(2);
        (0.08 + 0.85 * base + 0.06 * odd(low + 64 * high, k)).clamp(0.0, 1.0)
    }
}

fn ns(samples: u64) -> i64 {
    let ms = i64::try_from(samples.saturating_mul(4)).unwrap_or(i64::MAX / NS_PER_MS / 2);
    (BEGIN_MS + ms) * NS_PER_MS
}

/// Block number `block`, ten samples of every channel.
#[must_use]
pub fn samples(made: &Made, block: u64) -> Samples<'static> {
    let at = block * BLOCK;
    let value = |channel: usize, sample: u64| {
        if made.railed == Some(channel) {
            return Figure(-187_500.02);
        }
        let t = wide(sample) / RATE_HZ;
        let waxing = 0.65 + 0.35 * (t * 0.9 + small(channel)).sin();
        let alpha = 24.0 * waxing * (TAU * Made::hz(channel) * t + Made::lag_rad(channel)).cos();
        let drift = 9.0 * (TAU * 0.31 * t + small(channel)).sin();
        let blinked = (t.rem_euclid(5.3) - 2.1) / 0.09;
        let blink = if channel < 2 {
            95.0 * (-blinked * blinked).exp()
        } else {
            0.0
        };
        let offset = -2_900.0 * small(channel % 7);
        rounded(
            offset + alpha + drift + blink + 7.0 * odd(channel, sample),
            1e3,
        )
    };
    Samples {
        v: V1,
        kind: SamplesKind,
        session: Cow::Borrowed(made.session),
        sample_rate_hz: RATE_HZ,
        channels: made.channels(),
        rails_uv: vec![vec![187_500.0, -187_500.02]; made.n_channels],
        at,
        follows: block > 0,
        ids: None,
        stamps_ns: None,
        received_ns: ns(at + BLOCK),
        uv: (0..made.n_channels)
            .map(|channel| {
                (at..at + BLOCK)
                    .map(|sample| value(channel, sample))
                    .collect()
            })
            .collect(),
    }
}

/// The end of the session after so many blocks.
#[must_use]
pub fn end(made: &Made, blocks: u64) -> End<'static> {
    End {
        v: V1,
        kind: EndKind,
        session: Cow::Borrowed(made.session),
        at: blocks * BLOCK,
        at_ns: ns(blocks * BLOCK),
    }
}

/// An order for the twin of the session.
#[must_use]
pub fn order(made: &Made, id: &'static str, order: Order) -> Stimulation<'static> {
    Stimulation {
        v: V1,
        kind: StimulationKind,
        session: Cow::Borrowed(made.session),
        id: Cow::Borrowed(id),
        order,
        node: 1,
        drive: DriveKind::Tone,
        amplitude_rad_s: 6.0,
        frequency_hz: None,
        delta_rad: 0.0,
        target: None,
        at_ns: ns(0),
    }
}

fn order_parameter(k: u64) -> f64 {
    0.46 + 0.16 * (wide(k) / 9.0).sin() + 0.05 * odd(99, k)
}

fn phase_rad(channel: usize, k: u64) -> f64 {
    let turned = Made::lag_rad(channel) + 0.5 * odd(channel, k) + wide(k % 64) * 0.7;
    (turned + PI).rem_euclid(TAU) - PI
}

fn surrogates(made: &Made, k: u64) -> Option<Surrogates> {
    if matches!(made.says, Says::Untested | Says::NoFigures) {
        return None;
    }
    let significant = made.says == Says::Significant;
    let strong =
        |i: usize, j: usize| Made::tie(i, j, 0) > 0.7 && made.is_good(i) && made.is_good(j);
    let pairs = (0..made.n_channels).flat_map(|i| (i + 1..made.n_channels).map(move |j| (i, j)));
    let edges = pairs.filter(|(i, j)| significant && strong(*i, *j));
    let wave = 0.02 * (wide(k) / 5.0).cos();
    Some(Surrogates {
        n: 20 * (k + 1).min(10),
        alpha: 0.05,
        pli_p: Figure(if significant { 0.084_577 } else { 0.442_786 }),
        wpli_p: Figure(if significant { 0.004_975 } else { 0.313_433 }),
        significant,
        refused: made.says == Says::Refused,
        edges: edges
            .map(|(i, j)| [i, j].map(|at| u64::try_from(at).unwrap_or(0)))
            .collect(),
        wpli_95: rounded(if significant { 0.33 } else { 0.48 } + wave, 1e4),
        r_5_95: [rounded(0.28 - wave, 1e4), rounded(0.55 + wave, 1e4)],
    })
}

fn stimulated(made: &Made, k: u64, drive: DriveKind) -> Stimulated {
    let locked = drive == DriveKind::Locked;
    let without = order_parameter(k + 1) - 0.03;
    Stimulated {
        id: "what-if-1".to_owned(),
        node: 1,
        drive,
        amplitude_rad_s: 6.0,
        frequency_hz: Figure(if drive == DriveKind::Tone {
            10.1
        } else {
            f64::NAN
        }),
        delta_rad: 0.0,
        target: None,
        delay_s: Figure(if locked { 0.24 } else { f64::NAN }),
        running_s: wide(k.saturating_sub(100)),
        seeds: 32,
        objective: "mean order parameter over the last hop".to_owned(),
        r: rounded(without + 0.09, 1e4),
        r_without: rounded(without, 1e4),
        r_change_sd: Figure(0.061),
        effect: "raises".to_owned(),
        frequency_change_hz: made.per_channel(|at| if at == 1 { 0.41 } else { 0.06 * odd(at, 5) }),
        pli_change: made.matrix(|i, j| if i == 1 || j == 1 { 0.12 } else { 0.01 }),
    }
}

fn twin(made: &Made, k: u64) -> Option<Twin> {
    let good = made.twin != MadeTwin::Bad;
    if made.twin == MadeTwin::None || k < 60 || made.says == Says::NoFigures {
        return None;
    }
    let coupling = |i: usize, j: usize| {
        let tie = Made::tie(i, j, k / 4);
        let way = if odd(i * 64 + j, 3) > 0.0 { 1.0 } else { 0.25 };
        (tie * 9.0 * way - 1.2) * (1.0 + 0.1 * (wide(k) / 13.0).sin())
    };
    let edges = (0..made.n_channels)
        .flat_map(|i| (0..made.n_channels).map(move |j| (i, j)))
        .filter(|(i, j)| i != j && made.is_good(*i) && made.is_good(*j) && coupling(*i, *j) > 2.4)
        .map(|(i, j)| [i, j].map(|at| u64::try_from(at).unwrap_or(0)));
    Some(Twin {
        calibrated_until: k / 30 * 30 * 250,
        calibrated_s: 60.0,
        omega_hz: made.per_channel(|at| Made::hz(at) + 0.2 * odd(at, 7)),
        coupling_rad_s: made.matrix(coupling),
        noise_floor_rad_s: 2.4,
        edges: edges.collect(),
        score: Figure(if good { -1.204_31 } else { -1.271_02 }),
        score_uncoupled: Figure(-1.239_8),
        score_shuffled: Figure(-1.262_44),
        r_next: rounded(order_parameter(k + 1) + 0.06 * odd(31, k), 1e4),
        phase_next_rad: made.per_channel(|at| phase_rad(at, k + 1) + 0.6 * odd(at, k)),
        pli_next: made.matrix(|i, j| Made::tie(i, j, k) * 0.8),
        stimulation: match made.twin {
            MadeTwin::Driven(drive) if k >= 100 => Some(stimulated(made, k, drive)),
            _ => None,
        },
    })
}

fn quality(made: &Made, channel: usize, k: u64) -> Quality {
    let none = Figure(f64::NAN);
    let (rms_uv, railed, mains_ratio) = match (made.says, made.is_good(channel)) {
        // Of what reaches into a gap nothing is known, its electrodes included.
        (Says::NoFigures, _) => (none, none, none),
        (_, false) => (Figure(0.0), Figure(1.0), none),
        (_, true) => (
            rounded(19.0 + 4.0 * odd(channel, k), 1e2),
            Figure(0.0),
            rounded(1.3 + odd(channel, 2).abs() * 4.5, 1e2),
        ),
    };
    Quality {
        rms_uv,
        railed,
        mains_ratio,
    }
}

/// Window number `k` of the session: two seconds from second `k` on, with a guard of one second.
#[must_use]
pub fn state(made: &Made, k: u64) -> State<'static> {
    let has_figures = made.says != Says::NoFigures;
    let at = k * 250;
    let figures = |of: Vec<Figure>| {
        if has_figures {
            of
        } else {
            vec![Figure(f64::NAN); made.n_channels]
        }
    };
    let matrix = |of: Matrix| {
        let nothing = || vec![vec![Figure(f64::NAN); made.n_channels]; made.n_channels];
        if has_figures { of } else { nothing() }
    };
    let figure = |value: f64| {
        if has_figures {
            rounded(value, 1e4)
        } else {
            Figure(f64::NAN)
        }
    };
    let blinked = k % 5 == 2;
    State {
        v: V1,
        session: Cow::Borrowed(made.session),
        stretch_at: 0,
        k,
        at,
        start_s: wide(k),
        sample_rate_hz: RATE_HZ,
        channels: made.channels(),
        received_ns: ns(at + 750),
        band_hz: [8.0, 13.0],
        window_s: 2.0,
        hop_s: 1.0,
        guard_s: 1.0,
        filter_delay_s: 0.0,
        reason: (!has_figures).then_some(Cow::Borrowed("the buffer touches a gap of 37 samples")),
        bad_channels: made
            .railed
            .map(|at| Bad {
                index: u64::try_from(at).unwrap_or(0),
                reason: Cow::Borrowed("railed for 100 % of the buffer"),
            })
            .into_iter()
            .collect(),
        artefacts: blinked
            .then_some(Mark {
                start_s: -0.4,
                end_s: -0.1,
                kind: Cow::Borrowed("blink"),
            })
            .into_iter()
            .collect(),
        quality: (0..made.n_channels)
            .map(|channel| quality(made, channel, k))
            .collect(),
        frequency_hz: figures(made.per_channel(|at| Made::hz(at) + 0.1 * odd(at, k))),
        band_power_uv2: figures(
            made.per_channel(|at| 40.0 + 38.0 * (small(at) * 1.3 + wide(k) / 20.0).sin()),
        ),
        phase_rad: figures(made.per_channel(|at| phase_rad(at, k))),
        pli: matrix(made.matrix(|i, j| Made::tie(i, j, k) * 0.85)),
        wpli: matrix(made.matrix(|i, j| Made::tie(i, j, k))),
        pli_mean: figure(0.31 + 0.03 * odd(5, k)),
        wpli_mean: figure(0.41 + 0.05 * (wide(k) / 14.0).sin() + 0.02 * odd(6, k)),
        r: figure(order_parameter(k)),
        surrogates: surrogates(made, k),
        twin: twin(made, k),
    }
}
