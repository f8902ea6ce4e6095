//! Epochs: cuts of equal length about what the recording says happened.
//!
//! In: markers, and what is asked for as `MARKER:FROM:TO`, in seconds about the marker. Out: ranges of samples, and the markers
//! whose epoch cannot be used, each with the reason.

use std::fmt;
use std::ops::Range;
use std::str::FromStr;

use serde::Serialize;

use crate::error::AnalysisError;
use crate::source::Marker;
use crate::units::SampleRate;

/// Which epochs: a marker's text, and from when to when about it.
#[derive(Debug, Clone, PartialEq)]
pub struct EpochChoice {
    /// What the marker says; `*` for every marker.
    pub marker: String,
    /// Start, seconds from the marker; negative before it.
    pub from_s: f64,
    /// End, seconds from the marker; above the start.
    pub to_s: f64,
}

impl FromStr for EpochChoice {
    type Err = AnalysisError;

    /// `eyes closed:-0.2:1.0`; the marker may hold colons.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let fault = || {
            AnalysisError::setting(
                "epochs",
                text,
                "MARKER:FROM:TO in seconds, such as 7:-0.2:1.0, FROM below TO",
            )
        };
        let (rest, to) = text.rsplit_once(':').ok_or_else(fault)?;
        let (marker, from) = rest.rsplit_once(':').ok_or_else(fault)?;
        let seconds = |text: &str| {
            text.trim()
                .parse::<f64>()
                .ok()
                .filter(|value| value.is_finite())
        };
        let from_s = seconds(from).ok_or_else(fault)?;
        let to_s = seconds(to).ok_or_else(fault)?;
        if marker.trim().is_empty() || from_s >= to_s {
            return Err(fault());
        }
        Ok(Self {
            marker: marker.trim().to_owned(),
            from_s,
            to_s,
        })
    }
}

impl fmt::Display for EpochChoice {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}:{}:{}", self.marker, self.from_s, self.to_s)
    }
}

/// A marker whose epoch is left out.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct EpochLeftOut {
    /// When the marker is, seconds from the recording's first sample.
    pub at_s: f64,
    /// Why.
    pub reason: String,
}

/// The epochs that can be used, and those that cannot.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Epochs {
    /// Ranges of samples of the recording, all of one length, by start.
    pub samples: Vec<Range<usize>>,
    /// The others.
    pub left_out: Vec<EpochLeftOut>,
}

impl EpochChoice {
    /// Length of an epoch, samples.
    pub fn n_samples(&self, rate: SampleRate) -> usize {
        rate.samples(self.to_s - self.from_s)
    }

    /// Cuts the epochs that lie within `usable` samples and touch none of the `marked` ranges.
    ///
    /// `marked`: ranges with the reason not to touch them.
    pub fn cut(
        &self,
        markers: &[Marker],
        usable: &Range<usize>,
        marked: &[(Range<usize>, String)],
        rate: SampleRate,
    ) -> Epochs {
        let length = self.n_samples(rate);
        let mut epochs = Epochs::default();
        let meant = |marker: &&Marker| self.marker == "*" || marker.text == self.marker;
        for marker in markers.iter().filter(meant) {
            let start_s = marker.at_s + self.from_s;
            let start = rate.samples(start_s);
            let samples = start..start + length;
            let touches =
                |range: &Range<usize>| range.start < samples.end && samples.start < range.end;
            let reason =
                if start_s < 0.0 || samples.start < usable.start || samples.end > usable.end {
                    Some("reaches beyond what can be used of the segment".to_owned())
                } else {
                    let touched = marked.iter().find(|(range, _)| touches(range));
                    touched.map(|(_, reason)| reason.clone())
                };
            match reason {
                Some(reason) => epochs.left_out.push(EpochLeftOut {
                    at_s: marker.at_s,
                    reason,
                }),
                None => epochs.samples.push(samples),
            }
        }
        epochs.samples.sort_by_key(|samples| samples.start);
        epochs
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn marker(at_s: f64, text: &str) -> Marker {
        Marker {
            at_s,
            duration_s: 0.0,
            text: text.to_owned(),
        }
    }

    #[test]
    fn a_choice_is_read_as_it_is_written_and_nonsense_is_refused() {
        let choice: EpochChoice = "eyes: closed:-0.2:1".parse().unwrap();
        assert_eq!(
            (choice.marker.as_str(), choice.from_s, choice.to_s),
            ("eyes: closed", -0.2, 1.0)
        );
        assert_eq!(choice.to_string().parse(), Ok(choice));
        for text in ["", "7", "7:1", "7:1:0", "7:a:b", ":0:1", "7:0:inf", "7:0:0"] {
            assert!(text.parse::<EpochChoice>().is_err(), "{text}");
        }
    }

    #[test]
    fn epochs_lie_about_their_markers_and_those_that_cannot_be_used_say_why() {
        let rate = SampleRate::new(100.0).unwrap();
        let markers = [0.1, 2.0, 4.0, 6.0, 9.5].map(|at| marker(at, "7"));
        let markers = [&markers[..], &[marker(3.0, "8")]].concat();
        let choice: EpochChoice = "7:-0.2:1.0".parse().unwrap();
        let epochs = choice.cut(
            &markers,
            &(0..1_000),
            &[(450..460, "blink".to_owned())],
            rate,
        );
        assert_eq!(epochs.samples, [180..300, 580..700]);
        let reasons: Vec<(f64, &str)> = epochs
            .left_out
            .iter()
            .map(|left| (left.at_s, left.reason.as_str()))
            .collect();
        assert_eq!(reasons[1], (4.0, "blink"));
        assert!(reasons[0].1.contains("beyond") && reasons[2].1.contains("beyond"));
        let all = EpochChoice {
            marker: "*".to_owned(),
            ..choice
        };
        assert_eq!(all.cut(&markers, &(0..1_000), &[], rate).samples.len(), 4);
    }
}
