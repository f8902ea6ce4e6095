//! Records of `eeg-samples` and `eeg-states`: what a session sends, and what a window of it says.
//!
//! On `eeg-samples` a session has blocks of samples, orders for stimulations of its twin, and its end; one partition holds all of
//! a session, so that an order's place among the samples is the same for every reader. On `eeg-states` it has its windows.
//!
//! Time is the sample index. A session's samples are counted from its first, missing ones included; a **stretch** is a run of them
//! without a gap or a restart. A block lies within one stretch. Channels stay in the order of the session; matrices are rows of
//! rows, `[i][j]` from `z_i conj z_j`, for couplings j acting on i. A figure that there is none of is null. Absent: how figures
//! are made (`cerebral`).

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::decimal::Text;
use crate::tag::V1;

/// Tags of the records, each a type that can only be itself.
pub mod tags {
    pub use crate::tag::V1;
    use crate::tag::kind;
    kind!(SamplesKind, "samples");
    kind!(StimulationKind, "stimulation");
    kind!(EndKind, "end");
}
use tags::{EndKind, SamplesKind, StimulationKind};

/// A figure; NaN is written as null and read from it.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Figure(pub f64);

impl Serialize for Figure {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.0.is_finite() {
            serializer.serialize_f64(self.0)
        } else {
            serializer.serialize_none()
        }
    }
}

impl<'de> Deserialize<'de> for Figure {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self(
            Option::<f64>::deserialize(deserializer)?.unwrap_or(f64::NAN),
        ))
    }
}

/// Rows of rows, one row and one column per channel.
pub type Matrix = Vec<Vec<Figure>>;

/// Consecutive samples of a session.
///
/// ```
/// # use contract::eeg::Samples;
/// let line = r#"{"v":1,"kind":"samples","session":"cyton-1","sample_rate_hz":250.0,"channels":["Fp1","Fp2"],"rails_uv":[[187500.0,-187500.02],[187500.0,-187500.02]],"at":500,"follows":true,"ids":[244,245],"stamps_ns":null,"received_ns":1723161255000000000,"uv":[[-3.5,0.1],[12.25,null]]}"#;
/// let samples: Samples = serde_json::from_str(line).unwrap();
/// assert_eq!(serde_json::to_string(&samples).unwrap(), line);
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Samples<'a> {
    /// Version, always 1.
    pub v: V1,
    /// Always `samples`.
    pub kind: SamplesKind,
    /// Session: one board or recording, from its start to its end.
    #[serde(borrow)]
    pub session: Text<'a>,
    /// Samples a second.
    pub sample_rate_hz: f64,
    /// Names of the channels.
    #[serde(borrow)]
    pub channels: Vec<Text<'a>>,
    /// Per channel the readings at which its amplifier or converter ends, microvolts; none where nobody knows.
    pub rails_uv: Vec<Vec<f64>>,
    /// Index of the first sample.
    pub at: u64,
    /// Whether nothing is missing between the block before and this one, and the numbering went on.
    pub follows: bool,
    /// The board's own numbers, one per sample, where it gives any.
    pub ids: Option<Vec<u64>>,
    /// The source's own stamps, nanoseconds since 1970, one per sample, where it gives any.
    pub stamps_ns: Option<Vec<i64>>,
    /// When the block was complete by our clock, nanoseconds since 1970.
    pub received_ns: i64,
    /// Per channel its samples, microvolts.
    pub uv: Matrix,
}

/// What is to be done with a stimulation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Order {
    /// It begins, in place of the one that runs.
    Start,
    /// It ends.
    Stop,
}

/// How a node of the twin is driven; `theta` is its phase.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DriveKind {
    /// `A sin(2 pi f t - theta)`.
    Tone,
    /// `A`.
    Torque,
    /// `A sin(phi + delta - theta)`, phi being the measured phase of the target as a causal estimator has it.
    Locked,
}

/// An order for the twin of a session, from the first window on that the samples behind it complete.
///
/// ```
/// # use contract::eeg::Stimulation;
/// let line = r#"{"v":1,"kind":"stimulation","session":"cyton-1","id":"what-if-1","order":"start","node":1,"drive":"locked","amplitude_rad_s":6.0,"frequency_hz":null,"delta_rad":0.0,"target":0,"at_ns":1723161255000000000}"#;
/// let stimulation: Stimulation = serde_json::from_str(line).unwrap();
/// assert_eq!(serde_json::to_string(&stimulation).unwrap(), line);
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Stimulation<'a> {
    /// Version, always 1.
    pub v: V1,
    /// Always `stimulation`.
    pub kind: StimulationKind,
    /// Session.
    #[serde(borrow)]
    pub session: Text<'a>,
    /// Names this stimulation; one that is known already changes nothing.
    #[serde(borrow)]
    pub id: Text<'a>,
    /// What is to be done.
    pub order: Order,
    /// Which channel's node, from 0.
    pub node: u64,
    /// How it is driven.
    pub drive: DriveKind,
    /// Amplitude `A`, radians a second.
    pub amplitude_rad_s: f64,
    /// Frequency `f` of a tone, hertz; the node's own natural frequency where null.
    pub frequency_hz: Option<f64>,
    /// Offset `delta` of a locked drive, radians: 0 pulls towards the target, pi pushes away.
    pub delta_rad: f64,
    /// The channel a locked drive follows, from 0; null for the mean field of all that are good.
    pub target: Option<u64>,
    /// When it was ordered, nanoseconds since 1970 by the clock of who did.
    pub at_ns: i64,
}

/// Nothing follows of a session.
///
/// ```
/// # use contract::eeg::End;
/// let line = r#"{"v":1,"kind":"end","session":"cyton-1","at":30000,"at_ns":1723161255000000000}"#;
/// let end: End = serde_json::from_str(line).unwrap();
/// assert_eq!(serde_json::to_string(&end).unwrap(), line);
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct End<'a> {
    /// Version, always 1.
    pub v: V1,
    /// Always `end`.
    pub kind: EndKind,
    /// Session.
    #[serde(borrow)]
    pub session: Text<'a>,
    /// Index behind its last sample.
    pub at: u64,
    /// When it ended, nanoseconds since 1970 by our clock.
    pub at_ns: i64,
}

/// A record of `eeg-samples`.
#[derive(Debug, Clone, PartialEq)]
pub enum Record<'a> {
    /// A block of samples.
    Samples(Samples<'a>),
    /// An order for the twin.
    Stimulation(Stimulation<'a>),
    /// A session's end.
    End(End<'a>),
}

/// Why a record of `eeg-samples` cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum DecodeError {
    /// Not JSON, or not the documented shape.
    #[error("record does not match its documented shape")]
    Shape(#[source] serde_json::Error),
    /// Another version than 1.
    #[error("record is of version {0}, and this program knows version 1")]
    Version(u64),
    /// A `kind` that this program does not know.
    #[error("record is of unknown kind `{0}`")]
    Kind(String),
}

/// Reads a record of `eeg-samples`; unknown fields are passed over.
///
/// # Errors
/// [`DecodeError`]; the bytes then belong to `dead-letters`.
pub fn decode(bytes: &[u8]) -> Result<Record<'_>, DecodeError> {
    /// Version and kind alone; a later version may write its kind in another way.
    #[derive(Deserialize)]
    struct Head {
        v: u64,
        #[serde(default)]
        kind: serde_json::Value,
    }
    let kind_is = |kind: &[u8]| {
        bytes
            .strip_prefix(br#"{"v":1,"kind":""#)
            .is_some_and(|rest| rest.starts_with(kind))
    };
    // Blocks are most of the topic, and their head is written first: they are read once.
    if kind_is(b"samples\"") {
        return serde_json::from_slice(bytes)
            .map(Record::Samples)
            .map_err(DecodeError::Shape);
    }
    let head: Head = serde_json::from_slice(bytes).map_err(DecodeError::Shape)?;
    if head.v != 1 {
        return Err(DecodeError::Version(head.v));
    }
    let record = match head.kind.as_str() {
        Some("samples") => serde_json::from_slice(bytes).map(Record::Samples),
        Some("stimulation") => serde_json::from_slice(bytes).map(Record::Stimulation),
        Some("end") => serde_json::from_slice(bytes).map(Record::End),
        Some(other) => return Err(DecodeError::Kind(other.to_owned())),
        None => return Err(DecodeError::Kind(head.kind.to_string())),
    };
    record.map_err(DecodeError::Shape)
}

/// What a window of a session says.
///
/// ```
/// # use contract::eeg::State;
/// let line = r#"{"v":1,"session":"cyton-1","stretch_at":0,"k":7,"at":1750,"start_s":7.0,"sample_rate_hz":250.0,"channels":["Fp1","Fp2"],"received_ns":1723161255000000000,"band_hz":[8.0,13.0],"window_s":2.0,"hop_s":1.0,"guard_s":1.0,"filter_delay_s":0.0,"reason":null,"bad_channels":[],"artefacts":[],"quality":[{"rms_uv":12.5,"railed":0.0,"mains_ratio":1.5},{"rms_uv":9.0,"railed":0.0,"mains_ratio":null}],"frequency_hz":[10.1,9.75],"band_power_uv2":[31.5,8.0],"phase_rad":[0.25,-3.0],"pli":[[0.0,0.5],[0.5,0.0]],"wpli":[[0.0,0.75],[0.75,0.0]],"pli_mean":0.5,"wpli_mean":0.75,"r":0.625,"surrogates":{"n":200,"alpha":0.05,"pli_p":0.0625,"wpli_p":0.125,"significant":false,"refused":false,"edges":[],"wpli_95":0.875,"r_5_95":[0.5,0.75]},"twin":null}"#;
/// let state: State = serde_json::from_str(line).unwrap();
/// assert_eq!(serde_json::to_string(&state).unwrap(), line);
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct State<'a> {
    /// Version, always 1.
    pub v: V1,
    /// Session.
    #[serde(borrow)]
    pub session: Text<'a>,
    /// Index of the first sample of the stretch.
    pub stretch_at: u64,
    /// Which window of the stretch, from 0.
    pub k: u64,
    /// Index of the window's first sample.
    pub at: u64,
    /// The same in seconds from the session's first sample.
    pub start_s: f64,
    /// Samples a second.
    pub sample_rate_hz: f64,
    /// Names of the channels.
    #[serde(borrow)]
    pub channels: Vec<Text<'a>>,
    /// When the block came that completed the window, nanoseconds since 1970 by our clock.
    pub received_ns: i64,
    /// Band, hertz.
    pub band_hz: [f64; 2],
    /// Length of the window, seconds.
    pub window_s: f64,
    /// From window to window, seconds.
    pub hop_s: f64,
    /// What is filtered along and dropped on both sides, seconds: the delay of the figures beyond the window.
    pub guard_s: f64,
    /// How late the filter shows an envelope in the middle of the band, seconds, beside the guard; 0 forward and backward.
    pub filter_delay_s: f64,
    /// Why there are no figures; null where there are.
    #[serde(borrow)]
    pub reason: Option<Text<'a>>,
    /// Channels left out of this window.
    pub bad_channels: Vec<Bad<'a>>,
    /// What else than the brain the window's samples hold.
    pub artefacts: Vec<Mark<'a>>,
    /// Per channel how good its electrode is.
    pub quality: Vec<Quality>,
    /// Per channel the median frequency, hertz.
    pub frequency_hz: Vec<Figure>,
    /// Per channel the power in the band, square microvolts.
    pub band_power_uv2: Vec<Figure>,
    /// Per channel the phase at the window's last sample, radians.
    pub phase_rad: Vec<Figure>,
    /// Phase lag index.
    pub pli: Matrix,
    /// Weighted phase lag index.
    pub wpli: Matrix,
    /// Mean PLI over pairs.
    pub pli_mean: Figure,
    /// Mean wPLI over pairs.
    pub wpli_mean: Figure,
    /// Mean order parameter, 0..=1.
    pub r: Figure,
    /// Against surrogates of this window and those before it.
    pub surrogates: Option<Surrogates>,
    /// The twin, once there is one.
    pub twin: Option<Twin>,
}

/// A channel that is left out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Bad<'a> {
    /// Which, from 0.
    pub index: u64,
    /// Why.
    #[serde(borrow)]
    pub reason: Text<'a>,
}

/// How good an electrode is, over the window and its guards.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Quality {
    /// Standard deviation of the raw signal, microvolts.
    pub rms_uv: Figure,
    /// Share of samples at a rail, 0..=1.
    pub railed: Figure,
    /// Power about the mains' frequency over that beside it; about 1 where there is no hum.
    pub mains_ratio: Figure,
}

/// Something marked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Mark<'a> {
    /// Start, seconds from the window's start; below 0 in the guard before it.
    pub start_s: f64,
    /// End, the same.
    pub end_s: f64,
    /// What it is.
    #[serde(borrow)]
    pub kind: Text<'a>,
}

/// A window against its rolling null.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Surrogates {
    /// Surrogates behind it.
    pub n: u64,
    /// Level of the verdict and of the edges.
    pub alpha: f64,
    /// Rank p of the mean PLI.
    pub pli_p: Figure,
    /// Rank p of the mean wPLI.
    pub wpli_p: Figure,
    /// The verdict: by the mean wPLI.
    pub significant: bool,
    /// The surrogates are not of these data, so nothing is claimed.
    pub refused: bool,
    /// Pairs `[i, j]`, `i < j`, whose wPLI is beyond the surrogates' greatest.
    pub edges: Vec<[u64; 2]>,
    /// The mean wPLI below which 95 per cent of surrogates lie.
    pub wpli_95: Figure,
    /// The mean order parameters below which 5 and 95 per cent of surrogates lie.
    pub r_5_95: [Figure; 2],
}

/// The network that was calibrated on the stretch so far, and where it goes from this window.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Twin {
    /// Index of the first sample behind those that it was calibrated on.
    pub calibrated_until: u64,
    /// Seconds that it was calibrated on.
    pub calibrated_s: f64,
    /// Natural frequencies, hertz.
    pub omega_hz: Vec<Figure>,
    /// Coupling now, radians a second.
    pub coupling_rad_s: Matrix,
    /// Couplings of this absolute value or less are not claimed, radians a second.
    pub noise_floor_rad_s: f64,
    /// Claimed couplings `[i, j]`: j acts on i.
    pub edges: Vec<[u64; 2]>,
    /// Score on what it was not trained on, and of the same without coupling and with it shuffled: nats a sample and channel.
    pub score: Figure,
    /// Without coupling.
    pub score_uncoupled: Figure,
    /// Shuffled, the mean.
    pub score_shuffled: Figure,
    /// The order parameter that it says for the time from this window's end to the next one's, mean over noise.
    pub r_next: Figure,
    /// Phases that it says for the next window's end, radians; null for channels without.
    pub phase_next_rad: Vec<Figure>,
    /// PLI among the twin's own phases over the time from this window's end to the next one's, mean over noise.
    pub pli_next: Matrix,
    /// The stimulation that runs on it.
    pub stimulation: Option<Stimulated>,
}

/// A stimulation of the twin while it runs: the same noise with and without it, from its start on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Stimulated {
    /// Its name.
    pub id: String,
    /// Which channel's node, from 0.
    pub node: u64,
    /// How it is driven.
    pub drive: DriveKind,
    /// Amplitude, radians a second.
    pub amplitude_rad_s: f64,
    /// Frequency of a tone, hertz.
    pub frequency_hz: Figure,
    /// Offset of a locked drive, radians.
    pub delta_rad: f64,
    /// The channel that a locked drive follows, from 0; null for the mean field.
    pub target: Option<u64>,
    /// How old the measured phase is that a locked drive uses, seconds, carried forward by its frequency; null for other drives.
    pub delay_s: Figure,
    /// Seconds that it has run for.
    pub running_s: f64,
    /// Seeds behind the figures.
    pub seeds: u64,
    /// What it is judged by.
    pub objective: String,
    /// Order parameter over the last hop with it, mean over seeds.
    pub r: Figure,
    /// The same without it.
    pub r_without: Figure,
    /// Standard deviation over seeds of the difference.
    pub r_change_sd: Figure,
    /// `raises`, `lowers` or `unclear`: whether the difference is beyond three standard errors.
    pub effect: String,
    /// Per channel the change of the frequency, hertz.
    pub frequency_change_hz: Vec<Figure>,
    /// Change of the PLI of pairs.
    pub pli_change: Matrix,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_come_back_bit_for_bit() {
        let figures = [
            0.1,
            1.0 / 3.0,
            -187_500.022_351_74,
            f64::MIN_POSITIVE,
            5e-324,
            f64::MAX,
            0.022_351_741_790_771_484,
            9_007_199_254_740_993.0,
        ];
        let mut x = 0x9e37_79b9_7f4a_7c15_u64;
        let drawn = std::iter::repeat_with(|| {
            x ^= x << 13;
            x ^= x >> 7;
            x ^= x << 17;
            f64::from_bits(x)
        });
        for figure in figures.into_iter().chain(drawn.take(20_000)) {
            let text = serde_json::to_string(&Figure(figure)).unwrap();
            let back: Figure = serde_json::from_str(&text).unwrap();
            if figure.is_finite() {
                assert_eq!(back.0.to_bits(), figure.to_bits(), "{text}");
            } else {
                assert!(back.0.is_nan(), "{text}");
            }
        }
    }

    #[test]
    fn an_added_field_is_passed_over_and_another_version_is_not_read() {
        let line = r#"{"v":1,"kind":"samples","session":"a","sample_rate_hz":250.0,"channels":[],"rails_uv":[],"at":0,"follows":false,"ids":null,"stamps_ns":null,"received_ns":1,"uv":[],"gain":24}"#;
        assert!(serde_json::from_str::<Samples<'_>>(line).is_ok());
        let newer = line.replace("\"v\":1", "\"v\":2");
        let error = serde_json::from_str::<Samples<'_>>(&newer);
        assert!(
            error
                .unwrap_err()
                .to_string()
                .contains("version 2 is not 1")
        );
    }

    #[test]
    fn a_record_is_told_by_its_version_and_kind_whatever_their_order() {
        let end = r#"{"session":"a","kind":"end","at":3,"at_ns":4,"v":1}"#;
        assert!(matches!(decode(end.as_bytes()), Ok(Record::End(_))));
        let error = |line: &str| decode(line.as_bytes()).unwrap_err().to_string();
        assert!(error(r#"{"v":1,"kind":"impedance"}"#).contains("unknown kind `impedance`"));
        assert!(error(r#"{"v":2,"kind":7}"#).contains("version 2"));
        assert!(error(r#"{"v":1}"#).contains("unknown kind"));
        assert!(error(r#"{"v":1,"kind":"samples"}"#).contains("documented shape"));
        assert!(error("\u{0}\u{1}{").contains("documented shape"));
    }
}
