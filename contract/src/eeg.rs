//! Records of `eeg-samples` and `eeg-states`: blocks of samples of a session, and what a window of them says.
//!
//! Time is the sample index. A session's samples are counted from its first, missing ones included; a **stretch** is a run of them
//! without a gap or a restart. A block lies within one stretch. Channels stay in the order of the session; matrices are rows of
//! rows, `[i][j]` from `z_i conj z_j`, for couplings j acting on i. A figure that there is none of is null. Absent: how figures
//! are made (`cerebral`).

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::decimal::Text;
use crate::tag::V1;

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
/// let line = r#"{"v":1,"session":"cyton-1","sample_rate_hz":250.0,"channels":["Fp1","Fp2"],"rails_uv":[[187500.0,-187500.02],[187500.0,-187500.02]],"at":500,"follows":true,"ids":[244,245],"stamps_ns":null,"received_ns":1723161255000000000,"uv":[[-3.5,0.1],[12.25,null]]}"#;
/// let samples: Samples = serde_json::from_str(line).unwrap();
/// assert_eq!(serde_json::to_string(&samples).unwrap(), line);
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Samples<'a> {
    /// Version, always 1.
    pub v: V1,
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

/// What a window of a session says.
///
/// ```
/// # use contract::eeg::State;
/// let line = r#"{"v":1,"session":"cyton-1","stretch_at":0,"k":7,"at":1750,"start_s":7.0,"sample_rate_hz":250.0,"channels":["Fp1","Fp2"],"received_ns":1723161255000000000,"band_hz":[8.0,13.0],"window_s":2.0,"hop_s":1.0,"guard_s":1.0,"reason":null,"bad_channels":[],"artefacts":[],"frequency_hz":[10.1,9.75],"band_power_uv2":[31.5,8.0],"phase_rad":[0.25,-3.0],"pli":[[0.0,0.5],[0.5,0.0]],"wpli":[[0.0,0.75],[0.75,0.0]],"pli_mean":0.5,"wpli_mean":0.75,"r":0.625,"surrogates":{"n":200,"alpha":0.05,"pli_p":0.0625,"wpli_p":0.125,"significant":false,"refused":false,"edges":[],"wpli_95":0.875,"r_5_95":[0.5,0.75]},"twin":null}"#;
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
    /// Why there are no figures; null where there are.
    #[serde(borrow)]
    pub reason: Option<Text<'a>>,
    /// Channels left out of this window.
    pub bad_channels: Vec<Bad<'a>>,
    /// What else than the brain the window's samples hold.
    pub artefacts: Vec<Mark<'a>>,
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
        let line = r#"{"v":1,"session":"a","sample_rate_hz":250.0,"channels":[],"rails_uv":[],"at":0,"follows":false,"ids":null,"stamps_ns":null,"received_ns":1,"uv":[],"gain":24}"#;
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
}
